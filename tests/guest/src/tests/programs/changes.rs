// SPDX-License-Identifier: GPL-2.0-only
//! Modules and CPUs come and go while a program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;

use super::{TRACE, aggregated, loaded, started};
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::second_cpu::SecondCpu;
use crate::session::KERNEL;
use crate::target::{Late, Target};
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "programs, changes":
    "a module that comes gets its clauses, and one that goes takes nothing along" => modules,
    "CPUs go and come under fire, and every firing is accounted for" => hotplug,
}

fn modules(options: &Options) -> Outcome {
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
        .clause(
            1,
            0,
            Code::new()
                .op(
                    abi::RTRACE_OP_GETSTR,
                    1,
                    0,
                    0,
                    abi::RTRACE_VAR_PROBEFUNC as i32,
                )
                .op(abi::RTRACE_OP_EMITS, 0, 1, 0, item(TRACE, 0))
                .aggregate(0, 0, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    let flags = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_ADD_LATE;
    session.add_to("rt_late:rt_late_work", flags, 1)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let mut trace = started(session)?;
    let mut calls = 0;
    for round in 0..3 {
        let late = Late::load(options, 3)?;
        late.call(2)?;
        late.unload()?;
        calls += 6;
        Target::open()?.run("value 1")?;
        trace.read()?;
        let texts: Vec<_> = trace
            .made
            .iter()
            .map(|made| String::from_utf8_lossy(&made.items[0].payload).into_owned())
            .collect();
        check_eq!(
            texts.iter().filter(|text| *text == "rt_late_work").count(),
            calls,
            "calls in the module that came, round {round}"
        );
        check_eq!(
            texts.iter().filter(|text| *text == "rt_value").count(),
            round + 1
        );
    }
    let finished = trace.finish()?;
    let found = aggregated(&finished.session, 1 << 12)?;
    check_eq!(found.len(), 1);
    check_eq!(found[0].words, vec![calls as u64 + 3], "the count");
    Ok(())
}

fn hotplug(_: &Options) -> Outcome {
    const ROUNDS: usize = 4;
    const CALLS: u64 = 200;
    let cpu1 = SecondCpu::take()?;
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_SUM, 8, [0; 4])
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_ANDI, 2, 1, 0, 15)
                .keys(&[2])
                .aggregate(0, 1, 0)
                .ret(),
        )
        .aggregation(abi::RTRACE_AGG_COUNT, 8, [0; 4])
        .clause(
            2,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_CPU)
                .keys(&[1])
                .aggregate(1, 0, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let profile = session.add_own(abi::RTRACE_KIND_PROFILE, 2, 1_000_000, "profile-1ms")?;
    let mut trace = started(session)?;
    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..2)
        .map(|_| {
            let stop = stop.clone();
            thread::spawn(move || -> Outcome<u64> {
                let (target, mut calls) = (Target::open()?, 0);
                while !stop.load(Ordering::Relaxed) {
                    target.run(&format!("plain {CALLS}"))?;
                    calls += CALLS;
                }
                Ok(calls)
            })
        })
        .collect();
    let mut sum = 0u64;
    let mut ticks = 0u64;
    let mut take = |session: &crate::session::Session| -> Outcome {
        for entry in aggregated(session, 1 << 12)? {
            match entry.aggregation {
                0 => sum += entry.words[0],
                _ => ticks += entry.words[0],
            }
        }
        Ok(())
    };
    for _ in 0..ROUNDS {
        for online in [false, true] {
            cpu1.set(online)?;
            take(&trace.session)?;
            trace.map_rings()?;
            trace.read()?;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for caller in callers {
        calls += caller.join().map_err(|_| fail("a caller panicked"))??;
    }
    let finished = trace.finish()?;
    take(&finished.session)?;
    let probe = finished.index("rt_plain", abi::RTRACE_KIND_ENTRY)?;
    let row = finished.ledger.probe(probe);
    check_eq!((row.fired, row.processed), (calls, calls), "{row:?}");
    check_eq!(sum, calls / CALLS * (CALLS * (CALLS - 1) / 2), "the sum");
    let row = finished.ledger.probe(profile);
    check_eq!(row.fired, ticks, "profile firings");
    check!(
        finished.ledger.row(profile, 1).fired > 0,
        "no profile fired on the CPU that came"
    );
    Ok(())
}
