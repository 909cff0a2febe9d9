// SPDX-License-Identifier: GPL-2.0-only
//! What records are printed with: a file, a form, how long they may wait, and
//! what ends it.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rust_tracer::Session;

use crate::access::plain;
use crate::cli::{Format, Printing};
use crate::names::Names;
use crate::options::Options;
use crate::output::{self, Columns, Flow, Form, Json, Output, Quiet};
use crate::run::{Role, Run};
use crate::symbols::Symbols;
use crate::tool::Speaker;
use crate::watch::Watch;

/// How long records wait at most when somebody looks on.
pub const LIVE: Duration = Duration::from_millis(100);
/// The same when they go into a file.
const FILED: Duration = Duration::from_secs(1);

/// What records are printed with.
pub struct Printer {
    /// Where they go.
    pub output: Output,
    /// What ends the printing.
    watch: Watch,
    /// How long they may wait at most.
    rate: Duration,
    /// Whether they go to a terminal.
    terminal: bool,
}

impl Printer {
    /// Opens the output, and watches for signals from now on.
    pub fn open(printing: &Printing, options: &Options) -> Result<Self> {
        let form: Box<dyn Form> = match printing.format {
            Format::Json => Box::new(Json),
            Format::Text if options.flowindent => Box::new(Flow::new(printing.verbose)),
            Format::Text if options.quiet => Box::new(Quiet),
            Format::Text => Box::new(Columns::new(printing.verbose)),
        };
        Self::with(form, printing, options)
    }

    /// The same with this form.
    pub fn with(form: Box<dyn Form>, printing: &Printing, options: &Options) -> Result<Self> {
        let sink = open(printing.output.as_deref())?;
        let regular = sink.metadata().is_ok_and(|data| data.is_file());
        let terminal = sink.is_terminal();
        let live = terminal || !regular;
        Ok(Self {
            watch: Watch::signals(Some(sink.try_clone()?.into()))?,
            output: Output::new(form, Box::new(sink)),
            rate: options
                .switchrate
                .unwrap_or(if live { LIVE } else { FILED }),
            terminal,
        })
    }

    /// A run of this session that is printed so.
    pub fn run<'a>(
        &'a mut self,
        (session, role): (&'a Session, Role),
        says: &'a mut Speaker,
        options: &'a Options,
    ) -> Run<'a> {
        let of = (session, role);
        let mut run = Run::new(of, &mut self.output, says, &self.watch, options);
        run.rate = self.rate;
        run.bars = role == Role::Owner && !self.terminal;
        run.names = Names::with(Symbols::of(session, options.rawaddr));
        run
    }
}

/// Opens the file of `-o`, or standard output.
pub fn open(path: Option<&Path>) -> Result<File> {
    output::open(path).map_err(|error| {
        let what = match path {
            Some(path) => path.display().to_string(),
            None => "standard output".to_owned(),
        };
        anyhow!("failed to open {what}: {}", plain(&error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_opened_is_told_by_name() {
        let error = open(Some(Path::new("/no/such/directory/file"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to open /no/such/directory/file: No such file or directory"
        );
    }
}
