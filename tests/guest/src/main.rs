// SPDX-License-Identifier: GPL-2.0-only
//! The tests that run in a guest, as root, on the stock kernel with rust_tracer
//! loaded.
//!
//! Each test is a sentence about the module or the tool and runs in a process of
//! its own with a fresh session. At its end the [ledger] must obey its law to the
//! last event, `enabled_functions` must be what it was, nothing may hold the
//! module, and the kernel must not have complained.
//!
//! The sessions and rings here are read by code of their own and not by the library
//! that the tool uses: an error in one must not hide an error in the other.

mod actor;
mod faults;
mod fuzz;
mod guest;
mod ktap;
mod leaks;
mod ledger;
mod options;
mod parameters;
mod program;
mod ring;
mod runner;
mod second_cpu;
mod session;
mod sys;
mod target;
mod test;
mod tests;
mod trace;
mod waiting;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use options::{Command, CommandLine};

fn main() -> ExitCode {
    let mut line = CommandLine::parse();
    match &line.command {
        Some(Command::Fuzz {
            operations,
            seconds,
        }) => {
            line.options.fuzz = match (operations, seconds) {
                (Some(operations), _) => *operations,
                (None, Some(_)) => u64::MAX,
                (None, None) => line.options.fuzz,
            };
            line.options.fuzz_seconds = seconds.unwrap_or(0);
            line.filter = vec![tests::FUZZ.to_owned()];
        }
        Some(Command::Part(part)) => return fuzz::take_part(part, &line.options),
        Some(Command::Inherited { fd }) => return fuzz::inherited(*fd),
        Some(Command::One { name }) => return runner::run_one(&tests::GROUPS, name, &line.options),
        Some(Command::Workload { rounds }) => return workload::main(*rounds),
        Some(Command::Call {
            command,
            dumpable,
            drop,
        }) => return target::call_main(command, *dumpable, *drop),
        Some(Command::Hold {
            cases,
            address,
            subject,
            victim,
        }) => {
            let world = tests::World {
                address: *address,
                subject: *subject,
                victim: *victim,
            };
            return tests::hold_main(cases, world);
        }
        None => {}
    }
    let wanted: Vec<_> = tests::GROUPS
        .iter()
        .flat_map(|group| {
            group
                .tests
                .iter()
                .map(|test| (runner::full_name(group, test), test))
        })
        .filter(|(name, _)| {
            let matches = |glob: &String| sys::glob_matches(glob, name);
            (line.filter.is_empty() || line.filter.iter().any(matches))
                && !line.skip.iter().any(matches)
        })
        .collect();
    if line.list {
        for (name, _) in &wanted {
            println!("{name}");
        }
        return ExitCode::SUCCESS;
    }
    match runner::run_all(&wanted, &line.options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("rt-guest-tests: {failure}");
            println!("Bail out! {failure}");
            ExitCode::FAILURE
        }
    }
}
