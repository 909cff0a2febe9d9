// SPDX-License-Identifier: GPL-2.0-only
//! Runs each test in a process of its own, so that none sees what another left,
//! and looks at the guest before and after it.

#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::guest::{self, KernelLog};
use crate::ktap::{Ktap, Verdict};
use crate::options::Options;
use crate::target;
use crate::test::{Failure, Group, Outcome, Test, fail};

/// The exit status of a test that this guest cannot show.
const SKIPPED: u8 = 4;

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
                .map(move |test| (full_name(group, test), test))
        })
        .find(|(full, _)| full == name);
    let Some((_, test)) = found else {
        println!("there is no test with this name");
        return ExitCode::FAILURE;
    };
    match (test.run)(options) {
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
        let status = Command::new("modprobe").arg("rust_tracer").status()?;
        if !status.success() {
            return Err(fail(format!("modprobe rust_tracer: {status}")));
        }
    }
    guest::allow_long_nmis()?;
    if !target::is_loaded("rt_target") {
        target::load(options, "rt_target", "")?;
    }
    let mut log = KernelLog::from_now()?;
    let mut ktap = Ktap::begin(io::stdout().lock(), tests.len())?;
    for (name, _) in tests {
        let begun = Instant::now();
        let before = guest::enabled_functions()?;
        let (mut verdict, mut text) = run_in_child(name, options)?;
        let mut accuse = |why: String| {
            text.push_str(&why);
            text.push('\n');
            verdict = Verdict::Failed;
        };
        let after = guest::enabled_functions()?;
        if after != before {
            accuse(format!(
                "enabled_functions changed:\nbefore:\n{before}after:\n{after}"
            ));
        }
        if guest::references() != Some(0) {
            accuse(format!(
                "the module's references: {:?}",
                guest::references()
            ));
        }
        if let Some(splat) = log.new_splat()? {
            accuse(format!("the kernel says:\n{}", splat.join("\n")));
        }
        let shown = !matches!(verdict, Verdict::Skipped(_));
        if shown && !text.is_empty() {
            ktap.explain(&text)?;
        }
        ktap.result(name, &verdict)?;
        eprintln!("{:8.1} s  {name}", begun.elapsed().as_secs_f64());
    }
    Ok(ktap.end()?)
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
    // The end of the test's output is the event that is waited for.
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let result = stdout.read_to_string(&mut text);
        let _ = tell.send(());
        result.map(|_| text)
    });
    let stuck = told
        .recv_timeout(Duration::from_secs(options.patience))
        .is_err();
    let mut note = String::new();
    if stuck {
        note = format!("stuck after {} s\n{}", options.patience, where_is(&child));
        // With all that it started, which may hold its output open.
        let group = Pid::from_raw(child.id() as i32).ok_or_else(|| fail("no process id"))?;
        kill_process_group(group, Signal::KILL)?;
    }
    let status = child.wait()?;
    let mut text = match reader.join() {
        Ok(text) => text?,
        Err(_) => return Err(fail("the reader of a test's output panicked")),
    };
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

/// The kernel stacks of a stuck test's threads.
fn where_is(child: &Child) -> String {
    let mut text = String::new();
    if let Ok(threads) = fs::read_dir(format!("/proc/{}/task", child.id())) {
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
