// SPDX-License-Identifier: GPL-2.0

//! The ring's own numbers against `include/uapi/rust_tracer.h`.

use crate::ring::{
    Layout, Policy, HEAD_LEN, LOST_LEN, RECORD_DISCARD, RECORD_LOST, RECORD_MAX, RECORD_PAD,
};

const HEADER: &str = include_str!("../../../include/uapi/rust_tracer.h");

/// The value of a `#define` that is a number.
fn defined(name: &str) -> u64 {
    HEADER
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .and_then(|value| value.split(['u', ' ', '\t']).next()?.parse().ok())
        .unwrap_or_else(|| panic!("{name} is not in the header"))
}

/// The bytes of a record's structure, from its fields.
fn size_of(structure: &str) -> u32 {
    let begin = format!("struct {structure} {{");
    HEADER
        .lines()
        .skip_while(|line| *line != begin)
        .skip(1)
        .take_while(|line| *line != "};")
        .map(|field| match field.split_whitespace().next() {
            Some("__u32") => 4,
            Some("__u64") => 8,
            Some("struct") => HEAD_LEN,
            other => panic!("{other:?} in {structure}"),
        })
        .sum()
}

#[test]
fn the_numbers_are_those_of_the_abi() {
    assert_eq!(u64::from(RECORD_PAD), defined("RTRACE_RECORD_PAD"));
    assert_eq!(u64::from(RECORD_DISCARD), defined("RTRACE_RECORD_DISCARD"));
    assert_eq!(u64::from(RECORD_LOST), defined("RTRACE_RECORD_LOST"));
    assert_eq!(u64::from(RECORD_MAX), defined("RTRACE_RECORD_MAX"));
    assert_eq!(Policy::Switch as u64, defined("RTRACE_POLICY_SWITCH"));
    assert_eq!(Policy::Fill as u64, defined("RTRACE_POLICY_FILL"));
    assert_eq!(Policy::Ring as u64, defined("RTRACE_POLICY_RING"));
}

#[test]
fn the_lengths_are_those_of_the_abi() {
    assert_eq!(HEAD_LEN, size_of("rtrace_record"));
    assert_eq!(LOST_LEN, size_of("rtrace_record_lost"));
}

#[test]
fn every_ring_holds_several_of_its_longest_records() {
    let longest = |size| Layout::new(size, 1, Policy::Switch).map(|layout| layout.record_max());
    // RTRACE_RING_MIN.
    assert!(HEADER.contains("#define RTRACE_RING_MIN (64u * 1024u)"));
    assert_eq!(longest(64 * 1024), Some(8 * 1024));
    assert_eq!(longest(256 * 1024), Some(RECORD_MAX));
    assert_eq!(longest(1 << 30), Some(RECORD_MAX));
}
