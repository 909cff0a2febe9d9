// SPDX-License-Identifier: GPL-2.0

//! What is read and written: the kernel's memory, a firing's own, and no other.

use super::{fails, ldi, only, program, variable, world, EMPTY, KERNEL_TEXT, ONE};
use crate::program::insn::{op, sub};
use crate::program::interpret::{Outcome, Room};
use crate::program::memory::{CONSTANT_BASE, GLOBAL_BASE, OWN_BASE};
use crate::program::rights::Rights;
use crate::program::{fault, scope, value, Fault};
use crate::program_world::{insn, text_item, Mock, Owned, KERNEL, USER};

#[test]
fn memory_is_read_in_all_widths() {
    let loads = [
        (op::LD8, 0xfe),
        (op::LD16, 0xfffe),
        (op::LD32, 0x0100_fffe),
        (op::LD64, 0x0504_0302_0100_fffe),
        (op::LDSX8, -2i64 as u64),
        (op::LDSX16, -2i64 as u64),
        (op::LDSX32, 0x0100_fffe),
    ];
    for (operation, expected) in loads {
        let code = [
            insn(op::LDC, 0, 0, 0, 0),
            insn(operation, 1, 0, 0, -2),
            insn(op::EMIT, 0, 1, 0, 0),
        ];
        let mut program = program(&[&code]);
        program.constants = vec![KERNEL + 2];
        let mut world = world();
        world.kernel[..8].copy_from_slice(&[0xfe, 0xff, 0, 1, 2, 3, 4, 5]);
        assert_eq!(only(&program, &mut world).1[1], expected, "{operation}");
    }
}

#[test]
fn own_memory_is_written_and_read() {
    let code = [
        ldi(0, 16),
        insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32),
        insn(op::LDC, 2, 0, 0, 0),
        insn(op::ST64, 0, 1, 2, 0),
        insn(op::ST8, 0, 1, 2, 8),
        insn(op::ST16, 0, 1, 2, 10),
        insn(op::ST32, 0, 1, 2, 12),
        insn(op::EMITB, 0, 1, 0, 0),
        insn(op::LDSC, 3, 0, 0, ONE),
        insn(op::ADDI, 4, 1, 0, 2),
        ldi(5, 3),
        insn(op::CALL, 6, 3, 3, sub::BCOPY as i32),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![0x1122_3344_5566_7788];
    let (_, items) = only(&program, &mut world());
    assert_eq!(items[1..3], [0x1122_3344_5566_7788, 0x5566_7788_7788_0088]);
    assert_eq!(items[4].to_le_bytes(), *b"\x88\x77one\x33\x22\x11");
}

#[test]
fn nothing_but_what_this_firing_took_is_written_or_read() {
    let alloca = [ldi(0, 8), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)];
    let at = |offset| OWN_BASE.wrapping_add_signed(offset);
    // What begins in what was taken, and ends beyond it, is too large; what begins beyond it is not there.
    for (word, (kind, address)) in [
        (insn(op::ST8, 0, 1, 0, 8), (fault::BADADDR, at(8))),
        (insn(op::ST64, 0, 1, 0, 1), (fault::BADSIZE, 8)),
        (insn(op::ST64, 0, 1, 0, -1), (fault::BADADDR, at(-1))),
        (insn(op::LD8, 2, 1, 0, 8), (fault::BADADDR, at(8))),
        (insn(op::LD64, 2, 1, 0, 1), (fault::BADSIZE, 8)),
    ] {
        let program = program(&[&[&alloca[..], &[word]].concat()]);
        fails(&program, &mut world(), kind, address, 2);
    }
    let text = program(&[&[&alloca[..], &[insn(op::LDSTR, 2, 1, 0, 0)]].concat()]);
    assert_eq!(only(&text, &mut world()).0, Outcome::Processed);
    // Nor are the constants written, nor the kernel.
    for address in [CONSTANT_BASE, KERNEL, 0, OWN_BASE - 1, u64::MAX] {
        let code = [insn(op::LDC, 0, 0, 0, 0), insn(op::ST8, 0, 0, 0, 0)];
        let mut program = program(&[&code]);
        program.constants = vec![address];
        fails(&program, &mut world(), fault::BADADDR, address, 1);
    }
    // Nor is the end of the constants passed.
    let mut past = program(&[&[insn(op::LDSC, 0, 0, 0, EMPTY), insn(op::LD16, 1, 0, 0, 0)]]);
    past.strings.truncate(EMPTY as usize + 1);
    fails(&past, &mut world(), fault::BADSIZE, 2, 1);
}

