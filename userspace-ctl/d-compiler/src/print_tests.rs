// SPDX-License-Identifier: GPL-2.0-only
//! Tests of `print()`'s rendering, the results of dtrace's own tests among them.

use super::{print, print_at};
use crate::btf::tests::kernel;
use crate::types::{Field, Intrinsic, Named, TypeId, Types};

fn field(name: &str, ty: TypeId) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        bits: None,
    }
}

fn record(types: &mut Types, union: bool, tag: Option<&str>, fields: &[Field]) -> TypeId {
    let ty = types.begin_record(union, tag).unwrap();
    types.complete_record(ty, fields).unwrap();
    ty
}

/// Lines without their 44 columns.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| line.strip_prefix(&" ".repeat(44)).unwrap_or(line))
        .collect()
}

/// The struct of dtrace's test/unittest/print/tst.print.local.d.
fn test_struct(types: &mut Types) -> TypeId {
    let int = types.intrinsic(Intrinsic::Int);
    let char = types.intrinsic(Intrinsic::Char);
    let text = types.array_of(char, 5).unwrap();
    let byte = types.intrinsic(Intrinsic::UnsignedChar);
    let c = types.declare_typedef("__u8", byte).unwrap();
    let long = types.intrinsic(Intrinsic::UnsignedLongLong);
    let d = types.declare_typedef("__u64", long).unwrap();
    let u = record(types, true, None, &[field("c", c), field("d", d)]);
    let pointer = types.intrinsic(Intrinsic::VoidPointer);
    let uint64 = types.intrinsic(Intrinsic::Uint64);
    let s = record(
        types,
        false,
        None,
        &[field("e", pointer), field("f", uint64)],
    );
    let bool = types.lookup(None, Named::Typedef("bool")).unwrap();
    let eh = types
        .declare_enum(
            Some("eh"),
            &[
                ("FIRSTVAL".to_owned(), Some(0)),
                ("SECONDVAL".to_owned(), Some(1)),
                ("THIRDVAL".to_owned(), Some(3)),
            ],
        )
        .unwrap();
    let fields = [
        field("a", int),
        field("b", text),
        field("u", u),
        field("s", s),
        field("g", bool),
        field("h", eh),
    ];
    record(types, false, Some("test_struct"), &fields)
}

fn test_bytes() -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[0] = 1;
    bytes[4..9].copy_from_slice(b"test\0");
    bytes[16..24].copy_from_slice(&123_456_789u64.to_le_bytes());
    bytes[24..32].copy_from_slice(&0xffff_9b7a_ca7e_0000u64.to_le_bytes());
    bytes[32..40].copy_from_slice(&987_654_321u64.to_le_bytes());
    bytes[40] = 1;
    bytes[44] = 1;
    bytes
}

#[test]
fn a_struct_is_shown_as_dtrace_shows_it() {
    let mut types = Types::new(None);
    let ty = test_struct(&mut types);
    let text = print_at(&types, 0xffff_8de0_c0f3_e400, ty, &test_bytes());
    assert!(text.ends_with("}\n"));
    assert_eq!(
        lines(&text),
        [
            "0xffff8de0c0f3e400 = *",
            "(struct test_struct) {",
            " .a = (int)1,",
            " .b = (char [5]) [",
            "  (char)'t',",
            "  (char)'e',",
            "  (char)'s',",
            "  (char)'t',",
            " ],",
            " .u = (union) {",
            "  .c = (__u8)21,",
            "  .d = (__u64)123456789,",
            " },",
            " .s = (struct) {",
            "  .e = (void *)0xffff9b7aca7e0000,",
            "  .f = (uint64_t)987654321,",
            " },",
            " .g = (bool)1,",
            " .h = (enum eh)SECONDVAL,",
            "}",
        ]
    );
}

#[test]
fn what_is_zero_is_left_out_and_text_ends_with_its_nul() {
    let mut types = Types::new(None);
    let ty = test_struct(&mut types);
    let mut bytes = vec![0; 48];
    bytes[4..9].copy_from_slice(b"\0est\0");
    bytes[40] = 1;
    assert_eq!(
        lines(&print(&types, ty, &bytes)),
        [
            "(struct test_struct) {",
            " .b = (char [5]) [",
            " ],",
            " .g = (bool)1,",
            "}"
        ]
    );
    assert_eq!(
        lines(&print(&types, ty, &[0; 48])),
        ["(struct test_struct) {", "}"]
    );
}

#[test]
fn what_lies_behind_the_bytes_is_an_ellipsis() {
    let mut types = Types::new(None);
    let ty = test_struct(&mut types);
    let bytes = test_bytes();
    let text = print(&types, ty, &bytes[..8]);
    assert_eq!(lines(&text)[7..], [" ],", " ...", "}"]);
    // The ellipsis of what follows a union comes before that is closed, as in dtrace.
    let text = print(&types, ty, &bytes[..24]);
    assert_eq!(
        lines(&text)[8..],
        [
            " .u = (union) {",
            "  .c = (__u8)21,",
            "  .d = (__u64)123456789,",
            " ...",
            " },",
            "}"
        ]
    );
    assert_eq!(lines(&print(&types, ty, &[])), ["..."]);
}

