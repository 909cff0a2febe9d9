// SPDX-License-Identifier: GPL-2.0-only
//! D's types: those of the language, those that a program declares, and the kernel's, which come
//! from BTF when something asks for them.
//!
//! A [`TypeId`] says where its type is described: in the arena of types that the language has and
//! the program made, or as a type of `vmlinux` or of a module. The latter are decoded at the first
//! look at them and then stay, so nothing of the kernel's graph of types is copied in advance.
#![forbid(unsafe_code)]

mod convert;
mod declare;
mod intrinsic;
mod kernel;
mod layout;
mod name;

use std::collections::HashMap;
use std::fmt;

pub use convert::Number;
pub use declare::Field;
pub use intrinsic::Intrinsic;

use crate::btf::Btf;
use crate::error::{Error, Span};

/// Chains of types (typedefs, arrays of arrays) are followed so far: BTF that goes in circles must
/// not keep us.
const CHAIN_MAX: usize = 64;

/// A type of a [`Types`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing.
    Void,
    /// A whole number, or several kinds of thing that are one in C.
    Integer {
        /// 1, 2, 4, 8 or, in the kernel only, 16.
        bytes: u8,
        /// Whether it has a sign.
        signed: bool,
        /// It is `_Bool`.
        boolean: bool,
        /// It is `char` or `signed char`: arrays of it and pointers to it can be strings.
        character: bool,
    },
    /// A floating-point number, which D can name and measure but not compute with.
    Float {
        /// 2 to 16.
        bytes: u8,
    },
    /// D's `string`.
    String,
    /// Pointer to it.
    Pointer(TypeId),
    /// So many of it.
    Array {
        /// Of what.
        of: TypeId,
        /// How many; 0: not said.
        count: u32,
    },
    /// A function.
    Function {
        /// What it returns.
        result: TypeId,
        /// What it takes.
        parameters: Vec<TypeId>,
        /// Whether it takes more.
        variadic: bool,
    },
    /// `struct`
    Struct(Record),
    /// `union`
    Union(Record),
    /// `enum`
    Enum(Enumeration),
    /// A struct or union that is only named.
    Forward {
        /// It is a union.
        union: bool,
        /// Its tag.
        tag: String,
    },
    /// Another name for a type.
    Typedef {
        /// The name.
        name: String,
        /// Of what.
        to: TypeId,
    },
    /// `const`
    Const(TypeId),
    /// `volatile`
    Volatile(TypeId),
    /// `restrict`
    Restrict(TypeId),
}

/// A struct or union.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// `None`: it has no name.
    pub tag: Option<String>,
    /// Bytes, with what fills it up at its end.
    pub bytes: u32,
    /// In the order of their declaration.
    pub members: Vec<Member>,
}

/// A member of a struct or union.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Empty: an anonymous struct or union, or bits that only fill.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Where it begins, in bits from the beginning of the record.
    pub bit_offset: u32,
    /// Of a bit-field: how many bits. On this little-endian machine they are those from
    /// `bit_offset` on.
    pub bits: Option<u32>,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Enumeration {
    /// `None`: it has no name.
    pub tag: Option<String>,
    /// 1, 2, 4 or 8.
    pub bytes: u8,
    /// Whether it has a sign.
    pub signed: bool,
    /// In the order of their declaration. A value that does not fit (an unsigned one with its
    /// highest bit set) is kept with its bits.
    pub enumerators: Vec<(String, i64)>,
}

/// What a type is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Named<'a> {
    Typedef(&'a str),
    Struct(&'a str),
    Union(&'a str),
    Enum(&'a str),
}

/// A function of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prototype {
    /// What it returns.
    pub result: TypeId,
    /// Names (empty: not said) and types of what it takes.
    pub parameters: Vec<(String, TypeId)>,
    /// Whether it takes more.
    pub variadic: bool,
}

/// Why a type cannot be: without a place, which the caller knows ([`TypeError::at`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// DTrace's tag.
    pub tag: &'static str,
    /// What is wrong.
    pub message: String,
}

impl TypeError {
    fn new(tag: &'static str, message: impl Into<String>) -> Self {
        Self {
            tag,
            message: message.into(),
        }
    }

    /// The refusal, with its place.
    pub fn at(self, span: Span) -> Error {
        Error::new(self.tag, span, self.message)
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.tag, self.message)
    }
}

impl std::error::Error for TypeError {}

/// All types that a program can speak of.
pub struct Types {
    /// The language's, then what was derived and declared.
    arena: Vec<Kind>,
    /// Whence a derived type is known already.
    derived: HashMap<Kind, TypeId>,
    /// What the program, or the language, gave names to.
    typedefs: HashMap<String, TypeId>,
    structs: HashMap<String, TypeId>,
    unions: HashMap<String, TypeId>,
    enums: HashMap<String, TypeId>,
    enumerators: HashMap<String, (i64, TypeId)>,
    /// Bytes of a string that is a member.
    string_bytes: u32,
    kernel: Option<kernel::Kernel>,
}

