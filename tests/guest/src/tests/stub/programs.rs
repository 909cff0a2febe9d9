// SPDX-License-Identifier: GPL-2.0-only
//! What programs make of calls that the stub follows: alone at the function, where the simple ones go a
//! short way, and beside another session, where all go the long one.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::{BOTH, COPY, Copies, FUNCTION, PATTERN, call, calls_after_first, is_by_stub, value};
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::KERNEL;
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::tests::programs::{TRACE, aggregated, bucket, loaded, numbers, started};
use crate::trace::Trace;

group! { "stub, programs":
    "simple clauses come to what the calls do, alone and beside another session" => simple,
    "the latencies that are distributed are those that are recorded" => latencies,
    "the arguments at the entry are there at the return" => entry_arguments,
    "aggregations are kept apart by their keys" => keys,
    "a variable of the thread is carried from the entry to the return" => variables,
    "a program that fires at the entry alone is not followed" => entries_alone,
}

const CALLS: u64 = 3000;
const RETURN: u32 = abi::RTRACE_PROBE_RETURN;
const ARG1: u32 = abi::RTRACE_VAR_ARG0 + 1;

/// register 3 = a number, compared with another; the predicate.
fn only_if(operation: u32, number: u32, with: i32) -> Code {
    Code::new()
        .get(1, number)
        .set(2, with)
        .op(operation, 3, 1, 2, 0)
        .filter(3)
}

struct Case {
    name: &'static str,
    kind: u32,
    predicate: Code,
    function: u32,
    /// The built-in number that is aggregated.
    number: Option<u32>,
    /// Which calls pass, at each end that is probed.
    passes: fn(u64) -> bool,
    /// The words of the aggregation; none: nobody knows beforehand.
    words: fn(&[u64]) -> Vec<u64>,
}

fn distribution(values: &[u64]) -> Vec<u64> {
    let mut words = vec![0; 127];
    for value in values {
        words[bucket(*value as i64)] += 1;
    }
    words
}

fn cases() -> Vec<Case> {
    let unknown = |_: &[u64]| Vec::new();
    let case = |name, kind, predicate, function, number, passes, words| Case {
        name,
        kind,
        predicate,
        function,
        number,
        passes,
        words,
    };
    let tid = sys::tid();
    vec![
        case(
            "count()",
            RETURN,
            Code::new(),
            abi::RTRACE_AGG_COUNT,
            None,
            |_| true,
            |values| vec![values.len() as u64],
        ),
        case(
            "count() at both ends",
            BOTH,
            Code::new(),
            abi::RTRACE_AGG_COUNT,
            None,
            |_| true,
            |values| vec![2 * values.len() as u64],
        ),
        case(
            "sum(arg1)",
            RETURN,
            Code::new(),
            abi::RTRACE_AGG_SUM,
            Some(ARG1),
            |_| true,
            |values| vec![values.iter().sum()],
        ),
        case(
            "quantize(arg1)",
            RETURN,
            Code::new(),
            abi::RTRACE_AGG_QUANTIZE,
            Some(ARG1),
            |_| true,
            distribution,
        ),
        case(
            "max(arg1)",
            RETURN,
            Code::new(),
            abi::RTRACE_AGG_MAX,
            Some(ARG1),
            |_| true,
            |values| vec![values.iter().copied().max().unwrap_or(0)],
        ),
        case(
            "quantize(elapsed)",
            RETURN,
            Code::new(),
            abi::RTRACE_AGG_QUANTIZE,
            Some(abi::RTRACE_VAR_ELAPSED),
            |_| true,
            unknown,
        ),
        case(
            "/arg1 == 77/ sum(arg1)",
            RETURN,
            only_if(abi::RTRACE_OP_SEQ, ARG1, 77),
            abi::RTRACE_AGG_SUM,
            Some(ARG1),
            |i| value(i) == 77,
            |values| vec![77 * values.iter().filter(|value| **value == 77).count() as u64],
        ),
        case(
            "/arg1 < 100/ count()",
            RETURN,
            only_if(abi::RTRACE_OP_SLT, ARG1, 100),
            abi::RTRACE_AGG_COUNT,
            None,
            |i| value(i) < 100,
            |values| vec![values.iter().filter(|value| **value < 100).count() as u64],
        ),
        case(
            "/arg1 < 100/ quantize(elapsed)",
            RETURN,
            only_if(abi::RTRACE_OP_SLT, ARG1, 100),
            abi::RTRACE_AGG_QUANTIZE,
            Some(abi::RTRACE_VAR_ELAPSED),
            |i| value(i) < 100,
            unknown,
        ),
        case(
            "/tid == here/ count()",
            RETURN,
            only_if(abi::RTRACE_OP_SEQ, abi::RTRACE_VAR_TID, tid),
            abi::RTRACE_AGG_COUNT,
            None,
            |_| true,
            |values| vec![values.len() as u64],
        ),
        case(
            "/tid != here/ count()",
            RETURN,
            only_if(abi::RTRACE_OP_SNE, abi::RTRACE_VAR_TID, tid),
            abi::RTRACE_AGG_COUNT,
            None,
            |_| false,
            unknown,
        ),
        case(
            "/elapsed == 0/ count()",
            RETURN,
            only_if(abi::RTRACE_OP_SEQ, abi::RTRACE_VAR_ELAPSED, 0),
            abi::RTRACE_AGG_COUNT,
            None,
            |_| false,
            unknown,
        ),
        case(
            "/arg0 == 0/ quantize(elapsed)",
            RETURN,
            only_if(abi::RTRACE_OP_SEQ, abi::RTRACE_VAR_ARG0, 0),
            abi::RTRACE_AGG_QUANTIZE,
            Some(abi::RTRACE_VAR_ELAPSED),
            |_| true,
            unknown,
        ),
    ]
}

