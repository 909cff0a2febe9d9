// SPDX-License-Identifier: GPL-2.0-only
//! A descriptor is worth what its opener had when it opened, whoever holds it.

use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, become_ordinary, play};
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, NODES, Session, USER};
use crate::sys::{self, Child, Ended, ids, passing};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};

use super::holder::{self, World};

group! { "access, descriptors":
    "root that is handed another user's descriptor sees what that user does, and cannot arm" => passed_to_root,
    "a descriptor that carol is handed is worth no more than its opener's, and does not arm" => passed_to_carol,
    "a child that inherits a descriptor cannot arm by it" => inherited,
    "a program that keeps a descriptor over exec cannot arm by it" => kept_over_exec,
    "a process that changes its ids cannot arm by what it opened, and can when it changes back" => held_over_ids,
    "an opener who goes to a user namespace of his own cannot arm from there by what he opened before" => other_namespace,
    "a running session of the node user goes on seeing its opener's tasks only, whoever holds it" => view_stays,
    "a set-id program that writes to a descriptor of ours does nothing by it" => set_id_output,
    "there is nothing to read, write or seek in a node, and unknown commands change nothing" => no_side_door,
    "a thread of the opener's process may arm" => thread,
}

/// Every command that changes something, takes something away or shows more than this session, refused since the caller
/// is not the opener.
pub fn cannot_arm(session: &Session, opener: u32) -> Outcome {
    let before = session.status()?;
    let program = Program::new().clause(1, 0, Code::new().ret());
    let answers = [
        ("ADD", session.add("rt_target:rt_value", 1).map(drop)),
        (
            "CONFIG",
            session.configure(abi::rtrace_config::default()).map(drop),
        ),
        ("TARGET", session.target(1)),
        ("START", session.start().map(drop)),
        ("STOP", session.stop()),
        ("PUBLISH", session.publish("stolen")),
        ("OBSERVE", session.observe("stolen").map(drop)),
        ("PROGRAM", session.load(&program)),
        (
            "ADD_OWN",
            session
                .add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")
                .map(drop),
        ),
        ("REVOKE", session.revoke(before.id).map(drop)),
        ("REVOKE a user", session.revoke_user(0).map(drop)),
        ("AGGREGATE", session.aggregate(0, 4096).map(drop)),
        ("SESSIONS", session.sessions().map(drop)),
        ("SYMBOL", session.symbol(0).map(drop)),
        ("VIEW", session.view::<abi::rtrace_view_task>().map(drop)),
        ("OWNERS", session.owners(&[0]).map(drop)),
        ("TEXT", session.text(0, 1).map(drop)),
    ];
    for (what, answer) in answers {
        let Err(refused) = answer else {
            return Err(fail(format!("{what} by a holder who is not the opener")));
        };
        check_eq!(refused.errno, Errno::PERM, "{what}: {refused}");
        let pid = opener.to_string();
        for part in [&*pid, "ids that it had then", "open the node yourself"] {
            check!(
                refused.text.contains(part),
                "{part} is not in {:?}",
                refused.text
            );
        }
    }
    let after = session.status()?;
    check_eq!(
        (after.state, after.probes, after.id),
        (before.state, before.probes, before.id),
        "the session afterwards"
    );
    Ok(())
}

/// An opener that passes a descriptor on and waits.
fn opener(user: &str, node: &'static str) -> Outcome<(Actor, Session)> {
    let (ours, theirs) = passing::sockets()?;
    let mut actor = Actor::of(user, |cue| {
        let session = Session::open_as(node, libc::O_RDWR)?;
        session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        passing::send(&theirs, &[&session.fd])?;
        cue.pause()?;
        // The opener still may.
        check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE, "state");
        session.start()?;
        Ok(session.stop()?)
    })?;
    actor.ready()?;
    let fd = passing::receive(&ours)?.pop();
    let fd = fd.ok_or_else(|| fail("no descriptor came"))?;
    Ok((actor, Session { fd }))
}

