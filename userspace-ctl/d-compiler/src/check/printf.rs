// SPDX-License-Identifier: GPL-2.0-only
//! Whether the arguments of a format are of the types that its conversions take: the rules of
//! dt_printf.c.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::compiled::AddressForm;
use crate::error::{Error, Span};
use crate::types::{Intrinsic, Kind, TypeId};

use super::Checker;
use super::format::{Conversion, Extent, Piece, Size};
use super::tree::{Item, KeyType, Node};

/// What a conversion is given.
#[derive(Clone, Copy)]
enum Given {
    Value(TypeId),
    Stack,
    Symbol,
    UserSymbol,
}

/// What a conversion asks for, for messages.
fn wanted(conversion: &Conversion) -> &'static str {
    let unsigned = matches!(conversion.letter, 'o' | 'u');
    match (conversion.size, conversion.letter) {
        (Size::Any, 'a' | 'p') => "pointer or integer",
        (Size::Any, 'A') => "pointer or integer (with -p/-c) or _usymaddr (without -p/-c)",
        (Size::Any, 'c' | 'C') => "char, short, or int",
        (Size::Any, 'e' | 'E' | 'f' | 'g' | 'G') => "float, double, or long double",
        (Size::Any, 'k') => "stack",
        (Size::Any, 's' | 'S') => "char [] or string (or use stringof)",
        (Size::Any, 'T' | 'Y') => "int64_t",
        (Size::Any, _) => "char, short, int, long, or long long",
        (Size::LongDouble, _) => "long double",
        (_, 'c') => "int",
        (_, 's') => "wchar_t []",
        (Size::Short, _) if unsigned => "unsigned short",
        (Size::Short, _) => "short",
        (Size::Long, _) if unsigned => "unsigned long",
        (Size::Long, _) => "long",
        (_, _) if unsigned => "unsigned long long",
        _ => "long long",
    }
}

