// SPDX-License-Identifier: GPL-2.0-only
//! The node `user` shows what its opener's own tasks do, and of nobody else not even that it
//! happened.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

use rust_tracer::abi;
use rustix::fs::Mode;
use rustix::process::umask;

use crate::actor::{Actor, become_ordinary, play};
use crate::options::Options;
use crate::session::{SYSTEM, USER};
use crate::sys::{self, ids};
use crate::target::Target;
use crate::test::{Failure, Outcome, check, check_eq, fail, group};
use crate::trace::{Finished, Plan, What};

group! { "access, own tasks":
    "every call of an own task is recorded, with who it was, and how it ended if it was an error" => own,
    "one's own system calls are shown with their arguments and values, and nobody else's" => system_calls,
    "calls of root and of another user leave no record and no count beside one's own" => others,
    "reads of one's own files are seen exactly, while root and another user read" => reads,
    "a set-user-id program leaves nothing, dumpable or not" => set_user_id,
    "a set-group-id program leaves nothing, dumpable or not" => set_group_id,
    "a program with file capabilities leaves nothing, dumpable or not" => file_capabilities,
    "a set-user-id program that gave up what it had gained leaves nothing" => gave_up,
    "a process that is not dumpable leaves nothing" => not_dumpable,
    "a process in a user namespace of its own leaves nothing, with capabilities there or without" => user_namespace,
    "kernel threads leave nothing, also when root asks" => kernel_threads,
    "interrupts of all kinds that hit an own task leave nothing" => interrupts,
    "an interrupt that comes upon a program, and has not counted itself yet, leaves nothing" => uncounted,
    "workers that the kernel runs for an own task leave nothing" => workers,
    "an opener of several ids at once cannot arm, and is told why" => several_ids,
}

/// Has an opener trace rt_plain through the node `user` while `work` is done, and lets it check
/// what there is.
pub fn traced_by(
    become_opener: impl FnOnce() -> Outcome,
    plan: &Plan,
    work: impl FnOnce() -> Outcome,
    check: impl FnOnce(&Finished) -> Outcome,
) -> Outcome {
    let mut opener = Actor::start(|cue| {
        become_opener()?;
        let trace = plan.start()?;
        cue.pause()?;
        check(&trace.finish()?)
    })?;
    opener.ready()?;
    let done = work();
    opener.go()?;
    let checked = opener.end();
    done.and(checked)
}

/// Entries and returns of rt_plain, through the node `user`.
pub fn plain() -> Plan {
    Plan::on(USER).both("rt_target:rt_plain")
}

/// There are so many calls of rt_plain, and not a trace of any other.
pub fn exactly(calls: u64) -> impl Fn(&Finished) -> Outcome {
    move |finished| {
        let entries = finished.entry_row("rt_plain")?;
        let returns = finished.return_row("rt_plain")?;
        check_eq!(
            (entries.fired, entries.recorded),
            (calls, calls),
            "firings and records at entry"
        );
        check_eq!(
            (returns.entered, returns.returned, returns.recorded),
            (calls, calls, calls),
            "calls entered, returned and recorded"
        );
        check_eq!(finished.events.len() as u64, 2 * calls, "events");
        Ok(())
    }
}

/// While bob traces, this is done and leaves nothing, where bob's own 5 calls do.
fn nothing_of(work: impl FnOnce(&Target) -> Outcome) -> Outcome {
    let target = Target::open()?;
    let and_own = || {
        work(&target)?;
        play("bob", || target.run("plain 5").map(drop))
    };
    traced_by(|| become_ordinary("bob"), &plain(), and_own, exactly(5))
}

