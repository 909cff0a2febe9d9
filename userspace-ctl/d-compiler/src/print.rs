// SPDX-License-Identifier: GPL-2.0-only
//! What `print()` shows: bytes of a type, as dtrace on Linux renders them (libdtrace's
//! dt_printf.c, and its tests' results):
//!
//! ```text
//!   0xffff9b7aca7e0000 = *
//!                                               (struct test) {
//!                                                .a = (int)1,
//!                                                .b = (char [5]) [
//!                                                 (char)'t',
//!                                                ],
//!                                               }
//! ```
//!
//! What is zero is left out, except at the top. What is nested deeper than ten, or lies behind the
//! bytes that there are, is `...`, and nothing follows it. Beyond dtrace we show the members of
//! structs in arrays, floating-point numbers, and signed bit-fields with their sign.
#![forbid(unsafe_code)]

use std::fmt::Write;

use crate::types::{Enumeration, Kind, Member, TypeId, Types};

/// The column at which all but the address begins.
const INDENT: usize = 44;
/// How deep is shown.
const DEPTH_MAX: usize = 10;

/// Renders what a pointer points to: the address, then what `bytes`, read from there, are as `ty`.
/// Each line ends with a newline.
pub fn print_at(types: &Types, address: u64, ty: TypeId, bytes: &[u8]) -> String {
    let address = match address {
        0 => "(nil)".to_owned(),
        address => format!("{address:#x}"),
    };
    format!("{address} = *\n{}", print(types, ty, bytes))
}

/// Renders bytes of a type. Each line ends with a newline.
pub fn print(types: &Types, ty: TypeId, bytes: &[u8]) -> String {
    let mut printer = Printer {
        types,
        bytes,
        text: String::new(),
        closing: Vec::new(),
    };
    let whole = Member {
        name: String::new(),
        ty,
        bit_offset: 0,
        bits: None,
    };
    // Whether it ended early makes no difference here.
    let _ = printer.value(&whole, 0, 0);
    printer.close();
    printer.text
}

struct Printer<'a> {
    types: &'a Types,
    bytes: &'a [u8],
    text: String,
    /// Depths of braces that are still to be closed: dtrace does so at the next line only, so that
    /// `...` may come before.
    closing: Vec<usize>,
}

/// The bytes, or the depth, are at their end.
struct Ended;

