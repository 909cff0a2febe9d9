// SPDX-License-Identifier: GPL-2.0-only
//! The command line.

#![forbid(unsafe_code)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::fuzz::Part;

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
    /// Run only the tests whose name matches this glob; may be given many times
    #[arg(long, value_name = "GLOB")]
    pub filter: Vec<String>,
    /// Leave out the tests whose name matches this glob; may be given many times
    #[arg(long, value_name = "GLOB")]
    pub skip: Vec<String>,
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
    /// How many records of each node that shows no data are looked at byte by byte
    #[arg(long, global = true, value_name = "N", default_value_t = 1_000_000)]
    pub scan: u64,
    /// How long the load on every function of the kernel lasts
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub load: u64,
    /// How long the load on the return of every function lasts, for each program
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 10)]
    pub stub_load: u64,
    /// How many hostile operations the fuzzing test makes
    #[arg(long, global = true, value_name = "N", default_value_t = 200_000)]
    pub fuzz: u64,
    /// How many random programs are loaded
    #[arg(long, global = true, value_name = "N", default_value_t = 50_000)]
    pub programs: u64,
    /// After how many seconds the fuzzing test has made enough [default: never]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 0,
        hide = true
    )]
    pub fuzz_seconds: u64,
    /// How often a CPU goes and comes while it is traced
    #[arg(long, global = true, value_name = "N", default_value_t = 500)]
    pub hotplugs: u64,
    /// How often the module is loaded and unloaded while functions are called
    #[arg(long, global = true, value_name = "N", default_value_t = 1_000)]
    pub reloads: u64,
    /// How much is made of what is repeated without an option of its own, in percent
    #[arg(long, global = true, value_name = "PERCENT", default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub share: u64,
    /// How long what hides nothing is all at work at once, beside `rtctl check`
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60)]
    pub innocent: u64,
    /// The seed of all that is random
    #[arg(long, global = true, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// After how many seconds without a word a test counts as stuck
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 300)]
    pub patience: u64,
}

/// What this program does besides testing.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a command to /dev/rt_target, open as standard input (what set-id programs do)
    Call {
        /// The command
        command: String,
        /// Be dumpable, which a set-id program is not
        #[arg(long)]
        dumpable: bool,
        /// Give up all that was gained, first
        #[arg(long)]
        drop: bool,
    },
    /// Carry out cases of the access matrix on descriptors that were inherited
    Hold {
        /// OPERATION:DESCRIPTOR
        cases: Vec<String>,
        /// A kernel address
        #[arg(long)]
        address: u64,
        /// The id of a published session
        #[arg(long)]
        subject: u64,
        /// The id of a session that is not
        #[arg(long)]
        victim: u64,
    },
    /// Run one test in this process (what the tests run in, one by one)
    One {
        /// Its full name
        name: String,
    },
    /// Be hostile at random for a while, beside honest sessions
    Fuzz {
        /// How many operations [default: those of --fuzz, or no limit with --seconds]
        #[arg(long, value_name = "N")]
        operations: Option<u64>,
        /// After how many seconds it is enough
        #[arg(long, value_name = "S")]
        seconds: Option<u64>,
    },
    /// Be one process of the fuzzing test
    #[command(hide = true)]
    Part(Part),
    /// Try to change an inherited session
    #[command(hide = true)]
    Inherited {
        /// Its descriptor
        fd: i32,
    },
    /// Exercise files, processes and the network on loopback
    Workload {
        /// How many rounds
        #[arg(default_value_t = 1)]
        rounds: u64,
    },
}

impl Options {
    /// How often is made what is to be made so often: at least twice, so that there is a next one.
    pub fn share_of(&self, times: u64) -> u64 {
        (times * self.share / 100).max(2)
    }

    /// These options, as a command line.
    pub fn to_arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--events={}", self.events),
            format!("--scan={}", self.scan),
            format!("--load={}", self.load),
            format!("--stub-load={}", self.stub_load),
            format!("--fuzz={}", self.fuzz),
            format!("--fuzz-seconds={}", self.fuzz_seconds),
            format!("--hotplugs={}", self.hotplugs),
            format!("--programs={}", self.programs),
            format!("--reloads={}", self.reloads),
            format!("--share={}", self.share),
            format!("--innocent={}", self.innocent),
            format!("--seed={}", self.seed),
            format!("--patience={}", self.patience),
        ];
        if let Some(modules) = &self.modules {
            arguments.push(format!("--modules={}", modules.display()));
        }
        arguments
    }
}
