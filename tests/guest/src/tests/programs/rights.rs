// SPDX-License-Identifier: GPL-2.0-only
//! What the nodes show to programs, and what hostile ones come to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use super::{TRACE, aggregated, loaded, numbers, started};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::{KERNEL, SYSTEM, Session, USER};
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::waiting;

group! { "programs, rights":
    "what a node does not show is refused by name, and the node that shows it is named" => refused,
    "user may aggregate its own latencies, and system everyone's" => latencies,
    "user sees the arguments and values of its own system calls, and of nothing else" => own_calls,
    "a clause for system calls runs for nothing else" => only_system_calls,
    "a tick on the node user knows no threads" => one_thread,
    "a program that the verifier does not take changes nothing" => invalid,
    "sections that are too large, or lie nowhere, are refused" => sections,
    "a program cannot be loaded into a session that was started, or observes" => wrong_state,
}

fn one_thread(_: &Options) -> Outcome {
    const TICKS: usize = 100;
    // self->n++; trace(self->n): a thread of whatever task it comes upon would begin at 1.
    let code = Code::new()
        .op(abi::RTRACE_OP_LDD, 1, 0, 0, 0)
        .op(abi::RTRACE_OP_ADDI, 1, 1, 0, 1)
        .op(abi::RTRACE_OP_STD, 0, 1, 0, 0)
        .emit(1, TRACE, 0)
        .ret();
    let program = Program::new()
        .variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .clause(1, 0, code);
    let session = loaded(USER, &program)?;
    session.add_own(abi::RTRACE_KIND_TICK, 1, 1_000_000, "tick-1ms")?;
    let mut trace = started(session)?;
    let enough = || {
        trace.read()?;
        Ok(trace.made.len() >= TICKS)
    };
    // On each CPU several take turns, whoever the tick comes upon.
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 * guest::online_cpus() {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let result = waiting::until(enough, || "it does not tick".into());
        done.store(true, Ordering::Relaxed);
        result
    })?;
    let finished = trace.finish()?;
    for (told, expected) in numbers(&finished)?.iter().zip(1..) {
        check_eq!(told[..], [expected]);
    }
    Ok(())
}

/// What is asked for, and which nodes show it: system, user, user for system calls.
fn cases() -> Vec<(&'static str, Code, [bool; 3])> {
    let get = |which: u32| Code::new().get(1, which).emit(1, TRACE, 0).ret();
    let text = |which: u32| {
        Code::new()
            .op(abi::RTRACE_OP_GETSTR, 1, 0, 0, which as i32)
            .op(abi::RTRACE_OP_EMITS, 0, 1, 0, item(TRACE, 0))
            .ret()
    };
    let call = |which: u32| {
        let code = Code::new().set(1, 0);
        code.op(abi::RTRACE_OP_CALL, 2, 1, 1, which as i32).ret()
    };
    let all = [true; 3];
    let none = [false; 3];
    vec![
        ("arg0", get(abi::RTRACE_VAR_ARG0), [false, false, true]),
        ("arg5", get(abi::RTRACE_VAR_ARG0 + 5), [false, false, true]),
        (
            "entryarg0",
            get(abi::RTRACE_VAR_ENTRYARG0),
            [false, false, true],
        ),
        ("errno", get(abi::RTRACE_VAR_ERRNO), [false, true, true]),
        ("caller", get(abi::RTRACE_VAR_CALLER), none),
        ("curthread", get(abi::RTRACE_VAR_CURTHREAD), none),
        (
            "uregs[R_RSP]",
            get(abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_RSP),
            none,
        ),
        ("elapsed", get(abi::RTRACE_VAR_ELAPSED), all),
        ("timestamp", get(abi::RTRACE_VAR_TIMESTAMP), all),
        ("pid", get(abi::RTRACE_VAR_PID), all),
        ("uid", get(abi::RTRACE_VAR_UID), all),
        ("execname", text(abi::RTRACE_VAR_EXECNAME), all),
        ("probefunc", text(abi::RTRACE_VAR_PROBEFUNC), all),
        (
            "stack",
            Code::new()
                .op(abi::RTRACE_OP_EMITK, 0, 10, 0, item(TRACE, 0))
                .ret(),
            none,
        ),
        ("copyinstr", call(abi::RTRACE_SUB_COPYINSTR), none),
        ("stack", call(abi::RTRACE_SUB_STACK), none),
        ("ustack", call(abi::RTRACE_SUB_USTACK), none),
    ]
}

