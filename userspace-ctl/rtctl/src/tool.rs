// SPDX-License-Identifier: GPL-2.0-only
//! The tool from its command line to its exit status.
//!
//! Exit statuses as dtrace(1): 0 all well, 1 an error, 2 a wrong command line.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use rust_tracer::{Access, Session, abi};

use crate::cli::{Args, Origin, Printing, Task};
use crate::enable::enable;
use crate::list::list;
use crate::options::Options;
use crate::printer::{self, Printer};
use crate::program::{self, Named, Providers};
use crate::progress::Progress;
use crate::run::Role;
use crate::speaker::Speaker;
use crate::spec::{Field, Spec};
use crate::target::Targets;
use crate::{access, check, doctor, hooks, observe, revoke, sessions, verify};

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
    let mut says = Speaker::new(args.printing.quiet, Box::new(io::stderr()));
    match run(&args, &specs, &mut says) {
        Ok(status) => ExitCode::from(status),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            says.error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The exit status of what went well, or not.
fn status(well: bool) -> u8 {
    u8::from(!well)
}

fn run(args: &Args, texts: &[(Origin, String)], says: &mut Speaker) -> Result<u8> {
    if args.version {
        let (major, minor) = (abi::RTRACE_ABI_MAJOR, abi::RTRACE_ABI_MINOR);
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            io::stdout(),
            "rtctl: rust_tracer {version} (ABI {major}.{minor})"
        )?;
        return Ok(0);
    }
    if let Some(task) = &args.task {
        return carry_out(task, says);
    }
    let mut options = Options::of_environment(std::env::vars_os());
    for text in &args.option {
        options.set(text).map_err(anyhow::Error::msg)?;
    }
    if let Some(size) = &args.bufsize {
        options.set_bufsize(size).map_err(anyhow::Error::msg)?;
    }
    options.quiet |= args.printing.quiet;
    options.flowindent |= args.printing.flow;
    says.be_quiet(options.quiet);
    let access = if args.list {
        Access::Observe
    } else {
        Access::Trace
    };
    let unused = !args.arguments.is_empty() && !options.program.argref;
    let specs = bare_specs(texts, unused)?;
    let session = access::open(args.node, access)?;
    let Some(specs) = specs else {
        return program::run(args, options, &session, texts, says);
    };
    if args.list {
        return write_list(args, &session, &specs, says).map(status);
    }
    // With -e nothing is enabled: what is wrong the compiler tells.
    let needs_program = args.show || args.exit || options.program.cpu.is_some();
    options.program.zdefs |= args.zero;
    if needs_program || !names_functions(&session, &specs, options.program.zdefs)? {
        return program::run(args, options, &session, texts, says);
    }
    trace(args, &options, &session, &specs, says).map(status)
}

/// The descriptions, if there is nothing else. Arguments that they leave unused are for the compiler to
/// tell.
fn bare_specs(
    texts: &[(Origin, String)],
    unused_arguments: bool,
) -> Result<Option<Vec<(String, Spec)>>> {
    if unused_arguments && !texts.is_empty() {
        return Ok(None);
    }
    let mut fields = Vec::new();
    for (origin, text) in texts {
        match origin {
            Origin::Field(field) if !text.contains(['{', '/', ';', '$', '#']) => {
                fields.push((*field, text.clone()));
            }
            _ => return Ok(None),
        }
    }
    parse_specs(fields).map(Some)
}

/// Whether the descriptions name functions alone: what needs no program. With `zero` some may name
/// nothing, but not all.
fn names_functions(session: &Session, specs: &[(String, Spec)], zero: bool) -> Result<bool> {
    let mut providers = Providers::new(session, false);
    let mut nothing = zero && !specs.is_empty();
    for (_, spec) in specs {
        let named = providers.named(&spec.description())?;
        if !named
            .iter()
            .all(|named| matches!(named, Named::Functions(_)))
        {
            return Ok(false);
        }
        nothing &= named.is_empty();
    }
    Ok(!nothing)
}

/// Does what is to be done instead of tracing.
fn carry_out(task: &Task, says: &mut Speaker) -> Result<u8> {
    let mut out = io::stdout().lock();
    let well = match task {
        Task::Sessions { format } => sessions::run(*format, &mut out).map(|()| true),
        Task::Revoke { ids, user } => revoke::run(ids, user.as_deref(), says),
        Task::Observe(observing) => observe::run(observing, says),
        Task::Doctor { format } => doctor::run(*format, &mut out),
        Task::Check(checking) => return check::run(checking, &mut out, says),
        Task::Hooks(hooking) => hooks::run(hooking, &mut out).map(|()| true),
        Task::Verify(verifying) => verify::run(verifying, &mut out),
    };
    well.map(status)
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
    let Printing {
        format,
        verbose,
        output,
        ..
    } = &args.printing;
    let sink = printer::open(output.as_deref())?;
    let mut out = io::BufWriter::with_capacity(1 << 16, sink);
    let all = list(session, specs, (*format, *verbose), &mut out, says)?;
    out.flush()?;
    Ok(all)
}

fn trace(
    args: &Args,
    options: &Options,
    session: &Session,
    specs: &[(String, Spec)],
    says: &mut Speaker,
) -> Result<bool> {
    if args.destructive {
        says.notice("-w: without a program there are no destructive actions");
    }
    let mut printer = Printer::open(&args.printing, options)?;
    let mut attempt = || {
        {
            let _progress = Progress::begin("finding the probes");
            enable(session, specs, options.program.zdefs, says)?;
        }
        let targets = Targets::take(&args.command, &args.pid, &options.environment)?;
        if args.target_only {
            let pid = targets
                .only()
                .ok_or_else(|| anyhow!("--target-only needs one process"))?;
            session.target(pid)?;
        }
        let of = (session, Role::Owner);
        printer.run(of, says, options).trace(targets)
    };
    let result = attempt();
    if let Err(error) = &result {
        printer.output.error(&error.to_string());
        // The error itself is told on standard error.
        let _ = printer.output.flush();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_are_left_over_are_for_the_compiler() {
        let texts = [(Origin::Field(Field::Function), "vfs_read".to_owned())];
        let bare = |texts: &[_], unused| bare_specs(texts, unused).unwrap().is_some();
        assert!(bare(&texts, false));
        assert!(!bare(&texts, true));
        // Where there is nothing to compile, there is nobody to leave them unused.
        assert!(bare(&[], true));
    }

    #[test]
    fn descriptions_keep_the_text_they_came_from() {
        let texts = vec![(Field::Name, "fbt::a:entry, b:".to_owned())];
        let specs = parse_specs(texts).unwrap();
        let texts: Vec<_> = specs.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["fbt::a:entry", "b:"]);
    }
}
