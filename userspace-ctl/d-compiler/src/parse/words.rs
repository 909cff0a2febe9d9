// SPDX-License-Identifier: GPL-2.0-only
//! The words of a type, and what they mean together.
#![forbid(unsafe_code)]

use super::Result;
use crate::ast::{BaseType, IntegerKind, Storage};
use crate::error::{Error, Span};

/// The words before declarators, as they are collected.
#[derive(Default)]
pub(super) struct Words {
    pub storage: Option<Storage>,
    /// `char`, `int`, `void`, `float`, `double`, or a type that is not made of words.
    pub base: Option<Base>,
    pub signed: bool,
    pub unsigned: bool,
    pub short: bool,
    /// How often `long` stands there.
    pub long: u8,
}

pub(super) enum Base {
    Char,
    Int,
    Void,
    Float,
    Double,
    Other(BaseType),
}

fn combination<T>(span: Span) -> Result<T> {
    Err(Error::new("D_DECL_COMBO", span, "invalid type combination"))
}

/// Says a word that may stand there once.
pub(super) fn once(word: &mut bool, span: Span) -> Result<()> {
    match std::mem::replace(word, true) {
        false => Ok(()),
        true => combination(span),
    }
}

impl Words {
    /// Says which type it is; twice is once too often.
    pub fn set(&mut self, base: Base, span: Span) -> Result<()> {
        if self.base.is_some() {
            return combination(span);
        }
        self.base = Some(base);
        Ok(())
    }

    /// Says `long`, which may stand there twice.
    pub fn lengthen(&mut self, span: Span) -> Result<()> {
        if self.long == 2 {
            return combination(span);
        }
        self.long += 1;
        Ok(())
    }

    /// Whether a type was said.
    pub fn complete(&self) -> bool {
        self.base.is_some() || self.signed || self.unsigned || self.short || self.long > 0
    }

    /// What the words mean together; refused as libdtrace's dt_decl_check does.
    pub fn base_type(self, span: Span) -> Result<BaseType> {
        let refuse = |tag, message: &str| Err(Error::new(tag, span, message));
        let sized = self.short || self.long > 0;
        let sign = self.signed || self.unsigned;
        let integer = |kind| {
            Ok(BaseType::Integer {
                kind,
                unsigned: self.unsigned,
                signed: self.signed,
            })
        };
        // dtrace looks for a type of this name.
        let unknown = || {
            refuse(
                "D_UNKNOWN",
                "failed to resolve type: there is none of such words",
            )
        };
        match self.base {
            Some(Base::Char) if sized => refuse(
                "D_DECL_CHARATTR",
                "invalid type declaration: short and long may not be used with char type",
            ),
            Some(Base::Char) if self.signed && self.unsigned => unknown(),
            Some(Base::Char) => integer(IntegerKind::Char),
            Some(Base::Void) if sized || sign => refuse(
                "D_DECL_VOIDATTR",
                "invalid type declaration: attributes may not be used with void type",
            ),
            Some(Base::Void) => Ok(BaseType::Void),
            Some(Base::Float | Base::Double | Base::Other(_)) if sign => refuse(
                "D_DECL_SIGNINT",
                "invalid type declaration: signed and unsigned may only be used with integer type",
            ),
            Some(Base::Float) if !sized => Ok(BaseType::Float(4)),
            Some(Base::Double) if !sized => Ok(BaseType::Float(8)),
            Some(Base::Double) if self.long == 1 && !self.short => Ok(BaseType::Float(16)),
            Some(Base::Float | Base::Double) => unknown(),
            Some(Base::Other(_)) if self.long > 0 => refuse(
                "D_DECL_LONGINT",
                "invalid type declaration: long and long long may only be used with integer or \
                 floating-point type",
            ),
            // As in dtrace `short` goes unnoticed there.
            Some(Base::Other(base)) => Ok(base),
            Some(Base::Int) | None if self.signed && self.unsigned => unknown(),
            Some(Base::Int) | None => match (self.short, self.long) {
                (true, 0) => integer(IntegerKind::Short),
                (false, 0) => integer(IntegerKind::Int),
                (false, 1) => integer(IntegerKind::Long),
                (false, 2) => integer(IntegerKind::LongLong),
                _ => unknown(),
            },
        }
    }
}
