// SPDX-License-Identifier: GPL-2.0-only
//! What changes a place by what was there: `++`, `--`, `op=`.
#![forbid(unsafe_code)]

use crate::ast::{self, Binary, Unary};
use crate::error::{Error, Span};
use crate::types::Intrinsic;

use super::Checker;
use super::operators::{arithmetic, divided_by_zero, unary_sign};
use super::tree::{Arithmetic, Change, Node, NodeKind};

impl Checker<'_> {
    /// `++` and `--`
    pub(super) fn step(
        &mut self,
        operand: &ast::Expr,
        op: Unary,
        back: bool,
        before: bool,
        span: Span,
    ) -> Result<Node, Error> {
        let mut place = self.target(operand)?;
        if self.is_untyped(&place) {
            let ty = self.types.intrinsic(Intrinsic::Int64);
            self.give_type(&mut place, ty)?;
        }
        let sign = unary_sign(op);
        if !self.types.is_scalar(place.ty) {
            return Err(Error::new(
                "D_OP_SCALAR",
                span,
                format!("operator {sign} requires operand of scalar type"),
            ));
        }
        if self.points_to_no_size(&place) {
            return Err(Error::new(
                "D_OP_VFPTR",
                span,
                format!("operator {sign} requires an operand of known size"),
            ));
        }
        self.must_be_writable(&place, sign, span)?;
        let one = self.int(1, self.integer_type(), span);
        let change = self.change(
            if back { Binary::Subtract } else { Binary::Add },
            &place,
            &one,
        );
        let by = match change {
            Change::Number(_, ty) => self.convert(one, ty),
            Change::Pointer { .. } => one,
        };
        let ty = place.ty;
        Ok(Node::new(
            NodeKind::Update {
                place: Box::new(place),
                change,
                by: Box::new(by),
                before,
            },
            ty,
            span,
        ))
    }

    /// How a place changes by an operator and a value.
    fn change(&self, op: Binary, place: &Node, by: &Node) -> Change {
        if self.is_integer(place) {
            let kind = arithmetic(op).expect("only these have an = of their own");
            let ty = match kind {
                Arithmetic::ShiftLeft | Arithmetic::ShiftRight => self.types.promote(place.ty),
                _ => self.types.arithmetic(place.ty, by.ty).unwrap_or(place.ty),
            };
            return Change::Number(kind, ty);
        }
        Change::Pointer {
            back: op == Binary::Subtract,
            scale: self.scale(place),
        }
    }

    /// A place can be assigned to, or why not.
    pub(super) fn must_be_writable(
        &self,
        place: &Node,
        sign: &str,
        span: Span,
    ) -> Result<(), Error> {
        if !place.lvalue {
            return Err(Error::new(
                "D_OP_LVAL",
                span,
                format!("operator {sign} requires modifiable lvalue as an operand"),
            ));
        }
        if !place.writable {
            return Err(Error::new(
                "D_OP_WRITE",
                span,
                format!("operator {sign} can only be applied to a writable variable"),
            ));
        }
        Ok(())
    }

    /// A place that has a value, which an operator changes.
    fn changed(&mut self, to: &ast::Expr) -> Result<Node, Error> {
        let place = self.target(to)?;
        match place.kind {
            NodeKind::Variable { variable, .. } if self.is_untyped(&place) => {
                Err(self.unassigned(variable, to.span))
            }
            _ => Ok(place),
        }
    }

    /// `to op= value`
    pub(super) fn update(
        &mut self,
        op: Binary,
        to: &ast::Expr,
        value: &ast::Expr,
        span: Span,
    ) -> Result<Node, Error> {
        let divides = matches!(op, Binary::Divide | Binary::Modulo);
        let place = match self.changed(to) {
            Err(_) if divides && self.is_nothing(value) => return Err(divided_by_zero(span)),
            place => place?,
        };
        let by = self.value(value)?;
        if divides && by.is_zero() {
            return Err(divided_by_zero(span));
        }
        let sign = format!("{}=", op.sign());
        let numbers = self.is_integer(&place) && self.is_integer(&by);
        match op {
            Binary::Add | Binary::Subtract => {
                if self.types.is_string(place.ty) || self.types.is_string(by.ty) {
                    return Err(self.incompatible(&place, &sign, &by, span));
                }
                if !numbers {
                    if !self.is_pointer(&place) || self.points_to_no_size(&place) {
                        return Err(Error::new(
                            "D_OP_VFPTR",
                            span,
                            format!(
                                "operator {sign} requires left-hand scalar operand of known size"
                            ),
                        ));
                    }
                    if !self.is_integer(&by) {
                        return Err(self.incompatible(&place, &sign, &by, span));
                    }
                }
            }
            _ => {
                if !numbers {
                    let kind = arithmetic(op).expect("only these have an = of their own");
                    return Err(self.not_numbers(kind, &sign, "operands", span));
                }
            }
        }
        self.must_be_writable(&place, &sign, span)?;
        let change = self.change(op, &place, &by);
        let by = match change {
            Change::Number(Arithmetic::ShiftLeft | Arithmetic::ShiftRight, _)
            | Change::Pointer { .. } => by,
            Change::Number(_, ty) => self.convert(by, ty),
        };
        let ty = place.ty;
        Ok(Node::new(
            NodeKind::Update {
                place: Box::new(place),
                change,
                by: Box::new(by),
                before: false,
            },
            ty,
            span,
        ))
    }
}
