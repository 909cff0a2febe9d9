// SPDX-License-Identifier: GPL-2.0-only
//! What a program is compiled to: bytecode for the module, and what its records and
//! aggregations mean, for who prints them.

use rust_tracer::abi;

use crate::ast::{Description, Pragma};

/// A compiled program.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// Instructions (RTRACE_OP_*).
    pub code: Vec<u64>,
    /// Numbers that do not fit an instruction.
    pub constants: Vec<u64>,
    /// String constants, each ends in a NUL.
    pub strings: Vec<u8>,
    /// Variables, by their index in the code.
    pub variables: Vec<Variable>,
    /// Aggregations, by their index in the code.
    pub aggregations: Vec<Aggregation>,
    /// In the order in which they run.
    pub clauses: Vec<Clause>,
    /// What the program sets.
    pub options: Vec<Pragma>,
}

impl Compiled {
    /// How many dynamic variables dtrace has room for in `dynvarsize` bytes: as many as the largest
    /// one goes into them. `strsize`: bytes of a string with its NUL. `None`: there are none.
    pub fn dynamic_variables(&self, dynvarsize: u64, strsize: u32) -> Option<u64> {
        let bytes = |variable: &Variable| variable.dynamic_bytes(strsize);
        let largest = self.variables.iter().filter_map(bytes).max()?;
        Some(dynvarsize / largest.max(1))
    }
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// As it is written: `x`, `self->x`, `this->x`.
    pub name: String,
    /// RTRACE_SCOPE_*
    pub scope: u8,
    /// RTRACE_VALUE_*
    pub value: u8,
    /// As rtrace_variable.bytes; a string's is 0 here: strsize at run time.
    pub bytes: u32,
    /// As rtrace_variable.keys, strings counted with 0 bytes.
    pub keys: u32,
    /// How many of its keys are strings: each takes strsize more.
    pub string_keys: u32,
    /// Bytes of its type; a string's is 0 here.
    pub size: u32,
    /// Bytes and alignment of each key's type; a string's bytes are 0 here.
    pub key_sizes: Vec<(u32, u32)>,
    /// Its type, for who shows the program.
    pub type_name: String,
}

impl Variable {
    /// As the module takes it. `strsize`: bytes of a string with its NUL.
    pub fn loaded(&self, strsize: u32) -> abi::rtrace_variable {
        abi::rtrace_variable {
            scope: self.scope,
            value: self.value,
            bytes: match u32::from(self.value) {
                abi::RTRACE_VALUE_STRING => strsize,
                _ => self.bytes,
            },
            keys: tuple(self.keys, self.string_keys, strsize),
            ..Default::default()
        }
    }

    /// Bytes that it counts for in `dynvarsize`: its value, and of an array also the tuple (the
    /// variable's number, each key at its alignment, and 8 more). `None`: it is not dynamic.
    fn dynamic_bytes(&self, strsize: u32) -> Option<u64> {
        let text = |bytes: u32| u64::from(if bytes == 0 { strsize } else { bytes });
        let tuple = match u32::from(self.scope) {
            abi::RTRACE_SCOPE_THREAD => 0,
            abi::RTRACE_SCOPE_ARRAY | abi::RTRACE_SCOPE_THREAD_ARRAY => {
                let keys = self.key_sizes.iter();
                8 + keys.fold(4, |at: u64, (bytes, align)| {
                    at.next_multiple_of(u64::from(*align).max(1)) + text(*bytes)
                })
            }
            _ => return None,
        };
        Some(text(self.size) + tuple)
    }
}

/// An aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// Without the `@`.
    pub name: String,
    /// RTRACE_AGG_*
    pub function: u32,
    /// As rtrace_aggregation.parameters.
    pub parameters: [u64; 4],
    /// What its keys are, in order.
    pub keys: Vec<Form>,
    /// The most bytes that they take, strings counted with 8.
    pub key_bytes: u32,
    /// How many of them are strings: each takes strsize more.
    pub string_keys: u32,
    /// Whether the aggregated value is signed.
    pub signed: bool,
}

impl Aggregation {
    /// As the module takes it. `strsize`: bytes of a string with its NUL.
    pub fn loaded(&self, strsize: u32) -> abi::rtrace_aggregation {
        abi::rtrace_aggregation {
            function: self.function,
            keys: tuple(self.key_bytes, self.string_keys, strsize),
            parameters: self.parameters,
        }
    }
}

/// The most bytes that a tuple takes: its strings as long as they may be, rounded up; their lengths
/// are counted already.
fn tuple(fixed: u32, strings: u32, strsize: u32) -> u32 {
    fixed.saturating_add(strings.saturating_mul(strsize.next_multiple_of(8)))
}

