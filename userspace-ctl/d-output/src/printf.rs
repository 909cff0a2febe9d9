// SPDX-License-Identifier: GPL-2.0-only
//! D's printf(): a format, its arguments, and for printa() the aggregations.
//!
//! D takes a number's width and sign from its type and not from `h` and `l`; `%d` of an
//! unsigned one is `%u`. A precision of 0 is none. Mismatches of types are the compiler's to
//! find; one that comes here is [`Malformed`].
#![forbid(unsafe_code)]

use d_compiler::check::format::{Conversion, Extent, Piece, Size};
use d_compiler::compiled::AddressForm;

use crate::aggregations::Aggregated;
use crate::bytes::{escaped, put};
use crate::date;
use crate::number::Field;
use crate::symbols;
use crate::values::{Malformed, Value};
use crate::world::World;

/// The values that a format takes, one behind the other.
struct Arguments<'a> {
    values: std::slice::Iter<'a, Value>,
    aggregated: &'a [Aggregated<'a>],
}

impl<'a> Arguments<'a> {
    fn next(&mut self) -> Result<&'a Value, Malformed> {
        self.values
            .next()
            .ok_or(Malformed::new("argument of a format"))
    }

    /// For `*`: an int.
    fn extent(&mut self) -> Result<i32, Malformed> {
        let number = self.next()?.number();
        number
            .map(|n| n as i32)
            .ok_or(Malformed::new("width or precision"))
    }

    /// The next aggregation; the last one stays.
    fn aggregated(&mut self) -> Result<&'a Aggregated<'a>, Malformed> {
        let (first, rest) = self
            .aggregated
            .split_first()
            .ok_or(Malformed::new("aggregation"))?;
        if !rest.is_empty() {
            self.aggregated = rest;
        }
        Ok(first)
    }
}

/// Prints arguments by a format. `aggregated` is what `%@` takes, in order.
pub fn format(
    out: &mut Vec<u8>,
    pieces: &[Piece],
    values: &[Value],
    aggregated: &[Aggregated],
    world: &dyn World,
) -> Result<(), Malformed> {
    let mut arguments = Arguments {
        values: values.iter(),
        aggregated,
    };
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Conversion(conversion) => {
                let field = field(conversion, &mut arguments, world)?;
                if conversion.aggregation {
                    let aggregated = arguments.aggregated()?;
                    match aggregated.number() {
                        Some(value) => convert(out, conversion, &field, &value, world)?,
                        None => aggregated.graph(out),
                    }
                } else {
                    convert(out, conversion, &field, arguments.next()?, world)?;
                }
            }
        }
    }
    Ok(())
}

fn field(
    conversion: &Conversion,
    arguments: &mut Arguments,
    world: &dyn World,
) -> Result<Field, Malformed> {
    let mut left = conversion.left;
    let width = match conversion.width {
        Extent::None => 0,
        Extent::Fixed(width) => width,
        Extent::Argument => {
            let width = arguments.extent()?;
            left |= width < 0;
            width.unsigned_abs()
        }
    };
    let precision = match conversion.precision {
        Extent::None => 0,
        Extent::Fixed(precision) => precision,
        Extent::Argument => u32::try_from(arguments.extent()?).unwrap_or(0),
    };
    Ok(Field {
        left,
        zero: conversion.zero,
        plus: conversion.plus,
        space: conversion.space,
        alternate: conversion.alternate,
        thousands: conversion.group.then(|| world.thousands()).flatten(),
        width: width as usize,
        precision: (precision > 0).then_some(precision as usize),
    })
}

