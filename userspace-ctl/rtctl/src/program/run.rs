// SPDX-License-Identifier: GPL-2.0-only
//! A run of D programs, from their texts to the exit status.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Result, anyhow};
use d_compiler::ast::Program;
use d_compiler::btf::Btf;
use d_compiler::compiled::{Action, Compiled};
use d_compiler::error::Error as Wrong;
use d_compiler::macros::Macros;
use d_compiler::source::Define;
use d_compiler::types::Types;
use d_compiler::{check, compile, disassemble, options};
use rust_tracer::{Info, Kind, Node, Policy, Session, abi};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::consumer::Consumer;
use super::load::{Failure, Load, all_match, load, named, unmatched};
use super::providers::Providers;
use super::room::largest_record;
use super::sources::Sources;
use super::world::Machine;
use crate::cli::{Args, Format, Origin};
use crate::list::list;
use crate::options::Options;
use crate::printer::{self, Printer};
use crate::progress::Progress;
use crate::resize::Buffer;
use crate::run::Role;
use crate::speaker::Speaker;
use crate::spec::Spec;
use crate::target::Targets;

/// Where the kernel tells its types.
const BTF: &str = "/sys/kernel/btf";

/// Compiles, loads and runs the programs of a command line; returns the exit status.
pub fn run(
    args: &Args,
    mut options: Options,
    session: &Session,
    texts: &[(Origin, String)],
    says: &mut Speaker,
) -> Result<u8> {
    take_flags(args, &mut options);
    let targets = match args.list {
        true => Targets::default(),
        false => Targets::take(&args.command, &args.pid, &options.environment)?,
    };
    let mut sources = Sources::gather(texts, &options.program)?;
    let kernels = || Types::new(Btf::open(Path::new(BTF)).ok());
    let mut types = kernels();
    let macros = macros(args, &options, &targets);
    let shows_memory = args.list || session.node() == Some(Node::Kernel);
    let target = args.list || targets.only().is_some();
    let compiling = |program: &crate::options::Program| options::Options {
        symbol: &super::kallsyms::address,
        strsize: program.sizes.strsize,
        stackframes: program.stackframes,
        ustackframes: program.ustackframes,
        jstackframes: program.jstackframes,
        maxframes: program.maxframes,
        scratchsize: program.scratchsize,
        cpu: program.cpu,
        // What is listed shows nothing, and has no targets yet.
        shows_memory,
        target,
        amin: program.amin,
        version: program.version,
        empty: program.empty,
    };
    let declared = |text: &Program| {
        check::wrong_declaration(text, &mut kernels(), &compiling(&options.program))
    };
    let program = sources.parse(&macros, &options.program, &types, &declared)?;
    for pragma in &program.options {
        let value = pragma.value.as_deref();
        options.set_pragma(&pragma.name, value).map_err(|why| {
            let shown = value.map_or(String::new(), |value| format!(" to '{value}'"));
            let why = format!("failed to set option '{}'{shown}: {why}", pragma.name);
            anyhow!(sources.render(&Wrong::new("D_PRAGMA_OPTSET", pragma.span, why)))
        })?;
    }
    options.quiet |= options.program.output.quiet;
    options.flowindent |= options.program.output.flowindent;
    says.be_quiet(options.quiet);
    let compiled = match compile::compile(&program, &mut types, &compiling(&options.program)) {
        Ok(compiled) => compiled,
        // What a program may not do here, it may name.
        Err(error) if args.list && error.tag == "D_ACT_DESTRUCTIVE" => {
            return list_programs(args, session, &program, says);
        }
        Err(error) => {
            let anything = args.list || options.program.zdefs;
            let before = match anything {
                true => None,
                false => unmatched(session, &program, error.span)?,
            };
            return Err(anyhow!(sources.render(&before.unwrap_or(error))));
        }
    };
    if args.list {
        return list_programs(args, session, &program, says);
    }
    if args.show || options.program.verbose {
        let listing = disassemble::disassemble(&compiled);
        io::stderr().write_all(listing.as_bytes())?;
    }
    let place = |failure: Failure| failure.render(|wrong| sources.render(wrong));
    if args.exit {
        // Nothing is enabled: what would be refused then, as buffers that are too small, is not looked at.
        if !options.program.zdefs {
            all_match(session, &compiled).map_err(place)?;
        }
        return Ok(0);
    }
    settle_sizes(&mut options, session.info(), says)?;
    let loaded = {
        let _progress = Progress::begin("finding the probes");
        enable(session, &compiled, &options, says, &sources).map_err(place)?
    };
    if options.program.destructive {
        says.notice("allowing destructive actions");
    }
    if let Some(cpu) = options.program.cpu {
        stay_on(cpu)?;
    }
    let target = targets.only();
    if args.target_only {
        let pid = target.ok_or_else(|| anyhow!("--target-only needs one process"))?;
        session.target(pid)?;
    }
    trace(
        args,
        &options,
        session,
        says,
        (compiled, loaded, types),
        targets,
    )
}

