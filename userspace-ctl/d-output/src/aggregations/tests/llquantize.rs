// SPDX-License-Identifier: GPL-2.0-only
//! The buckets of `llquantize()`, against how Oracle's counts.

use proptest::prelude::*;

use super::*;
use crate::testing::{aggregation, entry};

/// The word in which Oracle's llquantize() counts a value.
fn llquantize(value: i64, [factor, low, high, steps]: [i64; 4]) -> usize {
    let (skipped, size) = (steps / factor, value.abs());
    let side = (high - low + 1) * (steps - skipped);
    let Some(magnitude) = (low..).take_while(|&m| factor.pow(m as u32) <= size).last() else {
        return (1 + side) as usize;
    };
    let level = match magnitude {
        _ if magnitude > high => side + 1,
        0 if steps > factor => 1 + (size - 1) * skipped,
        _ => {
            let width = factor.pow(magnitude as u32 + 1) / steps;
            1 + (magnitude - low) * (steps - skipped) + size / width - skipped
        }
    };
    (1 + side + level * value.signum()) as usize
}

/// The graph of values and their weights in a llquantize().
fn llquantized(parameters: [i64; 4], values: &[(i64, i64)]) -> String {
    let [factor, low, high, steps] = parameters;
    let words = 2 * (high - low + 1) * (steps - steps / factor) + 3;
    let mut data = vec![0_u64; words as usize];
    for &(value, weight) in values {
        let word = &mut data[llquantize(value, parameters)];
        *word = word.wrapping_add(weight as u64);
    }
    let mut store = store(&[aggregation(8, parameters, &[])]);
    store.merge(&entry(0, &[], &data), &Small).expect("fits");
    let text = rest(&store, &Options::default());
    text.strip_suffix('\n')
        .expect("a line of its own")
        .to_owned()
}

#[test]
fn llquantize_of_positive_and_negative_values() {
    // dtrace-utils test/unittest/aggs/tst.llquantize_basic.{d,r}
    let values: Vec<(i64, i64)> = [
        -20, -16, -12, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 20,
    ]
    .map(|value| (value, 100 + value))
    .to_vec();
    assert_eq!(
        llquantized([4, 0, 1, 2], &values),
        graph(&[
            ("<= -16", 3, 164),
            ("-8", 3, 180),
            ("-4", 5, 285),
            ("-2", 4, 195),
            ("-1", 2, 99),
            ("0", 2, 100),
            ("1", 2, 101),
            ("2", 4, 205),
            ("4", 6, 315),
            ("8", 4, 220),
            (">= 16", 4, 236),
        ])
    );
    assert_eq!(
        llquantized([4, 0, 1, 4], &values),
        graph(&[
            ("<= -16", 3, 164),
            ("-12", 2, 88),
            ("-8", 2, 92),
            ("-4", 5, 285),
            ("-3", 2, 97),
            ("-2", 2, 98),
            ("-1", 2, 99),
            ("0", 2, 100),
            ("1", 2, 101),
            ("2", 2, 102),
            ("3", 2, 103),
            ("4", 6, 315),
            ("8", 2, 108),
            ("12", 2, 112),
            (">= 16", 4, 236),
        ])
    );
    assert_eq!(
        llquantized([4, 0, 1, 8], &values),
        graph(&[
            ("<= -16", 3, 164),
            ("-14", 0, 0),
            ("-12", 2, 88),
            ("-10", 0, 0),
            ("-8", 2, 92),
            ("-6", 2, 94),
            ("-4", 4, 191),
            ("-3", 2, 97),
            ("-2", 2, 98),
            ("-1", 2, 99),
            ("0", 2, 100),
            ("1", 2, 101),
            ("2", 2, 102),
            ("3", 2, 103),
            ("4", 4, 209),
            ("6", 2, 106),
            ("8", 2, 108),
            ("10", 0, 0),
            ("12", 2, 112),
            ("14", 0, 0),
            (">= 16", 4, 236),
        ])
    );
    let single: Vec<(i64, i64)> = (-4..5).map(|value| (value, 100 + value)).collect();
    let expected = graph(&[
        ("<= -4", 4, 96),
        ("-3", 4, 97),
        ("-2", 4, 98),
        ("-1", 4, 99),
        ("0", 4, 100),
        ("1", 4, 101),
        ("2", 5, 102),
        ("3", 5, 103),
        (">= 4", 5, 104),
    ]);
    assert_eq!(llquantized([4, 0, 0, 4], &single), expected);
    assert_eq!(llquantized([4, 0, 0, 8], &single), expected);
}

