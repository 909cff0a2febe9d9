// SPDX-License-Identifier: GPL-2.0-only
//! What types are called.

use super::*;

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