/// Keeps us to a CPU: BEGIN and END fire where we are, and so do ticks.
fn stay_on(cpu: u32) -> Result<()> {
    let refused = || anyhow!("could not enable tracing: there is no CPU {cpu} to trace");
    let at = usize::try_from(cpu).ok().filter(|at| *at < CpuSet::MAX_CPU);
    let mut one = CpuSet::new();
    one.set(at.ok_or_else(refused)?);
    sched_setaffinity(None, &one).map_err(|_| refused())
}

/// What the command line says of programs besides `-x`.
fn take_flags(args: &Args, options: &mut Options) {
    let program = &mut options.program;
    program.cpp |= args.preprocess;
    program.zdefs |= args.zero;
    program.destructive |= args.destructive;
    program.libraries.extend(args.library.iter().cloned());
    if args.standard.as_deref() == Some("s") {
        program.before_the_standard();
    }
    let flags = args.define.iter().cloned().map(Define::Define);
    let flags = flags.chain(args.undefine.iter().cloned().map(Define::Undefine));
    let flags = flags.chain(args.include.iter().cloned().map(Define::Include));
    program.cppflags.extend(flags);
    if args.headers {
        program.cppflags.push(Define::Headers);
    }
}

/// What `$1`, `$target` and so on are.
fn macros(args: &Args, options: &Options, targets: &Targets) -> Macros {
    let arguments = std::iter::once("rtctl".to_owned()).chain(args.arguments.iter().cloned());
    let mut macros = Macros::new(arguments);
    macros.default_arguments = options.program.defaultargs;
    macros.unused_arguments = options.program.argref;
    let process = rustix::process::getpid();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let [parent, group, session] = relations(&stat);
    let numbers = [
        ("pid", i64::from(process.as_raw_nonzero().get())),
        ("ppid", parent),
        ("pgid", group),
        ("sid", session),
        ("uid", rustix::process::getuid().as_raw().into()),
        ("euid", rustix::process::geteuid().as_raw().into()),
        ("gid", rustix::process::getgid().as_raw().into()),
        ("egid", rustix::process::getegid().as_raw().into()),
        ("projid", 0),
        ("taskid", 0),
    ];
    for (name, number) in numbers {
        macros.define(name, number);
    }
    // What only lists takes hold of no process.
    let target = targets.only().or(args.pid.first().copied());
    macros.define("target", target.map_or(0, i64::from));
    macros
}

/// The parent, the process group and the session of a process, by its line in /proc. Each is 0 if it is
/// outside of our pid namespace, which rustix's types of processes cannot say.
fn relations(stat: &str) -> [i64; 3] {
    // The name in brackets may have blanks and brackets.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut fields = behind_name.split_ascii_whitespace().skip(1);
    [(); 3].map(|()| fields.next().and_then(|id| id.parse().ok()).unwrap_or(0))
}

fn list_programs(
    args: &Args,
    session: &Session,
    program: &d_compiler::ast::Program,
    says: &mut Speaker,
) -> Result<u8> {
    let _progress = Progress::begin("listing the probes");
    let mut specs = Vec::new();
    for item in &program.items {
        let d_compiler::ast::Item::Clause(clause) = item else {
            continue;
        };
        specs.extend(clause.descriptions.iter().map(|description| {
            let spec = Spec::of(description);
            (spec.to_string(), spec)
        }));
    }
    let sink = printer::open(args.printing.output.as_deref())?;
    let mut out = io::BufWriter::with_capacity(1 << 16, sink);
    let form = (args.printing.format, args.printing.verbose);
    let all = list(session, &specs, form, &mut out, says)?;
    out.flush()?;
    Ok(u8::from(!all))
}