fn passed_to_root(_: &Options) -> Outcome {
    for (user, node) in super::refusals::USERS {
        let (actor, session) = opener(user, node)?;
        cannot_arm(&session, actor.pid() as u32)?;
        let quota = session.quota()?;
        check_eq!(quota.uid, ids::ids_of(user)?.0, "whose quota");
        actor.go()?;
        actor.end()?;
    }
    Ok(())
}

fn passed_to_carol(_: &Options) -> Outcome {
    for (user, node) in super::refusals::USERS {
        let (actor, session) = opener(user, node)?;
        let pid = actor.pid() as u32;
        play("carol", || {
            cannot_arm(&session, pid)?;
            // The opener's view, to read.
            check_eq!(session.probes()?.len(), 1, "probes");
            check_eq!(session.quota()?.uid, ids::ids_of(user)?.0, "whose quota");
            check!(
                Session::open_as(node, libc::O_RDONLY).is_err(),
                "carol opens {node}"
            );
            Ok(())
        })?;
        actor.go()?;
        actor.end()?;
    }
    Ok(())
}

fn inherited(_: &Options) -> Outcome {
    for (user, node) in super::refusals::USERS {
        play(user, || {
            let session = Session::open_as(node, libc::O_RDWR)?;
            session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            let opener = std::process::id();
            Actor::start(|_| cannot_arm(&session, opener))?.end()?;
            session.start().map(drop)?;
            Ok(session.stop()?)
        })?;
    }
    Ok(())
}

fn kept_over_exec(_: &Options) -> Outcome {
    let (mut results, to) = sys::pipe()?;
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let child = Child::start(|| {
        let run = || -> Outcome {
            become_ordinary("alice")?;
            let mut cases = Vec::new();
            for operation in ["start", "publish", "probes"] {
                let session = Session::open_as(KERNEL, libc::O_RDWR)?;
                session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
                cases.push((operation.to_owned(), session));
            }
            // The same process, by another program.
            let error = holder::exec(&program, &cases, World::default(), to.try_clone()?);
            Err(fail(format!("exec: {error}")))
        };
        match run() {
            Ok(()) => 0,
            Err(failure) => {
                println!("{failure}");
                1
            }
        }
    })?;
    drop(to);
    let mut text = String::new();
    results.read_to_string(&mut text)?;
    check_eq!(child.wait()?, Ended::Exit(0), "the program");
    check_eq!(
        text.lines().collect::<Vec<_>>(),
        ["start=PERM", "publish=PERM", "probes=done"],
        "what the program could do"
    );
    Ok(())
}

