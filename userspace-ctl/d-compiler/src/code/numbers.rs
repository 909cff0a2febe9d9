// SPDX-License-Identifier: GPL-2.0-only
//! Numbers: computed with 64 bits, and cut to their types.
//!
//! Registers have 64 bits, and so do those of dtrace, which computes with all of them and cuts a result where it is
//! kept: in a variable, a record, a key. What a part of an expression carries beyond its type counts until then:
//! `secs * 1000000000` of an `int` is compared with a `timestamp` as it is, and a sum of two `uint8_t` with 255. C has
//! the same results wherever it does not leave them open. Of `unsigned int` alone, which C cuts at once, libdtrace would
//! carry what C does not: there it is C's.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::cut;
use crate::check::tree::{Arithmetic, Node, NodeKind};
use crate::error::Error;
use crate::types::{Number, TypeId};

use super::Generator;
use super::assembler::Register;

impl Generator<'_, '_> {
    /// The size and sign of a number; pointers are unsigned words.
    pub(super) fn number(&self, ty: TypeId) -> Option<Number> {
        self.types.number(ty)
    }

    /// Makes the low bits of d a number of the type.
    pub(super) fn extend(&mut self, d: Register, ty: TypeId) {
        let Some(number) = self.number(ty) else {
            return;
        };
        if let Some(op) = extension(number) {
            self.op(op, d, d, 0, 0);
        }
    }

    /// Makes a number of one type one of another.
    pub(super) fn convert(&mut self, d: Register, from: TypeId, to: TypeId) {
        if self.is_narrower(from, to) {
            self.extend(d, to);
        }
    }

    /// A constant as its type has it.
    pub(super) fn constant_of(&self, value: i64, ty: TypeId) -> i64 {
        match self.number(ty) {
            Some(number) => cut(value, number),
            None => value,
        }
    }

    /// Whether parts of expressions of this type may carry more than it holds.
    fn is_open(&self, ty: TypeId) -> bool {
        let number = self.number(ty);
        number.is_some_and(|number| number.bytes < 8 && (number.signed || number.bytes < 4))
    }

    /// Whether [`whole`](Self::whole) may give more of a node than its type holds.
    fn carries(&self, node: &Node) -> bool {
        let either = |left: &Node, right: &Node| self.are_cut(left, right, node.ty);
        self.is_open(node.ty)
            && match &node.kind {
                NodeKind::Int(value) => self.constant_of(*value, node.ty) != *value,
                NodeKind::Negate(_) | NodeKind::Complement(_) => true,
                NodeKind::Arithmetic(op, left, right) => {
                    self.is_beyond(*op, node.ty) || either(left, right)
                }
                NodeKind::Conditional(_, then, otherwise) => either(then, otherwise),
                NodeKind::Convert(operand) => {
                    !self.is_narrower(operand.ty, node.ty) && self.carries(operand)
                }
                NodeKind::Comma(_, right) => self.carries(right),
                _ => false,
            }
    }

    /// Whether numbers of the type may be none of the other one.
    fn is_narrower(&self, from: TypeId, to: TypeId) -> bool {
        let (Some(from), Some(to)) = (self.number(from), self.number(to)) else {
            return self.number(to).is_some();
        };
        let fits =
            from == to || to.bytes == 8 || (from.bytes < to.bytes && (!from.signed || to.signed));
        !fits
    }

    /// Whether a node that was evaluated whole is yet to be cut to a type.
    pub(super) fn is_cut(&self, node: &Node, to: TypeId) -> bool {
        let has_all = self.number(to).is_none_or(|number| number.bytes == 8);
        !has_all && (self.carries(node) || self.is_narrower(node.ty, to))
    }

    /// The same of one of two.
    fn are_cut(&self, left: &Node, right: &Node, to: TypeId) -> bool {
        self.is_cut(left, to) || self.is_cut(right, to)
    }

    /// The value of a node with what it carries beyond its type.
    pub(super) fn whole(&mut self, node: &Node, d: Register) -> Result<(), Error> {
        if !self.carries(node) {
            return self.value(node, d);
        }
        match &node.kind {
            NodeKind::Int(value) => self.assembler.load(d, *value),
            NodeKind::Negate(operand) => {
                self.whole(operand, d)?;
                self.op(abi::RTRACE_OP_NEG, d, d, 0, 0);
            }
            NodeKind::Complement(operand) => {
                self.whole(operand, d)?;
                self.op(abi::RTRACE_OP_NOT, d, d, 0, 0);
            }
            NodeKind::Arithmetic(op, left, right) => {
                self.carrying(*op, left, right, node.ty, d)?;
            }
            NodeKind::Convert(operand) => self.whole(operand, d)?,
            NodeKind::Conditional(condition, then, otherwise) => {
                self.either(Self::whole, condition, then, otherwise, d)?;
            }
            NodeKind::Comma(left, right) => {
                self.effect(left, d)?;
                self.whole(right, d)?;
            }
            _ => self.value(node, d)?,
        }
        Ok(())
    }

    /// An operation, cut to its type.
    pub(super) fn arithmetic(
        &mut self,
        op: Arithmetic,
        left: &Node,
        right: &Node,
        ty: TypeId,
        d: Register,
    ) -> Result<(), Error> {
        self.carrying(op, left, right, ty, d)?;
        if self.is_beyond(op, ty) || self.are_cut(left, right, ty) {
            self.extend(d, ty);
        }
        Ok(())
    }

