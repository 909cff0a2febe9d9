// SPDX-License-Identifier: GPL-2.0

//! Dynamic variables whose hashes meet: keys that are made to, since no random ones do.

use std::collections::HashMap;
use std::rc::Rc;

use crate::choices::Choices;
use crate::dynamic_words::{check_at_rest, words_of};
use crate::interrupts::Interrupted;
use crate::program::dynamic::{Shape, Table};

const PAYLOAD: u32 = 2;

fn shape(buckets: usize) -> Shape {
    Shape::new(words_of(buckets, PAYLOAD), PAYLOAD, 11).expect("buckets")
}

/// Pairs of numbers whose keys, made by `key`, have the same tag in the table.
fn pairs(shape: Shape, key: impl Fn(u64) -> (u64, [u64; 1])) -> impl Iterator<Item = (u64, u64)> {
    let mut seen = HashMap::new();
    (1..2_000_000u64).filter_map(move |number| {
        let (thread, keys) = key(number);
        let other = seen.insert(shape.tag_of(0, thread, &keys), number)?;
        Some((other, number))
    })
}

#[test]
fn keys_with_the_same_hash_are_different_keys() {
    let shape = shape(1);
    let by_key: fn(u64) -> (u64, [u64; 1]) = |number| (7, [number]);
    for key in [by_key, |number| (number, [7])] {
        let (one, other) = pairs(shape, key).next().expect("some meet");
        let memory = Interrupted::new(words_of(1, PAYLOAD), Choices::default(), 1);
        let table = Table::new(memory, shape);
        let ((thread, keys), (other_thread, other_keys)) = (key(one), key(other));
        assert_eq!(table.store(0, thread, &keys, 1), Ok(()));
        assert_eq!(table.load(0, other_thread, &other_keys), None);
        assert_eq!(table.store(0, other_thread, &other_keys, 2), Ok(()));
        assert_eq!(table.load(0, thread, &keys), Some(1));
        assert_eq!(table.load(0, other_thread, &other_keys), Some(2));
        assert_eq!(table.remove(0, thread, &keys), Ok(()));
        assert_eq!(table.load(0, other_thread, &other_keys), Some(2));
    }
}

#[test]
fn a_writer_does_not_take_two_keys_one_after_the_other_for_its_own() {
    // Thread and key of what is stored are those of two others, which have the same slot one after
    // the other while it is looked at. Their home is another one, so they need not wait.
    const THREAD: u64 = 7;
    let shape = shape(2);
    let at_home = |bucket: usize, thread, key| shape.home_of(0, thread, &[key]) == bucket;
    let (own, before) = pairs(shape, |key| (THREAD, [key]))
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .find(|(own, before)| at_home(0, THREAD, *own) && at_home(1, THREAD, *before))
        .expect("some meet");
    let thread_after = (THREAD + 1..)
        .find(|thread| at_home(1, *thread, own))
        .expect("half of all");
    let others: Vec<u64> = (1..)
        .filter(|thread| at_home(0, *thread, 0))
        .take(3)
        .collect();
    let runs = Choices::exhaust(|choices| {
        let memory = Interrupted::new(words_of(2, PAYLOAD), choices, 2);
        let table = Rc::new(Table::new(memory.clone(), shape));
        // The third of them goes elsewhere, so who looks for a key must look there, too.
        for thread in &others {
            assert_eq!(table.store(0, *thread, &[0], 1), Ok(()));
        }
        assert_eq!(table.store(0, THREAD, &[before], 2), Ok(()));
        let nested = table.clone();
        let interrupt = move |kind: usize| {
            let result = match kind {
                0 => nested.remove(0, THREAD, &[before]),
                _ => nested.store(0, thread_after, &[own], 3),
            };
            assert_eq!(result, Ok(()));
        };
        let stored = memory.run(2, 2, interrupt, || table.store(0, THREAD, &[own], 4));
        assert_eq!(stored, Ok(()));
        assert_eq!(table.load(0, THREAD, &[own]), Some(4));
        let after = table.load(0, thread_after, &[own]);
        assert!(matches!(after, None | Some(3)), "{after:?}");
        let before = table.load(0, THREAD, &[before]);
        assert!(matches!(before, None | Some(2)), "{before:?}");
        check_at_rest(&memory, shape);
        drop(table);
        memory.into_choices()
    });
    assert!(runs > 300, "only {runs} runs");
}
