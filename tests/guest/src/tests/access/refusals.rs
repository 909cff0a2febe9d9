// SPDX-License-Identifier: GPL-2.0-only
//! What a node does not show is refused with a reason, and nothing that a node answers has a kernel
//! address in it.

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, play};
use crate::options::Options;
use crate::session::{KERNEL, Refused, SYSTEM, Session, USER};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

use super::symbols::address_of;

group! { "access, refusals":
    "the name of an address is refused on system and user, and the node that has it is named" => symbol,
    "on the node kernel an address has its name" => symbol_on_kernel,
    "each refusal says what was asked, which rule forbids it, and what would be allowed" => sentences,
    "no list, error or ledger of the nodes system and user has a kernel address in it" => answers,
    "records of the nodes system and user are those without data, those of kernel have it" => kinds,
    "the node user counts what its opener's tasks do, the others count everything" => counts,
}

/// The users of the three nodes.
pub const USERS: [(&str, &str); 3] = [("alice", KERNEL), ("dave", SYSTEM), ("bob", USER)];

fn refused<T>(what: &str, answer: Result<T, Refused>, errno: Errno) -> Outcome<String> {
    match answer {
        Ok(_) => Err(fail(format!("{what} is accepted"))),
        Err(refused) if refused.errno == errno => Ok(refused.text),
        Err(refused) => Err(fail(format!("{what}: {refused}, not {errno}"))),
    }
}

/// The sentence has all these parts.
fn says(text: &str, parts: &[&str]) -> Outcome {
    for part in parts {
        check!(text.contains(part), "{part:?} is not in {text:?}");
    }
    Ok(())
}

fn symbol(_: &Options) -> Outcome {
    let address = address_of("vfs_read")?;
    for (user, node) in &USERS[1..] {
        play(user, || {
            let session = Session::open_as(node, libc::O_RDWR)?;
            // A right address, a wrong one, and none.
            for address in [address, address + 1, 1, u64::MAX] {
                let text = refused("SYMBOL", session.symbol(address), Errno::ACCESS)?;
                says(&text, &["name of an address", node, KERNEL, "addresses"])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn symbol_on_kernel(_: &Options) -> Outcome {
    let address = address_of("vfs_read")?;
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDONLY)?;
        let name = session.symbol(address + 1)?;
        check!(name.starts_with("vfs_read+0x1/0x"), "{name}");
        refused("SYMBOL of 1", session.symbol(1), Errno::NOENT)?;
        Ok(())
    })
}

fn sentences(_: &Options) -> Outcome {
    // Arming by a descriptor that only reads.
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDONLY)?;
        let add = session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY);
        says(
            &refused("ADD", add, Errno::BADF)?,
            &["arms", "write permission"],
        )?;
        let session = Session::open_as(KERNEL, libc::O_WRONLY)?;
        let list = session.sessions();
        says(
            &refused("SESSIONS", list, Errno::BADF)?,
            &["observes", "read permission"],
        )?;
        // The session of another user: nobody whose existence is told.
        let text = refused("REVOKE", session.revoke(1 << 40), Errno::NOENT)?;
        says(&text, &["1099511627776", "rtctl sessions"])?;
        let text = refused("REVOKE of root", session.revoke_user(0), Errno::PERM)?;
        says(&text, &["another user's", "CAP_SYS_ADMIN"])
    })?;
    // A descriptor that was inherited.
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        let opener = std::process::id().to_string();
        Actor::start(|_| {
            let text = refused("PUBLISH", session.publish("x"), Errno::PERM)?;
            says(&text, &[&opener, "ids", "open the node yourself"])
        })?
        .end()
    })?;
    // A name that is not there, or cannot be.
    play("alice", || {
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        let text = refused("OBSERVE", session.observe("no-such-name"), Errno::NOENT)?;
        says(
            &text,
            &["no session of that name", "published on this node"],
        )?;
        for name in ["a b", "a/b", "é", "\n"] {
            let text = refused(name, session.publish(name), Errno::INVAL)?;
            says(&text, &["no name for a session", "letters"])?;
        }
        refused("65 bytes", session.publish(&"x".repeat(65)), Errno::TOOBIG)?;
        session.publish(&"x".repeat(64))?;
        Ok(())
    })
}

/// No kernel address at any of these bytes.
fn no_address(bytes: &[u8], what: &str) -> Outcome {
    for window in bytes.windows(8) {
        let mut word = [0u8; 8];
        word.copy_from_slice(window);
        let word = u64::from_le_bytes(word);
        check!(word < 0xffff_8000_0000_0000, "{what}: {word:#x}");
    }
    Ok(())
}

/// The same for a text, in which an address would be hexadecimal.
fn no_hex_address(text: &str, what: &str) -> Outcome {
    let mut digits = 0;
    for byte in text.bytes().chain([b' ']) {
        digits = if byte.is_ascii_hexdigit() {
            digits + 1
        } else {
            0
        };
        check!(digits < 12, "{what}: {text}");
    }
    Ok(())
}

fn answers(_: &Options) -> Outcome {
    let target = Target::open()?;
    let address = address_of("vfs_read")?;
    for (user, node) in &USERS[1..] {
        play(user, || {
            let trace = Plan::on(node)
                .both("rt_target:rt_plain")
                .ret("vmlinux:vfs_*")
                .start()?;
            trace.session.publish(&format!("answers-{user}"))?;
            target.run("plain 20")?;
            let session = &trace.session;
            let _ = session.symbol(address);
            no_hex_address(&session.last_error()?.0, "LAST_ERROR")?;
            for (what, bytes) in session.every_answer()? {
                check!(!bytes.is_empty(), "{what} on {node} is empty");
                no_address(&bytes, what)?;
            }
            for ring in &trace.rings {
                let status = ring.status_page();
                no_address(zerocopy::IntoBytes::as_bytes(&status), "the status page")?;
            }
            trace.finish().map(drop)
        })?;
    }
    Ok(())
}

fn kinds(_: &Options) -> Outcome {
    let target = Target::open()?;
    for (user, node) in USERS {
        play(user, || {
            let trace = Plan::on(node)
                .both("rt_target:rt_plain")
                .ret("rt_target:rt_errno")
                .start()?;
            target.run("plain 10")?;
            target.run("errno 2")?;
            let finished = trace.finish()?;
            check_eq!(finished.events.len(), 21, "events on {node}");
            for event in &finished.events {
                check_eq!(event.who().is_none(), node == KERNEL, "{node}: {event:?}");
                let result = event.result().filter(|_| node == SYSTEM);
                check!(
                    result.is_none_or(|r| r == abi::RTRACE_RESULT_NONE as i32),
                    "{node}: {event:?}"
                );
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn counts(_: &Options) -> Outcome {
    let target = Target::open()?;
    for (user, node) in USERS {
        let mut tracer = Actor::of(user, |cue| {
            let trace = Plan::on(node).both("rt_target:rt_plain").start()?;
            cue.pause()?;
            target.run("plain 3")?;
            let row = trace.finish()?.entry_row("rt_plain")?;
            let own = node == USER;
            let expected = if own { 3 } else { 3 + 30 + 200 };
            check_eq!((row.fired, row.recorded), (expected, expected), "{node}");
            Ok(())
        })?;
        tracer.ready()?;
        target.run("plain 30")?;
        target.run("storm 2 100")?;
        tracer.go()?;
        tracer.end()?;
    }
    Ok(())
}
