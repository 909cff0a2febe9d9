// SPDX-License-Identifier: GPL-2.0

//! Which functions have probes of a session, and where these are in its table.
//!
//! A session with one probe is not to pay for every function of the kernel: the table is in parts, of which only those
//! are there that hold something.

#![forbid(unsafe_code)]

use core::ops::Range;

use kernel::prelude::*;

use crate::functions::Kind;

/// Functions of a part.
const PART: usize = 512;

/// For each function, one more than the index of its entry and of its return probe; 0: none.
type Part = KVec<[u32; 2]>;

/// The table.
pub(super) struct Seen(KVec<Part>);

impl Seen {
    pub(super) const fn new() -> Self {
        Self(KVec::new())
    }

    fn part(&self, function: u32) -> Option<&[u32; 2]> {
        let part = self.0.get(function as usize / PART)?;
        part.get(function as usize % PART)
    }

    /// The index of a function's probe of this kind.
    pub(super) fn get(&self, function: u32, kind: Kind) -> Option<u32> {
        self.part(function)?[usize::from(kind.number() & 1)].checked_sub(1)
    }

    /// Makes room to note that a function has a probe.
    pub(super) fn make_room(&mut self, function: u32) -> Result {
        let at = function as usize / PART;
        while self.0.len() <= at {
            self.0.push(Part::new(), GFP_KERNEL_ACCOUNT)?;
        }
        match self.0.get_mut(at) {
            Some(part) if part.is_empty() => {
                *part = Part::from_elem([0; 2], PART, GFP_KERNEL_ACCOUNT)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes where a function's probe of this kind is, or that it has none any more. There must be room.
    pub(super) fn set(&mut self, function: u32, kind: Kind, index: Option<u32>) {
        let part = self.0.get_mut(function as usize / PART);
        if let Some(seen) = part.and_then(|part| part.get_mut(function as usize % PART)) {
            seen[usize::from(kind.number() & 1)] = index.map_or(0, |index| index + 1);
        }
    }

    /// Whether any of these functions has a probe.
    pub(super) fn has_any(&self, functions: &Range<u32>) -> bool {
        functions
            .clone()
            .any(|function| self.part(function).is_some_and(|seen| *seen != [0; 2]))
    }
}
