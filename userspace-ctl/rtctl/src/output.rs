// SPDX-License-Identifier: GPL-2.0-only
//! Where records go: a buffer before a file, and a form.
//!
//! Nothing but data comes here. Messages, drops and the closing ledger go to
//! standard error, so that standard output can be piped anywhere.

mod columns;
mod flow;
mod json;

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::path::Path;

use d_output::messages::Drop;
use rust_tracer::{Lost, Record};

use crate::chain::{Chain, Sealed};
use crate::closing::Closing;
use crate::names::Names;

pub use columns::Columns;
pub use flow::Flow;
pub use json::{Json, array};

/// Bytes after which the buffer is written out.
const ENOUGH: usize = 64 * 1024;

/// A form of the output.
pub trait Form {
    /// Writes one record.
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record);

    /// How much of `out` the last record has cut off, and with it all that was written before.
    fn cut(&mut self) -> Option<usize> {
        None
    }

    /// Writes what found no room, which is said besides.
    fn dropped(&mut self, _out: &mut Vec<u8>, _of: Drop, _count: u64) {}

    /// Writes what was lost at the end of a CPU's ring, where no record tells it.
    fn lost_at_end(&mut self, _out: &mut Vec<u8>, _lost: &Lost) {}

    /// Writes the closing ledger.
    fn ledger(&mut self, _out: &mut Vec<u8>, _names: &Names, _closing: &Closing) {}

    /// Writes what ended the trace for good.
    fn error(&mut self, _out: &mut Vec<u8>, _message: &str) {}

    /// Takes what comes beside records: aggregations.
    fn collect(&mut self) -> Result<(), rust_tracer::Error> {
        Ok(())
    }

    /// Puts together what was taken: the probes that it is about have names.
    fn join(&mut self, _names: &Names) {}

    /// The processes of `-c` and `-p` run.
    fn released(&mut self) {}

    /// The trace has ended; the records that are left follow.
    fn ends(&mut self) {}

    /// Writes what is to be written when all records are.
    fn finish(&mut self, _out: &mut Vec<u8>, _names: &Names) {}

    /// What is to be said beside the output, since the last time.
    fn said(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// A signal asked for the end.
    fn interrupted(&mut self, _out: &mut Vec<u8>) {}

    /// The exit status that a program asked for, once it has: the trace ends.
    fn exit(&self) -> Option<i32> {
        None
    }
}

/// What takes the output, without buffering it.
pub trait Sink: Write {
    /// Cuts off all that it holds, and says whether it could: a terminal or a pipe cannot.
    fn cut(&mut self) -> bool {
        false
    }
}

impl Sink for File {
    fn cut(&mut self) -> bool {
        self.set_len(0).and_then(|()| self.rewind()).is_ok()
    }
}

/// Nothing at all: what `-q` prints without a program.
pub struct Quiet;

impl Form for Quiet {
    fn record(&mut self, _: &mut Vec<u8>, _: &Names, _: &Record) {}
}

/// The output: a form, a buffer, a file.
pub struct Output {
    form: Box<dyn Form>,
    buffer: Vec<u8>,
    sink: Box<dyn Sink>,
    /// What makes it show if somebody changes it afterwards.
    chain: Option<Chain>,
}

impl Output {
    /// An output of this form into a sink.
    pub fn new(form: Box<dyn Form>, sink: Box<dyn Sink>) -> Self {
        Self {
            form,
            buffer: Vec::with_capacity(2 * ENOUGH),
            sink,
            chain: None,
        }
    }

    /// The same with a chain over its records and all that is written.
    pub fn with_chain(mut self, chain: Option<Chain>) -> Self {
        self.chain = chain;
        self
    }

    /// Writes one record.
    pub fn record(&mut self, names: &Names, record: &Record) -> io::Result<()> {
        if let Some(chain) = &mut self.chain {
            chain.record(record)?;
        }
        self.form.record(&mut self.buffer, names, record);
        if let Some(cut) = self.form.cut() {
            if self.sink.cut() {
                self.buffer.drain(..cut);
                if let Some(chain) = &mut self.chain {
                    chain.cut()?;
                }
            }
        }
        if self.buffer.len() >= ENOUGH {
            return self.flush();
        }
        Ok(())
    }

