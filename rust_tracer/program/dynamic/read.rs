// SPDX-License-Identifier: GPL-2.0

//! Readers take no lock: they look again if what they read has changed.
//!
//! Contexts: any up to NMI, on any CPU.

#![forbid(unsafe_code)]

use super::{
    shape::{
        Key,
        HEAD_WORDS,
        SLOTS, //
    },
    state::{
        Home,
        State, //
    },
    Table, //
};
use crate::program::words::Shared;

/// How often a reader looks again because somebody changed what he read.
#[cfg(not(loom))]
const READ_TRIES: u32 = 16;
#[cfg(loom)]
const READ_TRIES: u32 = 4;

/// Where a key is.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) bucket: u32,
    pub(super) slot: u32,
    pub(super) state: State,
    /// Words of the value.
    pub(super) value: u32,
}

impl<M: Shared> Table<M> {
    /// Reads a value by `take`, which is given its place and its length in words, and may be called
    /// several times; what it gave last is right.
    #[inline(always)]
    pub(super) fn read<T>(
        &self,
        key: &Key<'_>,
        mut take: impl FnMut(usize, usize) -> T,
    ) -> Option<T> {
        let m = &self.memory;
        let at = self.shape.home(key.home);
        for _ in 0..READ_TRIES {
            let before = Home(m.load_acquire(at));
            if let Some(found) = self.find(key, before) {
                let first = self.value_of(key, found.bucket, found.slot);
                let taken = take(first, found.value as usize);
                if self.is_still(&found) {
                    return Some(taken);
                }
            } else {
                m.read_barrier();
                // Locked or not: if nothing has changed, it was nowhere.
                if m.load(at) == before.0 {
                    return None;
                }
            }
            m.relax();
        }
        None
    }

    /// Looks for a key, given its home's word. Who holds the lock finds it if it is there; others
    /// must make sure of what they found.
    #[inline(always)]
    pub(super) fn find(&self, key: &Key<'_>, home: Home) -> Option<Found> {
        match self.find_in(key, key.home) {
            // With one bucket there is no other, and nobody strays.
            None if home.has_strays() => self.find_in(key, key.other),
            found => found,
        }
    }

    #[inline(always)]
    fn find_in(&self, key: &Key<'_>, bucket: u32) -> Option<Found> {
        let m = &self.memory;
        for slot in 0..SLOTS {
            let state = State(m.load_acquire(self.state_of(bucket, slot)));
            if !state.may_be(key.tag) {
                continue;
            }
            let body = self.shape.body(bucket, slot);
            let head = m.load(body);
            let value = head as u16;
            let first = body.wrapping_add(HEAD_WORDS as usize);
            if head == key.head(value.into())
                && m.load(body.wrapping_add(1)) == key.thread
                && (0..key.keys.len())
                    .zip(key.keys)
                    .all(|(index, part)| m.load(first.wrapping_add(index)) == *part)
            {
                let found = Found {
                    bucket,
                    slot,
                    state,
                    value: value.into(),
                };
                // Else the parts were of two keys, one after the other.
                if self.is_still(&found) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Where the value of a key is in its body.
    #[inline(always)]
    pub(super) fn value_of(&self, key: &Key<'_>, bucket: u32, slot: u32) -> usize {
        self.shape
            .body(bucket, slot)
            .wrapping_add(HEAD_WORDS as usize)
            .wrapping_add(key.keys.len())
    }

    /// Whether all that was read of a slot was of that generation.
    #[inline(always)]
    fn is_still(&self, found: &Found) -> bool {
        let m = &self.memory;
        m.read_barrier();
        m.load(self.state_of(found.bucket, found.slot)) == found.state.0
    }
}
