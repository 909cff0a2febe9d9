// SPDX-License-Identifier: GPL-2.0-only
//! A decoded record: one firing of a probe, or a word about lost ones.

use crate::abi;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// So many firings were lost on this CPU before the next record.
    Lost {
        /// How many, since the last such record of this ring.
        count: u64,
    },
}

impl Event {
    /// The firing, unless this is about lost ones.
    pub fn firing(&self) -> Option<&Firing> {
        match self {
            Self::Entry { at, .. } | Self::Return { at, .. } => Some(at),
            Self::Lost { .. } => None,
        }
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
