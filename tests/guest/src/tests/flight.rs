// SPDX-License-Identifier: GPL-2.0-only
//! Calls that take long, and calls that never come back.

use rust_tracer::abi;

use crate::options::Options;
use crate::sys::{Child, Ended};
use crate::target::{Sleeper, Target, await_end};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "calls in flight":
    "a function that sleeps is seen to return when it wakes" => sleeping,
    "calls that are inside when the session stops are in flight, and counted exactly" => in_flight,
    "a call that returns after the stop changes nothing" => late_return,
    "a call that was inside before the start is not seen to return" => before_start,
    "a task that ends inside a function is counted as died" => died,
    "processes that exit are calls of do_exit that never return" => exits,
    "a task that is killed inside a function is seen to return from it" => killed,
    "calls beyond the frames that were asked for are missed, and counted exactly" => frames,
    "the frames of calls that are over are used again" => frames_again,
}

fn sleeping(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    let sleepers = Sleeper::start(&target, 0, &[1, 2, 3])?;
    let rows = trace
        .session
        .ledger(abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES)?;
    check_eq!(rows.iter().map(|row| row.in_flight).sum::<u64>(), 3);
    let mut values = Sleeper::release(&target, sleepers)?;
    values.sort_unstable();
    check_eq!(values, [10, 11, 12]);
    let finished = trace.finish()?;
    let mut returned: Vec<_> = finished
        .returns("rt_sleep")?
        .iter()
        .map(|ret| ret.value())
        .collect();
    returned.sort_unstable();
    check_eq!(returned, [10, 11, 12]);
    check_eq!(finished.return_row("rt_sleep")?.in_flight, 0);
    Ok(())
}

fn in_flight(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    let mut sleepers = Sleeper::start(&target, 0, &[1, 2, 3, 4, 5])?;
    // Any two of the five come back in time.
    target.run("release 2")?;
    target.run("await 3")?;
    let mut out = Vec::new();
    while out.len() < 2 {
        let done = sleepers.iter().position(Sleeper::is_out);
        match done {
            Some(at) => out.push(sleepers.remove(at).join()?),
            None => crate::sys::give_way(),
        }
    }
    let finished = trace.finish()?;
    let row = finished.return_row("rt_sleep")?;
    check_eq!((row.entered, row.returned, row.in_flight), (5, 2, 3));
    Sleeper::release(&target, sleepers)?;
    Ok(())
}

fn late_return(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    let sleepers = Sleeper::start(&target, 0, &[1])?;
    let finished = trace.finish()?;
    let before = finished.session.ledger(0)?;
    let published: Vec<_> = finished.rings.iter().map(|ring| ring.published()).collect();
    Sleeper::release(&target, sleepers)?;
    check_eq!(
        finished.session.ledger(0)?,
        before,
        "the ledger after the return"
    );
    let now: Vec<_> = finished.rings.iter().map(|ring| ring.published()).collect();
    check_eq!(now, published, "the rings after the return");
    Ok(())
}

fn before_start(_: &Options) -> Outcome {
    let target = Target::open()?;
    let sleepers = Sleeper::start(&target, 0, &[1, 2])?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    Sleeper::release(&target, sleepers)?;
    let finished = trace.finish()?;
    check_eq!(finished.events.len(), 0);
    check_eq!(finished.return_row("rt_sleep")?.entered, 0);
    Ok(())
}

fn died(_: &Options) -> Outcome {
    const DEATHS: u64 = 5;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_die").start()?;
    for token in 0..DEATHS {
        await_end(target.run(&format!("die {token}"))?)?;
    }
    let finished = trace.finish()?;
    let tokens: Vec<_> = finished
        .entries("rt_die")?
        .iter()
        .map(|e| e.args()[0])
        .collect();
    check_eq!(tokens, (0..DEATHS).collect::<Vec<_>>());
    let row = finished.return_row("rt_die")?;
    check_eq!((row.entered, row.returned, row.in_flight), (DEATHS, 0, 0));
    check_eq!(
        row.missed[abi::RTRACE_MISSED_DIED as usize],
        DEATHS,
        "calls that died"
    );
    Ok(())
}

fn exits(_: &Options) -> Outcome {
    const PROCESSES: usize = 5;
    let trace = Plan::new().both("vmlinux:do_exit").start()?;
    let mut children = Vec::new();
    for status in 0..PROCESSES as i32 {
        let child = Child::start(|| status)?;
        children.push(child.0 as u32);
        check_eq!(child.wait()?, Ended::Exit(status));
    }
    let finished = trace.finish()?;
    let seen: Vec<_> = finished
        .entries("do_exit")?
        .iter()
        .map(|entry| entry.pid)
        .filter(|pid| children.contains(pid))
        .collect();
    check_eq!(seen, children, "processes seen to exit");
    let row = finished.return_row("do_exit")?;
    check_eq!(row.returned, 0);
    let died = row.missed[abi::RTRACE_MISSED_DIED as usize];
    check!(died >= PROCESSES as u64, "{died} of {PROCESSES} died");
    Ok(())
}

fn killed(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_sleep").start()?;
    let child = Child::start(
        || match Target::open().and_then(|target| target.run("sleep 1")) {
            Ok(_) => 0,
            Err(_) => 1,
        },
    )?;
    target.run("await 1")?;
    child.signal(libc::SIGKILL)?;
    check_eq!(child.wait()?, Ended::Signal(libc::SIGKILL));
    let finished = trace.finish()?;
    let values: Vec<_> = finished
        .returns("rt_sleep")?
        .iter()
        .map(|ret| ret.value() as i64)
        .collect();
    // -ERESTARTSYS, which user space never sees
    check_eq!(values, [-512]);
    Ok(())
}

fn frames(_: &Options) -> Outcome {
    const FRAMES: u32 = 4;
    let target = Target::open()?;
    let trace = Plan::new()
        .both("rt_target:rt_sleep")
        .frames(FRAMES)
        .without_stub()
        .start()?;
    check_eq!(trace.session.status()?.frames, FRAMES);
    let sleepers = Sleeper::start(&target, 0, &[0; 7])?;
    check_eq!(trace.session.status()?.frames_used, FRAMES);
    Sleeper::release(&target, sleepers)?;
    let finished = trace.finish()?;
    let row = finished.return_row("rt_sleep")?;
    let missed = row.missed[abi::RTRACE_MISSED_FRAMES as usize];
    check_eq!((row.entered, row.returned, missed), (7, 4, 3));
    Ok(())
}

fn frames_again(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = Plan::new().both("rt_target:rt_plain").frames(2);
    let trace = plan.without_stub().start()?;
    target.run("plain 1000")?;
    check_eq!(trace.session.status()?.frames_used, 0);
    let row = trace.finish()?.return_row("rt_plain")?;
    if row.returned != 1000 {
        return Err(fail(format!("{row:?}")));
    }
    Ok(())
}
