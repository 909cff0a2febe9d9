// SPDX-License-Identifier: GPL-2.0

//! What clauses leave behind.
//!
//! | file | what it tests |
//! |---|---|
//! | `records` | predicates, items, and how a record is laid out |
//! | `aggregating` | tuples of keys, values and weights |
//! | `variables` | variables of all scopes |
//! | `strings` | what goes over several clauses, and comparing |
//! | `memory` | what is read and written, and what must not be |
//! | `speculations` | when they begin and end |
//! | `faults` | what else ends a clause |

mod aggregating;
mod faults;
mod memory;
mod records;
mod speculations;
mod strings;
mod variables;

use crate::program::insn::op;
use crate::program::interpret::Outcome;
use crate::program::{agg, Aggregation, Clause, Fault, Variable};
use crate::program_world::{insn, Mock, Owned, KERNEL};

const RET: u64 = 0;

fn ldi(register: u8, number: i32) -> u64 {
    insn(op::LDI, register, 0, 0, number)
}

/// A program with a clause of each of these, each with RET behind it.
fn program(clauses: &[&[u64]]) -> Owned {
    let mut program = Owned::new(Vec::new());
    program.clauses.clear();
    for code in clauses {
        program.clauses.push(Clause {
            group: 1,
            first: program.code.len() as u32,
            count: code.len() as u32 + 1,
            flags: 0,
        });
        program.code.extend(*code);
        program.code.push(RET);
    }
    program.strings = b"one\0two\0a,b;c\0,;\0\0".to_vec();
    program
}

/// Where the string constants of [`program`] are.
const ONE: i32 = 0;
const TWO: i32 = 4;
const LIST: i32 = 8;
const SEPARATORS: i32 = 14;
const EMPTY: i32 = 17;

fn world() -> Mock {
    let mut world = Mock::new(0);
    world.kernel = (0..=255).collect();
    world.kernel.extend(b"in the kernel\0");
    world.user = b"of the user\0".to_vec();
    world
}

/// The kernel's string.
const KERNEL_TEXT: u64 = KERNEL + 256;

fn only(program: &Owned, world: &mut Mock) -> (Outcome, Vec<u64>) {
    let mut outcomes = program.run(world);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn fails(program: &Owned, world: &mut Mock, kind: u32, address: u64, at: u32) {
    let expected = Outcome::Fault(Fault { kind, address }, at);
    assert_eq!(only(program, world).0, expected);
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

fn counts(keys: u32) -> Aggregation {
    Aggregation {
        function: agg::COUNT,
        keys,
        parameters: [0; 4],
    }
}

/// The head of an item.
fn head(name: u64, bytes: u64) -> u64 {
    name | (bytes << 32)
}
