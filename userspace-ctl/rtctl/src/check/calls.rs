// SPDX-License-Identifier: GPL-2.0-only
//! Calls of our own that must be seen: so many, by each way of attaching, in the ring
//! and beside it.

use std::convert::Infallible;

use anyhow::Result;
use d_compiler::types::Types;
use d_output::aggregations::Store;
use d_output::world;
use rust_tracer::{Config, Ended, Event, Node, Session, Sums, abi};

use super::sample::{compile_own, load_own};

/// What came of our own calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Canary {
    /// How many there were.
    pub calls: u64,
    /// By each way of attaching.
    pub ways: Vec<Way>,
}

/// What one way of attaching saw of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// Records of entries that were read from the ring.
    pub entries: u64,
    /// Records of returns.
    pub returns: u64,
    /// Entries and returns that were aggregated beside them.
    pub counted: u64,
    /// Firings, by the ledger.
    pub fired: u64,
    /// Of these recorded.
    pub recorded: u64,
    /// Records that found no room, and firings that were dropped for other reasons.
    pub dropped: u64,
    /// Calls whose return was not followed.
    pub missed: u64,
    /// Records that came after later ones.
    pub disorder: u64,
    /// Whether the ledger adds up.
    pub holds: bool,
}

/// How many.
const CALLS: u64 = 1000;

/// Each counts, and leaves a record.
const PROGRAM: &str = "fbt:vmlinux:__x64_sys_getppid:entry /pid == $pid/ { @counted = count(); trace(0); }\n\
                       fbt:vmlinux:__x64_sys_getppid:return /pid == $pid/ { @counted = count(); trace(1); }\n";

/// The ways that there are to attach both.
const WAYS: [(&str, u32); 2] = [
    ("the stub", 1 << abi::RTRACE_WAY_STUB),
    ("ftrace_ops and fprobe", 0),
];
const ALWAYS: u32 = (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE);

/// The names of probes are no keys here.
struct NoWorld;

impl world::World for NoWorld {
    fn probe(&self, _: u32) -> Option<world::Probe> {
        None
    }
}

/// Makes the calls, by each way of attaching.
pub fn canary(node: Node) -> Result<Canary> {
    let ways = WAYS
        .into_iter()
        .map(|(name, way)| one(Session::open(node)?, name, ALWAYS | way, &ask))
        .collect::<Result<_>>()?;
    Ok(Canary { calls: CALLS, ways })
}

fn ask() {
    let _ = rustix::process::getppid();
}

/// By one of them, in a session that was opened for it.
fn one(session: Session, name: &str, ways: u32, call: &dyn Fn()) -> Result<Way> {
    let compiled = compile_own(PROGRAM, &mut Types::new(None))?;
    load_own(&session, &compiled)?;
    session.configure(&Config {
        ring_bytes: 1 << 20,
        ways,
        ..Config::default()
    })?;
    session.start()?;
    let mut trace = session.trace()?;
    (0..CALLS).for_each(|_| call());
    session.stop()?;
    let mut way = Way {
        name: name.into(),
        ..Way::default()
    };
    let finished = trace.finish(|record| {
        if let Event::Clause { clause, .. } = record.event {
            match clause {
                0 => way.entries += 1,
                _ => way.returns += 1,
            }
        }
        Ok::<_, Infallible>(())
    });
    match finished {
        Ok(_) => {}
        Err(Ended::Read(error)) => return Err(error.into()),
        Err(Ended::Receiver(never)) => match never {},
    }
    let mut taken = Vec::new();
    for cpu in 0..session.info().cpus {
        session.aggregate(cpu, &mut taken)?;
    }
    let mut store = Store::new(&compiled.aggregations)?;
    store.merge(&taken, &NoWorld)?;
    way.counted = store
        .entries(0)
        .filter_map(|(_, words)| words.first())
        .sum();
    way.disorder = trace.disorder();
    let sums = Sums {
        cpus: true,
        probes: true,
        ..Sums::default()
    };
    let rows = session.ledger(sums)?;
    way.holds = rows.iter().all(|row| row.holds());
    for row in rows {
        way.recorded += row.recorded;
        way.dropped += row.dropped();
        way.missed += row.missed();
        // Calls of others, which the predicate leaves out, are processed without a record.
        let others = row.processed.saturating_add(row.filtered);
        way.fired += row.fired.saturating_sub(others);
    }
    Ok(way)
}
