// SPDX-License-Identifier: GPL-2.0-only
//! What operators ask of their operands, what they result in, and constants folded.
#![forbid(unsafe_code)]

use crate::ast::{self, Binary, Unary};
use crate::error::{Error, Span};
use crate::types::{Intrinsic, TypeId};

use super::Checker;
use super::convert::cut;
use super::origin::Origin;
use super::tree::{Arithmetic, Comparison, Logical, Node, NodeKind};

pub(super) fn unary_sign(op: Unary) -> &'static str {
    match op {
        Unary::Plus => "+",
        Unary::Minus => "-",
        Unary::Complement => "~",
        Unary::Not => "!",
        Unary::Dereference => "*",
        Unary::Address => "&",
        Unary::PreIncrement | Unary::PostIncrement => "++",
        Unary::PreDecrement | Unary::PostDecrement => "--",
    }
}

/// The operation on numbers, if the operator is one.
pub(super) fn arithmetic(op: Binary) -> Option<Arithmetic> {
    Some(match op {
        Binary::Multiply => Arithmetic::Multiply,
        Binary::Divide => Arithmetic::Divide,
        Binary::Modulo => Arithmetic::Modulo,
        Binary::Add => Arithmetic::Add,
        Binary::Subtract => Arithmetic::Subtract,
        Binary::ShiftLeft => Arithmetic::ShiftLeft,
        Binary::ShiftRight => Arithmetic::ShiftRight,
        Binary::And => Arithmetic::And,
        Binary::Xor => Arithmetic::Xor,
        Binary::Or => Arithmetic::Or,
        _ => return None,
    })
}

fn comparison(op: Binary) -> Option<Comparison> {
    Some(match op {
        Binary::Less => Comparison::Less,
        Binary::LessEqual => Comparison::LessEqual,
        Binary::Greater => Comparison::Greater,
        Binary::GreaterEqual => Comparison::GreaterEqual,
        Binary::Equal => Comparison::Equal,
        Binary::NotEqual => Comparison::NotEqual,
        _ => return None,
    })
}

/// Two constants become one, with 64 bits. `None`: it cannot be said (which faults at run time).
fn fold(op: Arithmetic, signed: bool, left: i64, right: i64) -> Option<i64> {
    Some(match op {
        Arithmetic::Add => left.wrapping_add(right),
        Arithmetic::Subtract => left.wrapping_sub(right),
        Arithmetic::Multiply => left.wrapping_mul(right),
        Arithmetic::Divide | Arithmetic::Modulo if right == 0 => return None,
        Arithmetic::Divide if signed => left.wrapping_div(right),
        Arithmetic::Divide => (left as u64 / right as u64) as i64,
        Arithmetic::Modulo if signed => left.wrapping_rem(right),
        Arithmetic::Modulo => (left as u64 % right as u64) as i64,
        Arithmetic::And => left & right,
        Arithmetic::Or => left | right,
        Arithmetic::Xor => left ^ right,
        Arithmetic::ShiftLeft => left.wrapping_shl(right as u32),
        Arithmetic::ShiftRight if signed => left.wrapping_shr(right as u32),
        Arithmetic::ShiftRight => (left as u64).wrapping_shr(right as u32) as i64,
    })
}

/// A constant index is beyond an array.
pub(super) fn out_of_bounds(index: i64, count: u32, span: Span) -> Error {
    Error::new(
        "D_ARR_BOUNDS",
        span,
        format!(
            "index outside array bounds: {}, max is {count}",
            index as u64
        ),
    )
}

