// SPDX-License-Identifier: GPL-2.0

//! Which functions take all their arguments in registers, by prototypes made by hand.

use crate::btf_made::{answers, info, kind, Made, VOID};

/// Whether a function does, of which `make` makes the result and the parameters.
fn fits(make: impl FnOnce(&mut Made) -> (u32, Vec<u32>)) -> bool {
    let mut made = Made::new();
    let (result, parameters) = make(&mut made);
    let prototype = made.prototype(result, &parameters);
    made.function("f", prototype);
    let answers = answers(&made.bytes()).expect("what was made can be read");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].0, "f");
    answers[0].1
}

/// Whether an argument fits behind so many of 8 bytes.
fn fits_behind(others: usize, make: impl Fn(&mut Made) -> u32) -> bool {
    fits(|made| {
        let (it, other) = (make(made), made.int(8));
        let mut parameters = vec![other; others];
        parameters.push(it);
        (VOID, parameters)
    })
}

/// Asserts how many registers an argument takes.
fn takes(registers: usize, make: impl Fn(&mut Made) -> u32) {
    assert!(fits_behind(6 - registers, &make));
    assert!(!fits_behind(7 - registers, &make));
}

/// Asserts that an argument is not taken for one that travels in registers.
fn takes_memory(make: impl Fn(&mut Made) -> u32) {
    assert!(!fits_behind(0, make));
}

/// Whether a function with this result fits that has so many arguments of 8 bytes.
fn fits_with_result(arguments: usize, make: impl Fn(&mut Made) -> u32) -> bool {
    fits(|made| {
        let (result, argument) = (make(made), made.int(8));
        (result, vec![argument; arguments])
    })
}

#[test]
fn a_function_without_arguments_fits() {
    assert!(fits(|_| (VOID, vec![])));
}

#[test]
fn integers_enumerations_and_pointers_take_a_register_each() {
    for bytes in [1, 2, 4, 8] {
        takes(1, |made| made.int(bytes));
        takes(1, |made| made.enumeration(kind::ENUM, bytes));
        takes(1, |made| made.enumeration(kind::ENUM64, bytes));
    }
    takes(1, |made| made.to(kind::PTR, VOID));
    takes(1, |made| {
        let large = made.record(kind::STRUCT, 4096, &[]);
        made.to(kind::PTR, large)
    });
}

#[test]
fn an_integer_of_128_bits_takes_two_registers_or_the_stack() {
    takes(2, |made| made.int(16));
}

#[test]
fn an_integer_of_another_size_does_not_fit() {
    for bytes in [0, 3, 5, 12, 32, u32::MAX] {
        takes_memory(|made| made.int(bytes));
    }
}

#[test]
fn what_an_ellipsis_stands_for_does_not_fit() {
    assert!(!fits(|made| (VOID, vec![made.to(kind::PTR, VOID), VOID])));
    assert!(!fits(|_| (VOID, vec![VOID])));
}

#[test]
fn floating_point_does_not_fit() {
    for bytes in [4, 8, 16] {
        takes_memory(|made| made.float(bytes));
        takes_memory(|made| {
            let float = made.float(bytes);
            made.record(kind::STRUCT, bytes, &[(float, 0)])
        });
        assert!(!fits_with_result(0, |made| made.float(bytes)));
    }
}

#[test]
fn other_names_and_qualifiers_are_looked_through() {
    takes(2, |made| {
        let mut it = made.int(16);
        for kind in [
            kind::CONST,
            kind::TYPEDEF,
            kind::VOLATILE,
            kind::TYPEDEF,
            kind::RESTRICT,
            kind::TYPE_TAG,
        ] {
            it = made.to(kind, it);
        }
        it
    });
    assert!(fits_with_result(6, |made| made.to(kind::CONST, VOID)));
    takes_memory(|made| made.to(kind::TYPEDEF, VOID));
}

#[test]
fn a_name_that_is_its_own_does_not_fit() {
    takes_memory(|made| made.to(kind::TYPEDEF, made.next()));
    takes_memory(|made| {
        let other = made.next() + 1;
        made.to(kind::CONST, other);
        made.to(kind::TYPEDEF, other - 1)
    });
}

#[test]
fn a_structure_takes_registers_by_its_size() {
    for (bytes, registers) in [(1, 1), (7, 1), (8, 1), (9, 2), (16, 2)] {
        for kind in [kind::STRUCT, kind::UNION] {
            takes(registers, |made| {
                let byte = made.int(1);
                let all = made.array(byte, bytes);
                made.record(kind, bytes, &[(all, 0)])
            });
        }
    }
    takes_memory(|made| made.record(kind::STRUCT, 17, &[]));
    takes_memory(|made| made.record(kind::UNION, 24, &[]));
}

#[test]
fn a_structure_without_size_takes_no_register() {
    assert!(fits(|made| {
        let (none, some) = (made.record(kind::STRUCT, 0, &[]), made.int(16));
        (VOID, vec![none, some, some, none, some])
    }));
}

#[test]
fn structures_arrays_and_unions_are_looked_into() {
    // union { void *p; struct { int i[2]; } s; } and a flag behind it.
    let nested = |inner: fn(&mut Made) -> u32| {
        move |made: &mut Made| {
            let (inner, pointer) = (inner(made), made.to(kind::PTR, VOID));
            let array = made.array(inner, 2);
            let structure = made.record(kind::STRUCT, 8, &[(array, 0)]);
            let union = made.record(kind::UNION, 8, &[(pointer, 0), (structure, 0)]);
            let union = made.to(kind::CONST, union);
            let flag = made.int(1);
            made.record(kind::STRUCT, 16, &[(union, 0), (flag, 64)])
        }
    };
    takes(2, nested(|made| made.int(4)));
    takes_memory(nested(|made| made.float(4)));
    takes_memory(nested(|_| VOID));
    takes_memory(nested(|made| made.to(kind::FWD, VOID)));
}

