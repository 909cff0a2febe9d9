// SPDX-License-Identifier: GPL-2.0-only
//! What a check has found, and how it is printed.
//!
//! ```text
//! ok  1 callers    what was looked at, in figures
//! !!  3 modules    the same
//!      module rt_x is in the kernel's memory, but not on its list of modules
//!        where:   0xffffffffc0a00000, 8192 bytes
//!        forms:   our ledger of modules; the kernel's list
//!        perhaps: what else could explain it
//!        look:    how to look further
//! ?? 10 pointers   could not check: why
//! ```

use std::io::{self, Write};

use serde_json::{Value, json};

/// Something that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// What it is about: the same each time it is found.
    pub key: String,
    /// What was seen.
    pub what: String,
    /// Symbol and offset, and whose text that is.
    pub place: String,
    /// By which forms of instrumentation it was seen.
    pub forms: Vec<String>,
    /// What else could explain it.
    pub perhaps: String,
    /// How to look further.
    pub look: String,
    /// It cannot come from things that change while they are looked at: it need not be seen again.
    pub certain: bool,
    /// It was seen in a sample, and nowhere else.
    pub sampled: bool,
}

/// What a check looked at, and what it found there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In figures.
    pub looked: String,
    /// Nothing, on a kernel that is as it should be.
    pub findings: Vec<Finding>,
}

/// How a check ended.
pub type Outcome = Result<Report, String>;

/// A check's name, number and end.
pub struct Line<'a> {
    /// In the order of the documentation.
    pub number: u32,
    /// Its name.
    pub name: &'a str,
    /// How it ended.
    pub outcome: &'a Outcome,
}

impl Line<'_> {
    /// Writes it for people.
    pub fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            number,
            name,
            outcome,
        } = self;
        let report = match outcome {
            Ok(report) => report,
            Err(why) => return writeln!(out, "?? {number:>2} {name:<10} could not check: {why}"),
        };
        let mark = if report.findings.is_empty() {
            "ok"
        } else {
            "!!"
        };
        writeln!(out, "{mark} {number:>2} {name:<10} {}", report.looked)?;
        report.findings.iter().try_for_each(|one| one.text(out))
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let mut line = json!({"kind": "check", "number": self.number, "name": self.name});
        match self.outcome {
            Ok(report) => {
                let clean = report.findings.is_empty();
                line["status"] = if clean { "ok" } else { "findings" }.into();
                line["looked"] = report.looked.as_str().into();
                line["findings"] = report.findings.iter().map(Finding::json).collect();
            }
            Err(why) => {
                line["status"] = "unknown".into();
                line["why"] = why.as_str().into();
                line["findings"] = json!([]);
            }
        }
        line
    }
}

impl Finding {
    /// Writes it for people.
    pub fn text(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "     {}", self.what)?;
        let forms = self.forms.join("; ");
        for (name, text) in [
            ("where:", &self.place),
            ("forms:", &forms),
            ("perhaps:", &self.perhaps),
            ("look:", &self.look),
        ] {
            if !text.is_empty() {
                writeln!(out, "       {name:<8} {text}")?;
            }
        }
        Ok(())
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({
            "key": self.key, "what": self.what, "where": self.place, "forms": self.forms,
            "perhaps": self.perhaps, "look": self.look,
        })
    }
}

/// So many things, in words.
pub fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ if one.ends_with('s') => format!("{number} {one}es"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            key: "k".into(),
            what: "something".into(),
            place: "0x1".into(),
            forms: vec!["one".into(), "two".into()],
            perhaps: String::new(),
            look: "there".into(),
            ..Finding::default()
        }
    }

    fn text(outcome: Outcome) -> String {
        let mut out = Vec::new();
        let line = Line {
            number: 3,
            name: "modules",
            outcome: &outcome,
        };
        line.text(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_clean_is_one_line() {
        let report = Report {
            looked: "42 modules".into(),
            findings: Vec::new(),
        };
        assert_eq!(text(Ok(report)), "ok  3 modules    42 modules\n");
    }

    #[test]
    fn findings_are_told_below_their_check_and_what_is_empty_is_left_out() {
        let report = Report {
            looked: "42 modules".into(),
            findings: vec![finding()],
        };
        assert_eq!(
            text(Ok(report)),
            "!!  3 modules    42 modules\n     something\n       where:   0x1\n       \
             forms:   one; two\n       look:    there\n"
        );
    }

    #[test]
    fn what_could_not_be_checked_says_why() {
        let why = "it is not told here".to_owned();
        assert_eq!(
            text(Err(why)),
            "??  3 modules    could not check: it is not told here\n"
        );
    }

    #[test]
    fn programs_are_told_the_same() {
        let outcome = Ok(Report {
            looked: "42 modules".into(),
            findings: vec![finding()],
        });
        let line = Line {
            number: 3,
            name: "modules",
            outcome: &outcome,
        };
        let json = line.json();
        assert_eq!(json["status"], "findings");
        assert_eq!(json["findings"][0]["where"], "0x1");
        assert_eq!(json["findings"][0]["forms"], json!(["one", "two"]));
    }

    #[test]
    fn numbers_of_things_are_in_words() {
        assert_eq!(count(1, "module"), "1 module");
        assert_eq!(count(0, "module"), "0 modules");
        assert_eq!(count(2, "process"), "2 processes");
    }
}
