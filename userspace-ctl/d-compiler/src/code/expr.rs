// SPDX-License-Identifier: GPL-2.0-only
//! Expressions into registers.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::{Node, NodeKind};
use crate::error::{Error, Span};
use crate::types::TypeId;

use super::Generator;
use super::assembler::Register;

impl Generator<'_, '_> {
    /// The value of a node into d; registers above d are free.
    pub(super) fn value(&mut self, node: &Node, d: Register) -> Result<(), Error> {
        let span = node.span;
        match &node.kind {
            NodeKind::Int(value) => {
                let value = self.constant_of(*value, node.ty);
                self.assembler.load(d, value);
            }
            NodeKind::Text(text) => self.assembler.text(d, text),
            NodeKind::Builtin(number) => {
                self.op(abi::RTRACE_OP_GET, d, 0, 0, *number as i32);
                let most = self.options.maxframes;
                let depth = [abi::RTRACE_VAR_STACKDEPTH, abi::RTRACE_VAR_USTACKDEPTH];
                if depth.contains(number) && most < abi::RTRACE_STACK_FRAMES_MAX {
                    self.at_most(most, d, span)?;
                }
            }
            NodeKind::BuiltinText(number) => {
                self.op(abi::RTRACE_OP_GETSTR, d, 0, 0, *number as i32);
            }
            NodeKind::Variable { variable, keys } => {
                self.keys_into(keys, d)?;
                self.load_variable(*variable, d);
            }
            NodeKind::Memory { .. } => self.load(node, d)?,
            NodeKind::Address(place) => self.address(place, d)?,
            NodeKind::Negate(operand) => {
                self.whole(operand, d)?;
                self.op(abi::RTRACE_OP_NEG, d, d, 0, 0);
                self.extend(d, node.ty);
            }
            NodeKind::Complement(operand) => {
                self.value(operand, d)?;
                self.op(abi::RTRACE_OP_NOT, d, d, 0, 0);
                if self.number(node.ty).is_some_and(|number| !number.signed) {
                    self.extend(d, node.ty);
                }
            }
            NodeKind::Not(operand) => {
                self.whole(operand, d)?;
                self.op(abi::RTRACE_OP_LNOT, d, d, 0, 0);
            }
            NodeKind::Arithmetic(op, left, right) => {
                self.arithmetic(*op, left, right, node.ty, d)?;
            }
            NodeKind::Compare {
                op,
                signed,
                left,
                right,
            } => self.compare(*op, *signed, left, right, d)?,
            NodeKind::CompareText(op, left, right) => {
                self.operands(left, right, d, |this, d, left, right| {
                    this.op(abi::RTRACE_OP_SCMP, d, left, right, 0);
                    Ok(())
                })?;
                self.order(*op, d, span)?;
            }
            NodeKind::Logical(op, left, right) => self.logical(*op, left, right, d)?,
            NodeKind::Move {
                pointer,
                index,
                scale,
                back,
            } => self.moved(pointer, index, *scale, *back, d)?,
            NodeKind::Distance { left, right, scale } => {
                self.operands(left, right, d, |this, d, left, right| {
                    this.op(abi::RTRACE_OP_SUB, d, left, right, 0);
                    Ok(())
                })?;
                if *scale > 1 {
                    if scale.is_power_of_two() {
                        self.op(abi::RTRACE_OP_SARI, d, d, 0, scale.trailing_zeros() as i32);
                    } else {
                        let above = self.above(d, span)?;
                        self.assembler.load(above, *scale as i64);
                        self.op(abi::RTRACE_OP_DIV, d, d, above, 0);
                    }
                }
            }
            NodeKind::Convert(operand) => {
                self.whole(operand, d)?;
                if self.is_cut(operand, node.ty) {
                    self.extend(d, node.ty);
                }
            }
            NodeKind::Within(index, count) => {
                self.whole(index, d)?;
                self.op(abi::RTRACE_OP_BOUND, 0, d, 0, *count as i32);
            }
            NodeKind::Fits(size, most) => {
                self.whole(size, d)?;
                self.op(abi::RTRACE_OP_SIZE, 0, d, 0, *most as i32 + 1);
            }
            NodeKind::ToText(operand, limit) => {
                self.value(operand, d)?;
                self.op(abi::RTRACE_OP_LDSTR, d, d, 0, *limit as i32);
            }
            NodeKind::Assign(place, value) => self.assign(place, value, d)?,
            NodeKind::Update {
                place,
                change,
                by,
                before,
            } => self.update(place, *change, by, *before, d)?,
            NodeKind::Conditional(condition, then, otherwise) => {
                self.either(Self::value, condition, then, otherwise, d)?;
            }
            NodeKind::Comma(left, right) => {
                self.effect(left, d)?;
                self.value(right, d)?;
            }
            NodeKind::Call(number, arguments) => self.call(*number, arguments, d, node)?,
            NodeKind::Speculation => self.op(abi::RTRACE_OP_SPECNEW, d, 0, 0, 0),
            NodeKind::NoValue(what, _) => return Err(crate::check::no_value(what, span)),
            NodeKind::Translated(_) => return Err(crate::check::dynamic(span)),
        }
        Ok(())
    }

