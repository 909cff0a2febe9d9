// SPDX-License-Identifier: GPL-2.0-only
//! One order of time over all CPUs.
//!
//! Each ring is ordered in itself, so each is a *lane*, and the earliest head of
//! all lanes is next: if no lane can still bring an earlier record. A lane with a
//! record waiting cannot (its later ones are later). An empty lane cannot bring
//! one from before its *bound*: the time of its last record, or, for a CPU on
//! which nothing fires, the time up to which the session is known to be settled
//! (see [`crate::settle`]).

#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::collections::binary_heap::{BinaryHeap, PeekMut};

use crate::record::Record;

/// Records on their way into one order.
#[derive(Debug, Default)]
pub struct Merge {
    lanes: Vec<Lane>,
    /// The time of the head of every lane that has one.
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    held: usize,
    bytes: usize,
    last: u64,
    disorder: u64,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Record>,
    /// No record before this time will be added to this lane.
    bound: u64,
}

impl Merge {
    /// How many records wait.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many records were given out after a later one. Always 0, unless a
    /// bound was broken.
    pub fn disorder(&self) -> u64 {
        self.disorder
    }

    /// Adds a record to a lane, behind those already there.
    pub fn push(&mut self, lane: usize, record: Record) {
        self.widen(lane + 1);
        let this = &mut self.lanes[lane];
        if this.queue.is_empty() {
            self.heads.push(Reverse((record.time, lane)));
        }
        this.bound = this.bound.max(record.time);
        self.bytes += record.bytes();
        this.queue.push_back(record);
        self.held += 1;
    }

    /// Makes sure that there are at least `lanes` lanes.
    pub fn widen(&mut self, lanes: usize) {
        if self.lanes.len() < lanes {
            self.lanes.resize_with(lanes, Lane::default);
        }
    }

    /// Whether nothing of this lane waits.
    pub fn is_empty(&self, lane: usize) -> bool {
        self.lanes
            .get(lane)
            .is_none_or(|lane| lane.queue.is_empty())
    }

    /// From now on this lane brings no record from before `time`.
    pub fn settle(&mut self, lane: usize, time: u64) {
        self.widen(lane + 1);
        let lane = &mut self.lanes[lane];
        lane.bound = lane.bound.max(time);
    }

    /// Gives out, in order, the records that nothing can come before any more, at
    /// most `most`. An error of `each` ends this; the record it was given is gone.
    pub fn drain<E>(
        &mut self,
        most: usize,
        mut each: impl FnMut(&Record) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut drained = 0;
        let mut limit = self
            .lanes
            .iter()
            .filter(|lane| lane.queue.is_empty())
            .map(|lane| lane.bound)
            .min()
            .unwrap_or(u64::MAX);
        while let Some(mut head) = self.heads.peek_mut() {
            let Reverse((time, lane)) = *head;
            if time > limit || drained == most {
                break;
            }
            let this = &mut self.lanes[lane];
            let Some(record) = this.queue.pop_front() else {
                PeekMut::pop(head);
                continue;
            };
            match this.queue.front() {
                Some(next) => *head = Reverse((next.time, lane)),
                None => {
                    PeekMut::pop(head);
                    limit = limit.min(this.bound);
                }
            }
            self.held -= 1;
            self.bytes -= record.bytes();
            drained += 1;
            if record.time < self.last {
                self.disorder += 1;
            } else {
                self.last = record.time;
            }
            each(&record)?;
        }
        Ok(drained)
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
