// SPDX-License-Identifier: GPL-2.0-only
//! Tokens of D.
//!
//! D has two sets of tokens, and its parser says which one it wants:
//!
//! ```text
//!   outer   BEGIN, fbt::vfs_*:entry   / self->x /   { trace(arg0); }   int y;
//!           ───── descriptions ─────    ───────── inner ─────────      ─────
//! ```
//!
//! Outside of clauses and declarations a word is a probe description (globs, `-`, `:` are part of
//! it) unless it is a keyword or the name of a type. Inside, tokens are those of C, and `/` ends a
//! predicate if `{`, `;`, `/` or the end of the text follow it; else it divides. The rules are those
//! of libdtrace's scanner (dt_lex.l), as the DTrace guide's chapter on program structure tells them.
#![forbid(unsafe_code)]

mod control;
mod literal;
mod substitute;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::ast::{Pragma, Suffix};
use crate::error::{Error, Span};
use crate::macros::Macros;

pub(crate) use control::Named;

type Result<T> = std::result::Result<T, Error>;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tok {
    /// The end of the text.
    End,
    /// An integer; `negative` only of a macro argument such as `-1`.
    Int {
        value: u64,
        suffix: Suffix,
        decimal: bool,
        negative: bool,
    },
    /// A character constant.
    Char(i64),
    /// A string, escapes resolved, without the NUL at its end.
    String(Vec<u8>),
    /// A name, perhaps with a module before it: ``module`name``.
    Ident(String),
    /// A reserved word.
    Key(&'static str),
    /// `@name`; `@` alone is `_`.
    Aggregation(String),
    /// A probe description's text, outer only.
    Probe(String),
    /// An operator or other sign.
    Op(&'static str),
    /// The `/` that ends a predicate.
    EndPredicate,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub tok: Tok,
    pub span: Span,
}

/// The words that D reserves, those among them that have no use in it too.
const KEYWORDS: &[&str] = &[
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "counter",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "import",
    "inline",
    "int",
    "long",
    "offsetof",
    "probe",
    "provider",
    "register",
    "restrict",
    "return",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "string",
    "stringof",
    "struct",
    "switch",
    "this",
    "translator",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "xlate",
];

/// The reserved words with which a declaration can begin; outside of clauses the others are names
/// of probes.
const OUTER_KEYWORDS: &[&str] = &[
    "auto",
    "char",
    "const",
    "counter",
    "double",
    "enum",
    "extern",
    "float",
    "import",
    "inline",
    "int",
    "long",
    "provider",
    "register",
    "restrict",
    "self",
    "short",
    "signed",
    "static",
    "string",
    "struct",
    "this",
    "translator",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
];

/// The reserved words that are types by themselves.
const TYPE_KEYWORDS: &[&str] = &[
    "char", "double", "float", "int", "long", "short", "signed", "string", "unsigned", "void",
];

/// Operators, longest first among those that begin alike.
const OPERATORS: &[&str] = &[
    "...", "<<=", ">>=", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "^^",
    "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "(", ")", "[", "]", "{", "}", ";", ",", ":",
    "?", ".", "=", "+", "-", "*", "%", "&", "|", "^", "~", "!", "<", ">",
];

/// Finds a reserved word.
pub(crate) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.binary_search(&word).ok().map(|at| KEYWORDS[at])
}

/// What a description's text may consist of, after its first character.
fn describes(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-$:_.?*\\[]!`".contains(&byte)
}

fn begins_description(byte: u8) -> bool {
    describes(byte) && !byte.is_ascii_digit() && byte != b'`'
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'`'
}

fn names(byte: u8) -> bool {
    begins_name(byte) || byte.is_ascii_digit()
}

/// Reads tokens from a program's text.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    base: u32,
    at: usize,
    /// Only blanks were seen in this line yet.
    fresh_line: bool,
    /// The parser is inside of a predicate.
    pub in_predicate: bool,
    macros: &'a Macros,
    default_arguments: bool,
    unused_arguments: bool,
    /// Option `pspec` was in the text.
    pspec: bool,
    used: BTreeSet<usize>,
    /// `#pragma D option`, in order.
    pub options: Vec<Pragma>,
    /// `#pragma D attributes` and `binding`: what they are about.
    pub named: Vec<Named>,
    /// `#pragma D depends_on provider|module`: what has to be there.
    pub depends: Vec<Named>,
    /// The text is a library's.
    library: bool,
}

