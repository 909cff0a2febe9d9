// SPDX-License-Identifier: GPL-2.0

//! Which part of the kernel a symbol is in, as one goes through all of them by address.

#![forbid(unsafe_code)]

/// Which text the walk is in; the kernel marks the bounds by symbols.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    None,
    Text,
    Noinstr,
    Entry,
    Init,
}

impl Section {
    /// The section after a symbol of this name.
    pub(super) fn after(self, name: &[u8]) -> Self {
        match name {
            b"_stext" => Self::Text,
            b"_etext" | b"_einittext" => Self::None,
            b"_sinittext" => Self::Init,
            b"__noinstr_text_start" => Self::Noinstr,
            b"__entry_text_start" => Self::Entry,
            b"__noinstr_text_end" | b"__entry_text_end" => Self::Text,
            _ => self,
        }
    }

    /// Whether it is the name of a bound, which is no function's.
    pub(super) fn is_bound(name: &[u8]) -> bool {
        [
            &b"_start"[..],
            b"_end",
            b"_stext",
            b"_etext",
            b"_sinittext",
            b"_einittext",
        ]
        .iter()
        .any(|bound| name.ends_with(bound))
    }
}
