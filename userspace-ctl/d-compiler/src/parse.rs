// SPDX-License-Identifier: GPL-2.0-only
//! From a program's text to its syntax tree: recursive descent over the tokens of [`crate::lex`].
//!
//! The grammar is that of libdtrace (dt_grammar.y), `if` and `else` of the later editions with it.
//! As in C, `(name)` is a cast if `name` is a type: the parser keeps the program's own typedefs, and
//! asks [`Context::is_type`] for the kernel's.
//!
//! No text makes it overflow the stack: nesting is bounded by [`MAX_DEPTH`], and the tree's height
//! (long chains of operators are high, not nested) by [`MAX_HEIGHT`], for who walks it.
#![forbid(unsafe_code)]

mod declare;
mod describe;
mod expression;
mod statement;
mod translator;
mod words;

#[cfg(test)]
mod any_text_tests;
#[cfg(test)]
mod any_tree_tests;
#[cfg(test)]
mod declare_tests;
#[cfg(test)]
mod expression_tests;
#[cfg(test)]
mod program_tests;
#[cfg(test)]
mod unparse;

use std::collections::{HashSet, VecDeque};

use crate::ast::{Item, Program};
use crate::builtins;
use crate::error::{Error, Span};
use crate::lex::{Lexer, Tok, Token};
use crate::macros::Macros;
use crate::prelude;

/// How deep calls of the parser nest, at most: a pair of parentheses is a level, and an operator's
/// right side is one. Its stack stays below 2 MiB, that of a thread, without optimisation too.
pub const MAX_DEPTH: u16 = 100;

/// The most levels of an expression's or statement's tree.
pub const MAX_HEIGHT: u16 = 512;

type Result<T> = std::result::Result<T, Error>;

/// What a program's text alone does not say.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What macros stand for.
    pub macros: &'a Macros,
    /// Whether a name, perhaps ``module`name``, is a typedef of the kernel.
    pub is_type: &'a dyn Fn(&str) -> bool,
    /// Whether a provider or module (the first argument says which, in a word) is there, for
    /// `#pragma D depends_on`.
    pub is_there: &'a dyn Fn(&str, &str) -> bool,
    /// What is wrong with what was declared before the text turned out to be no D, which is told in place of that: as
    /// dtrace works off each declaration when it has read it.
    pub declared: &'a dyn Fn(&Program) -> Option<Error>,
    /// The text is a library's, which may depend on others.
    pub library: bool,
    /// Option `empty`: the program may have no clauses.
    pub allow_empty: bool,
    /// Option `pspec`: words outside of clauses are descriptions, even those that name types.
    pub pspec: bool,
    /// Where places in the text count from: for who parses several texts.
    pub base: u32,
}

impl<'a> Context<'a> {
    /// Nothing is known but D itself; every module is there.
    pub fn new(macros: &'a Macros) -> Self {
        Self {
            macros,
            is_type: &|_| false,
            is_there: &|class, name| class != "provider" || builtins::PROVIDERS.contains(&name),
            declared: &|_| None,
            library: false,
            allow_empty: false,
            pspec: false,
            base: 0,
        }
    }
}

/// The field of a description that a lone word means: options -P, -m, -f, -n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Field {
    Provider,
    Module,
    Function,
    Name,
}

/// Parses a script.
///
/// # Errors
/// What is wrong with it, with DTrace's tag.
pub fn parse(text: &str, macros: &Macros) -> Result<Program> {
    parse_in(text, &Context::new(macros))
}

/// As [`parse`], with what is known of the kernel.
///
/// # Errors
/// What is wrong with it, with DTrace's tag.
pub fn parse_in(text: &str, context: &Context<'_>) -> Result<Program> {
    Parser::new(text, context, None)?.program()
}

/// Parses the argument of an option -P, -m, -f or -n: clauses, the first description of each reaching
/// up to the option's field: with -f `vfs_read` is a function, `vmlinux:vfs_read` a module and a
/// function. A clause needs no braces here.
///
/// # Errors
/// What is wrong with it, with DTrace's tag.
pub fn parse_clause(field: Field, text: &str, macros: &Macros) -> Result<Program> {
    parse_clause_in(field, text, &Context::new(macros))
}

/// As [`parse_clause`], with what is known of the kernel.
///
/// # Errors
/// What is wrong with it, with DTrace's tag.
pub fn parse_clause_in(field: Field, text: &str, context: &Context<'_>) -> Result<Program> {
    Parser::new(text, context, Some(field))?.program()
}

