// SPDX-License-Identifier: GPL-2.0-only
//! What can go wrong, with the module's own words where it has some.

use std::io;

use rustix::io::Errno;

use crate::Node;
use crate::parse::Corrupt;

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node could not be opened.
    #[error("cannot open {}: {source}", node.path().display())]
    Open {
        /// The node that was asked for.
        node: Node,
        /// What the system said.
        source: io::Error,
    },
    /// The module speaks another major version of the ABI.
    #[error(
        "the loaded rust_tracer module speaks ABI {major}.{minor} and this program ABI \
         {}.{}: install the module and the tools of one version, then reload the module",
        crate::abi::RTRACE_ABI_MAJOR,
        crate::abi::RTRACE_ABI_MINOR
    )]
    Abi {
        /// The module's major version.
        major: u16,
        /// The module's minor version.
        minor: u16,
    },
    /// The module stamps its records with a clock that this crate does not know.
    #[error("the loaded rust_tracer module uses clock {clock}, which this program does not know")]
    Clock {
        /// The module's `RTRACE_CLOCK_*`.
        clock: u32,
    },
    /// The module refused a command.
    #[error("{}", refusal(command, *errno, text))]
    Command {
        /// The command, as a verb phrase.
        command: &'static str,
        /// The error number.
        errno: Errno,
        /// The module's sentence; empty if it left none.
        text: String,
    },
    /// A ring could not be mapped.
    #[error("cannot map the {area} area of CPU {cpu}'s ring: {source}")]
    Map {
        /// The ring's CPU.
        cpu: u32,
        /// Which of its areas.
        area: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A ring holds what no module writes.
    #[error("CPU {cpu}'s ring is damaged: {source}")]
    Ring {
        /// The ring's CPU.
        cpu: u32,
        /// Where, and how.
        source: Corrupt,
    },
    /// The module's answer makes no sense.
    #[error("{command}: the module's answer makes no sense: {what}")]
    Reply {
        /// The command, as a verb phrase.
        command: &'static str,
        /// What is wrong with the answer.
        what: &'static str,
    },
    /// A system call of this crate itself failed.
    #[error("{what}: {source}")]
    System {
        /// What was being done.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// The error number behind this error, if one is.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Command { errno, .. } => Some(errno.raw_os_error()),
            Self::Open { source, .. } | Self::Map { source, .. } | Self::System { source, .. } => {
                source.raw_os_error()
            }
            _ => None,
        }
    }
}

/// The module's sentence, or, without one, what was asked and the system's word.
fn refusal(command: &str, errno: Errno, text: &str) -> String {
    if text.is_empty() {
        format!("cannot {command}: {}", io::Error::from(errno))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_modules_words() {
        let error = Error::Command {
            command: "start the session",
            errno: Errno::NOMEM,
            text: "start: 8 rings of 1 GiB do not fit; ask for smaller rings".into(),
        };
        assert_eq!(
            error.to_string(),
            "start: 8 rings of 1 GiB do not fit; ask for smaller rings"
        );
        assert_eq!(error.errno(), Some(12));
    }

    #[test]
    fn a_refusal_without_words_names_the_command() {
        let error = Error::Command {
            command: "start the session",
            errno: Errno::NOMEM,
            text: String::new(),
        };
        assert_eq!(
            error.to_string(),
            "cannot start the session: Cannot allocate memory (os error 12)"
        );
    }

    #[test]
    fn another_abi_says_what_to_do() {
        assert_eq!(
            Error::Abi { major: 5, minor: 5 }.to_string(),
            "the loaded rust_tracer module speaks ABI 5.5 and this program ABI 4.8: install the \
             module and the tools of one version, then reload the module"
        );
    }
}
