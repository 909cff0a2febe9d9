// SPDX-License-Identifier: GPL-2.0-only
//! Functions: prototypes, and those that have a value.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{Expr, ExprKind};
use crate::builtins::{self, Function, Outcome, Parameter, Role};
use crate::error::{Error, Span};
use crate::types::{Intrinsic, Named, TypeId};

use super::Checker;
use super::origin::Origin;
use super::tree::{Arithmetic, Comparison, Node, NodeKind};

/// Whether the expression calls an action.
pub(super) fn is_action(expr: &Expr) -> bool {
    called(expr)
        .is_some_and(|(function, _)| matches!(function.role, Role::Action | Role::Destructive))
}

/// The function of D that the expression calls, and with what.
pub(super) fn called(expr: &Expr) -> Option<(&'static Function, &[Expr])> {
    match &expr.kind {
        ExprKind::Call { name, arguments } => {
            builtins::function(name).map(|function| (function, arguments.as_slice()))
        }
        _ => None,
    }
}

impl Checker<'_> {
    /// The function of this name, or why it is none.
    pub(super) fn function_named(
        &self,
        name: &str,
        span: Span,
    ) -> Result<&'static Function, Error> {
        if let Some(function) = self.own_function(name) {
            return Ok(function);
        }
        if self.is_known(name) {
            return Err(Error::new(
                "D_FUNC_IDKIND",
                span,
                format!("scalar '{name}' may not be referenced as a function"),
            ));
        }
        Err(Error::new(
            "D_FUNC_UNDEF",
            span,
            format!("undefined function name: {name}"),
        ))
    }

    /// A call where a value is needed.
    pub(super) fn call(
        &mut self,
        name: &str,
        arguments: &[Expr],
        span: Span,
    ) -> Result<Node, Error> {
        let function = self.function_named(name, span)?;
        if function.outcome == Outcome::Stack {
            return self.stack_value(function, arguments, span);
        }
        if function.role == Role::Action && name.starts_with("print") {
            // Its arguments are checked where it is a statement.
            return Ok(self.no_value(&format!("{name}( )"), "void", span));
        }
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            nodes.push(self.value(argument)?);
        }
        let nodes = self.prototype(function, nodes, span)?;
        match function.role {
            Role::Action => Ok(self.no_value(&format!("{name}( )"), "void", span)),
            Role::Aggregating(_) => {
                Ok(self.no_value(&format!("{name}( )"), "aggregating function", span))
            }
            Role::Destructive => {
                self.destroys.get_or_insert_with(|| destructive(name, span));
                Ok(self.no_value(&format!("{name}( )"), "void", span))
            }
            Role::Refused(why) => Err(Error::new(
                "D_FUNC_UNDEF",
                span,
                format!("{name}( ) is not there: {why}"),
            )),
            Role::Subroutine(number) => {
                self.fits_scratch(function.name, number, &nodes)?;
                self.says_how(function, number, &nodes)?;
                let nodes = self.copies_what_fits(number, nodes);
                Ok(self.subroutine(function, number, nodes, span))
            }
            Role::Composed => self.composed(name, nodes, span),
            Role::Library(inline) => {
                let base = Box::new(Expr {
                    kind: ExprKind::Ident(inline.to_owned()),
                    span,
                });
                let keys = arguments.to_vec();
                self.value(&Expr {
                    kind: ExprKind::Index { base, keys },
                    span,
                })
            }
        }
    }

    /// What is asked for must fit the memory of a firing.
    fn fits_scratch(&self, name: &str, number: u32, nodes: &[Node]) -> Result<(), Error> {
        let size = match number {
            abi::RTRACE_SUB_ALLOCA => nodes.first(),
            abi::RTRACE_SUB_COPYIN | abi::RTRACE_SUB_COPYINSTR => nodes.get(1),
            _ => None,
        };
        let most = self.options.scratchsize;
        match size.and_then(|size| Some((size, size.constant()? as u64))) {
            Some((size, bytes)) if bytes > u64::from(most) => Err(Error::new(
                "D_ALLOCA_SIZE",
                size.span,
                format!("{name}({bytes}) size larger than scratchsize {most}"),
            )),
            _ => Ok(()),
        }
    }

    /// More than scratchsize is not copied, if that is known at run time only. What the compiler copies itself is not
    /// bounded by it.
    fn copies_what_fits(&self, number: u32, nodes: Vec<Node>) -> Vec<Node> {
        let size = match number {
            abi::RTRACE_SUB_COPYIN | abi::RTRACE_SUB_COPYINTO => 1,
            abi::RTRACE_SUB_BCOPY => 2,
            _ => return nodes,
        };
        let most = self.options.scratchsize;
        let fits = |node: &Node| {
            node.constant()
                .is_some_and(|bytes| bytes as u64 <= most.into())
        };
        let bound = |(index, node): (usize, Node)| {
            if index != size || fits(&node) {
                return node;
            }
            let (ty, span) = (node.ty, node.span);
            Node::new(NodeKind::Fits(Box::new(node), most), ty, span)
        };
        nodes.into_iter().enumerate().map(bound).collect()
    }

    /// How inet_ntoa6() is to write an address is known when the program is compiled.
    fn says_how(&self, function: &Function, number: u32, nodes: &[Node]) -> Result<(), Error> {
        match nodes.get(1) {
            Some(how) if number == abi::RTRACE_SUB_INET_NTOA6 && how.constant().is_none() => {
                Err(self.mismatch(function, 1, "integer constant", how))
            }
            _ => Ok(()),
        }
    }

    /// Checks arguments against the prototype, and converts them.
    pub(super) fn prototype(
        &mut self,
        function: &Function,
        nodes: Vec<Node>,
        span: Span,
    ) -> Result<Vec<Node>, Error> {
        check_count(function, nodes.len(), span)?;
        let mut converted = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.into_iter().enumerate() {
            let parameter = function
                .parameters
                .get(index)
                .copied()
                .unwrap_or(Parameter::Rest);
            converted.push(self.argument(function, index, parameter, node)?);
        }
        Ok(converted)
    }

    /// An argument as the prototype has it.
    pub(super) fn argument(
        &mut self,
        function: &Function,
        index: usize,
        parameter: Parameter,
        node: Node,
    ) -> Result<Node, Error> {
        let (ty, named) = match parameter {
            Parameter::Any | Parameter::Rest => return Ok(node),
            Parameter::Is(ty) | Parameter::May(ty) => (Some(self.types.intrinsic(ty)), None),
            Parameter::Target if self.types.is_string(node.ty) => {
                return Err(self.mismatch(function, index, "void *", &node));
            }
            Parameter::Target => (Some(self.types.intrinsic(Intrinsic::VoidPointer)), None),
            Parameter::Struct(tag) => (
                self.types
                    .lookup(None, Named::Struct(tag))
                    .map(|record| self.types.pointer_to(record)),
                Some(format!("struct {tag} *")),
            ),
            Parameter::Named(name) => (
                self.types
                    .lookup(None, Named::Typedef(name))
                    .map(|named| self.types.pointer_to(named)),
                Some(format!("{name} *")),
            ),
            Parameter::Pointer4 => {
                let points = self.is_pointer(&node)
                    && self.types.pointee(node.ty).is_some_and(|to| {
                        self.types.is_void(to)
                            || self
                                .types
                                .number(to)
                                .is_some_and(|number| number.bytes == 4)
                    });
                if points || self.is_null(&node) {
                    return Ok(node);
                }
                return Err(self.mismatch(function, index, "ipaddr_t *", &node));
            }
        };
        let Some(ty) = ty else {
            // Without the kernel's types any pointer must do.
            if self.is_pointer(&node) || self.is_null(&node) {
                return Ok(node);
            }
            return Err(self.mismatch(function, index, &named.unwrap_or_default(), &node));
        };
        if !self.passable(ty, &node) {
            let shown = self.types.name(ty);
            return Err(self.mismatch(function, index, &shown, &node));
        }
        if parameter == Parameter::Target && self.origin(&node) == Origin::Other {
            return Err(mismatched(
                function,
                index,
                "alloca pointer",
                "non-alloca pointer",
                node.span,
            ));
        }
        // Strings: an array of char or a pointer to char is read.
        if self.types.is_string_like(ty) && !node.is_zero() {
            return Ok(self.text(node));
        }
        Ok(self.assigned(node, ty))
    }

    pub(super) fn mismatch(
        &self,
        function: &Function,
        index: usize,
        expected: &str,
        node: &Node,
    ) -> Error {
        mismatched(function, index, expected, &self.shown(node), node.span)
    }

    fn outcome(&mut self, function: &Function) -> TypeId {
        match function.outcome {
            Outcome::Is(ty) => self.types.intrinsic(ty),
            Outcome::Struct(tag) => self.pointer_to_struct(tag),
            Outcome::Stack | Outcome::Symbol | Outcome::UserSymbol => {
                self.types.intrinsic(Intrinsic::Void)
            }
        }
    }

    fn subroutine(
        &mut self,
        function: &Function,
        number: u32,
        mut nodes: Vec<Node>,
        span: Span,
    ) -> Node {
        let ty = self.outcome(function);
        // Only where NULL is written does it mean to go on with the string of before.
        if number == abi::RTRACE_SUB_STRTOK && nodes[0].is_zero() {
            nodes.remove(0);
        }
        let mut node = Node::new(NodeKind::Call(number, nodes), ty, span);
        match number {
            // D's rand() is an int that is not negative.
            abi::RTRACE_SUB_RAND => {
                let mask = self.int(0x7fff_ffff, ty, span);
                node = Node::new(
                    NodeKind::Arithmetic(Arithmetic::And, Box::new(node), Box::new(mask)),
                    ty,
                    span,
                );
            }
            // What they point to is the firing's own, and may be written.
            abi::RTRACE_SUB_ALLOCA | abi::RTRACE_SUB_COPYIN => node.writable = true,
            _ => {}
        }
        node
    }

    /// Functions that are made of other things.
    fn composed(&mut self, name: &str, mut nodes: Vec<Node>, span: Span) -> Result<Node, Error> {
        let int = self.types.intrinsic(Intrinsic::Int);
        match name {
            "speculation" => return Ok(Node::new(NodeKind::Speculation, int, span)),
            // Linux' mutexes all spin a little, then sleep: what Solaris calls adaptive.
            "mutex_type_adaptive" => return Ok(self.int(1, int, span)),
            "mutex_type_spin" => return Ok(self.int(0, int, span)),
            _ => {}
        }
        let lock = nodes.remove(0);
        let word = self.types.intrinsic(Intrinsic::Int64);
        let path: &[&str] = if name.starts_with("mutex") {
            &["owner", "counter"]
        } else {
            &["raw_lock", "cnts", "counter"]
        };
        let mut value = self.dereference(lock, span)?;
        for part in path {
            value = self.member(value, part, "->", span)?;
        }
        let and = |value: Node, mask: i64| {
            let ty = value.ty;
            Node::new(
                NodeKind::Arithmetic(
                    Arithmetic::And,
                    Box::new(value),
                    Box::new(Node::new(NodeKind::Int(mask), ty, span)),
                ),
                ty,
                span,
            )
        };
        let compare = |op: Comparison, left: Node, right: Node| {
            Node::new(
                NodeKind::Compare {
                    op,
                    signed: true,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                int,
                span,
            )
        };
        // include/linux/mutex.h, kernel/locking/mutex.h: the owner's task, and 3 bits of flags.
        // include/asm-generic/qrwlock.h: the writer's byte, readers from bit 9 on.
        Ok(match name {
            "mutex_owner" => {
                let mut owner = and(self.convert(value, word), !7);
                owner.ty = self.pointer_to_struct("task_struct");
                owner
            }
            "mutex_owned" => {
                let owner = and(self.convert(value, word), !7);
                let mut current =
                    Node::new(NodeKind::Builtin(abi::RTRACE_VAR_CURTHREAD), word, span);
                current.lvalue = true;
                compare(Comparison::Equal, owner, current)
            }
            "rw_read_held" => {
                let readers = and(value, !0x1ff);
                let zero = self.int(0, readers.ty, span);
                compare(Comparison::NotEqual, readers, zero)
            }
            _ => {
                let writer = and(value, 0xff);
                let locked = self.int(0xff, writer.ty, span);
                compare(Comparison::Equal, writer, locked)
            }
        })
    }
}