/// A clause.
#[derive(Clone, Debug, Default)]
pub struct Clause {
    /// The probes for which it runs.
    pub descriptions: Vec<Description>,
    /// Index of its first instruction.
    pub first: u32,
    /// Instructions.
    pub count: u32,
    /// It has no statements: the default action.
    pub default: bool,
    /// By RTRACE_ITEM's action number.
    pub actions: Vec<Action>,
    /// For who shows faults: for each instruction of the clause, the action (from 1, as dtrace
    /// counts them) that it belongs to; 0: the predicate.
    pub action_of: Vec<u16>,
    /// Which of the program's clauses it is, as they are written.
    pub number: usize,
    /// It is a part of that one, and not the first: it runs for the same probes as the part before.
    pub goes_on: bool,
}

/// What an item of a record, or a key, holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number of so many bytes (1, 2, 4, 8), extended to 8.
    Integer {
        /// Of its type.
        bytes: u8,
        /// Of its type.
        signed: bool,
    },
    /// An address or other pointer: a number of 8 bytes, printed in hexadecimal.
    Pointer,
    /// Text.
    String,
    /// So many bytes.
    Bytes(u32),
    /// An array of characters: so many bytes, shown as text if they read as text.
    Characters(u32),
    /// The probe's provider, module, function, name.
    Probe(Part),
    /// A kernel stack of so many frames at most.
    Stack(u32),
    /// A user stack of so many frames at most; the process's id first.
    Ustack(u32),
    /// Either, as a value: a `struct rtrace_stack`, of so many bytes.
    StackValue(u32),
    /// An address, to be shown by name.
    Address(AddressForm),
}

/// The fields of a probe's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Part {
    Provider,
    Module,
    Function,
    Name,
}

/// How an address is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressForm {
    /// `sym`, `func`: module`symbol
    Function,
    /// `sym`: module`symbol+offset
    Symbol,
    /// `mod`: the module
    Module,
    /// `usym`, `ufunc`: of the process; the item is the process's id and the address
    UserFunction,
    /// `uaddr`: with offset
    UserAddress,
    /// `umod`
    UserModule,
}

impl AddressForm {
    /// How such an address is called in a type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Function | Self::Symbol | Self::Module => "_symaddr",
            Self::UserFunction | Self::UserAddress | Self::UserModule => "_usymaddr",
        }
    }
}

/// What an action of a clause means.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `trace(expr)`: one item.
    Trace(Form),
    /// `tracemem(address, bytes)` or with a third argument, the item's argument 1.
    Tracemem {
        /// The most bytes.
        bytes: u32,
    },
    /// `print(expr)`: bytes of this type.
    Print {
        /// As dtrace names it.
        type_name: String,
        /// Tells the type from others of this name (an id of the compiler's types).
        type_id: u32,
    },
    /// `printf(format, arguments…)`: an item for each argument, by number.
    Printf {
        /// The format's text.
        format: String,
        /// What the arguments are.
        arguments: Vec<Form>,
    },
    /// `printa(@a)`, `printa(format, @a, @b…)`
    Printa {
        /// Without: as they are printed at the end.
        format: Option<String>,
        /// Indices of aggregations.
        aggregations: Vec<u32>,
    },
    /// `stack()`, `stack(frames)`
    Stack(u32),
    /// `ustack()`, `ustack(frames)`
    Ustack(u32),
    /// `sym`, `func`, `mod`, `usym`, `uaddr`, `umod`
    Address(AddressForm),
    /// `exit(status)`: one item, the status.
    Exit,
    /// `commit(id)`: one item, the number.
    Commit,
    /// `discard(id)`: one item, the number.
    Discard,
    /// `clear(@a)`
    Clear(u32),
    /// `trunc(@a)`, `trunc(@a, n)`: the count is an item.
    Trunc {
        /// The aggregation.
        aggregation: u32,
        /// Whether there is an item that says how many stay.
        counted: bool,
    },
    /// `normalize(@a, n)`: the factor is an item.
    Normalize(u32),
    /// `denormalize(@a)`
    Denormalize(u32),
    /// `setopt(name)`, `setopt(name, value)` of constants
    Setopt(String, Option<String>),
    /// The same of strings that the clause makes: an item for each, and what it is.
    SetoptOf(Vec<Form>),
    /// `ftruncate()`
    Ftruncate,
    /// `freopen(format, arguments…)`
    Freopen {
        /// The format's text.
        format: String,
        /// What the arguments are.
        arguments: Vec<Form>,
    },
}
