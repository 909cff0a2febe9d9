// SPDX-License-Identifier: GPL-2.0

//! The buckets of distributions against searches through all of their bounds.

use proptest::prelude::*;

use crate::program::buckets::{
    quantize, Linear, LogLinear, LEVELS_MAX, QUANTIZE_POSITIVE, QUANTIZE_WORDS,
};

/// The least magnitude of word `word`, with its sign.
fn quantize_bound(word: u32) -> i128 {
    match word {
        63 => 0,
        64.. => 1 << (word - 64),
        _ => -(1 << (62 - word)),
    }
}

/// As illumos does it: the words in turn.
fn quantize_reference(value: i64) -> u32 {
    let value = i128::from(value);
    if value < 0 {
        return (0..63)
            .find(|&word| value <= quantize_bound(word))
            .expect("-1 is one");
    }
    (64..QUANTIZE_WORDS)
        .find(|&word| value < quantize_bound(word))
        .unwrap_or(QUANTIZE_WORDS)
        - 1
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>(),
        -2000..2000i64,
        (0..63u32, -1..=1i64, any::<bool>()).prop_map(|(n, by, negative)| {
            let power = (1i64 << n).wrapping_add(by);
            if negative {
                power.wrapping_neg()
            } else {
                power
            }
        }),
        Just(i64::MIN),
        Just(i64::MAX),
    ]
}

#[test]
fn quantize_has_the_words_of_the_header() {
    for (value, word) in [
        (0, 63),
        (1, 64),
        (2, 65),
        (3, 65),
        (4, 66),
        (-1, 62),
        (-2, 61),
        (-3, 61),
        (-4, 60),
        (i64::MAX, 126),
        (i64::MIN, 0),
    ] {
        assert_eq!(quantize(value), word, "{value}");
    }
}

#[test]
fn positive_values_begin_where_the_stub_counts_them_from() {
    assert_eq!(QUANTIZE_POSITIVE, quantize(1));
    assert_eq!(QUANTIZE_POSITIVE + i64::MAX.ilog2(), QUANTIZE_WORDS - 1);
}

#[test]
fn lquantize_has_below_the_levels_and_above() {
    let linear = Linear::new(&[10, 5, 3, 0]).expect("valid");
    assert_eq!(linear.words(), 5);
    let words: Vec<u32> = [i64::MIN, 9, 10, 14, 15, 24, 25, i64::MAX]
        .map(|value| linear.bucket(value))
        .to_vec();
    assert_eq!(words, [0, 0, 1, 1, 2, 3, 4, 4]);
    let negative = Linear::new(&[-10i64 as u64, 10, 2, 0]).expect("valid");
    assert_eq!((negative.bucket(-1), negative.bucket(0)), (1, 2));
}

#[test]
fn lquantize_with_parameters_that_make_no_sense_is_none() {
    let levels_max = u64::from(LEVELS_MAX);
    assert!(Linear::new(&[0, 1, levels_max, 0]).is_some());
    for parameters in [
        [0, 0, 1, 0],
        [0, -1i64 as u64, 1, 0],
        [0, 1, 0, 0],
        [0, 1, levels_max + 1, 0],
        [0, 1, 1, 1],
        [i64::MAX as u64, 1, 1, 0],
        [0, i64::MAX as u64, 2, 0],
    ] {
        assert_eq!(Linear::new(&parameters), None, "{parameters:?}");
    }
}

#[test]
fn llquantize_with_parameters_that_make_no_sense_is_none() {
    assert!(LogLinear::new(&[10, 0, 6, 20]).is_some());
    assert!(LogLinear::new(&[10, 3, 3, 10]).is_some());
    assert!(LogLinear::new(&[10, 0, 2, 5]).is_some());
    assert!(LogLinear::new(&[10, 0, 18, 10]).is_some());
    assert!(LogLinear::new(&[2, 0, 62, 2]).is_some());
    for parameters in [
        [1, 0, 6, 20],
        [0, 0, 6, 20],
        [10, 6, 3, 20],
        [10, 0, 64, 20],
        [10, 0, 19, 10],
        [2, 0, 63, 2],
        [10, 0, 6, 0],
        [10, 0, 6, 15],
        [10, 0, 6, 3],
        [10, 0, 6, 70],
        [10, 1, 6, 1000],
        [10, 0, 12, 1000],
        [1 << 17, 0, 1, 1 << 17],
        [u64::MAX; 4],
    ] {
        assert_eq!(LogLinear::new(&parameters), None, "{parameters:?}");
    }
}

/// The level of a magnitude: how many levels begin at or below it, and the end of the last. That
/// of step `step` begins at that part of its magnitude's end.
fn level(factor: i128, low: u32, high: u32, steps: i128, magnitude: i128) -> u32 {
    let mut begins = Vec::new();
    for order in low..=high {
        let end = factor.pow(order + 1);
        begins.extend((steps / factor..steps).map(|step| step * end));
    }
    begins.push(factor.pow(high + 1) * steps);
    begins
        .iter()
        .filter(|&&begin| magnitude * steps >= begin)
        .count() as u32
}

proptest! {
    #[test]
    fn quantize_is_what_a_search_finds(value in value()) {
        prop_assert_eq!(quantize(value), quantize_reference(value));
    }

    #[test]
    fn a_positive_value_lies_its_logarithm_behind_that_of_1(value in 1..=i64::MAX) {
        prop_assert_eq!(QUANTIZE_POSITIVE + value.ilog2(), quantize(value));
    }

    #[test]
    fn lquantize_is_what_a_search_finds(
        base in -5000..5000i64, step in 1..500i64, levels in 1..40i64, value in value(),
    ) {
        let parameters = [base as u64, step as u64, levels as u64, 0];
        let linear = Linear::new(&parameters).expect("valid");
        let bound = |level: i64| i128::from(base) + i128::from(level * step);
        let word = (0..=levels).filter(|&level| i128::from(value) >= bound(level)).count();
        prop_assert_eq!(linear.bucket(value), word as u32);
        prop_assert!(linear.bucket(value) < linear.words());
    }

    #[test]
    fn llquantize_is_what_a_search_finds(
        factor in 2..12u64, low in 0..5u64, more in 0..5u64, multiple in 1..12u64,
        value in value(),
    ) {
        let steps = factor * multiple;
        let parameters = [factor, low, low + more, steps];
        let Some(log) = LogLinear::new(&parameters) else {
            return Ok(());
        };
        let (low, high) = (low as u32, (low + more) as u32);
        let levels = (high - low + 1) * (steps - steps / factor) as u32;
        prop_assert_eq!(log.words(), 2 * levels + 3);
        let magnitude = value.unsigned_abs().into();
        let level = level(factor.into(), low, high, steps.into(), magnitude);
        let middle = levels + 1;
        let word = if value < 0 { middle - level } else { middle + level };
        prop_assert_eq!(log.bucket(value), word);
    }
}