fn program(case: &Case) -> Program {
    let (number, weight) = (4, 5);
    let mut code = case.predicate.clone();
    if let Some(which) = case.number {
        code = code.get(number, which);
    }
    let code = match (case.number, case.function) {
        (None, _) => code.keys(&[]).aggregate(0, 0, 0),
        (_, abi::RTRACE_AGG_QUANTIZE) => code.set(weight, 1).keys(&[]).aggregate(0, number, weight),
        _ => code.keys(&[]).aggregate(0, number, 0),
    };
    Program::new()
        .aggregation(case.function, 0, [0; 4])
        .clause(1, 0, code.ret())
}

/// A session that counts returns of the function.
pub fn counting() -> Outcome<Trace> {
    let code = Code::new().keys(&[]).aggregate(0, 0, 0).ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(PATTERN, RETURN, 1)?;
    started(session)
}

fn simple(_: &Options) -> Outcome {
    // What several CPUs aggregate is added up, and a maximum is none then.
    sys::pin(0, 0)?;
    for case in cases() {
        for beside in [false, true] {
            let what = if beside { ", beside another" } else { "" };
            one(&case, beside)
                .map_err(|failure| fail(format!("{}{what}: {failure}", case.name)))?;
        }
    }
    Ok(())
}

fn one(case: &Case, beside: bool) -> Outcome {
    let other = beside.then(counting).transpose()?;
    let session = loaded(KERNEL, &program(case))?;
    session.add_to(PATTERN, case.kind, 1)?;
    call(0);
    let trace = started(session)?;
    is_by_stub(&trace.session, FUNCTION)?;
    calls_after_first(CALLS);
    let finished = trace.finish()?;
    let ends = u64::from(case.kind.count_ones());
    let passed = ends * (0..CALLS).filter(|i| (case.passes)(*i)).count() as u64;
    let total = finished.ledger.total();
    check_eq!(
        (total.fired, total.processed, total.filtered),
        (ends * CALLS, passed, ends * CALLS - passed),
        "fired, processed, filtered"
    );
    check_eq!(
        (total.entered, total.returned, total.in_flight),
        (CALLS, CALLS, 0),
        "entered, returned, in flight"
    );
    let found = aggregated(&finished.session, 1 << 16)?;
    let values: Vec<u64> = (0..CALLS).map(value).collect();
    let words = (case.words)(&values);
    match &found[..] {
        [] => check_eq!(passed, 0, "nothing is aggregated, but passed"),
        [entry] if words.is_empty() => {
            let sum: u64 = entry.words.iter().sum();
            check_eq!(sum, passed, "what was aggregated");
            // No call takes no time, or less.
            check_eq!(entry.words[..64].iter().sum::<u64>(), 0, "of no time");
        }
        [entry] => check_eq!(entry.words, words, "what was aggregated"),
        found => return Err(fail(format!("{} entries", found.len()))),
    }
    if let Some(other) = other {
        let counted = other.finish()?.ledger.total();
        check!(
            counted.processed >= CALLS && counted.entered == counted.returned,
            "what the other counted: {counted:?}"
        );
    }
    Ok(())
}

