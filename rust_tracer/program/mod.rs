// SPDX-License-Identifier: GPL-2.0

//! Programs: D clauses, compiled to a bytecode by user space, verified when they are loaded and
//! run when probes fire. `include/uapi/rust_tracer_program.h` has the layouts, `docs/bytecode.md`
//! the story.
//!
//! ```text
//!   words, clauses, constants …                     a probe fires
//!        │                                                │
//!        ▼                                                ▼
//!   layout (variables' places) ──► Program ◄────────── Firing ──── Room: registers, own memory,
//!        │                            ▲                   │        tuple of keys, record
//!   verify, with the node's Rights ───┘                   ▼
//!        │                                           run a clause ◄──► World: built-in variables,
//!        ▼                                                │            memory, stacks, tables
//!     Refused                                          Outcome
//! ```
//!
//! | file | its idea |
//! |---|---|
//! | `insn` | what an instruction is: one table for verifier, interpreter, listings |
//! | `layout`, `verify` | which programs are taken, and where their variables are |
//! | `cost` | how long a clause may take |
//! | `rights` | what each node shows to them |
//! | `refused` | why they are not taken |
//! | `interpret` | a clause runs: the loop |
//! | `operations` | what is too large for the loop: variables, keys, items |
//! | `numbers` | what operations make of numbers |
//! | `quick` | clauses that need no memory, and predicates |
//! | `simple` | clauses that need not even be run |
//! | `memory` | what a firing may touch, and how pointers are told apart |
//! | `bytes` | how bytes are copied |
//! | `subroutines`, `strings`, `json`, `addresses` | D's subroutines |
//! | `buckets` | where a value falls in a distribution |
//! | `globals`, `aggregations`, `dynamic`, `speculations` | what programs keep: tables of fixed size |
//! | `words` | what those are made of |
//!
//! All of this is pure: `core` only, no `unsafe`, compiled for the host and tested there. What a
//! program may do is bounded twice: the verifier refuses it beforehand, and what depends on values
//! (addresses, lengths) is checked when it runs. Nothing here relies on the verifier for its
//! safety: an instruction that could not be there is a fault.
//!
//! Contexts: loading, task context; firing, any up to NMI, with preemption off.

#![forbid(unsafe_code)]

pub(crate) mod addresses;
pub(crate) mod aggregations;
pub(crate) mod buckets;
mod bytes;
pub(crate) mod cost;
pub(crate) mod dynamic;
pub(crate) mod globals;
pub(crate) mod insn;
pub(crate) mod interpret;
mod json;
pub(crate) mod layout;
pub(crate) mod memory;
mod numbers;
mod operations;
pub(crate) mod quick;
pub(crate) mod refused;
pub(crate) mod rights;
pub(crate) mod simple;
pub(crate) mod speculations;
pub(crate) mod strings;
pub(crate) mod subroutines;
pub(crate) mod verify;
pub(crate) mod words;

/// `RTRACE_KEYS_MAX`: bytes of a tuple of keys.
pub(crate) const KEYS_MAX: u32 = 4096;
/// `RTRACE_STRSIZE_MAX`.
pub(crate) const STRSIZE_MAX: u32 = 4096;
/// `RTRACE_VARIABLE_BYTES_MAX`.
pub(crate) const VARIABLE_BYTES_MAX: u32 = 16384;
/// `RTRACE_SCRATCH_BYTES`.
pub(crate) const SCRATCH_BYTES: u32 = 16384;
/// `RTRACE_LOCALS_MAX`.
pub(crate) const LOCALS_MAX: u32 = 8192;
/// `RTRACE_GLOBALS_MAX`.
pub(crate) const GLOBALS_MAX: u32 = 1048576;
/// `RTRACE_STACK_FRAMES_MAX`.
pub(crate) const STACK_FRAMES_MAX: u32 = 127;

/// Bytes of a stack in memory, `struct rtrace_stack`: two words before its frames.
pub(crate) const STACK_BYTES: u32 = 8 * (2 + STACK_FRAMES_MAX);
/// `RTRACE_RECORD_MAX`: bytes of a record.
pub(crate) const RECORD_MAX: u32 = 32768;
/// Bytes of `struct rtrace_record_clause`.
pub(crate) const RECORD_HEAD: u32 = 48;
/// Words of the items of a record, at most.
pub(crate) const ITEM_WORDS: usize = (RECORD_MAX - RECORD_HEAD) as usize / 8;
/// Words of a tuple of keys, at most.
pub(crate) const KEY_WORDS: usize = KEYS_MAX as usize / 8;

/// `RTRACE_CLAUSE_DEFAULT`.
pub(crate) const CLAUSE_DEFAULT: u32 = 1 << 0;
/// `RTRACE_CLAUSE_SYSCALL`.
pub(crate) const CLAUSE_SYSCALL: u32 = 1 << 1;

