// SPDX-License-Identifier: GPL-2.0-only
//! KTAP version 1: <https://docs.kernel.org/dev-tools/ktap.html>.

#![forbid(unsafe_code)]

use std::io::{self, Write};

/// Writes one plan and its results, line by line.
pub struct Ktap<W> {
    to: W,
    number: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// One test's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sentence is true.
    Passed,
    /// It is not, or it is not known.
    Failed,
    /// This guest cannot show it, for this reason.
    Skipped(String),
}

impl<W: Write> Ktap<W> {
    /// Begins, with the number of tests.
    pub fn begin(mut to: W, tests: usize) -> io::Result<Self> {
        write!(to, "KTAP version 1\n1..{tests}\n")?;
        to.flush()?;
        Ok(Self {
            to,
            number: 0,
            passed: 0,
            failed: 0,
            skipped: 0,
        })
    }

    /// Diagnostic lines, before the result that they explain.
    pub fn explain(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines() {
            writeln!(self.to, "# {line}")?;
        }
        self.to.flush()
    }

    /// The next test's result.
    pub fn result(&mut self, name: &str, verdict: &Verdict) -> io::Result<()> {
        self.number += 1;
        let number = self.number;
        match verdict {
            Verdict::Passed => {
                self.passed += 1;
                writeln!(self.to, "ok {number} {name}")?;
            }
            Verdict::Failed => {
                self.failed += 1;
                writeln!(self.to, "not ok {number} {name}")?;
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                writeln!(self.to, "ok {number} {name} # SKIP {why}")?;
            }
        }
        self.to.flush()
    }

    /// Ends with the sums; whether nothing failed.
    pub fn end(mut self) -> io::Result<bool> {
        writeln!(
            self.to,
            "# {} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )?;
        self.to.flush()?;
        Ok(self.failed == 0)
    }
}
