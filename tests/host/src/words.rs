// SPDX-License-Identifier: GPL-2.0

//! The operations on memory that are written in assembly: what they change, and that it is all that they
//! change; and the masks of indices.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::arch;
use crate::program::buckets::{quantize, QUANTIZE_POSITIVE, QUANTIZE_WORDS};
use crate::program::words::nospec;

/// Words that can be told one from the other.
fn words<const COUNT: usize>() -> [AtomicU64; COUNT] {
    std::array::from_fn(|at| AtomicU64::new(1000 * at as u64))
}

/// Which words have changed since [`words`], and by what.
fn changes(words: &[AtomicU64]) -> Vec<(usize, u64)> {
    let changes = words.iter().enumerate().map(|(at, word)| {
        let was = 1000 * at as u64;
        (at, word.load(Ordering::Relaxed).wrapping_sub(was))
    });
    changes.filter(|(_, by)| *by != 0).collect()
}

const QUANTIZED: usize = QUANTIZE_WORDS as usize;
const POSITIVE: usize = 8 * QUANTIZE_POSITIVE as usize;

/// As the stub does it: the bucket of a positive value, in the words of a distribution.
fn distribute(words: &[AtomicU64; QUANTIZED], value: u64) {
    // SAFETY: Less than 63 words lie behind that of 1, so many as a positive i64 has bits.
    unsafe { arch::increment_nth::<POSITIVE>(words.as_ptr(), value.ilog2()) };
}

#[test]
fn the_nth_word_behind_another_is_one_more() {
    for nth in 0..8 {
        let words = words::<16>();
        // SAFETY: There are so many.
        unsafe { arch::increment_nth::<0>(words.as_ptr(), nth) };
        assert_eq!(changes(&words), [(nth as usize, 1)]);
        // SAFETY: As above.
        unsafe { arch::increment_nth::<64>(words.as_ptr(), nth) };
        assert_eq!(changes(&words), [(nth as usize, 1), (nth as usize + 8, 1)]);
    }
}

#[test]
fn a_word_that_is_full_begins_again_and_carries_nothing() {
    let words = words::<3>();
    words[1].store(u64::MAX, Ordering::Relaxed);
    // SAFETY: There are so many.
    unsafe { arch::increment_nth::<8>(words.as_ptr(), 0) };
    let now = words.map(|word| word.load(Ordering::Relaxed));
    assert_eq!(now, [0, 0, 2000]);
}

#[test]
fn a_word_of_a_structure_is_one_more() {
    let words = words::<8>();
    // SAFETY: There are so many.
    unsafe { arch::increment_in::<40, _>(&words) };
    arch::increment_local(&words[7]);
    assert_eq!(changes(&words), [(5, 1), (7, 1)]);
}

#[test]
fn powers_of_two_and_their_neighbours_are_distributed_as_by_quantize() {
    let ends = (0..63).flat_map(|n| [1u64 << n, (1 << n) + 1, (1 << n << 1) - 1]);
    for value in ends.filter(|value| (1..=i64::MAX as u64).contains(value)) {
        let words = words();
        distribute(&words, value);
        let word = quantize(value as i64) as usize;
        assert_eq!(changes(&words), [(word, 1)], "{value}");
    }
}

proptest! {
    #[test]
    fn positive_values_are_distributed_as_by_quantize(values in vec(1..=i64::MAX, 0..50)) {
        let (words, expected) = (words(), words::<QUANTIZED>());
        for value in values {
            distribute(&words, value as u64);
            arch::increment_local(&expected[quantize(value) as usize]);
        }
        prop_assert_eq!(changes(&words), changes(&expected));
    }

    #[test]
    fn what_is_added_wraps_and_what_was_is_told(was: u64, value: u64) {
        let word = AtomicU64::new(was);
        prop_assert_eq!(arch::fetch_add_local(&word, value), was);
        arch::add_local(&word, value);
        let expected = was.wrapping_add(value).wrapping_add(value);
        prop_assert_eq!(word.load(Ordering::Relaxed), expected);
    }

    #[test]
    fn a_word_is_exchanged_if_it_is_the_one_that_is_meant(was: u64, old: u64, new: u64) {
        for old in [was, old] {
            let word = AtomicU64::new(was);
            prop_assert_eq!(arch::compare_exchange_local(&word, old, new), old == was);
            let expected = if old == was { new } else { was };
            prop_assert_eq!(word.load(Ordering::Relaxed), expected);
        }
    }

    #[test]
    fn an_index_below_the_end_is_itself(index: usize, len: usize) {
        let expected = if index < len { index } else { 0 };
        prop_assert_eq!(arch::index_nospec(index, len), expected);
    }
}

#[test]
fn a_masked_index_is_itself_up_to_the_most_and_0_beyond() {
    for most in [0, 1, 7, 4096, isize::MAX as usize] {
        for index in [
            0,
            1,
            2,
            7,
            8,
            4095,
            4096,
            4097,
            isize::MAX as usize,
            usize::MAX,
        ] {
            let masked = if index <= most { index } else { 0 };
            assert_eq!(nospec(index, most), masked, "{index} of {most}");
        }
    }
}
