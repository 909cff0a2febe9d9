// SPDX-License-Identifier: GPL-2.0

//! What one CPU aggregates: a table of fixed size, in one array of words that only this CPU writes.
//!
//! ```text
//!   word 0   where the next entry will be
//!            aggregations without keys, each: touched | its words
//!            the index, each: hash (32 bits) | where the entry is; 0: free
//!            entries, one behind the other: head | keys | words
//!            free: 0
//! ```
//!
//! The index is probed from the place that the hash gives, and nothing leaves it, so two contexts
//! that look for the same keys meet at the same free place. An entry is complete before one
//! compare-and-exchange shows it there. Who loses that race to a context that interrupted it looks
//! at what it put there: the same keys (its entry is used, the own one becomes dead), or others (go
//! on). Hence no keys are there twice.
//!
//! An entry may have very many words ([`LEVELS_MAX`](super::buckets::LEVELS_MAX)). A handler does not
//! clear them: all that is free is 0, which [`Table::reset`] sees to, and of what begins with
//! another number there is but one word.
//!
//! Values are changed by single instructions, in any order, since sums commute; least and greatest
//! by compare-and-exchange. They are read at rest only: the caller has two tables for each CPU, and
//! turns from one to the other between two handlers.
//!
//! Contexts: [`Table::update`] any up to NMI, on the table's CPU with preemption off; the others
//! task context, when no `update` is under way.

#![forbid(unsafe_code)]

use super::buckets::{
    quantize,
    Linear,
    LogLinear,
    QUANTIZE_WORDS, //
};
use super::words::{
    hash,
    nospec,
    reduce,
    Local, //
};
use super::Full;

/// Places of the index that are looked at for one tuple of keys.
const PROBES: u32 = 64;
/// How often a context begins a step again because others interrupted it right there.
const TRIES: u32 = 16;

const USED: usize = 0;
const FIXED: u32 = 1;

/// What an aggregation does with values. In the order of `RTRACE_AGG_*`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    Count,
    Sum,
    Min,
    Max,
    Avg,
    Stddev,
    Quantize,
    Lquantize(Linear),
    Llquantize(LogLinear),
}

impl Function {
    /// As `struct rtrace_aggregation` tells it; nothing if that is not valid.
    pub(crate) fn new(function: u32, parameters: &[u64; 4]) -> Option<Self> {
        let function = match function {
            0 => Self::Count,
            1 => Self::Sum,
            2 => Self::Min,
            3 => Self::Max,
            4 => Self::Avg,
            5 => Self::Stddev,
            6 => Self::Quantize,
            7 => return Some(Self::Lquantize(Linear::new(parameters)?)),
            8 => return Some(Self::Llquantize(LogLinear::new(parameters)?)),
            _ => return None,
        };
        (*parameters == [0; 4]).then_some(function)
    }

    /// Words of data.
    pub(crate) fn words(&self) -> u32 {
        match self {
            Self::Count | Self::Sum | Self::Min | Self::Max => 1,
            Self::Avg => 2,
            Self::Stddev => 4,
            Self::Quantize => QUANTIZE_WORDS,
            Self::Lquantize(linear) => linear.words(),
            Self::Llquantize(logarithmic) => logarithmic.words(),
        }
    }

    /// What its first word is before the first value; the others are 0.
    fn start(&self) -> u64 {
        match self {
            Self::Min => i64::MAX as u64,
            Self::Max => i64::MIN as u64,
            _ => 0,
        }
    }
}

/// An aggregation of a program, and its place in the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    function: Function,
    words: u32,
    keyed: bool,
    /// Without keys: where it is in the table; set by [`Shape::new`].
    fixed: u32,
}

impl Placed {
    /// One with keys, or without.
    pub(crate) fn new(function: Function, keyed: bool) -> Self {
        Placed {
            function,
            words: function.words(),
            keyed,
            fixed: 0,
        }
    }

    /// Words of data.
    pub(crate) fn words(&self) -> u32 {
        self.words
    }

    /// What it does with values.
    #[cfg_attr(test, allow(dead_code, reason = "the probe path's short way asks"))]
    pub(crate) fn function(&self) -> &Function {
        &self.function
    }

