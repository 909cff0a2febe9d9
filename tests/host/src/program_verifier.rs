// SPDX-License-Identifier: GPL-2.0

//! The verifier's rules: what breaks one is refused for that one, at the right instruction, and
//! what comes closest to it is taken.

use crate::program::insn::{built_in, is_text, op, sub, var};
use crate::program::refused::{Refused, Why};
use crate::program::rights::Rights;
use crate::program::{
    agg, scope, value, Aggregation, Clause, Variable, GLOBALS_MAX, LOCALS_MAX, STRSIZE_MAX,
};
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

#[test]
fn an_operation_that_there_is_not_is_refused() {
    for number in [92, 255] {
        let code = [ldi(0), insn(number, 0, 0, 0, 0)];
        refuses(&program(&code), 1, Why::Operation(number));
    }
}

#[test]
fn unused_fields_must_be_0() {
    refuses(&program(&[insn(op::LDI, 0, 1, 0, 0)]), 0, Why::Unused("a"));
    refuses(&program(&[insn(op::LDI, 0, 0, 1, 0)]), 0, Why::Unused("b"));
    let code = [ldi(1), insn(op::FILTER, 1, 1, 0, 0)];
    refuses(&program(&code), 1, Why::Unused("d"));
    let code = [ldi(1), insn(op::MOV, 1, 1, 0, 1)];
    refuses(&program(&code), 1, Why::Unused("i"));
    refuses(
        &Owned::new(vec![insn(op::RET, 0, 0, 0, 1)]),
        0,
        Why::Unused("i"),
    );
}

#[test]
fn registers_end_at_r31() {
    takes(&program(&[ldi(31), insn(op::MOV, 30, 31, 0, 0)]));
    refuses(&program(&[ldi(32)]), 0, Why::Register(32));
    let code = [ldi(0), insn(op::ADD, 0, 0, 255, 0)];
    refuses(&program(&code), 1, Why::Register(255));
}

#[test]
fn a_register_is_read_only_where_every_way_has_written_it() {
    refuses(
        &program(&[insn(op::FILTER, 0, 3, 0, 0)]),
        0,
        Why::Unwritten(3),
    );
    let one_way = [
        ldi(0),
        insn(op::JZ, 0, 0, 0, 1),
        ldi(1),
        insn(op::FILTER, 0, 1, 0, 0),
    ];
    refuses(&program(&one_way), 3, Why::Unwritten(1));
    let both_ways = [
        ldi(0),
        insn(op::JZ, 0, 0, 0, 2),
        ldi(1),
        insn(op::JMP, 0, 0, 0, 1),
        ldi(1),
        insn(op::FILTER, 0, 1, 0, 0),
    ];
    takes(&program(&both_ways));
}

#[test]
fn what_no_way_leads_to_may_read_anything_but_must_be_an_instruction() {
    let code = [insn(op::JMP, 0, 0, 0, 1), insn(op::FILTER, 0, 9, 0, 0)];
    takes(&program(&code));
    let code = [insn(op::JMP, 0, 0, 0, 1), insn(op::FILTER, 0, 99, 0, 0)];
    refuses(&program(&code), 1, Why::Register(99));
}

#[test]
fn jumps_go_forward_and_stay_inside() {
    takes(&program(&[insn(op::JMP, 0, 0, 0, 0)]));
    for distance in [1, 2, i32::MAX, -1, -2, i32::MIN] {
        refuses(&program(&[insn(op::JMP, 0, 0, 0, distance)]), 0, Why::Jump);
    }
}

#[test]
fn a_clause_ends_in_ret() {
    refuses(&Owned::new(vec![ldi(0)]), 0, Why::End);
    refuses(&Owned::new(vec![RET, ldi(0)]), 1, Why::End);
    refuses(
        &Owned::new(vec![ldi(0), insn(op::FILTER, 0, 0, 0, 0)]),
        1,
        Why::End,
    );
}

