// SPDX-License-Identifier: GPL-2.0-only
//! A decoded record: one firing of a probe, or a word about lost ones.

use std::fmt;

use crate::abi;
use crate::function::Kind;

/// In which context a probe fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// A task's own.
    Task,
    /// A soft interrupt.
    Softirq,
    /// A hard interrupt.
    Irq,
    /// A non-maskable interrupt.
    Nmi,
    /// One that a newer module knows.
    Other(u8),
}

impl Context {
    pub(crate) fn from_info(info: u32) -> Self {
        let number = info >> 28;
        match number {
            abi::RTRACE_CONTEXT_TASK => Self::Task,
            abi::RTRACE_CONTEXT_SOFTIRQ => Self::Softirq,
            abi::RTRACE_CONTEXT_IRQ => Self::Irq,
            abi::RTRACE_CONTEXT_NMI => Self::Nmi,
            _ => Self::Other(number as u8),
        }
    }

    /// The context's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Softirq => "softirq",
            Self::Irq => "irq",
            Self::Nmi => "nmi",
            Self::Other(_) => "other",
        }
    }
}

/// A record of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in ns of CLOCK_MONOTONIC.
    pub time: u64,
    /// The CPU whose ring this was in.
    pub cpu: u32,
    /// In which context.
    pub context: Context,
    /// What happened.
    pub event: Event,
}

impl Record {
    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        let items = match &self.event {
            Event::Clause { items, .. } => items.len(),
            _ => 0,
        };
        size_of::<Self>() + items
    }
}

/// What a record tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A function was entered.
    Entry {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// The function's integer arguments.
        args: [u64; 6],
    },
    /// A function returned.
    Return {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// The return value; undefined for a void function.
        value: u64,
        /// How long the call took, in ns.
        elapsed: u64,
    },
    /// A function was entered: all that a node without data shows of it.
    Called {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// Whose thread.
        who: Who,
    },
    /// A function returned: all that a node without data shows of it.
    Returned {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// Whose thread.
        who: Who,
        /// 0 or a negative error number; `None`: something else, or not to be
        /// seen here. Undefined for a void function.
        result: Option<i32>,
        /// How long the call took, in ns.
        elapsed: u64,
    },
    /// A program's clause ran, and wrote this.
    Clause {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// The clause's index in the program that was loaded.
        clause: u32,
        /// The mark of the speculation that it belongs to; 0: of none.
        speculation: u64,
        /// `rtrace_item` after `rtrace_item`, each with its payload.
        items: Box<[u8]>,
    },
    /// A program's clause could not go on.
    Fault {
        /// Which probe, where, and in which thread.
        at: Firing,
        /// The clause's index in the program that was loaded.
        clause: u32,
        /// RTRACE_FAULT_*
        fault: u32,
        /// Which instruction of the clause, from 0.
        instruction: u32,
        /// Which enabling, as the program knows it.
        epid: u32,
        /// What could not be reached, if that was the matter.
        address: u64,
    },
    /// So many firings were lost on this CPU before the next record.
    Lost {
        /// How many, since the last such record of this ring.
        count: u64,
    },
    /// To an observer: records of this CPU were overwritten before they could be
    /// copied.
    Skipped {
        /// Bytes of them.
        bytes: u64,
    },
}

impl Event {
    /// The firing, unless this is about lost ones.
    pub fn firing(&self) -> Option<&Firing> {
        match self {
            Self::Entry { at, .. }
            | Self::Return { at, .. }
            | Self::Called { at, .. }
            | Self::Returned { at, .. }
            | Self::Clause { at, .. }
            | Self::Fault { at, .. } => Some(at),
            Self::Lost { .. } | Self::Skipped { .. } => None,
        }
    }

    /// Whether a function was entered or returned; `None` if this is about lost
    /// records, or what a program has made of it.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Entry { .. } | Self::Called { .. } => Some(Kind::Entry),
            Self::Return { .. } | Self::Returned { .. } => Some(Kind::Return),
            Self::Clause { .. } | Self::Fault { .. } | Self::Lost { .. } | Self::Skipped { .. } => {
                None
            }
        }
    }
}

/// Whose thread a probe fired in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its real user id, in the initial user namespace.
    pub uid: u32,
    /// Its name.
    pub execname: ExecName,
}

/// A thread's name, which anybody may choose for his own: any bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExecName([u8; abi::RTRACE_EXECNAME_LEN as usize]);

impl ExecName {
    /// The name in a field of fixed length; zeroes end it.
    pub fn new(field: [u8; abi::RTRACE_EXECNAME_LEN as usize]) -> Self {
        Self(field)
    }

    /// From the characters of a C structure.
    pub(crate) fn from_chars(field: [std::ffi::c_char; abi::RTRACE_EXECNAME_LEN as usize]) -> Self {
        Self(field.map(|char| char as u8))
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0);
        &self.0[..end.unwrap_or(self.0.len())]
    }
}

impl fmt::Display for ExecName {
    /// The name; what is no character becomes U+FFFD.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for ExecName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
    }
}

/// A probe's firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The index of the probe in its session.
    pub probe: u32,
    /// Process (thread group) id, in the initial pid namespace.
    pub pid: u32,
    /// Thread id, in the initial pid namespace.
    pub tid: u32,
}
