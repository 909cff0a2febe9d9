// SPDX-License-Identifier: GPL-2.0-only
//! Expressions: names, constants, assignments, casts and sizes.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{Expr, ExprKind, Suffix};
use crate::error::{Error, Span};
use crate::types::{Intrinsic, Kind, TypeId};

use super::Checker;
use super::cut;
use super::names::{bad_reference, undefined};
use super::statements::innermost;
use super::tree::{Node, NodeKind};

impl Checker<'_> {
    /// An expression whose value is needed.
    pub(super) fn value(&mut self, expr: &Expr) -> Result<Node, Error> {
        let node = self.scalar(expr)?;
        match node.kind {
            NodeKind::Variable { variable, .. } if self.is_untyped(&node) => {
                Err(self.unassigned(variable, expr.span))
            }
            _ => Ok(node),
        }
    }

    /// What an operator of one operand stands before or behind: as in libdtrace, a variable of
    /// `self`, `this` or an array that has no type yet has one from here on.
    pub(super) fn operand(&mut self, expr: &Expr) -> Result<Node, Error> {
        let mut node = self.scalar(expr)?;
        if self.is_untyped(&node) {
            let ty = self.types.intrinsic(Intrinsic::Int64);
            self.give_type(&mut node, ty)?;
        }
        Ok(node)
    }

    /// An expression that is no associative array as a whole.
    fn scalar(&mut self, expr: &Expr) -> Result<Node, Error> {
        let node = self.reference(expr)?;
        match node.kind {
            NodeKind::Variable { variable, ref keys }
                if self.program.variables[variable].array && keys.is_empty() =>
            {
                Err(bad_reference(
                    "associative array",
                    &self.written(variable),
                    "scalar",
                    expr.span,
                ))
            }
            _ => Ok(node),
        }
    }

    /// A variable is read of which nothing is known.
    pub(super) fn unassigned(&self, variable: usize, span: Span) -> Error {
        Error::new(
            "D_VAR_UNDEF",
            span,
            format!(
                "{} has not yet been declared or assigned",
                self.written(variable)
            ),
        )
    }

    /// What is assigned to: a global that is not there is made.
    pub(super) fn target(&mut self, expr: &Expr) -> Result<Node, Error> {
        match &expr.kind {
            ExprKind::Ident(name) | ExprKind::Global(name)
                if self.arguments.is_empty() && self.is_free(name, expr.span)? =>
            {
                let variable =
                    self.new_variable(name, abi::RTRACE_SCOPE_GLOBAL, false, expr.span)?;
                Ok(self.variable(variable, Vec::new(), expr.span))
            }
            _ => self.reference(expr),
        }
    }

    /// Gives a variable its type.
    pub(super) fn give_type(&mut self, place: &mut Node, ty: TypeId) -> Result<(), Error> {
        if let NodeKind::Variable { variable, .. } = place.kind {
            let scope = self.program.variables[variable].scope;
            self.fits(ty, (scope, &self.written(variable)), place.span)?;
            self.program.variables[variable].ty = Some(ty);
            place.ty = ty;
        }
        Ok(())
    }

    /// Whether a variable of the type can be kept. Of what is not global there is a copy wherever it is
    /// named, and a clause must have room for two.
    pub(super) fn fits(
        &self,
        ty: TypeId,
        (scope, name): (u32, &str),
        span: Span,
    ) -> Result<(), Error> {
        let size = self.types.size(ty).unwrap_or(0);
        let most = match scope {
            abi::RTRACE_SCOPE_GLOBAL => abi::RTRACE_VARIABLE_BYTES_MAX,
            _ => abi::RTRACE_SCRATCH_BYTES / 2,
        };
        if !self.types.is_string(ty) && !self.types.is_scalar(ty) && size > u64::from(most) {
            return Err(Error::new(
                "D_DECL_ARRBIG",
                span,
                format!("{name} takes {size} bytes, but such a variable takes {most} at most"),
            ));
        }
        Ok(())
    }

    /// An expression as a place, if it is one; variables of `self`, `this` and arrays may have no
    /// type yet.
    pub(super) fn reference(&mut self, expr: &Expr) -> Result<Node, Error> {
        // What a library says is of the place that made use of it.
        let span = self.library_use.unwrap_or(expr.span);
        match &expr.kind {
            ExprKind::Int {
                value,
                suffix,
                decimal,
            } => self.integer(*value, *suffix, *decimal, span),
            // A constant as any other: several characters may be more than an int holds.
            ExprKind::Char(value) => self.integer(*value as u64, Suffix::default(), true, span),
            ExprKind::String(text) => Ok(Node::new(
                NodeKind::Text(text.clone()),
                self.types.intrinsic(Intrinsic::String),
                span,
            )),
            ExprKind::Ident(name) => self
                .global(name, span)?
                .ok_or_else(|| undefined(name, span)),
            ExprKind::Global(name) => {
                // Whatever an inline's argument is called.
                let arguments = std::mem::take(&mut self.arguments);
                let node = self.global(name, span);
                self.arguments = arguments;
                node?.ok_or_else(|| undefined(name, span))
            }
            ExprKind::External { module, name } => self.external(module.as_deref(), name, span),
            ExprKind::Thread(name) => {
                let variable = self.scoped(false, name, span)?;
                Ok(self.variable(variable, Vec::new(), span))
            }
            ExprKind::Local(name) => {
                let variable = self.scoped(true, name, span)?;
                Ok(self.variable(variable, Vec::new(), span))
            }
            ExprKind::Aggregation { name, .. } => self.aggregation_alone(name, span),
            ExprKind::Call { name, arguments } => self.call(name, arguments, span),
            ExprKind::Index { base, keys } => self.index(base, keys, span),
            ExprKind::Member { base, name } => {
                let base = self.value(base)?;
                self.member(base, name, ".", span)
            }
            ExprKind::Arrow { base, name } => self.arrow(base, name, span),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, span),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, span),
            ExprKind::Assign { op, to, value } => match op {
                None => self.assign(to, value, span),
                Some(op) => self.update(*op, to, value, span),
            },
            ExprKind::Conditional {
                condition,
                then,
                otherwise,
            } => self.conditional(condition, then, otherwise, span),
            ExprKind::Cast { to, operand } => {
                let ty = self.type_name(to)?;
                let node = self.value(operand)?;
                self.cast(ty, node, span)
            }
            ExprKind::SizeofType(name) => {
                let ty = self.type_name(name)?;
                self.size_of(ty, span)
            }
            ExprKind::SizeofExpr(operand) => self.size_of_expression(operand, span),
            ExprKind::Offsetof { of, member } => {
                let ty = self.type_name(of)?;
                self.offset_of(ty, member, span)
            }
            ExprKind::Stringof(operand) => {
                let node = self.operand(operand)?;
                if !self.types.is_scalar(node.ty)
                    && !self.is_pointer(&node)
                    && !self.types.is_string_like(node.ty)
                {
                    return Err(Error::new(
                        "D_STRINGOF_TYPE",
                        span,
                        format!(
                            "cannot apply stringof to a value of type {}",
                            self.shown(&node)
                        ),
                    ));
                }
                Ok(self.stringof(node, span))
            }
            ExprKind::Xlate { to, operand } => {
                let ty = self.type_name(to)?;
                let node = self.value(operand)?;
                let translation = self.translate(ty, node, span)?;
                Ok(self.translated(translation, span))
            }
            ExprKind::Comma(left, right) => {
                let actions = [&**left, &**right].map(super::calls::is_action);
                let left = self.value(left)?;
                let right = self.value(right)?;
                if (left.is_dynamic() && !actions[0]) || (right.is_dynamic() && !actions[1]) {
                    return Err(Error::new(
                        "D_OP_DYN",
                        span,
                        "operator , operands cannot be of dynamic type",
                    ));
                }
                if actions.contains(&true) {
                    return Err(Error::new(
                        "D_OP_ACT",
                        span,
                        "operator , operands cannot be actions",
                    ));
                }
                let ty = right.ty;
                Ok(Node::new(
                    NodeKind::Comma(Box::new(left), Box::new(right)),
                    ty,
                    span,
                ))
            }
        }
    }

    /// An aggregation where it has no value.
    pub(super) fn aggregation_alone(&self, name: &str, span: Span) -> Result<Node, Error> {
        if !self.aggregations.contains_key(name) {
            return Err(undefined(&format!("@{name}"), span));
        }
        Ok(self.no_value(&format!("aggregation @{name}"), "aggregation", span))
    }

    /// What has no value.
    pub(super) fn no_value(&self, what: &str, ty: &'static str, span: Span) -> Node {
        Node::new(
            NodeKind::NoValue(what.to_owned(), ty),
            self.types.intrinsic(Intrinsic::Void),
            span,
        )
    }

    /// The type of an integer constant is the first of C's list that holds it.
    fn integer(
        &self,
        value: u64,
        suffix: Suffix,
        decimal: bool,
        span: Span,
    ) -> Result<Node, Error> {
        let list = [
            (Intrinsic::Int, i32::MAX as u64),
            (Intrinsic::UnsignedInt, u64::from(u32::MAX)),
            (Intrinsic::Long, i64::MAX as u64),
            (Intrinsic::UnsignedLong, u64::MAX),
            (Intrinsic::LongLong, i64::MAX as u64),
            (Intrinsic::UnsignedLongLong, u64::MAX),
        ];
        let first = usize::from(suffix.unsigned)
            + 2 * usize::from(suffix.long || suffix.long_long)
            + 2 * usize::from(suffix.long_long);
        let step = if decimal || suffix.unsigned { 2 } else { 1 };
        for (ty, limit) in list.iter().skip(first).step_by(step) {
            if value <= *limit {
                return Ok(self.int(value as i64, self.types.intrinsic(*ty), span));
            }
        }
        Err(Error::new(
            "D_INT_OFLOW",
            span,
            format!(
                "integer constant {value:#x} cannot be represented in any built-in integral type"
            ),
        ))
    }

    fn assign(&mut self, to: &Expr, value: &Expr, span: Span) -> Result<Node, Error> {
        if let ExprKind::Aggregation { name, .. } = &to.kind {
            return Err(Error::new(
                "D_AGG_FUNC",
                span,
                format!(
                    "@{name} must be assigned the result of an aggregating function, \
                     in a statement of its own"
                ),
            ));
        }
        if assigns_aggregation(to) {
            return Err(Error::new(
                "D_OP_LVAL",
                span,
                "operator = requires modifiable lvalue as an operand",
            ));
        }
        let mut place = self.target(to)?;
        let node = match self.value(value)? {
            Node {
                kind: NodeKind::Translated(translation),
                ..
            } if !translation.pointer => self.whole(&translation, span)?,
            node => node,
        };
        if self.is_untyped(&place) {
            if node.is_dynamic() || self.types.is_void(node.ty) {
                return Err(self.incompatible(&place, "=", &node, span));
            }
            // What comes of an array or function is no variable.
            if !self.types.is_array(node.ty) && !self.types.is_function(node.ty) {
                self.give_type(&mut place, node.ty)?;
            } else {
                place.ty = node.ty;
            }
        }
        if !self.types.is_string(place.ty)
            && (self.types.is_array(place.ty) || self.types.is_function(place.ty))
        {
            return Err(Error::new(
                "D_OP_ARRFUN",
                span,
                format!(
                    "operator = may not be applied to operand of type \"{}\"",
                    self.types.name(place.ty)
                ),
            ));
        }
        let fits = self.passable(place.ty, &node) || (node.is_zero() && self.may_go(&place));
        if place.lvalue && !fits {
            return Err(self.incompatible(&place, "=", &node, span));
        }
        self.must_be_writable(&place, "=", span)?;
        self.keep_origin(&place, &node, span)?;
        let ty = place.ty;
        let node = self.assigned(node, ty);
        Ok(Node::new(
            NodeKind::Assign(Box::new(place), Box::new(node)),
            ty,
            span,
        ))
    }

    /// Whether the place is a struct or union that 0 takes away: an element of an array, or a
    /// thread's.
    fn may_go(&self, place: &Node) -> bool {
        let NodeKind::Variable { variable, .. } = place.kind else {
            return false;
        };
        let scope = self.program.variables[variable].scope;
        self.types.is_record(place.ty)
            && matches!(
                scope,
                abi::RTRACE_SCOPE_ARRAY | abi::RTRACE_SCOPE_THREAD | abi::RTRACE_SCOPE_THREAD_ARRAY
            )
    }

    pub(super) fn cast(&mut self, to: TypeId, node: Node, span: Span) -> Result<Node, Error> {
        let scalar = self.types.is_scalar(node.ty);
        let allowed = if node.is_dynamic() {
            self.types.is_void(to)
        } else {
            self.types.same(to, node.ty)
                || (self.types.is_scalar(to) && (scalar || self.types.is_function(node.ty)))
                || self.types.is_void(to)
                || (self.types.is_pointer(to) && self.is_pointer(&node))
                || (self.types.is_string(to)
                    && (scalar || self.is_pointer(&node) || self.types.is_string_like(node.ty)))
                // A string is where its text is.
                || (self.types.is_pointer(to) && self.types.is_string(node.ty))
        };
        if !allowed {
            return Err(Error::new(
                "D_CAST_INVAL",
                span,
                format!(
                    "invalid cast expression: \"{}\" to \"{}\"",
                    self.shown(&node),
                    self.types.name(to)
                ),
            ));
        }
        let writable = node.writable;
        let mut node = if self.types.is_string(to) {
            self.stringof(node, span)
        } else if self.types.number(to).is_some() {
            if self.is_integer(&node) {
                self.cast_number(node, to)
            } else {
                // A pointer is a number of 8 bytes.
                let word = self.types.intrinsic(Intrinsic::Uintptr);
                let node = self.decayed(node, word);
                self.convert(Node { ty: word, ..node }, to)
            }
        } else {
            let node = self.decayed(node, to);
            Node { ty: to, ..node }
        };
        node.span = span;
        node.lvalue = false;
        node.writable = writable;
        Ok(node)
    }

    /// A number that is asked to be of a type.
    fn cast_number(&self, node: Node, to: TypeId) -> Node {
        match (node.constant(), self.types.number(to)) {
            (Some(value), Some(number)) => self.int(cut(value, number), to, node.span),
            _ => self.convert(node, to),
        }
    }

    /// Whatever it is, as a string.
    fn stringof(&mut self, node: Node, span: Span) -> Node {
        if self.is_integer(&node) {
            let string = self.types.intrinsic(Intrinsic::String);
            return Node::new(NodeKind::ToText(Box::new(node), 0), string, span);
        }
        self.text(node)
    }

    fn size_of(&self, ty: TypeId, span: Span) -> Result<Node, Error> {
        let size = if self.types.is_string(ty) {
            Some(u64::from(self.options.strsize))
        } else {
            self.types.size(ty)
        };
        match size {
            Some(size) if size != 0 => {
                Ok(self.int(size as i64, self.types.intrinsic(Intrinsic::Size), span))
            }
            _ => Err(Error::new(
                "D_SIZEOF_TYPE",
                span,
                "cannot apply sizeof to an operand of unknown size",
            )),
        }
    }

    fn size_of_expression(&mut self, operand: &Expr, span: Span) -> Result<Node, Error> {
        if let ExprKind::String(text) = &operand.kind {
            let size = text.len() as i64 + 1;
            return Ok(self.int(size, self.types.intrinsic(Intrinsic::Size), span));
        }
        let node = self.operand(operand)?;
        if matches!(node.kind, NodeKind::Memory { bits: Some(_), .. }) {
            return Err(Error::new(
                "D_SIZEOF_BITFIELD",
                span,
                "cannot apply sizeof to a bit-field",
            ));
        }
        self.size_of(node.ty, span)
    }

    fn offset_of(&self, ty: TypeId, name: &str, span: Span) -> Result<Node, Error> {
        let record = self.types.resolve(ty);
        if !matches!(self.types.kind(record), Kind::Struct(_) | Kind::Union(_)) {
            return Err(Error::new(
                "D_OFFSETOF_TYPE",
                span,
                "offsetof operand must be a struct or union type",
            ));
        }
        let Some(member) = self.types.member(record, name) else {
            return Err(Error::new(
                "D_UNKNOWN",
                span,
                format!(
                    "failed to determine offset of {name}: No member of structure or union with that name"
                ),
            ));
        };
        if member.bits.is_some() {
            return Err(Error::new(
                "D_OFFSETOF_BITFIELD",
                span,
                format!("cannot take offset of a bit-field: {name}"),
            ));
        }
        let offset = i64::from(member.bit_offset / 8);
        Ok(self.int(offset, self.types.intrinsic(Intrinsic::Size), span))
    }
}

/// `@a = function()`, which is no place that can be assigned to.
fn assigns_aggregation(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Assign { op: None, to, .. } if innermost(to))
}
