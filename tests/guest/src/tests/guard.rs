// SPDX-License-Identifier: GPL-2.0-only
//! The deadman: who gives no sign of life, or burdens a CPU, is ended, and nobody else.
//!
//! Another session looks on by SESSIONS, which is no sign of life of those that it lists. Time is
//! the guest's own.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::Actor;
use crate::guest;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::program::{Code, Program};
use crate::ring::Ring;
use crate::session::{Command as _, Refused, SYSTEM, Session, USER};
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting;

group! { "guard":
    "a session whose reader gives no sign of life dies when the time is up, and says why" => silent,
    "a command, a poll or a moved consumer position keeps a session alive" => signs,
    "a reader that sleeps in poll is there" => sleeper,
    "what the module does not know is no sign of life" => no_sign,
    "that somebody else who holds the session is refused is no sign of life" => no_sign_of_others,
    "idle and stopped sessions may be silent, and all may without a deadman" => patience,
    "of sessions that take too much of a CPU the busiest dies, and no other" => busiest,
    "a session that burdens a CPU dies though it may see nothing there" => blind,
    "where the end of one session does not help, the next ends sooner than the first did" => next_one,
    "who was ended for its burden starts nothing for as long as that took, and others do" => barred,
    "without a limit on the burden nobody dies of it" => no_burden,
    "who runs long programs seldom dies of the burden, and not who runs short ones often" => long_programs,
}

const SECOND: u64 = 1_000_000_000;

/// The state and the reason of a session, as another one sees them.
fn seen(by: &Session, id: u64) -> Outcome<(u32, u32)> {
    let sessions = by.sessions()?;
    let one = sessions.iter().find(|one| one.head.id == id);
    let one = one.ok_or_else(|| fail(format!("session {id} is not listed")))?;
    Ok((one.head.state, one.head.reason))
}

fn is_dead(by: &Session, id: u64) -> Outcome<bool> {
    Ok(seen(by, id)?.0 == abi::RTRACE_STATE_DEAD)
}

/// Waits until a session is dead, does `meanwhile` again and again, and returns when it was seen.
fn await_death(by: &Session, id: u64, mut meanwhile: impl FnMut() -> Outcome) -> Outcome<u64> {
    let dies = || {
        let dead = is_dead(by, id)?;
        if !dead {
            meanwhile()?;
        }
        Ok(dead)
    };
    waiting::until(dies, || format!("session {id} lives on"))?;
    Ok(sys::now())
}

fn id_of(trace: &Trace) -> Outcome<u64> {
    Ok(trace.session.status()?.id)
}

/// A dead session says so everywhere, has nothing attached, and keeps what it recorded.
fn check_dead(mut trace: Trace, reason: u32, word: &str) -> Outcome<Ledger> {
    let detached = || Ok(trace.session.status()?.attached == 0);
    waiting::until(detached, || "it is not detached".into())?;
    let status = trace.session.status()?;
    check_eq!(
        (status.state, status.reason),
        (abi::RTRACE_STATE_DEAD, reason)
    );
    let ready = sys::poll(&trace.session.fd, libc::POLLIN, 0)?;
    check!(ready & libc::POLLHUP != 0, "poll: {ready:#x}");
    match trace.session.start() {
        Err(refused) => {
            check_eq!(refused.errno, Errno::CANCELED);
            check!(refused.text.contains(word), "{}", refused.text);
        }
        Ok(_) => return Err(fail("it starts again")),
    }
    trace.read()?;
    let ledger = Ledger::audit(&trace.session)?;
    let mut read = std::collections::BTreeMap::new();
    for event in &trace.events {
        if !matches!(event.what, crate::trace::What::Lost(_)) {
            *read.entry((event.probe, event.cpu)).or_insert(0) += 1;
        }
    }
    ledger.matches_records(&read)?;
    for ring in &trace.rings {
        let page = ring.status_page();
        check_eq!(
            (page.state, page.reason),
            (abi::RTRACE_STATE_DEAD, reason),
            "in the status page of CPU {}",
            ring.cpu
        );
    }
    Ok(ledger)
}

fn plain() -> Plan {
    Plan::new().both("rt_target:rt_plain")
}