/// An argument is not what the prototype says.
fn mismatched(function: &Function, index: usize, expected: &str, given: &str, span: Span) -> Error {
    Error::new(
        "D_PROTO_ARG",
        span,
        format!(
            "{}( ) argument #{} is incompatible with prototype:\n\tprototype: {expected}\n\t\
             {:>9}: {given}",
            function.name,
            index + 1,
            "argument",
        ),
    )
}

/// Whether so many arguments are right.
pub(super) fn check_count(function: &Function, count: usize, span: Span) -> Result<(), Error> {
    let required = function
        .parameters
        .iter()
        .filter(|one| !matches!(one, Parameter::Rest | Parameter::May(_)))
        .count();
    let open = function.parameters.contains(&Parameter::Rest);
    let most = function.parameters.len();
    let optional = most > required;
    let expected = if count < required {
        if open || optional {
            format!("at least {required}")
        } else {
            required.to_string()
        }
    } else if !open && count > most {
        if optional {
            format!("at most {most}")
        } else {
            most.to_string()
        }
    } else {
        return Ok(());
    };
    Err(Error::new(
        "D_PROTO_LEN",
        span,
        format!(
            "{}( ) prototype mismatch: {count} arg{} passed, {expected} expected",
            function.name,
            if count == 1 { "" } else { "s" },
        ),
    ))
}

/// The one message for all destructive actions.
pub(super) fn destructive(name: &str, span: Span) -> Error {
    Error::new(
        "D_ACT_DESTRUCTIVE",
        span,
        format!(
            "{name}( ) is a destructive action: rust_tracer only watches and has none of them, \
             whatever the privileges; remove it"
        ),
    )
}
