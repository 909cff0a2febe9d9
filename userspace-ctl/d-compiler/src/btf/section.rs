// SPDX-License-Identifier: GPL-2.0-only
//! One file of BTF: where its types begin, what each is, and which have a name.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::ops::Range;

use super::{Btf, TYPES_MAX};

/// The kinds of BTF (BTF_KIND_*).
pub(super) mod kind {
    pub const INT: u8 = 1;
    pub const PTR: u8 = 2;
    pub const ARRAY: u8 = 3;
    pub const STRUCT: u8 = 4;
    pub const UNION: u8 = 5;
    pub const ENUM: u8 = 6;
    pub const FWD: u8 = 7;
    pub const TYPEDEF: u8 = 8;
    pub const VOLATILE: u8 = 9;
    pub const CONST: u8 = 10;
    pub const RESTRICT: u8 = 11;
    pub const FUNC: u8 = 12;
    pub const FUNC_PROTO: u8 = 13;
    pub const VAR: u8 = 14;
    pub const DATASEC: u8 = 15;
    pub const FLOAT: u8 = 16;
    pub const DECL_TAG: u8 = 17;
    pub const TYPE_TAG: u8 = 18;
    pub const ENUM64: u8 = 19;
}

/// A type of BTF. Types it refers to are by their number, names by their offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Void,
    Int {
        name: u32,
        bytes: u32,
        signed: bool,
        boolean: bool,
        /// Bits that count, and where they begin: what bit-fields were in old kernels.
        bits: u32,
        offset: u32,
    },
    Float {
        bytes: u32,
    },
    Pointer(u32),
    Array {
        of: u32,
        count: u32,
    },
    Record {
        name: u32,
        union: bool,
        bytes: u32,
        members: Vec<Member>,
    },
    Enum {
        name: u32,
        bytes: u32,
        signed: bool,
        values: Vec<(u32, i64)>,
    },
    Forward {
        name: u32,
        union: bool,
    },
    Typedef {
        name: u32,
        to: u32,
    },
    Const(u32),
    Volatile(u32),
    Restrict(u32),
    /// A type tag, which says nothing that we use.
    Tag(u32),
    Function {
        prototype: u32,
    },
    Prototype {
        result: u32,
        parameters: Vec<(u32, u32)>,
        variadic: bool,
    },
    Variable(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub name: u32,
    pub ty: u32,
    pub bit_offset: u32,
    /// 0: no bit-field, or one of an old kernel (see [`Type::Int`]).
    pub bits: u32,
}

/// What a name can be of: names are looked up among one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Typedef,
    Struct,
    Union,
    Enum,
    Function,
    Variable,
    Integer,
}

impl Class {
    /// Of the kernel's symbols, not of its types.
    fn is_symbol(self) -> bool {
        matches!(self, Self::Function | Self::Variable)
    }
}

/// One file of BTF.
pub(crate) struct Section {
    bytes: Vec<u8>,
    strings: Range<usize>,
    /// Where each type begins in `bytes`; the first is `first_id`.
    offsets: Vec<u32>,
    first_id: u32,
    pub(super) first_string: u32,
    /// Hash of class and name, and the type's number, sorted. Functions and variables, which are
    /// most of them, have a table of their own: the second.
    names: [OnceCell<Vec<(u64, u32)>>; 2],
}

impl Section {
    pub(super) fn parse(bytes: Vec<u8>, base: Option<&Section>) -> Result<Self, &'static str> {
        const SHORT: &str = "it ends too early";
        let word = |at: usize| word(&bytes, at).ok_or(SHORT);
        let start = word(0)?;
        if start & 0xffff != 0xeb9f {
            return Err("it does not begin with BTF's magic number");
        }
        if (start >> 16) & 0xff != 1 {
            return Err("its version is not 1");
        }
        let header = word(4)? as usize;
        let range = |offset: u32, length: u32| {
            let from = header.checked_add(offset as usize)?;
            let to = from.checked_add(length as usize)?;
            (to <= bytes.len()).then_some(from..to)
        };
        let types = range(word(8)?, word(12)?).ok_or(SHORT)?;
        let strings = range(word(16)?, word(20)?).ok_or(SHORT)?;
        if strings.is_empty() || bytes[strings.end - 1] != 0 {
            return Err("its strings do not end");
        }

