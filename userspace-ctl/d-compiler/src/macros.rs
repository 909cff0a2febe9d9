// SPDX-License-Identifier: GPL-2.0-only
//! Macro arguments (`$1`, `$$1`) and macro variables (`$target`, `$pid`) of a program.
//!
//! As in DTrace, a macro stands for one token, not for text: `$1` is an integer if its value is
//! one, else an identifier if it looks like one, else a string; `$$1` is always a string.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

/// What a program's macros stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros {
    /// `$0` (the script, or the tool's own name), `$1`, `$2` and so on.
    pub arguments: Vec<String>,
    /// The macro variables by their name without the `$`.
    pub variables: BTreeMap<String, i64>,
    /// Option `defaultargs`: an argument that is missing is 0, or "".
    pub default_arguments: bool,
    /// Option `argref`: not all arguments need to be used.
    pub unused_arguments: bool,
}

impl Macros {
    /// The macro arguments, `$0` first.
    pub fn new(arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            arguments: arguments.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Defines a macro variable: `target` for `$target`.
    pub fn define(&mut self, name: &str, value: i64) -> &mut Self {
        self.variables.insert(name.to_owned(), value);
        self
    }
}
