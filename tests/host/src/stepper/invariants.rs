// SPDX-License-Identifier: GPL-2.0

//! The ring's invariants, by the names that `stepper.rs` has for them: at every instant, at rest, and
//! of what is published.

use super::{bump, Consumer, Seen, World};
use crate::ring::{unread, Policy, Word, LOST_LEN, RECORD_DISCARD, RECORD_LOST, RECORD_PAD};

impl World {
    /// I1, at every instant.
    pub(super) fn check(&self) {
        let size = self.plan.size;
        let head = self.word(Word::HEAD);
        let published = self.word(Word::PUBLISHED);
        assert!(self.published.get() <= published, "I1: published went back");
        assert!(published <= head, "I1: published beyond head");
        match self.plan.policy {
            Policy::Switch | Policy::Fill => {
                let consumer = self.word(Word::CONS_SEEN);
                assert!(consumer <= published, "I1: consumer beyond published");
                assert!(head - consumer <= size, "I1: unread bytes overwritten");
            }
            Policy::Ring => {
                let oldest = self.word(Word::OLDEST);
                assert!(oldest <= published, "I1: oldest beyond published");
                assert!(self.oldest.get() <= oldest, "I1: oldest shown too new");
                assert!(head - published <= size, "I1: unpublished overwritten");
                assert!(head - oldest <= size, "I1: oldest overwritten");
            }
        }
    }

    pub(super) fn check_at_rest(&self) {
        self.check();
        let published = self.published.get();
        assert_eq!(self.word(Word::NEST), 0);
        assert_eq!(published, self.word(Word::HEAD), "all is published");
        assert_eq!(published, self.word(Word::PUBLISHED));
        assert!(self.made.borrow().is_empty(), "I3: a record is missing");
        let lost = self.lost.get();
        assert_eq!(self.fired.get(), self.written.get() + lost, "I5");
        assert_eq!(self.told.get() + self.word(Word::PENDING), lost, "I5");
        assert_eq!(self.losses_done.get(), lost, "I5");
        assert_eq!(self.losses_begun.get(), lost, "I5");
        self.shares.check(self.word(Word::CONS_SEEN));
        // Who goes back behind what the ring took for read is woken for what came since.
        let taken = self.consumer.get().max(self.word(Word::CONS_SEEN));
        let unread = unread(published, taken);
        assert!(
            !self.asleep.get() || unread < self.layout().watermark(),
            "I6: a poller sleeps with {unread} bytes unread"
        );
        if self.plan.consumer == Consumer::Honest {
            assert!(!self.bad_consumer.get(), "an honest consumer found bad");
        }
        if self.plan.policy == Policy::Ring {
            let oldest = self.oldest.get();
            assert_eq!(oldest, self.word(Word::OLDEST), "oldest is shown");
            let kept = self.kept();
            let stream = self.stream.borrow();
            assert_eq!(kept, stream[stream.len() - kept.len()..]);
        }
    }

    /// Reads the records in `[from, to)`; each must be whole in itself (I3, I4, I7).
    pub(super) fn parse(&self, from: u64, to: u64) -> Vec<Seen> {
        let size = self.plan.size;
        let mut records = Vec::new();
        let mut position = from;
        while position < to {
            let offset = position % size;
            let word = |index: u64| self.data[(offset / 8 + index) as usize].get();
            let info = word(0) as u32;
            let (len, kind) = (info & 0xff_ffff, (info >> 24) & 0xf);
            assert_eq!(word(0) >> 32, (position >> 3) & 0xffff_ffff, "I4: position");
            assert!(len >= 8 && len % 8 == 0, "I3: length {len}");
            assert!(offset + u64::from(len) <= size, "I3: not contiguous");
            assert!(position + u64::from(len) <= to, "I3: cut off");
            match kind {
                RECORD_PAD => assert_eq!(offset + u64::from(len), size, "I7"),
                _ => records.push(Seen {
                    position,
                    len,
                    kind,
                    time: word(1),
                    value: match (kind, len) {
                        (RECORD_LOST, _) => word(2),
                        (RECORD_DISCARD, _) | (_, 16) => 0,
                        _ => (3..u64::from(len / 8)).fold(word(2), |mark, index| {
                            if mark == word(index) {
                                mark
                            } else {
                                0
                            }
                        }),
                    },
                }),
            }
            position += u64::from(len);
        }
        records
    }

    /// What the reader could see from now on: it must be what the writers wrote.
    pub(super) fn check_published(&self, from: u64, to: u64) {
        assert!(from <= to, "I1: published went back");
        let mut stream = self.stream.borrow_mut();
        let mut made = self.made.borrow_mut();
        for seen in self.parse(from, to) {
            let before = stream.last().map_or(0, |last| last.time);
            assert!(before <= seen.time, "I4: time went back");
            if seen.kind == RECORD_LOST {
                assert_eq!(seen.len, LOST_LEN);
                assert_ne!(seen.value, 0, "a LOST record of nothing");
                assert_ne!(stream.last().map(|last| last.kind), Some(RECORD_LOST));
                bump(&self.told, seen.value);
                assert!(self.told.get() <= self.losses_begun.get(), "I5");
            } else {
                let index = made
                    .iter()
                    .position(|made| made.position == seen.position)
                    .unwrap_or_else(|| panic!("I3: nobody wrote {seen:?}"));
                let made = made.swap_remove(index);
                let value = match (made.kind, made.len) {
                    (RECORD_DISCARD, _) | (_, 16) => 0,
                    _ => made.mark,
                };
                assert_eq!(
                    (seen.len, seen.kind, seen.time, seen.value),
                    (made.len, made.kind, made.time, value),
                    "I3: torn"
                );
                assert!(
                    self.told.get() >= made.losses_before || made.losses_held,
                    "a record before the losses that came before it"
                );
            }
            stream.push(seen);
        }
        if to > from {
            let last = stream.last().map(|last| last.kind);
            assert_ne!(
                last,
                Some(RECORD_LOST),
                "a LOST record with no record after it"
            );
        }
    }
}
