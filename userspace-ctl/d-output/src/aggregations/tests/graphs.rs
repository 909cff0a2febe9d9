// SPDX-License-Identifier: GPL-2.0-only
//! Distributions beside numbers and in a line, and those of the largest numbers.

use super::*;
use crate::testing::aggregation;

#[test]
fn bars_beside_numbers() {
    // illumos libdtrace's agghist.
    let mut store = store(&[aggregation(0, [0; 4], &[Form::String])]);
    for (key, count) in [("a", 1), ("b", 3)] {
        store
            .add(0, vec![Value::text(key)], &[count])
            .expect("fits");
    }
    let hist = |options| {
        let options = Options {
            agghist: true,
            ..options
        };
        rest(&store, &options)
    };
    let heading = format!(
        "\n{:>17}  ------------- Distribution ------------- count    \n",
        "key"
    );
    assert_eq!(
        hist(Options::default()),
        format!(
            "{heading} {:>16} |{:<40} 1        \n {:>16} |{:<40} 3        \n",
            "a",
            "@".repeat(10),
            "b",
            "@".repeat(30)
        )
    );
    let zoomed = hist(Options {
        aggzoom: true,
        ..Options::default()
    });
    assert!(
        zoomed.ends_with(&format!("|{} 3        \n", "@".repeat(40))),
        "{zoomed}"
    );
    let blocks = hist(Options {
        encoding: crate::options::Encoding::Utf8,
        ..Options::default()
    });
    assert!(
        blocks.contains(&format!("|{}{} 1 ", "█".repeat(10), " ".repeat(30))),
        "{blocks}"
    );
}

#[test]
fn distributions_in_a_line() {
    // illumos libdtrace's aggpack.
    let mut of = store(&[
        aggregation(6, [0; 4], &[INT]),
        aggregation(7, [0, 10, 3, 0], &[]),
    ]);
    for (key, bucket, count) in [(1, 64, 7), (1, 66, 1), (2, 67, 4)] {
        let mut data = [0; 127];
        data[bucket] = count;
        of.add(0, vec![Value::signed(key, 4)], &data).expect("fits");
    }
    of.add(1, vec![], &[0, 4, 0, 0, 4]).expect("fits");
    let options = Options {
        aggpack: true,
        encoding: crate::options::Encoding::Ascii,
        ..Options::default()
    };
    assert_eq!(
        rest(&of, &options),
        [
            "\n      key  min .------. max  | count\n",
            "        1    0 : X _  : 16   | 8\n",
            "        2    0 :    X : 16   | 4\n",
            "\n     min .-----. max      | count\n",
            "     < 0 : x  x: >= 30    | 8\n",
        ]
        .concat()
    );
}

#[test]
fn the_largest_numbers_have_an_order_and_a_graph() {
    let (low, high) = (i64::MIN, i64::MAX);
    for (function, parameters) in [
        (6, [0; 4]),
        (7, [low, high, 1024, 0]),
        (7, [high, high, 3, 0]),
        (8, [65_535, 0, 63, 1]),
        (8, [4, 62, 63, 4]),
    ] {
        let mut store = store(&[aggregation(function, parameters, &[INT])]);
        let words = store.aggregations[0].function.words();
        for (key, word) in [low, high, -1, 1].into_iter().enumerate() {
            let keys = vec![Value::signed(key as i64, 4)];
            store.add(0, keys, &vec![word as u64; words]).expect("fits");
        }
        let text = rest(&store, &Options::default());
        assert_eq!(
            text.matches("Distribution").count(),
            4,
            "{function} {parameters:?}"
        );
        let json = crate::json::rest(&store, &Options::default(), &Small);
        assert_eq!(json.len(), 4);
    }
}
