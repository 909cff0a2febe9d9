// SPDX-License-Identifier: GPL-2.0-only
//! The subcommands: what is to be done about sessions and nodes instead of
//! tracing.

use clap::Subcommand;
use rust_tracer::Node;

use super::{Format, Printing};
use crate::check::Checking;
use crate::hooks::Hooking;
use crate::verify::Verifying;

/// What is to be done instead of tracing.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// List the sessions there are: as root all of them, else your own and those that are
    /// published on a node that you may open
    ///
    /// The rate is measured between two readings half a second apart.
    Sessions {
        /// The form of the output
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },

    /// End sessions: as root anybody's, else your own
    ///
    /// Whoever traces by such a session is told that it was revoked, and reads what was recorded
    /// until then.
    Revoke {
        /// The sessions, as `rtctl sessions` numbers them
        #[arg(value_name = "ID", required_unless_present = "user")]
        ids: Vec<u64>,

        /// All sessions of this user
        #[arg(long, value_name = "NAME", conflicts_with = "ids")]
        user: Option<String>,
    },

    /// Print the records of a session that its owner has published (-x publish=NAME)
    ///
    /// Read permission on the session's node suffices. Records come from now on, or from the
    /// beginning if the session has not started or is over already. The owner notices nothing. The
    /// end comes with the session's, or with SIGINT.
    Observe(Observing),

    /// Say for each node whether you may use it and, if not, which rule stands in the way and what
    /// an admin would do
    ///
    /// The exit status is 0 if you can trace through at least one node, else 1.
    Doctor {
        /// The form of the output
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },

    /// Look for what hides in this kernel: twelve checks, each by at least two ways of looking
    ///
    /// The exit status is 0 if nothing was found, 1 if something was, and 2 if something could not be
    /// checked. Most checks need the node kernel. That nothing is found is weak evidence:
    /// docs/detection.md says what can be seen, and what cannot.
    Check(Checking),

    /// List who is called when functions of the kernel are, and by what: ftrace, kprobes, tracepoints
    Hooks(Hooking),

    /// Say whether a trace that was written with -x chain=on is as it was written
    ///
    /// The exit status is 0 if it is, else 1.
    Verify(Verifying),
}

/// What to observe, and how to print it.
#[derive(Clone, Debug, clap::Args)]
pub struct Observing {
    /// The session: the name by which it is published, or its ID
    #[arg(value_name = "NAME|ID")]
    pub subject: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub printing: Printing,

    /// Set an option: switchrate=RATE, quiet, flowindent, rawaddr
    #[arg(short = 'x', value_name = "OPTION[=VALUE]", help_heading = "Output")]
    pub option: Vec<String>,

    /// The session's node [default: each that opens, the most privileged first]
    #[arg(long, value_name = "kernel|system|user")]
    pub node: Option<Node>,
}
