// SPDX-License-Identifier: GPL-2.0-only
//! Programs: clauses run when probes fire, and what they do is exactly what is counted.

pub mod aggregating;
pub mod changes;
pub mod keeping;
pub mod own;
pub mod random;
pub mod reading;
pub mod rights;
pub mod running;
pub mod short;

use std::collections::BTreeMap;

use rust_tracer::abi;

use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{Aggregated, KERNEL, Session};
use crate::target::{Target, plain_args, weighted};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Finished, Trace};

group! { "programs":
    "a predicate, trace items and a keyed quantize aggregation run" => first,
}

/// An action's number; the module passes it through.
pub const TRACE: u16 = 7;

/// A session on a node with a program; its probes are still to come.
pub fn loaded(node: &str, program: &Program) -> Outcome<Session> {
    let session = Session::open_as(node, libc::O_RDWR)?;
    session
        .load(program)
        .map_err(|refused| fail(format!("{refused}: {program:x?}")))?;
    Ok(session)
}

/// Starts it with rings that take all that these tests record.
pub fn started(session: Session) -> Outcome<Trace> {
    session.configure(abi::rtrace_config {
        ring_bytes: 8 << 20,
        ..Default::default()
    })?;
    let start = session.start()?;
    check_eq!(start.refused, 0, "probes that are not attached");
    let mut trace = Trace::of(session)?;
    trace.with_program = true;
    Ok(trace)
}

/// What was aggregated on all CPUs, the parts of the same keys added up.
pub fn aggregated(session: &Session, buffer: usize) -> Outcome<Vec<Aggregated>> {
    let mut sum: BTreeMap<(u32, Vec<u64>), Vec<u64>> = BTreeMap::new();
    for cpu in 0..session.info()?.cpus {
        let found = match session.aggregate(cpu, buffer) {
            Err(refused) if refused.errno == rustix::io::Errno::NXIO => continue,
            answer => answer?,
        };
        for Aggregated {
            aggregation,
            keys,
            words,
        } in found
        {
            let sum = sum
                .entry((aggregation, keys))
                .or_insert_with(|| vec![0; words.len()]);
            check_eq!(sum.len(), words.len(), "words of an aggregation");
            for (sum, word) in sum.iter_mut().zip(words) {
                *sum = sum.wrapping_add(word);
            }
        }
    }
    Ok(sum
        .into_iter()
        .map(|((aggregation, keys), words)| Aggregated {
            aggregation,
            keys,
            words,
        })
        .collect())
}

/// The numbers that a record's items are.
pub fn numbers(finished: &Finished) -> Outcome<Vec<Vec<u64>>> {
    let mut made: Vec<_> = finished.made.iter().collect();
    made.sort_by_key(|made| made.head.time);
    made.iter()
        .map(|made| {
            made.items
                .iter()
                .map(|item| item.number().ok_or_else(|| fail("an item is no number")))
                .collect()
        })
        .collect()
}

/// The word of a quantize aggregation that a value counts in.
pub fn bucket(value: i64) -> usize {
    match value {
        0 => 63,
        value if value > 0 => 64 + value.ilog2() as usize,
        value => 62 - value.unsigned_abs().ilog2() as usize,
    }
}

fn first(_: &Options) -> Outcome {
    const CALLS: u64 = 1000;
    let (arg0, arg1, zero, one, value) = (1, 2, 3, 4, 5);
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 8, [0; 4])
        .clause(
            1,
            0,
            // /arg0 & 1/ { trace(arg0); trace(arg1); @[arg0 & 6] = quantize(arg0 - 500); }
            Code::new()
                .get(arg0, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_ANDI, value, arg0, 0, 1)
                .filter(value)
                .get(arg1, abi::RTRACE_VAR_ARG0 + 1)
                .emit(arg0, TRACE, 1)
                .emit(arg1, TRACE, 2)
                .op(abi::RTRACE_OP_ANDI, zero, arg0, 0, 6)
                .keys(&[zero])
                .set(one, 1)
                .op(abi::RTRACE_OP_ADDI, value, arg0, 0, -500)
                .aggregate(0, value, one)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    let added = session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    check_eq!(added.added, 1);
    let target = Target::open()?;
    let trace = started(session)?;
    let sum = target.run(&format!("plain {CALLS}"))?;
    let expected = (0..CALLS).fold(0, |sum: u64, i| sum.wrapping_add(weighted(&plain_args(i))));
    check_eq!(sum, expected, "what the traced calls returned");
    let finished = trace.finish()?;
    let wanted: Vec<Vec<u64>> = (0..CALLS)
        .filter(|i| i % 2 == 1)
        .map(|i| plain_args(i)[..2].to_vec())
        .collect();
    check_eq!(numbers(&finished)?, wanted, "what was recorded");
    let total = finished.ledger.total();
    check_eq!(
        (total.fired, total.recorded, total.filtered),
        (CALLS, CALLS / 2, CALLS / 2)
    );
    let mut replay: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for record in &wanted {
        let words = replay.entry(record[0] & 6).or_insert_with(|| vec![0; 127]);
        words[bucket(record[0] as i64 - 500)] += 1;
    }
    let found = aggregated(&finished.session, 1 << 16)?;
    check_eq!(found.len(), replay.len(), "keys");
    for entry in found {
        check_eq!(entry.aggregation, 0);
        check_eq!(
            replay.get(&entry.keys[0]),
            Some(&entry.words),
            "key {:?}",
            entry.keys
        );
    }
    // What was taken is gone.
    check!(aggregated(&finished.session, 1 << 16)?.is_empty(), "twice");
    Ok(())
}
