// SPDX-License-Identifier: GPL-2.0-only
//! What clauses see and keep: arguments, variables, speculations; and how they fail.

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
    "a bad address is a fault with its place, and fires ERROR, whose faults fire nothing" => faults,
    "thread-local variables follow a thread, and are gone when they are freed" => thread_variables,
    "variables that find no room are counted, and lose nothing else" => no_room,
    "records of a speculation carry its mark, and specsize bounds them" => speculations,
    "strings of the kernel and of the process are read, and their faults are faults" => strings,
    "a stack begins with the caller" => stacks,
    "a session without a program records as ever, and groups mean nothing to it" => without,
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
fn says(number: i32) -> Code {
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

fn faults(_: &Options) -> Outcome {
    let mut tells = Code::new();
    for n in 0..6u8 {
        tells = tells
            .get(n, abi::RTRACE_VAR_ARG0 + u32::from(n))
            .emit(n, TRACE, n.into());
    }
    let program = Program::new()
        // { trace(1); trace(*(uint64_t *)arg0); trace(2); }
        .clause(
            1,
            0,
            Code::new()
                .set(1, 1)
                .emit(1, TRACE, 0)
                .get(2, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_LD64, 3, 2, 0, 16)
                .emit(3, TRACE, 0)
                .ret(),
        )
        .clause(1, 0, says(9))
        .clause(2, 0, tells.ret())
        // ERROR divides by zero.
        .clause(
            2,
            0,
            Code::new()
                .set(1, 0)
                .op(abi::RTRACE_OP_DIV, 2, 1, 1, 0)
                .ret(),
        )
        .actions(&[1, 1, 2, 2, 2]);
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let error = session.add_own(abi::RTRACE_KIND_ERROR, 2, 0, "ERROR")?;
    let trace = started(session)?;
    let target = Target::open()?;
    // Nowhere, user space's, not canonical, the last word of all.
    let addresses = [
        0u64,
        0x1000,
        0x7fff_ffff_e000,
        0x8000_0000_0000_0000,
        u64::MAX - 20,
    ];
    for address in addresses {
        target.run_on(0, &format!("value {address}"))?;
    }
    let finished = trace.finish()?;
    let probe = finished.index("rt_value", abi::RTRACE_KIND_ENTRY)?;
    type Faults<'a> = Vec<&'a abi::rtrace_record_fault>;
    let (here, there): (Faults<'_>, Faults<'_>) = finished
        .faults
        .iter()
        .partition(|fault| fault.probe == probe);
    let told: Vec<_> = here
        .iter()
        .map(|fault| (fault.clause, fault.fault, fault.instruction, fault.address))
        .collect();
    let wanted: Vec<_> = addresses
        .iter()
        .map(|at| (0, abi::RTRACE_FAULT_BADADDR, 3, at.wrapping_add(16)))
        .collect();
    check_eq!(told, wanted, "faults of the probe");
    check!(
        there.len() == addresses.len()
            && there.iter().all(|fault| {
                fault.probe == error
                    && fault.clause == 3
                    && fault.fault == abi::RTRACE_FAULT_DIVZERO
            }),
        "faults of ERROR: {there:?}"
    );
    // The clauses after the one that failed run.
    let of = |clause: u32| {
        let made = finished.made.iter().filter(|m| m.head.clause == clause);
        made.collect::<Vec<_>>()
    };
    check_eq!(of(1).len(), addresses.len(), "the clause after it");
    check_eq!(of(0).len(), 0, "records of the one that failed");
    for (made, address) in of(2).iter().zip(addresses) {
        let told: Vec<_> = made.items.iter().filter_map(|i| i.number()).collect();
        let badaddr = u64::from(abi::RTRACE_FAULT_BADADDR);
        let epid = 1;
        check_eq!(
            told,
            vec![0, epid, 2, 3, badaddr, address.wrapping_add(16)],
            "what ERROR is told"
        );
        check_eq!(made.head.probe, error);
    }
    let row = finished.ledger.probe(probe);
    check_eq!(
        (
            row.fired,
            row.recorded,
            row.dropped[abi::RTRACE_DROP_FAULT as usize]
        ),
        (10, 5, 5)
    );
    let row = finished.ledger.probe(error);
    check_eq!(
        (
            row.fired,
            row.recorded,
            row.dropped[abi::RTRACE_DROP_FAULT as usize]
        ),
        (10, 5, 5)
    );
    Ok(())
}

fn thread_variables(_: &Options) -> Outcome {
    const CALLS: u64 = 500;
    // entry { self->a = arg0 + 1; }
    // return /self->a/ { trace(self->a); trace(elapsed); self->a = 0; }
    // return { trace(self->a) }
    let program = Program::new()
        .variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_ADDI, 1, 1, 0, 1)
                .op(abi::RTRACE_OP_STD, 0, 1, 0, 0)
                .ret(),
        )
        .clause(
            2,
            0,
            Code::new()
                .op(abi::RTRACE_OP_LDD, 1, 0, 0, 0)
                .filter(1)
                .emit(1, TRACE, 0)
                .get(2, abi::RTRACE_VAR_ELAPSED)
                .emit(2, TRACE, 1)
                .set(1, 0)
                .op(abi::RTRACE_OP_STD, 0, 1, 0, 0)
                .ret(),
        )
        .clause(
            2,
            0,
            Code::new()
                .op(abi::RTRACE_OP_LDD, 1, 0, 0, 0)
                .emit(1, TRACE, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_RETURN, 2)?;
    let trace = started(session)?;
    let callers: Vec<_> = (0..4u64)
        .map(|thread| {
            std::thread::spawn(move || -> Outcome<i32> {
                let target = Target::open()?;
                for call in 0..CALLS {
                    target.run(&format!("value {}", thread * CALLS + call))?;
                }
                Ok(sys::tid())
            })
        })
        .collect();
    let mut tids = Vec::new();
    for caller in callers {
        tids.push(caller.join().map_err(|_| fail("a caller panicked"))?? as u32);
    }
    let finished = trace.finish()?;
    for (thread, tid) in (0u64..).zip(tids) {
        let of = |clause: u32| {
            let mut made: Vec<_> = finished
                .made
                .iter()
                .filter(|made| made.head.tid == tid && made.head.clause == clause)
                .collect();
            made.sort_by_key(|made| made.head.time);
            made
        };
        let values: Vec<_> = of(1).iter().map(|m| m.items[0].number()).collect();
        let wanted: Vec<_> = (0..CALLS)
            .map(|call| Some(thread * CALLS + call + 1))
            .collect();
        check_eq!(values, wanted, "self->a of thread {thread}");
        for made in of(1) {
            check!(made.items[1].number() > Some(0), "elapsed is 0");
        }
        check!(
            of(2).len() as u64 == CALLS && of(2).iter().all(|m| m.items[0].number() == Some(0)),
            "self->a after it was freed"
        );
    }
    check_eq!(finished.ledger.total().dynamic, 0);
    Ok(())
}

