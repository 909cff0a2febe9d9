// SPDX-License-Identifier: GPL-2.0

//! Clauses that need no memory of their own run here, in a tenth of the instructions that
//! [`interpret`](super::interpret) takes to begin: predicates on numbers, and clauses that count,
//! sum and distribute without keys or set variables that are numbers. Of other clauses, the
//! predicate does, so that those that it holds back cost little.
//!
//! What a clause makes of a firing is the same here and there; a host test compares them.
//!
//! Contexts: loading, task context; firing, any up to NMI, with preemption off. Nothing here waits,
//! allocates or panics.

#![forbid(unsafe_code)]

use super::{
    insn::{
        op,
        var,
        Insn, //
    },
    numbers,
    scope,
    value,
    Clause,
    Program,
    Slot,
    World,
    CLAUSE_DEFAULT, //
};

/// Registers of a clause that runs here, as a power of two that a mask can be made of.
const REGISTERS: usize = 8;

/// How far a clause got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quick {
    /// Its predicate is false.
    Filtered,
    /// To the end. There is nothing to record.
    Processed,
    /// To the end, but an aggregation had no room.
    Dropped,
    /// It has done nothing yet, and must run as any other clause.
    Not,
}

/// What an instruction may do here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// Compute, no more.
    Compute,
    /// End the clause by a fault.
    Fault,
    /// Change what others see.
    Change,
}

/// What an instruction may do, if it can be run here.
fn may(insn: Insn, program: &Program<'_>) -> Option<May> {
    let fields = [insn.d, insn.a, insn.b];
    if fields.iter().any(|&field| usize::from(field) >= REGISTERS) {
        return None;
    }
    let index = insn.i as u32 as usize;
    let is_number = |slot: &&Slot| slot.value == value::SCALAR;
    let slot = program.slots.get(index).filter(is_number);
    match insn.op {
        op::RET..=op::LDI | op::ADD..=op::MUL | op::AND..=op::SLEU | op::ADDI..=op::ZX32 => {
            Some(May::Compute)
        }
        op::LDC => program.constants.get(index).map(|_| May::Compute),
        op::KEY0 => Some(May::Compute),
        op::GET => match insn.i as u32 {
            // These need room for a stack.
            var::STACKDEPTH | var::USTACKDEPTH => None,
            var::TIMESTAMP
            | var::VTIMESTAMP
            | var::WALLTIMESTAMP
            | var::ELAPSED
            | var::PROBE
            | var::CPU
            | var::EPID
            | var::ID
            | var::IPL
            | var::PID
            | var::TID
            | var::PPID
            | var::UID
            | var::GID
            | var::TARGET => Some(May::Compute),
            _ => Some(May::Fault),
        },
        op::LDV => slot
            .filter(|slot| slot.scope == scope::GLOBAL)
            .map(|_| May::Compute),
        op::STV => slot
            .filter(|slot| slot.scope == scope::GLOBAL)
            .map(|_| May::Change),
        op::LDD => slot
            .filter(|slot| slot.scope == scope::THREAD)
            .map(|_| May::Compute),
        op::STD => slot
            .filter(|slot| slot.scope == scope::THREAD)
            .map(|_| May::Change),
        op::AGG => {
            let aggregation = program.aggregations.get(index);
            aggregation.filter(|of| of.keys == 0).map(|_| May::Change)
        }
        _ => None,
    }
}

/// How many of a clause's instructions, from the first on, [`run`] can run: all, those of the
/// predicate, or none.
pub(crate) fn instructions(program: &Program<'_>, clause: &Clause) -> u16 {
    let code = program.code.get(clause.first as usize..);
    let code = code
        .and_then(|code| code.get(..clause.count as usize))
        .unwrap_or(&[]);
    let mut of_predicate = 0;
    let mut changes = false;
    let mut count = 0u16;
    for word in code {
        count = count.saturating_add(1);
        let insn = Insn::decode(*word);
        match may(insn, program) {
            Some(May::Compute) => (),
            // What has been changed cannot be changed again.
            Some(May::Fault) if !changes => (),
            Some(May::Change) => changes = true,
            _ => return of_predicate,
        }
        if insn.op == op::FILTER && !changes {
            of_predicate = count;
        }
    }
    match u16::try_from(code.len()) {
        Ok(all) if clause.flags & CLAUSE_DEFAULT == 0 => all,
        _ => of_predicate,
    }
}

/// Runs what [`instructions`] said of a clause: `code` is as many. With the program's constants and
/// slots.
#[inline(always)]
pub(crate) fn run<W: World>(
    code: &[u64],
    constants: &[u64],
    slots: &[Slot],
    world: &mut W,
) -> Quick {
    let mut r = [0u64; REGISTERS];
    let mut pc = 0usize;
    let mut full = false;
    loop {
        let Some(&word) = code.get(pc) else {
            return Quick::Not;
        };
        let insn = Insn::decode(word);
        pc = pc.wrapping_add(1);
        let a = r[insn.a as usize % REGISTERS];
        let b = r[insn.b as usize % REGISTERS];
        let i = i64::from(insn.i) as u64;
        let result = match insn.op {
            op::GET => match world.number(i as u32) {
                Ok(number) => number,
                Err(_) => return Quick::Not,
            },
            op::FILTER => {
                if a == 0 {
                    return Quick::Filtered;
                }
                continue;
            }
            op::AGG => {
                full |= world.aggregate(i as u32, &[], a, b).is_err();
                continue;
            }
            op::RET => {
                return if full {
                    Quick::Dropped
                } else {
                    Quick::Processed
                };
            }
            op::LDI => i,
            op::LDC => constants.get(i as usize).copied().unwrap_or(0),
            op::SEQI => (a == i).into(),
            op::JMP..=op::JLEU => {
                if is_taken(insn.op, a, b) {
                    pc = pc.wrapping_add(insn.i as u32 as usize);
                }
                continue;
            }
            op::LDV..=op::STD => match variable(insn, a, slots, world) {
                Some(number) => number,
                None => continue,
            },
            _ => computed(insn.op, a, b, i),
        };
        r[insn.d as usize % REGISTERS] = result;
    }
}

/// Whether a jump goes: out of line, so that the loop stays small.
#[inline(never)]
fn is_taken(operation: u8, a: u64, b: u64) -> bool {
    numbers::is_taken(operation, a, b)
}

/// What a variable that is a number holds; nothing if it was set.
#[inline(never)]
fn variable<W: World>(insn: Insn, new: u64, slots: &[Slot], world: &mut W) -> Option<u64> {
    let index = insn.i as u32;
    let place = || {
        slots
            .get(index as usize)
            .map_or(usize::MAX, |slot| slot.offset as usize / 8)
    };
    match insn.op {
        op::LDV => return Some(world.load_global(place())),
        op::STV => world.store_global(place(), new),
        op::LDD => return Some(world.load_dynamic(index, &[])),
        op::STD if new == 0 => world.free_dynamic(index, &[]),
        op::STD => world.store_dynamic(index, &[], new),
        // KEY0: there are no keys.
        _ => (),
    }
    None
}

/// What numbers give, out of line as well.
#[inline(never)]
fn computed(operation: u8, a: u64, b: u64, i: u64) -> u64 {
    numbers::computed(operation, a, b, i)
}