fn own(_: &Options) -> Outcome {
    let target = Target::open()?;
    let (uid, _) = ids::ids_of("bob")?;
    let plan = plain().ret("rt_target:rt_errno").ret("rt_target:rt_value");
    let calls = || {
        play("bob", || {
            target.run("plain 40")?;
            target.run("errno 2")?;
            target.run("errno 0")?;
            target.run("value 4096")?;
            target.run("value 18446744071562067968")?; // 0xffffffff80000000
            target.run("value 18446744073709551594").map(drop) // -22
        })
    };
    traced_by(
        || become_ordinary("bob"),
        &plan,
        calls,
        |finished| {
            let (entries, returns) = (finished.entries("rt_plain")?, finished.returns("rt_plain")?);
            check_eq!((entries.len(), returns.len()), (40, 40));
            let me = fs::read_to_string("/proc/self/comm")?;
            for event in entries.iter().chain(&returns) {
                let who = event.who().ok_or_else(|| fail("a record with data"))?;
                check_eq!(who.uid, uid, "the user in {event:?}");
                let name = String::from_utf8_lossy(&who.execname);
                check_eq!(name.trim_end_matches('\0'), me.trim_end(), "the name");
                check_eq!(event.context, abi::RTRACE_CONTEXT_TASK);
            }
            // What rt_plain returns is no error by chance: see `weighted`.
            let none = abi::RTRACE_RESULT_NONE as i32;
            let results = |name: &str| -> Outcome<Vec<Option<i32>>> {
                let returns = finished.returns(name)?;
                Ok(returns.iter().map(|event| event.result()).collect())
            };
            check_eq!(results("rt_errno")?, [Some(-2), Some(0)], "of rt_errno");
            check_eq!(
                results("rt_value")?,
                [Some(none), Some(none), Some(-22)],
                "of rt_value"
            );
            Ok(())
        },
    )
}

fn system_calls(_: &Options) -> Outcome {
    let mask = |mode| umask(Mode::from_raw_mode(mode)).as_raw_mode();
    let calls = || {
        mask(0o01);
        play("bob", || {
            mask(0o27);
            mask(0o22);
            Ok(())
        })
    };
    let plan = Plan::on(USER).both("vmlinux:__x64_sys_umask");
    traced_by(
        || become_ordinary("bob"),
        &plan,
        calls,
        |finished| {
            let entries = finished.entries("__x64_sys_umask")?;
            let asked: Vec<u64> = entries.iter().map(|event| event.args()[0]).collect();
            check_eq!(asked, [0o27, 0o22], "the masks that were set");
            let answered: Vec<What> = finished
                .returns("__x64_sys_umask")?
                .iter()
                .map(|event| event.what)
                .collect();
            check!(
                matches!(answered[..], [What::Return(0o01, _), What::Return(0o27, _)]),
                "what was answered: {answered:?}"
            );
            Ok(())
        },
    )?;
    traced_by(
        || become_ordinary("dave"),
        &Plan::on(SYSTEM).both("vmlinux:__x64_sys_umask"),
        calls,
        |finished| {
            let entries = finished.entries("__x64_sys_umask")?;
            check_eq!(entries.len(), 3, "calls of anybody");
            let without = finished.events.iter().all(|event| event.who().is_some());
            check!(without, "records with data among {:?}", finished.events);
            Ok(())
        },
    )
}

fn others(_: &Options) -> Outcome {
    nothing_of(|target| {
        let (root, alice) = (Target::open()?, Target::open()?);
        let hammer = |target: &Target| {
            for _ in 0..20 {
                target.run("plain 100")?;
            }
            Ok(())
        };
        let root = Actor::start(|_| hammer(&root))?;
        let alice = Actor::of("alice", |_| hammer(&alice))?;
        target.run("plain 100")?;
        root.end()?;
        alice.end()
    })
}

