// SPDX-License-Identifier: GPL-2.0-only
//! `trunc()`, `clear()` and `normalize()`.

use super::*;
use crate::testing::aggregation;

#[test]
fn distributions_of_keys_that_stay() {
    // dtrace-utils test/unittest/aggs/tst.trunc-{sum,lquantize}-{5,neg5,default}.r
    let keys = || vec![INT];
    let mut store = store(&[
        aggregation(1, [0; 4], &keys()),
        aggregation(7, [0, 1, 50, 0], &keys()),
    ]);
    for key in 0..20 {
        store
            .add(0, vec![Value::signed(100 + key, 4)], &[1000 + key as u64])
            .expect("fits");
        let mut data = vec![0; 52];
        data[1 + key as usize..5 + key as usize].fill(10_000 + key as u64);
        store
            .add(1, vec![Value::signed(100 + key, 4)], &data)
            .expect("fits");
    }
    let options = Options::default();
    let mut few = store.clone();
    few.truncate(0, -5).expect("there");
    few.truncate(1, -1).expect("there");
    let numbers: Vec<String> = (0..5)
        .map(|key| format!(" {:8} {:16}\n", 100 + key, 1000 + key))
        .collect();
    let numbers = numbers.concat();
    let rows = [
        ("< 0", 0, 0),
        ("0", 10, 10_000),
        ("1", 10, 10_000),
        ("2", 10, 10_000),
        ("3", 10, 10_000),
        ("4", 0, 0),
    ];
    assert_eq!(
        rest(&few, &options),
        format!("{numbers} {:8}{}\n", 100, graph(&rows))
    );
    store.truncate(0, 2).expect("there");
    store.truncate(1, 0).expect("there");
    assert_eq!(
        rest(&store, &options),
        format!(" {:8} {:16}\n {:8} {:16}\n", 118, 1018, 119, 1019)
    );
    store.truncate(0, i64::MIN).expect("there");
    assert_eq!(store.len(0), 2);
}

#[test]
fn cleared_entries_begin_anew() {
    let functions = [0, 2, 3, 4].map(|function| aggregation(function, [0; 4], &[]));
    let mut store = store(&functions);
    for round in 0..2 {
        for (index, data) in [&[5][..], &[7], &[7], &[2, 10]].into_iter().enumerate() {
            store.add(index as u32, vec![], data).expect("fits");
        }
        let expected: String = [5, 7, 7, 5].map(|value| format!(" {value:16}\n")).concat();
        assert_eq!(rest(&store, &Options::default()), expected, "round {round}");
        for index in 0..4 {
            store.clear(index).expect("there");
        }
        assert_eq!(store.len(0), 1);
    }
    assert!(rest(&store, &Options::default()).starts_with(&format!(" {:16}\n", 0)));
}

#[test]
fn normalization_divides_what_is_shown() {
    let functions = [1, 0, 4, 6].map(|function| aggregation(function, [0; 4], &[]));
    let mut store = store(&functions);
    let mut quantized = [0; 127];
    quantized[64] = 100;
    for (index, data) in [&[-100_i64 as u64][..], &[100], &[2, 100], &quantized]
        .into_iter()
        .enumerate()
    {
        store.add(index as u32, vec![], data).expect("fits");
        store.normalize(index as u32, 10).expect("there");
    }
    let shown = |value: i64| format!(" {value:16}\n");
    let graph_of = |count| graph(&[("0", 0, 0), ("1", 40, count), ("2", 0, 0)]);
    let options = Options::default();
    assert_eq!(
        rest(&store, &options),
        [shown(-10), shown(10), shown(5), graph_of(10)].concat() + "\n"
    );
    store.denormalize(1).expect("there");
    store.normalize(0, 0).expect("there");
    assert!(rest(&store, &options).starts_with(&[shown(-100), shown(100), shown(5)].concat()));
}
