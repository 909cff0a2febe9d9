// SPDX-License-Identifier: GPL-2.0

//! What bytes of text are that are nobody's code.

#![forbid(unsafe_code)]

/// Whether the byte does nothing where the processor comes to it by mistake, or is not set.
pub(super) fn is_empty(byte: u8) -> bool {
    matches!(byte, 0 | 0xcc)
}

/// Whether all of a page is jumps by registers, as thunks against ITS are, and traps. What the kernel
/// made of them for itself it does not keep a list of.
pub(super) fn is_thunks(mut page: &[u8]) -> bool {
    let mut jumps = false;
    loop {
        page = match page {
            [] => return jumps,
            [0xcc, rest @ ..] | [0x41, rest @ ..] => rest,
            [0xff, 0xe0..=0xe7, rest @ ..] => {
                jumps = true;
                rest
            }
            _ => return false,
        }
    }
}
