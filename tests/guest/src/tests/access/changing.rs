// SPDX-License-Identifier: GPL-2.0-only
//! Ids that change while a session runs count from the next firing on.
//!
//! So that a process may change its ids back and forth, it keeps the capability to do so, and so
//! does the opener: then ids alone tell its own tasks from the others.

use std::io::{Read, Write};

use rust_tracer::abi;

use crate::actor::{Actor, play};
use crate::options::Options;
use crate::session::USER;
use crate::sys::ids::{self, CAP_SETGID, CAP_SETUID};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

use super::own_tasks::{exactly, plain, traced_by};

group! { "access, changing ids":
    "a process that becomes root and the opener by turns is seen when it is the opener" => root_by_turns,
    "a process that becomes another user and the opener by turns is seen when it is the opener" => user_by_turns,
    "a process that is dumpable by turns is seen when it is" => dumpable_by_turns,
    "each of the eight ids alone hides a process: real, effective, saved, file system" => each_id,
    "more capabilities, or other securebits, than the opener's hide a process of the same ids" => capabilities,
    "a call that enters as the opener's and returns as another's is counted as hidden" => hidden,
    "what the kernel does with the rights of somebody else for an own task leaves nothing" => overridden,
    "what was seen before a change of ids stays, what comes after it is not" => threads,
}

const NONE: u32 = u32::MAX;

/// Who the tests take turns as.
#[derive(Clone, Copy)]
struct Ids {
    uid: u32,
    gid: u32,
    other: u32,
}

fn people() -> Outcome<Ids> {
    let (uid, gid) = ids::ids_of("bob")?;
    let (other, _) = ids::ids_of("alice")?;
    Ok(Ids { uid, gid, other })
}

/// Becomes bob, but may change ids later on.
fn become_changing(bob: Ids) -> Outcome {
    ids::set_groups(&[bob.gid, ids::gid_of("rtrace-user")?])?;
    ids::keep_capabilities(true)?;
    ids::set_gids(bob.gid, bob.gid, bob.gid)?;
    ids::set_uids(bob.uid, bob.uid, bob.uid)?;
    may_change()
}

/// Has the capabilities to change ids, and is dumpable, as each change undoes it.
fn may_change() -> Outcome {
    let both = CAP_SETUID | CAP_SETGID;
    ids::set_capabilities(both, both)?;
    Ok(ids::set_dumpable(true)?)
}

/// While an opener of that kind traces, a process of that kind does this; there are so many calls.
fn changing(calls: u64, work: impl FnOnce(Ids, &Target) -> Outcome) -> Outcome {
    let target = Target::open()?;
    let bob = people()?;
    let in_child = || {
        play("root", || {
            become_changing(bob)?;
            work(bob, &target)
        })
    };
    traced_by(|| become_changing(bob), &plain(), in_child, exactly(calls))
}

fn by_turns(uid: impl Fn(Ids) -> u32) -> Outcome {
    changing(1 + 2 + 3 + 4 + 5, |bob, target| {
        let other = uid(bob);
        for turn in 1..=5 {
            target.run(&format!("plain {turn}"))?;
            ids::set_uids(other, other, other)?;
            ids::set_dumpable(true)?;
            target.run("plain 10")?;
            ids::set_uids(bob.uid, bob.uid, bob.uid)?;
            // Effective capabilities go with the effective uid of root.
            may_change()?;
        }
        Ok(())
    })
}

fn root_by_turns(_: &Options) -> Outcome {
    by_turns(|_| 0)
}

fn user_by_turns(_: &Options) -> Outcome {
    by_turns(|bob| bob.other)
}

fn dumpable_by_turns(_: &Options) -> Outcome {
    changing(1 + 2 + 3 + 4 + 5, |_, target| {
        for turn in 1..=5 {
            target.run(&format!("plain {turn}"))?;
            ids::set_dumpable(false)?;
            target.run("plain 10")?;
            ids::set_dumpable(true)?;
        }
        Ok(())
    })
}

