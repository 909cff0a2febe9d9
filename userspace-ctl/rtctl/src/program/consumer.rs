// SPDX-License-Identifier: GPL-2.0-only
//! What a program has recorded and aggregated, as it comes, to text; and what its actions ask of
//! the tool.
//!
//! Records of a speculation are held back ([`Held`]) until it is committed. Aggregations are taken from the
//! module once in a while ([`Form::collect`]), and before a record is printed that shows them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, anyhow};
use d_compiler::compiled::Compiled;
use d_output::aggregations::Store;
use d_output::record::{Fault, Firing};
use d_output::trace::{self, Printer, Step};
use d_output::values::Malformed;
use d_output::world::{Probe, World};
use d_output::{json, messages};
use rust_tracer::{Context, Event, Lost, Record, Session, abi};

use super::held::Held;
use super::load::{Load, Loaded};
use super::pace::Pace;
use super::providers::World as Of;
use super::seen;
use super::world::{AS_SYSCALL, Machine};
use crate::access::plain;
use crate::closing::Closing;
use crate::names::Names;
use crate::options::Options;
use crate::output::{self, Form, Json, Sink};

/// The form of what programs print.
pub struct Consumer {
    session: Session,
    program: trace::Program,
    /// By the index of a clause as it was loaded.
    clauses: Vec<Loaded>,
    /// By the index of a clause as it was compiled: the action of each instruction.
    actions: Vec<Vec<u16>>,
    store: Store,
    printer: Printer,
    machine: Machine,
    /// Whether the program may show addresses of processes.
    names_processes: bool,
    options: Options,
    /// Entries that were taken and not joined yet.
    taken: Vec<u8>,
    /// Whether they were taken since the last flush, or might have been.
    fresh: bool,
    pace: Pace,
    held: Held,
    /// Where text goes in place of the output, since `freopen()`.
    file: Option<File>,
    /// How much of the output is to be cut off (`ftruncate()`).
    cut: Option<usize>,
    exit: Option<i32>,
    said: Vec<String>,
    /// Faults of ERROR's own clauses, since the last time.
    double_faults: u64,
}

impl Consumer {
    /// For a program that was loaded into a session.
    pub fn new(
        session: &Session,
        compiled: &Compiled,
        load: Load,
        machine: Machine,
        options: &Options,
        json: bool,
    ) -> Result<Self> {
        let mut printing = options.program.output.clone();
        printing.quiet = options.quiet;
        printing.flowindent = options.flowindent;
        let mut printer = Printer::new(printing);
        printer.json = json;
        let wrong = |why: &dyn std::fmt::Display| anyhow!("{why}");
        let actions = compiled
            .clauses
            .iter()
            .map(|clause| clause.action_of.clone());
        Ok(Self {
            session: session.clone(),
            program: trace::Program::new(compiled).map_err(|why| wrong(&why))?,
            clauses: load.clauses,
            actions: actions.collect(),
            store: Store::new(&compiled.aggregations).map_err(|why| wrong(&why))?,
            printer,
            machine,
            names_processes: seen::wanted(compiled),
            options: options.clone(),
            taken: Vec::new(),
            fresh: false,
            pace: Pace::default(),
            held: Held::default(),
            file: None,
            cut: None,
            exit: None,
            said: Vec::new(),
            double_faults: 0,
        })
    }

    /// The index by which printers know a probe of a clause.
    fn index(&self, loaded: u32, probe: u32) -> (u32, usize) {
        match self.clauses.get(loaded as usize) {
            Some(Loaded {
                clause,
                world: Of::Syscall,
            }) => (probe | AS_SYSCALL, *clause),
            Some(Loaded { clause, .. }) => (probe, *clause),
            None => (probe, usize::MAX),
        }
    }

    fn print(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        let Event::Clause {
            at,
            clause: loaded,
            speculation,
            ref items,
        } = record.event
        else {
            return;
        };
        let (probe, clause) = self.index(loaded, at.probe);
        let clause = clause as u32;
        if self.program.uses_aggregations(clause) {
            if !std::mem::replace(&mut self.fresh, true) && self.may_take() {
                if let Err(error) = self.take() {
                    self.said.push(error.to_string());
                }
            }
            self.join(names);
        }
        let firing = Firing {
            context: context(record.context),
            time: record.time,
            probe,
            cpu: record.cpu,
            pid: at.pid,
            tid: at.tid,
            clause,
            count: items_in(items),
            speculation,
            items,
        };
        let mut steps = Vec::new();
        let told = self.machine.with(names);
        let printed =
            self.printer
                .record(&self.program, &firing, &mut self.store, &told, &mut steps);
        for step in steps {
            self.step(out, names, (loaded, at.probe), step);
        }
        if let Err(why) = printed {
            self.cannot_read("a record", why);
        }
    }

