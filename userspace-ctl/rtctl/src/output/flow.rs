// SPDX-License-Identifier: GPL-2.0-only
//! `-F`: entries and returns indented by the depth of calls, as dtrace(1) does, but
//! for each thread, and for interrupts apart from the thread they interrupt.
//!
//! A thread's open calls are a stack of functions. A return closes its call, and
//! with it the calls above that did not return (a tail call, a lost record). A
//! return whose entry was not seen closes nothing, and a function of which only
//! one probe is enabled opens nothing. Where records were lost nobody knows which
//! calls are still open: indentation starts anew.

use std::collections::HashMap;

use rust_tracer::{Context, Event, Kind, Record};

use super::columns::{HEADING, details};
use super::{Form, padded};
use crate::names::{Name, Names};

/// Calls of one thread that are followed; deeper ones are not indented further.
const DEEPEST: usize = 256;

/// So many stacks, and all are forgotten: most are of threads that ended in a call.
const STACKS_MOST: usize = 1 << 16;

/// Whose calls: a thread, or what interrupts a CPU.
type Stack = (Context, u32);

/// The form of `-F`.
#[derive(Debug)]
pub struct Flow {
    verbose: bool,
    headed: bool,
    open: HashMap<Stack, Vec<u32>>,
    name: Vec<u8>,
}

impl Flow {
    /// Indented, with or without details.
    pub fn new(verbose: bool) -> Self {
        Self {
            verbose,
            headed: false,
            open: HashMap::new(),
            name: Vec::new(),
        }
    }

    /// How deep this record stands.
    fn depth(&mut self, stack: Stack, name: Option<&Name>, event: &Event) -> usize {
        let Some(name) = name.filter(|name| name.paired) else {
            return self.open.get(&stack).map_or(0, Vec::len);
        };
        let function = name.probe.function;
        if self.open.len() >= STACKS_MOST {
            self.open.clear();
        }
        let open = self.open.entry(stack).or_default();
        let depth = open.len();
        if event.kind() == Some(Kind::Entry) {
            if depth < DEEPEST {
                open.push(function);
            }
            return depth;
        }
        match open.iter().rposition(|&other| other == function) {
            Some(call) => {
                open.truncate(call);
                if open.is_empty() {
                    self.open.remove(&stack);
                }
                call
            }
            None => depth,
        }
    }
}

impl Form for Flow {
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        if record.event.firing().is_none() {
            self.open.clear();
            if !self.verbose {
                return;
            }
        }
        if !self.headed {
            self.headed = true;
            out.extend_from_slice(format!("CPU {:<41}", "FUNCTION").as_bytes());
            if self.verbose {
                out.extend_from_slice(HEADING);
            }
            out.push(b'\n');
        }
        let at = record.event.firing();
        let name = at.and_then(|at| names.get(at.probe));
        let stack = match (record.context, at) {
            (Context::Task, Some(at)) => (Context::Task, at.tid),
            (context, _) => (context, record.cpu),
        };
        let depth = match at {
            Some(_) => self.depth(stack, name, &record.event),
            None => 0,
        };
        self.name.clear();
        self.name.resize(2 * depth, b' ');
        self.name.extend_from_slice(match record.event {
            Event::Entry { .. } | Event::Called { .. } => b" -> ".as_slice(),
            Event::Return { .. } | Event::Returned { .. } => b" <- ",
            Event::Clause { .. } | Event::Fault { .. } => b" | ",
            Event::Lost { .. } | Event::Skipped { .. } => b" | lost",
        });
        if at.is_some() {
            let function = name.map_or("?", |name| name.probe.name.as_str());
            self.name.extend_from_slice(function.as_bytes());
        }
        padded(out, record.cpu, 3);
        out.push(b' ');
        out.extend_from_slice(&self.name);
        let spaces = 41_usize.saturating_sub(self.name.len()) + 1;
        out.resize(out.len() + spaces, b' ');
        if self.verbose {
            details(out, names, record);
        }
        out.push(b'\n');
    }
}
