// SPDX-License-Identifier: GPL-2.0-only
//! Instructions, jumps, constants: from what is said one by one to the words of a program.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use rust_tracer::abi;

use crate::error::{Error, Span};

/// A register.
pub type Register = u8;

/// A place in the code that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// An instruction, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Instruction {
    pub op: u8,
    pub d: Register,
    pub a: Register,
    pub b: Register,
    pub i: i32,
}

impl Instruction {
    /// As a word.
    pub fn word(self) -> u64 {
        u64::from_le_bytes([self.op, self.d, self.a, self.b, 0, 0, 0, 0])
            | (u64::from(self.i as u32) << 32)
    }

    /// From a word.
    pub fn from_word(word: u64) -> Self {
        Self {
            op: word as u8,
            d: (word >> 8) as u8,
            a: (word >> 16) as u8,
            b: (word >> 24) as u8,
            i: (word >> 32) as i32,
        }
    }

    /// Whether it is a jump: its i is relative to the next instruction.
    pub fn is_jump(self) -> bool {
        (abi::RTRACE_OP_JMP..=abi::RTRACE_OP_JLEU).contains(&u32::from(self.op))
    }
}

/// What all clauses share.
#[derive(Debug, Default)]
pub struct Pool {
    /// Numbers that do not fit an instruction.
    pub constants: Vec<u64>,
    /// String constants, each with its NUL.
    pub strings: Vec<u8>,
    numbers: HashMap<u64, usize>,
    texts: HashMap<Vec<u8>, usize>,
}

impl Pool {
    /// The index of a number.
    fn number(&mut self, value: u64) -> usize {
        *self.numbers.entry(value).or_insert_with(|| {
            self.constants.push(value);
            self.constants.len() - 1
        })
    }

    /// Where a string is; what follows a NUL does not belong to it.
    fn text(&mut self, text: &[u8]) -> usize {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        *self.texts.entry(text.to_vec()).or_insert_with(|| {
            let at = self.strings.len();
            self.strings.extend_from_slice(text);
            self.strings.push(0);
            at
        })
    }
}

/// The code of a clause while it is made.
pub struct Assembler<'a> {
    /// What all clauses share.
    pub pool: &'a mut Pool,
    code: Vec<Instruction>,
    /// The label that a jump goes to, by the jump's index.
    jumps: Vec<(usize, Label)>,
    /// Where labels are.
    labels: Vec<Option<usize>>,
    /// The action that each instruction belongs to.
    action_of: Vec<u16>,
    /// The action that is being made; 0: the predicate.
    pub action: u16,
}

impl<'a> Assembler<'a> {
    /// Begins a clause.
    pub fn new(pool: &'a mut Pool) -> Self {
        Self {
            pool,
            code: Vec::new(),
            jumps: Vec::new(),
            labels: Vec::new(),
            action_of: Vec::new(),
            action: 0,
        }
    }

    /// Appends an instruction.
    pub fn emit(&mut self, op: u32, d: Register, a: Register, b: Register, i: i32) {
        self.code.push(Instruction {
            op: op as u8,
            d,
            a,
            b,
            i,
        });
        self.action_of.push(self.action);
    }

    /// d = value
    pub fn load(&mut self, d: Register, value: i64) {
        match i32::try_from(value) {
            Ok(value) => self.emit(abi::RTRACE_OP_LDI, d, 0, 0, value),
            Err(_) => {
                let index = self.pool.number(value as u64);
                self.emit(abi::RTRACE_OP_LDC, d, 0, 0, index as i32);
            }
        }
    }

    /// d = pointer to the string
    pub fn text(&mut self, d: Register, text: &[u8]) {
        let at = self.pool.text(text);
        self.emit(abi::RTRACE_OP_LDSC, d, 0, 0, at as i32);
    }

    /// A label that is not placed yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Here it is.
    pub fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// A jump.
    pub fn jump(&mut self, op: u32, a: Register, b: Register, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.emit(op, 0, a, b, 0);
    }

    /// Ends the clause: its words, and the action of each.
    pub fn finish(mut self, span: Span) -> Result<(Vec<u64>, Vec<u16>), Error> {
        self.emit(abi::RTRACE_OP_RET, 0, 0, 0, 0);
        if self.code.len() > abi::RTRACE_CLAUSE_INSNS_MAX as usize {
            return Err(Error::new(
                "D_ID_OFLOW",
                span,
                format!(
                    "the clause takes {} instructions, but {} is the limit: make several clauses \
                     of it",
                    self.code.len(),
                    abi::RTRACE_CLAUSE_INSNS_MAX
                ),
            ));
        }
        for (at, label) in &self.jumps {
            let target = self.labels[label.0].expect("every label is placed");
            self.code[*at].i = (target - at - 1) as i32;
        }
        Ok((
            self.code.iter().map(|one| one.word()).collect(),
            self.action_of,
        ))
    }
}
