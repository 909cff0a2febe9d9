// SPDX-License-Identifier: GPL-2.0-only
//! Keys and values as they are printed.

use d_compiler::compiled::{AddressForm, Part};

use super::*;
use crate::testing::{aggregation, entry, number, string};

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
fn what_printa_did_not_find_is_printed_at_the_end() {
    let mut store = store(&[aggregation(0, [0; 4], &[])]);
    assert_eq!(printa(&mut store, &[0], &Options::default()), "\n");
    store.add(0, vec![], &[3]).expect("fits");
    assert_eq!(rest(&store, &Options::default()), format!(" {:16}\n", 3));
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