    /// What a program has made too large ends its trace, as in dtrace; else it is told of what is left out.
    fn cannot_read(&mut self, what: &str, why: Malformed) {
        match why {
            Malformed::Size => {
                self.exit = Some(1);
                self.said.push(why.to_string());
            }
            Malformed::Missing(_) => self.said.push(format!("{what} that cannot be read: {why}")),
        }
    }

    fn step(&mut self, out: &mut Vec<u8>, names: &Names, at: (u32, u32), step: Step) {
        match step {
            Step::Text(text) => self.write(out, &text),
            Step::Json(value) => self.write(out, format!("{value}\n").as_bytes()),
            Step::Exit(status) => self.exit = Some(status),
            Step::Commit(mark) => {
                for record in self.held.release(mark) {
                    self.print(out, names, &record);
                }
            }
            Step::Discard(mark) => drop(self.held.release(mark)),
            Step::Setopt { name, value } => {
                if let Err(why) = self.options.set_tracing(&name, Some(&value)) {
                    let what = messages::option_not_set(&name, &value, &why);
                    self.complain(names, at, &what);
                }
            }
            Step::Freopen(file) => self.reopen(names, at, &file),
            Step::Ftruncate => match &mut self.file {
                // What cannot be cut off stays, as in dtrace.
                Some(file) => {
                    file.cut();
                }
                None => self.cut = Some(out.len()),
            },
            Step::Complaint(what) => self.complain(names, at, &what),
        }
    }

    /// Writes what is not of the program as `--format json` does without one.
    fn as_json(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Json, &mut Vec<u8>)) {
        if self.printer.json {
            let mut text = Vec::new();
            write(&mut Json, &mut text);
            self.write(out, &text);
        }
    }

    fn write(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        let Some(file) = &mut self.file else {
            return out.extend_from_slice(text);
        };
        if let Err(error) = file.write_all(text) {
            self.said
                .push(format!("cannot write the output: {}", plain(&error)));
        }
    }

    fn reopen(&mut self, names: &Names, at: (u32, u32), file: &[u8]) {
        if file.is_empty() {
            self.file = None;
            return;
        }
        match output::open(Some(Path::new(OsStr::from_bytes(file)))) {
            Ok(file) => self.file = Some(file),
            Err(error) => {
                let name = String::from_utf8_lossy(file);
                let what = format!("couldn't freopen() \"{name}\": {}", plain(&error));
                self.complain(names, at, &what);
            }
        }
    }

    fn complain(&mut self, names: &Names, (loaded, probe): (u32, u32), what: &str) {
        let (index, _) = self.index(loaded, probe);
        let probe = self.probe(names, index);
        let text = messages::library_fault(loaded + 1, &probe, what);
        self.said.push(text.trim_end().to_owned());
    }

    fn probe(&self, names: &Names, index: u32) -> Probe {
        self.machine.with(names).probe(index).unwrap_or_default()
    }

    fn fault(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        let Event::Fault {
            at,
            clause: loaded,
            fault,
            instruction,
            epid,
            address,
        } = record.event
        else {
            return;
        };
        let (probe, clause) = self.index(loaded, at.probe);
        let actions = self.actions.get(clause).map_or(&[][..], Vec::as_slice);
        let action = actions.get(instruction as usize).copied().unwrap_or(0);
        let told = Fault {
            context: context(record.context),
            time: record.time,
            probe,
            cpu: record.cpu,
            pid: at.pid,
            tid: at.tid,
            clause: clause as u32,
            fault,
            instruction,
            epid,
            address,
        };
        let probe = self.probe(names, probe);
        if self.printer.json {
            let line = json::fault(&told, &probe, action);
            self.write(out, format!("{line}\n").as_bytes());
        }
        // As dtrace does, which has no record of it.
        if probe.provider == "dtrace" && probe.name == "ERROR" {
            self.double_faults += 1;
        } else {
            self.said.push(messages::fault(&told, &probe, action));
        }
    }

    fn may_take(&mut self) -> bool {
        let rate = self.options.program.aggrate;
        self.pace.allows(rate, Instant::now())
    }

    fn take(&mut self) -> Result<(), rust_tracer::Error> {
        for cpu in 0..self.session.info().cpus {
            self.session.aggregate(cpu, &mut self.taken)?;
        }
        Ok(())
    }
}

