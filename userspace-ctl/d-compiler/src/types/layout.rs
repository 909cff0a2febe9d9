// SPDX-License-Identifier: GPL-2.0-only
//! Sizes, alignments and the places of members: the System V ABI of x86-64 (3.1.2), but for the
//! bit-fields that a program declares, which lie where libctf puts them.
#![forbid(unsafe_code)]

use super::{CHAIN_MAX, Kind, Member, Record, TypeError, TypeId, Types};

/// Members looked at for one question: records that contain themselves, as only broken BTF has
/// them, must not keep us.
const STEPS_MAX: usize = 100_000;

impl Types {
    /// Bytes; `None`: it has no size of its own (void, functions, what is only named, D's
    /// strings, unless they are an array's).
    pub fn size(&self, ty: TypeId) -> Option<u64> {
        let mut ty = self.resolve(ty);
        let mut times: u64 = 1;
        let mut in_array = false;
        for _ in 0..CHAIN_MAX {
            let bytes = match self.kind(ty) {
                Kind::Array { of, count } => {
                    times = times.checked_mul(u64::from(*count))?;
                    ty = self.resolve(*of);
                    in_array = true;
                    continue;
                }
                Kind::String if in_array => u64::from(self.string_bytes),
                Kind::Integer { bytes, .. } | Kind::Float { bytes } => u64::from(*bytes),
                Kind::Pointer(_) => 8,
                Kind::Enum(enumeration) => u64::from(enumeration.bytes),
                Kind::Struct(record) | Kind::Union(record) => u64::from(record.bytes),
                _ => return None,
            };
            return times.checked_mul(bytes);
        }
        None
    }

    /// Bytes that a value of the type takes where it lies: a string has its whole room.
    pub fn room(&self, ty: TypeId) -> Option<u64> {
        if self.is_string(ty) {
            return Some(self.string_bytes.into());
        }
        self.size(ty)
    }

    /// Bytes. BTF does not tell alignments: those of the kernel's records are what their members
    /// need, as far as offsets and size show that they get it.
    pub fn align(&self, ty: TypeId) -> Option<u64> {
        let mut steps = STEPS_MAX;
        self.align_within(ty, CHAIN_MAX, &mut steps)
    }

    fn align_within(&self, ty: TypeId, depth: usize, steps: &mut usize) -> Option<u64> {
        let depth = depth.checked_sub(1)?;
        match self.kind(self.resolve(ty)) {
            Kind::Array { of, .. } if self.is_string(*of) => Some(1),
            Kind::Array { of, .. } => self.align_within(*of, depth, steps),
            Kind::Struct(record) | Kind::Union(record) => {
                let mut align = 1;
                for member in &record.members {
                    *steps = steps.checked_sub(1)?;
                    // What only fills has no part in the alignment.
                    if member.name.is_empty() && member.bits.is_some() {
                        continue;
                    }
                    let own = self.align_within(member.ty, depth, steps).unwrap_or(1);
                    let kept =
                        member.bits.is_some() || u64::from(member.bit_offset) % (8 * own) == 0;
                    if kept && u64::from(record.bytes) % own == 0 {
                        align = align.max(own);
                    }
                }
                Some(align)
            }
            Kind::Void | Kind::Function { .. } | Kind::Forward { .. } | Kind::String => None,
            // Basic types: their size, which is a power of 2 for all of them but a few floats.
            _ => Some(self.size(ty)?.next_power_of_two().min(16)),
        }
    }

    /// A member by its name, also of anonymous members, with its place in the whole.
    pub fn member(&self, ty: TypeId, name: &str) -> Option<Member> {
        if name.is_empty() {
            return None;
        }
        let mut steps = STEPS_MAX;
        self.member_within(ty, name, CHAIN_MAX, &mut steps)
    }

    fn member_within(
        &self,
        ty: TypeId,
        name: &str,
        depth: usize,
        steps: &mut usize,
    ) -> Option<Member> {
        let depth = depth.checked_sub(1)?;
        let (Kind::Struct(record) | Kind::Union(record)) = self.kind(self.resolve(ty)) else {
            return None;
        };
        for member in &record.members {
            *steps = steps.checked_sub(1)?;
            if member.name == name {
                return Some(member.clone());
            }
            if member.name.is_empty() && member.bits.is_none() {
                if let Some(inner) = self.member_within(member.ty, name, depth, steps) {
                    return Some(Member {
                        bit_offset: member.bit_offset.checked_add(inner.bit_offset)?,
                        ..inner
                    });
                }
            }
        }
        None
    }
}

/// Places members one behind the other, or, in a union, above each other.
#[derive(Debug)]
pub(super) struct Layout {
    union: bool,
    /// Bits that are taken by the members of a struct.
    next: u64,
    /// Bits up to the last end of a member, with what is left free of its unit.
    end: u64,
    /// Bytes: that of the members that are no bit-fields.
    align: u64,
    members: Vec<Member>,
}

impl Layout {
    pub(super) fn new(union: bool) -> Self {
        Self {
            union,
            next: 0,
            end: 0,
            align: 1,
            members: Vec::new(),
        }
    }

    /// A member of `bytes` with this alignment.
    pub(super) fn place(
        &mut self,
        name: &str,
        ty: TypeId,
        bytes: u64,
        align: u64,
    ) -> Result<(), TypeError> {
        let at = self.next.next_multiple_of(8 * align);
        self.align = self.align.max(align);
        let width = bytes.saturating_mul(8);
        self.put(name, ty, at, width, width, None)
    }

    /// A bit-field: the smallest unit of 1, 2, 4 or 8 bytes that holds it lies at the next byte
    /// that suits such a unit. 0 bits: the next member begins where its type of `bytes` could.
    pub(super) fn place_bits(
        &mut self,
        name: &str,
        ty: TypeId,
        bytes: u64,
        bits: u32,
    ) -> Result<(), TypeError> {
        if bits == 0 {
            if !self.union {
                self.next = self.next.next_multiple_of(8 * bytes);
            }
            return Ok(());
        }
        let unit = 8 * u64::from(bits.div_ceil(8).next_power_of_two());
        let at = self.next.next_multiple_of(unit);
        self.put(name, ty, at, u64::from(bits), unit, Some(bits))
    }

    fn put(
        &mut self,
        name: &str,
        ty: TypeId,
        at: u64,
        width: u64,
        unit: u64,
        bits: Option<u32>,
    ) -> Result<(), TypeError> {
        let end = at.saturating_add(unit);
        // Offsets are in bits, and have 32.
        let bit_offset = u32::try_from(at)
            .ok()
            .filter(|_| end <= u64::from(u32::MAX));
        let Some(bit_offset) = bit_offset else {
            return Err(TypeError::new(
                "D_DECL_ARRBIG",
                format!("member lies too far behind the beginning of its type: {name}"),
            ));
        };
        if !self.union {
            self.next = at + width;
        }
        self.end = self.end.max(end);
        self.members.push(Member {
            name: name.to_owned(),
            ty,
            bit_offset,
            bits,
        });
        Ok(())
    }

    pub(super) fn finish(self, tag: Option<String>) -> Record {
        let bits = self.next.max(self.end);
        let bytes = bits.div_ceil(8).next_multiple_of(self.align);
        Record {
            tag,
            bytes: bytes as u32,
            members: self.members,
        }
    }
}
