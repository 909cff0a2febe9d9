// SPDX-License-Identifier: GPL-2.0-only
//! Aggregations: functions, their parameters, keys.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::ast::{self, ExprKind};
use crate::builtins::{self, Function, Role};
use crate::compiled::Form;
use crate::error::{Error, Span};
use crate::types::TypeId;

use super::Checker;
use super::calls::{called, check_count, is_action};
use super::distributions::{llquantize, lquantize};
use super::tree::{Aggregation, Item, KeyType, Node, NodeKind, Statement};

/// An aggregation, with its keys if it is one with keys.
pub(super) fn aggregation(expr: &ast::Expr) -> Option<(&str, Option<&[ast::Expr]>)> {
    match &expr.kind {
        ExprKind::Aggregation { name, keys } => Some((name, keys.as_deref())),
        ExprKind::Index { base, keys } => match &base.kind {
            ExprKind::Aggregation { name, keys: None } => Some((name, Some(keys))),
            _ => None,
        },
        _ => None,
    }
}

/// `@a[x][y]`
pub(super) fn many_dimensions(name: &str, span: Span) -> Error {
    Error::new(
        "D_AGG_MDIM",
        span,
        format!("improper attempt to reference @{name} as a multi-dimensional array"),
    )
}

/// An aggregating function, its RTRACE_AGG_*, and what it is called with.
type Aggregating<'e> = (&'static Function, u32, &'e [ast::Expr]);

