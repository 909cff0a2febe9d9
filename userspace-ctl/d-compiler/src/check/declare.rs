// SPDX-License-Identifier: GPL-2.0-only
//! Declarations: types, variables, symbols of the kernel, inlines.
#![forbid(unsafe_code)]

use std::rc::Rc;

use rust_tracer::abi;

use crate::ast::{
    self, BaseType, Declaration, Declarator, Derivation, Expr, IntegerKind, Storage, TypeName,
};
use crate::error::{Error, Span};
use crate::prelude;
use crate::types::{Field, Intrinsic, Kind, Named, TypeId};

use super::Checker;
use super::names::{Global, Inline};

/// What a declarator says of its name.
enum Declared {
    /// It is of this type.
    Type(TypeId),
    /// It is an associative array of this type.
    Associative {
        ty: TypeId,
        keys: Vec<(String, TypeId)>,
    },
}

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
        self.fits(ty, name, span)?;
        let scope = match (scope, &types) {
            (abi::RTRACE_SCOPE_GLOBAL, Some(_)) => abi::RTRACE_SCOPE_ARRAY,
            (abi::RTRACE_SCOPE_THREAD, Some(_)) => abi::RTRACE_SCOPE_THREAD_ARRAY,
            (scope, _) => scope,
        };
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
        let constant = self.assigned(value, ty).constant();
        let global = match (constant, keys) {
            (Some(value), None) if !self.types.is_string(ty) => Global::Constant(value, ty),
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

    /// The name of a type.
    pub(super) fn type_name(&mut self, name: &TypeName) -> Result<TypeId, Error> {
        self.named_type(
            name,
            "D_DECL_ARRNULL",
            "an associative array is a variable, not a type",
        )
    }

    /// The type of a parameter, or of a key.
    fn parameter_type(&mut self, name: &TypeName) -> Result<TypeId, Error> {
        let why = "a parameter may not be an associative array";
        self.named_type(name, "D_DECL_PROTO_TYPE", why)
    }

    fn named_type(
        &mut self,
        name: &TypeName,
        tag: &'static str,
        why: &str,
    ) -> Result<TypeId, Error> {
        let base = self.base_type(&name.base, name.span)?;
        match self.declarator(base, &name.declarator)? {
            Declared::Type(ty) => Ok(ty),
            Declared::Associative { .. } => Err(Error::new(tag, name.span, why)),
        }
    }

    /// What stands before declarators.
    fn base_type(&mut self, base: &BaseType, span: Span) -> Result<TypeId, Error> {
        Ok(match base {
            BaseType::Integer {
                kind,
                unsigned,
                signed,
            } => self.types.intrinsic(match (kind, unsigned) {
                (IntegerKind::Char, false) if *signed => Intrinsic::SignedChar,
                (IntegerKind::Char, false) => Intrinsic::Char,
                (IntegerKind::Char, true) => Intrinsic::UnsignedChar,
                (IntegerKind::Short, false) => Intrinsic::Short,
                (IntegerKind::Short, true) => Intrinsic::UnsignedShort,
                (IntegerKind::Int, false) => Intrinsic::Int,
                (IntegerKind::Int, true) => Intrinsic::UnsignedInt,
                (IntegerKind::Long, false) => Intrinsic::Long,
                (IntegerKind::Long, true) => Intrinsic::UnsignedLong,
                (IntegerKind::LongLong, false) => Intrinsic::LongLong,
                (IntegerKind::LongLong, true) => Intrinsic::UnsignedLongLong,
            }),
            BaseType::Void => self.types.intrinsic(Intrinsic::Void),
            BaseType::Float(bytes) => self.types.intrinsic(match bytes {
                4 => Intrinsic::Float,
                8 => Intrinsic::Double,
                _ => Intrinsic::LongDouble,
            }),
            BaseType::String => self.types.intrinsic(Intrinsic::String),
            BaseType::Named { module, name } => {
                self.look_up(module.as_deref(), Named::Typedef(name), name, span)?
            }
            BaseType::Record {
                union,
                module,
                tag,
                members: None,
            } => {
                let tag = tag.as_deref().unwrap_or_default();
                let named = if *union {
                    Named::Union(tag)
                } else {
                    Named::Struct(tag)
                };
                match module {
                    Some(module) => self.look_up(Some(module), named, tag, span)?,
                    None => self.types.record(*union, tag),
                }
            }
            BaseType::Record {
                union,
                tag,
                members: Some(members),
                ..
            } => self.new_record(*union, tag.as_deref(), members, span)?,
            BaseType::Enum {
                module,
                tag,
                enumerators: None,
            } => {
                let tag = tag.as_deref().unwrap_or_default();
                match module {
                    Some(module) => self.look_up(Some(module), Named::Enum(tag), tag, span)?,
                    None => self.types.enumeration(tag),
                }
            }
            BaseType::Enum {
                tag,
                enumerators: Some(enumerators),
                ..
            } => self.new_enum(tag.as_deref(), enumerators, span)?,
            BaseType::Other(what) => {
                return Err(Error::new(
                    "D_DECL_COMBO",
                    span,
                    format!("{what} is no type that D has on Linux"),
                ));
            }
        })
    }

    pub(super) fn look_up(
        &mut self,
        module: Option<&str>,
        named: Named<'_>,
        name: &str,
        span: Span,
    ) -> Result<TypeId, Error> {
        if matches!((module, named), (None | Some("C" | "D"), Named::Typedef(_)))
            && prelude::defines_type(name)
            && self.types.lookup(Some("D"), named).is_none()
        {
            self.load_library(name, span)?;
        }
        self.types.lookup(module, named).ok_or_else(|| {
            let shown = match module {
                Some(module) => format!("{module}`{name}"),
                None => name.to_owned(),
            };
            let why = match module {
                Some(module) if !self.types.has_module(module) => "No such module is loaded",
                _ => "No type exists with specified name",
            };
            Error::new(
                "D_DECL_IDENT",
                span,
                format!("failed to resolve type {shown}: {why}"),
            )
        })
    }

    fn new_record(
        &mut self,
        union: bool,
        tag: Option<&str>,
        members: &[Declaration],
        span: Span,
    ) -> Result<TypeId, Error> {
        let record = self
            .types
            .begin_record(union, tag)
            .map_err(|error| error.at(span))?;
        let mut fields = Vec::new();
        for member in members {
            let base = self.base_type(&member.base, member.span)?;
            if member.declarators.is_empty() {
                // An anonymous struct or union.
                fields.push(Field {
                    name: String::new(),
                    ty: base,
                    bits: None,
                });
            }
            for declarator in &member.declarators {
                fields.push(self.field(base, declarator)?);
            }
        }
        self.types
            .complete_record(record, &fields)
            .map_err(|error| error.at(span))?;
        Ok(record)
    }

    fn field(&mut self, base: TypeId, declarator: &Declarator) -> Result<Field, Error> {
        let ty = match self.declarator(base, declarator)? {
            Declared::Type(ty) => ty,
            Declared::Associative { .. } => {
                return Err(Error::new(
                    "D_DECL_DYNOBJ",
                    declarator.span,
                    format!("cannot have dynamic member: {}", declarator.name),
                ));
            }
        };
        let bits = match &declarator.bits {
            None => None,
            Some(bits) => match self.constant(bits)? {
                Some(bits) if bits >= 0 => Some(bits as u64),
                _ => {
                    return Err(Error::new(
                        "D_DECL_BFCONST",
                        bits.span,
                        format!(
                            "positive integral constant expression expected as bit-field size: {}",
                            declarator.name
                        ),
                    ));
                }
            },
        };
        Ok(Field {
            name: declarator.name.clone(),
            ty,
            bits,
        })
    }

    fn new_enum(
        &mut self,
        tag: Option<&str>,
        enumerators: &[(String, Option<Expr>)],
        span: Span,
    ) -> Result<TypeId, Error> {
        if let Some(tag) = tag {
            if self.types.lookup(Some("D"), Named::Enum(tag)).is_some() {
                return Err(Error::new(
                    "D_DECL_TYPERED",
                    span,
                    format!("type redeclared: enum {tag}"),
                ));
            }
        }
        let mut values: Vec<(String, Option<i64>)> = Vec::new();
        let mut before = -1i64;
        for (name, value) in enumerators {
            let value = match value {
                None => None,
                Some(expr) => match self.constant(expr)? {
                    Some(value) => Some(value),
                    None => {
                        return Err(Error::new(
                            "D_DECL_ENCONST",
                            expr.span,
                            format!(
                                "enumerator '{name}' must be assigned to an integral constant expression"
                            ),
                        ));
                    }
                },
            };
            let is = value.unwrap_or(before.wrapping_add(1));
            if i32::try_from(is).is_err() {
                return Err(Error::new(
                    "D_DECL_ENOFLOW",
                    span,
                    format!("enumerator '{name}' value overflows INT_MAX ({})", i32::MAX),
                ));
            }
            if self.is_known(name) || values.iter().any(|(known, _)| known == name) {
                return Err(redeclared(format!("identifier redeclared: {name}"), span));
            }
            // The next ones may speak of it.
            let int = self.types.intrinsic(Intrinsic::Int);
            self.globals.insert(name.clone(), Global::Constant(is, int));
            before = is;
            values.push((name.clone(), value));
        }
        let ty = self
            .types
            .declare_enum(tag, &values)
            .map_err(|error| error.at(span))?;
        for (name, _) in &values {
            if let Some(Global::Constant(value, _)) = self.globals.get(name).cloned() {
                self.globals
                    .insert(name.clone(), Global::Constant(value, ty));
            }
        }
        Ok(ty)
    }

    /// The value of a constant expression.
    fn constant(&mut self, expr: &Expr) -> Result<Option<i64>, Error> {
        Ok(self.value(expr)?.constant())
    }

    /// From the base type to that of the name.
    fn declarator(&mut self, base: TypeId, declarator: &Declarator) -> Result<Declared, Error> {
        let span = declarator.span;
        let name = &declarator.name;
        let mut ty = base;
        for (index, derivation) in declarator.derivations.iter().enumerate().rev() {
            ty = match derivation {
                Derivation::Pointer => self.types.pointer_to(ty),
                Derivation::Array(None) => {
                    self.types.array_of(ty, 0).map_err(|error| error.at(span))?
                }
                Derivation::Array(Some(count)) => {
                    let value = self.constant(count)?;
                    let Some(value) = value.filter(|value| *value > 0) else {
                        return Err(Error::new(
                            "D_DECL_ARRSUB",
                            count.span,
                            "positive integral constant expression or tuple signature expected \
                             as array declaration subscript",
                        ));
                    };
                    let Ok(value) = u32::try_from(value) else {
                        return Err(Error::new(
                            "D_DECL_ARRBIG",
                            count.span,
                            format!("dimensions of array {name} too big"),
                        ));
                    };
                    self.types
                        .array_of(ty, value)
                        .map_err(|error| error.at(span))?
                }
                Derivation::Function(parameters, variadic) => {
                    let mut types = Vec::with_capacity(parameters.len());
                    for parameter in parameters {
                        types.push(self.parameter_type(parameter)?);
                    }
                    names_differ(parameters, "function")?;
                    if let [only] = types.as_slice() {
                        if self.types.is_void(*only) {
                            if !parameters[0].declarator.name.is_empty() {
                                return Err(Error::new(
                                    "D_DECL_PROTO_NAME",
                                    span,
                                    "void parameter may not have a name",
                                ));
                            }
                            types.clear();
                        }
                    }
                    if types.iter().any(|ty| self.types.is_void(*ty)) {
                        return Err(Error::new(
                            "D_DECL_PROTO_VOID",
                            span,
                            "void must be sole parameter in a function declaration",
                        ));
                    }
                    self.types
                        .function_of(ty, types, *variadic)
                        .map_err(|error| error.at(span))?
                }
                Derivation::Associative(keys) => {
                    if index != 0 {
                        return Err(Error::new(
                            "D_DECL_DYNOBJ",
                            span,
                            format!(
                                "cannot have a pointer to or array of associative arrays: {name}"
                            ),
                        ));
                    }
                    names_differ(keys, "array")?;
                    let mut types = Vec::with_capacity(keys.len());
                    for key in keys {
                        let ty = self.parameter_type(key)?;
                        types.push((key.declarator.name.clone(), ty));
                    }
                    return Ok(Declared::Associative { ty, keys: types });
                }
            };
        }
        Ok(Declared::Type(ty))
    }
}

/// No two parameters may have one name.
fn names_differ(parameters: &[TypeName], of: &str) -> Result<(), Error> {
    for (index, parameter) in parameters.iter().enumerate() {
        let name = &parameter.declarator.name;
        let before = &parameters[..index];
        if !name.is_empty() && before.iter().any(|other| other.declarator.name == *name) {
            return Err(Error::new(
                "D_DECL_PROTO_FORM",
                parameter.span,
                format!(
                    "parameter is already declared in {of} prototype: {name}, parameter #{}",
                    index + 1
                ),
            ));
        }
    }
    Ok(())
}

fn redeclared(message: String, span: Span) -> Error {
    Error::new("D_DECL_IDRED", span, message)
}

fn null_array(name: &str, span: Span) -> Error {
    Error::new(
        "D_DECL_ARRNULL",
        span,
        format!("array declaration requires array dimension or tuple signature: {name}"),
    )
}
