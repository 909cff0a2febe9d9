// SPDX-License-Identifier: GPL-2.0-only
//! Control lines: `#pragma D …`, `#line` and cpp's line markers, `#ident`, `#error`.
#![forbid(unsafe_code)]

use super::literal::{self};
use super::{Lexer, Result};
use crate::ast::Pragma;
use crate::builtins;
use crate::error::{Error, Span};
use crate::stability::Attributes;
use crate::version::Version;

/// A name that a pragma is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Which pragma, or in `depends_on` which kind of thing.
    pub pragma: &'static str,
    pub name: String,
    pub span: Span,
}

/// A word of a control line.
enum Word {
    Int,
    String(String),
    Name(String),
}

/// Directives that the C preprocessor would have obeyed.
const PREPROCESSOR: [&str; 12] = [
    "include",
    "define",
    "undef",
    "if",
    "ifdef",
    "ifndef",
    "elif",
    "else",
    "endif",
    "warning",
    "import",
    "include_next",
];

impl Lexer<'_> {
    /// Obeys the control line that begins here, all but its newline.
    pub(super) fn control(&mut self) -> Result<()> {
        let start = self.at;
        self.at += 1;
        let words = self.words()?;
        let span = self.span(start);
        let mut words = words.as_slice();
        let mut pragma = false;
        let mut of_d = false;
        while let Some((first, rest)) = words.split_first() {
            let name = match first {
                Word::Int => return line(words, span),
                Word::String(_) => {
                    return Err(Error::new(
                        "D_PRAGCTL_INVAL",
                        span,
                        "invalid control directive",
                    ));
                }
                Word::Name(name) => name.as_str(),
            };
            words = rest;
            match name {
                "pragma" if !pragma => pragma = true,
                "D" if pragma && !of_d => of_d = true,
                "line" => return line(words, span),
                "ident" => return Ok(()),
                "error" => {
                    let message: Vec<&str> = words
                        .iter()
                        .filter_map(|word| match word {
                            Word::Name(text) | Word::String(text) => Some(text.as_str()),
                            Word::Int => None,
                        })
                        .collect();
                    return Err(Error::new(
                        "D_PRAGERR",
                        span,
                        format!("#error: {}", message.join(" ")),
                    ));
                }
                "attributes" if of_d => return self.attributes(words, span),
                "binding" if of_d => return self.binding(words, span),
                "depends_on" if of_d => return self.depends_on(words, span),
                "option" if of_d => return self.option(words, span),
                _ if of_d => {
                    return Err(Error::new(
                        "D_PRAGMA_INVAL",
                        span,
                        format!("invalid D pragma: {name}"),
                    ));
                }
                // Pragmas for others are not ours to judge.
                _ if pragma => return Ok(()),
                _ => {
                    let hint = if PREPROCESSOR.contains(&name) {
                        " (the C preprocessor obeys it: use -C)"
                    } else {
                        ""
                    };
                    return Err(Error::new(
                        "D_PRAGCTL_INVAL",
                        span,
                        format!("invalid control directive: #{name}{hint}"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn words(&mut self) -> Result<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.at += self.run(|byte| matches!(byte, b' ' | b'\t' | b'\x0b' | b'\x0c' | b'\r'));
            let start = self.at;
            match self.peek(0) {
                Some(b'\n') => return Ok(words),
                None => {
                    return Err(self.syntax(
                        self.span(start),
                        "end-of-file encountered before end of control line",
                    ));
                }
                Some(b'"') => {
                    let token = self.string()?;
                    let quoted = self.text(token.span);
                    let bytes = literal::text(quoted[1..quoted.len() - 1].as_bytes());
                    words.push(Word::String(String::from_utf8_lossy(&bytes).into_owned()));
                }
                Some(_) => {
                    self.at += self.run(|byte| !b" \t\x0b\x0c\r\n\"".contains(&byte));
                    let word = &self.text[start..self.at];
                    words.push(if word.bytes().all(|byte| byte.is_ascii_digit()) {
                        Word::Int
                    } else {
                        Word::Name(word.to_owned())
                    });
                }
            }
        }
    }

    /// `#pragma D option name` or `name=value`
    fn option(&mut self, words: &[Word], span: Span) -> Result<()> {
        let Some((Word::Name(option), rest)) = words.split_first() else {
            return Err(malformed(span, "malformed #pragma option <option>=<val>"));
        };
        if !rest.is_empty() {
            return Err(malformed(
                span,
                "superfluous arguments specified for #pragma option",
            ));
        }
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option.as_str(), None),
        };
        // These are the scanner's own; the others are for who runs the program.
        match name {
            "defaultargs" => self.default_arguments = true,
            "argref" => self.unused_arguments = true,
            "pspec" => self.pspec = true,
            _ => {}
        }
        self.options.push(Pragma {
            name: name.to_owned(),
            value,
            span,
        });
        Ok(())
    }

    /// `#pragma D attributes name/data/class identifier` or `… provider name part`
    fn attributes(&mut self, words: &[Word], span: Span) -> Result<()> {
        let [Word::Name(attributes), Word::Name(name), rest @ ..] = words else {
            return Err(malformed(
                span,
                "malformed #pragma attributes <attributes> <ident>",
            ));
        };
        if Attributes::parse(attributes).is_none() {
            return Err(Error::new(
                "D_PRAGMA_INVAL",
                span,
                "invalid attributes specified by #pragma attributes",
            ));
        }
        if name != "provider" {
            self.about("attributes", name, span);
            return Ok(());
        }
        let [Word::Name(provider), Word::Name(part), ..] = rest else {
            return Err(malformed(
                span,
                "malformed #pragma attributes <attributes> provider <name> <component>",
            ));
        };
        if !["provider", "module", "function", "name", "args"].contains(&part.as_str()) {
            return Err(Error::new(
                "D_PRAGMA_INVAL",
                span,
                format!(
                    "invalid component \"{part}\" in attribute #pragma for provider {provider}"
                ),
            ));
        }
        if !builtins::PROVIDERS.contains(&provider.as_str()) {
            self.about("attributes", provider, span);
        }
        Ok(())
    }

    /// `#pragma D binding "version" identifier`
    fn binding(&mut self, words: &[Word], span: Span) -> Result<()> {
        let [Word::String(version), Word::Name(name), ..] = words else {
            return Err(malformed(
                span,
                "malformed #pragma binding \"version\" <ident>",
            ));
        };
        if Version::parse(version).is_none() {
            return Err(Error::new(
                "D_PRAGMA_INVAL",
                span,
                "invalid version string specified by #pragma binding",
            ));
        }
        self.about("binding", name, span);
        Ok(())
    }

    fn about(&mut self, pragma: &'static str, name: &str, span: Span) {
        self.named.push(Named {
            pragma,
            name: name.to_owned(),
            span,
        });
    }

    /// `#pragma D depends_on provider|module|library name`
    fn depends_on(&mut self, words: &[Word], span: Span) -> Result<()> {
        let [Word::Name(class), Word::Name(name), ..] = words else {
            return Err(malformed(
                span,
                "malformed #pragma depends_on <class> <name>",
            ));
        };
        let class = match class.as_str() {
            "provider" => "provider",
            "module" => "module",
            // Who reads libraries has brought them into their order.
            "library" if self.library => return Ok(()),
            "library" => {
                return Err(Error::new(
                    "D_PRAGMA_DEPEND",
                    span,
                    "main program may not explicitly depend on a library",
                ));
            }
            other => {
                return Err(Error::new(
                    "D_PRAGMA_INVAL",
                    span,
                    format!("invalid class {other} specified by #pragma depends_on"),
                ));
            }
        };
        self.depends.push(Named {
            pragma: class,
            name: name.clone(),
            span,
        });
        Ok(())
    }
}

fn malformed(span: Span, message: &str) -> Error {
    Error::new("D_PRAGMA_MALFORM", span, message)
}

/// `#line 5`, `#line 5 "file"`, `# 5 "file" 1 3`: where lines come from is read by
/// [`crate::source`]; here only the form counts.
fn line(words: &[Word], span: Span) -> Result<()> {
    match words {
        [Word::Int] => Ok(()),
        [Word::Int, Word::String(_), states @ ..]
            if states.iter().all(|state| matches!(state, Word::Int)) =>
        {
            Ok(())
        }
        _ => Err(malformed(
            span,
            "malformed #line <line> [ [\"file\"] state ]",
        )),
    }
}
