// SPDX-License-Identifier: GPL-2.0-only
//! Clauses that need so little that the module does not run them: alone at a function they go a short
//! way, beside another session the long one, and what they count and aggregate is the same.

use std::thread;

use rust_tracer::abi;

use super::{aggregated, bucket, loaded, started};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{Aggregated, KERNEL};
use crate::target::{Target, plain_args, weighted};
use crate::test::{Outcome, check_eq, fail, group};

group! { "programs, the short way":
    "simple clauses do the same alone and beside another session" => same,
}

/// Calls on each CPU.
const CALLS: u64 = 3000;
const FUNCTION: &str = "rt_target:rt_plain";

/// What a clause does with the values that pass its predicate.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Count,
    Sum(fn(u64) -> u64),
    Quantize(fn(u64) -> u64),
    /// Of values that nobody knows beforehand.
    Elapsed,
}

struct Case {
    name: &'static str,
    kind: u32,
    /// The predicate, which leaves its truth in register 3.
    predicate: Code,
    passes: fn(u64) -> bool,
    /// The built-in number that is aggregated.
    number: u32,
    takes: Takes,
}

fn value(i: u64) -> u64 {
    weighted(&plain_args(i))
}

fn arg(number: usize, i: u64) -> u64 {
    plain_args(i)[number]
}

/// register 3 = a number, compared with another.
fn compared(operation: u32, number: u32, with: i32) -> Code {
    Code::new()
        .get(1, number)
        .set(2, with)
        .op(operation, 3, 1, 2, 0)
}

fn cases() -> Vec<Case> {
    let (entry, ret) = (abi::RTRACE_PROBE_ENTRY, abi::RTRACE_PROBE_RETURN);
    let (arg0, arg1) = (abi::RTRACE_VAR_ARG0, abi::RTRACE_VAR_ARG0 + 1);
    let pid = std::process::id() as i32;
    let case = |name, kind, predicate, passes, number, takes| Case {
        name,
        kind,
        predicate,
        passes,
        number,
        takes,
    };
    vec![
        case("count", entry, Code::new(), |_| true, 0, Takes::Count),
        case(
            "a predicate that one call passes",
            entry,
            compared(abi::RTRACE_OP_SEQ, arg0, 5),
            |i| arg(0, i) == 5,
            0,
            Takes::Count,
        ),
        case(
            "sum, with a predicate",
            entry,
            compared(abi::RTRACE_OP_SLT, arg0, 100),
            |i| (arg(0, i) as i64) < 100,
            arg1,
            Takes::Sum(|i| arg(1, i)),
        ),
        case(
            "quantize",
            entry,
            Code::new(),
            |_| true,
            abi::RTRACE_VAR_ARG0 + 2,
            Takes::Quantize(|i| arg(2, i)),
        ),
        case(
            "nothing, for this process",
            entry,
            compared(abi::RTRACE_OP_SEQ, abi::RTRACE_VAR_PID, pid),
            |_| true,
            0,
            Takes::Nothing,
        ),
        case(
            "count, for every other process",
            entry,
            compared(abi::RTRACE_OP_SNE, abi::RTRACE_VAR_PID, pid),
            |_| false,
            0,
            Takes::Count,
        ),
        case(
            "the sum of what is returned",
            ret,
            Code::new(),
            |_| true,
            arg1,
            Takes::Sum(value),
        ),
        case(
            "the distribution of what is returned, with a predicate",
            ret,
            compared(abi::RTRACE_OP_SLTU, arg1, i32::MAX),
            |i| value(i) < i32::MAX as u64,
            arg1,
            Takes::Quantize(value),
        ),
        case(
            "a return's first argument, which is 0",
            ret,
            compared(abi::RTRACE_OP_SNE, arg0, 0),
            |_| false,
            0,
            Takes::Count,
        ),
        case(
            "latencies",
            ret,
            Code::new(),
            |_| true,
            abi::RTRACE_VAR_ELAPSED,
            Takes::Elapsed,
        ),
        case(
            "an entry whose call is followed",
            entry | ret,
            Code::new(),
            |_| true,
            0,
            Takes::Count,
        ),
    ]
}

