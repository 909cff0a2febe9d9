// SPDX-License-Identifier: GPL-2.0

//! What runs quickly does as the interpreter does.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::program::insn::{op, Field, Immediate, FORMS};
use crate::program::interpret::{Outcome, Room};
use crate::program::rights::Rights;
use crate::program::{agg, scope, value, Aggregation, Clause, Variable, CLAUSE_DEFAULT};
use crate::program_world::{insn, Mock, Owned};

/// Operations that can run quickly, and some that cannot.
fn operation() -> impl Strategy<Value = u8> {
    let quick = (0..FORMS.len() as u8).prop_filter("there is none", |&number| {
        matches!(number, op::FILTER..=op::LDC | op::ADD..=op::MUL | op::AND..=op::SLEU)
            || matches!(number, op::ADDI..=op::ZX32 | op::KEY0 | op::LDD..=op::AGG)
            || matches!(number, op::GET | op::LDV | op::STV)
    });
    prop_oneof![60 => quick, 1 => select(vec![op::EMIT, op::KEY, op::DIV, op::LDSC])]
}

const VARIABLES: [(u8, u8); 5] = [
    (scope::GLOBAL, value::SCALAR),
    (scope::THREAD, value::SCALAR),
    (scope::LOCAL, value::SCALAR),
    (scope::THREAD, value::STRING),
    (scope::GLOBAL, value::SCALAR),
];
const CONSTANTS: [u64; 3] = [0, 5_000_000_000, u64::MAX];
const NUMBERS: u32 = 53;

/// An instruction, with the others behind it.
fn instruction(left: usize) -> impl Strategy<Value = u64> {
    let fields = (0..8u8, 0..8u8, 0..8u8, any::<u32>());
    (operation(), fields).prop_map(move |(number, (d, a, b, any))| {
        let form = &FORMS[usize::from(number)];
        let below = |end: usize| any as usize % end;
        let i = match form.i {
            Immediate::Number => any as i32 >> (any % 32),
            Immediate::Jump => below(left.clamp(1, 4)) as i32,
            Immediate::Constant => below(CONSTANTS.len()) as i32,
            Immediate::BuiltIn => below(NUMBERS as usize) as i32,
            // Thread-local numbers are what runs quickly.
            Immediate::Dynamic if any % 8 != 0 => 1,
            Immediate::Variable if any % 8 != 0 => (any / 8 % 2 * 4) as i32,
            Immediate::Variable | Immediate::Dynamic => below(VARIABLES.len()) as i32,
            Immediate::Aggregation => below(4) as i32,
            _ => 0,
        };
        let is = |field: Field, register: u8| match field {
            Field::Unused => 0,
            _ => register,
        };
        let (mut a, mut b) = (is(form.a, a), is(form.b, b));
        if number == op::AGG {
            (a, b) = match i {
                0 => (0, 0),
                1 => (a, 0),
                _ => (a, b),
            };
        }
        insn(number, is(form.d, d), a, b, i)
    })
}

/// A clause: all registers hold something, then anything.
fn clause() -> impl Strategy<Value = Vec<u64>> {
    let begin: Vec<_> = (0..8)
        .map(|register| {
            (0..NUMBERS).prop_map(move |which| match which % 4 {
                0 => insn(op::GET, register, 0, 0, which as i32),
                _ => insn(op::LDI, register, 0, 0, which as i32 / 4 - 2),
            })
        })
        .collect();
    (1..24usize).prop_flat_map(move |count| {
        let rest: Vec<_> = (0..count).map(|at| instruction(count - at)).collect();
        (begin.clone(), rest).prop_map(|(mut code, rest)| {
            code.extend(rest);
            code.push(insn(op::RET, 0, 0, 0, 0));
            code
        })
    })
}

