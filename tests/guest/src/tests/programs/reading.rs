// SPDX-License-Identifier: GPL-2.0-only
//! What clauses read in memory, and what becomes of those that cannot.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use super::running::says;
use super::{TRACE, loaded, started};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program, item};
use crate::session::KERNEL;
use crate::target::Target;
use crate::test::{Failure, Outcome, check, check_eq, fail, group};

group! { "programs, reading":
    "a bad address is a fault with its place, and fires ERROR, whose faults fire nothing" => faults,
    "a device that the kernel has mapped is not read: a bad address, by number, bytes and string" => devices,
    "strings of the kernel and of the process are read, and their faults are faults" => strings,
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

/// The clause of a fault, its kind and its address.
type Told = (u32, u32, u64);

/// Reads what lies so far behind where a variable of the kernel's points to: where that is, and the faults.
fn read_behind(variable: u64, offset: i32) -> Outcome<(u64, Vec<Told>)> {
    let follow = || {
        Code::new()
            .get(1, abi::RTRACE_VAR_ARG0)
            .op(abi::RTRACE_OP_LD64, 2, 1, 0, 0)
            .op(abi::RTRACE_OP_ADDI, 2, 2, 0, offset)
    };
    let program = Program::new()
        // The pointer itself is memory like all other.
        .clause(1, 0, follow().emit(2, TRACE, 0).ret())
        .clause(1, 0, follow().op(abi::RTRACE_OP_LD32, 3, 2, 0, 4).ret())
        .clause(1, 0, follow().op(abi::RTRACE_OP_LDMEM, 3, 2, 0, 64).ret())
        .clause(1, 0, follow().op(abi::RTRACE_OP_LDSTR, 3, 2, 0, 0).ret());
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, &format!("value {variable}"))?;
    let finished = trace.finish()?;
    let made = finished.made.iter();
    let at: Vec<_> = made.filter_map(|made| made.items[0].number()).collect();
    let [at] = at[..] else {
        return Err(fail(format!("where it is: {at:x?}")));
    };
    let faults = finished.faults.iter();
    let told = faults.map(|fault| (fault.clause, fault.fault, fault.address));
    Ok((at, told.collect()))
}

fn devices(_: &Options) -> Outcome {
    let refused = |at: u64| {
        let bad = abi::RTRACE_FAULT_BADADDR;
        vec![(1, bad, at + 4), (2, bad, at), (3, bad, at)]
    };
    // The graphics adapter's memory, in the hole of the direct map; and below it, which is memory.
    let base = guest::address("page_offset_base", 'D')?;
    let (hole, told) = read_behind(base, 0xa0000)?;
    check_eq!(told, refused(hole), "what reading the hole comes to");
    let (_, told) = read_behind(base, 0x9000)?;
    check_eq!(told, vec![], "what reading memory below it comes to");
    // The timer chip's registers, as the kernel has mapped them.
    let Ok(pointer) = guest::address("hpet_virt_address", 'b') else {
        return Err(Failure::Skipped("this machine has no HPET".into()));
    };
    let (registers, told) = read_behind(pointer, 0)?;
    check!(registers != 0, "the HPET is not mapped");
    check_eq!(told, refused(registers), "what reading registers comes to");
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
