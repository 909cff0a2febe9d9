// SPDX-License-Identifier: GPL-2.0

//! `strtok()` over several clauses, and how strings are compared.

use super::{fails, ldi, only, program, world, EMPTY, LIST, ONE, SEPARATORS, TWO};
use crate::program::fault;
use crate::program::insn::{op, sub};
use crate::program_world::{insn, text_item};

#[test]
fn strtok_goes_on_in_the_next_clause_and_ends() {
    let first = [
        insn(op::LDSC, 0, 0, 0, LIST),
        insn(op::LDSC, 1, 0, 0, SEPARATORS),
        insn(op::CALL, 2, 0, 2, sub::STRTOK as i32),
        insn(op::EMITS, 0, 2, 0, 0),
    ];
    let next = [
        first[1],
        insn(op::CALL, 2, 1, 1, sub::STRTOK as i32),
        first[3],
    ];
    let mut last = next;
    last[2] = insn(op::EMIT, 0, 2, 0, 0);
    let program = program(&[&first, &next, &next, &last, &last]);
    let outcomes = program.run(&mut world());
    let tokens: Vec<_> = outcomes[..3]
        .iter()
        .map(|(_, items)| text_item(items))
        .collect();
    assert_eq!(tokens, [b"a", b"b", b"c"]);
    assert_eq!((outcomes[3].1[1], outcomes[4].1[1]), (0, 0));
}

#[test]
fn strtok_without_a_string_is_a_fault() {
    let separators = insn(op::LDSC, 1, 0, 0, SEPARATORS);
    let goes_on = [separators, insn(op::CALL, 2, 1, 1, sub::STRTOK as i32)];
    let of_none = [
        ldi(0, 0),
        separators,
        insn(op::CALL, 2, 0, 2, sub::STRTOK as i32),
    ];
    for code in [&goes_on[..], &of_none] {
        let at = code.len() as u32 - 1;
        fails(&program(&[code]), &mut world(), fault::BADADDR, 0, at);
    }
}

#[test]
fn strings_are_compared_and_no_string_is_as_an_empty_one() {
    let compare = |a: u64, b: u64| {
        let code = [a, b, insn(op::SCMP, 2, 0, 1, 0), insn(op::EMIT, 0, 2, 0, 0)];
        only(&program(&[&code]), &mut world()).1[1] as i64
    };
    let text = |register, at| insn(op::LDSC, register, 0, 0, at);
    assert_eq!(compare(text(0, ONE), text(1, TWO)), -1);
    assert_eq!(compare(text(0, TWO), text(1, ONE)), 1);
    assert_eq!(compare(text(0, ONE), text(1, ONE)), 0);
    assert_eq!(compare(ldi(0, 0), text(1, EMPTY)), 0);
    assert_eq!(compare(ldi(0, 0), text(1, ONE)), -1);
    assert_eq!(compare(text(0, ONE), ldi(1, 0)), 1);
}