fn program() -> impl Strategy<Value = Owned> {
    vec((clause(), 0..8u32), 1..4).prop_map(|clauses| {
        let mut program = Owned::new(Vec::new());
        program.clauses.clear();
        program.constants = CONSTANTS.to_vec();
        for (scope, kind) in VARIABLES {
            program.variables.push(Variable {
                scope,
                value: kind,
                bytes: 8,
                ..Variable::default()
            });
        }
        for (function, keys) in [
            (agg::COUNT, 0),
            (agg::SUM, 0),
            (agg::QUANTIZE, 0),
            (agg::COUNT, 8),
        ] {
            program.aggregations.push(Aggregation {
                function,
                keys,
                ..Aggregation::default()
            });
        }
        for (code, flags) in clauses {
            program.clauses.push(Clause {
                group: 1,
                first: program.code.len() as u32,
                count: code.len() as u32,
                // Rarely the default action: it is no quick one's.
                flags: if flags == 0 { CLAUSE_DEFAULT } else { 0 },
            });
            program.code.extend(code);
        }
        program
    })
}

/// What was aggregated, as far as functions take it.
fn aggregated(world: &Mock, program: &Owned) -> Vec<(u32, Vec<(u64, u64)>)> {
    let taken = |index: u32, values: &[(u64, u64)]| {
        let function = program.aggregations[index as usize].function;
        let taken = values.iter().map(|&(value, weight)| match function {
            agg::COUNT => (1, 1),
            agg::SUM => (value, 1),
            _ => (value, weight),
        });
        (index, taken.collect())
    };
    let all = world.aggregated.iter();
    all.map(|((index, _), values)| taken(*index, values))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    /// Alone, a program does as much quickly as it says; the rest is run as ever, and both make of
    /// it what the interpreter makes of the whole.
    #[test]
    fn quick_clauses_do_as_the_interpreter_does(
        program in program(),
        closed: bool,
        room: u8,
        full in 0..12usize,
    ) {
        prop_assume!(program.verify(Rights::Kernel).is_ok());
        let mut start = Mock::new(0);
        start.aggregations_max = (full < 3).then_some(full);
        start.private_arguments = closed;
        let (mut slow, mut quick) = (start.clone(), start);
        let whole = program.run_unverified(Rights::Kernel, &mut Room::filled(room), &mut slow);
        let mut outcomes = program.run_quickly(&mut quick);
        let mut rest = program.clone();
        rest.clauses.drain(..outcomes.len());
        let behind = rest.run_unverified(Rights::Kernel, &mut Room::filled(!room), &mut quick);
        outcomes.extend(behind.iter().map(|(outcome, _)| *outcome));
        let expected: Vec<Outcome> = whole.iter().map(|(outcome, _)| *outcome).collect();
        prop_assert_eq!(outcomes, expected);
        prop_assert_eq!(&slow.globals, &quick.globals);
        prop_assert_eq!(&slow.dynamic, &quick.dynamic);
        prop_assert_eq!(aggregated(&slow, &program), aggregated(&quick, &program));
    }
}

fn quick_instructions(code: Vec<u64>) -> (usize, usize) {
    let mut program = Owned::new(code);
    program.aggregations.push(Aggregation::default());
    let count = program.code.len();
    let outcomes = program.run_quickly(&mut Mock::new(0));
    (outcomes.len(), count)
}

#[test]
fn what_people_ask_most_runs_quickly() {
    let get = insn(op::GET, 1, 0, 0, crate::program::insn::var::PID as i32);
    let ret = insn(op::RET, 0, 0, 0, 0);
    let count = insn(op::AGG, 0, 0, 0, 0);
    let is_never = insn(op::SEQI, 1, 1, 0, -1);
    let filter = insn(op::FILTER, 0, 1, 0, 0);
    let emit = insn(op::EMIT, 0, 1, 0, 0);
    assert_eq!(quick_instructions(vec![count, ret]).0, 1);
    assert_eq!(
        quick_instructions(vec![get, is_never, filter, count, ret]).0,
        1
    );
    // A predicate that holds the clause back, of a clause that could not run.
    assert_eq!(
        quick_instructions(vec![get, is_never, filter, emit, ret]).0,
        1
    );
    assert_eq!(quick_instructions(vec![get, emit, ret]).0, 0);
}