impl Form for Consumer {
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        match record.event {
            Event::Clause { speculation, .. } if speculation != 0 => {
                if !self.held.keep(speculation, record.clone()) {
                    // They were to be had at once: who speculates so much has lost his way.
                    self.said.push("too many records of speculations are held back: those so far are discarded".into());
                }
            }
            Event::Clause { .. } => self.print(out, names, record),
            Event::Fault { .. } => self.fault(out, names, record),
            Event::Lost { .. } | Event::Skipped { .. } => {
                self.printer.lost();
                self.as_json(out, |json, out| json.record(out, names, record));
            }
            _ => {}
        }
    }

    fn dropped(&mut self, out: &mut Vec<u8>, of: messages::Drop, count: u64) {
        if self.printer.json {
            let line = json::drops(of, count);
            self.write(out, format!("{line}\n").as_bytes());
        }
    }

    fn lost_at_end(&mut self, out: &mut Vec<u8>, lost: &Lost) {
        self.as_json(out, |json, out| json.lost_at_end(out, lost));
    }

    fn ledger(&mut self, out: &mut Vec<u8>, names: &Names, closing: &Closing) {
        self.as_json(out, |json, out| json.ledger(out, names, closing));
    }

    fn error(&mut self, out: &mut Vec<u8>, message: &str) {
        self.as_json(out, |json, out| json.error(out, message));
    }

    fn cut(&mut self) -> Option<usize> {
        self.cut.take()
    }

    fn collect(&mut self) -> Result<(), rust_tracer::Error> {
        match self.may_take() {
            true => self.take(),
            false => Ok(()),
        }
    }

    fn join(&mut self, names: &Names) {
        let taken = std::mem::take(&mut self.taken);
        if let Err(why) = self.store.merge(&taken, &self.machine.with(names)) {
            self.cannot_read("aggregations", why);
        }
    }

    fn released(&mut self) {
        if let Some(target) = self.machine.target.filter(|_| self.names_processes) {
            self.machine.processes.follow(target);
        }
    }

    fn ends(&mut self) {
        self.pace.end();
    }

    fn finish(&mut self, out: &mut Vec<u8>, names: &Names) {
        self.join(names);
        let told = self.machine.with(names);
        let mut text = Vec::new();
        if self.printer.json {
            for line in json::rest(&self.store, &self.printer.options, &told) {
                text.extend_from_slice(format!("{line}\n").as_bytes());
            }
        } else {
            text.push(b'\n');
            self.store
                .print_rest(&mut text, &self.printer.options, &told);
        }
        self.write(out, &text);
    }

    fn said(&mut self) -> Vec<String> {
        self.fresh = false;
        let mut said = std::mem::take(&mut self.said);
        let double_faults = std::mem::take(&mut self.double_faults);
        if double_faults > 0 {
            let droptags = self.printer.options.droptags;
            said.push(messages::Drop::Error.message(double_faults, droptags));
        }
        said
    }

    fn interrupted(&mut self, out: &mut Vec<u8>) {
        if !self.printer.json {
            self.write(out, b"\n");
        }
    }

    fn exit(&self) -> Option<i32> {
        self.exit
    }
}

/// RTRACE_CONTEXT_*
fn context(context: Context) -> u8 {
    let number = match context {
        Context::Task => abi::RTRACE_CONTEXT_TASK,
        Context::Softirq => abi::RTRACE_CONTEXT_SOFTIRQ,
        Context::Irq => abi::RTRACE_CONTEXT_IRQ,
        Context::Nmi => abi::RTRACE_CONTEXT_NMI,
        Context::Other(number) => return number,
    };
    number as u8
}

/// How many items there are: what follows the last one is none.
fn items_in(mut items: &[u8]) -> u32 {
    const HEAD: usize = size_of::<abi::rtrace_item>();
    let mut count = 0;
    while let Some((head, rest)) = items.split_at_checked(HEAD) {
        let bytes = [head[4], head[5], head[6], head[7]];
        let bytes = (u32::from_ne_bytes(bytes) as usize).next_multiple_of(8);
        let Some(after) = rest.get(bytes..) else {
            break;
        };
        count += 1;
        items = after;
    }
    count
}

#[cfg(test)]
#[path = "consumer_tests.rs"]
mod tests;