#[test]
fn structs_nest_to_a_depth_of_ten() {
    let mut types = Types::new(None);
    let int = types.intrinsic(Intrinsic::Int);
    let mut ty = int;
    for _ in 0..12 {
        ty = record(&mut types, false, None, &[field("m", ty)]);
    }
    let text = print(&types, ty, &1u32.to_le_bytes());
    let lines = lines(&text);
    assert_eq!(lines[9], "         .m = (struct) {");
    assert_eq!(lines[10], "          ...");
    assert_eq!(lines[11], "         },");
    assert_eq!(lines.last(), Some(&"}"));
    assert_eq!(lines.len(), 21);
}

#[test]
fn numbers_are_shown_by_their_type() {
    let types = Types::new(None);
    let show = |which, bytes: &[u8]| {
        print(&types, types.intrinsic(which), bytes)
            .trim()
            .to_owned()
    };
    assert_eq!(show(Intrinsic::Int, &[0xff; 4]), "(int)-1,");
    assert_eq!(
        show(Intrinsic::UnsignedInt, &[0xff; 4]),
        "(unsigned int)4294967295,"
    );
    assert_eq!(
        show(Intrinsic::Uint64, &[0xff; 8]),
        "(uint64_t)18446744073709551615,"
    );
    assert_eq!(show(Intrinsic::Int64, &[0xff; 8]), "(int64_t)-1,");
    assert_eq!(show(Intrinsic::Short, &[0, 0x80]), "(short)-32768,");
    assert_eq!(show(Intrinsic::Char, b"a"), "(char)'a',");
    assert_eq!(show(Intrinsic::Char, b"\n"), "(char)'\\x0a',");
    assert_eq!(show(Intrinsic::Int8, b"a"), "(int8_t)97,");
    assert_eq!(show(Intrinsic::VoidPointer, &[0; 8]), "(void *)0x0,");
    assert_eq!(
        show(Intrinsic::Double, &1.5f64.to_le_bytes()),
        "(double)1.5,"
    );
    assert_eq!(show(Intrinsic::String, b"it\0other"), "(string)\"it\",");
    assert_eq!(show(Intrinsic::Void, &[0; 8]), "");
}

#[test]
fn bit_fields_have_their_bits_only() {
    let mut types = Types::new(None);
    let int = types.intrinsic(Intrinsic::Int);
    let unsigned = types.intrinsic(Intrinsic::UnsignedInt);
    let bits = |name: &str, ty, bits| Field {
        name: name.to_owned(),
        ty,
        bits: Some(bits),
    };
    let ty = record(
        &mut types,
        false,
        Some("bits"),
        &[
            bits("a", int, 3),
            bits("", int, 2),
            bits("b", unsigned, 5),
            bits("c", unsigned, 20),
            bits("none", unsigned, 2),
        ],
    );
    assert_eq!(types.size(ty), Some(8));
    let bytes = [0b1111, 0b11, 0b1_0101, 0, 0xde, 0xbc, 0x5a, 0];
    assert_eq!(
        lines(&print(&types, ty, &bytes)),
        [
            "(struct bits) {",
            " .a = (int)-1,",
            " .b = (unsigned int)21,",
            " .c = (unsigned int)703710,",
            "}"
        ]
    );
}

#[test]
fn structs_in_arrays_are_shown_with_their_members() {
    let mut types = Types::new(None);
    let int = types.intrinsic(Intrinsic::Int);
    let point = record(
        &mut types,
        false,
        Some("point"),
        &[field("x", int), field("y", int)],
    );
    let points = types.array_of(point, 3).unwrap();
    let mut bytes = [0; 24];
    bytes[0] = 1;
    bytes[20] = 2;
    assert_eq!(
        lines(&print(&types, points, &bytes)),
        [
            "(struct point [3]) [",
            " (struct point) {",
            "  .x = (int)1,",
            " },",
            " (struct point) {",
            "  .y = (int)2,",
            " },",
            "],",
        ]
    );
}

#[test]
fn enumerations_and_unknown_values_of_them() {
    let types = Types::new(Some(kernel()));
    let state = types.lookup(None, Named::Enum("state")).unwrap();
    let wide = types.lookup(None, Named::Enum("wide")).unwrap();
    assert_eq!(
        print(&types, state, &0x80u32.to_le_bytes()).trim(),
        "(enum state)DEAD,"
    );
    assert_eq!(
        print(&types, state, &[0xff; 4]).trim(),
        "(enum state)4294967295,"
    );
    assert_eq!(
        print(&types, wide, &(-(1i64 << 40)).to_le_bytes()).trim(),
        "(enum wide)WIDE,"
    );
}

#[test]
fn a_struct_of_the_kernel_with_anonymous_members() {
    let types = Types::new(Some(kernel()));
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    let mut bytes = [0; 56];
    bytes[0] = 7;
    bytes[4..7].copy_from_slice(b"init"[..3].as_ref());
    bytes[24] = 9;
    bytes[40] = 0b1101;
    bytes[44] = 0x80;
    assert_eq!(
        lines(&print(&types, task, &bytes)),
        [
            "(struct task_struct) {",
            " .pid = (int)7,",
            " .comm = (char [16]) [",
            "  (char)'i',",
            "  (char)'n',",
            "  (char)'i',",
            " ],",
            " (union) {",
            "  .usage = (int)9,",
            "  .stack = (long unsigned int)9,",
            " },",
            " .policy = (int)-3,",
            " .flag = (int)-1,",
            " .state = (enum state)DEAD,",
            "}",
        ]
    );
}
