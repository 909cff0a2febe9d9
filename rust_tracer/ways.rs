// SPDX-License-Identifier: GPL-2.0

//! Which ways a session lets its probes be attached by: what RTRACE_IOC_CONFIG may ask for.

#![forbid(unsafe_code)]

use crate::abi;

/// The ways that may attach a session's probes, unless something else stands against one.
#[derive(Clone, Copy)]
pub(crate) struct Ways {
    /// A bit for each RTRACE_WAY_*.
    pub(crate) bits: u32,
    /// Whether slots are for whatever there is; else for returns alone, if they are those of few functions.
    slots_for_any: bool,
}

impl Ways {
    /// Those that attach any probe.
    pub(crate) const NEEDED: u32 = 1 << abi::RTRACE_WAY_OPS | 1 << abi::RTRACE_WAY_FPROBE;
    /// All there are.
    pub(crate) const ALL: u32 =
        Self::NEEDED | 1 << abi::RTRACE_WAY_STUB | 1 << abi::RTRACE_WAY_SLOT;

    /// Those of a session that does not ask for any.
    pub(crate) const fn usual() -> Self {
        Self {
            bits: Self::ALL,
            slots_for_any: false,
        }
    }

    /// Those that are asked for, if there are such, and they are enough: slots are few, and who gets none
    /// gets the stub.
    pub(crate) fn asked(bits: u32) -> Option<Self> {
        let ways = Self {
            bits,
            slots_for_any: true,
        };
        let needed = match ways.have(abi::RTRACE_WAY_SLOT) {
            true => Self::ALL,
            false => Self::NEEDED,
        };
        (bits & !Self::ALL == 0 && bits & needed == needed).then_some(ways)
    }

    /// Whether this one is among them, an RTRACE_WAY_*.
    pub(crate) const fn have(self, way: u32) -> bool {
        self.bits & 1 << way != 0
    }

    /// The same without slots, unless a function may have one whose calls are followed, or are not;
    /// `following` are all of the session whose calls are.
    pub(crate) fn for_one(self, follows: bool, following: usize) -> Self {
        /// Each slot costs a registration with ftrace and a static call, and there are few.
        const FEW: usize = 8;
        let is_slot = self.slots_for_any || follows && following <= FEW;
        let slot = if is_slot {
            0
        } else {
            1 << abi::RTRACE_WAY_SLOT
        };
        Self {
            bits: self.bits & !slot,
            ..self
        }
    }
}
