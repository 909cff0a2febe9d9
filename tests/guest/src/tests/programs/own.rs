// SPDX-License-Identifier: GPL-2.0-only
//! Probes of the module's own, and the end that a program makes.

use std::fs;
use std::path::Path;
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use super::{TRACE, loaded, started};
use crate::actor::{Actor, Cue};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::{KERNEL, Session, USER};
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Made, Trace};
use crate::waiting;

group! { "programs, own probes":
    "BEGIN comes before all others and END after them" => first_and_last,
    "exit() ends everything but END" => exit,
    "exit() in BEGIN leaves nothing but END" => exit_at_once,
    "a tick fires on one CPU at a time, and a profile on each" => clocks,
    "a profile on the node user sees its opener's own tasks, while they are in user space" => own_tasks,
    "own probes are listed and counted as others are" => listed,
    "what cannot be is refused" => refused,
}

/// ns
const MS: u64 = 1_000_000;

fn says(number: i32) -> Code {
    Code::new().set(1, number).emit(1, TRACE, 0).ret()
}

fn by_time(made: &[Made]) -> Vec<&Made> {
    let mut sorted: Vec<_> = made.iter().collect();
    sorted.sort_by_key(|made| made.head.time);
    sorted
}

fn first_and_last(_: &Options) -> Outcome {
    let program = Program::new()
        .clause(1, 0, says(1))
        .clause(2, 0, says(2))
        .clause(3, 0, says(3))
        .clause(1, 0, says(4));
    let session = loaded(KERNEL, &program)?;
    session.add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")?;
    session.add_own(abi::RTRACE_KIND_END, 3, 0, "END")?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 2)?;
    // The target is under fire when it starts and when it ends.
    let storm =
        |count: u32| thread::spawn(move || Target::open()?.run(&format!("storm 4 {count}")));
    let caller = storm(2000);
    let trace = started(session)?;
    caller.join().map_err(|_| fail("the caller panicked"))??;
    Target::open()?.run("plain 10")?;
    let caller = storm(2000);
    let finished = trace.finish()?;
    caller.join().map_err(|_| fail("the caller panicked"))??;
    let order: Vec<_> = by_time(&finished.made)
        .iter()
        .map(|made| made.items[0].number())
        .collect();
    check_eq!(order[..2], [Some(1), Some(4)], "BEGIN's clauses");
    check_eq!(order.last(), Some(&Some(3)), "END's clause");
    check!(
        order.len() > 3 && order[2..order.len() - 1].iter().all(|n| *n == Some(2)),
        "what is between"
    );
    let head = &by_time(&finished.made)[0].head;
    check_eq!(head.pid, std::process::id(), "whose BEGIN it is");
    Ok(())
}

fn exit(_: &Options) -> Outcome {
    // rt_plain:entry /arg0 == 1000/ { exit(7); } END { trace(3); }
    let program = Program::new()
        .clause(
            2,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_SEQI, 2, 1, 0, 1000)
                .filter(2)
                .set(3, 7)
                .op(abi::RTRACE_OP_EXIT, 0, 3, 0, item(TRACE, 9))
                .ret(),
        )
        .clause(2, 0, says(2))
        .clause(3, 0, says(3))
        .clause(3, 0, says(4));
    let session = loaded(KERNEL, &program)?;
    session.add_own(abi::RTRACE_KIND_END, 3, 0, "END")?;
    session.add_own(abi::RTRACE_KIND_TICK, 2, 2 * MS, "tick-2ms")?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 2)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, "plain 5000")?;
    // Who polls learns of it.
    let ready = sys::poll(&trace.session.fd, libc::POLLIN, 60_000)?;
    check!(ready & libc::POLLIN != 0, "poll says {ready:#x}");
    let fired = trace.session.ledger(3)?[0].fired;
    Target::open()?.run_on(0, "plain 100")?;
    check_eq!(trace.session.ledger(3)?[0].fired, fired, "firings after it");
    let finished = trace.finish()?;
    let probe = finished.index("rt_plain", abi::RTRACE_KIND_ENTRY)?;
    let of_probe: Vec<_> = by_time(&finished.made)
        .into_iter()
        .filter(|made| made.head.probe == probe)
        .collect();
    let last = of_probe.last().ok_or_else(|| fail("no record"))?;
    check_eq!(
        (last.head.clause, last.items[0].number()),
        (0, Some(7)),
        "the last record of the probe"
    );
    // Clause 0 and 1 for the calls 0 to 999, clause 0 alone for call 1000.
    check_eq!(finished.ledger.probe(probe).fired, 2001);
    let ends: Vec<_> = by_time(&finished.made)
        .iter()
        .filter(|made| made.head.clause >= 2)
        .map(|made| made.items[0].number())
        .collect();
    check_eq!(ends, vec![Some(3), Some(4)], "END's clauses");
    Ok(())
}

/// Whether it was a user's, and whether it was in user space, of what [`whose`] recorded.
fn samples(made: &[Made]) -> Outcome<Vec<(u64, bool)>> {
    made.iter()
        .map(|made| match made.items[..] {
            [ref uid, ref at] => uid.number().zip(at.number().map(|at| at != 0)),
            _ => None,
        })
        .map(|sample| sample.ok_or_else(|| fail("a record without its two numbers")))
        .collect()
}

