// SPDX-License-Identifier: GPL-2.0-only
//! What D's expressions make of types: which are numbers, what two of them become together, what
//! can be compared, assigned, passed, cast. The rules are those of libdtrace's dt_parser.c, and of
//! libctf where that says which types are the same.
#![forbid(unsafe_code)]

use super::{CHAIN_MAX, Intrinsic, Kind, TypeId, Types};

/// An integer as the machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Whether it has a sign.
    pub signed: bool,
}

impl Types {
    /// Integer or enumeration of at most 8 bytes: its size and sign.
    pub fn number(&self, ty: TypeId) -> Option<Number> {
        match self.kind(self.resolve(ty)) {
            &Kind::Integer { bytes, signed, .. } if bytes <= 8 => Some(Number { bytes, signed }),
            Kind::Enum(enumeration) => Some(Number {
                bytes: enumeration.bytes,
                signed: enumeration.signed,
            }),
            _ => None,
        }
    }

    /// Whether it is void.
    pub fn is_void(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::Void)
    }

    /// Whether it is D's string.
    pub fn is_string(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::String)
    }

    /// Whether it is a string, or an array of char or pointer to char, which D takes as one.
    pub fn is_string_like(&self, ty: TypeId) -> bool {
        self.is_string(ty) || self.pointee(ty).is_some_and(|to| self.is_character(to))
    }

    /// Whether it is `char` or `signed char`.
    pub fn is_character(&self, ty: TypeId) -> bool {
        matches!(
            self.kind(self.resolve(ty)),
            Kind::Integer {
                character: true,
                ..
            }
        )
    }

    /// Whether it is a pointer (not an array).
    pub fn is_pointer(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::Pointer(_))
    }

    /// Whether it is an array.
    pub fn is_array(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::Array { .. })
    }

    /// Whether it is a function.
    pub fn is_function(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::Function { .. })
    }

    /// Whether it is a struct or union, or named only.
    pub fn is_record(&self, ty: TypeId) -> bool {
        matches!(
            self.kind(self.resolve(ty)),
            Kind::Struct(_) | Kind::Union(_) | Kind::Forward { .. }
        )
    }

    /// Whether it is a floating-point number.
    pub fn is_float(&self, ty: TypeId) -> bool {
        matches!(self.kind(self.resolve(ty)), Kind::Float { .. })
    }

    /// Whether it is a number or pointer.
    pub fn is_scalar(&self, ty: TypeId) -> bool {
        self.number(ty).is_some() || self.is_pointer(ty)
    }

    /// What a pointer points to, or an array consists of.
    pub fn pointee(&self, ty: TypeId) -> Option<TypeId> {
        match *self.kind(self.resolve(ty)) {
            Kind::Pointer(to) => Some(to),
            Kind::Array { of, .. } => Some(of),
            _ => None,
        }
    }

    /// A pointer to nothing of a known size: to void or a function. Arithmetic and `*` refuse it.
    pub fn is_pointer_to_unsized(&self, ty: TypeId) -> bool {
        self.is_pointer(ty)
            && self
                .pointee(ty)
                .is_some_and(|to| self.is_void(to) || self.is_function(to))
    }

    /// The type of an operation on this number alone: that of the number, as dtrace has no
    /// promotion to int; of an enumeration, int.
    pub fn promote(&self, ty: TypeId) -> TypeId {
        match self.kind(self.resolve(ty)) {
            Kind::Enum(_) => self.intrinsic(Intrinsic::Int),
            _ => ty,
        }
    }

    /// The type of an operation on two numbers, `None` if one of them is none: the wider of the
    /// two, the unsigned one of two of a size. `char + char` is a char: D goes by the ranks of the
    /// types from char on.
    pub fn arithmetic(&self, left: TypeId, right: TypeId) -> Option<TypeId> {
        let (left, right) = (self.promote(left), self.promote(right));
        let rank = |ty| {
            let number = self.number(ty)?;
            Some(8 * u32::from(number.bytes) + u32::from(!number.signed))
        };
        let (left_rank, right_rank) = (rank(left)?, rank(right)?);
        // Of two that rank the same, as long and long long, dtrace takes the later one.
        let right_wins = match left_rank.cmp(&right_rank) {
            std::cmp::Ordering::Equal => self.resolve(left) < self.resolve(right),
            order => order.is_lt(),
        };
        Some(if right_wins { right } else { left })
    }

    /// Whether the two are the same type, whatever names lead there and wherever it is described:
    /// integers by size and sign, records by tag and size. Functions all are one type in D.
    pub fn same(&self, left: TypeId, right: TypeId) -> bool {
        let (mut left, mut right) = (self.resolve(left), self.resolve(right));
        for _ in 0..CHAIN_MAX {
            if left == right {
                return true;
            }
            (left, right) = match (self.kind(left), self.kind(right)) {
                (Kind::Pointer(left), Kind::Pointer(right)) => {
                    (self.resolve(*left), self.resolve(*right))
                }
                (
                    Kind::Array { of: left, count },
                    Kind::Array {
                        of: right,
                        count: other,
                    },
                ) if count == other => (self.resolve(*left), self.resolve(*right)),
                (Kind::Integer { .. }, Kind::Integer { .. }) => {
                    return self.same_integer(left, right);
                }
                (Kind::Void, Kind::Void)
                | (Kind::String, Kind::String)
                | (Kind::Function { .. }, Kind::Function { .. }) => return true,
                (Kind::Float { bytes: left }, Kind::Float { bytes: right }) => {
                    return left == right;
                }
                (Kind::Struct(left), Kind::Struct(right))
                | (Kind::Union(left), Kind::Union(right)) => {
                    return left.tag.is_some()
                        && left.tag == right.tag
                        && left.bytes == right.bytes;
                }
                (Kind::Enum(left), Kind::Enum(right)) => {
                    return left.tag == right.tag && left.enumerators == right.enumerators;
                }
                (
                    Kind::Forward { union, tag },
                    Kind::Forward {
                        union: other,
                        tag: other_tag,
                    },
                ) => return union == other && tag == other_tag && !tag.is_empty(),
                _ => return false,
            };
        }
        false
    }

    fn same_integer(&self, left: TypeId, right: TypeId) -> bool {
        let parts = |ty| match *self.kind(ty) {
            Kind::Integer {
                bytes,
                signed,
                boolean,
                character,
            } => (bytes, signed || character, boolean, character),
            _ => (0, false, false, false),
        };
        // The kernel's char has no sign since 6.2; it is D's char all the same.
        parts(left) == parts(right)
    }

    /// Whether the two pointers (arrays count) can be compared, assigned, or be the arms of `?:`:
    /// to the same type, or one of them to void.
    pub fn pointers_compatible(&self, left: TypeId, right: TypeId) -> bool {
        match (self.pointee(left), self.pointee(right)) {
            (Some(left), Some(right)) => {
                self.is_void(left) || self.is_void(right) || self.same(left, right)
            }
            _ => false,
        }
    }

    /// Whether a value of `from` can be assigned to what is of type `to`, if that can be assigned
    /// to at all; `zero`: it is the integer constant 0, which any pointer can be.
    pub fn assignable(&self, to: TypeId, from: TypeId, zero: bool) -> bool {
        if self.number(to).is_some() && self.number(from).is_some() {
            return true;
        }
        if self.is_string_like(to) && self.is_string_like(from) {
            return true;
        }
        match self.kind(self.resolve(to)) {
            Kind::Function { .. } | Kind::Struct(_) | Kind::Union(_) => self.same(to, from),
            Kind::Pointer(_) | Kind::Array { .. } if zero && self.number(from).is_some() => true,
            _ => self.pointers_compatible(to, from),
        }
    }

    /// Whether a value of `from` can be passed as `to`, or be a key of this type.
    pub fn passable(&self, to: TypeId, from: TypeId, zero: bool) -> bool {
        self.assignable(to, from, zero)
    }

    /// Whether a value of `from` can be cast to `to`.
    pub fn castable(&self, to: TypeId, from: TypeId) -> bool {
        self.same(to, from)
            || self.is_scalar(to) && (self.is_scalar(from) || self.is_function(from))
            || self.is_void(to)
            || self.is_pointer(to) && self.is_array(from)
            || self.is_string(to)
                && (self.is_scalar(from) || self.is_array(from) || self.is_string_like(from))
    }

    /// The type of `… ? left : right`; `left_zero`, `right_zero`: the arm is the constant 0.
    pub fn conditional(
        &self,
        left: TypeId,
        right: TypeId,
        left_zero: bool,
        right_zero: bool,
    ) -> Option<TypeId> {
        if self.same(left, right) {
            return Some(left);
        }
        if let Some(ty) = self.arithmetic(left, right) {
            return Some(ty);
        }
        if self.is_string_like(left)
            && self.is_string_like(right)
            && (self.is_string(left) || self.is_string(right))
        {
            return Some(self.intrinsic(Intrinsic::String));
        }
        match (self.pointee(left), self.pointee(right)) {
            (Some(_), None) if right_zero && self.number(right).is_some() => Some(left),
            (None, Some(_)) if left_zero && self.number(left).is_some() => Some(right),
            (Some(_), Some(to)) if self.pointers_compatible(left, right) => {
                Some(if self.is_void(to) { left } else { right })
            }
            _ => None,
        }
    }
}