    /// Without keys: the word of the table that says whether it was touched, before its data; but a
    /// count is touched if it is not 0.
    #[cfg_attr(test, allow(dead_code, reason = "the probe path's short way asks"))]
    pub(crate) fn fixed(&self) -> Option<u32> {
        (!self.keyed).then_some(self.fixed)
    }
}

/// Where things are in the tables of a program.
///
/// # Invariants
///
/// `FIXED <= index <= index + slots <= entries <= end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    index: u32,
    slots: u32,
    entries: u32,
    end: u32,
    seed: u64,
}

impl Shape {
    /// The shape of tables of `words` words for these aggregations, and each one's place. Nothing
    /// if they do not fit: there is room for one entry of each. `seed` is a random number.
    pub(crate) fn new(aggregations: &mut [Placed], words: usize, seed: u64) -> Option<Self> {
        let mut index = FIXED;
        let mut least_entry = None;
        let mut largest_entry = 0;
        for aggregation in aggregations {
            if aggregation.keyed {
                // Its head and a key.
                let entry = aggregation.words.checked_add(2)?;
                least_entry = Some(least_entry.unwrap_or(entry).min(entry));
                largest_entry = entry.max(largest_entry);
            } else {
                aggregation.fixed = index;
                index = index.checked_add(1)?.checked_add(aggregation.words)?;
            }
        }
        // As much as offsets of 32 bits reach.
        let end = u32::try_from(words).unwrap_or(u32::MAX);
        let rest = end.checked_sub(index)?;
        // Three places of the index for two entries, were all of the smallest.
        let slots = match least_entry {
            None => 0,
            Some(entry) => {
                let two = u64::from(entry).wrapping_mul(2).wrapping_add(3);
                let slots = u64::from(rest).wrapping_mul(3).checked_div(two)?;
                u32::try_from(slots).ok()?
            }
        };
        let entries = index.checked_add(slots)?;
        // Room for one of each, at least.
        if entries.checked_add(largest_entry)? > end || (slots == 0 && least_entry.is_some()) {
            return None;
        }
        // INVARIANT: Each is the one before and something, and checked against `end`.
        Some(Shape {
            index,
            slots,
            entries,
            end,
            seed,
        })
    }
}

/// The head of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head(u64);

impl Head {
    const DEAD: u64 = 1 << 63;

    fn new(aggregation: u32, keys: u16) -> Self {
        Head((u64::from(aggregation) << 16) | u64::from(keys))
    }

    fn dead(self) -> Self {
        Head(self.0 | Self::DEAD)
    }

    fn is_dead(self) -> bool {
        self.0 & Self::DEAD != 0
    }

    fn aggregation(self) -> u32 {
        (self.0 >> 16) as u32
    }

    fn keys(self) -> u32 {
        u32::from(self.0 as u16)
    }
}

/// What is aggregated under one tuple of keys, or without keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Index of the aggregation.
    pub(crate) aggregation: u32,
    /// Words of keys.
    pub(crate) keys: u32,
    /// Words of data.
    pub(crate) words: u32,
    /// Where to go on, never 0.
    pub(crate) next: u64,
    at: u32,
}

/// One CPU's table.
pub(crate) struct Table<'a, M> {
    memory: M,
    aggregations: &'a [Placed],
    shape: Shape,
}

impl<'a, M: Local> Table<'a, M> {
    /// The table in `memory`, whose words are as many as `shape` was made for, with the
    /// aggregations that it was made for. Before it is used first, the words are 0, and it is
    /// [`reset`](Table::reset).
    #[inline(always)]
    pub(crate) fn new(memory: M, aggregations: &'a [Placed], shape: Shape) -> Self {
        Table {
            memory,
            aggregations,
            shape,
        }
    }

    /// Gives `value` to an aggregation under these keys, `weight` times for `quantize` and kin.
    /// What finds no room is not counted at all.
    #[inline(always)]
    pub(crate) fn update(
        &self,
        aggregation: u32,
        keys: &[u64],
        value: u64,
        weight: u64,
    ) -> Result<(), Full> {
        let of = self.aggregations.get(aggregation as usize).ok_or(Full)?;
        let data = if of.keyed {
            self.find(aggregation, of, keys, true)?
        } else {
            // A count is touched if it is not 0.
            if !matches!(of.function, Function::Count) {
                self.memory.store(of.fixed as usize, 1);
            }
            of.fixed.wrapping_add(1)
        };
        self.apply(&of.function, data as usize, value, weight)
    }