    /// Writes what found no room.
    pub fn dropped(&mut self, of: Drop, count: u64) {
        self.form.dropped(&mut self.buffer, of, count);
    }

    /// Writes what was lost at the end of a CPU's ring.
    pub fn lost_at_end(&mut self, lost: &Lost) {
        self.form.lost_at_end(&mut self.buffer, lost);
    }

    /// Writes the closing ledger.
    pub fn ledger(&mut self, names: &Names, closing: &Closing) {
        self.form.ledger(&mut self.buffer, names, closing);
    }

    /// Writes what ended the trace for good.
    pub fn error(&mut self, message: &str) {
        self.form.error(&mut self.buffer, message);
    }

    /// Takes what comes beside records.
    pub fn collect(&mut self) -> Result<(), rust_tracer::Error> {
        self.form.collect()
    }

    /// Puts together what was taken: the probes that it is about have names.
    pub fn join(&mut self, names: &Names) {
        self.form.join(names);
    }

    /// The processes of `-c` and `-p` run.
    pub fn released(&mut self) {
        self.form.released();
    }

    /// The trace has ended; the records that are left follow.
    pub fn ends(&mut self) {
        self.form.ends();
    }

    /// Writes what is to be written when all records are.
    pub fn finish(&mut self, names: &Names) {
        self.form.finish(&mut self.buffer, names);
    }

    /// What is to be said beside the output, since the last time.
    pub fn said(&mut self) -> Vec<String> {
        self.form.said()
    }

    /// A signal asked for the end.
    pub fn interrupted(&mut self) {
        self.form.interrupted(&mut self.buffer);
    }

    /// The exit status that a program asked for, once it has.
    pub fn exit(&self) -> Option<i32> {
        self.form.exit()
    }

    /// Hands everything written so far to the sink.
    pub fn flush(&mut self) -> io::Result<()> {
        let result = self
            .sink
            .write_all(&self.buffer)
            .and_then(|()| self.sink.flush())
            .and_then(|()| match &mut self.chain {
                Some(chain) => chain.output(&self.buffer),
                None => Ok(()),
            });
        // After an error the reader is gone, and so is what it did not read.
        self.buffer.clear();
        result
    }

    /// Writes the end of the chain, if there is one.
    pub fn seal(&mut self) -> io::Result<Option<Sealed>> {
        self.chain.take().map(Chain::seal).transpose()
    }
}

/// Opens the file of `-o`, at its end, or standard output.
pub fn open(path: Option<&Path>) -> io::Result<File> {
    match path {
        Some(path) => OpenOptions::new().create(true).append(true).open(path),
        // Standard output as such would be written out line by line.
        None => io::stdout().as_fd().try_clone_to_owned().map(File::from),
    }
}

/// Appends a number in decimal.
fn decimal(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number in decimal, at least `width` wide.
fn padded(out: &mut Vec<u8>, number: impl itoa::Integer, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number).as_bytes();
    let spaces = width.saturating_sub(digits.len());
    out.resize(out.len() + spaces, b' ');
    out.extend_from_slice(digits);
}

/// Appends a number in hexadecimal with its prefix.
fn hex(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(b"0x");
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let value = (number >> (4 * digit)) as usize & 0xf;
        out.push(b"0123456789abcdef"[value]);
    }
}

/// Appends a time in seconds with nine decimals, at least `width` wide.
fn seconds(out: &mut Vec<u8>, ns: u64, width: usize) {
    padded(out, ns / 1_000_000_000, width.saturating_sub(10));
    out.push(b'.');
    let fraction = ns % 1_000_000_000;
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(fraction).as_bytes();
    out.resize(out.len() + 9 - digits.len(), b'0');
    out.extend_from_slice(digits);
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
