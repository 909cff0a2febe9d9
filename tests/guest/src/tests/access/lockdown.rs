// SPDX-License-Identifier: GPL-2.0-only
//! A kernel that is locked down after the module was loaded. Nothing unlocks it again, so these
//! tests are the last of a boot.

use std::process::Command;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, play};
use crate::guest::{self, TraceList};
use crate::options::Options;
use crate::session::{Answer, KERNEL, NODES, Session};
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

use super::matrix::{Lockdown, OPENERS, all_cases_of};
use super::revocation::last_alive;

group! { "lockdown":
    "at level integrity sessions that run go on, and new ones start" => integrity,
    "at level integrity every case of the matrix has the answer that it had before" => integrity_matrix,
    "level confidentiality ends what runs within a second, says why, and lets nobody in" => confidentiality,
    "at level confidentiality no opener of the matrix gets in" => confidentiality_matrix,
    "at level confidentiality rtctl says that the kernel is locked down" => tool,
}

const SECOND: u64 = 1_000_000_000;

fn lock_down(level: &str, from: &[&str]) -> Outcome {
    let now = guest::lockdown()?;
    if now != level {
        check!(from.contains(&&*now), "the kernel is at level {now}");
        guest::lock_down(level)?;
    }
    check_eq!(guest::lockdown()?, level, "the level");
    Ok(())
}

fn integrity(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut alice = Actor::of("alice", |cue| {
        let trace = Plan::new().both("rt_target:rt_plain").start()?;
        cue.pause()?;
        check_eq!(
            trace.session.status()?.state,
            abi::RTRACE_STATE_RUNNING,
            "state"
        );
        check_eq!(trace.finish()?.entry_row("rt_plain")?.recorded, 30);
        Ok(())
    })?;
    alice.ready()?;
    lock_down("integrity", &["none"])?;
    target.run("plain 30")?;
    for node in NODES {
        let trace = Plan::on(node).both("rt_target:rt_plain").start()?;
        target.run("plain 0")?;
        trace.finish()?;
    }
    // The guard has looked at alice's session by the time that it has put another one out.
    let admin = Session::open()?;
    let other = Session::open()?;
    admin.revoke(other.status()?.id)?;
    let ready = sys::poll(&other.fd, libc::POLLPRI, 60_000)?;
    check!(ready & libc::POLLHUP != 0, "not told: {ready:#x}");
    alice.go()?;
    alice.end()
}

fn integrity_matrix(_: &Options) -> Outcome {
    lock_down("integrity", &["none"])?;
    let mut cases = 0;
    for opener in OPENERS {
        cases += all_cases_of(opener, Lockdown::Integrity)?;
    }
    check!(cases >= 200, "only {cases} cases");
    Ok(())
}

fn must_be_locked_out(answer: Answer) -> Outcome {
    let Err(refused) = answer else {
        return Err(fail("a session starts under lockdown"));
    };
    check_eq!(refused.errno, Errno::CANCELED, "{refused}");
    check!(refused.text.contains("locked down"), "{}", refused.text);
    Ok(())
}

fn confidentiality(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut enabled = TraceList::enabled_functions()?;
    let before = enabled.now()?;
    let mut tracers = Vec::new();
    for (user, node) in super::refusals::USERS {
        tracers.push(Actor::of(user, |cue| {
            let mut trace = Plan::on(node).both("rt_target:rt_plain").start()?;
            let idle = Session::open_as(node, libc::O_RDWR)?;
            idle.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            cue.ready()?;
            let mut told = 0;
            let (alive, status) = last_alive(cue, &trace.session, || {
                told = sys::poll(&trace.session.fd, libc::POLLPRI, 20)?;
                Ok(())
            })?;
            cue.tell(alive)?;
            if told == 0 {
                told = sys::poll(&trace.session.fd, libc::POLLPRI, 60_000)?;
            }
            check!(told & libc::POLLHUP != 0, "{user} is not told: {told:#x}");
            check_eq!(
                (status.state, status.reason),
                (abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_LOCKDOWN),
                "of {user}"
            );
            trace.read()?;
            must_be_locked_out(idle.start().map(drop))
        })?);
    }
    for tracer in &mut tracers {
        tracer.ready()?;
    }
    target.run("plain 30")?;
    check!(enabled.now()? != before, "nothing is attached");
    let idle = Session::open()?;
    idle.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    lock_down("confidentiality", &["none", "integrity"])?;
    let changed = sys::now();
    // The guard may not have seen it yet: a command asks itself.
    must_be_locked_out(idle.start().map(drop))?;
    for mut tracer in tracers {
        let alive = tracer.number()?;
        check!(
            alive <= changed + SECOND,
            "alive {} ms after",
            alive.saturating_sub(changed) / 1_000_000
        );
        tracer.end()?;
    }
    check_eq!(enabled.now()?, before, "what is attached afterwards");
    Ok(())
}

fn confidentiality_matrix(_: &Options) -> Outcome {
    lock_down("confidentiality", &["none", "integrity"])?;
    let mut cases = 0;
    for opener in OPENERS {
        cases += all_cases_of(opener, Lockdown::Confidentiality)?;
    }
    check_eq!(cases, OPENERS.len() * 9, "cases");
    Ok(())
}

fn tool(_: &Options) -> Outcome {
    lock_down("confidentiality", &["none", "integrity"])?;
    for user in ["root", "alice"] {
        play(user, || {
            let output = Command::new("rtctl")
                .args([
                    "--node",
                    "kernel",
                    "-n",
                    "fbt::vfs_read:entry",
                    "-c",
                    "true",
                ])
                .output()?;
            check!(!output.status.success(), "rtctl traces for {user}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            for part in [KERNEL, "lockdown"] {
                check!(said.contains(part), "{part} is not in:\n{said}");
            }
            Ok(())
        })?;
    }
    Ok(())
}
