// SPDX-License-Identifier: GPL-2.0-only
//! In which order entries are printed, of one aggregation and of several.

use super::*;
use crate::testing::aggregation;

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