fn convert(
    out: &mut Vec<u8>,
    conversion: &Conversion,
    field: &Field,
    value: &Value,
    world: &dyn World,
) -> Result<(), Malformed> {
    // mod() and umod() are shown so whatever the conversion.
    match *value {
        Value::Kernel(form @ AddressForm::Module, address) => {
            field.text(out, symbols::kernel(form, address, world).as_bytes());
            return Ok(());
        }
        Value::User {
            form: form @ AddressForm::UserModule,
            pid,
            address,
        } => {
            field.text(out, symbols::user(form, pid, address, world).as_bytes());
            return Ok(());
        }
        _ => {}
    }
    let wide = matches!(conversion.size, Size::Long | Size::Wide);
    match conversion.letter {
        'd' | 'i' => integer(out, field, value)?,
        'o' | 'u' | 'x' | 'X' | 'p' => {
            field.unsigned(out, unsigned(value)?, conversion.letter);
        }
        'c' if wide => {
            let character = char::from_u32(unsigned(value)? as u32).unwrap_or('\u{fffd}');
            field.character(out, character.to_string().as_bytes());
        }
        'c' => field.character(out, &[unsigned(value)? as u8]),
        'C' => field.text(out, &escaped(&[unsigned(value)? as u8])),
        's' if wide => field.text(out, wide_text(text(value)?).as_bytes()),
        's' => field.text(out, until_nul(text(value)?)),
        'S' => field.text(out, &escaped(until_nul(text(value)?))),
        'a' => field.text(out, address(value, world)?.as_bytes()),
        'A' => {
            let shown = match (value, world.target()) {
                (Value::User { .. }, _) => address(value, world)?,
                (_, Some(pid)) => {
                    symbols::user(AddressForm::UserAddress, pid, unsigned(value)?, world)
                }
                (_, None) => symbols::named(None, unsigned(value)?, true),
            };
            field.text(out, shown.as_bytes());
        }
        'k' => stack(out, conversion, field, value, world)?,
        'Y' => field.text(out, date::date(unsigned(value)?, world).as_bytes()),
        'T' => field.text(out, date::rfc822(unsigned(value)?, world).as_bytes()),
        'e' | 'E' | 'f' | 'g' | 'G' => field.float(out, float(value)?, conversion.letter),
        _ => return Err(Malformed::new("such conversion")),
    }
    Ok(())
}

/// A number without its sign extension.
fn unsigned(value: &Value) -> Result<u64, Malformed> {
    Ok(match value {
        Value::Integer { value, bytes, .. } => {
            let unused = 64 - 8 * u32::from((*bytes).clamp(1, 8));
            value << unused >> unused
        }
        other => other.number().ok_or(Malformed::new("number"))?,
    })
}

fn integer(out: &mut Vec<u8>, field: &Field, value: &Value) -> Result<(), Malformed> {
    match value {
        Value::Integer {
            value,
            signed: true,
            ..
        } => field.signed(out, *value as i64),
        other => field.unsigned(out, unsigned(other)?, 'u'),
    }
    Ok(())
}

/// A floating-point number, of which the bytes are recorded.
fn float(value: &Value) -> Result<f64, Malformed> {
    let bytes = match value {
        Value::Bytes(bytes) => bytes.as_slice(),
        _ => &[],
    };
    match *bytes {
        [a, b, c, d] => Ok(f32::from_le_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Ok(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        // Of x87: 64 bits of mantissa, 15 of exponent, the sign, and what fills up to 16 bytes.
        [a, b, c, d, e, f, g, h, low, high, ..] => {
            let mantissa = u64::from_le_bytes([a, b, c, d, e, f, g, h]) as f64;
            let exponent = u16::from_le_bytes([low, high]);
            let magnitude = mantissa * 2f64.powi(i32::from(exponent & 0x7fff) - 16383 - 63);
            Ok(if exponent >> 15 == 1 {
                -magnitude
            } else {
                magnitude
            })
        }
        _ => Err(Malformed::new("floating-point number")),
    }
}

fn text(value: &Value) -> Result<&[u8], Malformed> {
    match value {
        Value::Text(bytes) | Value::Bytes(bytes) | Value::Characters(bytes) => Ok(bytes),
        _ => Err(Malformed::new("text")),
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

/// An array of wchar_t.
fn wide_text(bytes: &[u8]) -> String {
    (bytes.chunks_exact(4))
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .take_while(|&character| character != 0)
        .map(|character| char::from_u32(character).unwrap_or('\u{fffd}'))
        .collect()
}

fn address(value: &Value, world: &dyn World) -> Result<String, Malformed> {
    Ok(match *value {
        Value::User { pid, address, .. } => {
            symbols::user(AddressForm::UserAddress, pid, address, world)
        }
        Value::Kernel(_, address) | Value::Pointer(address) => {
            symbols::kernel(AddressForm::Symbol, address, world)
        }
        ref other => symbols::kernel(AddressForm::Symbol, unsigned(other)?, world),
    })
}

/// `%k`: each frame as text in the field; `%-20k`: indented by the width instead.
fn stack(
    out: &mut Vec<u8>,
    conversion: &Conversion,
    field: &Field,
    value: &Value,
    world: &dyn World,
) -> Result<(), Malformed> {
    if !matches!(value, Value::Stack(_) | Value::Ustack { .. }) {
        return Err(Malformed::new("stack"));
    }
    let indent = if field.left { field.width } else { 0 };
    let field = Field {
        width: if conversion.left { 0 } else { field.width },
        ..field.clone()
    };
    out.push(b'\n');
    for frame in symbols::frames(value, world) {
        put!(out, "{:indent$}", "");
        field.text(out, frame.as_bytes());
        out.push(b'\n');
    }
    Ok(())
}

#[cfg(test)]
#[path = "printf_tests.rs"]
mod tests;
