// SPDX-License-Identifier: GPL-2.0-only
//! The kernel's types as those of [`Types`](super::Types): a [`TypeId`] of theirs holds the file
//! of BTF and the number there, and is decoded once.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::collections::HashMap;

use super::{CHAIN_MAX, Enumeration, Intrinsic, Kind, Member, Named, Prototype, Record, TypeId};
use crate::btf::{Btf, Class, Section, Type};

/// A `TypeId` is a source and a number in it: source 0 is the arena, 1 vmlinux, the others
/// modules.
const NUMBER_BITS: u32 = crate::btf::TYPES_MAX.trailing_zeros();
/// Where a type is described.
pub(super) fn source(ty: TypeId) -> u32 {
    ty.0 >> NUMBER_BITS
}

/// Its number there.
fn number(ty: TypeId) -> u32 {
    ty.0 & (crate::btf::TYPES_MAX - 1)
}

fn type_id(source: u32, number: u32) -> TypeId {
    TypeId((source << NUMBER_BITS) | number)
}

/// vmlinux as a source.
pub(super) const VMLINUX: u32 = 1;

const VOID: TypeId = TypeId(Intrinsic::Void as u32);

pub(super) struct Kernel {
    btf: Btf,
    /// By source, less one.
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    /// By number, less the section's first.
    kinds: OnceCell<Box<[OnceCell<Box<Kind>>]>>,
    enumerators: OnceCell<HashMap<String, (i64, TypeId)>>,
}

impl Kernel {
    pub(super) fn new(btf: Btf) -> Self {
        let parts = (0..=btf.modules()).map(|_| Part::default()).collect();
        Self { btf, parts }
    }

    /// vmlinux, then the modules.
    pub(super) fn sources(&self) -> impl Iterator<Item = u32> {
        VMLINUX..VMLINUX + self.parts.len() as u32
    }

    pub(super) fn source_named(&self, name: &str) -> Option<u32> {
        if name == "vmlinux" {
            return Some(VMLINUX);
        }
        Some(VMLINUX + 1 + self.btf.module_named(name)? as u32)
    }

    fn section(&self, source: u32) -> Option<&Section> {
        match source.checked_sub(VMLINUX)? {
            0 => self.btf.vmlinux(),
            module => self.btf.module(module as usize - 1),
        }
    }

    /// The type that a section calls by this number. Tags are left out.
    fn id(&self, mut source: u32, mut number: u32) -> TypeId {
        for _ in 0..CHAIN_MAX {
            let Some(section) = self.section(source) else {
                return VOID;
            };
            if number == 0 || number >= section.end() {
                return VOID;
            }
            if number < section.first() {
                source = VMLINUX;
                continue;
            }
            match section.untagged(number) {
                Some(to) => number = to,
                None => return type_id(source, number),
            }
        }
        VOID
    }

    fn raw(&self, ty: TypeId) -> Option<(&Section, Type)> {
        let section = self.section(source(ty))?;
        Some((section, section.ty(number(ty))))
    }

    fn text(&self, section: &Section, offset: u32) -> String {
        self.btf.string(section, offset).to_owned()
    }

    fn tag(&self, section: &Section, offset: u32) -> Option<String> {
        Some(self.text(section, offset)).filter(|tag| !tag.is_empty())
    }

    pub(super) fn kind(&self, ty: TypeId) -> Option<&Kind> {
        let section = self.section(source(ty))?;
        let part = self.parts.get((source(ty) - VMLINUX) as usize)?;
        let kinds = part.kinds.get_or_init(|| {
            (section.first()..section.end())
                .map(|_| OnceCell::new())
                .collect()
        });
        let slot = kinds.get(number(ty).checked_sub(section.first())? as usize)?;
        Some(slot.get_or_init(|| Box::new(self.decode(section, ty))))
    }

    fn decode(&self, section: &Section, ty: TypeId) -> Kind {
        let id = |number| self.id(source(ty), number);
        match section.ty(number(ty)) {
            Type::Void | Type::Variable(_) => Kind::Void,
            Type::Int {
                name,
                bytes,
                signed,
                boolean,
                ..
            } => match bytes {
                1 | 2 | 4 | 8 | 16 => Kind::Integer {
                    bytes: bytes as u8,
                    signed,
                    boolean,
                    character: matches!(self.btf.string(section, name), "char" | "signed char"),
                },
                _ => Kind::Void,
            },
            Type::Float { bytes } => match bytes {
                2..=16 => Kind::Float { bytes: bytes as u8 },
                _ => Kind::Void,
            },
            Type::Pointer(to) => Kind::Pointer(id(to)),
            Type::Array { of, count } => Kind::Array { of: id(of), count },
            Type::Record {
                name,
                union,
                bytes,
                members,
            } => {
                let record = Record {
                    tag: self.tag(section, name),
                    bytes,
                    members: members
                        .into_iter()
                        .map(|member| {
                            let ty = id(member.ty);
                            let (bits, shift) = match member.bits {
                                0 => self.old_bits(ty),
                                bits => (Some(bits), 0),
                            };
                            Member {
                                name: self.text(section, member.name),
                                ty,
                                bit_offset: member.bit_offset.saturating_add(shift),
                                bits,
                            }
                        })
                        .collect(),
                };
                if union {
                    Kind::Union(record)
                } else {
                    Kind::Struct(record)
                }
            }
            Type::Enum {
                name,
                bytes,
                signed,
                values,
            } => match bytes {
                1 | 2 | 4 | 8 => Kind::Enum(Enumeration {
                    tag: self.tag(section, name),
                    bytes: bytes as u8,
                    signed,
                    enumerators: values
                        .into_iter()
                        .map(|(name, value)| (self.text(section, name), value))
                        .collect(),
                }),
                _ => Kind::Void,
            },
            Type::Forward { name, union } => Kind::Forward {
                union,
                tag: self.text(section, name),
            },
            Type::Typedef { name, to } => Kind::Typedef {
                name: self.text(section, name),
                to: id(to),
            },
            Type::Const(to) => Kind::Const(id(to)),
            Type::Volatile(to) => Kind::Volatile(id(to)),
            Type::Restrict(to) | Type::Tag(to) => Kind::Restrict(id(to)),
            Type::Function { prototype } => match self.prototype(id(prototype)) {
                Some(prototype) => function(prototype),
                None => Kind::Void,
            },
            Type::Prototype { .. } => match self.prototype(ty) {
                Some(prototype) => function(prototype),
                None => Kind::Void,
            },
        }
    }

