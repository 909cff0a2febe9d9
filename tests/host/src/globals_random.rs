// SPDX-License-Identifier: GPL-2.0

//! Global variables against copies of them, and strings in words that hold anything.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::program::globals::Globals;

fn words(values: &[u64]) -> Vec<AtomicU64> {
    values.iter().map(|value| AtomicU64::new(*value)).collect()
}

/// Bytes without a NUL.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    vec(1..=255u8, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strings_are_read_as_they_were_written(
        room in 1..40usize,
        old in any_text(),
        new in any_text(),
    ) {
        let memory = words(&[7; 8]);
        let globals = Globals::new(&memory[..]);
        for text in [old, new] {
            globals.write_string(1, room, &text);
            let mut read = vec![0xee; room - 1];
            let length = globals.read_string(1, &mut read);
            let kept = &text[..text.len().min(room - 1)];
            prop_assert_eq!(length, kept.len());
            prop_assert_eq!(&read[..length], kept);
            prop_assert!(read[length..].iter().all(|byte| *byte == 0));
        }
        // Its neighbours are as they were.
        let end = 1 + room.div_ceil(8);
        prop_assert_eq!(globals.load(0), 7);
        prop_assert!((end..8).all(|word| globals.load(word) == 7));
    }

    #[test]
    fn a_string_ends_whatever_is_there(values in vec(any::<[u8; 8]>(), 5), room in 0..40usize) {
        let memory = words(&values.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect::<Vec<_>>());
        let mut read = vec![0xee; room];
        let length = Globals::new(&memory[..]).read_string(0, &mut read);
        let bytes = values.concat();
        let end = bytes[..room].iter().position(|byte| *byte == 0);
        prop_assert_eq!(length, end.unwrap_or(room));
        prop_assert_eq!(&read[..length], &bytes[..length]);
        prop_assert!(read[length..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn bytes_are_read_as_they_were_written(bytes in vec(any::<u8>(), 0..40)) {
        let memory = words(&[7; 7]);
        let globals = Globals::new(&memory[..]);
        globals.write_bytes(1, &bytes);
        let mut read = vec![0xee; bytes.len()];
        globals.read_bytes(1, &mut read);
        prop_assert_eq!(&read, &bytes);
        prop_assert_eq!(globals.load(0), 7);
        prop_assert_eq!(globals.load(1 + bytes.len().div_ceil(8)), 7);
    }
}

#[test]
fn a_string_that_fills_its_words_does_not_reach_the_next() {
    let memory = words(&[0, u64::MAX]);
    let globals = Globals::new(&memory[..]);
    globals.write_string(0, 8, b"12345678");
    assert_eq!(memory[1].load(Ordering::Relaxed), u64::MAX);
    let mut read = [0; 8];
    assert_eq!(globals.read_string(0, &mut read), 7);
    assert_eq!(&read, b"1234567\0");
    let mut read = [0; 7];
    assert_eq!(globals.read_string(0, &mut read), 7);
    assert_eq!(&read, b"1234567");
    globals.store(0, 5);
    assert_eq!(globals.load(0), 5);
    // No room, nothing written.
    globals.write_string(0, 0, b"1");
    assert_eq!(globals.load(0), 5);
}
