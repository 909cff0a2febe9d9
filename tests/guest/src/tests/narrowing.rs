// SPDX-License-Identifier: GPL-2.0-only
//! A session with a target sees that process and its descendants, and counts the rest.

use std::io::{Read, Write};

use rustix::io::Errno;

use crate::options::Options;
use crate::sys::{self, Child, Ended};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "target":
    "only the target's calls are recorded, the others' are counted as filtered" => narrow,
    "children that were there before, and children that come later, belong to the target" => descendants,
    "whoever is forked while its descendants are looked for belongs to the target" => forking,
    "a target that does not exist is refused" => missing,
}

/// Has a child make calls; it is to be done when this returns.
fn calls_in_child(command: &'static str) -> Outcome<u32> {
    let child = Child::start(|| {
        i32::from(
            Target::open()
                .and_then(|target| target.run(command))
                .is_err(),
        )
    })?;
    let pid = child.0 as u32;
    check_eq!(child.wait()?, Ended::Exit(0), "the child that calls");
    Ok(pid)
}

fn narrow(_: &Options) -> Outcome {
    let pid = std::process::id();
    let target = Target::open()?;
    // A child that the target is narrowed to; it waits for our word.
    let (reader, writer) = sys::pipe()?;
    let child = Child::start(|| {
        let _ = (&reader).read(&mut [0u8; 1]);
        i32::from(
            Target::open()
                .and_then(|target| target.run("plain 30"))
                .is_err(),
        )
    })?;
    let inside = child.0;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .target(inside)
        .start()?;
    target.run("plain 100")?;
    (&writer).write_all(b"x")?;
    check_eq!(child.wait()?, Ended::Exit(0));
    let finished = trace.finish()?;
    let entries = finished.entry_row("rt_plain")?;
    check_eq!(
        (entries.fired, entries.recorded, entries.filtered),
        (130, 30, 100)
    );
    let returns = finished.return_row("rt_plain")?;
    check_eq!(
        (returns.entered, returns.passed, returns.returned),
        (130, 100, 30)
    );
    for event in &finished.events {
        check_eq!(event.pid, inside as u32, "not {pid}");
    }
    Ok(())
}

fn descendants(_: &Options) -> Outcome {
    // This process is the target: what it forks, and what that forks, belongs to it.
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .target(std::process::id() as i32)
        .start()?;
    let child = calls_in_child("plain 10")?;
    let grandchild = Child::start(|| match calls_in_child("plain 7") {
        Ok(_) => 0,
        Err(_) => 1,
    })?;
    check_eq!(grandchild.wait()?, Ended::Exit(0));
    Target::open()?.run("storm 1 100")?;
    let finished = trace.finish()?;
    let row = finished.entry_row("rt_plain")?;
    check_eq!(
        (row.recorded, row.filtered),
        (17, 100),
        "kernel threads are no descendants"
    );
    let of_child = finished
        .entries("rt_plain")?
        .iter()
        .filter(|e| e.pid == child)
        .count();
    check_eq!(of_child, 10);
    Ok(())
}

fn forking(options: &Options) -> Outcome {
    const PARENTS: u64 = 3;
    const EACH: u64 = 5;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let target = Target::open()?;
    for round in 0..options.share_of(12) {
        let (mut forked, tell) = sys::pipe()?;
        let (cue, give) = sys::pipe()?;
        let call = || (&cue).read_exact(&mut [0u8; 1]).is_ok() && target.run("value 1").is_ok();
        let fork_all = || -> Outcome {
            let mut children = Vec::new();
            for _ in 0..EACH {
                children.push(Child::start(|| i32::from(!call()))?);
                (&tell).write_all(b"x")?;
            }
            for child in children {
                check_eq!(child.wait()?, Ended::Exit(0), "one that was forked");
            }
            Ok(())
        };
        let parents = (0..PARENTS)
            .map(|_| Child::start(|| i32::from(fork_all().is_err())))
            .collect::<sys::Sys<Vec<_>>>()?;
        // Some are there, others come meanwhile.
        let some = random.u64(1..PARENTS * EACH) as usize;
        forked.read_exact(&mut vec![0; some])?;
        let trace = Plan::new()
            .both("rt_target:rt_value")
            .target(std::process::id() as i32)
            .start()?;
        (&give).write_all(&[b'x'; (PARENTS * EACH) as usize])?;
        for parent in parents {
            check_eq!(parent.wait()?, Ended::Exit(0), "one that forks");
        }
        let row = trace.finish()?.entry_row("rt_value")?;
        check_eq!(
            (row.recorded, row.filtered),
            (PARENTS * EACH, 0),
            "in round {round}, with {some} there when it began"
        );
    }
    Ok(())
}

fn missing(_: &Options) -> Outcome {
    let session = crate::session::Session::open()?;
    let child = Child::start(|| 0)?;
    let pid = child.0;
    child.wait()?;
    for pid in [pid, 0, -1, i32::MAX] {
        let Err(refused) = session.target(pid) else {
            return Err(fail(format!("the target {pid} is accepted")));
        };
        check!(
            matches!(refused.errno, Errno::SRCH | Errno::INVAL),
            "the target {pid}: {refused}"
        );
        check!(
            !refused.text.is_empty(),
            "nothing is said about the target {pid}"
        );
    }
    Ok(())
}