impl Checker<'_> {
    /// Checks a format's arguments, and converts strings.
    pub(super) fn check_format(
        &mut self,
        name: &str,
        text: &str,
        arguments: Vec<Item>,
        format_span: Span,
        span: Span,
    ) -> Result<Vec<Item>, Error> {
        let pieces = self.pieces(name, text, format_span)?;
        let mut rest = arguments.into_iter();
        let mut converted = Vec::new();
        for piece in &pieces {
            let Piece::Conversion(conversion) = piece else {
                continue;
            };
            for extent in stars(conversion) {
                let Some(item) = rest.next() else {
                    return Err(missing_extent(name, conversion, extent, span));
                };
                match item {
                    Item::Value(node) if self.is_integer(&node) => {
                        converted.push(Item::Value(node));
                    }
                    item => {
                        return Err(Error::new(
                            "D_PRINTF_DYN_TYPE",
                            span,
                            format!(
                                "{name}( ) argument #{} is incompatible with conversion #{} \
                                 prototype:\n\tconversion: % {extent} {}\n\t prototype: int\n\t  \
                                 argument: {}",
                                converted.len() + 2,
                                conversion.number,
                                conversion.name(),
                                self.item_name(&item)
                            ),
                        ));
                    }
                }
            }
            if conversion.aggregation {
                return Err(Error::new(
                    "D_PRINTF_AGG_CONV",
                    span,
                    format!(
                        "%@ conversion requires an aggregation and is not for use with {name}( )"
                    ),
                ));
            }
            let Some(item) = rest.next() else {
                return Err(missing_value(name, conversion, span));
            };
            let given = match &item {
                Item::Value(node) | Item::Probe(_, node) => Given::Value(node.ty),
                Item::Stack(_) | Item::Ustack(_) => Given::Stack,
                Item::Address(form, _) => symbol(*form),
            };
            let valid = match &item {
                Item::Value(node) if node.is_dynamic() => false,
                _ => self.takes(conversion, given),
            };
            if !valid {
                return Err(Error::new(
                    "D_PRINTF_ARG_TYPE",
                    span,
                    format!(
                        "{name}( ) argument #{} is incompatible with conversion #{} prototype:\n\t\
                         conversion: %{}\n\t prototype: {}\n\t  argument: {}",
                        converted.len() + 2,
                        conversion.number,
                        conversion.name(),
                        wanted(conversion),
                        self.item_name(&item)
                    ),
                ));
            }
            converted.push(match item {
                Item::Value(node)
                    if matches!(conversion.letter, 's' | 'S')
                        && conversion.size == Size::Any
                        && self.types.is_array(node.ty) =>
                {
                    Item::Value(self.text(node))
                }
                Item::Value(node)
                    if matches!(conversion.letter, 'a' | 'A' | 'p')
                        && self.types.is_array(node.ty) =>
                {
                    let word = self.types.intrinsic(Intrinsic::Uintptr);
                    let address = self.decayed(node, word);
                    Item::Value(Node {
                        ty: word,
                        ..address
                    })
                }
                item => item,
            });
        }
        if rest.next().is_some() {
            return Err(Error::new(
                "D_PRINTF_ARG_EXTRA",
                span,
                format!(
                    "{name}( ) prototype mismatch: only {} arguments required by this format \
                     string",
                    converted.len()
                ),
            ));
        }
        Ok(converted)
    }

    /// Checks the format of a `printa()`: its arguments are the keys.
    pub(super) fn check_aggregation_format(
        &mut self,
        text: &str,
        aggregation: usize,
        span: Span,
    ) -> Result<(), Error> {
        let pieces = self.pieces("printa", text, span)?;
        let keys = self.program.aggregations[aggregation].keys.clone();
        let value = if self.program.aggregations[aggregation].function == abi::RTRACE_AGG_COUNT {
            Intrinsic::Uint64
        } else {
            Intrinsic::Int64
        };
        let value = self.types.intrinsic(value);
        let mut taken = 0;
        for piece in &pieces {
            let Piece::Conversion(conversion) = piece else {
                continue;
            };
            for extent in stars(conversion) {
                let Some(key) = keys.get(taken) else {
                    return Err(missing_extent("printa", conversion, extent, span));
                };
                let number = matches!(key, KeyType::Value(ty) if self.types.number(*ty).is_some());
                if !number {
                    return Err(Error::new(
                        "D_PRINTF_DYN_TYPE",
                        span,
                        format!(
                            "printa( ) argument #{} is incompatible with conversion #{} \
                             prototype:\n\tconversion: % {extent} {}\n\t prototype: int\n\t  \
                             argument: {}",
                            taken + 2,
                            conversion.number,
                            conversion.name(),
                            self.key_name(key)
                        ),
                    ));
                }
                taken += 1;
            }
            let (what, given, shown) = if conversion.aggregation {
                (
                    "aggregating action".to_owned(),
                    Given::Value(value),
                    self.types.name(value),
                )
            } else {
                let Some(key) = keys.get(taken) else {
                    return Err(missing_value("printa", conversion, span));
                };
                taken += 1;
                let given = match key {
                    KeyType::Value(ty) => Given::Value(*ty),
                    KeyType::Stack(_) | KeyType::Ustack(_) => Given::Stack,
                    KeyType::Address(form) => symbol(*form),
                };
                (
                    format!("argument #{}", taken + 1),
                    given,
                    self.key_name(key),
                )
            };
            if !self.takes(conversion, given) {
                return Err(Error::new(
                    "D_PRINTF_ARG_TYPE",
                    span,
                    format!(
                        "printa( ) {what} is incompatible with conversion #{} prototype:\n\t\
                         conversion: %{}\n\t prototype: {}\n\t  argument: {shown}",
                        conversion.number,
                        conversion.name(),
                        wanted(conversion),
                    ),
                ));
            }
        }
        Ok(())
    }

    fn item_name(&self, item: &Item) -> String {
        match item {
            Item::Value(node) | Item::Probe(_, node) => self.shown(node),
            Item::Stack(_) | Item::Ustack(_) => "stack".into(),
            Item::Address(form, _) => form.type_name().into(),
        }
    }

    /// Whether a conversion takes it.
    fn takes(&self, conversion: &Conversion, given: Given) -> bool {
        let ty = match (given, conversion.letter) {
            (Given::Value(ty), _) => ty,
            (Given::Stack, letter) => return letter == 'k',
            (Given::Symbol, letter) => return letter == 'a',
            (Given::UserSymbol, letter) => return letter == 'A',
        };
        let number = self.types.number(ty);
        let pointer = self.types.is_pointer(ty) || self.types.is_array(ty);
        let is = |one: Intrinsic| self.types.same(ty, self.types.intrinsic(one));
        match (conversion.size, conversion.letter) {
            // An address alone does not say of which process it is.
            (Size::Any, 'A') if !self.options.target => false,
            (Size::Any, 'a' | 'A' | 'p') => {
                (number.is_some() || pointer) && !self.types.is_string(ty)
            }
            (Size::Any, 'c' | 'C') => number.is_some_and(|number| number.bytes <= 4),
            (Size::Any, 'e' | 'E' | 'f' | 'g' | 'G') => self.types.is_float(ty),
            (Size::Any, 'k') => self.is_stack(ty),
            (Size::Any, 's' | 'S') => {
                self.types.is_string(ty)
                    || (self.types.is_array(ty) && self.types.is_string_like(ty))
            }
            (Size::Any, 'T' | 'Y') => number.is_some_and(|number| number.bytes == 8),
            (Size::Any, _) => number.is_some(),
            (Size::LongDouble, _) => is(Intrinsic::LongDouble),
            (_, 'c') => is(Intrinsic::Int),
            (_, 's') => match self.types.kind(self.types.resolve(ty)) {
                Kind::Array { of, .. } => self
                    .types
                    .number(*of)
                    .is_some_and(|number| number.bytes == 4),
                _ => false,
            },
            (Size::Short, letter) => {
                number.is_some_and(|number| number.bytes == 2 && sign_fits(letter, number.signed))
            }
            // On this machine long, long long and int64_t are one.
            (_, letter) => {
                number.is_some_and(|number| number.bytes == 8 && sign_fits(letter, number.signed))
            }
        }
    }
}

