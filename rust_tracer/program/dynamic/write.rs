// SPDX-License-Identifier: GPL-2.0

//! Who writes a key holds the lock of its home: he finds where it is, claims a slot for a new value,
//! and shows the one before he frees the other.
//!
//! Contexts: any up to NMI, on any CPU.

#![forbid(unsafe_code)]

use super::{
    read::Found,
    shape::{
        Key,
        HEAD_WORDS,
        SLOTS, //
    },
    state::{
        Home,
        State, //
    },
    NoRoom,
    Table, //
};
use crate::program::words::{
    word_of,
    Shared, //
};

/// How often a locked home is tried: some microseconds, if another CPU holds it for longer than
/// anybody should.
#[cfg(not(loom))]
const LOCK_TRIES: u32 = 64;
#[cfg(loom)]
const LOCK_TRIES: u32 = 2;

/// A home with more keys sends the next one to the other bucket, if that has fewer.
const AT_HOME: u32 = 1;

/// What a variable is given.
pub(super) enum Value<'v> {
    Number(u64),
    Bytes(&'v [u8]),
}

impl Value<'_> {
    #[inline(always)]
    fn words(&self) -> usize {
        match self {
            Value::Number(_) => 1,
            Value::Bytes(bytes) => bytes.len().div_ceil(8),
        }
    }
}

/// A slot that is being written.
struct Claimed {
    bucket: u32,
    slot: u32,
    state: State,
}

impl<M: Shared> Table<M> {
    /// Gives a key a value.
    #[inline(always)]
    pub(super) fn write(&self, key: &Key<'_>, value: &Value<'_>) -> Result<(), NoRoom> {
        let words = key.keys.len().checked_add(value.words()).ok_or(NoRoom)?;
        if words > self.shape.payload as usize {
            return Err(NoRoom);
        }
        let home = self.lock(key)?;
        let (home, result) = self.write_locked(key, home, value);
        self.unlock(key, home);
        result
    }

    /// The same with the lock held; returns the home's word for the unlocking.
    #[inline(always)]
    fn write_locked(
        &self,
        key: &Key<'_>,
        home: Home,
        value: &Value<'_>,
    ) -> (Home, Result<(), NoRoom>) {
        let m = &self.memory;
        let found = self.find(key, home);
        if let (Some(found @ Found { value: 1, .. }), Value::Number(word)) = (&found, value) {
            m.store(self.value_of(key, found.bucket, found.slot), *word);
            return (home, Ok(()));
        }
        if found.is_none() && !self.count_in() {
            return (home, Err(NoRoom));
        }
        let Some(claimed) = self.claim(key) else {
            if found.is_none() {
                self.count_out();
            }
            return (home, Err(NoRoom));
        };
        let mut home = home;
        self.fill(key, &claimed, value);
        if claimed.bucket != key.home {
            let Some(counted) = home.with_stray() else {
                self.free(claimed.bucket, claimed.slot, claimed.state);
                if found.is_none() {
                    self.count_out();
                }
                return (home, Err(NoRoom));
            };
            // Shown with the version: by then it is there, and the old one still is.
            home = counted;
        }
        let at = self.state_of(claimed.bucket, claimed.slot);
        m.store_release(at, claimed.state.next(key.tag, State::LIVE).0);
        if let Some(old) = found {
            // Who finds the old one gone sees this version, hence looks again.
            home = self.show(key, home);
            home = self.forget(key, home, &old);
        }
        (home.next_version(), Ok(()))
    }

    #[inline(always)]
    pub(super) fn lock(&self, key: &Key<'_>) -> Result<Home, NoRoom> {
        let m = &self.memory;
        let at = self.shape.home(key.home);
        for _ in 0..LOCK_TRIES {
            let home = Home(m.load(at));
            if !home.is_locked() && m.compare_exchange(at, home.0, home.locked().0) {
                return Ok(home.locked());
            }
            m.relax();
        }
        Err(NoRoom)
    }

    #[inline(always)]
    pub(super) fn unlock(&self, key: &Key<'_>, home: Home) {
        let at = self.shape.home(key.home);
        self.memory.store_release(at, home.unlocked().0);
    }

    /// Frees where a key is; returns the home's word for the unlocking.
    #[inline(always)]
    pub(super) fn forget(&self, key: &Key<'_>, home: Home, found: &Found) -> Home {
        self.free(found.bucket, found.slot, found.state);
        if found.bucket == key.home {
            home
        } else {
            home.without_stray()
        }
    }

    /// Shows a new version of the home's word, still locked.
    #[inline(always)]
    fn show(&self, key: &Key<'_>, home: Home) -> Home {
        let home = home.next_version();
        let at = self.shape.home(key.home);
        self.memory.store_release(at, home.0);
        home
    }

    /// Fills a claimed slot.
    #[inline(always)]
    fn fill(&self, key: &Key<'_>, claimed: &Claimed, value: &Value<'_>) {
        let m = &self.memory;
        // That it is being written comes before what is written.
        m.write_barrier();
        let body = self.shape.body(claimed.bucket, claimed.slot);
        m.store(body, key.head(value.words()));
        m.store(body.wrapping_add(1), key.thread);
        let first = body.wrapping_add(HEAD_WORDS as usize);
        for (index, part) in (0..key.keys.len()).zip(key.keys) {
            m.store(first.wrapping_add(index), *part);
        }
        let first = first.wrapping_add(key.keys.len());
        match value {
            Value::Number(word) => m.store(first, *word),
            Value::Bytes(bytes) => {
                for (index, bytes) in (0..value.words()).zip(bytes.chunks(8)) {
                    m.store(first.wrapping_add(index), word_of(bytes));
                }
            }
        }
    }

    /// Takes a free slot for a key.
    #[inline(always)]
    fn claim(&self, key: &Key<'_>) -> Option<Claimed> {
        let used = self.used(key.home);
        let (first, second) = if used > AT_HOME && self.used(key.other) < used {
            (key.other, key.home)
        } else {
            (key.home, key.other)
        };
        self.claim_in(first).or_else(|| self.claim_in(second))
    }

    #[inline(always)]
    fn claim_in(&self, bucket: u32) -> Option<Claimed> {
        let m = &self.memory;
        for slot in 0..SLOTS {
            let at = self.state_of(bucket, slot);
            let free = State(m.load(at));
            let state = free.next(0, State::WRITING);
            if free.is_free() && m.compare_exchange(at, free.0, state.0) {
                return Some(Claimed {
                    bucket,
                    slot,
                    state,
                });
            }
        }
        None
    }

    /// How many slots of a bucket are used.
    #[inline(always)]
    fn used(&self, bucket: u32) -> u32 {
        (0..SLOTS).fold(0u32, |used, slot| {
            let state = State(self.memory.load(self.state_of(bucket, slot)));
            used.wrapping_add(u32::from(!state.is_free()))
        })
    }

    /// Frees a slot.
    #[inline(always)]
    fn free(&self, bucket: u32, slot: u32, state: State) {
        let at = self.state_of(bucket, slot);
        self.memory.store_release(at, state.next(0, State::FREE).0);
    }

    /// One more variable, if there may be one.
    #[inline(always)]
    fn count_in(&self) -> bool {
        let limit = u64::from(self.shape.limit);
        if limit == 0 || self.memory.fetch_add(self.shape.count(), 1) < limit {
            return true;
        }
        self.count_out();
        false
    }

    /// One less.
    #[inline(always)]
    pub(super) fn count_out(&self) {
        if self.shape.limit != 0 {
            self.memory.fetch_add(self.shape.count(), u64::MAX);
        }
    }
}
