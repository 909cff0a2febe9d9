// SPDX-License-Identifier: GPL-2.0

//! By what the probes of a function fire, and which of it serves a function that has nobody yet.

#![forbid(unsafe_code)]

use crate::{
    abi,
    functions::Kind,
    ways::Ways, //
};

/// By what the probes of a function fire that a session wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// Entries by the module's ftrace_ops, returns by fprobe.
    Ops,
    /// Both by the stub that functions share.
    Stub,
    /// Both by a stub of the function's own.
    Slot,
}

impl By {
    pub(super) const ALL: [Self; 3] = [Self::Ops, Self::Stub, Self::Slot];
    /// Of each table one that has it.
    pub(super) const TABLES: [Self; 2] = [Self::Ops, Self::Stub];

    /// The one of [`TABLES`](Self::TABLES) that has the same table.
    pub(super) const fn table(self) -> Self {
        match self {
            Self::Ops => Self::Ops,
            Self::Stub | Self::Slot => Self::Stub,
        }
    }

    /// RTRACE_WAY_* of a probe.
    pub(crate) const fn way(self, kind: Kind) -> u32 {
        match (self, kind) {
            (Self::Stub, _) => abi::RTRACE_WAY_STUB,
            (Self::Slot, _) => abi::RTRACE_WAY_SLOT,
            (Self::Ops, Kind::Entry) => abi::RTRACE_WAY_OPS,
            (Self::Ops, Kind::Return) => abi::RTRACE_WAY_FPROBE,
        }
    }

    /// By what a function's probes fire if nobody else is there, slots apart, which are few;
    /// `in_registers` is what the table of functions says of it. A call that is not to be followed gets no
    /// frame, so an entry alone may be anywhere.
    pub(crate) const fn choose(returns: bool, in_registers: bool, ways: Ways) -> Self {
        if (in_registers || !returns) && ways.have(abi::RTRACE_WAY_STUB) {
            Self::Stub
        } else {
            Self::Ops
        }
    }
}
