// SPDX-License-Identifier: GPL-2.0-only
//! What the processes of a run share: how far they are, what came of each kind of operation, and
//! the last operations of every thread, which can be read when the thread is no more.

#![forbid(unsafe_code)]

use std::fmt::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rust_tracer::abi;
use rustix::io::Errno;

use super::kind::Kind;
use crate::sys::{Mapping, Sys};

/// Hostile processes at most.
const PROCESSES: usize = 8;
/// Threads that have a log.
const THREADS: usize = 32;
/// Operations that a log remembers.
const DEPTH: usize = 40;
/// Words of one: number, kind and descriptor, command, argument, outcome, contents.
const ENTRY: usize = 5 + CONTENTS;
/// Words of the longest argument structure.
pub const CONTENTS: usize = size_of::<abi::rtrace_program>() / 8;
/// An operation that is not over.
const PENDING: u64 = u64::MAX;
/// Outcomes that are told apart: success, and each errno.
const OUTCOMES: usize = 140;
/// Sessions of the hostile processes that are known to all of them.
const KNOWN: usize = 64;
/// Numbers that an honest process reports.
const REPORT: usize = 8;

const STOP: usize = 0;
const PHASE: usize = 1;
const KNOWN_NEXT: usize = 2;
/// Operations that are wanted of each process, and those that it took.
const WANTED_AT: usize = 8;
const TAKEN_AT: usize = WANTED_AT + PROCESSES;
const KNOWN_AT: usize = TAKEN_AT + PROCESSES;
const REPORTS_AT: usize = KNOWN_AT + KNOWN;
const COUNTS_AT: usize = REPORTS_AT + 8 * REPORT;
/// Time that each kind took, in ns.
const TIMES_AT: usize = COUNTS_AT + Kind::COUNT * OUTCOMES;
const LOGS_AT: usize = TIMES_AT + Kind::COUNT;
const LOG: usize = 1 + DEPTH * ENTRY;
const WORDS: usize = LOGS_AT + THREADS * LOG;

/// The memory that all processes of a run have mapped.
#[derive(Debug)]
pub struct Board {
    memory: Mapping,
}

/// What an operation is, for the log.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// What for.
    pub kind: Kind,
    /// The descriptor, or what stands for it.
    pub fd: i32,
    /// The ioctl's command, or what says most.
    pub command: u64,
    /// The ioctl's argument, or an address.
    pub argument: u64,
}

impl Board {
    /// A new file for a board.
    pub fn file() -> Sys<OwnedFd> {
        let file = rustix::fs::memfd_create("board", rustix::fs::MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, (WORDS * 8) as u64)?;
        Ok(file)
    }

