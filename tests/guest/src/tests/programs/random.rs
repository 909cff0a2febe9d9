// SPDX-License-Identifier: GPL-2.0-only
//! Programs that nobody wrote: the module takes or refuses them, and is none the worse for it.

use fastrand::Rng;
use rust_tracer::abi;
use rustix::io::Errno;

use crate::fuzz::programs::clause;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::program::{Code, Program, insn};
use crate::session::{NODES, Session};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "programs, random":
    "programs that nobody wrote do no harm, and those that run count right" => random,
}

/// Of the programs that are taken one in so many runs, or more if there are few.
const RUNS: u64 = 500;

/// Changes some of a clause's words.
fn mutate(random: &mut Rng, code: &mut [u64]) {
    for _ in 0..random.usize(..3) {
        let at = random.usize(..code.len());
        let word = &mut code[at];
        match random.u8(..6) {
            0 => *word = random.u64(..),
            // Another operation, another field, another number.
            1 => *word = (*word & !0xff) | random.u64(..100),
            2 => *word ^= 1 << random.u32(8..32),
            3 => *word = (*word & 0xffff_ffff) | (random.u64(..64) << 32),
            4 => *word ^= 1 << random.u32(..64),
            _ => *word = (*word & 0xffff_ffff) | (random.u64(..) << 32),
        }
    }
}

/// The number of the variable that is bytes.
const BYTES: i32 = 5;

/// Has a clause read and write at a pointer to the global variables, to what is there or not.
fn reach(random: &mut Rng, code: &mut Vec<u64>) {
    let at = random.usize(code.len() / 2..code.len());
    let offset = random.i32(-40..120);
    let (load, store) = [
        (abi::RTRACE_OP_LD8, abi::RTRACE_OP_ST8),
        (abi::RTRACE_OP_LDSX16, abi::RTRACE_OP_ST16),
        (abi::RTRACE_OP_LD32, abi::RTRACE_OP_ST32),
        (abi::RTRACE_OP_LD64, abi::RTRACE_OP_ST64),
    ][random.usize(..4)];
    let more = [
        insn(abi::RTRACE_OP_LDV, 3, 0, 0, BYTES),
        insn(store, 0, 3, 2, offset),
        insn(load, 2, 3, 0, offset),
        insn(abi::RTRACE_OP_STV, 0, 3, 0, BYTES),
    ];
    code.splice(at..at, more);
}

fn program(random: &mut Rng) -> Program {
    let mut program = Program::new()
        .variable(abi::RTRACE_SCOPE_GLOBAL, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .variable(abi::RTRACE_SCOPE_LOCAL, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0)
        .variable(abi::RTRACE_SCOPE_GLOBAL, abi::RTRACE_VALUE_STRING, 40, 0)
        .variable(abi::RTRACE_SCOPE_ARRAY, abi::RTRACE_VALUE_STRING, 16, 64)
        .variable(abi::RTRACE_SCOPE_GLOBAL, abi::RTRACE_VALUE_BYTES, 21, 0)
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 8, [0; 4])
        .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4]);
    program.constants = (0..4).map(|_| random.u64(..)).collect();
    program.string("a");
    program.string("text of some length");
    (program.sizes.aggsize, program.sizes.dynvarsize) = (1 << 14, 1 << 14);
    for _ in 0..random.usize(1..3) {
        let mut code = clause(random);
        if random.bool() {
            reach(random, &mut code);
        }
        mutate(random, &mut code);
        let flags = random.u32(..4) & random.u32(..4);
        program = program.clause(1 + random.u32(..2), flags, Code::of(code));
    }
    program
}

/// Lets a program that was taken run; whether it could.
fn run(session: &Session, target: &Target) -> Outcome<bool> {
    let both = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
    session.add_to("rt_target:rt_plain", both, 1)?;
    session.add_to("rt_target:rt_value", both, 2)?;
    for (kind, period) in [
        (abi::RTRACE_KIND_BEGIN, 0),
        (abi::RTRACE_KIND_END, 0),
        (abi::RTRACE_KIND_ERROR, 0),
        (abi::RTRACE_KIND_PROFILE, 1_000_000),
    ] {
        session.add_own(kind, 2, period, "own")?;
    }
    session.configure(abi::rtrace_config {
        ring_bytes: abi::RTRACE_RING_MIN.into(),
        frames: 64,
        ..Default::default()
    })?;
    match session.start() {
        // Clauses for system calls have none here; what user does not show is looked at now.
        Err(refused) if matches!(refused.errno, Errno::INVAL | Errno::ACCESS) => {
            return Ok(false);
        }
        answer => answer?,
    };
    target.run("plain 50")?;
    target.run("value 4096")?;
    session.stop()?;
    Ledger::audit_of(session, true)?;
    for cpu in 0..session.info()?.cpus {
        session.aggregate(cpu, 1 << 13)?;
    }
    Ok(true)
}

fn random(options: &Options) -> Outcome {
    let mut random = Rng::with_seed(options.seed);
    let target = Target::open()?;
    let wanted = options.programs;
    let mut sessions = Vec::new();
    for node in NODES {
        sessions.push(Session::open_as(node, libc::O_RDWR)?);
    }
    let (mut taken, mut refused, mut ran) = (0u64, 0u64, 0u64);
    let one_in = (wanted / 200).clamp(1, RUNS);
    for number in 0..wanted {
        if number % 1_000 == 0 {
            // A word for the runner, which waits for some.
            println!("{number} programs, {taken} taken");
        }
        let node = random.usize(..NODES.len());
        let program = program(&mut random);
        match sessions[node].load(&program) {
            Ok(()) => taken += 1,
            Err(why) => {
                check!(
                    matches!(why.errno, Errno::INVAL | Errno::ACCESS) && !why.text.is_empty(),
                    "program {number} of seed {}: {why}",
                    options.seed
                );
                refused += 1;
                continue;
            }
        }
        if taken % one_in == 0 {
            ran += run(&sessions[node], &target)
                .map(u64::from)
                .map_err(|why| fail(format!("program {number} of seed {}: {why}", options.seed)))?;
            sessions[node] = Session::open_as(NODES[node], libc::O_RDWR)?;
        }
    }
    check_eq!(taken + refused, wanted);
    check!(
        taken > wanted / 20 && refused > wanted / 20,
        "{taken} taken, {refused} refused"
    );
    check!(
        ran >= taken / one_in / 4,
        "of {taken} programs, one in {one_in} of which was to run, {ran} did"
    );
    Ok(())
}
