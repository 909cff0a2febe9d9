// SPDX-License-Identifier: GPL-2.0-only
//! One JSON object per line. docs/json.md describes them.

use std::io::{self, Write};

use rust_tracer::ledger::{DROP_NAMES, MISS_NAMES};
use rust_tracer::{Event, Firing, Lost, Record, Row, Who};
use serde_json::{Map, Value, json};

use super::{Form, decimal, hex};
use crate::closing::{Closing, Reader};
use crate::errno::Failure;
use crate::names::Names;

/// The form of `--format json`.
#[derive(Debug, Default)]
pub struct Json;

impl Form for Json {
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        out.extend_from_slice(match record.event {
            Event::Entry { .. } | Event::Called { .. } => br#"{"kind":"entry","time":"#.as_slice(),
            Event::Return { .. } | Event::Returned { .. } => br#"{"kind":"return","time":"#,
            Event::Clause { .. } => br#"{"kind":"clause","time":"#,
            Event::Fault { .. } => br#"{"kind":"fault","time":"#,
            Event::Lost { .. } => br#"{"kind":"lost","time":"#,
            Event::Skipped { .. } => br#"{"kind":"skipped","time":"#,
        });
        decimal(out, record.time);
        out.extend_from_slice(br#","cpu":"#);
        decimal(out, record.cpu);
        match record.event.clone() {
            Event::Entry { at, args } => {
                firing(out, names, record, &at);
                out.extend_from_slice(br#","args":["#);
                for (i, arg) in args.into_iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    quoted_hex(out, arg);
                }
                out.push(b']');
                let symbols: Map<_, _> = (0..)
                    .zip(args)
                    .filter_map(|(i, arg): (u8, _)| {
                        let symbol = names.symbols.get(arg)?;
                        Some((format!("arg{i}"), Value::from(&*symbol)))
                    })
                    .collect();
                if !symbols.is_empty() {
                    out.extend_from_slice(br#","symbols":"#);
                    out.extend_from_slice(Value::from(symbols).to_string().as_bytes());
                }
            }
            Event::Return { at, value, elapsed } => {
                firing(out, names, record, &at);
                out.extend_from_slice(br#","value":"#);
                decimal(out, value as i64);
                out.extend_from_slice(br#","value_hex":"#);
                quoted_hex(out, value);
                if let Some((failure, name)) =
                    Failure::of(value).and_then(|failure| Some((failure, failure.name()?)))
                {
                    out.extend_from_slice(match failure.narrow {
                        true => br#","int_errno":""#.as_slice(),
                        false => br#","errno":""#,
                    });
                    out.extend_from_slice(name.as_bytes());
                    out.push(b'"');
                }
                if let Some(symbol) = names.symbols.get(value) {
                    out.extend_from_slice(br#","symbol":"#);
                    out.extend_from_slice(Value::from(&*symbol).to_string().as_bytes());
                }
                member(out, "elapsed", elapsed);
            }
            Event::Called { at, who } => {
                firing(out, names, record, &at);
                person(out, &who);
            }
            Event::Returned {
                at,
                who,
                result,
                elapsed,
            } => {
                firing(out, names, record, &at);
                person(out, &who);
                if let Some(result) = result {
                    out.extend_from_slice(br#","result":"#);
                    decimal(out, result);
                    if let Some(name) =
                        Failure::of(i64::from(result) as u64).and_then(Failure::name)
                    {
                        out.extend_from_slice(br#","errno":""#);
                        out.extend_from_slice(name.as_bytes());
                        out.push(b'"');
                    }
                }
                member(out, "elapsed", elapsed);
            }
            Event::Clause {
                at, clause, items, ..
            } => {
                firing(out, names, record, &at);
                member(out, "clause", clause.into());
                let words = items.chunks_exact(8);
                let words = words.map(|word| word.try_into().map_or(0, u64::from_ne_bytes));
                let words: Vec<_> = words.map(|word| format!("{word:#x}")).collect();
                out.extend_from_slice(br#","words":"#);
                out.extend_from_slice(Value::from(words).to_string().as_bytes());
            }
            Event::Fault {
                at,
                clause,
                fault,
                instruction,
                address,
                ..
            } => {
                firing(out, names, record, &at);
                member(out, "clause", clause.into());
                member(out, "fault", fault.into());
                member(out, "instruction", instruction.into());
                out.extend_from_slice(br#","address":"#);
                quoted_hex(out, address);
            }
            Event::Skipped { bytes } => member(out, "bytes", bytes),
            Event::Lost { count } => member(out, "count", count),
        }
        out.extend_from_slice(b"}\n");
    }

    fn lost_at_end(&mut self, out: &mut Vec<u8>, lost: &Lost) {
        let count = lost.total.saturating_sub(lost.told);
        line(
            out,
            &json!({"kind": "lost", "time": null, "cpu": lost.cpu, "count": count}),
        );
    }

    fn ledger(&mut self, out: &mut Vec<u8>, names: &Names, closing: &Closing) {
        for row in &closing.rows {
            out.extend_from_slice(br#"{"kind":"ledger_probe","probe":"#);
            let index = row.probe.unwrap_or(u32::MAX);
            decimal(out, index);
            if let Some(name) = names.get(index) {
                out.push(b',');
                out.extend_from_slice(name.json().as_bytes());
            }
            counts(out, row);
            out.extend_from_slice(b"}\n");
        }
        out.extend_from_slice(br#"{"kind":"ledger""#);
        counts(out, &closing.sum);
        for (name, count) in [("read", closing.read), ("disorder", closing.disorder)] {
            member(out, name, count);
        }
        if closing.reader != Reader::Owner {
            out.extend_from_slice(b",\"observer\":true");
        }
        if closing.is_at_rest() {
            out.extend_from_slice(match closing.holds() {
                true => b",\"holds\":true".as_slice(),
                false => b",\"holds\":false",
            });
        }
        out.extend_from_slice(b"}\n");
    }

    fn error(&mut self, out: &mut Vec<u8>, message: &str) {
        line(out, &json!({"kind": "error", "message": message}));
    }
}

fn firing(out: &mut Vec<u8>, names: &Names, record: &Record, at: &Firing) {
    out.extend_from_slice(br#","context":""#);
    out.extend_from_slice(record.context.name().as_bytes());
    out.extend_from_slice(br#"","pid":"#);
    decimal(out, at.pid);
    out.extend_from_slice(br#","tid":"#);
    decimal(out, at.tid);
    out.extend_from_slice(br#","probe":"#);
    decimal(out, at.probe);
    if let Some(name) = names.get(at.probe) {
        out.push(b',');
        out.extend_from_slice(name.json().as_bytes());
    }
}

fn person(out: &mut Vec<u8>, who: &Who) {
    out.extend_from_slice(br#","uid":"#);
    decimal(out, who.uid);
    let execname = Value::from(who.execname.to_string());
    out.extend_from_slice(format!(",\"execname\":{execname}").as_bytes());
}

fn quoted_hex(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    hex(out, number);
    out.push(b'"');
}

/// Appends a row's counts as members.
fn counts(out: &mut Vec<u8>, row: &Row) {
    member(out, "fired", row.fired);
    member(out, "recorded", row.recorded);
    member(out, "processed", row.processed);
    member(out, "filtered", row.filtered);
    reasons(out, "dropped", &DROP_NAMES, &row.dropped);
    member(out, "entered", row.entered);
    member(out, "returned", row.returned);
    member(out, "in_flight", row.in_flight);
    member(out, "passed", row.passed);
    reasons(out, "missed", &MISS_NAMES, &row.missed);
}

fn reasons(out: &mut Vec<u8>, of: &str, names: &[&str], counts: &[u64]) {
    let counts: Map<_, _> = names
        .iter()
        .zip(counts)
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, &count)| ((*name).to_owned(), Value::from(count)))
        .collect();
    let text = format!(",\"{of}\":{}", Value::from(counts));
    out.extend_from_slice(text.as_bytes());
}

fn member(out: &mut Vec<u8>, name: &str, count: u64) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    decimal(out, count);
}

/// Writes a JSON array, an element a line.
pub fn array(out: &mut impl Write, elements: impl Iterator<Item = Value>) -> io::Result<()> {
    let mut first = true;
    for element in elements {
        write!(out, "{}{element}", if first { "[\n" } else { ",\n" })?;
        first = false;
    }
    writeln!(out, "{}", if first { "[]" } else { "\n]" })
}

fn line(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
    out.push(b'\n');
}
