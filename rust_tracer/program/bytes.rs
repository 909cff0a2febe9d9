// SPDX-License-Identifier: GPL-2.0

//! Copies of bytes. Those of `core` have a panic in them that the compiler cannot see to be impossible.
//! Any context.

#![forbid(unsafe_code)]

use core::cell::Cell;

/// Copies as many bytes as both have.
#[inline]
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Copies `len` bytes to where they may overlap themselves.
pub(super) fn slide(bytes: &mut [u8], from: usize, to: usize, len: usize) {
    let bytes = Cell::from_mut(bytes).as_slice_of_cells();
    let source = bytes.get(from..from.wrapping_add(len));
    let target = bytes.get(to..to.wrapping_add(len));
    let (Some(source), Some(target)) = (source, target) else {
        return;
    };
    let pairs = target.iter().zip(source);
    if to <= from {
        pairs.for_each(|(to, from)| to.set(from.get()));
    } else {
        pairs.rev().for_each(|(to, from)| to.set(from.get()));
    }
}

/// Copies bytes into words, in the order of memory; the last word is filled up with zeroes.
#[inline]
pub(super) fn put_words(bytes: &[u8], words: &mut [u64]) {
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        copy(bytes, &mut whole);
        *word = u64::from_le_bytes(whole);
    }
}