/// A program with 16 bytes of global variables, and the address in register 0.
fn at_globals(address: u64, code: &[u64]) -> Owned {
    let first = [insn(op::LDC, 0, 0, 0, 0)];
    let mut program = program(&[&[&first[..], code].concat()]);
    program.constants = vec![address];
    for bytes in [3, 8] {
        program
            .variables
            .push(variable(scope::GLOBAL, value::BYTES, bytes, 0));
    }
    program
}

#[test]
fn global_variables_are_read_and_written_to_their_end_from_any_byte_on() {
    for at in 0..=16u64 {
        for (store, load, bytes) in [
            (op::ST8, op::LD8, 1),
            (op::ST16, op::LD16, 2),
            (op::ST32, op::LD32, 4),
            (op::ST64, op::LD64, 8),
        ] {
            let code = [
                ldi(1, 0x5a),
                insn(store, 0, 0, 1, 0),
                insn(load, 2, 0, 0, 0),
            ];
            let program = at_globals(GLOBAL_BASE + at, &code);
            let mut world = Mock::new(16);
            if at + bytes > 16 {
                fails(&program, &mut world, fault::BADADDR, GLOBAL_BASE + at, 2);
                assert_eq!(world.globals, [0; 2]);
                continue;
            }
            assert_eq!(only(&program, &mut world).0, Outcome::Processed);
            let all: Vec<u8> = world
                .globals
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect();
            let mut expected = [0; 16];
            expected[at as usize] = 0x5a;
            assert_eq!(all, expected, "{bytes} bytes at {at}");
        }
    }
}

#[test]
fn a_bad_address_is_a_fault_with_instruction_and_address() {
    for address in [
        0,
        GLOBAL_BASE,
        GLOBAL_BASE - 1,
        8,
        KERNEL - 1,
        KERNEL + 1000,
        USER,
        u64::MAX,
        0x5254_1234_0000_0000,
    ] {
        for word in [
            insn(op::LD64, 1, 0, 0, 0),
            insn(op::LDSTR, 1, 0, 0, 0),
            insn(op::LDMEM, 1, 0, 0, 16),
            insn(op::EMITS, 0, 0, 0, 0),
            insn(op::EMITB, 0, 0, 2, 0),
            insn(op::KEYS, 0, 0, 0, 0),
            insn(op::KEYB, 0, 0, 0, 16),
        ] {
            let key0 = insn(op::KEY0, 0, 0, 0, 0);
            let mut program = program(&[&[insn(op::LDC, 0, 0, 0, 0), ldi(2, 16), key0, word]]);
            program.constants = vec![address];
            fails(&program, &mut world(), fault::BADADDR, address, 3);
        }
    }
}

#[test]
fn a_node_that_shows_no_memory_faults_if_a_program_reads_the_kernels() {
    let mut world = world();
    world.closed = true;
    for (address, kind) in [
        (KERNEL, fault::KPRIV),
        (8, fault::BADADDR),
        (USER, fault::KPRIV),
    ] {
        for word in [
            insn(op::LD8, 1, 0, 0, 0),
            insn(op::EMITS, 0, 0, 0, 0),
            insn(op::EMITB, 0, 0, 2, 0),
            insn(op::LDMEM, 1, 0, 0, 8),
            insn(op::CALL, 1, 0, 1, sub::STRLEN as i32),
            insn(op::STV, 0, 0, 0, 0),
        ] {
            let mut program = program(&[&[insn(op::LDC, 0, 0, 0, 0), ldi(2, 8), word]]);
            program.constants = vec![address];
            program.variables = vec![variable(scope::GLOBAL, value::STRING, 16, 0)];
            for rights in [Rights::System, Rights::User] {
                let outcomes = program.run_unverified(rights, &mut Room::new(), &mut world);
                let expected = Outcome::Fault(Fault { kind, address }, 2);
                assert_eq!(outcomes[0].0, expected, "{word:#x}");
            }
        }
    }
}

