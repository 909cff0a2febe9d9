// SPDX-License-Identifier: GPL-2.0-only
//! How often what was aggregated is taken (`aggrate`), as by libdtrace's dtrace_aggregate_snap(): whoever sets it has
//! `printa()` show old values in between.

use std::time::{Duration, Instant};

/// When values were taken last.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<Instant>,
    ended: bool,
}

impl Pace {
    /// Whether values may be taken now; if so, they are. Without a rate they always may.
    pub fn allows(&mut self, rate: Option<Duration>, now: Instant) -> bool {
        let Some(rate) = rate.filter(|_| !self.ended) else {
            return true;
        };
        match self.last {
            Some(last) if now.saturating_duration_since(last) < rate => false,
            Some(last) => {
                self.last = Some(last + rate);
                true
            }
            None => {
                self.last = Some(now);
                true
            }
        }
    }

    /// Tracing has ended: nothing is old from here on.
    pub fn end(&mut self) {
        self.ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_old_as_the_rate_allows() {
        // dtrace-utils test/unittest/options/tst.aggrate-slow.sh: aggrate=4500ms, and a value each second
        let rate = Some(Duration::from_millis(4500));
        let begun = Instant::now();
        let mut pace = Pace::default();
        let taken: Vec<_> = (1..=10)
            .filter(|second| pace.allows(rate, begun + Duration::from_secs(*second)))
            .collect();
        assert_eq!(taken, [1, 6, 10]);
        assert!(!pace.allows(rate, begun + Duration::from_secs(11)));
        pace.end();
        assert!(pace.allows(rate, begun + Duration::from_secs(11)));
    }

    #[test]
    fn without_a_rate_values_are_always_new() {
        let mut pace = Pace::default();
        let now = Instant::now();
        assert!((0..3).all(|_| pace.allows(None, now)));
    }
}