fn reads(_: &Options) -> Outcome {
    const READS: usize = 64;
    let read = |times: usize| -> Outcome {
        let file = fs::File::open("/etc/passwd")?;
        for _ in 0..times {
            std::os::unix::fs::FileExt::read_at(&file, &mut [0u8; 16], 0)?;
        }
        Ok(())
    };
    let (uid, _) = ids::ids_of("bob")?;
    let (told, tell) = sys::pipe()?;
    let work = || {
        let root = Actor::start(|_| read(2000))?;
        let alice = Actor::of("alice", |_| read(2000))?;
        let bob = Actor::of("bob", |_| read(READS))?;
        std::io::Write::write_all(&mut &tell, &(bob.pid() as u32).to_ne_bytes())?;
        bob.end()?;
        alice.end()?;
        root.end()
    };
    let plan = Plan::on(USER).both("vmlinux:vfs_read");
    let pread = Plan::on(USER).both("vmlinux:ksys_pread64");
    // Compilers inline what they can; one of the two is there.
    let plan = if crate::session::Session::open()?
        .functions("vmlinux:vfs_read", 0, 1 << 16)?
        .is_empty()
    {
        pread
    } else {
        plan
    };
    traced_by(
        || become_ordinary("bob"),
        &plan,
        work,
        |finished| {
            let mut pid = [0u8; 4];
            std::io::Read::read_exact(&mut &told, &mut pid)?;
            let pid = u32::from_ne_bytes(pid);
            let row = finished.ledger.total();
            check_eq!(row.fired, finished.events.len() as u64, "firings, events");
            for event in &finished.events {
                check_eq!(event.who().map(|who| who.uid), Some(uid), "{event:?}");
            }
            let of_reader = |kind| {
                let events = finished.events.iter();
                let is = |event: &&crate::trace::Event| {
                    event.pid == pid && finished.probes[event.probe as usize].head.kind == kind
                };
                events.filter(is).count()
            };
            check_eq!(
                (of_reader(0), of_reader(1)),
                (READS, READS),
                "bob's reads at entry and return"
            );
            Ok(())
        },
    )
}

/// A copy of this program that bob may run, with this owner and mode.
struct Program(String);

impl Program {
    fn new(name: &str, (uid, gid): (u32, u32), mode: u32) -> Outcome<Self> {
        let path = format!("/usr/local/{name}");
        fs::copy(std::env::current_exe()?, &path)?;
        chown(&path, Some(uid), Some(gid))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(Self(path))
    }

