// SPDX-License-Identifier: GPL-2.0

//! The ring against another CPU, in every order that the memory model allows (loom): a reader, a
//! poller, and a stop.
//!
//! All that is not atomic in the kernel is a loom cell here, which fails if two threads reach it
//! without an order between them.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{fence, AtomicBool, AtomicU64, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::ring::{unread, Layout, Memory, Policy, Ring, Word, RECORD_LOST, RECORD_PAD};

/// A plain word of memory.
struct Plain(UnsafeCell<u64>);

// SAFETY: Loom checks that no two threads reach the cell unordered.
unsafe impl Sync for Plain {}

impl Plain {
    fn new() -> Self {
        Plain(UnsafeCell::new(0))
    }

    fn get(&self) -> u64 {
        // SAFETY: Loom has checked that nobody writes, and hands out a valid pointer.
        self.0.with(|word| unsafe { *word })
    }

    fn set(&self, value: u64) {
        // SAFETY: Loom has checked that nobody else is here, and hands out a valid pointer.
        self.0.with_mut(|word| unsafe { *word = value });
    }
}

struct Pages {
    words: Vec<Plain>,
    data: Vec<Plain>,
    consumer: AtomicU64,
    published: AtomicU64,
    lost: Plain,
    bad_consumer: AtomicBool,
}

impl Pages {
    fn new(size: u64) -> Arc<Self> {
        Arc::new(Pages {
            words: (0..Word::COUNT).map(|_| Plain::new()).collect(),
            data: (0..size / 8).map(|_| Plain::new()).collect(),
            consumer: AtomicU64::new(0),
            published: AtomicU64::new(0),
            lost: Plain::new(),
            bad_consumer: AtomicBool::new(false),
        })
    }

    /// Reads all records from `from` on as the ABI tells a reader to, and returns where they end,
    /// how many records there are, and how many losses they tell.
    fn read(&self, from: u64) -> (u64, u64, u64) {
        let to = self.published.load(Ordering::Acquire);
        let (mut records, mut losses) = (0, 0);
        let mut at = from;
        while at < to {
            let word = |index: u64| {
                let place = (at / 8 + index) % self.data.len() as u64;
                self.data[place as usize].get()
            };
            assert_eq!(word(0) >> 32, at / 8, "torn");
            let (len, kind) = (word(0) & 0xff_ffff, (word(0) as u32 >> 24) & 0xf);
            match kind {
                RECORD_PAD => {}
                RECORD_LOST => losses += word(2),
                _ => {
                    records += 1;
                    for index in 2..len / 8 {
                        assert_eq!(word(index), word(1), "torn");
                    }
                }
            }
            at += len;
        }
        assert_eq!(at, to, "a record beyond published");
        (to, records, losses)
    }
}

#[derive(Clone)]
struct Shared(Arc<Pages>);

impl Memory for Shared {
    type Place = u64;

    fn load(&self, word: Word) -> u64 {
        self.0.words[word.index()].get()
    }

    fn store(&self, word: Word, value: u64) {
        self.0.words[word.index()].set(value);
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
        self.0.data[(place + u64::from(index)) as usize].set(value);
    }

    fn load_consumer(&self) -> u64 {
        self.0.consumer.load(Ordering::Acquire)
    }

    fn store_published(&self, position: u64) {
        self.0.published.store(position, Ordering::Release);
    }

    fn store_oldest(&self, _: u64) {}

    fn add_lost(&self, count: u64) {
        self.0.lost.set(self.0.lost.get() + count);
    }

    fn set_bad_consumer(&self) {
        self.0.bad_consumer.store(true, Ordering::Relaxed);
    }

    fn full_barrier(&self) {
        fence(Ordering::SeqCst);
    }
}

fn ring(pages: &Arc<Pages>, watermark: u64) -> Ring<Shared> {
    let size = 8 * pages.data.len() as u64;
    let layout = Layout::new(size, watermark, Policy::Switch).expect("a valid layout");
    Ring::new(layout, Shared(pages.clone()))
}

/// Writes a record all of whose words are its time. Returns whether pollers must be woken.
fn write(ring: &Ring<Shared>, len: u32, time: u64) -> bool {
    match ring.reserve(len, || time, || 0) {
        Ok(record) => {
            for index in 2..len / 8 {
                record.put(index, record.time());
            }
            record.commit(4, 0)
        }
        Err(dropped) => dropped.wake,
    }
}

fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

