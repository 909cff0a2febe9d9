// SPDX-License-Identifier: GPL-2.0

//! Numbers and jumps: random clauses against an evaluator that is obviously right, because it
//! calculates with 128 bits and goes by the operations' names.

use proptest::prelude::*;

use crate::program::insn::{op, Insn, FORMS};
use crate::program::interpret::Outcome;
use crate::program::{fault, Fault};
use crate::program_world::{insn, Mock, Owned};

/// What an operation on numbers gives, or `None` for a division by zero.
fn reference(name: &str, a: u64, b: u64, i: i32) -> Option<u64> {
    let (sa, sb) = (i128::from(a as i64), i128::from(b as i64));
    let (ua, ub) = (i128::from(a), i128::from(b));
    let si = i128::from(i);
    let by_b = 1i128 << (ub % 64);
    let by_i = 1i128 << si.rem_euclid(64);
    let signed = |bits: u32| {
        let low = ua % (1 << bits);
        if low >= 1 << (bits - 1) {
            low - (1 << bits)
        } else {
            low
        }
    };
    let result = match name {
        "mov" => ua,
        "ldi" => si,
        "add" => ua + ub,
        "sub" => ua - ub,
        "mul" => (sa * sb) % (1 << 64),
        "div" | "divu" | "mod" | "modu" if b == 0 => return None,
        "div" => sa / sb,
        "divu" => ua / ub,
        "mod" => sa % sb,
        "modu" => ua % ub,
        "and" => ua & ub,
        "or" => ua | ub,
        "xor" => ua ^ ub,
        "shl" => (ua as u128 * by_b as u128 % (1 << 64)) as i128,
        "shr" => ua / by_b,
        "sar" => sa.div_euclid(by_b),
        "seq" => (ua == ub).into(),
        "sne" => (ua != ub).into(),
        "slt" => (sa < sb).into(),
        "sle" => (sa <= sb).into(),
        "sltu" => (ua < ub).into(),
        "sleu" => (ua <= ub).into(),
        "addi" => sa + si,
        "muli" => sa * si,
        "andi" => sa & si,
        "shli" => (ua as u128 * by_i as u128 % (1 << 64)) as i128,
        "shri" => ua / by_i,
        "sari" => sa.div_euclid(by_i),
        "seqi" => (sa == si).into(),
        "neg" => -sa,
        "not" => -sa - 1,
        "lnot" => (ua == 0).into(),
        "sx8" => signed(8),
        "sx16" => signed(16),
        "sx32" => signed(32),
        "zx8" => ua % (1 << 8),
        "zx16" => ua % (1 << 16),
        "zx32" => ua % (1 << 32),
        other => panic!("{other} is no operation on numbers"),
    };
    Some(result.rem_euclid(1 << 64) as u64)
}

/// Whether a jump is taken.
fn taken(name: &str, a: u64, b: u64) -> bool {
    let (sa, sb) = (a as i64, b as i64);
    match name {
        "jmp" => true,
        "jz" => a == 0,
        "jnz" => a != 0,
        "jeq" => a == b,
        "jne" => a != b,
        "jlt" => sa < sb,
        "jle" => sa <= sb,
        "jltu" => a < b,
        "jleu" => a <= b,
        other => panic!("{other} is no jump"),
    }
}

/// Numbers at which something changes, and others.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            2,
            63,
            64,
            65,
            0x7f,
            0x80,
            0xff,
            0x7fff,
            0x8000,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            i64::MAX as u64,
            i64::MIN as u64,
            u64::MAX,
            -128i64 as u64,
            -2i64 as u64,
        ]),
        any::<u64>(),
        any::<i16>().prop_map(|small| i64::from(small) as u64),
    ]
}

/// Operations on numbers: from MOV to SLEU and ADDI to ZX32, without those on memory.
fn operation() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(op::MOV),
        Just(op::LDI),
        op::ADD..=op::SLEU,
        op::ADDI..=op::ZX32,
    ]
}

const USED: u8 = 8;

