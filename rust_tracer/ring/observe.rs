// SPDX-License-Identifier: GPL-2.0

//! Reading a ring beside its owner: which bytes another CPU may copy, and whether they were still
//! whole when it had.
//!
//! An observer has a position of its own and holds nothing up, so what it is about to copy may be
//! overwritten at any time. A writer moves `head` before it writes what it reserved; the bytes at
//! a position are therefore whole as long as `head` is at most a ring's size beyond it. The
//! observer looks at `head` after it has copied, and throws away what it copied too late.
//!
//! ```text
//!   writer                        observer
//!   head = new                    published (acquire)
//!   (write barrier)               copy [from, to)
//!   write the record              (read barrier)
//!   published = new (release)     head <= from + size ?  else throw away
//! ```
//!
//! The write barrier is none on x86, where stores are seen in order; the compiler keeps the order
//! of what `Memory` does.

#![forbid(unsafe_code)]

use super::layout::{
    Layout,
    Policy, //
};
#[cfg(not(any(test, target_arch = "x86_64")))]
compile_error!("a reservation must be ordered before the writes into it, for other CPUs");

/// How far a ring is, as seen from another CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) published: u64,
    pub(crate) oldest: u64,
    pub(crate) head: u64,
}

/// A ring's memory as an observer on another CPU sees it, and what was copied of it.
pub(crate) trait Beside {
    /// Why nothing could be copied.
    type Error;

    /// How far the ring is: `published`, then `oldest`, then `head`, each with acquire order.
    fn progress(&self) -> Progress;

    /// Copies `len` bytes from `offset` of the data area on, word by word, while they may be
    /// written, and then keeps what is read later from being read before (a read barrier). Both
    /// are multiples of 8, and the bytes lie inside the area.
    fn copy(&mut self, offset: u64, len: u64) -> Result<(), Self::Error>;

    /// Throws away what was copied.
    fn forget(&mut self);
}

/// What an observer may copy now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Where it begins.
    pub(crate) from: u64,
    /// Bytes that were overwritten before: `from` lies so far beyond what was asked for.
    pub(crate) skipped: u64,
    /// Bytes, contiguous in the data area.
    pub(crate) len: u64,
}

impl Layout {
    /// Whether the bytes from `from` up to what was published are as they were written.
    fn is_whole(&self, from: u64, now: Progress) -> bool {
        let kept = now.head.saturating_sub(from) <= self.size;
        match self.policy {
            Policy::Switch | Policy::Fill => kept,
            Policy::Ring => kept && from >= now.oldest,
        }
    }

    /// What can be copied from `position` on, at most `room` bytes. The position may be anything;
    /// one beyond what is published has nothing to copy.
    ///
    /// Who comes too late goes on where records are known to begin: at the oldest when old ones
    /// are overwritten, else at the newest, since the owner's position may be no such place.
    fn plan(&self, position: u64, room: u64, now: Progress) -> Plan {
        let position = position.min(now.published) & !7;
        let from = if self.is_whole(position, now) {
            position
        } else {
            match self.policy {
                Policy::Switch | Policy::Fill => now.published,
                Policy::Ring => now.oldest.clamp(position, now.published),
            }
        };
        let to_end = Layout::end_of_part(from, self.size).wrapping_sub(from);
        Plan {
            from,
            skipped: from.wrapping_sub(position),
            len: now.published.wrapping_sub(from).min(to_end).min(room & !7),
        }
    }

    /// Copies what can be had from `position` on, at most `room` bytes: whole records, but for the
    /// last one if there is no room for it. Says what was copied.
    pub(crate) fn observe<B: Beside>(
        &self,
        beside: &mut B,
        position: u64,
        room: u64,
    ) -> Result<Plan, B::Error> {
        let plan = self.plan(position, room, beside.progress());
        beside.copy(self.offset(plan.from), plan.len)?;
        let after = beside.progress();
        if self.is_whole(plan.from, after) {
            return Ok(plan);
        }
        // It was overwritten meanwhile: next time it goes on further ahead.
        beside.forget();
        Ok(self.plan(position, 0, after))
    }
}
