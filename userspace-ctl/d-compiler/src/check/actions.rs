// SPDX-License-Identifier: GPL-2.0-only
//! Actions: what they take, and what they record.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{self, ExprKind};
use crate::builtins::Function;
use crate::compiled::{Action, AddressForm, Form};
use crate::error::{Error, Span};
use crate::types::{Intrinsic, Named, TypeId};

use super::Checker;
use super::aggregate::aggregation;
use super::calls::{called, check_count};
use super::format;
use super::tree::{Item, Node, NodeKind, Statement};

/// Bytes that one item can hold: a record without its head, and without the heads of two items
/// and a number beside it.
pub(super) const RECORD_BYTES: u32 =
    abi::RTRACE_RECORD_MAX - size_of::<abi::rtrace_record_clause>() as u32 - 24;

/// The type of a stack as a value.
const STACK: &str = "dt_stack_t";

/// How the address that this action takes is shown.
fn address_form(name: &str) -> Option<AddressForm> {
    Some(match name {
        "func" => AddressForm::Function,
        "sym" => AddressForm::Symbol,
        "mod" => AddressForm::Module,
        "ufunc" | "usym" => AddressForm::UserFunction,
        "uaddr" => AddressForm::UserAddress,
        "umod" => AddressForm::UserModule,
        _ => return None,
    })
}

