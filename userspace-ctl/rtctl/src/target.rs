// SPDX-License-Identifier: GPL-2.0-only
//! The processes of `-c` and `-p`: when the last of them ends, so does the trace.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;

use anyhow::{Result, anyhow};
use rust_tracer::child::{Held, Process, Setting};

use crate::access::plain;

/// The processes before the trace runs.
#[derive(Debug, Default)]
pub struct Targets {
    held: Vec<(String, Held)>,
    grabbed: Vec<Process>,
}

impl Targets {
    /// Takes hold of the running processes, and starts the commands, in our environment but for these
    /// settings, up to their exec.
    pub fn take(commands: &[String], pids: &[i32], settings: &[Setting]) -> Result<Self> {
        let grabbed = pids
            .iter()
            .map(|&pid| {
                Process::grab(pid)
                    .map_err(|error| anyhow!("failed to grab pid {pid}: {}", plain(&error)))
            })
            .collect::<Result<_>>()?;
        let held = commands
            .iter()
            .map(|command| hold(command, settings))
            .collect::<Result<_>>()?;
        Ok(Self { held, grabbed })
    }

    /// The process to narrow to, if there is exactly one.
    pub fn only(&self) -> Option<i32> {
        match (&self.held[..], &self.grabbed[..]) {
            ([(_, held)], []) => Some(held.pid()),
            ([], [process]) => Some(process.pid()),
            _ => None,
        }
    }

    /// Lets the commands run; none of them, if one cannot.
    pub fn release(self) -> Result<Vec<Process>> {
        let mut processes = self.grabbed;
        for (program, held) in self.held {
            match held.release() {
                Ok(process) => processes.push(process),
                Err(error) => {
                    processes.iter().for_each(Process::terminate);
                    return Err(anyhow!("failed to execute {program}: {}", plain(&error)));
                }
            }
        }
        Ok(processes)
    }
}

/// Takes a command apart at blanks, as dtrace does, but where quotes say otherwise; quotes that do not
/// close say nothing.
fn split(command: &str) -> Vec<String> {
    let blanks = || {
        command
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect()
    };
    shlex::split(command).unwrap_or_else(blanks)
}

fn hold(command: &str, settings: &[Setting]) -> Result<(String, Held)> {
    let words = split(command);
    let (program, args) = words
        .split_first()
        .ok_or_else(|| anyhow!("failed to execute '{command}': there is no command in it"))?;
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let held = Held::spawn(OsStr::new(program), &args, settings)
        .map_err(|error| anyhow!("failed to execute {program}: {}", plain(&error)))?;
    Ok((program.clone(), held))
}

/// How a process ended, in dtrace's words.
pub fn epitaph(process: &mut Process) -> String {
    let pid = process.pid();
    let Some(status) = process.status() else {
        return format!("pid {pid} has exited");
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = signal_hook::low_level::signal_name(signal);
            let name = name.map_or_else(|| format!("signal {signal}"), str::to_owned);
            format!("pid {pid} terminated by {name}")
        }
        (None, Some(code)) if code != 0 => format!("pid {pid} exited with status {code}"),
        _ => format!("pid {pid} has exited"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &str) -> Result<String> {
        let mut processes = Targets::take(&[command.to_owned()], &[], &[])?.release()?;
        let pid = processes[0].pid().to_string();
        Ok(epitaph(&mut processes[0]).replace(&pid, "N"))
    }

    #[test]
    fn the_end_is_told_in_dtraces_words() {
        assert_eq!(run("true").unwrap(), "pid N has exited");
        assert_eq!(run("sh -c 'exit 3'").unwrap(), "pid N exited with status 3");
        assert_eq!(
            run("sh -c \"kill -9 \\$\\$\"").unwrap(),
            "pid N terminated by SIGKILL"
        );
    }

    #[test]
    fn a_command_that_cannot_run_is_told_by_name() {
        assert_eq!(
            run("/no/such/command -x").unwrap_err().to_string(),
            "failed to execute /no/such/command: No such file or directory"
        );
        assert_eq!(
            run("  ").unwrap_err().to_string(),
            "failed to execute '  ': there is no command in it"
        );
    }

    #[test]
    fn where_one_of_several_commands_cannot_run_none_does() {
        let commands = ["sleep 1000", "/no/such/command"].map(str::to_owned);
        let targets = Targets::take(&commands, &[], &[]).unwrap();
        let pid = targets.held[0].1.pid();
        assert!(targets.release().is_err());
        // It was never waited for: it is gone, or what is left of it.
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.contains("(sleep) ") && !stat.contains(") Z ")
        };
        while runs() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_command_is_split_at_blanks_but_in_quotes() {
        assert_eq!(split("a 'b c'  d\\ e"), ["a", "b c", "d e"]);
        assert_eq!(split("echo it's  \ta\n"), ["echo", "it's", "a"]);
        assert_eq!(run("echo it's").unwrap(), "pid N has exited");
    }

    #[test]
    fn a_process_that_is_not_there_cannot_be_grabbed() {
        assert_eq!(
            Targets::take(&[], &[-5], &[]).unwrap_err().to_string(),
            "failed to grab pid -5: No such process"
        );
    }

    #[test]
    fn one_target_is_the_only_one() {
        let me = std::process::id() as i32;
        assert_eq!(Targets::take(&[], &[me], &[]).unwrap().only(), Some(me));
        assert_eq!(Targets::take(&[], &[me, me], &[]).unwrap().only(), None);
        assert_eq!(Targets::default().only(), None);
        let both = Targets::take(&["true".to_owned(), "true".to_owned()], &[], &[]).unwrap();
        assert_eq!(both.only(), None);
        assert_eq!(both.release().unwrap().len(), 2);
    }
}
