// SPDX-License-Identifier: GPL-2.0-only
//! A signal at any wait: the process ends, is interrupted, or is stopped and goes on, and the
//! session with it, cleanly.
//!
//! A command is made once to see how long it takes; then signals come at points spread over that.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};

use rust_tracer::abi;
use rustix::io::Errno;

use crate::guest;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::ring::Ring;
use crate::session::Session;
use crate::sys::{self, Child, Ended};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "signals":
    "a signal at any point of the START of more than a thousand probes" => start,
    "a signal at any point of a STOP" => stop,
    "a signal at any point of a close" => close,
    "a signal to a reader that sleeps in poll" => poll,
    "a signal at any point of READ" => read,
    "a signal at any point of mmap" => mmap,
}

/// What the process does when the signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Start,
    Stop,
    Close,
    Poll,
    Read,
    Mmap,
}

/// What comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// SIGKILL.
    Kill,
    /// SIGINT, which the process catches and goes on after.
    Interrupt,
    /// SIGSTOP, and SIGCONT when it has stopped.
    Stop,
    /// Nothing, to see how long it takes.
    Nothing,
}

const RING: u64 = abi::RTRACE_RING_MIN as u64;
const NAME: &str = "rt-signals";
/// How often the short waits are made.
const ROUNDS: u32 = 200;

/// Both probes of a function.
const BOTH: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;

fn session(pattern: &str, kinds: u32) -> Outcome<Session> {
    let session = Session::open()?;
    check!(session.add(pattern, kinds)?.matched > 0, "{pattern}");
    session.configure(abi::rtrace_config {
        ring_bytes: RING,
        watermark: 1,
        ..Default::default()
    })?;
    Ok(session)
}

/// The sums of a session's ledger obey its law.
fn check_sums(session: &Session) -> Outcome {
    let both = abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES;
    for row in session.ledger(both)? {
        check_eq!(
            row.fired,
            row.recorded + row.filtered + row.dropped.iter().sum::<u64>()
        );
        check_eq!(
            row.entered,
            row.returned + row.in_flight + row.passed + row.missed.iter().sum::<u64>()
        );
    }
    Ok(())
}

/// The process: tells when it begins to wait, and when the wait is over.
fn victim(wait: Wait, mut tell: &File) -> Outcome {
    let mut say = |mark: &[u8]| -> Outcome { Ok(tell.write_all(mark)?) };
    match wait {
        Wait::Start => {
            // So many that a START takes its time, and few enough that a guest without KVM is not
            // busy with their handlers alone.
            let session = session("vmlinux:*_st*", BOTH)?;
            session.target(std::process::id() as i32)?;
            say(b"b")?;
            let started = session.start()?;
            say(b"e")?;
            check!(started.attached > 1_000, "only {} probes", started.attached);
            session.stop()?;
            check_sums(&session)
        }
        Wait::Stop | Wait::Close => {
            let session = session("vmlinux:v*", BOTH)?;
            session.target(std::process::id() as i32)?;
            session.start()?;
            say(b"b")?;
            if wait == Wait::Stop {
                session.stop()?;
                say(b"e")?;
                return check_sums(&session);
            }
            drop(session);
            say(b"e")
        }
        Wait::Poll => {
            let session = session("rt_target:rt_plain", BOTH)?;
            session.start()?;
            say(b"b")?;
            let result = sys::poll(&session.fd, libc::POLLIN, -1);
            check!(matches!(result, Ok(_) | Err(Errno::INTR)), "{result:?}");
            say(b"e")?;
            session.stop()?;
            check_sums(&session)
        }
        Wait::Read => {
            let observer = Session::open()?;
            observer.observe(NAME)?;
            say(b"b")?;
            let mut position = 0;
            for _ in 0..ROUNDS {
                let copied = observer.read(0, position, 1 << 18)?;
                check!(copied.position >= position, "it goes back");
                position = copied.position;
            }
            say(b"e")
        }
        Wait::Mmap => {
            let session = session("rt_target:rt_plain", BOTH)?;
            session.start()?;
            say(b"b")?;
            for _ in 0..ROUNDS {
                Ring::map(&session, 0, RING)?;
            }
            say(b"e")?;
            session.stop()?;
            check_sums(&session)
        }
    }
}

