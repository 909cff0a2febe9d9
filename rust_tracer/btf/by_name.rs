// SPDX-License-Identifier: GPL-2.0

//! What is said of functions by their names.
//!
//! BTF knows a function by its name alone, which static functions of several files may share. So
//! what it says of a name is believed to be about a function only if no other code of the kernel
//! bears one of that function's names; and of the names that it has, all must be spoken for alike.
//!
//! The names stay where they are: a table of hashes leads to functions, whose names are compared.
//!
//! Context: any.

#![forbid(unsafe_code)]

/// What was said of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Nothing,
    Yes,
    /// Or things that contradict each other. It stays so.
    No,
}

/// How many slots so many names need.
pub(crate) fn slots(names: usize) -> Option<usize> {
    names
        .checked_add(1)?
        .checked_mul(2)?
        .checked_next_power_of_two()
}

/// What was said of each of a number of functions.
pub(crate) struct ByName<'a, IsCalled> {
    /// At the hash of a name, or behind: a function plus 1; 0 is free.
    slots: &'a mut [u32],
    said: &'a mut [Said],
    is_called: IsCalled,
}

/// Where a name is.
enum Place {
    Of(u32),
    Free(usize),
    Nowhere,
}

impl<'a, IsCalled: Fn(u32, &[u8]) -> bool> ByName<'a, IsCalled> {
    /// Of as many functions as `said` has room for, so far without names. `slots` are zeros, as
    /// many as [`slots`] says; `is_called` tells whether a function has a name.
    pub(crate) fn new(slots: &'a mut [u32], said: &'a mut [Said], is_called: IsCalled) -> Self {
        Self {
            slots,
            said,
            is_called,
        }
    }

    /// Takes in a name of a function. Once for each name, before anything is said.
    pub(crate) fn add(&mut self, function: u32, name: &[u8]) {
        // What a compiler cut out of a function, or changed, has a dot in its name.
        if name.contains(&b'.') {
            self.say_of(function, false);
        }
        match self.find(name) {
            Place::Of(other) if other == function => {}
            Place::Of(other) => {
                self.say_of(other, false);
                self.say_of(function, false);
            }
            Place::Free(at) => {
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = function.wrapping_add(1);
                }
            }
            Place::Nowhere => self.say_of(function, false),
        }
    }

    /// Says yes or no of the function that has a name, if there is one.
    pub(crate) fn say(&mut self, name: &[u8], yes: bool) {
        if let Place::Of(function) = self.find(name) {
            self.say_of(function, yes);
        }
    }

    fn say_of(&mut self, function: u32, yes: bool) {
        if let Some(said) = self.said.get_mut(function as usize) {
            *said = match (*said, yes) {
                (Said::Nothing | Said::Yes, true) => Said::Yes,
                _ => Said::No,
            };
        }
    }

    fn find(&self, name: &[u8]) -> Place {
        let mask = self.slots.len().wrapping_sub(1);
        let first = hash(name);
        for step in 0..self.slots.len() {
            let at = first.wrapping_add(step) & mask;
            match self.slots.get(at).map(|slot| slot.checked_sub(1)) {
                Some(Some(function)) if (self.is_called)(function, name) => {
                    return Place::Of(function);
                }
                Some(Some(_)) => {}
                Some(None) => return Place::Free(at),
                None => break,
            }
        }
        Place::Nowhere
    }
}

/// Eight bytes at a time: the names are many, and nobody chooses them to collide.
fn hash(name: &[u8]) -> usize {
    /// 2^64 divided by the golden ratio.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let add = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    let words = name.chunks_exact(8);
    let rest = words.remainder();
    let hash = words
        .filter_map(|word| word.first_chunk().copied().map(u64::from_le_bytes))
        .fold(0, add);
    let rest = rest.iter().fold(name.len() as u64, |rest, byte| {
        (rest << 8) | u64::from(*byte)
    });
    (add(hash, rest) >> 32) as usize
}
