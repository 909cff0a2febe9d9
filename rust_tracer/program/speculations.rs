// SPDX-License-Identifier: GPL-2.0

//! A session's speculations: which numbers are taken, and how much was written under each.
//!
//! ```text
//!   states    one for each number from 1 on: generation (46 bits) | ending (1) | active (1)
//!   written   for each CPU, one for each number: generation (32 bits) | bytes (32)
//! ```
//!
//! A number that is taken again is a new *generation*, and a *mark*, `generation << 16 | number`,
//! names one speculation for good. What was written is of a generation; one of another is as good
//! as nothing, so nobody has to clear any.
//!
//! One that ends for its records to count is *ending* until the record that says so is written: its
//! number is not free, and if there was no room for the record it is active again.
//!
//! Everything is one word, changed by compare-and-exchange. Contexts: any up to NMI, on any CPU.

#![forbid(unsafe_code)]

use super::words::{
    nospec,
    Shared, //
};

/// The most there are at once: `RTRACE_SPECULATIONS_MAX`.
pub(crate) const SPECULATIONS_MAX: u32 = 1024;

/// How often a context begins a step again because another came between.
const TRIES: u32 = 16;

const NUMBER_BITS: u32 = 16;
const WRITTEN_BITS: u32 = 32;
const ACTIVE: u64 = 1;
const ENDING: u64 = 2;
const GENERATION: u64 = 4;

/// The speculations of a session.
pub(crate) struct Speculations<M> {
    memory: M,
    count: u32,
}

impl<M: Shared> Speculations<M> {
    /// Words of memory that `count` speculations need, if CPUs have numbers below `cpus`; nothing
    /// if that is too many. All words are 0 before they are used first.
    pub(crate) fn words(count: u32, cpus: u32) -> Option<usize> {
        (count as usize).checked_mul((cpus as usize).checked_add(1)?)
    }

    /// `count` speculations, [`SPECULATIONS_MAX`] at most, in memory of so many
    /// [`words`](Self::words).
    #[inline(always)]
    pub(crate) fn new(memory: M, count: u32) -> Self {
        Speculations {
            memory,
            count: count.min(SPECULATIONS_MAX),
        }
    }

    /// Takes a number from 1 on; 0 if none is free.
    pub(crate) fn take(&self) -> u64 {
        let m = &self.memory;
        for index in 0..self.count {
            let state = m.load(index as usize);
            let taken = state.wrapping_add(GENERATION) | ACTIVE;
            // Who loses this one to another looks for the next.
            if state & (ACTIVE | ENDING) == 0 && m.compare_exchange(index as usize, state, taken) {
                return u64::from(index).wrapping_add(1);
            }
        }
        0
    }

    /// The mark of the records that are written under a number now; nothing if it is not active.
    #[inline]
    pub(crate) fn mark(&self, number: u64) -> Option<u64> {
        let state = self.memory.load(self.index(number)?);
        (state & ACTIVE != 0).then(|| mark_of(state, number))
    }

    /// Whether the speculation of a mark is active.
    pub(crate) fn is_active(&self, mark: u64) -> bool {
        self.mark(number_of(mark)) == Some(mark)
    }

    /// Whether a record of `bytes` bytes may be written under a mark on CPU `cpu`, where `limit`
    /// bytes may be in all; if so, they are taken. Not if the speculation has ended.
    pub(crate) fn charge(&self, mark: u64, cpu: u32, bytes: u32, limit: u64) -> bool {
        let m = &self.memory;
        let Some(index) = self.index(number_of(mark)) else {
            return false;
        };
        let row = (cpu as usize)
            .wrapping_add(1)
            .wrapping_mul(self.count as usize);
        let at = row.wrapping_add(index);
        let empty = (mark >> NUMBER_BITS) << WRITTEN_BITS;
        let most = limit.min((1 << WRITTEN_BITS) - 1);
        for _ in 0..TRIES {
            // First, so that what a later speculation takes meanwhile is not lost.
            let held = m.load(at);
            if !self.is_active(mark) {
                return false;
            }
            let written = if held >> WRITTEN_BITS == empty >> WRITTEN_BITS {
                held
            } else {
                empty
            };
            let after = (written & ((1 << WRITTEN_BITS) - 1)).wrapping_add(bytes.into());
            if after > most {
                return false;
            }
            if m.compare_exchange(at, held, written.wrapping_add(bytes.into())) {
                return true;
            }
        }
        false
    }

    /// Ends a speculation, and gives its mark; nothing if it is not active, or another ends it
    /// right now. Its number is free.
    pub(crate) fn end(&self, number: u64) -> Option<u64> {
        self.leave(number, 0)
    }

    /// The same, but it has not ended before [`settle`](Self::settle).
    pub(crate) fn begin_end(&self, number: u64) -> Option<u64> {
        self.leave(number, ENDING)
    }

    /// One that is active is so no longer.
    fn leave(&self, number: u64, then: u64) -> Option<u64> {
        let m = &self.memory;
        let index = self.index(number)?;
        let state = m.load(index);
        let active = state & ACTIVE != 0;
        (active && m.compare_exchange(index, state, (state & !ACTIVE) | then))
            .then(|| mark_of(state, number))
    }

    /// Whether one that is ending has ended; else it is active again. By who began to end it; a
    /// mark that is not of one that is ending does nothing.
    pub(crate) fn settle(&self, mark: u64, ended: bool) {
        let number = number_of(mark);
        let Some(index) = self.index(number) else {
            return;
        };
        let state = self.memory.load(index);
        if state & ENDING != 0 && mark_of(state, number) == mark {
            let then = if ended { 0 } else { ACTIVE };
            self.memory.store(index, (state & !ENDING) | then);
        }
    }

    /// How many are active.
    pub(crate) fn active(&self) -> u32 {
        (0..self.count).fold(0u32, |active, index| {
            active.wrapping_add((self.memory.load(index as usize) & ACTIVE) as u32)
        })
    }

    /// Where the state of a number is.
    #[inline(always)]
    fn index(&self, number: u64) -> Option<usize> {
        let index = number.checked_sub(1)?;
        let last = self.count.checked_sub(1)?;
        (index <= u64::from(last)).then(|| nospec(index as usize, last as usize))
    }
}

#[inline(always)]
fn number_of(mark: u64) -> u64 {
    mark & ((1 << NUMBER_BITS) - 1)
}

#[inline(always)]
fn mark_of(state: u64, number: u64) -> u64 {
    ((state / GENERATION) << NUMBER_BITS) | number
}
