// SPDX-License-Identifier: GPL-2.0-only
//! Tasks that end while the stub has frames on their stacks.

#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use rust_tracer::abi;

use super::programs::counting;
use super::sleeping::{Asleep, Sleep, Sleepy};
use super::{PATTERN, Vouched, is_by_stub};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::KERNEL;
use crate::sys::{self, Child, Ended};
use crate::target::{Target, await_end};
use crate::test::{Outcome, check, check_eq, group};
use crate::tests::programs::{aggregated, loaded, started};
use crate::trace::{Finished, Plan, Trace};
use crate::waiting;

group! { "stub, ends of tasks":
    "a process that is killed in wait4 returns from it" => killed,
    "a thread that is inside when another one ends the process returns" => exit_group,
    "a process that executes a program is seen to return from it" => executes,
    "a task that dies in a function is counted as died, by every way through the stub" => died,
    "a task that dies below several frames is counted at each" => died_below,
    "a task that dies after the end of the session leaves nothing" => died_later,
    "processes that come and go are counted to the last" => processes,
}

const INTERRUPTED: [i64; 3] = [-4, -512, -516];

/// The returns of a task.
fn values_of(finished: &Finished, name: &str, tid: u32) -> Outcome<Vec<i64>> {
    let mut returns = finished.returns(name)?;
    returns.retain(|ret| ret.tid == tid);
    // All of these functions return an int, or what fits into one.
    Ok(returns
        .iter()
        .map(|ret| i64::from(ret.value() as i32))
        .collect())
}

/// Nothing of these calls is left or lost.
fn all_returned(finished: &Finished, name: &str) -> Outcome {
    let row = finished.return_row(name)?;
    check_eq!(row.missed.iter().sum::<u64>(), 0, "missed, in {row:?}");
    Ok(())
}

fn killed(_: &Options) -> Outcome {
    for beside in [false, true] {
        let sleep = Sleep::Wait4;
        let plan = Plan::new().both(sleep.pattern());
        let other = beside.then(|| plan.start()).transpose()?;
        let trace = plan.start()?;
        is_by_stub(&trace.session, sleep.function())?;
        let asleep = Asleep::start(sleep)?;
        let tid = asleep.pid() as u32;
        check_eq!(asleep.kill()?, Ended::Signal(libc::SIGKILL));
        for trace in other.into_iter().chain([trace]) {
            let finished = trace.finish()?;
            check_eq!(values_of(&finished, sleep.function(), tid)?, [-512]);
            all_returned(&finished, sleep.function())?;
        }
    }
    Ok(())
}

fn exit_group(_: &Options) -> Outcome {
    for sleep in [Sleep::Nanosleep, Sleep::Poll] {
        let trace = Plan::new().both(sleep.pattern()).start()?;
        is_by_stub(&trace.session, sleep.function())?;
        let mut child = crate::actor::Actor::start(|cue| {
            let inside = thread::spawn(move || match sleep {
                Sleep::Poll => {
                    let _ = sys::poll(&cue_file(), libc::POLLIN, -1);
                }
                _ => thread::sleep(Duration::from_secs(1000)),
            });
            cue.pause()?;
            check!(!inside.is_finished(), "the thread is out");
            std::process::exit(7);
        })?;
        child.ready()?;
        let tid = super::sleeping::await_asleep_beside(child.pid(), sleep)?;
        child.go()?;
        check_eq!(child.died()?, Ended::Exit(7));
        let finished = trace.finish()?;
        let values = values_of(&finished, sleep.function(), tid)?;
        check!(
            values.len() == 1 && INTERRUPTED.contains(&values[0]),
            "{sleep:?} returned {values:?} to the thread"
        );
        all_returned(&finished, sleep.function())?;
    }
    Ok(())
}

/// Something that never becomes readable.
fn cue_file() -> std::fs::File {
    let (reader, writer) = sys::pipe().expect("a pipe");
    std::mem::forget(writer);
    reader
}

fn executes(options: &Options) -> Outcome {
    let times = options.share_of(10);
    let trace = Plan::new().both("vmlinux:__x64_sys_execve").start()?;
    is_by_stub(&trace.session, "__x64_sys_execve")?;
    let mut pids = Vec::new();
    for _ in 0..times {
        let mut child = std::process::Command::new("/bin/true").spawn()?;
        pids.push(child.id());
        check!(child.wait()?.success(), "/bin/true failed");
    }
    let finished = trace.finish()?;
    for pid in pids {
        let values = values_of(&finished, "__x64_sys_execve", pid)?;
        // A shell's search of the path may have failed before.
        check_eq!(values.last(), Some(&0), "execve in {pid}");
    }
    all_returned(&finished, "__x64_sys_execve")
}

/// Sessions that follow calls of rt_die in different ways: with short tokens, with slots, with arguments.
fn sessions(way: usize) -> Outcome<Vec<Trace>> {
    const PATTERN: &str = "rt_target:rt_die";
    let with = |code: Code| -> Outcome<Trace> {
        let program = Program::new()
            .aggregation(abi::RTRACE_AGG_QUANTIZE, 0, [0; 4])
            .clause(1, 0, code.ret());
        let session = loaded(KERNEL, &program)?;
        session.add_to(PATTERN, abi::RTRACE_PROBE_RETURN, 1)?;
        started(session)
    };
    let distributed = |which| {
        Code::new()
            .get(1, which)
            .set(2, 1)
            .keys(&[])
            .aggregate(0, 1, 2)
    };
    let plain = || Plan::new().both(PATTERN).start();
    Ok(match way {
        0 => vec![plain()?],
        1 => vec![with(distributed(abi::RTRACE_VAR_ELAPSED))?],
        2 => vec![with(distributed(abi::RTRACE_VAR_ENTRYARG0))?],
        3 => vec![plain()?, plain()?],
        _ => vec![
            plain()?,
            with(distributed(abi::RTRACE_VAR_ELAPSED))?,
            with(distributed(abi::RTRACE_VAR_ENTRYARG0))?,
        ],
    })
}

