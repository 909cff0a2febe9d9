// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl check`: does this kernel tell the truth about itself?
//!
//! ```text
//!   the module's views      what /proc, /sys, tracefs say      what tracing sees
//!            └───────────── gather ──► Facts ◄──────────────────────┘
//!                                        │
//!            callers stacks modules crossview text ops ipmodify
//!            sites syscalls pointers tasks canary       hunters
//!                                        │
//!                              findings ─┴─ seen again? ──► report
//! ```
//! Each check is a pure function from facts to findings. A kernel changes while it is
//! looked at, so what might come from that is told only if it is there at four looks.

mod callers;
mod calls;
mod canary;
mod crossview;
mod exercise;
pub(crate) mod fact;
pub(crate) mod facts;
mod files;
pub(crate) mod gather;
mod hunters;
mod hunts;
mod ipmodify;
mod modules;
mod ops;
pub(crate) mod owners;
mod patch;
mod pointers;
mod report;
mod said;
mod sample;
mod sites;
mod sockets;
mod stacks;
mod syscalls;
mod tasks;
mod telling;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rust_tracer::{Access, Node, Session};
use serde_json::json;

use crate::access;
use crate::output::array;
use crate::progress::Progress;
use crate::speaker::Speaker;
use crate::watch::Watch;
use facts::Facts;
use gather::{Gatherer, Need};
use report::{Finding, Line, Outcome};

/// How often a finding must be made, if it could come from what changes meanwhile.
const LOOKS: usize = 4;

/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(300);

/// How often a sampler that goes on is looked at.
const OFTEN: Duration = Duration::from_millis(200);

/// A check.
struct Check {
    number: u32,
    name: &'static str,
    needs: &'static [Need],
    run: fn(&Facts) -> Outcome,
}

/// The twelve, and the rule beside them, whose line is printed only if it has found something.
static CHECKS: [Check; 13] = {
    use Need as N;
    macro_rules! check {
        ($number:literal $name:ident: $($need:ident)*) => {
            Check {
                number: $number,
                name: stringify!($name),
                needs: &[$(N::$need),*],
                run: $name::check,
            }
        };
    }
    [
        check!(1 callers: Sample),
        check!(2 stacks: Sample Callbacks Modules),
        check!(3 modules: Modules Itself),
        check!(4 crossview: Modules Sockets),
        check!(5 text: Text),
        check!(6 ops: Hooks Kprobes Modules Callbacks),
        check!(7 ipmodify: Hooks),
        check!(8 sites: Sites Kprobes Itself Callbacks),
        check!(9 syscalls: Cpus Syscalls Callbacks),
        check!(10 pointers: Files Tracepoints Callbacks),
        check!(11 tasks: Tasks Sample),
        check!(12 canary: Canary Itself Modules Callbacks Kprobes),
        check!(13 hunters: Kprobes Sample Modules),
    ]
};

/// The rule's number.
const RULE: u32 = 13;

/// What to check, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct Checking {
    /// The checks, by name or number [default: all]
    #[arg(value_name = "CHECK")]
    pub checks: Vec<String>,

    /// Go on, and print what is found as it is found, until SIGINT
    #[arg(long)]
    pub watch: bool,

    /// Print JSON: an array of checks; with --watch an object a line for each finding
    #[arg(long)]
    pub json: bool,

    /// How long who calls, and who runs, is looked at
    #[arg(long = "for", value_name = "TIME", default_value = "3s", value_parser = time)]
    pub time: Duration,

    /// With --watch: how long to wait between two looks
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub every: Duration,

    /// The device node to use [default: the most privileged that opens]
    #[arg(long, value_name = "kernel|system|user")]
    pub node: Option<Node>,
}

/// `500ms`, `5s`, `2m`
fn time(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "a number and ms, s or m")?;
    let ms = match unit {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err("a number and ms, s or m".into()),
    };
    let ms = number.checked_mul(ms).ok_or("too long")?;
    Ok(Duration::from_millis(ms))
}

/// `FTRACE_OPS_FL_*` that say something about who it is, by their bits (include/linux/ftrace.h).
pub(crate) const FLAGS: [(u32, &str); 8] = [
    (0, "ENABLED"),
    (2, "REGS"),
    (12, "IPMODIFY"),
    (13, "PID"),
    (16, "PERMANENT"),
    (17, "DIRECT"),
    (18, "SUBOP"),
    (19, "GRAPH"),
];

/// Statuses.
const CLEAN: u8 = 0;
const FINDINGS: u8 = 1;
const UNKNOWN: u8 = 2;

/// Runs the checks. Returns the exit status; what stands in the way of all of them is said.
pub fn run(checking: &Checking, out: &mut impl Write, says: &mut Speaker) -> Result<u8> {
    match attempt(checking, out) {
        Ok(status) => Ok(status),
        Err(error) if error.downcast_ref::<io::Error>().is_some() => Err(error),
        Err(error) => {
            says.error(&format!("could not check: {error}"));
            Ok(UNKNOWN)
        }
    }
}

