// SPDX-License-Identifier: GPL-2.0-only
//! Columns as dtrace(1) prints them, and what `-v` adds behind them.
//!
//! ```text
//! CPU     ID                    FUNCTION:NAME              TIME     PID     TID CONTEXT
//!   0     23                  vfs_read:return     812.004519377     671     671 task    = 4096 (0x1000) in 1432 ns
//! ```

use rust_tracer::{Context, Event, Record};

use super::{Form, decimal, hex, padded, seconds};
use crate::errno::Failure;
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
        if !self.verbose && matches!(record.event, Event::Lost { .. }) {
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
            details(out, record);
        }
        out.push(b'\n');
    }
}

/// The headings of [`details`].
pub(super) const HEADING: &[u8] = b"              TIME     PID     TID CONTEXT";

/// Appends time, process, thread, context, and the values.
pub(super) fn details(out: &mut Vec<u8>, record: &Record) {
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
    match record.event {
        Event::Entry { args, .. } => {
            for (i, arg) in (0_u8..).zip(args) {
                if i > 0 {
                    out.push(b' ');
                }
                out.extend_from_slice(b"arg");
                decimal(out, i);
                out.push(b'=');
                hex(out, arg);
            }
        }
        Event::Return { value, elapsed, .. } => {
            out.extend_from_slice(b"= ");
            returned(out, value);
            out.extend_from_slice(b" in ");
            decimal(out, elapsed);
            out.extend_from_slice(b" ns");
        }
        Event::Lost { count } => {
            decimal(out, count);
            out.extend_from_slice(match count {
                1 => b" record lost here".as_slice(),
                _ => b" records lost here",
            });
        }
    }
}

/// Appends a return value: decimal, the error it may be, hexadecimal.
fn returned(out: &mut Vec<u8>, value: u64) {
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
