// SPDX-License-Identifier: GPL-2.0

//! What the words of a table of dynamic variables must say, read beside the table's own code.

use crate::interrupts::Interrupted;
use crate::program::dynamic::Shape;

const SLOTS: usize = 7;

/// Words of so many buckets whose slots hold `payload` words of keys and value.
pub(crate) fn words_of(buckets: usize, payload: u32) -> usize {
    buckets * (1 + SLOTS + SLOTS * (2 + payload as usize))
}

fn buckets(shape: Shape) -> usize {
    shape.slots() as usize / SLOTS
}

/// Whether the home of a thread's variable without keys is locked.
pub(crate) fn is_locked(memory: &Interrupted, shape: Shape, variable: u32, thread: u64) -> bool {
    memory.peek(shape.home_of(variable, thread, &[]) * (1 + SLOTS)) & 1 != 0
}

/// Nothing is locked or being written, and strays are counted right: all in all, there are as many
/// as live slots whose key has another home.
pub(crate) fn check_at_rest(memory: &Interrupted, shape: Shape) {
    let mut counted = 0;
    let mut strays = 0;
    for bucket in 0..buckets(shape) {
        let home = memory.peek(bucket * (1 + SLOTS));
        assert_eq!(home & 1, 0, "bucket {bucket} is locked");
        counted += (home >> 1) & ((1 << 24) - 1);
        for slot in 0..SLOTS {
            let state = memory.peek(bucket * (1 + SLOTS) + 1 + slot) & 3;
            assert!(state == 0 || state == 2, "a slot is being written");
            if state == 2 {
                let body =
                    buckets(shape) * (1 + SLOTS) + (bucket * SLOTS + slot) * shape.body_words();
                let head = memory.peek(body);
                let keys: Vec<u64> = (0..((head >> 16) & 0xffff) as usize)
                    .map(|index| memory.peek(body + 2 + index))
                    .collect();
                let home = shape.home_of((head >> 32) as u32, memory.peek(body + 1), &keys);
                strays += u64::from(home != bucket);
            }
        }
    }
    assert_eq!(counted, strays, "strays");
}
