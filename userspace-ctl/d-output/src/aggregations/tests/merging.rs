// SPDX-License-Identifier: GPL-2.0-only
//! What CPUs hand in: what it sums up to, and what does not fit.

use proptest::prelude::*;

use super::*;
use crate::testing::{aggregation, entry, number, string};

#[test]
fn what_does_not_fit_is_an_error() {
    let mut store = store(&[
        aggregation(0, [0; 4], &[INT]),
        aggregation(8, [10, 0, 1, 10], &[]),
    ]);
    let good = entry(0, &number(1), &[1]);
    for bad in [
        entry(9, &number(1), &[1]),
        entry(0, &[], &[1]),
        entry(0, &[number(1), number(2)].concat(), &[1]),
        entry(0, &number(1), &[1, 2]),
        entry(1, &[], &[0; 38]),
        good[..good.len() - 1].to_vec(),
        vec![8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert!(store.merge(&bad, &Small).is_err(), "{bad:?}");
    }
    assert!(store.is_empty());
    assert!(
        store.clear(2).is_err() && store.normalize(2, 1).is_err() && store.truncate(2, 1).is_err()
    );
    for (function, parameters) in [
        (7, [0, 0, 1, 0]),
        (7, [0, 1, 0, 0]),
        (8, [1, 0, 1, 10]),
        (8, [10, 2, 1, 10]),
        (9, [0; 4]),
    ] {
        assert!(
            Store::new(&[aggregation(function, parameters, &[])]).is_err(),
            "{function} {parameters:?}"
        );
    }
}

/// What a program aggregates of a value.
fn contributions(value: i64) -> [Vec<u64>; 7] {
    let mut quantized = vec![0; 127];
    let magnitude = value.unsigned_abs();
    let bucket = match value {
        0 => 63,
        1.. => 64 + magnitude.ilog2() as usize,
        _ => 62 - magnitude.ilog2() as usize,
    };
    quantized[bucket] = 1;
    let square = u128::from(magnitude) * u128::from(magnitude);
    [
        vec![1],
        vec![value as u64],
        vec![value as u64],
        vec![value as u64],
        vec![1, value as u64],
        vec![1, value as u64, square as u64, (square >> 64) as u64],
        quantized,
    ]
}

proptest! {
    #[test]
    fn cpus_sum_up_to_what_one_would_have(
        values in proptest::collection::vec((0_i64..3, -(1_i64 << 40)..1 << 40), 1..60),
        chunk in 1_usize..7,
    ) {
        let functions: Vec<_> = (0..7).map(|function| aggregation(function, [0; 4], &[INT])).collect();
        let mut store = store(&functions);
        // Each "CPU" hands in what it has of some values.
        for part in values.chunks(chunk) {
            let mut bytes = Vec::new();
            for (key, value) in part {
                for (index, data) in (0..).zip(contributions(*value)) {
                    bytes.extend(entry(index, &number(*key), &data));
                }
            }
            prop_assert_eq!(store.merge(&bytes, &Small), Ok(7 * part.len()));
        }
        for key in 0..3 {
            let of: Vec<i64> = values.iter().filter(|(k, _)| *k == key).map(|(_, v)| *v).collect();
            let get = |index: usize| store.entries[index].get(&[Value::signed(key, 4)][..]);
            prop_assert_eq!(get(0).is_none(), of.is_empty());
            if of.is_empty() {
                continue;
            }
            let word = |index: usize, word: usize| get(index).expect("there")[word] as i64;
            let count = of.len() as i64;
            let sum: i64 = of.iter().sum();
            prop_assert_eq!(word(0, 0), count);
            prop_assert_eq!(word(1, 0), sum);
            prop_assert_eq!(Some(word(2, 0)), of.iter().copied().min());
            prop_assert_eq!(Some(word(3, 0)), of.iter().copied().max());
            prop_assert_eq!((word(4, 0), word(4, 1)), (count, sum));
            let squares: u128 = of.iter().map(|v| u128::from(v.unsigned_abs()).pow(2)).sum();
            prop_assert_eq!((u128::from(word(5, 3) as u64) << 64) | u128::from(word(5, 2) as u64), squares);
            let rows = store.aggregated(6, get(6).expect("there"), &Options::default()).rows();
            for row in &rows {
                let inside = of.iter().filter(|&&value| {
                    let value = i128::from(value);
                    row.low.is_none_or(|low| low <= value) && row.high.is_none_or(|high| value <= high)
                });
                prop_assert_eq!(inside.count() as i64, row.count, "{}", row.label);
            }
            prop_assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), count);
        }
        let shown = rest(&store, &Options::default());
        prop_assert_eq!(shown.matches("Distribution").count(), store.len(6));
    }

    #[test]
    fn no_bytes_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        function in 0_u32..10,
        parameters in proptest::array::uniform4(-3_i64..70),
        data in proptest::collection::vec(any::<u64>(), 0..140),
        wild in proptest::array::uniform4(any::<i64>()),
        rev: bool, hist: bool, zoom: bool,
    ) {
        let options = Options { aggsortrev: rev, agghist: hist, aggpack: hist, aggzoom: zoom, ..Options::default() };
        for parameters in [parameters, wild] {
            let Ok(mut store) = Store::new(&[aggregation(function, parameters, &[Form::String])]) else {
                continue;
            };
            let _ = store.merge(&bytes, &Small);
            let _ = store.merge(&entry(0, &string("a"), &data), &Small);
            let _ = store.merge(&entry(0, &string("b"), &data), &Small);
            let _ = store.merge(&entry(0, &string("a"), &data), &Small);
            let _ = rest(&store, &options);
            let _ = printa(&mut store, &[0, 0], &options);
            let _ = crate::json::rest(&store, &options, &Small);
        }
    }
}