fn program(case: &Case) -> Program {
    let function = match case.takes {
        Takes::Nothing | Takes::Count => abi::RTRACE_AGG_COUNT,
        Takes::Sum(_) => abi::RTRACE_AGG_SUM,
        Takes::Quantize(_) | Takes::Elapsed => abi::RTRACE_AGG_QUANTIZE,
    };
    let mut code = case.predicate.clone();
    if !case.predicate.is_empty() {
        code = code.filter(3);
    }
    let code = match case.takes {
        Takes::Nothing => code,
        Takes::Count => code.keys(&[]).aggregate(0, 0, 0),
        Takes::Sum(_) => code.get(4, case.number).keys(&[]).aggregate(0, 4, 0),
        Takes::Quantize(_) | Takes::Elapsed => code
            .get(4, case.number)
            .set(5, 1)
            .keys(&[])
            .aggregate(0, 4, 5),
    };
    Program::new()
        .aggregation(function, 0, [0; 4])
        .clause(1, 0, code.ret())
}

/// What the calls of all CPUs are to come to: how many pass, and the words of the aggregation.
fn expected(case: &Case, cpus: u64) -> (u64, Vec<u64>) {
    let passing: Vec<u64> = (0..CALLS).filter(|i| (case.passes)(*i)).collect();
    let ends = if case.kind.count_ones() == 2 { 2 } else { 1 };
    let passed = passing.len() as u64 * cpus * ends;
    let words = match case.takes {
        Takes::Nothing | Takes::Elapsed => Vec::new(),
        Takes::Count => vec![passed],
        Takes::Sum(of) => {
            let sum = passing
                .iter()
                .fold(0, |sum: u64, i| sum.wrapping_add(of(*i)));
            vec![sum.wrapping_mul(cpus)]
        }
        Takes::Quantize(of) => {
            let mut words = vec![0; 127];
            for i in &passing {
                words[bucket(of(*i) as i64)] += cpus;
            }
            words
        }
    };
    (passed, words)
}

fn same(_: &Options) -> Outcome {
    for case in cases() {
        for beside in [false, true] {
            let what = format!(
                "{}{}",
                case.name,
                if beside { ", beside another" } else { "" }
            );
            one(&case, beside).map_err(|failure| fail(format!("{what}: {failure}")))?;
        }
    }
    Ok(())
}

fn one(case: &Case, beside: bool) -> Outcome {
    let other = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
        .clause(1, 0, Code::new().keys(&[]).aggregate(0, 0, 0).ret());
    let other = match beside {
        true => {
            let session = loaded(KERNEL, &other)?;
            session.add_to(FUNCTION, abi::RTRACE_PROBE_ENTRY, 1)?;
            Some(started(session)?)
        }
        false => None,
    };
    let session = loaded(KERNEL, &program(case))?;
    session.add_to(FUNCTION, case.kind, 1)?;
    let trace = started(session)?;
    let cpus = guest::online_cpus() as u32;
    let callers: Vec<_> = (0..cpus)
        .map(|cpu| thread::spawn(move || Target::open()?.run_on(cpu, &format!("plain {CALLS}"))))
        .collect();
    for caller in callers {
        caller.join().map_err(|_| fail("a caller panicked"))??;
    }
    let finished = trace.finish()?;
    let cpus = u64::from(cpus);
    let ends = u64::from(case.kind.count_ones());
    let (passed, words) = expected(case, cpus);
    let total = finished.ledger.total();
    check_eq!(
        (total.fired, total.processed, total.filtered),
        (CALLS * cpus * ends, passed, CALLS * cpus * ends - passed),
        "fired, processed, filtered"
    );
    let found = aggregated(&finished.session, 1 << 16)?;
    match case.takes {
        Takes::Elapsed => {
            let taken: u64 = found.iter().flat_map(|entry| &entry.words).sum();
            check_eq!(taken, passed, "latencies");
        }
        // What took nothing is not there.
        _ if words.is_empty() || passed == 0 => check_eq!(found.len(), 0, "entries"),
        _ => {
            let [Aggregated { words: found, .. }] = &found[..] else {
                return Err(fail(format!("{} entries", found.len())));
            };
            check_eq!(found, &words, "what was aggregated");
        }
    }
    if let Some(other) = other {
        let total = other.finish()?.ledger.total();
        check_eq!(total.processed, CALLS * cpus, "what the other counted");
    }
    Ok(())
}
