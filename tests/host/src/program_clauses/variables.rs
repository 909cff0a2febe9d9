// SPDX-License-Identifier: GPL-2.0

//! Variables of all scopes keep what they are set to.

use super::{head, ldi, only, program, variable, world, EMPTY, KERNEL_TEXT, LIST, ONE};
use crate::program::insn::{op, sub};
use crate::program::interpret::Outcome;
use crate::program::{scope, value};
use crate::program_world::{insn, text_item};

#[test]
fn clause_local_variables_live_for_a_firing_and_begin_as_nothing() {
    let shows = [
        insn(op::LDV, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
        insn(op::LDV, 1, 0, 0, 1),
        insn(op::EMITS, 0, 1, 0, 0),
    ];
    let sets = [
        ldi(0, 42),
        insn(op::STV, 0, 0, 0, 0),
        insn(op::LDSC, 1, 0, 0, LIST),
        insn(op::STV, 0, 1, 0, 1),
    ];
    let mut program = program(&[&shows, &sets, &shows]);
    program.variables = vec![
        variable(scope::LOCAL, value::SCALAR, 8, 0),
        variable(scope::LOCAL, value::STRING, 256, 0),
    ];
    for _ in 0..2 {
        let outcomes = program.run(&mut world());
        assert_eq!(outcomes[0].1[1], 0);
        assert_eq!(text_item(&outcomes[0].1[2..]), b"");
        assert_eq!(outcomes[2].1[1], 42);
        assert_eq!(text_item(&outcomes[2].1[2..]), b"a,b;c");
    }
}

#[test]
fn a_clause_local_string_can_become_a_part_of_itself() {
    let code = [
        insn(op::LDSC, 0, 0, 0, LIST),
        insn(op::STV, 0, 0, 0, 0),
        insn(op::LDV, 0, 0, 0, 0),
        ldi(1, b';'.into()),
        insn(op::CALL, 2, 0, 2, sub::STRCHR as i32),
        insn(op::STV, 0, 2, 0, 0),
        insn(op::LDV, 0, 0, 0, 0),
        insn(op::EMITS, 0, 0, 0, 0),
    ];
    let mut program = program(&[&code]);
    program.variables = vec![variable(scope::LOCAL, value::STRING, 16, 0)];
    assert_eq!(text_item(&only(&program, &mut world()).1), b";c");
}

#[test]
fn variables_of_all_scopes_keep_what_they_are_set_to() {
    for (scope, keys, plain) in [
        (scope::GLOBAL, 0, true),
        (scope::LOCAL, 0, true),
        (scope::ARRAY, 8, false),
        (scope::THREAD, 0, false),
        (scope::THREAD_ARRAY, 8, false),
    ] {
        let (load, store) = if plain {
            (op::LDV, op::STV)
        } else {
            (op::LDD, op::STD)
        };
        let code = [
            ldi(0, 9),
            insn(op::KEY0, 0, 0, 0, 0),
            insn(op::KEY, 0, 0, 0, 0),
            insn(store, 0, 0, 0, 0),
            insn(op::LDC, 1, 0, 0, 0),
            insn(store, 0, 1, 0, 1),
            insn(store, 0, 1, 0, 2),
            insn(op::LDSC, 2, 0, 0, ONE),
            insn(store, 0, 2, 0, 3),
            insn(load, 3, 0, 0, 0),
            insn(op::EMIT, 0, 3, 0, 0),
            insn(load, 3, 0, 0, 1),
            insn(op::EMITS, 0, 3, 0, 0),
            insn(load, 3, 0, 0, 2),
            ldi(4, 5),
            insn(op::EMITB, 0, 3, 4, 0),
            insn(load, 3, 0, 0, 3),
            insn(op::EMITS, 0, 3, 0, 0),
            ldi(5, 0),
            insn(store, 0, 5, 0, 1),
            insn(load, 3, 0, 0, 1),
            insn(op::EMIT, 0, 3, 0, 0),
            insn(store, 0, 2, 0, 1),
            insn(load, 3, 0, 0, 1),
            insn(op::EMITS, 0, 3, 0, 0),
        ];
        let mut program = program(&[&code]);
        program.constants = vec![KERNEL_TEXT];
        program.variables = vec![
            variable(scope, value::SCALAR, 8, keys),
            variable(scope, value::STRING, 32, keys),
            variable(scope, value::BYTES, 5, keys),
            variable(scope, value::STRING, 3, keys),
        ];
        let (outcome, items) = only(&program, &mut world());
        assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
        assert_eq!(items[1], 9);
        assert_eq!(text_item(&items[2..]), b"in the kernel");
        assert_eq!(text_item(&items[5..]), b"in th");
        assert_eq!(text_item(&items[7..]), b"on");
        // A string that is set to NULL is NULL.
        assert_eq!(items[9..11], [head(0, 8), 0]);
        assert_eq!(text_item(&items[11..]), b"one");
    }
}

#[test]
fn setting_a_dynamic_variable_to_0_frees_it() {
    for (new, kind) in [(ldi(1, 0), value::SCALAR), (ldi(1, 0), value::STRING)] {
        let set = if kind == value::SCALAR {
            ldi(0, 1)
        } else {
            insn(op::LDSC, 0, 0, 0, EMPTY)
        };
        let code = [
            set,
            insn(op::STD, 0, 0, 0, 0),
            new,
            insn(op::STD, 0, 1, 0, 0),
        ];
        let bytes = if kind == value::SCALAR { 8 } else { 64 };
        let mut before = program(&[&code[..2]]);
        before.variables = vec![variable(scope::THREAD, kind, bytes, 0)];
        let mut world = world();
        only(&before, &mut world);
        assert_eq!(world.dynamic.len(), 1);
        let mut after = program(&[&code]);
        after.variables = before.variables;
        only(&after, &mut world);
        assert!(world.dynamic.is_empty());
    }
}
