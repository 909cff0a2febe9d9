// SPDX-License-Identifier: GPL-2.0-only
//! From the syntax tree to a program whose names, types and conversions are known.
//!
//! What is refused, and with which tag, follows libdtrace: dt_parser.c (expressions), dt_cc.c
//! (actions, aggregations), dt_printf.c (formats), dt_ident.c (arguments).
//!
//! | to … | read |
//! |---|---|
//! | know what comes out | [`tree`] |
//! | resolve names | `names`, `arguments` (`args[]`), `external` (the kernel's symbols) |
//! | type expressions | `expr`, `operators`, `convert`, `calls`, `origin` |
//! | check statements | `statements`, `blocks` (`if`), `actions`, `aggregate`, `printf`, [`format`] |
//! | declare types, variables, inlines | `declare` |
//! | translate | `translate` |
#![forbid(unsafe_code)]

mod actions;
mod aggregate;
mod aggregation_actions;
mod arguments;
mod blocks;
mod calls;
mod changes;
mod conditions;
mod convert;
mod declare;
mod distributions;
mod expr;
pub mod format;
mod names;
mod operators;
mod origin;
mod places;
mod printf;
mod registers;
mod statements;
mod translate;
pub mod tree;
mod type_names;

use std::collections::HashMap;
use std::rc::Rc;

use crate::ast::{self, Description, Item};
use crate::error::{Error, Span};
use crate::options::Options;
use crate::stability::Attributes;
use crate::types::{TypeId, Types};

pub(crate) use convert::cut;
use names::Global;
pub(crate) use names::written;
pub(crate) use statements::{dynamic, no_value};
use tree::{Node, NodeKind};

/// Checks a program.
pub fn check(
    program: &ast::Program,
    types: &mut Types,
    options: &Options<'_>,
) -> Result<tree::Program, Error> {
    types.set_string_bytes(options.strsize);
    let mut checker = Checker::new(types, options);
    for text in texts(program) {
        checker.locals.clear();
        // As dtrace does it: what a text declares holds for all of its clauses, those before it as well.
        let (clauses, declared): (Vec<_>, Vec<_>) = text
            .iter()
            .partition(|item| matches!(item, Item::Clause(_)));
        for item in declared.into_iter().chain(clauses) {
            checker.program_item(item)?;
        }
    }
    checker.settle_keys();
    match checker.destroys {
        Some(refused) => Err(refused),
        None => Ok(checker.program),
    }
}

/// What is wrong with a program's declarations, whatever its clauses are.
pub fn wrong_declaration(
    program: &ast::Program,
    types: &mut Types,
    options: &Options<'_>,
) -> Option<Error> {
    let is_declared = |item: &&Item| !matches!(item, Item::Clause(_));
    types.set_string_bytes(options.strsize);
    let mut checker = Checker::new(types, options);
    texts(program).into_iter().find_map(|text| {
        checker.locals.clear();
        let mut declared = text.iter().filter(is_declared);
        declared.find_map(|item| checker.program_item(item).err())
    })
}

/// The items of each text.
fn texts(program: &ast::Program) -> Vec<&[Item]> {
    let mut rest = program.items.as_slice();
    let mut texts = Vec::new();
    for start in program.texts.iter().rev() {
        let (before, text) = rest.split_at((*start).min(rest.len()));
        texts.push(text);
        rest = before;
    }
    texts.push(rest);
    texts.reverse();
    texts
}

/// A program while it is checked.
struct Checker<'a> {
    types: &'a mut Types,
    options: &'a Options<'a>,
    program: tree::Program,
    /// What the program itself made known, by its name.
    globals: HashMap<String, Global>,
    /// `self->`
    threads: HashMap<String, usize>,
    /// `this->`
    locals: HashMap<String, usize>,
    aggregations: HashMap<String, usize>,
    /// Symbols of the kernel whose type the program says.
    externs: HashMap<String, TypeId>,
    /// The arguments of inlines that are being expanded, the innermost last.
    arguments: Vec<Rc<HashMap<String, Node>>>,
    /// How types become others, in the order of declaration.
    translators: Vec<Rc<translate::Translator>>,
    /// The libraries that were made use of.
    libraries: Vec<&'static str>,
    /// While a library's text is checked: what made use of it.
    library_use: Option<Span>,
    /// How many clauses were checked, as they are written.
    clause: usize,
    /// The probes of the clause that is being checked.
    probes: Option<Vec<Description>>,
    /// The statements that are being checked, up to an `if`, have called `speculate()`.
    speculates: bool,
    /// The first destructive action, which is refused if nothing else is wrong with the program.
    destroys: Option<Error>,
    /// `printa()` of several: their keys are shown together.
    together: Vec<Vec<usize>>,
    /// Variables of clauses with an `if`.
    hidden: blocks::Hidden,
}

