// SPDX-License-Identifier: GPL-2.0

//! Aggregations, and the tuples of keys that they and arrays take.

use super::{aggregation, ldi, program, refuses, takes, variable};
use crate::program::insn::op;
use crate::program::refused::Why;
use crate::program::{agg, scope, value};
use crate::program_world::insn;

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
