// SPDX-License-Identifier: GPL-2.0-only
//! Comparisons and logical operations as values.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::{Comparison, Logical, Node};
use crate::error::{Error, Span};

use super::Generator;
use super::assembler::Register;

impl Generator<'_, '_> {
    /// Whether two numbers stand so, in d.
    pub(super) fn compare(
        &mut self,
        op: Comparison,
        signed: bool,
        left: &Node,
        right: &Node,
        d: Register,
    ) -> Result<(), Error> {
        if matches!(op, Comparison::Equal | Comparison::NotEqual) {
            let constant = right
                .constant()
                .map(|value| (left, value))
                .or_else(|| left.constant().map(|value| (right, value)));
            if let Some((operand, value)) = constant {
                if let Ok(value) = i32::try_from(value) {
                    self.whole(operand, d)?;
                    self.op(abi::RTRACE_OP_SEQI, d, d, 0, value);
                    if op == Comparison::NotEqual {
                        self.op(abi::RTRACE_OP_LNOT, d, d, 0, 0);
                    }
                    return Ok(());
                }
            }
        }
        self.operands_by(Self::whole, left, right, d, |this, d, left, right| {
            let (less, less_equal) = if signed {
                (abi::RTRACE_OP_SLT, abi::RTRACE_OP_SLE)
            } else {
                (abi::RTRACE_OP_SLTU, abi::RTRACE_OP_SLEU)
            };
            match op {
                Comparison::Equal => this.op(abi::RTRACE_OP_SEQ, d, left, right, 0),
                Comparison::NotEqual => this.op(abi::RTRACE_OP_SNE, d, left, right, 0),
                Comparison::Less => this.op(less, d, left, right, 0),
                Comparison::LessEqual => this.op(less_equal, d, left, right, 0),
                Comparison::Greater => this.op(less, d, right, left, 0),
                Comparison::GreaterEqual => this.op(less_equal, d, right, left, 0),
            }
            Ok(())
        })
    }

    /// What an order of strings (-1, 0, 1) in d says of a comparison.
    pub(super) fn order(&mut self, op: Comparison, d: Register, span: Span) -> Result<(), Error> {
        match op {
            Comparison::Equal => self.op(abi::RTRACE_OP_SEQI, d, d, 0, 0),
            Comparison::NotEqual => {
                self.op(abi::RTRACE_OP_SEQI, d, d, 0, 0);
                self.op(abi::RTRACE_OP_LNOT, d, d, 0, 0);
            }
            Comparison::Less => self.op(abi::RTRACE_OP_SEQI, d, d, 0, -1),
            Comparison::Greater => self.op(abi::RTRACE_OP_SEQI, d, d, 0, 1),
            Comparison::LessEqual | Comparison::GreaterEqual => {
                let above = self.above(d, span)?;
                self.assembler.load(above, 0);
                if op == Comparison::LessEqual {
                    self.op(abi::RTRACE_OP_SLE, d, d, above, 0);
                } else {
                    self.op(abi::RTRACE_OP_SLE, d, above, d, 0);
                }
            }
        }
        Ok(())
    }

    /// A truth in d.
    pub(super) fn logical(
        &mut self,
        op: Logical,
        left: &Node,
        right: &Node,
        d: Register,
    ) -> Result<(), Error> {
        match op {
            Logical::Xor => {
                self.operands_by(Self::whole, left, right, d, |this, d, left, right| {
                    this.op(abi::RTRACE_OP_LNOT, left, left, 0, 0);
                    this.op(abi::RTRACE_OP_LNOT, right, right, 0, 0);
                    this.op(abi::RTRACE_OP_SNE, d, left, right, 0);
                    Ok(())
                })
            }
            Logical::And | Logical::Or => {
                let (other, end) = (self.assembler.label(), self.assembler.label());
                let stop = op == Logical::Or;
                if stop {
                    self.jump_if(left, other, d)?;
                    self.jump_if(right, other, d)?;
                } else {
                    self.jump_unless(left, other, d)?;
                    self.jump_unless(right, other, d)?;
                }
                self.assembler.load(d, i64::from(!stop));
                self.assembler.jump(abi::RTRACE_OP_JMP, 0, 0, end);
                self.assembler.place(other);
                self.assembler.load(d, i64::from(stop));
                self.assembler.place(end);
                Ok(())
            }
        }
    }
}
