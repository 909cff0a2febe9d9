// SPDX-License-Identifier: GPL-2.0-only
//! Statements: expressions, and `if` with `else`.
#![forbid(unsafe_code)]

use super::{MAX_HEIGHT, Parser, Result, too_deep};
use crate::ast::{Expr, Statement};
use crate::error::Span;

/// Statements, and the levels of their tree.
type Block = (Vec<Statement>, u16);

/// `if (condition) then`, what `else` says left out.
struct Arm {
    start: Span,
    condition: Expr,
    then: Vec<Statement>,
}

impl Parser<'_> {
    /// Statements up to the `}` that ends them; the last one needs no `;`.
    pub(super) fn block(&mut self) -> Result<Block> {
        let mut statements = Vec::new();
        let mut height = 0;
        loop {
            if self.eat("}")? {
                return Ok((statements, height));
            }
            if self.eat(";")? {
                continue;
            }
            let below = if self.at_key("if")? {
                let (choice, below) = self.choice()?;
                statements.push(choice);
                below
            } else {
                let node = self.expression()?;
                statements.push(Statement::Expr(node.expr));
                if !self.at("}")? {
                    self.expect(";")?;
                }
                node.height
            };
            height = height.max(below);
        }
    }

    /// `if (condition) … else …`: chains of `else if`, as long as they are, do not nest.
    fn choice(&mut self) -> Result<(Statement, u16)> {
        self.enter()?;
        let mut arms = Vec::new();
        let mut below = 0;
        let mut otherwise = Vec::new();
        loop {
            let start = self.take()?.span;
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            let (then, height) = self.branch()?;
            below = below.max(condition.height).max(height);
            arms.push(Arm {
                start,
                condition: condition.expr,
                then,
            });
            if arms.len() > usize::from(MAX_HEIGHT) {
                return Err(too_deep(start));
            }
            if !self.at_key("else")? {
                break;
            }
            self.take()?;
            if !self.at_key("if")? {
                let (last, height) = self.branch()?;
                below = below.max(height);
                otherwise = last;
                break;
            }
        }
        self.leave();
        let end = self.since(arms[0].start);
        let height = u16::try_from(arms.len())
            .ok()
            .and_then(|arms| arms.checked_add(below))
            .filter(|&height| height <= MAX_HEIGHT)
            .ok_or_else(|| too_deep(end))?;
        let chain = arms.into_iter().rfold(None, |inner, arm| {
            let otherwise = match inner {
                Some(inner) => vec![inner],
                None => std::mem::take(&mut otherwise),
            };
            Some(Statement::If {
                span: arm.start.to(end),
                condition: arm.condition,
                then: arm.then,
                otherwise,
            })
        });
        match chain {
            Some(choice) => Ok((choice, height)),
            None => Err(too_deep(end)),
        }
    }

    /// A statement, or several in braces.
    fn branch(&mut self) -> Result<Block> {
        if self.eat("{")? {
            return self.block();
        }
        if self.eat(";")? {
            return Ok((Vec::new(), 0));
        }
        if self.at_key("if")? {
            let (choice, height) = self.choice()?;
            return Ok((vec![choice], height));
        }
        let node = self.expression()?;
        self.expect(";")?;
        Ok((vec![Statement::Expr(node.expr)], node.height))
    }
}
