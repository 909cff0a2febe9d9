// SPDX-License-Identifier: GPL-2.0

//! What a simple clause is said to come to is what the interpreter makes of it.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::program::insn::{op, var};
use crate::program::interpret::Outcome;
use crate::program::simple::{Number, Simple, Test, Then, Value};
use crate::program::{agg, Aggregation, Clause, CLAUSE_DEFAULT, CLAUSE_SYSCALL};
use crate::program_world::{insn, Mock, Owned};

const NUMBERS: [u32; 8] = [
    var::PID,
    var::TID,
    var::CPU,
    var::ELAPSED,
    0, // arg0
    5,
    6,
    var::UID,
];
/// What numbers may be, and what they are compared with: the ends of what there is, and neighbours.
const VALUES: [u64; 11] = [
    0,
    1,
    2,
    41,
    42,
    43,
    i64::MAX as u64 - 1,
    i64::MAX as u64,
    i64::MIN as u64,
    i64::MIN as u64 + 1,
    u64::MAX,
];
const FUNCTIONS: [(u32, u32); 7] = [
    (agg::COUNT, 0),
    (agg::SUM, 0),
    (agg::QUANTIZE, 0),
    (agg::MAX, 0),
    (agg::COUNT, 8),
    (agg::SUM, 8),
    (agg::QUANTIZE, 8),
];
/// The probe's index, to which other bits of a key are added.
const PROBE: u64 = 77;

/// The most common clauses, and some around them.
fn clause() -> impl Strategy<Value = Vec<u64>> {
    let compare = select(vec![
        op::SEQ,
        op::SNE,
        op::SLT,
        op::SLE,
        op::SLTU,
        op::SLEU,
        op::SEQI,
        op::ADD,
    ]);
    let parts = (
        0..NUMBERS.len(),
        compare,
        0..VALUES.len(),
        any::<bool>(),
        0..4u8,
    );
    let then = (
        0..FUNCTIONS.len() + 2,
        0..NUMBERS.len(),
        0..4u8,
        any::<bool>(),
    );
    (parts, then).prop_map(
        |((number, compare, value, mirrored, with), (then, taken, weight, by_probe))| {
            let (a, b) = if mirrored { (2, 1) } else { (1, 2) };
            let compare = match compare {
                op::SEQI => insn(op::SEQI, 3, 1, 0, VALUES[value] as i32),
                compare => insn(compare, 3, a, b, 0),
            };
            let mut code = match with {
                0 => Vec::new(),
                1 => vec![
                    insn(op::GET, 1, 0, 0, NUMBERS[number] as i32),
                    insn(op::FILTER, 0, 1, 0, 0),
                ],
                _ => vec![
                    insn(op::GET, 1, 0, 0, NUMBERS[number] as i32),
                    insn(op::LDC, 2, 0, 0, value as i32),
                    compare,
                    insn(op::FILTER, 0, 3, 0, 0),
                ],
            };
            if let Some((function, keys)) = FUNCTIONS.get(then) {
                code.push(insn(op::GET, 4, 0, 0, NUMBERS[taken] as i32));
                code.push(insn(op::LDI, 5, 0, 0, if weight == 0 { 2 } else { 1 }));
                code.push(insn(op::KEY0, 0, 0, 0, 0));
                if *keys != 0 {
                    code.push(match by_probe {
                        true => insn(op::KEYP, 0, 0, 0, 0),
                        false => insn(op::KEY, 0, 4, 0, 0),
                    });
                }
                let (a, b) = match *function {
                    agg::COUNT => (0, 0),
                    agg::QUANTIZE => (4, 5),
                    _ => (4, 0),
                };
                code.push(insn(op::AGG, 0, a, b, then as i32));
            }
            code.push(insn(op::RET, 0, 0, 0, 0));
            code
        },
    )
}