fn refused(_: &Options) -> Outcome {
    for (what, code, shown) in cases() {
        for (node, flags, may) in [
            (KERNEL, 0, true),
            (KERNEL, abi::RTRACE_CLAUSE_SYSCALL, true),
            (SYSTEM, 0, shown[0]),
            (SYSTEM, abi::RTRACE_CLAUSE_SYSCALL, shown[0]),
            (USER, 0, shown[1]),
            (USER, abi::RTRACE_CLAUSE_SYSCALL, shown[2]),
        ] {
            let program = Program::new().clause(1, flags, code.clone());
            let session = Session::open_as(node, libc::O_RDWR)?;
            match (session.load_refused(&program), may) {
                (None, true) => {}
                (Some((refused, at)), false) => {
                    check_eq!(refused.errno, Errno::ACCESS, "{what} on {node}");
                    check!(
                        refused.text.contains(what) && refused.text.contains(KERNEL),
                        "{what} on {node}: {:?}",
                        refused.text
                    );
                    check!(at <= 1, "{what} on {node}: instruction {at}");
                }
                (found, _) => return Err(fail(format!("{what} on {node}: {found:?}"))),
            }
        }
    }
    Ok(())
}

/// Latencies by user: `{ @[uid] = quantize(elapsed); }`
fn by_user() -> Program {
    Program::new()
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 8, [0; 4])
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_UID)
                .keys(&[1])
                .get(2, abi::RTRACE_VAR_ELAPSED)
                .set(3, 1)
                .aggregate(0, 2, 3)
                .ret(),
        )
}

/// What needs so little that it could be done without a look at whose task it is: `{ @ = count(); }`
fn counted() -> Program {
    Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
        .clause(1, 0, Code::new().keys(&[]).aggregate(0, 0, 0).ret())
}

fn latencies(_: &Options) -> Outcome {
    for (node, users) in [(SYSTEM, vec![0u64, 1234]), (USER, vec![0])] {
        of_users(node, &users, &by_user(), abi::RTRACE_PROBE_RETURN)?;
        of_users(node, &users, &counted(), abi::RTRACE_PROBE_ENTRY)?;
    }
    Ok(())
}

/// Two users call a function that is traced on a node; what is aggregated is of these.
fn of_users(node: &str, users: &[u64], program: &Program, kind: u32) -> Outcome {
    const CALLS: u64 = 50;
    let session = loaded(node, program)?;
    session.add_to("rt_target:rt_void", kind, 1)?;
    let trace = started(session)?;
    Target::open()?.run(&format!("void {CALLS}"))?;
    let child = sys::Child::start(|| {
        let target = Target::open();
        let changed = sys::ids::set_uids(1234, 1234, 1234).is_ok();
        let called = target.and_then(|target| target.run(&format!("void {CALLS}")));
        i32::from(!changed || called.is_err())
    })?;
    check_eq!(child.wait()?, sys::Ended::Exit(0), "the other user");
    let finished = trace.finish()?;
    let found = aggregated(&finished.session, 1 << 14)?;
    let told: Vec<_> = found
        .iter()
        .map(|entry| (entry.keys.first().copied(), entry.words.iter().sum::<u64>()))
        .collect();
    let wanted: Vec<_> = match kind {
        abi::RTRACE_PROBE_RETURN => users.iter().map(|user| (Some(*user), CALLS)).collect(),
        _ => vec![(None, CALLS * users.len() as u64)],
    };
    check_eq!(told, wanted, "by user, on {node}");
    check_eq!(
        finished.ledger.total().fired,
        CALLS * users.len() as u64,
        "firings on {node}"
    );
    Ok(())
}