fn each_id(_: &Options) -> Outcome {
    type Change = fn(u32, u32) -> crate::sys::Sys<()>;
    // Each sets one id to the second and, with the second equal to the first, back.
    let uids: [Change; 4] = [
        |_, other| ids::set_uids(other, NONE, NONE),
        // The effective one takes that of the file system along.
        |own, other| {
            ids::set_uids(NONE, other, NONE)?;
            ids::set_fsuid(own)
        },
        |_, other| ids::set_uids(NONE, NONE, other),
        |_, other| ids::set_fsuid(other),
    ];
    let gids: [Change; 4] = [
        |_, other| ids::set_gids(other, NONE, NONE),
        |own, other| {
            ids::set_gids(NONE, other, NONE)?;
            ids::set_fsgid(own)
        },
        |_, other| ids::set_gids(NONE, NONE, other),
        |_, other| ids::set_fsgid(other),
    ];
    changing(16, |bob, target| {
        for (own, changes) in [(bob.uid, uids), (bob.gid, gids)] {
            for change in changes {
                target.run("plain 1")?;
                change(own, bob.other)?;
                ids::set_dumpable(true)?;
                target.run("plain 10")?;
                change(own, own)?;
                ids::set_dumpable(true)?;
                target.run("plain 1")?;
            }
        }
        Ok(())
    })
}

fn capabilities(_: &Options) -> Outcome {
    let target = Target::open()?;
    let bob = people()?;
    // The opener has none, and ordinary securebits.
    let opener = || crate::actor::become_ordinary("bob");
    let work = || {
        play("root", || {
            become_changing(bob)?;
            // More capabilities and other securebits; more capabilities; neither.
            target.run("plain 10")?;
            ids::keep_capabilities(false)?;
            ids::set_dumpable(true)?;
            target.run("plain 10")?;
            ids::set_capabilities(0, 0)?;
            ids::set_dumpable(true)?;
            target.run("plain 3")?;
            // Other securebits alone.
            ids::keep_capabilities(true)?;
            ids::set_dumpable(true)?;
            target.run("plain 10").map(drop)
        })
    };
    traced_by(opener, &plain(), work, exactly(3))
}

fn hidden(_: &Options) -> Outcome {
    let bob = people()?;
    let plan = Plan::on(USER).both("vmlinux:__sys_setresuid");
    let work = || {
        play("root", || {
            become_changing(bob)?;
            for _ in 0..7 {
                ids::set_uids(bob.other, bob.other, bob.other)?;
                ids::set_dumpable(true)?;
                ids::set_uids(bob.uid, bob.uid, bob.uid)?;
                may_change()?;
            }
            // One that changes nothing.
            Ok(ids::set_uids(bob.uid, bob.uid, bob.uid)?)
        })
    };
    traced_by(
        || become_changing(bob),
        &plan,
        work,
        |finished| {
            let name = "__sys_setresuid";
            check_eq!(finished.entry_row(name)?.recorded, 8, "entries");
            let row = finished.return_row(name)?;
            check_eq!(
                (row.entered, row.returned, row.recorded),
                (8, 1, 1),
                "entered, returned, recorded"
            );
            check_eq!(
                row.missed[abi::RTRACE_MISSED_HIDDEN as usize],
                7,
                "hidden in {row:?}"
            );
            Ok(())
        },
    )
}

