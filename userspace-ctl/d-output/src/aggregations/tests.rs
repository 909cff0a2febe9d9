// SPDX-License-Identifier: GPL-2.0-only
use d_compiler::check::format;
use d_compiler::compiled::{AddressForm, Part};
use proptest::prelude::*;

use super::*;
use crate::testing::{Small, aggregation, entry, number, string};

const INT: Form = Form::Integer {
    bytes: 4,
    signed: true,
};

fn store(aggregations: &[compiled::Aggregation]) -> Store {
    Store::new(aggregations).expect("known functions")
}

fn rest(store: &Store, options: &Options) -> String {
    let mut out = Vec::new();
    store.print_rest(&mut out, options, &Small);
    String::from_utf8(out).expect("UTF-8")
}

fn printa(store: &mut Store, aggregations: &[u32], options: &Options) -> String {
    let mut out = Vec::new();
    store
        .printa(&mut out, aggregations, options, &Small)
        .expect("as described");
    String::from_utf8(out).expect("UTF-8")
}

fn printa_by(store: &mut Store, text: &str, aggregations: &[u32], options: &Options) -> String {
    let mut out = Vec::new();
    let format = format::parse(text).expect("a format");
    store
        .printa_by(&mut out, &format, aggregations, options, &Small)
        .expect("as described");
    String::from_utf8(out).expect("UTF-8")
}

/// A graph of rows: the label, the bar's length, the count.
fn graph(rows: &[(&str, usize, i64)]) -> String {
    let mut graph = format!(
        "\n{:>16}  ------------- Distribution ------------- count    \n",
        "value"
    );
    for &(label, bar, count) in rows {
        graph += &format!("{label:>16} |{:<40} {count:<9}\n", "@".repeat(bar));
    }
    graph
}

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
fn numbers_take_a_column_under_their_keys() {
    // dtrace-utils test/unittest/aggs/tst.signedkeys.r: -2 to 2, as keys of each width
    let functions: Vec<_> = [1, 2, 4, 8]
        .map(|bytes| {
            aggregation(
                1,
                [0; 4],
                &[Form::Integer {
                    bytes,
                    signed: true,
                }],
            )
        })
        .to_vec();
    let mut store = store(&functions);
    for aggregation in 0..4 {
        for value in -2..3 {
            let bytes = entry(aggregation, &number(value), &[value as u64]);
            assert_eq!(store.merge(&bytes, &Small), Ok(1));
        }
    }
    let options = Options {
        aggsortkey: true,
        ..Options::default()
    };
    let mut expected = String::new();
    for value in [0, 1, 2, -2, -1] {
        expected += &format!(" {:3} {value:16}\n", value as i8 as u8);
    }
    for value in [0, 1, 2, -2, -1] {
        expected += &format!(" {:5} {value:16}\n", value as i16 as u16);
    }
    for width in [8, 16] {
        for value in [0, 1, 2, -2, -1] {
            expected += &format!(" {value:width$} {value:16}\n");
        }
    }
    assert_eq!(rest(&store, &options), expected);
}

#[test]
fn keys_of_every_kind() {
    let keys = [
        Form::String,
        Form::Pointer,
        Form::Characters(8),
        Form::Probe(Part::Function),
        Form::Address(AddressForm::Function),
        Form::Address(AddressForm::UserModule),
        Form::Stack(2),
        Form::Ustack(2),
    ];
    let mut store = store(&[aggregation(0, [0; 4], &keys)]);
    let entry_of = |probe, address| {
        let keys = [
            string("bash"),
            number(-1),
            string("dtrace\0\0"),
            number(probe),
            number(address),
            [number(42), number(0x4110)].concat(),
            [number(1), number(0x1010)].concat(),
            [number(1), number(42), number(0x4108)].concat(),
        ];
        entry(0, &keys.concat(), &[2])
    };
    // Entry and return are one function, and two addresses one symbol.
    assert_eq!(
        store.merge(&[entry_of(2, 0x1010), entry_of(3, 0x1020)].concat(), &Small),
        Ok(2)
    );
    assert_eq!(
        rest(&store, &Options::default()),
        format!(
            "  {:<50} {:16}  {:<50}  {:<50}  {:<50}  {:<50}\n              vmlinux`s10+0x10\n\n              \
             libc.so.6`read+0x8\n {:16}\n",
            "bash", -1, "dtrace", "vfs_read", "vmlinux`s10", "libc.so.6", 4
        )
    );
}

