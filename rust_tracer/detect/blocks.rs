// SPDX-License-Identifier: GPL-2.0

//! The kernel's whole text, as it was when this module was loaded: a hash of each [`BLOCK`] bytes, so
//! that whatever changes afterwards is seen, and nearly where.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    kprobes::Kprobes,
    name::Name,
    patched::{
        put_locks,
        Patched, //
    },
    rows::Rows,
    sites::{
        Firsts,
        SITE, //
    },
    walk, //
};
use crate::{
    abi,
    bindings::rtrace_landmarks,
    functions,
    refusal::Refusal, //
};

/// Bytes of a block.
const BLOCK: usize = 256;

/// Bytes that are looked at together.
const PAGE: usize = kernel::page::PAGE_SIZE;

/// Bytes before and behind them that are read as well: what the kernel patches may lie across.
const MARGIN: usize = 16;

/// Set in each hash: 0 is of what cannot be read.
const KNOWN: u32 = 1;

pub(super) struct Blocks {
    /// Of the text up to the static calls' own, which change.
    start: u64,
    end: u64,
    /// Calls in it that ftrace changes and has no record of.
    calls: [u64; 2],
    hashes: KVVec<u32>,
}

impl Blocks {
    pub(super) const fn none() -> Self {
        Self {
            start: 0,
            end: 0,
            calls: [0; 2],
            hashes: KVVec::new(),
        }
    }

    /// The first time.
    pub(super) fn see(
        landmarks: &rtrace_landmarks,
        patched: &Patched,
        firsts: &Firsts,
        kprobes: &Kprobes,
    ) -> Result<Self, Refusal> {
        let mut new = Self {
            start: landmarks.text as u64,
            end: (landmarks.static_call_text as u64).min(landmarks.text_end as u64),
            calls: [
                landmarks.ftrace_call as u64,
                landmarks.ftrace_regs_call as u64,
            ],
            hashes: KVVec::new(),
        };
        // What the kernel patches must be known, or all of it would be told as changed.
        let is_known = new.calls.iter().all(|call| *call != 0);
        if !is_known || new.start >= new.end || !firsts.are_known() || patched.are_none() {
            return Ok(Self::none());
        }
        let count = (new.end - new.start) as usize / BLOCK;
        let mut hashes = KVVec::with_capacity(count, GFP_KERNEL)?;
        new.each(patched, firsts, kprobes, |_, hash| {
            // There is room.
            let _ = hashes.push_within_capacity(hash);
            Ok(())
        })?;
        new.hashes = hashes;
        Ok(new)
    }

    /// Calls `each` with the number and the hash of each whole block, as it is now.
    fn each(
        &self,
        patched: &Patched,
        firsts: &Firsts,
        kprobes: &Kprobes,
        mut each: impl FnMut(usize, u32) -> Result,
    ) -> Result {
        let mut text = KVVec::from_elem(0, PAGE + 2 * MARGIN, GFP_KERNEL)?;
        let mut number = 0;
        let mut at = self.start;
        while at + BLOCK as u64 <= self.end {
            let lead = MARGIN.min((at - self.start) as usize);
            let rest = (self.end - at) as usize;
            let text = text
                .get_mut(..lead + rest.min(PAGE + MARGIN))
                .unwrap_or_default();
            let from = at - lead as u64;
            let is_read = walk::copy(text, from);
            if is_read {
                kprobes.restore(text, from);
                patched.mask(text, from);
                let sites = firsts.within(from, from + text.len() as u64);
                for site in Iterator::chain(sites, self.calls) {
                    let place = site.checked_sub(from).map(|at| at as usize);
                    let place = place.and_then(|at| text.get_mut(at..)).unwrap_or_default();
                    place.iter_mut().take(SITE).for_each(|byte| *byte = 0);
                }
                put_locks(text);
            }
            let whole = text.get(lead..).unwrap_or_default();
            for block in whole.chunks_exact(BLOCK).take(PAGE / BLOCK) {
                let hash = if is_read {
                    walk::hash(block) as u32 | KNOWN
                } else {
                    0
                };
                each(number, hash)?;
                number += 1;
            }
            at += PAGE as u64;
        }
        Ok(())
    }

    /// Adds a row for each that is not what it was.
    pub(super) fn add_changed(
        &self,
        rows: &mut Rows,
        patched: &Patched,
        firsts: &Firsts,
        kprobes: &Kprobes,
    ) -> Result {
        if self.hashes.is_empty() {
            return Ok(());
        }
        self.each(patched, firsts, kprobes, |number, hash| {
            let first = self.hashes.get(number).copied().unwrap_or(0);
            if hash == first || hash == 0 || first == 0 {
                return Ok(());
            }
            let address = self.start + (number * BLOCK) as u64;
            let name = functions::name_of_address(address as usize)?;
            let name = name.as_deref().unwrap_or_default();
            let name = name.split(|byte| *byte == b'+').next().unwrap_or_default();
            let mut row = abi::rtrace_view_text_of {
                name: Name::new(name).bytes(),
                address,
                bytes: BLOCK as u64,
                hash: hash.into(),
                first_hash: first.into(),
                ..Default::default()
            };
            walk::copy(&mut row.head, address);
            rows.push(&row)
        })
    }
}