fn attempt(checking: &Checking, out: &mut impl Write) -> Result<u8> {
    let chosen = choose(&checking.checks)?;
    let session = access::open(checking.node, Access::Observe)?;
    let mut gatherer = Gatherer::new(session, checking.time);
    let watch = Watch::signals(None)?;
    if checking.watch {
        return watching(checking, &chosen, &mut gatherer, &watch, out);
    }
    let outcomes = {
        let _progress = Progress::begin("checking");
        looks(&chosen, &mut gatherer, &watch)?
    };
    print(&chosen, &outcomes, checking.json, out)?;
    Ok(status(&outcomes))
}

/// The checks of these names or numbers.
fn choose(names: &[String]) -> Result<Vec<&'static Check>> {
    if names.is_empty() {
        return Ok(CHECKS.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let is = |check: &&Check| check.name == name || check.number.to_string() == *name;
        let found = CHECKS.iter().find(is);
        let all = || {
            let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            names.join(", ")
        };
        chosen.push(found.ok_or_else(|| anyhow!("there is no check {name}: there are {}", all()))?);
    }
    chosen.sort_by_key(|check| check.number);
    chosen.dedup_by_key(|check| check.number);
    Ok(chosen)
}

fn needs(checks: &[&Check]) -> BTreeSet<Need> {
    checks
        .iter()
        .flat_map(|check| check.needs)
        .copied()
        .collect()
}

/// Looks as often as it takes to tell findings from what changes meanwhile.
fn looks(checks: &[&Check], gatherer: &mut Gatherer, watch: &Watch) -> Result<Vec<Outcome>> {
    let facts = gatherer.facts(&needs(checks));
    let mut outcomes: Vec<Outcome> = checks.iter().map(|check| (check.run)(&facts)).collect();
    for _ in 1..LOOKS {
        let again: Vec<usize> = (0..checks.len())
            .filter(|&at| is_open(&outcomes[at]))
            .collect();
        if again.is_empty() {
            break;
        }
        if watch.asked_to_end() {
            again.iter().for_each(|&at| cut_short(&mut outcomes[at]));
            break;
        }
        watch.wait(None, None, &[], BETWEEN)?;
        let some: Vec<&Check> = again.iter().map(|&at| checks[at]).collect();
        let mut needs = needs(&some);
        // A sample takes long.
        if !again.iter().any(|&at| is_sampled(&outcomes[at])) {
            needs.remove(&Need::Sample);
        }
        let facts = gatherer.facts_again(&needs);
        for at in again {
            settle(&mut outcomes[at], (checks[at].run)(&facts));
        }
    }
    Ok(outcomes)
}

/// Leaves what must be made again out, since it will not be.
fn cut_short(outcome: &mut Outcome) {
    let Ok(report) = outcome else { return };
    report.findings.retain(|finding| finding.certain);
    if report.findings.is_empty() {
        *outcome = Err("ended before what it saw was looked at again".into());
    }
}

/// Whether there are findings that must be made again.
fn is_open(outcome: &Outcome) -> bool {
    let report = outcome.as_ref().ok();
    report.is_some_and(|report| report.findings.iter().any(|finding| !finding.certain))
}

/// Whether there are findings of a sample that must be made again.
fn is_sampled(outcome: &Outcome) -> bool {
    let report = outcome.as_ref().ok();
    report.is_some_and(|report| report.findings.iter().any(|finding| finding.sampled))
}

/// Keeps of what was found what is certain, or was found again; and takes what is certain now.
fn settle(outcome: &mut Outcome, again: Outcome) {
    let (Ok(report), Ok(again)) = (outcome, again) else {
        return;
    };
    let keys: BTreeSet<&String> = again.findings.iter().map(|finding| &finding.key).collect();
    let before = report.findings.len();
    report
        .findings
        .retain(|finding| finding.certain || keys.contains(&finding.key));
    let left = report.findings.len();
    for finding in again.findings.iter().filter(|finding| finding.certain) {
        if report.findings.iter().all(|other| other.key != finding.key) {
            report.findings.push(finding.clone());
        }
    }
    if left < before {
        // What was seen then is not so any more.
        report.looked = again.looked;
    }
}

