// SPDX-License-Identifier: GPL-2.0-only
//! Why a program is refused: DTrace's tag, where, and what is wrong.

use std::fmt;

/// A place in a program's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes from the beginning of the text.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

impl Span {
    /// From the beginning of one to the end of another.
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Why a program is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// DTrace's tag, as `D_SYNTAX`.
    pub tag: &'static str,
    /// What is wrong, in dtrace's words where it has some.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Error {
    /// A refusal.
    pub fn new(tag: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            tag,
            message: message.into(),
            span,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.tag, self.message)
    }
}

impl std::error::Error for Error {}