#[test]
fn each_function_has_its_value() {
    // dtrace-utils test/unittest/aggs/tst.reset.r: 10, 20 … 50
    let functions = [1, 5, 0, 4, 6].map(|function| aggregation(function, [0; 4], &[]));
    let mut store = store(&functions);
    for value in [10_u64, 20, 30, 40, 50] {
        let mut quantized = [0_u64; 127];
        quantized[64 + value.ilog2() as usize] = 1;
        for (index, data) in [
            &[value][..],
            &[1, value, value * value, 0],
            &[1],
            &[1, value],
            &quantized,
        ]
        .into_iter()
        .enumerate()
        {
            store
                .merge(&entry(index as u32, &[], data), &Small)
                .expect("fits");
        }
    }
    let expected = [
        format!("\n{:17}\n", 150),
        format!("\n{:17}\n", 14),
        format!("\n{:17}\n", 5),
        format!("\n{:17}\n", 30),
        format!(
            "\n{}\n",
            graph(&[
                ("4", 0, 0),
                ("8", 8, 1),
                ("16", 16, 2),
                ("32", 16, 2),
                ("64", 0, 0)
            ])
        ),
    ];
    let options = Options::default();
    for (index, expected) in expected.iter().enumerate() {
        assert_eq!(&printa(&mut store, &[index as u32], &options), expected);
    }
    assert_eq!(rest(&store, &options), "", "all of them were printed");
}

