// SPDX-License-Identifier: GPL-2.0-only
//! What lies at an address: numbers, bit-fields, structs and strings, fetched, put there and copied.
#![forbid(unsafe_code)]

use rust_tracer::abi;

use crate::check::tree::Bits;
use crate::error::{Error, Span};
use crate::types::TypeId;

use super::Generator;
use super::assembler::Register;

impl Generator<'_, '_> {
    /// d = the number at a + offset
    pub(super) fn fetch(
        &mut self,
        d: Register,
        a: Register,
        offset: i32,
        bits: Option<Bits>,
        ty: TypeId,
    ) {
        let number = self.number(ty);
        let signed = number.is_some_and(|number| number.signed);
        let Some(bits) = bits else {
            let bytes = number.map_or(8, |number| number.bytes);
            let op = match (bytes, signed) {
                (1, false) => abi::RTRACE_OP_LD8,
                (2, false) => abi::RTRACE_OP_LD16,
                (4, false) => abi::RTRACE_OP_LD32,
                (1, true) => abi::RTRACE_OP_LDSX8,
                (2, true) => abi::RTRACE_OP_LDSX16,
                (4, true) => abi::RTRACE_OP_LDSX32,
                _ => abi::RTRACE_OP_LD64,
            };
            self.op(op, d, a, 0, offset);
            return;
        };
        self.fetch_whole(d, a, offset, bits.bytes);
        let (shift, width) = (i32::from(bits.shift), i32::from(bits.width));
        if signed {
            let up = 64 - shift - width;
            if up > 0 {
                self.op(abi::RTRACE_OP_SHLI, d, d, 0, up);
            }
            if width < 64 {
                self.op(abi::RTRACE_OP_SARI, d, d, 0, 64 - width);
            }
        } else {
            if shift > 0 {
                self.op(abi::RTRACE_OP_SHRI, d, d, 0, shift);
            }
            if shift + width < 8 * i32::from(bits.bytes) {
                self.mask(d, bits.width);
            }
        }
    }

    /// d = as many bytes as they are, without a sign
    pub(super) fn fetch_whole(&mut self, d: Register, a: Register, offset: i32, bytes: u8) {
        let op = match bytes {
            1 => abi::RTRACE_OP_LD8,
            2 => abi::RTRACE_OP_LD16,
            4 => abi::RTRACE_OP_LD32,
            _ => abi::RTRACE_OP_LD64,
        };
        self.op(op, d, a, 0, offset);
    }

    /// Leaves so many low bits of d.
    fn mask(&mut self, d: Register, width: u8) {
        match width {
            0..=31 => self.op(abi::RTRACE_OP_ANDI, d, d, 0, ((1i64 << width) - 1) as i32),
            32 => self.op(abi::RTRACE_OP_ZX32, d, d, 0, 0),
            64.. => {}
            _ => {
                let rest = 64 - i32::from(width);
                self.op(abi::RTRACE_OP_SHLI, d, d, 0, rest);
                self.op(abi::RTRACE_OP_SHRI, d, d, 0, rest);
            }
        }
    }

    /// Stores a number at a + offset.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn put(
        &mut self,
        a: Register,
        offset: i32,
        bits: Option<Bits>,
        ty: TypeId,
        value: Register,
        free: Register,
        span: Span,
    ) -> Result<(), Error> {
        let store = |bytes: u8| match bytes {
            1 => abi::RTRACE_OP_ST8,
            2 => abi::RTRACE_OP_ST16,
            4 => abi::RTRACE_OP_ST32,
            _ => abi::RTRACE_OP_ST64,
        };
        let Some(bits) = bits else {
            let bytes = self.number(ty).map_or(8, |number| number.bytes);
            self.op(store(bytes), 0, a, value, offset);
            return Ok(());
        };
        // The other bits stay as they are.
        let second = self.above(free, span)?;
        let mask = if bits.width >= 64 {
            u64::MAX
        } else {
            ((1u64 << bits.width) - 1) << bits.shift
        };
        self.fetch_whole(free, a, offset, bits.bytes);
        self.assembler.load(second, !mask as i64);
        self.op(abi::RTRACE_OP_AND, free, free, second, 0);
        self.op(abi::RTRACE_OP_SHLI, second, value, 0, i32::from(bits.shift));
        let third = self.above(second, span)?;
        self.assembler.load(third, mask as i64);
        self.op(abi::RTRACE_OP_AND, second, second, third, 0);
        self.op(abi::RTRACE_OP_OR, free, free, second, 0);
        self.op(store(bits.bytes), 0, a, free, offset);
        Ok(())
    }

    /// A copy of a string that has room for the longest, into d.
    pub(super) fn copied_text(
        &mut self,
        ty: TypeId,
        from: Register,
        d: Register,
        span: Span,
    ) -> Result<(), Error> {
        let free = self.above(d, span)?;
        self.assembler.load(d, self.options.strsize.into());
        let room = abi::RTRACE_SUB_ALLOCA as i32;
        self.op(abi::RTRACE_OP_CALL, d, d, 1, room);
        self.copy(ty, from, d, 0, free, span)
    }

    /// Copies a struct's bytes, or a string with its NUL.
    pub(super) fn copy(
        &mut self,
        ty: TypeId,
        from: Register,
        to: Register,
        offset: i32,
        free: Register,
        span: Span,
    ) -> Result<(), Error> {
        let (second, third) = (self.above_by(free, 1, span)?, self.above_by(free, 2, span)?);
        self.op(abi::RTRACE_OP_MOV, free, from, 0, 0);
        self.op(abi::RTRACE_OP_ADDI, second, to, 0, offset);
        if self.types.is_string(ty) {
            let length = abi::RTRACE_SUB_STRLEN as i32;
            self.op(abi::RTRACE_OP_CALL, third, free, 1, length);
            self.op(abi::RTRACE_OP_ADDI, third, third, 0, 1);
        } else {
            let bytes = self.types.size(ty).unwrap_or(0);
            self.assembler.load(third, bytes as i64);
        }
        self.op(
            abi::RTRACE_OP_CALL,
            free,
            free,
            3,
            abi::RTRACE_SUB_BCOPY as i32,
        );
        Ok(())
    }
}
