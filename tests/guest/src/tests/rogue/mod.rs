// SPDX-License-Identifier: GPL-2.0-only
//! What hides or cheats is found: for each behaviour of the toys of `tests/modules/rogue/`, `rtctl check`
//! finds nothing before, finds it by the right check within a minute, and names it.
//!
//! Each behaviour is two tests: that the toy does what it says and undoes it, as a user sees it, without
//! rtctl check; and that it is found. The latter leave a row each in a file, of which the last test makes
//! the table of `docs/detection.md`.

#![forbid(unsafe_code)]

mod behaviours;
pub mod innocent;
mod scene;
mod toy;
mod verdict;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

pub use behaviours::{EFFECTS, FOUND};

use crate::guest;
use crate::options::Options;
use crate::sys;
use crate::target;
use crate::test::{Failure, Group, Outcome, Test, check, fail};
use scene::{Scene, Seen};
use toy::{Toy, is_listed};
use verdict::Verdict;

/// Of a behaviour that is not found by then, nobody would wait for more.
const LIMIT_NS: u64 = 60_000_000_000;

/// Something that modules do which hide.
#[derive(Clone, Copy)]
pub struct Behaviour {
    /// A sentence.
    name: &'static str,
    module: &'static str,
    parameters: &'static str,
    /// How it hides: see tests/modules/rogue/rogue.h.
    hide: &'static str,
    /// Whether it is there, and hidden, before rust_tracer is loaded.
    first: bool,
    /// The checks one of which has to find it.
    checks: &'static [&'static str],
    /// What has to stand in the finding, any of these; `PID` is the task's number.
    marks: &'static [&'static str],
    /// Whether its work is seen.
    seen: Seen,
}

/// Where rows wait for the table.
const ROWS: &str = "/run/rt-rogue-rows";

impl Behaviour {
    fn parameters(&self, scene: &Scene) -> String {
        let parameters = self.parameters.replace("PID", &scene.pid().to_string());
        if self.hide.is_empty() {
            return parameters;
        }
        format!("{parameters} hide={}", self.hide)
    }

    /// Whether it is hidden in each of the ways in which it hides.
    fn is_hidden(&self) -> Outcome<bool> {
        let hides = |how: &str| self.hide.split(',').any(|one| one == how);
        let mut ways = Vec::new();
        if hides("list") || hides("state") || hides("early") {
            ways.push(!is_listed(self.module)?);
        }
        if hides("kset") || hides("early") {
            ways.push(!Path::new("/sys/module").join(self.module).exists());
        }
        if hides("symbols") {
            let symbols = fs::read_to_string("/proc/kallsyms")?;
            ways.push(!symbols.contains(&format!("[{}]", self.module)));
        }
        if hides("tree") {
            ways.push(!stacks_of_thread(self.module)?.contains(self.module));
        }
        check!(
            ways.windows(2).all(|pair| pair[0] == pair[1]),
            "{}: hidden in some ways, not in others: {ways:?}",
            self.module
        );
        Ok(ways.first().copied().unwrap_or(false))
    }

    /// Has the toy do what it does, calls `meanwhile`, and has it undo it. Each of its effects is
    /// looked for before, meanwhile and afterwards.
    fn with(&self, options: &Options, meanwhile: impl FnOnce(&Scene) -> Outcome) -> Outcome {
        let result = self.with_or_without_tracer(options, meanwhile);
        // The tests that follow need it, also when this one failed on the way.
        if guest::references().is_none() {
            guest::load()?;
        }
        result
    }

    /// The same; may leave rust_tracer unloaded when it fails.
    fn with_or_without_tracer(
        &self,
        options: &Options,
        meanwhile: impl FnOnce(&Scene) -> Outcome,
    ) -> Outcome {
        let scene = Scene::new()?;
        let seen = |toy: Option<&Toy>| (self.seen)(&scene, toy);
        check!(!seen(None)?, "seen without the toy");
        if self.first {
            target::unload("rust_tracer")?;
        }
        let toy = Toy::load(options, self.module, &self.parameters(&scene))?;
        if !self.hide.is_empty() {
            if self.hide != "early" {
                check!(!self.is_hidden()?, "hidden before it was told");
                toy.tell("hide")?;
            }
            check!(self.is_hidden()?, "it does not hide");
        }
        check!(seen(Some(&toy))?, "its work is not seen");
        if self.first {
            guest::load()?;
        }
        meanwhile(&scene)?;
        toy.undo()?;
        check!(!seen(None)?, "its work is seen when it is undone");
        Ok(())
    }