/// profile-1ms { trace(uid); trace(arg1); }
fn whose(node: &str) -> Outcome<Trace> {
    let code = Code::new()
        .get(1, abi::RTRACE_VAR_UID)
        .get(2, abi::RTRACE_VAR_ARG0 + 1)
        .emit(1, TRACE, 0)
        .emit(2, TRACE, 1)
        .ret();
    let session = loaded(node, &Program::new().clause(1, 0, code))?;
    session.add_own(abi::RTRACE_KIND_PROFILE, 1, MS, "profile-1ms")?;
    started(session)
}

fn own_tasks(_: &Options) -> Outcome {
    const SAMPLES: usize = 20;
    let uid = u64::from(sys::ids::ids_of("bob")?.0);
    let mut bob = Actor::of("bob", |cue| {
        let trace = whose(USER)?;
        cue.pause()?;
        let found = samples(&trace.finish()?.made)?;
        check!(found.len() >= SAMPLES, "only {} samples", found.len());
        for sample in found {
            check_eq!(sample, (uid, true), "the user, and whether in user space");
        }
        Ok(())
    })?;
    bob.ready()?;
    let stop = Path::new("/tmp/rt-samples-stop");
    let _ = fs::remove_file(stop);
    let spin = || {
        while !stop.exists() {
            (0..100_000).for_each(|_| std::hint::spin_loop());
        }
        Ok(())
    };
    let target = Target::open()?;
    let calls = |_: &Cue| {
        while !stop.exists() {
            target.run("plain 30000")?;
        }
        Ok(())
    };
    let busy = [
        Actor::of("bob", |_| spin())?,
        Actor::of("bob", calls)?,
        Actor::start(|_| spin())?,
    ];
    // What there is to be seen, as the node kernel shows it.
    let mut all = whose(KERNEL)?;
    let enough = || {
        all.read()?;
        let found = samples(&all.made)?;
        let wanted = [(uid, true), (uid, false), (0, true)];
        let of = |sample| found.iter().filter(|one| **one == sample).count();
        Ok(wanted.into_iter().all(|sample| of(sample) >= SAMPLES))
    };
    let seen = waiting::until(enough, || "not all of it is sampled".into());
    fs::write(stop, "")?;
    for actor in busy {
        actor.end()?;
    }
    fs::remove_file(stop)?;
    seen?;
    bob.go()?;
    bob.end()
}

fn exit_at_once(_: &Options) -> Outcome {
    let program = Program::new()
        .clause(
            1,
            0,
            Code::new()
                .set(3, 0)
                .op(abi::RTRACE_OP_EXIT, 0, 3, 0, item(TRACE, 9))
                .ret(),
        )
        .clause(1, 0, says(1))
        .clause(2, 0, says(2))
        .clause(3, 0, says(3));
    let session = loaded(KERNEL, &program)?;
    session.add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")?;
    session.add_own(abi::RTRACE_KIND_END, 3, 0, "END")?;
    session.add_own(abi::RTRACE_KIND_PROFILE, 2, 2 * MS, "profile-2ms")?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 2)?;
    let trace = started(session)?;
    Target::open()?.run("plain 100")?;
    let finished = trace.finish()?;
    let clauses: Vec<_> = by_time(&finished.made)
        .iter()
        .map(|made| made.head.clause)
        .collect();
    check_eq!(clauses, vec![0, 3], "what ran");
    check_eq!(finished.ledger.total().fired, 2);
    Ok(())
}

/// Reads until there is enough.
fn await_records(trace: &mut Trace, enough: impl Fn(&[Made]) -> bool) -> Outcome {
    let read = || {
        sys::poll(&trace.session.fd, libc::POLLIN, 5)?;
        trace.read()?;
        Ok(enough(&trace.made))
    };
    waiting::until(read, || "too few records".into())
}

fn clocks(_: &Options) -> Outcome {
    let tells = || {
        Code::new()
            .get(1, abi::RTRACE_VAR_ARG0)
            .emit(1, TRACE, 0)
            .get(1, abi::RTRACE_VAR_ARG0 + 1)
            .emit(1, TRACE, 1)
            .get(1, abi::RTRACE_VAR_IPL)
            .emit(1, TRACE, 2)
            .ret()
    };
    let program = Program::new().clause(1, 0, tells()).clause(2, 0, tells());
    let session = loaded(KERNEL, &program)?;
    session.add_own(abi::RTRACE_KIND_TICK, 1, 5 * MS, "tick-5ms")?;
    session.add_own(abi::RTRACE_KIND_PROFILE, 2, 7 * MS, "profile-7ms")?;
    let mut trace = started(session)?;
    let cpus = guest::online_cpus() as u32;
    await_records(&mut trace, |made| {
        let ticks = made.iter().filter(|made| made.head.clause == 0).count();
        let on = |cpu: u32| {
            let on = made
                .iter()
                .filter(|made| made.head.clause == 1 && made.head.cpu == cpu);
            on.count()
        };
        ticks >= 20 && (0..cpus).all(|cpu| on(cpu) >= 20)
    })?;
    let finished = trace.finish()?;
    for made in &finished.made {
        let [kernel, user, level] = [0, 1, 2].map(|n| made.items[n].number().unwrap_or(0));
        check_eq!(level, u64::from(abi::RTRACE_CONTEXT_IRQ), "the context");
        check!(
            (kernel == 0) != (user == 0) && user < 1 << 47 && (kernel == 0 || kernel >> 47 != 0),
            "what was interrupted: {kernel:#x}, {user:#x}"
        );
    }
    let mut ticks: Vec<_> = finished
        .made
        .iter()
        .filter(|made| made.head.clause == 0)
        .map(|made| made.head.time)
        .collect();
    ticks.sort_unstable();
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    check!(
        (last - first) / (5 * MS) + 1 >= ticks.len() as u64 - 1,
        "{} ticks in {} ns",
        ticks.len(),
        last - first
    );
    Ok(())
}

