// SPDX-License-Identifier: GPL-2.0

//! The verifier's rules: what breaks one is refused for that one, at the right instruction, and
//! what comes closest to it is taken.
//!
//! | file | whose rules |
//! |---|---|
//! | `code` | instructions: their fields, registers, jumps, and what they name |
//! | `variables` | variables, and what is done to them |
//! | `keys` | aggregations and tuples of keys |
//! | `records` | what is recorded, and speculations |
//! | `limits` | how much of everything there may be, and how long it may take |
//! | `rights` | what each node shows |

mod code;
mod keys;
mod limits;
mod records;
mod rights;
mod variables;

use crate::program::insn::op;
use crate::program::refused::{Refused, Why};
use crate::program::rights::Rights;
use crate::program::{Aggregation, Variable};
use crate::program_world::{insn, Owned};

const RET: u64 = 0;

/// A program of these instructions, and RET.
fn program(code: &[u64]) -> Owned {
    Owned::new([code, &[RET]].concat())
}

fn ldi(register: u8) -> u64 {
    insn(op::LDI, register, 0, 0, 1)
}

fn takes(program: &Owned) {
    if let Err(refused) = program.verify(Rights::Kernel) {
        panic!("at {}: {}", refused.at, refused.why);
    }
}

fn refuses(program: &Owned, at: u32, why: Why) {
    assert_eq!(program.verify(Rights::Kernel), Err(Refused { at, why }));
}

fn variable(scope: u8, value: u8, bytes: u32, keys: u32) -> Variable {
    Variable {
        scope,
        value,
        bytes,
        keys,
        ..Variable::default()
    }
}

fn aggregation(function: u32, keys: u32, parameters: [u64; 4]) -> Aggregation {
    Aggregation {
        function,
        keys,
        parameters,
    }
}
