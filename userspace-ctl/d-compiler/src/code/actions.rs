// SPDX-License-Identifier: GPL-2.0-only
//! Statements: records, aggregations, speculations.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::{Item, Node, Statement};
use crate::compiled::{Action, AddressForm, Form};
use crate::error::{Error, Span};

use super::Generator;
use super::assembler::Register;

/// Whether the address is one of a process.
pub(super) fn is_user(form: AddressForm) -> bool {
    matches!(
        form,
        AddressForm::UserFunction | AddressForm::UserAddress | AddressForm::UserModule
    )
}

/// Bytes of an item that names an address of a process: the process's id, and the address.
const USER_ADDRESS: i64 = 16;

impl Generator<'_, '_> {
    /// The statements of a clause, or of an arm of `if`. What stands before, behind and in an `if`
    /// is to libdtrace a clause of its own: none runs behind one that called `exit()`. Whether
    /// that holds for all that follows.
    pub(super) fn block(&mut self, statements: &[Statement]) -> Result<bool, Error> {
        let mut exits = false;
        for statement in statements {
            if let Statement::If {
                condition,
                then,
                otherwise,
            } = statement
            {
                exits = exits || self.arms(condition, then, otherwise)?;
                if exits {
                    return Ok(true);
                }
            } else {
                self.statement(statement)?;
                exits |= matches!(statement, Statement::Exit(_));
            }
        }
        Ok(exits)
    }

    /// Whether both arms end the clause.
    fn arms(
        &mut self,
        condition: &Node,
        then: &[Statement],
        otherwise: &[Statement],
    ) -> Result<bool, Error> {
        self.assembler.action += 1;
        let (no, end) = (self.assembler.label(), self.assembler.label());
        self.jump_unless(condition, no, 0)?;
        let mut exits = self.block(then)?;
        if exits {
            self.assembler.jump(abi::RTRACE_OP_JMP, 0, 0, self.end);
        } else if !otherwise.is_empty() {
            self.assembler.jump(abi::RTRACE_OP_JMP, 0, 0, end);
        }
        self.assembler.place(no);
        let other = self.block(otherwise)?;
        if other && !exits {
            self.assembler.jump(abi::RTRACE_OP_JMP, 0, 0, self.end);
        }
        exits &= other;
        self.assembler.place(end);
        Ok(exits)
    }

