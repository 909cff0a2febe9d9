// SPDX-License-Identifier: GPL-2.0-only
//! Where a trace takes its records from: the rings of its own session, or copies
//! of those of one that it observes. Either way each CPU is a lane.

#![forbid(unsafe_code)]

use crate::abi;
use crate::error::Result;
use crate::observer::Copies;
use crate::record::Record;
use crate::ring::{Ring, Verdict};
use crate::rings::Rings;

/// Where records come from.
pub(crate) enum Source {
    /// Mapped.
    Rings(Rings),
    /// Copied.
    Copies(Copies),
}

impl From<Rings> for Source {
    fn from(rings: Rings) -> Self {
        Self::Rings(rings)
    }
}

impl From<Copies> for Source {
    fn from(copies: Copies) -> Self {
        Self::Copies(copies)
    }
}

impl Source {
    /// Looks for new lanes. Returns whether the session changed: then there may be
    /// new probes as well.
    pub(crate) fn refresh(&mut self) -> Result<bool> {
        match self {
            Self::Rings(rings) => rings.refresh(),
            Self::Copies(copies) => copies.refresh(),
        }
    }

    /// How many lanes there are.
    pub(crate) fn lanes(&self) -> usize {
        match self {
            Self::Rings(rings) => rings.iter().count(),
            Self::Copies(copies) => copies.len(),
        }
    }

    /// Takes at most `most` records out of a lane. Fewer: there are no more.
    pub(crate) fn take(
        &mut self,
        lane: usize,
        most: usize,
        each: impl FnMut(Record),
    ) -> Result<usize> {
        match self {
            Self::Rings(rings) => match rings.iter_mut().nth(lane) {
                Some(ring) => ring.take(most, each),
                None => Ok(0),
            },
            Self::Copies(copies) => copies.take(lane, most, each),
        }
    }

    /// Reads what a stopped flight recorder holds, lane by lane.
    pub(crate) fn replay(&self, mut each: impl FnMut(usize, Record)) -> Result<()> {
        if let Self::Rings(rings) = self {
            for (lane, ring) in rings.iter().enumerate() {
                ring.replay(|record| each(lane, record))?;
            }
        }
        Ok(())
    }

    /// Bytes that wait where they will not come out by themselves.
    pub(crate) fn unread(&self) -> u64 {
        match self {
            Self::Rings(rings) => rings.iter().map(Ring::unread).sum(),
            Self::Copies(_) => 0,
        }
    }

    /// The session's state and the reason for it, without a system call.
    pub(crate) fn verdict(&self) -> Verdict {
        let verdict = match self {
            Self::Rings(rings) => rings.verdict(),
            Self::Copies(copies) => Some(copies.verdict()),
        };
        verdict.unwrap_or(Verdict {
            state: abi::RTRACE_STATE_RUNNING,
            reason: abi::RTRACE_REASON_NONE,
        })
    }

    /// Each lane's CPU, the firings that its ring could not take if that is known,
    /// and the bytes that were not copied in time.
    pub(crate) fn losses(&self) -> Vec<(u32, Option<u64>, u64)> {
        match self {
            Self::Rings(rings) => rings
                .iter()
                .map(|ring| (ring.cpu(), Some(ring.lost()), 0))
                .collect(),
            Self::Copies(copies) => copies
                .skipped()
                .map(|(cpu, bytes)| (cpu, None, bytes))
                .collect(),
        }
    }
}
