// SPDX-License-Identifier: GPL-2.0

//! Speculations: long random sequences on several CPUs, against a model.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::program::speculations::{Speculations, SPECULATIONS_MAX};

#[derive(Clone, Debug)]
enum Act {
    Take,
    End(u64),
    /// Begins to end, and is then settled.
    Commit(u64, bool),
    Write(u64, u32, u32),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Take),
        (0..6u64).prop_map(Act::End),
        (0..6u64, any::<bool>()).prop_map(|(number, ended)| Act::Commit(number, ended)),
        (0..6u64, 0..3u32, 0..100u32).prop_map(|(number, cpu, words)| Act::Write(
            number,
            cpu,
            8 * words
        )),
    ]
}

fn words(count: u32, cpus: u32) -> Vec<AtomicU64> {
    let words = Speculations::<&[AtomicU64]>::words(count, cpus).expect("not too many");
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_and_bytes_are_as_a_model_has_them(
        count in 0..5u32,
        limit in 0..1000u64,
        acts in vec(any_act(), 0..300),
    ) {
        let memory = words(count, 3);
        let speculations = Speculations::new(&memory[..], count);
        // Marks by number; bytes by mark and CPU.
        let mut active: BTreeMap<u64, u64> = BTreeMap::new();
        let mut written: BTreeMap<(u64, u32), u64> = BTreeMap::new();
        let mut marks = Vec::new();
        for act in acts {
            match act {
                Act::Take => {
                    let free = (1..=u64::from(count)).find(|number| !active.contains_key(number));
                    let number = speculations.take();
                    prop_assert_eq!(number, free.unwrap_or(0));
                    if number > 0 {
                        let mark = speculations.mark(number).expect("it is active");
                        prop_assert!(!marks.contains(&mark), "a mark comes again");
                        prop_assert_eq!(mark & 0xffff, number);
                        marks.push(mark);
                        active.insert(number, mark);
                    }
                }
                Act::End(number) => prop_assert_eq!(speculations.end(number), active.remove(&number)),
                Act::Commit(number, ended) => {
                    let mark = active.get(&number).copied();
                    prop_assert_eq!(speculations.begin_end(number), mark);
                    let Some(mark) = mark else { continue };
                    // Neither active nor free.
                    prop_assert_eq!(speculations.mark(number), None);
                    prop_assert_eq!(speculations.end(number), None);
                    prop_assert!(!speculations.charge(mark, 0, 8, u64::MAX));
                    let other = speculations.take();
                    prop_assert_ne!(other, number);
                    if other > 0 {
                        speculations.end(other);
                    }
                    speculations.settle(mark.wrapping_add(1 << 16), !ended);
                    speculations.settle(mark, ended);
                    speculations.settle(mark, !ended);
                    if ended {
                        active.remove(&number);
                    }
                }
                Act::Write(number, cpu, bytes) => {
                    let mark = speculations.mark(number);
                    prop_assert_eq!(mark, active.get(&number).copied());
                    if let Some(mark) = mark {
                        let held = written.entry((mark, cpu)).or_default();
                        let fits = *held + u64::from(bytes) <= limit;
                        prop_assert_eq!(speculations.charge(mark, cpu, bytes, limit), fits);
                        *held += if fits { u64::from(bytes) } else { 0 };
                    }
                    // What has ended takes nothing, its number being taken again or not.
                    if let Some(old) = marks.iter().find(|old| !active.values().any(|mark| mark == *old)) {
                        prop_assert!(!speculations.charge(*old, cpu, 8, limit));
                    }
                }
            }
            prop_assert_eq!(speculations.active() as usize, active.len());
        }
    }
}

#[test]
fn numbers_that_are_none_do_nothing() {
    let memory = words(3, 1);
    let speculations = Speculations::new(&memory[..], 3);
    for number in [0, 1, 4, (1 << 16) | 1, u64::MAX] {
        assert_eq!(speculations.mark(number), None);
        assert_eq!(speculations.end(number), None);
        assert!(!speculations.charge(number, 0, 8, 1000));
    }
    // Nor does a CPU that is none.
    assert_eq!(speculations.take(), 1);
    let mark = speculations.mark(1).expect("it is active");
    assert!(!speculations.charge(mark, 7, 8, 1000));
    assert!(speculations.charge(mark, 0, 8, 1000));
}

#[test]
fn there_are_as_many_as_the_abi_allows() {
    const HEADER: &str = include_str!("../../../include/uapi/rust_tracer_program.h");
    let limit = format!("#define RTRACE_SPECULATIONS_MAX {SPECULATIONS_MAX}u");
    assert!(HEADER.contains(&limit));
    let memory = words(SPECULATIONS_MAX, 1);
    let speculations = Speculations::new(&memory[..], SPECULATIONS_MAX);
    for number in 1..=u64::from(SPECULATIONS_MAX) {
        assert_eq!(speculations.take(), number);
    }
    assert_eq!(speculations.take(), 0);
}
