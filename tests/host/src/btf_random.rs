// SPDX-License-Identifier: GPL-2.0

//! BTF that is none: cut short, changed, made at random. Whatever the bytes are, they are read to an
//! end.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::btf_made::{answers, info, kind, Made, VOID};

/// Some of each.
fn made() -> Made {
    let mut made = Made::new();
    let (word, wide) = (made.int(4), made.int(16));
    let pointer = made.to(kind::PTR, VOID);
    let array = made.array(word, 2);
    let union = made.record(kind::UNION, 8, &[(pointer, 0), (array, 0)]);
    let structure = made.record(kind::STRUCT, 16, &[(union, 0), (word, 64)]);
    let bits = made.bit_fields(4, &[(word, 0, 7), (word, 7, 9)]);
    let named = made.to(kind::TYPEDEF, structure);
    let named = made.to(kind::CONST, named);
    let choice = made.enumeration(kind::ENUM, 4);
    let choice64 = made.enumeration(kind::ENUM64, 8);
    made.any("s", info(kind::DATASEC, 2), 0, &[0; 6]);
    made.any("v", info(kind::VAR, 0), word, &[0]);
    made.any("t", info(kind::DECL_TAG, 0), word, &[0]);
    made.float(8);
    for (name, parameters) in [
        ("first", &[word, pointer, named, bits][..]),
        ("second", &[wide, choice, choice64]),
        ("third", &[pointer, VOID]),
    ] {
        let prototype = made.prototype(pointer, parameters);
        made.function(name, prototype);
    }
    made
}

#[test]
fn what_was_made_is_read() {
    let expected = [("first", true), ("second", true), ("third", false)];
    let expected = expected.map(|(name, yes)| (name.to_owned(), yes));
    assert_eq!(answers(&made().bytes()), Some(expected.to_vec()));
}

#[test]
fn the_parts_may_lie_anywhere_behind_a_header_of_any_length() {
    let made = made();
    let mut bytes = Vec::new();
    let (types, strings) = (made.types.len() as u32, made.strings.len() as u32);
    for word in [0x0001_eb9f, 40, strings + 3, types, 1, strings, 1, 2, 3, 4] {
        bytes.extend(u32::to_le_bytes(word));
    }
    bytes.push(0xff);
    bytes.extend(&made.strings);
    bytes.extend([0xff; 2]);
    bytes.extend(&made.types);
    assert_eq!(answers(&bytes), answers(&made.bytes()));
}

#[test]
fn btf_without_types_has_no_functions() {
    assert_eq!(answers(&Made::new().bytes()), Some(vec![]));
}

#[test]
fn what_is_cut_short_is_not_read() {
    let bytes = made().bytes();
    for length in 0..bytes.len() {
        assert_eq!(answers(&bytes[..length]), None, "{length}");
    }
}

#[test]
fn another_magic_number_or_version_is_not_read() {
    for at in 0..3 {
        let mut bytes = made().bytes();
        bytes[at] ^= 2;
        assert_eq!(answers(&bytes), None);
    }
}

#[test]
fn a_type_of_an_unknown_kind_is_the_end_of_all() {
    for kind in [0, 20, 31, 32, 127] {
        let mut made = made();
        made.any("", info(kind, 0), 0, &[]);
        assert_eq!(answers(&made.bytes()), None, "{kind}");
    }
}

#[test]
fn a_type_that_ends_behind_the_others_is_the_end_of_all() {
    let mut made = made();
    made.any("", info(kind::STRUCT, 0x00ff_ffff), 4, &[]);
    assert_eq!(answers(&made.bytes()), None);
}

#[test]
fn a_function_without_a_name_that_ends_is_none() {
    let mut made = Made::new();
    let prototype = made.prototype(VOID, &[]);
    made.any(&"x".repeat(511), info(kind::FUNC, 0), prototype, &[]);
    made.any(&"y".repeat(512), info(kind::FUNC, 0), prototype, &[]);
    made.any("z", info(kind::FUNC, 0), prototype, &[]);
    made.strings.pop();
    assert_eq!(answers(&made.bytes()), Some(vec![("x".repeat(511), true)]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
        answers(&bytes);
    }

    #[test]
    fn any_types_are_read_to_an_end(words: Vec<u32>, strings: Vec<u8>) {
        let mut made = Made::new();
        made.types = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        made.strings = strings;
        answers(&made.bytes());
    }

    #[test]
    fn types_that_refer_to_each_other_at_random_are_read_to_an_end(
        types in vec((1..20u32, any::<bool>(), 0..20u32, vec(0..40u32, 0..8)), 1..30),
    ) {
        let mut made = Made::new();
        for (kind, flag, third, parts) in &types {
            // As many parts as there are words for.
            let (words, fixed) = match *kind {
                kind::INT | kind::VAR | kind::DECL_TAG => (1, true),
                kind::ARRAY => (3, true),
                kind::ENUM | kind::FUNC_PROTO => (2, false),
                kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => (3, false),
                _ => (0, true),
            };
            let count = if fixed { 1 } else { parts.len() };
            let parts: Vec<u32> = parts.iter().chain(&[0; 3]).cycle().take(words * count).copied().collect();
            let info = info(*kind, if fixed { 0 } else { count }) | (u32::from(*flag) << 31);
            made.any("name", info, *third, &parts);
        }
        let functions = types.iter().filter(|(kind, ..)| *kind == kind::FUNC).count();
        prop_assert_eq!(answers(&made.bytes()).map(|answers| answers.len()), Some(functions));
    }

    #[test]
    fn changed_bytes_are_read_to_an_end(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = made().bytes();
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        answers(&bytes);
    }
}
