// SPDX-License-Identifier: GPL-2.0-only
//! `args[]`: the arguments of the clause's probe, by their types.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{Clause, Description, Expr, ExprKind, Statement};
use crate::error::{Error, Span};
use crate::syscalls;
use crate::types::{Intrinsic, Named, TypeId};

use super::Checker;
use super::tree::{Node, NodeKind};

/// Arguments that the bytecode can ask for.
const MOST: usize = 10;

/// What the names of functions that are system calls begin with, the most telling first.
const CALLS: [&str; 3] = ["__do_sys_", "__se_sys_", "__x64_sys_"];

/// Whether a clause speaks of `args`.
pub(super) fn uses_arguments(clause: &Clause) -> bool {
    clause.predicate.as_ref().is_some_and(in_expr)
        || clause.body.as_deref().is_some_and(in_statements)
}

fn in_statements(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Expr(expr) => in_expr(expr),
        Statement::If {
            condition,
            then,
            otherwise,
            ..
        } => in_expr(condition) || in_statements(then) || in_statements(otherwise),
    })
}

fn in_expr(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ident(name) | ExprKind::Global(name) => name == "args",
        ExprKind::Int { .. }
        | ExprKind::Char(_)
        | ExprKind::String(_)
        | ExprKind::External { .. }
        | ExprKind::Thread(_)
        | ExprKind::Local(_)
        | ExprKind::SizeofType(_)
        | ExprKind::Offsetof { .. } => false,
        ExprKind::Aggregation { keys, .. } => {
            keys.as_deref().is_some_and(|k| k.iter().any(in_expr))
        }
        ExprKind::Call { arguments, .. } => arguments.iter().any(in_expr),
        ExprKind::Index { base, keys } => in_expr(base) || keys.iter().any(in_expr),
        ExprKind::Member { base, .. } | ExprKind::Arrow { base, .. } => in_expr(base),
        ExprKind::Unary { operand, .. }
        | ExprKind::Cast { operand, .. }
        | ExprKind::SizeofExpr(operand)
        | ExprKind::Stringof(operand)
        | ExprKind::Xlate { operand, .. } => in_expr(operand),
        ExprKind::Binary { left, right, .. } | ExprKind::Comma(left, right) => {
            in_expr(left) || in_expr(right)
        }
        ExprKind::Assign { to, value, .. } => in_expr(to) || in_expr(value),
        ExprKind::Conditional {
            condition,
            then,
            otherwise,
        } => in_expr(condition) || in_expr(then) || in_expr(otherwise),
    }
}