/// `RTRACE_SCOPE_*`.
#[allow(missing_docs, reason = "the header documents them")]
pub(crate) mod scope {
    pub(crate) const GLOBAL: u8 = 0;
    pub(crate) const LOCAL: u8 = 1;
    pub(crate) const ARRAY: u8 = 2;
    pub(crate) const THREAD: u8 = 3;
    pub(crate) const THREAD_ARRAY: u8 = 4;
}

/// `RTRACE_VALUE_*`.
#[allow(missing_docs, reason = "the header documents them")]
pub(crate) mod value {
    pub(crate) const SCALAR: u8 = 0;
    pub(crate) const STRING: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
}

/// `RTRACE_AGG_*`.
#[allow(missing_docs, reason = "the header documents them")]
pub(crate) mod agg {
    pub(crate) const COUNT: u32 = 0;
    pub(crate) const SUM: u32 = 1;
    pub(crate) const MIN: u32 = 2;
    pub(crate) const MAX: u32 = 3;
    pub(crate) const AVG: u32 = 4;
    pub(crate) const STDDEV: u32 = 5;
    pub(crate) const QUANTIZE: u32 = 6;
    pub(crate) const LQUANTIZE: u32 = 7;
    pub(crate) const LLQUANTIZE: u32 = 8;
}

/// `RTRACE_FAULT_*`.
#[allow(missing_docs, reason = "the header documents them")]
pub(crate) mod fault {
    pub(crate) const BADADDR: u32 = 1;
    pub(crate) const ILLOP: u32 = 3;
    pub(crate) const DIVZERO: u32 = 4;
    pub(crate) const NOSCRATCH: u32 = 5;
    pub(crate) const KPRIV: u32 = 6;
    pub(crate) const TUPOFLOW: u32 = 8;
    pub(crate) const BADSIZE: u32 = 10;
    pub(crate) const BADINDEX: u32 = 11;
    pub(crate) const TOOBIG: u32 = 32;
}

/// `struct rtrace_clause`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Clause {
    pub(crate) group: u32,
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) flags: u32,
}

/// `struct rtrace_variable`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Variable {
    pub(crate) scope: u8,
    pub(crate) value: u8,
    pub(crate) reserved: u16,
    pub(crate) bytes: u32,
    pub(crate) keys: u32,
    pub(crate) reserved2: u32,
}

/// `struct rtrace_aggregation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Aggregation {
    pub(crate) function: u32,
    pub(crate) keys: u32,
    pub(crate) parameters: [u64; 4],
}

/// A variable, as a firing finds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// `RTRACE_SCOPE_*`.
    pub(crate) scope: u8,
    /// `RTRACE_VALUE_*`.
    pub(crate) value: u8,
    /// Bytes of its value.
    pub(crate) bytes: u32,
    /// Without keys: where it begins, a multiple of 8 bytes, among the globals or the locals.
    pub(crate) offset: u32,
}

/// A program as it is loaded and run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    pub(crate) code: &'a [u64],
    pub(crate) clauses: &'a [Clause],
    pub(crate) constants: &'a [u64],
    pub(crate) strings: &'a [u8],
    pub(crate) variables: &'a [Variable],
    pub(crate) aggregations: &'a [Aggregation],
    /// Where the variables are, one for each: made by [`layout::layout`].
    pub(crate) slots: &'a [Slot],
    /// Bytes of all clause-local variables, as [`layout::layout`] says.
    pub(crate) locals: u32,
    /// Bytes of all global ones.
    pub(crate) globals: u32,
    /// Bytes of a string, its NUL included; not 0.
    pub(crate) strsize: u32,
    /// Speculations that there are at once.
    pub(crate) speculations: u32,
}

/// Why a clause cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `RTRACE_FAULT_*`.
    pub(crate) kind: u32,
    /// What was asked for, or 0.
    pub(crate) address: u64,
}

impl Fault {
    /// Nothing is at the address, or it cannot be read.
    #[inline]
    pub(crate) fn bad_address(address: u64) -> Fault {
        Fault {
            kind: fault::BADADDR,
            address,
        }
    }

    /// So many bytes are more than are there, or than may be asked for.
    #[inline]
    pub(crate) fn bad_size(bytes: u64) -> Fault {
        Fault {
            kind: fault::BADSIZE,
            address: bytes,
        }
    }

    /// The node does not show it.
    #[inline]
    pub(crate) fn private(address: u64) -> Fault {
        Fault {
            kind: fault::KPRIV,
            address,
        }
    }

    /// No room for temporary values.
    #[inline]
    pub(crate) fn no_scratch() -> Fault {
        Fault::of(fault::NOSCRATCH)
    }

    /// One that is about no address.
    #[inline]
    pub(crate) fn of(kind: u32) -> Fault {
        Fault { kind, address: 0 }
    }
}

/// An aggregation has no room for new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Why a clause's record cannot belong to a speculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSpeculated {
    /// It is not active: the clause ends.
    Inactive,
    /// It would have no room for the record if there were no other: the clause ends.
    NoRoom,
    /// Others have left too little room: the clause goes on, and its record is given up.
    Full,
}

