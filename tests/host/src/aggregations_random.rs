// SPDX-License-Identifier: GPL-2.0

//! Aggregations on one CPU: long random sequences with random interrupts, against a model.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::aggregated::{entries, placed, Aggregated, FUNCTIONS};
use crate::choices::Choices;
use crate::interrupts::Interrupted;
use crate::program::aggregations::{Function, Placed, Shape, Table};
use crate::program::words::Local;
use crate::program::Full;

/// An update: aggregation, keys, value, weight.
type Update = (u32, Vec<u64>, i64, u64);

fn any_update() -> impl Strategy<Value = Update> {
    let value = prop_oneof![
        any::<i64>(),
        -30..40i64,
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0)
    ];
    // Few keys, some of which begin as others do.
    (0..18u32, vec(0..3u64, 0..4), value, 0..3u64)
}

/// All functions with keys, then all without.
fn all() -> Vec<Placed> {
    [true, false]
        .into_iter()
        .flat_map(|keyed| (0..9).map(move |function| placed(function, keyed)))
        .collect()
}

fn functions() -> Vec<usize> {
    (0..9).chain(0..9).collect()
}

fn is_keyed(aggregation: u32) -> bool {
    aggregation < 9
}

/// What no aggregation holds.
const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec2;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_holds_what_was_put_in(
        words in 600..6000usize,
        rounds in vec(vec(any_update(), 0..60), 1..4),
        interrupts in vec(any_update(), 1..20),
        choices in vec(any::<u8>(), 1..2000),
    ) {
        let memory = Interrupted::new(words, Choices::random(choices), 4);
        let mut aggregations = all();
        let shape = Shape::new(&mut aggregations, words, 42).expect("room for those without keys");
        let aggregations = Rc::new(aggregations);
        let right = Rc::new(RefCell::new(Aggregated::default()));
        let update = {
            let (memory, right, aggregations) = (memory.clone(), right.clone(), aggregations.clone());
            move |(aggregation, keys, value, weight): Update| {
                let keys = if is_keyed(aggregation) { &keys[..] } else { &[] };
                let table = Table::new(memory.clone(), &aggregations, shape);
                match table.update(aggregation, keys, value as u64, weight) {
                    Ok(()) => right.borrow_mut().add(aggregation, keys, value, weight),
                    Err(Full) => assert!(is_keyed(aggregation), "always room without keys"),
                }
            }
        };
        let table = Table::new(memory.clone(), &aggregations, shape);
        for round in rounds {
            table.reset();
            for outer in round {
                let (nested, interrupts) = (update.clone(), interrupts.clone());
                let kinds = interrupts.len();
                memory.run(3, kinds, move |kind| nested(interrupts[kind].clone()), || update(outer));
            }
            right.take().check(&table, &functions());
        }
    }

    #[test]
    fn any_cursor_is_harmless(
        updates in vec(any_update(), 0..60),
        cursors in vec(prop_oneof![4 => 0..2600u64, 1 => any::<u64>()], 1..400),
    ) {
        let (memory, aggregations, shape) = filled(2500, updates);
        // Behind what is used lies what nobody may see.
        let used = memory.peek(0) as usize;
        for index in used..2500 {
            Local::store(&memory, index, SECRET);
        }
        let table = Table::new(memory, &aggregations, shape);
        for cursor in cursors {
            if let Some(entry) = table.entry(cursor) {
                // The memory fails if a word is not there.
                for index in 0..entry.keys + entry.words {
                    let word = table.word(&entry, index);
                    prop_assert!(word.is_some() && word != Some(SECRET), "{entry:?}");
                }
            }
        }
    }
}

fn filled(words: usize, updates: Vec<Update>) -> (Interrupted, Vec<Placed>, Shape) {
    let memory = Interrupted::new(words, Choices::default(), 1);
    let mut aggregations = all();
    let shape = Shape::new(&mut aggregations, words, 3).expect("room");
    let table = Table::new(memory.clone(), &aggregations, shape);
    table.reset();
    for (aggregation, keys, value, weight) in updates {
        let keys = if is_keyed(aggregation) {
            &keys[..]
        } else {
            &[]
        };
        let _ = table.update(aggregation, keys, value as u64, weight);
    }
    (memory, aggregations, shape)
}