fn died(options: &Options) -> Outcome {
    let deaths = options.share_of(20);
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    for way in 0..5 {
        let traces = sessions(way)?;
        for trace in &traces {
            is_by_stub(&trace.session, "rt_die")?;
        }
        for token in 0..deaths {
            await_end(target.run(&format!("die {token}"))?)?;
        }
        for trace in traces {
            let finished = trace.finish()?;
            let row = finished.return_row("rt_die")?;
            check_eq!(
                (
                    row.entered,
                    row.returned,
                    row.in_flight,
                    row.missed[abi::RTRACE_MISSED_DIED as usize]
                ),
                (deaths, 0, 0, deaths),
                "entered, returned, in flight and died, in way {way}"
            );
            check_eq!(aggregated(&finished.session, 1 << 16)?.len(), 0, "returns");
        }
        await_nobody_inside()?;
    }
    Ok(())
}

/// Waits until the module does not hold itself for the stub's sake any more.
pub fn await_nobody_inside() -> Outcome {
    let nobody = || Ok(guest::references() == Some(0));
    waiting::until(nobody, guest::say_references)
}

fn died_below(options: &Options) -> Outcome {
    let deaths = options.share_of(10);
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let plan = Plan::new()
        .ret("rt_target:rt_die")
        .ret("rt_target:die_thread");
    for beside in [false, true] {
        let other = beside.then(|| plan.start()).transpose()?;
        let trace = plan.start()?;
        for name in ["rt_die", "die_thread"] {
            is_by_stub(&trace.session, name)?;
        }
        for token in 0..deaths {
            await_end(target.run(&format!("die {token}"))?)?;
        }
        for trace in other.into_iter().chain([trace]) {
            let finished = trace.finish()?;
            for name in ["rt_die", "die_thread"] {
                let row = finished.return_row(name)?;
                check_eq!(
                    (row.entered, row.missed[abi::RTRACE_MISSED_DIED as usize]),
                    (deaths, deaths),
                    "{name}, beside another: {beside}"
                );
            }
        }
        await_nobody_inside()?;
    }
    Ok(())
}

/// A call that was traced sleeps until after the session's end, and then its task is killed; one that
/// dies in a second function never returns from the first.
fn died_later(_: &Options) -> Outcome {
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let sleepy = Sleepy::start(Sleep::Wait4)?;
    let trace = Plan::new()
        .both("rt_target:rt_sleep")
        .both(Sleep::Wait4.pattern())
        .start()?;
    let child = Child::start(
        || match Target::open().and_then(|target| target.run("sleep 1")) {
            Ok(_) => 0,
            Err(_) => 1,
        },
    )?;
    target.run("await 1")?;
    let asleep = sleepy.sleep()?;
    let finished = trace.finish()?;
    check_eq!(finished.return_row("rt_sleep")?.in_flight, 1);
    let row = finished.return_row(Sleep::Wait4.function())?;
    check!(row.in_flight >= 1, "wait4 is not in flight: {row:?}");
    let before = finished.session.ledger(0)?;
    child.signal(libc::SIGKILL)?;
    check_eq!(child.wait()?, Ended::Signal(libc::SIGKILL));
    check_eq!(asleep.kill()?, Ended::Signal(libc::SIGKILL));
    check_eq!(finished.session.ledger(0)?, before, "the ledger afterwards");
    drop(finished);
    await_nobody_inside()
}

fn processes(options: &Options) -> Outcome {
    let processes = options.share_of(100);
    let patterns = [
        "vmlinux:__x64_sys_wait4",
        "vmlinux:kernel_clone",
        "vmlinux:exit_mm*",
        "vmlinux:exit_files",
        "vmlinux:release_task",
    ];
    let mut plan = Plan::new().ring(4 << 20);
    for pattern in patterns {
        plan = plan.both(pattern);
    }
    let trace = plan.start()?;
    is_by_stub(&trace.session, "kernel_clone")?;
    is_by_stub(&trace.session, "exit_files")?;
    for status in 0..processes {
        let child = Child::start(|| (status & 0x7f) as i32)?;
        check_eq!(child.wait()?, Ended::Exit((status & 0x7f) as i32));
    }
    let finished = trace.finish()?;
    let me = sys::tid() as u32;
    check_eq!(
        values_of(&finished, "kernel_clone", me)?.len() as u64,
        processes,
        "returns of kernel_clone"
    );
    let row = finished.return_row("exit_files")?;
    check!(row.returned >= processes, "{row:?}");
    // Nobody dies inside any of these.
    let total = finished.ledger.total();
    check_eq!(total.missed.iter().sum::<u64>(), 0, "missed, in {total:?}");
    // And what counts alone.
    let counting = counting()?;
    for mask in 0..processes {
        let child = Child::start(|| {
            super::call(mask);
            0
        })?;
        check_eq!(child.wait()?, Ended::Exit(0));
    }
    let row = counting.finish()?.return_row(super::FUNCTION)?;
    check!(
        row.returned >= processes && row.returned == row.entered,
        "{PATTERN} in children: {row:?}"
    );
    Ok(())
}