/// The state letter of a process.
fn state(pid: i32) -> Outcome<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.ok_or_else(|| fail(stat))
}

/// Waits until a process sleeps in poll(2).
fn await_poll(pid: i32) -> Outcome {
    let wchan = format!("/proc/{pid}/wchan");
    while !fs::read_to_string(&wchan)?.contains("poll") {
        sys::give_way();
    }
    Ok(())
}

/// Sends a signal so many ns after the wait has begun; returns how long the wait was.
fn strike(wait: Wait, sent: Sent, after: u64) -> Outcome<u64> {
    let (mut told, tell) = sys::pipe()?;
    let child = Child::start(|| {
        if sent == Sent::Interrupt {
            sys::catch(libc::SIGINT);
        }
        match victim(wait, &tell) {
            Ok(()) => 0,
            Err(why) => {
                println!("{wait:?}, {sent:?} after {after} ns: {why}");
                1
            }
        }
    })?;
    drop(tell);
    told.read_exact(&mut [0u8; 1])?;
    let begun = sys::now();
    if wait == Wait::Poll {
        await_poll(child.0)?;
    }
    while sys::now() - begun < after {
        std::hint::spin_loop();
    }
    match sent {
        Sent::Kill => child.signal(libc::SIGKILL)?,
        Sent::Interrupt => child.signal(libc::SIGINT)?,
        Sent::Stop => {
            child.signal(libc::SIGSTOP)?;
            while !matches!(state(child.0)?, 'T' | 'Z') {
                sys::give_way();
            }
            child.signal(libc::SIGCONT)?;
        }
        Sent::Nothing => {}
    }
    if wait == Wait::Poll && matches!(sent, Sent::Stop | Sent::Nothing) {
        Target::open()?.run("plain 1")?;
    }
    let mut rest = Vec::new();
    told.read_to_end(&mut rest)?;
    let took = sys::now() - begun;
    let ended = child.wait()?;
    let killed = sent == Sent::Kill && ended == Ended::Signal(libc::SIGKILL);
    check!(
        killed || ended == Ended::Exit(0),
        "{wait:?}, {sent:?} after {after} ns: {ended:?}"
    );
    Ok(took)
}

/// Each signal at so many points of a wait, or a share of them; nothing is attached afterwards, and the module is
/// nobody's.
fn strikes(options: &Options, wait: Wait, points: u64) -> Outcome {
    let points = options.share_of(points);
    let before = guest::enabled_functions()?;
    let references = guest::references();
    let whole = strike(wait, Sent::Nothing, 0)?;
    let mut counts = BTreeMap::new();
    for sent in [Sent::Kill, Sent::Interrupt, Sent::Stop] {
        for point in 0..points {
            strike(wait, sent, whole * point / points)?;
            check_eq!(
                guest::references(),
                references,
                "the module's references after {sent:?} in {wait:?}"
            );
            check!(
                guest::enabled_functions()? == before,
                "functions stay enabled after {sent:?} in {wait:?}"
            );
            *counts.entry(format!("{sent:?}")).or_insert(0) += 1;
            // A word now and then: with tens of thousands of probes each takes long.
            println!("{wait:?}, {sent:?}: {} of {points}", point + 1);
        }
    }
    println!("{wait:?} of {} ms: {counts:?}", whole / 1_000_000);
    Ok(())
}

fn start(options: &Options) -> Outcome {
    strikes(options, Wait::Start, 3)
}

fn stop(options: &Options) -> Outcome {
    strikes(options, Wait::Stop, 5)
}

fn close(options: &Options) -> Outcome {
    strikes(options, Wait::Close, 5)
}

fn poll(options: &Options) -> Outcome {
    strikes(options, Wait::Poll, 5)
}

fn read(options: &Options) -> Outcome {
    // Who is observed gives no sign of life here.
    let _parameters = Parameters::set(&[("deadman_seconds", 0)])?;
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    trace.session.publish(NAME)?;
    Target::open()?.run_on(0, "plain 3000")?;
    strikes(options, Wait::Read, 8)?;
    trace.finish()?;
    Ok(())
}

fn mmap(options: &Options) -> Outcome {
    strikes(options, Wait::Mmap, 8)
}
