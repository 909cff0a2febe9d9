// SPDX-License-Identifier: GPL-2.0-only
//! A reader that writes anything into the one word that it may write: a thread on each CPU, at
//! full speed, while probes fire there. It may lose its own records, but nothing may be counted
//! wrongly.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use rust_tracer::abi;

use super::board::Board;
use super::honest::Ring;
use crate::ledger::{Ledger, ring_drops};
use crate::session::{NODES, Session};
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail};

/// What it reports on the board: sessions.
pub const ROUNDS: usize = 0;
/// Calls.
pub const CALLS: usize = 1;
/// Values written.
pub const WRITES: usize = 2;

/// Calls that one write to rt_target makes.
const BATCH: u64 = 50;
/// Such writes, from each CPU.
const BATCHES: u64 = 20;
/// The only one who calls it.
const FUNCTION: &str = "rt_named";

/// A session in each phase of the run.
pub fn run(number: usize, board: &Board, target: &OwnedFd, seed: u64) -> Outcome {
    let mut random = Rng::with_seed(seed ^ 0x5c71_bb1e);
    let mut phase = 0;
    loop {
        round(number, board, target, &mut random)
            .map_err(|failure| fail(format!("beside a scribbling reader: {failure}")))?;
        while board.phase() == phase && !board.is_stopped() {
            thread::sleep(Duration::from_millis(20));
        }
        if board.is_stopped() {
            return Ok(());
        }
        phase = board.phase();
    }
}

fn round(number: usize, board: &Board, target: &OwnedFd, random: &mut Rng) -> Outcome {
    let node = random.usize(..NODES.len());
    let session = Session::open_as(NODES[node], libc::O_RDWR)?;
    session.add(&format!("rt_target:{FUNCTION}"), 3)?;
    let bytes = u64::from(abi::RTRACE_RING_MIN) << random.u32(..2);
    session.configure(abi::rtrace_config {
        ring_bytes: bytes,
        policy: random.u32(..3),
        watermark: [0, 8, 4096][random.usize(..3)],
        frames: 64,
        ..Default::default()
    })?;
    session.start()?;
    let cpus = crate::guest::online_cpus() as u32;
    let rings = (0..cpus)
        .map(|cpu| Ring::map(&session, cpu, bytes))
        .collect::<sys::Sys<Vec<_>>>()?;
    let over = AtomicBool::new(false);
    let calling = AtomicU64::new(cpus.into());
    let writes = AtomicU64::new(0);
    let results: Vec<Outcome> = thread::scope(|scope| {
        let mut threads = Vec::new();
        for ring in &rings {
            let (over, calling, writes) = (&over, &calling, &writes);
            let mut random = random.fork();
            threads.push(scope.spawn(move || {
                sys::pin(0, ring.cpu)?;
                let mut written = 0;
                while !over.load(Relaxed) {
                    for _ in 0..256 {
                        ring.consumer
                            .word(0)
                            .store(value(ring, &mut random), Relaxed);
                    }
                    written += 256;
                }
                writes.fetch_add(written, Relaxed);
                Ok(())
            }));
            threads.push(scope.spawn(move || {
                let called = call(target, ring.cpu);
                if calling.fetch_sub(1, Relaxed) == 1 {
                    over.store(true, Relaxed);
                }
                called
            }));
        }
        let join = |thread: thread::ScopedJoinHandle<'_, Outcome>| {
            thread.join().unwrap_or_else(|_| Err(fail("a panic")))
        };
        threads.into_iter().map(join).collect()
    });
    results.into_iter().collect::<Outcome>()?;
    session.stop()?;
    let ledger = Ledger::audit(&session)?;
    let calls = BATCH * BATCHES * u64::from(cpus);
    for probe in session.probes()? {
        let row = ledger.probe(probe.head.index);
        if u32::from(probe.head.kind) == abi::RTRACE_KIND_ENTRY {
            check_eq!(row.fired, calls, "firings of the entry probe");
        } else {
            check_eq!(row.entered, calls, "calls that the return probe followed");
        }
    }
    for ring in &rings {
        let row = ledger.cpu(ring.cpu);
        check_eq!(ring.lost(), ring_drops(&row), "`lost` on CPU {}", ring.cpu);
        // Records are at least 48 bytes long, and at most 80 with what goes before them.
        check!(
            ring.published() >= row.recorded * 48,
            "{} records in {} bytes",
            row.recorded,
            ring.published()
        );
    }
    board.report(number, ROUNDS, 1);
    board.report(number, CALLS, calls);
    board.report(number, WRITES, writes.load(Relaxed));
    Ok(())
}

fn call(target: &OwnedFd, cpu: u32) -> Outcome {
    sys::pin(0, cpu)?;
    let mut target = File::from(target.try_clone()?);
    for _ in 0..BATCHES {
        target.write_all(format!("named {BATCH}").as_bytes())?;
    }
    Ok(())
}

/// A consumer position: of no sense, or almost right.
fn value(ring: &Ring, random: &mut Rng) -> u64 {
    match random.u8(..8) {
        0 => 0,
        1 => u64::MAX - random.u64(..16),
        2 => ring.published(),
        3 => ring.published() + random.u64(..64),
        4 => ring.published().wrapping_sub(random.u64(..1 << 17)),
        5 => 1 << random.u32(..64),
        _ => random.u64(..),
    }
}