    /// A node for its effect; what has none is left out, unless it may fault.
    pub(super) fn effect(&mut self, node: &Node, d: Register) -> Result<(), Error> {
        match &node.kind {
            NodeKind::Int(_)
            | NodeKind::Text(_)
            | NodeKind::Builtin(_)
            | NodeKind::BuiltinText(_) => Ok(()),
            NodeKind::Variable { keys, .. } if keys.is_empty() => Ok(()),
            NodeKind::Convert(operand) => self.effect(operand, d),
            // Nobody asks what was there before.
            NodeKind::Update {
                place, change, by, ..
            } => self.update(place, *change, by, false, d),
            _ => self.value(node, d),
        }
    }

    /// Evaluates two operands, the deeper one first if that changes nothing, and combines them.
    pub(super) fn operands(
        &mut self,
        left: &Node,
        right: &Node,
        d: Register,
        combine: impl FnOnce(&mut Self, Register, Register, Register) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.operands_by(Self::value, left, right, d, combine)
    }

    /// The same, each operand evaluated in a way of its own.
    pub(super) fn operands_by(
        &mut self,
        evaluate: impl Fn(&mut Self, &Node, Register) -> Result<(), Error>,
        left: &Node,
        right: &Node,
        d: Register,
        combine: impl FnOnce(&mut Self, Register, Register, Register) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let above = self.above(d, right.span)?;
        if depth(right) > depth(left) && left.is_pure() && right.is_pure() {
            evaluate(self, right, d)?;
            evaluate(self, left, above)?;
            return combine(self, d, above, d);
        }
        evaluate(self, left, d)?;
        evaluate(self, right, above)?;
        combine(self, d, d, above)
    }

    /// One of two values, each evaluated by this, as a condition says.
    pub(super) fn either(
        &mut self,
        evaluate: impl Fn(&mut Self, &Node, Register) -> Result<(), Error>,
        condition: &Node,
        then: &Node,
        otherwise: &Node,
        d: Register,
    ) -> Result<(), Error> {
        let (no, end) = (self.assembler.label(), self.assembler.label());
        self.jump_unless(condition, no, d)?;
        evaluate(self, then, d)?;
        self.assembler.jump(abi::RTRACE_OP_JMP, 0, 0, end);
        self.assembler.place(no);
        evaluate(self, otherwise, d)?;
        self.assembler.place(end);
        Ok(())
    }

    fn moved(
        &mut self,
        pointer: &Node,
        index: &Node,
        scale: u64,
        back: bool,
        d: Register,
    ) -> Result<(), Error> {
        if let Some(index) = index.constant() {
            let bytes = index.wrapping_mul(scale as i64);
            let bytes = if back { bytes.wrapping_neg() } else { bytes };
            self.value(pointer, d)?;
            match i32::try_from(bytes) {
                Ok(0) => {}
                Ok(bytes) => self.op(abi::RTRACE_OP_ADDI, d, d, 0, bytes),
                Err(_) => {
                    let above = self.above(d, pointer.span)?;
                    self.assembler.load(above, bytes);
                    self.op(abi::RTRACE_OP_ADD, d, d, above, 0);
                }
            }
            return Ok(());
        }
        self.value(pointer, d)?;
        let above = self.above(d, index.span)?;
        self.whole(index, above)?;
        self.scale(above, scale);
        let op = if back {
            abi::RTRACE_OP_SUB
        } else {
            abi::RTRACE_OP_ADD
        };
        self.op(op, d, d, above, 0);
        Ok(())
    }

    /// d, or this if d is more.
    fn at_most(&mut self, most: u32, d: Register, span: Span) -> Result<(), Error> {
        let above = self.above(d, span)?;
        let end = self.assembler.label();
        self.assembler.load(above, most.into());
        self.assembler.jump(abi::RTRACE_OP_JLEU, d, above, end);
        self.op(abi::RTRACE_OP_MOV, d, above, 0, 0);
        self.assembler.place(end);
        Ok(())
    }

