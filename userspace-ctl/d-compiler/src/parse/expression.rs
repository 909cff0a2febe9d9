// SPDX-License-Identifier: GPL-2.0-only
//! Expressions, by C's precedence and with D's additions: `^^`, `@aggregation`, `self->`, `this->`,
//! ``module`symbol``, `stringof`, `xlate`, several keys between brackets.
//!
//! ```text
//!   ,      = += …      ?:      || ^^ && | ^ &  == !=  < <= > >=  << >>  + -  * / %      (type)  unary  postfix
//!   left   right       right   left, from loose to tight ─────────────────────────►
//! ```
#![forbid(unsafe_code)]

use super::{MAX_HEIGHT, Parser, Result, too_deep};
use crate::ast::{Binary, Expr, ExprKind, Unary};
use crate::error::{Error, Span};
use crate::lex::Tok;

/// An expression, and what its parser has to know of it.
pub(super) struct Node {
    pub expr: Expr,
    /// The levels of its tree.
    pub height: u16,
    /// It is of the grammar's kind that may stand before `=`.
    unary: bool,
}

/// Operators between two operands, and how tightly they bind.
fn binary(tok: &Tok) -> Option<(u8, Binary)> {
    let Tok::Op(op) = tok else { return None };
    Some(match *op {
        "||" => (1, Binary::LogicalOr),
        "^^" => (2, Binary::LogicalXor),
        "&&" => (3, Binary::LogicalAnd),
        "|" => (4, Binary::Or),
        "^" => (5, Binary::Xor),
        "&" => (6, Binary::And),
        "==" => (7, Binary::Equal),
        "!=" => (7, Binary::NotEqual),
        "<" => (8, Binary::Less),
        "<=" => (8, Binary::LessEqual),
        ">" => (8, Binary::Greater),
        ">=" => (8, Binary::GreaterEqual),
        "<<" => (9, Binary::ShiftLeft),
        ">>" => (9, Binary::ShiftRight),
        "+" => (10, Binary::Add),
        "-" => (10, Binary::Subtract),
        "*" => (11, Binary::Multiply),
        "/" => (11, Binary::Divide),
        "%" => (11, Binary::Modulo),
        _ => return None,
    })
}

/// The operator of an assignment; of `=` there is none.
fn assignment(tok: &Tok) -> Option<Option<Binary>> {
    let Tok::Op(op) = tok else { return None };
    Some(Some(match *op {
        "=" => return Some(None),
        "*=" => Binary::Multiply,
        "/=" => Binary::Divide,
        "%=" => Binary::Modulo,
        "+=" => Binary::Add,
        "-=" => Binary::Subtract,
        "<<=" => Binary::ShiftLeft,
        ">>=" => Binary::ShiftRight,
        "&=" => Binary::And,
        "^=" => Binary::Xor,
        "|=" => Binary::Or,
        _ => return None,
    }))
}

/// A node over others, the highest of which is so high.
fn node(kind: ExprKind, span: Span, below: u16, unary: bool) -> Result<Node> {
    if below >= MAX_HEIGHT {
        return Err(too_deep(span));
    }
    Ok(Node {
        expr: Expr { kind, span },
        height: below + 1,
        unary,
    })
}

