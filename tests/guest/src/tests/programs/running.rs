// SPDX-License-Identifier: GPL-2.0-only
//! What clauses see: arguments, built-in variables, stacks; and which of them run.

use rust_tracer::abi;

use super::{TRACE, loaded, numbers, started};
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::KERNEL;
use crate::sys;
use crate::target::{Target, plain_args, weighted};
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "programs, running":
    "arguments beyond the registers, and those of the entry at the return, are seen" => arguments,
    "built-in variables are what the head of the record and the process say" => built_ins,
    "the clauses of a probe's groups run in the program's order" => groups,
    "a stack begins with the function, and its caller follows" => stacks,
    "a session without a program records as ever, and groups mean nothing to it" => without,
    "clauses that together may take too long at one probe are refused, and change nothing" => too_long,
    "ERROR fires for so many of a firing's faults as it has time for, and the rest are counted" => many_errors,
}

/// A clause that does nothing much, but may cost nearly as much as one may.
fn dear() -> Code {
    (0..40)
        .fold(Code::new().set(0, 0), |code, _| {
            code.op(abi::RTRACE_OP_CALL, 1, 0, 1, abi::RTRACE_SUB_ALLOCA as i32)
        })
        .ret()
}

/// So many of them are what a firing may cost, and one more is not.
const DEAR: usize = 4;

fn too_long(_: &Options) -> Outcome {
    let of =
        |count: usize| (0..count).fold(Program::new(), |program, _| program.clause(1, 0, dear()));
    let session = loaded(KERNEL, &of(DEAR + 1))?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let Err(refused) = session.start() else {
        return Err(fail("it starts"));
    };
    check_eq!(refused.errno, rustix::io::Errno::TOOBIG);
    let count = format!("{} clauses", DEAR + 1);
    for word in ["rt_plain", "too long", count.as_str()] {
        check!(refused.text.contains(word), "{word}: {}", refused.text);
    }
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    // The same on probes of their own.
    let session = loaded(KERNEL, &of(DEAR).clause(2, 0, dear()))?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 2)?;
    let trace = started(session)?;
    Target::open()?.run("plain 3")?;
    let finished = trace.finish()?;
    let sum = finished.ledger.total();
    check_eq!(sum.fired, 3 * DEAR as u64);
    check_eq!(sum.processed, 3 * DEAR as u64);
    Ok(())
}

fn many_errors(_: &Options) -> Outcome {
    const FAULTS: usize = 10;
    let divide = Code::new()
        .set(1, 0)
        .op(abi::RTRACE_OP_DIV, 2, 1, 1, 0)
        .ret();
    let program = (0..FAULTS)
        .fold(Program::new(), |program, _| {
            program.clause(1, 0, divide.clone())
        })
        .clause(2, 0, dear());
    let session = loaded(KERNEL, &program)?;
    let error = session.add_own(abi::RTRACE_KIND_ERROR, 2, 0, "ERROR")?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run("plain 1")?;
    let ledger = trace.finish()?.ledger;
    let row = ledger.probe(error);
    check_eq!(row.fired, FAULTS as u64);
    check_eq!(row.processed, DEAR as u64);
    let recursion = row.dropped[abi::RTRACE_DROP_RECURSION as usize];
    check_eq!(recursion, (FAULTS - DEAR) as u64);
    check_eq!(ledger.total().fired, 2 * FAULTS as u64);
    Ok(())
}

fn arguments(_: &Options) -> Outcome {
    const CALLS: u64 = 20;
    let mut entry = Code::new();
    for n in 0..10u8 {
        entry = entry
            .get(n, abi::RTRACE_VAR_ARG0 + u32::from(n))
            .emit(n, TRACE, n.into());
    }
    let mut ret = Code::new()
        .get(0, abi::RTRACE_VAR_ARG0)
        .get(1, abi::RTRACE_VAR_ARG0 + 1)
        .emit(0, TRACE, 0)
        .emit(1, TRACE, 1);
    for n in 0..6u8 {
        ret = ret
            .get(n, abi::RTRACE_VAR_ENTRYARG0 + u32::from(n))
            .emit(n, TRACE, n.into());
    }
    let program = Program::new()
        .clause(1, 0, entry.ret())
        .clause(2, 0, ret.ret());
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_wide", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.add_to("rt_target:rt_wide", abi::RTRACE_PROBE_RETURN, 2)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, &format!("wide {CALLS}"))?;
    let finished = trace.finish()?;
    let found = numbers(&finished)?;
    check_eq!(found.len() as u64, 2 * CALLS);
    for (i, pair) in (0..CALLS).zip(found.chunks_exact(2)) {
        let passed: Vec<u64> = (i..i + 8).collect();
        check_eq!(pair[0][..8], passed[..], "arguments of call {i}");
        let mut at_return = vec![0, weighted(&passed)];
        at_return.extend(&passed[..6]);
        check_eq!(pair[1], at_return, "what the return of call {i} sees");
    }
    Ok(())
}

