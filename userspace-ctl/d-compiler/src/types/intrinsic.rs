// SPDX-License-Identifier: GPL-2.0-only
//! The types that D has without any kernel: C's on 64-bit Linux, `string`, and the names of
//! <sys/types.h> that dtrace's own `D` module gives to some of them (libdtrace's dt_open.c).
#![forbid(unsafe_code)]

use std::collections::HashMap;

use rust_tracer::abi;

use super::{Kind, TypeId, Types};

/// A type that is there always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
#[repr(u32)]
pub enum Intrinsic {
    Void,
    Char,
    Short,
    Int,
    Long,
    LongLong,
    SignedChar,
    UnsignedChar,
    UnsignedShort,
    UnsignedInt,
    UnsignedLong,
    UnsignedLongLong,
    Bool,
    Float,
    Double,
    LongDouble,
    String,
    VoidPointer,
    CharPointer,
    /// `const char *`, which strings can be given as and taken from.
    ConstCharPointer,
    /// `const char`
    ConstChar,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Intptr,
    Uintptr,
    Size,
    Ssize,
    Pid,
    Id,
    Uid,
    Gid,
}

/// Each with its name; a typedef also with what it names. The order is that of [`Intrinsic`].
const INTRINSICS: [(&str, Form); 37] = {
    use Form::{Alias, Const, Float, Integer, Pointer, String, Void};
    use Intrinsic as I;
    [
        ("void", Void),
        ("char", Integer(1, true)),
        ("short", Integer(2, true)),
        ("int", Integer(4, true)),
        ("long", Integer(8, true)),
        ("long long", Integer(8, true)),
        ("signed char", Integer(1, true)),
        ("unsigned char", Integer(1, false)),
        ("unsigned short", Integer(2, false)),
        ("unsigned int", Integer(4, false)),
        ("unsigned long", Integer(8, false)),
        ("unsigned long long", Integer(8, false)),
        ("_Bool", Integer(1, false)),
        ("float", Float(4)),
        ("double", Float(8)),
        ("long double", Float(16)),
        ("string", String),
        ("", Pointer(I::Void)),
        ("", Pointer(I::Char)),
        ("", Pointer(I::ConstChar)),
        ("", Const(I::Char)),
        ("int8_t", Alias(I::SignedChar)),
        ("int16_t", Alias(I::Short)),
        ("int32_t", Alias(I::Int)),
        ("int64_t", Alias(I::Long)),
        ("uint8_t", Alias(I::UnsignedChar)),
        ("uint16_t", Alias(I::UnsignedShort)),
        ("uint32_t", Alias(I::UnsignedInt)),
        ("uint64_t", Alias(I::UnsignedLong)),
        ("intptr_t", Alias(I::Long)),
        ("uintptr_t", Alias(I::UnsignedLong)),
        ("size_t", Alias(I::UnsignedLong)),
        ("ssize_t", Alias(I::Long)),
        ("pid_t", Alias(I::Int)),
        ("id_t", Alias(I::Int)),
        ("uid_t", Alias(I::UnsignedInt)),
        ("gid_t", Alias(I::UnsignedInt)),
    ]
};

/// Further names, which nothing in the compiler asks for: those of dtrace's `D` module.
const ALIASES: [(&str, Intrinsic); 8] = [
    ("bool", Intrinsic::Bool),
    ("uchar_t", Intrinsic::UnsignedChar),
    ("ushort_t", Intrinsic::UnsignedShort),
    ("uint_t", Intrinsic::UnsignedInt),
    ("ulong_t", Intrinsic::UnsignedLong),
    ("longlong_t", Intrinsic::LongLong),
    ("u_longlong_t", Intrinsic::UnsignedLongLong),
    ("ptrdiff_t", Intrinsic::Long),
];

/// Those of <sys/types.h> that its guide uses and kernels do not have, or have with the same
/// meaning. They are not D's, so a program may define them.
const OF_HEADERS: [(&str, Intrinsic); 11] = [
    ("caddr_t", Intrinsic::CharPointer),
    ("hrtime_t", Intrinsic::LongLong),
    ("time_t", Intrinsic::Long),
    ("dev_t", Intrinsic::UnsignedInt),
    ("mode_t", Intrinsic::UnsignedInt),
    ("off_t", Intrinsic::Long),
    ("processorid_t", Intrinsic::Int),
    ("projid_t", Intrinsic::Int),
    ("taskid_t", Intrinsic::Int),
    ("zoneid_t", Intrinsic::Int),
    ("ipaddr_t", Intrinsic::UnsignedInt),
];

enum Form {
    Void,
    Integer(u8, bool),
    Float(u8),
    String,
    Pointer(Intrinsic),
    Const(Intrinsic),
    Alias(Intrinsic),
}

impl Types {
    /// The types of the language, in an arena with no kernel.
    pub(super) fn intrinsics() -> Self {
        let mut types = Self {
            arena: Vec::new(),
            derived: HashMap::new(),
            typedefs: HashMap::new(),
            structs: HashMap::new(),
            unions: HashMap::new(),
            enums: HashMap::new(),
            enumerators: HashMap::new(),
            string_bytes: abi::RTRACE_STRSIZE_DEFAULT,
            kernel: None,
        };
        for (number, (name, form)) in INTRINSICS.iter().enumerate() {
            let this = TypeId(number as u32);
            let id = |which: &Intrinsic| TypeId(*which as u32);
            let kind = match form {
                Form::Void => Kind::Void,
                Form::Integer(bytes, signed) => Kind::Integer {
                    bytes: *bytes,
                    signed: *signed,
                    boolean: *name == "_Bool",
                    character: matches!(*name, "char" | "signed char"),
                },
                Form::Float(bytes) => Kind::Float { bytes: *bytes },
                Form::String => Kind::String,
                Form::Pointer(to) => Kind::Pointer(id(to)),
                Form::Const(of) => Kind::Const(id(of)),
                Form::Alias(of) => Kind::Typedef {
                    name: (*name).to_owned(),
                    to: id(of),
                },
            };
            if matches!(form, Form::Pointer(_) | Form::Const(_)) {
                types.derived.insert(kind.clone(), this);
            }
            if !name.is_empty() {
                types.typedefs.insert((*name).to_owned(), this);
            }
            types.arena.push(kind);
        }
        for (name, of) in ALIASES.into_iter().chain(OF_HEADERS) {
            let to = types.intrinsic(of);
            types.add_typedef(name, to);
        }
        types
    }
}

/// Whether it is a name of `OF_HEADERS`: these come last.
pub(super) fn is_of_headers(ty: TypeId) -> bool {
    let first = INTRINSICS.len() + ALIASES.len();
    (first..first + OF_HEADERS.len()).contains(&(ty.0 as usize))
}

/// The name of a basic type.
pub(super) fn name(ty: TypeId) -> Option<&'static str> {
    let (name, _) = INTRINSICS.get(ty.0 as usize)?;
    (!name.is_empty()).then_some(name)
}
