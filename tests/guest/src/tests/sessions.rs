// SPDX-License-Identifier: GPL-2.0-only
//! Several sessions at once know nothing of each other.

use rust_tracer::abi;

use crate::options::Options;
use crate::target::{Target, plain_args};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};

group! { "sessions":
    "two sessions on one function each see every call" => two,
    "ten sessions that come and go each count exactly their own calls" => ten,
    "a session that stops, or is closed, takes nothing from another" => stop_one,
    "a session whose ring is full loses nothing of another's" => full_one,
    "an entry session and a return session on one function do not mix" => kinds,
    "the ledger can be read in every form while calls enter and return" => read_running,
}

/// Calls of rt_plain in a session's end, by entry and by return.
fn counts(trace: Trace) -> Outcome<(u64, u64)> {
    let finished = trace.finish()?;
    let entries = finished.entry_row("rt_plain")?;
    let returns = finished.return_row("rt_plain")?;
    Ok((entries.recorded, returns.recorded))
}

fn two(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = Plan::new().both("rt_target:rt_plain");
    let (one, other) = (plan.start()?, plan.start()?);
    target.run("plain 100")?;
    for trace in [one, other] {
        let finished = trace.finish()?;
        let entries = finished.entries("rt_plain")?;
        let seen: Vec<_> = entries.iter().map(|entry| entry.args()).collect();
        check_eq!(seen, (0..100).map(plain_args).collect::<Vec<_>>());
        check_eq!(finished.returns("rt_plain")?.len(), 100);
    }
    Ok(())
}

fn ten(_: &Options) -> Outcome {
    const SESSIONS: u64 = 10;
    let target = Target::open()?;
    let plan = Plan::new()
        .both("rt_target:rt_plain")
        .both("rt_target:rt_tail_*");
    let mut running = Vec::new();
    for _ in 0..SESSIONS {
        running.push(plan.start()?);
        target.run("plain 10")?;
    }
    for (number, trace) in (0..).zip(running) {
        // Started before `SESSIONS - number` runs, and there were `number` since.
        let expected = (SESSIONS - number) * 10 + number * 10;
        check_eq!(
            counts(trace)?,
            (expected, expected),
            "calls seen by session {number}"
        );
        target.run("plain 10")?;
    }
    Ok(())
}

fn stop_one(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = Plan::new().both("rt_target:rt_plain");
    let (first, second, third) = (plan.start()?, plan.start()?, plan.start()?);
    target.run("plain 10")?;
    check_eq!(counts(first)?, (10, 10));
    target.run("plain 10")?;
    drop(second);
    target.run("plain 10")?;
    check_eq!(counts(third)?, (30, 30));
    Ok(())
}

fn full_one(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = Plan::new().entry("rt_target:rt_plain");
    let small = plan.clone().ring(u64::from(abi::RTRACE_RING_MIN)).start()?;
    let large = plan.start()?;
    target.run_on(0, "plain 5000")?;
    let large = large.finish()?.entry_row("rt_plain")?;
    check_eq!((large.recorded, large.fired), (5000, 5000));
    let small = small.finish()?.entry_row("rt_plain")?;
    check_eq!(small.fired, 5000);
    check_eq!(
        small.dropped[abi::RTRACE_DROP_FLOOD as usize],
        5000 - small.recorded,
        "lost"
    );
    Ok(())
}

fn kinds(_: &Options) -> Outcome {
    let target = Target::open()?;
    let entries = Plan::new().entry("rt_target:rt_plain").start()?;
    let returns = Plan::new().ret("rt_target:rt_plain").start()?;
    target.run("plain 50")?;
    let entries = entries.finish()?;
    check_eq!(
        (entries.events.len(), entries.entries("rt_plain")?.len()),
        (50, 50)
    );
    let returns = returns.finish()?;
    check_eq!(
        (returns.events.len(), returns.returns("rt_plain")?.len()),
        (50, 50)
    );
    Ok(())
}

fn read_running(_: &Options) -> Outcome {
    const CALLS: u64 = 30_000;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    let caller = std::thread::spawn(move || target.run(&format!("storm 4 {}", CALLS / 4)));
    let mut reads = 0;
    while !caller.is_finished() || reads == 0 {
        for flags in 0..8 {
            for row in trace.session.ledger(flags)? {
                // The counters move while they are read, and never below nothing.
                check!(row.missed[0] <= CALLS, "unframed in {row:?}");
            }
        }
        trace.session.status()?;
        reads += 1;
    }
    caller.join().map_err(|_| fail("the caller panicked"))??;
    let finished = trace.finish()?;
    check_eq!(finished.return_row("rt_plain")?.entered, CALLS);
    Ok(())
}
