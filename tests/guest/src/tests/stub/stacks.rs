// SPDX-License-Identifier: GPL-2.0-only
//! Functions that call each other deeper than the stack has room for frames.

#![forbid(unsafe_code)]

use rust_tracer::abi;
use rust_tracer::abi::rtrace_ledger_row as Row;

use super::{Vouched, is_by_stub};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::KERNEL;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, group};
use crate::tests::programs::{aggregated, loaded, started};
use crate::trace::{Finished, Plan};

group! { "stub, stacks":
    "of a hundred nested functions the outer are followed, and the others missed, to the last" => nested,
    "the same with other sessions at the functions" => nested_beside,
    "the same when latencies are distributed" => nested_timed,
    "a function that calls itself is followed innermost first, each call with its own value" => recursion,
    "a recursion that finds no room is missed where there is none, and counted exactly" => deep,
    "a session that sees all functions of a module follows what there is room for" => all_of_a_module,
}

const DEPTH: u64 = 100;
/// As many frames always find room.
const LEAST: u64 = 30;
const NESTED: &str = "rt_target:rt_deep_*";

fn unframed(row: &Row) -> u64 {
    row.missed[abi::RTRACE_MISSED_UNFRAMED as usize]
}

/// Of the functions, by their number, all calls of the first so many were followed, and none of the
/// others.
fn check_nested(finished: &Finished, count: u64) -> Outcome<u64> {
    let mut followed = 0;
    let mut ended = false;
    for number in 0..DEPTH {
        let name = format!("rt_deep_{number:02}");
        let row = finished.return_row(&name)?;
        check_eq!(
            (row.entered, row.returned + unframed(&row)),
            (count, count),
            "entered, and returned or unframed, of {name}"
        );
        check!(
            row.returned == count || row.returned == 0,
            "{} of {count} calls of {name} are followed",
            row.returned
        );
        check!(
            !(ended && row.returned > 0),
            "{name} is followed, but one around it is not"
        );
        ended |= row.returned == 0;
        followed += u64::from(row.returned > 0);
    }
    // Kernels that check themselves have stacks twice as large.
    let all_may = guest::checks_itself();
    check!(
        (LEAST..DEPTH).contains(&followed) || all_may && followed == DEPTH,
        "{followed} of {DEPTH} functions are followed"
    );
    Ok(followed)
}

fn nested(options: &Options) -> Outcome {
    let calls = options.share_of(20);
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    for flags in [abi::RTRACE_PROBE_RETURN, super::BOTH] {
        let trace = Plan::new().add(NESTED, flags).start()?;
        is_by_stub(&trace.session, "rt_deep_50")?;
        let sum = target.run(&format!("nest {calls}"))?;
        check_eq!(sum, calls * 2 * DEPTH, "what the caller got");
        let finished = trace.finish()?;
        let followed = check_nested(&finished, calls)?;
        println!("{followed} of {DEPTH} nested calls found room");
        for number in 0..followed {
            let returns = finished.returns(&format!("rt_deep_{number:02}"))?;
            check!(
                returns.iter().all(|ret| ret.value() == 2 * DEPTH - number),
                "values of function {number}: {returns:?}"
            );
        }
    }
    Ok(())
}

fn nested_beside(_: &Options) -> Outcome {
    const CALLS: u64 = 5;
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let plan = Plan::new().both(NESTED);
    // Two by the stub, with slots for what they follow; and fprobe, whose frames lie elsewhere.
    let traces = [
        plan.start()?,
        plan.start()?,
        plan.clone().without_stub().start()?,
    ];
    let sum = target.run(&format!("nest {CALLS}"))?;
    check_eq!(sum, CALLS * 2 * DEPTH, "what the caller got");
    let [first, second, by_fprobe] = traces;
    let followed = check_nested(&first.finish()?, CALLS)?;
    check_eq!(check_nested(&second.finish()?, CALLS)?, followed);
    check_nested(&by_fprobe.finish()?, CALLS)?;
    Ok(())
}

