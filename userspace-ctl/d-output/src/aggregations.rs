// SPDX-License-Identifier: GPL-2.0-only
//! Aggregations: what all CPUs have counted, joined by key, and how it is printed.
//!
//! ```text
//!   bytes of RTRACE_IOC_AGGREGATE ──merge──► Store ──printa, print_rest──► text
//!                                             ▲
//!             clear, truncate, normalize ─────┘
//! ```
#![forbid(unsafe_code)]

mod function;
mod order;
mod print;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;

use d_compiler::compiled::{self, Form};

pub use function::{Aggregated, Function};

use crate::distributions::Weight;
use crate::options::Options;
use crate::values::{Malformed, Reader, Value, keys};
use crate::world::World;

/// Bytes of struct rtrace_aggregate_entry.
const HEAD: u32 = 16;

/// An aggregation of a program.
#[derive(Clone, Debug)]
struct Aggregation {
    name: String,
    function: Function,
    keys: Vec<Form>,
    normal: u64,
    /// What is shown for keys that it does not have, next to aggregations that do.
    zero: Vec<u64>,
    /// An entry was printed by printa(): not again at the end.
    printed: bool,
}

/// Data under one key.
type Entry<'a> = (&'a [Value], &'a [u64]);

/// The aggregations of a program and all that they hold.
#[derive(Clone, Debug)]
pub struct Store {
    aggregations: Vec<Aggregation>,
    /// By aggregation; then by key.
    entries: Vec<HashMap<Vec<Value>, Vec<u64>>>,
}

impl Store {
    /// An empty one.
    pub fn new(aggregations: &[compiled::Aggregation]) -> Result<Self, Malformed> {
        let aggregations = aggregations
            .iter()
            .map(|aggregation| {
                let function = Function::new(aggregation)?;
                Ok(Aggregation {
                    name: aggregation.name.clone(),
                    zero: vec![0; function.words()],
                    function,
                    keys: aggregation.keys.clone(),
                    normal: 1,
                    printed: false,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            entries: vec![HashMap::new(); aggregations.len()],
            aggregations,
        })
    }

    /// Joins what RTRACE_IOC_AGGREGATE has written: entries, one behind the other. How many
    /// there were. With an error, those before it have been joined.
    pub fn merge(&mut self, bytes: &[u8], world: &dyn World) -> Result<usize, Malformed> {
        let mut reader = Reader(bytes);
        let mut count = 0;
        while !reader.0.is_empty() {
            let size = reader.u32("entry's size")?;
            let aggregation = reader.u32("aggregation's index")?;
            let key_bytes = reader.u32("entry's keys")?;
            let words = reader.u32("entry's words")?;
            let rest = size
                .checked_sub(HEAD)
                .ok_or(Malformed::new("entry's size"))?;
            let mut entry = Reader(reader.take(rest as usize, "entry")?);
            let of = self.get(aggregation)?;
            let keys = keys(&of.keys, entry.take(key_bytes as usize, "key")?, world)?;
            let data = (0..words)
                .map(|_| entry.u64("word of an entry"))
                .collect::<Result<Vec<_>, _>>()?;
            self.add(aggregation, keys, &data)?;
            count += 1;
        }
        Ok(count)
    }

    /// Joins data of one key.
    pub fn add(
        &mut self,
        aggregation: u32,
        keys: Vec<Value>,
        data: &[u64],
    ) -> Result<(), Malformed> {
        let function = self.get(aggregation)?.function;
        if data.len() != function.words() {
            return Err(Malformed::new("data of the aggregating function"));
        }
        let entries = &mut self.entries[aggregation as usize];
        match entries.get_mut(&keys) {
            Some(old) => function.join(old, data),
            None => {
                entries.insert(keys, data.to_vec());
            }
        }
        Ok(())
    }

    fn get(&self, aggregation: u32) -> Result<&Aggregation, Malformed> {
        let found = self.aggregations.get(aggregation as usize);
        found.ok_or(Malformed::new("such aggregation"))
    }

    fn get_mut(&mut self, aggregation: u32) -> Result<&mut Aggregation, Malformed> {
        let found = self.aggregations.get_mut(aggregation as usize);
        found.ok_or(Malformed::new("such aggregation"))
    }

    /// How many entries an aggregation has.
    pub fn len(&self, aggregation: u32) -> usize {
        let entries = self.entries.get(aggregation as usize);
        entries.map_or(0, HashMap::len)
    }

    /// An aggregation's entries, in no order: keys and data.
    pub fn entries(&self, aggregation: u32) -> impl Iterator<Item = (&[Value], &[u64])> {
        let entries = self.entries.get(aggregation as usize).into_iter().flatten();
        entries.map(|(keys, data)| (keys.as_slice(), data.as_slice()))
    }

    /// Whether nothing is aggregated.
    pub fn is_empty(&self) -> bool {
        self.entries.iter().all(HashMap::is_empty)
    }

    /// `clear()`: keys stay, without values.
    pub fn clear(&mut self, aggregation: u32) -> Result<(), Malformed> {
        let function = self.get(aggregation)?.function;
        for data in self.entries[aggregation as usize].values_mut() {
            function.clear(data);
        }
        Ok(())
    }

    /// `trunc()`: of the entries with the largest values so many stay; of a negative count,
    /// those with the smallest.
    pub fn truncate(&mut self, aggregation: u32, count: i64) -> Result<(), Malformed> {
        self.get(aggregation)?;
        let options = Options::default();
        let mut sorted = self.sorted(aggregation, &options);
        if count >= 0 {
            sorted.reverse();
        }
        let stay = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        let gone: Vec<Vec<Value>> = (sorted.iter().skip(stay))
            .map(|(keys, _)| keys.to_vec())
            .collect();
        for keys in gone {
            self.entries[aggregation as usize].remove(&keys);
        }
        Ok(())
    }

    /// `normalize()`: values are shown divided by this. 0 is 1.
    pub fn normalize(&mut self, aggregation: u32, factor: u64) -> Result<(), Malformed> {
        self.get_mut(aggregation)?.normal = factor.max(1);
        Ok(())
    }

    /// `denormalize()`
    pub fn denormalize(&mut self, aggregation: u32) -> Result<(), Malformed> {
        self.normalize(aggregation, 1)
    }

    /// An aggregation's entries in the order in which they are printed: by value and then by key, or only
    /// by key; or the other way round.
    fn sorted(&self, aggregation: u32, options: &Options) -> Vec<Entry<'_>> {
        let Some(entries) = self.entries.get(aggregation as usize) else {
            return Vec::new();
        };
        let function = &self.aggregations[aggregation as usize].function;
        let weight = |data: &[u64]| match options.aggsortkey {
            true => Weight::default(),
            false => function.weight(data),
        };
        let mut weighed: Vec<(Weight, Entry)> = (entries.iter())
            .map(|(keys, data)| (weight(data), (keys.as_slice(), data.as_slice())))
            .collect();
        weighed.sort_by(|(left_weight, left), (right_weight, right)| {
            let by_keys = || order::by_keys(left.0, right.0, options);
            reversed(left_weight.cmp(right_weight).then_with(by_keys), options)
        });
        weighed.into_iter().map(|(_, entry)| entry).collect()
    }
}

fn reversed(order: Ordering, options: &Options) -> Ordering {
    match options.aggsortrev {
        true => order.reverse(),
        false => order,
    }
}
