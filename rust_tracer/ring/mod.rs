// SPDX-License-Identifier: GPL-2.0

//! The ring: records of one session on one CPU, from writers that interrupt each other to one
//! reader in user space.
//!
//! A writer reserves a stretch by moving `head` with a compare-and-exchange that only this CPU's
//! interrupts can disturb, fills it at leisure, and commits. A writer that interrupts another one
//! runs to completion before the other goes on, so when the outermost commits, all that lies below
//! `head` is whole, and it alone publishes (perf's scheme, `kernel/events/ring_buffer.c`; the clock
//! inside the retry loop is LTTng's).
//!
//! ```text
//!        consumer            published              head
//!           |                    |                   |
//!   ..free..|### unread records #|= being written ===|..free..
//!                                  task < irq < NMI
//!                                  nest: 1    2    3
//! ```
//!
//! Positions count bytes and never wrap; `position % size` is the place. What a user writes into
//! the consumer page can at worst cost the user records: a position is used only if it lies
//! between the one accepted before and `published`.
//!
//! What always holds, whatever interrupts whatever:
//!
//! - `consumer accepted <= published <= head`, and `head` is at most a ring's size beyond the
//!   consumer (keeping policies) or beyond `published` and `oldest` (overwriting);
//! - reservations that are not published do not overlap, and all below `published` are whole;
//! - times never decrease along positions, and each record carries its own position;
//! - every loss is counted once in the status page, and once in a LOST record that stands before
//!   the first record after it, or is still pending. (Exception: an interrupted writer may just
//!   have taken the pending losses and not yet its place; a record of the interrupting one then
//!   comes before the LOST record.)
//!
//! Contexts: everything here may run in task, softirq, hard irq and NMI context, on the ring's own
//! CPU, with preemption off. Nothing waits, allocates, faults or panics.

#![forbid(unsafe_code)]

mod layout;
mod memory;
mod observe;
mod publish;
mod reserve;
mod share;

pub(crate) use self::layout::{
    Layout,
    Policy,
    HEAD_LEN,
    LOST_LEN,
    RECORD_DISCARD,
    RECORD_LOST,
    RECORD_MAX,
    RECORD_PAD,
    SHARED_MIN, //
};
pub(crate) use self::memory::{
    Memory,
    Word, //
};
pub(crate) use self::observe::{
    Beside,
    Plan,
    Progress, //
};
#[cfg(test)]
pub(crate) use self::{
    publish::unread,
    share::{
        accounts_of,
        parts, //
    }, //
};

/// Why a ring could not take a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// No room (`RTRACE_DROP_FULL`).
    Full,
    /// No room, and this was the record that filled the ring under [`Policy::Fill`]: the session
    /// must end. Counts as [`Why::Full`]; a ring says it once.
    Filled,
    /// It would overwrite a record that is being written below it (`RTRACE_DROP_NESTED`).
    Nested,
    /// The ring is nearly full, and its source has had its share of the rest
    /// (`RTRACE_DROP_FLOOD`).
    Flood,
}

/// A firing that left no record. The ring has counted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Dropped {
    /// The reason.
    pub(crate) why: Why,
    /// As from [`Reservation::commit`]: records of interrupting writers may have been published.
    pub(crate) wake: bool,
}

/// One ring of one CPU.
pub(crate) struct Ring<M: Memory> {
    memory: M,
    layout: Layout,
}

/// Room for one record, to be filled and then committed or discarded.
///
/// # Invariants
///
/// `[position, position + len)` was reserved by this writer, is contiguous in the data area from
/// `place` on, and not published. `NEST` counts this writer.
#[must_use = "a reservation that is neither committed nor discarded stops the ring for good"]
pub(crate) struct Reservation<'ring, M: Memory> {
    ring: &'ring Ring<M>,
    place: M::Place,
    position: u64,
    time: u64,
    len: u32,
}

impl<M: Memory> Ring<M> {
    /// A ring over `memory`, at its beginning: sets all private words. No writer may be inside.
    pub(crate) fn new(layout: Layout, memory: M) -> Self {
        let ring = Ring { memory, layout };
        let m = &ring.memory;
        for word in [
            Word::HEAD,
            Word::LAST_TIME,
            Word::NEST,
            Word::PUBLISHED,
            Word::CONS_SEEN,
            Word::PENDING,
            Word::OLDEST,
            Word::FILLED,
        ] {
            m.store(word, 0);
        }
        // No consumer is ever there.
        m.store(Word::WOKEN_FOR, u64::MAX);
        for block in 0..memory::BLOCKS {
            m.store(Word::block(block), 0);
        }
        for account in 0..memory::ACCOUNTS {
            m.store(Word::account(account), 0);
        }
        match layout.policy {
            Policy::Switch | Policy::Fill => {
                m.store(Word::LIMIT, layout.size.wrapping_sub(layout.reserve()));
                m.store(Word::WAKE_AT, layout.watermark);
            }
            Policy::Ring => {
                m.store(Word::LIMIT, layout.block_size().wrapping_sub(1));
                m.store(Word::WAKE_AT, u64::MAX);
            }
        }
        ring
    }

    /// What the ring is made of.
    #[inline(always)]
    pub(crate) fn memory(&self) -> &M {
        &self.memory
    }

    /// The shape of the ring.
    #[inline(always)]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl<M: Memory> Reservation<'_, M> {
    /// The record's time, in ns.
    #[inline(always)]
    pub(crate) fn time(&self) -> u64 {
        self.time
    }

    /// The record's position.
    #[inline(always)]
    #[cfg(test)]
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Sets word `index` of the record. Words 0 and 1 are the head, which the ring writes; these,
    /// and words beyond the length, are left alone. Words that are never set hold what was there.
    #[inline(always)]
    pub(crate) fn put(&self, index: u32, value: u64) {
        if index >= HEAD_LEN / 8 && index < self.len / 8 {
            self.write(index, value);
        }
    }

    /// Completes the record as one of `kind` (`RTRACE_RECORD_*`) from `context`
    /// (`RTRACE_CONTEXT_*`). True if so much is unread now that pollers must be woken, which the
    /// caller does without delay, by irq_work.
    #[inline(always)]
    #[must_use]
    pub(crate) fn commit(self, kind: u32, context: u32) -> bool {
        self.complete(kind, context);
        self.ring.leave()
    }

    /// [`commit`](Self::commit)s if that takes nothing else. False: the record is complete, but the
    /// caller must [`leave`](Ring::leave) the ring.
    #[inline(always)]
    #[must_use]
    pub(crate) fn commit_at_once(self, kind: u32, context: u32) -> bool {
        self.complete(kind, context);
        self.ring.leave_at_once()
    }

    #[inline(always)]
    fn complete(&self, kind: u32, context: u32) {
        let first = layout::first_word(self.position, self.len, kind, context);
        self.write(0, first);
        self.write(1, self.time);
    }

    /// Gives the room up: readers will skip it. Returns as [`Reservation::commit`].
    #[inline(always)]
    #[must_use]
    pub(crate) fn discard(self, context: u32) -> bool {
        self.commit(RECORD_DISCARD, context)
    }

    #[inline(always)]
    fn write(&self, index: u32, value: u64) {
        self.ring.memory.write(self.place, index, value);
    }
}
