// SPDX-License-Identifier: GPL-2.0

//! Ranges of memory that are somebody's, laid out to be searched.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::name::Name;
use crate::sort::sort_by;

/// Memory that is somebody's.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) kind: u32,
    pub(super) seen: u32,
    pub(super) name: Name,
}

/// Ranges in order of their starts, mostly apart.
pub(super) struct Layer(KVVec<Range>);

impl Layer {
    pub(super) fn new() -> Self {
        Self(KVVec::new())
    }

    pub(super) fn add(&mut self, range: Range) -> Result {
        if range.start >= range.end {
            return Ok(());
        }
        Ok(self.0.push(range, GFP_KERNEL)?)
    }

    pub(super) fn sort(&mut self) {
        sort_by(&mut self.0, |a, b| a.start.cmp(&b.start));
    }

    pub(super) fn find(&self, address: u64) -> Option<&Range> {
        /// Ranges that begin before one that has the address; more than ever overlap.
        const BACK: usize = 4;
        let behind = self.0.partition_point(|range| range.start <= address);
        let before = self.0.get(behind.saturating_sub(BACK)..behind)?;
        before.iter().rev().find(|range| address < range.end)
    }

    /// Where the first range behind the address begins.
    pub(super) fn next(&self, address: u64) -> u64 {
        let behind = self.0.partition_point(|range| range.start <= address);
        self.0.get(behind).map_or(u64::MAX, |range| range.start)
    }
}

/// Ranges that may overlap, the latest last: memory is used again.
pub(super) struct Past(KVVec<Range>);

impl Past {
    pub(super) fn new() -> Self {
        Self(KVVec::new())
    }

    pub(super) fn add(&mut self, range: Range) -> Result {
        Ok(self.0.push(range, GFP_KERNEL)?)
    }

    pub(super) fn find(&self, address: u64) -> Option<&Range> {
        let mut latest = self.0.iter().rev();
        latest.find(|range| (range.start..range.end).contains(&address))
    }

    /// As [`Layer::next`].
    pub(super) fn next(&self, address: u64) -> u64 {
        let starts = self.0.iter().map(|range| range.start);
        let behind = starts.filter(|start| *start > address);
        behind.min().unwrap_or(u64::MAX)
    }
}
