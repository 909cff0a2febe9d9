// SPDX-License-Identifier: GPL-2.0-only
//! Conversions that D makes without being asked, and which of them it allows.
#![forbid(unsafe_code)]

use crate::types::{Intrinsic, Kind, Number, TypeId};

use super::Checker;
use super::tree::{Node, NodeKind};

impl Checker<'_> {
    /// A number or enumeration.
    pub(super) fn is_integer(&self, node: &Node) -> bool {
        self.types.number(node.ty).is_some()
    }

    /// The number 0, which is a pointer to nothing.
    pub(super) fn is_null(&self, node: &Node) -> bool {
        node.is_zero() && self.is_integer(node)
    }

    /// A pointer or array, but no string.
    pub(super) fn is_pointer(&self, node: &Node) -> bool {
        self.types.is_pointer(node.ty) || self.types.is_array(node.ty)
    }

    /// Pointer to void or to a function: what it points to has no size.
    pub(super) fn points_to_no_size(&self, node: &Node) -> bool {
        self.types.is_pointer(node.ty)
            && self
                .types
                .pointee(node.ty)
                .is_some_and(|to| self.types.is_void(to) || self.types.is_function(to))
    }

    /// Pointer to void.
    fn points_to_void(&self, ty: TypeId) -> bool {
        self.types.is_pointer(ty)
            && self
                .types
                .pointee(ty)
                .is_some_and(|to| self.types.is_void(to))
    }

    /// Whether the two can be compared as pointers, or one be assigned to the other.
    pub(super) fn pointers_compatible(&self, left: &Node, right: &Node) -> bool {
        match (self.is_integer(left), self.is_integer(right)) {
            (true, true) => false,
            (true, false) => left.is_zero() && self.is_pointer(right),
            (false, true) => right.is_zero() && self.is_pointer(left),
            (false, false) => self.types.pointers_compatible(left.ty, right.ty),
        }
    }

    /// Whether the value can be assigned to what is of the type, or passed as it.
    pub(super) fn passable(&self, to: TypeId, node: &Node) -> bool {
        if node.is_dynamic() {
            return false;
        }
        // 0 is no string, which is how dynamic variables are freed.
        (node.is_zero() && self.types.is_string(to))
            || (self.types.is_string(node.ty) && self.points_to_void(to))
            || self.types.passable(to, node.ty, node.is_zero())
    }

    /// The value as it is when it was assigned to what is of the type.
    pub(super) fn assigned(&mut self, node: Node, to: TypeId) -> Node {
        if self.types.is_string(to) {
            if self.types.is_string(node.ty) {
                return node;
            }
            return self.text(node);
        }
        if self.types.number(to).is_some() && self.is_integer(&node) {
            return self.convert(node, to);
        }
        Node {
            ty: to,
            lvalue: false,
            writable: false,
            ..self.decayed(node, to)
        }
    }

    /// An array or function where a pointer or number is needed: where it is.
    pub(super) fn decayed(&self, node: Node, to: TypeId) -> Node {
        let placed = self.types.is_array(node.ty) || self.types.is_function(node.ty);
        if !placed || !self.types.is_scalar(to) {
            return node;
        }
        let (ty, span, writable) = (node.ty, node.span, node.writable);
        let none = self.int(0, self.types.intrinsic(Intrinsic::Int), span);
        let kind = NodeKind::Move {
            pointer: Box::new(node),
            index: Box::new(none),
            scale: 1,
            back: false,
        };
        Node {
            writable,
            ..Node::new(kind, ty, span)
        }
    }

    /// A number as one of another type.
    pub(super) fn convert(&self, node: Node, to: TypeId) -> Node {
        let Some(number) = self.types.number(to) else {
            return Node { ty: to, ..node };
        };
        if let NodeKind::Int(value) = node.kind {
            // A constant expression has 64 bits until it is cast or kept; of an unsigned int it is C's.
            let same = self.types.number(node.ty) == Some(number);
            let value = match same && number.signed {
                true => value,
                false => cut(value, number),
            };
            return self.int(value, to, node.span);
        }
        if self.types.number(node.ty) == Some(number) {
            return Node {
                ty: to,
                lvalue: false,
                writable: false,
                ..node
            };
        }
        let span = node.span;
        Node::new(NodeKind::Convert(Box::new(node)), to, span)
    }

    /// A value as a string.
    pub(super) fn text(&mut self, node: Node) -> Node {
        let string = self.types.intrinsic(Intrinsic::String);
        if self.types.is_string(node.ty) || node.is_zero() {
            return Node { ty: string, ..node };
        }
        let limit = match self.types.kind(self.types.resolve(node.ty)) {
            Kind::Array { count, .. } => *count,
            _ => 0,
        };
        let span = node.span;
        Node::new(NodeKind::ToText(Box::new(node), limit), string, span)
    }
}

/// A number as one of a type: its low bits, extended by its sign.
pub(crate) fn cut(value: i64, number: Number) -> i64 {
    match (number.bytes, number.signed) {
        (1, true) => i64::from(value as i8),
        (1, false) => i64::from(value as u8),
        (2, true) => i64::from(value as i16),
        (2, false) => i64::from(value as u16),
        (4, true) => i64::from(value as i32),
        (4, false) => i64::from(value as u32),
        _ => value,
    }
}
