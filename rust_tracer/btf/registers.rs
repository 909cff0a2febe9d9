// SPDX-License-Identifier: GPL-2.0

//! Whether a function takes all its arguments in registers, by its prototype.
//!
//! ```text
//!   up to 8 bytes of integers or pointers     one register       rdi rsi rdx rcx r8 r9
//!   9 to 16 bytes of them                     two, if two are left
//!   more; all behind an ellipsis              the stack
//!   a result of more than 16 bytes            one register: where to write it
//! ```
//!
//! Where compilers might differ, and with whatever is not understood (floating point, fields that
//! are not aligned), the answer is no.
//!
//! Source: System V Application Binary Interface, AMD64 Supplement, 3.2.3 "Parameter Passing".

#![forbid(unsafe_code)]

use super::{
    kind,
    Known,
    Type,
    Types, //
};

/// Registers for arguments.
const REGISTERS: u8 = 6;
/// Bytes of one.
const REGISTER: u32 = 8;
/// Bytes of the largest structure that travels in registers.
const LARGEST: u32 = 2 * REGISTER;
/// Structures within structures; more than any argument has.
const DEPTH: u32 = 8;
/// Fields; more than any argument has that fits into registers.
const FIELDS: u32 = 256;

/// Whether a function with this prototype takes all its arguments in registers.
pub(super) fn suffice(types: &Types<'_>, known: &mut [Known], prototype: u32) -> bool {
    let mut judge = Judge {
        types,
        known,
        fields: 0,
    };
    judge.fits(prototype)
}

struct Judge<'t, 'a> {
    types: &'t Types<'a>,
    known: &'t mut [Known],
    /// Fields that may still be looked at.
    fields: u32,
}

impl Judge<'_, '_> {
    /// What is known of a type that has a number.
    fn known(&mut self, number: u32) -> Option<&mut Known> {
        self.known.get_mut(number.checked_sub(1)? as usize)
    }

    /// Whether the arguments of a prototype fit into the registers.
    fn fits(&mut self, prototype: u32) -> bool {
        match self.known(prototype) {
            Some(Known::Nothing) => {}
            known => return matches!(known, Some(Known::Fits)),
        }
        let fits = self.registers_left(prototype).is_some();
        if let Some(known) = self.known(prototype) {
            *known = if fits { Known::Fits } else { Known::No };
        }
        fits
    }

    /// How many registers the arguments leave; `None`: there are not enough, or nobody knows.
    fn registers_left(&mut self, prototype: u32) -> Option<u8> {
        let prototype = self.types.get(prototype)?;
        // An argument without size takes no register; nobody has six others beside it.
        if prototype.kind() != kind::FUNC_PROTO || prototype.count() > usize::from(REGISTERS) {
            return None;
        }
        let mut left = REGISTERS.checked_sub(self.taken_by_result(prototype.refers_to())?)?;
        for [_, parameter] in prototype.parts() {
            // An ellipsis is a parameter of type void, which takes nobody knows how many.
            left = left.checked_sub(self.taken_by(parameter)?)?;
        }
        Some(left)
    }

    fn taken_by_result(&mut self, result: u32) -> Option<u8> {
        let resolved = self.types.resolve(result)?;
        match resolved.kind() {
            kind::VOID => Some(0),
            kind::STRUCT | kind::UNION if resolved.size() > LARGEST => Some(1),
            _ => self.taken_by(result).map(|_| 0),
        }
    }

    /// How many registers a value of this type takes.
    fn taken_by(&mut self, value: u32) -> Option<u8> {
        match self.known(value)? {
            Known::Nothing => {}
            Known::Registers(count) => return Some(*count),
            Known::Fits | Known::No => return None,
        }
        let taken = self.needed_by(value);
        *self.known(value)? = taken.map_or(Known::No, Known::Registers);
        taken
    }

    /// The same of a type of which nothing is known.
    fn needed_by(&mut self, value: u32) -> Option<u8> {
        let value = self.types.resolve(value)?;
        let size = if !is_record(&value) {
            scalar_size(&value)?
        } else if value.size() <= LARGEST {
            self.fields = FIELDS;
            self.check_fields(&value, 0, DEPTH)?;
            value.size()
        } else {
            return None;
        };
        Some(size.div_ceil(REGISTER) as u8)
    }

    /// Whether all fields of a structure that begins at this bit are aligned integers and
    /// pointers.
    fn check_fields(&mut self, record: &Type<'_>, bit: u32, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        for [_, field, offset] in record.parts() {
            let (offset, bits) = if record.flag() {
                (offset & 0xff_ffff, offset >> 24)
            } else {
                (offset, 0)
            };
            self.fields = self.fields.checked_sub(1)?;
            let mut field = self.types.resolve(field)?;
            if field.kind() == kind::ARRAY {
                // Elements are as aligned as the first one, if they are scalars.
                let (element, count) = field.elements()?;
                field = self.types.resolve(element)?;
                if count == 0 || is_record(&field) {
                    return None;
                }
            }
            let bit = bit.checked_add(offset)?;
            if is_record(&field) {
                self.check_fields(&field, bit, depth)?;
                continue;
            }
            let size = scalar_size(&field)?.checked_mul(8)?;
            if bits == 0 && bit.checked_rem(size)? != 0 {
                return None;
            }
        }
        Some(())
    }
}

fn is_record(of: &Type<'_>) -> bool {
    matches!(of.kind(), kind::STRUCT | kind::UNION)
}

/// In bytes, of an integer, enumeration or pointer.
fn scalar_size(of: &Type<'_>) -> Option<u32> {
    match of.kind() {
        kind::PTR => Some(REGISTER),
        kind::INT | kind::ENUM | kind::ENUM64 => {
            let size = of.size();
            (size.is_power_of_two() && size <= LARGEST).then_some(size)
        }
        _ => None,
    }
}