    /// A statement.
    fn statement(&mut self, statement: &Statement) -> Result<(), Error> {
        match statement {
            Statement::Expr(node) => {
                self.assembler.action += 1;
                self.effect(node, 0)
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => self.arms(condition, then, otherwise).map(drop),
            Statement::Aggregate {
                aggregation,
                keys,
                value,
                weight,
            } => self.aggregate(*aggregation, keys, value.as_ref(), weight.as_ref()),
            Statement::Action {
                action,
                items,
                counts,
            } => self.record(action, items, *counts),
            Statement::Tracemem {
                bytes,
                address,
                length,
            } => self.tracemem(*bytes, address, length.as_ref()),
            Statement::Record {
                action,
                address,
                bytes,
                pointer,
            } => {
                self.assembler.action += 1;
                let number = self.action(action.clone(), address.span)?;
                self.value(address, 0)?;
                self.assembler.load(1, i64::from(*bytes));
                self.op(abi::RTRACE_OP_EMITB, 0, 0, 1, item(number, 0));
                if *pointer {
                    self.op(abi::RTRACE_OP_EMIT, 0, 0, 0, item(number, 1));
                }
                Ok(())
            }
            Statement::Speculate(node) => {
                self.assembler.action += 1;
                self.value(node, 0)?;
                // One that is not active ends the clause, without a fault.
                self.mark(|marks| &marks.ends, 1)?;
                self.op(abi::RTRACE_OP_SPECULATE, 0, 0, 0, self.data as i32);
                self.mark(|marks| &marks.begins, 0)
            }
            Statement::Commit(node) => self.ending(Action::Commit, abi::RTRACE_OP_COMMIT, node),
            Statement::Discard(node) => self.ending(Action::Discard, abi::RTRACE_OP_DISCARD, node),
            Statement::Exit(node) => self.ending(Action::Exit, abi::RTRACE_OP_EXIT, node),
        }
    }

    /// Bytes that dtrace takes for what statements record: each datum at a multiple of its size,
    /// behind the `before` bytes of others. Of an `if`, both branches.
    pub(super) fn data_of(&self, statements: &[Statement], before: u64) -> u64 {
        let mut bytes = before;
        for statement in statements {
            let data: Vec<u64> = match statement {
                Statement::Action { items, .. } => {
                    items.iter().map(|one| self.datum(one)).collect()
                }
                Statement::Tracemem { bytes, length, .. } => length
                    .iter()
                    .map(|_| 8)
                    .chain([u64::from(*bytes)])
                    .collect(),
                Statement::Record { bytes, pointer, .. } => [u64::from(*bytes)]
                    .into_iter()
                    .chain(pointer.then_some(8))
                    .collect(),
                Statement::If {
                    then, otherwise, ..
                } => {
                    bytes = self.data_of(otherwise, self.data_of(then, bytes));
                    continue;
                }
                Statement::Expr(_)
                | Statement::Aggregate { .. }
                | Statement::Speculate(_)
                | Statement::Commit(_)
                | Statement::Discard(_)
                | Statement::Exit(_) => continue,
            };
            for datum in data {
                let align = 1 << datum.trailing_zeros().min(3);
                bytes = bytes.next_multiple_of(align) + datum;
            }
        }
        bytes
    }

    /// Bytes of what an item records.
    fn datum(&self, one: &Item) -> u64 {
        let string = u64::from(self.options.strsize);
        match one {
            Item::Value(node) => self.types.size(node.ty).unwrap_or(string),
            Item::Probe(..) => string,
            Item::Stack(frames) => 8 * u64::from(*frames),
            Item::Ustack(frames) => 8 * (1 + u64::from(*frames)),
            Item::Address(form, _) if is_user(*form) => USER_ADDRESS as u64,
            Item::Address(..) => 8,
        }
    }

    /// The number of a new action.
    fn action(&mut self, action: Action, span: Span) -> Result<u32, Error> {
        let number = self.actions.len() as u32;
        // RTRACE_ITEM has 15 bits for it, as the instruction's number has a sign.
        if number > i16::MAX as u32 {
            return Err(Error::new(
                "D_ID_OFLOW",
                span,
                "the clause has too many actions",
            ));
        }
        self.actions.push(action);
        Ok(number)
    }

    /// An action that is one instruction with one number.
    fn ending(&mut self, action: Action, op: u32, node: &Node) -> Result<(), Error> {
        self.assembler.action += 1;
        let number = self.action(action, node.span)?;
        self.value(node, 0)?;
        self.op(op, 0, 0, 0, item(number, 0));
        Ok(())
    }

    fn record(&mut self, action: &Action, items: &[Item], counts: u16) -> Result<(), Error> {
        let span = items.iter().find_map(span_of).unwrap_or_default();
        let number = self.action(action.clone(), span)?;
        let first = self.assembler.action + 1;
        self.assembler.action = first;
        if items.is_empty() {
            // That it happened is all there is to say.
            self.op(abi::RTRACE_OP_EMITP, 0, 0, 0, item(number, 0));
        }
        for (argument, one) in items.iter().enumerate() {
            self.assembler.action = first + (argument as u16).min(counts - 1);
            self.emit(one, item(number, argument as u32))?;
        }
        self.assembler.action = first + counts - 1;
        Ok(())
    }

    /// Writes an item.
    fn emit(&mut self, one: &Item, item: i32) -> Result<(), Error> {
        match one {
            Item::Value(node) => {
                self.value(node, 0)?;
                if self.types.is_string(node.ty) {
                    self.op(abi::RTRACE_OP_EMITS, 0, 0, 0, item);
                } else if super::by_reference(self.types, node.ty) {
                    let bytes = self.types.size(node.ty).unwrap_or(0);
                    self.assembler.load(1, bytes as i64);
                    self.op(abi::RTRACE_OP_EMITB, 0, 0, 1, item);
                } else {
                    self.op(abi::RTRACE_OP_EMIT, 0, 0, 0, item);
                }
            }
            Item::Probe(..) => self.op(abi::RTRACE_OP_EMITP, 0, 0, 0, item),
            Item::Stack(frames) => self.frames(abi::RTRACE_OP_EMITK, *frames, item),
            Item::Ustack(frames) => self.frames(abi::RTRACE_OP_EMITU, *frames, item),
            Item::Address(form, node) if is_user(*form) => {
                self.user_address(node)?;
                self.assembler.load(1, USER_ADDRESS);
                self.op(abi::RTRACE_OP_EMITB, 0, 0, 1, item);
            }
            Item::Address(_, node) => {
                self.value(node, 0)?;
                self.op(abi::RTRACE_OP_EMIT, 0, 0, 0, item);
            }
        }
        Ok(())
    }

    /// How many frames stands in the fields that else name registers.
    fn frames(&mut self, op: u32, frames: u32, item: i32) {
        self.op(op, 0, frames as u8, (frames >> 8) as u8, item);
    }

    /// r0 = pointer to the process's id and an address
    fn user_address(&mut self, node: &Node) -> Result<(), Error> {
        self.value(node, 1)?;
        self.assembler.load(0, USER_ADDRESS);
        self.op(abi::RTRACE_OP_CALL, 0, 0, 1, abi::RTRACE_SUB_ALLOCA as i32);
        self.op(abi::RTRACE_OP_ST64, 0, 0, 1, 8);
        self.op(abi::RTRACE_OP_GET, 1, 0, 0, abi::RTRACE_VAR_PID as i32);
        self.op(abi::RTRACE_OP_ST64, 0, 0, 1, 0);
        Ok(())
    }

    fn tracemem(&mut self, bytes: u32, address: &Node, length: Option<&Node>) -> Result<(), Error> {
        self.assembler.action += 1;
        let number = self.action(Action::Tracemem { bytes }, address.span)?;
        if let Some(length) = length {
            // How many are shown, where it is known first.
            self.value(length, 0)?;
            self.op(abi::RTRACE_OP_EMIT, 0, 0, 0, item(number, 1));
            self.assembler.action += 1;
        }
        self.value(address, 0)?;
        self.assembler.load(1, i64::from(bytes));
        self.op(abi::RTRACE_OP_EMITB, 0, 0, 1, item(number, 0));
        Ok(())
    }

    fn aggregate(
        &mut self,
        index: usize,
        keys: &[Item],
        value: Option<&Node>,
        weight: Option<&Node>,
    ) -> Result<(), Error> {
        let program = self.program;
        let aggregation = &program.aggregations[index];
        // dtrace counts the aggregation's number, each key, the weight, the function.
        self.assembler.action += 1;
        let mut register: Register = 0;
        let mut at = Vec::with_capacity(keys.len());
        for (one, form) in keys.iter().zip(&aggregation.forms) {
            self.assembler.action += 1;
            at.push(register);
            match (one, form) {
                (Item::Probe(..), Form::Probe(_)) | (Item::Stack(_) | Item::Ustack(_), _) => {}
                (Item::Probe(_, node) | Item::Value(node) | Item::Address(_, node), _) => {
                    self.value(node, register)?;
                    register = self.above(register, node.span)?;
                }
            }
        }
        let weighs = matches!(
            aggregation.function,
            abi::RTRACE_AGG_QUANTIZE | abi::RTRACE_AGG_LQUANTIZE | abi::RTRACE_AGG_LLQUANTIZE
        );
        let span = value.map(|value| value.span).unwrap_or_default();
        self.assembler.action += 1;
        let mut amount = register;
        match value {
            // Aggregating functions have 64 bits for it, whatever its type.
            Some(value) => self.whole(value, amount)?,
            // count() takes nothing.
            None => amount = 0,
        }
        let mut heft = 0;
        if weighs {
            heft = self.above(amount, span)?;
            match weight {
                Some(weight) => {
                    self.assembler.action += 1;
                    self.whole(weight, heft)?;
                }
                None => self.assembler.load(heft, 1),
            }
        }
        let at_end = register;
        if !keys.is_empty() {
            self.op(abi::RTRACE_OP_KEY0, 0, 0, 0, 0);
        }
        for ((one, form), register) in keys.iter().zip(&aggregation.forms).zip(at) {
            match (one, form) {
                (Item::Probe(..), Form::Probe(_)) => self.op(abi::RTRACE_OP_KEYP, 0, 0, 0, 0),
                (Item::Stack(frames), _) => {
                    self.op(abi::RTRACE_OP_KEYK, 0, 0, 0, *frames as i32);
                }
                (Item::Ustack(frames), _) => {
                    self.op(abi::RTRACE_OP_KEYU, 0, 0, 0, *frames as i32);
                }
                (Item::Address(form, _), _) => {
                    if is_user(*form) {
                        let pid = self.above_by(amount.max(at_end), 2, span)?;
                        self.op(abi::RTRACE_OP_GET, pid, 0, 0, abi::RTRACE_VAR_PID as i32);
                        self.op(abi::RTRACE_OP_KEY, 0, pid, 0, 0);
                    }
                    self.op(abi::RTRACE_OP_KEY, 0, register, 0, 0);
                }
                (Item::Probe(_, node) | Item::Value(node), _) => self.key(register, node.ty),
            }
        }
        self.op(abi::RTRACE_OP_AGG, 0, amount, heft, index as i32);
        Ok(())
    }
}

/// RTRACE_ITEM
fn item(action: u32, argument: u32) -> i32 {
    ((action << 16) | argument) as i32
}

fn span_of(item: &Item) -> Option<Span> {
    match item {
        Item::Value(node) | Item::Probe(_, node) | Item::Address(_, node) => Some(node.span),
        Item::Stack(_) | Item::Ustack(_) => None,
    }
}