fn value_of(world: &Mock, number: Number) -> u64 {
    let which = match number {
        Number::Pid => var::PID,
        Number::Tid => var::TID,
        Number::Cpu => var::CPU,
        Number::Elapsed => var::ELAPSED,
        Number::Argument0 => 0,
        Number::Argument1 => 1,
        Number::Argument2 => 2,
        Number::Argument3 => 3,
        Number::Argument4 => 4,
        Number::Argument5 => 5,
    };
    world.numbers[&which]
}

/// What is aggregated once: the aggregation, its keys, and the value.
type Taken = (u32, Vec<u64>, u64);

/// What the clause is said to come to: its outcome, unless that is not known, and what it aggregates.
fn said(simple: &Simple, world: &Mock) -> (Option<Outcome>, Option<Taken>) {
    let holds = |test: &Test| test.range.holds(value_of(world, test.number));
    if !simple.test.as_ref().is_none_or(holds) {
        return (Some(Outcome::Filtered), None);
    }
    let (index, keys, value) = match simple.then {
        Then::Nothing => return (Some(Outcome::Processed), None),
        Then::More => return (None, None),
        Then::Aggregate(index, value) => (index, vec![], value),
        Then::AggregateByProbe(index, value, bits) => (index, vec![PROBE | bits], value),
    };
    let value = match value {
        Value::Constant(value) => value,
        Value::Number(number) => value_of(world, number),
    };
    (Some(Outcome::Processed), Some((index, keys, value)))
}

#[test]
fn simple_clauses_come_to_what_the_interpreter_makes_of_them() {
    let understood = Cell::new([0u32; 5]);
    let given = (clause(), vec(0..VALUES.len(), NUMBERS.len()), 0..8u8);
    let config = ProptestConfig {
        cases: 20_000,
        ..ProptestConfig::default()
    };
    proptest!(config, |((code, values, flags) in given)| {
        let mut program = Owned::new(Vec::new());
        program.constants = VALUES.to_vec();
        for (function, keys) in FUNCTIONS {
            program.aggregations.push(Aggregation { function, keys, ..Aggregation::default() });
        }
        program.clauses = vec![Clause {
            group: 1,
            first: 0,
            count: code.len() as u32,
            flags: [CLAUSE_DEFAULT, CLAUSE_SYSCALL, 0][usize::from(flags).min(2)],
        }];
        program.code = code;
        let mut world = Mock::new(0);
        world.numbers.insert(var::PROBE, PROBE);
        for (which, value) in NUMBERS.iter().zip(&values) {
            world.numbers.insert(*which, VALUES[*value]);
        }
        let mut counts = understood.get();
        let found = program.simple();
        counts[found.map_or(0, |simple| match simple.then {
            Then::Nothing => 1,
            Then::Aggregate(..) => 2,
            Then::More => 3,
            Then::AggregateByProbe(..) => 4,
        })] += 1;
        understood.set(counts);
        if let Some(simple) = found {
            let (outcome, aggregated) = said(&simple, &world);
            let [(made, _)] = &program.run(&mut world)[..] else {
                panic!("one clause has one outcome");
            };
            match outcome {
                Some(outcome) => prop_assert_eq!(*made, outcome),
                None => prop_assert_ne!(*made, Outcome::Filtered),
            }
            let taken: Vec<Taken> = world
                .aggregated
                .iter()
                .flat_map(|((index, keys), values)| {
                    values.iter().map(|(value, _)| (*index, keys.clone(), *value))
                })
                .collect();
            match aggregated {
                // Of a count, the value does not matter.
                Some((index, keys, value)) => {
                    let [(in_which, under, what)] = &taken[..] else {
                        panic!("it is aggregated once: {taken:?}");
                    };
                    prop_assert_eq!((in_which, under), (&index, &keys));
                    prop_assert!(FUNCTIONS[index as usize].0 == agg::COUNT || *what == value);
                }
                None if outcome.is_some() => prop_assert_eq!(taken, vec![]),
                None => (),
            }
        }
    });
    let counts = understood.get();
    assert!(
        counts.iter().all(|count| *count > 500),
        "too few of a kind: {counts:?}"
    );
}