#[test]
fn a_field_that_is_not_aligned_does_not_fit() {
    for (bytes, bit) in [(2, 8), (4, 16), (8, 32), (16, 64)] {
        takes_memory(|made| {
            let field = made.int(bytes);
            made.record(kind::STRUCT, 16, &[(field, bit)])
        });
        takes_memory(|made| {
            let field = made.int(bytes);
            let inner = made.record(kind::STRUCT, bytes, &[(field, 0)]);
            made.record(kind::STRUCT, 16, &[(inner, bit)])
        });
    }
    takes(2, |made| {
        let (byte, long) = (made.int(1), made.int(8));
        made.record(kind::STRUCT, 16, &[(byte, 56), (long, 64)])
    });
}

#[test]
fn bit_fields_fit_wherever_they_are() {
    takes(1, |made| {
        let (flag, word) = (made.int(1), made.int(4));
        let fields: Vec<_> = (0..32)
            .map(|bit| (flag, bit, 1))
            .chain([(word, 33, 31)])
            .collect();
        made.bit_fields(8, &fields)
    });
    // No bit-field, for all that others beside it are.
    takes_memory(|made| {
        let word = made.int(4);
        made.bit_fields(8, &[(word, 0, 3), (word, 8, 0)])
    });
}

#[test]
fn structures_that_nobody_passes_by_value_do_not_fit() {
    // An array of any length, an array of structures, too deep a nest.
    takes_memory(|made| {
        let word = made.int(4);
        let array = made.array(word, 0);
        made.record(kind::STRUCT, 4, &[(word, 0), (array, 32)])
    });
    takes_memory(|made| {
        let word = made.int(4);
        let inner = made.record(kind::STRUCT, 4, &[(word, 0)]);
        let array = made.array(inner, 2);
        made.record(kind::STRUCT, 8, &[(array, 0)])
    });
    takes_memory(|made| {
        let mut it = made.int(8);
        for _ in 0..20 {
            it = made.record(kind::STRUCT, 8, &[(it, 0)]);
        }
        it
    });
}

#[test]
fn structures_that_contain_themselves_come_to_an_end() {
    takes_memory(|made| made.record(kind::STRUCT, 8, &[(made.next(), 0)]));
    takes_memory(|made| made.array(made.next(), 1));
    // Each level multiplies what there is to look at.
    takes_memory(|made| {
        let mut it = made.record(kind::STRUCT, 0, &[]);
        for _ in 0..7 {
            it = made.record(kind::STRUCT, 0, &[(it, 0); 1000]);
        }
        it
    });
}

#[test]
fn what_is_no_value_does_not_fit() {
    takes_memory(|made| made.to(kind::FWD, VOID));
    takes_memory(|made| {
        let word = made.int(4);
        made.array(word, 2)
    });
    takes_memory(|made| made.prototype(VOID, &[]));
    takes_memory(|made| made.any("v", info(kind::VAR, 0), VOID, &[0]));
    takes_memory(|made| made.any("", info(kind::DATASEC, 0), 0, &[]));
    takes_memory(|made| made.any("t", info(kind::DECL_TAG, 0), VOID, &[0]));
}

#[test]
fn a_type_that_is_not_there_does_not_fit() {
    for number in [1000, 0x000f_ffff, u32::MAX] {
        takes_memory(|_| number);
        assert!(!fits(|_| (number, vec![])));
        let mut made = Made::new();
        made.function("f", number);
        assert_eq!(answers(&made.bytes()), Some(vec![("f".into(), false)]));
    }
}

#[test]
fn a_function_whose_type_is_no_prototype_does_not_fit() {
    let mut made = Made::new();
    let word = made.int(4);
    made.function("f", word);
    made.function("g", VOID);
    let itself = made.next();
    made.function("h", itself);
    let answers = answers(&made.bytes()).expect("it can be read");
    assert!(answers.iter().all(|(_, yes)| !yes), "{answers:?}");
}

#[test]
fn what_a_type_was_found_to_be_as_an_argument_says_nothing_of_it_as_a_prototype() {
    let mut made = Made::new();
    let word = made.int(4);
    let one = made.prototype(VOID, &[word]);
    let other = made.prototype(word, &[one]);
    for (name, prototype) in [
        ("one", one),
        ("other", other),
        ("word", word),
        ("again", one),
    ] {
        made.function(name, prototype);
    }
    let expected = [
        ("one", true),
        ("other", false),
        ("word", false),
        ("again", true),
    ];
    let expected = expected.map(|(name, yes)| (name.to_owned(), yes));
    assert_eq!(answers(&made.bytes()), Some(expected.to_vec()));
}

#[test]
fn a_result_takes_a_register_if_it_goes_to_memory() {
    assert!(fits_with_result(6, |_| VOID));
    assert!(fits_with_result(6, |made| made.int(8)));
    assert!(fits_with_result(6, |made| made.int(16)));
    assert!(fits_with_result(6, |made| {
        let long = made.int(8);
        made.record(kind::STRUCT, 16, &[(long, 0), (long, 64)])
    }));
    let large = |made: &mut Made| {
        let large = made.record(kind::STRUCT, 17, &[]);
        made.to(kind::TYPEDEF, large)
    };
    assert!(fits_with_result(5, large));
    assert!(!fits_with_result(6, large));
    // Not aligned: who knows.
    assert!(!fits_with_result(0, |made| {
        let long = made.int(8);
        made.record(kind::STRUCT, 16, &[(long, 8)])
    }));
}
