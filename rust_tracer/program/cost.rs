// SPDX-License-Identifier: GPL-2.0

//! What instructions cost at most, so that a clause's time has a bound.

#![forbid(unsafe_code)]

use super::{
    insn::{
        op,
        sub,
        subroutine,
        var,
        Form,
        Insn, //
    },
    words,
    Program,
    ITEM_WORDS,
    LOCALS_MAX,
    SCRATCH_BYTES,
    STACK_BYTES,
    STACK_FRAMES_MAX, //
};

/// The most that one run of a clause may cost, all clauses of a probe together, and once more those of ERROR
/// for what goes wrong in them. An instruction costs at least 1, which is a few nanoseconds; going through 8
/// bytes of memory costs 1. So a firing ends within some milliseconds.
pub(crate) const COST_MAX: u32 = 1 << 20;

/// What 1 of it is, in ns, on a processor that is not fast.
pub(crate) const NS_PER_COST: u64 = 4;

/// What a clause costs beside its instructions: it is chosen and counted, and its record reserved and published.
pub(super) const CLAUSE: u32 = 16;

/// What EMITB costs once in a clause, however often it comes: all bytes of a record are written
/// once, and none that are not of it.
pub(super) const RECORD: u32 = 2 * ITEM_WORDS as u32;

/// What a frame of a stack costs.
const FRAME_COST: u32 = 16;
/// What it costs to find the innermost frames, as CALLER and UCALLER do.
const CALLERS: u32 = 64 + 2 * FRAME_COST;
/// What it costs when a page of user space is not there, which the walk of a stack finds out by a fault, and survives.
const USER_FAULT: u32 = 256;
/// What finding out how deep a stack is costs: all its frames are taken.
const DEPTH: u32 = 64 + FRAME_COST * STACK_FRAMES_MAX;

/// What STACK and USTACK cost: the frames are taken, and put in memory that was cleared.
const STACK: u32 = DEPTH + STACK_BYTES / 4;

/// How many parents PROGENYOF goes up to, at most (`shim/task.c`).
const PARENTS: u32 = 4096;
/// What LLTOSTR's divisions cost: one for each digit of 64, and as many to know how many there are.
const DIGITS: u32 = 4 * 2 * 64;
/// What the time of day costs where the clock is a device that is far away.
const CLOCK: u32 = 256;
/// What D_PATH's steps cost, and those of `cwd`: from a directory to the one that it is in.
const STEPS: u32 = 16 * 256;

/// What an instruction costs at most, behind which the tuple of keys has at most `keys` bytes.
pub(super) fn cost(program: &Program<'_>, insn: Insn, form: &Form, keys: u32) -> u32 {
    form.cost.saturating_add(sizes(program, insn, keys))
}

/// What an instruction costs beyond its form's cost, by the sizes of what it handles.
fn sizes(program: &Program<'_>, insn: Insn, keys: u32) -> u32 {
    let text = words(program.strsize);
    let bytes = words(insn.i.max(0) as u32);
    let keys = words(keys).wrapping_mul(2);
    match insn.op {
        op::SCMP => text.wrapping_mul(4),
        op::GET => match insn.i as u32 {
            var::STACKDEPTH => DEPTH,
            var::USTACKDEPTH => DEPTH + USER_FAULT,
            var::CALLER => CALLERS,
            var::UCALLER => CALLERS + USER_FAULT,
            var::WALLTIMESTAMP => CLOCK,
            _ => 0,
        },
        op::GETSTR if insn.i as u32 == var::CWD => text.wrapping_mul(2).wrapping_add(STEPS),
        op::LDSTR | op::GETSTR => text.wrapping_mul(2),
        op::KEYS | op::EMITS => text.wrapping_mul(3),
        op::LDMEM | op::KEYB => bytes.wrapping_mul(2),
        op::LDV | op::STV | op::LDD | op::STD => {
            match program.variables.get(insn.i as u32 as usize) {
                Some(variable) => {
                    let keys = if variable.keys == 0 { 0 } else { keys };
                    words(variable.bytes).wrapping_mul(4).wrapping_add(keys)
                }
                None => 0,
            }
        }
        op::AGG => match program.aggregations.get(insn.i as u32 as usize) {
            Some(aggregation) if aggregation.keys != 0 => keys,
            _ => 0,
        },
        op::KEYK => frames(insn.i.max(0) as u32),
        op::KEYU => frames(insn.i.max(0) as u32).wrapping_add(USER_FAULT),
        op::EMITK => frames(u16::from_le_bytes([insn.a, insn.b]).into()),
        op::EMITU => frames(u16::from_le_bytes([insn.a, insn.b]).into()).wrapping_add(USER_FAULT),
        op::CALL => call(program, insn),
        _ => 0,
    }
}

/// What so many frames of a stack cost, beside that there is one.
fn frames(count: u32) -> u32 {
    FRAME_COST.wrapping_mul(count)
}

fn call(program: &Program<'_>, insn: Insn) -> u32 {
    let text = words(program.strsize);
    match insn.i as u32 {
        // As many bytes as there can be.
        sub::COPYIN | sub::COPYINTO | sub::ALLOCA | sub::BCOPY => {
            words(SCRATCH_BYTES + LOCALS_MAX).wrapping_mul(2)
        }
        number => match subroutine(insn.i) {
            Some(called) => {
                let beside = match number {
                    sub::PROGENYOF => PARENTS,
                    sub::LLTOSTR => DIGITS,
                    sub::D_PATH => STEPS,
                    sub::STACK => STACK,
                    sub::USTACK => STACK + USER_FAULT,
                    _ => 16,
                };
                text.wrapping_mul(called.passes).saturating_add(beside)
            }
            None => 0,
        },
    }
}
