// SPDX-License-Identifier: GPL-2.0-only
//! What hides or cheats is found: for each behaviour of the toys of `tests/modules/rogue/`, `rtctl check`
//! finds nothing before, finds it by the right check within a minute, and names it.
//!
//! A run of the checks takes seconds, and there are many behaviours: so toys that do not disturb each
//! other are at work at once, and one run has to find all of them. Each toy is first seen to do what it
//! says, as a user sees it, without rtctl check, and last seen to have undone it. Of each behaviour there
//! is a row in a file, of which the last test makes the table of `docs/detection.md`.

#![forbid(unsafe_code)]

mod behaviours;
pub mod innocent;
pub mod nodes;
mod scene;
pub mod toy;
mod verdict;
pub mod watching;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

pub use behaviours::FOUND;

use crate::guest;
use crate::options::Options;
use crate::sys;
use crate::target;
use crate::test::{Failure, Outcome, check, fail, group};
use scene::{Scene, Seen};
use toy::{Toy, is_listed};
use verdict::Verdict;

/// How often may be looked for a behaviour. How long that took is in the table: less than a minute, where nothing
/// else keeps the machine busy.
const LOOKS: usize = 4;

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
        let parameters = parameters.replace("FOLDER", &scene.folder().to_string_lossy());
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
        for (how, says) in [("going", "going\n"), ("coming", "coming\n")] {
            if hides(how) {
                let state = Path::new("/sys/module").join(self.module);
                ways.push(fs::read_to_string(state.join("initstate"))? == says);
            }
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

    /// Has the toy do what it does.
    fn begin(&self, options: &Options, scene: &Scene) -> Outcome<Toy> {
        let toy = Toy::load(options, self.module, &self.parameters(scene))?;
        if !self.hide.is_empty() {
            if self.hide != "early" {
                check!(!self.is_hidden()?, "{}: hidden untold", self.name);
                toy.tell("hide")?;
            }
            check!(self.is_hidden()?, "{}: it does not hide", self.name);
        }
        Ok(toy)
    }

    /// The checks with a finding that names it, if one of the right ones is among them: it is the first.
    fn finders<'a>(&self, verdict: &'a Verdict, scene: &Scene) -> Vec<&'a str> {
        let pid = scene.pid().to_string();
        let marks: Vec<_> = self
            .marks
            .iter()
            .map(|mark| mark.replace("PID", &pid))
            .collect();
        let mut finders = verdict.finders();
        finders.retain(|finder| marks.iter().any(|mark| verdict.has(finder, mark)));
        finders.sort_by_key(|finder| !self.checks.contains(finder));
        let is_right = finders
            .first()
            .is_some_and(|first| self.checks.contains(first));
        if is_right { finders } else { Vec::new() }
    }
}

/// The toys' behaviours are found, by the right check each, and by none before and afterwards.
fn are_found(options: &Options, round: &[&Behaviour]) -> Outcome {
    // Each round ends with a kernel in which nothing is found: the next begins with it.
    if !Path::new(ROWS).exists() {
        Verdict::now()?.is_clean("before any toy was loaded")?;
    }
    let result = with_toys(options, round, found_all);
    // The tests that follow need it, also when this one failed on the way.
    if guest::references().is_none() {
        guest::load()?;
    }
    result?;
    Verdict::soon()?.is_clean("when the toys had undone what they did")
}

/// Has the toys do what they do, calls `meanwhile`, and has them undo it. Each of their effects is looked
/// for before, meanwhile and afterwards. May leave rust_tracer unloaded when it fails.
fn with_toys(
    options: &Options,
    round: &[&Behaviour],
    meanwhile: fn(&[&Behaviour], &Scene) -> Outcome,
) -> Outcome {
    let scene = Scene::new()?;
    for one in round {
        check!(
            !(one.seen)(&scene, None)?,
            "{}: seen without the toy",
            one.name
        );
    }
    if round.iter().any(|one| one.first) {
        target::unload("rust_tracer")?;
    }
    let mut toys: Vec<Toy> = Vec::new();
    for one in round {
        if !one.first && guest::references().is_none() {
            guest::load()?;
        }
        // One toy may be of two behaviours.
        if toys.iter().all(|toy| toy.module() != one.module) {
            toys.push(one.begin(options, &scene)?);
        }
        let toy = toys.iter().find(|toy| toy.module() == one.module);
        check!(
            (one.seen)(&scene, toy)?,
            "{}: its work is not seen",
            one.name
        );
    }
    if guest::references().is_none() {
        guest::load()?;
    }
    meanwhile(round, &scene)?;
    while let Some(toy) = toys.pop() {
        toy.undo()?;
    }
    for one in round {
        check!(
            !(one.seen)(&scene, None)?,
            "{}: its work is seen when it is undone",
            one.name
        );
    }
    Ok(())
}

/// Runs the checks until all behaviours were found.
fn found_all(round: &[&Behaviour], scene: &Scene) -> Outcome {
    let begun = sys::now();
    let mut left = round.to_vec();
    for _ in 0..LOOKS {
        let verdict = Verdict::now()?;
        let took = sys::now() - begun;
        let mut rows = OpenOptions::new().append(true).create(true).open(ROWS)?;
        let mut still = Vec::new();
        for one in left {
            match one.finders(&verdict, scene).split_first() {
                Some((by, others)) => rows.write_all(row(one, by, others, took).as_bytes())?,
                None => still.push(one),
            }
        }
        left = still;
        if left.is_empty() {
            println!("found in {:.1} s", seconds(took));
            return Ok(());
        }
        let names: Vec<_> = left.iter().map(|one| (one.name, one.checks)).collect();
        println!(
            "after {:.1} s not found {names:?}; found was:\n{}",
            seconds(took),
            verdict.text()
        );
    }
    Err(fail(format!("not found in {LOOKS} looks")))
}

fn row(one: &Behaviour, by: &str, others: &[&str], took: u64) -> String {
    let others = others.join(", ");
    format!(
        "| {} | {by} | {others} | {:.1} |\n",
        one.name,
        seconds(took)
    )
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

pub mod table {
    //! The last of them.
    use super::*;

    group! { "rogue, in the end":
        "there is a row for each behaviour, in /root/detection-table.md" => table,
    }

    fn table(_: &Options) -> Outcome {
        let Ok(rows) = fs::read_to_string(ROWS) else {
            return Err(Failure::Skipped("no behaviour was looked for".to_owned()));
        };
        fs::remove_file(ROWS)?;
        let row_of = |one: &Behaviour| {
            rows.lines()
                .find(|row| row.starts_with(&format!("| {} |", one.name)))
        };
        let found: Vec<_> = behaviours::ALL.iter().filter_map(row_of).collect();
        let count = found.len();
        let found = format!(
            "| behaviour | found by | and by | s |\n|---|---|---|---|\n{}\n",
            found.join("\n")
        );
        println!("{found}");
        let missing: Vec<_> = behaviours::ALL
            .iter()
            .filter(|one| row_of(one).is_none())
            .map(|one| one.name)
            .collect();
        check!(missing.is_empty(), "no row for {missing:#?}");
        check!(count >= 25, "fewer than 25 rows");
        fs::write("/root/detection-table.md", &found).map_err(fail)
    }
}
