// SPDX-License-Identifier: GPL-2.0

//! What else ends a clause: what is too long, out of bounds, refused by the world, or no instruction.

use super::{counts, fails, ldi, only, program, world};
use crate::program::insn::{op, sub};
use crate::program::interpret::{Outcome, Room};
use crate::program::rights::Rights;
use crate::program::{fault, Fault};
use crate::program_world::{insn, KERNEL, USER};

#[test]
fn a_record_or_a_tuple_that_is_too_long_is_a_fault() {
    let mut code = vec![
        ldi(0, 32712),
        insn(op::LDC, 1, 0, 0, 0),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let mut fits = program(&[&code]);
    fits.constants = vec![KERNEL];
    let mut world = world();
    world.kernel = vec![1; 65536];
    assert!(matches!(only(&fits, &mut world).0, Outcome::Recorded(made) if made.words == 4090));
    code[0] = ldi(0, 32713);
    let mut over = program(&[&code]);
    over.constants = vec![KERNEL];
    fails(&over, &mut world, fault::TOOBIG, 0, 2);
    for bytes in [-1, i32::MIN, i32::MAX] {
        over.code[0] = ldi(0, bytes);
        fails(&over, &mut world, fault::TOOBIG, 0, 2);
    }
    let stacks = program(&[&[insn(op::EMITK, 0, 127, 0, 0); 32]]);
    world.frames = 127;
    fails(&stacks, &mut world, fault::TOOBIG, 0, 31);
    // The verifier sees tuples beforehand; the interpreter does not rely on it.
    let mut tuple = program(&[&[
        ldi(0, 1),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
    ]]);
    tuple.aggregations = vec![counts(8)];
    let outcomes = tuple.run_unverified(Rights::Kernel, &mut Room::new(), &mut world);
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::TUPOFLOW), 3));
}

#[test]
fn an_index_or_size_is_below_its_bound() {
    for (operation, kind) in [(op::BOUND, fault::BADINDEX), (op::SIZE, fault::BADSIZE)] {
        let code = |number| program(&[&[ldi(0, number), insn(operation, 0, 0, 0, 5)]]);
        let (outcome, _) = only(&code(4), &mut world());
        assert_eq!(outcome, Outcome::Processed);
        fails(&code(5), &mut world(), kind, 5, 1);
        fails(&code(-1), &mut world(), kind, u64::MAX, 1);
    }
}

#[test]
fn a_fault_of_the_world_is_that_of_the_clause() {
    // One that has no argument of that number.
    let code = [insn(op::GET, 0, 0, 0, 1)];
    let (outcome, _) = only(&program(&[&code]), &mut world());
    assert_eq!(outcome, Outcome::Processed);
    let copies = [insn(op::LDC, 0, 0, 0, 0), ldi(1, 64), {
        insn(op::CALL, 2, 0, 2, sub::COPYIN as i32)
    }];
    let mut program = program(&[&copies]);
    program.constants = vec![USER];
    fails(&program, &mut world(), fault::BADADDR, USER, 2);
}

#[test]
fn code_that_was_never_verified_ends_as_well() {
    let mut program = program(&[&[insn(op::JMP, 0, 0, 0, -1)]]);
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert!(matches!(
        outcomes[0].0,
        Outcome::Fault(
            Fault {
                kind: fault::ILLOP,
                ..
            },
            _
        )
    ));
    program.code = vec![insn(200, 0, 0, 0, 0)];
    program.clauses[0].count = 1;
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::ILLOP), 0));
    program.clauses[0].first = 5;
    let outcomes = program.run_unverified(Rights::Kernel, &mut Room::new(), &mut world());
    assert_eq!(outcomes[0].0, Outcome::Fault(Fault::of(fault::ILLOP), 0));
}
