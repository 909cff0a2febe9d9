// SPDX-License-Identifier: GPL-2.0-only
//! Translators: how the members of one type come from a value of another, and `xlate`.
//!
//! As in libdtrace nothing is computed but what is asked for: `xlate <type> (input)` has no value
//! of its own, and its member is the expression that the translator gives for it, with the input
//! in the place of the translator's parameter. Only when a struct is assigned as a whole are all of
//! its members computed, into memory of the firing's.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rust_tracer::abi;

use crate::ast::{self, Expr, ExprKind, TranslatorMember};
use crate::builtins;
use crate::error::{Error, Span};
use crate::prelude;
use crate::types::{Intrinsic, Kind, Member, Named, TypeId};

use super::Checker;
use super::tree::{Comparison, Node, NodeKind, Translation};

/// A translator, its types known.
#[derive(Debug)]
pub(super) struct Translator {
    output: TypeId,
    input: TypeId,
    /// What the members' values call the input.
    name: String,
    members: Vec<TranslatorMember>,
    /// A library's: it is checked no sooner than a member is asked for, as the kernel may lack
    /// what another one is made of.
    library: bool,
}

impl Checker<'_> {
    /// `translator output < input name > { … };`
    pub(super) fn translator(&mut self, translator: &ast::Translator) -> Result<(), Error> {
        let span = translator.output.span;
        let output = self.type_name(&translator.output)?;
        let input = self.type_name(&translator.input)?;
        if self.translators.iter().any(|known| {
            self.types.same(known.output, output) && self.types.same(known.input, input)
        }) {
            return Err(Error::new(
                "D_XLATE_REDECL",
                span,
                format!(
                    "translator from {} to {} has already been declared",
                    self.types.name(input),
                    self.types.name(output)
                ),
            ));
        }
        match self.types.kind(self.types.resolve(output)) {
            Kind::Struct(_) | Kind::Union(_) => {}
            Kind::Forward { .. } => {
                return Err(Error::new(
                    "D_XLATE_SOU",
                    span,
                    format!("incomplete struct/union/enum {}", self.types.name(output)),
                ));
            }
            _ => {
                return Err(Error::new(
                    "D_XLATE_SOU",
                    span,
                    "translator output type must be a struct or union",
                ));
            }
        }
        let library = self.library_use.is_some();
        if !library {
            let parameter = self.parameter(input, translator.input.span);
            self.arguments.push(Rc::new(HashMap::from([(
                translator.name.clone(),
                parameter,
            )])));
            let checked = translator
                .members
                .iter()
                .try_for_each(|member| self.check_member(output, member));
            self.arguments.pop();
            checked?;
        }
        self.translators.push(Rc::new(Translator {
            output,
            input,
            name: translator.name.clone(),
            members: translator.members.clone(),
            library,
        }));
        Ok(())
    }

    /// What stands for anything of a type while the text that speaks of it is checked.
    pub(super) fn parameter(&self, ty: TypeId, span: Span) -> Node {
        Node::new(NodeKind::Builtin(abi::RTRACE_VAR_ARG0), ty, span)
    }

    fn check_member(&mut self, output: TypeId, member: &TranslatorMember) -> Result<(), Error> {
        let record = self.types.resolve(output);
        let Some(place) = self.types.member(record, &member.name) else {
            return Err(Error::new(
                "D_XLATE_MEMB",
                member.span,
                format!(
                    "translator member {} is not a member of {}",
                    member.name,
                    self.types.name(output)
                ),
            ));
        };
        let value = self.value(&member.value)?;
        if self.passable(place.ty, &value) || self.is_translated_to(&value, place.ty) {
            return Ok(());
        }
        Err(Error::new(
            "D_XLATE_INCOMPAT",
            member.span,
            format!(
                "translator member {} definition uses incompatible types: \"{}\" = \"{}\"",
                member.name,
                self.types.name(place.ty),
                self.shown(&value)
            ),
        ))
    }

    /// Whether it is a translation to this type.
    pub(super) fn is_translated_to(&self, node: &Node, ty: TypeId) -> bool {
        let NodeKind::Translated(translation) = &node.kind else {
            return false;
        };
        let to = match (translation.pointer, self.types.is_pointer(ty)) {
            (true, true) => self.types.pointee(ty),
            (false, false) => Some(ty),
            _ => None,
        };
        let output = self.translators[translation.translator].output;
        to.is_some_and(|to| self.types.same(to, output))
    }

    /// `xlate <to> (node)`
    pub(super) fn translate(
        &mut self,
        to: TypeId,
        node: Node,
        span: Span,
    ) -> Result<Translation, Error> {
        let pointer = self.types.is_pointer(to);
        let output = match self.types.pointee(to) {
            Some(output) if pointer => output,
            _ => to,
        };
        let Some(translator) = self.translator_of(output, &node) else {
            return Err(Error::new(
                "D_XLATE_NONE",
                span,
                format!(
                    "cannot translate from \"{}\" to \"{}\"",
                    self.shown(&node),
                    self.types.name(to)
                ),
            ));
        };
        let ty = self.translators[translator].input;
        let lvalue = node.lvalue;
        let mut input = self.assigned(node, ty);
        input.lvalue = lvalue;
        input.writable = false;
        let mut before = None;
        if !input.is_pure() {
            // It is done once, however many members speak of it.
            let place = self.hidden("xlate", ty, span)?;
            let node = std::mem::replace(&mut input, place.clone());
            before = Some(assignment(place, node));
        }
        Ok(Translation {
            translator,
            input,
            before,
            pointer,
            built_in: None,
        })
    }

    /// The translator to a type that takes the value: the one of its very type before one that it
    /// can be passed to.
    fn translator_of(&self, output: TypeId, node: &Node) -> Option<usize> {
        let find = |takes: &dyn Fn(&Translator) -> bool| {
            self.translators
                .iter()
                .position(|known| self.types.same(known.output, output) && takes(known))
        };
        find(&|known| !node.is_dynamic() && self.types.same(known.input, node.ty))
            .or_else(|| find(&|known| self.passable(known.input, node)))
    }

    /// What stands where a translation is written.
    pub(super) fn translated(&self, translation: Translation, span: Span) -> Node {
        let void = self.types.intrinsic(Intrinsic::Void);
        Node::new(NodeKind::Translated(Box::new(translation)), void, span)
    }

    /// How many elements a member of what comes out has, if that is an array.
    pub(super) fn elements_of_member(&self, translation: &Translation, name: &str) -> Option<u32> {
        let record = self
            .types
            .resolve(self.translators[translation.translator].output);
        let member = self.types.member(record, name)?;
        match self.types.kind(self.types.resolve(member.ty)) {
            crate::types::Kind::Array { count, .. } => Some(*count),
            _ => None,
        }
    }

    /// A member of what comes out.
    pub(super) fn translated_member(
        &mut self,
        translation: &Translation,
        name: &str,
        span: Span,
    ) -> Result<Node, Error> {
        let translator = Rc::clone(&self.translators[translation.translator]);
        let record = self.types.resolve(translator.output);
        // What is no member at all has no conversion either.
        let Some(member) = self.types.member(record, name) else {
            return Err(no_conversion(name, span));
        };
        let built_in = translation
            .built_in
            .and_then(|structure| structure.member(name));
        if let Some((known, variable)) = built_in {
            let node = self.builtin(variable, known, span)?;
            return if self.types.is_string(node.ty) {
                Ok(node)
            } else {
                self.cast(member.ty, node, span)
            };
        }
        let Some(definition) = translator.members.iter().find(|known| known.name == name) else {
            return Err(no_conversion(name, span));
        };
        self.arguments.push(Rc::new(HashMap::from([(
            translator.name.clone(),
            translation.input.clone(),
        )])));
        let value = if translator.library {
            self.in_library(span, |this| this.value(&definition.value))
        } else {
            self.value(&definition.value)
        };
        self.arguments.pop();
        let value = self.as_member(value?, &member, span);
        Ok(match &translation.before {
            Some(before) => after(before.clone(), value),
            None => value,
        })
    }

    /// The value of a member as the member's type has it; strings stay strings.
    fn as_member(&mut self, value: Node, member: &Member, span: Span) -> Node {
        let stays = self.types.is_array(member.ty) && self.types.is_string(value.ty);
        let mut value = if stays || matches!(value.kind, NodeKind::Translated(_)) {
            value
        } else {
            self.assigned(value, member.ty)
        };
        value.span = span;
        value.lvalue = false;
        value.writable = false;
        value
    }

    /// All of what comes out, in memory of the firing's; members without a conversion are 0.
    pub(super) fn whole(&mut self, translation: &Translation, span: Span) -> Result<Node, Error> {
        let translator = Rc::clone(&self.translators[translation.translator]);
        let pointer = self.types.pointer_to(translator.output);
        let bytes = self.types.size(translator.output).unwrap_or(0);
        let mut memory = self.hidden("xlate", pointer, span)?;
        let size = self.int(bytes as i64, self.types.intrinsic(Intrinsic::Size), span);
        let taken = Node::new(
            NodeKind::Call(abi::RTRACE_SUB_ALLOCA, vec![size]),
            pointer,
            span,
        );
        let mut steps = vec![assignment(memory.clone(), taken)];
        memory.writable = true;
        let mut of = translation.clone();
        steps.extend(of.before.take());
        let mut result = self.dereference(memory.clone(), span)?;
        let mut known = HashSet::new();
        for definition in &translator.members {
            if known.insert(&definition.name) {
                let place = self.member(result.clone(), &definition.name, ".", span)?;
                steps.push(self.member_into(place, &of, &definition.name, span)?);
            }
        }
        if translation.pointer {
            result = memory;
        }
        Ok(steps
            .into_iter()
            .rev()
            .fold(result, |value, before| after(before, value)))
    }

    /// The place takes the value of a member.
    fn member_into(
        &mut self,
        place: Node,
        translation: &Translation,
        name: &str,
        span: Span,
    ) -> Result<Node, Error> {
        let value = match self.translated_member(translation, name, span)? {
            Node {
                kind: NodeKind::Translated(inner),
                ..
            } => self.whole(&inner, span)?,
            value => value,
        };
        match *self.types.kind(self.types.resolve(place.ty)) {
            Kind::Array { count, .. } if self.types.is_string(value.ty) => {
                Ok(self.text_into(place, count, value, span))
            }
            _ => Ok(assignment(place, value)),
        }
    }

    /// An array of so many characters takes those of a string that it has room for; what is behind
    /// them is 0 already.
    fn text_into(&mut self, mut place: Node, count: u32, text: Node, span: Span) -> Node {
        let size = self.types.intrinsic(Intrinsic::Size);
        let int = self.types.intrinsic(Intrinsic::Int);
        let length = Node::new(
            NodeKind::Call(abi::RTRACE_SUB_STRLEN, vec![text.clone()]),
            size,
            span,
        );
        let room = self.int(i64::from(count) - 1, size, span);
        let fits = Node::new(
            NodeKind::Compare {
                op: Comparison::Less,
                signed: false,
                left: Box::new(length.clone()),
                right: Box::new(room.clone()),
            },
            int,
            span,
        );
        let bytes = Node::new(
            NodeKind::Conditional(Box::new(fits), Box::new(length), Box::new(room)),
            size,
            span,
        );
        place.ty = self.types.pointer_to(place.ty);
        let place = Node {
            kind: NodeKind::Address(Box::new(Node {
                ty: int,
                ..place.clone()
            })),
            ..place
        };
        Node::new(
            NodeKind::Call(abi::RTRACE_SUB_BCOPY, vec![text, place, bytes]),
            self.types.intrinsic(Intrinsic::Void),
            span,
        )
    }

    /// `curcpu` and its like, if that is what the expression names.
    pub(super) fn structure(&mut self, expr: &Expr) -> Result<Option<Node>, Error> {
        let ExprKind::Ident(name) = &expr.kind else {
            return Ok(None);
        };
        let shadowed = self
            .arguments
            .last()
            .is_some_and(|known| known.contains_key(name))
            || self.globals.contains_key(name);
        match builtins::variable(name) {
            Some(builtins::Variable::Structure(structure)) if !shadowed => {
                let translation = self.built_in(structure, expr.span)?;
                Ok(Some(self.translated(translation, expr.span)))
            }
            _ => Ok(None),
        }
    }

    /// What `curcpu` and its like stand for.
    pub(super) fn built_in(
        &mut self,
        structure: &'static builtins::Structure,
        span: Span,
    ) -> Result<Translation, Error> {
        let output = self.look_up(None, Named::Typedef(structure.ty), structure.ty, span)?;
        let pointer = self.types.pointer_to(output);
        let input = self.builtin(structure.input, structure.name, span)?;
        let translation = self.translate(pointer, input, span)?;
        Ok(Translation {
            built_in: Some(structure),
            ..translation
        })
    }

    /// Makes known what the library declares that has a name, if that has not been done; whether
    /// it was done now.
    pub(super) fn load_library(&mut self, name: &str, span: Span) -> Result<bool, Error> {
        let Some(library) =
            prelude::defining(name).filter(|library| !self.libraries.contains(&library.name))
        else {
            return Ok(false);
        };
        self.libraries.push(library.name);
        let program = library.parse();
        let arguments = std::mem::take(&mut self.arguments);
        let loaded = self.in_library(span, |this| {
            program
                .items
                .iter()
                .try_for_each(|item| this.program_item(item))
        });
        self.arguments = arguments;
        loaded.map(|()| true)
    }

    /// Checks a library's text: what is wrong with it is told of the place that made use of it.
    pub(super) fn in_library<T>(
        &mut self,
        span: Span,
        check: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.library_use;
        let place = before.unwrap_or(span);
        self.library_use = Some(place);
        let checked = check(self);
        self.library_use = before;
        checked.map_err(|error| Error {
            span: place,
            ..error
        })
    }
}

fn no_conversion(name: &str, span: Span) -> Error {
    Error::new(
        "D_XLATE_NOCONV",
        span,
        format!("translator does not define conversion for member: {name}"),
    )
}

/// `place = value`
fn assignment(place: Node, value: Node) -> Node {
    let (ty, span) = (place.ty, place.span);
    Node::new(NodeKind::Assign(Box::new(place), Box::new(value)), ty, span)
}

/// The value, once something was done.
fn after(before: Node, mut value: Node) -> Node {
    if let NodeKind::Translated(translation) = &mut value.kind {
        let own = translation.before.take();
        translation.before = Some(match own {
            Some(own) => after(before, own),
            None => before,
        });
        return value;
    }
    let (ty, span) = (value.ty, value.span);
    Node::new(NodeKind::Comma(Box::new(before), Box::new(value)), ty, span)
}
