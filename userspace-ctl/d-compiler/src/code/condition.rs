// SPDX-License-Identifier: GPL-2.0-only
//! Conditions: jumps instead of truths.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::{Comparison, Logical, Node, NodeKind};
use crate::error::Error;

use super::Generator;
use super::assembler::{Label, Register};

impl Generator<'_, '_> {
    /// Ends the clause if the predicate is 0.
    pub(super) fn filter(&mut self, predicate: &Node) -> Result<(), Error> {
        match &predicate.kind {
            NodeKind::Int(0) => {
                self.assembler.load(0, 0);
                self.op(abi::RTRACE_OP_FILTER, 0, 0, 0, 0);
                Ok(())
            }
            NodeKind::Int(_) => Ok(()),
            // Each part may end it.
            NodeKind::Logical(Logical::And, left, right) => {
                self.filter(left)?;
                self.filter(right)
            }
            NodeKind::Compare {
                op: Comparison::NotEqual,
                left,
                right,
                ..
            } if right.is_zero() => self.filter_value(left),
            NodeKind::CompareText(Comparison::NotEqual, left, right) => {
                self.operands(left, right, 0, |this, d, left, right| {
                    this.op(abi::RTRACE_OP_SCMP, d, left, right, 0);
                    this.op(abi::RTRACE_OP_FILTER, 0, d, 0, 0);
                    Ok(())
                })
            }
            _ => self.filter_value(predicate),
        }
    }

    /// Ends the clause on any CPU but this one.
    pub(super) fn filter_cpu(&mut self, cpu: u32) {
        // There are no CPUs of numbers beyond.
        let cpu = i32::try_from(cpu).unwrap_or(-1);
        self.op(abi::RTRACE_OP_GET, 0, 0, 0, abi::RTRACE_VAR_CPU as i32);
        self.op(abi::RTRACE_OP_SEQI, 0, 0, 0, cpu);
        self.op(abi::RTRACE_OP_FILTER, 0, 0, 0, 0);
    }

    fn filter_value(&mut self, value: &Node) -> Result<(), Error> {
        self.whole(value, 0)?;
        self.op(abi::RTRACE_OP_FILTER, 0, 0, 0, 0);
        Ok(())
    }

    /// Jumps if the condition is not 0.
    pub(super) fn jump_if(&mut self, node: &Node, to: Label, d: Register) -> Result<(), Error> {
        self.branch(node, true, to, d)
    }

    /// Jumps if the condition is 0.
    pub(super) fn jump_unless(&mut self, node: &Node, to: Label, d: Register) -> Result<(), Error> {
        self.branch(node, false, to, d)
    }

    /// Jumps if the condition is as said.
    fn branch(&mut self, node: &Node, when: bool, to: Label, d: Register) -> Result<(), Error> {
        match &node.kind {
            NodeKind::Not(operand) => return self.branch(operand, !when, to, d),
            NodeKind::Logical(Logical::And, left, right) => {
                return self.both(left, right, when, false, to, d);
            }
            NodeKind::Logical(Logical::Or, left, right) => {
                return self.both(left, right, when, true, to, d);
            }
            NodeKind::Compare {
                op,
                signed,
                left,
                right,
            } => {
                let zero = if right.is_zero() {
                    Some(left)
                } else if left.is_zero() {
                    Some(right)
                } else {
                    None
                };
                if let (Comparison::Equal | Comparison::NotEqual, Some(operand)) = (op, zero) {
                    self.whole(operand, d)?;
                    let jump = if (*op == Comparison::Equal) == when {
                        abi::RTRACE_OP_JZ
                    } else {
                        abi::RTRACE_OP_JNZ
                    };
                    self.assembler.jump(jump, d, 0, to);
                    return Ok(());
                }
                let (op, signed) = (*op, *signed);
                return self.operands_by(Self::whole, left, right, d, |this, _, left, right| {
                    this.compare_and_jump(op, signed, left, right, when, to);
                    Ok(())
                });
            }
            NodeKind::CompareText(op, left, right)
                if matches!(op, Comparison::Equal | Comparison::NotEqual) =>
            {
                self.operands(left, right, d, |this, d, left, right| {
                    this.op(abi::RTRACE_OP_SCMP, d, left, right, 0);
                    Ok(())
                })?;
                let jump = if (*op == Comparison::Equal) == when {
                    abi::RTRACE_OP_JZ
                } else {
                    abi::RTRACE_OP_JNZ
                };
                self.assembler.jump(jump, d, 0, to);
                return Ok(());
            }
            _ => {}
        }
        self.whole(node, d)?;
        let jump = if when {
            abi::RTRACE_OP_JNZ
        } else {
            abi::RTRACE_OP_JZ
        };
        self.assembler.jump(jump, d, 0, to);
        Ok(())
    }

    /// `&&` (`any`: `||`): jumps if the whole is as said.
    fn both(
        &mut self,
        left: &Node,
        right: &Node,
        when: bool,
        any: bool,
        to: Label,
        d: Register,
    ) -> Result<(), Error> {
        if when == any {
            // One of them is enough for the jump.
            self.branch(left, when, to, d)?;
            return self.branch(right, when, to, d);
        }
        let past = self.assembler.label();
        self.branch(left, !when, past, d)?;
        self.branch(right, when, to, d)?;
        self.assembler.place(past);
        Ok(())
    }

    fn compare_and_jump(
        &mut self,
        op: Comparison,
        signed: bool,
        left: Register,
        right: Register,
        when: bool,
        to: Label,
    ) {
        let (less, less_equal) = if signed {
            (abi::RTRACE_OP_JLT, abi::RTRACE_OP_JLE)
        } else {
            (abi::RTRACE_OP_JLTU, abi::RTRACE_OP_JLEU)
        };
        let op = if when { op } else { opposite(op) };
        let (jump, a, b) = match op {
            Comparison::Equal => (abi::RTRACE_OP_JEQ, left, right),
            Comparison::NotEqual => (abi::RTRACE_OP_JNE, left, right),
            Comparison::Less => (less, left, right),
            Comparison::LessEqual => (less_equal, left, right),
            Comparison::Greater => (less, right, left),
            Comparison::GreaterEqual => (less_equal, right, left),
        };
        self.assembler.jump(jump, a, b, to);
    }
}

fn opposite(op: Comparison) -> Comparison {
    match op {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterEqual,
        Comparison::LessEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessEqual,
        Comparison::GreaterEqual => Comparison::Less,
    }
}
