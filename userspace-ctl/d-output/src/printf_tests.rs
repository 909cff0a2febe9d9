// SPDX-License-Identifier: GPL-2.0-only
use d_compiler::check::format::parse;
use d_compiler::compiled::AddressForm;
use proptest::prelude::*;

use super::*;
use crate::testing::Small;

fn shown(format_text: &str, values: &[Value]) -> String {
    let mut out = Vec::new();
    let pieces = parse(format_text).expect(format_text);
    format(&mut out, &pieces, values, &[], &Small).expect(format_text);
    String::from_utf8(out).expect("UTF-8")
}

fn int(value: i32) -> Value {
    Value::signed(value.into(), 4)
}

#[test]
fn every_conversion_of_a_small_number() {
    // dtrace-utils test/unittest/printf/tst.basics.d: 'a' in all of them.
    let short = |signed| Value::Integer {
        value: 97,
        bytes: 2,
        signed,
    };
    let long = Value::unsigned(97, 8);
    assert_eq!(shown("%%c = %c", &[int(97)]), "%c = a");
    for (format, value, expected) in [
        ("%d", int(97), "97"),
        ("%hd", short(true), "97"),
        ("%hi", short(true), "97"),
        ("%ho", short(false), "141"),
        ("%hu", short(false), "97"),
        ("%hx", short(false), "61"),
        ("%hX", short(false), "61"),
        ("%i", int(97), "97"),
        ("%lc", int(97), "a"),
        ("%ld", Value::signed(97, 8), "97"),
        ("%lo", long.clone(), "141"),
        ("%lu", long.clone(), "97"),
        ("%lx", long.clone(), "61"),
        ("%llX", long, "61"),
        ("%o", Value::unsigned(97, 4), "141"),
        ("%p", Value::Pointer(97), "61"),
        ("%s", Value::text("hello"), "hello"),
        ("%u", Value::unsigned(97, 4), "97"),
        ("%x", Value::unsigned(97, 4), "61"),
        ("%X", Value::unsigned(171, 4), "AB"),
    ] {
        assert_eq!(shown(format, &[value]), expected, "{format}");
    }
}

#[test]
fn flags_and_widths() {
    // dtrace-utils test/unittest/printf/tst.flags.d, tst.widths1.d
    assert_eq!(shown("# %#8x", &[int(0x123)]), "#    0x123");
    assert_eq!(shown("0 %08x", &[int(0x123)]), "0 00000123");
    assert_eq!(shown("- %-8x|", &[int(0x123)]), "- 123     |");
    assert_eq!(shown("+ %+8d", &[int(123)]), "+     +123");
    assert_eq!(shown("  % 8d", &[int(123)]), "       123");
    assert_eq!(shown("%?d", &[int(5)]), "               5");
    assert_eq!(
        shown(
            "%*d|%-*d|%*d|",
            &[int(4), int(1), int(4), int(2), int(-4), int(3)]
        ),
        "   1|2   |3   |"
    );
    assert_eq!(
        shown(
            "%.*s|%.2s|%5.1s|%.0s|",
            &[
                int(3),
                Value::text("abcd"),
                Value::text("abcd"),
                Value::text("abcd"),
                Value::text("abcd")
            ]
        ),
        "abc|ab|    a|abcd|"
    );
}

#[test]
fn a_type_decides_about_width_and_sign() {
    let minus = |bytes| Value::signed(-1, bytes);
    assert_eq!(
        shown("%d %d %d", &[minus(1), minus(4), minus(8)]),
        "-1 -1 -1"
    );
    assert_eq!(
        shown("%x %u %x %x", &[minus(1), minus(2), minus(4), minus(8)]),
        "ff 65535 ffffffff ffffffffffffffff"
    );
    let large = Value::unsigned(u64::MAX, 8);
    assert_eq!(shown("%d", &[large]), "18446744073709551615");
}

#[test]
fn text_ends_at_a_nul_and_is_escaped_on_demand() {
    let characters = Value::Characters(b"ab\0cd".to_vec());
    assert_eq!(
        shown("[%s][%6S]", &[characters.clone(), characters]),
        "[ab][    ab]"
    );
    assert_eq!(
        shown("%S", &[Value::text("a\tb\n\"c\\\x01\u{e9}")]),
        "a\\tb\\n\\\"c\\\\\\001\\303\\251"
    );
    assert_eq!(shown("%C%C%C", &[int(0), int(7), int(65)]), "\\0\\aA");
    let wide = "hé\0x"
        .chars()
        .flat_map(|c| (c as u32).to_le_bytes())
        .collect();
    assert_eq!(shown("%ws", &[Value::Bytes(wide)]), "hé");
}

