// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Tests of the rust_tracer module in a guest; prints KTAP
#[derive(Debug, Parser)]
#[command(version)]
pub struct CommandLine {
    /// What else to do than test
    #[command(subcommand)]
    pub command: Option<Command>,
    /// List the tests
    #[arg(long)]
    pub list: bool,
    /// Run only the tests whose name matches this glob
    #[arg(long, value_name = "GLOB")]
    pub filter: Option<String>,
    /// How the tests run
    #[command(flatten)]
    pub options: Options,
}

/// What the tests need to know.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where rt_target.ko and rt_late.ko are [default: beside this program]
    #[arg(long, global = true, value_name = "DIR")]
    pub modules: Option<PathBuf>,
    /// How many events go through the session of the volume test
    #[arg(long, global = true, value_name = "N", default_value_t = 10_000_000)]
    pub events: u64,
    /// How long the load on every function of the kernel lasts
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub load: u64,
    /// How many hostile ioctls the fuzzing test makes
    #[arg(long, global = true, value_name = "N", default_value_t = 3_000)]
    pub fuzz: u64,
    /// The seed of all that is random
    #[arg(long, global = true, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// After how many seconds a test counts as stuck
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 300)]
    pub patience: u64,
}

/// What this program does besides testing.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one test in this process (what the tests run in, one by one)
    One {
        /// Its full name
        name: String,
    },
    /// Exercise files, processes and the network on loopback
    Workload {
        /// How many rounds
        #[arg(default_value_t = 1)]
        rounds: u64,
    },
}

impl Options {
    /// The same, as a command line.
    pub fn to_arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--events={}", self.events),
            format!("--load={}", self.load),
            format!("--fuzz={}", self.fuzz),
            format!("--seed={}", self.seed),
            format!("--patience={}", self.patience),
        ];
        if let Some(modules) = &self.modules {
            arguments.push(format!("--modules={}", modules.display()));
        }
        arguments
    }
}
