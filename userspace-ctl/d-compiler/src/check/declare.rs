// SPDX-License-Identifier: GPL-2.0-only
//! Declarations: types, variables, symbols of the kernel, inlines. What a type is, `type_names` says.
#![forbid(unsafe_code)]

use std::rc::Rc;

use rust_tracer::abi;

use crate::ast::{self, BaseType, Declaration, Declarator, Storage};
use crate::error::{Error, Span};
use crate::types::{Intrinsic, Kind, Named, TypeId};

use super::Checker;
use super::names::{Global, Inline};
use super::type_names::{Declared, redeclared};

impl Checker<'_> {
    /// A declaration outside of clauses.
    pub(super) fn declaration(&mut self, declaration: &Declaration) -> Result<(), Error> {
        let base = self.base_type(&declaration.base, declaration.span)?;
        if declaration.declarators.is_empty() {
            return match declaration.base {
                BaseType::Record { .. } | BaseType::Enum { .. } => Ok(()),
                _ => Err(Error::new(
                    "D_DECL_USELESS",
                    declaration.span,
                    "useless declaration",
                )),
            };
        }
        for declarator in &declaration.declarators {
            let declared = self.declarator(base, declarator)?;
            self.declare(declaration.storage, declarator, declared)?;
        }
        Ok(())
    }

    fn declare(
        &mut self,
        storage: Storage,
        declarator: &Declarator,
        declared: Declared,
    ) -> Result<(), Error> {
        let span = declarator.span;
        let name = &declarator.name;
        let storage = match (storage, &declared) {
            (Storage::Global, Declared::Type(ty)) if self.types.is_function(*ty) => Storage::Extern,
            _ => storage,
        };
        let scope = match storage {
            Storage::Static => {
                return Err(Error::new(
                    "D_DECL_BADCLASS",
                    span,
                    "specified storage class not appropriate in D",
                ));
            }
            Storage::Typedef => {
                let Declared::Type(ty) = declared else {
                    return Err(null_array(name, span));
                };
                if self.is_known(name) {
                    return Err(redeclared(
                        format!("global variable identifier redeclared: {name}"),
                        span,
                    ));
                }
                self.types
                    .declare_typedef(name, ty)
                    .map_err(|error| error.at(span))?;
                return Ok(());
            }
            Storage::Extern => {
                let Declared::Type(ty) = declared else {
                    return Err(null_array(name, span));
                };
                if let Some(known) = self
                    .externs
                    .get(name)
                    .copied()
                    .or_else(|| self.types.variable(None, name))
                {
                    if !self.types.same(known, ty) {
                        return Err(redeclared(
                            format!(
                                "identifier redeclared: {name}\n\t current: {}\n\tprevious: {}",
                                self.types.name(ty),
                                self.types.name(known)
                            ),
                            span,
                        ));
                    }
                }
                self.externs.insert(name.clone(), ty);
                return Ok(());
            }
            Storage::Global => abi::RTRACE_SCOPE_GLOBAL,
            Storage::Thread => abi::RTRACE_SCOPE_THREAD,
            Storage::Local => abi::RTRACE_SCOPE_LOCAL,
        };
        let (ty, keys) = match declared {
            Declared::Type(ty) => (ty, None),
            Declared::Associative { ty, keys } => (ty, Some(keys)),
        };
        self.declare_variable(name, scope, ty, keys, span)
    }

    fn declare_variable(
        &mut self,
        name: &str,
        scope: u32,
        ty: TypeId,
        keys: Option<Vec<(String, TypeId)>>,
        span: Span,
    ) -> Result<(), Error> {
        let known = match scope {
            abi::RTRACE_SCOPE_LOCAL => self.locals.get(name).copied(),
            abi::RTRACE_SCOPE_THREAD => self.threads.get(name).copied(),
            _ => match self.globals.get(name) {
                Some(Global::Variable(variable)) => Some(*variable),
                Some(_) => {
                    return Err(redeclared(format!("identifier redeclared: {name}"), span));
                }
                None if self.is_known(name) => {
                    return Err(redeclared(
                        format!("built-in identifier redeclared: {name}"),
                        span,
                    ));
                }
                None => None,
            },
        };
        if self.types.lookup(Some("D"), Named::Typedef(name)).is_some() {
            return Err(redeclared(
                format!("typedef identifier redeclared: {name}"),
                span,
            ));
        }
        if keys.is_some() && scope == abi::RTRACE_SCOPE_LOCAL {
            return Err(Error::new(
                "D_DECL_LOCASSC",
                span,
                format!("associative arrays may not be declared as local variables: {name}"),
            ));
        }
        if self.types.is_void(ty) {
            return Err(Error::new(
                "D_DECL_VOIDOBJ",
                span,
                format!("cannot have void object: {name}"),
            ));
        }
        if matches!(
            self.types.kind(self.types.resolve(ty)),
            Kind::Array { count: 0, .. }
        ) {
            return Err(null_array(name, span));
        }
        if !self.types.is_string(ty) && self.types.size(ty).is_none_or(|size| size == 0) {
            return Err(Error::new(
                "D_DECL_INCOMPLETE",
                span,
                format!(
                    "incomplete struct/union/enum {}: {name}",
                    self.types.name(ty)
                ),
            ));
        }
        let types: Option<Vec<TypeId>> =
            keys.map(|keys| keys.into_iter().map(|(_, ty)| ty).collect());
        if let Some(known) = known {
            return self.declared_again(known, ty, types, span);
        }
        for ty in types.iter().flatten() {
            if self.types.is_void(*ty) {
                return Err(Error::new(
                    "D_DECL_PROTO_TYPE",
                    span,
                    format!("associative array parameter may not use type void: {name}"),
                ));
            }
        }
        let scope = match (scope, &types) {
            (abi::RTRACE_SCOPE_GLOBAL, Some(_)) => abi::RTRACE_SCOPE_ARRAY,
            (abi::RTRACE_SCOPE_THREAD, Some(_)) => abi::RTRACE_SCOPE_THREAD_ARRAY,
            (scope, _) => scope,
        };
        self.fits(ty, (scope, name), span)?;
        let index = self.new_variable(name, scope, types.is_some(), span)?;
        let variable = &mut self.program.variables[index];
        variable.ty = Some(ty);
        variable.keys = types;
        variable.declared = true;
        Ok(())
    }

    /// A variable is declared that was there: nothing may differ.
    fn declared_again(
        &mut self,
        known: usize,
        ty: TypeId,
        keys: Option<Vec<TypeId>>,
        span: Span,
    ) -> Result<(), Error> {
        let variable = &self.program.variables[known];
        let kind = |array| if array { "associative array" } else { "scalar" };
        let previous = variable.ty.unwrap_or(self.types.intrinsic(Intrinsic::Void));
        let same_keys = match (&variable.keys, &keys) {
            (Some(known), Some(keys)) => {
                known.len() == keys.len()
                    && known
                        .iter()
                        .zip(keys)
                        .all(|(known, key)| self.types.same(*known, *key))
            }
            _ => true,
        };
        if variable.array == keys.is_some() && self.types.same(previous, ty) && same_keys {
            return Ok(());
        }
        Err(redeclared(
            format!(
                "identifier redeclared: {}\n\t current: {} {}\n\tprevious: {} {}",
                variable.name,
                kind(keys.is_some()),
                self.types.name(ty),
                kind(variable.array),
                self.types.name(previous)
            ),
            span,
        ))
    }

    /// `inline type name = value;`
    pub(super) fn inline(&mut self, inline: &ast::Inline) -> Result<(), Error> {
        let span = inline.declarator.span;
        let name = &inline.declarator.name;
        if name.is_empty() {
            return Err(Error::new(
                "D_DECL_USELESS",
                inline.span,
                "inline declaration requires a name",
            ));
        }
        if self.is_known(name) {
            return Err(redeclared(
                format!("identifier redefined: {name}\n\t current: inline definition"),
                span,
            ));
        }
        let base = self.base_type(&inline.base, inline.span)?;
        let (ty, keys) = match self.declarator(base, &inline.declarator)? {
            Declared::Type(ty) if self.types.is_array(ty) => {
                return Err(Error::new(
                    "D_DECL_ARRNULL",
                    span,
                    format!("inline declaration cannot be of scalar array type: {name}"),
                ));
            }
            Declared::Type(ty) => (ty, None),
            Declared::Associative { ty, keys } => (ty, Some(keys)),
        };
        if self.types.is_void(ty) {
            return Err(Error::new(
                "D_DECL_VOIDOBJ",
                span,
                format!("cannot declare void inline: {name}"),
            ));
        }
        if matches!(
            self.types.kind(self.types.resolve(ty)),
            Kind::Forward { .. }
        ) {
            return Err(Error::new(
                "D_DECL_INCOMPLETE",
                span,
                format!(
                    "incomplete struct/union/enum {}: {name}",
                    self.types.name(ty)
                ),
            ));
        }
        // Its parameters stand for anything of their types while it is checked.
        let mut known = std::collections::HashMap::new();
        for (parameter, ty) in keys.iter().flatten() {
            known.insert(parameter.clone(), self.parameter(*ty, span));
        }
        let parametric = keys.is_some();
        if parametric {
            self.arguments.push(Rc::new(known));
        }
        let value = self.value(&inline.value);
        if parametric {
            self.arguments.pop();
        }
        let value = value?;
        if !self.passable(ty, &value)
            && !self.types.same(ty, value.ty)
            && !self.is_translated_to(&value, ty)
        {
            return Err(Error::new(
                "D_OP_INCOMPAT",
                inline.span,
                format!(
                    "inline {name} definition uses incompatible types: \"{}\" = \"{}\"",
                    self.types.name(ty),
                    self.shown(&value)
                ),
            ));
        }
        let number = value.constant().filter(|_| self.is_integer(&value));
        let number = number.map(|number| (number, value.ty));
        let constant = self.assigned(value, ty).constant();
        let global = match (constant, keys) {
            // What it is declared as only says what it has to go with: dt_node_inline() of libdtrace keeps the
            // expression as it is.
            (Some(value), None) if !self.types.is_string(ty) => {
                let (value, ty) = number.unwrap_or((value, ty));
                Global::Constant(value, ty)
            }
            (_, keys) => Global::Inline(Rc::new(Inline {
                ty,
                keys,
                value: inline.value.clone(),
                library: self.library_use.is_some(),
            })),
        };
        self.globals.insert(name.clone(), global);
        Ok(())
    }
}

fn null_array(name: &str, span: Span) -> Error {
    Error::new(
        "D_DECL_ARRNULL",
        span,
        format!("array declaration requires array dimension or tuple signature: {name}"),
    )
}
