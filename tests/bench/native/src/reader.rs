// SPDX-License-Identifier: GPL-2.0-only
//! The reader's side: a ring that the module's code has filled, emptied by what rtctl does with it.

use std::cell::Cell;
use std::fs::File;
use std::hint::black_box;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{ensure, Result};
use rtctl::names::Names;
use rtctl::output::{Columns, Form, Json, Output};
use rust_tracer::device::{Area, Command, Device, Memory};
use rust_tracer::fake::{Fake, FakeFunction};
use rust_tracer::{Pattern, Session};
use rustix::io::Errno;

use crate::memory::Areas;
use crate::writer::{entry, ret, ring, ENTRY_BYTES, RETURN_BYTES};
use crate::{RING_BYTES, ROUNDS};

/// How far a record goes.
#[derive(Clone, Copy)]
pub enum Reading {
    /// Out of the ring, decoded.
    Decoded,
    /// Through the order of time, and printed in columns as `rtctl -v` does, to where nothing is
    /// kept.
    Columns,
    /// The same as `rtctl --format json` does.
    Json,
}

/// All of them.
pub const READINGS: [(&str, Reading); 3] = [
    ("decoded", Reading::Decoded),
    ("columns", Reading::Columns),
    ("json", Reading::Json),
];

/// What was read in which time.
pub struct Speed {
    records: u64,
    bytes: u64,
    took: Duration,
}

impl Speed {
    /// ns for one record.
    pub fn ns(&self) -> f64 {
        self.took.as_secs_f64() * 1e9 / self.records as f64
    }

    pub fn records_a_second(&self) -> f64 {
        self.records as f64 / self.took.as_secs_f64()
    }

    pub fn gigabytes_a_second(&self) -> f64 {
        self.bytes as f64 / 1e9 / self.took.as_secs_f64()
    }
}

/// A module whose commands are the fake one's, and whose only ring is ours.
struct Machine {
    module: Arc<Fake>,
    areas: Areas,
}

impl Device for Machine {
    fn command(&self, command: Command<'_>) -> Result<(), Errno> {
        self.module.command(command)
    }

    fn map(&self, _cpu: u32, area: Area, _bytes: usize) -> Result<Memory, Errno> {
        Ok(Memory::Shared(self.areas.area(area)))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Reads a ring full of pairs of records again and again, and gives the best round's speed.
pub fn read(reading: Reading) -> Result<Speed> {
    // Half of the ring, as in `writer::write`.
    const PAIR_BYTES: u64 = (ENTRY_BYTES + RETURN_BYTES) as u64;
    const PAIRS: u64 = RING_BYTES / 2 / PAIR_BYTES;
    let areas = Areas::new(RING_BYTES);
    let ring = ring(&areas)?;
    let machine = Machine {
        module: Fake::new(1, vec![FakeFunction::new("vfs_read")]),
        areas: areas.clone(),
    };
    let session = Session::over(Arc::new(machine))?;
    session.configure(&rust_tracer::Config {
        ring_bytes: RING_BYTES,
        ..rust_tracer::Config::default()
    })?;
    session.add(&Pattern::function("vfs_read"))?;
    session.start()?;
    let mut empty = emptying(&session, reading)?;
    let mut best = Duration::MAX;
    let clock = Cell::new(0);
    let now = || clock.replace(clock.get() + 250);
    for _ in 0..ROUNDS {
        for number in 0..PAIRS {
            entry(&ring, now, [0xffff_8881_0000_0000 + number; 6]);
            ret(&ring, now, number);
        }
        let begun = Instant::now();
        let read = empty()?;
        best = best.min(begun.elapsed());
        ensure!(read == 2 * PAIRS, "{read} records read of {}", 2 * PAIRS);
    }
    ensure!(areas.lost() == 0, "the ring was full");
    Ok(Speed {
        records: 2 * PAIRS,
        bytes: PAIRS * PAIR_BYTES,
        took: best,
    })
}

/// What empties the session's ring, and says how many records there were.
fn emptying<'a>(
    session: &'a Session,
    reading: Reading,
) -> Result<Box<dyn FnMut() -> Result<u64> + 'a>> {
    let form: Box<dyn Form> = match reading {
        Reading::Decoded => {
            let mut rings = session.rings()?;
            return Ok(Box::new(move || {
                let taken = rings.take_all(|record| {
                    black_box(record);
                })?;
                Ok(taken as u64)
            }));
        }
        Reading::Columns => Box::new(Columns::new(true)),
        Reading::Json => Box::new(Json),
    };
    let mut names = Names::default();
    names.extend(session.probes(0)?);
    let sink = File::options().write(true).open("/dev/null")?;
    let mut output = Output::new(form, Box::new(sink));
    let mut trace = session.trace()?;
    Ok(Box::new(move || {
        let mut read = 0;
        loop {
            let look = trace.look(|record| output.record(&names, record))?;
            output.flush()?;
            read += look.records as u64;
            if !look.more {
                return Ok(read);
            }
        }
    }))
}
