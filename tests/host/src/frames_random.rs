// SPDX-License-Identifier: GPL-2.0

//! The pool of frames: by one hand against a set, and by many at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::frames::Frames;

struct Storage {
    heads: Vec<AtomicU64>,
    next: Vec<AtomicU32>,
}

impl Storage {
    /// Filled, over memory that held something else before.
    fn new(lists: usize, slots: usize) -> Self {
        let storage = Storage {
            heads: (0..lists).map(|_| AtomicU64::new(u64::MAX)).collect(),
            next: (0..slots).map(|_| AtomicU32::new(7)).collect(),
        };
        storage.frames().fill();
        storage
    }

    fn frames(&self) -> Frames<'_> {
        Frames::new(&self.heads, &self.next)
    }
}

#[test]
fn every_slot_is_handed_out_once_and_then_none() {
    for (lists, slots) in [(1, 1), (1, 100), (7, 100), (64, 100), (64, 3)] {
        let storage = Storage::new(lists, slots);
        let frames = storage.frames();
        assert_eq!(frames.free() as usize, slots);
        let taken: BTreeSet<u32> = std::iter::from_fn(|| frames.take(3)).collect();
        assert_eq!(taken, (0..slots as u32).collect());
        assert_eq!(frames.free(), 0);
        assert_eq!(frames.take(0), None);
        for slot in taken {
            frames.give(slot);
        }
        assert_eq!(frames.free() as usize, slots);
    }
}

#[test]
fn a_pool_without_slots_or_without_lists_gives_none() {
    for (lists, slots) in [(0, 0), (0, 5), (5, 0)] {
        let storage = Storage::new(lists, slots);
        storage.frames().give(0);
        assert_eq!(
            (storage.frames().take(0), storage.frames().free()),
            (None, 0)
        );
    }
}

#[test]
fn a_cpu_takes_from_its_own_list_first() {
    let storage = Storage::new(4, 16);
    let taken: Vec<u32> = (0..4).filter_map(|_| storage.frames().take(6)).collect();
    assert!(taken.iter().all(|slot| slot % 4 == 2), "{taken:?}");
}

#[test]
fn looking_for_a_slot_ends_after_64_lists() {
    let storage = Storage::new(200, 200);
    let frames = storage.frames();
    let near: Vec<u32> = std::iter::from_fn(|| frames.take(0)).collect();
    assert_eq!(near.len(), 64);
    assert_eq!(frames.take(64), Some(64));
}

#[test]
fn a_number_that_is_no_slot_is_not_taken_in() {
    let storage = Storage::new(2, 3);
    for slot in [3, 100, u32::MAX] {
        storage.frames().give(slot);
    }
    assert_eq!(storage.frames().free(), 3);
}

#[test]
fn threads_never_hold_the_same_slot_and_lose_none() {
    let slots = 13;
    let storage = Storage::new(4, slots);
    let held: Vec<AtomicBool> = (0..slots).map(|_| AtomicBool::new(false)).collect();
    thread::scope(|scope| {
        for cpu in 0..8 {
            let (frames, held) = (storage.frames(), &held);
            scope.spawn(move || {
                for _ in 0..100_000 {
                    let mine = [frames.take(cpu), frames.take(cpu + 1)];
                    for slot in mine.iter().flatten() {
                        let before = held[*slot as usize].swap(true, Ordering::Relaxed);
                        assert!(!before, "slot {slot} was handed out twice");
                    }
                    for slot in mine.into_iter().flatten() {
                        held[slot as usize].store(false, Ordering::Relaxed);
                        frames.give(slot);
                    }
                }
            });
        }
    });
    assert_eq!(storage.frames().free() as usize, slots);
}

proptest! {
    #[test]
    fn a_pool_behaves_like_a_set(
        lists in 1..9usize,
        slots in 1..40usize,
        ops in vec((any::<bool>(), 0..16u32), 0..400),
    ) {
        let storage = Storage::new(lists, slots);
        let frames = storage.frames();
        let mut taken = BTreeSet::new();
        for (take, number) in ops {
            if take {
                match frames.take(number) {
                    Some(slot) => prop_assert!(taken.insert(slot) && (slot as usize) < slots),
                    None => prop_assert_eq!(taken.len(), slots),
                }
            } else if let Some(&slot) = taken.iter().nth(number as usize) {
                taken.remove(&slot);
                frames.give(slot);
            }
            prop_assert_eq!(frames.free() as usize, slots - taken.len());
        }
    }
}
