// SPDX-License-Identifier: GPL-2.0-only
//! Places: variables and memory, read and written.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::{Arithmetic, Bits, Change, Node, NodeKind};
use crate::error::{Error, Span};
use crate::types::TypeId;

use super::assembler::Register;
use super::numbers::operation;
use super::{Generator, by_reference};

/// A variable with its keys in registers.
#[derive(Clone, Copy)]
struct Slot<'n> {
    variable: usize,
    keys: &'n [Node],
    /// The first key's register.
    first: Register,
}

/// A variable of which a part changes.
struct Inside<'n> {
    slot: Slot<'n>,
    /// Points to what was loaded.
    loaded: Register,
    /// Points to the copy of that, which changes.
    copy: Register,
}

/// A place whose parts are in registers.
enum Place<'n> {
    Variable(Slot<'n>),
    Memory {
        address: Register,
        offset: i32,
        bits: Option<Bits>,
        /// It lies in a variable that was copied.
        inside: Option<Inside<'n>>,
    },
}

impl Generator<'_, '_> {
    /// Evaluates keys from d on, and makes them the tuple.
    pub(super) fn keys_into(&mut self, keys: &[Node], d: Register) -> Result<(), Error> {
        for (index, key) in keys.iter().enumerate() {
            let register = self.above_by(d, index, key.span)?;
            self.value(key, register)?;
        }
        self.tuple(keys, d);
        Ok(())
    }

    /// Makes a tuple of keys that are in registers.
    fn tuple(&mut self, keys: &[Node], first: Register) {
        if keys.is_empty() {
            return;
        }
        self.op(abi::RTRACE_OP_KEY0, 0, 0, 0, 0);
        for (index, key) in keys.iter().enumerate() {
            self.key(first + index as Register, key.ty);
        }
    }

    /// Appends a key that is in a register.
    pub(super) fn key(&mut self, register: Register, ty: TypeId) {
        if self.types.is_string(ty) {
            self.op(abi::RTRACE_OP_KEYS, 0, register, 0, 0);
        } else if by_reference(self.types, ty) {
            let bytes = self.types.size(ty).unwrap_or(0) as i32;
            self.op(abi::RTRACE_OP_KEYB, 0, register, 0, bytes);
        } else {
            self.op(abi::RTRACE_OP_KEY, 0, register, 0, 0);
        }
    }

    /// Whether the variable is one that may be missing.
    fn is_dynamic(&self, variable: usize) -> bool {
        matches!(
            self.program.variables[variable].scope,
            abi::RTRACE_SCOPE_ARRAY | abi::RTRACE_SCOPE_THREAD | abi::RTRACE_SCOPE_THREAD_ARRAY
        )
    }

    /// Loads a variable whose tuple is made.
    pub(super) fn load_variable(&mut self, variable: usize, d: Register) {
        let op = if self.is_dynamic(variable) {
            abi::RTRACE_OP_LDD
        } else {
            abi::RTRACE_OP_LDV
        };
        self.op(op, d, 0, 0, variable as i32);
    }

    fn store_variable(&mut self, variable: usize, a: Register) {
        let op = if self.is_dynamic(variable) {
            abi::RTRACE_OP_STD
        } else {
            abi::RTRACE_OP_STV
        };
        self.op(op, 0, a, 0, variable as i32);
    }

    /// What is in memory, or for what is held by where it is: where.
    pub(super) fn load(&mut self, node: &Node, d: Register) -> Result<(), Error> {
        let NodeKind::Memory {
            address,
            offset,
            bits,
        } = &node.kind
        else {
            unreachable!("it is memory");
        };
        if self.is_pointed_to(node.ty) {
            return self.address(node, d);
        }
        let offset = self.base(address, *offset, d)?;
        self.fetch(d, d, offset, *bits, node.ty);
        Ok(())
    }

    /// Whether the value of the type in memory is where it is.
    fn is_pointed_to(&self, ty: TypeId) -> bool {
        self.types.is_string(ty) || self.types.is_function(ty) || by_reference(self.types, ty)
    }

    /// Where a place in memory is, into d.
    pub(super) fn address(&mut self, place: &Node, d: Register) -> Result<(), Error> {
        let NodeKind::Memory {
            address, offset, ..
        } = &place.kind
        else {
            unreachable!("only what is in memory has an address");
        };
        match self.base(address, *offset, d)? {
            0 => {}
            offset => self.op(abi::RTRACE_OP_ADDI, d, d, 0, offset),
        }
        Ok(())
    }

    /// An address into d, and what is to be added to it.
    fn base(&mut self, address: &Node, offset: i64, d: Register) -> Result<i32, Error> {
        if let Some(value) = address.constant() {
            self.assembler.load(d, value.wrapping_add(offset));
            return Ok(0);
        }
        self.value(address, d)?;
        self.small(offset, d, address.span)
    }

