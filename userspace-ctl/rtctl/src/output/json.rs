// SPDX-License-Identifier: GPL-2.0-only
//! One JSON object per line. docs/json.md describes them.

use rust_tracer::ledger::{DROP_NAMES, MISS_NAMES};
use rust_tracer::{Event, Firing, Lost, Record, Row};
use serde_json::{Map, Value, json};

use super::{Form, decimal, hex};
use crate::closing::Closing;
use crate::errno::Failure;
use crate::names::Names;

/// The form of `--format json`.
#[derive(Debug, Default)]
pub struct Json;

impl Form for Json {
    fn record(&mut self, out: &mut Vec<u8>, names: &Names, record: &Record) {
        out.extend_from_slice(match record.event {
            Event::Entry { .. } => br#"{"kind":"entry","time":"#.as_slice(),
            Event::Return { .. } => br#"{"kind":"return","time":"#,
            Event::Lost { .. } => br#"{"kind":"lost","time":"#,
        });
        decimal(out, record.time);
        out.extend_from_slice(br#","cpu":"#);
        decimal(out, record.cpu);
        match record.event {
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
                out.extend_from_slice(br#","elapsed":"#);
                decimal(out, elapsed);
            }
            Event::Lost { count } => {
                out.extend_from_slice(br#","count":"#);
                decimal(out, count);
            }
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
        out.extend_from_slice(match closing.holds() {
            true => b",\"holds\":true}\n".as_slice(),
            false => b",\"holds\":false}\n",
        });
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

fn quoted_hex(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    hex(out, number);
    out.push(b'"');
}

/// Appends a row's counts as members.
fn counts(out: &mut Vec<u8>, row: &Row) {
    member(out, "fired", row.fired);
    member(out, "recorded", row.recorded);
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
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
    decimal(out, count);
}

fn line(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
    out.push(b'\n');
}
