// SPDX-License-Identifier: GPL-2.0-only
//! Runs each test in a process of its own, so that none sees what another left,
//! and looks at the guest before and after it.

#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::guest::{self, KernelLog, TraceList};
use crate::ktap::{Ktap, Verdict};
use crate::leaks::Leaks;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::target;
use crate::test::{Failure, Group, Outcome, Test, fail};
use crate::waiting;

/// The exit status of a test that this guest cannot show.
const SKIPPED: u8 = 4;

/// What is looked for when all tests are over.
const AFTERWARDS: [&str; 2] = [
    "afterwards: no handler of ours was called from within itself",
    "afterwards: nothing was lost that was allocated",
];

/// A test's full name.
pub fn full_name(group: &Group, test: &Test) -> String {
    format!("{}: {}", group.name, test.name)
}

/// Runs one test here; the exit status says how it ended, standard output why.
pub fn run_one(groups: &[Group], name: &str, options: &Options) -> ExitCode {
    let found = groups
        .iter()
        .flat_map(|group| {
            group
                .tests
                .iter()
                .map(move |test| (full_name(group, test), group, test))
        })
        .find(|(full, ..)| full == name);
    let Some((_, group, test)) = found else {
        println!("there is no test with this name");
        return ExitCode::FAILURE;
    };
    let result = || {
        let slots = Parameters::set(&[
            ("stub_slots", group.slots.into()),
            // Tests are silent readers, for as long as a slow machine makes them; those of the deadman say otherwise.
            ("deadman_seconds", 600),
        ]);
        // Not every test needs the module.
        if !group.slots {
            slots
                .as_ref()
                .map_err(|failure| fail(failure.to_string()))?;
        }
        (test.run)(options)
    };
    match result() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(why)) => {
            println!("{why}");
            ExitCode::FAILURE
        }
        Err(Failure::Skipped(why)) => {
            println!("{why}");
            ExitCode::from(SKIPPED)
        }
    }
}

/// Runs the tests; whether all passed.
pub fn run_all(tests: &[(String, &Test)], options: &Options) -> Outcome<bool> {
    if guest::references().is_none() {
        guest::load()?;
    }
    // What looks in debugfs and tracefs is opened now: a test may lock the kernel down.
    let mut watch = if guest::lockdown()? == "none" {
        Some(Watch::begin()?)
    } else {
        println!(
            "# the kernel is locked down: neither enabled_functions nor leaks can be looked at"
        );
        None
    };
    if !target::is_loaded("rt_target") {
        target::load(options, "rt_target", "")?;
    }
    let mut enabled_now = || {
        let watch = watch.as_mut();
        watch.map_or(Ok(String::new()), |watch| watch.enabled.now())
    };
    let mut log = KernelLog::from_now()?;
    let mut ktap = Ktap::begin(io::stdout().lock(), tests.len() + AFTERWARDS.len())?;
    for (name, _) in tests {
        let begun = Instant::now();
        let (before, held) = (enabled_now()?, guest::references());
        let (mut verdict, mut text) = run_in_child(name, options)?;
        let mut accuse = |why: String| {
            text.push_str(&why);
            text.push('\n');
            verdict = Verdict::Failed;
        };
        let after = enabled_now()?;
        if after != before {
            accuse(format!(
                "enabled_functions changed:\nbefore:\n{before}after:\n{after}"
            ));
        }
        // What a stub followed, it looks for ten times a second.
        let left = || Ok(guest::references() <= held);
        let _ = waiting::until(left, guest::say_references);
        if guest::references() != Some(0) {
            accuse(guest::say_references());
        }
        if let Some(splat) = log.new_splat()? {
            accuse(format!("the kernel says:\n{}", splat.join("\n")));
        }
        let shown = !matches!(verdict, Verdict::Skipped(_));
        if shown && !text.is_empty() {
            ktap.explain(&text)?;
        }
        ktap.result(name, &verdict)?;
        // On the same stream, or the two would run into each other.
        ktap.explain(&format!("{:.1} s: {name}", begun.elapsed().as_secs_f64()))?;
    }
    let [recursion, leak] = AFTERWARDS;
    let (recursed, lost) = match watch {
        Some(mut watch) => (watch.own_recursion()?, watch.lost()?),
        None => (None, None),
    };
    report(&mut ktap, recursion, recursed)?;
    report(&mut ktap, leak, lost)?;
    Ok(ktap.end()?)
}