#[test]
fn numbers_of_what_there_is_not_are_refused() {
    let all = [
        (op::LDC, "constant"),
        (op::LDSC, "string constant"),
        (op::LDV, "variable"),
        (op::LDD, "variable"),
    ];
    for (operation, what) in all {
        for index in [0, 1, -1, i32::MIN, i32::MAX] {
            let code = [insn(operation, 0, 0, 0, index)];
            refuses(&program(&code), 0, Why::Immediate(what));
        }
    }
    let code = [insn(op::AGG, 0, 0, 0, 0)];
    refuses(&program(&code), 0, Why::Immediate("aggregation"));
    for number in [36, -1] {
        let code = [insn(op::CALL, 0, 0, 0, number)];
        refuses(&program(&code), 0, Why::Immediate("subroutine"));
    }
    let mut with_constant = program(&[insn(op::LDC, 0, 0, 0, 0)]);
    with_constant.constants = vec![7];
    takes(&with_constant);
    with_constant.code[0] = insn(op::LDC, 0, 0, 0, 1);
    refuses(&with_constant, 0, Why::Immediate("constant"));
}

#[test]
fn string_constants_end_and_are_pointed_into() {
    let mut program = program(&[insn(op::LDSC, 0, 0, 0, 3)]);
    program.strings = b"one\0two\0".to_vec();
    takes(&program);
    program.code[0] = insn(op::LDSC, 0, 0, 0, 8);
    refuses(&program, 0, Why::Immediate("string constant"));
    program.code[0] = insn(op::LDSC, 0, 0, 0, 1);
    program.strings.pop();
    refuses(&program, 0, Why::Strings);
}

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
fn built_in_numbers_and_strings_have_their_own_operations() {
    takes(&program(&[insn(op::GET, 0, 0, 0, var::PID as i32)]));
    takes(&program(&[insn(op::GETSTR, 0, 0, 0, var::EXECNAME as i32)]));
    for (operation, number) in [
        (op::GET, var::EXECNAME as i32),
        (op::GETSTR, var::PID as i32),
        (op::GET, 10),
        (op::GET, 22),
        (op::GET, 53),
        (op::GETSTR, 70),
        (op::GET, -1),
    ] {
        let code = [insn(operation, 0, 0, 0, number)];
        refuses(&program(&code), 0, Why::Immediate("built-in variable"));
    }
}

#[test]
fn sizes_are_in_range() {
    let ok = [
        insn(op::LDSTR, 0, 9, 0, 0),
        insn(op::LDMEM, 0, 9, 0, 16384),
        insn(op::KEYB, 0, 9, 0, 4000),
        insn(op::EMITK, 0, 127, 0, 0),
    ];
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    for word in ok {
        takes(&program(&[ldi(9), key0, word]));
    }
    for (word, what) in [
        (insn(op::LDSTR, 0, 9, 0, -1), "number of bytes"),
        (insn(op::LDMEM, 0, 9, 0, 0), "number of bytes"),
        (insn(op::LDMEM, 0, 9, 0, 16385), "number of bytes"),
        (insn(op::KEYB, 0, 9, 0, 4097), "number of bytes"),
        (insn(op::KEYK, 0, 0, 0, 0), "number of frames"),
        (insn(op::KEYU, 0, 0, 0, 128), "number of frames"),
        (insn(op::EMITK, 0, 128, 0, 0), "number of frames"),
        (insn(op::EMITU, 0, 0, 1, 0), "number of frames"),
    ] {
        refuses(&program(&[ldi(9), key0, word]), 2, Why::Immediate(what));
    }
}

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
        variable(scope::LOCAL, value::BYTES, STRSIZE_MAX, 0),
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
        variable(scope::GLOBAL, value::BYTES, STRSIZE_MAX + 1, 0),
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