fn silent(_: &Options) -> Outcome {
    let _parameters = Parameters::set(&[("deadman_seconds", 2)])?;
    let (target, watcher) = (Target::open()?, Session::open()?);
    let trace = plain().start()?;
    // Not after the sign itself.
    let last_sign = sys::now();
    let id = id_of(&trace)?;
    target.run("plain 100")?;
    let seen_dead = await_death(&watcher, id, || Ok(()))?;
    check!(
        seen_dead - last_sign >= 2 * SECOND,
        "dead after {} ns",
        seen_dead - last_sign
    );
    // The list tells that it is to end; the rings, that nothing fires any more.
    let is_dead = |ring: &Ring| ring.status_page().state == abi::RTRACE_STATE_DEAD;
    waiting::until(
        || Ok(trace.rings.iter().all(is_dead)),
        || "its rings live on".into(),
    )?;
    target.run("plain 50")?;
    let why = "systemic unresponsiveness";
    let ledger = check_dead(trace, abi::RTRACE_REASON_SILENT, why)?;
    check_eq!(ledger.total().fired, 200, "firings before the end");
    check!(
        !guest::enabled_functions()?.contains("rt_plain"),
        "it is still attached"
    );
    Ok(())
}

fn signs(_: &Options) -> Outcome {
    const DEADMAN: u64 = 4;
    let _parameters = Parameters::set(&[("deadman_seconds", DEADMAN)])?;
    let (target, watcher) = (Target::open()?, Session::open()?);
    let (commands, polls, dead) = (plain().start()?, plain().start()?, plain().start()?);
    let mut consumes = plain().start()?;
    let ids = [id_of(&commands)?, id_of(&polls)?, id_of(&consumes)?];
    let dead_id = id_of(&dead)?;
    let mut give_signs = || -> Outcome {
        target.run("plain 10")?;
        commands.session.status()?;
        sys::poll(&polls.session.fd, libc::POLLIN, 0)?;
        for ring in &mut consumes.rings {
            ring.read(&mut |_, _| ())?;
        }
        Ok(())
    };
    let mut until = await_death(&watcher, dead_id, &mut give_signs)?;
    until += 2 * DEADMAN * SECOND;
    while sys::now() < until {
        give_signs()?;
    }
    for id in ids {
        check_eq!(
            seen(&watcher, id)?.0,
            abi::RTRACE_STATE_RUNNING,
            "of the session that gave signs"
        );
    }
    check_eq!(seen(&watcher, dead_id)?.1, abi::RTRACE_REASON_SILENT);
    commands.finish()?;
    polls.finish()?;
    consumes.session.stop()?;
    Ok(())
}

fn sleeper(_: &Options) -> Outcome {
    const DEADMAN: u64 = 3;
    let _parameters = Parameters::set(&[("deadman_seconds", DEADMAN)])?;
    let watcher = Session::open()?;
    let (asleep, dead) = (plain().start()?, plain().start()?);
    let (id, dead_id) = (id_of(&asleep)?, id_of(&dead)?);
    let fd = asleep.session.fd.try_clone()?;
    let poller = thread::spawn(move || sys::poll(&fd, libc::POLLIN, -1));
    let until = await_death(&watcher, dead_id, || Ok(()))? + 2 * DEADMAN * SECOND;
    while sys::now() < until {
        check!(!poller.is_finished(), "poll came back: nobody called");
        sys::give_way();
    }
    check_eq!(seen(&watcher, id)?.0, abi::RTRACE_STATE_RUNNING);
    asleep.session.stop()?;
    poller.join().map_err(|_| fail("the poller panicked"))??;
    Ok(())
}

fn no_sign(_: &Options) -> Outcome {
    let _parameters = Parameters::set(&[("deadman_seconds", 2)])?;
    let watcher = Session::open()?;
    let trace = plain().start()?;
    let id = id_of(&trace)?;
    await_death(&watcher, id, || {
        check_eq!(
            sys::ioctl_at(&trace.session.fd, 0xc008_b77f, 0),
            Err(Errno::NOTTY)
        );
        Ok(())
    })?;
    check_eq!(seen(&watcher, id)?.1, abi::RTRACE_REASON_SILENT);
    Ok(())
}

fn no_sign_of_others(_: &Options) -> Outcome {
    let _parameters = Parameters::set(&[("deadman_seconds", 2)])?;
    let watcher = Session::open()?;
    let trace = plain().start()?;
    let id = id_of(&trace)?;
    let mut holder = Actor::start(|cue| {
        cue.ready()?;
        while sys::poll(cue.heard(), libc::POLLIN, 0)? == 0 {
            // To ask why would be a sign.
            let mut start = abi::rtrace_start::default().sized();
            let answer = sys::ioctl(&trace.session.fd, abi::rtrace_start::NUMBER, &mut start);
            check_eq!(answer, Err(Errno::PERM));
        }
        Ok(())
    })?;
    holder.ready()?;
    let died = await_death(&watcher, id, || Ok(()));
    holder.go()?;
    holder.end()?;
    died?;
    check_eq!(seen(&watcher, id)?.1, abi::RTRACE_REASON_SILENT);
    Ok(())
}