impl Checker<'_> {
    /// `args[keys]`
    pub(super) fn probe_argument(&mut self, keys: &[Expr], span: Span) -> Result<Node, Error> {
        let number = self.constant_key("args", keys, span)?;
        let Some(probes) = self.probes.clone() else {
            return Err(Error::new(
                "D_ARGS_NONE",
                span,
                "args[ ] may not be referenced outside of a probe clause",
            ));
        };
        let [probe] = probes.as_slice() else {
            return Err(several(&probes, span));
        };
        let types = self.argument_types(&self.with_provider(probe), span)?;
        let Some(ty) = usize::try_from(number)
            .ok()
            .and_then(|number| types.get(number))
        else {
            return Err(Error::new(
                "D_ARGS_IDX",
                span,
                format!(
                    "index {number} is out of range for {} args[ ]",
                    shown(probe)
                ),
            ));
        };
        let number = number as usize;
        if number >= MOST {
            return Err(Error::new(
                "D_ARGS_TYPE",
                span,
                format!("args[{number}]: only the first {MOST} arguments are recorded"),
            ));
        }
        let mut node = self.argument_of_type(number as u32, *ty, span)?;
        // A variable, though none to write to.
        node.lvalue = true;
        Ok(node)
    }

    /// The argument, which a register or the stack held, as its type has it.
    fn argument_of_type(&mut self, number: u32, ty: TypeId, span: Span) -> Result<Node, Error> {
        if !self.types.is_scalar(ty) {
            return Err(Error::new(
                "D_ARGS_TYPE",
                span,
                format!(
                    "args[{number}] is of type {}, which is not passed in one register",
                    self.types.name(ty)
                ),
            ));
        }
        let raw = self.types.intrinsic(Intrinsic::Int64);
        let node = Node::new(NodeKind::Builtin(abi::RTRACE_VAR_ARG0 + number), raw, span);
        Ok(if self.types.number(ty).is_some() {
            self.convert(node, ty)
        } else {
            Node { ty, ..node }
        })
    }

    /// A description that names no provider, with the only one that has such a function.
    fn with_provider(&self, probe: &Description) -> Description {
        let mut probe = probe.clone();
        if probe.id.is_none()
            && probe.provider.is_empty()
            && matches!(probe.name.as_str(), "entry" | "return")
        {
            let function = self.types.function(None, &probe.function).is_some();
            probe.provider = match (self.is_call(&probe.function), function) {
                (true, false) => "syscall".to_owned(),
                (false, true) => "fbt".to_owned(),
                _ => probe.provider,
            };
        }
        probe
    }

    /// The types of the arguments of the probe that a description means.
    fn argument_types(&mut self, probe: &Description, span: Span) -> Result<Vec<TypeId>, Error> {
        let long = self.types.intrinsic(Intrinsic::Long);
        if probe.id.is_some() || is_glob(&probe.provider) || probe.provider.is_empty() {
            // The names of our own probes say all.
            if probe.id.is_some() || !is_own(&probe.name) {
                return Err(several(std::slice::from_ref(probe), span));
            }
        }
        match probe.provider.as_str() {
            "syscall" => {
                if is_several(probe) {
                    return Err(several(std::slice::from_ref(probe), span));
                }
                if probe.name == "return" {
                    return Ok(vec![long, long]);
                }
                Ok(self.system_call(&probe.function))
            }
            "fbt" => {
                if is_several(probe) || is_glob(&probe.module) {
                    return Err(several(std::slice::from_ref(probe), span));
                }
                let module = Some(probe.module.as_str()).filter(|module| !module.is_empty());
                let Some(function) = self.types.function(module, &probe.function) else {
                    return Ok(Vec::new());
                };
                if probe.name == "return" {
                    let int = self.types.intrinsic(Intrinsic::Int);
                    let mut types = vec![int];
                    if !self.types.is_void(function.result) {
                        types.push(function.result);
                    }
                    return Ok(types);
                }
                Ok(function.parameters.iter().map(|(_, ty)| *ty).collect())
            }
            _ => {
                let word = self.types.intrinsic(Intrinsic::Uint64);
                Ok(match probe.name.as_str() {
                    // epid, action, instruction, fault, address behind an unused first one.
                    "ERROR" => vec![word; 6],
                    "BEGIN" | "END" => Vec::new(),
                    // The program counters in the kernel and in user code.
                    name if is_own(name) => vec![word, word],
                    _ => Vec::new(),
                })
            }
        }
    }

    /// What a system call takes, as the kernel declares it.
    fn system_call(&mut self, name: &str) -> Vec<TypeId> {
        let name = syscalls::as_the_kernel_knows(name);
        if let Some(arguments) = syscalls::arguments(name) {
            return arguments.map(|text| self.type_in_c(text)).collect();
        }
        for prefix in CALLS {
            let Some(function) = self.types.function(None, &format!("{prefix}{name}")) else {
                continue;
            };
            if prefix == "__x64_sys_" && function.parameters.len() == 1 {
                // Only the registers: it is known how many there can be, but not what they are.
                break;
            }
            return function.parameters.iter().map(|(_, ty)| *ty).collect();
        }
        vec![self.types.intrinsic(Intrinsic::Int64); 6]
    }

    /// A type of the table of system calls: `const struct iovec *`. A pointer to what is not known here is one to void,
    /// and another type that is not, a number.
    fn type_in_c(&mut self, text: &str) -> TypeId {
        let words = text.split([' ', '*']);
        let words: Vec<&str> = words
            .filter(|word| !matches!(*word, "" | "const"))
            .collect();
        let basic = |which| Some(self.types.intrinsic(which));
        let known = match words[..] {
            ["void"] => basic(Intrinsic::Void),
            ["char"] => basic(Intrinsic::Char),
            ["unsigned", "char"] => basic(Intrinsic::UnsignedChar),
            ["int"] => basic(Intrinsic::Int),
            ["unsigned"] | ["unsigned", "int"] => basic(Intrinsic::UnsignedInt),
            ["long"] => basic(Intrinsic::Long),
            ["unsigned", "long"] => basic(Intrinsic::UnsignedLong),
            ["struct", tag] => self.types.lookup(None, Named::Struct(tag)),
            ["union", tag] => self.types.lookup(None, Named::Union(tag)),
            ["enum", tag] => self.types.lookup(None, Named::Enum(tag)),
            [name] => self.types.lookup(None, Named::Typedef(name)),
            _ => None,
        };
        let pointers = text.matches('*').count();
        let mut ty = match known {
            Some(ty) => ty,
            None if pointers > 0 => self.types.intrinsic(Intrinsic::Void),
            None => self.types.intrinsic(Intrinsic::Int64),
        };
        if pointers > 0 && text.starts_with("const ") {
            ty = self.types.constant(ty);
        }
        for _ in 0..pointers {
            ty = self.types.pointer_to(ty);
        }
        ty
    }

    /// Whether the kernel has such a system call.
    fn is_call(&self, name: &str) -> bool {
        let known = |prefix| {
            self.types
                .function(None, &format!("{prefix}{name}"))
                .is_some()
        };
        syscalls::arguments(syscalls::as_the_kernel_knows(name)).is_some()
            || CALLS.into_iter().any(known)
    }
}

/// Whether it stands for more than itself.
fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether it can mean several functions, or both ends of one.
fn is_several(probe: &Description) -> bool {
    [&probe.function, &probe.name]
        .into_iter()
        .any(|part| part.is_empty() || is_glob(part))
}

/// Names of the probes of our own providers.
fn is_own(name: &str) -> bool {
    matches!(name, "BEGIN" | "END" | "ERROR")
        || name.starts_with("tick-")
        || name.starts_with("profile-")
}

/// A description as it is written.
fn shown(probe: &Description) -> String {
    match probe.id {
        Some(id) => id.to_string(),
        None => format!(
            "{}:{}:{}:{}",
            probe.provider, probe.module, probe.function, probe.name
        ),
    }
}

fn several(probes: &[Description], span: Span) -> Error {
    let shown: Vec<String> = probes.iter().map(shown).collect();
    Error::new(
        "D_ARGS_MULTI",
        span,
        format!(
            "args[ ] may not be referenced because probe description {} matches an unstable set \
             of probes: name one provider and one function",
            shown.join(", ")
        ),
    )
}
