// SPDX-License-Identifier: GPL-2.0-only
//! Actions that take aggregations: what prints, clears, cuts and scales them.
#![forbid(unsafe_code)]

use crate::ast::{self, ExprKind};
use crate::builtins::Function;
use crate::compiled::Action;
use crate::error::{Error, Span};

use super::Checker;
use super::aggregate::aggregation;
use super::names::undefined;
use super::tree::{Item, KeyType, Statement};

impl Checker<'_> {
    /// The aggregation that an action takes as its first argument.
    fn aggregation_argument(
        &mut self,
        action: &str,
        index: usize,
        argument: &ast::Expr,
        no_aggregation: &'static str,
        not_assigned: &'static str,
        span: Span,
    ) -> Result<usize, Error> {
        let Some((name, keys)) = aggregation(argument) else {
            let node = self.value(argument)?;
            return Err(Error::new(
                no_aggregation,
                span,
                format!(
                    "{action}( ) argument #{} is incompatible with prototype:\n\tprototype: \
                     aggregation\n\t argument: {}",
                    index + 1,
                    self.shown(&node)
                ),
            ));
        };
        match self.aggregations.get(name) {
            Some(aggregation) => Ok(*aggregation),
            None if keys.is_some() => Err(Error::new(
                not_assigned,
                span,
                format!("undefined aggregation: @{name}"),
            )),
            None => Err(undefined(&format!("@{name}"), argument.span)),
        }
    }

    /// `clear(@a)` and the like.
    pub(super) fn aggregation_action(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let (no_aggregation, not_assigned) = match function.name {
            "clear" => ("D_CLEAR_AGGARG", "D_CLEAR_AGGBAD"),
            "trunc" => ("D_TRUNC_AGGARG", "D_TRUNC_AGGBAD"),
            _ => ("D_NORMALIZE_AGGARG", "D_NORMALIZE_AGGBAD"),
        };
        let mut items = Vec::new();
        for (index, argument) in arguments.iter().enumerate().skip(1) {
            let node = self.value(argument)?;
            let parameter = function.parameters[index];
            items.push(Item::Value(
                self.argument(function, index, parameter, node)?,
            ));
        }
        let aggregation = self.aggregation_argument(
            function.name,
            0,
            &arguments[0],
            no_aggregation,
            not_assigned,
            span,
        )? as u32;
        let action = match function.name {
            "clear" => Action::Clear(aggregation),
            "trunc" => Action::Trunc {
                aggregation,
                counted: !items.is_empty(),
            },
            "normalize" => Action::Normalize(aggregation),
            _ => Action::Denormalize(aggregation),
        };
        let counts = if matches!(function.name, "trunc" | "normalize") {
            2
        } else {
            1
        };
        Ok(Statement::Action {
            action,
            items,
            counts,
        })
    }

    /// `printa(@a)`, `printa("format", @a, @b)`
    pub(super) fn printa(
        &mut self,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let (format, rest, offset) = match &arguments[0].kind {
            ExprKind::String(text) => (
                Some(String::from_utf8_lossy(text).into_owned()),
                &arguments[1..],
                1,
            ),
            _ => (None, arguments, 0),
        };
        if rest.is_empty() {
            return Err(Error::new(
                "D_PRINTA_PROTO",
                span,
                format!(
                    "printa( ) prototype mismatch: {} args passed, {} expected",
                    arguments.len(),
                    offset + 1
                ),
            ));
        }
        let mut aggregations = Vec::with_capacity(rest.len());
        for (index, argument) in rest.iter().enumerate() {
            aggregations.push(self.aggregation_argument(
                "printa",
                index + offset,
                argument,
                "D_PRINTA_AGGARG",
                "D_PRINTA_AGGBAD",
                span,
            )?);
        }
        for pair in aggregations.windows(2) {
            self.same_keys(aggregations[0], pair[1], span)?;
        }
        if let Some(format) = &format {
            self.check_aggregation_format(format, aggregations[0], span)?;
        }
        if aggregations.len() > 1 {
            self.together.push(aggregations.clone());
        }
        let counts = aggregations.len() as u16;
        Ok(Statement::Action {
            action: Action::Printa {
                format,
                aggregations: aggregations.iter().map(|one| *one as u32).collect(),
            },
            items: Vec::new(),
            counts,
        })
    }

    /// Aggregations that are shown together have the same keys.
    fn same_keys(&self, left: usize, right: usize, span: Span) -> Result<(), Error> {
        let (left, right) = (
            &self.program.aggregations[left],
            &self.program.aggregations[right],
        );
        let (count, other) = (left.keys.len(), right.keys.len());
        if count != other {
            let plural = |count| if count == 1 { "" } else { "s" };
            return Err(Error::new(
                "D_PRINTA_AGGKEY",
                span,
                format!(
                    "printa( ): @{} and @{} do not have matching key signatures: @{} has {count} \
                     key{}, @{} has {other} key{}",
                    left.name,
                    right.name,
                    left.name,
                    plural(count),
                    right.name,
                    plural(other)
                ),
            ));
        }
        for (index, (one, other)) in left.keys.iter().zip(&right.keys).enumerate() {
            let same = match (one, other) {
                (KeyType::Value(one), KeyType::Value(other)) => {
                    self.types.passable(*one, *other, false)
                }
                (KeyType::Stack(_), KeyType::Stack(_))
                | (KeyType::Ustack(_), KeyType::Ustack(_)) => true,
                (KeyType::Address(one), KeyType::Address(other)) => one == other,
                _ => false,
            };
            if !same {
                return Err(Error::new(
                    "D_PRINTA_AGGPROTO",
                    span,
                    format!(
                        "printa( ): @{}[ ] key #{} is incompatible with @{}:\n{:>9} key #{}: {}\n\
                         {:>9} key #{}: {}",
                        right.name,
                        index + 1,
                        left.name,
                        left.name,
                        index + 1,
                        self.key_name(one),
                        right.name,
                        index + 1,
                        self.key_name(other)
                    ),
                ));
            }
        }
        Ok(())
    }
}