impl Types {
    /// The language's own types and, if it is given, those of the kernel.
    pub fn new(kernel: Option<Btf>) -> Self {
        Self {
            kernel: kernel.map(kernel::Kernel::new),
            ..Self::intrinsics()
        }
    }

    /// Says how many bytes a string has, its NUL included, in what is declared from now on.
    pub fn set_string_bytes(&mut self, bytes: u32) {
        self.string_bytes = bytes;
    }

    /// A type that is there always.
    pub fn intrinsic(&self, which: Intrinsic) -> TypeId {
        TypeId(which as u32)
    }

    /// What it is, as it is written: typedefs and qualifiers are not looked through.
    pub fn kind(&self, ty: TypeId) -> &Kind {
        let kind = match kernel::source(ty) {
            0 => self.arena.get(ty.0 as usize),
            _ => self.kernel.as_ref().and_then(|kernel| kernel.kind(ty)),
        };
        kind.unwrap_or(&Kind::Void)
    }

    /// What is behind typedefs and qualifiers; of a struct that is only named there: the struct,
    /// if it is described elsewhere.
    pub fn resolve(&self, ty: TypeId) -> TypeId {
        let mut at = ty;
        for _ in 0..CHAIN_MAX {
            at = match self.kind(at) {
                &Kind::Typedef { to, .. }
                | &Kind::Const(to)
                | &Kind::Volatile(to)
                | &Kind::Restrict(to) => to,
                Kind::Forward { union, tag } => {
                    let named = if *union {
                        Named::Union(tag)
                    } else {
                        Named::Struct(tag)
                    };
                    return self.described(at, named).unwrap_or(at);
                }
                _ => return at,
            };
        }
        // It goes in circles, as only broken BTF does.
        self.intrinsic(Intrinsic::Void)
    }

    /// The struct or union that a name alone stands for.
    fn described(&self, forward: TypeId, named: Named) -> Option<TypeId> {
        let complete = |&ty: &TypeId| !matches!(self.kind(ty), Kind::Forward { .. });
        let of_source = |source| self.kernel.as_ref()?.lookup(source, named);
        match kernel::source(forward) {
            0 => None,
            source => of_source(source),
        }
        .filter(complete)
        .or_else(|| self.lookup(None, named).filter(complete))
    }

    /// Whether a word, ``module`name`` perhaps, names a type on its own.
    pub fn is_typedef(&self, word: &str) -> bool {
        let (module, name) = match word.split_once('`') {
            Some((module, name)) => (Some(module), name),
            None => (None, word),
        };
        self.lookup(module, Named::Typedef(name)).is_some()
    }

    /// A type by its name: of the module (then of vmlinux); without one: of the program and the
    /// language, of vmlinux, of the other modules. `C` and `D` are the program's and the
    /// language's. Basic types that have a name of one word (`_Bool`) are found as typedefs.
    pub fn lookup(&self, module: Option<&str>, named: Named) -> Option<TypeId> {
        let own = match named {
            Named::Typedef(name) => self.typedefs.get(name),
            Named::Struct(tag) => self.structs.get(tag),
            Named::Union(tag) => self.unions.get(tag),
            Named::Enum(tag) => self.enums.get(tag),
        };
        self.search(module, own.copied(), |kernel, source| {
            kernel.lookup(source, named)
        })
    }

    /// Whether there is BTF of such a module (or it is `C`, `D`, `vmlinux`).
    pub fn has_module(&self, module: &str) -> bool {
        is_own_module(module)
            || self
                .kernel
                .as_ref()
                .is_some_and(|kernel| kernel.source_named(module).is_some())
    }

    /// The value of an enumerator, and its enumeration.
    pub fn enumerator(&self, module: Option<&str>, name: &str) -> Option<(i64, TypeId)> {
        let own = self.enumerators.get(name).copied();
        self.search(module, own, |kernel, source| {
            kernel.enumerator(source, name)
        })
    }

    /// A function of the kernel.
    pub fn function(&self, module: Option<&str>, name: &str) -> Option<Prototype> {
        self.search(module, None, |kernel, source| kernel.function(source, name))
    }

    /// The type of a variable of the kernel, as far as BTF knows variables: those of a CPU each.
    pub fn variable(&self, module: Option<&str>, name: &str) -> Option<TypeId> {
        self.search(module, None, |kernel, source| kernel.variable(source, name))
    }

    /// Asks where a name is looked for, in order; `own` is what the program and language answer.
    fn search<T>(
        &self,
        module: Option<&str>,
        own: Option<T>,
        ask: impl Fn(&kernel::Kernel, u32) -> Option<T>,
    ) -> Option<T> {
        let Some(module) = module else {
            return own.or_else(|| {
                let kernel = self.kernel.as_ref()?;
                kernel.sources().find_map(|source| ask(kernel, source))
            });
        };
        if is_own_module(module) {
            return own;
        }
        let kernel = self.kernel.as_ref()?;
        let source = kernel.source_named(module)?;
        ask(kernel, source).or_else(|| ask(kernel, kernel::VMLINUX))
    }
}

fn is_own_module(module: &str) -> bool {
    matches!(module, "C" | "D")
}

#[cfg(test)]
mod tests;
