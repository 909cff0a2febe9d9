// SPDX-License-Identifier: GPL-2.0-only
//! Traced modules that come and go.

use std::thread;

use rust_tracer::abi;

use crate::options::Options;
use crate::session::Session;
use crate::target::{self, Late, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "modules":
    "a module that loads later gets its probes before its first function runs" => late,
    "a module that loads later gets none if that was not asked for" => not_late,
    "an init function is traced while its module loads" => init,
    "a module that was traced can be unloaded, and its counts stay" => unload,
    "a module that several sessions trace can be unloaded, and each keeps its counts" => unload_shared,
    "a module that comes back is probed again" => comes_back,
    "a module that comes does not wait for a session with very many sets of groups" => many_groups,
    "modules that load and unload under fire lose no call and leave nothing" => under_fire,
    "a session that starts while modules come and go sees what is there" => start_under_fire,
}

const BOTH: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;

fn late(options: &Options) -> Outcome {
    let trace = Plan::new()
        .add("rt_late:rt_late_work", BOTH | abi::RTRACE_ADD_LATE)
        .start()?;
    check_eq!(
        trace.session.status()?.probes,
        0,
        "probes before the module is there"
    );
    let before = trace.session.status()?.generation;
    let late = Late::load(options, 20)?;
    let status = trace.session.status()?;
    check_eq!(
        (status.probes, status.attached),
        (2, 2),
        "probes after it came"
    );
    check!(status.generation != before, "the generation is the same");
    late.call(10)?;
    let finished = trace.finish()?;
    check_eq!(
        finished.entries("rt_late_work")?.len(),
        30,
        "calls, 20 of them while it loaded"
    );
    check_eq!(finished.returns("rt_late_work")?.len(), 30);
    late.unload()
}

/// What such a session gets no probes for, another gets.
fn many_groups(options: &Options) -> Outcome {
    // Each pattern is looked for among all sets: more than 2^22 in all.
    const SETS: u32 = 2100;
    let late = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_ADD_LATE;
    let many = Session::open()?;
    for group in 1..=SETS {
        many.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, group)?;
    }
    for group in 1..=SETS {
        many.add_to("rt_late:rt_late_work", late, SETS + group)?;
    }
    let other = Session::open()?;
    other.add("rt_late:rt_late_work", late)?;
    let module = Late::load(options, 1)?;
    check_eq!(other.status()?.probes, 1, "probes of the other");
    check_eq!(many.status()?.probes, 1, "probes of that with many groups");
    let (text, errno) = many.last_error()?;
    check_eq!(errno, libc::E2BIG, "{text}");
    check!(text.contains("too many sets of groups"), "{text}");
    module.unload()
}

fn not_late(options: &Options) -> Outcome {
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    let late = Late::load(options, 5)?;
    late.call(5)?;
    check_eq!(trace.session.status()?.probes, 2);
    check_eq!(trace.finish()?.events.len(), 0);
    late.unload()
}

fn init(options: &Options) -> Outcome {
    let trace = Plan::new()
        .add("rt_late:rt_late_*", BOTH | abi::RTRACE_ADD_LATE)
        .start()?;
    let late = Late::load(options, 3)?;
    late.call(1)?;
    let finished = trace.finish()?;
    let setup = finished.entries("rt_late_setup")?;
    check_eq!(
        setup
            .iter()
            .map(|entry| entry.args()[0])
            .collect::<Vec<_>>(),
        [3]
    );
    check_eq!(finished.returns("rt_late_setup")?.len(), 1);
    check_eq!(finished.entries("rt_late_work")?.len(), 4);
    late.unload()
}

fn unload(options: &Options) -> Outcome {
    let late = Late::load(options, 0)?;
    let trace = Plan::new()
        .both("rt_late:rt_late_work")
        .both("rt_target:rt_plain")
        .start()?;
    late.call(10)?;
    late.unload()?;
    let status = trace.session.status()?;
    check_eq!(
        (status.probes, status.attached),
        (4, 2),
        "probes after the module went"
    );
    let probes = trace.session.probes()?;
    for probe in probes.iter().filter(|probe| probe.module == "rt_late") {
        check_eq!(
            u32::from(probe.head.why),
            abi::RTRACE_WHY_GONE,
            "why of {probe:?}"
        );
    }
    Target::open()?.run("plain 10")?;
    let finished = trace.finish()?;
    // Its last call is made while it is unloaded: its functions are still there then.
    check_eq!(finished.entry_row("rt_late_work")?.recorded, 11);
    check_eq!(finished.return_row("rt_late_work")?.returned, 11);
    check_eq!(finished.entries("rt_plain")?.len(), 10);
    Ok(())
}