/// An instruction on the first registers; a jump's distance is made to fit later.
fn instruction() -> impl Strategy<Value = Insn> {
    let fields = (0..USED, 0..USED, 0..USED, any::<i32>(), 0..6i32);
    (operation(), any::<bool>(), op::JMP..=op::JLEU, fields).prop_map(
        |(plain, jumps, jump, (d, a, b, i, distance))| {
            let number = if jumps && distance < 3 { jump } else { plain };
            let form = &FORMS[usize::from(number)];
            let used = |field: crate::program::insn::Field, register: u8| {
                if field == crate::program::insn::Field::Unused {
                    0
                } else {
                    register
                }
            };
            Insn {
                op: number,
                d: used(form.d, d),
                a: used(form.a, a),
                b: used(form.b, b),
                i: match form.i {
                    crate::program::insn::Immediate::Unused => 0,
                    crate::program::insn::Immediate::Jump => distance,
                    _ => i,
                },
            }
        },
    )
}

/// A clause that sets registers, runs `body`, and records all registers.
fn clause(numbers: &[u64], body: &[Insn]) -> Owned {
    let mut code = Vec::new();
    for register in 0..USED {
        code.push(insn(op::LDC, register, 0, 0, register.into()));
    }
    code.extend(body.iter().map(|insn| insn.encode()));
    for register in 0..USED {
        code.push(insn(op::EMIT, 0, register, 0, register.into()));
    }
    code.push(insn(op::RET, 0, 0, 0, 0));
    let mut program = Owned::new(code);
    program.constants = numbers.to_vec();
    program
}

/// What the registers hold behind `body`, or the fault's instruction.
fn evaluate(numbers: &[u64], body: &[Insn]) -> Result<Vec<u64>, u32> {
    let mut registers = numbers.to_vec();
    let mut at = 0;
    while let Some(insn) = body.get(at) {
        let name = FORMS[usize::from(insn.op)].name;
        let (a, b) = (
            registers[usize::from(insn.a)],
            registers[usize::from(insn.b)],
        );
        at += 1;
        if name.starts_with('j') {
            if taken(name, a, b) {
                at += insn.i as usize;
            }
            continue;
        }
        match reference(name, a, b, insn.i) {
            Some(result) => registers[usize::from(insn.d)] = result,
            None => return Err(at as u32 - 1),
        }
    }
    Ok(registers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn numbers_and_jumps_are_those_of_the_reference(
        numbers in prop::collection::vec(number(), USED as usize),
        mut body in prop::collection::vec(instruction(), 0..24),
    ) {
        let len = body.len() as i32;
        for (at, insn) in (0..).zip(body.iter_mut()) {
            if FORMS[usize::from(insn.op)].name.starts_with('j') {
                insn.i = insn.i.min(len - at - 1);
            }
        }
        let outcomes = clause(&numbers, &body).run(&mut Mock::new(0));
        let (outcome, items) = &outcomes[0];
        match evaluate(&numbers, &body) {
            Ok(registers) => {
                prop_assert!(matches!(outcome, Outcome::Recorded(made) if made.items == 8));
                let values: Vec<u64> = items.iter().skip(1).step_by(2).copied().collect();
                prop_assert_eq!(values, registers);
            }
            Err(at) => {
                let at = at + u32::from(USED);
                prop_assert_eq!(*outcome, Outcome::Fault(Fault::of(fault::DIVZERO), at));
            }
        }
    }

    #[test]
    fn each_operation_is_that_of_the_reference(
        number in operation(), a in number(), b in number(), i in any::<i32>(),
    ) {
        let form = &FORMS[usize::from(number)];
        let insn = Insn {
            op: number,
            d: 2,
            a: 0,
            b: u8::from(form.b != crate::program::insn::Field::Unused),
            i: if form.i == crate::program::insn::Immediate::Unused { 0 } else { i },
        };
        let numbers = [a, b, 7, 7, 7, 7, 7, 7];
        let outcomes = clause(&numbers, &[insn]).run(&mut Mock::new(0));
        match reference(form.name, a, b, insn.i) {
            Some(result) => prop_assert_eq!(outcomes[0].1[5], result),
            None => prop_assert!(matches!(outcomes[0].0, Outcome::Fault(..))),
        }
    }
}

#[test]
fn the_least_number_divided_by_minus_one_is_itself() {
    let numbers = [i64::MIN as u64, u64::MAX, 0, 0, 0, 0, 0, 0];
    let word = |number, d| Insn {
        op: number,
        d,
        a: 0,
        b: 1,
        i: 0,
    };
    let items = clause(&numbers, &[word(op::DIV, 2), word(op::MOD, 3)])
        .run(&mut Mock::new(0))
        .remove(0)
        .1;
    assert_eq!((items[5], items[7]), (i64::MIN as u64, 0));
}
