// SPDX-License-Identifier: GPL-2.0-only
//! What records are printed with: a file, a form, how long they may wait, and
//! what ends it.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use rust_tracer::Session;

use crate::access::plain;
use crate::chain::{self, Chain};
use crate::cli::{Format, Printing};
use crate::names::Names;
use crate::options::{Chaining, Options};
use crate::output::{self, Columns, Flow, Form, Json, Output, Quiet};
use crate::run::{LIVE, Role, Run};
use crate::speaker::Speaker;
use crate::symbols::Symbols;
use crate::watch::Watch;

/// How long records wait at most that go into a file.
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
        let chain = chain(printing, options, &sink)?;
        Ok(Self {
            watch: Watch::signals(Some(sink.try_clone()?.into()))?,
            output: Output::new(form, Box::new(sink)).with_chain(chain),
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

/// Begins the chain that was asked for.
fn chain(printing: &Printing, options: &Options, sink: &File) -> Result<Option<Chain>> {
    let path = match (&options.chain, &printing.output) {
        (Chaining::Off, _) => return Ok(None),
        (Chaining::Into(path), _) => path.clone(),
        (Chaining::Beside, Some(output)) => chain::beside(output),
        (Chaining::Beside, None) => {
            return Err(anyhow!(
                "-x chain=on writes beside the output: name a file with -o, or say -x chain=FILE"
            ));
        }
    };
    // What is there already was written by another trace.
    let offset = sink.metadata().map_or(0, |data| data.len());
    match Chain::create(&path, offset) {
        Ok(chain) => Ok(Some(chain)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(anyhow!(
            "{} is the chain of an earlier trace: verify it (rtctl verify), and move it away",
            path.display()
        )),
        Err(error) => Err(anyhow!(
            "failed to open {}: {}",
            path.display(),
            plain(&error)
        )),
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
    fn a_chain_goes_beside_a_file_and_not_beside_a_pipe() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("out");
        let sink = File::create(&output).unwrap();
        let options = Options {
            chain: Chaining::Beside,
            ..Options::default()
        };
        let mut printing = Printing::default();
        let error = chain(&printing, &options, &sink).err().unwrap();
        assert!(error.to_string().contains("name a file with -o"));
        printing.output = Some(output);
        assert!(chain(&printing, &options, &sink).unwrap().is_some());
        let error = chain(&printing, &options, &sink).err().unwrap();
        assert!(
            error
                .to_string()
                .contains("is the chain of an earlier trace")
        );
        assert!(
            chain(&printing, &Options::default(), &sink)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_told_by_name() {
        let error = open(Some(Path::new("/no/such/directory/file"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to open /no/such/directory/file: No such file or directory"
        );
    }
}