/// Reports what was found: nothing that can be looked at, or the text of what is wrong.
fn report<W: io::Write>(ktap: &mut Ktap<W>, name: &str, found: Option<String>) -> Outcome {
    let verdict = match found {
        None => Verdict::Skipped("this kernel cannot tell".to_owned()),
        Some(text) if text.is_empty() => Verdict::Passed,
        Some(text) => {
            ktap.explain(&text)?;
            Verdict::Failed
        }
    };
    Ok(ktap.result(name, &verdict)?)
}

/// What is looked at during all tests or after them.
struct Watch {
    enabled: TraceList,
    recursed: Option<TraceList>,
    leaks: Option<Leaks>,
}

impl Watch {
    fn begin() -> Outcome<Self> {
        guest::allow_long_nmis()?;
        Ok(Self {
            enabled: TraceList::enabled_functions()?,
            recursed: TraceList::recursed_functions()?,
            leaks: Leaks::watch()?,
        })
    }

    /// Functions of ours that ftrace was called for while it was busy with them.
    fn own_recursion(&mut self) -> Outcome<Option<String>> {
        let Some(recursed) = &mut self.recursed else {
            return Ok(None);
        };
        let notes = recursed.now()?;
        let ours = |line: &&str| line.contains("[rust_tracer]");
        let lines: Vec<&str> = notes.lines().filter(ours).collect();
        Ok(Some(lines.join("\n")))
    }

    /// What was allocated and lost; the module goes for it, so that it holds nothing by a global.
    fn lost(&mut self) -> Outcome<Option<String>> {
        let Some(leaks) = &mut self.leaks else {
            return Ok(None);
        };
        target::unload("rust_tracer")?;
        let found = leaks.found()?;
        // A kernel that was locked down meanwhile may take none back that nobody has signed.
        if guest::lockdown()? == "none" {
            guest::load()?;
        }
        Ok(Some(found))
    }
}

fn run_in_child(name: &str, options: &Options) -> Outcome<(Verdict, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["one", name]).args(options.to_arguments());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .spawn()?;
    let mut stdout = child
        .stdout
        .take()
        .ok_or_else(|| fail("no pipe to the test"))?;
    let (tell, told) = mpsc::channel();
    // Its words, and the end of its output, are the events that are waited for.
    let reader = thread::spawn(move || {
        let mut bytes = [0; 4096];
        loop {
            let words = stdout
                .read(&mut bytes)
                .map(|length| bytes[..length].to_vec());
            let last = !matches!(&words, Ok(words) if !words.is_empty());
            if tell.send(words).is_err() || last {
                return;
            }
        }
    });
    let mut output = Vec::new();
    let patience = Duration::from_secs(options.patience);
    let stuck = loop {
        match told.recv_timeout(patience) {
            Ok(words) => {
                let words = words?;
                if words.is_empty() {
                    break false;
                }
                output.extend(words);
            }
            Err(_) => break true,
        }
    };
    let mut note = String::new();
    if stuck {
        note = format!(
            "stuck after {} s\n{}",
            options.patience,
            where_is(child.id())
        );
        // With all that it started, which may hold its output open.
        let group = Pid::from_raw(child.id() as i32).ok_or_else(|| fail("no process id"))?;
        kill_process_group(group, Signal::KILL)?;
    }
    let status = child.wait()?;
    if reader.join().is_err() {
        return Err(fail("the reader of a test's output panicked"));
    }
    for words in told.try_iter() {
        output.extend(words?);
    }
    let mut text = String::from_utf8_lossy(&output).into_owned();
    text.push_str(&note);
    let verdict = match status.code() {
        Some(0) if !stuck => Verdict::Passed,
        Some(code) if code == i32::from(SKIPPED) => {
            Verdict::Skipped(text.trim().replace('\n', " "))
        }
        _ => {
            text.push_str(&format!("the test's process: {status}\n"));
            Verdict::Failed
        }
    };
    Ok((verdict, text))
}

/// The kernel stacks of a stuck process's threads.
pub fn where_is(pid: u32) -> String {
    let mut text = String::new();
    if let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) {
        for thread in threads.flatten() {
            let stack = fs::read_to_string(thread.path().join("stack")).unwrap_or_default();
            text.push_str(&format!(
                "{}:\n{stack}",
                thread.file_name().to_string_lossy()
            ));
        }
    }
    text
}
