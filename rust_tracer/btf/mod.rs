// SPDX-License-Identifier: GPL-2.0

//! BTF, the kernel's description of its own types, as far as it tells how functions are called.
//!
//! ```text
//!   header | types, one behind the other, numbered from 1 | strings
//!
//!   a type:  name | info: kind, flag, how many parts | size, or the type it refers to | parts
//! ```
//!
//! Any bytes may be read: what one part of them refers to is looked for in the others, and is not
//! known if it is not there. Nothing is kept but where each type begins, in the caller's memory.
//! [`registers`] judges a function by its prototype; [`by_name`] brings BTF's functions together
//! with the kernel's symbols.
//!
//! Context: any.
//!
//! Format: `Documentation/bpf/btf.rst`, [`include/uapi/linux/btf.h`](srctree/include/uapi/linux/btf.h)

#![forbid(unsafe_code)]

pub(crate) mod by_name;
mod registers;

/// BTF_KIND_*.
mod kind {
    /// BTF_KIND_UNKN: no type in the file is of it.
    pub(super) const VOID: u32 = 0;
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const FWD: u32 = 7;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const FLOAT: u32 = 16;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// Bytes that every type begins with.
const HEAD: usize = 12;

/// The two parts of BTF.
#[derive(Clone, Copy)]
pub(crate) struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Btf<'a> {
    /// Finds the parts; none if the bytes are no BTF.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        /// BTF_MAGIC and BTF_VERSION.
        const BEGINNING: u32 = 0x01_eb9f;
        if word(bytes, 0)? & 0xff_ffff != BEGINNING {
            return None;
        }
        let parts = bytes.get(word(bytes, 1)? as usize..)?;
        let part = |at| {
            let (offset, length) = (word(bytes, at)?, word(bytes, at + 1)?);
            parts.get(offset as usize..)?.get(..length as usize)
        };
        Some(Self {
            types: part(2)?,
            strings: part(4)?,
        })
    }

    /// Where each type begins, the first one's place first. The last is `None` if there are types
    /// behind that cannot be told from each other: one is of a kind that nobody knows, or ends
    /// too late.
    pub(crate) fn places(&self) -> impl Iterator<Item = Option<u32>> + 'a {
        let types = self.types;
        let mut next = (!types.is_empty()).then_some(0);
        core::iter::from_fn(move || {
            let place = next?;
            let end = types
                .get(place..)
                .and_then(size)
                .and_then(|size| place.checked_add(size))
                .filter(|end| *end <= types.len());
            next = end.filter(|end| *end < types.len());
            Some(end.and(u32::try_from(place).ok()))
        })
    }
}

/// What is known of a type already.
#[derive(Clone, Copy)]
pub(crate) enum Known {
    Nothing,
    /// An argument of it takes so many registers.
    Registers(u8),
    /// It is a prototype whose arguments fit into the registers.
    Fits,
    /// Neither, or it is not understood.
    No,
}

/// BTF whose types can be found by their numbers.
pub(crate) struct Types<'a> {
    btf: Btf<'a>,
    places: &'a [u32],
}

impl<'a> Types<'a> {
    /// `places` are those that [`Btf::places`] gave.
    pub(crate) fn new(btf: Btf<'a>, places: &'a [u32]) -> Self {
        Self { btf, places }
    }

    /// All functions: the name, and whether it takes all its arguments in registers. `known` has
    /// room for each type, of which nothing is known yet.
    pub(crate) fn functions<'t>(
        &'t self,
        known: &'t mut [Known],
    ) -> impl Iterator<Item = (&'a [u8], bool)> + 't {
        self.places.iter().filter_map(move |place| {
            let function = self.at(*place)?;
            if function.kind() != kind::FUNC {
                return None;
            }
            let name = self.text(function.name)?;
            let suffice = registers::suffice(self, known, function.refers_to());
            Some((name, suffice))
        })
    }

    fn at(&self, place: u32) -> Option<Type<'a>> {
        let bytes = self.btf.types.get(place as usize..)?;
        let (head, behind) = bytes.split_first_chunk::<HEAD>()?;
        Some(Type {
            name: word(head, 0)?,
            info: word(head, 1)?,
            third: word(head, 2)?,
            behind,
        })
    }

    /// The type of that number.
    fn get(&self, number: u32) -> Option<Type<'a>> {
        match number.checked_sub(1) {
            None => Some(Type::VOID),
            Some(index) => self.at(*self.places.get(index as usize)?),
        }
    }

    /// The type that the one of that number is, by its other names and qualifiers.
    fn resolve(&self, number: u32) -> Option<Type<'a>> {
        /// More names and qualifiers than any type has.
        const DEPTH: usize = 32;
        let mut found = self.get(number)?;
        for _ in 0..DEPTH {
            found = match found.kind() {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    self.get(found.refers_to())?
                }
                _ => return Some(found),
            };
        }
        None
    }

    /// The string at an offset.
    fn text(&self, offset: u32) -> Option<&'a [u8]> {
        /// KSYM_NAME_LEN.
        const ROOM: usize = 512;
        let rest = self.btf.strings.get(offset as usize..)?;
        let length = rest.iter().take(ROOM).position(|byte| *byte == 0)?;
        rest.get(..length)
    }
}

/// One type.
#[derive(Clone, Copy)]
struct Type<'a> {
    name: u32,
    info: u32,
    /// A size, or the number of another type, by the kind.
    third: u32,
    /// Its parts, and the types behind it.
    behind: &'a [u8],
}

impl Type<'_> {
    const VOID: Self = Self {
        name: 0,
        info: kind::VOID,
        third: 0,
        behind: &[],
    };

    fn kind(&self) -> u32 {
        kind_of(self.info)
    }

    /// What it means depends on the kind.
    fn flag(&self) -> bool {
        self.info >> 31 != 0
    }

    /// In bytes, of what has a size.
    fn size(&self) -> u32 {
        self.third
    }

    fn refers_to(&self) -> u32 {
        self.third
    }

    /// How many members, parameters or the like it has.
    fn count(&self) -> usize {
        count_in(self.info)
    }

    /// These, of so many words each.
    fn parts<const WORDS: usize>(&self) -> impl Iterator<Item = [u32; WORDS]> + '_ {
        let parts = self.behind.chunks_exact(4 * WORDS).take(self.count());
        parts.map(|part| core::array::from_fn(|index| word(part, index).unwrap_or(0)))
    }

    /// The type of an array's elements, and how many there are.
    fn elements(&self) -> Option<(u32, u32)> {
        Some((word(self.behind, 0)?, word(self.behind, 2)?))
    }
}

fn kind_of(info: u32) -> u32 {
    (info >> 24) & 0x7f
}

fn count_in(info: u32) -> usize {
    (info & 0xff_ffff) as usize
}

/// How many bytes the type takes that begins here.
fn size(bytes: &[u8]) -> Option<usize> {
    let info = word(bytes, 1)?;
    let count = count_in(info);
    let parts = match kind_of(info) {
        kind::PTR
        | kind::FWD
        | kind::TYPEDEF
        | kind::VOLATILE
        | kind::CONST
        | kind::RESTRICT
        | kind::FUNC
        | kind::FLOAT
        | kind::TYPE_TAG => 0,
        kind::INT | kind::VAR | kind::DECL_TAG => 4,
        kind::ARRAY => 12,
        kind::ENUM | kind::FUNC_PROTO => 8 * count,
        kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
        _ => return None,
    };
    Some(HEAD + parts)
}

/// The word of that index.
fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let bytes = bytes.get(index.checked_mul(4)?..)?;
    bytes.first_chunk().copied().map(u32::from_le_bytes)
}