fn own_calls(_: &Options) -> Outcome {
    let entry = Code::new()
        .get(1, abi::RTRACE_VAR_ARG0)
        .emit(1, TRACE, 0)
        .ret();
    let ret = Code::new()
        .get(1, abi::RTRACE_VAR_ARG0 + 1)
        .emit(1, TRACE, 0)
        .get(1, abi::RTRACE_VAR_ERRNO)
        .emit(1, TRACE, 1)
        .get(1, abi::RTRACE_VAR_ENTRYARG0)
        .emit(1, TRACE, 2)
        .ret();
    let program = Program::new()
        .clause(1, abi::RTRACE_CLAUSE_SYSCALL, entry)
        .clause(2, abi::RTRACE_CLAUSE_SYSCALL, ret)
        // The value of another function, where it is an error.
        .clause(
            3,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0 + 1)
                .emit(1, TRACE, 0)
                .ret(),
        );
    for node in [USER, KERNEL] {
        let session = loaded(node, &program)?;
        session.add_to("vmlinux:__x64_sys_getpgid", abi::RTRACE_PROBE_ENTRY, 1)?;
        session.add_to("vmlinux:__x64_sys_getpgid", abi::RTRACE_PROBE_RETURN, 2)?;
        session.add_to("rt_target:rt_errno", abi::RTRACE_PROBE_RETURN, 3)?;
        session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_RETURN, 3)?;
        let trace = started(session)?;
        let nobody = rustix::process::Pid::from_raw(1_000_000);
        check!(rustix::process::getpgid(nobody).is_err(), "process 1000000");
        let target = Target::open()?;
        target.run_on(0, "errno 22")?;
        target.run_on(0, "value 123456")?;
        let finished = trace.finish()?;
        let mine = |made: &&crate::trace::Made| made.head.pid == std::process::id();
        let mut made: Vec<_> = finished.made.iter().filter(mine).collect();
        made.sort_by_key(|made| made.head.time);
        let told: Vec<Vec<_>> = made
            .iter()
            .map(|made| made.items.iter().filter_map(|i| i.number()).collect())
            .collect();
        let srch = 3i64;
        let mut wanted = vec![
            vec![1_000_000],
            vec![(-srch) as u64, srch as u64, 1_000_000],
            vec![(-22i64) as u64],
        ];
        let value = finished.index("rt_value", abi::RTRACE_KIND_RETURN)?;
        let refused = finished
            .faults
            .iter()
            .filter(|fault| fault.probe == value && fault.fault == abi::RTRACE_FAULT_KPRIV)
            .count();
        if node == KERNEL {
            wanted.push(vec![123_456]);
            // An int: the upper half is what the register had.
            check_eq!(told[2][0] as u32, -22i32 as u32, "rt_errno");
            wanted[2] = told[2].clone();
        } else {
            check_eq!(refused, 1, "the value of another function");
        }
        check_eq!(told, wanted, "what {node} shows");
    }
    Ok(())
}