/// Makes the buffers of a program as large as there can be, or refuses them.
fn settle_sizes(options: &mut Options, info: &Info, says: &mut Speaker) -> Result<()> {
    let sizes = &mut options.program.sizes;
    for (buffer, bytes) in [
        (Buffer::Aggregations, &mut sizes.aggsize),
        (Buffer::Speculation, &mut sizes.specsize),
        (Buffer::Variables, &mut sizes.dynvarsize),
    ] {
        *bytes = buffer.settle(*bytes, info, options.bufresize, says)?;
    }
    Ok(())
}

/// Loads the program, and says how many probes each text has matched.
fn enable(
    session: &Session,
    compiled: &Compiled,
    options: &Options,
    says: &mut Speaker,
    sources: &Sources,
) -> Result<Load, Failure> {
    let late = session.info().features & u64::from(abi::RTRACE_FEATURE_LATE) != 0;
    let zero = options.program.zdefs;
    let mut providers = Providers::new(session, late);
    let named = named(compiled, &mut providers)?;
    let loaded = load(session, compiled, &options.program.sizes, &named, zero)?;
    let mut all = 0;
    for (text, clauses) in sources.told() {
        let matched: u32 = loaded.matched.get(clauses).unwrap_or_default().iter().sum();
        let plural = if matched == 1 { "" } else { "s" };
        says.notice(&format!("{text} matched {matched} probe{plural}"));
        all += matched;
    }
    if all == 0 && !zero && !compiled.clauses.is_empty() {
        return Err(anyhow!(
            "no probes matched: rtctl -l lists what there is, -Z waits for modules"
        )
        .into());
    }
    if all == 0 {
        // A trace has a probe. This one would fire for faults of clauses, of which none runs, and is
        // of a group that has none.
        let group = loaded.clauses.len() as u32 + 1;
        session.add_own(Kind::Error, Kind::Error.name(), 0, group)?;
    }
    // dtrace says so of programs whose probes it has found.
    must_be_allowed(compiled, options)?;
    must_hold_records(compiled, options)?;
    Ok(loaded)
}

/// Refuses to write files, which dtrace counts among the destructive actions, if `-w` does not allow
/// it.
fn must_be_allowed(compiled: &Compiled, options: &Options) -> Result<()> {
    let mut actions = compiled.clauses.iter().flat_map(|clause| &clause.actions);
    let writes = actions.any(|action| matches!(action, Action::Freopen { .. }));
    if writes && !options.program.destructive {
        return Err(anyhow!(
            "could not enable tracing: Destructive actions not allowed: freopen() writes a file, \
             which -w allows"
        ));
    }
    Ok(())
}

/// Refuses a buffer that is asked for and cannot hold the largest record. A ring is as large as the
/// least that the module gives.
fn must_hold_records(compiled: &Compiled, options: &Options) -> Result<()> {
    let strsize = options.program.sizes.strsize;
    let asked = options.bufsize != 0 && options.bufpolicy != Policy::Ring;
    let largest = largest_record(compiled, strsize);
    if asked && options.bufsize < largest {
        return Err(anyhow!(
            "could not enable tracing: Enabling exceeds size of buffer: the largest record has \
             {largest} bytes (bufsize)"
        ));
    }
    Ok(())
}

fn trace(
    args: &Args,
    options: &Options,
    session: &Session,
    says: &mut Speaker,
    (compiled, loaded, types): (Compiled, Load, Types),
    targets: Targets,
) -> Result<u8> {
    let target = targets.only().and_then(|pid| u32::try_from(pid).ok());
    let resolve = !options.program.noresolve;
    let machine = Machine::new(Rc::new(RefCell::new(types)), target, resolve);
    let json = args.printing.format == Format::Json;
    let consumer = Consumer::new(session, &compiled, loaded, machine, options, json)?;
    let mut printer = Printer::with(Box::new(consumer), &args.printing, options)?;
    let of = (session, Role::Owner);
    let traced = printer.run(of, says, options).trace(targets);
    match traced {
        Ok(true) => Ok(printer.output.exit().map_or(0, |status| status as u8)),
        Ok(false) => Ok(1),
        Err(error) => {
            printer.output.error(&error.to_string());
            // The error itself is told on standard error.
            let _ = printer.output.flush();
            Err(error)
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