impl Checker<'_> {
    /// `@name[keys] = function(arguments)`
    pub(super) fn aggregate(
        &mut self,
        to: &ast::Expr,
        value: &ast::Expr,
        span: Span,
    ) -> Result<Statement, Error> {
        if let ExprKind::Index { base, .. } = &to.kind {
            if let (Some((name, Some(_))), None) = (aggregation(base), aggregation(to)) {
                return Err(many_dimensions(name, span));
            }
        }
        let Some((name, keys)) = aggregation(to) else {
            return Err(many_dimensions("", span));
        };
        // What is wrong is told in dtrace's order: keys, what is called, its prototype, the aggregation.
        let mut items = Vec::new();
        for (index, key) in keys.unwrap_or_default().iter().enumerate() {
            items.push(self.key(key, index)?);
        }
        let Some((function, number, arguments)) = self.aggregating(value)? else {
            // What is wrong with the value itself comes first.
            if aggregation(value).is_none() && !is_action(value) {
                self.value(value)?;
            }
            return Err(Error::new(
                "D_AGG_FUNC",
                span,
                format!("@{name} must be assigned the result of an aggregating function"),
            ));
        };
        check_count(function, arguments.len(), value.span)?;
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            nodes.push(self.value(argument)?);
        }
        // As they are written: what the prototype's 32 bits would cut off is told.
        let written = nodes.clone();
        let nodes = self.prototype(function, nodes, value.span)?;
        if let Some(known) = self.aggregations.get(name) {
            let known = self.program.aggregations[*known].function;
            if known != number {
                let previous = builtins::aggregating(known).unwrap_or_default();
                return Err(Error::new(
                    "D_AGG_REDEF",
                    span,
                    format!(
                        "aggregation redefined: @{name}\n\t current: @{name} = {}( )\n\tprevious: \
                         @{name} = {previous}( )",
                        function.name
                    ),
                ));
            }
        }
        if let Some(first) = written.first() {
            if !self.types.is_scalar(first.ty) {
                return Err(Error::new(
                    "D_AGG_SCALAR",
                    first.span,
                    format!("{}( ) argument #1 must be of scalar type", function.name),
                ));
            }
        }
        let (parameters, weight) = match number {
            abi::RTRACE_AGG_LQUANTIZE => (lquantize(self, name, &written, span)?, nodes.get(4)),
            abi::RTRACE_AGG_LLQUANTIZE => (llquantize(self, name, &written, span)?, nodes.get(5)),
            abi::RTRACE_AGG_QUANTIZE => ([0; 4], nodes.get(1)),
            _ => ([0; 4], None),
        };
        let most = match number {
            abi::RTRACE_AGG_LQUANTIZE => 5,
            abi::RTRACE_AGG_LLQUANTIZE => 6,
            abi::RTRACE_AGG_QUANTIZE => 2,
            _ => nodes.len(),
        };
        if let Some(weight) = weight {
            if !self.types.is_scalar(weight.ty) {
                return Err(Error::new(
                    "D_PROTO_ARG",
                    weight.span,
                    format!(
                        "{}( ) increment value (argument #{most}) must be of scalar type",
                        function.name
                    ),
                ));
            }
        }
        if nodes.len() > most {
            return Err(Error::new(
                "D_PROTO_LEN",
                value.span,
                format!(
                    "{}( ) prototype mismatch: {} args passed, at most {most} expected",
                    function.name,
                    nodes.len()
                ),
            ));
        }
        let signed = number != abi::RTRACE_AGG_COUNT
            && nodes
                .first()
                .and_then(|node| self.types.number(node.ty))
                .is_none_or(|number| number.signed);
        let weight = weight.cloned();
        let (aggregation, keys) = self.instance(name, number, parameters, signed, items, span)?;
        Ok(Statement::Aggregate {
            aggregation,
            keys,
            value: nodes.into_iter().next(),
            weight,
        })
    }

    /// The aggregating function that an aggregation is assigned.
    fn aggregating<'e>(&self, value: &'e ast::Expr) -> Result<Option<Aggregating<'e>>, Error> {
        if let ExprKind::Call { name, .. } = &value.kind {
            self.function_named(name, value.span)?;
        }
        Ok(
            called(value).and_then(|(function, arguments)| match function.role {
                Role::Aggregating(number) => Some((function, number, arguments)),
                _ => None,
            }),
        )
    }

    /// A key: an expression, a stack, or an address by name.
    fn key(&mut self, key: &ast::Expr, index: usize) -> Result<Item, Error> {
        if let Some(item) = self.special(key)? {
            return Ok(item);
        }
        let node = match aggregation(key) {
            Some((name, _)) => self.aggregation_alone(name, key.span)?,
            None => self.value(key)?,
        };
        if self.types.is_void(node.ty) {
            return Err(self.bad_key(&node, "aggregation", index));
        }
        let node = self.as_key(node);
        Ok(self.item(node))
    }

    /// An expression that is recorded; parts of the probe's name need no copy.
    pub(super) fn item(&self, node: Node) -> Item {
        use crate::compiled::Part;
        let part = match node.kind {
            NodeKind::BuiltinText(abi::RTRACE_VAR_PROBEPROV) => Part::Provider,
            NodeKind::BuiltinText(abi::RTRACE_VAR_PROBEMOD) => Part::Module,
            NodeKind::BuiltinText(abi::RTRACE_VAR_PROBEFUNC) => Part::Function,
            NodeKind::BuiltinText(abi::RTRACE_VAR_PROBENAME) => Part::Name,
            _ => return Item::Value(node),
        };
        Item::Probe(part, node)
    }

    /// The type of a key.
    fn key_type(&self, item: &Item) -> KeyType {
        match item {
            Item::Value(node) | Item::Probe(_, node) => KeyType::Value(node.ty),
            Item::Stack(frames) => KeyType::Stack(*frames),
            Item::Ustack(frames) => KeyType::Ustack(*frames),
            Item::Address(form, _) => KeyType::Address(*form),
        }
    }

    /// What an item is for who prints it.
    pub(super) fn form(&self, item: &Item) -> Form {
        match item {
            Item::Probe(part, _) => Form::Probe(*part),
            Item::Stack(frames) => Form::Stack(*frames),
            Item::Ustack(frames) => Form::Ustack(*frames),
            Item::Address(form, _) => Form::Address(*form),
            Item::Value(node) => self.value_form(node.ty),
        }
    }

    /// What a value of a type is for who prints it.
    pub(super) fn value_form(&self, ty: TypeId) -> Form {
        if self.types.is_string(ty) {
            return Form::String;
        }
        if let Some(number) = self.types.number(ty) {
            return Form::Integer {
                bytes: number.bytes,
                signed: number.signed,
            };
        }
        if self.types.is_pointer(ty) || self.types.is_function(ty) {
            return Form::Pointer;
        }
        let bytes = self.types.size(ty).unwrap_or(0) as u32;
        if self.is_stack(ty) {
            return Form::StackValue(bytes);
        }
        Form::Bytes(bytes)
    }

    /// The aggregation of this name, made or checked against what it was before.
    fn instance(
        &mut self,
        name: &str,
        function: u32,
        parameters: [u64; 4],
        signed: bool,
        items: Vec<Item>,
        span: Span,
    ) -> Result<(usize, Vec<Item>), Error> {
        let keys: Vec<KeyType> = items.iter().map(|item| self.key_type(item)).collect();
        let forms: Vec<Form> = items.iter().map(|item| self.form(item)).collect();
        let Some(index) = self.aggregations.get(name).copied() else {
            let index = self.program.aggregations.len();
            if index >= abi::RTRACE_AGGREGATIONS_MAX as usize {
                return Err(Error::new(
                    "D_ID_OFLOW",
                    span,
                    format!("cannot create @{name}: limit on number of aggregations exceeded"),
                ));
            }
            self.program.aggregations.push(Aggregation {
                name: name.to_owned(),
                function,
                parameters,
                keys,
                forms,
                signed,
            });
            self.aggregations.insert(name.to_owned(), index);
            return Ok((index, items));
        };
        let known = self.program.aggregations[index].keys.clone();
        if known.len() != keys.len() {
            return Err(Error::new(
                "D_PROTO_LEN",
                span,
                format!(
                    "@{name}[ ] prototype mismatch: {} key{} passed, {} expected",
                    keys.len(),
                    if keys.len() == 1 { "" } else { "s" },
                    known.len()
                ),
            ));
        }
        let mut converted = Vec::with_capacity(items.len());
        for (at, (item, known)) in items.into_iter().zip(&known).enumerate() {
            let form = self.form(&item);
            let item = match (item, known) {
                (Item::Value(node), KeyType::Value(ty)) if self.passable(*ty, &node) => {
                    Item::Value(self.assigned(node, *ty))
                }
                (Item::Probe(part, node), KeyType::Value(ty)) if self.passable(*ty, &node) => {
                    Item::Probe(part, node)
                }
                (item @ Item::Stack(_), KeyType::Stack(_))
                | (item @ Item::Ustack(_), KeyType::Ustack(_)) => item,
                (Item::Address(form, node), KeyType::Address(known)) if form == *known => {
                    Item::Address(form, node)
                }
                (item, known) => {
                    return Err(Error::new(
                        "D_PROTO_ARG",
                        span,
                        format!(
                            "@{name}[ ] key #{} is incompatible with prototype:\n\tprototype: \
                             {}\n\t      key: {}",
                            at + 1,
                            self.key_name(known),
                            self.key_name(&self.key_type(&item))
                        ),
                    ));
                }
            };
            // A probe's part stays one only as long as it is the same part everywhere.
            let kept = &mut self.program.aggregations[index].forms[at];
            match (&*kept, form) {
                (Form::Probe(one), Form::Probe(other)) if *one == other => {}
                (Form::Probe(_), _) | (Form::String, Form::Probe(_)) => *kept = Form::String,
                (Form::Stack(one), Form::Stack(other)) => *kept = Form::Stack((*one).max(other)),
                (Form::Ustack(one), Form::Ustack(other)) => {
                    *kept = Form::Ustack((*one).max(other));
                }
                _ => {}
            }
            converted.push(item);
        }
        let aggregation = &mut self.program.aggregations[index];
        // Mixed signs are shown as numbers with one.
        aggregation.signed |= signed;
        Ok((index, converted))
    }

    /// The type of a key for messages.
    pub(super) fn key_name(&self, key: &KeyType) -> String {
        match key {
            KeyType::Value(ty) => self.types.name(*ty),
            KeyType::Stack(_) | KeyType::Ustack(_) => "stack".into(),
            KeyType::Address(form) => form.type_name().into(),
        }
    }

    /// Parts of the probe's name that are keys of aggregations which are shown together are
    /// strings in all of them if they are not the same part.
    pub(super) fn settle_keys(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            for group in &self.together {
                let keys = group
                    .iter()
                    .map(|one| self.program.aggregations[*one].forms.len())
                    .min()
                    .unwrap_or(0);
                for key in 0..keys {
                    let forms: Vec<&Form> = group
                        .iter()
                        .map(|one| &self.program.aggregations[*one].forms[key])
                        .collect();
                    let mixed = forms.windows(2).any(|pair| pair[0] != pair[1])
                        && forms.iter().any(|form| matches!(form, Form::Probe(_)));
                    if !mixed {
                        continue;
                    }
                    for one in group {
                        let form = &mut self.program.aggregations[*one].forms[key];
                        if matches!(form, Form::Probe(_)) {
                            *form = Form::String;
                            changed = true;
                        }
                    }
                }
            }
        }
    }

    /// The parameters of the aggregation of this name, if there is one.
    pub(super) fn previous(&self, name: &str) -> Option<[u64; 4]> {
        let index = self.aggregations.get(name)?;
        Some(self.program.aggregations[*index].parameters)
    }
}
