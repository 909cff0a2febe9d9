// SPDX-License-Identifier: GPL-2.0

//! Predicates, items, and how a record is laid out.

use super::{head, ldi, only, program, world, LIST};
use crate::program::insn::op;
use crate::program::interpret::{Made, Outcome};
use crate::program_world::{insn, KERNEL};

#[test]
fn a_predicate_that_is_false_filters() {
    let filter = insn(op::FILTER, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    let false_one = program(&[&[ldi(0, 0), filter, emit]]);
    assert_eq!(only(&false_one, &mut world()).0, Outcome::Filtered);
    let true_one = program(&[&[ldi(0, 3), filter]]);
    assert_eq!(only(&true_one, &mut world()).0, Outcome::Processed);
}

#[test]
fn the_default_action_is_a_record_without_items() {
    let mut program = program(&[&[]]);
    assert_eq!(only(&program, &mut world()).0, Outcome::Processed);
    program.clauses[0].flags = 1;
    let made = Made {
        words: 0,
        items: 0,
        speculation: 0,
    };
    assert_eq!(
        only(&program, &mut world()),
        (Outcome::Recorded(made), vec![])
    );
}

#[test]
fn items_have_heads_and_are_filled_up_with_zeroes() {
    let code = [
        ldi(0, -1),
        insn(op::EMIT, 0, 0, 0, 0x0002_0001),
        insn(op::LDSC, 1, 0, 0, LIST),
        insn(op::EMITS, 0, 1, 0, 0x0003_0000),
        insn(op::EMITP, 0, 0, 0, 4),
        insn(op::LDC, 2, 0, 0, 0),
        ldi(3, 9),
        insn(op::EMITB, 0, 2, 3, 5),
        insn(op::EMITK, 0, 2, 0, 6),
        insn(op::EMITU, 0, 1, 0, 7),
        insn(op::EXIT, 0, 3, 0, 8),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL + 8];
    let (outcome, items) = only(&program, &mut world());
    let expected = [
        head(0x2_0001, 8),
        u64::MAX,
        head(0x3_0000, 5),
        u64::from_le_bytes(*b"a,b;c\0\0\0"),
        head(4, 0),
        head(5, 9),
        0x0f0e_0d0c_0b0a_0908,
        0x10,
        head(6, 16),
        0x100,
        0x101,
        head(7, 16),
        77,
        0x100,
        head(8, 8),
        9,
    ];
    assert_eq!(items, expected);
    let made = Made {
        words: 16,
        items: 7,
        speculation: 0,
    };
    assert_eq!(outcome, Outcome::Recorded(made));
}

#[test]
fn a_stack_that_is_shorter_takes_less() {
    let mut world = world();
    world.frames = 2;
    let (_, items) = only(&program(&[&[insn(op::EMITK, 0, 20, 0, 0)]]), &mut world);
    assert_eq!(items, [head(0, 16), 0x100, 0x101]);
    world.frames = 0;
    let (_, items) = only(&program(&[&[insn(op::EMITU, 0, 20, 0, 0)]]), &mut world);
    assert_eq!(items, [head(0, 8), 77]);
}