fn unload_shared(options: &Options) -> Outcome {
    let late = Late::load(options, 0)?;
    let plan = || {
        Plan::new()
            .both("rt_late:")
            .both("rt_target:rt_plain")
            .start()
    };
    let traces = [plan()?, plan()?, plan()?];
    late.call(10)?;
    late.unload()?;
    Target::open()?.run("plain 10")?;
    for trace in traces {
        let finished = trace.finish()?;
        check_eq!(finished.entry_row("rt_late_work")?.recorded, 11);
        check_eq!(finished.return_row("rt_late_work")?.returned, 11);
        check_eq!(finished.entries("rt_plain")?.len(), 10);
        check_eq!(finished.returns("rt_plain")?.len(), 10);
    }
    Ok(())
}

fn comes_back(options: &Options) -> Outcome {
    let trace = Plan::new()
        .add("rt_late:rt_late_work", BOTH | abi::RTRACE_ADD_LATE)
        .start()?;
    for _ in 0..5 {
        let late = Late::load(options, 2)?;
        late.call(3)?;
        late.unload()?;
    }
    let finished = trace.finish()?;
    let mut entries = 0;
    let mut returns = 0;
    for probe in finished
        .probes
        .iter()
        .filter(|probe| probe.name == "rt_late_work")
    {
        let row = finished.ledger.probe(probe.head.index);
        if u32::from(probe.head.kind) == abi::RTRACE_KIND_ENTRY {
            entries += row.recorded;
        } else {
            returns += row.recorded;
        }
    }
    // 2 while loading, 3 asked for, 1 while unloading; five times.
    check_eq!((entries, returns), (30, 30));
    Ok(())
}

fn under_fire(options: &Options) -> Outcome {
    let rounds = options.share_of(15);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let busy = thread::spawn(move || -> Outcome<u64> {
        let target = Target::open()?;
        let mut calls = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            target.run("plain 50")?;
            calls += 50;
            thread::yield_now();
        }
        Ok(calls)
    });
    // The busy thread has called before the start; so only what it adds is compared below.
    let counting = Plan::new().ret("rt_target:rt_value").start()?;
    let trace = Plan::new()
        .add("rt_late:*", BOTH | abi::RTRACE_ADD_LATE)
        .both("rt_target:rt_plain")
        .policy(abi::RTRACE_POLICY_RING)
        .start()?;
    let target = Target::open()?;
    for round in 0..rounds {
        let late = Late::load(options, 10)?;
        let callers: Vec<_> = (0..2)
            .map(|_| thread::spawn(|| std::fs::write("/sys/module/rt_late/parameters/call", "100")))
            .collect();
        for caller in callers {
            caller.join().map_err(|_| fail("a caller panicked"))??;
        }
        late.unload()?;
        target.run(&format!("value {round}"))?;
    }
    drop(stop);
    busy.join()
        .map_err(|_| fail("the busy thread panicked"))??;
    let finished = trace.finish()?;
    let mut calls = 0;
    for probe in finished
        .probes
        .iter()
        .filter(|probe| probe.name == "rt_late_work")
    {
        if u32::from(probe.head.kind) == abi::RTRACE_KIND_ENTRY {
            calls += finished.ledger.probe(probe.head.index).fired;
        }
    }
    check_eq!(calls, rounds * (10 + 200 + 1), "calls of rt_late_work");
    check_eq!(counting.finish()?.returns("rt_value")?.len() as u64, rounds);
    Ok(())
}

fn start_under_fire(options: &Options) -> Outcome {
    let options_of_thread = options.clone();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let loader = thread::spawn(move || -> Outcome {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            Late::load(&options_of_thread, 1)?.unload()?;
        }
        Ok(())
    });
    let target = Target::open()?;
    for round in 0..10 {
        let session = crate::session::Session::open()?;
        session.add("rt_late:*", BOTH | abi::RTRACE_ADD_LATE)?;
        session.add("rt_target:rt_value", BOTH)?;
        // A function may go between being added and being attached: that is said.
        session.start()?;
        let trace = crate::trace::Trace::of(session)?;
        target.run(&format!("value {round}"))?;
        let finished = trace.finish()?;
        check_eq!(
            finished.returns("rt_value")?.len(),
            1,
            "calls seen in round {round}"
        );
    }
    drop(stop);
    loader.join().map_err(|_| fail("the loader panicked"))??;
    check!(!target::is_loaded("rt_late"), "rt_late is still loaded");
    Ok(())
}
