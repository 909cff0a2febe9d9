// SPDX-License-Identifier: GPL-2.0

//! The ring against an observer on another CPU, which copies records that may be overwritten at
//! any time, in every order that the memory model allows (loom).
//!
//! The writer's CPU shows its stores in their order, as x86 does; here each is a release.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{fence, AtomicU64, Ordering};
use loom::sync::Arc;
use loom::thread;

use crate::ring::{Beside, Layout, Memory, Policy, Progress, Ring, Word, RECORD_LOST, RECORD_PAD};

/// A word that only the writer reaches.
struct Plain(UnsafeCell<u64>);

// SAFETY: Loom checks that no two threads reach the cell unordered.
unsafe impl Sync for Plain {}

struct Pages {
    head: AtomicU64,
    oldest: AtomicU64,
    published: AtomicU64,
    data: Vec<AtomicU64>,
    words: Vec<Plain>,
    consumer: Plain,
}

fn plain() -> Plain {
    Plain(UnsafeCell::new(0))
}

fn get(word: &Plain) -> u64 {
    // SAFETY: Loom has checked that nobody writes, and hands out a valid pointer.
    word.0.with(|word| unsafe { *word })
}

fn set(word: &Plain, value: u64) {
    // SAFETY: Loom has checked that nobody else is here, and hands out a valid pointer.
    word.0.with_mut(|word| unsafe { *word = value });
}

impl Pages {
    fn new(size: u64) -> Arc<Self> {
        Arc::new(Pages {
            head: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            published: AtomicU64::new(0),
            data: (0..size / 8).map(|_| AtomicU64::new(0)).collect(),
            words: (0..Word::COUNT).map(|_| plain()).collect(),
            consumer: plain(),
        })
    }

    fn seen_by_others(&self, word: Word) -> Option<&AtomicU64> {
        match word {
            Word::HEAD => Some(&self.head),
            Word::OLDEST => Some(&self.oldest),
            _ => None,
        }
    }
}

/// The writer's side.
#[derive(Clone)]
struct Writer(Arc<Pages>);

impl Memory for Writer {
    type Place = u64;

    fn load(&self, word: Word) -> u64 {
        match self.0.seen_by_others(word) {
            Some(word) => word.load(Ordering::Relaxed),
            None => get(&self.0.words[word.index()]),
        }
    }

    fn store(&self, word: Word, value: u64) {
        match self.0.seen_by_others(word) {
            Some(word) => word.store(value, Ordering::Release),
            None => set(&self.0.words[word.index()], value),
        }
    }

    fn add(&self, word: Word, value: u64) {
        self.store(word, self.load(word).wrapping_add(value));
    }

    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool {
        let same = self.load(word) == old;
        if same {
            self.store(word, new);
        }
        same
    }

    fn place(&self, offset: u64) -> u64 {
        offset / 8
    }

    fn write(&self, place: u64, index: u32, value: u64) {
        self.0.data[(place + u64::from(index)) as usize].store(value, Ordering::Release);
    }

    fn load_consumer(&self) -> u64 {
        get(&self.0.consumer)
    }

    fn store_published(&self, position: u64) {
        self.0.published.store(position, Ordering::Release);
        // Its reader is as fast as can be: the ring is never full.
        set(&self.0.consumer, position);
    }

    fn store_oldest(&self, _: u64) {}

    fn add_lost(&self, _: u64) {}

    fn set_bad_consumer(&self) {
        panic!("an honest consumer found bad");
    }

    fn full_barrier(&self) {
        fence(Ordering::SeqCst);
    }
}

/// The observer's side, and what it has copied.
struct Observer<'a> {
    pages: &'a Pages,
    copied: Vec<u64>,
}

impl Beside for Observer<'_> {
    type Error = ();

    fn progress(&self) -> Progress {
        Progress {
            published: self.pages.published.load(Ordering::Acquire),
            oldest: self.pages.oldest.load(Ordering::Acquire),
            head: self.pages.head.load(Ordering::Acquire),
        }
    }

    fn copy(&mut self, offset: u64, len: u64) -> Result<(), ()> {
        let first = (offset / 8) as usize;
        for word in &self.pages.data[first..first + (len / 8) as usize] {
            self.copied.push(word.load(Ordering::Relaxed));
        }
        fence(Ordering::Acquire);
        Ok(())
    }

    fn forget(&mut self) {
        self.copied.clear();
    }
}

/// Checks that what was copied from a position are the records that were written there, the last
/// one cut off perhaps, and returns where the last whole one ends.
fn check(from: u64, copied: &[u64]) -> u64 {
    let mut at = 0;
    while let Some(first) = copied.get(at) {
        let position = from + 8 * at as u64;
        assert_eq!(first >> 32, position / 8, "another record stands here");
        let words = (first & 0xff_ffff) as usize / 8;
        let kind = (*first as u32 >> 24) & 0xf;
        assert_ne!(kind, RECORD_LOST, "nothing was lost");
        let Some(record) = copied.get(at..at + words) else {
            break;
        };
        if kind != RECORD_PAD {
            assert!(record[2..].iter().all(|word| *word == record[1]), "torn");
        }
        at += words;
    }
    from + 8 * at as u64
}

/// An observer that looks `looks` times, with room for `room` bytes, while a writer writes
/// `records` records of `len` bytes.
fn observe(policy: Policy, (records, len): (u64, u32), (looks, room): (usize, u64)) {
    let size = 128;
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let pages = Pages::new(size);
        let layout = Layout::new(size, size / 2, policy).expect("a valid layout");
        let writer = {
            let ring = Ring::new(layout, Writer(pages.clone()));
            thread::spawn(move || {
                for time in 1..=records {
                    let record = ring.reserve(len, || time, || 0).expect("room");
                    for index in 2..len / 8 {
                        record.put(index, time);
                    }
                    let _ = record.commit(4, 0);
                }
            })
        };
        // Looks from a position, and returns the next.
        let look = |position| {
            let mut observer = Observer {
                pages: &pages,
                copied: Vec::new(),
            };
            let plan = layout.observe(&mut observer, position, room).expect("room");
            assert_eq!(plan.from, position + plan.skipped);
            assert!(plan.len <= room);
            check(plan.from, &observer.copied)
        };
        let mut position = 0;
        for _ in 0..looks {
            position = look(position);
        }
        writer.join().expect("the writer ends");
        // Nobody disturbs it any more: it comes to the end.
        let end = pages.published.load(Ordering::Relaxed);
        while position < end {
            position = look(position);
        }
        assert_eq!(position, end);
    });
}

#[test]
fn an_observer_copies_whole_records_while_a_ring_wraps() {
    observe(Policy::Switch, (7, 24), (1, 128));
}

#[test]
fn an_observer_that_was_overtaken_goes_on_where_records_begin() {
    observe(Policy::Switch, (5, 32), (2, 64));
}

#[test]
fn an_observer_of_an_overwriting_ring_copies_whole_records() {
    observe(Policy::Ring, (7, 24), (1, 128));
}

#[test]
fn an_observer_of_an_overwriting_ring_that_was_overtaken_goes_on() {
    observe(Policy::Ring, (5, 32), (2, 64));
}
