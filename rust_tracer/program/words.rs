// SPDX-License-Identifier: GPL-2.0

//! What a program's state is made of: words, and how they are touched; and the hash of a tuple of
//! keys.
//!
//! All state has a fixed size and lies in arrays of words: [`Local`] ones belong to one CPU, whose
//! contexts interrupt each other; [`Shared`] ones to all CPUs. The module implements `Local` with
//! single instructions (`arch/words.rs`), the host tests with a stepper that interrupts before each
//! access.
//!
//! Whoever works on such words keeps his indices below their number; what lies beyond reads as 0,
//! and writing there does nothing.

#![forbid(unsafe_code)]

#[cfg(not(loom))]
use core::sync::atomic::{
    fence,
    AtomicU64,
    Ordering, //
};
#[cfg(loom)]
use loom::sync::atomic::{
    fence,
    AtomicU64,
    Ordering, //
};

/// An index that is at most `most`, which was compared; 0 where a processor that speculates past the
/// comparison would use another (as the kernel's `array_index_nospec`). For addresses and cursors that
/// programs and user space choose.
#[inline(always)]
pub(crate) fn nospec(index: usize, most: usize) -> usize {
    // The compiler must not know what the comparison told, or it would leave the mask out.
    let index = core::hint::black_box(index);
    let beyond = index | most.wrapping_sub(index);
    index & !((beyond as isize >> (usize::BITS - 1)) as usize)
}

/// Words that one CPU writes, and that others read only while it does not.
///
/// Called on that CPU with preemption off, in any context up to NMI. An interrupt may come between
/// any two accesses, and makes its own ones to the end; it must see those of the interrupted
/// context that came before, and none that come after.
pub(crate) trait Local {
    /// How many there are.
    fn count(&self) -> usize;

    /// Reads a word.
    fn load(&self, index: usize) -> u64;

    /// Writes a word.
    fn store(&self, index: usize, value: u64);

    /// Adds to a word, wrapping, in one step as seen from this CPU's interrupts.
    fn add(&self, index: usize, value: u64);

    /// The same, and returns what the word was before.
    fn fetch_add(&self, index: usize, value: u64) -> u64;

    /// Replaces `old` by `new` in one step as seen from this CPU's interrupts; false if the word
    /// was not `old`.
    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool;
}

/// Words that all CPUs read and write, in any context up to NMI.
pub(crate) trait Shared {
    /// How many there are.
    fn count(&self) -> usize;

    /// Reads a word, without order.
    fn load(&self, index: usize) -> u64;

    /// Reads a word; what comes later in the program is done later.
    fn load_acquire(&self, index: usize) -> u64;

    /// Writes a word, without order.
    fn store(&self, index: usize, value: u64);

    /// Writes a word; what comes before in the program is done before.
    fn store_release(&self, index: usize, value: u64);

    /// Adds to a word, wrapping, and returns what it was before; without order.
    fn fetch_add(&self, index: usize, value: u64) -> u64;

    /// Replaces `old` by `new`; false if the word was not `old`. With acquire order if it does.
    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool;

    /// Earlier reads come before what follows.
    fn read_barrier(&self);

    /// Earlier writes come before later ones.
    fn write_barrier(&self);

    /// A moment for the others.
    fn relax(&self);
}

impl Shared for &[AtomicU64] {
    #[inline(always)]
    fn count(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn load(&self, index: usize) -> u64 {
        self.get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn load_acquire(&self, index: usize) -> u64 {
        self.get(index)
            .map_or(0, |word| word.load(Ordering::Acquire))
    }

    #[inline(always)]
    fn store(&self, index: usize, value: u64) {
        if let Some(word) = self.get(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn store_release(&self, index: usize, value: u64) {
        if let Some(word) = self.get(index) {
            word.store(value, Ordering::Release);
        }
    }

    #[inline(always)]
    fn fetch_add(&self, index: usize, value: u64) -> u64 {
        self.get(index)
            .map_or(0, |word| word.fetch_add(value, Ordering::Relaxed))
    }

    #[inline(always)]
    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool {
        self.get(index).is_some_and(|word| {
            word.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        })
    }

    #[inline(always)]
    fn read_barrier(&self) {
        fence(Ordering::Acquire);
    }

    #[inline(always)]
    fn write_barrier(&self) {
        fence(Ordering::Release);
    }

    #[inline(always)]
    fn relax(&self) {
        #[cfg(not(loom))]
        core::hint::spin_loop();
        #[cfg(loom)]
        loom::hint::spin_loop();
    }
}

/// Mixes a word into a hash, by a folded multiplication as in Wang Yi's wyhash.
#[inline(always)]
pub(crate) fn mix(hash: u64, word: u64) -> u64 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15;
    let product = u128::from(hash ^ word).wrapping_mul(ODD);
    ((product >> 64) as u64 ^ product as u64).wrapping_add(0xd1b5_4a32_d192_ed03)
}

/// The hash of a tuple of keys of the variable or aggregation `of`. `seed` is random, so that who
/// is traced cannot choose keys that meet.
#[inline(always)]
pub(crate) fn hash(seed: u64, of: u32, keys: &[u64]) -> u64 {
    let hash = keys
        .iter()
        .fold(mix(seed, u64::from(of)), |hash, key| mix(hash, *key));
    mix(hash, keys.len() as u64)
}

/// A number below `below`, even as far as the 32 bits of `part` are.
#[inline(always)]
pub(crate) fn reduce(part: u32, below: u32) -> u32 {
    (u64::from(part).wrapping_mul(u64::from(below)) >> 32) as u32
}

/// The word that 8 bytes make in memory; fewer are filled up with zeroes.
#[inline(always)]
pub(crate) fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_ne_bytes(word)
}