        let mut offsets = Vec::new();
        let mut at = types.start;
        while at < types.end {
            let length = extent(&bytes, at).ok_or("it has a type of a kind that is not known")?;
            offsets.push(u32::try_from(at).map_err(|_| "it is too large")?);
            at = at.checked_add(length).ok_or(SHORT)?;
        }
        if at != types.end {
            return Err(SHORT);
        }
        let (first_id, first_string) = match base {
            None => (1, 0),
            Some(base) => (
                base.end(),
                u32::try_from(base.strings.len()).map_err(|_| "vmlinux is too large")?,
            ),
        };
        let end = offsets.len() as u64 + u64::from(first_id);
        if end > u64::from(TYPES_MAX) {
            return Err("it has more types than can be told apart");
        }
        Ok(Self {
            bytes,
            strings,
            offsets,
            first_id,
            first_string,
            names: Default::default(),
        })
    }

    /// The number of the first type.
    pub(crate) fn first(&self) -> u32 {
        self.first_id
    }

    /// The number behind that of the last type.
    pub(crate) fn end(&self) -> u32 {
        self.first_id + self.offsets.len() as u32
    }

    pub(super) fn own_string(&self, offset: u32) -> &[u8] {
        let strings = &self.bytes[self.strings.clone()];
        let Some(rest) = strings.get(offset as usize..) else {
            return &[];
        };
        let length = rest.iter().position(|&byte| byte == 0).unwrap_or(0);
        &rest[..length]
    }

    /// Where a type begins, its kind, the number of its parts, and its flag.
    fn head(&self, id: u32) -> Option<(usize, u8, usize, bool)> {
        let at = *self.offsets.get(id.checked_sub(self.first_id)? as usize)? as usize;
        let info = word(&self.bytes, at + 4)?;
        Some((
            at,
            ((info >> 24) & 0x1f) as u8,
            (info & 0xffff) as usize,
            info >> 31 != 0,
        ))
    }

    /// The type of this number; what is none, or says nothing of types, is void.
    pub(crate) fn ty(&self, id: u32) -> Type {
        self.decode(id).unwrap_or(Type::Void)
    }

    fn decode(&self, id: u32) -> Option<Type> {
        let (at, kind, count, flag) = self.head(id)?;
        let word = |index: usize| word(&self.bytes, at + 4 * index);
        let name = word(0)?;
        // A size or another type.
        let third = word(2)?;
        Some(match kind {
            kind::INT => {
                let encoding = word(3)?;
                Type::Int {
                    name,
                    bytes: third,
                    signed: encoding & 0x0100_0000 != 0,
                    boolean: encoding & 0x0400_0000 != 0,
                    bits: encoding & 0xff,
                    offset: (encoding >> 16) & 0xff,
                }
            }
            kind::FLOAT => Type::Float { bytes: third },
            kind::PTR => Type::Pointer(third),
            kind::ARRAY => Type::Array {
                of: word(3)?,
                count: word(5)?,
            },
            kind::STRUCT | kind::UNION => Type::Record {
                name,
                union: kind == kind::UNION,
                bytes: third,
                members: (0..count)
                    .map(|index| {
                        let offset = word(5 + 3 * index)?;
                        Some(Member {
                            name: word(3 + 3 * index)?,
                            ty: word(4 + 3 * index)?,
                            bit_offset: if flag { offset & 0xff_ffff } else { offset },
                            bits: if flag { offset >> 24 } else { 0 },
                        })
                    })
                    .collect::<Option<_>>()?,
            },
            kind::ENUM => Type::Enum {
                name,
                bytes: third,
                signed: flag,
                values: (0..count)
                    .map(|index| {
                        let value = word(4 + 2 * index)?;
                        let value = if flag {
                            i64::from(value as i32)
                        } else {
                            i64::from(value)
                        };
                        Some((word(3 + 2 * index)?, value))
                    })
                    .collect::<Option<_>>()?,
            },
            kind::ENUM64 => Type::Enum {
                name,
                bytes: third,
                signed: flag,
                values: (0..count)
                    .map(|index| {
                        let low = u64::from(word(4 + 3 * index)?);
                        let high = u64::from(word(5 + 3 * index)?);
                        Some((word(3 + 3 * index)?, ((high << 32) | low) as i64))
                    })
                    .collect::<Option<_>>()?,
            },
            kind::FWD => Type::Forward { name, union: flag },
            kind::TYPEDEF => Type::Typedef { name, to: third },
            kind::CONST => Type::Const(third),
            kind::VOLATILE => Type::Volatile(third),
            kind::RESTRICT => Type::Restrict(third),
            kind::TYPE_TAG => Type::Tag(third),
            kind::FUNC => Type::Function { prototype: third },
            kind::FUNC_PROTO => {
                let mut parameters = (0..count)
                    .map(|index| Some((word(3 + 2 * index)?, word(4 + 2 * index)?)))
                    .collect::<Option<Vec<_>>>()?;
                // A last parameter of no name and no type is an ellipsis.
                let variadic = parameters.last() == Some(&(0, 0));
                if variadic {
                    parameters.pop();
                }
                Type::Prototype {
                    result: third,
                    parameters,
                    variadic,
                }
            }
            kind::VAR => Type::Variable(third),
            _ => return None,
        })
    }

    /// What a type tag, or tags on tags, stand before.
    pub(crate) fn untagged(&self, id: u32) -> Option<u32> {
        let (at, kind, ..) = self.head(id)?;
        (kind == kind::TYPE_TAG).then(|| word(&self.bytes, at + 8))?
    }

    /// Numbers of all enumerations.
    pub(crate) fn enumerations(&self) -> impl Iterator<Item = u32> {
        (self.first_id..self.end())
            .filter(|&id| matches!(self.head(id), Some((_, kind::ENUM | kind::ENUM64, 1.., _))))
    }

    /// The first type of this class and name.
    pub(crate) fn find(&self, btf: &Btf, class: Class, name: &str) -> Option<u32> {
        if name.is_empty() {
            return None;
        }
        let symbols = class.is_symbol();
        let names = self.names[usize::from(symbols)].get_or_init(|| self.index(btf, symbols));
        let wanted = hash(class, name.as_bytes());
        let first = names.partition_point(|&(hash, _)| hash < wanted);
        names[first..]
            .iter()
            .take_while(|&&(hash, _)| hash == wanted)
            .map(|&(_, id)| id)
            .find(|&id| {
                self.named(id)
                    .is_some_and(|(of, offset)| of == class && btf.string(self, offset) == name)
            })
    }

    /// Class and name of a type that can be looked up.
    fn named(&self, id: u32) -> Option<(Class, u32)> {
        let (at, kind, ..) = self.head(id)?;
        let class = match kind {
            kind::TYPEDEF => Class::Typedef,
            kind::STRUCT => Class::Struct,
            kind::UNION => Class::Union,
            kind::ENUM | kind::ENUM64 => Class::Enum,
            kind::FUNC => Class::Function,
            kind::VAR => Class::Variable,
            kind::INT | kind::FLOAT => Class::Integer,
            _ => return None,
        };
        let name = word(&self.bytes, at)?;
        (name != 0).then_some((class, name))
    }

    fn index(&self, btf: &Btf, symbols: bool) -> Vec<(u64, u32)> {
        let mut names: Vec<_> = (self.first_id..self.end())
            .filter_map(|id| {
                let (class, name) = self.named(id)?;
                let wanted = class.is_symbol() == symbols;
                wanted.then(|| (hash(class, btf.raw_string(self, name)), id))
            })
            .collect();
        names.sort_unstable();
        names
    }
}

/// FNV-1a: the names are short and many.
fn hash(class: Class, name: &[u8]) -> u64 {
    std::iter::once(class as u8)
        .chain(name.iter().copied())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// How many bytes the type that begins there takes.
fn extent(bytes: &[u8], at: usize) -> Option<usize> {
    let info = word(bytes, at + 4)?;
    let count = (info & 0xffff) as usize;
    let parts = match ((info >> 24) & 0x1f) as u8 {
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
        kind::ENUM | kind::FUNC_PROTO => 8 * count,
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        _ => return None,
    };
    Some(12 + parts)
}
