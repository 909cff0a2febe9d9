// SPDX-License-Identifier: GPL-2.0-only
//! Tests of types. Layouts are those that GCC 14.2 gives on x86-64, but for bit-fields, which lie
//! as libctf lays them.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::btf::tests::kernel;

fn field(name: &str, ty: TypeId) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        bits: None,
    }
}

fn bits(name: &str, ty: TypeId, bits: u64) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        bits: Some(bits),
    }
}

fn try_record(
    types: &mut Types,
    union: bool,
    tag: &str,
    fields: &[Field],
) -> Result<TypeId, TypeError> {
    let ty = types.begin_record(union, (!tag.is_empty()).then_some(tag))?;
    types.complete_record(ty, fields)?;
    Ok(ty)
}

fn record(types: &mut Types, union: bool, tag: &str, fields: &[Field]) -> TypeId {
    try_record(types, union, tag, fields).unwrap()
}

fn layout(types: &Types, ty: TypeId) -> (u64, u64) {
    (types.size(ty).unwrap(), types.align(ty).unwrap())
}

fn at(types: &Types, ty: TypeId, name: &str) -> (u32, Option<u32>) {
    let member = types.member(ty, name).unwrap();
    (member.bit_offset, member.bits)
}

fn bytes_at(types: &Types, ty: TypeId, name: &str) -> u32 {
    let (offset, bits) = at(types, ty, name);
    assert_eq!((offset % 8, bits), (0, None));
    offset / 8
}

/// The basic types by short names.
struct Basic {
    char: TypeId,
    short: TypeId,
    int: TypeId,
    long: TypeId,
    unsigned: TypeId,
    long_double: TypeId,
}

fn basic(types: &Types) -> Basic {
    Basic {
        char: types.intrinsic(Intrinsic::Char),
        short: types.intrinsic(Intrinsic::Short),
        int: types.intrinsic(Intrinsic::Int),
        long: types.intrinsic(Intrinsic::Long),
        unsigned: types.intrinsic(Intrinsic::UnsignedInt),
        long_double: types.intrinsic(Intrinsic::LongDouble),
    }
}

#[test]
fn intrinsic_types_are_called_as_they_are() {
    let types = Types::new(None);
    for (which, name, bytes) in [
        (Intrinsic::Char, "char", 1),
        (Intrinsic::UnsignedShort, "unsigned short", 2),
        (Intrinsic::Int, "int", 4),
        (Intrinsic::LongLong, "long long", 8),
        (Intrinsic::UnsignedLongLong, "unsigned long long", 8),
        (Intrinsic::Bool, "_Bool", 1),
        (Intrinsic::LongDouble, "long double", 16),
        (Intrinsic::VoidPointer, "void *", 8),
        (Intrinsic::CharPointer, "char *", 8),
        (Intrinsic::ConstCharPointer, "const char *", 8),
        (Intrinsic::Int8, "int8_t", 1),
        (Intrinsic::Uint64, "uint64_t", 8),
        (Intrinsic::Intptr, "intptr_t", 8),
        (Intrinsic::Size, "size_t", 8),
        (Intrinsic::Pid, "pid_t", 4),
        (Intrinsic::Uid, "uid_t", 4),
        (Intrinsic::Gid, "gid_t", 4),
    ] {
        let ty = types.intrinsic(which);
        assert_eq!(types.name(ty), name);
        assert_eq!(types.size(ty), Some(bytes), "{name}");
        if name.ends_with("_t") {
            assert_eq!(types.lookup(None, Named::Typedef(name)), Some(ty));
        }
    }
    let string = types.intrinsic(Intrinsic::String);
    assert_eq!(types.name(string), "string");
    assert_eq!(types.size(string), None);
    assert_eq!(types.size(types.intrinsic(Intrinsic::Void)), None);
}

