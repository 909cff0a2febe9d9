// SPDX-License-Identifier: GPL-2.0-only
//! A session whose opener is no longer admitted, or that an admin ends, is dead within a second.
//!
//! Time is the guest's: the records carry CLOCK_MONOTONIC, which the tests read as well.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, Cue};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, NODES, Session, USER};
use crate::sys::{self, ids};
use crate::target::{self, Target};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting::PATIENCE_S;

use super::symbols::address_of;

group! { "access, revocation":
    "chmod ends the sessions of those whom the new mode does not admit, within a second" => by_chmod,
    "chown ends the sessions of those whom the new owner does not admit, within a second" => by_chown,
    "setfacl ends the sessions of those whom the new ACL does not admit, within a second" => by_acl,
    "removing the node ends its sessions within a second" => by_removal,
    "what takes reading alone away ends the sessions that read" => by_half,
    "an admin ends a session by its id, or all of a user, and the user hears why" => by_admin,
    "rtctl revoke ends a session within a second" => by_tool,
    "a user ends his own sessions, and not those of another" => by_user,
    "while all CPUs run probes at full speed a session still dies within a second" => under_load,
    "changes that still admit the opener end nothing, nor does leaving a group" => unharmed,
    "what is dead keeps its records and its ledger, and no command brings it back" => dead,
    "a session that was never started dies as well" => idle,
}

/// Within so many ns nothing of a session is left to see, from when it was revoked.
const SECOND: u64 = 1_000_000_000;
/// How long a test waits for what must come much sooner, in ms.
const PATIENCE: i32 = PATIENCE_S as i32 * 1000;

/// Waits until the session's reader is told of its end.
fn await_end(session: &Session) -> Outcome<abi::rtrace_status> {
    let ready = sys::poll(&session.fd, libc::POLLPRI, PATIENCE)?;
    check!(
        ready & libc::POLLHUP != 0,
        "the reader is not woken: {ready:#x}"
    );
    let status = session.status()?;
    check_eq!(
        status.state,
        abi::RTRACE_STATE_DEAD,
        "state at the reader's end"
    );
    Ok(status)
}

/// Looks at a session, and does that besides, until it is dead; says when it was last seen alive, and
/// what it says of itself then. When the reader finds out is a matter of when it gets a CPU.
pub fn last_alive(
    cue: &Cue,
    session: &Session,
    mut besides: impl FnMut() -> Outcome,
) -> Outcome<(u64, abi::rtrace_status)> {
    let mut alive = 0;
    loop {
        let now = sys::now();
        let status = session.status()?;
        if status.state == abi::RTRACE_STATE_DEAD {
            return Ok((alive, status));
        }
        alive = now;
        besides()?;
        // The other side is gone, and with it who was to revoke.
        check_eq!(sys::poll(cue.heard(), libc::POLLIN, 0)?, 0, "the parent");
    }
}

/// Traces until it is ended, reading all the time; says when it was last seen alive, and when the
/// last record was made.
fn until_dead(cue: &Cue, mut trace: Trace, reason: u32) -> Outcome {
    cue.ready()?;
    let session = Session {
        fd: trace.session.fd.try_clone()?,
    };
    let (alive, status) = last_alive(cue, &session, || {
        sys::give_way();
        trace.read()
    })?;
    check_eq!(status.reason, reason, "the reason");
    trace.read()?;
    let last = trace.events.iter().map(|event| event.time).max();
    check_eq!(
        sys::poll(&trace.session.fd, libc::POLLIN, 0)? & libc::POLLHUP,
        libc::POLLHUP,
        "what poll says of a dead session"
    );
    for ring in &trace.rings {
        let page = ring.status_page();
        check_eq!(
            (page.state, page.reason),
            (abi::RTRACE_STATE_DEAD, reason),
            "in the status page"
        );
    }
    cue.tell(alive)?;
    cue.tell(last.unwrap_or(0))
}

