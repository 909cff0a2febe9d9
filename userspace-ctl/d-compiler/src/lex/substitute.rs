// SPDX-License-Identifier: GPL-2.0-only
//! What a macro stands for: one token inside of clauses, text inside of descriptions.
#![forbid(unsafe_code)]

use super::literal::{self, Bad};
use super::{Lexer, Result, Tok, Token, keyword, names};
use crate::ast::Suffix;
use crate::error::{Error, Span};

impl Lexer<'_> {
    /// `$1`, `$$1`, `$target`, `$$target`
    pub(super) fn substitution(&mut self) -> Result<Token> {
        let start = self.at;
        let as_string = self.peek(1) == Some(b'$');
        self.at += 1 + usize::from(as_string);
        let from = self.at;
        match self.peek(0) {
            Some(byte) if byte.is_ascii_digit() => {
                self.at += self.run(|byte| byte.is_ascii_digit());
                let name = &self.text[from..self.at];
                self.argument(start, name, as_string)
            }
            Some(byte) if names(byte) => {
                self.at += self.run(names);
                let name = &self.text[from..self.at];
                let Some(&value) = self.macros.variables.get(name) else {
                    return Err(Error::new(
                        "D_MACRO_UNDEF",
                        self.span(start),
                        format!(
                            "macro variable {} is not defined",
                            &self.text[start..self.at]
                        ),
                    ));
                };
                Ok(self.token(
                    start,
                    if as_string {
                        Tok::String(value.to_string().into_bytes())
                    } else {
                        Tok::Int {
                            value: value.unsigned_abs(),
                            suffix: Suffix::default(),
                            decimal: true,
                            negative: value < 0,
                        }
                    },
                ))
            }
            _ => {
                self.at = start;
                Err(self.stray())
            }
        }
    }

    fn argument(&mut self, start: usize, name: &str, as_string: bool) -> Result<Token> {
        let macros = self.macros;
        let argument = name
            .parse()
            .ok()
            .and_then(|index: usize| Some((index, macros.arguments.get(index)?)));
        let value = match argument {
            Some((index, value)) => {
                self.used.insert(index);
                value.as_str()
            }
            None if self.default_arguments && as_string => "",
            None if self.default_arguments => "0",
            None => {
                return Err(Error::new(
                    "D_MACRO_UNDEF",
                    self.span(start),
                    format!(
                        "macro argument {} is not defined",
                        &self.text[start..self.at]
                    ),
                ));
            }
        };
        if as_string {
            let value = literal::text(value.as_bytes());
            return Ok(self.token(start, Tok::String(value)));
        }
        let tok = self.token_of(start, value)?;
        Ok(self.token(start, tok))
    }

    /// The one token that an argument's text is.
    fn token_of(&self, start: usize, value: &str) -> Result<Tok> {
        let (negative, unsigned) = match value.as_bytes().first() {
            Some(b'-') => (true, &value[1..]),
            Some(b'+') => (false, &value[1..]),
            _ => (false, value),
        };
        if unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            let span = self.span(start);
            let name = &self.text[start..self.at];
            let digits = unsigned.trim_end_matches(['u', 'U', 'l', 'L']);
            match (literal::integer(digits), suffix(&unsigned[digits.len()..])) {
                (Ok(magnitude), Some(suffix)) => {
                    return Ok(Tok::Int {
                        value: magnitude,
                        suffix,
                        decimal: !digits.starts_with('0'),
                        negative: negative && magnitude != 0,
                    });
                }
                (Err(Bad::Overflow), _) => {
                    return Err(Error::new(
                        "D_MACRO_OFLOW",
                        span,
                        format!(
                            "macro argument {name} constant {value} results in integer overflow"
                        ),
                    ));
                }
                (Err(Bad::Digit(digit)), _) if value.bytes().all(names) => {
                    return Err(Error::new(
                        "D_INT_DIGIT",
                        span,
                        format!("constant {value} contains invalid digit {digit}"),
                    ));
                }
                _ => {}
            }
        }
        if !value.is_empty() && value.bytes().all(names) {
            return Ok(match keyword(value) {
                Some(key) => Tok::Key(key),
                None => Tok::Ident(value.to_owned()),
            });
        }
        // Quotes around it are not part of the string.
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        Ok(Tok::String(literal::text(bare.as_bytes())))
    }

    /// A field of a description, macros in it replaced: `$1` or `$$1`, `$target` or `$$target`.
    /// `None`: one of them is not defined.
    pub fn substituted(&mut self, field: &str) -> Option<String> {
        let mut result = String::with_capacity(field.len());
        let mut rest = field;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            let after = after.strip_prefix('$').unwrap_or(after);
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let length = if digits > 0 {
                digits
            } else {
                after
                    .bytes()
                    .position(|byte| !names(byte) || byte == b'`')
                    .unwrap_or(after.len())
            };
            let (name, tail) = after.split_at(length);
            if digits > 0 {
                let index: usize = name.parse().ok()?;
                result.push_str(self.macros.arguments.get(index)?);
                self.used.insert(index);
            } else {
                result.push_str(&self.macros.variables.get(name)?.to_string());
            }
            rest = tail;
        }
        result.push_str(rest);
        Some(result)
    }

    /// `D_PDESC_INVAL` for a description.
    pub fn bad_description(&self, span: Span, why: &str) -> Error {
        Error::new(
            "D_PDESC_INVAL",
            span,
            format!("invalid probe description \"{}\": {why}", self.text(span)),
        )
    }
}

/// Reads `u`, `l`, `ll`, `ul`, `ull`.
fn suffix(text: &str) -> Option<Suffix> {
    let lower = text.to_ascii_lowercase();
    let (unsigned, length) = match lower.strip_prefix('u') {
        Some(length) => (true, length),
        None => (false, lower.as_str()),
    };
    let (long, long_long) = match length {
        "" => (false, false),
        "l" => (true, false),
        "ll" => (false, true),
        _ => return None,
    };
    Some(Suffix {
        unsigned,
        long,
        long_long,
    })
}
