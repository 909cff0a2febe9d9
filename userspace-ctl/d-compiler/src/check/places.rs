// SPDX-License-Identifier: GPL-2.0-only
//! Places that expressions lead to: what an index, a pointer or a member's name stands for.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{Expr, ExprKind};
use crate::builtins;
use crate::error::{Error, Span};
use crate::prelude;
use crate::types::{Intrinsic, Kind, Member};

use super::Checker;
use super::names::Global;
use super::tree::{Bits, Node, NodeKind};

impl Checker<'_> {
    /// `base[keys]`
    pub(super) fn index(&mut self, base: &Expr, keys: &[Expr], span: Span) -> Result<Node, Error> {
        let variable = match &base.kind {
            ExprKind::Ident(name) | ExprKind::Global(name) => {
                if self
                    .arguments
                    .last()
                    .is_some_and(|known| known.contains_key(name))
                {
                    None
                } else {
                    if prelude::defines_variable(name) && !self.globals.contains_key(name) {
                        self.load_library(name, span)?;
                    }
                    match self.globals.get(name).cloned() {
                        Some(Global::Variable(variable)) => Some(variable),
                        Some(Global::Inline(inline)) if inline.keys.is_some() => {
                            return self.expand(&inline, name, keys, span);
                        }
                        Some(_) => None,
                        None if builtins::is_own_variable(name) => {
                            Some(self.new_variable(name, abi::RTRACE_SCOPE_ARRAY, true, span)?)
                        }
                        None => match self.own_variable(name) {
                            Some(builtins::Variable::Arguments) => {
                                return self.probe_argument(keys, span);
                            }
                            Some(builtins::Variable::Registers) => {
                                return self.user_register(keys, span);
                            }
                            Some(_) => None,
                            None if self.own_function(name).is_some()
                                || builtins::constant(name).is_some() =>
                            {
                                None
                            }
                            None => Some(self.new_variable(
                                name,
                                abi::RTRACE_SCOPE_ARRAY,
                                true,
                                span,
                            )?),
                        },
                    }
                }
            }
            ExprKind::Thread(name) => Some(self.scoped(false, name, span)?),
            ExprKind::Local(name) => Some(self.scoped(true, name, span)?),
            _ => None,
        };
        if let Some(variable) = variable {
            let known = &mut self.program.variables[variable];
            if !known.array && known.ty.is_none() {
                if known.scope == abi::RTRACE_SCOPE_LOCAL {
                    return Err(Error::new(
                        "D_ARR_LOCAL",
                        span,
                        format!(
                            "local variables may not be used as associative arrays: {}",
                            known.name
                        ),
                    ));
                }
                known.array = true;
                known.scope = match known.scope {
                    abi::RTRACE_SCOPE_THREAD => abi::RTRACE_SCOPE_THREAD_ARRAY,
                    _ => abi::RTRACE_SCOPE_ARRAY,
                };
            }
            if self.program.variables[variable].array {
                return self.element(variable, keys, span);
            }
        }
        let pointer = self.value(base)?;
        let [key] = keys else {
            return Err(Error::new(
                "D_ARR_BADREF",
                span,
                format!(
                    "cannot access {} as an associative array",
                    self.shown(&pointer)
                ),
            ));
        };
        let index = self.value(key)?;
        if let Some(at) = index.constant() {
            if let Some(count) = self.declared_elements(base, &pointer)? {
                if at < 0 || at as u64 >= u64::from(count) {
                    return Err(super::operators::out_of_bounds(at, count, span));
                }
            }
        }
        let moves = self.types.is_string(pointer.ty)
            || (self.is_pointer(&pointer) && !self.points_to_no_size(&pointer));
        if moves && self.is_integer(&index) {
            let index = self.within(&pointer, index);
            let moved = self.moved(pointer, index, false, span)?;
            return self.dereference(moved, span);
        }
        if self.is_integer(&pointer) && self.is_integer(&index) {
            return Err(not_a_pointer(span));
        }
        // As in C, 2[p] is p[2].
        if self.is_integer(&pointer) && self.is_pointer(&index) {
            return self.index(key, std::slice::from_ref(base), span);
        }
        Err(self.incompatible(&pointer, "+", &index, span))
    }

    /// `&array[n]` of an array of n elements: as in C the place behind the last may be named,
    /// though not used. Anything else stays refused.
    pub(super) fn behind_last(
        &mut self,
        place: &Expr,
        refusal: Error,
        span: Span,
    ) -> Result<Node, Error> {
        let (ExprKind::Index { base, keys }, "D_ARR_BOUNDS") = (&place.kind, refusal.tag) else {
            return Err(refusal);
        };
        let [key] = &keys[..] else {
            return Err(refusal);
        };
        let (array, index) = (self.value(base)?, self.value(key)?);
        let Kind::Array { count, .. } = *self.types.kind(self.types.resolve(array.ty)) else {
            return Err(refusal);
        };
        if index.constant() != Some(i64::from(count)) {
            return Err(refusal);
        }
        let last = self.int(i64::from(count) - 1, index.ty, span);
        let one = self.int(1, index.ty, span);
        let last = self.moved(array, last, false, span)?;
        self.moved(last, one, false, span)
    }

    /// How many elements there are in the array that a member is declared as, if what it comes to
    /// is a string of D's own.
    fn declared_elements(&mut self, member: &Expr, found: &Node) -> Result<Option<u32>, Error> {
        let ExprKind::Arrow { base, name } = &member.kind else {
            return Ok(None);
        };
        if !self.types.is_string(found.ty) {
            return Ok(None);
        }
        let base = match self.structure(base)? {
            Some(translated) => translated,
            None => self.value(base)?,
        };
        let NodeKind::Translated(translation) = base.kind else {
            return Ok(None);
        };
        Ok(self.elements_of_member(&translation, name))
    }

    /// The one key of an array that takes a constant.
    pub(super) fn constant_key(
        &mut self,
        array: &str,
        keys: &[Expr],
        span: Span,
    ) -> Result<i64, Error> {
        let [key] = keys else {
            return Err(Error::new(
                "D_PROTO_LEN",
                span,
                format!(
                    "{array}[ ] prototype mismatch: {} arg{} passed, 1 expected",
                    keys.len(),
                    if keys.len() == 1 { "" } else { "s" }
                ),
            ));
        };
        let index = self.value(key)?;
        index.constant().ok_or_else(|| {
            Error::new(
                "D_PROTO_ARG",
                span,
                format!(
                    "{array}[ ] argument #1 is incompatible with prototype:\n\t\
                     prototype: integer constant\n\t argument: {}",
                    self.shown(&index)
                ),
            )
        })
    }

    /// `*pointer`
    pub(super) fn dereference(&mut self, pointer: Node, span: Span) -> Result<Node, Error> {
        if let NodeKind::Translated(translation) = &pointer.kind {
            return translation
                .pointed_to()
                .map(|whole| self.translated(whole, span))
                .ok_or_else(|| not_a_pointer(span));
        }
        let to = if self.types.is_string(pointer.ty) {
            Some(self.types.intrinsic(Intrinsic::Char))
        } else {
            self.types.pointee(pointer.ty)
        };
        let Some(to) = to else {
            return Err(not_a_pointer(span));
        };
        if self.types.is_void(to) {
            return Err(Error::new(
                "D_DEREF_VOID",
                span,
                "cannot dereference pointer to void",
            ));
        }
        if self.types.is_function(to) {
            return Err(Error::new(
                "D_DEREF_FUNC",
                span,
                "cannot dereference pointer to function",
            ));
        }
        let lvalue = !self.types.is_array(to);
        let writable =
            pointer.writable && (!self.types.is_string(pointer.ty) || pointer.is_in_variable());
        let mut node = Node::new(
            NodeKind::Memory {
                address: Box::new(pointer),
                offset: 0,
                bits: None,
            },
            to,
            span,
        );
        node.lvalue = lvalue;
        node.writable = writable;
        Ok(node)
    }

    /// `&place`
    pub(super) fn address(&mut self, place: Node, span: Span) -> Result<Node, Error> {
        match &place.kind {
            // What comes of a cast is a value.
            NodeKind::Variable { .. } | NodeKind::Builtin(_) | NodeKind::BuiltinText(_)
                if !place.lvalue =>
            {
                Err(no_place(span))
            }
            NodeKind::Variable { .. }
            | NodeKind::Builtin(_)
            | NodeKind::BuiltinText(_)
            | NodeKind::NoValue(..)
            | NodeKind::Translated(_) => Err(dynamic_variable(span)),
            // An argument of the probe, as its type has it.
            NodeKind::Convert(of) if place.lvalue && matches!(of.kind, NodeKind::Builtin(_)) => {
                Err(dynamic_variable(span))
            }
            NodeKind::Memory { bits: Some(_), .. } => Err(Error::new(
                "D_ADDROF_BITFIELD",
                span,
                "cannot take address of bit-field",
            )),
            NodeKind::Memory { .. } if place.lvalue => {
                let ty = self.types.pointer_to(place.ty);
                let writable = place.writable;
                let mut node = Node::new(NodeKind::Address(Box::new(place)), ty, span);
                node.writable = writable;
                Ok(node)
            }
            _ => Err(no_place(span)),
        }
    }

    /// `base->name`
    pub(super) fn arrow(&mut self, base: &Expr, name: &str, span: Span) -> Result<Node, Error> {
        let base = match self.structure(base)? {
            Some(translated) => translated,
            None => self.value(base)?,
        };
        if let NodeKind::Translated(translation) = &base.kind {
            if let Some(whole) = translation.pointed_to() {
                let mut member = self.translated_member(&whole, name, span)?;
                // A place, though none to write to.
                member.lvalue |= !matches!(member.kind, NodeKind::Memory { .. })
                    && !self.types.is_array(member.ty);
                return Ok(member);
            }
        }
        if !self.types.is_pointer(base.ty) {
            return Err(Error::new(
                "D_OP_PTR",
                span,
                "operator -> must be applied to a pointer",
            ));
        }
        let to = self
            .types
            .pointee(base.ty)
            .expect("pointers point to something");
        let writable = base.writable;
        let mut whole = Node::new(
            NodeKind::Memory {
                address: Box::new(base),
                offset: 0,
                bits: None,
            },
            to,
            span,
        );
        whole.lvalue = true;
        whole.writable = writable;
        self.member(whole, name, "->", span)
    }

    /// The member of a struct or union.
    pub(super) fn member(
        &mut self,
        whole: Node,
        name: &str,
        sign: &str,
        span: Span,
    ) -> Result<Node, Error> {
        if let NodeKind::Translated(translation) = &whole.kind {
            if !translation.pointer {
                return self.translated_member(translation, name, span);
            }
        }
        let record = self.types.resolve(whole.ty);
        match self.types.kind(record) {
            Kind::Struct(_) | Kind::Union(_) => {}
            Kind::Forward { .. } => {
                return Err(Error::new(
                    "D_OP_INCOMPLETE",
                    span,
                    format!(
                        "operator {sign} cannot be applied to a forward declaration: \
                         no {} definition is available",
                        self.types.name(whole.ty)
                    ),
                ));
            }
            _ => {
                let of = self.shown(&whole);
                return Err(Error::new(
                    "D_OP_SOU",
                    span,
                    if sign == "->" {
                        format!(
                            "operator -> cannot be applied to pointer to type \"{of}\"; \
                             must be applied to a struct or union pointer"
                        )
                    } else {
                        format!(
                            "operator {sign} cannot be applied to type \"{of}\"; \
                             must be applied to a struct or union"
                        )
                    },
                ));
            }
        }
        let Some(member) = self.types.member(record, name) else {
            return Err(Error::new(
                "D_TYPE_MEMBER",
                span,
                format!("{name} is not a member of {}", self.types.name(whole.ty)),
            ));
        };
        Ok(self.part(whole, &member, span))
    }

    pub(super) fn part(&mut self, whole: Node, member: &Member, span: Span) -> Node {
        let size = self.types.size(member.ty).unwrap_or(8) as u32;
        let (bytes, bits) = match member.bits {
            None => (member.bit_offset / 8, None),
            Some(width) => {
                let whole = self.types.size(whole.ty).unwrap_or(u64::MAX);
                let (at, bits) = bit_field(member.bit_offset, width, size, whole);
                (at, Some(bits))
            }
        };
        let (lvalue, writable) = (
            whole.lvalue && !self.types.is_array(member.ty),
            whole.writable,
        );
        let kind = match whole.kind {
            NodeKind::Memory {
                address, offset, ..
            } => NodeKind::Memory {
                address,
                offset: offset + i64::from(bytes),
                bits,
            },
            _ => NodeKind::Memory {
                address: Box::new(whole),
                offset: i64::from(bytes),
                bits,
            },
        };
        let mut node = Node::new(kind, member.ty, span);
        node.lvalue = lvalue;
        node.writable = writable;
        node
    }
}

