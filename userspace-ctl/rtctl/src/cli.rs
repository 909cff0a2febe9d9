// SPDX-License-Identifier: GPL-2.0-only
//! The command line: what dtrace(1) takes, by the letters it has there.
//!
//! The manual page and the shell completions are made from this definition, so
//! the texts below are the documentation. What dtrace(1) has no letter for are
//! subcommands.

mod task;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum};
use rust_tracer::Node;

use crate::spec::Field;

pub use task::{Observing, Task};

/// In which form records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns, as dtrace(1).
    #[default]
    Text,
    /// JSON, an object a line.
    Json,
}

/// Trace kernel functions with D programs, and the habits of dtrace(1).
///
/// Probes are named provider:module:function:name. A field may be empty, which matches anything,
/// or a glob of * ? [a-z] [!a-z]. With fewer fields the last ones are meant. Providers are fbt (the
/// module is vmlinux or the name of a loaded one, the name entry or return), syscall, dtrace (BEGIN,
/// END, ERROR) and profile (tick-N, profile-N). A description may be followed by a predicate and
/// statements: '/execname == "ls"/ { @[probefunc] = count(); }'.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "rtctl",
    disable_version_flag = true,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    subcommand_help_heading = "Instead of tracing",
    override_usage = "rtctl [OPTIONS] {-P PROVIDER | -m MODULE | -f FUNCTION | -n PROBE | -i ID | -s SCRIPT}... [ARGUMENT]...\n       \
                      rtctl -l [OPTIONS] [-P PROVIDER | -m MODULE | -f FUNCTION | -n PROBE | -i ID | -s SCRIPT]...\n       \
                      rtctl {sessions | revoke | observe | doctor | check | hooks | verify} ..."
)]
pub struct Args {
    /// Enable or list the probes of this description: [[[provider:]module:]function:]name
    #[arg(
        short = 'n',
        value_name = "PROBE",
        allow_hyphen_values = true,
        help_heading = "Probes"
    )]
    pub name: Vec<String>,

    /// Enable or list the probes of this function: [[provider:]module:]function
    #[arg(
        short = 'f',
        value_name = "FUNCTION",
        allow_hyphen_values = true,
        help_heading = "Probes"
    )]
    pub function: Vec<String>,

    /// Enable or list the probes of this module: [provider:]module
    #[arg(
        short = 'm',
        value_name = "MODULE",
        allow_hyphen_values = true,
        help_heading = "Probes"
    )]
    pub module: Vec<String>,

    /// Enable or list the probes of this provider
    #[arg(
        short = 'P',
        value_name = "PROVIDER",
        allow_hyphen_values = true,
        help_heading = "Probes"
    )]
    pub provider: Vec<String>,

    /// Enable or list the probe of this id, as -l lists it; predicate and statements may follow
    #[arg(
        short = 'i',
        value_name = "ID",
        allow_hyphen_values = true,
        help_heading = "Probes"
    )]
    pub id: Vec<String>,

    /// Run a D program; - is standard input
    #[arg(
        short = 's',
        value_name = "SCRIPT",
        allow_hyphen_values = true,
        help_heading = "Programs"
    )]
    pub script: Vec<String>,

    /// Run programs through the C preprocessor first
    #[arg(short = 'C', help_heading = "Programs")]
    pub preprocess: bool,

    /// Define a macro for the preprocessor
    #[arg(short = 'D', value_name = "NAME[=VALUE]", help_heading = "Programs")]
    pub define: Vec<String>,

    /// Undefine a macro for the preprocessor
    #[arg(short = 'U', value_name = "NAME", help_heading = "Programs")]
    pub undefine: Vec<String>,

    /// Look for the files that programs include in this directory
    #[arg(short = 'I', value_name = "DIRECTORY", help_heading = "Programs")]
    pub include: Vec<String>,

    /// Read the libraries in this directory: its files *.d, with declarations for all programs
    #[arg(short = 'L', value_name = "DIRECTORY", help_heading = "Programs")]
    pub library: Vec<String>,

    /// Show the files that programs include
    #[arg(short = 'H', help_heading = "Programs")]
    pub headers: bool,

    /// How strictly the preprocessor takes C: with s, __STDC__ is not defined
    #[arg(short = 'X', value_name = "a|c|s|t", help_heading = "Programs")]
    #[arg(value_parser = ["a", "c", "s", "t"])]
    pub standard: Option<String>,

    /// -64: programs are for 64 bits, as they always are
    #[arg(short = '6', value_name = "4", help_heading = "Programs")]
    #[arg(value_parser = ["4"])]
    pub model: Option<String>,

    /// Show the bytecode of programs
    #[arg(short = 'S', help_heading = "Programs")]
    pub show: bool,

    /// What programs know as $1, $2 and so on
    #[arg(value_name = "ARGUMENT", help_heading = "Programs")]
    pub arguments: Vec<String>,

    /// Accept descriptions that match no probe (yet)
    #[arg(short = 'Z', help_heading = "Probes")]
    pub zero: bool,

    /// List probes instead of enabling them; with -v also how they would be attached, other names,
    /// and what cannot be traced and why
    #[arg(short = 'l', help_heading = "Probes")]
    pub list: bool,

    /// Run a command, and trace until it ends; the trace is running before the command is. May be given several times
    #[arg(
        short = 'c',
        value_name = "COMMAND",
        allow_hyphen_values = true,
        help_heading = "Processes"
    )]
    pub command: Vec<String>,

    /// Trace until this process ends; may be given several times
    #[arg(short = 'p', value_name = "PID", help_heading = "Processes")]
    pub pid: Vec<i32>,

    /// Narrow the trace, in the kernel, to the process of -c or -p and its descendants
    #[arg(long, help_heading = "Processes")]
    pub target_only: bool,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub printing: Printing,

    /// Bytes of buffer per CPU, with suffix k, m or g; the same as -x bufsize=SIZE
    #[arg(
        short = 'b',
        value_name = "SIZE",
        allow_hyphen_values = true,
        help_heading = "Recording"
    )]
    pub bufsize: Option<String>,

    /// Set an option: bufsize=SIZE, bufpolicy=switch|fill|ring, bufresize=auto|manual,
    /// switchrate=RATE, watermark=SIZE, frames=COUNT, attach=WAY, publish=NAME, chain=on|off|FILE,
    /// quiet, flowindent, rawaddr, or one of DTrace's for programs: aggsize, strsize and the others
    #[arg(
        short = 'x',
        value_name = "OPTION[=VALUE]",
        allow_hyphen_values = true,
        help_heading = "Recording"
    )]
    pub option: Vec<String>,

    /// The device node to use [default: the most privileged that opens]
    #[arg(long, value_name = "kernel|system|user", help_heading = "Recording")]
    pub node: Option<Node>,

    /// Exit when programs are compiled and the probes are found, without tracing
    #[arg(short = 'e', help_heading = "Recording")]
    pub exit: bool,

    /// Permit destructive actions: freopen(), there are no others
    #[arg(short = 'w', help_heading = "Recording")]
    pub destructive: bool,

    /// Print the version
    #[arg(short = 'V', action = ArgAction::SetTrue)]
    pub version: bool,

    #[command(subcommand)]
    #[allow(missing_docs)]
    pub task: Option<Task>,
}