    /// Bits and their place in an integer that has fewer of them than its bytes have: so old
    /// kernels describe bit-fields.
    fn old_bits(&self, mut ty: TypeId) -> (Option<u32>, u32) {
        for _ in 0..CHAIN_MAX {
            let Some((_, raw)) = self.raw(ty) else { break };
            match raw {
                Type::Typedef { to, .. }
                | Type::Const(to)
                | Type::Volatile(to)
                | Type::Restrict(to)
                | Type::Tag(to) => ty = self.id(source(ty), to),
                Type::Int {
                    bytes,
                    bits,
                    offset,
                    ..
                } if bits != 0 && u64::from(bits) < u64::from(bytes) * 8 => {
                    return (Some(bits), offset);
                }
                _ => break,
            }
        }
        (None, 0)
    }

    fn prototype(&self, ty: TypeId) -> Option<Prototype> {
        let (
            section,
            Type::Prototype {
                result,
                parameters,
                variadic,
            },
        ) = self.raw(ty)?
        else {
            return None;
        };
        let id = |number| self.id(source(ty), number);
        Some(Prototype {
            result: id(result),
            parameters: parameters
                .into_iter()
                .map(|(name, number)| (self.text(section, name), id(number)))
                .collect(),
            variadic,
        })
    }

    /// As the compiler of the kernel called a basic type: `long unsigned int`.
    pub(super) fn basic_name(&self, ty: TypeId) -> Option<String> {
        let (section, raw) = self.raw(ty)?;
        match raw {
            Type::Int { name, .. } => self.tag(section, name),
            _ => None,
        }
    }

    fn find(&self, source: u32, class: Class, name: &str) -> Option<TypeId> {
        let number = self.section(source)?.find(&self.btf, class, name)?;
        Some(type_id(source, number))
    }

    pub(super) fn lookup(&self, source: u32, named: Named) -> Option<TypeId> {
        match named {
            Named::Struct(tag) => self.find(source, Class::Struct, tag),
            Named::Union(tag) => self.find(source, Class::Union, tag),
            Named::Enum(tag) => self.find(source, Class::Enum, tag),
            Named::Typedef(name) => self
                .find(source, Class::Typedef, name)
                .or_else(|| self.find(source, Class::Integer, name))
                .or_else(|| self.find(source, Class::Struct, tag_of(name)?)),
        }
    }

    pub(super) fn enumerator(&self, source: u32, name: &str) -> Option<(i64, TypeId)> {
        let section = self.section(source)?;
        let part = self.parts.get((source - VMLINUX) as usize)?;
        let enumerators = part.enumerators.get_or_init(|| {
            let mut enumerators = HashMap::new();
            for number in section.enumerations() {
                if let Type::Enum { values, .. } = section.ty(number) {
                    let ty = type_id(source, number);
                    for (name, value) in values {
                        enumerators
                            .entry(self.text(section, name))
                            .or_insert((value, ty));
                    }
                }
            }
            enumerators
        });
        enumerators.get(name).copied()
    }

    pub(super) fn function(&self, source: u32, name: &str) -> Option<Prototype> {
        let function = self.find(source, Class::Function, name)?;
        match self.raw(function)?.1 {
            Type::Function { prototype } => self.prototype(self.id(source, prototype)),
            _ => None,
        }
    }

    pub(super) fn variable(&self, source: u32, name: &str) -> Option<TypeId> {
        let variable = self.find(source, Class::Variable, name)?;
        match self.raw(variable)?.1 {
            Type::Variable(ty) => Some(self.id(source, ty)),
            _ => None,
        }
    }
}

/// The struct that dtrace's libraries, not the kernel, give this name of a type.
fn tag_of(name: &str) -> Option<&'static str> {
    (name == "in6_addr_t").then_some("in6_addr")
}

fn function(prototype: Prototype) -> Kind {
    Kind::Function {
        result: prototype.result,
        parameters: prototype.parameters.into_iter().map(|(_, ty)| ty).collect(),
        variadic: prototype.variadic,
    }
}
