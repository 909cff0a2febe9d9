// SPDX-License-Identifier: GPL-2.0-only
//! Programs for the fuzzer: such as the verifier takes, of what every node shows or not, with the
//! numbers that they record small enough to be no addresses.

#![forbid(unsafe_code)]

use fastrand::Rng;
use rust_tracer::abi;

use super::raw::Window;
use super::request::PROGRAMS;
use super::shape::Thing;
use crate::program::{insn, item};

/// Instructions: two clauses of as many.
pub const INSNS: u64 = 2 * CLAUSE;
/// Clauses.
pub const CLAUSES: u64 = 2;
/// Constants.
pub const CONSTANTS: u64 = 4;
/// Bytes of strings.
pub const STRINGS: u64 = 8;
/// Variables: a global, a clause-local and a thread-local one.
pub const VARIABLES: u64 = 3;
/// Aggregations: one with keys, one without.
pub const AGGREGATIONS: u64 = 2;

/// Instructions of a clause.
const CLAUSE: u64 = 32;
/// Where each section is.
const CODE_AT: u64 = PROGRAMS;
const CLAUSES_AT: u64 = CODE_AT + 8 * INSNS;
const CONSTANTS_AT: u64 = CLAUSES_AT + 16 * CLAUSES;
const STRINGS_AT: u64 = CONSTANTS_AT + 8 * CONSTANTS;
const VARIABLES_AT: u64 = STRINGS_AT + STRINGS;
const AGGREGATIONS_AT: u64 = VARIABLES_AT + 16 * VARIABLES;

/// Puts a section into a thread's window; returns where.
pub fn put(thing: Thing, random: &mut Rng, window: &Window) -> u64 {
    let words = |words: &[u64]| -> Vec<u8> { words.iter().flat_map(|w| w.to_ne_bytes()).collect() };
    let pair = |low: u64, high: u64| low | (high << 32);
    let (at, bytes) = match thing {
        Thing::Code => {
            let code: Vec<u64> = (0..CLAUSES).flat_map(|_| clause(random)).collect();
            (CODE_AT, words(&code))
        }
        Thing::Clauses => {
            let clauses: Vec<u64> = (0..CLAUSES)
                .flat_map(|number| {
                    let flags = u64::from(random.u32(..4) & abi::RTRACE_CLAUSE_DEFAULT);
                    [
                        pair(1 + random.u64(..3), number * CLAUSE),
                        pair(CLAUSE, flags),
                    ]
                })
                .collect();
            (CLAUSES_AT, words(&clauses))
        }
        Thing::Constants => (CONSTANTS_AT, words(&[1, 2, 3, 1000])),
        Thing::Strings => (STRINGS_AT, b"fuzz\0up\0".to_vec()),
        Thing::Variables => {
            let scalar = |scope: u32| [u64::from(scope) | (8 << 32), 0];
            let scopes = [
                abi::RTRACE_SCOPE_GLOBAL,
                abi::RTRACE_SCOPE_LOCAL,
                abi::RTRACE_SCOPE_THREAD,
            ];
            let all: Vec<u64> = scopes.into_iter().flat_map(scalar).collect();
            (VARIABLES_AT, words(&all))
        }
        _ => {
            let (first, last) = (abi::RTRACE_AGG_QUANTIZE, abi::RTRACE_AGG_COUNT);
            let all = [
                pair(first.into(), 8),
                0,
                0,
                0,
                0,
                pair(last.into(), 0),
                0,
                0,
                0,
                0,
            ];
            (AGGREGATIONS_AT, words(&all))
        }
    };
    window.put(at, &bytes);
    window.at(at)
}

/// Where a section is in the window, and how many bytes it has; `None`: it is none of a program's.
pub fn section(thing: Thing) -> Option<(u64, usize)> {
    let (at, bytes) = match thing {
        Thing::Code => (CODE_AT, 8 * INSNS),
        Thing::Clauses => (CLAUSES_AT, 16 * CLAUSES),
        Thing::Constants => (CONSTANTS_AT, 8 * CONSTANTS),
        Thing::Strings => (STRINGS_AT, STRINGS),
        Thing::Variables => (VARIABLES_AT, 16 * VARIABLES),
        Thing::Aggregations => (AGGREGATIONS_AT, 40 * AGGREGATIONS),
        _ => return None,
    };
    Some((at, bytes as usize))
}

/// Built-in numbers: the last two are not shown by every node.
const ASKED: [u32; 8] = [
    abi::RTRACE_VAR_TIMESTAMP,
    abi::RTRACE_VAR_PID,
    abi::RTRACE_VAR_CPU,
    abi::RTRACE_VAR_UID,
    abi::RTRACE_VAR_ELAPSED,
    abi::RTRACE_VAR_PROBE,
    abi::RTRACE_VAR_ARG0,
    abi::RTRACE_VAR_STACKDEPTH,
];

/// A clause of registers 0 to 3 and 5, each of which is set first.
pub fn clause(random: &mut Rng) -> Vec<u64> {
    let mut code: Vec<u64> = (0..4)
        .map(|register| insn(abi::RTRACE_OP_LDI, register, 0, 0, random.i32(-9..1000)))
        .collect();
    code.push(insn(abi::RTRACE_OP_LDI, 5, 0, 0, 0));
    code.push(insn(abi::RTRACE_OP_KEY0, 0, 0, 0, 0));
    code.push(insn(abi::RTRACE_OP_KEY, 0, 1, 0, 0));
    let mut asked = random.usize(..ASKED.len());
    if random.u8(..8) != 0 {
        asked %= ASKED.len() - 2;
    }
    let last = CLAUSE as usize - 1;
    while code.len() < last {
        let [d, a, b] = [(); 3].map(|()| random.u8(..4));
        let left = (last - code.len()) as i32;
        let more = match random.u8(..12) {
            0 => vec![insn(abi::RTRACE_OP_GET, d, 0, 0, ASKED[asked] as i32)],
            1 => {
                let operation = random.u32(abi::RTRACE_OP_ADD..=abi::RTRACE_OP_SLEU);
                vec![insn(operation, d, a, b, 0)]
            }
            // Never back, and never beyond the end.
            2 => {
                let operation = random.u32(abi::RTRACE_OP_JEQ..=abi::RTRACE_OP_JLEU);
                vec![insn(operation, 0, a, b, random.i32(0..left))]
            }
            3 => vec![insn(abi::RTRACE_OP_LDV, d, 0, 0, random.i32(0..2))],
            4 => vec![insn(abi::RTRACE_OP_STV, 0, a, 0, random.i32(0..2))],
            5 => vec![insn(abi::RTRACE_OP_LDD, d, 0, 0, 2)],
            6 => vec![insn(abi::RTRACE_OP_STD, 0, a, 0, 2)],
            7 if random.bool() => vec![insn(abi::RTRACE_OP_AGG, 0, 0, 0, 1)],
            7 => vec![insn(abi::RTRACE_OP_AGG, 0, a, b, 0)],
            8 => vec![insn(abi::RTRACE_OP_FILTER, 0, a, 0, 0)],
            9 if left >= 2 => vec![
                insn(abi::RTRACE_OP_ANDI, 5, a, 0, 0xffff),
                insn(abi::RTRACE_OP_EMIT, 0, 5, 0, item(1, d.into())),
            ],
            _ => vec![insn(abi::RTRACE_OP_LDC, d, 0, 0, random.i32(0..4))],
        };
        code.extend(more);
    }
    code.truncate(last);
    code.push(insn(abi::RTRACE_OP_RET, 0, 0, 0, 0));
    code
}
