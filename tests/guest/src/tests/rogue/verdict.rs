// SPDX-License-Identifier: GPL-2.0-only
//! What `rtctl check` says.

#![forbid(unsafe_code)]

use std::process::Command;

use serde_json::Value;

use crate::test::{Outcome, check, fail};

/// The checks by their numbers, and the rule about who looks for symbols behind them.
pub const CHECKS: [&str; 13] = [
    "callers",
    "stacks",
    "modules",
    "crossview",
    "text",
    "ops",
    "ipmodify",
    "sites",
    "syscalls",
    "pointers",
    "tasks",
    "canary",
    "hunters",
];

/// What one run of the checks found.
#[derive(Debug)]
pub struct Verdict {
    checks: Vec<Value>,
}

impl Verdict {
    /// Runs all checks once, as they are.
    pub fn now() -> Outcome<Self> {
        Self::by(&["check", "--json"])
    }

    /// The same, but looks for a third of the time who calls and runs.
    pub fn soon() -> Outcome<Self> {
        Self::by(&["check", "--json", "--for", "1s"])
    }

    fn by(arguments: &[&str]) -> Outcome<Self> {
        let output = Command::new("rtctl").args(arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let checks: Vec<Value> = serde_json::from_str(&text)
            .map_err(|error| fail(format!("rtctl check: {error} in:\n{text}{said}")))?;
        let verdict = Self { checks };
        let names: Vec<_> = verdict.checks.iter().map(name_of).collect();
        check!(names == CHECKS, "the checks are {names:?}");
        let wanted = if !verdict.finders().is_empty() {
            1
        } else if verdict.unknown().is_some() {
            2
        } else {
            0
        };
        let code = output.status.code();
        check!(
            code == Some(wanted),
            "exit status {code:?}, not {wanted}:\n{text}{said}"
        );
        Ok(verdict)
    }

    /// The checks that found anything.
    pub fn finders(&self) -> Vec<&str> {
        self.checks
            .iter()
            .filter(|one| {
                one["findings"]
                    .as_array()
                    .is_some_and(|found| !found.is_empty())
            })
            .map(name_of)
            .collect()
    }

    /// Whether a check found something in whose text this stands.
    pub fn has(&self, check: &str, mark: &str) -> bool {
        self.findings(check)
            .iter()
            .any(|finding| finding.to_string().contains(mark))
    }

    fn findings(&self, check: &str) -> &[Value] {
        let one = self.checks.iter().find(|one| name_of(one) == check);
        let findings = one.and_then(|one| one["findings"].as_array());
        findings.map_or(&[], Vec::as_slice)
    }

    /// Everything that was found, a line each.
    pub fn text(&self) -> String {
        let lines = CHECKS.iter().flat_map(|check| {
            let findings = self.findings(check).iter();
            findings.map(move |finding| format!("{check}: {finding}\n"))
        });
        lines.collect()
    }

    /// A check that could not look: who works against the tracer may bring that about.
    fn unknown(&self) -> Option<&Value> {
        self.checks.iter().find(|one| one["status"] == "unknown")
    }

    /// Fails if anything was found, or could not be looked at.
    pub fn is_clean(&self, when: &str) -> Outcome {
        if let Some(one) = self.unknown() {
            return Err(fail(format!("it could not look {when}: {one}")));
        }
        let text = self.text();
        check!(text.is_empty(), "found {when}:\n{text}");
        Ok(())
    }
}

fn name_of(check: &Value) -> &str {
    check["name"].as_str().unwrap_or_default()
}
