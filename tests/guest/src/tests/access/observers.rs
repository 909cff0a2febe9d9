// SPDX-License-Identifier: GPL-2.0-only
//! Whoever may read a node may look on at a session that is published there, and do nothing else.

use std::process::Command;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, play};
use crate::options::Options;
use crate::session::{Answer, Command as _, KERNEL, READ_MIN, Session};
use crate::sys;
use crate::target::{Target, plain_args};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting;

group! { "access, observers":
    "whoever may read the node reads a published session's records, byte for byte as its owner" => read_only,
    "two observers read the same bytes, each at a position of its own" => two,
    "an observer arms, stops, maps and changes nothing" => nothing_else,
    "an observer that does not read costs the owner no record" => idle_observer,
    "an observer that comes too late is told how much it missed" => skipped,
    "a flight recorder can be observed from its oldest record on" => recorder,
    "when the owner closes, observers read the rest for as long as the header says" => lingering,
    "an observer that may not read the node any more is put out, and the owner is not" => revoked_observer,
    "an observer of a session that is revoked hears it" => revoked_subject,
    "an observer that sleeps hears of the end of a session that was never started" => idle_subject,
}

/// Carol may read that node while this is done.
pub fn with_reader(node: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    let acl = |option: &str, entry: &str| -> Outcome {
        let status = Command::new("setfacl")
            .args([option, entry, node])
            .status()?;
        check!(
            status.success(),
            "setfacl {option} {entry} {node}: {status}"
        );
        Ok(())
    };
    acl("-m", "u:carol:r")?;
    let done = work();
    acl("-x", "u:carol")?;
    done
}

/// Everything of a CPU's ring from a position on.
fn drain(observer: &Session, cpu: u32, mut position: u64) -> Answer<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let copied = observer.read(cpu, position, READ_MIN)?;
        if copied.bytes.is_empty() {
            return Ok(all);
        }
        position = copied.position + copied.bytes.len() as u64;
        all.extend_from_slice(&copied.bytes);
    }
}

