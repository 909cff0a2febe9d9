// SPDX-License-Identifier: GPL-2.0-only
//! Option -C: the installed C preprocessor reads a script before the compiler does.
//!
//! The definitions are those that dtrace gives its cpp (dt_open.c of Oracle's edition).
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;

use crate::error::{Error, Span};

/// What dtrace defines for its scripts, whatever the user does. The version is the newest one of D there is something of
/// here: 1.6.4, of llquantize().
const DEFINITIONS: &[&str] = &[
    "-D__linux",
    "-D__unix",
    "-D__SVR4",
    "-D__Linux",
    "-D__SUNW_D=1",
    "-D__SUNW_D_VERSION=0x01006004",
    "-D__SUNW_D_64",
    "-U__GNUC__",
];

/// An argument for the preprocessor; they count in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Define {
    /// -D: `NAME` or `NAME=value`
    Define(String),
    /// -U
    Undefine(String),
    /// -I: a directory
    Include(String),
    /// -H: it says which files it includes.
    Headers,
    /// Any other, as it is.
    Other(String),
}

/// What the C preprocessor made of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preprocessed {
    /// The text, which names lines as [`super::line`] reads them.
    pub text: String,
    /// What it had to say about it: warnings, and the files that were included.
    pub said: String,
}

/// Runs the C preprocessor of this name (`cpp`, unless option `cpppath` says another) over a
/// script's text.
///
/// # Errors
/// D_CPP_FORK: it could not be started; D_CPP_ERR: it refused the text, with its own words;
/// D_CPP_IO: what it wrote is no text.
pub fn preprocess(
    cpp: &str,
    name: &str,
    text: &str,
    arguments: &[Define],
) -> Result<Preprocessed, Error> {
    let refuse = |tag, message: String| Error::new(tag, Span::default(), message);
    let mut command = Command::new(cpp);
    // C's dialect must not depend on how the preprocessor is called.
    command.args(["-x", "c"]).args(DEFINITIONS);
    for argument in arguments {
        match argument {
            Define::Define(what) => command.arg(format!("-D{what}")),
            Define::Undefine(what) => command.arg(format!("-U{what}")),
            Define::Include(what) => command.arg(format!("-I{what}")),
            Define::Headers => command.arg("-H"),
            Define::Other(what) => command.arg(what),
        };
    }
    let mut child = command
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => refuse(
                "D_CPP_FORK",
                format!(
                    "the C preprocessor {cpp} is not installed: install the package cpp, or name \
                     another with -x cpppath="
                ),
            ),
            _ => refuse(
                "D_CPP_FORK",
                format!("failed to start the C preprocessor {cpp}: {why}"),
            ),
        })?;
    let source = without_interpreter(text);
    // Written beside reading: the text may be more than a pipe holds.
    let input = child.stdin.take();
    let output = thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut input) = input {
                // A preprocessor that stops reading says why itself.
                let _ = input.write_all(source.as_bytes());
            }
        });
        child.wait_with_output()
    });
    let output = output.map_err(|why| {
        refuse(
            "D_CPP_ERR",
            format!("failed to read from the C preprocessor {cpp}: {why}"),
        )
    })?;
    let said = String::from_utf8_lossy(&output.stderr).replace("<stdin>", name);
    if !output.status.success() {
        return Err(refuse(
            "D_CPP_ERR",
            format!(
                "Preprocessor failed to process input program: {}",
                said.trim()
            ),
        ));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| {
        refuse(
            "D_CPP_IO",
            format!("the C preprocessor {cpp} wrote what is not UTF-8"),
        )
    })?;
    Ok(Preprocessed { text, said })
}

/// The text with `#!` lines emptied, which no preprocessor knows; the others keep their numbers.
fn without_interpreter(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.trim_start().starts_with("#!") {
            true => "\n",
            false => line,
        })
        .collect()
}