#[test]
fn aggregations_that_make_no_sense_are_refused() {
    let mut program = program(&[]);
    let linear = [0, 1, 10, 0];
    program.aggregations = vec![
        aggregation(agg::COUNT, 4096, [0; 4]),
        aggregation(agg::LQUANTIZE, 0, linear),
        aggregation(agg::LLQUANTIZE, 0, [10, 0, 6, 20]),
    ];
    takes(&program);
    for bad in [
        aggregation(9, 0, [0; 4]),
        aggregation(agg::COUNT, 4, [0; 4]),
        aggregation(agg::COUNT, 4104, [0; 4]),
        aggregation(agg::QUANTIZE, 0, [1, 0, 0, 0]),
        aggregation(agg::LQUANTIZE, 0, [0, 0, 10, 0]),
        aggregation(agg::LQUANTIZE, 0, [0, 1, 65536, 0]),
        aggregation(agg::LLQUANTIZE, 0, [1, 0, 6, 20]),
    ] {
        program.aggregations[1] = bad;
        refuses(&program, 1, Why::Aggregation);
    }
}

#[test]
fn keys_need_a_tuple_that_every_way_began() {
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    let key = insn(op::KEY, 0, 0, 0, 0);
    takes(&program(&[ldi(0), key0, key]));
    refuses(&program(&[ldi(0), key]), 1, Why::NoTuple);
    let one_way = [ldi(0), insn(op::JZ, 0, 0, 0, 1), key0, key];
    refuses(&program(&one_way), 3, Why::NoTuple);
    let mut aggregates = program(&[insn(op::AGG, 0, 0, 0, 0)]);
    aggregates.aggregations = vec![aggregation(agg::COUNT, 0, [0; 4])];
    takes(&aggregates);
    aggregates.aggregations = vec![aggregation(agg::COUNT, 8, [0; 4])];
    refuses(&aggregates, 0, Why::NoTuple);
    let mut array = program(&[insn(op::LDD, 0, 0, 0, 0)]);
    array.variables = vec![variable(scope::ARRAY, value::SCALAR, 8, 8)];
    refuses(&array, 0, Why::NoTuple);
    array.variables = vec![variable(scope::THREAD, value::SCALAR, 8, 0)];
    takes(&array);
}

#[test]
fn the_longest_tuple_fits_what_it_is_for() {
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    let key = insn(op::KEY, 0, 0, 0, 0);
    let used = insn(op::AGG, 0, 0, 0, 0);
    let longer_way = [ldi(0), key0, key, insn(op::JZ, 0, 0, 0, 1), key, used];
    let mut program = program(&longer_way);
    program.aggregations = vec![aggregation(agg::COUNT, 16, [0; 4])];
    takes(&program);
    program.aggregations = vec![aggregation(agg::COUNT, 8, [0; 4])];
    refuses(&program, 5, Why::Tuple(16, 8));
    program.code[5] = insn(op::STD, 0, 0, 0, 0);
    program.variables = vec![variable(scope::ARRAY, value::SCALAR, 8, 8)];
    refuses(&program, 5, Why::Tuple(16, 8));
}

#[test]
fn each_key_counts_what_it_may_take() {
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    for (word, bytes) in [
        (insn(op::KEY, 0, 0, 0, 0), 8),
        (insn(op::KEYP, 0, 0, 0, 0), 8),
        (insn(op::KEYS, 0, 0, 0, 0), 8 + 104),
        (insn(op::KEYB, 0, 0, 0, 9), 8 + 16),
        (insn(op::KEYK, 0, 0, 0, 5), 8 + 40),
        (insn(op::KEYU, 0, 0, 0, 5), 16 + 40),
    ] {
        let mut program = program(&[ldi(0), key0, word, insn(op::AGG, 0, 0, 0, 0)]);
        program.strsize = 100;
        program.aggregations = vec![aggregation(agg::COUNT, bytes, [0; 4])];
        takes(&program);
        program.aggregations = vec![aggregation(agg::COUNT, bytes - 8, [0; 4])];
        if bytes > 8 {
            refuses(&program, 3, Why::Tuple(bytes, bytes - 8));
        }
    }
    let mut code = vec![ldi(0), key0];
    code.extend([insn(op::KEY, 0, 0, 0, 0); 512]);
    takes(&program(&code));
    code.push(insn(op::KEY, 0, 0, 0, 0));
    refuses(&program(&code), 514, Why::Tuple(4104, 4096));
}

