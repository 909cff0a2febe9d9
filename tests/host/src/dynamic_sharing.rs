// SPDX-License-Identifier: GPL-2.0

//! Dynamic variables between CPUs, in every order that the memory model allows (loom). Buckets have
//! two slots here, so few keys are enough for all that can happen.

use loom::sync::atomic::AtomicU64;
use loom::sync::Arc;
use loom::thread;

use crate::program::dynamic::{Shape, Table};

const PAYLOAD: u32 = 2;

struct Variables {
    words: Vec<AtomicU64>,
    shape: Shape,
}

impl Variables {
    fn new(buckets: usize) -> Self {
        let words = buckets * (1 + 2 + 2 * (2 + PAYLOAD as usize));
        Variables {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            shape: Shape::new(words, PAYLOAD, 3).expect("buckets"),
        }
    }

    fn table(&self) -> Table<&[AtomicU64]> {
        Table::new(&self.words, self.shape)
    }

    fn store(&self, thread: u64, value: u64) -> bool {
        self.table().store(0, thread, &[], value).is_ok()
    }

    fn store_text(&self, thread: u64, byte: u8) -> bool {
        let text = [byte; 16];
        self.table().store_bytes(0, thread, &[], &text).is_ok()
    }

    fn remove(&self, thread: u64) -> bool {
        self.table().remove(0, thread, &[]).is_ok()
    }

    fn load(&self, thread: u64) -> Option<u64> {
        self.table().load(0, thread, &[])
    }

    /// The byte that all of the text are.
    fn load_text(&self, thread: u64) -> Option<u8> {
        let mut text = [0xff; 16];
        let there = self.table().load_bytes(0, thread, &[], &mut text);
        assert!(text.iter().all(|byte| *byte == text[0]), "torn: {text:?}");
        there.then_some(text[0])
    }

    /// The first threads that are at home in a bucket.
    fn at_home(&self, bucket: usize) -> impl Iterator<Item = u64> + '_ {
        (1..).filter(move |thread| self.shape.home_of(0, *thread, &[]) == bucket)
    }
}

fn model(
    buckets: usize,
    before: impl Fn(&Variables) + Send + Sync + 'static,
    one: fn(&Variables),
    other: fn(&Variables),
    after: impl Fn(&Variables) + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let variables = Arc::new(Variables::new(buckets));
        before(&variables);
        let beside = {
            let variables = variables.clone();
            thread::spawn(move || other(&variables))
        };
        one(&variables);
        beside.join().expect("the other ends");
        after(&variables);
    });
}

#[test]
fn a_new_variable_of_two_cpus_is_there_once() {
    model(
        1,
        |_| {},
        |variables| {
            variables.store(1, 10);
        },
        |variables| {
            variables.store(1, 20);
        },
        |variables| {
            assert_eq!(variables.table().live(), 1);
            assert!(matches!(variables.load(1), Some(10 | 20)));
        },
    );
}

#[test]
fn a_number_that_changes_is_always_there() {
    model(
        1,
        |variables| assert!(variables.store(1, 10)),
        |variables| assert!(variables.store(1, 20)),
        |variables| {
            let first = variables.load(1);
            let second = variables.load(1);
            assert!(matches!(
                (first, second),
                (Some(10), Some(10 | 20)) | (Some(20), Some(20))
            ));
        },
        |variables| assert_eq!(variables.load(1), Some(20)),
    );
}

#[test]
fn a_text_that_changes_is_whole_and_always_there() {
    model(
        1,
        |variables| assert!(variables.store_text(1, 10)),
        |variables| assert!(variables.store_text(1, 20)),
        |variables| assert!(matches!(variables.load_text(1), Some(10 | 20))),
        |variables| assert_eq!(variables.load_text(1), Some(20)),
    );
}

#[test]
fn a_text_that_moves_between_buckets_is_always_there() {
    // Both of a bucket's slots are taken, so its next text goes to the other bucket; and back,
    // when one of them is free.
    fn threads(variables: &Variables) -> [u64; 3] {
        let mut threads = variables.at_home(0);
        [(); 3].map(|()| threads.next().expect("there are enough"))
    }
    model(
        2,
        |variables| {
            let [one, two, strays] = threads(variables);
            assert!(variables.store_text(one, 1));
            assert!(variables.store_text(two, 2));
            assert!(variables.store_text(strays, 10));
            assert!(variables.remove(one));
        },
        |variables| {
            let [_, _, strays] = threads(variables);
            assert!(variables.store_text(strays, 20));
        },
        |variables| {
            let [_, _, strays] = threads(variables);
            assert!(matches!(variables.load_text(strays), Some(10 | 20)));
        },
        |variables| {
            let [_, _, strays] = threads(variables);
            assert_eq!(variables.load_text(strays), Some(20));
            assert_eq!(variables.table().live(), 2);
        },
    );
}

#[test]
fn a_slot_that_changes_its_key_never_shows_the_others_value() {
    model(
        1,
        |variables| assert!(variables.store(1, 10) && variables.store(2, 20)),
        |variables| {
            // The one free slot is used for another key.
            assert!(variables.remove(1));
            assert!(variables.store(3, 30));
        },
        |variables| {
            assert!(matches!(variables.load(1), None | Some(10)));
            assert!(matches!(variables.load(3), None | Some(30)));
        },
        |variables| {
            assert_eq!(
                (variables.load(1), variables.load(2), variables.load(3)),
                (None, Some(20), Some(30))
            );
        },
    );
}

#[test]
fn a_number_never_goes_to_another_key() {
    model(
        1,
        |variables| assert!(variables.store(1, 10) && variables.store(2, 20)),
        |variables| {
            variables.store(1, 11);
        },
        |variables| {
            if variables.remove(1) && variables.store(3, 30) {
                assert_eq!(variables.load(3), Some(30));
            }
        },
        |variables| {
            assert_eq!(variables.load(2), Some(20));
            assert!(matches!(variables.load(3), None | Some(30)));
            assert!(matches!(variables.load(1), None | Some(10 | 11)));
        },
    );
}

#[test]
fn two_homes_that_want_the_last_slot_get_it_once() {
    fn threads(variables: &Variables) -> [u64; 4] {
        let mut first = variables.at_home(0);
        let mut second = variables.at_home(1);
        let mut next = |bucket: usize| match bucket {
            0 => first.next().expect("there are enough"),
            _ => second.next().expect("there are enough"),
        };
        [next(0), next(0), next(0), next(1)]
    }
    model(
        2,
        |variables| {
            // Three of four slots, none of which is the strays'.
            let [one, two, _, _] = threads(variables);
            assert!(variables.store(one, 1) && variables.store(two, 2));
            let third = variables.at_home(1).nth(1).expect("there are enough");
            assert!(variables.store(third, 3));
        },
        |variables| {
            let [_, _, own, _] = threads(variables);
            if variables.store(own, 10) {
                assert_eq!(variables.load(own), Some(10));
            }
        },
        |variables| {
            let [_, _, _, own] = threads(variables);
            if variables.store(own, 20) {
                assert_eq!(variables.load(own), Some(20));
            }
        },
        |variables| {
            let [one, two, first, second] = threads(variables);
            let loaded = [one, two].map(|thread| variables.load(thread));
            assert_eq!(loaded, [Some(1), Some(2)]);
            let ends = (variables.load(first), variables.load(second));
            assert!(matches!(ends, (Some(10), None) | (None, Some(20))));
            assert_eq!(variables.table().live(), 4);
        },
    );
}