impl<'a> Checker<'a> {
    fn new(types: &'a mut Types, options: &'a Options<'a>) -> Self {
        Self {
            types,
            options,
            program: tree::Program::default(),
            globals: HashMap::new(),
            threads: HashMap::new(),
            locals: HashMap::new(),
            aggregations: HashMap::new(),
            externs: HashMap::new(),
            arguments: Vec::new(),
            translators: Vec::new(),
            libraries: Vec::new(),
            library_use: None,
            clause: 0,
            probes: None,
            speculates: false,
            destroys: None,
            together: Vec::new(),
            hidden: blocks::Hidden::default(),
        }
    }

    fn program_item(&mut self, item: &Item) -> Result<(), Error> {
        match item {
            Item::Declaration(declaration) => self.declaration(declaration),
            Item::Inline(inline) => self.inline(inline),
            Item::Translator(translator) => self.translator(translator),
            Item::Clause(clause) => {
                self.clause(clause)?;
                self.clause += 1;
                Ok(())
            }
        }
    }

    /// A clause. If it speaks of `args[]`, it is one for each of its descriptions, as their types
    /// differ.
    fn clause(&mut self, clause: &ast::Clause) -> Result<(), Error> {
        let ours = Attributes::OURS;
        if self.options.amin.is_some_and(|amin| amin > ours) {
            return Err(Error::new(
                "D_ATTR_MIN",
                clause.span,
                format!("attributes for clause ({ours}) are less than predefined minimum"),
            ));
        }
        if clause.descriptions.len() > 1 && arguments::uses_arguments(clause) {
            for description in &clause.descriptions {
                self.clause_for(clause, vec![description.clone()])?;
            }
            return Ok(());
        }
        self.clause_for(clause, clause.descriptions.clone())
    }

    fn clause_for(
        &mut self,
        clause: &ast::Clause,
        descriptions: Vec<Description>,
    ) -> Result<(), Error> {
        self.probes = Some(descriptions.clone());
        self.speculates = false;
        // Actions may make variables that the predicate asks for, and the other way round.
        let body = clause.body.as_deref().unwrap_or_default();
        let (predicate, body) = match self.statements(body) {
            Ok(body) => (self.predicate(clause.predicate.as_ref())?, body),
            Err(error)
                if clause.predicate.is_some()
                    && matches!(error.tag, "D_IDENT_UNDEF" | "D_VAR_UNDEF") =>
            {
                // If the predicate is no help, what is told is its own error, as dtrace does.
                let predicate = self.predicate(clause.predicate.as_ref())?;
                (predicate, self.statements(body)?)
            }
            Err(error) => return Err(error),
        };
        statements::order(&body, &clause.body)?;
        let default = body.is_empty() || statements::only_speculates(&body);
        self.probes = None;
        self.add_clause(tree::Clause {
            descriptions,
            predicate,
            body,
            default,
            span: clause.span,
            number: self.clause,
            goes_on: false,
            marks: None,
        })
    }

    fn predicate(&mut self, predicate: Option<&ast::Expr>) -> Result<Option<Node>, Error> {
        let Some(predicate) = predicate else {
            return Ok(None);
        };
        let node = self.value(predicate)?;
        if !self.types.is_scalar(node.ty) {
            return Err(Error::new(
                "D_PRED_SCALAR",
                predicate.span,
                "predicate result must be of scalar type",
            ));
        }
        Ok(Some(node))
    }

    /// A constant of a type.
    fn int(&self, value: i64, ty: TypeId, span: Span) -> Node {
        Node::new(NodeKind::Int(value), ty, span)
    }
}
