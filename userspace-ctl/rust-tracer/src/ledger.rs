// SPDX-License-Identifier: GPL-2.0-only
//! The ledger: what became of every firing and of every call.
//!
//! ```text
//! fired   = recorded + processed + filtered + sum(dropped)
//! entered = returned + in_flight + passed + sum(missed)     (return probes)
//! ```
//! Both hold exactly, for each probe on each CPU and for any sum of them, once the
//! session is stopped.

#![forbid(unsafe_code)]

use crate::abi;

/// How many reasons there are for a drop.
pub const DROPS: usize = abi::RTRACE_DROPS as usize;
/// How many reasons there are for a missed return.
pub const MISSES: usize = abi::RTRACE_MISSES as usize;

/// What each reason for a drop is called, by its index; the spare ones are empty.
pub const DROP_NAMES: [&str; DROPS] = {
    let mut names = [""; DROPS];
    names[abi::RTRACE_DROP_FULL as usize] = "full";
    names[abi::RTRACE_DROP_NESTED as usize] = "nested";
    names[abi::RTRACE_DROP_RECURSION as usize] = "recursion";
    names[abi::RTRACE_DROP_NO_RING as usize] = "no_ring";
    names[abi::RTRACE_DROP_FLOOD as usize] = "flood";
    names[abi::RTRACE_DROP_FAULT as usize] = "fault";
    names[abi::RTRACE_DROP_AGGREGATION as usize] = "aggregation";
    names[abi::RTRACE_DROP_SPECULATION as usize] = "speculation";
    names
};

/// What each reason for a missed return is called, by its index.
pub const MISS_NAMES: [&str; MISSES] = {
    let mut names = [""; MISSES];
    names[abi::RTRACE_MISSED_UNFRAMED as usize] = "unframed";
    names[abi::RTRACE_MISSED_FRAMES as usize] = "frames";
    names[abi::RTRACE_MISSED_DIED as usize] = "died";
    names[abi::RTRACE_MISSED_HIDDEN as usize] = "hidden";
    names
};

/// Which rows to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// One row for each probe.
    pub cpus: bool,
    /// One row for each CPU.
    pub probes: bool,
    /// No rows of zeroes.
    pub nonzero: bool,
}

/// A row of the ledger. The header says what each count is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Row {
    /// The probe's index; `None`: all.
    pub probe: Option<u32>,
    /// The CPU; `None`: all.
    pub cpu: Option<u32>,
    pub fired: u64,
    pub recorded: u64,
    pub processed: u64,
    pub filtered: u64,
    pub dropped: [u64; DROPS],
    pub entered: u64,
    pub returned: u64,
    pub in_flight: u64,
    pub passed: u64,
    pub missed: [u64; MISSES],
    pub dynamic: u64,
}

impl Row {
    /// Firings that were dropped, for any reason.
    pub fn dropped(&self) -> u64 {
        sum(&self.dropped)
    }

    /// Calls without a return, for any reason.
    pub fn missed(&self) -> u64 {
        sum(&self.missed)
    }

    /// Firings that the ledger does not account for; negative: that it invents.
    pub fn firings_unaccounted(&self) -> i128 {
        i128::from(self.fired)
            - i128::from(self.recorded)
            - i128::from(self.processed)
            - i128::from(self.filtered)
            - wide(&self.dropped)
    }

    /// Calls that the ledger does not account for; negative: that it invents.
    pub fn calls_unaccounted(&self) -> i128 {
        i128::from(self.entered)
            - i128::from(self.returned)
            - i128::from(self.in_flight)
            - i128::from(self.passed)
            - wide(&self.missed)
    }

    /// Whether both sums hold.
    pub fn holds(&self) -> bool {
        self.firings_unaccounted() == 0 && self.calls_unaccounted() == 0
    }

    /// Adds another row's counts to this one's.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.fired, other.fired),
            (&mut self.recorded, other.recorded),
            (&mut self.processed, other.processed),
            (&mut self.filtered, other.filtered),
            (&mut self.dynamic, other.dynamic),
            (&mut self.entered, other.entered),
            (&mut self.returned, other.returned),
            (&mut self.in_flight, other.in_flight),
            (&mut self.passed, other.passed),
        ];
        let reasons = (self.dropped.iter_mut().zip(other.dropped))
            .chain(self.missed.iter_mut().zip(other.missed));
        for (mine, theirs) in pairs.into_iter().chain(reasons) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

impl From<abi::rtrace_ledger_row> for Row {
    fn from(row: abi::rtrace_ledger_row) -> Self {
        Self {
            probe: (row.probe != abi::RTRACE_PROBE_ALL).then_some(row.probe),
            cpu: (row.cpu != abi::RTRACE_CPU_ALL).then_some(row.cpu),
            fired: row.fired,
            recorded: row.recorded,
            processed: row.processed,
            filtered: row.filtered,
            dynamic: row.dynamic,
            dropped: row.dropped,
            entered: row.entered,
            returned: row.returned,
            in_flight: row.in_flight,
            passed: row.passed,
            missed: row.missed,
        }
    }
}

fn sum(counts: &[u64]) -> u64 {
    counts
        .iter()
        .fold(0, |sum, &count| sum.saturating_add(count))
}

fn wide(counts: &[u64]) -> i128 {
    counts.iter().map(|&count| i128::from(count)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Row = Row {
        probe: Some(3),
        cpu: Some(1),
        fired: 20,
        recorded: 10,
        filtered: 4,
        processed: 0,
        dropped: [3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        entered: 30,
        returned: 20,
        in_flight: 1,
        passed: 5,
        missed: [2, 1, 1, 0],
        dynamic: 0,
    };

    #[test]
    fn a_ledger_that_adds_up_holds_and_so_does_its_sum() {
        assert!(KEPT.holds());
        let mut sum = KEPT;
        sum.add(&KEPT);
        assert!(sum.holds());
        assert_eq!((sum.fired, sum.dropped(), sum.missed()), (40, 12, 8));
    }

    #[test]
    fn what_is_missing_or_invented_is_told() {
        let lost = Row { fired: 21, ..KEPT };
        assert_eq!(lost.firings_unaccounted(), 1);
        let invented = Row {
            returned: 22,
            ..KEPT
        };
        assert_eq!(invented.calls_unaccounted(), -2);
        assert!(!lost.holds() && !invented.holds());
    }

    #[test]
    fn absurd_counts_do_not_overflow() {
        let absurd = Row {
            recorded: u64::MAX,
            dropped: [u64::MAX; DROPS],
            missed: [u64::MAX; MISSES],
            ..Row::default()
        };
        assert_eq!(absurd.dropped(), u64::MAX);
        assert!(absurd.firings_unaccounted() < 0);
        let mut sum = absurd;
        sum.add(&absurd);
        assert_eq!(sum.recorded, u64::MAX);
    }
}
