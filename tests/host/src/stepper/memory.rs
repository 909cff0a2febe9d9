// SPDX-License-Identifier: GPL-2.0

//! The ring's accesses: each may be interrupted, and is looked at.

use super::{bump, Consumer, Stepper};
use crate::ring::{Memory, Word};

impl Memory for Stepper {
    type Place = u64;

    fn load(&self, word: Word) -> u64 {
        self.step();
        if word == Word::PENDING {
            let pending = self.word(word);
            self.with_writer(|writer| writer.saw_pending = Some(pending));
        }
        self.word(word)
    }

    fn store(&self, word: Word, value: u64) {
        self.step();
        if word == Word::PUBLISHED {
            // From here on these may be overwritten under Policy::Ring, so look now.
            self.check_published(self.word(Word::PUBLISHED), value);
        }
        if word == Word::LIMIT && !self.inside.borrow().is_empty() {
            // It begins, or begins again.
            self.with_writer(|writer| {
                writer.holds_losses = false;
                writer.decided = false;
                writer.counts_loss = false;
            });
        }
        self.words[word.index()].set(value);
    }

    fn add(&self, word: Word, value: u64) {
        self.step();
        let cell = &self.words[word.index()];
        cell.set(cell.get().wrapping_add(value));
        if word == Word::PENDING {
            self.with_writer(|writer| writer.counts_loss = true);
        }
    }

    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool {
        self.step();
        let cell = &self.words[word.index()];
        let same = cell.get() == old;
        if same {
            cell.set(new);
            match word {
                Word::PENDING => self.with_writer(|writer| {
                    writer.holds_losses = true;
                    writer.decided = true;
                }),
                Word::HEAD => {
                    let reserved = self.shares.is_reserved(new, self.word(Word::CONS_SEEN));
                    self.with_writer(|writer| {
                        writer.wants = None;
                        writer.reserved = reserved;
                        writer.told = std::mem::take(&mut writer.holds_losses);
                    });
                }
                account if account.index() >= Word::account(0).index() => {
                    let source = self.with_writer(|writer| writer.source);
                    let consumer = self.word(Word::CONS_SEEN);
                    let by = self.shares.account_changed(old, new, source, consumer);
                    self.with_writer(|writer| {
                        writer.share += by;
                        writer.decided = true;
                    });
                }
                _ => {}
            }
        }
        same
    }

    fn place(&self, offset: u64) -> u64 {
        assert!(offset % 8 == 0 && offset < self.plan.size);
        offset
    }

    fn write(&self, place: u64, index: u32, value: u64) {
        self.step();
        let size = self.plan.size;
        let offset = place + 8 * u64::from(index);
        assert!(offset < size, "I8: a write beyond the data area");
        // The one position at this place that may be written: not published, but reserved.
        let published = self.word(Word::PUBLISHED);
        let position = published + offset.wrapping_sub(published) % size;
        assert!(position < self.word(Word::HEAD), "I2: a write outside");
        self.data[(offset / 8) as usize].set(value);
    }

    fn load_consumer(&self) -> u64 {
        self.step();
        let seen = self.word(Word::CONS_SEEN);
        let published = self.word(Word::PUBLISHED);
        match self.plan.consumer {
            _ if self.quiet.get() => {}
            Consumer::Fixed => {}
            Consumer::Honest => {
                // It stays, or has read everything, or all but the last record.
                let shown = self.published.get();
                let stream = self.stream.borrow();
                let last = stream.last().map_or(0, |last| last.position);
                let at = self.consumer.get();
                let to = [at, shown, last.max(at).min(shown)];
                self.consumer.set(to[self.pick(to.len())]);
            }
            Consumer::Hostile => {
                let head = self.word(Word::HEAD);
                let values = [
                    published,
                    seen,
                    head + 8,
                    u64::MAX - 7,
                    seen.wrapping_sub(8),
                    published.wrapping_sub(4),
                    seen + 8,
                    head.wrapping_sub(self.plan.size),
                ];
                self.consumer.set(values[self.pick(values.len())]);
            }
        }
        self.consumer.get()
    }

    fn store_published(&self, position: u64) {
        self.step();
        assert!(self.published.get() <= position, "I1: published went back");
        assert_eq!(
            self.word(Word::PUBLISHED),
            position,
            "I1: shown before known"
        );
        self.published.set(position);
    }

    fn store_oldest(&self, position: u64) {
        self.step();
        self.oldest.set(position);
    }

    fn add_lost(&self, count: u64) {
        // What has come here wants nothing any more.
        self.with_writer(|writer| writer.wants = None);
        self.step();
        bump(&self.lost, count);
    }

    fn set_bad_consumer(&self) {
        self.step();
        self.bad_consumer.set(true);
    }

    fn full_barrier(&self) {
        self.step();
    }
}
