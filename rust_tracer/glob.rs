// SPDX-License-Identifier: GPL-2.0

//! DTrace's name patterns (`gmatch`, illumos `dt_subr.c` and `dtrace.c`), on bytes.
//!
//! ```text
//!   *        any bytes, also none         [abc] [a-z]   one of these
//!   ?        any one byte                 [!abc]        one, but none of these
//!   \x       x itself, also in brackets   (empty)       matches everything
//! ```
//!
//! A `]` right after `[` or `[!` stands for itself. A pattern that ends inside brackets or after a
//! `\` matches nothing. In place of DTrace's recursion one point to go back to is enough: what the
//! last `*` took can always be made longer instead of what an earlier one took. So the time is at
//! most the product of the two lengths, for any pattern; where many names are tried, who asks is held to
//! few [bytes in brackets](bytes_in_sets), of which each takes its time for each byte of a name.
//!
//! Context: any.

#![forbid(unsafe_code)]

/// Whether `pattern` matches the whole of `name`.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if pattern.is_empty() {
        return true;
    }
    let mut rest = (pattern, name);
    // The pattern after the last `*`, and the name after what that `*` took so far.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let ([b'*', after @ ..], text) = rest {
            retry = Some((after, text));
            rest = (after, text);
            continue;
        }
        let next = match rest {
            ([], []) => return true,
            (wanted, [byte, text @ ..]) => one(wanted, *byte).map(|after| (after, text)),
            _ => None,
        };
        rest = match (next, retry) {
            (Some(next), _) => next,
            (None, Some((after, [_, text @ ..]))) => {
                retry = Some((after, text));
                (after, text)
            }
            _ => return false,
        };
    }
}

/// How many bytes are in the brackets of `pattern`.
pub(crate) fn bytes_in_sets(mut pattern: &[u8]) -> usize {
    let mut bytes = 0;
    loop {
        pattern = match pattern {
            [] => return bytes,
            [b'\\', _, after @ ..] => after,
            [b'[', b'!', set @ ..] | [b'[', set @ ..] => {
                let after = in_set(set, 0).map_or(&[][..], |(_, after)| after);
                bytes += set.len().wrapping_sub(after.len());
                after
            }
            [_, after @ ..] => after,
        }
    }
}

/// Matches one byte with the first element of `pattern`, which is not a `*`, and returns the
/// pattern after it; or nothing if it does not match or is malformed.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (matched, after) = match pattern {
        [] => return None,
        [b'?', after @ ..] => (true, after),
        [b'[', b'!', set @ ..] => {
            let (listed, after) = in_set(set, byte)?;
            (!listed, after)
        }
        [b'[', set @ ..] => in_set(set, byte)?,
        [b'\\', quoted, after @ ..] => (*quoted == byte, after),
        [b'\\'] => return None,
        [plain, after @ ..] => (*plain == byte, after),
    };
    matched.then_some(after)
}

/// Whether `byte` is listed in the set that `pattern` begins with, which ends at its `]`; and the
/// pattern after that.
fn in_set(pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let mut listed = false;
    let (mut low, mut rest) = member(pattern)?;
    loop {
        listed |= low == byte;
        match rest {
            [b']', after @ ..] => return Some((listed, after)),
            [b'-', range @ ..] if !matches!(range, [b']', ..]) => {
                let (high, after) = member(range)?;
                listed |= low <= byte && byte <= high;
                (low, rest) = (high, after);
            }
            _ => (low, rest) = member(rest)?,
        }
    }
}

/// The first byte of `pattern`, or the one that a `\` quotes, and the pattern after it.
fn member(pattern: &[u8]) -> Option<(u8, &[u8])> {
    match pattern {
        [b'\\', quoted, after @ ..] => Some((*quoted, after)),
        [] | [b'\\'] => None,
        [plain, after @ ..] => Some((*plain, after)),
    }
}