#[test]
fn derived_types_are_called_as_c_declares_them() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let pointer = types.pointer_to(b.int);
    let pointers = types.array_of(pointer, 3).unwrap();
    assert_eq!(types.name(pointers), "int *[3]");
    let row = types.array_of(b.int, 5).unwrap();
    assert_eq!(types.name(row), "int [5]");
    let table = types.array_of(row, 3).unwrap();
    assert_eq!(types.name(table), "int [3][5]");
    assert_eq!(types.size(table), Some(60));
    let to_row = types.pointer_to(row);
    assert_eq!(types.name(to_row), "int (*)[5]");
    let text = types.intrinsic(Intrinsic::ConstCharPointer);
    let function = types
        .function_of(pointer, vec![text, b.long], true)
        .unwrap();
    assert_eq!(types.name(function), "int *(const char *, long, ...)");
    let to_function = types.pointer_to(function);
    assert_eq!(types.name(to_function), "int *(*)(const char *, long, ...)");
    let constant = types.constant(pointer);
    assert_eq!(types.name(constant), "int *const");
    let to_constant = types.pointer_to(constant);
    assert_eq!(types.name(to_constant), "int *const *");
    let open = types.array_of(b.char, 0).unwrap();
    assert_eq!(types.name(open), "char []");
    let hidden = record(&mut types, false, "", &[field("a", b.int)]);
    assert_eq!(types.name(hidden), "struct");
    let nothing = types.function_of(b.int, Vec::new(), false).unwrap();
    assert_eq!(types.name(nothing), "int (void)");
}

