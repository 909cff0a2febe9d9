// SPDX-License-Identifier: GPL-2.0-only
//! Honest sessions beside the hostile ones: what they count and read must be right to the last
//! event, whatever the others do.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use rust_tracer::abi;
use rustix::io::Errno;

use super::board::Board;
use super::raw::PAGE;
use crate::ledger::{Ledger, ring_drops};
use crate::session::{NODES, Session};
use crate::sys::{self, Mapping};
use crate::test::{Outcome, check, check_eq, fail};

/// What an honest process reports on the board.
pub const ROUNDS: usize = 0;
/// Calls that it made.
pub const CALLS: usize = 1;
/// Records that it read.
pub const RECORDS: usize = 2;
/// Events that found no room.
pub const DROPPED: usize = 3;

/// Calls between two looks at the rings.
const BATCH: u64 = 20;
/// Batches of one session.
const BATCHES: u64 = 200;
/// How long a reader sleeps at most.
const NAP_MS: i32 = 10;

/// Who is honest, and how.
#[derive(Debug)]
pub struct Role {
    /// `RTRACE_NODE_*`
    pub node: usize,
    /// A function of rt_target that nobody else calls; but on the node user others may.
    pub function: &'static str,
    /// The command that calls it, but for how often.
    pub command: &'static str,
    /// A user of its own: an admin's word against hostile users must not end it.
    pub uid: u32,
    /// The group that may use the node.
    pub group: &'static [&'static str],
}

/// All who are.
pub const ROLES: [Role; 3] = [
    Role {
        node: abi::RTRACE_NODE_KERNEL as usize,
        function: "rt_plain",
        command: "plain",
        uid: 60_001,
        group: &["rtrace-kernel"],
    },
    Role {
        node: abi::RTRACE_NODE_SYSTEM as usize,
        function: "rt_wide",
        command: "wide",
        uid: 60_002,
        group: &["rtrace-system"],
    },
    Role {
        node: abi::RTRACE_NODE_USER as usize,
        function: "rt_void",
        command: "void",
        uid: 60_003,
        group: &["rtrace-user"],
    },
];

/// One session after the other until the run is over.
pub fn run(number: usize, board: &Board, target: OwnedFd) -> Outcome {
    let target = File::from(target);
    loop {
        round(number, board, &target)
            .map_err(|failure| fail(format!("honest on {}: {failure}", NODES[number])))?;
        if board.is_stopped() {
            return Ok(());
        }
    }
}

fn round(number: usize, board: &Board, mut target: &File) -> Outcome {
    let role = &ROLES[number];
    let session = Session::open_as(NODES[role.node], libc::O_RDWR)?;
    let pattern = format!("rt_target:{}", role.function);
    check_eq!(session.add(&pattern, 3)?.added, 2, "probes of {pattern}");
    let bytes = u64::from(abi::RTRACE_RING_MIN);
    session.configure(abi::rtrace_config {
        ring_bytes: bytes,
        frames: 256,
        ..Default::default()
    })?;
    check_eq!(session.start()?.attached, 2, "probes attached");
    let cpus = session.info()?.cpus;
    let mut rings = Vec::new();
    for cpu in 0..cpus {
        match Ring::map(&session, cpu, bytes) {
            Err(Errno::NXIO) => {}
            ring => rings.push(ring?),
        }
    }
    let mut read = BTreeMap::new();
    let mut calls = 0;
    for _ in 0..BATCHES {
        target.write_all(format!("{} {BATCH}", role.command).as_bytes())?;
        calls += BATCH;
        for ring in &mut rings {
            ring.read(role.node, &mut read)?;
        }
        sys::poll(&session.fd.as_raw_fd(), libc::POLLIN, NAP_MS)?;
    }
    session.stop()?;
    for ring in &mut rings {
        ring.read(role.node, &mut read)?;
    }
    let status = session.status()?;
    check_eq!(
        (status.state, status.reason),
        (abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_ASKED),
        "how the session ended"
    );
    let ledger = Ledger::audit(&session)?;
    ledger.matches_records(&read)?;
    for ring in &rings {
        let lost = ring_drops(&ledger.cpu(ring.cpu));
        check_eq!(ring.lost(), lost, "`lost` of the ring of CPU {}", ring.cpu);
    }
    let kinds = |kind: u32| -> Outcome<_> {
        let probes = session.probes()?;
        let probe = probes.iter().find(|p| u32::from(p.head.kind) == kind);
        let probe = probe.ok_or_else(|| fail("a probe is gone"))?;
        Ok(ledger.probe(probe.head.index))
    };
    let entry = kinds(abi::RTRACE_KIND_ENTRY)?;
    check_eq!(entry.fired, calls, "firings of the entry probe");
    let back = kinds(abi::RTRACE_KIND_RETURN)?;
    check_eq!(back.entered, calls, "calls that the return probe followed");
    check_eq!(
        back.returned + back.missed.iter().sum::<u64>(),
        calls,
        "returns, in {back:?}"
    );
    let records: u64 = read.values().sum();
    board.report(number, ROUNDS, 1);
    board.report(number, CALLS, calls);
    board.report(number, RECORDS, records);
    board.report(number, DROPPED, entry.fired + back.fired - records);
    Ok(())
}