/// `@ = quantize(elapsed)` with `trace(elapsed)` in the same clause goes the long way; the short one is
/// held against clocks around the calls.
fn latencies(_: &Options) -> Outcome {
    let clause = |code: Code| {
        code.get(1, abi::RTRACE_VAR_ELAPSED)
            .set(2, 1)
            .keys(&[])
            .aggregate(0, 1, 2)
            .ret()
    };
    let program = |code| {
        Program::new()
            .aggregation(abi::RTRACE_AGG_QUANTIZE, 0, [0; 4])
            .clause(1, 0, clause(code))
    };
    let recorded = Code::new()
        .get(1, abi::RTRACE_VAR_ELAPSED)
        .emit(1, TRACE, 0);
    let session = loaded(KERNEL, &program(recorded))?;
    session.add_to(PATTERN, RETURN, 1)?;
    let trace = started(session)?;
    calls_after_first(CALLS);
    let finished = trace.finish()?;
    let told: Vec<u64> = numbers(&finished)?.concat();
    let [entry] = &aggregated(&finished.session, 1 << 16)?[..] else {
        return Err(fail("not one entry"));
    };
    check_eq!(entry.words, distribution(&told), "what was aggregated");
    // Alone and simple: naps whose length is known.
    const NAPS: u64 = 10;
    const NAP: u64 = 1 << 25;
    let session = loaded(KERNEL, &program(Code::new()))?;
    let mine = only_if(abi::RTRACE_OP_SEQ, abi::RTRACE_VAR_TID, sys::tid());
    let of_mine = loaded(KERNEL, &program(mine))?;
    for (session, least) in [(session, NAPS), (of_mine, NAPS)] {
        session.add_to("vmlinux:do_nanosleep", RETURN, 1)?;
        let trace = started(session)?;
        is_by_stub(&trace.session, "do_nanosleep")?;
        let before = sys::now();
        for _ in 0..NAPS {
            std::thread::sleep(std::time::Duration::from_nanos(NAP + NAP / 8));
        }
        let wall = sys::now() - before;
        let finished = trace.finish()?;
        let [entry] = &aggregated(&finished.session, 1 << 16)?[..] else {
            return Err(fail("not one entry"));
        };
        let long: u64 = entry.words[bucket(NAP as i64)..].iter().sum();
        check!(long >= least, "{long} of {NAPS} naps: {:?}", entry.words);
        let too_long = entry.words[bucket(wall as i64) + 1..].iter().sum::<u64>();
        check_eq!(too_long, 0, "calls that took longer than all");
    }
    Ok(())
}

fn entry_arguments(_: &Options) -> Outcome {
    const CALLS: u64 = 500;
    let mut code = Code::new().get(0, ARG1).emit(0, TRACE, 0);
    for n in 0..6u8 {
        code = code
            .get(n, abi::RTRACE_VAR_ENTRYARG0 + u32::from(n))
            .emit(n, TRACE, n.into());
    }
    let program = Program::new().clause(1, 0, code.ret());
    let session = loaded(KERNEL, &program)?;
    session.add_to(&format!("vmlinux:{COPY}"), RETURN, 1)?;
    let trace = started(session)?;
    is_by_stub(&trace.session, COPY)?;
    let copies = Copies::new()?;
    for i in 0..CALLS {
        copies.call(i)?;
    }
    let finished = trace.finish()?;
    let found = numbers(&finished)?;
    check_eq!(found.len() as u64, CALLS, "records");
    for (i, found) in (0..).zip(&found) {
        let [_, from, _, to, length, flags] = Copies::arguments(i);
        check_eq!(found[0], Copies::value(i), "the value of call {i}");
        check_eq!(
            (found[2], found[4], found[5], found[6]),
            (from, to, length, flags),
            "arguments of call {i}"
        );
        check!(
            (found[1] as i64) < 0 && (found[3] as i64) < 0 && found[1] != found[3],
            "addresses of call {i}: {found:x?}"
        );
    }
    Ok(())
}