impl<'a> Lexer<'a> {
    /// Places in the text count from `base` on.
    pub fn new(text: &'a str, base: u32, macros: &'a Macros) -> Result<Self> {
        if u32::try_from(text.len()).map_or(true, |len| len.checked_add(base).is_none()) {
            return Err(Error::new(
                "D_SYNTAX",
                Span::default(),
                "the program is longer than 4 GiB",
            ));
        }
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            base,
            at: 0,
            fresh_line: true,
            in_predicate: false,
            macros,
            default_arguments: macros.default_arguments,
            unused_arguments: macros.unused_arguments,
            pspec: false,
            used: BTreeSet::new(),
            options: Vec::new(),
            named: Vec::new(),
            depends: Vec::new(),
            library: false,
        })
    }

    /// Whether the text is a library's, which may depend on others.
    pub fn of_library(self, library: bool) -> Self {
        Self { library, ..self }
    }

    /// The text of a place.
    pub fn text(&self, span: Span) -> &'a str {
        &self.text[(span.start - self.base) as usize..(span.end - self.base) as usize]
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn span(&self, start: usize) -> Span {
        // `new` made sure that the text is shorter than 4 GiB.
        Span {
            start: self.base + start as u32,
            end: self.base + self.at as u32,
        }
    }

    fn syntax(&self, span: Span, message: impl Into<String>) -> Error {
        Error::new("D_SYNTAX", span, message)
    }

    /// The refusal of what stands at the current place.
    fn stray(&mut self) -> Error {
        let start = self.at;
        let found = self.text[start..].chars().next();
        self.at += found.map_or(0, char::len_utf8);
        let found = match found {
            Some(found) if found.is_control() => found.escape_default().to_string(),
            Some(found) => found.to_string(),
            None => String::new(),
        };
        self.syntax(self.span(start), format!("syntax error near \"{found}\""))
    }

    /// How many bytes from `self.at` satisfy the condition.
    fn run(&self, is: impl Fn(u8) -> bool) -> usize {
        self.bytes[self.at..]
            .iter()
            .position(|&byte| !is(byte))
            .unwrap_or(self.bytes.len() - self.at)
    }

    /// Skips blanks, comments, `#!` lines; obeys control lines.
    fn skip(&mut self) -> Result<()> {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => {
                    self.fresh_line = true;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == Some(b'\n') => self.at += 2,
                b'\\' if self.peek(1) == Some(b'\r') && self.peek(2) == Some(b'\n') => self.at += 3,
                b'#' if self.fresh_line => {
                    if self.peek(1) == Some(b'!') {
                        self.at += self.run(|byte| byte != b'\n');
                    } else {
                        self.control()?;
                    }
                }
                b'/' if self.peek(1) == Some(b'*') => {
                    self.comment()?;
                    self.fresh_line = false;
                }
                b'/' if self.line_comment() => self.at += self.run(|byte| byte != b'\n'),
                _ => break,
            }
        }
        Ok(())
    }

    /// Whether a `//` comment begins here. `//*` behind a predicate is its end and a comment.
    fn line_comment(&self) -> bool {
        self.peek(0) == Some(b'/')
            && self.peek(1) == Some(b'/')
            && !(self.in_predicate && self.peek(2) == Some(b'*'))
    }

    fn comment(&mut self) -> Result<()> {
        let start = self.at;
        self.at += 2;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => {
                    self.at = start + 2;
                    return Err(self.syntax(
                        self.span(start),
                        "end-of-file encountered before matching */",
                    ));
                }
                (Some(b'*'), Some(b'/')) => {
                    self.at += 2;
                    return Ok(());
                }
                (Some(b'/'), Some(b'*')) => {
                    let nested = self.at;
                    self.at += 2;
                    return Err(self.syntax(self.span(nested), "/* encountered inside a comment"));
                }
                _ => self.at += 1,
            }
        }
    }

    /// The next token outside of clauses and declarations. `is_type` tells names of types; without
    /// it every word is a description.
    pub fn outer(&mut self, is_type: Option<&dyn Fn(&str) -> bool>) -> Result<Token> {
        self.skip()?;
        self.fresh_line = false;
        let start = self.at;
        let Some(byte) = self.peek(0) else {
            return Ok(self.token(start, Tok::End));
        };
        if begins_description(byte) {
            self.at += self.run(describes);
            let word = &self.text[start..self.at];
            if let Ok(found) = OUTER_KEYWORDS.binary_search(&word) {
                return Ok(self.token(start, Tok::Key(OUTER_KEYWORDS[found])));
            }
            if let Some(is_type) = is_type.filter(|_| !self.pspec) {
                let certain = word.contains([':', '-', '.', '?', '!', '`'])
                    || ["BEGIN", "END", "ERROR"].contains(&word);
                // `int*x;`: a type, although `*` can be part of a description.
                let name = match word.find('*') {
                    Some(star) if star > 0 => &word[..star],
                    _ => word,
                };
                if let Some(key) = keyword(name).filter(|key| TYPE_KEYWORDS.contains(key)) {
                    if !certain {
                        self.at = start + name.len();
                        return Ok(self.token(start, Tok::Key(key)));
                    }
                }
                if !certain && is_type(name) {
                    self.at = start + name.len();
                    return Ok(self.token(start, Tok::Ident(name.to_owned())));
                }
            }
            return Ok(self.token(start, Tok::Probe(word.to_owned())));
        }
        if byte.is_ascii_digit() {
            return self.number();
        }
        for op in ["/", ",", "{"] {
            if op.as_bytes()[0] == byte {
                self.at += 1;
                return Ok(self.token(start, Tok::Op(op)));
            }
        }
        Err(self.stray())
    }

    /// The next token of a clause or declaration.
    pub fn inner(&mut self) -> Result<Token> {
        self.skip()?;
        self.fresh_line = false;
        let start = self.at;
        let Some(byte) = self.peek(0) else {
            return Ok(self.token(start, Tok::End));
        };
        match byte {
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'"' => self.string(),
            b'\'' => self.character(),
            b'$' => self.substitution(),
            b'@' => {
                self.at += 1;
                let name = match self.peek(0) {
                    Some(byte) if begins_name(byte) && byte != b'`' => {
                        self.at += self.run(|byte| names(byte) && byte != b'`');
                        &self.text[start + 1..self.at]
                    }
                    _ => "_",
                };
                Ok(self.token(start, Tok::Aggregation(name.to_owned())))
            }
            b'/' if self.peek(1) != Some(b'=') => {
                self.at += 1;
                let tok = if self.ends_predicate() {
                    Tok::EndPredicate
                } else {
                    Tok::Op("/")
                };
                Ok(self.token(start, tok))
            }
            byte if begins_name(byte) => {
                self.at += self.run(names);
                let word = &self.text[start..self.at];
                let tok = match keyword(word) {
                    Some(key) => Tok::Key(key),
                    None => Tok::Ident(word.to_owned()),
                };
                Ok(self.token(start, tok))
            }
            _ => {
                let rest = &self.bytes[start..];
                match OPERATORS.iter().find(|op| rest.starts_with(op.as_bytes())) {
                    Some(op) => {
                        self.at += op.len();
                        Ok(self.token(start, Tok::Op(op)))
                    }
                    None => Err(self.stray()),
                }
            }
        }
    }

    fn token(&self, start: usize, tok: Tok) -> Token {
        Token {
            tok,
            span: self.span(start),
        }
    }

    /// Whether the `/` before `self.at` ends a predicate: by what follows it, blanks, comments and
    /// cpp's line markers set aside.
    fn ends_predicate(&self) -> bool {
        let mut at = self.at;
        loop {
            let rest = &self.bytes[at..];
            match rest {
                [b'\n', b'#', ..] => {
                    at += 1;
                    at += line(&self.bytes[at..]);
                }
                [b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r', ..] => at += 1,
                [b'/', b'*', ..] => match self.text[at + 2..].find("*/") {
                    Some(end) => at += 2 + end + 2,
                    None => return true,
                },
                [b'/', b'/', ..] if at > self.at => at += line(rest),
                [] | [b';' | b'{' | b'/', ..] => return true,
                _ => return false,
            }
        }
    }

    /// The refusal of an argument that the program does not use; only the last one is looked at,
    /// as DTrace does.
    pub fn check_arguments(&self) -> Result<()> {
        match self.macros.arguments.last() {
            Some(argument)
                if self.macros.arguments.len() > 1
                    && !self.unused_arguments
                    && !self.used.contains(&(self.macros.arguments.len() - 1)) =>
            {
                Err(Error::new(
                    "D_MACRO_UNUSED",
                    Span::default(),
                    format!(
                        "extraneous argument '{argument}' (${} is not referenced)",
                        self.macros.arguments.len() - 1
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// How many bytes there are before the end of the line.
fn line(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(bytes.len())
}