fn patience(_: &Options) -> Outcome {
    let watcher = Session::open()?;
    {
        let _parameters = Parameters::set(&[("deadman_seconds", 1)])?;
        let idle = Session::open()?;
        let stopped = plain().start()?;
        stopped.session.stop()?;
        let ids = [idle.status()?.id, id_of(&stopped)?];
        let dead = plain().start()?;
        let until = await_death(&watcher, id_of(&dead)?, || Ok(()))? + 3 * SECOND;
        while sys::now() < until {
            sys::give_way();
        }
        for id in ids {
            check!(!is_dead(&watcher, id)?, "session {id} is dead");
        }
    }
    let _parameters = Parameters::set(&[("deadman_seconds", 0)])?;
    let silent = plain().start()?;
    let id = id_of(&silent)?;
    let until = sys::now() + 3 * SECOND;
    while sys::now() < until {
        sys::give_way();
    }
    check_eq!(seen(&watcher, id)?.0, abi::RTRACE_STATE_RUNNING);
    silent.finish()?;
    Ok(())
}

/// Calls rt_plain at full speed on all CPUs until the other part is done. While one storm ends and the next
/// begins there is another, so that the guard never finds a CPU at rest.
fn under_load<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let done = AtomicBool::new(false);
    let load = || -> Outcome {
        let target = Target::open()?;
        while !done.load(Ordering::Relaxed) {
            target.run("storm 4 5000")?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let loads = [scope.spawn(load), scope.spawn(load)];
        let result = work();
        done.store(true, Ordering::Relaxed);
        for load in loads {
            load.join().map_err(|_| fail("the load panicked"))??;
        }
        result
    })
}

fn busiest(_: &Options) -> Outcome {
    // Less than what the busy one takes by any way on any kernel, and more than the calm one when it is alone.
    let _parameters = Parameters::set(&[("burden_percent", 4), ("burden_seconds", 2)])?;
    let watcher = Session::open()?;
    let busy = plain().ring(abi::RTRACE_RING_MIN.into()).start()?;
    let calm = Plan::new().entry("rt_target:rt_yield").start()?;
    let still = Plan::new().both("rt_target:rt_wide").start()?;
    let ids = [id_of(&calm)?, id_of(&still)?];
    let busy_id = id_of(&busy)?;
    under_load(|| {
        let begun = sys::now();
        let dead = await_death(&watcher, busy_id, || {
            // The guard is not told of silence here.
            busy.session.status()?;
            Ok(())
        })?;
        check!(dead - begun >= SECOND, "dead after {} ns", dead - begun);
        for id in ids {
            check!(!is_dead(&watcher, id)?, "session {id} is dead as well");
        }
        Ok(())
    })?;
    check_dead(busy, abi::RTRACE_REASON_BURDEN, "too much of a CPU")?;
    // The last of the calm one may have had its turn since; who never fired has not.
    check!(!is_dead(&watcher, ids[1])?, "one that never fired is dead");
    Ok(())
}

/// Starts a session on a node, if that is allowed.
fn start_one(node: &str) -> Outcome<Result<(), Refused>> {
    let session = Session::open_as(node, libc::O_RDWR).map_err(|errno| fail(format!("{errno}")))?;
    session.add("rt_target:rt_wide", abi::RTRACE_PROBE_ENTRY)?;
    Ok(session.start().map(drop))
}

/// Waits until the user may start sessions, who had one ended for its burden.
fn may_start_again() -> Outcome {
    let starts = || Ok(start_one(USER)?.is_ok());
    waiting::until(starts, || "its user never starts any again".into())
}

fn next_one(_: &Options) -> Outcome {
    const BURDEN: u64 = 16;
    let _parameters = Parameters::set(&[("burden_percent", 1), ("burden_seconds", BURDEN)])?;
    let watcher = Session::open()?;
    let both = [plain().start()?, plain().start()?];
    let ids = [id_of(&both[0])?, id_of(&both[1])?];
    let ends = under_load(|| {
        let mut ends = Vec::new();
        let all_dead = || {
            let dead = ids.map(|id| is_dead(&watcher, id));
            for one in &both {
                // The guard is not told of silence here.
                one.session.status()?;
            }
            let [first, second] = dead;
            let count = usize::from(first?) + usize::from(second?);
            while ends.len() < count {
                ends.push(sys::now());
            }
            Ok(count == both.len())
        };
        waiting::until(all_dead, || "one of them lives on".into())?;
        Ok(ends)
    })?;
    let between = ends[1] - ends[0];
    check!(between < BURDEN * SECOND, "{between} ns between the ends");
    for one in both {
        check_dead(one, abi::RTRACE_REASON_BURDEN, "too much of a CPU")?;
    }
    Ok(())
}

