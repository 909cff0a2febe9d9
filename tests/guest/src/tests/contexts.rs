// SPDX-License-Identifier: GPL-2.0-only
//! Functions that are called from everywhere, on all CPUs at once.

use std::thread;

use rust_tracer::abi;

use crate::guest;
use crate::options::Options;
use crate::sys;
use crate::target::{Sleeper, Target};
use crate::test::{Failure, Outcome, check, check_eq, fail, group};
use crate::trace::{Event, Plan};

group! { "contexts":
    "a call from a task has the context of a task" => task,
    "calls from a softirq are all seen, in the context of a softirq" => softirq,
    "calls from hard interrupts are all seen, in their context" => irq,
    "calls from interrupts on another CPU are seen in its ring" => ipi,
    "calls from NMIs are all seen, in their context" => nmi,
    "NMIs and interrupts that hit a CPU busy with probes lose nothing that is not counted" => nested,
    "many threads on all CPUs are seen call by call" => storm,
    "a call that changes the CPU counts as entered on the first and as fired on the second" => migrate,
}

const CALLS: u64 = 200;

/// All of a function's events must have this context; there must be so many.
fn check_context(events: &[Event], context: u32, count: u64) -> Outcome {
    check_eq!(events.len() as u64, count, "events");
    for event in events {
        check_eq!(event.context, context, "the context of {event:?}");
    }
    Ok(())
}

/// Runs a command and checks the context of what it called, and its values.
fn in_context(command: &str, function: &str, context: u32, more: u64) -> Outcome {
    let target = Target::open()?;
    let plan = Plan::new().both(&format!("rt_target:{function}"));
    let trace = plan.start()?;
    target.run_on(0, command)?;
    let finished = trace.finish()?;
    let (entries, returns) = (finished.entries(function)?, finished.returns(function)?);
    check_context(&entries, context, CALLS)?;
    check_context(&returns, context, CALLS)?;
    for (i, (entry, ret)) in (0..).zip(entries.iter().zip(&returns)) {
        check_eq!(
            (entry.args()[0], ret.value()),
            (i, i + more),
            "argument and value"
        );
    }
    Ok(())
}

fn task(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    target.run(&format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    check_context(
        &finished.entries("rt_plain")?,
        abi::RTRACE_CONTEXT_TASK,
        CALLS,
    )?;
    check_context(
        &finished.returns("rt_plain")?,
        abi::RTRACE_CONTEXT_TASK,
        CALLS,
    )
}

fn softirq(_: &Options) -> Outcome {
    in_context(
        &format!("softirq {CALLS}"),
        "rt_softirq",
        abi::RTRACE_CONTEXT_SOFTIRQ,
        1,
    )
}

fn irq(_: &Options) -> Outcome {
    in_context(
        &format!("irq {CALLS}"),
        "rt_irq",
        abi::RTRACE_CONTEXT_IRQ,
        2,
    )
}

fn needs_two_cpus() -> Outcome {
    if guest::online_cpus() < 2 {
        return Err(Failure::Skipped("needs two CPUs".to_owned()));
    }
    Ok(())
}

fn ipi(_: &Options) -> Outcome {
    needs_two_cpus()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_irq").start()?;
    target.run_on(0, &format!("ipi 1 {CALLS}"))?;
    let finished = trace.finish()?;
    for events in [finished.entries("rt_irq")?, finished.returns("rt_irq")?] {
        check_eq!(events.len() as u64, CALLS, "events");
        for event in &events {
            // An idle CPU that polls is spared the interrupt: its idle task makes the call.
            let by_idle = event.context == abi::RTRACE_CONTEXT_TASK && event.pid == 0;
            check!(
                by_idle || event.context == abi::RTRACE_CONTEXT_IRQ,
                "the context of {event:?}"
            );
        }
        check!(
            events.iter().all(|event| event.cpu == 1),
            "not all on CPU 1"
        );
    }
    Ok(())
}

fn nmi(_: &Options) -> Outcome {
    in_context(
        &format!("nmi 0 {CALLS}"),
        "rt_nmi",
        abi::RTRACE_CONTEXT_NMI,
        3,
    )
}

fn nested(_: &Options) -> Outcome {
    needs_two_cpus()?;
    const NMIS: u64 = 1000;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .both("rt_target:rt_irq")
        .both("rt_target:rt_nmi")
        .ring(16 << 20)
        .start()?;
    // One CPU calls until it was hit as often as wanted.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let busy = thread::spawn(move || -> Outcome<u64> {
        let target = Target::open()?;
        sys::pin(0, 0)?;
        let mut calls = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            target.run("plain 100")?;
            calls += 100;
        }
        Ok(calls)
    });
    let target = Target::open()?;
    target.run_on(1, &format!("nmi 0 {NMIS}"))?;
    target.run_on(1, &format!("ipi 0 {NMIS}"))?;
    drop(stop);
    let calls = busy
        .join()
        .map_err(|_| fail("the busy thread panicked"))??;
    let finished = trace.finish()?;
    for (function, count) in [("rt_plain", calls), ("rt_irq", NMIS), ("rt_nmi", NMIS)] {
        let entry = finished.entry_row(function)?;
        check_eq!(entry.fired, count, "entries of {function} that fired");
        let ret = finished.return_row(function)?;
        check_eq!(ret.entered, count, "calls of {function} that were entered");
    }
    Ok(())
}

fn storm(_: &Options) -> Outcome {
    const THREADS: u64 = 8;
    const EACH: u64 = 2000;
    let target = Target::open()?;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .both("rt_target:rt_yield")
        .ring(16 << 20)
        .start()?;
    target.run(&format!("storm {THREADS} {EACH}"))?;
    let finished = trace.finish()?;
    for (function, count) in [
        ("rt_plain", THREADS * EACH),
        ("rt_yield", THREADS * EACH / 16),
    ] {
        check_eq!(
            finished.entry_row(function)?.recorded,
            count,
            "entries of {function}"
        );
        let row = finished.return_row(function)?;
        check_eq!(
            (row.entered, row.returned),
            (count, count),
            "calls of {function}"
        );
    }
    // Each thread's calls come back in its own order, wherever it ran.
    let mut by_thread = std::collections::BTreeMap::<u32, Vec<u64>>::new();
    for entry in finished.entries("rt_plain")? {
        by_thread
            .entry(entry.tid)
            .or_default()
            .push(entry.args()[0]);
    }
    check_eq!(by_thread.len() as u64, THREADS, "threads seen");
    for (tid, numbers) in by_thread {
        check_eq!(
            numbers,
            (0..EACH).collect::<Vec<_>>(),
            "the calls of thread {tid}"
        );
    }
    Ok(())
}

fn migrate(_: &Options) -> Outcome {
    needs_two_cpus()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    let sleepers = Sleeper::start(&target, 0, &[100])?;
    sys::pin(sleepers[0].tid, 1)?;
    check_eq!(Sleeper::release(&target, sleepers)?, [109]);
    let finished = trace.finish()?;
    let returns = finished.returns("rt_sleep")?;
    check_eq!(
        returns
            .iter()
            .map(|r| (r.cpu, r.value()))
            .collect::<Vec<_>>(),
        [(1, 109)]
    );
    let index = finished.index("rt_sleep", abi::RTRACE_KIND_RETURN)?;
    let first = finished.ledger.row(index, 0);
    let second = finished.ledger.row(index, 1);
    check_eq!(
        (first.entered, first.returned, first.fired),
        (1, 1, 0),
        "on CPU 0"
    );
    check_eq!(
        (second.entered, second.returned, second.fired),
        (0, 0, 1),
        "on CPU 1"
    );
    Ok(())
}
