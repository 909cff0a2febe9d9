// SPDX-License-Identifier: GPL-2.0-only
//! Where members lie: as GCC 14.2 lays them on x86-64, but for bit-fields, which lie as libctf lays
//! them.

use proptest::prelude::*;

use super::*;

#[test]
fn members_lie_where_gcc_puts_them() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let plain = record(
        &mut types,
        false,
        "plain",
        &[
            field("a", b.char),
            field("b", b.short),
            field("c", b.char),
            field("d", b.int),
            field("e", b.char),
            field("f", b.long),
            field("g", b.char),
        ],
    );
    assert_eq!(layout(&types, plain), (32, 8));
    let offsets = ["a", "b", "c", "d", "e", "f", "g"].map(|name| bytes_at(&types, plain, name));
    assert_eq!(offsets, [0, 2, 4, 8, 12, 16, 24]);

    let wide = record(
        &mut types,
        false,
        "wide",
        &[
            field("a", b.char),
            field("b", b.long_double),
            field("c", b.char),
        ],
    );
    assert_eq!(layout(&types, wide), (48, 16));
    assert_eq!(bytes_at(&types, wide, "c"), 32);

    let five = types.array_of(b.char, 5).unwrap();
    let union = record(
        &mut types,
        true,
        "un",
        &[field("a", five), field("b", b.int)],
    );
    assert_eq!(layout(&types, union), (8, 4));
    let with = record(
        &mut types,
        false,
        "with",
        &[field("a", b.char), field("u", union), field("b", b.char)],
    );
    assert_eq!(layout(&types, with), (16, 4));
    assert_eq!(
        (bytes_at(&types, with, "u"), bytes_at(&types, with, "b")),
        (4, 12)
    );

    let row = types.array_of(b.int, 2).unwrap();
    let rows = types.array_of(row, 3).unwrap();
    let arrays = record(
        &mut types,
        false,
        "arrays",
        &[field("c", b.char), field("a", rows), field("s", b.short)],
    );
    assert_eq!(layout(&types, arrays), (32, 4));
    assert_eq!(bytes_at(&types, arrays, "s"), 28);

    let open = types.array_of(b.char, 0).unwrap();
    let flexible = record(
        &mut types,
        false,
        "flexible",
        &[field("n", b.int), field("s", open)],
    );
    assert_eq!(layout(&types, flexible), (4, 4));
    assert_eq!(bytes_at(&types, flexible, "s"), 4);
}

#[test]
fn bit_fields_lie_where_libctf_puts_them() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let b1 = record(
        &mut types,
        false,
        "b1",
        &[
            bits("a", b.int, 3),
            bits("b", b.int, 5),
            bits("c", b.unsigned, 25),
            bits("d", b.unsigned, 1),
        ],
    );
    assert_eq!(layout(&types, b1), (9, 1));
    assert_eq!(at(&types, b1, "b"), (8, Some(5)));
    assert_eq!(at(&types, b1, "c"), (32, Some(25)));
    assert_eq!(at(&types, b1, "d"), (64, Some(1)));
    let b2 = record(
        &mut types,
        false,
        "b2",
        &[
            field("a", b.char),
            bits("b", b.int, 4),
            bits("c", b.int, 30),
        ],
    );
    assert_eq!(layout(&types, b2), (8, 4));
    assert_eq!((at(&types, b2, "b").0, at(&types, b2, "c").0), (8, 32));
    let b3 = record(
        &mut types,
        false,
        "b3",
        &[field("a", b.char), bits("", b.int, 0), field("b", b.char)],
    );
    assert_eq!(layout(&types, b3), (5, 1));
    assert_eq!(bytes_at(&types, b3, "b"), 4);
    let b4 = record(
        &mut types,
        false,
        "b4",
        &[field("a", b.char), bits("", b.int, 5), field("b", b.char)],
    );
    assert_eq!(layout(&types, b4), (3, 1));
    assert_eq!(bytes_at(&types, b4, "b"), 2);
    let b5 = record(
        &mut types,
        false,
        "b5",
        &[
            field("a", b.char),
            bits("b", b.long, 40),
            bits("c", b.long, 30),
        ],
    );
    assert_eq!(layout(&types, b5), (20, 1));
    assert_eq!((at(&types, b5, "b").0, at(&types, b5, "c").0), (64, 128));
    let b6 = record(
        &mut types,
        false,
        "b6",
        &[
            bits("a", b.short, 9),
            bits("b", b.short, 9),
            bits("c", b.char, 3),
        ],
    );
    assert_eq!(layout(&types, b6), (5, 1));
    assert_eq!((at(&types, b6, "b").0, at(&types, b6, "c").0), (16, 32));
    let b7 = record(
        &mut types,
        false,
        "b7",
        &[
            bits("a", b.char, 3),
            bits("b", b.int, 20),
            bits("c", b.long, 45),
            bits("d", b.short, 2),
        ],
    );
    assert_eq!(layout(&types, b7), (16, 8));
    let offsets = ["a", "b", "c", "d"].map(|name| at(&types, b7, name).0);
    assert_eq!(offsets, [0, 32, 64, 112]);
    let union = record(
        &mut types,
        true,
        "ub",
        &[bits("a", b.int, 3), field("b", b.char)],
    );
    assert_eq!(layout(&types, union), (1, 1));
}

