// SPDX-License-Identifier: GPL-2.0-only
//! The writer's side: records as the probe path writes them.

#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use anyhow::{ensure, Context, Result};
use rust_tracer::abi;

use crate::memory::{Areas, Pages};
use crate::ring::{Layout, Policy, Ring};
use crate::{RING_BYTES, ROUNDS};

/// Bytes of an entry's record, and of a return's.
pub const ENTRY_BYTES: u32 = size_of::<abi::rtrace_record_entry>() as u32;
pub const RETURN_BYTES: u32 = size_of::<abi::rtrace_record_return>() as u32;

/// Process and thread, as a record has them.
const TASK: u64 = (1 << 32) | 1;

/// The processor's own clock.
#[inline(always)]
pub fn tsc() -> u64 {
    // SAFETY: x86-64 has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// A ring over these areas with the module's code in it.
pub fn ring(areas: &Areas) -> Result<Ring<Pages>> {
    let watermark = RING_BYTES / 4;
    let layout = Layout::new(RING_BYTES, watermark, Policy::Switch).context("no layout")?;
    Ok(Ring::new(layout, Pages::new(areas.clone())))
}

/// Writes an entry's record, as `rust_tracer/fire` does. Says whether there was room.
#[inline(always)]
pub fn entry(ring: &Ring<Pages>, clock: impl Fn() -> u64, arguments: [u64; 6]) -> bool {
    let Ok(record) = ring.reserve(ENTRY_BYTES, clock, || 1) else {
        return false;
    };
    record.put(2, 0);
    record.put(3, TASK);
    for (index, argument) in (4..).zip(arguments) {
        record.put(index, argument);
    }
    let _ = record.commit(abi::RTRACE_RECORD_ENTRY, abi::RTRACE_CONTEXT_TASK);
    true
}

/// The same for a return's.
#[inline(always)]
pub fn ret(ring: &Ring<Pages>, clock: impl Fn() -> u64, value: u64) -> bool {
    let Ok(record) = ring.reserve(RETURN_BYTES, clock, || 1) else {
        return false;
    };
    record.put(2, 1);
    record.put(3, TASK);
    record.put(4, value);
    record.put(5, record.time() & 0xfff);
    let _ = record.commit(abi::RTRACE_RECORD_RETURN, abi::RTRACE_CONTEXT_TASK);
    true
}

/// ns of writing one entry's record with a clock, the best round's.
pub fn write(clock: impl Fn() -> u64) -> Result<f64> {
    // Half of the ring: the reserve, and what comes with it, is not reached.
    const RECORDS: u64 = RING_BYTES / 2 / ENTRY_BYTES as u64;
    let areas = Areas::new(RING_BYTES);
    let ring = ring(&areas)?;
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for number in 0..RECORDS {
            entry(&ring, &clock, black_box([number; 6]));
        }
        let ns = begun.elapsed().as_secs_f64() * 1e9 / RECORDS as f64;
        best = best.min(ns);
        areas.consume();
    }
    ensure!(areas.lost() == 0, "the ring was full");
    Ok(best)
}
