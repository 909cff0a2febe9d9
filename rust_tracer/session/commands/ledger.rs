// SPDX-License-Identifier: GPL-2.0

//! RTRACE_IOC_LEDGER: the counters as rows.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    transmute::AsBytes,
    uaccess::UserPtr, //
};

use super::{
    fill,
    room,
    space,
    too_small,
    Session, //
};
use crate::{
    abi,
    arch,
    attach::By,
    engine::{
        self,
        counters::{
            self,
            Block, //
        },
        Engine, //
    },
    refusal::Refusal,
    session::probes::Probes,
    sort::sort, //
};

/// A call in flight: probe, CPU of its entry.
type Inside = (u32, u32);

/// What one row sums over.
struct Cell {
    probes: core::ops::Range<u32>,
    cpus: core::ops::Range<u32>,
}

impl Cell {
    /// Whether nothing was counted there.
    fn is_untouched(&self, probes: &Probes, engine: &Engine) -> bool {
        let mut probes = self.probes.clone().filter_map(|index| probes.get(index));
        probes.all(|probe| {
            let mut cpus = self.cpus.clone().filter_map(|cpu| engine.counters(cpu));
            cpus.all(|counters| {
                let blocks = probe.block..probe.block + probe.blocks(engine.has_program());
                let mut blocks = blocks.filter_map(|block| counters.block(block));
                blocks.all(Block::is_untouched)
            })
        })
    }
}

/// The rows of a request, by number.
struct Rows {
    probes: u32,
    cpus: u32,
    sum_probes: bool,
    sum_cpus: bool,
}

impl Rows {
    fn len(&self) -> u64 {
        let rows = |count, sum| if sum { 1 } else { u64::from(count) };
        rows(self.probes, self.sum_probes) * rows(self.cpus, self.sum_cpus)
    }

    /// How many counters a row sums over.
    fn cells_of_row(&self) -> u64 {
        let summed = |count, sum| if sum { u64::from(count) } else { 1 };
        summed(self.probes, self.sum_probes) * summed(self.cpus, self.sum_cpus)
    }

    /// What row `number` sums over; its probe and CPU, by name.
    fn row(&self, number: u64) -> (Cell, (u32, u32)) {
        let columns = if self.sum_cpus {
            1
        } else {
            u64::from(self.cpus)
        };
        let probe = (number / columns.max(1)) as u32;
        let cpu = (number % columns.max(1)) as u32;
        let (probes, probe) = if self.sum_probes {
            (0..self.probes, abi::RTRACE_PROBE_ALL)
        } else {
            (probe..probe + 1, probe)
        };
        let (cpus, cpu) = if self.sum_cpus {
            (0..self.cpus, abi::RTRACE_CPU_ALL)
        } else {
            (cpu..cpu + 1, cpu)
        };
        (Cell { probes, cpus }, (probe, cpu))
    }
}

/// Counters that one call adds up: so many and the rest of a row, then the listing goes on by its cursor.
const CELLS_MAX: u64 = 1 << 16;
/// Counters that are added up before others get the CPU.
const CELLS_AT_ONCE: u32 = 1 << 12;

/// All that an engine counted, summed over probes and CPUs; without what is in flight.
pub(in crate::session) fn totals(probes: &Probes, engine: &Engine) -> abi::rtrace_ledger_row {
    let mut row = abi::rtrace_ledger_row::default();
    let all = Cell {
        probes: 0..probes.len(),
        cpus: 0..engine::cpu_limit(),
    };
    add(&mut row, &all, probes, engine, &[]);
    row
}