    /// Where the data are of an aggregation under these keys, if there are any.
    #[cfg_attr(test, allow(dead_code, reason = "the probe path's short way asks"))]
    pub(crate) fn place(&self, aggregation: u32, keys: &[u64]) -> Option<u32> {
        let of = self.aggregations.get(aggregation as usize)?;
        self.find(aggregation, of, keys, false).ok()
    }

    #[inline(always)]
    fn apply(&self, function: &Function, data: usize, value: u64, weight: u64) -> Result<(), Full> {
        let m = &self.memory;
        let word = |index: usize| data.wrapping_add(index);
        let bucket = |bucket: u32| m.add(word(bucket as usize), weight);
        match function {
            Function::Count => m.add(data, 1),
            Function::Sum => m.add(data, value),
            Function::Min => return self.improve(data, value, |old| (value as i64) < old),
            Function::Max => return self.improve(data, value, |old| value as i64 > old),
            Function::Avg => {
                m.add(data, 1);
                m.add(word(1), value);
            }
            Function::Stddev => {
                m.add(data, 1);
                m.add(word(1), value);
                let magnitude = u128::from((value as i64).unsigned_abs());
                let square = magnitude.wrapping_mul(magnitude);
                let low = square as u64;
                let carry = m.fetch_add(word(2), low).checked_add(low).is_none();
                m.add(
                    word(3),
                    ((square >> 64) as u64).wrapping_add(u64::from(carry)),
                );
            }
            Function::Quantize => bucket(quantize(value as i64)),
            Function::Lquantize(linear) => bucket(linear.bucket(value as i64)),
            Function::Llquantize(logarithmic) => bucket(logarithmic.bucket(value as i64)),
        }
        Ok(())
    }

    /// Replaces a word by `value` if that is better than what is there.
    #[inline(always)]
    fn improve(&self, at: usize, value: u64, better: impl Fn(i64) -> bool) -> Result<(), Full> {
        // Begins again only if a context came between that improved it, too.
        for _ in 0..TRIES {
            let old = self.memory.load(at);
            if !better(old as i64) || self.memory.compare_exchange(at, old, value) {
                return Ok(());
            }
        }
        Err(Full)
    }

    /// Where the data under these keys are; a new entry's if there is none, and `make`.
    #[inline(always)]
    fn find(&self, aggregation: u32, of: &Placed, keys: &[u64], make: bool) -> Result<u32, Full> {
        let m = &self.memory;
        let shape = &self.shape;
        let head = Head::new(aggregation, u16::try_from(keys.len()).map_err(|_| Full)?);
        let hash = hash(shape.seed, aggregation, keys);
        let mut slot = reduce((hash >> 32) as u32, shape.slots);
        let mut made = None;
        let mut found = Err(Full);
        for _ in 0..PROBES.min(shape.slots) {
            let index = shape.index.wrapping_add(slot) as usize;
            let mut place = m.load(index);
            if place == 0 {
                if !make {
                    break;
                }
                let entry = match made {
                    Some(entry) => entry,
                    None => self.make(head, of, keys)?,
                };
                if m.compare_exchange(index, 0, (hash << 32) | u64::from(entry)) {
                    return Ok(data_of(entry, head));
                }
                made = Some(entry);
                place = m.load(index);
            }
            if place >> 32 == hash & 0xffff_ffff && self.is(place as u32, head, keys) {
                found = Ok(data_of(place as u32, head));
                break;
            }
            slot = slot.wrapping_add(1);
            if slot == shape.slots {
                slot = 0;
            }
        }
        if let Some(entry) = made {
            m.store(entry as usize, head.dead().0);
        }
        found
    }

    /// Whether an entry is of this head and these keys.
    #[inline(always)]
    fn is(&self, entry: u32, head: Head, keys: &[u64]) -> bool {
        let m = &self.memory;
        let first = (entry as usize).wrapping_add(1);
        m.load(entry as usize) == head.0
            && (0..keys.len())
                .zip(keys)
                .all(|(index, key)| m.load(first.wrapping_add(index)) == *key)
    }

