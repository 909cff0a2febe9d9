// SPDX-License-Identifier: GPL-2.0-only
//! From a checked program to bytecode.
//!
//! An expression is evaluated into a register, and what lies above that register is free: its
//! operands go there one above the other, so a tree takes as many registers as it is deep. Of two
//! operands without side effects the one that needs more registers goes first.
//!
//! | to … | read |
//! |---|---|
//! | make instructions | [`assembler`] |
//! | evaluate expressions | `expr`, `numbers`, `comparisons`, `condition` |
//! | load, store, keys | `memory`, `at_address` |
//! | record, aggregate | `actions` |
#![forbid(unsafe_code)]

mod actions;
pub mod assembler;
mod at_address;
mod comparisons;
mod condition;
mod expr;
mod memory;
mod numbers;

use rust_tracer::abi;

use crate::check::tree::{self, Node, Program, Variable};
use crate::compiled::{Action, Aggregation, Clause, Compiled, Form};
use crate::error::{Error, Span};
use crate::options::Options;
use crate::types::{TypeId, Types};

use assembler::{Assembler, Label, Pool, Register};

/// Makes the bytecode of a program.
pub fn generate(
    program: &Program,
    types: &Types,
    options: &Options<'_>,
) -> Result<Compiled, Error> {
    let mut compiled = Compiled {
        variables: program
            .variables
            .iter()
            .map(|variable| kept(variable, types))
            .collect(),
        aggregations: program.aggregations.iter().map(aggregation).collect(),
        ..Compiled::default()
    };
    let mut pool = Pool::default();
    for clause in &program.clauses {
        let mut assembler = Assembler::new(&mut pool);
        let end = assembler.label();
        let mut generator = Generator {
            assembler,
            end,
            types,
            options,
            program,
            actions: Vec::new(),
            data: 0,
            marks: clause.marks.as_deref(),
        };
        generator.clause(clause)?;
        let actions = generator.actions;
        let (code, action_of) = generator.assembler.finish(clause.span)?;
        compiled.clauses.push(Clause {
            descriptions: clause.descriptions.clone(),
            first: compiled.code.len() as u32,
            count: code.len() as u32,
            default: clause.default,
            actions,
            action_of,
            number: clause.number,
            goes_on: clause.goes_on,
        });
        compiled.code.extend(code);
    }
    let limits = [
        (
            compiled.code.len(),
            abi::RTRACE_PROGRAM_INSNS_MAX,
            "instructions",
        ),
        (pool.constants.len(), abi::RTRACE_CONSTANTS_MAX, "constants"),
        (
            pool.strings.len(),
            abi::RTRACE_STRINGS_MAX,
            "bytes of strings",
        ),
        (compiled.clauses.len(), abi::RTRACE_CLAUSES_MAX, "clauses"),
    ];
    for (count, most, what) in limits {
        if count > most as usize {
            return Err(Error::new(
                "D_ID_OFLOW",
                Span::default(),
                format!("the program has {count} {what}, but {most} is the limit"),
            ));
        }
    }
    compiled.constants = pool.constants;
    compiled.strings = pool.strings;
    Ok(compiled)
}

/// How a variable is kept.
fn kept(variable: &Variable, types: &Types) -> crate::compiled::Variable {
    let ty = variable.ty;
    let (value, bytes) = match ty {
        Some(ty) if types.is_string(ty) => (abi::RTRACE_VALUE_STRING, 0),
        Some(ty) if by_reference(types, ty) => {
            (abi::RTRACE_VALUE_BYTES, types.size(ty).unwrap_or(8) as u32)
        }
        _ => (abi::RTRACE_VALUE_SCALAR, 8),
    };
    let (mut keys, mut string_keys) = (0, 0);
    for key in variable.keys.iter().flatten() {
        if types.is_string(*key) {
            string_keys += 1;
            keys += 8;
        } else if by_reference(types, *key) {
            keys += 8 + (types.size(*key).unwrap_or(0) as u32).next_multiple_of(8);
        } else {
            keys += 8;
        }
    }
    crate::compiled::Variable {
        name: crate::check::written(variable),
        scope: variable.scope as u8,
        value: value as u8,
        bytes,
        keys,
        string_keys,
        size: match ty {
            Some(ty) if types.is_string(ty) => 0,
            Some(ty) => types.size(ty).unwrap_or(8) as u32,
            None => 8,
        },
        key_sizes: variable
            .keys
            .iter()
            .flatten()
            .map(|key| match types.size(*key) {
                _ if types.is_string(*key) => (0, 1),
                Some(bytes) => (bytes as u32, types.align(*key).unwrap_or(8) as u32),
                None => (8, 8),
            })
            .collect(),
        type_name: ty.map(|ty| types.name(ty)).unwrap_or_default(),
    }
}

