// SPDX-License-Identifier: GPL-2.0-only
//! Waiting for what others do in their own time. Nothing here measures time: a limit only tells what will
//! never happen from what is late.

#![forbid(unsafe_code)]

use crate::sys;
use crate::test::{Outcome, fail};

/// Whatever is waited for comes sooner on the slowest machine, an emulated guest with the debug kernel beside
/// others on a busy host; and a test counts as stuck later than that (`--patience`).
pub const PATIENCE_S: u64 = 240;

/// Looks until there is something, and gives it; in vain, the test fails with what this says.
pub fn some<T>(
    mut look: impl FnMut() -> Outcome<Option<T>>,
    or: impl FnOnce() -> String,
) -> Outcome<T> {
    let begun = sys::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if sys::now() - begun > PATIENCE_S * 1_000_000_000 {
            return Err(fail(or()));
        }
        sys::give_way();
    }
}

/// Looks until it is so; in vain, the test fails with what this says.
pub fn until(mut so: impl FnMut() -> Outcome<bool>, or: impl FnOnce() -> String) -> Outcome {
    some(|| Ok(so()?.then_some(())), or)
}
