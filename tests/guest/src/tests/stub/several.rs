// SPDX-License-Identifier: GPL-2.0-only
//! Sessions at one function of which one cannot go the short way, and the others can.

#![forbid(unsafe_code)]

use super::{BOTH, FUNCTION, PATTERN, call, calls_after_first, is_by_stub, mine, value};
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::KERNEL;
use crate::sys;
use crate::test::{Outcome, check, check_eq, group};
use crate::tests::programs::{aggregated, loaded, started};
use crate::trace::{Finished, Plan, Trace};

use rust_tracer::abi;

group! { "stub, beside each other":
    "a session whose ring is full loses records of its own alone" => full_ring,
    "a session whose program is interpreted and those whose are not each see every call" => interpreted,
    "entries alone, returns alone and both, by several sessions, are each session's own" => ends,
    "sessions that are stopped beside others see nothing more, and the others all" => stopped,
}

const CALLS: u64 = 2000;

fn start(plan: Plan) -> Outcome<Trace> {
    let trace = plan.start()?;
    is_by_stub(&trace.session, FUNCTION)?;
    Ok(trace)
}

/// This session's own records of the caller's calls, but for the first, have all values.
fn has_all(finished: &Finished, what: &str) -> Outcome {
    let returns = mine(finished.returns(FUNCTION)?);
    let values: Vec<u64> = returns.iter().skip(1).map(|ret| ret.value()).collect();
    let wanted: Vec<u64> = (0..CALLS).map(value).collect();
    check!(values == wanted, "{what}: {} values", values.len());
    Ok(())
}

fn full_ring(_: &Options) -> Outcome {
    sys::pin(0, 0)?;
    for small_first in [false, true] {
        let sizes = [64 << 10, 4 << 20, 4 << 20];
        let mut traces = Vec::new();
        for ring in sizes {
            let trace = start(Plan::new().both(PATTERN).ring(ring))?;
            if small_first {
                traces.push(trace);
            } else {
                traces.insert(0, trace);
            }
        }
        call(0);
        calls_after_first(CALLS);
        for (number, trace) in traces.into_iter().enumerate() {
            let finished = trace.finish()?;
            let what = format!("session {number}");
            let is_small = number == if small_first { 0 } else { sizes.len() - 1 };
            for row in [
                finished.entry_row(FUNCTION)?,
                finished.return_row(FUNCTION)?,
            ] {
                let dropped: u64 = row.dropped.iter().sum();
                check!(row.fired > CALLS, "{what}: {row:?}");
                check_eq!(row.fired, row.recorded + dropped, "{what}: {row:?}");
                check_eq!(dropped > 0, is_small, "{what}: {row:?}");
                check_eq!(row.missed.iter().sum::<u64>(), 0, "{what}: {row:?}");
            }
            if !is_small {
                has_all(&finished, &what)?;
            }
        }
    }
    Ok(())
}

/// `{ @[arg1 & 7] = count(); }`, which is interpreted.
fn by_value() -> Outcome<Trace> {
    let code = Code::new()
        .get(4, abi::RTRACE_VAR_ARG0 + 1)
        .op(abi::RTRACE_OP_ANDI, 1, 4, 0, 7)
        .keys(&[1])
        .aggregate(0, 0, 0)
        .ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 8, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(PATTERN, BOTH, 1)?;
    started(session)
}

fn interpreted(_: &Options) -> Outcome {
    for place in 0..3 {
        let mut plain = Vec::new();
        let mut program = None;
        for number in 0..3 {
            if number == place {
                program = Some(by_value()?);
            } else {
                plain.push(start(Plan::new().both(PATTERN))?);
            }
        }
        call(0);
        calls_after_first(CALLS);
        for trace in plain {
            has_all(&trace.finish()?, "one that records")?;
        }
        if let Some(trace) = program {
            let finished = trace.finish()?;
            let total = finished.ledger.total();
            check_eq!(
                (total.fired, total.processed),
                (total.entered + total.returned, total.fired),
                "fired, and processed"
            );
            check!(total.returned > CALLS, "{total:?}");
            let found = aggregated(&finished.session, 1 << 16)?;
            let counted: u64 = found.iter().flat_map(|entry| &entry.words).sum();
            check_eq!(counted, total.processed, "what was counted");
        }
    }
    Ok(())
}

fn ends(_: &Options) -> Outcome {
    let traces = [
        Plan::new().entry(PATTERN).start()?,
        Plan::new().ret(PATTERN).start()?,
        Plan::new().both(PATTERN).start()?,
        Plan::new().entry(PATTERN).start()?,
    ];
    call(0);
    calls_after_first(CALLS);
    let [first, second, third, fourth] = traces.map(Trace::finish);
    for (entries, what) in [(first?, "the first"), (fourth?, "the fourth")] {
        let seen = mine(entries.entries(FUNCTION)?).len() as u64;
        check_eq!(seen, CALLS + 1, "entries of {what}");
    }
    let (second, third) = (second?, third?);
    has_all(&second, "returns alone")?;
    has_all(&third, "both")?;
    let seen = mine(third.entries(FUNCTION)?).len() as u64;
    check_eq!(seen, CALLS + 1, "entries of both");
    check!(
        second.entries(FUNCTION).is_err(),
        "there are entries of returns alone"
    );
    Ok(())
}

fn stopped(_: &Options) -> Outcome {
    for which in 0..3 {
        let mut traces = Vec::new();
        for _ in 0..3 {
            traces.push(start(Plan::new().both(PATTERN))?);
        }
        call(0);
        traces[which].session.stop()?;
        calls_after_first(CALLS);
        for (number, trace) in traces.into_iter().enumerate() {
            if number == which {
                let row = trace.finish()?.return_row(FUNCTION)?;
                check!(row.returned < CALLS, "it was stopped: {row:?}");
            } else {
                has_all(&trace.finish()?, "one that runs on")?;
            }
        }
    }
    Ok(())
}