#[test]
fn what_other_firings_left_is_never_read() {
    // All that can be read without having been written: the whole of own memory, at every word.
    for offset in (0..28672).step_by(8) {
        let code = [insn(op::LDC, 0, 0, 0, 0), insn(op::LD64, 1, 0, 0, 0)];
        let mut program = program(&[&code]);
        program.variables = vec![variable(scope::LOCAL, value::BYTES, 64, 0)];
        program.constants = vec![OWN_BASE + offset];
        let (outcome, _) = only(&program, &mut world());
        if offset < 64 {
            assert_eq!(outcome, Outcome::Processed);
        } else {
            let fault = Fault::bad_address(OWN_BASE + offset);
            assert_eq!(outcome, Outcome::Fault(fault, 1));
        }
    }
    let code = [
        ldi(0, 4001),
        insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32),
        insn(op::EMITB, 0, 1, 0, 0),
    ];
    let (_, items) = only(&program(&[&code]), &mut world());
    assert!(text_item(&items).iter().all(|byte| *byte == 0));
}

#[test]
fn temporary_values_end_with_their_room_and_with_the_clause() {
    let take = [ldi(0, 16384), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)];
    let more = [
        &take[..],
        &[insn(op::LDSC, 2, 0, 0, ONE), insn(op::LDSTR, 2, 2, 0, 0)],
    ]
    .concat();
    let outcomes = program(&[&take, &more, &take]).run(&mut world());
    assert_eq!(outcomes[0].0, Outcome::Processed);
    assert_eq!(outcomes[1].0, Outcome::Fault(Fault::no_scratch(), 3));
    assert_eq!(outcomes[2].0, Outcome::Processed);
    let huge = program(&[&[ldi(0, -1), insn(op::CALL, 1, 0, 1, sub::ALLOCA as i32)]]);
    fails(&huge, &mut world(), fault::NOSCRATCH, 0, 1);
}

#[test]
fn strings_that_are_only_measured_take_no_room() {
    let mut code = vec![insn(op::LDC, 0, 0, 0, 0), insn(op::KEY0, 0, 0, 0, 0)];
    for _ in 0..500 {
        code.extend([
            insn(op::CALL, 1, 0, 1, sub::STRLEN as i32),
            insn(op::SCMP, 1, 0, 0, 0),
            insn(op::KEY0, 0, 0, 0, 0),
            insn(op::KEYS, 0, 0, 0, 0),
            insn(op::STV, 0, 0, 0, 0),
        ]);
    }
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL_TEXT];
    program.variables = vec![variable(scope::GLOBAL, value::STRING, 64, 0)];
    program.strsize = 64;
    assert_eq!(only(&program, &mut world()).0, Outcome::Processed);
}

#[test]
fn temporary_values_are_given_back() {
    let take = |register| insn(op::LDMEM, register, 0, 0, 8000);
    let free = |register| insn(op::FREE, 0, register, 0, 0);
    let read = |register| insn(op::LD64, 6, register, 0, 0);
    let run = |code: &[u64]| {
        let call = insn(op::CALL, 0, 5, 1, sub::ALLOCA as i32);
        let code = [&[ldi(5, 8000), call][..], code].concat();
        let mut program = program(&[&code]);
        program.variables = vec![variable(scope::LOCAL, value::BYTES, 64, 0)];
        only(&program, &mut world()).0
    };
    let no_scratch = |at| Outcome::Fault(Fault::of(fault::NOSCRATCH), at);
    assert_eq!(run(&[take(1)]), Outcome::Processed);
    assert_eq!(run(&[take(1), take(2)]), no_scratch(3));
    // What came before it stays, and so do clause-local variables and what is none of its own.
    let local = insn(op::LDV, 3, 0, 0, 0);
    assert_eq!(
        run(&[take(1), free(1), take(2), read(0)]),
        Outcome::Processed
    );
    assert_eq!(run(&[take(1), local, free(3), read(1)]), Outcome::Processed);
    assert_eq!(run(&[take(1), local, free(3), take(2)]), no_scratch(5));
    assert_eq!(run(&[take(1), ldi(3, 0), free(3), take(2)]), no_scratch(5));
    // What was given back is not there, and a pointer into a word gives all of that back.
    let behind = insn(op::ADDI, 3, 1, 0, 7);
    let gone = Outcome::Fault(Fault::bad_address(OWN_BASE + 64 + 8000), 5);
    assert_eq!(run(&[take(1), behind, free(3), read(1)]), gone);
}