    /// d times so many bytes.
    pub(super) fn scale(&mut self, d: Register, scale: u64) {
        if scale <= 1 {
            return;
        }
        if scale.is_power_of_two() {
            self.op(abi::RTRACE_OP_SHLI, d, d, 0, scale.trailing_zeros() as i32);
        } else {
            // A type is never larger than its 32 bits.
            self.op(abi::RTRACE_OP_MULI, d, d, 0, scale as i32);
        }
    }

    fn call(
        &mut self,
        number: u32,
        arguments: &[Node],
        d: Register,
        node: &Node,
    ) -> Result<(), Error> {
        for (index, argument) in arguments.iter().enumerate() {
            let register = self.above_by(d, index, argument.span)?;
            self.value(argument, register)?;
        }
        if number == abi::RTRACE_SUB_ALLOCA {
            self.bound(arguments, 0, d)?;
        }
        let first = if arguments.is_empty() { 0 } else { d };
        self.op(
            abi::RTRACE_OP_CALL,
            d,
            first,
            arguments.len() as Register,
            number as i32,
        );
        if !self.types.is_void(node.ty) && self.number(node.ty).is_some() {
            self.narrow_result(number, d, node.ty);
        }
        Ok(())
    }

    /// Makes of a size beyond scratchsize one that no firing has room for: that is a fault.
    fn bound(&mut self, arguments: &[Node], index: usize, d: Register) -> Result<(), Error> {
        let most = self.options.scratchsize;
        let argument = &arguments[index];
        if most >= abi::RTRACE_SCRATCH_BYTES || argument.constant().is_some() {
            return Ok(());
        }
        let size = self.above_by(d, index, argument.span)?;
        let over = self.above_by(d, arguments.len(), argument.span)?;
        self.assembler.load(over, most.into());
        self.op(abi::RTRACE_OP_SUB, over, over, size, 0);
        self.op(abi::RTRACE_OP_SARI, over, over, 0, 63);
        self.op(abi::RTRACE_OP_OR, size, size, over, 0);
        Ok(())
    }

    /// Results are numbers of 64 bits; D's are often smaller.
    fn narrow_result(&mut self, number: u32, d: Register, ty: TypeId) {
        let small = matches!(
            number,
            abi::RTRACE_SUB_STRLEN
                | abi::RTRACE_SUB_INDEX
                | abi::RTRACE_SUB_RINDEX
                | abi::RTRACE_SUB_PROGENYOF
                | abi::RTRACE_SUB_GETMAJOR
                | abi::RTRACE_SUB_GETMINOR
                | abi::RTRACE_SUB_HTONS
                | abi::RTRACE_SUB_HTONL
                // Its mask follows.
                | abi::RTRACE_SUB_RAND
        );
        if !small {
            self.extend(d, ty);
        }
    }
}

/// How many registers a node takes, roughly: what Sethi and Ullman number.
fn depth(node: &Node) -> usize {
    let two = |left: &Node, right: &Node| {
        let (left, right) = (depth(left), depth(right));
        if left == right {
            left + 1
        } else {
            left.max(right)
        }
    };
    match &node.kind {
        NodeKind::Memory { address, .. } => depth(address),
        NodeKind::Address(one)
        | NodeKind::Negate(one)
        | NodeKind::Complement(one)
        | NodeKind::Not(one)
        | NodeKind::Convert(one)
        | NodeKind::Within(one, _)
        | NodeKind::Fits(one, _)
        | NodeKind::ToText(one, _) => depth(one),
        NodeKind::Arithmetic(_, left, right)
        | NodeKind::CompareText(_, left, right)
        | NodeKind::Logical(_, left, right)
        | NodeKind::Compare { left, right, .. }
        | NodeKind::Distance { left, right, .. } => two(left, right),
        NodeKind::Move { pointer, index, .. } => two(pointer, index),
        NodeKind::Variable { keys, .. } => list(keys),
        NodeKind::Call(_, arguments) => list(arguments),
        NodeKind::Conditional(one, two, three) => depth(one).max(depth(two)).max(depth(three)),
        _ => 1,
    }
}

fn list(nodes: &[Node]) -> usize {
    nodes
        .iter()
        .enumerate()
        .map(|(index, node)| index + depth(node))
        .max()
        .unwrap_or(1)
}
