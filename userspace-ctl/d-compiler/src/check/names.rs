// SPDX-License-Identifier: GPL-2.0-only
//! What names stand for: variables of the program, of D, inlines, enumerators, symbols of the
//! kernel.
#![forbid(unsafe_code)]

use std::rc::Rc;

use rust_tracer::abi;

use crate::ast;
use crate::builtins;
use crate::error::{Error, Span};
use crate::prelude;
use crate::types::{Intrinsic, Named, TypeId};

use super::Checker;
use super::tree::{Arithmetic, Node, NodeKind, Variable};

/// Keys of an associative array, as in libdtrace. It is no limit of ours, but programs that go
/// beyond it run nowhere else.
const KEYS_MAX: usize = 8;

/// What a global name stands for.
#[derive(Clone, Debug)]
pub(super) enum Global {
    /// A variable.
    Variable(usize),
    /// An inline.
    Inline(Rc<Inline>),
    /// An enumerator, or an inline that is a constant.
    Constant(i64, TypeId),
}

/// An expression with a name.
#[derive(Debug)]
pub(super) struct Inline {
    /// Its type.
    pub(super) ty: TypeId,
    /// Of `name[keys]`: names and types of the keys.
    pub(super) keys: Option<Vec<(String, TypeId)>>,
    /// What it stands for.
    pub(super) value: ast::Expr,
    /// It is a library's.
    pub(super) library: bool,
}

/// `self` and `this`, which mean something in front of `->` alone.
fn is_scope(name: &str) -> bool {
    matches!(name, "self" | "this")
}

