// SPDX-License-Identifier: GPL-2.0

//! What operations make of numbers alone: the same wherever a clause runs.
//!
//! Contexts: any, as the probe path.

#![forbid(unsafe_code)]

use super::insn::op;

/// Whether a jump (JMP to JLEU) goes.
#[inline(always)]
pub(super) fn is_taken(operation: u8, a: u64, b: u64) -> bool {
    let (sa, sb) = (a as i64, b as i64);
    match operation {
        op::JZ => a == 0,
        op::JNZ => a != 0,
        op::JEQ => a == b,
        op::JNE => a != b,
        op::JLT => sa < sb,
        op::JLE => sa <= sb,
        op::JLTU => a < b,
        op::JLEU => a <= b,
        _ => true,
    }
}

/// What an operation (MOV, ADD to ZX32 but for division and SCMP) gives.
#[inline(always)]
pub(super) fn computed(operation: u8, a: u64, b: u64, i: u64) -> u64 {
    let (sa, sb) = (a as i64, b as i64);
    match operation {
        op::MOV => a,
        op::ADD => a.wrapping_add(b),
        op::SUB => a.wrapping_sub(b),
        op::MUL => a.wrapping_mul(b),
        op::AND => a & b,
        op::OR => a | b,
        op::XOR => a ^ b,
        op::SHL => a.wrapping_shl(b as u32),
        op::SHR => a.wrapping_shr(b as u32),
        op::SAR => sa.wrapping_shr(b as u32) as u64,
        op::SEQ => (a == b).into(),
        op::SNE => (a != b).into(),
        op::SLT => (sa < sb).into(),
        op::SLE => (sa <= sb).into(),
        op::SLTU => (a < b).into(),
        op::SLEU => (a <= b).into(),
        op::ADDI => a.wrapping_add(i),
        op::MULI => a.wrapping_mul(i),
        op::ANDI => a & i,
        op::SHLI => a.wrapping_shl(i as u32),
        op::SHRI => a.wrapping_shr(i as u32),
        op::SARI => sa.wrapping_shr(i as u32) as u64,
        op::SEQI => (a == i).into(),
        op::NEG => a.wrapping_neg(),
        op::NOT => !a,
        op::LNOT => (a == 0).into(),
        op::SX8 => a as i8 as u64,
        op::SX16 => a as i16 as u64,
        op::SX32 => a as i32 as u64,
        op::ZX8 => (a as u8).into(),
        op::ZX16 => (a as u16).into(),
        _ => (a as u32).into(),
    }
}
