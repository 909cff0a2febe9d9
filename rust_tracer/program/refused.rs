// SPDX-License-Identifier: GPL-2.0

//! Why a program is not taken, and how that is said.

#![forbid(unsafe_code)]

use core::fmt;

use super::rights::{
    Rights,
    Shown, //
};

/// What a program was refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// More of something than there may be.
    TooMany(&'static str, usize),
    /// A string constant that does not end, or strsize of 0 or too large.
    Strings,
    /// Not enough [`Mark`]s; not the program's fault.
    Marks,
    /// A clause's group is 0, its flags unknown, or its instructions are not in the code.
    Clause,
    /// There is no such operation.
    Operation(u8),
    /// A field that the operation does not use is not 0.
    Unused(&'static str),
    /// There is no such register.
    Register(u8),
    /// A register that some way leaves unwritten is read.
    Unwritten(u8),
    /// A jump goes backwards or out of the clause.
    Jump,
    /// The clause does not end in RET.
    End,
    /// `i` is not what the operation takes: the number of something that there is, or in range.
    Immediate(&'static str),
    /// The variable is of another scope than the operation is for.
    Scope,
    /// A scope, kind or size that there is not, or reserved fields that are not 0.
    Variable,
    /// A function that there is not, or parameters or keys that make no sense.
    Aggregation,
    /// Keys are appended or used before some way began a tuple.
    NoTuple,
    /// The tuple may be longer than what it is for takes.
    Tuple(u32, u32),
    /// The record is too long however short its strings are.
    Record,
    /// A subroutine is called with fewer or more arguments than it takes.
    Arguments(&'static str),
    /// SPECULATE behind an item, or again.
    Speculate,
    /// COMMIT together with other items, or in a speculation.
    Commit,
    /// A clause may cost more than [`super::cost::COST_MAX`].
    Cost,
    /// The node does not show this.
    Right(Rights, &'static str, Shown),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Why::TooMany(what, most) => {
                write!(f, "the program has too many {what}: there may be {most}")
            }
            Why::Strings => f.write_str(
                "the string constants do not end in a NUL, or strsize is more than \
                 RTRACE_STRSIZE_MAX",
            ),
            Why::Marks => f.write_str("the verifier has too little memory for a clause"),
            Why::Clause => f.write_str(
                "a clause has group 0, unknown flags, no instructions, or instructions that are \
                 not in the code",
            ),
            Why::Operation(number) => write!(f, "there is no operation {number}"),
            Why::Unused(field) => {
                write!(
                    f,
                    "the field {field}, which the operation does not use, is not 0"
                )
            }
            Why::Register(number) => write!(f, "there is no register r{number}"),
            Why::Unwritten(number) => write!(f, "register r{number} may be read before it is set"),
            Why::Jump => f.write_str("the jump goes backwards or out of the clause"),
            Why::End => f.write_str("the clause does not end in RET"),
            Why::Immediate(what) => write!(f, "there is no such {what}"),
            Why::Scope => f.write_str(
                "the operation is for variables of another scope: LDV and STV for global and \
                 clause-local ones, LDD and STD for arrays and thread-local ones",
            ),
            Why::Variable => {
                f.write_str("a variable has a scope, kind, size or size of keys that there is not")
            }
            Why::Aggregation => f.write_str(
                "an aggregation has a function, parameters or a size of keys that there is not",
            ),
            Why::NoTuple => f.write_str("keys are used before KEY0 began a tuple of them"),
            Why::Tuple(most, limit) => {
                write!(
                    f,
                    "the keys may take {most} bytes, and there is room for {limit}"
                )
            }
            Why::Record => f.write_str("the clause's record is longer than RTRACE_RECORD_MAX"),
            Why::Arguments(name) => write!(f, "{name}() takes other arguments"),
            Why::Speculate => {
                f.write_str("SPECULATE comes behind something that is recorded, or again")
            }
            Why::Commit => f.write_str(
                "COMMIT is in a record with other items, or in one that belongs to a speculation",
            ),
            Why::Cost => f.write_str("the clause would take too long: make it shorter"),
            Why::Right(rights, what, shown) => write!(
                f,
                "{what} cannot be had on /dev/rust_tracer/{}; {}",
                rights.node(),
                shown.nodes()
            ),
        }
    }
}

/// Why a program is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The index, among all of the program's, of what was refused: an instruction; or the clause,
    /// variable or aggregation if it is about one.
    pub(crate) at: u32,
    pub(crate) why: Why,
}

pub(super) fn refuse<T>(at: usize, why: Why) -> Result<T, Refused> {
    Err(Refused { at: at as u32, why })
}
