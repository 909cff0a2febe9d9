// SPDX-License-Identifier: GPL-2.0

//! Probes of the module's own: BEGIN, END, ERROR, and those that fire by the clock.
//!
//! They have no function, and fire for a program's clauses alone. Their ids are those that the
//! functions leave free; clocks beyond these have ids above all functions'.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    functions,
    refusal::Refusal, //
};

/// Probes of a session that fire by the clock.
const CLOCKS_MAX: u32 = abi::RTRACE_CLOCKS_MAX;

/// Which of them it is. The values are RTRACE_KIND_*.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Begin = abi::RTRACE_KIND_BEGIN as u8,
    End = abi::RTRACE_KIND_END as u8,
    Error = abi::RTRACE_KIND_ERROR as u8,
    Tick = abi::RTRACE_KIND_TICK as u8,
    Profile = abi::RTRACE_KIND_PROFILE as u8,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            abi::RTRACE_KIND_BEGIN => Self::Begin,
            abi::RTRACE_KIND_END => Self::End,
            abi::RTRACE_KIND_ERROR => Self::Error,
            abi::RTRACE_KIND_TICK => Self::Tick,
            abi::RTRACE_KIND_PROFILE => Self::Profile,
            _ => return None,
        })
    }

    /// The provider in whose name it fires.
    pub(crate) fn provider(self) -> &'static [u8] {
        match self {
            Self::Begin | Self::End | Self::Error => b"dtrace",
            Self::Tick | Self::Profile => b"profile",
        }
    }

    /// Whether it fires by the clock.
    pub(crate) fn is_clock(self) -> bool {
        matches!(self, Self::Tick | Self::Profile)
    }
}

/// One of them.
pub(crate) struct Own {
    pub(crate) kind: Kind,
    /// ns, of those that fire by the clock; else 0.
    pub(crate) period: u64,
    pub(crate) name: KVec<u8>,
    pub(crate) id: u32,
}

impl Own {
    /// What was asked for, unless it cannot be. Its id is still to come.
    pub(crate) fn new(kind: u32, period: u64, name: KVec<u8>) -> Result<Self, Refusal> {
        let Some(kind) = Kind::from_number(kind) else {
            return Err(Refusal::with(
                EINVAL,
                fmt!("there is no probe of kind {kind} of the module's own: see RTRACE_KIND_*"),
            ));
        };
        if !kind.is_clock() && period != 0 {
            return Err(Refusal::new(
                EINVAL,
                "BEGIN, END and ERROR have no period: set it to 0",
            ));
        }
        let least = u64::from(abi::RTRACE_PERIOD_MIN);
        if kind.is_clock() && !(least..=i64::MAX as u64).contains(&period) {
            return Err(Refusal::with(
                EINVAL,
                fmt!("a period of {period} ns cannot be: it must be {least} ns (5000 hz) or more"),
            ));
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        if name.is_empty() || !name.iter().all(plain) {
            return Err(Refusal::with(
                EINVAL,
                fmt!(
                    "that is no name for a probe: 1 to {} letters, digits, '.', '_' and '-'",
                    abi::RTRACE_OWN_NAME_MAX
                ),
            ));
        }
        Ok(Self {
            kind,
            period,
            name,
            id: 0,
        })
    }

    /// Whether a session has one such probe for both.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && (!self.kind.is_clock()
                || (self.period == other.period && self.name[..] == other.name[..]))
    }
}

/// The id of a probe of this kind, of which, if it fires by the clock, so many are there before.
pub(crate) fn id(kind: Kind, clocks: u32) -> Result<u32, Refusal> {
    /// What lies between the three that every session has and the functions'.
    const FIRST_CLOCK: u32 = 4;
    const CLOCKS: u32 = functions::FIRST_ID - FIRST_CLOCK;
    /// Above all functions'.
    const MORE_CLOCKS: u32 = 1 << 30;
    if !kind.is_clock() {
        return Ok(kind as u32 - abi::RTRACE_KIND_BEGIN + 1);
    }
    if clocks >= CLOCKS_MAX {
        return Err(Refusal::with(
            ENOSPC,
            fmt!("a session may have {CLOCKS_MAX} probes that fire by the clock: ask for fewer"),
        ));
    }
    Ok(if clocks < CLOCKS {
        FIRST_CLOCK + clocks
    } else {
        MORE_CLOCKS + clocks
    })
}
