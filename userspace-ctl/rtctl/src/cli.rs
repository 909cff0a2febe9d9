// SPDX-License-Identifier: GPL-2.0-only
//! The command line: what dtrace(1) takes, by the letters it has there.
//!
//! The manual page and the shell completions are made from this definition, so
//! the texts below are the documentation.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum};
use rust_tracer::Node;

use crate::spec::Field;

/// In which form records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns, as dtrace(1).
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Trace kernel functions, with the habits of dtrace(1).
///
/// Probes are named provider:module:function:name. A field may be empty, which matches anything,
/// or a glob of * ? [a-z] [!a-z]. With fewer fields the last ones are meant. The provider is fbt,
/// the module vmlinux or the name of a loaded module, the name entry or return.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "rtctl",
    disable_version_flag = true,
    arg_required_else_help = true,
    override_usage = "rtctl [OPTIONS] {-P PROVIDER | -m MODULE | -f FUNCTION | -n PROBE}...\n       \
                      rtctl -l [OPTIONS] [-P PROVIDER | -m MODULE | -f FUNCTION | -n PROBE]..."
)]
pub struct Args {
    /// Enable or list the probes of this description: [[[provider:]module:]function:]name
    #[arg(short = 'n', value_name = "PROBE", help_heading = "Probes")]
    pub name: Vec<String>,

    /// Enable or list the probes of this function: [[provider:]module:]function
    #[arg(short = 'f', value_name = "FUNCTION", help_heading = "Probes")]
    pub function: Vec<String>,

    /// Enable or list the probes of this module: [provider:]module
    #[arg(short = 'm', value_name = "MODULE", help_heading = "Probes")]
    pub module: Vec<String>,

    /// Enable or list the probes of this provider
    #[arg(short = 'P', value_name = "PROVIDER", help_heading = "Probes")]
    pub provider: Vec<String>,

    /// Accept descriptions that match no probe (yet)
    #[arg(short = 'Z', help_heading = "Probes")]
    pub zero: bool,

    /// List probes instead of enabling them; with -v also how they would be attached, other names,
    /// and what cannot be traced and why
    #[arg(short = 'l', help_heading = "Probes")]
    pub list: bool,

    /// Run a command, and trace until it ends; the trace is running before the command is
    #[arg(short = 'c', value_name = "COMMAND", help_heading = "Processes")]
    pub command: Option<String>,

    /// Trace until this process ends; may be given several times
    #[arg(short = 'p', value_name = "PID", help_heading = "Processes")]
    pub pid: Vec<i32>,

    /// Narrow the trace, in the kernel, to the process of -c or -p and its descendants
    #[arg(long, help_heading = "Processes")]
    pub target_only: bool,

    /// Say more: time, process, thread, context, arguments, return value, elapsed time
    #[arg(short = 'v', help_heading = "Output")]
    pub verbose: bool,

    /// Print no columns and no messages but errors and drops
    #[arg(short = 'q', help_heading = "Output")]
    pub quiet: bool,

    /// Indent by the depth of calls, for each thread
    #[arg(short = 'F', help_heading = "Output")]
    pub flow: bool,

    /// Append the output to a file
    #[arg(short = 'o', value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// The form of the output
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub format: Format,

    /// Bytes of buffer per CPU, with suffix k, m or g; the same as -x bufsize=SIZE
    #[arg(short = 'b', value_name = "SIZE", help_heading = "Recording")]
    pub bufsize: Option<String>,

    /// Set an option: bufsize=SIZE, bufpolicy=switch|fill|ring, bufresize=auto|manual,
    /// switchrate=RATE, watermark=SIZE, frames=COUNT, quiet, flowindent
    #[arg(short = 'x', value_name = "OPTION[=VALUE]", help_heading = "Recording")]
    pub option: Vec<String>,

    /// The device node to use [default: the most privileged that opens]
    #[arg(long, value_name = "kernel|system|user", help_heading = "Recording")]
    pub node: Option<Node>,