/// `%hd` and kin want a sign, `%hu` and `%ho` none, `%hx` takes both.
fn sign_fits(letter: char, signed: bool) -> bool {
    match letter {
        'd' | 'i' => signed,
        'o' | 'u' => !signed,
        _ => true,
    }
}

fn symbol(form: AddressForm) -> Given {
    match form {
        AddressForm::Function | AddressForm::Symbol | AddressForm::Module => Given::Symbol,
        AddressForm::UserFunction | AddressForm::UserAddress | AddressForm::UserModule => {
            Given::UserSymbol
        }
    }
}

/// The `*` of a conversion in the order of their arguments.
fn stars(conversion: &Conversion) -> Vec<&'static str> {
    let mut stars = Vec::new();
    if conversion.width == Extent::Argument {
        stars.push("*");
    }
    if conversion.precision == Extent::Argument {
        stars.push(".*");
    }
    stars
}

fn missing_extent(name: &str, conversion: &Conversion, extent: &str, span: Span) -> Error {
    Error::new(
        "D_PRINTF_DYN_PROTO",
        span,
        format!(
            "{name}( ) prototype mismatch: conversion #{} (%{}) is missing a corresponding \
             \"{extent}\" argument",
            conversion.number,
            conversion.name()
        ),
    )
}

fn missing_value(name: &str, conversion: &Conversion, span: Span) -> Error {
    Error::new(
        "D_PRINTF_ARG_PROTO",
        span,
        format!(
            "{name}( ) prototype mismatch: conversion #{} (%{}) is missing a corresponding value \
             argument",
            conversion.number,
            conversion.name()
        ),
    )
}