fn nested_timed(options: &Options) -> Outcome {
    let calls = options.share_of(20);
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let code = Code::new()
        .get(1, abi::RTRACE_VAR_ELAPSED)
        .set(2, 1)
        .keys(&[])
        .aggregate(0, 1, 2)
        .ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 0, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(NESTED, abi::RTRACE_PROBE_RETURN, 1)?;
    let trace = started(session)?;
    is_by_stub(&trace.session, "rt_deep_50")?;
    let sum = target.run(&format!("nest {calls}"))?;
    check_eq!(sum, calls * 2 * DEPTH, "what the caller got");
    let finished = trace.finish()?;
    let followed = check_nested(&finished, calls)?;
    let found = aggregated(&finished.session, 1 << 16)?;
    let taken: u64 = found.iter().flat_map(|entry| &entry.words).sum();
    check_eq!(taken, followed * calls, "latencies");
    Ok(())
}

/// The values of a recursion from so deep, innermost first, but for so many.
fn values(depth: u64, but: u64) -> Vec<u64> {
    (but..=depth).map(|at| at * (at + 1) / 2).collect()
}

fn recursion(_: &Options) -> Outcome {
    const DEPTH: u64 = 20;
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_recurse").start()?;
    is_by_stub(&trace.session, "rt_recurse")?;
    target.run(&format!("recurse {DEPTH}"))?;
    let finished = trace.finish()?;
    let entries = finished.entries("rt_recurse")?;
    let depths: Vec<_> = entries.iter().map(|entry| entry.args()[0]).collect();
    check_eq!(depths, (0..=DEPTH).rev().collect::<Vec<_>>(), "by entry");
    let returns = finished.returns("rt_recurse")?;
    let found: Vec<_> = returns.iter().map(|ret| ret.value()).collect();
    check_eq!(found, values(DEPTH, 0), "values, innermost first");
    for pair in returns.windows(2) {
        check!(
            pair[0].elapsed() < pair[1].elapsed(),
            "an inner call took {} ns, the one around it {}",
            pair[0].elapsed(),
            pair[1].elapsed()
        );
    }
    Ok(())
}

fn deep(_: &Options) -> Outcome {
    const DEPTH: u64 = 120;
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_recurse").start()?;
    is_by_stub(&trace.session, "rt_recurse")?;
    let value = target.run(&format!("recurse {DEPTH}"))?;
    check_eq!(value, DEPTH * (DEPTH + 1) / 2, "what the caller got");
    let finished = trace.finish()?;
    check_eq!(finished.entry_row("rt_recurse")?.recorded, DEPTH + 1);
    let row = finished.return_row("rt_recurse")?;
    let missed = unframed(&row);
    check_eq!(
        (row.entered, row.returned + missed),
        (DEPTH + 1, DEPTH + 1),
        "entered, and returned or unframed"
    );
    check!(missed > 0 && row.returned >= LEAST, "{row:?}");
    let returns = finished.returns("rt_recurse")?;
    let found: Vec<_> = returns.iter().map(|ret| ret.value()).collect();
    check_eq!(found, values(DEPTH, missed), "values, innermost first");
    Ok(())
}

fn all_of_a_module(_: &Options) -> Outcome {
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:*").ring(8 << 20).start()?;
    target.run("nest 3")?;
    target.run("recurse 120")?;
    target.run("wide 10")?;
    target.run("tail 10")?;
    target.run("irq 10")?;
    target.run("softirq 10")?;
    target.run("nmi 0 10")?;
    target.run("storm 4 500")?;
    let finished = trace.finish()?;
    for (name, calls) in [
        ("rt_deep_00", 3),
        ("rt_deep_99", 3),
        ("rt_recurse", 121),
        ("rt_wide", 10),
        ("rt_tail_outer", 10),
        ("rt_tail_inner", 10),
        ("rt_irq", 10),
        ("rt_softirq", 10),
        ("rt_nmi", 10),
        ("rt_plain", 2000),
    ] {
        let row = finished.return_row(name)?;
        check_eq!(
            (row.entered, row.returned + row.missed.iter().sum::<u64>()),
            (calls, calls),
            "entered, and returned or missed, of {name}"
        );
    }
    // In interrupts there is room.
    for name in ["rt_irq", "rt_softirq", "rt_plain", "rt_tail_inner"] {
        let row = finished.return_row(name)?;
        check_eq!(row.returned, row.entered, "returns of {name}");
    }
    Ok(())
}
