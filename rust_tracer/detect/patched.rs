// SPDX-License-Identifier: GPL-2.0

//! Hashes of text that do not change when the kernel changes it: branches by static keys, static
//! calls, sites of ftrace's, kprobes, and the prefix that a second CPU makes of another.
//!
//! C headers: [`include/linux/jump_label.h`](srctree/include/linux/jump_label.h),
//! [`include/linux/static_call.h`](srctree/include/linux/static_call.h)

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    kprobes::Kprobes,
    walk, //
};
use crate::{
    bindings::rtrace_patched_fact,
    refusal::Refusal,
    sort::sort_by, //
};

/// Bytes of the longest instruction that the kernel patches in place.
const LONGEST: u64 = 6;

/// `lock`, and the `ds` that stands in its place while there is one CPU.
const LOCK: u8 = 0xf0;
const DS: u8 = 0x3e;

/// As the kernel has it whether there is one CPU, or several.
pub(super) fn with_locks(byte: u8) -> u8 {
    match byte {
        DS => LOCK,
        other => other,
    }
}

/// The same for all bytes of a text.
pub(super) fn put_locks(text: &mut [u8]) {
    /// A byte times this is a word of it.
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = EACH * 0x7f;
    let mut words = text.chunks_exact_mut(size_of::<u64>());
    for bytes in &mut words {
        let Some(bytes) = bytes.first_chunk_mut() else {
            continue;
        };
        let word = u64::from_ne_bytes(*bytes);
        let differs = word ^ (EACH * u64::from(DS));
        // The highest bit of each byte that does not differ.
        let same = !(((differs & LOW) + LOW) | differs | LOW);
        let mask = (same >> 7) * 0xff;
        *bytes = (word & !mask | mask & (EACH * u64::from(LOCK))).to_ne_bytes();
    }
    for byte in words.into_remainder() {
        *byte = with_locks(*byte);
    }
}

/// A place of text that is patched.
struct Place {
    address: u64,
    bytes: u8,
}

/// Where text is patched for branches and calls, in order of addresses.
pub(super) struct Patched(KVVec<Place>);

impl Place {
    /// A place has the length that it was made with, and is asked once: while it is patched, its first byte says
    /// nothing. Then it is the longest of its kind.
    fn new(fact: &rtrace_patched_fact) -> Self {
        const BREAKPOINT: u8 = 0xcc;
        let mut text = [BREAKPOINT; 2];
        // What cannot be read is in no text that is hashed.
        let _ = walk::copy(&mut text, fact.address);
        let bytes = match (fact.call != 0, text) {
            (false, [0xeb, _] | [0x66, 0x90]) => 2,
            // A jump on a condition has a byte more than a call.
            (true, [0x0f, 0x80..=0x8f] | [BREAKPOINT, _]) => 6,
            _ => 5,
        };
        Self {
            address: fact.address,
            bytes,
        }
    }
}

impl Patched {
    pub(super) const fn nowhere() -> Self {
        Self(KVVec::new())
    }

    /// Whether no place is known.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// In the kernel's text; or in this module's.
    pub(super) fn find(own: bool) -> Result<Self, Refusal> {
        let mut all = match walk::patched(own) {
            Err(refusal) if refusal.error == EOPNOTSUPP => KVVec::new(),
            all => all?,
        };
        sort_by(&mut all, |a, b| a.address.cmp(&b.address));
        // They are kept as long as this module is: not with the room that was for more.
        let mut kept = KVVec::with_capacity(all.len(), GFP_KERNEL)?;
        for fact in &all {
            kept.push(Place::new(fact), GFP_KERNEL)?;
        }
        Ok(Self(kept))
    }

    /// Makes zeroes of what the kernel patches in text that begins at `start`.
    pub(super) fn mask(&self, text: &mut [u8], start: u64) {
        let first = start.saturating_sub(LONGEST);
        let from = self.0.partition_point(|patched| patched.address < first);
        for patched in self.0.get(from..).unwrap_or_default() {
            let Some(at) = patched.address.checked_sub(start) else {
                continue;
            };
            let Some(rest) = text.get_mut(at as usize..) else {
                break;
            };
            let bytes = patched.bytes.into();
            rest.iter_mut().take(bytes).for_each(|byte| *byte = 0);
        }
    }

    /// A hash of the text from `start` on, of `bytes`; 0 if it cannot be read. `sites` are ftrace's
    /// in it.
    pub(super) fn hash(
        &self,
        start: u64,
        bytes: u64,
        sites: impl Iterator<Item = u64>,
        kprobes: &Kprobes,
    ) -> Result<u64> {
        let mut text = KVVec::from_elem(0, usize::try_from(bytes)?, GFP_KERNEL)?;
        if !walk::copy(&mut text, start) {
            return Ok(0);
        }
        kprobes.restore(&mut text, start);
        self.mask(&mut text, start);
        for site in sites {
            let rest = site.checked_sub(start).map(|at| at as usize);
            let rest = rest.and_then(|at| text.get_mut(at..)).unwrap_or_default();
            rest.iter_mut().take(5).for_each(|byte| *byte = 0);
        }
        put_locks(&mut text);
        Ok(walk::hash(&text).max(1))
    }
}