#[test]
fn llquantize_of_few_values() {
    // dtrace-utils test/unittest/aggs/tst.llquantize_basic.{d,r}
    let zeroes = graph(&[("0", 0, 0), ("1", 0, 0), ("2", 0, 0)]);
    assert_eq!(llquantized([2, 0, 1, 2], &[(0, 1), (0, -1)]), zeroes);
    assert_eq!(llquantized([2, 0, 1, 4], &[(0, 1), (0, -1)]), zeroes);
    assert_eq!(
        llquantized([2, 0, 1, 2], &[(1, 1)]),
        graph(&[("0", 0, 0), ("1", 40, 1), ("2", 0, 0)])
    );
    assert_eq!(
        llquantized([2, 0, 1, 2], &[(-3, 1), (3, 1)]),
        graph(&[
            ("<= -4", 0, 0),
            ("-2", 20, 1),
            ("-1", 0, 0),
            ("0", 0, 0),
            ("1", 0, 0),
            ("2", 20, 1),
            (">= 4", 0, 0)
        ])
    );
    assert_eq!(
        llquantized([2, 0, 1, 4], &[(-1, 1), (1, 1)]),
        graph(&[
            ("-2", 0, 0),
            ("-1", 20, 1),
            ("0", 0, 0),
            ("1", 20, 1),
            ("2", 0, 0)
        ])
    );
    let bar = "@".repeat(40);
    let negative = llquantized([2, 0, 1, 2], &[(2, -1)]);
    let heading = graph(&[]);
    assert_eq!(
        negative,
        format!(
            "{heading}{:>16} {:40}| 0        \n{:>16} {bar}| -1       \n{:>16} {:40}| 0        \n",
            1, "", 2, ">= 4", ""
        )
    );
    let both = llquantized([2, 0, 1, 2], &[(1, 1), (2, -1)]);
    assert_eq!(
        both,
        format!(
            "{heading}{0:>16} {1:20}|{1:20} 0        \n{2:>16} {1:20}|{3}{1:10} 1        \n{4:>16} {1:10}{3}|{1:20} -1       \n{5:>16} {1:20}|{1:20} 0        \n",
            0,
            "",
            1,
            "@".repeat(10),
            2,
            ">= 4"
        )
    );
}

#[test]
fn llquantize_with_a_high_lowest_magnitude() {
    // dtrace-utils test/unittest/aggs/tst.llquantstep.{d,r}: 0 to 1499, 27 steps from 3^3 on
    let values: Vec<(i64, i64)> = (0..1500).map(|value| (value, 1)).collect();
    let text = llquantized([3, 3, 5, 27], &values);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[2].trim(),
        "-27 |                                         0"
    );
    assert_eq!(
        lines[3].trim(),
        "abs() < 27 |@                                        27"
    );
    assert_eq!(
        lines[4].trim(),
        "27 |                                         3"
    );
    assert_eq!(
        lines[5].trim(),
        "30 |                                         3"
    );
    assert_eq!(
        lines[22].trim(),
        "81 |                                         9"
    );
    assert_eq!(
        lines[57].trim(),
        "702 |@                                        27"
    );
    assert_eq!(
        lines[58].trim(),
        ">= 729 |@@@@@@@@@@@@@@@@@@@@@                    771"
    );
    assert_eq!(lines.len(), 59);
    // Nothing negative and the row below it not shown: no absolute value is mentioned.
    assert!(llquantized([3, 3, 5, 27], &[(28, 1)]).contains("            < 27 |"));
}

#[test]
fn llquantize_with_negative_weights() {
    // dtrace-utils test/unittest/aggs/tst.llquantneg.{d,r}: 0 to 1499, odd ones count -1
    let values: Vec<(i64, i64)> = (0..1500).map(|value| (value, 1 - value % 2 * 2)).collect();
    let text = llquantized([10, 0, 6, 20], &values);
    let lines: Vec<&str> = text.lines().collect();
    let row = |line: &str, label: i64, bar: &str, count: i64| {
        assert_eq!(line, format!("{label:>16} {bar} {count:<9}"));
    };
    let (none, plus, minus) = (
        format!("{0:20}|{0:20}", ""),
        format!("{0:20}|@{0:19}", ""),
        format!("{0:19}@|{0:20}", ""),
    );
    row(lines[2], -1, &none, 0);
    row(lines[3], 0, &plus, 1);
    row(lines[4], 1, &minus, -1);
    row(lines[12], 9, &minus, -1);
    row(lines[13], 10, &plus, 1);
    row(lines[14], 15, &minus, -1);
    row(lines[30], 95, &minus, -1);
    row(lines[31], 100, &none, 0);
    assert_eq!(lines.len(), 32);
}

proptest! {
    #[test]
    fn every_llquantize_shows_all_that_it_counts(
        factor in 2_i64..12,
        low in 0_i64..3,
        ranges in 0_i64..4,
        multiple in 1_i64..4,
        values in proptest::collection::vec(-20_000_i64..20_000, 1..40),
    ) {
        // Steps are the factor's multiple by a power of it, or it.
        let steps = factor.pow(multiple.min(low + 1) as u32);
        let parameters = [factor, low, low + ranges, steps];
        let mut data = vec![0; (2 * (ranges + 1) * (steps - steps / factor) + 3) as usize];
        for &value in &values {
            data[llquantize(value, parameters)] += 1;
        }
        let mut store = store(&[aggregation(8, parameters, &[])]);
        store.add(0, vec![], &data).expect("fits");
        let rows = store.aggregated(0, &data, &Options::default()).rows();
        for row in &rows {
            let inside = values.iter().filter(|&&value| {
                let value = i128::from(value);
                row.low.is_none_or(|low| low <= value) && row.high.is_none_or(|high| value <= high)
            });
            prop_assert_eq!(inside.count() as i64, row.count, "{} of {:?}", row.label, parameters);
        }
        prop_assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), values.len() as i64);
    }
}