pub(super) fn ledger(session: &Session, at: UserPtr) -> Result<(), Refusal> {
    let (mut arg, size) = abi::read::<abi::rtrace_ledger>(at)?;
    let known =
        abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES | abi::RTRACE_LEDGER_NONZERO;
    abi::must_be_zero(arg.flags & !known, "flags")?;
    abi::must_be_zero(arg.reserved, "reserved")?;
    let mut bytes = space(room(arg.buf_len))?;
    let subject = session.subject()?;
    let asker = session;
    let session = subject.as_deref().unwrap_or(asker);
    // What is dead must be at rest, too.
    session.bury();
    let engine = super::engine(session)?;
    let mut inside = inside(&engine)?;
    sort(&mut inside);
    arg.count = 0;
    {
        let inner = session.inner_for(asker).ok_or_else(super::busy)?;
        super::must_be_kept(session)?;
        let rows = Rows {
            probes: inner.probes.len(),
            cpus: engine::cpu_limit(),
            sum_probes: arg.flags & abi::RTRACE_LEDGER_SUM_PROBES != 0,
            sum_cpus: arg.flags & abi::RTRACE_LEDGER_SUM_CPUS != 0,
        };
        let cells_of_row = rows.cells_of_row();
        let only_nonzero = arg.flags & abi::RTRACE_LEDGER_NONZERO != 0;
        let mut cells = 0;
        while arg.cursor < rows.len() && cells < CELLS_MAX {
            cells += cells_of_row;
            let number = arch::index_nospec(arg.cursor as usize, rows.len() as usize);
            let (cell, (probe, cpu)) = rows.row(number as u64);
            // So are most of many, and a row is large.
            if only_nonzero && cell.is_untouched(&inner.probes, &engine) {
                arg.cursor += 1;
                continue;
            }
            let mut row = abi::rtrace_ledger_row {
                probe,
                cpu,
                ..Default::default()
            };
            add(&mut row, &cell, &inner.probes, &engine, &inside);
            let zero = row.fired == 0 && row.entered == 0 && row.dynamic == 0;
            if !only_nonzero || !zero {
                if bytes.len() + size_of_val(&row) > room(arg.buf_len) {
                    break;
                }
                bytes.extend_from_slice(row.as_bytes(), GFP_KERNEL)?;
                arg.count += 1;
            }
            arg.cursor += 1;
        }
        if arg.cursor >= rows.len() {
            arg.cursor = 0;
        } else if arg.count == 0 && room(arg.buf_len) < size_of::<abi::rtrace_ledger_row>() {
            return Err(too_small());
        }
    }
    // The buffer may be one that blocks, and the session's memory is not to wait for it.
    drop(engine);
    drop(subject);
    fill(arg.buf, &bytes)?;
    abi::write(at, size, &arg)
}

fn inside(engine: &Engine) -> Result<KVVec<Inside>> {
    let mut inside = KVVec::new();
    if let Some(calls) = engine.calls() {
        calls.each(|call| {
            inside.push((call.probe.index, call.cpu), GFP_KERNEL)?;
            Ok(())
        })?;
    }
    Ok(inside)
}

/// Adds to a row what its cell counted.
fn add(
    row: &mut abi::rtrace_ledger_row,
    cell: &Cell,
    probes: &Probes,
    engine: &Engine,
    inside: &[Inside],
) {
    let cpus = cell.cpus.end - cell.cpus.start;
    let mut left = CELLS_AT_ONCE;
    for index in cell.probes.clone() {
        left = left.saturating_sub(cpus);
        if left == 0 {
            left = CELLS_AT_ONCE;
            engine::give_way();
        }
        let Some(probe) = probes.get(index) else {
            continue;
        };
        for cpu in cell.cpus.clone() {
            let Some(counters) = engine.counters(cpu) else {
                continue;
            };
            if let Some(block) = counters.block(probe.block) {
                counters::add_firings(row, block);
            }
            if engine.has_program() {
                if let Some(block) = counters.block(probe.clause_block()) {
                    counters::add_clauses(row, block);
                }
            }
            if probe.is_return() {
                match (counters.block(probe.block + 1), probe.by) {
                    (None, _) | (_, None) => (),
                    (Some(block), Some(By::Ops)) => {
                        counters::add_calls(row, block, count(inside, (index, cpu)));
                    }
                    (Some(block), Some(By::Stub | By::Slot)) => {
                        let clauses = counters.block(probe.clause_block());
                        counters::add_calls_of_stub(row, block);
                        counters::add_returned_here(
                            row,
                            block,
                            clauses.filter(|_| engine.has_program()),
                        );
                    }
                }
            }
        }
    }
}

/// How often a value stands in a sorted slice.
fn count(sorted: &[Inside], value: Inside) -> u64 {
    let below = sorted.partition_point(|other| *other < value);
    let to = sorted.partition_point(|other| *other <= value);
    (to - below) as u64
}