fn built_ins(_: &Options) -> Outcome {
    const ASKED: [u32; 15] = [
        abi::RTRACE_VAR_PROBE,
        abi::RTRACE_VAR_CPU,
        abi::RTRACE_VAR_PID,
        abi::RTRACE_VAR_TID,
        abi::RTRACE_VAR_PPID,
        abi::RTRACE_VAR_UID,
        abi::RTRACE_VAR_GID,
        abi::RTRACE_VAR_IPL,
        abi::RTRACE_VAR_ID,
        abi::RTRACE_VAR_TIMESTAMP,
        abi::RTRACE_VAR_WALLTIMESTAMP,
        abi::RTRACE_VAR_VTIMESTAMP,
        abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_RSP,
        abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_CS,
        abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_ERR,
    ];
    let mut code = Code::new();
    for which in ASKED {
        code = code.get(1, which).emit(1, TRACE, which as u16);
    }
    for which in [
        abi::RTRACE_VAR_EXECNAME,
        abi::RTRACE_VAR_PROBEPROV,
        abi::RTRACE_VAR_PROBEMOD,
        abi::RTRACE_VAR_PROBEFUNC,
        abi::RTRACE_VAR_PROBENAME,
        abi::RTRACE_VAR_CWD,
    ] {
        code = code.op(abi::RTRACE_OP_GETSTR, 1, 0, 0, which as i32).op(
            abi::RTRACE_OP_EMITS,
            0,
            1,
            0,
            item(TRACE, which as u16),
        );
    }
    let program = Program::new().clause(1, 0, code.ret());
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let id = session.functions("rt_target:rt_value", 0, 4096)?[0]
        .head
        .entry_id;
    let trace = started(session)?;
    let before = sys::now();
    Target::open()?.run("value 1")?;
    let after = sys::now();
    let finished = trace.finish()?;
    let [made] = &finished.made[..] else {
        return Err(fail(format!("{} records", finished.made.len())));
    };
    let head = &made.head;
    let number = |which: u32| {
        let found = made.items.iter().find(|i| u32::from(i.argument) == which);
        found.and_then(|item| item.number())
    };
    for (which, wanted) in [
        (abi::RTRACE_VAR_PROBE, head.probe),
        (abi::RTRACE_VAR_CPU, head.cpu),
        (abi::RTRACE_VAR_PID, std::process::id()),
        (abi::RTRACE_VAR_TID, sys::tid() as u32),
        (abi::RTRACE_VAR_PPID, std::os::unix::process::parent_id()),
        (abi::RTRACE_VAR_UID, 0),
        (abi::RTRACE_VAR_GID, 0),
        (abi::RTRACE_VAR_IPL, abi::RTRACE_CONTEXT_TASK),
        (abi::RTRACE_VAR_ID, id),
        // Code of 64 bits.
        (abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_CS, 0x33),
        (
            abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_ERR,
            libc::SYS_write as u32,
        ),
    ] {
        check_eq!(number(which), Some(wanted.into()), "variable {which}");
    }
    check_eq!(
        (head.pid, head.tid),
        (std::process::id(), sys::tid() as u32)
    );
    let time = number(abi::RTRACE_VAR_TIMESTAMP).unwrap_or(0);
    check!(
        (before..=after).contains(&time),
        "timestamp {time} is not in {before}..={after}"
    );
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let wall = wall.map_err(fail)?.as_nanos() as u64;
    let told = number(abi::RTRACE_VAR_WALLTIMESTAMP).unwrap_or(0);
    check!(
        told <= wall && wall - told < 600_000_000_000,
        "walltimestamp {told}, now {wall}"
    );
    let spent = number(abi::RTRACE_VAR_VTIMESTAMP).unwrap_or(0);
    check!(spent > 0, "vtimestamp is 0");
    let stack = number(abi::RTRACE_VAR_UREG0 + abi::RTRACE_UREG_RSP).unwrap_or(0);
    let here = std::ptr::from_ref(&stack).addr() as u64;
    check!(
        stack < here && here - stack < 1 << 16,
        "uregs[R_SP] {stack:#x}, a variable of the caller at {here:#x}"
    );
    let text = |which: u32| {
        let found = made.items.iter().find(|i| u32::from(i.argument) == which);
        found.map(|item| String::from_utf8_lossy(&item.payload).into_owned())
    };
    let comm = std::fs::read_to_string("/proc/thread-self/comm")?;
    let cwd = std::env::current_dir()?.display().to_string();
    for (which, wanted) in [
        (abi::RTRACE_VAR_EXECNAME, comm.trim_end()),
        (abi::RTRACE_VAR_PROBEPROV, "fbt"),
        (abi::RTRACE_VAR_PROBEMOD, "rt_target"),
        (abi::RTRACE_VAR_PROBEFUNC, "rt_value"),
        (abi::RTRACE_VAR_PROBENAME, "entry"),
        (abi::RTRACE_VAR_CWD, &cwd),
    ] {
        check_eq!(text(which).as_deref(), Some(wanted), "variable {which}");
    }
    Ok(())
}

