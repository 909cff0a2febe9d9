// SPDX-License-Identifier: GPL-2.0-only
//! Where a pointer comes from: `alloca()` and `copyin()` give memory that is the firing's own and
//! may be written. As in libdtrace's newer versions (dt_cook_taint_alloca() of dt_parser.c) a
//! variable holds either such pointers or others, and what copies asks for the former.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::error::{Error, Span};

use super::Checker;
use super::tree::{Arithmetic, Node, NodeKind};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The firing's own memory.
    Own,
    /// Anywhere else; it need not be a pointer.
    Other,
    /// One of both, which shows at run time.
    Either,
}

impl Checker<'_> {
    /// Where a value comes from: that stays through casts, steps and assignments, and ends where
    /// memory is read.
    pub(super) fn origin(&self, node: &Node) -> Origin {
        match &node.kind {
            NodeKind::Call(abi::RTRACE_SUB_ALLOCA | abi::RTRACE_SUB_COPYIN, _) => Origin::Own,
            NodeKind::Variable { variable, .. } => {
                match self.program.variables[*variable].own_memory {
                    Some(true) => Origin::Own,
                    _ => Origin::Other,
                }
            }
            NodeKind::Convert(of)
            | NodeKind::Move { pointer: of, .. }
            | NodeKind::Comma(_, of)
            | NodeKind::Assign(_, of)
            | NodeKind::Update { place: of, .. } => self.origin(of),
            NodeKind::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, left, right) => {
                match self.origin(left) {
                    Origin::Other => self.origin(right),
                    origin => origin,
                }
            }
            NodeKind::Address(place) => match &place.kind {
                NodeKind::Memory { address, .. } => self.origin(address),
                _ => Origin::Other,
            },
            // An array is where it is.
            NodeKind::Memory { address, .. } if self.types.is_array(node.ty) => {
                self.origin(address)
            }
            NodeKind::Conditional(_, left, right) => {
                match (self.origin(left), self.origin(right)) {
                    (left, right) if left == right => left,
                    (Origin::Own, _) if right.is_zero() => Origin::Own,
                    (_, Origin::Own) if left.is_zero() => Origin::Own,
                    _ => Origin::Either,
                }
            }
            _ => Origin::Other,
        }
    }

    /// A variable takes a value: all of its pointers come from one place. 0 is no pointer.
    pub(super) fn keep_origin(
        &mut self,
        place: &Node,
        value: &Node,
        span: Span,
    ) -> Result<(), Error> {
        let NodeKind::Variable { variable, .. } = place.kind else {
            return Ok(());
        };
        let own = match self.origin(value) {
            Origin::Own => true,
            Origin::Other if value.is_zero() => return Ok(()),
            Origin::Other => false,
            Origin::Either => {
                return Err(Error::new(
                    "D_ALLOCA_INCOMPAT",
                    span,
                    "ternary conditional with alloca and non-alloca branches cannot be assigned \
                     to a variable",
                ));
            }
        };
        if self.program.variables[variable]
            .own_memory
            .is_some_and(|known| known != own)
        {
            return Err(Error::new(
                "D_ALLOCA_INCOMPAT",
                span,
                format!(
                    "{}: cannot reuse the same identifier for both alloca and non-alloca \
                     allocations",
                    self.written(variable)
                ),
            ));
        }
        if own || self.types.is_pointer(place.ty) {
            self.program.variables[variable].own_memory = Some(own);
        }
        Ok(())
    }
}
