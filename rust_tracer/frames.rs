// SPDX-License-Identifier: GPL-2.0

//! The free slots among a fixed number of frames. A frame follows one call from its entry to its
//! return, which may come hours later on another CPU.
//!
//! Each slot belongs to one list, and is given back to it wherever its call returns, so lists do
//! not drain towards the CPUs on which calls happen to end. A CPU takes from its own list, and from
//! those after it when its own is empty.
//!
//! ```text
//!   heads   [version | 3]  [version | -]        high half: version, low half: slot + 1, or 0
//!                     |
//!   next    [ .. | .. | .. | 1 | .. ]           slot + 1, or 0 at the end
//!                         `-----^
//! ```
//!
//! The lists are Treiber stacks. A head's version grows with each change, so that a head that has
//! come back to the same slot is not mistaken for one that never left (the ABA problem), unless
//! 2^32 changes go by within one of our operations. `next` of a slot is written only by who holds
//! the slot.
//!
//! Contexts: any up to NMI, on any CPU. Lock-free: an attempt is repeated only because another
//! CPU, or a context that interrupted this one, had success. [`Frames::take`] gives up after a
//! bounded number of attempts.

#![forbid(unsafe_code)]

#[cfg(not(loom))]
use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};
#[cfg(loom)]
use loom::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};

/// Attempts at one list in [`Frames::take`].
const TRIES: u32 = 4;

/// Lists that [`Frames::take`] looks at.
const LISTS: usize = 64;

/// The free slots, over words that the caller keeps.
///
/// # Invariants
///
/// Each slot is in exactly one list, once, or was taken and not given back.
#[derive(Clone, Copy)]
pub(crate) struct Frames<'a> {
    heads: &'a [AtomicU64],
    next: &'a [AtomicU32],
}

impl<'a> Frames<'a> {
    /// The frames kept in `heads`, one word for each list (CPU), and `next`, one for each slot.
    /// Both must have been filled by [`Frames::fill`], and be used by nothing else.
    #[inline(always)]
    pub(crate) fn new(heads: &'a [AtomicU64], next: &'a [AtomicU32]) -> Self {
        Frames { heads, next }
    }

    /// Makes all slots free, dealt evenly to the lists. Nobody may use the frames yet. Without
    /// lists, or with more than `u32::MAX - 1` slots, slots are left out.
    pub(crate) fn fill(&self) {
        for head in self.heads {
            head.store(0, Ordering::Relaxed);
        }
        for slot in (0..u32::MAX).zip(self.next).map(|(slot, _)| slot) {
            self.give(slot);
        }
    }

    /// Takes a slot for a call that enters on CPU `cpu` (any number does). Nothing if no slot was
    /// found within a bounded number of attempts; with up to 64 lists and nobody else about, that
    /// means that none is free.
    ///
    /// What was done with the slot before it was given back is visible to the taker.
    #[inline]
    pub(crate) fn take(&self, cpu: u32) -> Option<u32> {
        let first = (cpu as usize).checked_rem(self.heads.len())?;
        let (before, from) = self.heads.split_at_checked(first)?;
        // Counted by the range: `Iterator::take` would bring a panic path with it.
        (0..LISTS)
            .zip(from.iter().chain(before))
            .find_map(|(_, head)| self.take_from(head))
    }

    /// Gives a slot back that was taken, once; any other number is ignored.
    #[inline]
    pub(crate) fn give(&self, slot: u32) {
        let Some(next) = self.next.get(slot as usize) else {
            return;
        };
        let Some(home) = (slot as usize).checked_rem(self.heads.len()) else {
            return;
        };
        let Some(head) = self.heads.get(home) else {
            return;
        };
        let mut seen = head.load(Ordering::Relaxed);
        loop {
            next.store(link(seen), Ordering::Relaxed);
            let new = changed(seen, slot.wrapping_add(1));
            // Release: what we did with the slot, and its `next`, come before.
            match head.compare_exchange_weak(seen, new, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => seen = other,
            }
        }
    }

    /// How many slots are free: exact when nobody takes or gives, else a guess. Task context; its
    /// time grows with the number of slots.
    pub(crate) fn free(&self) -> u32 {
        let mut free = 0u32;
        for head in self.heads {
            let mut at = link(head.load(Ordering::Acquire));
            while let Some(next) = self.next_of(at) {
                if free as usize >= self.next.len() {
                    return free;
                }
                free = free.wrapping_add(1);
                at = next.load(Ordering::Relaxed);
            }
        }
        free
    }

    fn take_from(&self, head: &AtomicU64) -> Option<u32> {
        let mut seen = head.load(Ordering::Acquire);
        for _ in 0..TRIES {
            // Stale if another took the slot meanwhile; then the version has changed as well.
            let after = self.next_of(link(seen))?.load(Ordering::Relaxed);
            let new = changed(seen, after);
            match head.compare_exchange(seen, new, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return link(seen).checked_sub(1),
                Err(other) => seen = other,
            }
        }
        None
    }

    /// The `next` of the slot that a link names.
    #[inline(always)]
    fn next_of(&self, link: u32) -> Option<&AtomicU32> {
        self.next.get(link.checked_sub(1)? as usize)
    }
}

/// The link in a head: slot + 1, or 0.
#[inline(always)]
fn link(head: u64) -> u32 {
    head as u32
}

/// The head that follows `head`, with another link.
#[inline(always)]
fn changed(head: u64, link: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | u64::from(link)
}
