// SPDX-License-Identifier: GPL-2.0-only
//! Statements, and in which order speculations allow them.
#![forbid(unsafe_code)]

use crate::ast::{self, ExprKind};
use crate::builtins::{Function, Role};
use crate::compiled::Action;
use crate::error::{Error, Span};

use super::Checker;
use super::aggregate::{aggregation, many_dimensions};
use super::calls::{called, destructive};
use super::tree::{NodeKind, Statement};

impl Checker<'_> {
    /// A clause's statements, or those of an arm of `if`.
    pub(super) fn statements(
        &mut self,
        statements: &[ast::Statement],
    ) -> Result<Vec<Statement>, Error> {
        let mut checked = Vec::with_capacity(statements.len());
        for statement in statements {
            match statement {
                ast::Statement::Expr(expr) => checked.push(self.statement(expr)?),
                ast::Statement::If {
                    condition,
                    then,
                    otherwise,
                    ..
                } => {
                    let node = self.value(condition)?;
                    if !self.types.is_scalar(node.ty) {
                        return Err(Error::new(
                            "D_OP_SCALAR",
                            condition.span,
                            "the condition of if must be of scalar type",
                        ));
                    }
                    self.speculates = false;
                    let then = self.statements(then)?;
                    self.speculates = false;
                    let otherwise = self.statements(otherwise)?;
                    self.speculates = false;
                    checked.push(Statement::If {
                        condition: node,
                        then,
                        otherwise,
                    });
                }
            }
        }
        Ok(checked)
    }

    fn statement(&mut self, expr: &ast::Expr) -> Result<Statement, Error> {
        if let ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } = &expr.kind
        {
            // What is known now leaves one arm, which may be an action: dt_node_op3() of
            // dt_parser.c. Scripts choose by inline constants what they print.
            if let Some(value) = self.value(condition)?.constant() {
                return self.statement(if value != 0 { then } else { otherwise });
            }
        }
        if let Some((function, arguments)) = called(expr) {
            match function.role {
                Role::Action => return self.action(function, arguments, expr.span),
                Role::Destructive => return self.destructive(function, arguments, expr.span),
                _ => {}
            }
        }
        match &expr.kind {
            ExprKind::Assign {
                op: None,
                to,
                value,
            } if innermost(to) => self.aggregate(to, value, expr.span),
            ExprKind::Aggregation { name, keys } => {
                Err(self.no_effect(name, keys.is_some(), expr.span))
            }
            ExprKind::Index { base, .. } if aggregation(base).is_some() => {
                let (name, keys) = aggregation(base).expect("it was there");
                if keys.is_some() {
                    return Err(many_dimensions(name, expr.span));
                }
                Err(self.no_effect(name, true, expr.span))
            }
            _ => {
                let node = self.value(expr)?;
                if let NodeKind::NoValue(what, _) = &node.kind {
                    return Err(no_value(what, expr.span));
                }
                if matches!(node.kind, NodeKind::Translated(_)) {
                    return Err(dynamic(expr.span));
                }
                Ok(Statement::Expr(node))
            }
        }
    }

    /// An aggregation alone.
    fn no_effect(&self, name: &str, keys: bool, span: Span) -> Error {
        if !keys && !self.aggregations.contains_key(name) {
            return super::names::undefined(&format!("@{name}"), span);
        }
        Error::new(
            "D_AGG_NULL",
            span,
            format!("expression has null effect: @{name}"),
        )
    }

    /// Destructive actions are refused, but what is wrong with them in D comes first, and with the rest of the
    /// program: dtrace refuses them when it enables a program that it has compiled.
    fn destructive(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let nodes = arguments.iter().map(|one| self.value(one));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        self.prototype(function, nodes, span)?;
        if function.name == "system" {
            self.print_formatted(function, arguments, span)?;
        }
        if self.speculates {
            return Err(after_speculate(span));
        }
        self.destroys
            .get_or_insert_with(|| destructive(function.name, span));
        // The program that has it does not come to be.
        Ok(Statement::Expr(self.no_value(function.name, "void", span)))
    }
}

/// What changes the system cannot be taken back.
fn after_speculate(span: Span) -> Error {
    Error::new(
        "D_ACT_SPEC",
        span,
        "destructive actions may not follow speculate( )",
    )
}

/// Whether it is an aggregation, with however many `[ ]`.
pub(super) fn innermost(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregation { .. } => true,
        ExprKind::Index { base, .. } => innermost(base),
        _ => false,
    }
}