/// All that a firing needs of its surroundings.
///
/// Every method may be called in any context, NMI included, and neither waits, allocates nor
/// panics. Reading memory that is not there, or that is no memory, is a fault
/// ([`Fault::bad_address`]), never anything else. `keys` is the tuple of keys, as the header lays
/// it out, and empty for what has no keys; a thread-local variable's keys are without the thread,
/// which the world adds.
pub(crate) trait World {
    /// A built-in number, `RTRACE_VAR_*`. What the node does not show in this very firing (a
    /// return value that is no errno) is [`Fault::private`].
    fn number(&mut self, which: u32) -> Result<u64, Fault>;

    /// A built-in string, `RTRACE_VAR_*`, into `into`, cut if need be. Gives its length; no NUL.
    fn text(&mut self, which: u32, into: &mut [u8]) -> Result<usize, Fault>;

    /// All of `into` from kernel memory.
    fn read_kernel(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault>;

    /// A string of kernel memory, up to its NUL or the end of `into`. Gives its length; no NUL.
    fn read_kernel_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault>;

    /// All of `into` from the memory of the current process.
    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault>;

    /// A string of the current process, up to its NUL or the end of `into`. Gives its length.
    fn read_user_text(&mut self, address: u64, into: &mut [u8]) -> Result<usize, Fault>;

    /// The path that a `struct path` of the kernel's names, cut if need be. Gives its length.
    fn path(&mut self, path: u64, into: &mut [u8]) -> Result<usize, Fault>;

    /// The kernel stack at the probe, innermost first. Gives how many there are.
    fn kernel_stack(&mut self, frames: &mut [u64]) -> usize;

    /// The process's id, and its stack, innermost first, with how many there are.
    fn user_stack(&mut self, frames: &mut [u64]) -> (u64, usize);

    /// One of these stacks, of at most so many frames, in words of the world's own; the id is 0 of the
    /// kernel's.
    fn stack_of(&mut self, user: bool, most: usize) -> (u64, &[u64]);

    /// Anything.
    fn random(&mut self) -> u64;

    /// Whether the current process is this one, or descends from it.
    fn progeny_of(&mut self, pid: u64) -> bool;

    /// A global variable that is a number. `at` is the index of a word among all globals.
    fn load_global(&mut self, at: usize) -> u64;

    /// Sets a global variable that is a number.
    fn store_global(&mut self, at: usize, value: u64);

    /// A global variable's bytes.
    fn load_global_bytes(&mut self, at: usize, into: &mut [u8]);

    /// Sets a global variable to bytes.
    fn store_global_bytes(&mut self, at: usize, bytes: &[u8]);

    /// A global variable's string, up to its NUL or the end of `into`. Gives its length; no NUL.
    fn load_global_text(&mut self, at: usize, into: &mut [u8]) -> usize;

    /// Sets a global variable of `room` bytes to a string, which is without a NUL, and is cut if
    /// it and a NUL do not fit.
    fn store_global_text(&mut self, at: usize, room: usize, text: &[u8]);

    /// The aggregation takes a value. `weight` counts for distributions alone.
    fn aggregate(
        &mut self,
        aggregation: u32,
        keys: &[u64],
        value: u64,
        weight: u64,
    ) -> Result<(), Full>;

    /// A dynamic variable that is a number; 0 if there is none.
    fn load_dynamic(&mut self, variable: u32, keys: &[u64]) -> u64;

    /// A dynamic variable that is a string or bytes, as many as `into` has; zeroes behind those
    /// that it was set to. False, with anything in `into`, if there is none.
    fn load_dynamic_bytes(&mut self, variable: u32, keys: &[u64], into: &mut [u8]) -> bool;

    /// Sets one that is a number. No room: the world counts it.
    fn store_dynamic(&mut self, variable: u32, keys: &[u64], value: u64);

    /// Sets one that is a string, without a NUL, or bytes.
    fn store_dynamic_bytes(&mut self, variable: u32, keys: &[u64], value: &[u8]);

    /// Takes one away.
    fn free_dynamic(&mut self, variable: u32, keys: &[u64]);

    /// A new speculation's number; 0: none is free.
    fn speculation(&mut self) -> u64;

    /// What marks records of this speculation, of which one of so many bytes of data is to be
    /// made.
    fn speculate(&mut self, number: u64, bytes: u32) -> Result<u64, NotSpeculated>;

    /// Ends a speculation, so that its records count (`commit`) or do not. What marked them;
    /// `None` if it was not active. One that is to count is not active, but has not ended before
    /// [`World::settle_speculation`].
    fn end_speculation(&mut self, number: u64, commit: bool) -> Option<u64>;

    /// Whether a speculation that was to count has ended, or is active again. Marks of others mean
    /// nothing.
    fn settle_speculation(&mut self, mark: u64, ended: bool);
}

/// Words that so many bytes take.
#[inline(always)]
fn words(bytes: u32) -> u32 {
    bytes.wrapping_add(7) / 8
}