fn only_system_calls(_: &Options) -> Outcome {
    let program = Program::new().clause(
        1,
        abi::RTRACE_CLAUSE_SYSCALL,
        Code::new()
            .get(1, abi::RTRACE_VAR_ARG0)
            .emit(1, TRACE, 0)
            .ret(),
    );
    for node in [KERNEL, USER] {
        let session = loaded(node, &program)?;
        session.add_to("vmlinux:__x64_sys_getpgid", abi::RTRACE_PROBE_ENTRY, 1)?;
        session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
        match session.start() {
            Ok(_) => return Err(fail(format!("it starts on {node}"))),
            Err(refused) => {
                check_eq!(refused.errno, Errno::INVAL);
                check!(refused.text.contains("rt_value"), "{:?}", refused.text);
            }
        }
        let status = session.status()?;
        check_eq!((status.state, status.attached), (abi::RTRACE_STATE_IDLE, 0));
    }
    // arg1 is a value at a return, and an argument at an entry.
    let program = Program::new().clause(
        1,
        0,
        Code::new()
            .get(1, abi::RTRACE_VAR_ARG0 + 1)
            .emit(1, TRACE, 0)
            .ret(),
    );
    let session = loaded(USER, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let found = session.start().map(|_| ());
    check_eq!(found.map_err(|refused| refused.errno), Err(Errno::ACCESS));
    Ok(())
}

fn invalid(_: &Options) -> Outcome {
    let session = Session::open()?;
    let good = Program::new().clause(1, 0, Code::new().set(1, 5).emit(1, TRACE, 0).ret());
    session.load(&good)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let bad: Vec<(&str, Program, Option<u32>)> = vec![
        (
            "a jump backwards",
            Program::new().clause(1, 0, Code::new().op(abi::RTRACE_OP_JMP, 0, 0, 0, -1).ret()),
            Some(0),
        ),
        (
            "no end",
            Program::new().clause(1, 0, Code::new().set(1, 1)),
            None,
        ),
        (
            "a register that was never set",
            Program::new().clause(1, 0, Code::new().set(1, 1).emit(2, TRACE, 0).ret()),
            Some(1),
        ),
        (
            "an operation that there is not",
            Program::new().clause(1, 0, Code::new().op(250, 0, 0, 0, 0).ret()),
            Some(0),
        ),
        (
            "a variable that there is not",
            Program::new().clause(1, 0, Code::new().op(abi::RTRACE_OP_LDV, 1, 0, 0, 0).ret()),
            Some(0),
        ),
        (
            "group 0",
            Program::new().clause(0, 0, Code::new().ret()),
            None,
        ),
        (
            "unknown flags",
            Program::new().clause(1, 4, Code::new().ret()),
            None,
        ),
        (
            "an aggregation that there is not",
            Program::new()
                .aggregation(99, 0, [0; 4])
                .clause(1, 0, Code::new().ret()),
            None,
        ),
        (
            "a variable without size",
            Program::new()
                .variable(abi::RTRACE_SCOPE_GLOBAL, abi::RTRACE_VALUE_STRING, 0, 0)
                .clause(1, 0, Code::new().ret()),
            None,
        ),
    ];
    for (what, program, at) in bad {
        let Some((refused, instruction)) = session.load_refused(&program) else {
            return Err(fail(format!("{what} is taken")));
        };
        check_eq!(refused.errno, Errno::INVAL, "{what}: {}", refused.text);
        check!(!refused.text.is_empty(), "{what}: no text");
        if let Some(at) = at {
            check_eq!(instruction, at, "{what}: {}", refused.text);
        }
    }
    let trace = started(session)?;
    Target::open()?.run("value 1")?;
    let finished = trace.finish()?;
    check_eq!(numbers(&finished)?, vec![vec![5]], "the program before");
    Ok(())
}

fn sections(_: &Options) -> Outcome {
    let session = Session::open()?;
    let program = Program::new().clause(1, 0, Code::new().ret());
    let good = program.argument();
    type Spoil = fn(&mut abi::rtrace_program, u32);
    let counts: [(Spoil, u32, Errno); 8] = [
        (
            |p, n| p.code_count = n,
            abi::RTRACE_PROGRAM_INSNS_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.clauses_count = n,
            abi::RTRACE_CLAUSES_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.constants_count = n,
            abi::RTRACE_CONSTANTS_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.strings_len = n,
            abi::RTRACE_STRINGS_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.variables_count = n,
            abi::RTRACE_VARIABLES_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.aggregations_count = n,
            abi::RTRACE_AGGREGATIONS_MAX,
            Errno::TOOBIG,
        ),
        (
            |p, n| p.speculations = n,
            abi::RTRACE_SPECULATIONS_MAX,
            Errno::TOOBIG,
        ),
        (|p, n| p.strsize = n, abi::RTRACE_STRSIZE_MAX, Errno::TOOBIG),
    ];
    for (number, (spoil, most, errno)) in counts.into_iter().enumerate() {
        for count in [most + 1, u32::MAX / 2, u32::MAX] {
            let mut argument = good;
            spoil(&mut argument, count);
            let found = session.command(&mut argument).map_err(|r| r.errno);
            check_eq!(found, Err(errno), "section {number}: {count}");
        }
    }
    let pointers: [fn(&mut abi::rtrace_program, u64); 6] = [
        |p, at| (p.code, p.code_count) = (at, 64),
        |p, at| (p.clauses, p.clauses_count) = (at, 64),
        |p, at| (p.constants, p.constants_count) = (at, 64),
        |p, at| (p.strings, p.strings_len) = (at, 64),
        |p, at| (p.variables, p.variables_count) = (at, 64),
        |p, at| (p.aggregations, p.aggregations_count) = (at, 64),
    ];
    for spoil in pointers {
        for address in [
            0,
            8,
            0x7fff_ffff_f000,
            1 << 63,
            0xffff_ffff_8100_0000,
            u64::MAX - 7,
        ] {
            let mut argument = good;
            spoil(&mut argument, address);
            let found = session.command(&mut argument).map_err(|r| r.errno);
            check_eq!(found, Err(Errno::FAULT), "{address:#x}");
        }
    }
    let sizes: [fn(&mut abi::rtrace_program); 4] = [
        |p| p.aggsize = u64::MAX,
        |p| p.dynvarsize = 1 << 40,
        |p| p.flags = 1,
        |p| p.aggsize = (1 << 30) + 1,
    ];
    for spoil in sizes {
        let mut argument = good;
        spoil(&mut argument);
        let found = session.command(&mut argument).map_err(|r| r.errno);
        check_eq!(found, Err(Errno::INVAL), "{argument:?}");
    }
    // Room for no entry, and for no variable.
    let mut small = Program::new()
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 64, [0; 4])
        .clause(1, 0, Code::new().ret());
    small.sizes.aggsize = 64;
    let mut narrow = Program::new()
        .variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .clause(1, 0, Code::new().ret());
    narrow.sizes.dynvarsize = 8;
    for (program, what) in [(small, "aggsize"), (narrow, "dynvarsize")] {
        match session.load(&program) {
            Ok(()) => return Err(fail(format!("{what}: it is taken"))),
            Err(refused) => check!(
                refused.errno == Errno::INVAL && refused.text.contains(what),
                "{what}: {refused}"
            ),
        }
    }
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    Ok(())
}

fn wrong_state(_: &Options) -> Outcome {
    let program = Program::new().clause(1, 0, Code::new().ret());
    let session = Session::open()?;
    let listed = session.functions("rt_target:rt_value", 0, 4096)?;
    let id = listed[0].head.entry_id;
    let aggregate = session.aggregate(0, 1 << 16).map_err(|r| r.errno);
    check_eq!(aggregate, Err(Errno::INVAL), "before the start");
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.start()?;
    let too_late = |session: &Session| {
        for (what, found) in [
            ("PROGRAM", session.load(&program)),
            (
                "ADD_OWN",
                session
                    .add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")
                    .map(drop),
            ),
            ("ADD by ids", session.add_ids(&[id]).map(drop)),
        ] {
            check_eq!(found.map_err(|r| r.errno), Err(Errno::BUSY), "{what}");
        }
        Ok(())
    };
    too_late(&session)?;
    session.publish("wrong-state")?;
    let observer = Session::open()?;
    observer.observe("wrong-state")?;
    too_late(&observer)?;
    let aggregate = session.aggregate(0, 1 << 16).map_err(|r| r.errno);
    check_eq!(aggregate, Err(Errno::NXIO), "without a program");
    session.stop()?;
    Ok(())
}
