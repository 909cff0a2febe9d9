// SPDX-License-Identifier: GPL-2.0

//! What is said of functions by their names.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::btf::by_name::{slots, ByName, Said};

/// What was said of functions with these names, of each the answer.
fn said(functions: &[&[&str]], answers: &[(&str, bool)]) -> Vec<Said> {
    let names = functions.iter().map(|names| names.len()).sum();
    said_in(slots(names).expect("they are few"), functions, answers)
}

/// The same with so many slots.
fn said_in(slots: usize, functions: &[&[&str]], answers: &[(&str, bool)]) -> Vec<Said> {
    let mut slots = vec![0; slots];
    let mut said = vec![Said::Nothing; functions.len()];
    let mut by_name = ByName::new(&mut slots, &mut said, |function, name| {
        let mut names = functions[function as usize].iter();
        names.any(|own| own.as_bytes() == name)
    });
    for (function, names) in functions.iter().enumerate() {
        for name in *names {
            by_name.add(function as u32, name.as_bytes());
        }
    }
    for (name, yes) in answers {
        by_name.say(name.as_bytes(), *yes);
    }
    said
}

use Said::{No, Nothing, Yes};

#[test]
fn a_function_is_what_is_said_of_its_name() {
    let functions: &[&[&str]] = &[&["vfs_read"], &["vfs_write"], &["vfs_open"]];
    let answers = [("vfs_write", false), ("vfs_read", true), ("do_exit", true)];
    assert_eq!(said(functions, &answers), [Yes, No, Nothing]);
}

#[test]
fn no_outweighs_yes_in_any_order() {
    let functions: &[&[&str]] = &[&["a"], &["b"], &["c"]];
    let answers = [
        ("a", true),
        ("a", false),
        ("b", false),
        ("b", true),
        ("c", true),
        ("c", true),
    ];
    assert_eq!(said(functions, &answers), [No, No, Yes]);
}

#[test]
fn all_names_of_a_function_that_are_spoken_of_must_be_given_the_same_answer() {
    let functions: &[&[&str]] = &[&["a", "b"], &["c", "d"], &["e", "f"]];
    let answers = [
        ("a", true),
        ("b", false),
        ("c", true),
        ("e", true),
        ("f", true),
    ];
    assert_eq!(said(functions, &answers), [No, Yes, Yes]);
}

#[test]
fn a_name_of_several_functions_is_believed_of_none() {
    let functions: &[&[&str]] = &[
        &["init"],
        &["open", "init"],
        &["init"],
        &["close"],
        &["a", "a"],
    ];
    let answers = [("init", true), ("open", true), ("close", true), ("a", true)];
    assert_eq!(said(functions, &answers), [No, No, No, Yes, Yes]);
}

#[test]
fn a_name_with_a_dot_is_a_part_of_a_function() {
    let functions: &[&[&str]] = &[&["a.isra.0"], &["b", "b.part.1"], &["c"]];
    let answers = [("a.isra.0", true), ("b", true), ("c", true)];
    assert_eq!(said(functions, &answers), [No, No, Yes]);
}

#[test]
fn a_name_that_finds_no_slot_is_believed_of_nobody() {
    let functions: &[&[&str]] = &[&["a"], &["b"], &["c"]];
    let answers = [("a", true), ("b", true), ("c", true), ("d", true)];
    assert_eq!(said_in(0, functions, &answers), [No; 3]);
    assert_eq!(said_in(2, functions, &answers), [Yes, Yes, No]);
}

#[test]
fn half_of_the_slots_stay_free() {
    for (names, expected) in [(0, 2), (1, 4), (2, 8), (3, 8), (44_493, 1 << 17)] {
        assert_eq!(slots(names), Some(expected));
    }
    assert_eq!(slots(usize::MAX), None);
    assert_eq!(slots(usize::MAX / 2), None);
}

const NAMES: [&str; 8] = [
    "a",
    "b",
    "a_b",
    "vfs_read",
    "vfs_reae",
    "vfs_read_iter",
    "vfs_write_iter_of_a_long_name",
    "x.y",
];

proptest! {
    #[test]
    fn random_names_and_answers_come_to_what_they_should(
        functions in vec(vec(0..8usize, 0..4), 0..8),
        answers in vec((0..8usize, any::<bool>()), 0..12),
    ) {
        let named: Vec<Vec<&str>> = functions
            .iter()
            .map(|names| names.iter().map(|name| NAMES[*name]).collect())
            .collect();
        let named: Vec<&[&str]> = named.iter().map(Vec::as_slice).collect();
        let told: Vec<(&str, bool)> = answers.iter().map(|(name, yes)| (NAMES[*name], *yes)).collect();

        let expected: Vec<Said> = functions
            .iter()
            .map(|names| {
                let names: BTreeSet<usize> = names.iter().copied().collect();
                let shared = |name| functions.iter().filter(|of| of.contains(name)).count() > 1;
                let heard: BTreeSet<bool> = answers
                    .iter()
                    .filter(|(name, _)| names.contains(name))
                    .map(|(_, yes)| *yes)
                    .collect();
                if names.contains(&7) || names.iter().any(shared) || heard.contains(&false) {
                    No
                } else if heard.contains(&true) {
                    Yes
                } else {
                    Nothing
                }
            })
            .collect();
        prop_assert_eq!(said(&named, &told), expected);
    }
}