/// Has a session of bob's ended for its burden, which he was not to see; then others do something, and then bob.
fn after_burden(
    seconds: u64,
    others: impl FnOnce() -> Outcome,
    then: impl FnOnce(Session) -> Outcome,
) -> Outcome {
    // Of silence nobody is to die here: bob waits.
    let parameters = [
        ("burden_percent", 1),
        ("burden_seconds", seconds),
        ("deadman_seconds", 0),
    ];
    let _parameters = Parameters::set(&parameters)?;
    let watcher = Session::open()?;
    let mut bob = Actor::of("bob", |cue| {
        let session =
            Session::open_as(USER, libc::O_RDWR).map_err(|errno| fail(format!("bob: {errno}")))?;
        session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        session.start()?;
        cue.tell(session.status()?.id)?;
        cue.pause()?;
        then(session)?;
        // Nor are those who come after us to be refused.
        may_start_again()
    })?;
    let id = bob.number()?;
    bob.ready()?;
    under_load(|| await_death(&watcher, id, || Ok(())))?;
    others()?;
    bob.go()?;
    bob.end()
}

fn barred(_: &Options) -> Outcome {
    let dave = || Actor::of("dave", |_| Ok(start_one(SYSTEM)??))?.end();
    // On a slow machine bob comes late, and must still be refused.
    after_burden(10, dave, |session| {
        // Nor does it help to close all that he has.
        drop(session);
        let Err(refused) = start_one(USER)? else {
            return Err(fail("bob starts another at once"));
        };
        check_eq!(refused.errno, Errno::AGAIN, "{refused}");
        check!(
            refused.text.contains("start this one in"),
            "{}",
            refused.text
        );
        Ok(())
    })
}

fn long_programs(_: &Options) -> Outcome {
    // ns between two ticks: in so long a time, handlers that take no more than 50 µs are no burden.
    const PERIOD: u64 = 8_000_000;
    let _parameters = Parameters::set(&[("burden_percent", 1), ("burden_seconds", 1)])?;
    let watcher = Session::open()?;
    let long = (0..4).fold(Program::new(), |program, _| {
        let code = (0..16_000).fold(Code::new(), |code, _| code.set(1, 1));
        program.clause(1, 0, code.ret())
    });
    let session = Session::open()?;
    session.load(&long)?;
    session.add_own(abi::RTRACE_KIND_TICK, 1, PERIOD, "tick-8ms")?;
    let target = Target::open()?;
    let often = plain().start()?;
    let often_id = id_of(&often)?;
    // A lead of seconds, for who gets no CPU beside the ticks.
    target.run("plain 400")?;
    session.start()?;
    let id = session.status()?.id;
    let fired = |session: &Session| -> Outcome<u64> {
        Ok(session.ledger(0)?.iter().map(|row| row.fired).sum())
    };
    let mut oftener = false;
    await_death(&watcher, id, || {
        // The guard is not told of silence here.
        session.status()?;
        // More often than the ticks, however late we come, but not for as long.
        let ahead = fired(&session)?.saturating_sub(fired(&often.session)?);
        // Ticks may leave us little of the CPU: more of them come meanwhile.
        target.run(&format!("plain {}", 3 * ahead + 10))?;
        let (short, long) = (fired(&often.session)?, fired(&session)?);
        oftener |= short > long;
        check!(
            !is_dead(&watcher, often_id)?,
            "dead after {short} firings, and {long} of the other"
        );
        Ok(())
    })?;
    check_eq!(session.status()?.reason, abi::RTRACE_REASON_BURDEN);
    check!(oftener, "it never had fired more often than the other");
    Ok(())
}

fn blind(_: &Options) -> Outcome {
    after_burden(
        1,
        || Ok(()),
        |session| {
            let ready = sys::poll(&session.fd, libc::POLLPRI, 60_000)?;
            check!(ready & libc::POLLHUP != 0, "bob is not told: {ready:#x}");
            let status = session.status()?;
            check_eq!(
                (status.state, status.reason),
                (abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_BURDEN)
            );
            let fired: u64 = session.ledger(0)?.iter().map(|row| row.fired).sum();
            check_eq!(fired, 0, "firings that are shown to bob");
            Ok(())
        },
    )
}

fn no_burden(_: &Options) -> Outcome {
    let _parameters = Parameters::set(&[("burden_percent", 0), ("burden_seconds", 1)])?;
    let watcher = Session::open()?;
    let trace = plain().ring(abi::RTRACE_RING_MIN.into()).start()?;
    let id = id_of(&trace)?;
    under_load(|| {
        let until = sys::now() + 4 * SECOND;
        while sys::now() < until {
            check!(!is_dead(&watcher, id)?, "dead of {:?}", seen(&watcher, id)?);
            sys::give_way();
        }
        Ok(())
    })?;
    // As they are set, a load like this is borne.
    let percent = fs::read_to_string("/sys/module/rust_tracer/parameters/burden_percent")?;
    check_eq!(percent.trim(), "0");
    trace.finish()?;
    Ok(())
}
