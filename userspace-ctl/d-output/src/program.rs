// SPDX-License-Identifier: GPL-2.0-only
//! A compiled program as printing needs it: each clause's actions, their formats taken apart.
#![forbid(unsafe_code)]

use std::fmt;

use d_compiler::check::format::{self, Piece};
use d_compiler::compiled::{self, Compiled};

use crate::values::Malformed;

/// A compiled program has a format that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFormat(String);

impl fmt::Display for BadFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the compiled program cannot be printed: {}", self.0)
    }
}

impl std::error::Error for BadFormat {}

/// What a compiled program's records mean.
#[derive(Clone, Debug)]
pub struct Program {
    clauses: Vec<Clause>,
}

/// A clause.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// It has no statements.
    pub(crate) default: bool,
    pub(crate) actions: Vec<Action>,
}

/// An action of a clause.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) is: compiled::Action,
    /// The format, taken apart.
    pub(crate) format: Option<Vec<Piece>>,
}

impl Program {
    /// Takes its formats apart.
    pub fn new(compiled: &Compiled) -> Result<Self, BadFormat> {
        let clauses = compiled.clauses.iter().map(|clause| {
            let actions = clause.actions.iter().map(|action| {
                let text = match action {
                    compiled::Action::Printf { format, .. }
                    | compiled::Action::Freopen { format, .. } => Some(format),
                    compiled::Action::Printa { format, .. } => format.as_ref(),
                    _ => None,
                };
                let format = text.map(|text| format::parse(text)).transpose();
                Ok(Action {
                    is: action.clone(),
                    format: format.map_err(BadFormat)?,
                })
            });
            Ok(Clause {
                default: clause.default,
                actions: actions.collect::<Result<_, _>>()?,
            })
        });
        Ok(Self {
            clauses: clauses.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn clause(&self, index: u32) -> Result<&Clause, Malformed> {
        let clause = self.clauses.get(index as usize);
        clause.ok_or(Malformed::new("such clause"))
    }

    /// Whether a clause looks at aggregations: take them from the module before its record
    /// is printed.
    pub fn uses_aggregations(&self, clause: u32) -> bool {
        let clause = self.clauses.get(clause as usize);
        clause.is_some_and(|clause| {
            clause.actions.iter().any(|action| {
                matches!(
                    action.is,
                    compiled::Action::Printa { .. }
                        | compiled::Action::Clear(_)
                        | compiled::Action::Trunc { .. }
                        | compiled::Action::Normalize(_)
                        | compiled::Action::Denormalize(_)
                )
            })
        })
    }
}