impl Checker<'_> {
    /// An action as a statement.
    pub(super) fn action(
        &mut self,
        function: &'static Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        check_count(function, arguments.len(), span)?;
        let name = function.name;
        match name {
            "trace" => self.trace(&arguments[0]),
            "print" => self.print(function, &arguments[0]),
            "tracemem" => self.tracemem(function, arguments, span),
            "printf" | "freopen" => self.print_formatted(function, arguments, span),
            "printa" => self.printa(arguments, span),
            "stack" | "ustack" | "jstack" => {
                let item = self.stack(function, arguments, span)?;
                let action = match item {
                    Item::Stack(frames) => Action::Stack(frames),
                    Item::Ustack(frames) => Action::Ustack(frames),
                    _ => unreachable!("stacks are stacks"),
                };
                Ok(one(action, vec![item]))
            }
            "clear" | "trunc" | "normalize" | "denormalize" => {
                self.aggregation_action(function, arguments, span)
            }
            "setopt" => self.setopt(function, arguments, span),
            "ftruncate" => Ok(one(Action::Ftruncate, Vec::new())),
            "speculate" | "commit" | "discard" | "exit" => {
                let nodes = self.values(arguments)?;
                let node = self
                    .prototype(function, nodes, span)?
                    .pop()
                    .expect("it takes one");
                self.speculates |= name == "speculate";
                Ok(match name {
                    "speculate" => Statement::Speculate(node),
                    "commit" => Statement::Commit(node),
                    "discard" => Statement::Discard(node),
                    _ => Statement::Exit(node),
                })
            }
            _ => {
                let form = address_form(name).expect("the other actions were named");
                let nodes = self.values(arguments)?;
                let node = self
                    .prototype(function, nodes, span)?
                    .pop()
                    .expect("it takes one");
                Ok(one(Action::Address(form), vec![Item::Address(form, node)]))
            }
        }
    }

    fn values(&mut self, arguments: &[ast::Expr]) -> Result<Vec<Node>, Error> {
        arguments
            .iter()
            .map(|argument| self.value(argument))
            .collect()
    }

    /// A stack or an address by name where it can stand as a value: keys, arguments of printf.
    pub(super) fn special(&mut self, expr: &ast::Expr) -> Result<Option<Item>, Error> {
        let Some((function, arguments)) = called(expr) else {
            return Ok(None);
        };
        if matches!(function.name, "stack" | "ustack" | "jstack") {
            return self.stack(function, arguments, expr.span).map(Some);
        }
        let Some(form) = address_form(function.name) else {
            return Ok(None);
        };
        check_count(function, arguments.len(), expr.span)?;
        let nodes = self.values(arguments)?;
        let node = self
            .prototype(function, nodes, expr.span)?
            .pop()
            .expect("it takes one");
        Ok(Some(Item::Address(form, node)))
    }

    /// `stack()`, `ustack()`, `jstack()`: what the prototype asks for comes first, then that it is
    /// constant.
    fn stack(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Item, Error> {
        let nodes = self.values(arguments)?;
        let sizes: Vec<Option<i64>> = nodes.iter().map(Node::constant).collect();
        self.prototype(function, nodes, span)?;
        let (default, tag) = match function.name {
            "stack" => (self.options.stackframes, "D_STACK_SIZE"),
            "ustack" => (self.options.ustackframes, "D_USTACK_FRAMES"),
            _ => (self.options.jstackframes, "D_USTACK_FRAMES"),
        };
        let user = function.name != "stack";
        let name = if user { "ustack" } else { "stack" };
        let frames = match sizes.first() {
            None => default,
            Some(Some(frames)) if *frames > 0 => u32::try_from(*frames).unwrap_or(u32::MAX),
            Some(_) => {
                return Err(Error::new(
                    tag,
                    arguments[0].span,
                    format!("{name}( ) argument #1 must be a non-zero positive integer constant"),
                ));
            }
        };
        // How many bytes of names there may be: names come later, and none is cut off.
        if let Some(size) = sizes.get(1) {
            if size.is_none_or(|size| size < 0) {
                return Err(Error::new(
                    "D_USTACK_STRSIZE",
                    arguments[1].span,
                    "ustack( ) argument #2 must be a positive integer constant",
                ));
            }
        }
        let frames = frames
            .min(self.options.maxframes)
            .min(abi::RTRACE_STACK_FRAMES_MAX);
        Ok(if user {
            Item::Ustack(frames)
        } else {
            Item::Stack(frames)
        })
    }

    /// A stack as a value: a `dt_stack_t` in the firing's own memory.
    pub(super) fn stack_value(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Node, Error> {
        let (number, frames) = match self.stack(function, arguments, span)? {
            Item::Stack(frames) => (abi::RTRACE_SUB_STACK, frames),
            Item::Ustack(frames) => (abi::RTRACE_SUB_USTACK, frames),
            _ => unreachable!("stacks are stacks"),
        };
        self.load_library(STACK, span)?;
        let stack = self
            .types
            .lookup(None, Named::Typedef(STACK))
            .expect("its library declares it");
        let int = self.types.intrinsic(Intrinsic::Int);
        let mut sizes = vec![self.int(frames.into(), int, span)];
        if let Some(strsz) = arguments.get(1) {
            sizes.push(self.value(strsz)?);
        }
        let pointer = self.types.pointer_to(stack);
        let address = Node::new(NodeKind::Call(number, sizes), pointer, span);
        let kind = NodeKind::Memory {
            address: Box::new(address),
            offset: 0,
            bits: None,
        };
        Ok(Node::new(kind, stack, span))
    }

    /// Whether the type is that of the value of a stack.
    pub(super) fn is_stack(&self, ty: TypeId) -> bool {
        let stack = self.types.lookup(None, Named::Typedef(STACK));
        stack.is_some_and(|stack| self.types.same(ty, stack))
    }

    fn trace(&mut self, argument: &ast::Expr) -> Result<Statement, Error> {
        if let Some(item) = self.special(argument)? {
            let form = self.form(&item);
            return Ok(one(Action::Trace(form), vec![item]));
        }
        let node = self.traced(argument)?;
        self.fits_record(node.ty, argument.span)?;
        let item = self.item(node);
        let form = self.form(&item);
        match (form, item) {
            (Form::Bytes(bytes), Item::Value(node)) => {
                let form = if self.types.is_string_like(node.ty) {
                    Form::Characters(bytes)
                } else {
                    Form::Bytes(bytes)
                };
                Ok(Statement::Record {
                    action: Action::Trace(form),
                    address: node,
                    bytes,
                    pointer: false,
                })
            }
            (form, item) => Ok(one(Action::Trace(form), vec![item])),
        }
    }

    /// What `trace()` takes: anything that has a value.
    fn traced(&mut self, argument: &ast::Expr) -> Result<Node, Error> {
        let node = match aggregation(argument) {
            Some((name, _)) => self.aggregation_alone(name, argument.span)?,
            None => self.value(argument)?,
        };
        let called = matches!(argument.kind, ExprKind::Call { .. });
        if node.is_dynamic() && !called {
            return Err(Error::new(
                "D_TRACE_DYN",
                argument.span,
                "trace( ) may not be applied to a dynamic expression",
            ));
        }
        if self.types.is_void(node.ty) {
            return Err(Error::new(
                "D_TRACE_VOID",
                argument.span,
                "trace( ) may not be applied to a void expression",
            ));
        }
        Ok(node)
    }

    /// What has no size, or too much, is not recorded.
    fn fits_record(&self, ty: TypeId, span: Span) -> Result<(), Error> {
        if self.types.is_string(ty) || self.types.is_scalar(ty) || self.types.is_function(ty) {
            return Ok(());
        }
        match self.types.size(ty) {
            Some(size) if size > 0 && size <= u64::from(RECORD_BYTES) => Ok(()),
            Some(size) if size > 0 => Err(Error::new(
                "D_TRACEMEM_SIZE",
                span,
                format!(
                    "{} takes {size} bytes, but {} at once is the limit: take its members one by \
                     one, or tracemem( ) a part",
                    self.types.name(ty),
                    RECORD_BYTES
                ),
            )),
            _ => Err(Error::new(
                "D_OP_INCOMPLETE",
                span,
                format!("{} has no size that is known", self.types.name(ty)),
            )),
        }
    }

    /// `print(pointer)`, as Oracle's edition has it: what it points to; or, as illumos' has it, a
    /// struct or string itself.
    fn print(&mut self, function: &Function, argument: &ast::Expr) -> Result<Statement, Error> {
        let node = match aggregation(argument) {
            Some((name, _)) => self.aggregation_alone(name, argument.span)?,
            None => match self.value(argument)? {
                Node {
                    kind: NodeKind::Translated(translation),
                    span,
                    ..
                } => self.whole(&translation, span)?,
                node => node,
            },
        };
        if node.is_dynamic() || self.types.is_void(node.ty) || self.is_integer(&node) {
            let pointer = self.types.intrinsic(Intrinsic::VoidPointer);
            let expected = self.types.name(pointer);
            return Err(self.mismatch(function, 0, &expected, &node));
        }
        let pointer = self.types.is_pointer(node.ty);
        let ty = match self.types.pointee(node.ty) {
            Some(to) if pointer => to,
            _ => node.ty,
        };
        let action = Action::Print {
            type_name: self.types.name(ty),
            type_id: ty.0,
        };
        if self.types.is_string(ty) {
            return Ok(one(action, vec![Item::Value(node)]));
        }
        let bytes = match self.types.size(ty) {
            Some(bytes) if bytes > 0 => bytes.min(u64::from(RECORD_BYTES)) as u32,
            _ => {
                return Err(Error::new(
                    "D_PRINT_SIZE",
                    node.span,
                    format!(
                        "print( ) argument #1 reference has type '{}' with size 0; cannot print( ) \
                         it.",
                        self.types.name(ty)
                    ),
                ));
            }
        };
        Ok(Statement::Record {
            action,
            address: node,
            bytes,
            pointer,
        })
    }

    fn tracemem(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let nodes = self.values(arguments)?;
        let nodes = self.prototype(function, nodes, span)?;
        let mut nodes = nodes.into_iter();
        let address = nodes.next().expect("it takes two");
        let size = nodes.next().expect("it takes two");
        if !self.is_integer(&address) && !self.is_pointer(&address) {
            return Err(Error::new(
                "D_TRACEMEM_ADDR",
                address.span,
                format!(
                    "tracemem( ) argument #1 is incompatible with prototype:\n\tprototype: \
                     pointer or integer\n\t argument: {}",
                    self.shown(&address)
                ),
            ));
        }
        let bytes = match size.constant() {
            Some(bytes) if bytes > 0 && bytes <= i64::from(RECORD_BYTES) => bytes as u32,
            Some(bytes) if bytes > 0 => {
                return Err(Error::new(
                    "D_TRACEMEM_SIZE",
                    size.span,
                    format!(
                        "tracemem( ) of {bytes} bytes: {} at once is the limit",
                        RECORD_BYTES
                    ),
                ));
            }
            _ => {
                return Err(Error::new(
                    "D_TRACEMEM_SIZE",
                    size.span,
                    "tracemem( ) argument #2 must be a non-zero positive integral constant \
                     expression",
                ));
            }
        };
        Ok(Statement::Tracemem {
            bytes,
            address,
            length: nodes.next(),
        })
    }

    fn setopt(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let nodes = self.values(arguments)?;
        let nodes = self.prototype(function, nodes, span)?;
        let constants: Option<Vec<String>> = nodes
            .iter()
            .map(|node| match &node.kind {
                NodeKind::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                _ => None,
            })
            .collect();
        let (action, items) = match constants {
            Some(texts) => {
                let mut texts = texts.into_iter();
                let option = texts.next().expect("it takes one");
                (Action::Setopt(option, texts.next()), Vec::new())
            }
            None => {
                // NULL is a pointer to char as well.
                let other =
                    (nodes.iter().enumerate()).find(|(_, node)| !self.types.is_string(node.ty));
                if let Some((index, node)) = other {
                    return Err(self.mismatch(function, index, "string", node));
                }
                let items: Vec<Item> = nodes.into_iter().map(|node| self.item(node)).collect();
                let forms = items.iter().map(|item| self.form(item)).collect();
                (Action::SetoptOf(forms), items)
            }
        };
        Ok(Statement::Action {
            action,
            items,
            counts: 2,
        })
    }

    /// `printf("format", arguments…)`, `freopen("format", arguments…)`
    pub(super) fn print_formatted(
        &mut self,
        function: &Function,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Result<Statement, Error> {
        let name = function.name;
        let mut nodes = Vec::with_capacity(arguments.len());
        let first = self.value(&arguments[0])?;
        let text = match &first.kind {
            NodeKind::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        for argument in &arguments[1..] {
            nodes.push(match self.special(argument)? {
                Some(item) => item,
                None => {
                    let node = self.value(argument)?;
                    self.item(node)
                }
            });
        }
        let Some(text) = text else {
            // Its prototype has a string there; freopen()'s has anything.
            let string = self.types.intrinsic(Intrinsic::String);
            if name == "printf" && !self.passable(string, &first) {
                return Err(self.mismatch(function, 0, "string", &first));
            }
            return Err(Error::new(
                "D_PRINTF_ARG_FMT",
                arguments[0].span,
                format!(
                    "{name}( ) argument #1 is incompatible with prototype:\n\tprototype: string \
                     constant\n\t argument: {}",
                    self.shown(&first)
                ),
            ));
        };
        if name == "freopen" && text == "." {
            return Err(Error::new(
                "D_FREOPEN_INVALID",
                arguments[0].span,
                "freopen( ) argument #1 cannot be \".\"",
            ));
        }
        // The empty name goes back to standard output.
        if !(name == "freopen" && text.is_empty()) {
            nodes = self.check_format(name, &text, nodes, arguments[0].span, span)?;
        }
        let forms: Vec<Form> = nodes.iter().map(|item| self.form(item)).collect();
        let counts = nodes.len().max(1) as u16;
        let action = if name == "printf" {
            Action::Printf {
                format: text,
                arguments: forms,
            }
        } else {
            Action::Freopen {
                format: text,
                arguments: forms,
            }
        };
        Ok(Statement::Action {
            action,
            items: nodes,
            counts,
        })
    }

    /// The pieces of a format, or what is wrong with it.
    pub(super) fn pieces(
        &self,
        name: &str,
        text: &str,
        span: Span,
    ) -> Result<Vec<format::Piece>, Error> {
        if text.is_empty() {
            return Err(Error::new(
                "D_PRINTF_FMT_EMPTY",
                span,
                format!("{name}( ) format string is empty"),
            ));
        }
        format::parse(text).map_err(|message| Error::new("D_SYNTAX", span, message))
    }
}

/// A statement that dtrace counts as one action.
fn one(action: Action, items: Vec<Item>) -> Statement {
    Statement::Action {
        action,
        items,
        counts: 1,
    }
}