/// What has no value stands where one is needed.
pub(crate) fn no_value(what: &str, span: Span) -> Error {
    Error::new(
        "D_CG_EXPR",
        span,
        format!("{what} may not be called from a D expression (D program context required)"),
    )
}

/// A translation stands where a value is needed: only its members have some.
pub(crate) fn dynamic(span: Span) -> Error {
    Error::new(
        "D_CG_DYN",
        span,
        "expression cannot evaluate to result of dynamic type",
    )
}

/// Whether there is nothing but `speculate()`: the default action is what is speculated.
pub(super) fn only_speculates(body: &[Statement]) -> bool {
    matches!(body, [Statement::Speculate(_)])
}

/// What a clause did before.
#[derive(Default)]
struct Before {
    commit: bool,
    speculate: bool,
    record: bool,
}

/// The order that speculations ask for, as libdtrace has it: dt_stmt_append() of dt_cc.c.
/// Several commits may follow each other, as in Oracle's edition. What stands before, in and behind
/// an `if` is a clause of its own.
pub(super) fn order(
    body: &[Statement],
    written: &Option<Vec<ast::Statement>>,
) -> Result<(), Error> {
    let spans = spans(written.as_deref().unwrap_or_default());
    follow(body, &spans)
}

/// The places of statements, as they are nested.
enum Place {
    At(Span),
    If(Vec<Place>, Vec<Place>),
}

fn spans(statements: &[ast::Statement]) -> Vec<Place> {
    statements
        .iter()
        .map(|statement| match statement {
            ast::Statement::Expr(expr) => Place::At(expr.span),
            ast::Statement::If {
                then, otherwise, ..
            } => Place::If(spans(then), spans(otherwise)),
        })
        .collect()
}

fn follow(body: &[Statement], places: &[Place]) -> Result<(), Error> {
    let mut before = Before::default();
    for (statement, place) in body.iter().zip(places) {
        let span = match place {
            Place::At(span) => *span,
            Place::If(..) => Span::default(),
        };
        let refuse = |tag, message| Err(Error::new(tag, span, message));
        match statement {
            Statement::If {
                then, otherwise, ..
            } => {
                let Place::If(left, right) = place else {
                    continue;
                };
                follow(then, left)?;
                follow(otherwise, right)?;
                before = Before::default();
            }
            Statement::Expr(_) | Statement::Discard(_) => {}
            Statement::Commit(_) => {
                // dtrace would let it wait in the speculation itself, and so do nothing.
                if before.speculate {
                    return refuse("D_ACT_SPEC", "commit( ) may not follow speculate( )");
                }
                if before.record {
                    return refuse(
                        "D_COMM_DREC",
                        "commit( ) may not follow data-recording action(s)",
                    );
                }
                before.commit = true;
            }
            Statement::Speculate(_) => {
                if before.speculate {
                    return refuse("D_SPEC_SPEC", "speculate( ) may not follow speculate( )");
                }
                if before.commit {
                    return refuse("D_SPEC_COMM", "speculate( ) may not follow commit( )");
                }
                if before.record {
                    return refuse(
                        "D_SPEC_DREC",
                        "speculate( ) may not follow data-recording action(s)",
                    );
                }
                before.speculate = true;
            }
            Statement::Aggregate { .. } => {
                if before.commit {
                    return refuse("D_AGG_COMM", "aggregating actions may not follow commit( )");
                }
                if before.speculate {
                    return refuse(
                        "D_AGG_SPEC",
                        "aggregating actions may not follow speculate( )",
                    );
                }
                before.record = true;
            }
            Statement::Exit(_)
            | Statement::Action { .. }
            | Statement::Tracemem { .. }
            | Statement::Record { .. } => {
                if before.speculate && matches!(statement, Statement::Exit(_)) {
                    return refuse("D_EXIT_SPEC", "exit( ) may not follow speculate( )");
                }
                if before.speculate && opens_files(statement) {
                    return Err(after_speculate(span));
                }
                if before.commit {
                    return refuse(
                        "D_DREC_COMM",
                        "data-recording actions may not follow commit( )",
                    );
                }
                if !before.speculate {
                    before.record = true;
                }
            }
        }
    }
    Ok(())
}

/// dtrace counts freopen() among the destructive ones.
fn opens_files(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Action {
            action: Action::Freopen { .. },
            ..
        }
    )
}