impl Parser<'_> {
    // The functions that call each other in circles are short, and leave what they do not always do
    // to others: their frames are what nesting costs.

    /// `a, b`
    pub(super) fn expression(&mut self) -> Result<Node> {
        let mut left = self.assignment()?;
        while self.eat(",")? {
            left = self.comma(left)?;
        }
        Ok(left)
    }

    fn comma(&mut self, left: Node) -> Result<Node> {
        let right = self.assignment()?;
        let span = left.expr.span.to(right.expr.span);
        let below = left.height.max(right.height);
        let kind = ExprKind::Comma(Box::new(left.expr), Box::new(right.expr));
        node(kind, span, below, false)
    }

    /// `a = b`
    pub(super) fn assignment(&mut self) -> Result<Node> {
        self.enter()?;
        let mut node = self.conditional()?;
        if assignment(&self.look(0)?.tok).is_some() {
            node = self.assign(node)?;
        }
        self.leave();
        Ok(node)
    }

    fn assign(&mut self, to: Node) -> Result<Node> {
        let sign = self.take()?;
        let op = match assignment(&sign.tok) {
            Some(op) if to.unary => op,
            _ => return Err(self.near(&sign)),
        };
        self.assigned(&to.expr);
        let value = self.assignment()?;
        let span = to.expr.span.to(value.expr.span);
        let below = to.height.max(value.height);
        let kind = ExprKind::Assign {
            op,
            to: Box::new(to.expr),
            value: Box::new(value.expr),
        };
        node(kind, span, below, false)
    }

    /// What is assigned to is a variable, whatever types are called so.
    fn assigned(&mut self, to: &Expr) {
        let name = match &to.kind {
            ExprKind::Ident(name) | ExprKind::Global(name) => name,
            ExprKind::Index { base, .. } => match &base.kind {
                ExprKind::Ident(name) | ExprKind::Global(name) => name,
                _ => return,
            },
            _ => return,
        };
        if !self.variables.contains(name) {
            self.variables.insert(name.clone());
        }
    }

    /// `a ? b : c`
    pub(super) fn conditional(&mut self) -> Result<Node> {
        let first = self.binary(1)?;
        if self.at("?")? {
            return self.choose(first);
        }
        Ok(first)
    }

    /// Chains of `?` and `:`, as long as they are, do not nest.
    fn choose(&mut self, first: Node) -> Result<Node> {
        let mut last = first;
        let mut chain = Vec::new();
        while self.eat("?")? {
            let then = self.expression()?;
            self.expect(":")?;
            chain.push((last, then));
            if chain.len() > usize::from(MAX_HEIGHT) {
                return Err(too_deep(self.look(0)?.span));
            }
            last = self.binary(1)?;
        }
        while let Some((condition, then)) = chain.pop() {
            let span = condition.expr.span.to(last.expr.span);
            let below = condition.height.max(then.height).max(last.height);
            let kind = ExprKind::Conditional {
                condition: Box::new(condition.expr),
                then: Box::new(then.expr),
                otherwise: Box::new(last.expr),
            };
            last = node(kind, span, below, false)?;
        }
        Ok(last)
    }

    /// Operators that bind at least so tightly.
    fn binary(&mut self, least: u8) -> Result<Node> {
        let mut left = self.cast()?;
        while let Some((level, op)) = binary(&self.look(0)?.tok) {
            if level < least {
                break;
            }
            self.take()?;
            self.enter()?;
            let right = self.binary(level + 1)?;
            self.leave();
            left = join(op, left, right)?;
        }
        Ok(left)
    }

    /// `(type) operand`, or what binds tighter.
    fn cast(&mut self) -> Result<Node> {
        if self.at("(")? && self.begins_type(1)? {
            return self.cast_to();
        }
        self.unary()
    }

    fn cast_to(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        let (to, height) = self.type_name()?;
        self.expect(")")?;
        self.enter()?;
        let operand = self.cast()?;
        self.leave();
        let span = start.to(operand.expr.span);
        let below = operand.height.max(height);
        let kind = ExprKind::Cast {
            to: Box::new(to),
            operand: Box::new(operand.expr),
        };
        node(kind, span, below, false)
    }

    fn unary(&mut self) -> Result<Node> {
        let op = match self.look(0)?.tok {
            Tok::Op("++") => Unary::PreIncrement,
            Tok::Op("--") => Unary::PreDecrement,
            Tok::Op("&") => Unary::Address,
            Tok::Op("*") => Unary::Dereference,
            Tok::Op("+") => Unary::Plus,
            Tok::Op("-") => Unary::Minus,
            Tok::Op("~") => Unary::Complement,
            Tok::Op("!") => Unary::Not,
            Tok::Key("sizeof") => return self.sizeof(),
            Tok::Key("stringof") => return self.stringof(),
            _ => return self.postfix(),
        };
        self.prefixed(op)
    }

    fn prefixed(&mut self, op: Unary) -> Result<Node> {
        let start = self.take()?.span;
        self.enter()?;
        let operand = match op {
            Unary::PreIncrement | Unary::PreDecrement => self.unary()?,
            _ => self.cast()?,
        };
        self.leave();
        if matches!(op, Unary::PreIncrement | Unary::PreDecrement) {
            self.assigned(&operand.expr);
        }
        let span = start.to(operand.expr.span);
        let kind = ExprKind::Unary {
            op,
            operand: Box::new(operand.expr),
        };
        node(kind, span, operand.height, true)
    }

    /// `stringof expr`
    fn stringof(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        self.enter()?;
        let operand = self.unary()?;
        self.leave();
        let span = start.to(operand.expr.span);
        let kind = ExprKind::Stringof(Box::new(operand.expr));
        node(kind, span, operand.height, true)
    }

    /// `sizeof (type)`, `sizeof expr`
    fn sizeof(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        if self.at("(")? && self.begins_type(1)? {
            self.take()?;
            let (of, height) = self.type_name()?;
            self.expect(")")?;
            let kind = ExprKind::SizeofType(Box::new(of));
            return node(kind, self.since(start), height, true);
        }
        self.enter()?;
        let operand = self.unary()?;
        self.leave();
        let span = start.to(operand.expr.span);
        let kind = ExprKind::SizeofExpr(Box::new(operand.expr));
        node(kind, span, operand.height, true)
    }

    fn postfix(&mut self) -> Result<Node> {
        let mut base = self.primary()?;
        loop {
            base = match self.look(0)?.tok {
                Tok::Op("[") => self.index(base)?,
                Tok::Op("(") => self.call(base)?,
                Tok::Op(op @ ("." | "->")) => self.access(base, op)?,
                Tok::Op("++") => self.step(base, Unary::PostIncrement)?,
                Tok::Op("--") => self.step(base, Unary::PostDecrement)?,
                _ => return Ok(base),
            };
        }
    }

    /// `base[keys]`
    fn index(&mut self, base: Node) -> Result<Node> {
        let start = base.expr.span;
        self.take()?;
        if self.at("]")? {
            let token = self.take()?;
            return Err(self.near(&token));
        }
        let (keys, height) = self.list("]")?;
        let below = base.height.max(height);
        let kind = match base.expr.kind {
            ExprKind::Aggregation { name, keys: None } => ExprKind::Aggregation {
                name,
                keys: Some(keys),
            },
            kind => ExprKind::Index {
                base: Box::new(Expr { kind, span: start }),
                keys,
            },
        };
        node(kind, self.since(start), below, true)
    }

    /// `name(arguments)`
    fn call(&mut self, base: Node) -> Result<Node> {
        let start = base.expr.span;
        // Names of other kinds are no functions that anybody knows.
        if let ExprKind::Aggregation { keys: None, .. } | ExprKind::External { .. } =
            &base.expr.kind
        {
            return Err(Error::new(
                "D_FUNC_UNDEF",
                start,
                format!("undefined function name: {}", self.lexer.text(start)),
            ));
        }
        let ExprKind::Ident(name) = base.expr.kind else {
            return Err(Error::new(
                "D_FUNC_IDENT",
                start,
                "function designator is not of function type",
            ));
        };
        self.take()?;
        let (arguments, height) = self.list(")")?;
        let kind = ExprKind::Call { name, arguments };
        node(kind, self.since(start), height, true)
    }

    /// `base.name`, `base->name`
    fn access(&mut self, base: Node, op: &str) -> Result<Node> {
        let start = base.expr.span;
        self.take()?;
        let name = self.member()?;
        let kind = match (op, base.expr.kind) {
            ("->", ExprKind::Ident(scope)) if scope == "self" => ExprKind::Thread(name),
            ("->", ExprKind::Ident(scope)) if scope == "this" => ExprKind::Local(name),
            (_, kind) => {
                let base = Box::new(Expr { kind, span: start });
                match op {
                    "." => ExprKind::Member { base, name },
                    _ => ExprKind::Arrow { base, name },
                }
            }
        };
        node(kind, self.since(start), base.height, true)
    }

    /// `base++`, `base--`
    fn step(&mut self, base: Node, op: Unary) -> Result<Node> {
        self.take()?;
        self.assigned(&base.expr);
        let span = self.since(base.expr.span);
        let kind = ExprKind::Unary {
            op,
            operand: Box::new(base.expr),
        };
        node(kind, span, base.height, true)
    }

    /// Expressions between commas, up to the sign that closes them.
    fn list(&mut self, close: &str) -> Result<(Vec<Expr>, u16)> {
        let mut list = Vec::new();
        let mut height = 0;
        if self.eat(close)? {
            return Ok((list, height));
        }
        loop {
            let item = self.assignment()?;
            height = height.max(item.height);
            list.push(item.expr);
            if !self.eat(",")? {
                self.expect(close)?;
                return Ok((list, height));
            }
        }
    }

    /// The name behind `.` or `->`: reserved words too are names there.
    fn member(&mut self) -> Result<String> {
        let token = self.take()?;
        match token.tok {
            Tok::Ident(name) if !name.contains('`') => Ok(name),
            Tok::Key(word) => Ok(word.to_owned()),
            _ => Err(self.near(&token)),
        }
    }

    fn primary(&mut self) -> Result<Node> {
        match self.look(0)?.tok {
            Tok::Op("(") => self.parenthesised(),
            Tok::Key("offsetof") => self.offsetof(),
            Tok::Key("xlate") => self.xlate(),
            _ => self.operand(),
        }
    }

    fn parenthesised(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        let mut inside = self.expression()?;
        self.expect(")")?;
        inside.expr.span = self.since(start);
        inside.unary = true;
        Ok(inside)
    }

    /// Constants and variables.
    fn operand(&mut self) -> Result<Node> {
        let token = self.take()?;
        let span = token.span;
        let kind = match token.tok {
            Tok::Int {
                value,
                suffix,
                decimal,
                negative,
            } => {
                let kind = ExprKind::Int {
                    value,
                    suffix,
                    decimal,
                };
                if negative {
                    let operand = Box::new(Expr { kind, span });
                    let op = Unary::Minus;
                    return node(ExprKind::Unary { op, operand }, span, 1, true);
                }
                kind
            }
            Tok::Char(value) => ExprKind::Char(value),
            Tok::String(mut value) => {
                while let Tok::String(more) = &self.look(0)?.tok {
                    value.extend_from_slice(more);
                    self.take()?;
                }
                ExprKind::String(value)
            }
            Tok::Ident(ref name) => match name.rsplit_once('`') {
                None => ExprKind::Ident(name.clone()),
                Some((module, name)) => ExprKind::External {
                    module: (!module.is_empty()).then(|| module.to_owned()),
                    name: name.to_owned(),
                },
            },
            // Only `self->x` and `this->x` mean something: what is left over is not a variable.
            Tok::Key(word @ ("self" | "this")) => ExprKind::Ident(word.to_owned()),
            // An action, though C has reserved the word.
            Tok::Key(word @ "return") if self.at("(")? => ExprKind::Ident(word.to_owned()),
            Tok::Aggregation(name) => ExprKind::Aggregation { name, keys: None },
            Tok::Op(":") if self.at(":")? && self.look(0)?.span.start == span.end => {
                self.take()?;
                let (name, _) = self.identifier()?;
                ExprKind::Global(name)
            }
            _ => return Err(self.near(&token)),
        };
        node(kind, self.since(span), 0, true)
    }

    /// `offsetof (type, member)`
    fn offsetof(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        self.expect("(")?;
        let (of, height) = self.type_name()?;
        self.expect(",")?;
        let member = self.member()?;
        self.expect(")")?;
        let kind = ExprKind::Offsetof {
            of: Box::new(of),
            member,
        };
        node(kind, self.since(start), height, true)
    }

    /// `xlate <type> (expr)`
    fn xlate(&mut self) -> Result<Node> {
        let start = self.take()?.span;
        self.expect("<")?;
        let (to, height) = self.type_name()?;
        self.expect(">")?;
        self.expect("(")?;
        let operand = self.expression()?;
        self.expect(")")?;
        let below = height.max(operand.height);
        let kind = ExprKind::Xlate {
            to: Box::new(to),
            operand: Box::new(operand.expr),
        };
        node(kind, self.since(start), below, true)
    }
}

fn join(op: Binary, left: Node, right: Node) -> Result<Node> {
    let span = left.expr.span.to(right.expr.span);
    let below = left.height.max(right.height);
    let kind = ExprKind::Binary {
        op,
        left: Box::new(left.expr),
        right: Box::new(right.expr),
    };
    node(kind, span, below, false)
}
