// SPDX-License-Identifier: GPL-2.0

//! The sizes of a table of dynamic variables: where its words are, and where a key may be.
//!
//! Contexts: any.

#![forbid(unsafe_code)]

use crate::program::words::{
    hash,
    mix,
    reduce, //
};

/// Slots of a bucket: with the word `home`, a cache line.
#[cfg(not(loom))]
pub(super) const SLOTS: u32 = 7;
#[cfg(loom)]
pub(super) const SLOTS: u32 = 2;
const BUCKET_WORDS: u32 = SLOTS + 1;
/// Words of a body before its keys.
pub(super) const HEAD_WORDS: u32 = 2;

/// The sizes of a table.
///
/// # Invariants
///
/// `buckets > 0`; all words that they need are in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(super) buckets: u32,
    /// Words of a slot's body.
    body: u32,
    /// Words of the largest key and value together.
    pub(super) payload: u32,
    seed: u64,
    /// The most variables; 0: as many as there are slots.
    pub(super) limit: u32,
}

impl Shape {
    /// Words for a table with room for `limit` variables, however their keys fall: half of its
    /// slots are enough for so many (in one bucket all but one, for the new value of one).
    pub(crate) fn words(limit: u32, payload: u32) -> Option<usize> {
        let buckets = if limit < SLOTS {
            1
        } else {
            limit.checked_div(SLOTS / 2 + 1)?.checked_add(1)?
        };
        let words = Self::bucket_words(payload)?.checked_mul(buckets)?;
        (words as usize).checked_add(1)
    }

    /// Words of a bucket with its bodies.
    fn bucket_words(payload: u32) -> Option<u32> {
        let body = payload.checked_add(HEAD_WORDS)?;
        SLOTS.checked_mul(body)?.checked_add(BUCKET_WORDS)
    }

    /// The same as [`new`](Self::new), for at most `limit` variables if that is not 0.
    pub(crate) fn limited(words: usize, payload: u32, limit: u32, seed: u64) -> Option<Self> {
        let unlimited = Self::new(words, payload, seed)?;
        if limit == 0 || u64::from(limit) > unlimited.slots() {
            return Some(unlimited);
        }
        let shape = Self::new(words.checked_sub(1)?, payload, seed)?;
        Some(Shape { limit, ..shape })
    }

    /// The shape of a table in `words` words whose slots hold up to `payload` words of key and
    /// value together. Nothing if there is not room for one bucket. `seed` is a random number.
    pub(crate) fn new(words: usize, payload: u32, seed: u64) -> Option<Self> {
        // The lengths in a body's head have 16 bits.
        u16::try_from(payload).ok()?;
        let body = payload.checked_add(HEAD_WORDS)?;
        let bucket = Self::bucket_words(payload)?;
        let buckets = words.checked_div(bucket as usize)?;
        let buckets = u32::try_from(buckets).unwrap_or(u32::MAX);
        // INVARIANT: Checked here, and divided above.
        (buckets > 0).then_some(Shape {
            buckets,
            body,
            payload,
            seed,
            limit: 0,
        })
    }

    /// How many keys there may be at most.
    pub(crate) fn slots(&self) -> u64 {
        u64::from(self.buckets).wrapping_mul(u64::from(SLOTS))
    }

    /// A key, and where it may be.
    #[inline(always)]
    pub(super) fn key<'k>(&self, variable: u32, thread: u64, keys: &'k [u64]) -> Key<'k> {
        let hash = hash(mix(self.seed, thread), variable, keys);
        let home = reduce((hash >> 32) as u32, self.buckets);
        let mut other = reduce(hash as u32, self.buckets);
        if other == home {
            other = home.wrapping_add(1);
            if other == self.buckets {
                other = 0;
            }
        }
        Key {
            variable,
            thread,
            keys,
            home,
            other,
            tag: (hash ^ (hash >> 32)) << 32,
        }
    }

    /// Words of a slot's body.
    #[cfg(test)]
    pub(crate) fn body_words(&self) -> usize {
        self.body as usize
    }

    /// The bucket at which a variable is at home.
    #[cfg(test)]
    pub(crate) fn home_of(&self, variable: u32, thread: u64, keys: &[u64]) -> usize {
        self.key(variable, thread, keys).home as usize
    }

    /// What a slot's state has of a variable's hash.
    #[cfg(test)]
    pub(crate) fn tag_of(&self, variable: u32, thread: u64, keys: &[u64]) -> u64 {
        self.key(variable, thread, keys).tag
    }

    /// Where the word `home` of a bucket is.
    #[inline(always)]
    pub(super) fn home(&self, bucket: u32) -> usize {
        (bucket as usize).wrapping_mul(BUCKET_WORDS as usize)
    }

    /// Where the number of variables is, if there is a limit to it.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.body(self.buckets, 0)
    }

    /// Where the body of a bucket's slot is.
    #[inline(always)]
    pub(super) fn body(&self, bucket: u32, slot: u32) -> usize {
        let before = (bucket as usize)
            .wrapping_mul(SLOTS as usize)
            .wrapping_add(slot as usize);
        self.home(self.buckets)
            .wrapping_add(before.wrapping_mul(self.body as usize))
    }
}

/// A key, and where it may be.
pub(super) struct Key<'k> {
    pub(super) variable: u32,
    pub(super) thread: u64,
    pub(super) keys: &'k [u64],
    pub(super) home: u32,
    pub(super) other: u32,
    /// In the place that it has in a state.
    pub(super) tag: u64,
}

impl Key<'_> {
    /// A body's head.
    pub(super) fn head(&self, value: usize) -> u64 {
        (u64::from(self.variable) << 32) | ((self.keys.len() as u64) << 16) | value as u64
    }
}