#[test]
fn an_aggregation_that_nothing_touched_is_left_out() {
    let (memory, aggregations, shape) = filled(2500, vec![]);
    let table = Table::new(memory.clone(), &aggregations, shape);
    assert_eq!(entries(&table), []);
    // Nor is one left out whose value does not differ from none.
    for (function, value) in [(1, 0), (2, i64::MAX), (3, i64::MIN), (6, 5)] {
        table.reset();
        assert_eq!(table.update(9 + function, &[], value as u64, 0), Ok(()));
        assert_eq!(entries(&table).len(), 1);
    }
}

#[test]
fn a_table_takes_nearly_as_many_keys_as_fit() {
    for (function, words, keys) in [(0, 1 << 16, 1u64), (0, 1 << 16, 33), (6, 1 << 16, 1)] {
        let memory = Interrupted::new(words, Choices::default(), 1);
        let mut aggregations = [placed(function, true)];
        let shape = Shape::new(&mut aggregations, words, 99).expect("room");
        let table = Table::new(memory, &aggregations, shape);
        table.reset();
        let key = |number: u64| vec![number; keys as usize];
        let taken = (0..)
            .take_while(|number| table.update(0, &key(*number), 1, 1).is_ok())
            .count();
        let entry = 1 + keys + u64::from(aggregations[0].words());
        let fit = words as u64 / entry;
        println!("{taken} of {fit} entries of {entry} words");
        // The index takes half as much as the smallest entry, and a bit.
        assert!(taken as u64 * 10 >= fit * 6, "{taken} of {fit}");
        // What is there can be updated still.
        for number in 0..taken as u64 {
            assert_eq!(table.update(0, &key(number), 1, 1), Ok(()));
        }
        assert_eq!(entries(&table).len(), taken);
    }
}

#[test]
fn tables_too_small_for_their_aggregations_are_refused() {
    let new = |keyed: bool, words| Shape::new(&mut [placed(0, keyed)], words, 1).is_some();
    assert_eq!((new(false, 2), new(false, 3)), (false, true));
    // Where the next is, a place in the index, head, key and count.
    assert_eq!((new(true, 4), new(true, 5)), (false, true));
    assert!(Shape::new(&mut [], 1, 1).is_some());
}

#[test]
fn only_what_the_abi_has_is_a_function() {
    const HEADER: &str = include_str!("../../../include/uapi/rust_tracer_program.h");
    let names = [
        "COUNT",
        "SUM",
        "MIN",
        "MAX",
        "AVG",
        "STDDEV",
        "QUANTIZE",
        "LQUANTIZE",
        "LLQUANTIZE",
    ];
    for (name, (number, parameters)) in names.iter().zip(FUNCTIONS) {
        assert!(HEADER.contains(&format!("#define RTRACE_AGG_{name} {number}u")));
        let function = format!("{:?}", Function::new(number, &parameters)).to_uppercase();
        assert!(function.starts_with(&format!("SOME({name}")), "{function}");
    }
    assert!(Function::new(9, &[0; 4]).is_none());
    assert!(Function::new(0, &[1, 0, 0, 0]).is_none());
    assert!(Function::new(7, &[0; 4]).is_none());
}

#[test]
fn an_aggregation_that_is_not_there_takes_nothing() {
    let (memory, aggregations, shape) = filled(2500, vec![]);
    let before: Vec<u64> = (0..Local::count(&memory)).map(|i| memory.peek(i)).collect();
    let table = Table::new(memory.clone(), &aggregations, shape);
    assert_eq!(table.update(18, &[], 1, 1), Err(Full));
    assert_eq!(table.update(0, &vec![0; 1 << 16], 1, 1), Err(Full));
    let after: Vec<u64> = (0..Local::count(&memory)).map(|i| memory.peek(i)).collect();
    assert_eq!(before, after);
    assert_eq!(Aggregated::default().len(), 0);
}