fn keys(_: &Options) -> Outcome {
    let (key, one, elapsed) = (1, 2, 3);
    // { @[arg1 & 7] = count(); @l[arg1 & 7] = quantize(elapsed); @s[arg1 & 7] = sum(arg1); }
    let code = Code::new()
        .get(4, ARG1)
        .op(abi::RTRACE_OP_ANDI, key, 4, 0, 7)
        .set(one, 1)
        .get(elapsed, abi::RTRACE_VAR_ELAPSED)
        .keys(&[key])
        .aggregate(0, 0, 0)
        .keys(&[key])
        .aggregate(1, elapsed, one)
        .keys(&[key])
        .aggregate(2, 4, 0)
        .ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 8, [0; 4])
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 8, [0; 4])
        .aggregation(abi::RTRACE_AGG_SUM, 8, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(PATTERN, RETURN, 1)?;
    call(0);
    let trace = started(session)?;
    calls_after_first(CALLS);
    let finished = trace.finish()?;
    let found = aggregated(&finished.session, 1 << 16)?;
    check_eq!(found.len(), 3 * 8, "entries");
    for entry in &found {
        let [key] = entry.keys[..] else {
            return Err(fail(format!("the keys {:?}", entry.keys)));
        };
        let values = (0..CALLS).map(value).filter(|value| value & 7 == key);
        let values: Vec<u64> = values.collect();
        let what = format!("aggregation {} of key {key}", entry.aggregation);
        match entry.aggregation {
            2 => check_eq!(entry.words, [values.iter().sum::<u64>()], "{what}"),
            _ => check_eq!(
                entry.words.iter().sum::<u64>(),
                values.len() as u64,
                "{what}"
            ),
        }
    }
    Ok(())
}

fn variables(_: &Options) -> Outcome {
    const CALLS: u64 = 500;
    // entry { self->a = arg4; } return /self->a/ { trace(self->a); trace(arg1); self->a = 0; }
    // return { trace(self->a); }
    let arg4 = abi::RTRACE_VAR_ARG0 + 4;
    let program = Program::new()
        .variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .clause(
            1,
            0,
            Code::new()
                .get(1, arg4)
                .op(abi::RTRACE_OP_STD, 0, 1, 0, 0)
                .ret(),
        )
        .clause(
            2,
            0,
            Code::new()
                .op(abi::RTRACE_OP_LDD, 1, 0, 0, 0)
                .filter(1)
                .emit(1, TRACE, 0)
                .get(2, ARG1)
                .emit(2, TRACE, 1)
                .set(1, 0)
                .op(abi::RTRACE_OP_STD, 0, 1, 0, 0)
                .ret(),
        )
        .clause(
            2,
            0,
            Code::new()
                .op(abi::RTRACE_OP_LDD, 1, 0, 0, 0)
                .emit(1, TRACE, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    let pattern = format!("vmlinux:{COPY}");
    session.add_to(&pattern, abi::RTRACE_PROBE_ENTRY, 1)?;
    session.add_to(&pattern, RETURN, 2)?;
    let trace = started(session)?;
    is_by_stub(&trace.session, COPY)?;
    let copies = Copies::new()?;
    for i in 0..CALLS {
        copies.call(i)?;
    }
    let finished = trace.finish()?;
    let found = numbers(&finished)?;
    check_eq!(found.len() as u64, 2 * CALLS, "records");
    for (i, pair) in (0..CALLS).zip(found.chunks_exact(2)) {
        let length = Copies::arguments(i)[4];
        let told = (&pair[0][..], &pair[1][..]);
        check_eq!(
            told,
            (&[length, Copies::value(i)][..], &[0][..]),
            "what the returns of call {i} see"
        );
    }
    Ok(())
}

fn entries_alone(_: &Options) -> Outcome {
    let code = Code::new().keys(&[]).aggregate(0, 0, 0).ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(PATTERN, abi::RTRACE_PROBE_ENTRY, 1)?;
    // The stub is there all the same, for another session.
    let other = counting()?;
    let trace = started(session)?;
    call(0);
    calls_after_first(CALLS);
    let total = trace.finish()?.ledger.total();
    check_eq!((total.fired, total.entered), (CALLS + 1, 0));
    let total = other.finish()?.ledger.total();
    check_eq!((total.fired, total.returned), (CALLS + 1, CALLS + 1));
    Ok(())
}