#[test]
fn values_by_a_format() {
    // dtrace-utils test/unittest/printa/tst.basics.r
    let mut store = store(&[
        aggregation(4, [0; 4], &[]),
        aggregation(0, [0; 4], &[]),
        aggregation(7, [1, 1, 9, 0], &[]),
        aggregation(6, [0; 4], &[]),
    ]);
    let mut linear = [0; 11];
    linear[1] = 1;
    let mut quantized = [0; 127];
    quantized[64] = 1;
    for (index, data) in [&[1, 1][..], &[1], &linear, &quantized]
        .into_iter()
        .enumerate()
    {
        store.add(index as u32, vec![], data).expect("fits");
    }
    let options = Options::default();
    assert_eq!(
        printa_by(&mut store, "@a = %@u\n", &[0], &options),
        "@a = 1\n"
    );
    assert_eq!(
        printa_by(&mut store, "@b = %@u\n", &[1], &options),
        "@b = 1\n"
    );
    assert_eq!(
        printa_by(&mut store, "@c = %@d\n", &[2], &options),
        format!(
            "@c = {}\n",
            graph(&[("< 1", 0, 0), ("1", 40, 1), ("2", 0, 0)])
        )
    );
    assert_eq!(
        printa_by(&mut store, "@g = %@d\n", &[3], &options),
        format!(
            "@g = {}\n",
            graph(&[("0", 0, 0), ("1", 40, 1), ("2", 0, 0)])
        )
    );
    assert_eq!(rest(&store, &options), "");
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

#[test]
fn order_by_value_key_and_position() {
    let keys = [INT, Form::String];
    let mut store = store(&[aggregation(0, [0; 4], &keys)]);
    for (number, text, count) in [(1, "c", 5), (2, "b", 3), (3, "a", 5)] {
        let keys = vec![Value::signed(number, 4), Value::text(text)];
        store.add(0, keys, &[count]).expect("fits");
    }
    let mut order = |options: Options| printa_by(&mut store, "%d%s ", &[0], &options);
    let options = Options::default;
    assert_eq!(order(options()), "2b 1c 3a ");
    assert_eq!(
        order(Options {
            aggsortrev: true,
            ..options()
        }),
        "3a 1c 2b "
    );
    assert_eq!(
        order(Options {
            aggsortkey: true,
            ..options()
        }),
        "1c 2b 3a "
    );
    assert_eq!(
        order(Options {
            aggsortkey: true,
            aggsortkeypos: 1,
            ..options()
        }),
        "3a 2b 1c "
    );
    assert_eq!(
        order(Options {
            aggsortkey: true,
            aggsortkeypos: 2,
            ..options()
        }),
        "1c 2b 3a "
    );
    assert_eq!(
        order(Options {
            aggsortkeypos: 1,
            ..options()
        }),
        "2b 3a 1c "
    );
}

#[test]
fn several_aggregations_by_key() {
    // As dtrace-utils test/unittest/multiaggs/tst.{sort,sortpos,zero}.d have it.
    let keys = || vec![Form::String];
    let mut store = store(&[
        aggregation(0, [0; 4], &keys()),
        aggregation(1, [0; 4], &keys()),
        aggregation(3, [0; 4], &keys()),
    ]);
    for (aggregation, key, value) in [(0, "a", 2), (0, "b", 1), (1, "a", 10), (1, "c", 30)] {
        store
            .add(aggregation, vec![Value::text(key)], &[value])
            .expect("fits");
    }
    let options = Options::default;
    let row = |key: &str, values: [i64; 3]| {
        let values = values.map(|value| format!(" {value:16}")).concat();
        format!("  {key:<50}{values}\n")
    };
    assert_eq!(
        printa(&mut store.clone(), &[0, 1, 2], &options()),
        [
            "\n".into(),
            row("c", [0, 30, 0]),
            row("b", [1, 0, 0]),
            row("a", [2, 10, 0])
        ]
        .concat()
    );
    let by_second = Options {
        aggsortpos: 1,
        ..options()
    };
    let text = "%s:%@d,%@d,%@d ";
    assert_eq!(
        printa_by(&mut store, text, &[0, 1, 1], &by_second),
        "b:1,0,0 a:2,10,10 c:0,30,30 "
    );
    // The last one stays if there are more conversions than aggregations.
    assert_eq!(
        printa_by(&mut store, text, &[0, 1], &by_second),
        "b:1,0,0 a:2,10,10 c:0,30,30 "
    );
    let beyond = Options {
        aggsortpos: 9,
        aggsortrev: true,
        ..options()
    };
    assert_eq!(printa_by(&mut store, "%s", &[0, 1], &beyond), "abc");
    assert_eq!(rest(&store, &options()), "", "the third has nothing");
}

#[test]
fn what_printa_did_not_find_is_printed_at_the_end() {
    let mut store = store(&[aggregation(0, [0; 4], &[])]);
    assert_eq!(printa(&mut store, &[0], &Options::default()), "\n");
    store.add(0, vec![], &[3]).expect("fits");
    assert_eq!(rest(&store, &Options::default()), format!(" {:16}\n", 3));
}

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
fn entries_as_objects() {
    let mut store = store(&[
        aggregation(1, [0; 4], &[INT]),
        aggregation(7, [0, 10, 2, 0], &[]),
    ]);
    store
        .add(0, vec![Value::signed(-1, 4)], &[-5_i64 as u64])
        .expect("fits");
    store.add(1, vec![], &[0, 3, 0, 0]).expect("fits");
    store.normalize(0, 2).expect("there");
    let entries = crate::json::rest(&store, &Options::default(), &Small);
    assert_eq!(
        entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            r#"{"kind":"aggregation","name":"a1","function":"sum","keys":[-1],"value":-2,"normal":2}"#,
            r#"{"kind":"aggregation","name":"a7","function":"lquantize","keys":[],"buckets":[{"low":null,"high":-1,"count":0},{"low":0,"high":9,"count":3},{"low":10,"high":19,"count":0}]}"#,
        ]
    );
}

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
