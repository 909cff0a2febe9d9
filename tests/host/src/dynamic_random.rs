// SPDX-License-Identifier: GPL-2.0

//! Dynamic variables: long random sequences against a map, and threads that use them at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::choices::Choices;
use crate::dynamic_words::{check_at_rest, words_of};
use crate::interrupts::Interrupted;
use crate::program::dynamic::{NoRoom, Shape, Table};

/// Words of keys and value.
const PAYLOAD: u32 = 6;

#[derive(Clone, Debug)]
enum Act {
    Store(u64),
    Bytes(Vec<u8>),
    Remove,
    Load,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<u64>().prop_map(Act::Store),
        vec(any::<u8>(), 0..30).prop_map(Act::Bytes),
        Just(Act::Remove),
        Just(Act::Load),
    ]
}

type Key = (u32, u64, Vec<u64>);

fn any_key() -> impl Strategy<Value = Key> {
    (0..2u32, 0..3u64, vec(0..2u64, 0..3))
}

/// A value as bytes; what is beyond it reads as 0.
fn padded(value: Option<&Vec<u8>>) -> [u8; 40] {
    let mut bytes = [0; 40];
    if let Some(value) = value {
        bytes[..value.len()].copy_from_slice(value);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_a_map(
        buckets in 1..6usize,
        acts in vec((any_key(), any_act()), 0..400),
    ) {
        let words = words_of(buckets, PAYLOAD);
        let memory = Interrupted::new(words, Choices::default(), 1);
        let shape = Shape::new(words, PAYLOAD, 77).expect("a bucket");
        let table = Table::new(memory.clone(), shape);
        let mut right: HashMap<Key, Vec<u8>> = HashMap::new();
        for (key, act) in acts {
            let (variable, thread, keys) = (key.0, key.1, &key.2[..]);
            let value = match act {
                Act::Store(number) => Some((
                    number.to_ne_bytes().to_vec(),
                    table.store(variable, thread, keys, number),
                )),
                Act::Bytes(bytes) => {
                    let stored = table.store_bytes(variable, thread, keys, &bytes);
                    Some((bytes, stored))
                }
                Act::Remove => {
                    prop_assert_eq!(table.remove(variable, thread, keys), Ok(()));
                    right.remove(&key);
                    None
                }
                Act::Load => {
                    let mut bytes = [0xaa; 40];
                    let there = table.load_bytes(variable, thread, keys, &mut bytes);
                    prop_assert_eq!(there, right.contains_key(&key));
                    prop_assert_eq!(bytes, padded(right.get(&key)));
                    None
                }
            };
            match value {
                Some((value, Ok(()))) => {
                    right.insert(key, value);
                }
                // With fewer than a bucket's slots, one of the two has room.
                Some((_, Err(NoRoom))) => prop_assert!(right.len() >= 7),
                None => {}
            }
            prop_assert_eq!(table.live(), right.len() as u64);
        }
        check_at_rest(&memory, shape);
        for (key, value) in &right {
            let number = u64::from_ne_bytes(padded(Some(value))[..8].try_into().unwrap());
            prop_assert_eq!(table.load(key.0, key.1, &key.2), Some(number));
            prop_assert_eq!(table.remove(key.0, key.1, &key.2), Ok(()));
        }
        prop_assert_eq!(table.live(), 0);
        check_at_rest(&memory, shape);
        table.reset();
        prop_assert_eq!(table.load(0, 0, &[]), None);
    }
}

/// A table over atomic words.
struct Shared {
    words: Vec<AtomicU64>,
    shape: Shape,
}

impl Shared {
    fn new(buckets: usize, payload: u32) -> Self {
        let words = words_of(buckets, payload);
        Shared {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            shape: Shape::new(words, payload, 0x1234_5678).expect("buckets"),
        }
    }

    fn table(&self) -> Table<&[AtomicU64]> {
        Table::new(&self.words, self.shape)
    }
}

#[test]
fn most_slots_are_used_before_one_key_finds_no_room() {
    for buckets in [1, 10, 1000, 20_000] {
        let shared = Shared::new(buckets, 2);
        let table = shared.table();
        for round in 0..3u64 {
            let key = |number: u64| (round << 32) | number;
            let taken = (0..)
                .take_while(|number| table.store(0, key(*number), &[], *number).is_ok())
                .count() as u64;
            let slots = shared.shape.slots();
            println!("{taken} of {slots} slots");
            assert!(taken * 10 >= slots * 7, "{taken} of {slots}");
            assert_eq!(table.live(), taken);
            for number in 0..taken {
                assert_eq!(table.load(0, key(number), &[]), Some(number));
                assert_eq!(table.remove(0, key(number), &[]), Ok(()));
            }
            assert_eq!(table.live(), 0);
        }
    }
}

#[test]
fn sizes_that_hold_no_bucket_are_refused() {
    assert!(Shape::new(words_of(1, 2) - 1, 2, 0).is_none());
    assert!(Shape::new(words_of(1, 2), 2, 0).is_some());
    assert!(Shape::new(usize::MAX, 1 << 16, 0).is_none());
    let shared = Shared::new(1, 2);
    let table = shared.table();
    assert_eq!(table.store(0, 0, &[1], 1), Ok(()));
    assert_eq!(table.store(0, 0, &[1, 2], 1), Err(NoRoom));
    assert_eq!(table.store_bytes(0, 0, &[], &[1; 17]), Err(NoRoom));
    assert_eq!(table.live(), 1);
}

#[test]
fn threads_find_their_own_variables_as_they_left_them() {
    let shared = Shared::new(4, 2);
    let refused: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4u64)
            .map(|thread| {
                let table = shared.table();
                scope.spawn(move || {
                    let mut refused = 0;
                    // Four variables each: with 16 keys for 28 slots there is room.
                    let mut left = [None; 4];
                    for number in 0..100_000u64 {
                        let variable = (number % 4) as usize;
                        let is = &mut left[variable];
                        assert_eq!(table.load(variable as u32, thread, &[]), *is);
                        let (new, result) = if number % 3 == 0 {
                            (None, table.remove(variable as u32, thread, &[]))
                        } else {
                            let new = (thread << 32) | number;
                            (Some(new), table.store(variable as u32, thread, &[], new))
                        };
                        match result {
                            Ok(()) => *is = new,
                            // Another thread was interrupted with the bucket locked.
                            Err(NoRoom) => refused += 1,
                        }
                        assert_eq!(table.load(variable as u32, thread, &[]), *is);
                    }
                    for variable in 0..4 {
                        while table.remove(variable, thread, &[]).is_err() {
                            thread::yield_now();
                        }
                    }
                    refused
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the thread's values are right"))
            .sum()
    });
    println!("{refused} refused");
    assert_eq!(shared.table().live(), 0);
}

#[test]
fn texts_that_threads_write_at_once_are_whole() {
    let shared = Shared::new(2, 10);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (table, done) = (shared.table(), &done);
                scope.spawn(move || {
                    let mut read = 0u64;
                    while !done.load(Ordering::Relaxed) || read == 0 {
                        let mut text = [0; 64];
                        if table.load_bytes(1, 0, &[5], &mut text) {
                            read += 1;
                        }
                        assert!(text.iter().all(|byte| *byte == text[0]), "{text:?}");
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (1..=2u8)
            .map(|writer| {
                let table = shared.table();
                scope.spawn(move || {
                    for number in 0..100_000u64 {
                        let byte = 2 * (number % 100) as u8 + writer;
                        let _ = table.store_bytes(1, 0, &[5], &[byte; 64]);
                        // A neighbour, so that slots change their keys.
                        let _ = table.store_bytes(1, 0, &[6 + number % 3], &[0xff; 64]);
                        let _ = table.remove(1, 0, &[6 + number % 3]);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().expect("it ends");
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("all was whole");
        }
    });
}

#[test]
fn a_limit_to_how_many_there_are_is_exact() {
    for limit in [1, 3, 6, 7, 50, 4096u32] {
        let words = Shape::words(limit, 3).expect("not too many");
        let memory: Vec<AtomicU64> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let shape = Shape::limited(words, 3, limit, 77).expect("there is room");
        let table = Table::new(&memory[..], shape);
        let key = |number: u32| [u64::from(number)];
        for number in 0..limit {
            assert_eq!(
                table.store(0, 0, &key(number), 1),
                Ok(()),
                "{number} of {limit}"
            );
        }
        assert_eq!(table.store(0, 0, &key(limit), 1), Err(NoRoom));
        for number in 0..limit {
            assert_eq!(table.store_bytes(0, 0, &key(number), &[7; 12]), Ok(()));
        }
        assert_eq!(table.remove(0, 0, &key(limit)), Ok(()));
        assert_eq!(table.store(0, 0, &key(limit), 1), Err(NoRoom));
        assert_eq!(table.remove(0, 0, &key(0)), Ok(()));
        assert_eq!(table.store(0, 0, &key(limit), 1), Ok(()));
        assert_eq!(table.store(0, 0, &key(0), 1), Err(NoRoom));
        table.reset();
        assert_eq!(table.store(0, 0, &key(0), 1), Ok(()));
    }
}
