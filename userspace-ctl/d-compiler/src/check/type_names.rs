// SPDX-License-Identifier: GPL-2.0-only
//! Types as programs write them: what stands before declarators, structures and enumerations that are new, and
//! what declarators make of it.
#![forbid(unsafe_code)]

use crate::ast::{BaseType, Declaration, Declarator, Derivation, Expr, IntegerKind, TypeName};
use crate::error::{Error, Span};
use crate::prelude;
use crate::types::{Field, Intrinsic, Named, TypeId};

use super::Checker;
use super::names::Global;

/// What a declarator says of its name.
pub(super) enum Declared {
    /// It is of this type.
    Type(TypeId),
    /// It is an associative array of this type.
    Associative {
        ty: TypeId,
        keys: Vec<(String, TypeId)>,
    },
}

pub(super) fn redeclared(message: String, span: Span) -> Error {
    Error::new("D_DECL_IDRED", span, message)
}

impl Checker<'_> {
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
    pub(super) fn base_type(&mut self, base: &BaseType, span: Span) -> Result<TypeId, Error> {
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
    pub(super) fn declarator(
        &mut self,
        base: TypeId,
        declarator: &Declarator,
    ) -> Result<Declared, Error> {
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
                            "array dimension too big",
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