fn held_over_ids(_: &Options) -> Outcome {
    let (carol, group) = ids::ids_of("carol")?;
    let opener = std::process::id();
    let session = Session::open()?;
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    // One id after the other, and back; root may.
    let keep = u32::MAX;
    type Change<'a> = &'a dyn Fn(u32, u32) -> sys::Sys<()>;
    let changes: [(&str, Change<'_>); 8] = [
        ("effective uid", &|uid, _| ids::set_uids(keep, uid, keep)),
        ("fs uid", &|uid, _| ids::set_fsuid(uid)),
        ("real uid", &|uid, _| ids::set_uids(uid, keep, keep)),
        ("saved uid", &|uid, _| ids::set_uids(keep, keep, uid)),
        ("effective gid", &|_, gid| ids::set_gids(keep, gid, keep)),
        ("fs gid", &|_, gid| ids::set_fsgid(gid)),
        ("real gid", &|_, gid| ids::set_gids(gid, keep, keep)),
        ("saved gid", &|_, gid| ids::set_gids(keep, keep, gid)),
    ];
    for (what, change) in changes {
        change(carol, group)?;
        let answer = cannot_arm(&session, opener);
        change(0, 0)?;
        answer.map_err(|failure| fail(format!("with another {what}: {failure}")))?;
        session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    }
    session.start()?;
    Ok(session.stop()?)
}

fn other_namespace(_: &Options) -> Outcome {
    for (user, node) in super::refusals::USERS {
        play(user, || {
            let session = Session::open_as(node, libc::O_RDWR)?;
            session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            sys::new_user_namespace()?;
            cannot_arm(&session, std::process::id())
        })?;
    }
    Ok(())
}

fn view_stays(_: &Options) -> Outcome {
    let target = Target::open()?;
    let (ours, theirs) = passing::sockets()?;
    let mut bob = Actor::of("bob", |cue| {
        let trace = Plan::on(USER).entry("rt_target:rt_plain").start()?;
        passing::send(&theirs, &[&trace.session.fd])?;
        cue.pause()?;
        trace.finish().map(drop)
    })?;
    bob.ready()?;
    let fd = passing::receive(&ours)?
        .pop()
        .ok_or_else(|| fail("no descriptor"))?;
    // Root holds it, and calls; and so does carol.
    target.run("plain 100")?;
    play("carol", || target.run("plain 100").map(drop))?;
    play("bob", || target.run("plain 4").map(drop))?;
    let session = Session { fd };
    check_eq!(
        session.ledger(7)?[0].fired,
        4,
        "firings that root is told of"
    );
    let mut trace = Trace::of(session)?;
    trace.read()?;
    check_eq!(trace.events.len(), 4, "records that root can read");
    drop(trace);
    bob.go()?;
    bob.end()
}

fn set_id_output(_: &Options) -> Outcome {
    // cat, with the rights of root, told to write into the node.
    let program = "/usr/local/rt-setid-cat";
    fs::copy("/bin/cat", program)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o4755))?;
    let done = play("bob", || {
        let session = Session::open_as(USER, libc::O_RDWR)?;
        let twin = fs::File::from(session.fd.try_clone()?);
        let status = Command::new(program)
            .arg("/etc/passwd")
            .stdout(Stdio::from(twin.try_clone()?))
            .stderr(Stdio::from(twin))
            .status()?;
        check!(!status.success(), "cat wrote into the node");
        check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE, "state");
        check_eq!(session.status()?.probes, 0, "probes");
        check_eq!(session.last_error()?, (String::new(), 0), "errors");
        Ok(())
    });
    fs::remove_file(program)?;
    done
}

fn no_side_door(_: &Options) -> Outcome {
    const MAGIC: u64 = abi::RTRACE_IOC_MAGIC as u64;
    const LAST_KNOWN: u64 = abi::COMMAND_QUOTA & 0xff;
    for node in NODES {
        let session = Session::open_as(node, libc::O_RDWR)?;
        let bytes = [0u8; 64];
        check_eq!(
            passing::write(&session.fd, &bytes),
            Err(Errno::INVAL),
            "write"
        );
        let mut room = [0u8; 64];
        let at = room.as_mut_ptr() as u64;
        check_eq!(
            sys::read_to_address(session.fd.as_raw_fd(), at, 64),
            Err(Errno::INVAL),
            "read"
        );
        for command in (0..0x10_000u64).step_by(7).chain([
            0xdb12,
            0xdbff,
            abi::COMMAND_STOP | (8 << 16),
            abi::COMMAND_START ^ 0x100,
        ]) {
            // Those of the kernel's own that hold for every file (FIOCLEX and so on) are not ours.
            let (magic, number) = ((command >> 8) & 0xff, command & 0xff);
            if magic == 0x54 || magic == MAGIC && number <= LAST_KNOWN {
                continue;
            }
            let answer = sys::ioctl_bytes(&session.fd, command, &mut [0xffu8; 256]);
            check!(
                matches!(
                    answer,
                    Err(Errno::NOTTY | Errno::INVAL | Errno::FAULT | Errno::BADF)
                ),
                "ioctl {command:#x} on {node}: {answer:?}"
            );
            check!(
                magic != MAGIC || answer == Err(Errno::NOTTY),
                "ioctl {command:#x} on {node}: {answer:?}"
            );
        }
        let status = session.status()?;
        check_eq!(
            (status.state, status.probes, status.memory),
            (abi::RTRACE_STATE_IDLE, 0, 0),
            "the session afterwards"
        );
    }
    Ok(())
}

fn thread(_: &Options) -> Outcome {
    let session = Session::open()?;
    std::thread::scope(|scope| {
        let armed = scope.spawn(|| -> Outcome {
            session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            session.start()?;
            Ok(session.stop()?)
        });
        armed.join().map_err(|_| fail("the thread panicked"))?
    })
}
