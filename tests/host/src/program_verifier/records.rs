// SPDX-License-Identifier: GPL-2.0

//! What is recorded, and speculations.

use super::{ldi, program, refuses, takes};
use crate::program::insn::op;
use crate::program::refused::Why;
use crate::program_world::insn;

#[test]
fn a_record_that_is_always_too_long_is_refused() {
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    let mut code = vec![ldi(0)];
    code.extend([emit; 2045]);
    takes(&program(&code));
    code.push(emit);
    refuses(&program(&code), 2046, Why::Record);
    // If a way is short enough, the record is measured when it is made.
    code[1] = insn(op::JZ, 0, 0, 0, 10);
    takes(&program(&code));
}

#[test]
fn a_speculation_is_chosen_before_anything_is_recorded() {
    let speculate = insn(op::SPECULATE, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    takes(&program(&[ldi(0), speculate, emit]));
    refuses(&program(&[ldi(0), emit, speculate]), 2, Why::Speculate);
    refuses(&program(&[ldi(0), speculate, speculate]), 2, Why::Speculate);
    let one_way = [ldi(0), insn(op::JZ, 0, 0, 0, 1), emit, speculate];
    refuses(&program(&one_way), 3, Why::Speculate);
}

#[test]
fn a_commit_is_recorded_alone() {
    let commit = insn(op::COMMIT, 0, 0, 0, 0);
    let discard = insn(op::DISCARD, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    takes(&program(&[ldi(0), commit, discard]));
    takes(&program(&[ldi(0), discard, emit]));
    refuses(&program(&[ldi(0), commit, emit]), 2, Why::Commit);
    refuses(&program(&[ldi(0), emit, commit]), 2, Why::Commit);
    let speculated = [ldi(0), insn(op::SPECULATE, 0, 0, 0, 0), commit];
    refuses(&program(&speculated), 2, Why::Commit);
}
