// SPDX-License-Identifier: GPL-2.0

//! What aggregations must hold: all values are remembered, and worked out anew.

use std::collections::BTreeMap;

use crate::program::aggregations::{Entry, Function, Placed, Table};
use crate::program::words::Local;

/// The functions, by their numbers in the ABI, with parameters.
pub(crate) const FUNCTIONS: [(u32, [u64; 4]); 9] = [
    (0, [0; 4]),
    (1, [0; 4]),
    (2, [0; 4]),
    (3, [0; 4]),
    (4, [0; 4]),
    (5, [0; 4]),
    (6, [0; 4]),
    (7, [-20i64 as u64, 10, 5, 0]),
    (8, [10, 0, 2, 10]),
];

/// The aggregation of that function.
pub(crate) fn placed(function: usize, keyed: bool) -> Placed {
    let (number, parameters) = FUNCTIONS[function];
    Placed::new(
        Function::new(number, &parameters).expect("parameters that make sense"),
        keyed,
    )
}

/// Values and weights by aggregation and keys.
#[derive(Debug, Default)]
pub(crate) struct Aggregated(BTreeMap<Name, Vec<(i64, u64)>>);

/// Aggregation and keys.
type Name = (u32, Vec<u64>);

impl Aggregated {
    pub(crate) fn add(&mut self, aggregation: u32, keys: &[u64], value: i64, weight: u64) {
        let values = self.0.entry((aggregation, keys.to_vec())).or_default();
        values.push((value, weight));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The table holds exactly this, each tuple of keys once. `functions` are those of the
    /// aggregations, by their places in [`FUNCTIONS`].
    pub(crate) fn check<M: Local>(&self, table: &Table<'_, M>, functions: &[usize]) {
        let mut found = BTreeMap::new();
        for (entry, keys, data) in entries(table) {
            let before = found.insert((entry.aggregation, keys), data);
            assert_eq!(before, None, "the same keys twice");
        }
        let right: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|(key, values)| (key.clone(), words(functions[key.0 as usize], values)))
            .collect();
        assert_eq!(found, right);
    }
}

/// Everything in a table: entries, keys, data.
pub(crate) fn entries<M: Local>(table: &Table<'_, M>) -> Vec<(Entry, Vec<u64>, Vec<u64>)> {
    let mut cursor = 0;
    std::iter::from_fn(|| {
        let entry = table.entry(cursor)?;
        assert!(entry.next > cursor, "the cursor goes on");
        cursor = entry.next;
        let word = |index| table.word(&entry, index).expect("a word of the entry");
        let keys = (0..entry.keys).map(word).collect();
        let data = (entry.keys..entry.keys + entry.words).map(word).collect();
        assert_eq!(table.word(&entry, entry.keys + entry.words), None);
        Some((entry, keys, data))
    })
    .collect()
}

/// The words of data that values make.
fn words(function: usize, values: &[(i64, u64)]) -> Vec<u64> {
    let count = values.len() as u64;
    let sum = values
        .iter()
        .fold(0u64, |sum, (value, _)| sum.wrapping_add(*value as u64));
    let numbers = || values.iter().map(|(value, _)| *value);
    let distribution = |count: usize, bucket: &dyn Fn(i64) -> usize| {
        let mut words = vec![0u64; count];
        for (value, weight) in values {
            let word = &mut words[bucket(*value)];
            *word = word.wrapping_add(*weight);
        }
        words
    };
    match function {
        0 => vec![count],
        1 => vec![sum],
        2 => vec![numbers().min().expect("a value") as u64],
        3 => vec![numbers().max().expect("a value") as u64],
        4 => vec![count, sum],
        5 => {
            let squares = numbers().fold(0u128, |squares, value| {
                squares.wrapping_add((i128::from(value) * i128::from(value)) as u128)
            });
            vec![count, sum, squares as u64, (squares >> 64) as u64]
        }
        6 => distribution(127, &|value| {
            // The last word whose lower bound (the upper one of negatives) the value reaches.
            let bound = |word: usize| 1i128 << word.abs_diff(63).saturating_sub(1);
            let value = i128::from(value);
            match value {
                0 => 63,
                1.. => (64..127).rev().find(|word| value >= bound(*word)).unwrap(),
                _ => (0..63).find(|word| -value >= bound(*word)).unwrap(),
            }
        }),
        7 => distribution(7, &|value| match value {
            i64::MIN..=-21 => 0,
            30.. => 6,
            _ => 1 + ((value + 20) / 10) as usize,
        }),
        _ => {
            // Where a value falls is tested with the buckets; here, that it is used.
            let (number, parameters) = FUNCTIONS[function];
            match Function::new(number, &parameters) {
                Some(Function::Llquantize(buckets)) => {
                    distribution(buckets.words() as usize, &|value| {
                        buckets.bucket(value) as usize
                    })
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
