// SPDX-License-Identifier: GPL-2.0

//! The pool of frames between CPUs, in every order that the memory model allows (loom).

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicU64};
use loom::sync::Arc;
use loom::thread;

use crate::frames::Frames;

struct Pool {
    heads: Vec<AtomicU64>,
    next: Vec<AtomicU32>,
    /// What the holder of a slot keeps there.
    slots: Vec<UnsafeCell<u32>>,
}

// SAFETY: Loom checks that no two threads reach a slot unordered.
unsafe impl Sync for Pool {}

impl Pool {
    fn new(lists: usize, slots: usize) -> Arc<Self> {
        let pool = Pool {
            heads: (0..lists).map(|_| AtomicU64::new(0)).collect(),
            next: (0..slots).map(|_| AtomicU32::new(0)).collect(),
            slots: (0..slots).map(|_| UnsafeCell::new(0)).collect(),
        };
        pool.frames().fill();
        Arc::new(pool)
    }

    fn frames(&self) -> Frames<'_> {
        Frames::new(&self.heads, &self.next)
    }

    /// Takes a slot and uses it: loom fails if another holds it as well.
    fn take(&self, cpu: u32) -> Option<u32> {
        let slot = self.frames().take(cpu)?;
        // SAFETY: Loom has checked that nobody else is here, and hands out a valid pointer.
        self.slots[slot as usize].with_mut(|slot| unsafe { *slot += 1 });
        Some(slot)
    }

    fn give(&self, slot: Option<u32>) {
        if let Some(slot) = slot {
            self.frames().give(slot);
        }
    }
}

fn model(lists: usize, slots: usize, work: fn(&Pool, u32)) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(move || {
        let pool = Pool::new(lists, slots);
        let other = {
            let pool = pool.clone();
            thread::spawn(move || work(&pool, 0))
        };
        work(&pool, 1);
        other.join().expect("the other ends");
        assert_eq!(pool.frames().free() as usize, slots, "slots are lost");
    });
}

#[test]
fn two_cpus_on_one_list_never_hold_the_same_slot() {
    model(1, 2, |pool, cpu| {
        for _ in 0..2 {
            let slot = pool.take(cpu);
            pool.give(slot);
        }
    });
}

#[test]
fn slots_that_come_back_in_another_order_are_not_mixed_up() {
    // The ABA pattern: a head seen before comes back with another slot behind it.
    model(1, 3, |pool, cpu| {
        let (first, second) = (pool.take(cpu), pool.take(cpu));
        pool.give(first);
        pool.give(second);
    });
}

#[test]
fn cpus_that_take_from_each_other_lose_no_slot() {
    model(2, 2, |pool, cpu| {
        let (first, second) = (pool.take(cpu), pool.take(cpu));
        pool.give(second);
        pool.give(first);
    });
}
