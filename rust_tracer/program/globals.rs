// SPDX-License-Identifier: GPL-2.0

//! A session's global variables: words that all CPUs read and write, each variable from a word of
//! its own on.
//!
//! A number is one word, so it is never mixed from two. Strings and bytes are copied word by word:
//! if two CPUs write one at once, or one writes what another reads, there may be parts of both; but
//! a string always ends.
//!
//! Contexts: any up to NMI, on any CPU.

#![forbid(unsafe_code)]

use super::words::{
    word_of,
    Shared, //
};

/// The global variables. Their places are what the verifier gave them.
pub(crate) struct Globals<M> {
    memory: M,
}

impl<M: Shared> Globals<M> {
    /// The variables in `memory`, 0 or empty as long as its words are 0.
    #[inline(always)]
    pub(crate) fn new(memory: M) -> Self {
        Globals { memory }
    }

    /// Reads a number.
    #[inline(always)]
    pub(crate) fn load(&self, at: usize) -> u64 {
        self.memory.load(at)
    }

    /// Writes a number.
    #[inline(always)]
    pub(crate) fn store(&self, at: usize, value: u64) {
        self.memory.store(at, value);
    }

    /// Copies bytes.
    pub(crate) fn read_bytes(&self, at: usize, into: &mut [u8]) {
        let mut at = at;
        for bytes in into.chunks_mut(8) {
            let word = self.memory.load(at);
            at = at.wrapping_add(1);
            for (byte, value) in bytes.iter_mut().zip(word.to_ne_bytes()) {
                *byte = value;
            }
        }
    }

    /// Writes bytes; if their number is not a multiple of 8, zeroes up to the next one.
    pub(crate) fn write_bytes(&self, at: usize, bytes: &[u8]) {
        for (index, bytes) in (0..bytes.len()).zip(bytes.chunks(8)) {
            self.memory.store(at.wrapping_add(index), word_of(bytes));
        }
    }

    /// Copies a string up to its NUL or the end of `into`, whichever is first, and fills the rest
    /// with zeroes. Gives the string's length.
    pub(crate) fn read_string(&self, at: usize, into: &mut [u8]) -> usize {
        let mut length = 0usize;
        let mut ended = false;
        let mut at = at;
        for bytes in into.chunks_mut(8) {
            if ended {
                bytes.fill(0);
                continue;
            }
            let word = self.memory.load(at);
            at = at.wrapping_add(1);
            for (byte, value) in bytes.iter_mut().zip(word.to_ne_bytes()) {
                ended |= value == 0;
                *byte = if ended { 0 } else { value };
                length = length.wrapping_add(usize::from(!ended));
            }
        }
        length
    }

    /// Writes a string without its NUL, cut to fit a variable of `room` bytes.
    pub(crate) fn write_string(&self, at: usize, room: usize, string: &[u8]) {
        let most = room.saturating_sub(1);
        let string = string.get(..most).unwrap_or(string);
        if room > 0 {
            self.write_bytes(at, string);
            if string.len() % 8 == 0 {
                self.memory.store(at.wrapping_add(string.len() / 8), 0);
            }
        }
    }
}
