// SPDX-License-Identifier: GPL-2.0

//! Showing records to the reader, and waking it.
//!
//! The outermost writer publishes. After it has let go (`nest = 0`) it looks at `head` once more:
//! a writer that interrupted it before that found itself nested and left publishing to it.
//!
//! Waking. Each word below is written by the side above it alone; both sides write, fence, read,
//! so at least one sees the other (the SB pattern of the kernel's litmus tests):
//!
//! ```text
//!   writer (here)                          poller (the module's poll())
//!   store published (release)              store consumer (user space, earlier)
//!   published >= wake_at ?                 enter the wait queue
//!     full barrier                         full barrier (poll_wait() has it)
//!     load consumer                        load published
//!     unread >= watermark: wake            unread >= ready_at: do not sleep
//! ```
//!
//! `wake_at` keeps fence, load and wake-up away from the ordinary commit. It is the accepted
//! consumer + watermark if less than the watermark was unread at the last look: nothing can have
//! been missed then, as the consumer only goes forward. After a wake-up it is `recheck` further on.
//! That is soon enough: a poller that sleeps later saw less than `ready_at = watermark - recheck`
//! unread, so its watermark is more than `recheck` away.
//!
//! If the consumer is where it was at the last wake-up, nobody is woken again: who slept then was
//! woken, and who polls since finds more than `ready_at` unread and does not sleep. So a wake-up,
//! which is an interrupt that may itself be traced, is never the cause of the next one.

#![forbid(unsafe_code)]

use super::layout::Layout;
use super::memory::{
    Memory,
    Word, //
};
use super::Ring;

impl<M: Memory> Ring<M> {
    /// The end of a writer, if nobody needs to be looked after; else all is as it was but for what is
    /// published, and the caller must [`leave`](Self::leave). True if it was the end.
    #[inline(always)]
    pub(super) fn leave_at_once(&self) -> bool {
        let m = &self.memory;
        if m.load(Word::NEST) != 1 {
            return false;
        }
        loop {
            let head = m.load(Word::HEAD);
            m.store(Word::PUBLISHED, head);
            m.store_published(head);
            if head >= m.load(Word::WAKE_AT) {
                return false;
            }
            m.store(Word::NEST, 0);
            if m.load(Word::HEAD) == head {
                return true;
            }
            m.store(Word::NEST, 1);
        }
    }

    /// The end of a writer. True if pollers must be woken.
    #[inline(always)]
    pub(crate) fn leave(&self) -> bool {
        let m = &self.memory;
        if m.load(Word::NEST) != 1 {
            m.add(Word::NEST, u64::MAX);
            return false;
        }
        let mut wake = false;
        loop {
            let head = m.load(Word::HEAD);
            // Our own copy first: a fast consumer must not be ahead of it.
            m.store(Word::PUBLISHED, head);
            m.store_published(head);
            if head >= m.load(Word::WAKE_AT) {
                wake |= self.wake_due(head);
            }
            m.store(Word::NEST, 0);
            if m.load(Word::HEAD) == head {
                return wake;
            }
            m.store(Word::NEST, 1);
        }
    }

    /// Looks how much is unread with `published` shown, and sets the time of the next look.
    #[cold]
    #[inline(never)]
    fn wake_due(&self, published: u64) -> bool {
        let m = &self.memory;
        m.full_barrier();
        let consumer = self.accept_consumer(m.load(Word::CONS_SEEN));
        let watermark = self.layout.watermark;
        if published.wrapping_sub(consumer) >= watermark {
            let recheck = self.layout.recheck();
            m.store(Word::WAKE_AT, published.wrapping_add(recheck));
            let woken_for = m.load(Word::WOKEN_FOR);
            m.store(Word::WOKEN_FOR, consumer);
            woken_for != consumer
        } else {
            m.store(Word::WAKE_AT, consumer.wrapping_add(watermark));
            false
        }
    }
}

impl Layout {
    /// For poll(): whether so much is unread that the caller should not sleep. `consumer` comes
    /// from the consumer page and may be anything; one beyond `published` has nothing unread.
    /// Task context; after the full barrier that follows entering the wait queue.
    pub(crate) fn readable(&self, published: u64, consumer: u64) -> bool {
        unread(published, consumer) >= self.ready_at()
    }
}

/// Bytes between a consumer position, whatever it is, and `published`.
pub(crate) fn unread(published: u64, consumer: u64) -> u64 {
    published.saturating_sub(consumer)
}