/// How records are printed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Printing {
    /// Say more: time, process, thread, context, arguments, return value, elapsed time; with a program
    /// nothing more
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
}

impl Args {
    /// Takes a command line apart; the descriptions come in the order in which they
    /// were given.
    pub fn parse_from_line<I>(line: I) -> Result<(Self, Vec<(Origin, String)>), clap::Error>
    where
        I: IntoIterator<Item: Into<OsString> + Clone>,
    {
        let matches = Self::command().try_get_matches_from(line)?;
        let args = Self::from_arg_matches(&matches)?;
        let specs = in_order(
            &matches,
            [
                ("provider", Origin::Field(Field::Provider), &args.provider),
                ("module", Origin::Field(Field::Module), &args.module),
                ("function", Origin::Field(Field::Function), &args.function),
                ("name", Origin::Field(Field::Name), &args.name),
                ("id", Origin::Id, &args.id),
                ("script", Origin::Script, &args.script),
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
        let targets = self.pid.len() + self.command.len();
        if self.target_only && targets != 1 {
            return Err(usage(
                "--target-only narrows to one process: give one -c or one -p",
            ));
        }
        let probes = [
            &self.name,
            &self.function,
            &self.module,
            &self.provider,
            &self.id,
            &self.script,
        ];
        let none = probes.iter().all(|probes| probes.is_empty());
        let other = self.list || self.version || self.task.is_some();
        if none && !other {
            return Err(usage(
                "no probes specified: name some with -n, -f, -m, -P, -i or -s, or list them with -l",
            ));
        }
        Ok(())
    }
}

/// Where a program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `-P`, `-m`, `-f`, `-n`
    Field(Field),
    /// `-i`
    Id,
    /// `-s`
    Script,
    /// A file of `-L`
    Library,
}

fn in_order(
    matches: &ArgMatches,
    options: [(&str, Origin, &Vec<String>); 6],
) -> Vec<(Origin, String)> {
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

    fn parse(line: &[&str]) -> Result<(Args, Vec<(Origin, String)>), clap::Error> {
        Args::parse_from_line(std::iter::once("rtctl").chain(line.iter().copied()))
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn short_flags_combine_and_take_attached_values() {
        let (args, specs) = parse(&["-qvFn", "fbt::vfs_read:entry", "-ccat /etc/passwd"]).unwrap();
        let Printing {
            quiet,
            verbose,
            flow,
            ..
        } = args.printing;
        assert!(quiet && verbose && flow);
        assert_eq!(args.command, ["cat /etc/passwd"]);
        assert_eq!(
            specs,
            [(Origin::Field(Field::Name), "fbt::vfs_read:entry".into())]
        );
    }

    #[test]
    fn what_is_said_twice_counts_as_in_getopt() {
        let line = [
            "-q", "-qC", "-C", "-b4m", "-b", "8m", "-n", "BEGIN", "-c", "a", "-c", "b", "-DX",
            "-DY",
        ];
        let (args, specs) = parse(&line).unwrap();
        assert!(args.printing.quiet && args.preprocess);
        assert_eq!(args.bufsize.as_deref(), Some("8m"));
        assert_eq!(args.command, ["a", "b"]);
        assert_eq!(args.define, ["X", "Y"]);
        assert_eq!(specs.len(), 1);
        assert!(parse(&["-D", "X", "-n", "BEGIN"]).is_ok());
    }

    #[test]
    fn what_follows_an_option_with_a_value_is_its_value_as_in_getopt() {
        let (args, specs) =
            parse(&["-i", "-3", "-n", "-v", "-s", "-", "-x", "-q", "-b", "-1"]).unwrap();
        let texts: Vec<_> = specs.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["-3", "-v", "-"]);
        assert_eq!(
            (args.option, args.bufsize),
            (vec!["-q".into()], Some("-1".into()))
        );
        assert!(!args.printing.verbose && !args.printing.quiet);
        // Behind the value there are options again.
        let (args, specs) = parse(&["-l", "-n", "foo", "-v", "-P", "fbt", "bar"]).unwrap();
        assert!(args.list && args.printing.verbose);
        assert_eq!((specs.len(), args.arguments), (2, vec!["bar".into()]));
        assert!(parse(&["-n"]).is_err());
    }

    #[test]
    fn what_only_lists_may_have_targets_as_dtrace_has_it() {
        for more in [&["-p", "1"][..], &["-c", "date"], &["-e"]] {
            let line = [&["-l", "-n", "BEGIN"], more].concat();
            assert!(parse(&line).is_ok(), "{line:?}");
        }
    }

    #[test]
    fn descriptions_keep_their_order() {
        let (_, specs) = parse(&["-n", "a", "-f", "b", "-n", "c", "-P", "d", "-m", "e"]).unwrap();
        let order: String = specs.iter().map(|(_, spec)| spec.as_str()).collect();
        assert_eq!(order, "abcde");
    }

    #[test]
    fn subcommands_take_what_they_need() {
        let task = |line: &[&str]| parse(line).unwrap().0.task;
        assert!(matches!(
            task(&["sessions", "--format", "json"]),
            Some(Task::Sessions {
                format: Format::Json
            })
        ));
        assert!(matches!(
            task(&["revoke", "3", "4"]),
            Some(Task::Revoke { ids, user: None }) if ids == [3, 4]
        ));
        assert!(matches!(
            task(&["revoke", "--user", "bob"]),
            Some(Task::Revoke { ids, user: Some(user) }) if ids.is_empty() && user == "bob"
        ));
        let Some(Task::Observe(observing)) = task(&["observe", "-vq", "--node=user", "reads"])
        else {
            panic!("not observe");
        };
        assert_eq!(observing.subject, "reads");
        assert_eq!(observing.node, Some(Node::User));
        assert!(observing.printing.verbose && observing.printing.quiet);
        assert!(matches!(
            task(&["doctor"]),
            Some(Task::Doctor {
                format: Format::Text
            })
        ));
        let Some(Task::Check(checking)) = task(&["check", "--json", "--for", "500ms", "text", "3"])
        else {
            panic!("not check");
        };
        assert_eq!(checking.checks, ["text", "3"]);
        assert!(checking.json && !checking.watch && checking.time.as_millis() == 500);
        assert!(matches!(
            task(&["hooks", "vfs_*"]),
            Some(Task::Hooks(hooking)) if hooking.pattern.as_deref() == Some("vfs_*")
        ));
        assert!(matches!(
            task(&["verify", "out", "--digest", "00"]),
            Some(Task::Verify(verifying)) if verifying.digest.as_deref() == Some("00")
        ));
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for line in [
            &["-q"][..],
            &["-n", "x", "--target-only"],
            &["-n", "x", "--target-only", "-p", "1", "-p", "2"],
            &["-n", "x", "--node", "root"],
            &["-n", "x", "--format", "xml"],
            &["-n", "x", "-y"],
            &["-n"],
            &[],
            &["session"],
            &["-v", "sessions"],
            &["revoke"],
            &["revoke", "seven"],
            &["revoke", "7", "--user", "bob"],
            &["observe"],
            &["observe", "a", "b"],
            &["observe", "a", "-n", "x"],
            &["doctor", "--format", "xml"],
            &["check", "--for", "5h"],
            &["hooks", "a", "b"],
            &["verify"],
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
    }
}
