// SPDX-License-Identifier: GPL-2.0-only
//! One open file of the module, as a trait: the kernel's behind `sys.rs`,
//! or one in memory for tests.
//!
//! [`Command`] is the header's list of commands with their pointers turned into
//! slices, so that only one place has to make pointers of them.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rustix::io::Errno;

use crate::abi;
use crate::sys::Mapping;

/// A command of the header. `size`, pointers and lengths are filled in by the
/// device; everything else is the caller's.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Command<'a> {
    Info(&'a mut abi::rtrace_info),
    Functions {
        arg: &'a mut abi::rtrace_functions,
        module: &'a [u8],
        function: &'a [u8],
        buf: &'a mut [u8],
    },
    Add {
        arg: &'a mut abi::rtrace_add,
        module: &'a [u8],
        function: &'a [u8],
        ids: &'a [u32],
    },
    Probes {
        arg: &'a mut abi::rtrace_probes,
        buf: &'a mut [u8],
    },
    Config(&'a mut abi::rtrace_config),
    Target(&'a mut abi::rtrace_target),
    Start(&'a mut abi::rtrace_start),
    Stop,
    Status(&'a mut abi::rtrace_status),
    Ledger {
        arg: &'a mut abi::rtrace_ledger,
        buf: &'a mut [u8],
    },
    LastError {
        arg: &'a mut abi::rtrace_error,
        buf: &'a mut [u8],
    },
    Sessions {
        arg: &'a mut abi::rtrace_sessions,
        buf: &'a mut [u8],
    },
    Revoke(&'a mut abi::rtrace_revoke),
    Publish {
        arg: &'a mut abi::rtrace_publish,
        name: &'a [u8],
    },
    Observe {
        arg: &'a mut abi::rtrace_observe,
        name: &'a [u8],
    },
    Read {
        arg: &'a mut abi::rtrace_read,
        buf: &'a mut [u8],
    },
    Symbol {
        arg: &'a mut abi::rtrace_symbol,
        buf: &'a mut [u8],
    },
    Quota(&'a mut abi::rtrace_quota),
    Program {
        arg: &'a mut abi::rtrace_program,
        program: &'a Program<'a>,
    },
    AddOwn {
        arg: &'a mut abi::rtrace_add_own,
        name: &'a [u8],
    },
    Aggregate {
        arg: &'a mut abi::rtrace_aggregate,
        buf: &'a mut [u8],
    },
    View {
        arg: &'a mut abi::rtrace_view,
        buf: &'a mut [u8],
    },
    Owners {
        arg: &'a mut abi::rtrace_owners,
        /// `struct rtrace_owner` after `struct rtrace_owner`.
        buf: &'a mut [u8],
    },
    Text {
        arg: &'a mut abi::rtrace_text,
        buf: &'a mut [u8],
    },
}

/// The parts of a program.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Program<'a> {
    pub code: &'a [u64],
    pub clauses: &'a [abi::rtrace_clause],
    pub constants: &'a [u64],
    pub strings: &'a [u8],
    pub variables: &'a [abi::rtrace_variable],
    pub aggregations: &'a [abi::rtrace_aggregation],
    /// By instruction; or empty.
    pub actions: &'a [u16],
}

/// One of the three mapped areas of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The module's word on the ring, read-only.
    Status,
    /// The reader's position, writable.
    Consumer,
    /// The records, read-only.
    Data,
}

impl Area {
    /// The area's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Consumer => "consumer",
            Self::Data => "data",
        }
    }

    /// Where in the file the area of this CPU begins.
    pub fn offset(self, cpu: u32) -> u64 {
        let area = match self {
            Self::Status => abi::AREA_STATUS,
            Self::Consumer => abi::AREA_CONSUMER,
            Self::Data => abi::AREA_DATA,
        };
        u64::from(cpu) * abi::AREA_CPU + area
    }
}

/// Memory that somebody else may write at any time, seen as atomic words.
#[derive(Debug)]
pub enum Memory {
    /// Mapped from the module.
    Mapped(Mapping),
    /// Shared with a writer in this process.
    Shared(Arc<[AtomicU64]>),
}

impl std::ops::Deref for Memory {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        match self {
            Self::Mapped(mapping) => mapping.words(),
            Self::Shared(words) => words,
        }
    }
}

/// One open file of the module.
pub trait Device: Send + Sync {
    /// Carries out a command.
    fn command(&self, command: Command<'_>) -> Result<(), Errno>;

    /// Maps an area of `bytes` bytes; `ENXIO` if this CPU has no ring (yet).
    fn map(&self, cpu: u32, area: Area, bytes: usize) -> Result<Memory, Errno>;

    /// What poll(2) can wait on, if anything.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}
