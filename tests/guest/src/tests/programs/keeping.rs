// SPDX-License-Identifier: GPL-2.0-only
//! What clauses keep: thread-local variables and speculations, and what finds no room.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::{TRACE, loaded, numbers, started};
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::KERNEL;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "programs, keeping":
    "thread-local variables follow a thread, and are gone when they are freed" => thread_variables,
    "variables that find no room are counted, and lose nothing else" => no_room,
    "records of a speculation carry its mark, and specsize bounds them" => speculations,
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
    let status = trace.session.status()?;
    check_eq!(status.unspeculated, 1, "times that none was free");
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
