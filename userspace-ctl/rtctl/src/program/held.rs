// SPDX-License-Identifier: GPL-2.0-only
//! Records of speculations, until it is known what becomes of them.
//!
//! A speculation's mark is `generation << 16 | number` (docs/bytecode.md). What became of it may never be told: a
//! record that would say so can find no room. But a number that is taken again says that all before is over.

use std::collections::HashMap;

use rust_tracer::Record;

/// Bits of a mark that are the speculation's number.
const NUMBER: u64 = 0xffff;

/// Bytes that may be held back.
const MOST: usize = 1 << 28;

/// Records that are held back.
#[derive(Debug, Default)]
pub struct Held {
    /// By number: the mark, and its records.
    by_number: HashMap<u64, (u64, Vec<Record>)>,
    bytes: usize,
}

impl Held {
    /// Holds one back. If there is no room any more, all others are given up first, and it is said so (`false`).
    pub fn keep(&mut self, mark: u64, record: Record) -> bool {
        let room = self.bytes < MOST;
        if !room {
            *self = Self::default();
        }
        let (current, records) = self.by_number.entry(mark & NUMBER).or_default();
        if *current < mark {
            self.bytes -= bytes(records);
            records.clear();
            *current = mark;
        }
        // One of before has been overtaken by what ended it.
        if *current == mark {
            self.bytes += record.bytes();
            records.push(record);
        }
        room
    }

    /// What was held back under a mark, in order.
    pub fn release(&mut self, mark: u64) -> Vec<Record> {
        match self.by_number.get_mut(&(mark & NUMBER)) {
            Some((current, records)) if *current == mark => {
                self.bytes -= bytes(records);
                std::mem::take(records)
            }
            _ => Vec::new(),
        }
    }
}

fn bytes(records: &[Record]) -> usize {
    records.iter().map(Record::bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_tracer::{Context, Event};

    fn record(time: u64) -> Record {
        Record {
            time,
            cpu: 0,
            context: Context::Task,
            event: Event::Lost { count: 1 },
        }
    }

    fn times(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| record.time).collect()
    }

    #[test]
    fn records_come_back_by_their_mark_once() {
        let mut held = Held::default();
        let (one, other) = ((1 << 16) | 1, (1 << 16) | 2);
        for (time, mark) in [(1, one), (2, other), (3, one)] {
            assert!(held.keep(mark, record(time)));
        }
        assert_eq!(times(&held.release(one)), [1, 3]);
        assert!(held.release(one).is_empty());
        assert_eq!(times(&held.release(other)), [2]);
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn a_number_that_is_taken_again_ends_what_was_before() {
        let mut held = Held::default();
        let (old, new) = ((1 << 16) | 1, (2 << 16) | 1);
        held.keep(old, record(1));
        held.keep(new, record(2));
        held.keep(old, record(3));
        assert!(held.release(old).is_empty());
        assert_eq!(times(&held.release(new)), [2]);
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn what_has_no_room_any_more_is_given_up() {
        let mut held = Held::default();
        held.keep((1 << 16) | 1, record(1));
        held.bytes = MOST;
        assert!(!held.keep((1 << 16) | 2, record(2)));
        assert!(held.release((1 << 16) | 1).is_empty());
        assert_eq!(times(&held.release((1 << 16) | 2)), [2]);
    }
}
