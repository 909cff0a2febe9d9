// SPDX-License-Identifier: GPL-2.0-only
//! Clauses and the descriptions of their probes.
#![forbid(unsafe_code)]

use super::{Field, Parser, Result};
use crate::ast::{Clause, Description};
use crate::error::{Error, Span};
use crate::lex::{Tok, Token};

impl Parser<'_> {
    /// A clause that begins with this description.
    pub(super) fn clause(&mut self, first: Token) -> Result<Clause> {
        let start = first.span;
        let mut descriptions = vec![self.description(first)?];
        let next = loop {
            let token = self.outer()?;
            if token.tok != Tok::Op(",") {
                break token;
            }
            let token = self.outer()?;
            match token.tok {
                Tok::Probe(_) | Tok::Int { .. } => {}
                _ => return Err(self.near(&token)),
            }
            descriptions.push(self.description(token)?);
        };
        let described = descriptions
            .last()
            .map_or(start, |last| start.to(last.span));
        match next.tok {
            Tok::Op("/") => {
                let predicate = self.predicate()?;
                if !self.at("{")? {
                    return Err(Error::new(
                        "D_SYNTAX",
                        predicate.span,
                        "expected actions { } following probe description and predicate",
                    ));
                }
                self.expect("{")?;
                let (body, _) = self.block()?;
                Ok(Clause {
                    descriptions,
                    predicate: Some(predicate),
                    body: some(body),
                    span: self.since(start),
                })
            }
            Tok::Op("{") => {
                let (body, _) = self.block()?;
                Ok(Clause {
                    descriptions,
                    predicate: None,
                    body: some(body),
                    span: self.since(start),
                })
            }
            Tok::Op(_) => Err(self.near(&next)),
            // A script's clause says what to do; an option's need not.
            _ if self.option.is_none() => Err(Error::new(
                "D_SYNTAX",
                described,
                "expected predicate and/or actions following probe description",
            )),
            _ => {
                self.outer_ahead = Some(next);
                Ok(Clause {
                    descriptions,
                    predicate: None,
                    body: None,
                    span: described,
                })
            }
        }
    }

    fn predicate(&mut self) -> Result<crate::ast::Expr> {
        self.lexer.in_predicate = true;
        let expr = self.expression()?.expr;
        let token = self.take()?;
        self.lexer.in_predicate = false;
        match token.tok {
            Tok::EndPredicate => Ok(expr),
            _ => Err(self.near(&token)),
        }
    }

    fn description(&mut self, token: Token) -> Result<Description> {
        match token.tok {
            Tok::Int { value, .. } => self.by_id(value, token.span),
            Tok::Probe(text) => self.by_name(&text, token.span),
            _ => Err(self.near(&token)),
        }
    }

    fn by_id(&self, id: u64, span: Span) -> Result<Description> {
        let what = match self.option {
            None | Some(Field::Name) => None,
            Some(Field::Provider) => Some("providers"),
            Some(Field::Module) => Some("modules"),
            Some(Field::Function) => Some("functions"),
        };
        if let Some(what) = what {
            return Err(Error::new(
                "D_PDESC_INVAL",
                span,
                format!("probe identifier {id} not permitted when specifying {what}"),
            ));
        }
        let id = u32::try_from(id).map_err(|_| {
            Error::new(
                "D_PDESC_INVAL",
                span,
                format!("identifier {id} exceeds maximum probe id"),
            )
        })?;
        Ok(Description {
            id: Some(id),
            span,
            ..Description::default()
        })
    }

    /// The fields of a description are its last ones: `read` is a name, `vfs_read:entry` a function
    /// and a name. libdtrace reads them from the end, and takes a colon at the beginning for nothing.
    fn by_name(&mut self, text: &str, span: Span) -> Result<Description> {
        let mut description = Description {
            span,
            ..Description::default()
        };
        let last = match self.option {
            None | Some(Field::Name) => 3,
            Some(Field::Function) => 2,
            Some(Field::Module) => 1,
            Some(Field::Provider) => 0,
        };
        let mut field: u8 = last + 1;
        for part in text.strip_prefix(':').unwrap_or(text).rsplit(':') {
            let Some(index) = field.checked_sub(1) else {
                return Err(self
                    .lexer
                    .bad_description(span, "Overspecified probe description"));
            };
            field = index;
            let value = self.lexer.substituted(part).ok_or_else(|| {
                self.lexer
                    .bad_description(span, "Undefined macro variable in probe description")
            })?;
            *match field {
                0 => &mut description.provider,
                1 => &mut description.module,
                2 => &mut description.function,
                _ => &mut description.name,
            } = value;
        }
        Ok(description)
    }
}

/// An empty body is none: the default action.
fn some<T>(body: Vec<T>) -> Option<Vec<T>> {
    (!body.is_empty()).then_some(body)
}