impl Printer<'_> {
    fn close(&mut self) {
        for depth in std::mem::take(&mut self.closing) {
            let comma = if depth > 0 { "," } else { "" };
            let _ = writeln!(self.text, "{:1$}}}{comma}", "", INDENT + depth);
        }
    }

    fn line(&mut self, depth: usize, line: std::fmt::Arguments) {
        self.close();
        let _ = writeln!(self.text, "{:1$}{line}", "", INDENT + depth);
    }

    /// A value at so many bits from the beginning.
    fn value(&mut self, member: &Member, base: u64, depth: usize) -> Result<(), Ended> {
        let offset = base + u64::from(member.bit_offset);
        let ty = self.types.resolve(member.ty);
        let size = match (member.bits, self.types.kind(ty)) {
            (Some(bits), _) => u64::from(bits),
            (None, Kind::String) if depth > 0 => self.text(offset).len() as u64 * 8,
            (None, _) => self.types.size(ty).unwrap_or(0).saturating_mul(8),
        };
        let end = offset.saturating_add(size);
        let available = self.bytes.len() as u64 * 8;
        let composed = matches!(
            self.types.kind(ty),
            Kind::Struct(_) | Kind::Union(_) | Kind::Array { .. }
        );
        let cut = if composed {
            offset >= available && size != 0
        } else {
            end > available
        };
        if cut || depth >= DEPTH_MAX {
            let _ = writeln!(self.text, "{:1$}...", "", INDENT + depth);
            return Err(Ended);
        }
        if depth > 0 && self.is_zero(offset, end.min(available)) {
            return Ok(());
        }
        let name = match member.name.as_str() {
            "" => String::new(),
            name => format!(".{name} = "),
        };
        let type_name = self.types.name(member.ty);
        match self.types.kind(ty) {
            Kind::Struct(record) | Kind::Union(record) => {
                self.line(depth, format_args!("{name}({type_name}) {{"));
                let ended = record
                    .members
                    .iter()
                    .filter(|member| !(member.name.is_empty() && member.bits.is_some()))
                    .try_for_each(|member| self.value(member, offset, depth + 1));
                self.closing.push(depth);
                ended
            }
            &Kind::Array { of, count } => {
                if count == 0 || size == 0 {
                    self.line(depth, format_args!("{name}({type_name}) [],"));
                    return Ok(());
                }
                self.line(depth, format_args!("{name}({type_name}) ["));
                let ended = self.elements(of, count, offset, depth);
                self.line(depth, format_args!("],"));
                ended
            }
            kind => {
                let kind = kind.clone();
                if let Some(value) = self.scalar(&kind, member, offset, end) {
                    self.line(depth, format_args!("{name}({type_name}){value},"));
                }
                Ok(())
            }
        }
    }

    fn elements(&mut self, of: TypeId, count: u32, offset: u64, depth: usize) -> Result<(), Ended> {
        let size = self.types.room(of).unwrap_or(0) * 8;
        // As in dtrace, arrays of characters of any sign end with their first NUL.
        let text = matches!(
            self.types.kind(self.types.resolve(of)),
            Kind::Integer {
                bytes: 1,
                boolean: false,
                ..
            }
        );
        for index in 0..u64::from(count) {
            let at = offset + index * size;
            // Text that is cut needs no ellipsis of its own: it ends, as with its NUL.
            if text && (at >= self.bytes.len() as u64 * 8 || self.is_zero(at, at + 8)) {
                break;
            }
            let element = Member {
                name: String::new(),
                ty: of,
                bit_offset: 0,
                bits: None,
            };
            self.value(&element, at, depth + 1)?;
        }
        Ok(())
    }

    fn scalar(&self, kind: &Kind, member: &Member, offset: u64, end: u64) -> Option<String> {
        Some(match kind {
            Kind::Integer { bytes: 16, .. } => "?(128 bit value)".to_owned(),
            Kind::Integer { signed, .. } => {
                let raw = self.bits(offset, end)?;
                if self.is_plain_char(member.ty) {
                    quoted(raw as u8)
                } else if *signed {
                    sign_extended(raw, end - offset).to_string()
                } else {
                    raw.to_string()
                }
            }
            Kind::Enum(enumeration) => self.enumerator(enumeration, offset, end)?,
            Kind::Pointer(_) => format!("{:#x}", self.bits(offset, end)?),
            Kind::Float { bytes: 4 } => f32::from_bits(self.bits(offset, end)? as u32).to_string(),
            Kind::Float { bytes: 8 } => f64::from_bits(self.bits(offset, end)?).to_string(),
            Kind::String => format!("{:?}", String::from_utf8_lossy(self.text(offset))),
            _ => return None,
        })
    }

    /// The string at so many bits from the beginning.
    fn text(&self, offset: u64) -> &[u8] {
        let bytes = usize::try_from(offset / 8).ok();
        let rest = bytes.and_then(|bytes| self.bytes.get(bytes..));
        let text = rest.and_then(|rest| rest.split(|&byte| byte == 0).next());
        text.unwrap_or(&[])
    }

    fn enumerator(&self, enumeration: &Enumeration, offset: u64, end: u64) -> Option<String> {
        let raw = self.bits(offset, end)?;
        let value = if enumeration.signed {
            sign_extended(raw, end - offset)
        } else {
            raw as i64
        };
        let named = enumeration
            .enumerators
            .iter()
            .find(|&&(_, known)| known == value);
        Some(match named {
            Some((name, _)) => name.clone(),
            None if enumeration.signed => value.to_string(),
            None => raw.to_string(),
        })
    }

    /// `char` itself: other names for it are numbers.
    fn is_plain_char(&self, ty: TypeId) -> bool {
        match self.types.kind(ty) {
            &Kind::Const(of) | &Kind::Volatile(of) => self.is_plain_char(of),
            Kind::Integer { character, .. } => *character && self.types.name(ty) == "char",
            _ => false,
        }
    }

    /// So many bits, at most 64, as a number; `None`: they are not there.
    fn bits(&self, from: u64, to: u64) -> Option<u64> {
        let width = to
            .checked_sub(from)
            .filter(|width| (1..=64).contains(width))?;
        let first = usize::try_from(from / 8).ok()?;
        let last = usize::try_from(to.div_ceil(8)).ok()?;
        let bytes = self.bytes.get(first..last)?;
        let all = bytes
            .iter()
            .rev()
            .fold(0u128, |all, &byte| (all << 8) | u128::from(byte));
        Some(((all >> (from % 8)) as u64) & (u64::MAX >> (64 - width)))
    }

    fn is_zero(&self, from: u64, to: u64) -> bool {
        let mut at = from;
        while at < to {
            // Bit by bit to the next byte, byte by byte then.
            let next = if at % 8 == 0 && to - at >= 8 {
                at + 8
            } else {
                at + 1
            };
            if self.bits(at, next) != Some(0) {
                return false;
            }
            at = next;
        }
        true
    }
}

fn sign_extended(raw: u64, width: u64) -> i64 {
    let unused = 64 - width.clamp(1, 64);
    ((raw << unused) as i64) >> unused
}

/// A character; what a terminal would take as more than one is escaped.
fn quoted(byte: u8) -> String {
    match byte {
        b' '..=b'~' => format!("'{}'", char::from(byte)),
        byte => format!("'\\x{byte:02x}'"),
    }
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