/// The first arguments of the entry records in these bytes.
fn first_arguments(bytes: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while rest.len() >= 8 {
        let word = |at: usize| {
            let mut word = [0u8; 8];
            word.copy_from_slice(&rest[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let info = word(0) as u32;
        let length = (info & 0xff_ffff) as usize;
        if length < 8 || length > rest.len() {
            break;
        }
        if (info >> 24) & 0xf == abi::RTRACE_RECORD_ENTRY {
            found.push(word(32));
        }
        rest = &rest[length..];
    }
    found
}

/// A trace of rt_plain's entries, published.
fn published(name: &str, ring: u64) -> Outcome<Trace> {
    let trace = Plan::new().entry("rt_target:rt_plain").ring(ring).start()?;
    trace.session.publish(name)?;
    Ok(trace)
}

fn cpus_of(trace: &Trace) -> Vec<u32> {
    trace.rings.iter().map(|ring| ring.cpu).collect()
}

fn read_only(_: &Options) -> Outcome {
    let target = Target::open()?;
    with_reader(KERNEL, || {
        let mut trace = published("read-only", 1 << 20)?;
        target.run_on(0, "plain 100")?;
        let cpus = cpus_of(&trace);
        play("carol", || {
            let Err(errno) = Session::open_as(KERNEL, libc::O_RDWR) else {
                return Err(fail("carol may write"));
            };
            check_eq!(errno, Errno::ACCESS);
            let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
            let found = observer.sessions()?;
            let named: Vec<_> = found.iter().filter(|s| s.name == "read-only").collect();
            check_eq!(named.len(), 1, "sessions of that name in {found:?}");
            let head = named[0].head;
            check_eq!(head.flags & abi::RTRACE_SESSION_PUBLISHED, 2, "published");
            check_eq!((head.fired, head.recorded), (100, 100), "in the list");
            let id = observer.observe("read-only")?;
            check_eq!(id, head.id);
            check_eq!(observer.status()?.id, id, "the id in STATUS");
            check_eq!(observer.probes()?.len(), 1, "probes");
            check_eq!(observer.ledger(7)?[0].recorded, 100, "in the ledger");
            let bytes = drain(&observer, cpus[0], 0)?;
            check_eq!(first_arguments(&bytes), (0..100).collect::<Vec<_>>());
            // Again, from the beginning: reading takes nothing away.
            check_eq!(drain(&observer, cpus[0], 0)?, bytes, "the second time");
            // The position it stopped at has no more.
            check_eq!(
                observer
                    .read(cpus[0], bytes.len() as u64, READ_MIN)?
                    .bytes
                    .len(),
                0
            );
            Ok(())
        })?;
        trace.read()?;
        let seen: Vec<_> = trace.events.iter().map(|event| event.args()).collect();
        check_eq!(
            seen,
            (0..100).map(plain_args).collect::<Vec<_>>(),
            "the owner's"
        );
        trace.finish().map(drop)
    })
}

fn two(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut trace = published("two", 1 << 20)?;
    target.run_on(0, "plain 50")?;
    let (one, other) = (
        Session::open_as(KERNEL, libc::O_RDONLY)?,
        Session::open_as(KERNEL, libc::O_RDONLY)?,
    );
    one.observe("two")?;
    other.observe_id(trace.session.status()?.id)?;
    let first = drain(&one, 0, 0)?;
    // In between more comes, and the owner reads.
    target.run_on(0, "plain 50")?;
    trace.read()?;
    let rest = drain(&one, 0, first.len() as u64)?;
    let all = drain(&other, 0, 0)?;
    check_eq!(
        [first, rest].concat(),
        all,
        "one in two parts, the other at once"
    );
    check_eq!(first_arguments(&all).len(), 100, "records");
    let lists = one.sessions()?;
    let observers = lists
        .iter()
        .filter(|s| s.head.flags & abi::RTRACE_SESSION_OBSERVER != 0);
    check_eq!(observers.count(), 2, "observers in the list");
    trace.finish().map(drop)
}

fn nothing_else(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = published("nothing-else", 1 << 16)?;
    let id = trace.session.status()?.id;
    with_reader(KERNEL, || {
        play("carol", || {
            let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
            observer.observe("nothing-else")?;
            let answers = [
                ("ADD", observer.add("rt_target:rt_value", 1).map(drop)),
                (
                    "CONFIG",
                    observer.configure(abi::rtrace_config::default()).map(drop),
                ),
                ("TARGET", observer.target(1)),
                ("START", observer.start().map(drop)),
                ("STOP", observer.stop()),
                ("PUBLISH", observer.publish("mine")),
                ("REVOKE", observer.revoke(id).map(drop)),
            ];
            for (what, answer) in answers {
                let Err(refused) = answer else {
                    return Err(fail(format!("{what} by an observer")));
                };
                check_eq!(refused.errno, Errno::BADF, "{what}: {refused}");
            }
            for (area, length) in [
                (abi::AREA_STATUS, 4096),
                (abi::AREA_DATA, 1 << 16),
                (abi::AREA_CONSUMER, 4096),
            ] {
                let mapped = observer.map(0, area, length);
                check!(mapped.is_err(), "an observer maps {area:#x}");
            }
            Ok(())
        })
    })?;
    // One that may write the node does no more to a session that is not his.
    play("alice", || {
        let observer = Session::open_as(KERNEL, libc::O_RDWR)?;
        observer.observe("nothing-else")?;
        let answers = [
            (
                "ADD",
                observer.add("rt_target:rt_value", 1).map(drop),
                Errno::BUSY,
            ),
            ("TARGET", observer.target(1), Errno::BUSY),
            ("START", observer.start().map(drop), Errno::BUSY),
            ("STOP", observer.stop(), Errno::INVAL),
            ("PUBLISH", observer.publish("mine"), Errno::BUSY),
            (
                "OBSERVE",
                observer.observe("nothing-else").map(drop),
                Errno::BUSY,
            ),
            ("REVOKE", observer.revoke(id).map(drop), Errno::PERM),
        ];
        for (what, answer, errno) in answers {
            let Err(refused) = answer else {
                return Err(fail(format!("{what} by an observer who may write")));
            };
            check_eq!(refused.errno, errno, "{what}: {refused}");
            check!(!refused.text.is_empty(), "nothing is said about {what}");
        }
        check_eq!(
            observer.map(0, abi::AREA_STATUS, 4096).err(),
            Some(Errno::NXIO)
        );
        Ok(())
    })?;
    target.run("plain 20")?;
    check_eq!(trace.finish()?.entry_row("rt_plain")?.recorded, 20);
    Ok(())
}

fn idle_observer(_: &Options) -> Outcome {
    const ROUNDS: u64 = 40;
    let target = Target::open()?;
    // Each round fills half a ring; in all, many rings.
    let mut trace = published("idle", 1 << 16)?;
    let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
    observer.observe("idle")?;
    check_eq!(
        observer.read(0, 0, READ_MIN)?.bytes.len(),
        0,
        "bytes before a call"
    );
    for _ in 0..ROUNDS {
        target.run_on(0, "plain 400")?;
        trace.read()?;
    }
    let row = trace.finish()?.entry_row("rt_plain")?;
    check_eq!(
        (row.fired, row.recorded),
        (ROUNDS * 400, ROUNDS * 400),
        "the owner's ledger"
    );
    Ok(())
}

fn skipped(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut trace = published("skipped", 1 << 16)?;
    let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
    observer.observe("skipped")?;
    target.run_on(0, "plain 10")?;
    let first = drain(&observer, 0, 0)?;
    check_eq!(first_arguments(&first).len(), 10, "records at first");
    for _ in 0..10 {
        target.run_on(0, "plain 400")?;
        trace.read()?;
    }
    let late = observer.read(0, first.len() as u64, READ_MIN)?;
    let published = trace.ring(0)?.published();
    check!(late.skipped > 0, "nothing was skipped");
    check_eq!(
        late.position,
        first.len() as u64 + late.skipped,
        "where it goes on"
    );
    check!(late.position <= published, "beyond what is published");
    // From there on it keeps up again.
    target.run_on(0, "plain 7")?;
    let more = drain(&observer, 0, late.position + late.bytes.len() as u64)?;
    check_eq!(first_arguments(&more).len(), 7, "records afterwards");
    trace.finish().map(drop)
}

fn recorder(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new()
        .entry("rt_target:rt_plain")
        .ring(1 << 16)
        .policy(abi::RTRACE_POLICY_RING)
        .start()?;
    trace.session.publish("recorder")?;
    let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
    observer.observe("recorder")?;
    target.run_on(0, "plain 5000")?;
    let first = observer.read(0, 0, 1 << 17)?;
    check!(first.skipped > 0, "nothing was overwritten");
    let mut all = first.bytes.clone();
    all.extend(drain(
        &observer,
        0,
        first.position + first.bytes.len() as u64,
    )?);
    let seen = first_arguments(&all);
    let oldest = seen.first().copied().unwrap_or(u64::MAX);
    check_eq!(seen, (oldest..5000).collect::<Vec<_>>(), "up to the newest");
    trace.finish().map(drop)
}

fn lingering(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = published("lingering", 1 << 20)?;
    let (observer, late) = (
        Session::open_as(KERNEL, libc::O_RDONLY)?,
        Session::open_as(KERNEL, libc::O_RDONLY)?,
    );
    observer.observe("lingering")?;
    target.run_on(0, "plain 60")?;
    let closed = sys::now();
    drop(trace);
    // At once, nobody new gets in; who was there reads to the end.
    let Err(refused) = late.observe("lingering") else {
        return Err(fail("a closed session is observed"));
    };
    check_eq!(refused.errno, Errno::NOENT, "{refused}");
    check_eq!(
        observer.status()?.reason,
        abi::RTRACE_REASON_CLOSED,
        "the reason"
    );
    let first = drain(&observer, 0, 0);
    let linger = u64::from(abi::RTRACE_LINGER_MS) * 1_000_000;
    if sys::now() < closed + linger {
        check_eq!(
            first_arguments(&first?).len(),
            60,
            "records of a closed session"
        );
    }
    // Until its time is over: then nothing is left of it.
    loop {
        match observer.read(0, 0, READ_MIN) {
            Ok(_) => check!(
                sys::now() < closed + 4 * linger,
                "it can be read long after its time"
            ),
            Err(refused) => {
                check_eq!(refused.errno, Errno::CANCELED, "{refused}");
                check!(refused.text.contains("closed"), "{}", refused.text);
                break;
            }
        }
        sys::poll(&observer.fd, libc::POLLPRI, 100)?;
    }
    check!(
        sys::now() >= closed + linger,
        "it went {} ms too early",
        (closed + linger).saturating_sub(sys::now()) / 1_000_000
    );
    let ready = sys::poll(&observer.fd, libc::POLLIN, 0)?;
    check!(
        ready & libc::POLLHUP != 0,
        "the observer is not told: {ready:#x}"
    );
    Ok(())
}

fn revoked_observer(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = published("put-out", 1 << 20)?;
    target.run_on(0, "plain 10")?;
    let mut carol = None;
    with_reader(KERNEL, || {
        let mut actor = Actor::of("carol", |cue| {
            let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
            observer.observe("put-out")?;
            check_eq!(first_arguments(&drain(&observer, 0, 0)?).len(), 10);
            cue.ready()?;
            let ready = sys::poll(&observer.fd, libc::POLLPRI, 60_000)?;
            check!(ready & libc::POLLHUP != 0, "not told: {ready:#x}");
            let status = observer.status()?;
            check_eq!(
                (status.state, status.reason, status.id),
                (abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_REVOKED, 0)
            );
            let answers = [
                observer.read(0, 0, READ_MIN).map(drop),
                observer.ledger(7).map(drop),
                // STATUS says that there is none: asked for all the same.
                observer.command(&mut abi::rtrace_probes::default().sized()),
            ];
            for answer in answers {
                let Err(refused) = answer else {
                    return Err(fail("an answer after the end"));
                };
                check_eq!(refused.errno, Errno::CANCELED, "{refused}");
            }
            Ok(())
        })?;
        actor.ready()?;
        carol = Some(actor);
        Ok(())
    })?;
    carol.ok_or_else(|| fail("no carol"))?.end()?;
    target.run("plain 10")?;
    check_eq!(
        trace.finish()?.entry_row("rt_plain")?.recorded,
        20,
        "the owner's"
    );
    Ok(())
}

fn revoked_subject(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = published("subject", 1 << 20)?;
    let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
    let id = observer.observe("subject")?;
    target.run_on(0, "plain 10")?;
    Session::open()?.revoke(id)?;
    let ready = sys::poll(&observer.fd, libc::POLLPRI, 60_000)?;
    check!(
        ready & libc::POLLHUP != 0,
        "the observer is not told: {ready:#x}"
    );
    let status = observer.status()?;
    check_eq!(
        (status.state, status.reason),
        (abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_ADMIN)
    );
    // What was recorded stays readable.
    check_eq!(
        first_arguments(&drain(&observer, 0, 0)?).len(),
        10,
        "records"
    );
    // Nobody begins to observe it any more, and its name is free, which its owner can take away from it as well.
    let late = Session::open_as(KERNEL, libc::O_RDWR)?;
    let Err(refused) = late.observe("subject") else {
        return Err(fail("a dead session is observed anew"));
    };
    check_eq!(refused.errno, Errno::NOENT, "{refused}");
    late.publish("subject")?;
    trace.session.publish("")?;
    Ok(())
}

fn idle_subject(_: &Options) -> Outcome {
    for is_revoked in [false, true] {
        // It has no descriptor of the owner's.
        let mut looker = Actor::start(|cue| {
            cue.pause()?;
            let observer = Session::open_as(KERNEL, libc::O_RDONLY)?;
            observer.observe("idle-subject")?;
            cue.ready()?;
            let ready = sys::poll(&observer.fd, libc::POLLIN, -1)?;
            check!(ready & libc::POLLHUP != 0, "not told: {ready:#x}");
            Ok(())
        })?;
        looker.ready()?;
        let owner = Session::open()?;
        owner.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        owner.publish("idle-subject")?;
        looker.go()?;
        looker.ready()?;
        let stack = format!("/proc/{}/stack", looker.pid());
        let sleeps = || Ok(std::fs::read_to_string(&stack)?.contains("do_sys_poll"));
        waiting::until(sleeps, || "it does not sleep in poll".into())?;
        if is_revoked {
            Session::open()?.revoke(owner.status()?.id)?;
            looker.end()?;
        } else {
            drop(owner);
            looker.end()?;
        }
    }
    Ok(())
}
