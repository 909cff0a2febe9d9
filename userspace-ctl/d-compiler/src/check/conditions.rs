// SPDX-License-Identifier: GPL-2.0-only
//! Conditions: comparisons, what joins them, and the choice by one.
#![forbid(unsafe_code)]

use crate::ast;
use crate::error::{Error, Span};
use crate::types::Intrinsic;

use super::Checker;
use super::calls::is_action;
use super::tree::{Comparison, Logical, Node, NodeKind};

impl Checker<'_> {
    /// `&&`, `||`, `^^`
    pub(super) fn logical(
        &mut self,
        op: Logical,
        left: Node,
        right: Node,
        sign: &str,
        span: Span,
    ) -> Result<Node, Error> {
        if !self.types.is_scalar(left.ty) || !self.types.is_scalar(right.ty) {
            return Err(Error::new(
                "D_OP_SCALAR",
                span,
                format!("operator {sign} requires operands of scalar type"),
            ));
        }
        let ty = self.integer_type();
        if let (Some(left), Some(right)) = (left.constant(), right.constant()) {
            let value = match op {
                Logical::And => left != 0 && right != 0,
                Logical::Or => left != 0 || right != 0,
                Logical::Xor => (left != 0) != (right != 0),
            };
            return Ok(self.int(i64::from(value), ty, span));
        }
        Ok(Node::new(
            NodeKind::Logical(op, Box::new(left), Box::new(right)),
            ty,
            span,
        ))
    }

    /// `==` and the like: of numbers, pointers, strings.
    pub(super) fn compare(
        &mut self,
        op: Comparison,
        left: Node,
        right: Node,
        span: Span,
    ) -> Result<Node, Error> {
        let ty = self.integer_type();
        let like = |this: &Self, node: &Node| this.types.is_string_like(node.ty);
        let string = |this: &Self, node: &Node| this.types.is_string(node.ty);
        let texts = like(self, &left)
            && like(self, &right)
            && (string(self, &left) || string(self, &right));
        let missing =
            (string(self, &left) && right.is_zero()) || (left.is_zero() && string(self, &right));
        if texts || missing {
            let left = self.text(left);
            let right = self.text(right);
            return Ok(Node::new(
                NodeKind::CompareText(op, Box::new(left), Box::new(right)),
                ty,
                span,
            ));
        }
        if self.is_integer(&left) && self.is_integer(&right) {
            let common = self.common(&left, &right);
            let signed = self.is_signed(common);
            if let (Some(left), Some(right)) = (left.constant(), right.constant()) {
                let order = if signed {
                    left.cmp(&right)
                } else {
                    (left as u64).cmp(&(right as u64))
                };
                let value = match op {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterEqual => order.is_ge(),
                };
                return Ok(self.int(i64::from(value), ty, span));
            }
            let left = self.as_operand(left, common);
            let right = self.as_operand(right, common);
            return Ok(Node::new(
                NodeKind::Compare {
                    op,
                    signed,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                ty,
                span,
            ));
        }
        if !left.is_dynamic()
            && !right.is_dynamic()
            && !self.types.is_void(left.ty)
            && (self.types.same(left.ty, right.ty) || self.pointers_compatible(&left, &right))
        {
            return Ok(Node::new(
                NodeKind::Compare {
                    op,
                    signed: false,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                ty,
                span,
            ));
        }
        Err(self.incompatible(&left, op.sign(), &right, span))
    }

    /// `condition ? then : otherwise`
    pub(super) fn conditional(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        span: Span,
    ) -> Result<Node, Error> {
        let condition = self.value(condition)?;
        if let Some(value) = condition.constant() {
            // As in libdtrace the other arm is not even looked at.
            return self.value(if value != 0 { then } else { otherwise });
        }
        let actions = [then, otherwise].map(is_action);
        let left = self.value(then)?;
        let right = self.value(otherwise)?;
        if !self.types.is_scalar(condition.ty) {
            return Err(Error::new(
                "D_OP_SCALAR",
                span,
                "operator ?: expression must be of scalar type",
            ));
        }
        if (left.is_dynamic() && !actions[0]) || (right.is_dynamic() && !actions[1]) {
            return Err(Error::new(
                "D_OP_DYN",
                span,
                "operator ?: operands cannot be of dynamic type",
            ));
        }
        if actions.contains(&true) && self.types.same(left.ty, right.ty) {
            return Err(Error::new(
                "D_OP_ACT",
                span,
                "action cannot be used in a conditional context",
            ));
        }
        let string = self.types.intrinsic(Intrinsic::String);
        let like = |this: &Self, node: &Node| this.types.is_string_like(node.ty) || node.is_zero();
        let like = like(self, &left) && like(self, &right);
        let (left, right, ty) = if self.is_integer(&left) && self.is_integer(&right) {
            let ty = if self.types.same(left.ty, right.ty) {
                left.ty
            } else {
                self.common(&left, &right)
            };
            (self.convert(left, ty), self.convert(right, ty), ty)
        } else if like && (self.types.is_string(left.ty) || self.types.is_string(right.ty)) {
            (self.text(left), self.text(right), string)
        } else if self.types.same(left.ty, right.ty) {
            let ty = left.ty;
            (left, right, ty)
        } else if self.pointers_compatible(&left, &right) {
            // The more specific of the two.
            let vague = self.is_integer(&right)
                || self
                    .types
                    .pointee(right.ty)
                    .is_some_and(|to| self.types.is_void(to));
            let ty = if vague { left.ty } else { right.ty };
            (left, right, ty)
        } else {
            return Err(Error::new(
                "D_OP_INCOMPAT",
                span,
                "operator ?: operands must have compatible types",
            ));
        };
        Ok(Node::new(
            NodeKind::Conditional(Box::new(condition), Box::new(left), Box::new(right)),
            ty,
            span,
        ))
    }
}