    /// The toy does what it says, and undoes it.
    fn shows(&self, options: &Options) -> Outcome {
        self.with(options, |_| Ok(()))
    }

    /// It is found, by the right check and by none before.
    fn is_found(&self, options: &Options) -> Outcome {
        Verdict::now()?.is_clean("before the toy was loaded")?;
        let begun_at = sys::now();
        self.with(options, |scene| {
            // The time runs from when it had done what it does; of which some was needed to see so.
            let begun = sys::now();
            let pid = scene.pid().to_string();
            let marks: Vec<String> = self
                .marks
                .iter()
                .map(|mark| mark.replace("PID", &pid))
                .collect();
            loop {
                let verdict = Verdict::now()?;
                let took = sys::now() - begun;
                let by = self.checks.iter().find(|check| {
                    marks.is_empty() && verdict.has(check, "")
                        || marks.iter().any(|mark| verdict.has(check, mark))
                });
                if let Some(by) = by {
                    println!("found in {:.1} s:\n{}", seconds(took), verdict.text());
                    check!(took < LIMIT_NS, "found, but after {:.1} s", seconds(took));
                    return self.add_row(by, &verdict, took);
                }
                check!(
                    took < LIMIT_NS,
                    "not found by any of {:?} with any of {marks:?} after {:.1} s; found was:\n{}",
                    self.checks,
                    seconds(took),
                    verdict.text()
                );
                println!("not yet after {:.1} s", seconds(took));
            }
        })?;
        println!("{:.1} s in all", seconds(sys::now() - begun_at));
        Verdict::now()?.is_clean("when the toy was undone")
    }

    fn add_row(&self, by: &str, verdict: &Verdict, took: u64) -> Outcome {
        let others: Vec<_> = verdict
            .finders()
            .into_iter()
            .filter(|finder| *finder != by)
            .collect();
        let row = format!(
            "| {} | {by} | {} | {:.1} |\n",
            self.name,
            others.join(", "),
            seconds(took)
        );
        let mut rows = OpenOptions::new().append(true).create(true).open(ROWS)?;
        Ok(rows.write_all(row.as_bytes())?)
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// The stacks of the kernel's threads of this name, as they are a few times: one that runs has none
/// to show.
fn stacks_of_thread(name: &str) -> Outcome<String> {
    const TIMES: usize = 20;
    let (mut stacks, mut threads) = (String::new(), 0);
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let comm = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if comm.trim() == name {
            threads += 1;
            for _ in 0..TIMES {
                stacks.push_str(&fs::read_to_string(path.join("stack"))?);
                sys::give_way();
            }
        }
    }
    check!(threads > 0, "there is no thread {name}");
    Ok(stacks)
}

/// The last of them: the table.
pub const TABLE: Group = Group {
    name: "rogue, in the end",
    tests: &[Test {
        name: "there is a row for each behaviour",
        run: table,
    }],
};

fn table(_: &Options) -> Outcome {
    let Ok(rows) = fs::read_to_string(ROWS) else {
        return Err(Failure::Skipped("no behaviour was looked for".to_owned()));
    };
    fs::remove_file(ROWS)?;
    println!("| behaviour | found by | and by | s |\n|---|---|---|---|\n{rows}");
    let missing: Vec<_> = behaviours::ALL
        .iter()
        .filter(|one| !rows.contains(&format!("| {} |", one.name)))
        .map(|one| one.name)
        .collect();
    check!(missing.is_empty(), "no row for {missing:#?}");
    check!(rows.lines().count() >= 25, "fewer than 25 rows");
    fs::write("/root/detection-table.md", &rows).map_err(fail)
}