#[test]
fn aggregating_functions_take_what_they_use() {
    for (function, parameters, registers) in [
        (agg::COUNT, [0; 4], 0),
        (agg::SUM, [0; 4], 1),
        (agg::STDDEV, [0; 4], 1),
        (agg::QUANTIZE, [0; 4], 2),
        (agg::LQUANTIZE, [0, 1, 10, 0], 2),
        (agg::LLQUANTIZE, [10, 0, 6, 20], 2),
    ] {
        let with = |a, b| {
            let mut program = program(&[ldi(1), insn(op::AGG, 0, a, b, 0)]);
            program.aggregations = vec![aggregation(function, 0, parameters)];
            program
        };
        match registers {
            0 => {
                takes(&with(0, 0));
                refuses(&with(1, 0), 1, Why::Unused("a"));
                refuses(&with(0, 1), 1, Why::Unused("b"));
            }
            1 => {
                takes(&with(1, 0));
                refuses(&with(1, 1), 1, Why::Unused("b"));
                refuses(&with(0, 0), 1, Why::Unwritten(0));
            }
            _ => {
                takes(&with(1, 1));
                refuses(&with(1, 0), 1, Why::Unwritten(0));
            }
        }
    }
}

#[test]
fn a_record_that_is_always_too_long_is_refused() {
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    let mut code = vec![ldi(0)];
    code.extend([emit; 2045]);
    takes(&program(&code));
    code.push(emit);
    refuses(&program(&code), 2046, Why::Record);
    // If a way is short enough, the record is measured when it is made.
    code[1] = insn(op::JZ, 0, 0, 0, 10);
    takes(&program(&code));
}

#[test]
fn subroutines_take_their_arguments() {
    let call = |first, count, number: u32| insn(op::CALL, 0, first, count, number as i32);
    takes(&program(&[call(0, 0, sub::RAND)]));
    refuses(&program(&[call(1, 0, sub::RAND)]), 0, Why::Unused("a"));
    refuses(
        &program(&[ldi(0), call(0, 1, sub::RAND)]),
        1,
        Why::Arguments("rand"),
    );
    let three = [ldi(29), ldi(30), ldi(31)];
    let with = |word| program(&[&three[..], &[word]].concat());
    takes(&with(call(29, 2, sub::SUBSTR)));
    takes(&with(call(29, 3, sub::SUBSTR)));
    refuses(&with(call(29, 1, sub::SUBSTR)), 3, Why::Arguments("substr"));
    refuses(&with(call(29, 4, sub::SUBSTR)), 3, Why::Arguments("substr"));
    refuses(&with(call(30, 3, sub::SUBSTR)), 3, Why::Register(32));
    refuses(&with(call(255, 2, sub::SUBSTR)), 3, Why::Register(255));
    refuses(&with(call(28, 2, sub::SUBSTR)), 3, Why::Unwritten(28));
}