#[test]
fn a_reader_finds_whole_records_and_each_loss_while_the_ring_wraps() {
    const RECORDS: u64 = 6;
    model(3, || {
        let pages = Pages::new(128);
        let writer = {
            let ring = ring(&pages, 64);
            thread::spawn(move || {
                for time in 1..=RECORDS {
                    write(&ring, 40, time);
                }
                ring.memory().load(Word::PENDING)
            })
        };
        let (mut at, mut records, mut losses) = (0, 0, 0);
        let mut read = |pages: &Pages| {
            let (to, more, lost) = pages.read(at);
            (at, records, losses) = (to, records + more, losses + lost);
            pages.consumer.store(at, Ordering::Release);
        };
        for _ in 0..3 {
            read(&pages);
        }
        let pending = writer.join().expect("the writer ends");
        read(&pages);
        assert_eq!(pages.lost.get(), losses + pending);
        assert_eq!(RECORDS, records + losses + pending);
        assert!(!pages.bad_consumer.load(Ordering::Relaxed));
    });
}

/// A poller that reads, leaving `behind` bytes, and polls again until it sleeps; beside it a writer
/// that wakes it by a check of the wait queue without its lock.
fn poller_against_writer(records: u64, watermark: u64, rounds: usize, behind: u64) {
    model(3, move || {
        let pages = Pages::new(256);
        // Whether somebody waits, and whether that one was woken.
        let queue = Arc::new(AtomicBool::new(false));
        let woken = Arc::new(Mutex::new(false));
        let ring = ring(&pages, watermark);
        let layout = *ring.layout();
        let writer = {
            let (queue, woken) = (queue.clone(), woken.clone());
            thread::spawn(move || {
                for time in 1..=records {
                    if write(&ring, 16, time) && queue.load(Ordering::Relaxed) {
                        *woken.lock().expect("no panic") = true;
                    }
                }
            })
        };
        let mut at = 0;
        let mut asleep = false;
        for _ in 0..rounds {
            let shown = pages.published.load(Ordering::Acquire);
            at = shown.saturating_sub(behind).max(at);
            pages.consumer.store(at, Ordering::Release);
            // poll(): enter the wait queue, look, and leave it if there is something.
            *woken.lock().expect("no panic") = false;
            queue.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            asleep = !layout.readable(pages.published.load(Ordering::Acquire), at);
            if asleep {
                break;
            }
            queue.store(false, Ordering::Relaxed);
        }
        writer.join().expect("the writer ends");
        let unread = unread(pages.published.load(Ordering::Relaxed), at);
        let woken = *woken.lock().expect("no panic");
        assert!(
            !asleep || woken || unread < layout.watermark(),
            "{unread} bytes unread, and the poller sleeps"
        );
    });
}

#[test]
fn a_poller_that_read_everything_is_woken_at_the_watermark() {
    poller_against_writer(5, 32, 3, 0);
}

#[test]
fn a_poller_that_left_something_unread_is_woken_at_the_watermark() {
    poller_against_writer(5, 32, 3, 16);
}

#[test]
fn a_poller_with_a_large_watermark_is_woken() {
    poller_against_writer(9, 128, 2, 32);
}

#[test]
fn a_poller_that_wants_every_record_is_woken_for_each() {
    poller_against_writer(3, 1, 4, 0);
}

#[test]
fn nobody_touches_a_ring_after_its_stop() {
    // What the session does around a ring: a firing looks at the state with preemption off, a stop
    // changes the state and waits until no CPU is inside (synchronize_rcu).
    model(4, || {
        let pages = Pages::new(128);
        let running = Arc::new(AtomicBool::new(true));
        let inside = Arc::new(AtomicBool::new(false));
        let writer = {
            let ring = ring(&pages, 64);
            let (running, inside) = (running.clone(), inside.clone());
            thread::spawn(move || {
                for time in 1..=2 {
                    inside.store(true, Ordering::Relaxed);
                    fence(Ordering::SeqCst);
                    if running.load(Ordering::Relaxed) {
                        write(&ring, 24, time);
                    }
                    inside.store(false, Ordering::Release);
                }
            })
        };
        running.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        while inside.load(Ordering::Acquire) {
            thread::yield_now();
        }
        // All of it is ours now: loom fails if the writer comes back.
        let (to, records, _) = pages.read(0);
        assert_eq!(to, records * 24);
        for word in pages.words.iter().chain(&pages.data) {
            word.set(0);
        }
        writer.join().expect("the writer ends");
    });
}
