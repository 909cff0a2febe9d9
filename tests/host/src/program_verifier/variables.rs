// SPDX-License-Identifier: GPL-2.0

//! Variables, and what is done to them.

use super::{ldi, program, refuses, takes, variable};
use crate::program::insn::op;
use crate::program::refused::Why;
use crate::program::{
    scope, value, Variable, GLOBALS_MAX, LOCALS_MAX, STRSIZE_MAX, VARIABLE_BYTES_MAX,
};
use crate::program_world::insn;

#[test]
fn operations_on_variables_are_for_their_scopes() {
    for (scope, keys, plain) in [
        (scope::GLOBAL, 0, true),
        (scope::LOCAL, 0, true),
        (scope::ARRAY, 8, false),
        (scope::THREAD, 0, false),
        (scope::THREAD_ARRAY, 8, false),
    ] {
        let key0 = insn(op::KEY0, 0, 0, 0, 0);
        for (operation, for_plain) in [
            (insn(op::LDV, 0, 0, 0, 0), true),
            (insn(op::STV, 0, 1, 0, 0), true),
            (insn(op::LDD, 0, 0, 0, 0), false),
            (insn(op::STD, 0, 1, 0, 0), false),
        ] {
            let mut program = program(&[ldi(1), key0, operation]);
            program.variables = vec![variable(scope, value::SCALAR, 8, keys)];
            if plain == for_plain {
                takes(&program);
            } else {
                refuses(&program, 2, Why::Scope);
            }
        }
    }
}

#[test]
fn variables_that_make_no_sense_are_refused() {
    let mut program = program(&[]);
    for good in [
        variable(scope::GLOBAL, value::STRING, 256, 0),
        variable(scope::LOCAL, value::BYTES, LOCALS_MAX, 0),
        variable(scope::GLOBAL, value::STRING, STRSIZE_MAX, 0),
        variable(scope::GLOBAL, value::BYTES, VARIABLE_BYTES_MAX, 0),
        variable(scope::THREAD, value::BYTES, VARIABLE_BYTES_MAX, 0),
        variable(scope::THREAD_ARRAY, value::BYTES, 1, 4096),
    ] {
        program.variables = vec![good];
        takes(&program);
    }
    for bad in [
        variable(5, value::SCALAR, 8, 0),
        variable(scope::GLOBAL, 3, 8, 0),
        variable(scope::GLOBAL, value::SCALAR, 4, 0),
        variable(scope::GLOBAL, value::STRING, 0, 0),
        variable(scope::GLOBAL, value::STRING, STRSIZE_MAX + 1, 0),
        variable(scope::GLOBAL, value::BYTES, VARIABLE_BYTES_MAX + 1, 0),
        variable(scope::GLOBAL, value::SCALAR, 8, 8),
        variable(scope::THREAD, value::SCALAR, 8, 8),
        variable(scope::ARRAY, value::SCALAR, 8, 0),
        variable(scope::ARRAY, value::SCALAR, 8, 12),
        variable(scope::ARRAY, value::SCALAR, 8, 4104),
        Variable {
            reserved: 1,
            ..variable(scope::GLOBAL, value::SCALAR, 8, 0)
        },
        Variable {
            reserved2: 1,
            ..variable(scope::GLOBAL, value::SCALAR, 8, 0)
        },
    ] {
        program.variables = vec![variable(scope::GLOBAL, value::SCALAR, 8, 0), bad];
        refuses(&program, 1, Why::Variable);
    }
}

#[test]
fn variables_fit_their_memory() {
    for (scope, most, what) in [
        (scope::LOCAL, LOCALS_MAX, "bytes of clause-local variables"),
        (scope::GLOBAL, GLOBALS_MAX, "bytes of global variables"),
    ] {
        let mut program = program(&[]);
        let count = most / 4096;
        program.variables = vec![variable(scope, value::BYTES, 4095, 0); count as usize];
        takes(&program);
        program.variables.push(variable(scope, value::BYTES, 1, 0));
        refuses(&program, count, Why::TooMany(what, most as usize));
    }
}
