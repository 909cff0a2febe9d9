// SPDX-License-Identifier: GPL-2.0-only
//! Programs from their text to what they record, run by the module's own interpreter, after its
//! verifier took them.
//!
//! | file | what it tests |
//! |---|---|
//! | `numbers` | expressions, as they are calculated at compile time and at run time |
//! | `variables` | variables, arrays and structs |
//! | `memory` | what is read and written, and strings |
//! | `records` | what actions and aggregations leave, and faults |

mod memory;
mod numbers;
mod records;
mod variables;

use rust_tracer::abi;

use crate::compile_tests::built;
use crate::compiled::Compiled;
use crate::program::interpret::Outcome;
use crate::program::{Aggregation, Clause, Variable};
use crate::program_world::{KERNEL, Mock, Owned, USER};

/// As the tool loads it.
fn loaded(compiled: &Compiled) -> Owned {
    let strsize = abi::RTRACE_STRSIZE_DEFAULT;
    Owned {
        code: compiled.code.clone(),
        clauses: compiled
            .clauses
            .iter()
            .map(|clause| Clause {
                group: 1,
                first: clause.first,
                count: clause.count,
                flags: 0,
            })
            .collect(),
        constants: compiled.constants.clone(),
        strings: compiled.strings.clone(),
        variables: compiled
            .variables
            .iter()
            .map(|one| one.loaded(strsize))
            .map(|one| Variable {
                scope: one.scope,
                value: one.value,
                bytes: one.bytes,
                keys: one.keys,
                ..Variable::default()
            })
            .collect(),
        aggregations: compiled
            .aggregations
            .iter()
            .map(|one| one.loaded(strsize))
            .map(|one| Aggregation {
                function: one.function,
                keys: one.keys,
                parameters: one.parameters,
            })
            .collect(),
        strsize,
        speculations: 1,
    }
}

/// An item of a record.
#[derive(Debug, PartialEq, Eq)]
struct Recorded {
    action: u16,
    argument: u16,
    bytes: Vec<u8>,
}

/// Takes a record's words apart.
fn items(words: &[u64]) -> Vec<Recorded> {
    let mut items = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let head = words[at];
        let len = (head >> 32) as usize;
        let bytes: Vec<u8> = words[at + 1..]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .take(len)
            .collect();
        items.push(Recorded {
            action: (head >> 16) as u16,
            argument: head as u16,
            bytes,
        });
        at += 1 + len.div_ceil(8);
    }
    items
}

/// Runs a program's clauses once, and gives its items.
fn run_in(text: &str, world: &mut Mock) -> Vec<Recorded> {
    let mut all = Vec::new();
    for (outcome, words) in loaded(&built(text)).run(world) {
        if let Outcome::Fault(fault, at) = outcome {
            panic!("{text}: {fault:?} at {at}");
        }
        if matches!(outcome, Outcome::Recorded(_)) {
            all.extend(items(&words));
        }
    }
    all
}

fn run(text: &str) -> Vec<Recorded> {
    run_in(text, &mut world())
}

/// pid 42, and some memory.
fn world() -> Mock {
    let mut world = Mock::new(4096);
    world.numbers.insert(abi::RTRACE_VAR_PID, 42);
    world.numbers.insert(abi::RTRACE_VAR_ARG0, KERNEL);
    world.numbers.insert(abi::RTRACE_VAR_ARG0 + 1, USER);
    world.kernel = (0..64).collect();
    world.user = b"a user's text\0".to_vec();
    world
}

/// What `trace()` of an expression, behind some statements, records as a number.
fn number_after(before: &str, expr: &str) -> i64 {
    let text = format!("{before} BEGIN {{ trace({expr}); }}");
    let items = run(&text);
    let [item] = items.as_slice() else {
        panic!("{text}: {items:?}")
    };
    i64::from_le_bytes(item.bytes.clone().try_into().expect(&text))
}

fn number(expr: &str) -> i64 {
    number_after("", expr)
}

/// What `trace()` of an expression records as text.
fn text(expr: &str) -> String {
    let program = format!("BEGIN {{ trace({expr}); }}");
    let mut items = run(&program);
    String::from_utf8(items.pop().expect(&program).bytes).expect(&program)
}
