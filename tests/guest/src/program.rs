// SPDX-License-Identifier: GPL-2.0-only
//! Programs by hand: a small assembler of the bytecode of `rust_tracer_program.h`.

#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::session::Command;

/// An instruction's word.
pub fn insn(op: u32, d: u8, a: u8, b: u8, i: i32) -> u64 {
    u64::from(op as u8)
        | (u64::from(d) << 8)
        | (u64::from(a) << 16)
        | (u64::from(b) << 24)
        | (u64::from(i as u32) << 32)
}

/// The name of an item: an action and an argument.
pub fn item(action: u16, argument: u16) -> i32 {
    ((u32::from(action) << 16) | u32::from(argument)) as i32
}

/// One clause's instructions.
#[derive(Clone, Debug, Default)]
pub struct Code(Vec<u64>);

impl Code {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// These.
    pub fn of(words: Vec<u64>) -> Self {
        Self(words)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Any instruction.
    pub fn op(mut self, op: u32, d: u8, a: u8, b: u8, i: i32) -> Self {
        self.0.push(insn(op, d, a, b, i));
        self
    }

    /// Register `d` = a built-in number.
    pub fn get(self, d: u8, which: u32) -> Self {
        self.op(abi::RTRACE_OP_GET, d, 0, 0, which as i32)
    }

    /// Register `d` = a number.
    pub fn set(self, d: u8, number: i32) -> Self {
        self.op(abi::RTRACE_OP_LDI, d, 0, 0, number)
    }

    /// The predicate: register `a` is not 0.
    pub fn filter(self, a: u8) -> Self {
        self.op(abi::RTRACE_OP_FILTER, 0, a, 0, 0)
    }

    /// The number in `a` becomes an item.
    pub fn emit(self, a: u8, action: u16, argument: u16) -> Self {
        self.op(abi::RTRACE_OP_EMIT, 0, a, 0, item(action, argument))
    }

    /// A tuple of the numbers in these registers.
    pub fn keys(mut self, registers: &[u8]) -> Self {
        self = self.op(abi::RTRACE_OP_KEY0, 0, 0, 0, 0);
        for register in registers {
            self = self.op(abi::RTRACE_OP_KEY, 0, *register, 0, 0);
        }
        self
    }

    /// The aggregation takes `a`, with the weight in `b`.
    pub fn aggregate(self, aggregation: usize, a: u8, b: u8) -> Self {
        self.op(abi::RTRACE_OP_AGG, 0, a, b, aggregation as i32)
    }

    /// What comes first, and then these.
    pub fn after(self, mut first: Self) -> Self {
        first.0.extend(self.0);
        first
    }

    /// The end.
    pub fn ret(self) -> Self {
        self.op(abi::RTRACE_OP_RET, 0, 0, 0, 0)
    }
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    code: Vec<u64>,
    clauses: Vec<abi::rtrace_clause>,
    /// Numbers for `LDC`.
    pub constants: Vec<u64>,
    strings: Vec<u8>,
    /// By instruction, if it is told at all.
    actions: Vec<u16>,
    variables: Vec<abi::rtrace_variable>,
    aggregations: Vec<abi::rtrace_aggregation>,
    /// Sizes and the like; the rest is filled in.
    pub sizes: abi::rtrace_program,
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    /// Without clauses, but with room for what they may want.
    pub fn new() -> Self {
        Self {
            code: Vec::new(),
            clauses: Vec::new(),
            constants: Vec::new(),
            strings: Vec::new(),
            actions: Vec::new(),
            variables: Vec::new(),
            aggregations: Vec::new(),
            sizes: abi::rtrace_program {
                speculations: 1,
                specsize: 1 << 20,
                aggsize: 1 << 20,
                dynvarsize: 1 << 20,
                ..Default::default()
            },
        }
    }

    /// One more clause, for the probes of a group.
    pub fn clause(mut self, group: u32, flags: u32, code: Code) -> Self {
        self.clauses.push(abi::rtrace_clause {
            group,
            first: self.code.len() as u32,
            count: code.0.len() as u32,
            flags,
        });
        self.code.extend(code.0);
        self
    }

    /// The actions that the first instructions belong to; the others belong to none.
    pub fn actions(mut self, of: &[u16]) -> Self {
        self.actions = of.to_vec();
        self.actions.resize(self.code.len(), 0);
        self
    }

    /// One more aggregation, with keys of so many bytes at most.
    pub fn aggregation(mut self, function: u32, keys: u32, parameters: [u64; 4]) -> Self {
        self.aggregations.push(abi::rtrace_aggregation {
            function,
            keys,
            parameters,
        });
        self
    }

    /// One more variable.
    pub fn variable(mut self, scope: u32, value: u32, bytes: u32, keys: u32) -> Self {
        self.variables.push(abi::rtrace_variable {
            scope: scope as u8,
            value: value as u8,
            bytes,
            keys,
            ..Default::default()
        });
        self
    }

    /// One more string; the byte at which it begins.
    pub fn string(&mut self, text: &str) -> i32 {
        let at = self.strings.len();
        self.strings.extend(text.bytes().chain([0]));
        at as i32
    }

    /// What the command is given; the program must live as long.
    pub fn argument(&self) -> abi::rtrace_program {
        abi::rtrace_program {
            code: self.code.as_ptr() as u64,
            clauses: self.clauses.as_ptr() as u64,
            constants: self.constants.as_ptr() as u64,
            strings: self.strings.as_ptr() as u64,
            variables: self.variables.as_ptr() as u64,
            aggregations: self.aggregations.as_ptr() as u64,
            actions: match self.actions.len() {
                0 => 0,
                _ => self.actions.as_ptr() as u64,
            },
            code_count: self.code.len() as u32,
            clauses_count: self.clauses.len() as u32,
            constants_count: self.constants.len() as u32,
            strings_len: self.strings.len() as u32,
            variables_count: self.variables.len() as u32,
            aggregations_count: self.aggregations.len() as u32,
            ..self.sizes
        }
        .sized()
    }
}