impl Checker<'_> {
    /// A variable of D's, as the program's version of it has them.
    pub(super) fn own_variable(&self, name: &str) -> Option<builtins::Variable> {
        builtins::variable(name).filter(|_| self.options.version.has(name))
    }

    /// A function of D's, as the program's version of it has them.
    pub(super) fn own_function(&self, name: &str) -> Option<&'static builtins::Function> {
        builtins::function(name).filter(|_| self.options.version.has(name))
    }

    /// Whether D or the program knows this global name, so that the program may not define it.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.globals.contains_key(name)
            || is_scope(name)
            || (self.own_variable(name).is_some() && !builtins::is_own_variable(name))
            || self.own_function(name).is_some()
    }

    /// Whether a global name that is assigned to makes a variable.
    pub(super) fn is_free(&mut self, name: &str, span: Span) -> Result<bool, Error> {
        if builtins::is_own_variable(name) {
            return Ok(!self.globals.contains_key(name));
        }
        Ok(self.global(name, span)?.is_none())
    }

    /// A global name where a value is needed. `None`: nobody knows it.
    pub(super) fn global(&mut self, name: &str, span: Span) -> Result<Option<Node>, Error> {
        if is_scope(name) {
            return Err(bad_reference("pointer", name, "scalar", span));
        }
        if let Some(node) = self.arguments.last().and_then(|known| known.get(name)) {
            return Ok(Some(node.clone()));
        }
        if let Some(global) = self.globals.get(name) {
            return match global.clone() {
                Global::Variable(variable) => {
                    if self.program.variables[variable].array {
                        return Err(bad_reference("associative array", name, "scalar", span));
                    }
                    Ok(Some(self.variable(variable, Vec::new(), span)))
                }
                Global::Constant(value, ty) => Ok(Some(self.int(value, ty, span))),
                Global::Inline(inline) => {
                    if inline.keys.is_some() {
                        return Err(bad_reference("associative array", name, "scalar", span));
                    }
                    self.expand(&inline, name, &[], span).map(Some)
                }
            };
        }
        if let Some(known) = self.own_variable(name) {
            return self.builtin(known, name, span).map(Some);
        }
        if prelude::defines_variable(name) && self.load_library(name, span)? {
            return self.global(name, span);
        }
        if self.own_function(name).is_some() {
            return Err(bad_reference("function", name, "scalar", span));
        }
        if let Some((value, ty)) = builtins::constant(name) {
            let ty = self.types.intrinsic(ty);
            return Ok(Some(self.int(value, ty, span)));
        }
        if let Some((value, ty)) = self.types.enumerator(None, name) {
            return Ok(Some(self.int(value, ty, span)));
        }
        Ok(None)
    }

    /// A variable of D itself.
    pub(super) fn builtin(
        &mut self,
        known: builtins::Variable,
        name: &str,
        span: Span,
    ) -> Result<Node, Error> {
        let (kind, ty) = match known {
            builtins::Variable::Number(number, ty) => {
                (NodeKind::Builtin(number), self.types.intrinsic(ty))
            }
            builtins::Variable::Text(number) => (
                NodeKind::BuiltinText(number),
                self.types.intrinsic(Intrinsic::String),
            ),
            builtins::Variable::Always(text) => (
                NodeKind::Text(text.into()),
                self.types.intrinsic(Intrinsic::String),
            ),
            builtins::Variable::Thread => (
                NodeKind::Builtin(abi::RTRACE_VAR_CURTHREAD),
                self.pointer_to_struct("task_struct"),
            ),
            builtins::Variable::CommandLine => return self.command_line(span),
            builtins::Variable::Arguments | builtins::Variable::Registers => {
                return Err(bad_reference("associative array", name, "scalar", span));
            }
            builtins::Variable::Structure(structure) => {
                let translation = self.built_in(structure, span)?;
                return if structure.name == "curcpu" {
                    self.whole(&translation, span)
                } else {
                    Ok(self.translated(translation, span))
                };
            }
        };
        let mut node = Node::new(kind, ty, span);
        node.lvalue = true;
        Ok(node)
    }

    /// `execargs`: the arguments of the process, which lie one behind the other in its memory
    /// (include/linux/mm_types.h); a thread of the kernel has none. Where that memory is not shown,
    /// or nobody knows the kernel's types, the program's name.
    fn command_line(&mut self, span: Span) -> Result<Node, Error> {
        let known = self
            .types
            .lookup(None, Named::Struct("mm_struct"))
            .is_some();
        if !(known && self.options.shows_memory) {
            let name = builtins::Variable::Text(abi::RTRACE_VAR_EXECNAME);
            return self.builtin(name, "execname", span);
        }
        let thread = self.builtin(builtins::Variable::Thread, "curthread", span)?;
        let task = self.dereference(thread, span)?;
        let memory = self.member(task, "mm", "->", span)?;
        let of_memory = self.dereference(memory.clone(), span)?;
        let start = self.member(of_memory.clone(), "arg_start", "->", span)?;
        let end = self.member(of_memory, "arg_end", "->", span)?;
        let (address, string) = (start.ty, self.types.intrinsic(Intrinsic::String));
        let length =
            NodeKind::Arithmetic(Arithmetic::Subtract, Box::new(end), Box::new(start.clone()));
        let length = Node::new(length, address, span);
        let text = NodeKind::Call(abi::RTRACE_SUB_EXECARGS, vec![start, length]);
        let text = Node::new(text, string, span);
        let none = Node::new(NodeKind::Text("".into()), string, span);
        let kind = NodeKind::Conditional(Box::new(memory), Box::new(text), Box::new(none));
        let mut node = Node::new(kind, string, span);
        node.lvalue = true;
        Ok(node)
    }

    /// Pointer to a struct of the kernel, or to nothing in particular if there are no types.
    pub(super) fn pointer_to_struct(&mut self, tag: &str) -> TypeId {
        match self.types.lookup(None, Named::Struct(tag)) {
            Some(record) => self.types.pointer_to(record),
            None => self.types.intrinsic(Intrinsic::VoidPointer),
        }
    }

    /// A reference to a variable.
    pub(super) fn variable(&self, variable: usize, keys: Vec<Node>, span: Span) -> Node {
        let ty = self.program.variables[variable]
            .ty
            .unwrap_or(self.types.intrinsic(Intrinsic::Void));
        let mut node = Node::new(NodeKind::Variable { variable, keys }, ty, span);
        node.lvalue = true;
        node.writable = true;
        node
    }

    /// Whether the node is a variable of which nothing is known yet.
    pub(super) fn is_untyped(&self, node: &Node) -> bool {
        match node.kind {
            NodeKind::Variable { variable, .. } => self.program.variables[variable].ty.is_none(),
            _ => false,
        }
    }

    /// A clause-local variable that no program can name, for what it says.
    pub(super) fn hidden(&mut self, what: &str, ty: TypeId, span: Span) -> Result<Node, Error> {
        let name = format!("{what} #{}", self.program.variables.len());
        self.fits(ty, (abi::RTRACE_SCOPE_LOCAL, &name), span)?;
        let variable = self.new_variable(&name, abi::RTRACE_SCOPE_LOCAL, false, span)?;
        self.program.variables[variable].ty = Some(ty);
        Ok(self.variable(variable, Vec::new(), span))
    }

    /// Makes a variable.
    pub(super) fn new_variable(
        &mut self,
        name: &str,
        scope: u32,
        array: bool,
        span: Span,
    ) -> Result<usize, Error> {
        let index = self.program.variables.len();
        if index >= abi::RTRACE_VARIABLES_MAX as usize {
            return Err(Error::new(
                "D_ID_OFLOW",
                span,
                format!("cannot create {name}: limit on number of variables exceeded"),
            ));
        }
        self.program.variables.push(Variable {
            name: name.to_owned(),
            scope,
            ty: None,
            keys: None,
            array,
            declared: false,
            own_memory: None,
        });
        match scope {
            abi::RTRACE_SCOPE_LOCAL => {
                self.locals.insert(name.to_owned(), index);
            }
            abi::RTRACE_SCOPE_THREAD | abi::RTRACE_SCOPE_THREAD_ARRAY => {
                self.threads.insert(name.to_owned(), index);
            }
            _ => {
                self.globals
                    .insert(name.to_owned(), Global::Variable(index));
            }
        }
        Ok(index)
    }

    /// `self->name` or `this->name`; it is made if it is not there.
    pub(super) fn scoped(&mut self, local: bool, name: &str, span: Span) -> Result<usize, Error> {
        let (known, scope) = if local {
            (&self.locals, abi::RTRACE_SCOPE_LOCAL)
        } else {
            (&self.threads, abi::RTRACE_SCOPE_THREAD)
        };
        match known.get(name) {
            Some(index) => Ok(*index),
            None => self.new_variable(name, scope, false, span),
        }
    }

    /// As it is written.
    pub(super) fn written(&self, variable: usize) -> String {
        written(&self.program.variables[variable])
    }

    /// An element of an associative array, or of a thread's.
    pub(super) fn element(
        &mut self,
        variable: usize,
        keys: &[ast::Expr],
        span: Span,
    ) -> Result<Node, Error> {
        let mut nodes = Vec::with_capacity(keys.len());
        for key in keys {
            nodes.push(self.value(key)?);
        }
        let name = self.program.variables[variable].name.clone();
        if nodes.len() > KEYS_MAX {
            return Err(Error::new(
                "D_NOREG",
                span,
                format!(
                    "{name}[ ] has {} keys: an associative array may have {KEYS_MAX}",
                    nodes.len()
                ),
            ));
        }
        let Some(types) = self.program.variables[variable].keys.clone() else {
            for (index, node) in nodes.iter().enumerate() {
                if self.types.is_void(node.ty) {
                    return Err(self.bad_key(node, "associative array", index));
                }
            }
            let nodes: Vec<Node> = nodes.into_iter().map(|node| self.as_key(node)).collect();
            self.program.variables[variable].keys =
                Some(nodes.iter().map(|node| node.ty).collect());
            return Ok(self.variable(variable, nodes, span));
        };
        if types.len() != nodes.len() {
            return Err(Error::new(
                "D_PROTO_LEN",
                span,
                format!(
                    "{name}[ ] prototype mismatch: {} key{} passed, {} expected",
                    nodes.len(),
                    if nodes.len() == 1 { "" } else { "s" },
                    types.len()
                ),
            ));
        }
        let mut converted = Vec::with_capacity(nodes.len());
        for (index, (node, ty)) in nodes.into_iter().zip(types).enumerate() {
            if !self.passable(ty, &node) {
                return Err(Error::new(
                    "D_PROTO_ARG",
                    node.span,
                    format!(
                        "{name}[ ] key #{} is incompatible with prototype:\n\tprototype: {}\n\t\
                         {:>9}: {}",
                        index + 1,
                        self.types.name(ty),
                        "key",
                        self.types.name(node.ty)
                    ),
                ));
            }
            converted.push(self.assigned(node, ty));
        }
        Ok(self.variable(variable, converted, span))
    }

    /// A key as it is kept: an array of char is a string.
    pub(super) fn as_key(&mut self, node: Node) -> Node {
        if self.types.is_array(node.ty) && self.types.is_string_like(node.ty) {
            self.text(node)
        } else {
            node
        }
    }

    /// The refusal of a key without a value.
    pub(super) fn bad_key(&self, node: &Node, of: &str, index: usize) -> Error {
        let what = match &node.kind {
            NodeKind::NoValue(..) => "dynamic variable".to_owned(),
            _ => self.shown(node),
        };
        Error::new(
            "D_KEY_TYPE",
            node.span,
            format!(
                "{what} expression may not be used as {of} index: key #{}",
                index + 1
            ),
        )
    }

    /// What an inline stands for.
    pub(super) fn expand(
        &mut self,
        inline: &Inline,
        name: &str,
        keys: &[ast::Expr],
        span: Span,
    ) -> Result<Node, Error> {
        let parameters = inline.keys.as_deref().unwrap_or_default();
        if parameters.len() != keys.len() {
            return Err(Error::new(
                "D_PROTO_LEN",
                span,
                format!(
                    "{name}[ ] prototype mismatch: {} key{} passed, {} expected",
                    keys.len(),
                    if keys.len() == 1 { "" } else { "s" },
                    parameters.len()
                ),
            ));
        }
        let mut known = std::collections::HashMap::new();
        for (index, ((parameter, ty), key)) in parameters.iter().zip(keys).enumerate() {
            let node = self.value(key)?;
            if !self.passable(*ty, &node) {
                return Err(Error::new(
                    "D_PROTO_ARG",
                    node.span,
                    format!(
                        "{name}[ ] key #{} is incompatible with prototype:\n\tprototype: {}\n\t\
                         {:>9}: {}",
                        index + 1,
                        self.types.name(*ty),
                        "key",
                        self.types.name(node.ty)
                    ),
                ));
            }
            known.insert(parameter.clone(), self.assigned(node, *ty));
        }
        self.arguments.push(Rc::new(known));
        let node = if inline.library {
            self.in_library(span, |this| this.value(&inline.value))
        } else {
            self.value(&inline.value)
        };
        self.arguments.pop();
        let mut node = node?;
        node.span = span;
        if matches!(node.kind, NodeKind::Translated(_)) {
            return Ok(node);
        }
        let variable = |node: &Node| matches!(node.kind, NodeKind::Variable { .. });
        let writable = node.writable && variable(&node);
        let mut node = self.assigned(node, inline.ty);
        // As in libdtrace another name of a variable can be assigned to. That of anything else is
        // a place, but none that is written.
        node.lvalue |= !matches!(node.kind, NodeKind::Memory { .. });
        node.writable = writable && variable(&node);
        Ok(node)
    }

    /// The type of a variable of the kernel that BTF does not describe, but D knows.
    fn known_symbol(&mut self, name: &str) -> Option<TypeId> {
        use builtins::SymbolType;
        let record = |this: &Self, tag| this.types.lookup(None, Named::Struct(tag));
        match builtins::symbol(name)? {
            SymbolType::Is(ty) => Some(self.types.intrinsic(ty)),
            SymbolType::Text => {
                let char = self.types.intrinsic(Intrinsic::Char);
                self.types.array_of(char, 0).ok()
            }
            SymbolType::Struct(tag) => record(self, tag),
            SymbolType::Named(name) => self.types.lookup(None, Named::Typedef(name)),
            SymbolType::Pointer(tag) => record(self, tag).map(|to| self.types.pointer_to(to)),
            SymbolType::Pointers(tag) => {
                let pointer = record(self, tag).map(|to| self.types.pointer_to(to))?;
                self.types.array_of(pointer, 0).ok()
            }
        }
    }

    /// A symbol of the kernel.
    pub(super) fn external(
        &mut self,
        module: Option<&str>,
        name: &str,
        span: Span,
    ) -> Result<Node, Error> {
        let shown = format!("{}`{name}", module.unwrap_or_default());
        let address = (self.options.symbol)(module, name);
        let ty = match self.externs.get(name) {
            Some(ty) => Some(*ty),
            None => match self.types.variable(module, name) {
                Some(ty) => Some(ty),
                None => match self.types.function(module, name) {
                    Some(prototype) => {
                        let parameters = prototype.parameters.iter().map(|(_, ty)| *ty).collect();
                        self.types
                            .function_of(prototype.result, parameters, prototype.variadic)
                            .ok()
                    }
                    None => self.known_symbol(name),
                },
            },
        };
        if let (None, None, Some((value, ty))) = (address, ty, self.types.enumerator(module, name))
        {
            return Ok(self.int(value, ty, span));
        }
        let Some(address) = address else {
            let why = match module {
                Some(module) if !self.types.has_module(module) => "No such module is loaded",
                _ => "Unknown symbol name",
            };
            return Err(Error::new(
                "D_IDENT_UNDEF",
                span,
                format!("failed to resolve {shown}: {why}"),
            ));
        };
        let Some(ty) = ty else {
            return Err(Error::new(
                "D_SYM_NOTYPES",
                span,
                format!(
                    "no symbolic type information is available for {shown}: BTF describes no \
                     such variable; declare it: extern type {name};"
                ),
            ));
        };
        let address = self.int(
            address as i64,
            self.types.intrinsic(Intrinsic::Uintptr),
            span,
        );
        let mut node = Node::new(
            NodeKind::Memory {
                address: Box::new(address),
                offset: 0,
                bits: None,
            },
            ty,
            span,
        );
        node.lvalue = true;
        Ok(node)
    }
}

/// A variable as it is written.
pub(crate) fn written(variable: &Variable) -> String {
    let scope = match variable.scope {
        abi::RTRACE_SCOPE_LOCAL => "this->",
        abi::RTRACE_SCOPE_THREAD | abi::RTRACE_SCOPE_THREAD_ARRAY => "self->",
        _ => "",
    };
    format!("{scope}{}", variable.name)
}

/// A name is used as what it is not.
pub(super) fn bad_reference(is: &str, name: &str, used: &str, span: Span) -> Error {
    Error::new(
        "D_IDENT_BADREF",
        span,
        format!("{is} '{name}' may not be referenced as {used}"),
    )
}

/// Nobody knows the name.
pub(super) fn undefined(name: &str, span: Span) -> Error {
    Error::new(
        "D_IDENT_UNDEF",
        span,
        format!("failed to resolve {name}: Unknown variable name"),
    )
}