    /// Bob has it call rt_plain.
    fn run(&self, target: &Target, options: &[&str]) -> Outcome {
        play("bob", || {
            let status = Command::new(&self.0)
                .args(["call", "plain 30"])
                .args(options)
                .stdin(target.to_program()?)
                .stdout(Stdio::null())
                .status()?;
            check!(status.success(), "{}: {status}", self.0);
            Ok(())
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The program leaves nothing, whether it makes itself dumpable or not.
fn nothing_of_program(program: &Program) -> Outcome {
    nothing_of(|target| {
        program.run(target, &[])?;
        program.run(target, &["--dumpable"])
    })
}

fn set_user_id(_: &Options) -> Outcome {
    // The same program without the bit is bob's own.
    let plain_program = Program::new("rt-ordinary", (0, 0), 0o755)?;
    let target = Target::open()?;
    traced_by(
        || become_ordinary("bob"),
        &plain(),
        || plain_program.run(&target, &[]),
        exactly(30),
    )?;
    nothing_of_program(&Program::new("rt-setuid", (0, 0), 0o4755)?)?;
    let (alice, group) = ids::ids_of("alice")?;
    nothing_of_program(&Program::new("rt-setalice", (alice, group), 0o4755)?)
}

fn set_group_id(_: &Options) -> Outcome {
    let gid = ids::gid_of("rtrace-kernel")?;
    nothing_of_program(&Program::new("rt-setgid", (0, gid), 0o2755)?)
}

fn file_capabilities(_: &Options) -> Outcome {
    let program = Program::new("rt-filecap", (0, 0), 0o755)?;
    let status = Command::new("setcap")
        .args(["cap_net_raw+ep", &program.0])
        .status()?;
    check!(status.success(), "setcap: {status}");
    nothing_of_program(&program)
}

fn gave_up(_: &Options) -> Outcome {
    let program = Program::new("rt-setuid-drop", (0, 0), 0o4755)?;
    nothing_of(|target| program.run(target, &["--drop"]))
}

fn not_dumpable(_: &Options) -> Outcome {
    nothing_of(|target| {
        play("bob", || {
            ids::set_dumpable(false)?;
            target.run("plain 30").map(drop)
        })
    })
}

fn user_namespace(_: &Options) -> Outcome {
    nothing_of(|target| {
        play("bob", || {
            if sys::new_user_namespace().is_err() {
                return Err(Failure::Skipped("no user namespaces".to_owned()));
            }
            ids::set_dumpable(true)?;
            target.run("plain 30")?;
            ids::set_capabilities(0, 0)?;
            ids::set_dumpable(true)?;
            target.run("plain 30").map(drop)
        })
    })
}

fn kernel_threads(_: &Options) -> Outcome {
    let target = Target::open()?;
    // Kernel threads have root's ids and root's capabilities.
    let work = || {
        target.run("storm 2 200")?;
        play("root", || target.run("plain 5").map(drop))
    };
    traced_by(
        || ids::set_dumpable(true).map_err(Failure::from),
        &plain(),
        work,
        exactly(5),
    )
}

fn interrupts(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = plain()
        .both("rt_target:rt_softirq")
        .both("rt_target:rt_irq")
        .both("rt_target:rt_nmi");
    let work = || {
        play("bob", || {
            sys::pin(0, 0)?;
            target.run("softirq 50")?;
            target.run("irq 50")?;
            target.run("nmi 0 20")?;
            target.run("plain 5").map(drop)
        })
    };
    traced_by(|| become_ordinary("bob"), &plan, work, exactly(5))
}

/// How many interrupts of its own timer the first CPU has had.
fn ticks() -> Outcome<u64> {
    let text = fs::read_to_string("/proc/interrupts")?;
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("LOC:"));
    let first = line.and_then(|line| line.split_whitespace().nth(1));
    first
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| fail("no timer interrupts in /proc/interrupts"))
}

/// Computes for a while, without asking the kernel for anything.
fn compute() {
    let mut number = 1u64;
    for _ in 0..2_000_000 {
        number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
    }
}

fn uncounted(_: &Options) -> Outcome {
    let target = Target::open()?;
    let plan = plain()
        .both("vmlinux:irq_enter_rcu")
        .both("vmlinux:irq_exit_rcu")
        .both("vmlinux:handle_softirqs");
    let work = || {
        play("bob", || {
            sys::pin(0, 0)?;
            let before = ticks()?;
            while ticks()? < before + 50 {
                compute();
            }
            target.run("plain 5").map(drop)
        })
    };
    traced_by(|| become_ordinary("bob"), &plan, work, exactly(5))
}

fn workers(_: &Options) -> Outcome {
    nothing_of(|target| {
        play("bob", || {
            match sys::uring::write_by_worker(&target.descriptor()?, b"plain 30") {
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
                    Err(Failure::Skipped("no io_uring".to_owned()))
                }
                answer => {
                    check_eq!(answer?, 8, "bytes that the worker wrote");
                    Ok(())
                }
            }
        })
    })
}

fn several_ids(_: &Options) -> Outcome {
    let (bob, group) = ids::ids_of("bob")?;
    let (alice, _) = ids::ids_of("alice")?;
    type Become = fn(u32, u32) -> sys::Sys<()>;
    let cases: [(&str, Become); 3] = [
        ("saved uid", |bob, alice| ids::set_uids(bob, bob, alice)),
        ("real uid", |bob, alice| ids::set_uids(alice, bob, bob)),
        ("saved gid", |bob, alice| {
            ids::set_gids(u32::MAX, u32::MAX, alice)?;
            ids::set_uids(bob, bob, bob)
        }),
    ];
    for (what, become_it) in cases {
        Actor::start(|_| {
            ids::set_groups(&[ids::gid_of("rtrace-user")?])?;
            ids::set_gids(group, group, group)?;
            become_it(bob, alice)?;
            let session = crate::session::Session::open_as(USER, libc::O_RDWR)?;
            let program = crate::program::Program::new();
            let program = program.clause(1, 0, crate::program::Code::new().ret());
            let answers = [
                session
                    .add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)
                    .map(drop),
                session.load(&program),
                session
                    .add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")
                    .map(drop),
            ];
            for answer in answers {
                let Err(refused) = answer else {
                    return Err(fail(format!("an opener with another {what} arms")));
                };
                check_eq!(refused.errno, rustix::io::Errno::ACCESS, "{what}");
                for part in ["set-id", USER, "/dev/rust_tracer/system", "kernel"] {
                    check!(
                        refused.text.contains(part),
                        "{part} is not in {:?}",
                        refused.text
                    );
                }
            }
            check_eq!(session.status()?.probes, 0, "probes after the refusal");
            Ok(())
        })?
        .end()?;
    }
    Ok(())
}