fn print(
    checks: &[&Check],
    outcomes: &[Outcome],
    as_json: bool,
    out: &mut impl Write,
) -> Result<()> {
    let all = checks.iter().zip(outcomes);
    let line = |(check, outcome)| {
        let check: &&Check = check;
        Line {
            number: check.number,
            name: check.name,
            outcome,
        }
    };
    if as_json {
        array(out, all.map(|pair| line(pair).json()))?;
    } else {
        let asked = checks.len() < CHECKS.len();
        for (check, outcome) in all {
            // Twelve lines are twelve: the rule has one if it has something to say.
            let silent = matches!(outcome, Ok(report) if report.findings.is_empty());
            let silent = silent || (outcome.is_err() && outcomes.len() > 1);
            if check.number != RULE || asked || !silent {
                line((check, outcome)).text(out)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn status(outcomes: &[Outcome]) -> u8 {
    let found = |outcome: &Outcome| matches!(outcome, Ok(report) if !report.findings.is_empty());
    match outcomes.iter().any(found) {
        true => FINDINGS,
        false if outcomes.iter().any(Outcome::is_err) => UNKNOWN,
        false => CLEAN,
    }
}

/// Looks again and again, until a signal comes.
fn watching(
    checking: &Checking,
    checks: &[&Check],
    gatherer: &mut Gatherer,
    watch: &Watch,
    out: &mut impl Write,
) -> Result<u8> {
    let begun = Instant::now();
    if needs(checks).contains(&Need::Sample) {
        // Without leave to trace the other checks go on.
        let _ = gatherer.keep_sampling();
    }
    let mut known = BTreeMap::<(u32, String), Finding>::new();
    let mut worst = CLEAN;
    let mut first = true;
    while !watch.asked_to_end() {
        let outcomes = looks(checks, gatherer, watch)?;
        let cut = watch.asked_to_end() && !first;
        worst = match (worst, status(&outcomes)) {
            (FINDINGS, _) | (_, FINDINGS) => FINDINGS,
            // That the last look was not brought to its end says nothing.
            (before, _) if cut => before,
            (before, now) => before.max(now),
        };
        let passed = begun.elapsed().as_secs_f64();
        if std::mem::take(&mut first) && !checking.json {
            print(checks, &outcomes, false, out)?;
            for (check, outcome) in checks.iter().zip(&outcomes) {
                let findings = outcome.iter().flat_map(|report| &report.findings);
                known.extend(findings.map(|it| ((check.number, it.key.clone()), it.clone())));
            }
        } else {
            let looked = if cut { Looked::InPart } else { Looked::Wholly };
            tell(
                checks,
                &outcomes,
                (passed, looked),
                checking.json,
                &mut known,
                out,
            )?;
        }
        out.flush()?;
        let next = Instant::now() + checking.every;
        while !watch.asked_to_end() && Instant::now() < next {
            let left = next.saturating_duration_since(Instant::now());
            watch.wait(None, None, &[], left.min(OFTEN))?;
            gatherer.collect()?;
        }
    }
    Ok(worst)
}

/// Whether a look was brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    Wholly,
    InPart,
}

/// Tells what is new since the last time, and what has gone.
fn tell(
    checks: &[&Check],
    outcomes: &[Outcome],
    (passed, looked): (f64, Looked),
    as_json: bool,
    known: &mut BTreeMap<(u32, String), Finding>,
    out: &mut impl Write,
) -> Result<()> {
    for (check, outcome) in checks.iter().zip(outcomes) {
        let Check { number, name, .. } = check;
        let Ok(report) = outcome else { continue };
        for finding in &report.findings {
            let key = (*number, finding.key.clone());
            if known.insert(key, finding.clone()).is_some() {
                continue;
            }
            match as_json {
                true => {
                    let mut object = finding.json();
                    object["kind"] = "finding".into();
                    object["check"] = (*name).into();
                    object["number"] = (*number).into();
                    object["time"] = passed.into();
                    writeln!(out, "{object}")?;
                }
                false => {
                    writeln!(out, "!! {number:>2} {name:<10} after {passed:.1} s")?;
                    finding.text(out)?;
                }
            }
        }
        let there: BTreeSet<&String> = report.findings.iter().map(|it| &it.key).collect();
        let gone: Vec<_> = known
            .keys()
            .filter(|(of, key)| of == number && !there.contains(key) && looked == Looked::Wholly)
            .cloned()
            .collect();
        for key in gone {
            let Some(finding) = known.remove(&key) else {
                continue;
            };
            match as_json {
                true => {
                    let object = json!({"kind": "gone", "check": name, "number": number,
                                        "key": finding.key, "time": passed});
                    writeln!(out, "{object}")?;
                }
                false => {
                    let what = &finding.what;
                    writeln!(
                        out,
                        "   {number:>2} {name:<10} after {passed:.1} s not seen any more: {what}"
                    )?;
                }
            }
        }
    }
    Ok(())
}

/// A session that can be asked for names and owners, for who lists hooks.
pub(crate) fn observe(node: Option<Node>) -> Result<Session> {
    let session = access::open(node, Access::Observe)?;
    match gather::shows(&session) {
        true => Ok(session),
        false => Err(anyhow!(
            "the loaded rust_tracer module shows no views of the kernel: load the one of this version"
        )),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