/// A clause that records its number alone.
pub fn says(number: i32) -> Code {
    Code::new().set(1, number).emit(1, TRACE, 0).ret()
}

fn groups(_: &Options) -> Outcome {
    let program = Program::new()
        .clause(2, 0, says(0))
        .clause(1, 0, says(1))
        .clause(3, abi::RTRACE_CLAUSE_DEFAULT, Code::new().ret())
        .clause(1, 0, says(3));
    let session = loaded(KERNEL, &program)?;
    let entry = abi::RTRACE_PROBE_ENTRY;
    session.add_to("rt_target:rt_value", entry, 1)?;
    let again = session.add_to("rt_target:rt_*", entry, 2)?;
    check!(again.added > 0 && again.added < again.matched, "{again:?}");
    // A second time to the same group, and to none.
    session.add_to("rt_target:rt_value", entry, 2)?;
    session.add_to("rt_target:rt_value", entry, 0)?;
    session.add_to("rt_target:rt_void", entry, 3)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, "value 5")?;
    Target::open()?.run_on(0, "void 1")?;
    let finished = trace.finish()?;
    let value = finished.index("rt_value", abi::RTRACE_KIND_ENTRY)?;
    let void = finished.index("rt_void", abi::RTRACE_KIND_ENTRY)?;
    let of = |probe: u32| -> Vec<(u32, usize)> {
        let made = finished.made.iter().filter(|made| made.head.probe == probe);
        made.map(|made| (made.head.clause, made.items.len()))
            .collect()
    };
    check_eq!(
        of(value),
        vec![(0, 1), (1, 1), (3, 1)],
        "clauses of rt_value"
    );
    check_eq!(of(void), vec![(0, 1), (2, 0)], "clauses of rt_void");
    check_eq!(finished.ledger.probe(value).fired, 3, "each clause fires");
    Ok(())
}

fn stacks(_: &Options) -> Outcome {
    let code = Code::new()
        .op(abi::RTRACE_OP_EMITK, 0, 100, 0, item(TRACE, 0))
        .op(abi::RTRACE_OP_EMITU, 0, 100, 0, item(TRACE, 1))
        .get(1, abi::RTRACE_VAR_CALLER)
        .emit(1, TRACE, 2)
        .get(1, abi::RTRACE_VAR_STACKDEPTH)
        .emit(1, TRACE, 3)
        .ret();
    let program = Program::new().clause(1, 0, code.clone()).clause(2, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_RETURN, 2)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, "value 1")?;
    let finished = trace.finish()?;
    let [entered, returned] = &finished.made[..] else {
        return Err(fail(format!("{} records", finished.made.len())));
    };
    check_eq!(
        entered.items[0].words(),
        returned.items[0].words(),
        "the stack at both ends"
    );
    for made in [entered, returned] {
        let frames = made.items[0].words();
        check!(frames.len() > 3, "{} frames", frames.len());
        check_eq!(made.items[2].number(), Some(frames[1]), "caller");
        check_eq!(
            made.items[3].number(),
            Some(frames.len() as u64),
            "stackdepth"
        );
        let names: Vec<_> = frames
            .iter()
            .map(|frame| finished.session.symbol(*frame).unwrap_or_default())
            .collect();
        check!(names[0].starts_with("rt_value+"), "rt_value: {names:?}");
        check!(
            names[1].starts_with("run+") || names[1].contains("[rt_target]"),
            "the caller of rt_value: {names:?}"
        );
        check!(
            names.iter().any(|name| name.starts_with("vfs_write+"))
                && names.iter().any(|name| name.starts_with("do_syscall_64+")),
            "the way from the system call: {names:?}"
        );
        check!(
            !names
                .iter()
                .any(|name| name.contains("[rust_tracer]") || name.contains("return_to_handler")),
            "our own frames: {names:?}"
        );
        let user = made.items[1].words();
        check_eq!(user[0], u64::from(std::process::id()), "whose stack");
        check!(user.len() > 1 && user[1] < 1 << 47, "{user:x?}");
    }
    Ok(())
}

fn without(_: &Options) -> Outcome {
    let session = crate::session::Session::open()?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 5)?;
    session.add_own(abi::RTRACE_KIND_BEGIN, 5, 0, "BEGIN")?;
    session.add_own(abi::RTRACE_KIND_TICK, 5, 1_000_000, "tick-1ms")?;
    let trace = started(session)?;
    Target::open()?.run_on(0, "plain 10")?;
    let finished = trace.finish()?;
    check_eq!(finished.made.len(), 0);
    let entries = finished.entries("rt_plain")?;
    check_eq!(entries.len(), 10);
    for (i, entry) in (0..).zip(&entries) {
        check_eq!(entry.args(), plain_args(i), "arguments of call {i}");
    }
    check_eq!(finished.ledger.total().fired, 10);
    Ok(())
}
