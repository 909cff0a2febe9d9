// SPDX-License-Identifier: GPL-2.0-only
//! How many events a second one user's sessions may have together: who is ended if there are more.

use std::fs;
use std::path::Path;

use rust_tracer::abi;

use super::open;
use crate::actor::{Actor, play};
use crate::options::Options;
use crate::parameters::Parameters;
use crate::session::{SYSTEM, Session, USER};
use crate::sys;
use crate::target::Target;
use crate::test::{Failure, Outcome, check, check_eq, fail};
use crate::trace::Plan;
use crate::waiting;

pub fn busiest(_: &Options) -> Outcome {
    let target = Target::open()?;
    let _limits = Parameters::set(&[("events_per_uid", 2000)])?;
    // Bob stays below, dave does not.
    let mut bob = Actor::of("bob", |cue| {
        let trace = Plan::on(USER).entry("rt_target:rt_plain").start()?;
        cue.pause()?;
        target.run("plain 5")?;
        check_eq!(
            trace.session.status()?.state,
            abi::RTRACE_STATE_RUNNING,
            "bob's"
        );
        check_eq!(trace.finish()?.entry_row("rt_plain")?.recorded, 5, "bob's");
        Ok(())
    })?;
    bob.ready()?;
    let mut dave = Actor::of("dave", |cue| {
        let quiet = Plan::on(SYSTEM).entry("rt_target:rt_value").start()?;
        let mut busy = Plan::on(SYSTEM).entry("rt_target:rt_plain").start()?;
        cue.ready()?;
        let status = loop {
            busy.read()?;
            let status = busy.session.status()?;
            if status.state != abi::RTRACE_STATE_RUNNING {
                break status;
            }
            sys::poll(&busy.session.fd, libc::POLLPRI, 100)?;
        };
        check_eq!(
            (status.state, status.reason),
            (abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_EVENTS)
        );
        let text = busy.session.last_error()?.0;
        for part in ["more events a second", "events_per_uid"] {
            check!(text.contains(part), "{part} is not in {text}");
        }
        check_eq!(
            quiet.session.status()?.state,
            abi::RTRACE_STATE_RUNNING,
            "dave's quiet one"
        );
        quiet.finish().map(drop)
    })?;
    dave.ready()?;
    // Root may have as many as he likes.
    let roots = Plan::new().entry("rt_target:rt_plain").start()?;
    let stop = Path::new("/tmp/rt-events-stop");
    let _ = fs::remove_file(stop);
    let storm = Actor::start(|_| {
        let target = Target::open()?;
        while !stop.exists() {
            target.run("plain 3000")?;
        }
        Ok(())
    })?;
    let ended = dave.end();
    fs::write(stop, "")?;
    storm.end()?;
    fs::remove_file(stop)?;
    ended?;
    let state = roots.session.status()?.state;
    check_eq!(state, abi::RTRACE_STATE_RUNNING, "root's");
    bob.go()?;
    bob.end()
}

/// Those of a session that is closed count as well.
pub fn of_closed(_: &Options) -> Outcome {
    /// Where the guard looks between the calls and the close, it ends the busy one.
    const TRIES: usize = 20;
    let target = Target::open()?;
    let _limits = Parameters::set(&[("events_per_uid", 100)])?;
    play("bob", || {
        let start = |name: &str, function: &str| -> Outcome<Session> {
            let session = open(USER)?;
            session.add(function, abi::RTRACE_PROBE_ENTRY)?;
            session.publish(name)?;
            session.start()?;
            Ok(session)
        };
        let reason = |session: &Session| Ok::<_, Failure>(session.status()?.reason);
        let quiet = start("quiet", "rt_target:rt_value")?;
        // From its second count on the guard ends anybody.
        let first = start("first", "rt_target:rt_plain")?;
        let ends = || {
            target.run("plain 3000")?;
            Ok(reason(&first)? == abi::RTRACE_REASON_EVENTS)
        };
        waiting::until(ends, || "the first busy one lives on".into())?;
        for _ in 0..TRIES {
            let busy = start("busy", "rt_target:rt_plain")?;
            let observer = open(USER)?;
            observer.observe("busy")?;
            target.run("value 5")?;
            target.run("plain 3000")?;
            drop(busy);
            if reason(&observer)? != abi::RTRACE_REASON_CLOSED {
                continue;
            }
            target.run("value 5")?;
            let ends = || Ok(reason(&quiet)? == abi::RTRACE_REASON_EVENTS);
            waiting::until(ends, || "the other one lives on".into())?;
            let why = reason(&observer)?;
            check_eq!(why, abi::RTRACE_REASON_CLOSED, "why the busy one ended");
            return Ok(());
        }
        Err(fail("the guard ended each busy one before it was closed"))
    })
}