#[test]
fn addresses_by_name() {
    // dtrace-utils test/unittest/printf/tst.sym.d
    assert_eq!(
        shown(
            "%a %a",
            &[Value::Pointer(0x1200), Value::unsigned(0x1234, 8)]
        ),
        "vmlinux`s12 vmlinux`s12+0x34"
    );
    assert_eq!(
        shown("%a %a", &[Value::Pointer(0x9000), Value::Pointer(0x10)]),
        "vmlinux`0x9000 0x10"
    );
    let of = |form, address| Value::User {
        form,
        pid: 42,
        address,
    };
    assert_eq!(
        shown(
            "%A|%10A",
            &[
                of(AddressForm::UserAddress, 0x4110),
                of(AddressForm::UserModule, 0x4110)
            ]
        ),
        "libc.so.6`read+0x10| libc.so.6"
    );
    assert_eq!(
        shown("%-10a|", &[Value::Kernel(AddressForm::Module, 0x4110)]),
        "vmlinux   |"
    );
    assert_eq!(shown("%A", &[Value::Pointer(0x4110)]), "0x4110");
}

#[test]
fn stacks_take_lines() {
    let stack = || Value::Stack(vec![0x1010, 0x2000, 0, 0x3000]);
    assert_eq!(shown("%k", &[stack()]), "\nvmlinux`s10+0x10\nvmlinux`s20\n");
    assert_eq!(
        shown("%-3k", &[stack()]),
        "\n   vmlinux`s10+0x10\n   vmlinux`s20\n"
    );
    assert_eq!(
        shown("%14k", &[stack()]),
        "\nvmlinux`s10+0x10\n   vmlinux`s20\n"
    );
}

#[test]
fn points_in_time() {
    let time = Value::unsigned(123_456_789_000_000_000, 8);
    assert_eq!(shown("%Y", &[time.clone()]), "1973 Nov 29 21:33:09");
    assert_eq!(shown("%T", &[time]), "Thu, 29 Nov 1973 21:33:09 UTC");
}

#[test]
fn what_does_not_fit_is_an_error() {
    for (text, values) in [
        ("%d", vec![]),
        ("%d", vec![Value::text("x")]),
        ("%s", vec![int(1)]),
        ("%k", vec![int(1)]),
        ("%*d", vec![Value::text("x"), int(1)]),
        ("%@d", vec![]),
    ] {
        let pieces = parse(text).expect(text);
        let mut out = Vec::new();
        assert!(
            format(&mut out, &pieces, &values, &[], &Small).is_err(),
            "{text}"
        );
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (any::<u64>(), any::<u8>(), any::<bool>()).prop_map(|(value, bytes, signed)| {
            Value::Integer {
                value,
                bytes,
                signed,
            }
        }),
        any::<u64>().prop_map(Value::Pointer),
        any::<Vec<u8>>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        any::<Vec<u8>>().prop_map(Value::Characters),
        any::<Vec<u64>>().prop_map(Value::Stack),
        any::<u64>().prop_map(|address| Value::Kernel(AddressForm::Module, address)),
    ]
}

proptest! {
    #[test]
    fn no_format_and_no_value_panics(
        text in "(%[-+ #0'@]{0,3}[0-9]{0,3}(\\.[0-9]{0,3})?(l|h|w|ll)?[a-zA-Z]|[a-z%]){0,6}",
        values in proptest::collection::vec(any_value(), 0..8),
    ) {
        if let Ok(pieces) = parse(&text) {
            let mut out = Vec::new();
            let _ = format(&mut out, &pieces, &values, &[], &Small);
        }
    }

    #[test]
    fn numbers_read_back(value: i64, width in 0_u32..30, left: bool, zero: bool) {
        let flags = [if left { "-" } else { "" }, if zero && !left { "0" } else { "" }].concat();
        let width = if width == 0 { String::new() } else { width.to_string() };
        let text = shown(&format!("%{flags}{width}d"), &[Value::signed(value, 8)]);
        prop_assert_eq!(text.trim().parse::<i64>().expect("a number"), value);
        prop_assert!(text.len() >= width.parse().unwrap_or(0));
    }
}
