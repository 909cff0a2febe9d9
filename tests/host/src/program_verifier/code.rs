// SPDX-License-Identifier: GPL-2.0

//! Instructions: their fields, registers, jumps, and what they name.

use super::{ldi, program, refuses, takes, RET};
use crate::program::insn::{op, sub, var, SUBROUTINES};
use crate::program::refused::Why;
use crate::program_world::{insn, Owned};

#[test]
fn an_operation_that_there_is_not_is_refused() {
    for number in [93, 255] {
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
    for number in [SUBROUTINES.len() as i32, -1] {
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