    /// An operation with all that it carries beyond its type.
    fn carrying(
        &mut self,
        op: Arithmetic,
        left: &Node,
        right: &Node,
        ty: TypeId,
        d: Register,
    ) -> Result<(), Error> {
        let signed = self.number(ty).is_none_or(|number| number.signed);
        if let Some((other, op_code, immediate)) = self.immediate(op, left, right, signed) {
            self.whole(other, d)?;
            match (op_code, immediate) {
                // What changes nothing.
                (abi::RTRACE_OP_ADDI | abi::RTRACE_OP_SHLI, 0) | (abi::RTRACE_OP_MULI, 1) => {}
                _ => self.op(op_code, d, d, 0, immediate),
            }
        } else {
            let op_code = operation(op, signed);
            self.operands_by(Self::whole, left, right, d, |this, d, left, right| {
                this.op(op_code, d, left, right, 0);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Cuts the result of an operation on numbers of its type.
    pub(super) fn after(&mut self, op: Arithmetic, ty: TypeId, d: Register) {
        if self.is_beyond(op, ty) {
            self.extend(d, ty);
        }
    }

    /// Whether an operation on numbers of its type may have a result beyond it.
    fn is_beyond(&self, op: Arithmetic, ty: TypeId) -> bool {
        use Arithmetic::{Add, Divide, Multiply, ShiftLeft, Subtract};
        match op {
            Add | Subtract | Multiply | ShiftLeft => true,
            // The least by -1.
            Divide => self.number(ty).is_some_and(|number| number.signed),
            _ => false,
        }
    }

    /// An operation with a constant that fits its instruction: the other operand, the operation,
    /// the constant.
    fn immediate<'n>(
        &self,
        op: Arithmetic,
        left: &'n Node,
        right: &'n Node,
        signed: bool,
    ) -> Option<(&'n Node, u32, i32)> {
        let constant = |node: &Node| {
            let value = node.constant()?;
            let value = match self.number(node.ty) {
                Some(number) if !number.signed => cut(value, number),
                _ => value,
            };
            i32::try_from(value).ok()
        };
        if let Some(value) = constant(right) {
            let chosen = match op {
                Arithmetic::Add => (abi::RTRACE_OP_ADDI, value),
                Arithmetic::Subtract => (abi::RTRACE_OP_ADDI, value.checked_neg()?),
                Arithmetic::Multiply => (abi::RTRACE_OP_MULI, value),
                Arithmetic::And => (abi::RTRACE_OP_ANDI, value),
                Arithmetic::ShiftLeft => (abi::RTRACE_OP_SHLI, value & 63),
                Arithmetic::ShiftRight if signed => (abi::RTRACE_OP_SARI, value & 63),
                Arithmetic::ShiftRight => (abi::RTRACE_OP_SHRI, value & 63),
                Arithmetic::Divide if !signed && value > 0 && value.count_ones() == 1 => {
                    (abi::RTRACE_OP_SHRI, value.trailing_zeros() as i32)
                }
                _ => return None,
            };
            return Some((left, chosen.0, chosen.1));
        }
        if let Some(value) = constant(left) {
            let op = match op {
                Arithmetic::Add => abi::RTRACE_OP_ADDI,
                Arithmetic::Multiply => abi::RTRACE_OP_MULI,
                Arithmetic::And => abi::RTRACE_OP_ANDI,
                _ => return None,
            };
            return Some((right, op, value));
        }
        None
    }
}

/// The extension that makes the low bits a number; `None`: it is a whole register.
pub(super) fn extension(number: Number) -> Option<u32> {
    Some(match (number.bytes, number.signed) {
        (1, true) => abi::RTRACE_OP_SX8,
        (2, true) => abi::RTRACE_OP_SX16,
        (4, true) => abi::RTRACE_OP_SX32,
        (1, false) => abi::RTRACE_OP_ZX8,
        (2, false) => abi::RTRACE_OP_ZX16,
        (4, false) => abi::RTRACE_OP_ZX32,
        _ => return None,
    })
}

/// The operation of two registers.
pub(super) fn operation(op: Arithmetic, signed: bool) -> u32 {
    match op {
        Arithmetic::Add => abi::RTRACE_OP_ADD,
        Arithmetic::Subtract => abi::RTRACE_OP_SUB,
        Arithmetic::Multiply => abi::RTRACE_OP_MUL,
        Arithmetic::Divide if signed => abi::RTRACE_OP_DIV,
        Arithmetic::Divide => abi::RTRACE_OP_DIVU,
        Arithmetic::Modulo if signed => abi::RTRACE_OP_MOD,
        Arithmetic::Modulo => abi::RTRACE_OP_MODU,
        Arithmetic::And => abi::RTRACE_OP_AND,
        Arithmetic::Or => abi::RTRACE_OP_OR,
        Arithmetic::Xor => abi::RTRACE_OP_XOR,
        Arithmetic::ShiftLeft => abi::RTRACE_OP_SHL,
        Arithmetic::ShiftRight if signed => abi::RTRACE_OP_SAR,
        Arithmetic::ShiftRight => abi::RTRACE_OP_SHR,
    }
}
