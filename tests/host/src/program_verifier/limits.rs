// SPDX-License-Identifier: GPL-2.0

//! How much of everything there may be, and how long it may take.

use super::{aggregation, ldi, program, refuses, takes, variable, RET};
use crate::program::insn::{op, sub, var};
use crate::program::refused::Why;
use crate::program::rights::Rights;
use crate::program::verify::{verify, Mark};
use crate::program::{agg, scope, value, Clause, STRSIZE_MAX};
use crate::program_world::{insn, Owned};

#[test]
fn strsize_is_in_range() {
    let mut program = program(&[]);
    for strsize in [1, STRSIZE_MAX] {
        program.strsize = strsize;
        takes(&program);
    }
    for strsize in [0, STRSIZE_MAX + 1] {
        program.strsize = strsize;
        refuses(&program, 0, Why::Strings);
    }
}

#[test]
fn a_clause_ends_in_bounded_time() {
    let copy = insn(op::CALL, 0, 0, 1, sub::ALLOCA as i32);
    let mut code = vec![ldi(0)];
    code.extend([copy; 160]);
    takes(&program(&code));
    let cost = program(&code).verify(Rights::Kernel).expect("taken").cost;
    assert!(cost > 160 * 6144, "{cost}");
    code.extend([copy; 11]);
    refuses(&program(&code), 171, Why::Cost);
    // Of two ways, the dearer counts, not both.
    let mut ways = vec![ldi(0), insn(op::JZ, 0, 0, 0, 121)];
    ways.extend([copy; 120]);
    ways.push(insn(op::JMP, 0, 0, 0, 120));
    ways.extend([copy; 120]);
    takes(&program(&ways));
}

#[test]
fn what_does_not_depend_on_strings_costs_as_much_with_short_ones() {
    let mut owned = program(&[ldi(0), insn(op::CALL, 1, 0, 1, sub::PROGENYOF as i32)]);
    owned.strsize = 1;
    let cost = owned.verify(Rights::Kernel).expect("taken").cost;
    assert!(cost > 4096, "{cost}: it follows as many parents");
}

#[test]
fn a_clause_costs_what_is_done_for_it_whatever_is_in_it() {
    let cost = program(&[]).verify(Rights::Kernel).expect("taken").cost;
    assert!(cost > 8, "{cost}: it is chosen, counted and recorded");
}

#[test]
fn built_ins_that_walk_cost_as_much_as_what_else_walks() {
    let cost = |code| {
        let verified = program(&[code]).verify(Rights::Kernel);
        verified.expect("taken").cost
    };
    let stack = cost(insn(op::EMITK, 0, 127, 0, 0));
    for depth in [var::STACKDEPTH, var::USTACKDEPTH] {
        let cost = cost(insn(op::GET, 1, 0, 0, depth as i32));
        assert!(cost >= stack, "{depth}: {cost} beside {stack}");
    }
    let two = cost(insn(op::EMITK, 0, 2, 0, 0));
    for caller in [var::CALLER, var::UCALLER] {
        let cost = cost(insn(op::GET, 1, 0, 0, caller as i32));
        assert!(cost >= two, "{caller}: {cost} beside {two}");
    }
    // A fault on the way costs as much as many frames.
    let of_user = cost(insn(op::EMITU, 0, 2, 0, 0));
    assert!(of_user > 2 * two, "{of_user} beside {two}");
    let cwd = cost(insn(op::GETSTR, 1, 0, 0, var::CWD as i32));
    assert!(cwd > 4096, "{cwd}: it goes up to the root");
    let pid = cost(insn(op::GET, 1, 0, 0, var::PID as i32));
    let clock = cost(insn(op::GET, 1, 0, 0, var::WALLTIMESTAMP as i32));
    assert!(clock > 10 * pid, "{clock} beside {pid}");
}

#[test]
fn each_clause_tells_what_it_costs() {
    let mut owned = program(&[ldi(0), ldi(1), ldi(2)]);
    let short = Clause {
        first: 3,
        count: 1,
        ..owned.clauses[0]
    };
    owned.clauses.push(short);
    let (mut marks, mut costs) = (vec![Mark::default(); 4], vec![0; 2]);
    let dearest = owned
        .with(|program, _| verify(program, Rights::Kernel, &mut marks, &mut costs))
        .expect("taken")
        .cost;
    assert!(
        costs[0] == dearest && costs[1] < dearest && costs[1] > 0,
        "{costs:?}"
    );
}

#[test]
fn clauses_lie_in_the_code() {
    let good = Clause {
        group: 1,
        first: 0,
        count: 1,
        flags: 3,
    };
    let mut program = program(&[]);
    program.clauses = vec![good; 3];
    takes(&program);
    for bad in [
        Clause { group: 0, ..good },
        Clause { flags: 4, ..good },
        Clause { count: 0, ..good },
        Clause { count: 2, ..good },
        Clause { first: 1, ..good },
        Clause {
            first: u32::MAX,
            count: u32::MAX,
            ..good
        },
    ] {
        program.clauses[1] = bad;
        refuses(&program, 1, Why::Clause);
    }
}

#[test]
fn there_may_be_only_so_much_of_everything() {
    let mut code = vec![ldi(0); 16383];
    code.push(RET);
    takes(&Owned::new(code.clone()));
    code.insert(0, ldi(0));
    let what = "instructions in a clause";
    refuses(&Owned::new(code.clone()), 0, Why::TooMany(what, 16384));
    code.remove(0);

    let mut shared = Owned::new(code);
    shared.clauses = vec![shared.clauses[0]; 16];
    takes(&shared);
    shared.clauses.push(shared.clauses[0]);
    let what = "instructions in all clauses together";
    refuses(&shared, 16, Why::TooMany(what, 4 * 65536));

    let small = program(&[]);
    let mut many = small.clone();
    many.code = vec![RET; 65537];
    refuses(&many, 0, Why::TooMany("instructions", 65536));
    let mut many = small.clone();
    many.clauses = vec![many.clauses[0]; 4097];
    refuses(&many, 0, Why::TooMany("clauses", 4096));
    let mut many = small.clone();
    many.constants = vec![0; 65537];
    refuses(&many, 0, Why::TooMany("constants", 65536));
    let mut many = small.clone();
    many.strings = vec![0; 1048577];
    refuses(&many, 0, Why::TooMany("bytes of strings", 1048576));
    let mut many = small.clone();
    many.variables = vec![variable(scope::GLOBAL, value::SCALAR, 8, 0); 4097];
    refuses(&many, 0, Why::TooMany("variables", 4096));
    let mut many = small.clone();
    many.aggregations = vec![aggregation(agg::COUNT, 0, [0; 4]); 1025];
    refuses(&many, 0, Why::TooMany("aggregations", 1024));
    let mut many = small;
    many.speculations = 1025;
    refuses(&many, 0, Why::TooMany("speculations", 1024));
}
