// SPDX-License-Identifier: GPL-2.0-only
//! Declarations of variables and types, and the names of types.
//!
//! A declarator is read from its name outwards, so `*x[3]` (array of 3 pointers) and `(*x)[3]`
//! (pointer to an array of 3) come out as lists of steps from the name's type to the base type.
#![forbid(unsafe_code)]

use super::words::{Base, Words, once};
use super::{Parser, Result};
use crate::ast::{BaseType, Declaration, Declarator, Derivation, Expr, Inline, Storage, TypeName};
use crate::error::{Error, Span};
use crate::lex::{Tok, Token};

/// Whether a declarator has a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Required,
    Forbidden,
    Allowed,
}

/// Where specifiers stand: it decides which storage classes they may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Declaration,
    Parameter,
    /// Of a member, or in the name of a type: none.
    Other,
}

impl Parser<'_> {
    /// `storage type declarator, declarator;`
    pub(super) fn declaration(&mut self) -> Result<Declaration> {
        let start = self.look(0)?.span;
        let (storage, base, _) = self.specifiers(Place::Declaration)?;
        let storage = storage.unwrap_or_default();
        let mut declarators = Vec::new();
        if !self.eat(";")? {
            loop {
                let (declarator, _) = self.declarator(Name::Required)?;
                let names = match storage {
                    Storage::Typedef => Some(&mut self.types),
                    Storage::Global | Storage::Extern => Some(&mut self.variables),
                    _ => None,
                };
                if let Some(names) = names {
                    names.insert(declarator.name.clone());
                }
                if let Some(Derivation::Function(..)) = declarator.derivations.first() {
                    self.functions.insert(declarator.name.clone());
                }
                declarators.push(declarator);
                if !self.eat(",")? {
                    break;
                }
            }
            self.expect(";")?;
        }
        Ok(Declaration {
            storage,
            base,
            declarators,
            span: self.since(start),
        })
    }

    /// `inline type name = value;`, after its first word.
    pub(super) fn inline(&mut self, start: Span) -> Result<Inline> {
        let (storage, base, _) = self.specifiers(Place::Declaration)?;
        if storage.is_some() {
            return Err(Error::new(
                "D_DECL_BADCLASS",
                self.since(start),
                "specified storage class not appropriate for inline declaration",
            ));
        }
        let (declarator, _) = self.declarator(Name::Required)?;
        self.expect("=")?;
        let value = self.assignment()?.expr;
        self.expect(";")?;
        self.variables.insert(declarator.name.clone());
        Ok(Inline {
            base,
            declarator,
            value,
            span: self.since(start),
        })
    }

    /// Whether the token so far ahead begins the name of a type.
    pub(super) fn begins_type(&mut self, ahead: usize) -> Result<bool> {
        let found = match &self.look(ahead)?.tok {
            Tok::Key(word) => {
                return Ok(matches!(
                    *word,
                    "char"
                        | "const"
                        | "double"
                        | "enum"
                        | "float"
                        | "int"
                        | "long"
                        | "restrict"
                        | "short"
                        | "signed"
                        | "string"
                        | "struct"
                        | "union"
                        | "unsigned"
                        | "void"
                        | "volatile"
                ));
            }
            Tok::Ident(name) => name.clone(),
            _ => return Ok(false),
        };
        Ok(self.is_type(&found))
    }

    /// The name of a type, and how high the trees of the expressions in it are.
    pub(super) fn type_name(&mut self) -> Result<(TypeName, u16)> {
        self.enter()?;
        let start = self.look(0)?.span;
        let (_, base, height) = self.specifiers(Place::Other)?;
        let (declarator, more) = self.declarator(Name::Forbidden)?;
        self.leave();
        let name = TypeName {
            base,
            declarator,
            span: self.since(start),
        };
        Ok((name, height.max(more)))
    }

    /// Storage class, qualifiers and the words of a type, in any order. `int` if there is no type
    /// but something else that belongs here.
    fn specifiers(&mut self, place: Place) -> Result<(Option<Storage>, BaseType, u16)> {
        let start = self.look(0)?.span;
        let mut words = Words::default();
        let mut height = 0;
        let mut count = 0_usize;
        loop {
            let token = self.look(0)?.clone();
            match token.tok {
                Tok::Key(
                    word
                    @ ("auto" | "register" | "static" | "extern" | "typedef" | "self" | "this"),
                ) => {
                    self.storage(word, place, &token, &mut words)?;
                }
                Tok::Key("const" | "restrict" | "volatile") => {}
                Tok::Key("signed") => once(&mut words.signed, token.span)?,
                Tok::Key("unsigned") => once(&mut words.unsigned, token.span)?,
                Tok::Key("short") => once(&mut words.short, token.span)?,
                Tok::Key("long") => words.lengthen(token.span)?,
                Tok::Key("char") => words.set(Base::Char, token.span)?,
                Tok::Key("int") => words.set(Base::Int, token.span)?,
                Tok::Key("void") => words.set(Base::Void, token.span)?,
                Tok::Key("float") => words.set(Base::Float, token.span)?,
                Tok::Key("double") => words.set(Base::Double, token.span)?,
                Tok::Key("string") => words.set(Base::Other(BaseType::String), token.span)?,
                Tok::Key(word @ ("struct" | "union" | "enum")) => {
                    self.take()?;
                    self.enter()?;
                    let (base, more) = match word {
                        "enum" => self.enumeration()?,
                        _ => self.record(word == "union")?,
                    };
                    self.leave();
                    words.set(Base::Other(base), token.span)?;
                    height = height.max(more);
                    count += 1;
                    continue;
                }
                // After the words of a type a name is what is declared, even if it is a type's too.
                Tok::Ident(ref name)
                    if words.base.is_none()
                        && self.is_type(name)
                        && !(words.complete() && self.is_declared(place)?) =>
                {
                    let (module, name) = scoped(name);
                    let base = BaseType::Named { module, name };
                    words.set(Base::Other(base), token.span)?;
                }
                _ if count == 0 => {
                    self.take()?;
                    return Err(self.near(&token));
                }
                _ => {
                    let storage = words.storage;
                    let base = words.base_type(self.since(start))?;
                    return Ok((storage, base, height));
                }
            }
            count += 1;
            self.take()?;
        }
    }

    /// Whether the name of a type is what is declared, behind words such as `unsigned`, which may
    /// have a type of their own behind them: libdtrace tells that by what follows the name.
    fn is_declared(&mut self, place: Place) -> Result<bool> {
        Ok(match self.look(1)?.tok {
            Tok::Op("=" | "[" | ";" | "++" | "--") => true,
            Tok::Op(",") => place != Place::Parameter,
            _ => false,
        })
    }

    fn storage(&self, word: &str, place: Place, token: &Token, words: &mut Words) -> Result<()> {
        let (tag, message) = match (place, word) {
            (Place::Other, _) | (Place::Parameter, "self" | "this") => {
                return Err(self.near(token));
            }
            (Place::Parameter, "register") => return Ok(()),
            (Place::Parameter, _) => (
                "D_DECL_PARMCLASS",
                "inappropriate storage class for function or associative array parameter",
            ),
            (Place::Declaration, _) if words.storage.is_some() => (
                "D_DECL_CLASS",
                "only one storage class allowed in a declaration",
            ),
            (Place::Declaration, _) => {
                words.storage = Some(match word {
                    "self" => Storage::Thread,
                    "this" => Storage::Local,
                    "typedef" => Storage::Typedef,
                    "extern" => Storage::Extern,
                    _ => Storage::Static,
                });
                return Ok(());
            }
        };
        Err(Error::new(tag, token.span, message))
    }

    /// `struct tag`, `struct tag { … }`, `struct { … }`, after the first word.
    fn record(&mut self, union: bool) -> Result<(BaseType, u16)> {
        let (module, tag) = self.tag()?;
        let mut height = 0;
        let members = if self.eat("{")? {
            let first = match &tag {
                Some(tag) => self.tags.insert((union, tag.clone())),
                None => true,
            };
            // That there is one already is found before what is wrong with its members.
            let (members, more) = match (self.members(), &tag) {
                (Err(error), Some(tag)) if !first => {
                    let keyword = if union { "union" } else { "struct" };
                    return Err(Error::new(
                        "D_DECL_TYPERED",
                        error.span,
                        format!("type redeclared: {keyword} {tag}"),
                    ));
                }
                (members, _) => members?,
            };
            height = more;
            Some(members)
        } else {
            None
        };
        self.require(tag.is_some() || members.is_some())?;
        let record = BaseType::Record {
            union,
            module,
            tag,
            members,
        };
        Ok((record, height.saturating_add(1)))
    }

    /// Members up to the `}` that ends them.
    fn members(&mut self) -> Result<(Vec<Declaration>, u16)> {
        let mut members = Vec::new();
        let mut height = 0;
        loop {
            let (member, more) = self.member_declaration()?;
            height = height.max(more);
            members.push(member);
            if self.eat("}")? {
                return Ok((members, height));
            }
        }
    }

    /// `type name, name : bits;`
    fn member_declaration(&mut self) -> Result<(Declaration, u16)> {
        let start = self.look(0)?.span;
        let (_, base, mut height) = self.specifiers(Place::Other)?;
        let mut declarators = Vec::new();
        // A struct or union without a name has its members belong to the outer one.
        let anonymous = matches!(
            base,
            BaseType::Record {
                members: Some(_),
                ..
            }
        );
        if !(anonymous && self.at(";")?) {
            loop {
                let at = self.look(0)?.span;
                let (mut declarator, more) = if self.at(":")? {
                    let declarator = Declarator {
                        span: at,
                        ..Declarator::default()
                    };
                    (declarator, 0)
                } else {
                    self.declarator(Name::Required)?
                };
                height = height.max(more);
                if self.eat(":")? {
                    let bits = self.conditional()?;
                    height = height.max(bits.height);
                    declarator.bits = Some(bits.expr);
                    declarator.span = self.since(at);
                }
                declarators.push(declarator);
                if !self.eat(",")? {
                    break;
                }
            }
        }
        self.expect(";")?;
        let member = Declaration {
            storage: Storage::default(),
            base,
            declarators,
            span: self.since(start),
        };
        Ok((member, height))
    }

    /// `enum tag`, `enum tag { A, B = 2 }`, `enum { … }`, after the first word.
    fn enumeration(&mut self) -> Result<(BaseType, u16)> {
        let (module, tag) = self.tag()?;
        let mut height = 0;
        let enumerators = if self.eat("{")? {
            let mut enumerators: Vec<(String, Option<Expr>)> = Vec::new();
            loop {
                let (name, span) = self.identifier()?;
                if name.contains('`') {
                    return Err(Error::new(
                        "D_DECL_SCOPE",
                        span,
                        format!(
                            "D scoping operator may not be used in an enumerator name ({name})"
                        ),
                    ));
                }
                let value = if self.eat("=")? {
                    let value = self.assignment()?;
                    height = height.max(value.height);
                    Some(value.expr)
                } else {
                    None
                };
                enumerators.push((name, value));
                // As in C, a comma may stand behind the last one.
                if !self.eat(",")? || self.at("}")? {
                    self.expect("}")?;
                    break Some(enumerators);
                }
            }
        } else {
            None
        };
        self.require(tag.is_some() || enumerators.is_some())?;
        let enumeration = BaseType::Enum {
            module,
            tag,
            enumerators,
        };
        Ok((enumeration, height))
    }

    /// The tag behind `struct`, `union` or `enum`, if there is one.
    fn tag(&mut self) -> Result<(Option<String>, Option<String>)> {
        let Tok::Ident(name) = &self.look(0)?.tok else {
            return Ok((None, None));
        };
        let (module, tag) = scoped(name);
        self.take()?;
        Ok((module, Some(tag)))
    }

    /// Refuses the next token unless something was there before it.
    fn require(&mut self, there: bool) -> Result<()> {
        if there {
            return Ok(());
        }
        let token = self.take()?;
        Err(self.near(&token))
    }

    fn declarator(&mut self, name: Name) -> Result<(Declarator, u16)> {
        let start = self.look(0)?.span;
        let mut declarator = Declarator {
            span: start,
            ..Declarator::default()
        };
        let height = self.steps(name, &mut declarator)?;
        if !declarator.name.is_empty() || !declarator.derivations.is_empty() {
            declarator.span = self.since(start);
        }
        Ok((declarator, height))
    }

    /// Reads a declarator's name and steps, in the order from the name outwards.
    fn steps(&mut self, name: Name, declarator: &mut Declarator) -> Result<u16> {
        let mut pointers = 0_usize;
        while self.eat("*")? {
            pointers += 1;
            while matches!(
                self.look(0)?.tok,
                Tok::Key("const" | "restrict" | "volatile")
            ) {
                self.take()?;
            }
        }
        let mut height = 0;
        let inner = self.at("(")?
            && (name == Name::Required
                || !(matches!(self.look(1)?.tok, Tok::Op(")" | "...")) || self.begins_type(1)?));
        if inner {
            self.take()?;
            self.enter()?;
            height = self.steps(name, declarator)?;
            self.leave();
            self.expect(")")?;
        } else if name == Name::Required
            || name == Name::Allowed && matches!(self.look(0)?.tok, Tok::Ident(_))
        {
            let (found, span) = self.identifier()?;
            if found.contains('`') {
                return Err(Error::new(
                    "D_DECL_SCOPE",
                    span,
                    format!("D scoping operator may not be used in a declaration name ({found})"),
                ));
            }
            declarator.name = found;
        }
        loop {
            if self.eat("[")? {
                let (step, more) = self.array()?;
                height = height.max(more);
                declarator.derivations.push(step);
            } else if self.eat("(")? {
                let (parameters, variadic, more) = self.parameters(")")?;
                height = height.max(more);
                declarator
                    .derivations
                    .push(Derivation::Function(parameters, variadic));
            } else {
                break;
            }
        }
        for _ in 0..pointers {
            declarator.derivations.push(Derivation::Pointer);
        }
        Ok(height)
    }

    /// What stands in an array's brackets: nothing, its length, or the types of keys.
    fn array(&mut self) -> Result<(Derivation, u16)> {
        if self.eat("]")? {
            return Ok((Derivation::Array(None), 0));
        }
        let storage = matches!(
            self.look(0)?.tok,
            Tok::Key("auto" | "register" | "static" | "extern" | "typedef")
        );
        if storage || self.at("...")? || self.begins_type(0)? {
            let start = self.look(0)?.span;
            let (keys, variadic, height) = self.parameters("]")?;
            if variadic {
                return Err(Error::new(
                    "D_DECL_PROTO_VARARGS",
                    self.since(start),
                    "array prototype may not use a variable-length argument list",
                ));
            }
            return Ok((Derivation::Associative(keys), height));
        }
        let length = self.conditional()?;
        self.expect("]")?;
        Ok((Derivation::Array(Some(length.expr)), length.height))
    }

    /// Types between commas, perhaps with names, up to the sign that closes them; whether `...`
    /// ended them.
    fn parameters(&mut self, close: &str) -> Result<(Vec<TypeName>, bool, u16)> {
        let mut parameters = Vec::new();
        let mut height = 0;
        if self.eat(close)? {
            return Ok((parameters, false, height));
        }
        self.enter()?;
        let variadic = loop {
            if self.eat("...")? {
                break true;
            }
            let start = self.look(0)?.span;
            let (_, base, words) = self.specifiers(Place::Parameter)?;
            let (declarator, steps) = self.declarator(Name::Allowed)?;
            height = height.max(words).max(steps);
            parameters.push(TypeName {
                base,
                declarator,
                span: self.since(start),
            });
            if !self.eat(",")? {
                break false;
            }
        };
        self.leave();
        self.expect(close)?;
        Ok((parameters, variadic, height))
    }
}

/// A name and the module before its last backquote; `` `name`` is of any module.
fn scoped(name: &str) -> (Option<String>, String) {
    match name.rsplit_once('`') {
        None => (None, name.to_owned()),
        Some(("", name)) => (None, name.to_owned()),
        Some((module, name)) => (Some(module.to_owned()), name.to_owned()),
    }
}