/// Alice traces what storms on all CPUs, this is done, and a second later it is over.
fn revoked_by(
    node: &'static str,
    user: &str,
    reason: u32,
    revoke: impl FnOnce() -> Outcome,
) -> Outcome {
    let stop = format!("/tmp/rt-storm-{}", std::process::id());
    let storm = |user: &str, target: Target| {
        let stop = stop.clone();
        Actor::of(user, move |_| {
            while !Path::new(&stop).exists() {
                target.run("plain 500")?;
            }
            Ok(())
        })
    };
    let mut tracer = Actor::of(user, |cue| {
        until_dead(
            cue,
            Plan::on(node).both("rt_target:rt_plain").start()?,
            reason,
        )
    })?;
    tracer.ready()?;
    let storms = [storm(user, Target::open()?)?, storm(user, Target::open()?)?];
    // Not before there is something to end.
    let session = Session::open()?;
    let fired = || -> Outcome<u64> {
        Ok(session
            .sessions()?
            .iter()
            .map(|other| other.head.fired)
            .sum())
    };
    while fired()? < 5_000 {
        sys::give_way();
    }
    let begun = sys::now();
    let revoked = revoke();
    let ended = sys::now();
    // What is not revoked does not end by itself.
    let told = revoked.and_then(|()| Ok((tracer.number()?, tracer.number()?)));
    fs::write(&stop, "")?;
    let stormed = storms.into_iter().try_for_each(Actor::end);
    fs::remove_file(&stop)?;
    let (alive, last) = told?;
    tracer.end()?;
    stormed?;
    check!(last != 0, "nothing was recorded");
    within_a_second(node, (begun, ended), alive, last)
}

/// A change that began and was over then, and what was seen of the session for the last time.
fn within_a_second(node: &str, (begun, ended): (u64, u64), alive: u64, last: u64) -> Outcome {
    println!(
        "{node}: alive until {} ms after the change began, its last record {} ms after it",
        alive.saturating_sub(begun) / 1_000_000,
        last.saturating_sub(begun) / 1_000_000
    );
    for (what, at) in [("a record", last), ("alive", alive)] {
        check!(
            at <= ended + SECOND,
            "{what} {} ns after the change",
            at.saturating_sub(ended)
        );
    }
    Ok(())
}

/// Does it, and puts the node's mode, owner and ACL back afterwards.
fn with_node_restored(node: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    use std::os::unix::fs::MetadataExt;
    let before = fs::metadata(node)?;
    let done = work();
    setfacl(["-b", node])?;
    chown(node, Some(before.uid()), Some(before.gid()))?;
    fs::set_permissions(node, before.permissions())?;
    done
}

fn setfacl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Outcome {
    let status = Command::new("setfacl").args(arguments).status()?;
    check!(status.success(), "setfacl: {status}");
    Ok(())
}

fn chmod(node: &str, mode: u32) -> Outcome {
    Ok(fs::set_permissions(node, fs::Permissions::from_mode(mode))?)
}

fn by_chmod(_: &Options) -> Outcome {
    for (user, node) in super::refusals::USERS {
        with_node_restored(node, || {
            revoked_by(node, user, abi::RTRACE_REASON_REVOKED, || {
                chmod(node, 0o600)
            })
        })?;
    }
    Ok(())
}

fn by_chown(_: &Options) -> Outcome {
    with_node_restored(KERNEL, || {
        revoked_by(KERNEL, "alice", abi::RTRACE_REASON_REVOKED, || {
            Ok(chown(KERNEL, None, Some(0))?)
        })
    })
}

fn by_acl(_: &Options) -> Outcome {
    // Carol gets in by an ACL, and out by the next one.
    with_node_restored(KERNEL, || {
        setfacl(["-m", "u:carol:rw", KERNEL])?;
        revoked_by(KERNEL, "carol", abi::RTRACE_REASON_REVOKED, || {
            setfacl(["-m", "u:carol:-", KERNEL])
        })
    })
}

fn by_removal(_: &Options) -> Outcome {
    let revoked = revoked_by(KERNEL, "alice", abi::RTRACE_REASON_REVOKED, || {
        Ok(fs::remove_file(KERNEL)?)
    });
    // The kernel makes the node anew with the module, and udev gives it to its group.
    target::unload("rust_tracer")?;
    guest::load()?;
    revoked
}

fn by_half(_: &Options) -> Outcome {
    with_node_restored(KERNEL, || {
        revoked_by(KERNEL, "alice", abi::RTRACE_REASON_REVOKED, || {
            chmod(KERNEL, 0o620)
        })
    })?;
    with_node_restored(KERNEL, || {
        revoked_by(KERNEL, "alice", abi::RTRACE_REASON_REVOKED, || {
            chmod(KERNEL, 0o640)
        })
    })
}

/// The only session of a user but for those that ask.
fn session_of(asker: &Session, user: &str) -> Outcome<u64> {
    let (uid, _) = ids::ids_of(user)?;
    let found = asker.sessions()?;
    let mut of_user = found.iter().filter(|other| other.head.uid == uid);
    match (of_user.next(), of_user.next()) {
        (Some(one), None) => Ok(one.head.id),
        _ => Err(fail(format!("not one session of {user}: {found:?}"))),
    }
}