#[test]
fn deriving_twice_gives_the_same_type() {
    let mut types = Types::new(None);
    let int = types.intrinsic(Intrinsic::Int);
    assert_eq!(types.pointer_to(int), types.pointer_to(int));
    assert_eq!(types.array_of(int, 2), types.array_of(int, 2));
    let void = types.intrinsic(Intrinsic::Void);
    assert_eq!(
        types.pointer_to(void),
        types.intrinsic(Intrinsic::VoidPointer)
    );
}

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
fn what_cannot_be_declared_is_refused_with_its_tag() {
    let mut types = Types::new(None);
    let b = basic(&types);
    let void = types.intrinsic(Intrinsic::Void);
    let float = types.intrinsic(Intrinsic::Float);
    let forward = types.record(false, "never");
    let open = types.array_of(b.int, 0).unwrap();
    for (fields, tag) in [
        (vec![field("a", void)], "D_DECL_VOIDOBJ"),
        (vec![field("a", forward)], "D_DECL_INCOMPLETE"),
        (vec![field("", b.int)], "D_DECL_MNAME"),
        (vec![field("a", open), field("b", b.int)], "D_DECL_VOIDOBJ"),
        (vec![bits("a", b.int, 0)], "D_DECL_BFCONST"),
        (vec![bits("a", float, 3)], "D_DECL_BFTYPE"),
        (vec![bits("a", b.int, 33)], "D_DECL_BFSIZE"),
        (vec![field("a", b.int), field("a", b.long)], "D_UNKNOWN"),
    ] {
        let error = try_record(&mut types, false, "", &fields).unwrap_err();
        assert_eq!(error.tag, tag, "{fields:?}");
    }
    record(&mut types, false, "once", &[field("a", b.int)]);
    let error = try_record(&mut types, false, "once", &[field("a", b.int)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[D_DECL_TYPERED] type redeclared: struct once"
    );
    record(&mut types, true, "once", &[field("a", b.int)]);

    assert_eq!(types.array_of(void, 3).unwrap_err().tag, "D_DECL_VOIDOBJ");
    assert_eq!(
        types.array_of(b.long, u32::MAX).unwrap_err().tag,
        "D_DECL_ARRBIG"
    );
    let big = types.array_of(b.char, u32::MAX).unwrap();
    let error = try_record(&mut types, false, "", &[field("a", big)]).unwrap_err();
    assert_eq!(error.tag, "D_DECL_ARRBIG");
    assert_eq!(
        types.function_of(b.int, vec![void], false).unwrap_err().tag,
        "D_DECL_PROTO_TYPE"
    );
    assert_eq!(
        types.function_of(big, vec![], false).unwrap_err().tag,
        "D_DECL_COMBO"
    );

    types.declare_typedef("mine", b.int).unwrap();
    // Of the language's names these may be defined, once.
    let ipaddr = types.declare_typedef("ipaddr_t", b.int).unwrap();
    assert_eq!(types.lookup(None, Named::Typedef("ipaddr_t")), Some(ipaddr));
    assert_eq!(
        types.declare_typedef("ipaddr_t", b.int).unwrap_err().tag,
        "D_DECL_IDRED"
    );
    let error = types.declare_typedef("mine", b.int).unwrap_err();
    assert_eq!(error.to_string(), "[D_DECL_IDRED] typedef redeclared: mine");
    assert_eq!(
        types.declare_typedef("uint8_t", b.int).unwrap_err().tag,
        "D_DECL_IDRED"
    );
}

#[test]
fn enumerators_count_on_and_are_known() {
    let mut types = Types::new(None);
    let values = |list: &[(&str, Option<i64>)]| -> Vec<(String, Option<i64>)> {
        list.iter()
            .map(|&(name, value)| (name.to_owned(), value))
            .collect()
    };
    let ty = types
        .declare_enum(
            Some("colour"),
            &values(&[("RED", None), ("GREEN", Some(7)), ("BLUE", None)]),
        )
        .unwrap();
    assert_eq!(types.enumerator(None, "RED"), Some((0, ty)));
    assert_eq!(types.enumerator(None, "BLUE"), Some((8, ty)));
    assert_eq!(types.enumerator(Some("D"), "GREEN"), Some((7, ty)));
    assert_eq!(types.lookup(None, Named::Enum("colour")), Some(ty));
    assert_eq!(types.name(ty), "enum colour");
    assert_eq!(layout(&types, ty), (4, 4));
    for (tag, list, refused) in [
        (Some("colour"), values(&[("OTHER", None)]), "D_DECL_TYPERED"),
        (None, values(&[("RED", None)]), "D_DECL_IDRED"),
        (None, values(&[("A", None), ("A", None)]), "D_DECL_IDRED"),
        (None, values(&[("A", Some(1 << 31))]), "D_DECL_ENOFLOW"),
        (
            None,
            values(&[("A", Some(i64::from(i32::MAX))), ("B", None)]),
            "D_DECL_ENOFLOW",
        ),
    ] {
        assert_eq!(types.declare_enum(tag, &list).unwrap_err().tag, refused);
        assert_eq!(
            types
                .enumerator(None, "OTHER")
                .or(types.enumerator(None, "B")),
            None
        );
    }
}

#[test]
fn the_wider_number_wins_and_the_unsigned_one_of_two() {
    let mut types = Types::new(None);
    use Intrinsic as I;
    for (left, right, result) in [
        (I::Char, I::Char, I::Char),
        (I::Char, I::UnsignedChar, I::UnsignedChar),
        (I::Char, I::Int, I::Int),
        (I::UnsignedShort, I::Int, I::Int),
        (I::Int, I::UnsignedInt, I::UnsignedInt),
        (I::UnsignedInt, I::Long, I::Long),
        (I::Long, I::UnsignedLong, I::UnsignedLong),
        (I::Long, I::LongLong, I::LongLong),
        (I::LongLong, I::UnsignedLong, I::UnsignedLong),
    ] {
        let ids = [left, right].map(|which| types.intrinsic(which));
        let result = Some(types.intrinsic(result));
        assert_eq!(
            types.arithmetic(ids[0], ids[1]),
            result,
            "{left:?} {right:?}"
        );
        assert_eq!(
            types.arithmetic(ids[1], ids[0]),
            result,
            "{right:?} {left:?}"
        );
    }
    // Typedefs stay, enumerations are ints.
    let [pid, int, pointer] = [I::Pid, I::Int, I::VoidPointer].map(|which| types.intrinsic(which));
    assert_eq!(types.arithmetic(pid, int), Some(pid));
    assert_eq!(types.arithmetic(pid, pointer), None);
    let colour = types
        .declare_enum(None, &[("RED".to_owned(), None)])
        .unwrap();
    assert_eq!(types.arithmetic(colour, colour), Some(int));
    assert_eq!(types.promote(colour), int);
    assert_eq!(
        types.number(colour),
        Some(Number {
            bytes: 4,
            signed: true
        })
    );
}

#[test]
fn pointers_are_compatible_to_one_type_or_to_void() {
    let mut types = Types::new(Some(kernel()));
    let [int, long, unsigned] = [Intrinsic::Int, Intrinsic::Long, Intrinsic::UnsignedInt]
        .map(|which| types.intrinsic(which));
    let void = types.intrinsic(Intrinsic::VoidPointer);
    let to_int = types.pointer_to(int);
    let to_long = types.pointer_to(long);
    let to_unsigned = types.pointer_to(unsigned);
    let ints = types.array_of(int, 3).unwrap();
    let constant = types.constant(int);
    let to_constant = types.pointer_to(constant);
    assert!(types.pointers_compatible(to_int, void));
    assert!(types.pointers_compatible(to_int, ints));
    assert!(types.pointers_compatible(to_int, to_constant));
    assert!(!types.pointers_compatible(to_int, to_long));
    assert!(!types.pointers_compatible(to_int, to_unsigned));
    assert!(!types.pointers_compatible(to_int, int));

    assert!(types.assignable(int, long, false));
    assert!(types.assignable(to_int, int, true));
    assert!(!types.assignable(to_int, int, false));
    assert!(!types.assignable(int, to_int, false));
    assert!(types.castable(int, to_int) && types.castable(to_int, int));
    assert!(!types.castable(int, ints) && types.castable(to_int, ints));

    // The kernel's int is D's int, its char D's char though it has no sign.
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    let pid = types.member(task, "pid").unwrap().ty;
    assert!(types.same(pid, int) && pid != int);
    let comm = types.member(task, "comm").unwrap().ty;
    let text = types.intrinsic(Intrinsic::CharPointer);
    assert!(types.is_string_like(comm));
    assert!(types.pointers_compatible(comm, text));
    let string = types.intrinsic(Intrinsic::String);
    assert!(types.assignable(string, comm, false));
    assert!(!types.assignable(string, task, false));
    assert!(!types.assignable(string, int, true));
    assert!(types.castable(string, text) && types.castable(string, int));
    assert!(types.assignable(task, task, false) && !types.castable(int, task));
    let bytes = types.intrinsic(Intrinsic::UnsignedChar);
    let bytes = types.pointer_to(bytes);
    assert!(!types.is_string_like(bytes));
    assert!(types.is_pointer_to_unsized(void) && !types.is_pointer_to_unsized(to_int));

    assert_eq!(types.conditional(int, long, false, false), Some(long));
    assert_eq!(types.conditional(void, to_int, false, false), Some(to_int));
    assert_eq!(types.conditional(to_int, int, false, true), Some(to_int));
    assert_eq!(types.conditional(to_int, int, false, false), None);
    assert_eq!(types.conditional(string, comm, false, false), Some(string));
    assert_eq!(types.conditional(to_int, to_long, false, false), None);
}

#[test]
fn names_are_looked_up_in_the_program_vmlinux_and_modules_in_turn() {
    let mut types = Types::new(Some(kernel()));
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    assert_eq!(
        types.lookup(Some("vmlinux"), Named::Struct("task_struct")),
        Some(task)
    );
    assert_eq!(
        types.lookup(Some("a_module"), Named::Struct("task_struct")),
        Some(task)
    );
    assert_eq!(types.lookup(Some("D"), Named::Struct("task_struct")), None);
    assert_eq!(
        types.lookup(Some("nowhere"), Named::Struct("task_struct")),
        None
    );
    assert!(types.has_module("a-module") && types.has_module("C") && !types.has_module("x"));
    assert!(!types.is_own(task));

    let inode = types.lookup(None, Named::Struct("inode")).unwrap();
    assert_eq!(types.lookup(Some("vmlinux"), Named::Struct("inode")), None);
    let owner = types.member(inode, "owner").unwrap().ty;
    assert_eq!(types.pointee(owner), Some(task));

    let size = types.lookup(None, Named::Typedef("size_t"));
    assert_eq!(size, Some(types.intrinsic(Intrinsic::Size)));
    assert_ne!(
        types.lookup(Some("vmlinux"), Named::Typedef("size_t")),
        size
    );
    let u8 = types.lookup(None, Named::Typedef("u8")).unwrap();
    assert_eq!((types.name(u8).as_str(), types.size(u8)), ("u8", Some(1)));
    assert!(types.lookup(None, Named::Typedef("double")).is_some());

    let int = types.intrinsic(Intrinsic::Int);
    let own = record(&mut types, false, "task_struct", &[field("mine", int)]);
    assert_eq!(types.lookup(None, Named::Struct("task_struct")), Some(own));
    assert_eq!(
        types.lookup(Some("vmlinux"), Named::Struct("task_struct")),
        Some(task)
    );
}

#[test]
fn the_kernels_functions_variables_and_enumerators_are_known() {
    let types = Types::new(Some(kernel()));
    let read = types.function(None, "vfs_read").unwrap();
    let shown: Vec<_> = read
        .parameters
        .iter()
        .map(|(name, ty)| format!("{name}: {}", types.name(*ty)))
        .collect();
    assert_eq!(
        shown,
        ["file: struct file *", "buf: char *", "count: size_t"]
    );
    assert_eq!(types.name(read.result), "long unsigned int");
    assert!(types.function(None, "_printk").unwrap().variadic);
    assert_eq!(types.function(Some("vmlinux"), "module_open"), None);
    let open = types.function(Some("a_module"), "module_open").unwrap();
    assert_eq!(types.name(open.parameters[1].1), "struct task_struct *");
    assert_eq!(types.function(None, "task_struct"), None);

    let current = types.variable(None, "current_task").unwrap();
    assert_eq!(types.name(current), "struct task_struct *");
    assert_eq!(types.variable(None, "vfs_read"), None);

    let (value, state) = types.enumerator(None, "DEAD").unwrap();
    assert_eq!((value, types.name(state).as_str()), (0x80, "enum state"));
    assert_eq!(types.enumerator(None, "WIDE").unwrap().0, -(1 << 40));
    assert_eq!(types.enumerator(None, "MODULE_LESS").unwrap().0, -1);
    assert_eq!(types.enumerator(Some("vmlinux"), "MODULE_LESS"), None);
}

#[test]
fn a_struct_that_vmlinux_only_names_is_found_in_a_module() {
    let types = Types::new(Some(kernel()));
    let read = types.function(None, "vfs_read").unwrap();
    let file = types.pointee(read.parameters[0].1).unwrap();
    assert!(matches!(types.kind(file), Kind::Forward { .. }));
    assert_eq!(types.size(file), Some(16));
    assert_eq!(bytes_at(&types, file, "mode"), 8);
}

#[test]
#[ignore = "needs /sys/kernel/btf"]
fn the_running_kernel_describes_what_all_kernels_have() {
    let btf = Btf::open(Path::new("/sys/kernel/btf")).unwrap();
    let types = Types::new(Some(btf));
    let task = types.lookup(None, Named::Struct("task_struct")).unwrap();
    assert!(types.size(task).unwrap() > 1000);
    let comm = types.member(task, "comm").unwrap();
    assert_eq!(types.name(comm.ty), "char [16]");
    assert!(types.is_string_like(comm.ty));
    assert_eq!(types.align(task).map(u64::is_power_of_two), Some(true));
    let read = types.function(None, "vfs_read").unwrap();
    let file = types.pointee(read.parameters[0].1).unwrap();
    assert_eq!(types.name(file), "struct file");
    let path = types.member(file, "f_path").unwrap();
    let dentry = types.member(path.ty, "dentry").unwrap();
    let name = types
        .member(types.pointee(dentry.ty).unwrap(), "d_name")
        .unwrap();
    assert!(
        types.member(name.ty, "name").is_some(),
        "qstr has it beside an anonymous union"
    );
    assert!(types.member(name.ty, "len").is_some());
    let u32 = types.lookup(None, Named::Typedef("u32")).unwrap();
    assert_eq!(types.size(u32), Some(4));
    assert!(types.enumerator(None, "PIDTYPE_PID").is_some());
    let bytes = vec![0x5a; types.size(task).unwrap() as usize];
    assert!(crate::print::print(&types, task, &bytes).contains(".comm = (char [16]) ["));
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

    #[test]
    fn arithmetic_does_not_care_for_order_and_loses_no_bits(left in 0u32..13, right in 0u32..13) {
        let types = Types::new(None);
        let (left, right) = (TypeId(left), TypeId(right));
        let result = types.arithmetic(left, right);
        prop_assert_eq!(result, types.arithmetic(right, left));
        match (types.number(left), types.number(right)) {
            (Some(a), Some(b)) => {
                let number = types.number(result.unwrap()).unwrap();
                prop_assert_eq!(number.bytes, a.bytes.max(b.bytes));
            }
            _ => prop_assert_eq!(result, None),
        }
    }
}
