// SPDX-License-Identifier: GPL-2.0

//! Dynamic variables (thread-local ones, and arrays): a session's table of fixed size that all CPUs
//! use, from any context.
//!
//! ```text
//!   buckets   | home | state 0 | … | state 6 |   a cache line each
//!   bodies    | variable, lengths | thread | keys | value |   seven for each bucket
//!
//!   home      version (39 bits) | strays (24) | locked (1)
//!   state     hash (32 bits) | generation (30) | free, being written, or live (2)
//! ```
//!
//! A key may be in one of two buckets: its *home*, or the other one that its hash names if that has
//! more room when it comes. The word `home` counts those that stray, so that who finds nothing
//! at home need not look elsewhere if nobody does.
//!
//! **Who writes** a key locks its home, so nobody else writes that key, and it is never there
//! twice. A slot, which keys of other homes may want as well, is claimed by its state. A lock is
//! tried a bounded number of times: its holder may be what this context interrupted. Then the
//! write fails, and the caller counts a drop.
//!
//! **Who reads** takes no lock. He reads the state, the body, and the state again: if it is the
//! same live generation, what he read was of that key. A new value that is one word like the old
//! one is stored in its place, so readers get either. Any other is written to a new slot, which
//! goes live before the old one is freed; the version changes between the two, so a reader who
//! finds neither knows that he has to look again.
//!
//! There may be a limit to how many variables there are, which is then exact: a word behind the
//! bodies counts them.
//!
//! If two CPUs write one key at once, the last one wins; a value is never mixed from two. Reads and
//! writes by the thread or CPU itself are seen in their order, and those of a thread-local variable
//! by one thread, wherever it runs.
//!
//! `shape` tells where all this is, `state` what the words of a bucket say; `read` and `write` are
//! the two sides.
//!
//! Contexts: any up to NMI, on any CPU; but for [`Table::reset`].

#![forbid(unsafe_code)]

mod read;
mod shape;
mod state;
mod write;

pub(crate) use self::shape::Shape;

use self::{
    shape::{
        Key,
        SLOTS, //
    },
    state::State,
    write::Value, //
};
use super::words::Shared;

/// There was no room, or the place was being changed by somebody else for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// A session's dynamic variables.
pub(crate) struct Table<M> {
    memory: M,
    shape: Shape,
}

impl<M: Shared> Table<M> {
    /// The table in `memory`, which has the words that `shape` was made for. They are 0 before it
    /// is used first.
    #[inline(always)]
    pub(crate) fn new(memory: M, shape: Shape) -> Self {
        Table { memory, shape }
    }

    /// Forgets everything. Task context, when nobody uses the table.
    pub(crate) fn reset(&self) {
        for index in 0..self.shape.home(self.shape.buckets) {
            self.memory.store(index, 0);
        }
        if self.shape.limit != 0 {
            self.memory.store(self.shape.count(), 0);
        }
    }

    /// Reads a variable that is a number, of this thread (0: of none). Nothing if it is not there.
    #[inline]
    pub(crate) fn load(&self, variable: u32, thread: u64, keys: &[u64]) -> Option<u64> {
        let key = self.key(variable, thread, keys);
        self.read(&key, |first, words| {
            if words == 0 {
                return 0;
            }
            self.memory.load(first)
        })
    }

    /// Reads one that is a string or bytes: true if it is there. What `into` has beyond it is
    /// filled with zeroes, all of it if it is not there.
    #[inline]
    pub(crate) fn load_bytes(
        &self,
        variable: u32,
        thread: u64,
        keys: &[u64],
        into: &mut [u8],
    ) -> bool {
        let key = self.key(variable, thread, keys);
        let read = self.read(&key, |first, words| {
            for (index, bytes) in (0..words).zip(into.chunks_mut(8)) {
                let word = self.memory.load(first.wrapping_add(index));
                for (byte, value) in bytes.iter_mut().zip(word.to_ne_bytes()) {
                    *byte = value;
                }
            }
            words
        });
        let there = read.unwrap_or(0).wrapping_mul(8);
        if let Some(rest) = into.get_mut(there..) {
            rest.fill(0);
        }
        read.is_some()
    }

    /// Gives a variable a number, of this thread (0: of none). If it fails, the variable has the
    /// value that it had.
    #[inline]
    pub(crate) fn store(
        &self,
        variable: u32,
        thread: u64,
        keys: &[u64],
        value: u64,
    ) -> Result<(), NoRoom> {
        self.write(&self.key(variable, thread, keys), &Value::Number(value))
    }

    /// The same with a string or bytes.
    #[inline]
    pub(crate) fn store_bytes(
        &self,
        variable: u32,
        thread: u64,
        keys: &[u64],
        value: &[u8],
    ) -> Result<(), NoRoom> {
        self.write(&self.key(variable, thread, keys), &Value::Bytes(value))
    }

    /// Frees a variable. If it fails, the variable has the value that it had.
    #[inline]
    pub(crate) fn remove(&self, variable: u32, thread: u64, keys: &[u64]) -> Result<(), NoRoom> {
        let key = self.key(variable, thread, keys);
        let mut home = self.lock(&key)?;
        if let Some(found) = self.find(&key, home) {
            home = self.forget(&key, home, &found).next_version();
            self.count_out();
        }
        self.unlock(&key, home);
        Ok(())
    }

    /// How many variables there are; a guess while others write. Task context.
    pub(crate) fn live(&self) -> u64 {
        let mut live = 0u64;
        for bucket in 0..self.shape.buckets {
            for slot in 0..SLOTS {
                let state = self.memory.load(self.state_of(bucket, slot));
                live = live.wrapping_add(u64::from(state & State::KIND == State::LIVE));
            }
        }
        live
    }

    #[inline(always)]
    fn key<'k>(&self, variable: u32, thread: u64, keys: &'k [u64]) -> Key<'k> {
        self.shape.key(variable, thread, keys)
    }

    #[inline(always)]
    fn state_of(&self, bucket: u32, slot: u32) -> usize {
        self.shape
            .home(bucket)
            .wrapping_add(1)
            .wrapping_add(slot as usize)
    }
}