fn by_admin(_: &Options) -> Outcome {
    let admin = Session::open()?;
    revoked_by(KERNEL, "alice", abi::RTRACE_REASON_ADMIN, || {
        check_eq!(admin.revoke(session_of(&admin, "alice")?)?, 1, "ended");
        Ok(())
    })?;
    let (bob, _) = ids::ids_of("bob")?;
    revoked_by(USER, "bob", abi::RTRACE_REASON_ADMIN, || {
        check_eq!(admin.revoke_user(bob)?, 1, "ended");
        check_eq!(admin.revoke_user(bob)?, 0, "ended twice");
        Ok(())
    })
}

fn by_tool(_: &Options) -> Outcome {
    let admin = Session::open()?;
    revoked_by(KERNEL, "alice", abi::RTRACE_REASON_ADMIN, || {
        let id = session_of(&admin, "alice")?.to_string();
        let output = Command::new("rtctl").args(["revoke", &id]).output()?;
        check!(
            output.status.success(),
            "rtctl revoke {id}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    })
}

fn by_user(_: &Options) -> Outcome {
    let mut dave = Actor::of("dave", |cue| {
        let session = Session::open_as(NODES[1], libc::O_RDWR)?;
        cue.tell(session.status()?.id)?;
        cue.wait()?;
        check_eq!(
            session.status()?.state,
            abi::RTRACE_STATE_IDLE,
            "dave's session"
        );
        Ok(())
    })?;
    let of_dave = dave.number()?;
    let told = Actor::of("alice", |_| {
        let mine = Session::open_as(KERNEL, libc::O_RDWR)?;
        let other = Session::open_as(KERNEL, libc::O_RDWR)?;
        let id = other.status()?.id;
        for (id, errno) in [(of_dave, Errno::NOENT), (1 << 50, Errno::NOENT)] {
            let Err(refused) = mine.revoke(id) else {
                return Err(fail(format!("alice ends session {id}")));
            };
            check_eq!(refused.errno, errno, "of session {id}");
        }
        check_eq!(mine.revoke(id)?, 1, "ended");
        check_eq!(await_end(&other)?.reason, abi::RTRACE_REASON_ADMIN);
        // All of one's own, but for the one that asks.
        let more = Session::open_as(KERNEL, libc::O_RDWR)?;
        check_eq!(mine.revoke_user(ids::real().0)?, 1, "more of alice's");
        check_eq!(await_end(&more)?.reason, abi::RTRACE_REASON_ADMIN);
        check_eq!(
            mine.status()?.state,
            abi::RTRACE_STATE_IDLE,
            "the one that asks"
        );
        Ok(())
    })?;
    told.end()?;
    dave.go()?;
    dave.end()
}

fn under_load(_: &Options) -> Outcome {
    // All that the kernel does, on all CPUs, in a session that drops what it cannot take.
    let stop = "/tmp/rt-load-stop";
    let _ = fs::remove_file(stop);
    let mut tracer = Actor::of("alice", |cue| {
        let plan = Plan::new()
            .both("rt_target:rt_*")
            .entry("vmlinux:vfs_*")
            .entry("vmlinux:__x64_sys_*")
            .both("vmlinux:kmem_cache_*")
            .ring(1 << 16);
        until_dead(cue, plan.start()?, abi::RTRACE_REASON_REVOKED)
    })?;
    tracer.ready()?;
    let mut load = Vec::new();
    for _ in 0..4 {
        let target = Target::open()?;
        load.push(Actor::start(|_| {
            while !Path::new(stop).exists() {
                target.run("storm 2 2000")?;
                target.run("plain 2000")?;
            }
            Ok(())
        })?);
    }
    let session = Session::open()?;
    while session
        .sessions()?
        .iter()
        .map(|s| s.head.fired)
        .sum::<u64>()
        < 100_000
    {
        sys::give_way();
    }
    let before = fs::metadata(KERNEL)?.permissions();
    chmod(KERNEL, 0o600)?;
    let changed = sys::now();
    let told = tracer
        .number()
        .and_then(|seen| Ok((seen, tracer.number()?)));
    fs::set_permissions(KERNEL, before)?;
    fs::write(stop, "")?;
    let loaded = load.into_iter().try_for_each(Actor::end);
    fs::remove_file(stop)?;
    let (alive, last) = told?;
    tracer.end()?;
    loaded?;
    within_a_second(KERNEL, (changed, changed), alive, last)
}

fn unharmed(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut tracer = Actor::of("alice", |cue| {
        let trace = Plan::new().entry("rt_target:rt_plain").start()?;
        let lives = || {
            let state = trace.session.status()?.state;
            check_eq!(state, abi::RTRACE_STATE_RUNNING, "state");
            Ok(())
        };
        cue.ready()?;
        cue.wait_while(lives)?;
        lives()?;
        check_eq!(trace.finish()?.entry_row("rt_plain")?.recorded, 10);
        Ok(())
    })?;
    tracer.ready()?;
    with_node_restored(KERNEL, || {
        chmod(KERNEL, 0o666)?;
        setfacl(["-m", "u:alice:rw", KERNEL])?;
        chmod(KERNEL, 0o060)?;
        setfacl(["-m", "u:alice:rw", KERNEL])?;
        await_rounds(4)
    })?;
    // The group is taken away from alice: her process keeps it, as with any file.
    let out = Command::new("gpasswd")
        .args(["-d", "alice", "rtrace-kernel"])
        .status()?;
    check!(out.success(), "gpasswd: {out}");
    let looked = await_rounds(4);
    let back = Command::new("gpasswd")
        .args(["-a", "alice", "rtrace-kernel"])
        .status()?;
    check!(back.success(), "gpasswd: {back}");
    looked?;
    target.run("plain 10")?;
    tracer.go()?;
    tracer.end()
}

/// Waits until the guard has looked after all sessions so often: each time a session of carol's,
/// who is let in and put out, dies.
fn await_rounds(rounds: u32) -> Outcome {
    for _ in 0..rounds {
        let node = NODES[1];
        setfacl(["-m", "u:carol:rw", node])?;
        let mut carol = Actor::of("carol", |cue| {
            let session = Session::open_as(node, libc::O_RDWR)?;
            cue.ready()?;
            await_end(&session).map(drop)
        })?;
        carol.ready()?;
        setfacl(["-b", node])?;
        chmod(node, 0o660)?;
        carol.end()?;
    }
    Ok(())
}

fn dead(_: &Options) -> Outcome {
    let target = Target::open()?;
    let admin = Session::open()?;
    let mut trace = Plan::new().both("rt_target:rt_plain").start()?;
    target.run("plain 25")?;
    let id = trace.session.status()?.id;
    check_eq!(admin.revoke(id)?, 1, "ended");
    let status = await_end(&trace.session)?;
    check_eq!((status.reason, status.id), (abi::RTRACE_REASON_ADMIN, id));
    target.run("plain 25")?;
    trace.read()?;
    check_eq!(trace.events.len(), 50, "records of what came before");
    let session = &trace.session;
    let total = crate::ledger::Ledger::audit(session)?.total();
    check_eq!((total.fired, total.recorded), (50, 50), "in the ledger");
    let address = address_of("vfs_read")?;
    let program = Program::new().clause(1, 0, Code::new().ret());
    let answers = [
        (
            "ADD",
            session
                .add("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY)
                .map(drop),
        ),
        (
            "CONFIG",
            session.configure(abi::rtrace_config::default()).map(drop),
        ),
        ("TARGET", session.target(1)),
        ("START", session.start().map(drop)),
        ("PUBLISH", session.publish("dead")),
        (
            "FUNCTIONS",
            session.functions("rt_target:*", 0, 1 << 16).map(drop),
        ),
        ("SESSIONS", session.sessions().map(drop)),
        ("SYMBOL", session.symbol(address).map(drop)),
        ("VIEW", session.view::<abi::rtrace_view_module>().map(drop)),
        ("OWNERS", session.owners(&[address]).map(drop)),
        ("TEXT", session.text(address, 8).map(drop)),
        ("OBSERVE", session.observe("published").map(drop)),
        ("PROGRAM", session.load(&program)),
        (
            "ADD_OWN",
            session
                .add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")
                .map(drop),
        ),
    ];
    for (what, answer) in answers {
        let Err(refused) = answer else {
            return Err(fail(format!("{what} on a dead session")));
        };
        check_eq!(refused.errno, Errno::CANCELED, "{what}: {refused}");
        check!(refused.text.contains("revoked"), "{what}: {}", refused.text);
    }
    check_eq!(session.status()?.state, abi::RTRACE_STATE_DEAD, "state");
    // To be told of a refusal does not hide why it died.
    check_eq!(admin.revoke(id)?, 0, "ended twice");
    Ok(())
}

fn idle(_: &Options) -> Outcome {
    with_node_restored(KERNEL, || {
        let mut alice = Actor::of("alice", |cue| {
            let session = Session::open_as(KERNEL, libc::O_RDWR)?;
            session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            cue.ready()?;
            let status = await_end(&session)?;
            check_eq!(status.reason, abi::RTRACE_REASON_REVOKED);
            let Err(refused) = session.start() else {
                return Err(fail("a dead session starts"));
            };
            check_eq!(refused.errno, Errno::CANCELED);
            check!(refused.text.contains("does not admit"), "{}", refused.text);
            Ok(())
        })?;
        alice.ready()?;
        chmod(KERNEL, 0o600)?;
        alice.end()
    })
}
