// SPDX-License-Identifier: GPL-2.0-only
//! `uregs[]`: the registers of the current task in user space.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::Expr;
use crate::error::{Error, Span};
use crate::types::Intrinsic;

use super::Checker;
use super::tree::{Node, NodeKind};

impl Checker<'_> {
    /// `uregs[keys]`
    pub(super) fn user_register(&mut self, keys: &[Expr], span: Span) -> Result<Node, Error> {
        let index = self.constant_key("uregs", keys, span)?;
        let register = u32::try_from(index)
            .ok()
            .filter(|register| *register < abi::RTRACE_UREGS);
        let Some(register) = register else {
            return Err(if index < 0 {
                let message = format!("index {index} is out of range for array uregs");
                Error::new("D_REGS_IDX", span, message)
            } else {
                let message = format!("uregs[]: index out of bounds ({index})");
                Error::new("D_UNKNOWN", span, message)
            });
        };
        let ty = self.types.intrinsic(Intrinsic::Uint64);
        let mut node = Node::new(
            NodeKind::Builtin(abi::RTRACE_VAR_UREG0 + register),
            ty,
            span,
        );
        node.lvalue = true;
        Ok(node)
    }
}
