// SPDX-License-Identifier: GPL-2.0-only
//! The tool from its command line to its exit status.
//!
//! Exit statuses as dtrace(1): 0 all well, 1 an error, 2 a wrong command line.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rust_tracer::{Access, Session, abi};

use crate::access;
use crate::cli::{Args, Format};
use crate::enable::enable;
use crate::list::list;
use crate::names::Names;
use crate::options::Options;
use crate::output::{self, Columns, Flow, Form, Json, Output, Quiet};
use crate::progress::Progress;
use crate::run::Run;
use crate::spec::{Field, Spec};
use crate::target::Targets;
use crate::watch::Watch;

/// How long records wait at most when somebody looks on.
pub const LIVE: Duration = Duration::from_millis(100);
/// The same when they go into a file.
const FILED: Duration = Duration::from_secs(1);

/// Says things on standard error.
pub struct Speaker {
    quiet: bool,
    out: Box<dyn Write>,
}

impl Speaker {
    /// A speaker that leaves out notices if it is to be quiet.
    pub fn new(quiet: bool, out: Box<dyn Write>) -> Self {
        Self { quiet, out }
    }

    /// Says what is good to know.
    pub fn notice(&mut self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Says what must be known.
    pub fn error(&mut self, text: &str) {
        // There is nobody to tell that nobody can be told.
        let _ = writeln!(self.out, "rtctl: {text}");
    }
}

/// Runs the tool.
pub fn main(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let line: Vec<_> = line.into_iter().collect();
    let (args, specs) = match Args::parse_from_line(line) {
        Ok(parsed) => parsed,
        Err(error) => {
            // As above.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut says = Speaker::new(args.quiet, Box::new(io::stderr()));
    match run(&args, specs, &mut says) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            says.error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(args: &Args, texts: Vec<(Field, String)>, says: &mut Speaker) -> Result<bool> {
    if args.version {
        let (major, minor) = (abi::RTRACE_ABI_MAJOR, abi::RTRACE_ABI_MINOR);
        println!(
            "rtctl: rust_tracer {} (ABI {major}.{minor})",
            env!("CARGO_PKG_VERSION")
        );
        return Ok(true);
    }
    if args.script.is_some() {
        return Err(anyhow!(
            "-s: D programs are not there yet: name probes with -n, -f, -m or -P"
        ));
    }
    let mut options = Options::default();
    for text in &args.option {
        options.set(text).map_err(anyhow::Error::msg)?;
    }
    if let Some(size) = &args.bufsize {
        options.set_bufsize(size).map_err(anyhow::Error::msg)?;
    }
    options.quiet |= args.quiet;
    options.flowindent |= args.flow;
    says.quiet = options.quiet;
    let specs = parse_specs(texts)?;
    if args.list {
        let session = access::open(args.node, Access::Observe)?;
        return write_list(args, &session, &specs, says);
    }
    let session = access::open(args.node, Access::Trace)?;
    trace(args, &options, &session, &specs, says)
}

/// Each description with the text it came from.
fn parse_specs(texts: Vec<(Field, String)>) -> Result<Vec<(String, Spec)>> {
    let mut specs = Vec::new();
    for (field, text) in texts {
        let parsed = Spec::parse_list(field, &text).map_err(anyhow::Error::msg)?;
        let parts = text.split(',').map(|part| part.trim().to_owned());
        specs.extend(parts.zip(parsed));
    }
    Ok(specs)
}

fn write_list(
    args: &Args,
    session: &Session,
    specs: &[(String, Spec)],
    says: &mut Speaker,
) -> Result<bool> {
    let _progress = Progress::begin("listing the probes");
    let sink = open_output(args)?;
    let mut out = io::BufWriter::with_capacity(1 << 16, sink);
    let all = list(session, specs, (args.format, args.verbose), &mut out, says)?;
    out.flush()?;
    Ok(all)
}

fn open_output(args: &Args) -> Result<std::fs::File> {
    output::open(args.output.as_deref()).with_context(|| match &args.output {
        Some(path) => format!("failed to open {}", path.display()),
        None => "standard output".to_owned(),
    })
}

fn trace(
    args: &Args,
    options: &Options,
    session: &Session,
    specs: &[(String, Spec)],
    says: &mut Speaker,
) -> Result<bool> {
    if args.destructive {
        says.notice("-w: there are no destructive actions");
    }
    let sink = open_output(args)?;
    let form: Box<dyn Form> = match args.format {
        Format::Json => Box::new(Json),
        Format::Text if options.flowindent => Box::new(Flow::new(args.verbose)),
        Format::Text if options.quiet => Box::new(Quiet),
        Format::Text => Box::new(Columns::new(args.verbose)),
    };
    let regular = sink.metadata().is_ok_and(|data| data.is_file());
    let terminal = sink.is_terminal();
    let live = terminal || !regular;
    let rate = options
        .switchrate
        .unwrap_or(if live { LIVE } else { FILED });
    let watch = Watch::signals(Some(sink.try_clone()?.into()))?;
    let mut output = Output::new(form, Box::new(sink));

    let mut attempt = || {
        {
            let _progress = Progress::begin("finding the probes");
            enable(session, specs, args.zero, says)?;
        }
        if args.exit {
            return Ok(true);
        }
        let targets = Targets::take(args.command.as_deref(), &args.pid)?;
        if args.target_only {
            let pid = targets
                .only()
                .ok_or_else(|| anyhow!("--target-only needs one process"))?;
            session.target(pid)?;
        }
        Run {
            session,
            output: &mut output,
            says,
            watch: &watch,
            options,
            rate,
            bars: !terminal,
            names: Names::default(),
            complete: false,
            read: 0,
            told: Vec::new(),
        }
        .trace(targets)
    };
    let result = attempt();
    if let Err(error) = &result {
        output.error(&format!("{error:#}"));
        // The error itself is told on standard error.
        let _ = output.flush();
    }
    result
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// What a speaker said.
    #[derive(Clone, Default)]
    pub(crate) struct Heard(Rc<RefCell<Vec<u8>>>);

    impl Heard {
        pub(crate) fn speaker(quiet: bool) -> (Self, Speaker) {
            let heard = Self::default();
            (heard.clone(), Speaker::new(quiet, Box::new(heard)))
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_quiet_speaker_keeps_to_what_must_be_known() {
        let (heard, mut says) = Heard::speaker(true);
        says.notice("nice");
        says.error("needed");
        assert_eq!(heard.text(), "rtctl: needed\n");
    }

    #[test]
    fn descriptions_keep_the_text_they_came_from() {
        let texts = vec![(Field::Name, "fbt::a:entry, b:".to_owned())];
        let specs = parse_specs(texts).unwrap();
        let texts: Vec<_> = specs.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["fbt::a:entry", "b:"]);
    }
}
