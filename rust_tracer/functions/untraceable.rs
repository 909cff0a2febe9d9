// SPDX-License-Identifier: GPL-2.0

//! What in the kernel proper cannot be traced, and why: text symbols without an ftrace
//! site. Found anew each time it is asked for, since hardly anybody asks.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    section::Section,
    symbols, //
};
use crate::abi;

/// Calls `each` with the name and RTRACE_WHY_* of every function that cannot be traced,
/// until it fails. Task context.
pub(super) fn each(mut each: impl FnMut(&[u8], u32) -> Result) -> Result {
    let mut section = Section::None;
    symbols::each_symbol(|name, _, site| {
        section = section.after(name);
        if name == symbols::UNWINDS {
            return each(name, abi::RTRACE_WHY_NOINSTR);
        }
        if site != 0 || Section::is_bound(name) || name.starts_with(b"__pfx_") {
            return Ok(());
        }
        let why = match section {
            Section::None => return Ok(()),
            Section::Init => abi::RTRACE_WHY_INIT,
            Section::Noinstr => abi::RTRACE_WHY_NOINSTR,
            Section::Entry => abi::RTRACE_WHY_THUNK,
            Section::Text => why(name),
        };
        each(name, why)
    })
}

fn why(name: &[u8]) -> u32 {
    const THUNKS: [&[u8]; 5] = [b"__x86_", b"__SCT__", b"srso_", b"retbleed_", b"asm_"];
    if name.windows(5).any(|part| part == b".cold") {
        abi::RTRACE_WHY_PART
    } else if name.starts_with(b"_R") || name.starts_with(b"rust_helper_") {
        abi::RTRACE_WHY_RUST
    } else if THUNKS.iter().any(|thunk| name.starts_with(thunk)) {
        abi::RTRACE_WHY_THUNK
    } else {
        abi::RTRACE_WHY_NO_SITE
    }
}
