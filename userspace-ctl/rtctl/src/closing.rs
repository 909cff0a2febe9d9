// SPDX-License-Identifier: GPL-2.0-only
//! The ledger at the end: what became of every firing, in one or two lines, and
//! whether it adds up.

use rust_tracer::ledger::{DROP_NAMES, MISS_NAMES};
use rust_tracer::{Policy, Row};

/// Who closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reader {
    /// The session's owner, who was to read everything.
    #[default]
    Owner,
    /// An observer, who came when he came.
    Observer {
        /// Whether the session is over: only then its ledger is exact.
        at_rest: bool,
    },
}

/// The closing ledger of a trace.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    /// One row for each probe that fired.
    pub rows: Vec<Row>,
    /// Their sum.
    pub sum: Row,
    /// Records read.
    pub read: u64,
    /// Records given out after a later one.
    pub disorder: u64,
    /// What happened when a ring was full.
    pub policy: Policy,
    /// Whether everything that the rings held was read.
    pub drained: bool,
    /// Who read it.
    pub reader: Reader,
}

impl Closing {
    /// The closing ledger of these rows.
    pub fn new(rows: Vec<Row>) -> Self {
        let mut sum = Row::default();
        rows.iter().for_each(|row| sum.add(row));
        Self {
            rows,
            sum,
            ..Self::default()
        }
    }

    /// Whether all sums hold, and the records read are those recorded.
    pub fn holds(&self) -> bool {
        self.faults().is_empty()
    }

    /// Whether nothing fires any more.
    pub fn is_at_rest(&self) -> bool {
        self.reader != Reader::Observer { at_rest: false }
    }

    /// What became of the firings, and of the calls if there are return probes.
    pub fn lines(&self) -> Vec<String> {
        let Row {
            fired,
            recorded,
            processed,
            filtered,
            entered,
            returned,
            in_flight,
            passed,
            ..
        } = self.sum;
        let dropped = reasons(self.sum.dropped(), &DROP_NAMES, &self.sum.dropped);
        let processed = match processed {
            0 => String::new(),
            more => format!(" + processed {more}"),
        };
        let mut lines = vec![format!(
            "fired {fired} = recorded {recorded}{processed} + filtered {filtered} + dropped \
             {dropped}"
        )];
        if entered > 0 {
            let missed = reasons(self.sum.missed(), &MISS_NAMES, &self.sum.missed);
            lines.push(format!(
                "entered {entered} = returned {returned} + in flight {in_flight} + \
                 passed {passed} + missed {missed}"
            ));
        }
        if self.reader != Reader::Owner {
            lines.push(match self.read == recorded {
                true => "read all of its records".into(),
                false => format!(
                    "read {} of its {recorded} records: the others came before, or were \
                     overwritten before they were read",
                    self.read
                ),
            });
        }
        if self.policy == Policy::Ring && self.drained {
            lines.push(format!(
                "the flight recorder kept {} of {recorded} records, the others were overwritten",
                self.read
            ));
        }
        lines
    }

    /// What does not add up. While a session runs, nothing needs to.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.is_at_rest() {
            return faults;
        }
        for row in &self.rows {
            let probe = row
                .probe
                .map_or_else(|| "all probes".to_owned(), |probe| format!("probe {probe}"));
            let (firings, calls) = (row.firings_unaccounted(), row.calls_unaccounted());
            if firings != 0 {
                faults.push(format!("{probe}: {firings} of {} firings", row.fired));
            }
            if calls != 0 {
                faults.push(format!("{probe}: {calls} of {} calls", row.entered));
            }
        }
        let recorded = self.sum.recorded;
        let unread = i128::from(recorded) - i128::from(self.read);
        let wrong = match (self.reader, self.policy) {
            (Reader::Observer { .. }, _) | (_, Policy::Ring) => unread < 0,
            (_, Policy::Switch | Policy::Fill) => unread != 0,
        };
        if self.drained && wrong {
            faults.push(format!("{unread} of {recorded} records did not arrive"));
        }
        faults
    }
}

/// A total, and its parts by reason if there are any.
fn reasons(total: u64, names: &[&str], counts: &[u64]) -> String {
    let parts: Vec<_> = names
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{} {count}", name.replace('_', " ")))
        .collect();
    match parts.is_empty() {
        true => total.to_string(),
        false => format!("{total} ({})", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closing() -> Closing {
        let row = Row {
            probe: Some(0),
            fired: 1234,
            recorded: 1200,
            dropped: [30, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ..Row::default()
        };
        Closing {
            read: 1200,
            drained: true,
            ..Closing::new(vec![row])
        }
    }

    #[test]
    fn entries_close_with_one_line() {
        let closing = closing();
        assert!(closing.holds());
        assert_eq!(
            closing.lines(),
            ["fired 1234 = recorded 1200 + filtered 0 + dropped 34 (full 30, nested 4)"]
        );
    }

    #[test]
    fn returns_add_a_line_about_calls() {
        let row = Row {
            probe: Some(1),
            fired: 590,
            recorded: 590,
            entered: 600,
            returned: 590,
            in_flight: 2,
            missed: [8, 0, 0, 0],
            ..Row::default()
        };
        let mut closing = Closing::new(vec![row]);
        closing.read = 590;
        assert!(closing.holds());
        assert_eq!(
            closing.lines()[1],
            "entered 600 = returned 590 + in flight 2 + passed 0 + missed 8 (unframed 8)"
        );
    }

    #[test]
    fn the_flight_recorder_says_what_it_kept() {
        let mut closing = closing();
        (closing.policy, closing.read) = (Policy::Ring, 500);
        assert!(closing.holds());
        assert_eq!(
            closing.lines()[1],
            "the flight recorder kept 500 of 1200 records, the others were overwritten"
        );
    }

    #[test]
    fn an_observer_says_how_much_it_got_to_see() {
        let observer = |at_rest, read| Closing {
            reader: Reader::Observer { at_rest },
            read,
            ..closing()
        };
        let late = observer(true, 1190);
        assert!(late.holds());
        assert_eq!(
            late.lines()[1],
            "read 1190 of its 1200 records: the others came before, or were overwritten before \
             they were read"
        );
        assert_eq!(observer(true, 1200).lines()[1], "read all of its records");
        assert_eq!(
            observer(true, 1201).faults(),
            ["-1 of 1200 records did not arrive"]
        );
        // What goes on counts while it is read.
        let mut running = observer(false, 1201);
        running.rows[0].fired += 5;
        assert!(running.holds() && !running.is_at_rest());
        running.reader = Reader::Observer { at_rest: true };
        assert_eq!(running.faults().len(), 2);
    }

    #[test]
    fn what_does_not_add_up_is_named() {
        let mut closing = closing();
        closing.rows[0].fired += 5;
        closing.read = 1190;
        assert_eq!(
            closing.faults(),
            [
                "probe 0: 5 of 1239 firings",
                "10 of 1200 records did not arrive"
            ]
        );
        closing.drained = false;
        assert_eq!(closing.faults().len(), 1);
    }
}