#[test]
fn a_speculation_is_chosen_before_anything_is_recorded() {
    let speculate = insn(op::SPECULATE, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    takes(&program(&[ldi(0), speculate, emit]));
    refuses(&program(&[ldi(0), emit, speculate]), 2, Why::Speculate);
    refuses(&program(&[ldi(0), speculate, speculate]), 2, Why::Speculate);
    let one_way = [ldi(0), insn(op::JZ, 0, 0, 0, 1), emit, speculate];
    refuses(&program(&one_way), 3, Why::Speculate);
}

#[test]
fn a_commit_is_recorded_alone() {
    let commit = insn(op::COMMIT, 0, 0, 0, 0);
    let discard = insn(op::DISCARD, 0, 0, 0, 0);
    let emit = insn(op::EMIT, 0, 0, 0, 0);
    takes(&program(&[ldi(0), commit, discard]));
    takes(&program(&[ldi(0), discard, emit]));
    refuses(&program(&[ldi(0), commit, emit]), 2, Why::Commit);
    refuses(&program(&[ldi(0), emit, commit]), 2, Why::Commit);
    let speculated = [ldi(0), insn(op::SPECULATE, 0, 0, 0, 0), commit];
    refuses(&program(&speculated), 2, Why::Commit);
}

#[test]
fn a_clause_ends_in_bounded_time() {
    let copy = insn(op::CALL, 0, 0, 1, sub::ALLOCA as i32);
    let mut code = vec![ldi(0)];
    code.extend([copy; 40]);
    takes(&program(&code));
    let cost = program(&code).verify(Rights::Kernel).expect("taken").cost;
    assert!(cost > 40 * 6144, "{cost}");
    code.extend([copy; 3]);
    refuses(&program(&code), 43, Why::Cost);
    // Of two ways, the dearer counts, not both.
    let mut ways = vec![ldi(0), insn(op::JZ, 0, 0, 0, 31)];
    ways.extend([copy; 30]);
    ways.push(insn(op::JMP, 0, 0, 0, 30));
    ways.extend([copy; 30]);
    takes(&program(&ways));
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

/// Whether a node takes a clause, for another provider's probes and for system calls.
fn taken(code: &[u64], rights: Rights) -> [bool; 2] {
    [0, 2].map(|flags| {
        let mut program = program(code);
        program.strings = b"text\0".to_vec();
        program.variables = vec![
            variable(scope::GLOBAL, value::STRING, 256, 0),
            variable(scope::THREAD, value::STRING, 256, 0),
        ];
        program.clauses[0].flags = flags;
        takes(&program);
        match program.verify(rights) {
            Ok(_) => true,
            Err(Refused {
                why: Why::Right(node, what, _),
                ..
            }) => {
                assert_eq!(node, rights);
                assert!(!what.is_empty());
                false
            }
            Err(refused) => panic!("at {}: {}", refused.at, refused.why),
        }
    })
}

#[test]
fn nodes_show_the_built_in_variables_that_they_may() {
    let (yes, no, calls) = ([true, true], [false, false], [false, true]);
    let get = |number| [insn(op::GET, 0, 0, 0, number)];
    let mut known = 0;
    for number in 0..1000 {
        let Some(name) = built_in(number as u32) else {
            continue;
        };
        known += 1;
        let code = if is_text(number as u32) {
            [insn(op::GETSTR, 0, 0, 0, number)]
        } else {
            get(number)
        };
        let (system, user) = match name {
            // The return value, which the world looks at.
            "arg1" => (no, yes),
            _ if name.starts_with("arg") || name.starts_with("entryarg") => (no, calls),
            "errno" | "ppid" | "gid" => (no, yes),
            "curthread" | "caller" | "stackdepth" | "ustackdepth" | "ucaller" | "cwd" => (no, no),
            _ if name.starts_with("uregs[") => (no, no),
            _ => (yes, yes),
        };
        assert_eq!(taken(&code, Rights::System), system, "{name}");
        assert_eq!(taken(&code, Rights::User), user, "{name}");
    }
    assert_eq!(known, 10 + 6 + 21 + 6 + 26);
}

#[test]
fn nodes_that_show_no_memory_let_programs_read_their_own_alone() {
    let address = insn(op::GET, 1, 0, 0, var::PID as i32);
    let own = insn(op::LDSC, 1, 0, 0, 0);
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    let one = ldi(2);
    for word in [
        insn(op::LD8, 0, 1, 0, 0),
        insn(op::LD64, 0, 1, 0, 0),
        insn(op::LDSX32, 0, 1, 0, 0),
        insn(op::LDSTR, 0, 1, 0, 0),
        insn(op::LDMEM, 0, 1, 0, 8),
        insn(op::SCMP, 0, 1, 1, 0),
        insn(op::KEYS, 0, 1, 0, 0),
        insn(op::KEYB, 0, 1, 0, 8),
        insn(op::EMITS, 0, 1, 0, 0),
        insn(op::EMITB, 0, 1, 2, 0),
        insn(op::STV, 0, 1, 0, 0),
        insn(op::STD, 0, 1, 0, 1),
        insn(op::CALL, 0, 1, 1, sub::STRLEN as i32),
        insn(op::CALL, 0, 1, 2, sub::STRCHR as i32),
        insn(op::CALL, 0, 1, 1, sub::INET_NTOA as i32),
    ] {
        for rights in [Rights::System, Rights::User] {
            let foreign = [address, one, key0, word];
            assert_eq!(taken(&foreign, rights), [false; 2], "{word:#x}");
            assert_eq!(
                taken(&[own, one, key0, word], rights),
                [true; 2],
                "{word:#x}"
            );
            // A pointer that was calculated from one into own memory is one, too.
            let moved = insn(op::ADD, 1, 1, 2, 0);
            assert_eq!(taken(&[own, one, moved, key0, word], rights), [true; 2]);
            // Of two ways, both must have one.
            let skip = insn(op::JZ, 0, 2, 0, 1);
            let one_way = [own, one, skip, address, key0, word];
            assert_eq!(taken(&one_way, rights), [false; 2]);
        }
    }
    // To set it to nothing is no reading.
    let nothing = [insn(op::LDI, 1, 0, 0, 0), insn(op::STD, 0, 1, 0, 1)];
    assert_eq!(taken(&nothing, Rights::System), [true; 2]);
}

#[test]
fn only_the_node_kernel_shows_stacks_and_the_memory_of_processes() {
    let key0 = insn(op::KEY0, 0, 0, 0, 0);
    for word in [
        insn(op::KEYK, 0, 0, 0, 5),
        insn(op::KEYU, 0, 0, 0, 5),
        insn(op::EMITK, 0, 5, 0, 0),
        insn(op::EMITU, 0, 5, 0, 0),
        insn(op::CALL, 0, 1, 2, sub::COPYIN as i32),
        insn(op::CALL, 0, 1, 1, sub::COPYINSTR as i32),
        insn(op::CALL, 0, 1, 3, sub::COPYINTO as i32),
        insn(op::CALL, 0, 1, 1, sub::D_PATH as i32),
    ] {
        for rights in [Rights::System, Rights::User] {
            let code = [ldi(1), ldi(2), ldi(3), key0, word];
            assert_eq!(taken(&code, rights), [false; 2], "{word:#x}");
        }
    }
    let progeny = [ldi(1), insn(op::CALL, 0, 1, 1, sub::PROGENYOF as i32)];
    assert_eq!(taken(&progeny, Rights::System), [false; 2]);
    assert_eq!(taken(&progeny, Rights::User), [true; 2]);
}

#[test]
fn a_refusal_names_the_construct_and_the_node_that_shows_it() {
    let refused = program(&[insn(op::GET, 0, 0, 0, 0)])
        .verify(Rights::User)
        .expect_err("arg0");
    let text = refused.why.to_string();
    for part in [
        "arg0",
        "/dev/rust_tracer/user",
        "/dev/rust_tracer/kernel",
        "system calls",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let refused = program(&[insn(op::EMITK, 0, 5, 0, 0)])
        .verify(Rights::System)
        .expect_err("stack");
    let text = refused.why.to_string();
    assert!(
        text.starts_with("stack() cannot be had on /dev/rust_tracer/system"),
        "{text}"
    );
}

#[test]
fn clauses_that_read_arg1_are_told() {
    use crate::program::rights::reads_arg1;
    assert!(reads_arg1(&[ldi(0), insn(op::GET, 0, 0, 0, 1)]));
    assert!(!reads_arg1(&[
        ldi(0),
        insn(op::GET, 0, 0, 0, 0),
        insn(op::LDI, 0, 0, 0, 1)
    ]));
}
