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
//! Contexts: any up to NMI, on any CPU; but for [`Table::reset`].

#![forbid(unsafe_code)]

use super::words::{
    hash,
    mix,
    reduce,
    word_of,
    Shared, //
};

/// How often a locked home is tried: some microseconds, if another CPU holds it for longer than
/// anybody should.
#[cfg(not(loom))]
const LOCK_TRIES: u32 = 64;
#[cfg(loom)]
const LOCK_TRIES: u32 = 2;

/// How often a reader looks again because somebody changed what he read.
#[cfg(not(loom))]
const READ_TRIES: u32 = 16;
#[cfg(loom)]
const READ_TRIES: u32 = 4;

/// Slots of a bucket: with the word `home`, a cache line.
#[cfg(not(loom))]
const SLOTS: u32 = 7;
#[cfg(loom)]
const SLOTS: u32 = 2;
const BUCKET_WORDS: u32 = SLOTS + 1;
/// Words of a body before its keys.
const HEAD_WORDS: u32 = 2;
/// A home with more keys sends the next one to the other bucket, if that has fewer.
const AT_HOME: u32 = 1;

/// There was no room, or the place was being changed by somebody else for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// The sizes of a table.
///
/// # Invariants
///
/// `buckets > 0`; all words that they need are in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    buckets: u32,
    /// Words of a slot's body.
    body: u32,
    /// Words of the largest key and value together.
    payload: u32,
    seed: u64,
    /// The most variables; 0: as many as there are slots.
    limit: u32,
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
    fn key<'k>(&self, variable: u32, thread: u64, keys: &'k [u64]) -> Key<'k> {
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

    /// Where the word `home` of a bucket is.
    #[inline(always)]
    fn home(&self, bucket: u32) -> usize {
        (bucket as usize).wrapping_mul(BUCKET_WORDS as usize)
    }

    /// Where the number of variables is, if there is a limit to it.
    #[inline(always)]
    fn count(&self) -> usize {
        self.body(self.buckets, 0)
    }

    /// Where the body of a bucket's slot is.
    #[inline(always)]
    fn body(&self, bucket: u32, slot: u32) -> usize {
        let before = (bucket as usize)
            .wrapping_mul(SLOTS as usize)
            .wrapping_add(slot as usize);
        self.home(self.buckets)
            .wrapping_add(before.wrapping_mul(self.body as usize))
    }
}

/// A bucket's word: what its keys share.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Home(u64);

impl Home {
    const LOCKED: u64 = 1;
    const STRAY: u64 = 2;
    const STRAYS: u64 = ((1 << 24) - 1) * Self::STRAY;
    const VERSION: u64 = Self::STRAYS + Self::STRAY;

    fn is_locked(self) -> bool {
        self.0 & Self::LOCKED != 0
    }

    fn locked(self) -> Self {
        Home(self.0 | Self::LOCKED)
    }

    fn unlocked(self) -> Self {
        Home(self.0 & !Self::LOCKED)
    }

    fn next_version(self) -> Self {
        Home(self.0.wrapping_add(Self::VERSION))
    }

    /// Whether keys of this home are elsewhere.
    fn has_strays(self) -> bool {
        self.0 & Self::STRAYS != 0
    }

    /// One more; nothing if no more can be counted.
    fn with_stray(self) -> Option<Self> {
        (self.0 & Self::STRAYS != Self::STRAYS).then_some(Home(self.0.wrapping_add(Self::STRAY)))
    }

    fn without_stray(self) -> Self {
        Home(self.0.wrapping_sub(Self::STRAY))
    }
}

/// A slot's word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State(u64);

impl State {
    const FREE: u64 = 0;
    const WRITING: u64 = 1;
    const LIVE: u64 = 2;
    const KIND: u64 = 3;
    const GENERATION: u64 = 4;
    const TAG: u64 = 0xffff_ffff << 32;

    fn is_free(self) -> bool {
        self.0 & Self::KIND == Self::FREE
    }

    /// Whether a key with this tag may be there.
    fn may_be(self, tag: u64) -> bool {
        self.0 & (Self::TAG | Self::KIND) == tag | Self::LIVE
    }

    /// The next generation of that kind.
    fn next(self, tag: u64, kind: u64) -> Self {
        let generation = self.0.wrapping_add(Self::GENERATION) & !(Self::TAG | Self::KIND);
        State(tag | generation | kind)
    }
}

/// A key, and where it may be.
struct Key<'k> {
    variable: u32,
    thread: u64,
    keys: &'k [u64],
    home: u32,
    other: u32,
    /// In the place that it has in a state.
    tag: u64,
}

impl Key<'_> {
    /// A body's head.
    fn head(&self, value: usize) -> u64 {
        (u64::from(self.variable) << 32) | ((self.keys.len() as u64) << 16) | value as u64
    }
}

/// What a variable is given.
enum Value<'v> {
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

/// Where a key is.
#[derive(Clone, Copy)]
struct Found {
    bucket: u32,
    slot: u32,
    state: State,
    /// Words of the value.
    value: u32,
}

/// A slot that is being written.
struct Claimed {
    bucket: u32,
    slot: u32,
    state: State,
}

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
    fn count_out(&self) {
        if self.shape.limit != 0 {
            self.memory.fetch_add(self.shape.count(), u64::MAX);
        }
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

    #[inline(always)]
    fn lock(&self, key: &Key<'_>) -> Result<Home, NoRoom> {
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
    fn unlock(&self, key: &Key<'_>, home: Home) {
        let at = self.shape.home(key.home);
        self.memory.store_release(at, home.unlocked().0);
    }

    /// Looks for a key, given its home's word. Who holds the lock finds it if it is there; others
    /// must make sure of what they found.
    #[inline(always)]
    fn find(&self, key: &Key<'_>, home: Home) -> Option<Found> {
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
    fn value_of(&self, key: &Key<'_>, bucket: u32, slot: u32) -> usize {
        self.shape
            .body(bucket, slot)
            .wrapping_add(HEAD_WORDS as usize)
            .wrapping_add(key.keys.len())
    }

    /// Reads a value by `take`, which is given its place and its length in words, and may be called
    /// several times; what it gave last is right.
    #[inline(always)]
    fn read<T>(&self, key: &Key<'_>, mut take: impl FnMut(usize, usize) -> T) -> Option<T> {
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

    /// Whether all that was read of a slot was of that generation.
    #[inline(always)]
    fn is_still(&self, found: &Found) -> bool {
        let m = &self.memory;
        m.read_barrier();
        m.load(self.state_of(found.bucket, found.slot)) == found.state.0
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

    /// Frees a slot.
    #[inline(always)]
    fn free(&self, bucket: u32, slot: u32, state: State) {
        let at = self.state_of(bucket, slot);
        self.memory.store_release(at, state.next(0, State::FREE).0);
    }

    /// Gives a key a value.
    #[inline(always)]
    fn write(&self, key: &Key<'_>, value: &Value<'_>) -> Result<(), NoRoom> {
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

    /// Frees where a key is; returns the home's word for the unlocking.
    #[inline(always)]
    fn forget(&self, key: &Key<'_>, home: Home, found: &Found) -> Home {
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
}

/// The bucket at which a variable is at home.
#[cfg(test)]
pub(crate) fn home_of(shape: Shape, variable: u32, thread: u64, keys: &[u64]) -> usize {
    shape.key(variable, thread, keys).home as usize
}

/// What a slot's state has of a variable's hash.
#[cfg(test)]
pub(crate) fn tag_of(shape: Shape, variable: u32, thread: u64, keys: &[u64]) -> u64 {
    shape.key(variable, thread, keys).tag
}
