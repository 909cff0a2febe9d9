// SPDX-License-Identifier: GPL-2.0-only
//! `schedule` by the stub: so every task that sleeps does so above a frame.

#![forbid(unsafe_code)]

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use super::ends::await_nobody_inside;
use super::is_by_stub;
use crate::actor::Actor;
use crate::guest;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::sys::{self, Ended};
use crate::target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting;
use crate::workload;

group! { "stub, schedule":
    "every task's sleep is followed, and when the session goes the module can" => follows,
    "the module stays while tasks sleep above a frame, after a stop, a close and a kill, and goes when they do not" => stays,
}

const NAME: &str = "schedule";

fn start() -> Outcome<Trace> {
    let trace = Plan::new().ret("vmlinux:schedule").start()?;
    is_by_stub(&trace.session, NAME)?;
    Ok(trace)
}

/// The module goes, and everybody who slept goes on.
fn goes() -> Outcome {
    await_nobody_inside()?;
    target::unload("rust_tracer")?;
    workload::round()?;
    guest::load()
}

/// Somebody who has no session, and sleeps when told so, until he is woken.
fn sleeper() -> Outcome<Actor> {
    let mut sleeper = Actor::start(|cue| {
        cue.pause()?;
        cue.pause()
    })?;
    sleeper.ready()?;
    Ok(sleeper)
}

fn falls_asleep(sleeper: &mut Actor) -> Outcome {
    sleeper.go()?;
    sleeper.ready()?;
    // Not in wchan: that is the first text on the stack that is not the scheduler's, and so the stub's.
    let stack = format!("/proc/{}/stack", sleeper.pid());
    waiting::until(
        || Ok(fs::read_to_string(&stack)?.contains("pipe_read")),
        || "the sleeper does not sleep".to_owned(),
    )
}

fn wake(sleeper: Actor) -> Outcome {
    sleeper.go()?;
    sleeper.end()
}

fn follows(_: &Options) -> Outcome {
    let trace = start()?;
    workload::round()?;
    let finished = trace.finish()?;
    let row = finished.return_row(NAME)?;
    check!(row.returned > 100, "only {} returns", row.returned);
    check!(row.in_flight >= 1, "nobody sleeps: {row:?}");
    drop(finished);
    goes()
}

fn stays(_: &Options) -> Outcome {
    let held = Parameters::set(&[("stub_let_out", 0)])?;
    let stays = |when: &str| -> Outcome {
        check_eq!(
            sys::unload_module("rust_tracer"),
            Err(Errno::AGAIN),
            "unloading after {when}"
        );
        workload::round()?;
        check_eq!(guest::references(), Some(1), "references after {when}");
        Ok(())
    };
    let mut asleep = sleeper()?;
    let trace = start()?;
    falls_asleep(&mut asleep)?;
    workload::round()?;
    let finished = trace.finish()?;
    drop(finished);
    stays("a stop")?;
    wake(asleep)?;

    let mut asleep = sleeper()?;
    let trace = start()?;
    falls_asleep(&mut asleep)?;
    workload::round()?;
    drop(trace);
    stays("a close")?;
    wake(asleep)?;

    let mut asleep = sleeper()?;
    let mut tracing = Actor::start(|cue| {
        let _trace = start()?;
        workload::round()?;
        cue.pause()
    })?;
    tracing.ready()?;
    falls_asleep(&mut asleep)?;
    let pid = Pid::from_raw(tracing.pid()).ok_or_else(|| fail("no process"))?;
    kill_process(pid, Signal::KILL)?;
    check_eq!(tracing.died()?, Ended::Signal(libc::SIGKILL));
    stays("a kill")?;
    wake(asleep)?;

    drop(held);
    goes()
}