fn listed(_: &Options) -> Outcome {
    let session = loaded(KERNEL, &Program::new().clause(1, 0, says(1)))?;
    let mut wanted = Vec::new();
    for (kind, period, name) in [
        (abi::RTRACE_KIND_BEGIN, 0, "BEGIN"),
        (abi::RTRACE_KIND_END, 0, "END"),
        (abi::RTRACE_KIND_ERROR, 0, "ERROR"),
        (abi::RTRACE_KIND_TICK, 1000 * MS, "tick-1s"),
        (abi::RTRACE_KIND_TICK, 2000 * MS, "tick-2s"),
        (abi::RTRACE_KIND_PROFILE, 1000 * MS, "profile-1s"),
    ] {
        let index = session.add_own(kind, 1, period, name)?;
        check_eq!(index as usize, wanted.len(), "the index of {name}");
        // Again, to another group: the same probe.
        check_eq!(session.add_own(kind, 2, period, name)?, index, "{name}");
        wanted.push((kind, name));
    }
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let probes = session.probes()?;
    check_eq!(probes.len(), wanted.len() + 1, "probes");
    let mut ids = Vec::new();
    for (probe, (kind, name)) in probes.iter().zip(&wanted) {
        check_eq!(
            (u32::from(probe.head.kind), probe.name.as_str()),
            (*kind, *name)
        );
        check_eq!(
            (probe.module.as_str(), probe.head.function, probe.head.why),
            ("", 0, 0)
        );
        ids.push(probe.head.id);
    }
    check_eq!(ids, vec![1, 2, 3, 4, 5, 6], "their ids");
    let trace = started(session)?;
    Target::open()?.run("value 3")?;
    let finished = trace.finish()?;
    for (index, fired) in [(0, 1), (1, 1), (2, 0), (6, 1)] {
        let row = finished.ledger.probe(index);
        check_eq!((row.fired, row.recorded), (fired, fired), "probe {index}");
    }
    Ok(())
}

fn refused(_: &Options) -> Outcome {
    let session = Session::open()?;
    let tick = abi::RTRACE_KIND_TICK;
    for (kind, group, period, name, errno, text) in [
        (0, 1, 0, "x", Errno::INVAL, "kind 0"),
        (7, 1, 0, "x", Errno::INVAL, "kind 7"),
        (u32::MAX, 1, 0, "x", Errno::INVAL, "kind"),
        (2, 0, 0, "BEGIN", Errno::INVAL, "group"),
        (2, 1, 5, "BEGIN", Errno::INVAL, "period"),
        (tick, 1, 0, "tick-0", Errno::INVAL, "period of 0 ns"),
        (tick, 1, 199_999, "tick", Errno::INVAL, "200000 ns"),
        (tick, 1, u64::MAX, "tick", Errno::INVAL, "period"),
        (tick, 1, MS, "", Errno::INVAL, "name"),
        (tick, 1, MS, "tick 1", Errno::INVAL, "name"),
        (tick, 1, MS, "tick\n", Errno::INVAL, "name"),
    ] {
        match session.add_own(kind, group, period, name) {
            Ok(index) => return Err(fail(format!("{kind} {period} {name:?}: {index}"))),
            Err(refused) => {
                check_eq!(refused.errno, errno, "{kind} {period} {name:?}");
                check!(
                    refused.text.contains(text),
                    "{:?} says no {text}",
                    refused.text
                );
            }
        }
    }
    let long = "t".repeat(65);
    let found = session.add_own(tick, 1, MS, &long).map_err(|r| r.errno);
    check_eq!(found, Err(Errno::TOOBIG));
    for number in 0..abi::RTRACE_CLOCKS_MAX {
        session.add_own(tick, 1, 3_600_000 * MS, &format!("tick-{number}"))?;
    }
    let found = session
        .add_own(tick, 1, MS, "one-more")
        .map_err(|r| r.errno);
    check_eq!(found, Err(Errno::NOSPC));
    check_eq!(session.status()?.probes, abi::RTRACE_CLOCKS_MAX);
    Ok(())
}