    /// The board in that file.
    pub fn of(file: &OwnedFd) -> Sys<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let memory = Mapping::new(file, WORDS * 8, protection, libc::MAP_SHARED, 0)?;
        Ok(Self { memory })
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        self.memory.word(index * 8)
    }

    /// Everybody is to come to an end.
    pub fn stop(&self) {
        self.word(STOP).store(1, Relaxed);
    }

    /// Whether everybody is to come to an end.
    pub fn is_stopped(&self) -> bool {
        self.word(STOP).load(Relaxed) != 0
    }

    /// Says how many operations are wanted of a process.
    pub fn want(&self, process: usize, operations: u64) {
        self.word(WANTED_AT + process).store(operations, Relaxed);
    }

    /// Takes some of the operations that are left to a process; whether there were any.
    pub fn take(&self, process: usize, operations: u64) -> bool {
        let before = self.word(TAKEN_AT + process).fetch_add(operations, Relaxed);
        before < self.word(WANTED_AT + process).load(Relaxed)
    }

    /// Operations that were taken so far.
    pub fn taken(&self) -> u64 {
        (0..PROCESSES)
            .map(|process| {
                let wanted = self.word(WANTED_AT + process).load(Relaxed);
                self.word(TAKEN_AT + process).load(Relaxed).min(wanted)
            })
            .sum()
    }

    /// How far the run is, in parts that the parent chooses.
    pub fn phase(&self) -> u64 {
        self.word(PHASE).load(Relaxed)
    }

    /// The run is so far.
    pub fn set_phase(&self, phase: u64) {
        self.word(PHASE).store(phase, Relaxed);
    }

    /// Makes a hostile session known.
    pub fn introduce(&self, id: u64) {
        let next = self.word(KNOWN_NEXT).fetch_add(1, Relaxed) as usize;
        self.word(KNOWN_AT + next % KNOWN).store(id, Relaxed);
    }

    /// One of the hostile sessions that were made known, or 0.
    pub fn known(&self, choice: usize) -> u64 {
        self.word(KNOWN_AT + choice % KNOWN).load(Relaxed)
    }

    /// Adds to a number that an honest process reports.
    pub fn report(&self, process: usize, number: usize, more: u64) {
        let at = REPORTS_AT + process * REPORT + number;
        self.word(at).fetch_add(more, Relaxed);
    }

    /// What an honest process reported.
    pub fn reported(&self, process: usize, number: usize) -> u64 {
        self.word(REPORTS_AT + process * REPORT + number)
            .load(Relaxed)
    }

    fn log(&self, thread: usize) -> usize {
        LOGS_AT + thread * LOG
    }

    /// How many operations a thread has begun.
    pub fn begun(&self, thread: usize) -> u64 {
        self.word(self.log(thread)).load(Relaxed)
    }

    /// Does it, counts what came of it, and remembers it.
    pub fn note<T>(
        &self,
        thread: usize,
        deed: Deed,
        contents: &[u64],
        work: impl FnOnce() -> Sys<T>,
    ) -> Sys<T> {
        let log = self.log(thread);
        let number = self.word(log).fetch_add(1, Relaxed);
        let at = log + 1 + number as usize % DEPTH * ENTRY;
        let kind = deed.kind.number() as u64;
        let head = [
            number,
            (kind << 32) | u64::from(deed.fd as u32),
            deed.command,
            deed.argument,
            PENDING,
        ];
        for (word, value) in head.iter().chain(contents).enumerate() {
            self.word(at + word).store(*value, Relaxed);
        }
        for word in head.len() + contents.len()..ENTRY {
            self.word(at + word).store(0, Relaxed);
        }
        let begun = Instant::now();
        let result = work();
        let took = begun.elapsed().as_nanos() as u64;
        self.word(TIMES_AT + deed.kind.number())
            .fetch_add(took, Relaxed);
        let outcome = match &result {
            Ok(_) => 0,
            Err(errno) => (errno.raw_os_error() as usize).min(OUTCOMES - 1),
        };
        self.word(at + 4).store(outcome as u64, Relaxed);
        self.word(COUNTS_AT + deed.kind.number() * OUTCOMES + outcome)
            .fetch_add(1, Relaxed);
        result
    }

    /// How often a kind of operation came to each outcome: errno (0: success), times.
    pub fn outcomes(&self, kind: Kind) -> Vec<(i32, u64)> {
        let at = COUNTS_AT + kind.number() * OUTCOMES;
        (0..OUTCOMES)
            .map(|outcome| (outcome as i32, self.word(at + outcome).load(Relaxed)))
            .filter(|(_, times)| *times != 0)
            .collect()
    }

    /// How long all operations of a kind took.
    pub fn time(&self, kind: Kind) -> Duration {
        Duration::from_nanos(self.word(TIMES_AT + kind.number()).load(Relaxed))
    }

    /// A thread's last operations, oldest first.
    pub fn last_of(&self, thread: usize) -> String {
        let begun = self.begun(thread);
        let mut text = String::new();
        for number in begun.saturating_sub(DEPTH as u64)..begun {
            let at = self.log(thread) + 1 + number as usize % DEPTH * ENTRY;
            let word = |index: usize| self.word(at + index).load(Relaxed);
            let kind = Kind::of((word(1) >> 32) as usize);
            let outcome = match word(4) {
                PENDING => "is not over".to_owned(),
                0 => "done".to_owned(),
                errno => Errno::from_raw_os_error(errno as i32).to_string(),
            };
            let _ = write!(
                text,
                "  {:>8} {:<12} fd {} {:#x} {:#x}",
                word(0),
                kind.map_or("?", Kind::name),
                word(1) as u32 as i32,
                word(2),
                word(3),
            );
            for index in 5..ENTRY {
                let _ = write!(text, " {:x}", word(index));
            }
            let _ = writeln!(text, ": {outcome}");
        }
        text
    }
}