impl Checker<'_> {
    pub(super) fn integer_type(&self) -> TypeId {
        self.types.intrinsic(Intrinsic::Int)
    }

    pub(super) fn is_signed(&self, ty: TypeId) -> bool {
        self.types.number(ty).is_some_and(|number| number.signed)
    }

    /// Both types and the operator between them.
    pub(super) fn incompatible(&self, left: &Node, sign: &str, right: &Node, span: Span) -> Error {
        Error::new(
            "D_OP_INCOMPAT",
            span,
            format!(
                "operands have incompatible types: \"{}\" {sign} \"{}\"",
                self.shown(left),
                self.shown(right)
            ),
        )
    }

    /// A node's type for messages.
    pub(super) fn shown(&self, node: &Node) -> String {
        match &node.kind {
            NodeKind::NoValue(_, ty) => (*ty).to_owned(),
            NodeKind::Translated(translation) => translation.shown().to_owned(),
            _ => self.types.name(node.ty),
        }
    }

    /// `left op right`
    pub(super) fn binary(
        &mut self,
        op: Binary,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Result<Node, Error> {
        let left = match self.value(left) {
            // libdtrace finds a division by zero before it looks at names and types.
            Err(_) if matches!(op, Binary::Divide | Binary::Modulo) && self.is_nothing(right) => {
                return Err(divided_by_zero(span));
            }
            left => left?,
        };
        if let Some(op) = comparison(op) {
            let right = match self.enumerator_beside(&left, right, op, span)? {
                Some(right) => right,
                None => self.value(right)?,
            };
            return self.compare(op, left, right, span);
        }
        let right = self.value(right)?;
        match op {
            Binary::LogicalAnd => self.logical(Logical::And, left, right, "&&", span),
            Binary::LogicalOr => self.logical(Logical::Or, left, right, "||", span),
            Binary::LogicalXor => self.logical(Logical::Xor, left, right, "^^", span),
            Binary::Add | Binary::Subtract => self.additive(op, left, right, span),
            _ => {
                let kind = arithmetic(op).expect("what is left are operations on numbers");
                self.numeric(kind, op.sign(), left, right, span)
            }
        }
    }

    /// Whether the expression is the constant 0.
    pub(super) fn is_nothing(&mut self, expr: &ast::Expr) -> bool {
        self.value(expr).is_ok_and(|node| node.is_zero())
    }

    /// Beside a value of an enumeration a name is that of an enumerator first.
    fn enumerator_beside(
        &mut self,
        left: &Node,
        right: &ast::Expr,
        op: Comparison,
        span: Span,
    ) -> Result<Option<Node>, Error> {
        let ast::ExprKind::Ident(name) = &right.kind else {
            return Ok(None);
        };
        let crate::types::Kind::Enum(enumeration) = self.types.kind(self.types.resolve(left.ty))
        else {
            return Ok(None);
        };
        let Some((_, value)) = enumeration
            .enumerators
            .iter()
            .find(|(known, _)| known == name)
        else {
            return Ok(None);
        };
        let value = *value;
        let variable = match self.globals.get(name) {
            Some(super::names::Global::Constant(..)) => false,
            Some(_) => true,
            None => self.own_variable(name).is_some(),
        };
        if variable {
            return Err(Error::new(
                "D_IDENT_AMBIG",
                span,
                format!(
                    "ambiguous use of operator {}: {name} is both a {} enum tag and a global variable",
                    op.sign(),
                    self.types.name(left.ty)
                ),
            ));
        }
        Ok(Some(self.int(value, left.ty, right.span)))
    }

    /// Numbers only: `* / % & | ^ << >>`.
    fn numeric(
        &mut self,
        op: Arithmetic,
        sign: &str,
        left: Node,
        right: Node,
        span: Span,
    ) -> Result<Node, Error> {
        if matches!(op, Arithmetic::Divide | Arithmetic::Modulo) && right.is_zero() {
            return Err(divided_by_zero(span));
        }
        if !self.is_integer(&left) || !self.is_integer(&right) {
            return Err(self.not_numbers(op, sign, "operands", span));
        }
        let ty = match op {
            Arithmetic::ShiftLeft | Arithmetic::ShiftRight => self.types.promote(left.ty),
            _ => self.common(&left, &right),
        };
        Ok(self.operation(op, left, right, ty, span))
    }

    pub(super) fn not_numbers(&self, op: Arithmetic, sign: &str, who: &str, span: Span) -> Error {
        match op {
            Arithmetic::Multiply | Arithmetic::Divide => Error::new(
                "D_OP_ARITH",
                span,
                format!("operator {sign} requires {who} of arithmetic type"),
            ),
            _ => Error::new(
                "D_OP_INT",
                span,
                format!("operator {sign} requires {who} of integral type"),
            ),
        }
    }

    pub(super) fn common(&self, left: &Node, right: &Node) -> TypeId {
        self.types
            .arithmetic(left.ty, right.ty)
            .expect("both are numbers")
    }

    /// An operand of what is done in a type. What has less than 32 bits stays what it is: neither C nor libdtrace would make
    /// -2 a large number because the other one has no sign.
    pub(super) fn as_operand(&self, node: Node, ty: TypeId) -> Node {
        match self.types.number(ty) {
            Some(number) if number.bytes < 4 => node,
            _ => self.convert(node, ty),
        }
    }

    /// An operation in a type, or its result if both operands are constants.
    fn operation(
        &mut self,
        op: Arithmetic,
        left: Node,
        right: Node,
        ty: TypeId,
        span: Span,
    ) -> Node {
        if let (Some(left), Some(right)) = (left.constant(), right.constant()) {
            if let Some(value) = fold(op, self.is_signed(ty), left, right) {
                return self.int(value, ty, span);
            }
        }
        let left = self.as_operand(left, ty);
        let right = match op {
            Arithmetic::ShiftLeft | Arithmetic::ShiftRight => right,
            _ => self.as_operand(right, ty),
        };
        Node::new(
            NodeKind::Arithmetic(op, Box::new(left), Box::new(right)),
            ty,
            span,
        )
    }

    fn additive(&mut self, op: Binary, left: Node, right: Node, span: Span) -> Result<Node, Error> {
        let back = op == Binary::Subtract;
        let moves = |this: &Self, node: &Node| {
            this.types.is_string(node.ty)
                || (this.is_pointer(node) && !this.points_to_no_size(node))
        };
        let (left_moves, right_moves) = (moves(self, &left), moves(self, &right));
        let (left_counts, right_counts) = (self.is_integer(&left), self.is_integer(&right));
        if left_counts && right_counts {
            let ty = self.common(&left, &right);
            let op = arithmetic(op).expect("+ and - are");
            return Ok(self.operation(op, left, right, ty, span));
        }
        if left_moves && right_counts {
            return self.moved(left, right, back, span);
        }
        if left_counts && right_moves && !back {
            return self.moved(right, left, back, span);
        }
        if left_moves && right_moves && back && self.pointers_compatible(&left, &right) {
            if let (Origin::Own, Origin::Other) | (Origin::Other, Origin::Own) =
                (self.origin(&left), self.origin(&right))
            {
                return Err(Error::new(
                    "D_OP_INCOMPAT",
                    span,
                    "subtracting pointers to alloca and non-alloca space is meaningless",
                ));
            }
            let scale = self.scale(&left);
            let ty = self.types.intrinsic(Intrinsic::Long);
            return Ok(Node::new(
                NodeKind::Distance {
                    left: Box::new(left),
                    right: Box::new(right),
                    scale,
                },
                ty,
                span,
            ));
        }
        Err(self.incompatible(&left, op.sign(), &right, span))
    }

    /// Bytes of what a pointer, array or string moves by.
    pub(super) fn scale(&self, node: &Node) -> u64 {
        if self.types.is_string(node.ty) {
            return 1;
        }
        self.types
            .pointee(node.ty)
            .and_then(|to| self.types.room(to))
            .unwrap_or(1)
            .max(1)
    }

    /// The index of an array of a known number of elements, one that is known only when the clause
    /// runs: then it is checked.
    pub(super) fn within(&self, array: &Node, index: Node) -> Node {
        match self.types.kind(self.types.resolve(array.ty)) {
            // 0: as many as there are, which nobody knows.
            crate::types::Kind::Array { count, .. }
                if index.constant().is_none() && (1..=i32::MAX as u32).contains(count) =>
            {
                let (ty, span) = (index.ty, index.span);
                Node::new(NodeKind::Within(Box::new(index), *count), ty, span)
            }
            _ => index,
        }
    }

    /// A pointer moved.
    pub(super) fn moved(
        &mut self,
        mut pointer: Node,
        index: Node,
        back: bool,
        span: Span,
    ) -> Result<Node, Error> {
        if let crate::types::Kind::Array { count, .. } =
            self.types.kind(self.types.resolve(pointer.ty))
        {
            // 0: as many as there are, which nobody knows.
            let count = *count;
            if let Some(index) = index.constant().filter(|_| !back) {
                let beyond = count != 0 && (index < 0 || index as u64 >= u64::from(count));
                if beyond
                    && matches!(&pointer.kind, NodeKind::Variable { keys, .. } if !keys.is_empty())
                {
                    // As in dtrace what an associative array holds is looked at when it is used:
                    // behind address 0, where nothing is.
                    pointer.kind = NodeKind::Int(0);
                } else if beyond {
                    return Err(out_of_bounds(index, count, span));
                }
            }
        }
        let scale = self.scale(&pointer);
        let ty = match self.types.kind(self.types.resolve(pointer.ty)) {
            crate::types::Kind::Array { of, .. } => {
                let of = *of;
                self.types.pointer_to(of)
            }
            _ => pointer.ty,
        };
        let writable = pointer.writable;
        let mut node = Node::new(
            NodeKind::Move {
                pointer: Box::new(pointer),
                index: Box::new(index),
                scale,
                back,
            },
            ty,
            span,
        );
        // *(a + i) is a place that may be assigned to if a is a variable.
        node.writable = writable && !back;
        Ok(node)
    }

    /// `op operand`, or `operand op`
    pub(super) fn unary(
        &mut self,
        op: Unary,
        operand: &ast::Expr,
        span: Span,
    ) -> Result<Node, Error> {
        match op {
            Unary::PreIncrement => self.step(operand, op, false, false, span),
            Unary::PreDecrement => self.step(operand, op, true, false, span),
            Unary::PostIncrement => self.step(operand, op, false, true, span),
            Unary::PostDecrement => self.step(operand, op, true, true, span),
            Unary::Address => match self.operand(operand) {
                Ok(node) => self.address(node, span),
                Err(refusal) => self.behind_last(operand, refusal, span),
            },
            Unary::Dereference => {
                let node = self.operand(operand)?;
                self.dereference(node, span)
            }
            Unary::Plus | Unary::Minus => {
                let node = self.operand(operand)?;
                if !self.is_integer(&node) {
                    return Err(Error::new(
                        "D_OP_ARITH",
                        span,
                        format!(
                            "operator {} requires an operand of arithmetic type",
                            unary_sign(op)
                        ),
                    ));
                }
                let ty = self.types.promote(node.ty);
                if op == Unary::Plus {
                    return Ok(self.convert(node, ty));
                }
                if let Some(value) = node.constant() {
                    let value = value.wrapping_neg();
                    let value = match self.types.number(ty) {
                        Some(number) if !number.signed => cut(value, number),
                        _ => value,
                    };
                    return Ok(self.int(value, ty, span));
                }
                let node = self.convert(node, ty);
                Ok(Node::new(NodeKind::Negate(Box::new(node)), ty, span))
            }
            Unary::Complement => {
                let node = self.operand(operand)?;
                if !self.is_integer(&node) {
                    return Err(Error::new(
                        "D_OP_INT",
                        span,
                        "operator ~ requires an operand of integral type",
                    ));
                }
                let ty = self.types.promote(node.ty);
                if let Some(value) = node.constant() {
                    return Ok(self.int(!value, ty, span));
                }
                let node = self.convert(node, ty);
                Ok(Node::new(NodeKind::Complement(Box::new(node)), ty, span))
            }
            Unary::Not => {
                let node = self.operand(operand)?;
                if !self.types.is_scalar(node.ty) {
                    return Err(Error::new(
                        "D_OP_SCALAR",
                        span,
                        "operator ! requires an operand of scalar type",
                    ));
                }
                if let Some(value) = node.constant() {
                    // As in libdtrace a constant stays of its type.
                    return Ok(self.int(i64::from(value == 0), node.ty, span));
                }
                let ty = self.integer_type();
                Ok(Node::new(NodeKind::Not(Box::new(node)), ty, span))
            }
        }
    }
}

pub(super) fn divided_by_zero(span: Span) -> Error {
    Error::new("D_DIV_ZERO", span, "expression contains division by zero")
}