fn not_a_pointer(span: Span) -> Error {
    Error::new(
        "D_DEREF_NONPTR",
        span,
        "cannot dereference non-pointer type",
    )
}

/// Where a bit-field of a record of `whole` bytes is: the byte from which a number is loaded, and
/// its bits in there. It is the number of the field's type where that lies in the record and holds
/// all bits, as a compiler would load it.
fn bit_field(bit_offset: u32, width: u32, size: u32, whole: u64) -> (u32, Bits) {
    let mut bytes = size.clamp(1, 8).next_power_of_two();
    let mut at = bit_offset / (bytes * 8) * bytes;
    if bit_offset - at * 8 + width > bytes * 8 || u64::from(at + bytes) > whole {
        // A packed record, or one that a program declares: from the first byte on.
        at = bit_offset / 8;
        bytes = (bit_offset % 8 + width)
            .div_ceil(8)
            .next_power_of_two()
            .min(8);
    }
    (
        at,
        Bits {
            shift: (bit_offset - at * 8) as u8,
            width: width.min(64 - (bit_offset - at * 8)) as u8,
            bytes: bytes as u8,
        },
    )
}

fn dynamic_variable(span: Span) -> Error {
    Error::new(
        "D_ADDROF_VAR",
        span,
        "cannot take address of dynamic variable",
    )
}

fn no_place(span: Span) -> Error {
    Error::new(
        "D_ADDROF_LVAL",
        span,
        "unacceptable operand for unary & operator",
    )
}
