// SPDX-License-Identifier: GPL-2.0-only
//! The clauses that a clause with an `if` is to libdtrace (dt_sugar.c): one of each run of
//! statements, one of each condition. Each has a record of its own, and a fault ends the one that
//! has it and those behind it, but gives up no record of those before.
//!
//! ```text
//! p /a/ { trace(1); if (b) { trace(2); } }
//!
//! p               { this->c1 = 1 && a; }
//! p /!fault && c1/ { trace(1); }
//! p /!fault/       { this->c2 = c1 && b; }
//! p /!fault && c2/ { trace(2); }
//! ```
#![forbid(unsafe_code)]

use std::mem;

use rust_tracer::abi;

use crate::error::{Error, Span};
use crate::types::Intrinsic;

use super::Checker;
use super::statements::only_speculates;
use super::tree::{Clause, Logical, Marks, Node, NodeKind, Statement};

/// The variables that clauses are split by. No program can name them.
#[derive(Default)]
pub(super) struct Hidden {
    /// 1 while a part runs: what stays behind one that has a fault.
    fault: Option<Node>,
    /// The conditions of a clause; others use them again.
    conditions: Vec<Node>,
}

impl Checker<'_> {
    /// Adds a clause to the program, or those that it is split into.
    pub(super) fn add_clause(&mut self, mut clause: Clause) -> Result<(), Error> {
        if one_does(&clause.body) || self.keeps_own_memory() {
            self.program.clauses.push(clause);
            return Ok(());
        }
        let body = mem::take(&mut clause.body);
        let fault = match self.hidden.fault.take() {
            Some(known) => known,
            None => self.hidden_number("fault", clause.span)?,
        };
        self.hidden.fault = Some(fault.clone());
        let predicate = clause.predicate.take();
        let first = self.program.clauses.len();
        let mut splitter = Splitter {
            fault,
            checker: self,
            clause,
            first,
            conditions: 0,
        };
        let under = predicate.map(|predicate| splitter.condition(predicate, None));
        splitter.statements(body, under.transpose()?.as_ref())
    }

    /// Whether a clause-local variable points to what `alloca()` or `copyin()` gave. That is gone at the
    /// end of a clause.
    fn keeps_own_memory(&self) -> bool {
        let variables = &self.program.variables;
        variables.iter().any(|variable| {
            variable.scope == abi::RTRACE_SCOPE_LOCAL && variable.own_memory == Some(true)
        })
    }

    fn hidden_number(&mut self, what: &str, span: Span) -> Result<Node, Error> {
        let int = self.types.intrinsic(Intrinsic::Int);
        self.hidden(what, int, span)
    }
}

/// Whether one clause does the same as those that libdtrace makes: none records anything before
/// another of them runs, and no speculation is of some of them alone.
fn one_does(body: &[Statement]) -> bool {
    !body.iter().any(|one| matches!(one, Statement::If { .. }))
        || !speculates(body) && !records_and_goes_on(body, false)
}

fn speculates(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::If {
            then, otherwise, ..
        } => speculates(then) || speculates(otherwise),
        Statement::Speculate(_) | Statement::Commit(_) => true,
        _ => false,
    })
}

/// Whether a run of statements records something and another one, or a condition, may follow.
/// `followed`: something stands behind the statements.
fn records_and_goes_on(statements: &[Statement], followed: bool) -> bool {
    let (mut records, mut exits) = (false, false);
    for (at, statement) in statements.iter().enumerate() {
        match statement {
            Statement::If {
                then, otherwise, ..
            } => {
                let followed = followed || at + 1 < statements.len();
                if records && !exits
                    || records_and_goes_on(then, followed)
                    || records_and_goes_on(otherwise, followed)
                {
                    return true;
                }
                (records, exits) = (false, false);
            }
            Statement::Action { .. } | Statement::Tracemem { .. } | Statement::Record { .. } => {
                records = true;
            }
            Statement::Exit(_) => exits = true,
            _ => {}
        }
    }
    records && !exits && followed
}

/// A clause while it is split.
struct Splitter<'a, 'c> {
    checker: &'a mut Checker<'c>,
    /// Without what it does.
    clause: Clause,
    /// How many clauses the program had before.
    first: usize,
    fault: Node,
    /// How many conditions it has so far.
    conditions: usize,
}

impl Splitter<'_, '_> {
    /// Adds what statements come to, of which all stand `under` a condition.
    fn statements(
        &mut self,
        statements: Vec<Statement>,
        under: Option<&Node>,
    ) -> Result<(), Error> {
        let mut run = Vec::new();
        for statement in statements {
            let Statement::If {
                condition,
                then,
                otherwise,
            } = statement
            else {
                run.push(statement);
                continue;
            };
            self.run(mem::take(&mut run), under);
            let yes = self.condition(condition, under)?;
            self.statements(then, Some(&yes))?;
            if !otherwise.is_empty() {
                let no = self.int(NodeKind::Not(Box::new(yes)));
                let no = self.condition(no, under)?;
                self.statements(otherwise, Some(&no))?;
            }
        }
        self.run(run, under);
        Ok(())
    }

    /// Adds a clause that says whether a condition holds, and all those that it stands under; how others
    /// ask for that.
    fn condition(&mut self, condition: Node, under: Option<&Node>) -> Result<Node, Error> {
        let span = condition.span;
        let known = self.checker.hidden.conditions.get(self.conditions);
        let place = match known {
            Some(place) => place.clone(),
            None => {
                let place = self.checker.hidden_number("condition", span)?;
                self.checker.hidden.conditions.push(place.clone());
                place
            }
        };
        self.conditions += 1;
        let before = match under {
            Some(under) => under.clone(),
            None => self.int(NodeKind::Int(1)),
        };
        let value = self.both(before, condition);
        let assigned = self.assign(&place, value);
        self.add(vec![Statement::Expr(assigned)], None);
        Ok(place)
    }

    /// Adds a clause of statements without an `if`.
    fn run(&mut self, statements: Vec<Statement>, under: Option<&Node>) {
        if !statements.is_empty() {
            self.add(statements, under.cloned());
        }
    }

    fn add(&mut self, body: Vec<Statement>, under: Option<Node>) {
        let goes_on = self.checker.program.clauses.len() > self.first;
        let sound = self.int(NodeKind::Not(Box::new(self.fault.clone())));
        let predicate = match under {
            _ if !goes_on => under,
            Some(under) => Some(self.both(sound, under)),
            None => Some(sound),
        };
        let marks = [1, 0].map(|value| {
            let value = self.int(NodeKind::Int(value));
            self.assign(&self.fault, value)
        });
        let [begins, ends] = marks;
        self.checker.program.clauses.push(Clause {
            predicate,
            default: only_speculates(&body),
            body,
            goes_on,
            marks: Some(Box::new(Marks { begins, ends })),
            ..self.clause.clone()
        });
    }

    fn int(&self, kind: NodeKind) -> Node {
        let int = self.checker.types.intrinsic(Intrinsic::Int);
        Node::new(kind, int, self.clause.span)
    }

    fn both(&self, left: Node, right: Node) -> Node {
        self.int(NodeKind::Logical(
            Logical::And,
            Box::new(left),
            Box::new(right),
        ))
    }

    fn assign(&self, place: &Node, value: Node) -> Node {
        self.int(NodeKind::Assign(Box::new(place.clone()), Box::new(value)))
    }
}