    /// Makes an entry that no index shows yet.
    fn make(&self, head: Head, of: &Placed, keys: &[u64]) -> Result<u32, Full> {
        let m = &self.memory;
        let words = u64::from(data_of(0, head)).wrapping_add(u64::from(of.words));
        for _ in 0..TRIES {
            let entry = m.load(USED);
            let after = entry.wrapping_add(words);
            if after > u64::from(self.shape.end) {
                return Err(Full);
            }
            if m.compare_exchange(USED, entry, after) {
                let entry = entry as u32;
                m.store(entry as usize, head.0);
                let first = (entry as usize).wrapping_add(1);
                for (index, key) in (0..keys.len()).zip(keys) {
                    m.store(first.wrapping_add(index), *key);
                }
                self.start(&of.function, data_of(entry, head));
                return Ok(entry);
            }
        }
        Err(Full)
    }

    /// Makes what is to be before the first value of words that are 0.
    #[inline(always)]
    fn start(&self, function: &Function, data: u32) {
        let first = function.start();
        if first != 0 {
            self.memory.store(data as usize, first);
        }
    }

    /// Forgets everything. Its time grows with the table.
    pub(crate) fn reset(&self) {
        let m = &self.memory;
        let shape = &self.shape;
        for of in self.aggregations {
            if !of.keyed {
                let data = of.fixed.wrapping_add(1);
                self.clear(of.fixed, data.wrapping_add(of.words));
                self.start(&of.function, data);
            }
        }
        // Without entries there is nothing in the index.
        let used = m.load(USED).min(u64::from(shape.end)) as u32;
        if used != shape.entries {
            self.clear(shape.index, shape.entries);
            self.clear(shape.entries, used);
            m.store(USED, u64::from(shape.entries));
        }
    }

    /// Clears the words from `first` on, up to `end`.
    fn clear(&self, first: u32, end: u32) {
        for index in first..end {
            self.memory.store(index as usize, 0);
        }
    }

    /// The first entry at `cursor`, 0 or a [`next`](Entry::next), or after it. Any other number
    /// does no harm, but what it finds are not entries.
    pub(crate) fn entry(&self, cursor: u64) -> Option<Entry> {
        let m = &self.memory;
        let count = self.aggregations.len() as u64;
        let mut cursor = cursor;
        while cursor < count {
            let of = self
                .aggregations
                .get(nospec(cursor as usize, count as usize))?;
            if !of.keyed && self.is_touched(of) {
                return Some(Entry {
                    aggregation: cursor as u32,
                    keys: 0,
                    words: of.words,
                    next: cursor.wrapping_add(1),
                    at: of.fixed.wrapping_add(1),
                });
            }
            cursor = cursor.wrapping_add(1);
        }
        let mut at = cursor
            .wrapping_sub(count)
            .max(u64::from(self.shape.entries));
        let used = m.load(USED).min(u64::from(self.shape.end));
        while at < used {
            let head = Head(m.load(nospec(at as usize, used as usize)));
            if u64::from(head.aggregation()) >= count {
                return None;
            }
            let index = nospec(head.aggregation() as usize, count as usize);
            let of = self.aggregations.get(index)?;
            let data = at.wrapping_add(u64::from(data_of(0, head)));
            let after = data.wrapping_add(u64::from(of.words));
            if after > used {
                return None;
            }
            if !head.is_dead() {
                return Some(Entry {
                    aggregation: head.aggregation(),
                    keys: head.keys(),
                    words: of.words,
                    next: count.wrapping_add(after),
                    at: at.wrapping_add(1) as u32,
                });
            }
            at = after;
        }
        None
    }

    /// A word of an entry: its keys, then its data. Nothing beyond them.
    pub(crate) fn word(&self, entry: &Entry, index: u32) -> Option<u64> {
        (index < entry.keys.wrapping_add(entry.words))
            .then(|| self.memory.load(entry.at.wrapping_add(index) as usize))
    }

    fn is_touched(&self, of: &Placed) -> bool {
        let word = match of.function {
            Function::Count => of.fixed.wrapping_add(1),
            _ => of.fixed,
        };
        self.memory.load(word as usize) != 0
    }
}

/// Where the data of an entry are.
#[inline(always)]
fn data_of(entry: u32, head: Head) -> u32 {
    entry.wrapping_add(1).wrapping_add(head.keys())
}