fn overridden(options: &Options) -> Outcome {
    // An overlay opens the file below it with the rights of who mounted it.
    let _overlay = Overlay::mount(options)?;
    let name = "shmem_file_open";
    let plan = Plan::on(USER).both(&format!("vmlinux:{name}"));
    let target = Target::open()?;
    let opens = |path: &str| -> Outcome {
        std::fs::File::open(path)?;
        Ok(())
    };
    let through = |path: &'static str| {
        play("bob", || {
            opens(path)?;
            target.run("plain 0").map(drop)
        })
    };
    // Directly: bob's own. Through the overlay: only root's session sees it.
    let work = || {
        through(LOWER_FILE)?;
        through(MERGED_FILE)
    };
    let seen_by_all = Plan::new().both(&format!("vmlinux:{name}")).start()?;
    traced_by(
        || crate::actor::become_ordinary("bob"),
        &plan,
        work,
        |finished| {
            let row = finished.entry_row(name)?;
            check_eq!((row.fired, row.recorded), (1, 1), "opened directly");
            Ok(())
        },
    )?;
    let all = seen_by_all.finish()?.entry_row(name)?.fired;
    check!(all >= 2, "the overlay opened nothing below it: {all} opens");
    other_way_round(&plan, || opens(MERGED_FILE))
}

/// The task is alice's, and the rights are those of root, who mounted it and traces: she leaves as
/// much as when she does nothing, which is what she did before she became alice.
fn other_way_round(plan: &Plan, open: impl FnOnce() -> Outcome) -> Outcome {
    let (told, tell) = crate::sys::pipe()?;
    let work = || {
        let alices = [
            Actor::of("alice", |_| Ok(()))?,
            Actor::of("alice", |_| open())?,
        ];
        for alice in alices {
            (&tell).write_all(&(alice.pid() as u32).to_ne_bytes())?;
            alice.end()?;
        }
        Ok(())
    };
    let as_root = || Ok(ids::set_dumpable(true)?);
    traced_by(as_root, plan, work, |finished| {
        let left = || -> Outcome<usize> {
            let mut pid = [0u8; 4];
            (&told).read_exact(&mut pid)?;
            let pid = u32::from_ne_bytes(pid);
            Ok(finished
                .events
                .iter()
                .filter(|event| event.pid == pid)
                .count())
        };
        let (idle, opening) = (left()?, left()?);
        check!(idle > 0, "she left nothing as root");
        check_eq!(opening, idle, "records of alice, who opens by the overlay");
        Ok(())
    })
}

const LOWER_FILE: &str = "/tmp/rt-overlay/lower/file";
const MERGED_FILE: &str = "/tmp/rt-overlay/merged/file";

/// A mounted overlay file system, gone at the end.
struct Overlay;

impl Overlay {
    fn mount(_: &Options) -> Outcome<Self> {
        let at = "/tmp/rt-overlay";
        for part in ["lower", "upper", "work", "merged"] {
            std::fs::create_dir_all(format!("{at}/{part}"))?;
        }
        std::fs::write(LOWER_FILE, "below")?;
        let layers = format!("lowerdir={at}/lower,upperdir={at}/upper,workdir={at}/work");
        let status = std::process::Command::new("mount")
            .args(["-t", "overlay", "overlay", "-o", &layers])
            .arg(format!("{at}/merged"))
            .status()?;
        if !status.success() {
            return Err(crate::test::Failure::Skipped(
                "no overlay file system".into(),
            ));
        }
        Ok(Self)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("/tmp/rt-overlay/merged")
            .status();
        let _ = std::fs::remove_dir_all("/tmp/rt-overlay");
    }
}

fn threads(_: &Options) -> Outcome {
    // One thread of the process is another's for a while; the others stay who they are.
    changing(100 + 30, |bob, target| {
        let (tell, told) = std::sync::mpsc::channel();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let path = target.open_again()?;
        let thread = std::thread::spawn(move || -> Outcome {
            ids::set_uids(bob.other, bob.other, bob.other)?;
            ids::set_dumpable(true)?;
            tell.send(()).map_err(fail)?;
            path.run("plain 500")?;
            let _ = wait.recv();
            ids::set_uids(bob.uid, bob.uid, bob.uid)?;
            may_change()?;
            path.run("plain 30").map(drop)
        });
        told.recv().map_err(fail)?;
        target.run("plain 100")?;
        drop(go);
        thread.join().map_err(|_| fail("the thread panicked"))?
    })
}
