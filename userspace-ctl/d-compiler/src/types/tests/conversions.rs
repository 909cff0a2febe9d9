// SPDX-License-Identifier: GPL-2.0-only
//! Which type an operation gives, and what fits what.

use proptest::prelude::*;

use super::*;
use crate::btf::tests::kernel;

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

proptest! {
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