    /// An offset that fits an instruction, or is added to d.
    fn small(&mut self, offset: i64, d: Register, span: Span) -> Result<i32, Error> {
        match i32::try_from(offset) {
            Ok(offset) => Ok(offset),
            Err(_) => {
                let above = self.above(d, span)?;
                self.assembler.load(above, offset);
                self.op(abi::RTRACE_OP_ADD, d, d, above, 0);
                Ok(0)
            }
        }
    }

    /// Evaluates the parts of a place from d on: the place, and the next free register.
    fn prepare<'n>(&mut self, node: &'n Node, d: Register) -> Result<(Place<'n>, Register), Error> {
        match &node.kind {
            NodeKind::Variable { variable, keys } => {
                let slot = self.slot(*variable, keys, d)?;
                let next = self.above_by(d, keys.len(), node.span)?;
                Ok((Place::Variable(slot), next))
            }
            NodeKind::Memory {
                address,
                offset,
                bits,
            } => {
                if let Some((variable, keys)) = self.variable_around(address) {
                    let slot = self.slot(variable, keys, d)?;
                    let loaded = self.above_by(d, keys.len(), node.span)?;
                    let copy = self.above(loaded, node.span)?;
                    self.tuple(keys, slot.first);
                    self.load_variable(variable, loaded);
                    let whole = self.program.variables[variable].ty;
                    let text = whole.filter(|ty| self.types.is_string(*ty));
                    let scope = self.program.variables[variable].scope;
                    let in_place = text.is_some() && scope == abi::RTRACE_SCOPE_LOCAL;
                    match text {
                        Some(_) if in_place => {
                            self.op(abi::RTRACE_OP_MOV, copy, loaded, 0, 0);
                        }
                        Some(text) => self.copied_text(text, loaded, copy, node.span)?,
                        None => {
                            let bytes = whole.and_then(|ty| self.types.size(ty)).unwrap_or(0);
                            self.op(abi::RTRACE_OP_LDMEM, copy, loaded, 0, bytes as i32);
                        }
                    }
                    let at = self.above(copy, node.span)?;
                    self.address_inside(address, copy, at)?;
                    let offset = self.small(*offset, at, node.span)?;
                    let next = self.above(at, node.span)?;
                    if text.is_some() {
                        self.op(abi::RTRACE_OP_SUB, next, at, copy, 0);
                        if offset != 0 {
                            self.op(abi::RTRACE_OP_ADDI, next, next, 0, offset);
                        }
                        // The last byte there is stays a NUL, and what is set may be wider than a character.
                        let bytes = self.types.size(node.ty).unwrap_or(1).max(1);
                        let ends = u64::from(self.options.strsize).saturating_sub(bytes);
                        self.op(abi::RTRACE_OP_BOUND, 0, next, 0, ends as i32);
                    }
                    let inside = Inside { slot, loaded, copy };
                    return Ok((
                        Place::Memory {
                            address: at,
                            offset,
                            bits: *bits,
                            inside: (!in_place).then_some(inside),
                        },
                        next,
                    ));
                }
                let offset = self.base(address, *offset, d)?;
                let next = self.above(d, node.span)?;
                Ok((
                    Place::Memory {
                        address: d,
                        offset,
                        bits: *bits,
                        inside: None,
                    },
                    next,
                ))
            }
            _ => unreachable!("the check lets only places be assigned to"),
        }
    }

    fn slot<'n>(
        &mut self,
        variable: usize,
        keys: &'n [Node],
        first: Register,
    ) -> Result<Slot<'n>, Error> {
        for (index, key) in keys.iter().enumerate() {
            let register = self.above_by(first, index, key.span)?;
            self.value(key, register)?;
        }
        Ok(Slot {
            variable,
            keys,
            first,
        })
    }

    /// Whether what a variable of this type leads to is a copy.
    fn is_copied(&self, variable: usize, ty: TypeId) -> bool {
        self.is_dynamic(variable) || !by_reference(self.types, ty)
    }

    /// The variable in a copy of whose bytes an address lies.
    fn variable_around<'n>(&self, address: &'n Node) -> Option<(usize, &'n [Node])> {
        match &address.kind {
            NodeKind::Variable { variable, keys }
                if self.is_pointed_to(address.ty) && self.is_copied(*variable, address.ty) =>
            {
                Some((*variable, keys))
            }
            NodeKind::Move { pointer, .. } => self.variable_around(pointer),
            NodeKind::Memory { address: outer, .. } if by_reference(self.types, address.ty) => {
                self.variable_around(outer)
            }
            NodeKind::Address(place) => match &place.kind {
                NodeKind::Memory { address, .. } => self.variable_around(address),
                _ => None,
            },
            _ => None,
        }
    }

    /// An address in a variable's bytes, of which there is a copy, into d.
    fn address_inside(&mut self, address: &Node, copy: Register, d: Register) -> Result<(), Error> {
        match &address.kind {
            NodeKind::Move {
                pointer,
                index,
                scale,
                back,
            } => {
                self.address_inside(pointer, copy, d)?;
                let above = self.above(d, index.span)?;
                self.value(index, above)?;
                self.scale(above, *scale);
                let op = if *back {
                    abi::RTRACE_OP_SUB
                } else {
                    abi::RTRACE_OP_ADD
                };
                self.op(op, d, d, above, 0);
            }
            NodeKind::Memory {
                address, offset, ..
            } => self.inside_by(address, *offset, copy, d)?,
            NodeKind::Address(place) => {
                if let NodeKind::Memory {
                    address, offset, ..
                } = &place.kind
                {
                    self.inside_by(address, *offset, copy, d)?;
                }
            }
            _ => self.op(abi::RTRACE_OP_MOV, d, copy, 0, 0),
        }
        Ok(())
    }

    fn inside_by(
        &mut self,
        address: &Node,
        offset: i64,
        copy: Register,
        d: Register,
    ) -> Result<(), Error> {
        self.address_inside(address, copy, d)?;
        match self.small(offset, d, address.span)? {
            0 => {}
            offset => self.op(abi::RTRACE_OP_ADDI, d, d, 0, offset),
        }
        Ok(())
    }

    /// d = what is in the place
    fn read(&mut self, place: &Place<'_>, ty: TypeId, d: Register) {
        match place {
            Place::Variable(slot) => {
                self.tuple(slot.keys, slot.first);
                self.load_variable(slot.variable, d);
            }
            Place::Memory {
                address,
                offset,
                bits,
                ..
            } => self.fetch(d, *address, *offset, *bits, ty),
        }
    }

    /// The place takes the value of a register; those from `free` on are free.
    fn write(
        &mut self,
        place: &Place<'_>,
        ty: TypeId,
        value: Register,
        free: Register,
        span: Span,
    ) -> Result<(), Error> {
        match place {
            Place::Variable(slot) => {
                self.tuple(slot.keys, slot.first);
                self.store_variable(slot.variable, value);
            }
            Place::Memory {
                address,
                offset,
                bits,
                inside,
            } => {
                if self.is_pointed_to(ty) {
                    self.copy(ty, value, *address, *offset, free, span)?;
                } else {
                    self.put(*address, *offset, *bits, ty, value, free, span)?;
                }
                if let Some(Inside { slot, loaded, copy }) = inside {
                    self.tuple(slot.keys, slot.first);
                    self.store_variable(slot.variable, *copy);
                    // Nobody has a pointer into them. A clause-local variable itself was loaded.
                    let scope = self.program.variables[slot.variable].scope;
                    let first = match scope {
                        abi::RTRACE_SCOPE_LOCAL => *copy,
                        _ => *loaded,
                    };
                    self.op(abi::RTRACE_OP_FREE, 0, first, 0, 0);
                }
            }
        }
        Ok(())
    }

    /// `place = value`; the value stays in d.
    pub(super) fn assign(&mut self, place: &Node, value: &Node, d: Register) -> Result<(), Error> {
        self.value(value, d)?;
        let above = self.above(d, place.span)?;
        let (target, free) = self.prepare(place, above)?;
        self.write(&target, place.ty, d, free, place.span)
    }

    /// `place op= by`. As in libdtrace, what is in the place is read before `by` is evaluated, and
    /// where it is only then; but nothing is evaluated twice that does something.
    pub(super) fn update(
        &mut self,
        place: &Node,
        change: Change,
        by: &Node,
        before: bool,
        d: Register,
    ) -> Result<(), Error> {
        let span = place.span;
        let operand = self.above(d, span)?;
        let small = match change {
            Change::Number(Arithmetic::Add, _) => {
                by.constant().and_then(|by| i32::try_from(by).ok())
            }
            Change::Number(Arithmetic::Subtract, _) => by
                .constant()
                .and_then(i64::checked_neg)
                .and_then(|by| i32::try_from(by).ok()),
            _ => None,
        };
        let early = !by.is_pure() && place.is_pure();
        if early {
            self.value(place, d)?;
        }
        if small.is_none() {
            self.value(by, operand)?;
            if let Change::Pointer { scale, .. } = change {
                self.scale(operand, scale);
            }
        }
        let above = self.above(operand, span)?;
        let (target, free) = self.prepare(place, above)?;
        if !early {
            self.read(&target, place.ty, d);
        }
        let (result, free) = if before {
            (free, self.above(free, span)?)
        } else {
            (d, free)
        };
        if before {
            self.op(abi::RTRACE_OP_MOV, result, d, 0, 0);
        }
        match change {
            Change::Number(op, ty) => {
                self.convert(result, place.ty, ty);
                match small {
                    Some(by) => self.op(abi::RTRACE_OP_ADDI, result, result, 0, by),
                    None => {
                        let signed = self.number(ty).is_none_or(|number| number.signed);
                        self.op(operation(op, signed), result, result, operand, 0);
                    }
                }
                self.after(op, ty, result);
                self.convert(result, ty, place.ty);
            }
            Change::Pointer { back, .. } => {
                let op = if back {
                    abi::RTRACE_OP_SUB
                } else {
                    abi::RTRACE_OP_ADD
                };
                self.op(op, result, result, operand, 0);
            }
        }
        self.write(&target, place.ty, result, free, span)
    }
}