/// The parser's state.
struct Parser<'a> {
    context: &'a Context<'a>,
    lexer: Lexer<'a>,
    /// The text is an option's argument.
    option: Option<Field>,
    /// Tokens that were read ahead, inner ones.
    ahead: VecDeque<Token>,
    /// The outer token that was read ahead.
    outer_ahead: Option<Token>,
    /// How deep calls nest now.
    depth: u16,
    /// The end of the last token taken.
    end: u32,
    /// Typedefs of the program.
    types: HashSet<String>,
    /// Structs and (true) unions of the program that have members.
    tags: HashSet<(bool, String)>,
    /// Variables of the program: declared, or assigned to. They hide the kernel's types.
    variables: HashSet<String>,
    /// Those of them that are functions, which somebody else defines.
    functions: HashSet<String>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, context: &'a Context<'a>, option: Option<Field>) -> Result<Self> {
        Ok(Self {
            context,
            lexer: Lexer::new(text, context.base, context.macros)?.of_library(context.library),
            option,
            ahead: VecDeque::new(),
            outer_ahead: None,
            depth: 0,
            end: 0,
            types: HashSet::new(),
            tags: HashSet::new(),
            variables: HashSet::new(),
            functions: HashSet::new(),
        })
    }

    fn program(mut self) -> Result<Program> {
        let mut program = Program::default();
        let Err(error) = self.items(&mut program) else {
            return Ok(program);
        };
        // What has no place is found when all has been read.
        let is_before =
            |before: &Error| before.span.start < error.span.start || error.span == Span::default();
        let before = (self.context.declared)(&program).filter(is_before);
        Err(before.unwrap_or(error))
    }

    fn items(&mut self, program: &mut Program) -> Result<()> {
        loop {
            let token = self.outer()?;
            match token.tok {
                Tok::End => break,
                Tok::Probe(_) | Tok::Int { .. } => {
                    let clause = self.clause(token)?;
                    program.items.push(Item::Clause(clause));
                }
                Tok::Key("inline") => {
                    let inline = self.inline(token.span)?;
                    program.items.push(Item::Inline(inline));
                }
                Tok::Key("translator") => {
                    let translator = self.translator(token.span)?;
                    program.items.push(Item::Translator(translator));
                }
                Tok::Key("provider") => return Err(refused(token.span)),
                Tok::Key("import" | "counter") | Tok::Op(_) => return Err(self.near(&token)),
                _ => {
                    self.ahead.push_front(token);
                    let declaration = self.declaration()?;
                    program.items.push(Item::Declaration(declaration));
                }
            }
        }
        self.check_pragmas(program)?;
        self.lexer.check_arguments()?;
        program.options = std::mem::take(&mut self.lexer.options);
        let allow_empty =
            self.context.allow_empty || program.options.iter().any(|option| option.name == "empty");
        if program.items.is_empty() && !allow_empty {
            return Err(empty());
        }
        Ok(())
    }

    /// Pragmas that name what is not there.
    fn check_pragmas(&self, program: &Program) -> Result<()> {
        for depends in &self.lexer.depends {
            if !(self.context.is_there)(depends.pragma, &depends.name) {
                return Err(Error::new(
                    "D_PRAGMA_DEPEND",
                    depends.span,
                    format!("program requires {} {}", depends.pragma, depends.name),
                ));
            }
        }
        for about in &self.lexer.named {
            let is_translator = |item: &Item| matches!(item, Item::Translator(_));
            if about.name == "translator" && program.items.iter().any(is_translator) {
                continue;
            }
            let is_function = self.functions.contains(&about.name);
            if self.variables.contains(&about.name) && !is_function {
                continue;
            }
            let name = about.name.as_str();
            let is_builtin =
                || builtins::variable(name).is_some() || builtins::function(name).is_some();
            if !is_function && is_builtin() {
                return Err(Error::new(
                    "D_PRAGMA_SCOPE",
                    about.span,
                    format!(
                        "#pragma {} cannot modify entity defined outside program scope",
                        about.pragma
                    ),
                ));
            }
            return Err(Error::new(
                "D_PRAGMA_UNUSED",
                about.span,
                format!("unused #pragma {}", about.pragma),
            ));
        }
        Ok(())
    }

    /// Whether a name is that of a type.
    fn is_type(&self, name: &str) -> bool {
        names_type(name, self.context, &self.types, &self.variables)
    }

    // Outer tokens.

    fn outer(&mut self) -> Result<Token> {
        debug_assert!(self.ahead.is_empty());
        let token = match self.outer_ahead.take() {
            Some(token) => token,
            None => {
                let (variables, types) = (&self.variables, &self.types);
                let context = self.context;
                let is_type = |name: &str| names_type(name, context, types, variables);
                // In an option's argument words are descriptions.
                let described = self.option.is_some() || context.pspec;
                let is_type: &dyn Fn(&str) -> bool = &is_type;
                self.lexer.outer((!described).then_some(is_type))?
            }
        };
        self.end = token.span.end;
        Ok(token)
    }

    // Inner tokens.

    fn look(&mut self, ahead: usize) -> Result<&Token> {
        while self.ahead.len() <= ahead {
            let token = self.lexer.inner()?;
            self.ahead.push_back(token);
        }
        Ok(&self.ahead[ahead])
    }

    fn take(&mut self) -> Result<Token> {
        self.look(0)?;
        let token = self.ahead.pop_front();
        // `look` made sure that there is one.
        let token = token.unwrap_or(Token {
            tok: Tok::End,
            span: Span::default(),
        });
        self.end = token.span.end;
        Ok(token)
    }

    fn at(&mut self, op: &str) -> Result<bool> {
        Ok(matches!(self.look(0)?.tok, Tok::Op(found) if found == op))
    }

    fn at_key(&mut self, word: &str) -> Result<bool> {
        Ok(matches!(self.look(0)?.tok, Tok::Key(found) if found == word))
    }

    fn eat(&mut self, op: &str) -> Result<bool> {
        let there = self.at(op)?;
        if there {
            self.take()?;
        }
        Ok(there)
    }

    fn expect(&mut self, op: &str) -> Result<Span> {
        let token = self.take()?;
        match token.tok {
            Tok::Op(found) if found == op => Ok(token.span),
            Tok::EndPredicate if op == ")" || op == "]" => Err(Error::new(
                "D_SYNTAX",
                token.span,
                format!("closing {op} expected in predicate before /"),
            )),
            _ => Err(self.near(&token)),
        }
    }

    fn identifier(&mut self) -> Result<(String, Span)> {
        let token = self.take()?;
        match token.tok {
            Tok::Ident(name) => Ok((name, token.span)),
            _ => Err(self.near(&token)),
        }
    }

    /// From a place to the end of the last token taken.
    fn since(&self, start: Span) -> Span {
        Span {
            start: start.start,
            end: self.end.max(start.end),
        }
    }

    fn near(&self, token: &Token) -> Error {
        let message = match token.tok {
            Tok::End => "syntax error near end-of-input".to_owned(),
            _ => format!("syntax error near \"{}\"", self.lexer.text(token.span)),
        };
        Error::new("D_SYNTAX", token.span, message)
    }

    /// Begins what may call itself again. An error ends the parser, so only success leaves again.
    fn enter(&mut self) -> Result<()> {
        if self.depth == MAX_DEPTH {
            let span = self.look(0)?.span;
            return Err(too_deep(span));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Whether a name is that of a type: of the program, of D or of the kernel. `C` and `D` are the
/// modules of the program's and the language's.
fn names_type(
    name: &str,
    context: &Context<'_>,
    types: &HashSet<String>,
    variables: &HashSet<String>,
) -> bool {
    let of_program =
        |name| types.contains(name) || TYPEDEFS.contains(&name) || prelude::defines_type(name);
    match name.rsplit_once('`') {
        Some(("C" | "D", own)) => of_program(own),
        _ => !variables.contains(name) && (of_program(name) || (context.is_type)(name)),
    }
}

fn too_deep(span: Span) -> Error {
    Error::new(
        "D_SYNTAX",
        span,
        "the program nests too deeply here: split the expression or declaration",
    )
}

/// A text without anything to trace: at its end, wherever that is.
pub(crate) fn empty() -> Error {
    let end = Span {
        start: u32::MAX,
        end: u32::MAX,
    };
    Error::new("D_EMPTY", end, "empty D program translation unit")
}

/// What D has and this compiler does not.
fn refused(span: Span) -> Error {
    Error::new(
        "D_SYNTAX",
        span,
        "provider declarations describe probes of programs that are built with them; only the \
         kernel's providers can be traced here",
    )
}

/// The typedefs that D itself defines, whatever the kernel has.
pub const TYPEDEFS: &[&str] = &[
    "int8_t",
    "int16_t",
    "int32_t",
    "int64_t",
    "intptr_t",
    "uint8_t",
    "uint16_t",
    "uint32_t",
    "uint64_t",
    "uchar_t",
    "ushort_t",
    "uint_t",
    "ulong_t",
    "longlong_t",
    "u_longlong_t",
    "ptrdiff_t",
    "uintptr_t",
    "size_t",
    "ssize_t",
    "id_t",
    "pid_t",
    "uid_t",
    "gid_t",
    "dev_t",
    "mode_t",
    "off_t",
    "time_t",
    "hrtime_t",
    "caddr_t",
    "ipaddr_t",
    "processorid_t",
    "projid_t",
    "taskid_t",
    "zoneid_t",
];