#[test]
fn members_of_anonymous_members_are_found_with_their_place() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let inner = record(
        &mut types,
        false,
        "",
        &[field("x", b.int), bits("y", b.int, 7)],
    );
    let middle = record(
        &mut types,
        true,
        "",
        &[field("", inner), field("z", b.long)],
    );
    let outer = record(
        &mut types,
        false,
        "outer",
        &[field("first", b.long), field("", middle)],
    );
    assert_eq!(at(&types, outer, "z"), (64, None));
    assert_eq!(at(&types, outer, "x"), (64, None));
    assert_eq!(at(&types, outer, "y"), (96, Some(7)));
    assert_eq!(types.member(outer, "w"), None);
    assert_eq!(types.member(outer, ""), None);
    assert_eq!(types.member(b.int, "x"), None);
    let error = try_record(
        &mut types,
        false,
        "twice",
        &[field("x", b.int), field("", inner)],
    );
    assert_eq!(error.unwrap_err().tag, "D_UNKNOWN");
}

#[test]
fn a_record_can_point_to_itself_and_is_incomplete_until_it_ends() {
    let mut types = Types::new(None);
    let int = types.intrinsic(Intrinsic::Int);
    let named = types.record(false, "list");
    assert_eq!(types.size(named), None);
    assert_eq!(types.name(named), "struct list");
    let list = types.begin_record(false, Some("list")).unwrap();
    assert_eq!(list, named);
    let next = types.pointer_to(list);
    let error = types
        .complete_record(list, &[field("itself", list)])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "[D_DECL_INCOMPLETE] incomplete struct/union/enum struct list: itself"
    );
    types
        .complete_record(list, &[field("value", int), field("next", next)])
        .unwrap();
    assert_eq!(types.size(named), Some(16));
    let next = types.member(list, "next").unwrap();
    let of_next = types.pointee(next.ty).unwrap();
    assert_eq!(bytes_at(&types, of_next, "next"), 8);
    assert_eq!(types.record(false, "list"), list);
    assert_ne!(
        types.record(true, "list"),
        list,
        "unions have tags of their own here"
    );
}

#[test]
fn a_string_that_is_a_member_takes_as_many_bytes_as_it_may_have() {
    let mut types = Types::new(None);
    types.set_string_bytes(10);
    let (int, string) = (
        types.intrinsic(Intrinsic::Int),
        types.intrinsic(Intrinsic::String),
    );
    let fields = [field("a", string), field("b", int), field("c", string)];
    let ty = record(&mut types, false, "named", &fields);
    assert_eq!(bytes_at(&types, ty, "b"), 12);
    assert_eq!(bytes_at(&types, ty, "c"), 16);
    assert_eq!(layout(&types, ty), (28, 4));
}

#[test]
fn each_string_of_an_array_takes_as_many_bytes_as_it_may_have() {
    let mut types = Types::new(None);
    types.set_string_bytes(10);
    let (int, string) = (
        types.intrinsic(Intrinsic::Int),
        types.intrinsic(Intrinsic::String),
    );
    let three = types.array_of(string, 3).unwrap();
    assert_eq!(layout(&types, three), (30, 1));
    assert_eq!((types.size(string), types.room(string)), (None, Some(10)));
    let fields = [field("a", three), field("b", int)];
    let ty = record(&mut types, false, "named", &fields);
    assert_eq!(bytes_at(&types, ty, "b"), 32);
}

/// A member of a random record: which basic type, how many of it (0: no array), bits.
type Shape = (usize, u32, Option<u64>);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    prop::collection::vec((0usize..6, 0u32..4, prop::option::of(0u64..=64)), 1..20)
}

proptest! {
    #[test]
    fn layouts_keep_their_invariants(shapes in shapes(), union in any::<bool>()) {
        let mut types = Types::new(None);
        let of = [
            Intrinsic::Char, Intrinsic::Short, Intrinsic::Int, Intrinsic::Long,
            Intrinsic::LongDouble, Intrinsic::VoidPointer,
        ].map(|which| types.intrinsic(which));
        let mut fields = Vec::new();
        for (index, &(which, count, width)) in shapes.iter().enumerate() {
            let name = format!("m{index}");
            let size = types.size(of[which]).unwrap();
            fields.push(match width {
                Some(0) if which < 4 => bits("", of[which], 0),
                Some(width) if which < 4 => bits(&name, of[which], width.min(8 * size)),
                _ if count > 0 => field(&name, types.array_of(of[which], count).unwrap()),
                _ => field(&name, of[which]),
            });
        }
        let ty = record(&mut types, union, "random", &fields);
        let (size, align) = layout(&types, ty);
        prop_assert_eq!(size % align, 0);
        let mut end = 0;
        for field in fields.iter().filter(|field| !field.name.is_empty()) {
            let member = types.member(ty, &field.name).unwrap();
            let offset = u64::from(member.bit_offset);
            let unit = 8 * types.size(field.ty).unwrap();
            let width = field.bits.unwrap_or(unit);
            let own = types.align(field.ty).unwrap();
            match field.bits {
                // It can be read with one access of its type.
                Some(bits) => prop_assert_eq!(offset / unit, (offset + bits - 1) / unit),
                None => {
                    prop_assert_eq!(align % own, 0);
                    prop_assert_eq!(offset % (8 * own), 0);
                }
            }
            if union {
                prop_assert_eq!(offset, 0);
            } else {
                prop_assert!(offset >= end, "members lie above each other");
                // No more is left free than alignment needs.
                let room = 8 * fields.iter().map(|field| types.size(field.ty).unwrap()).max().unwrap().max(16);
                prop_assert!(offset - end < 2 * room);
                end = offset + width;
            }
            prop_assert!(offset + width <= 8 * size);
        }
    }
}
