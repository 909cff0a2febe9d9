// SPDX-License-Identifier: GPL-2.0-only
//! The standard deviation as libdtrace has it: the root of the average of the squares less the
//! square of the average, in whole numbers of 128 bits.
#![forbid(unsafe_code)]

/// From the words `count`, `sum`, `sum of squares: low, high`, and the normalization.
pub fn stddev(words: &[u64], normal: u64) -> u64 {
    let &[count, sum, low, high] = words else {
        return 0;
    };
    let normal = normal.max(1);
    if count == 0 {
        return 0;
    }
    let squares = (u128::from(high) << 64) | u128::from(low);
    let squares = squares / u128::from(normal) / u128::from(count);
    let average = average(count, sum, normal).unsigned_abs();
    let variance = squares.wrapping_sub(u128::from(average) * u128::from(average));
    variance.isqrt() as u64
}

/// The average of so many that have this sum.
pub fn average(count: u64, sum: u64, normal: u64) -> i64 {
    match i128::from(count) {
        0 => 0,
        count => (i128::from(sum as i64) / i128::from(normal.max(1)) / count) as i64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[i64]) -> [u64; 4] {
        let squares: u128 = (values.iter())
            .map(|&value| u128::from(value.unsigned_abs()).pow(2))
            .sum();
        let sum: i64 = values.iter().sum();
        [
            values.len() as u64,
            sum as u64,
            squares as u64,
            (squares >> 64) as u64,
        ]
    }

    #[test]
    fn deviations_of_small_and_large_numbers() {
        // dtrace-utils test/unittest/aggs/tst.reset.d: 10, 20 … 50 deviate by 14.
        assert_eq!(stddev(&words(&[10, 20, 30, 40, 50]), 1), 14);
        assert_eq!(stddev(&words(&[7]), 1), 0);
        assert_eq!(stddev(&words(&[-80, 80]), 1), 80);
        let large = 4_000_000_000_000_000_000;
        assert_eq!(stddev(&words(&[large, -large]), 1), large as u64);
        assert_eq!(stddev(&[0; 4], 1), 0);
        assert_eq!(stddev(&[], 1), 0);
    }

    #[test]
    fn averages_round_towards_0() {
        assert_eq!(average(3, -10_i64 as u64, 1), -3);
        assert_eq!(average(0, 10, 1), 0);
        assert_eq!(average(2, 100, 10), 5);
        assert_eq!(average(u64::MAX, 1, 0), 0);
    }
}
