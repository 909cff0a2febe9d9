// SPDX-License-Identifier: GPL-2.0-only
//! What prints: records, what was aggregated, and speculations until they end.

use std::collections::HashMap;

use d_compiler::types::{TypeId, Types};
use d_output::aggregations::Store;
use d_output::messages;
use d_output::record;
use d_output::trace::{self, Printer, Step};
use d_output::world::{Probe, World};

use super::surroundings::Words;
use super::{Own, PID};
use crate::program::aggregations::{Placed, Shape, Table};

/// A record, as it lies in the ring.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) probe: u32,
    pub(super) clause: u32,
    pub(super) count: u32,
    pub(super) speculation: u64,
    pub(super) items: Vec<u8>,
}

impl Recorded {
    fn firing(&self) -> record::Firing<'_> {
        record::Firing {
            context: 0,
            time: 0,
            probe: self.probe,
            cpu: 0,
            pid: PID,
            tid: PID,
            clause: self.clause,
            count: self.count,
            speculation: self.speculation,
            items: &self.items,
        }
    }
}

pub(super) struct Names(pub(super) Vec<Own>, pub(super) Types);

impl World for Names {
    fn probe(&self, index: u32) -> Option<Probe> {
        self.0.get(index as usize).map(|own| own.0.clone())
    }

    fn typed(&self, _: &str, type_id: u32, bytes: &[u8]) -> Option<String> {
        Some(d_compiler::print::print(&self.1, TypeId(type_id), bytes))
    }
}

/// What prints.
pub(super) struct Printed<'a> {
    pub(super) program: trace::Program,
    pub(super) printer: Printer,
    pub(super) store: Store,
    pub(super) names: Names,
    pub(super) words: &'a Words,
    pub(super) placed: &'a [Placed],
    pub(super) shape: Shape,
    pub(super) held: HashMap<u64, Vec<Recorded>>,
    pub(super) output: Vec<u8>,
    pub(super) errors: String,
    pub(super) status: Option<i32>,
}

impl Printed<'_> {
    /// Takes what was aggregated.
    pub(super) fn collect(&mut self) -> Result<(), String> {
        let table = Table::new(self.words, self.placed, self.shape);
        let mut bytes = Vec::new();
        let mut cursor = 0;
        while let Some(entry) = table.entry(cursor) {
            let size = 16 + 8 * (entry.keys + entry.words);
            for word in [size, entry.aggregation, 8 * entry.keys, entry.words] {
                bytes.extend(word.to_ne_bytes());
            }
            for index in 0..entry.keys + entry.words {
                bytes.extend(table.word(&entry, index).unwrap_or(0).to_ne_bytes());
            }
            cursor = entry.next;
        }
        table.reset();
        self.store
            .merge(&bytes, &self.names)
            .map_err(|why| why.to_string())?;
        Ok(())
    }

    pub(super) fn print(&mut self, recorded: &Recorded) -> Result<(), String> {
        if self.program.uses_aggregations(recorded.clause) {
            self.collect()?;
        }
        let mut steps = Vec::new();
        let firing = recorded.firing();
        self.printer
            .record(
                &self.program,
                &firing,
                &mut self.store,
                &self.names,
                &mut steps,
            )
            .map_err(|why| why.to_string())?;
        for step in steps {
            match step {
                Step::Text(text) => self.output.extend(text),
                Step::Exit(status) => self.status = Some(status),
                Step::Commit(mark) => {
                    for held in self.held.remove(&mark).unwrap_or_default() {
                        self.print(&held)?;
                    }
                }
                Step::Discard(mark) => drop(self.held.remove(&mark)),
                Step::Complaint(what) => {
                    let probe = self.names.probe(recorded.probe).unwrap_or_default();
                    self.errors += &messages::library_fault(recorded.clause + 1, &probe, &what);
                }
                // The output is no file.
                Step::Json(_) | Step::Setopt { .. } | Step::Freopen(_) | Step::Ftruncate => {}
            }
        }
        Ok(())
    }
}
