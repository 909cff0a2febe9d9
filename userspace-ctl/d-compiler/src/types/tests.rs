// SPDX-License-Identifier: GPL-2.0-only
//! Tests of types.
//!
//! | file | what it tests |
//! |---|---|
//! | `names` | what types are called |
//! | `layouts` | where members lie |
//! | `declared` | what a program may declare |
//! | `conversions` | which type an operation gives, and what fits what |
//! | `kernels` | what is known of a kernel |

mod conversions;
mod declared;
mod kernels;
mod layouts;
mod names;

use super::*;

fn field(name: &str, ty: TypeId) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        bits: None,
    }
}

fn bits(name: &str, ty: TypeId, bits: u64) -> Field {
    Field {
        name: name.to_owned(),
        ty,
        bits: Some(bits),
    }
}

fn try_record(
    types: &mut Types,
    union: bool,
    tag: &str,
    fields: &[Field],
) -> Result<TypeId, TypeError> {
    let ty = types.begin_record(union, (!tag.is_empty()).then_some(tag))?;
    types.complete_record(ty, fields)?;
    Ok(ty)
}

fn record(types: &mut Types, union: bool, tag: &str, fields: &[Field]) -> TypeId {
    try_record(types, union, tag, fields).unwrap()
}

fn layout(types: &Types, ty: TypeId) -> (u64, u64) {
    (types.size(ty).unwrap(), types.align(ty).unwrap())
}

fn at(types: &Types, ty: TypeId, name: &str) -> (u32, Option<u32>) {
    let member = types.member(ty, name).unwrap();
    (member.bit_offset, member.bits)
}

fn bytes_at(types: &Types, ty: TypeId, name: &str) -> u32 {
    let (offset, bits) = at(types, ty, name);
    assert_eq!((offset % 8, bits), (0, None));
    offset / 8
}

/// The basic types by short names.
struct Basic {
    char: TypeId,
    short: TypeId,
    int: TypeId,
    long: TypeId,
    unsigned: TypeId,
    long_double: TypeId,
}

fn basic(types: &Types) -> Basic {
    Basic {
        char: types.intrinsic(Intrinsic::Char),
        short: types.intrinsic(Intrinsic::Short),
        int: types.intrinsic(Intrinsic::Int),
        long: types.intrinsic(Intrinsic::Long),
        unsigned: types.intrinsic(Intrinsic::UnsignedInt),
        long_double: types.intrinsic(Intrinsic::LongDouble),
    }
}
