// SPDX-License-Identifier: GPL-2.0-only
//! Where the kernel's functions lie, as root may know.

use std::fs;

use crate::test::{Outcome, fail};

/// The address of a function.
pub fn address_of(function: &str) -> Outcome<u64> {
    let text = fs::read_to_string("/proc/kallsyms")?;
    let found = text.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let address = fields.next()?;
        let (_, name) = (fields.next()?, fields.next()?);
        (name == function).then(|| u64::from_str_radix(address, 16).ok())?
    });
    found
        .filter(|address| *address != 0)
        .ok_or_else(|| fail(format!("/proc/kallsyms has no address of {function}")))
}
