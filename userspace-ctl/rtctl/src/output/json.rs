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

    fn ledger(&mut self, out: &mut Vec<u8>, closing: &Closing) {
        for row in &closing.rows {
            let mut object = object(row);
            object.insert("kind".into(), "ledger_probe".into());
            object.insert("probe".into(), json!(row.probe));
            line(out, &object.into());
        }
        let mut object = object(&closing.sum);
        object.insert("kind".into(), "ledger".into());
        object.insert("read".into(), closing.read.into());
        object.insert("disorder".into(), closing.disorder.into());
        object.insert("holds".into(), closing.holds().into());
        line(out, &object.into());
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
        out.extend_from_slice(name.json.as_bytes());
    }
}

fn quoted_hex(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    hex(out, number);
    out.push(b'"');
}

fn object(row: &Row) -> Map<String, Value> {
    let reasons = |names: &[&str], counts: &[u64]| -> Value {
        names
            .iter()
            .zip(counts)
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, &count)| ((*name).to_owned(), Value::from(count)))
            .collect::<Map<_, _>>()
            .into()
    };
    let mut object = Map::new();
    for (name, count) in [
        ("fired", row.fired),
        ("recorded", row.recorded),
        ("filtered", row.filtered),
        ("entered", row.entered),
        ("returned", row.returned),
        ("in_flight", row.in_flight),
        ("passed", row.passed),
    ] {
        object.insert(name.into(), count.into());
    }
    object.insert("dropped".into(), reasons(&DROP_NAMES, &row.dropped));
    object.insert("missed".into(), reasons(&MISS_NAMES, &row.missed));
    object
}

fn line(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(value.to_string().as_bytes());
    out.push(b'\n');
}
