// SPDX-License-Identifier: GPL-2.0-only
//! Names that a pattern matches.
#![forbid(unsafe_code)]

/// `*` and `?` are enough for tests; an empty glob matches everything.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    fn whole(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|skip| whole(rest, &name[skip..])),
            Some((b'?', rest)) => !name.is_empty() && whole(rest, &name[1..]),
            Some((byte, rest)) => name.first() == Some(byte) && whole(rest, &name[1..]),
        }
    }
    pattern.is_empty() || whole(pattern, name)
}