    /// Exit when the probes are found, without tracing
    #[arg(short = 'e', help_heading = "Recording")]
    pub exit: bool,

    /// Permit destructive actions: accepted, and there are none
    #[arg(short = 'w', help_heading = "Recording")]
    pub destructive: bool,

    /// Read a D program: not yet
    #[arg(short = 's', value_name = "FILE", hide = true)]
    pub script: Option<PathBuf>,

    /// Print the version
    #[arg(short = 'V', action = ArgAction::SetTrue)]
    pub version: bool,
}

impl Args {
    /// Takes a command line apart; the descriptions come in the order in which they
    /// were given.
    pub fn parse_from_line<I>(line: I) -> Result<(Self, Vec<(Field, String)>), clap::Error>
    where
        I: IntoIterator<Item: Into<OsString> + Clone>,
    {
        let matches = Self::command().try_get_matches_from(line)?;
        let args = Self::from_arg_matches(&matches)?;
        let specs = in_order(
            &matches,
            [
                ("provider", Field::Provider, &args.provider),
                ("module", Field::Module, &args.module),
                ("function", Field::Function, &args.function),
                ("name", Field::Name, &args.name),
            ],
        );
        args.check()?;
        Ok((args, specs))
    }

    /// What clap cannot express.
    fn check(&self) -> Result<(), clap::Error> {
        let usage = |message: &str| {
            Self::command().error(clap::error::ErrorKind::ArgumentConflict, message)
        };
        let targets = self.pid.len() + usize::from(self.command.is_some());
        if self.target_only && targets != 1 {
            return Err(usage(
                "--target-only narrows to one process: give one -c or one -p",
            ));
        }
        if self.list && (targets != 0 || self.exit) {
            return Err(usage("-l only lists: it goes with none of -c, -p and -e"));
        }
        let probes = [&self.name, &self.function, &self.module, &self.provider];
        let none = probes.iter().all(|probes| probes.is_empty());
        if none && !self.list && !self.version && self.script.is_none() {
            return Err(usage(
                "no probes specified: name some with -n, -f, -m or -P, or list them with -l",
            ));
        }
        Ok(())
    }
}

fn in_order(
    matches: &ArgMatches,
    options: [(&str, Field, &Vec<String>); 4],
) -> Vec<(Field, String)> {
    let mut specs = Vec::new();
    for (id, field, values) in options {
        let indices = matches.indices_of(id).into_iter().flatten();
        specs.extend(
            indices
                .zip(values)
                .map(|(at, value)| (at, field, value.clone())),
        );
    }
    specs.sort_by_key(|(at, ..)| *at);
    specs
        .into_iter()
        .map(|(_, field, value)| (field, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<(Args, Vec<(Field, String)>), clap::Error> {
        Args::parse_from_line(std::iter::once("rtctl").chain(line.iter().copied()))
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn short_flags_combine_and_take_attached_values() {
        let (args, specs) = parse(&["-qvFn", "fbt::vfs_read:entry", "-ccat /etc/passwd"]).unwrap();
        assert!(args.quiet && args.verbose && args.flow);
        assert_eq!(args.command.as_deref(), Some("cat /etc/passwd"));
        assert_eq!(specs, [(Field::Name, "fbt::vfs_read:entry".into())]);
    }

    #[test]
    fn descriptions_keep_their_order() {
        let (_, specs) = parse(&["-n", "a", "-f", "b", "-n", "c", "-P", "d", "-m", "e"]).unwrap();
        let order: String = specs.iter().map(|(_, spec)| spec.as_str()).collect();
        assert_eq!(order, "abcde");
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for line in [
            &["-q"][..],
            &["-n", "x", "--target-only"],
            &["-n", "x", "--target-only", "-p", "1", "-p", "2"],
            &["-l", "-p", "1"],
            &["-n", "x", "--node", "root"],
            &["-n", "x", "--format", "xml"],
            &["-n", "x", "-y"],
            &["-n"],
            &[],
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
    }
}