/// A ring's areas, and how far it was read.
#[derive(Debug)]
pub struct Ring {
    /// Its CPU.
    pub cpu: u32,
    status: Mapping,
    /// The word that its reader writes.
    pub consumer: Mapping,
    data: Mapping,
    bytes: u64,
    position: u64,
    time: u64,
}

impl Ring {
    /// Maps the ring of a CPU that has one.
    pub fn map(session: &Session, cpu: u32, bytes: u64) -> sys::Sys<Self> {
        Ok(Self {
            cpu,
            status: session.map(cpu, abi::AREA_STATUS, PAGE as usize)?,
            consumer: session.map(cpu, abi::AREA_CONSUMER, PAGE as usize)?,
            data: session.map(cpu, abi::AREA_DATA, bytes as usize)?,
            bytes,
            position: 0,
            time: 0,
        })
    }

    /// The end of the complete records.
    pub fn published(&self) -> u64 {
        let at = offset_of!(abi::rtrace_ring_status, published);
        self.status.word(at).load(Acquire)
    }

    /// Firings that it could not take.
    pub fn lost(&self) -> u64 {
        let at = offset_of!(abi::rtrace_ring_status, lost);
        self.status.word(at).load(Acquire)
    }

    /// Counts records by probe and CPU, and gives their room back.
    fn read(&mut self, node: usize, counts: &mut BTreeMap<(u32, u32), u64>) -> Outcome {
        let end = self.published();
        while self.position < end {
            let at = self.position;
            let offset = at % self.bytes;
            let word = |index: u64| self.data.word((offset + index * 8) as usize).load(Relaxed);
            let info = word(0);
            let (length, kind) = (info & 0xff_ffff, ((info >> 24) & 0xf) as u32);
            check!(
                length >= 8 && length % 8 == 0 && length <= (end - at).min(self.bytes - offset),
                "a record of kind {kind} and {length} bytes at {at} of {end}"
            );
            check_eq!(info >> 32, (at >> 3) & 0xffff_ffff, "the position in it");
            self.position += length;
            if kind == abi::RTRACE_RECORD_PAD {
                continue;
            }
            check!(word(1) >= self.time, "time goes back at {at}");
            self.time = word(1);
            if [abi::RTRACE_RECORD_DISCARD, abi::RTRACE_RECORD_LOST].contains(&kind) {
                continue;
            }
            let data = [abi::RTRACE_RECORD_ENTRY, abi::RTRACE_RECORD_RETURN];
            let none = [abi::RTRACE_RECORD_CALLED, abi::RTRACE_RECORD_RETURNED];
            let allowed = if node == abi::RTRACE_NODE_KERNEL as usize {
                data
            } else {
                none
            };
            check!(allowed.contains(&kind), "kind {kind} on node {node}");
            let (probe, cpu) = (word(2) as u32, (word(2) >> 32) as u32);
            check_eq!(cpu, self.cpu, "the CPU in a record");
            *counts.entry((probe, cpu)).or_insert(0) += 1;
        }
        self.consumer.word(0).store(self.position, Release);
        Ok(())
    }
}
