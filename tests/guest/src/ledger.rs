// SPDX-License-Identifier: GPL-2.0-only
//! The law of the ledger, checked to the last event:
//! ```text
//! fired   = recorded + processed + filtered + Σ dropped
//! entered = returned + in_flight + passed + Σ missed
//! ```
//! for every probe on every CPU, in every sum, and against what the rings held.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use rust_tracer::abi::{self, rtrace_ledger_row as Row};

use crate::session::Session;
use crate::test::{Outcome, check, check_eq};

/// A row of zeroes for this probe and CPU.
fn empty(probe: u32, cpu: u32) -> Row {
    Row {
        probe,
        cpu,
        ..Default::default()
    }
}

fn add(to: &mut Row, row: &Row) {
    to.fired += row.fired;
    to.recorded += row.recorded;
    to.processed += row.processed;
    to.dynamic += row.dynamic;
    to.filtered += row.filtered;
    to.entered += row.entered;
    to.returned += row.returned;
    to.in_flight += row.in_flight;
    to.passed += row.passed;
    for (sum, one) in to.dropped.iter_mut().zip(row.dropped) {
        *sum += one;
    }
    for (sum, one) in to.missed.iter_mut().zip(row.missed) {
        *sum += one;
    }
}

/// A stopped session's ledger that obeys the law.
#[derive(Debug)]
pub struct Ledger {
    rows: BTreeMap<(u32, u32), Row>,
}

impl Ledger {
    /// Reads it in all forms and checks each, and all against each other.
    pub fn audit(session: &Session) -> Outcome<Self> {
        Self::audit_of(session, false)
    }

    /// The same; with a program each clause fires.
    pub fn audit_of(session: &Session, with_program: bool) -> Outcome<Self> {
        let mut ledger = Self {
            rows: BTreeMap::new(),
        };
        let mut by_probe = BTreeMap::new();
        let mut by_cpu = BTreeMap::new();
        let mut total = empty(abi::RTRACE_PROBE_ALL, abi::RTRACE_CPU_ALL);
        for row in session.ledger(0)? {
            law(&row)?;
            let (probe, cpu) = (row.probe, row.cpu);
            add(
                by_probe
                    .entry(probe)
                    .or_insert(empty(probe, abi::RTRACE_CPU_ALL)),
                &row,
            );
            add(
                by_cpu
                    .entry(cpu)
                    .or_insert(empty(abi::RTRACE_PROBE_ALL, cpu)),
                &row,
            );
            add(&mut total, &row);
            let before = ledger.rows.insert((probe, cpu), row);
            check_eq!(before, None, "a second row for probe {probe} on CPU {cpu}");
        }
        let sums: Vec<Row> = by_probe.into_values().collect();
        let returns: BTreeSet<u32> = session
            .probes()?
            .iter()
            .filter(|probe| u32::from(probe.head.kind) == abi::RTRACE_KIND_RETURN)
            .map(|probe| probe.head.index)
            .collect();
        for row in &sums {
            if returns.contains(&row.probe) && with_program {
                check!(
                    row.returned == 0 || row.fired % row.returned == 0,
                    "a whole number of clauses, in {row:?}"
                );
            } else if returns.contains(&row.probe) {
                check_eq!(row.fired, row.returned, "fired over all CPUs, in {row:?}");
            } else {
                check_eq!(row.entered, 0, "calls of the entry probe in {row:?}");
            }
        }
        same(&sums, session.ledger(abi::RTRACE_LEDGER_SUM_CPUS)?)?;
        let sums: Vec<Row> = by_cpu.into_values().collect();
        same(&sums, session.ledger(abi::RTRACE_LEDGER_SUM_PROBES)?)?;
        let both = abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES;
        same(&[total], session.ledger(both)?)?;
        let nonzero: Vec<Row> = ledger
            .rows
            .values()
            .filter(|row| **row != empty(row.probe, row.cpu))
            .copied()
            .collect();
        same(&nonzero, session.ledger(abi::RTRACE_LEDGER_NONZERO)?)?;
        Ok(ledger)
    }

    /// One probe on one CPU.
    pub fn row(&self, probe: u32, cpu: u32) -> Row {
        let row = self.rows.get(&(probe, cpu));
        row.copied().unwrap_or(empty(probe, cpu))
    }

    /// One probe, over all CPUs.
    pub fn probe(&self, probe: u32) -> Row {
        self.sum(empty(probe, abi::RTRACE_CPU_ALL), |row| row.probe == probe)
    }

    /// One CPU, over all probes.
    pub fn cpu(&self, cpu: u32) -> Row {
        self.sum(empty(abi::RTRACE_PROBE_ALL, cpu), |row| row.cpu == cpu)
    }

    /// Everything.
    pub fn total(&self) -> Row {
        self.sum(empty(abi::RTRACE_PROBE_ALL, abi::RTRACE_CPU_ALL), |_| true)
    }

    fn sum(&self, mut to: Row, which: impl Fn(&Row) -> bool) -> Row {
        for row in self.rows.values().filter(|row| which(row)) {
            add(&mut to, row);
        }
        to
    }

    /// The law against the rings: what was read from each equals what was recorded for it
    /// (`read` counts by probe and CPU).
    pub fn matches_records(&self, read: &BTreeMap<(u32, u32), u64>) -> Outcome {
        for (&(probe, cpu), row) in &self.rows {
            let found = read.get(&(probe, cpu)).copied().unwrap_or(0);
            check_eq!(
                found,
                row.recorded,
                "records read of probe {probe} on CPU {cpu}"
            );
        }
        for (&(probe, cpu), &found) in read {
            check_eq!(
                found,
                self.row(probe, cpu).recorded,
                "records of probe {probe} on CPU {cpu}, against the ledger"
            );
        }
        Ok(())
    }
}

/// The firings of this row that a ring could not take: all that were dropped but for those that
/// had none, and those that a program dropped.
pub fn ring_drops(row: &Row) -> u64 {
    [
        abi::RTRACE_DROP_FULL,
        abi::RTRACE_DROP_NESTED,
        abi::RTRACE_DROP_RECURSION,
        abi::RTRACE_DROP_FLOOD,
    ]
    .iter()
    .map(|reason| row.dropped[*reason as usize])
    .sum()
}

fn law(row: &Row) -> Outcome {
    check_eq!(
        row.recorded + row.processed + row.filtered + row.dropped.iter().sum::<u64>(),
        row.fired,
        "recorded + processed + filtered + dropped, against fired, in {row:?}"
    );
    check_eq!(
        row.returned + row.in_flight + row.passed + row.missed.iter().sum::<u64>(),
        row.entered,
        "returned + in_flight + passed + missed, against entered, in {row:?}"
    );
    Ok(())
}

/// Rows that we added up against rows that the module added up, zeroes aside.
fn same(ours: &[Row], theirs: Vec<Row>) -> Outcome {
    let sorted = |rows: &[Row]| -> BTreeMap<(u32, u32), Row> {
        rows.iter()
            .filter(|row| **row != empty(row.probe, row.cpu))
            .map(|row| ((row.probe, row.cpu), *row))
            .collect()
    };
    let (ours, theirs) = (sorted(ours), sorted(&theirs));
    for (key, row) in &ours {
        check_eq!(theirs.get(key), Some(row), "the module's sum for {key:?}");
    }
    check_eq!(theirs.len(), ours.len(), "rows that are not zero");
    Ok(())
}