fn no_room(_: &Options) -> Outcome {
    const CALLS: u64 = 2000;
    let mut program = Program::new()
        .variable(abi::RTRACE_SCOPE_ARRAY, abi::RTRACE_VALUE_SCALAR, 8, 8)
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .keys(&[1])
                .set(2, 7)
                .op(abi::RTRACE_OP_STD, 0, 2, 0, 0)
                .op(abi::RTRACE_OP_LDD, 3, 0, 0, 0)
                .emit(3, TRACE, 0)
                .ret(),
        );
    program.sizes.dynvarsize = 4096;
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, &format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let total = finished.ledger.total();
    check_eq!((total.fired, total.recorded), (CALLS, CALLS));
    let kept = numbers(&finished)?.iter().filter(|n| n[0] == 7).count() as u64;
    check!(total.dynamic > 0 && kept > 0, "{total:?}");
    check_eq!(kept + total.dynamic, CALLS, "assignments kept and dropped");
    Ok(())
}

fn speculations(_: &Options) -> Outcome {
    // arg0 == 0: global = speculation(); 1: speculate(global), trace(arg1); 2: commit; 3: discard
    let when = |number: i32, code: Code| {
        let mut all = Code::new()
            .get(1, abi::RTRACE_VAR_ARG0)
            .op(abi::RTRACE_OP_ANDI, 3, 1, 0, 3)
            .op(abi::RTRACE_OP_SEQI, 2, 3, 0, number)
            .filter(2)
            .op(abi::RTRACE_OP_LDV, 4, 0, 0, 0);
        all = code.after(all);
        all.ret()
    };
    let mut program = Program::new()
        .variable(abi::RTRACE_SCOPE_GLOBAL, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .clause(
            1,
            0,
            when(
                0,
                Code::new()
                    .op(abi::RTRACE_OP_SPECNEW, 4, 0, 0, 0)
                    .op(abi::RTRACE_OP_STV, 0, 4, 0, 0)
                    .emit(4, TRACE, 0),
            ),
        )
        .clause(
            1,
            0,
            when(
                1,
                Code::new()
                    .op(abi::RTRACE_OP_SPECULATE, 0, 4, 0, 8)
                    .emit(1, TRACE, 1),
            ),
        )
        .clause(
            1,
            0,
            when(
                2,
                Code::new().op(abi::RTRACE_OP_COMMIT, 0, 4, 0, item(TRACE, 2)),
            ),
        )
        .clause(
            1,
            0,
            when(
                3,
                Code::new().op(abi::RTRACE_OP_DISCARD, 0, 4, 0, item(TRACE, 3)),
            ),
        );
    // Room for two records of 8 bytes, and not for a third.
    program.sizes.specsize = 2 * (8 + 8) + 15;
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    let target = Target::open()?;
    // Two speculations, one committed, one discarded; a third one before the second has ended; one
    // record too many in each; and one after the end.
    for value in [0, 1, 5, 9, 2, 13, 0, 4, 1, 3] {
        target.run_on(0, &format!("value {value}"))?;
    }
    let finished = trace.finish()?;
    let mut made: Vec<_> = finished.made.iter().collect();
    made.sort_by_key(|made| made.head.time);
    let told: Vec<_> = made
        .iter()
        .map(|made| {
            (
                made.head.clause,
                made.items[0].number(),
                made.head.speculation,
            )
        })
        .collect();
    let first = told
        .iter()
        .find(|(clause, ..)| *clause == 1)
        .map_or(0, |told| told.2);
    check_eq!(first & 0xffff, 1, "the number in a mark");
    check!(first >> 16 > 0, "a mark without a generation");
    let second = first + (1 << 16);
    check_eq!(
        told,
        vec![
            (0, Some(1), 0),
            (1, Some(1), first),
            (1, Some(5), first),
            (2, Some(first), 0),
            (0, Some(1), 0),
            (0, Some(0), 0), // none is free
        ]
        .into_iter()
        .chain(told.iter().skip(6).copied())
        .collect::<Vec<_>>(),
        "the records"
    );
    let total = finished.ledger.total();
    check_eq!(
        total.dropped[abi::RTRACE_DROP_SPECULATION as usize],
        1,
        "records beyond specsize"
    );
    check!(
        told.iter()
            .all(|told| told.2 == 0 || told.2 == first || told.2 == second),
        "{told:?}"
    );
    Ok(())
}

fn strings(_: &Options) -> Outcome {
    let mut program = Program::new();
    let joined = program.string("in: ");
    let address = c"a text of the process";
    // It is in memory once it was read.
    std::hint::black_box(address.to_bytes().first());
    let program = program
        .clause(
            1,
            0,
            Code::new()
                .get(2, abi::RTRACE_VAR_ARG0)
                .op(
                    abi::RTRACE_OP_CALL,
                    3,
                    2,
                    1,
                    abi::RTRACE_SUB_COPYINSTR as i32,
                )
                .op(abi::RTRACE_OP_LDSC, 4, 0, 0, joined)
                .op(abi::RTRACE_OP_MOV, 5, 3, 0, 0)
                .op(abi::RTRACE_OP_CALL, 6, 4, 2, abi::RTRACE_SUB_STRJOIN as i32)
                .op(abi::RTRACE_OP_EMITS, 0, 6, 0, item(TRACE, 0))
                .ret(),
        )
        // The kernel's: the name of the current thread, by its place in the task.
        .clause(
            1,
            0,
            Code::new()
                .op(
                    abi::RTRACE_OP_GETSTR,
                    1,
                    0,
                    0,
                    abi::RTRACE_VAR_EXECNAME as i32,
                )
                .op(abi::RTRACE_OP_EMITS, 0, 1, 0, item(TRACE, 1))
                .get(2, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_LDSTR, 3, 2, 0, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    let target = Target::open()?;
    target.run_on(0, &format!("value {}", address.as_ptr() as u64))?;
    target.run_on(0, "value 16")?;
    let finished = trace.finish()?;
    let texts: Vec<_> = finished
        .made
        .iter()
        .map(|made| String::from_utf8_lossy(&made.items[0].payload).into_owned())
        .collect();
    check_eq!(texts, vec!["in: a text of the process".to_owned()]);
    let told: Vec<_> = finished
        .faults
        .iter()
        .map(|fault| (fault.clause, fault.fault, fault.address))
        .collect();
    let bad = abi::RTRACE_FAULT_BADADDR;
    check_eq!(
        told,
        vec![
            (1, bad, address.as_ptr() as u64),
            (0, bad, 16),
            (1, bad, 16)
        ],
        "user addresses are none of the kernel's, and 16 is nobody's"
    );
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
    check_eq!(finished.made.len(), 2, "records");
    for made in &finished.made {
        let frames = made.items[0].words();
        check!(frames.len() > 3, "{} frames", frames.len());
        check_eq!(made.items[2].number(), Some(frames[0]), "caller");
        check_eq!(
            made.items[3].number(),
            Some(frames.len() as u64),
            "stackdepth"
        );
        let names: Vec<_> = frames
            .iter()
            .map(|frame| finished.session.symbol(*frame).unwrap_or_default())
            .collect();
        check!(
            names[0].starts_with("run+") || names[0].contains("[rt_target]"),
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