/// Whether values of the type are bytes, which are held by where they are. A function is not: it
/// is its address.
fn by_reference(types: &Types, ty: TypeId) -> bool {
    !types.is_string(ty) && !types.is_scalar(ty) && !types.is_void(ty) && !types.is_function(ty)
}

fn aggregation(aggregation: &tree::Aggregation) -> Aggregation {
    let (mut key_bytes, mut string_keys) = (0, 0);
    for form in &aggregation.forms {
        key_bytes += match form {
            Form::String => {
                string_keys += 1;
                8
            }
            Form::Bytes(bytes) | Form::Characters(bytes) | Form::StackValue(bytes) => {
                8 + bytes.next_multiple_of(8)
            }
            Form::Stack(frames) => 8 + 8 * frames,
            Form::Ustack(frames) => 16 + 8 * frames,
            Form::Address(form) if actions::is_user(*form) => 16,
            Form::Integer { .. } | Form::Pointer | Form::Probe(_) | Form::Address(_) => 8,
        };
    }
    Aggregation {
        name: aggregation.name.clone(),
        function: aggregation.function,
        parameters: aggregation.parameters,
        keys: aggregation.forms.clone(),
        key_bytes,
        string_keys,
        signed: aggregation.signed,
    }
}

/// A clause while its code is made.
struct Generator<'a, 'p> {
    assembler: Assembler<'p>,
    /// The clause's.
    end: Label,
    types: &'a Types,
    options: &'a Options<'a>,
    program: &'a Program,
    /// By number of action.
    actions: Vec<Action>,
    /// Bytes of what the clause records, as dtrace counts them for a speculation.
    data: u64,
    /// Of a part of a clause.
    marks: Option<&'a tree::Marks>,
}

impl Generator<'_, '_> {
    fn clause(&mut self, clause: &tree::Clause) -> Result<(), Error> {
        if let Some(cpu) = self.options.cpu {
            self.filter_cpu(cpu);
        }
        if let Some(predicate) = &clause.predicate {
            self.filter(predicate)?;
        }
        self.data = self
            .data_of(&clause.body, 0)
            .min(abi::RTRACE_RECORD_MAX.into());
        self.mark(|marks| &marks.begins, 0)?;
        self.block(&clause.body)?;
        self.mark(|marks| &marks.ends, 0)?;
        self.assembler.place(self.end);
        Ok(())
    }

    /// Does one of the assignments around a part of a clause, with register `d` and those above.
    fn mark(
        &mut self,
        which: impl FnOnce(&tree::Marks) -> &Node,
        d: Register,
    ) -> Result<(), Error> {
        match self.marks {
            Some(marks) => self.effect(which(marks), d),
            None => Ok(()),
        }
    }

    /// Appends an instruction.
    fn op(&mut self, op: u32, d: Register, a: Register, b: Register, i: i32) {
        self.assembler.emit(op, d, a, b, i);
    }

    /// The register above, or why there is none.
    fn above(&self, register: Register, span: Span) -> Result<Register, Error> {
        self.above_by(register, 1, span)
    }

    /// The register so many above.
    fn above_by(&self, register: Register, by: usize, span: Span) -> Result<Register, Error> {
        let above = usize::from(register) + by;
        if above >= abi::RTRACE_PROGRAM_REGISTERS as usize {
            return Err(Error::new(
                "D_NOREG",
                span,
                format!(
                    "the expression needs more than {} registers: compute parts of it in \
                     this-> variables first",
                    abi::RTRACE_PROGRAM_REGISTERS
                ),
            ));
        }
        Ok(above as Register)
    }
}
