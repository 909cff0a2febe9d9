// SPDX-License-Identifier: GPL-2.0

//! What each node shows to programs.

use super::{ldi, program, takes, variable};
use crate::program::insn::{built_in, is_text, op, sub, var};
use crate::program::refused::{Refused, Why};
use crate::program::rights::Rights;
use crate::program::{scope, value};
use crate::program_world::insn;

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
