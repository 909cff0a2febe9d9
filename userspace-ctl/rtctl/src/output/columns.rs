// SPDX-License-Identifier: GPL-2.0-only
//! Columns as dtrace(1) prints them, and what `-v` adds behind them.
//!
//! ```text
//! CPU     ID                    FUNCTION:NAME              TIME     PID     TID CONTEXT
//!   0     23                  vfs_read:return     812.004519377     671     671 task    = 4096 (0x1000) in 1432 ns
//!   0     23                  vfs_read:return     812.004519377     671     671 task    = 0 in 1432 ns uid=1001 execname=ls
//! ```

use rust_tracer::{Context, Event, Record, Who};

use super::{Form, decimal, hex, padded, seconds};
use crate::errno::Failure;
use crate::escape;
use crate::names::Names;

/// The default form.
#[derive(Debug)]
pub struct Columns {
    verbose: bool,
    headed: bool,
}

impl Columns {
    /// Columns, with or without details.
    pub fn new(verbose: bool) -> Self {
        Self {
            verbose,
            headed: false,
        }
    }
}

impl Form for Columns {
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        if !self.verbose && record.event.firing().is_none() {
            return;
        }
        if !self.headed {
            self.headed = true;
            out.extend_from_slice(b"CPU     ID                    FUNCTION:NAME");
            if self.verbose {
                out.extend_from_slice(HEADING);
            }
            out.push(b'\n');
        }
        padded(out, record.cpu, 3);
        match record.event.firing().map(|at| names.get(at.probe)) {
            Some(Some(name)) => out.extend_from_slice(name.columns().as_bytes()),
            Some(None) => out.extend_from_slice(b"      -                                ? "),
            None => out.extend_from_slice(b"      -                             lost "),
        }
        if self.verbose {
            details(out, names, record);
        }
        out.push(b'\n');
    }
}

/// The headings of [`details`].
pub(super) const HEADING: &[u8] = b"              TIME     PID     TID CONTEXT";

/// Appends time, process, thread, context, and the values.
pub(super) fn details(out: &mut Vec<u8>, names: &Names, record: &Record) {
    seconds(out, record.time, 17);
    match record.event.firing() {
        Some(at) => {
            out.push(b' ');
            padded(out, at.pid, 7);
            out.push(b' ');
            padded(out, at.tid, 7);
        }
        None => out.extend_from_slice(b"       -       -"),
    }
    out.extend_from_slice(match record.context {
        Context::Task => b" task    ",
        Context::Softirq => b" softirq ",
        Context::Irq => b" irq     ",
        Context::Nmi => b" nmi     ",
        Context::Other(_) => b" other   ",
    });
    match &record.event {
        Event::Entry { args, .. } => {
            for (i, arg) in (0_u8..).zip(args) {
                if i > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(b"arg");
                decimal(out, i);
                out.push(b'=');
                match names.symbols.get(*arg) {
                    Some(symbol) if names.symbols.raw => {
                        hex(out, *arg);
                        in_brackets(out, &symbol);
                    }
                    Some(symbol) => out.extend_from_slice(symbol.as_bytes()),
                    None => hex(out, *arg),
                }
            }
        }
        Event::Return { value, elapsed, .. } => {
            out.extend_from_slice(b"= ");
            returned(out, names, *value);
            out.push(b' ');
            took(out, *elapsed);
        }
        Event::Called { who: person, .. } => who(out, person),
        Event::Returned {
            who: person,
            result,
            elapsed,
            ..
        } => {
            if let Some(result) = *result {
                out.extend_from_slice(b"= ");
                decimal(out, result);
                if let Some(name) = Failure::of(i64::from(result) as u64).and_then(Failure::name) {
                    out.push(b' ');
                    out.extend_from_slice(name.as_bytes());
                }
                out.push(b' ');
            }
            took(out, *elapsed);
            out.push(b' ');
            who(out, person);
        }
        Event::Clause { clause, items, .. } => {
            out.extend_from_slice(b"clause ");
            decimal(out, *clause);
            for word in items.chunks_exact(8) {
                out.push(b' ');
                let word = word.try_into().map_or(0, u64::from_ne_bytes);
                hex(out, word);
            }
        }
        Event::Fault {
            clause,
            fault,
            instruction,
            address,
            ..
        } => {
            let text = format!(
                "clause {clause}: fault {fault} at instruction {instruction}, address {address:#x}"
            );
            out.extend_from_slice(text.as_bytes());
        }
        Event::Lost { count } => {
            decimal(out, *count);
            out.extend_from_slice(match count {
                1 => b" record lost here".as_slice(),
                _ => b" records lost here",
            });
        }
        Event::Skipped { bytes } => {
            decimal(out, *bytes);
            out.extend_from_slice(b" bytes of records overwritten here before they were read");
        }
    }
}

fn took(out: &mut Vec<u8>, elapsed: u64) {
    out.extend_from_slice(b"in ");
    decimal(out, elapsed);
    out.extend_from_slice(b" ns");
}

/// Appends whose thread it was.
fn who(out: &mut Vec<u8>, who: &Who) {
    out.extend_from_slice(b"uid=");
    decimal(out, who.uid);
    out.extend_from_slice(b" execname=");
    escape::word(out, who.execname.as_bytes());
}

fn in_brackets(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b" (");
    out.extend_from_slice(text.as_bytes());
    out.push(b')');
}

/// Appends a return value: decimal, the error it may be, hexadecimal; or the symbol
/// at the address that it may be.
fn returned(out: &mut Vec<u8>, names: &Names, value: u64) {
    if let Some(symbol) = names.symbols.get(value) {
        if !names.symbols.raw {
            return out.extend_from_slice(symbol.as_bytes());
        }
        hex(out, value);
        return in_brackets(out, &symbol);
    }
    decimal(out, value as i64);
    let failure = Failure::of(value).and_then(|failure| Some((failure, failure.name()?)));
    match failure {
        Some((failure, name)) if failure.narrow => {
            out.extend_from_slice(b" (");
            hex(out, value);
            out.extend_from_slice(b", as an int -");
            decimal(out, failure.number);
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            out.push(b')');
        }
        Some((_, name)) => {
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
        }
        None => {
            out.extend_from_slice(b" (");
            hex(out, value);
            out.push(b')');
        }
    }
}
