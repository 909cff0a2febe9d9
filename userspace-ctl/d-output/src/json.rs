// SPDX-License-Identifier: GPL-2.0-only
//! The same as objects, one a line, for `--format json`.
//!
//! - `firing`: what a clause recorded: `time`, `cpu`, `context`, `pid`, `tid`, `probe`, `id`,
//!   `provider`, `module`, `function`, `name`, `clause`, and `output`: an object for each
//!   action that shows something, with its name in `action` and what it shows in `value`
//!   (`printf`: `text` and `values`; `printa`: objects of kind `aggregation`).
//! - `aggregation`: `name`, `function`, `keys`, and `value`, or of a distribution `buckets`,
//!   each with `low` and `high` (null: without bound) and `count`; `normal` if normalized.
//! - `fault`, `drop`: what is said on standard error, in `message`, with its parts.
//!
//! Pointers and bytes are hexadecimal strings; text that is no UTF-8 has U+FFFD in its place.
#![forbid(unsafe_code)]

use serde_json::{Map, Value as Json, json};

use crate::aggregations::{Aggregated, Store};
use crate::bytes::put;
use crate::messages::{self, Drop};
use crate::options::Options;
use crate::record::{Fault, Firing};
use crate::symbols;
use crate::values::Value;
use crate::world::{Probe, World};

pub(crate) fn text(bytes: &[u8]) -> Json {
    String::from_utf8_lossy(bytes).into()
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> Json {
    let mut digits = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        put!(&mut digits, "{byte:02x}");
    }
    text(&digits)
}

fn address(address: u64) -> Json {
    format!("0x{address:x}").into()
}

/// A value.
pub fn value(value: &Value, world: &dyn World) -> Json {
    match value {
        Value::Integer {
            value,
            signed: true,
            ..
        } => json!(*value as i64),
        Value::Integer { value, .. } => json!(value),
        Value::Pointer(pointer) => address(*pointer),
        Value::Text(bytes) => text(bytes),
        Value::Characters(bytes) => {
            let end = bytes.iter().position(|&byte| byte == 0);
            text(&bytes[..end.unwrap_or(bytes.len())])
        }
        Value::Bytes(bytes) => hexadecimal(bytes),
        Value::Stack(_) => json!(symbols::frames(value, world)),
        Value::Ustack { pid, .. } => json!({
            "pid": pid,
            "frames": symbols::frames(value, world),
        }),
        Value::Kernel(form, address) => symbols::kernel(*form, *address, world).into(),
        Value::User { form, pid, address } => symbols::user(*form, *pid, *address, world).into(),
    }
}

fn context(number: u8) -> &'static str {
    match number {
        0 => "task",
        1 => "softirq",
        2 => "irq",
        3 => "nmi",
        _ => "other",
    }
}

/// A firing's clause and what its actions show.
pub(crate) fn firing(firing: &Firing, probe: &Probe, output: Vec<Json>) -> Json {
    json!({
        "kind": "firing",
        "time": firing.time,
        "cpu": firing.cpu,
        "context": context(firing.context),
        "pid": firing.pid,
        "tid": firing.tid,
        "probe": firing.probe,
        "id": probe.id,
        "provider": probe.provider,
        "module": probe.module,
        "function": probe.function,
        "name": probe.name,
        "clause": firing.clause,
        "output": output,
    })
}

/// A fault; see [`messages::fault`].
pub fn fault(fault: &Fault, probe: &Probe, action: u16) -> Json {
    json!({
        "kind": "fault",
        "time": fault.time,
        "cpu": fault.cpu,
        "context": context(fault.context),
        "pid": fault.pid,
        "tid": fault.tid,
        "probe": fault.probe,
        "id": probe.id,
        "provider": probe.provider,
        "module": probe.module,
        "function": probe.function,
        "name": probe.name,
        "epid": fault.epid,
        "clause": fault.clause,
        "action": action,
        "instruction": fault.instruction,
        "fault": messages::fault_name(fault.fault),
        "address": address(fault.address),
        "message": messages::fault(fault, probe, action),
    })
}

/// Drops.
pub fn drops(drop: Drop, count: u64) -> Json {
    let mut object = Map::new();
    object.insert("kind".into(), "drop".into());
    object.insert("tag".into(), drop.tag().into());
    if let Drop::Principal { cpu } | Drop::Aggregation { cpu } = drop {
        object.insert("cpu".into(), cpu.into());
    }
    object.insert("count".into(), count.into());
    object.insert("message".into(), drop.message(count, false).into());
    Json::Object(object)
}

/// An entry of an aggregation.
pub(crate) fn entry(
    name: &str,
    keys: &[Value],
    aggregated: &Aggregated,
    world: &dyn World,
) -> Json {
    let mut object = Map::new();
    object.insert("kind".into(), "aggregation".into());
    object.insert("name".into(), name.into());
    object.insert("function".into(), aggregated.function.name().into());
    let keys = keys.iter().map(|key| value(key, world));
    object.insert("keys".into(), keys.collect());
    match aggregated.number() {
        Some(number) => object.insert("value".into(), value(&number, world)),
        None => {
            let bound = |bound: Option<i128>| bound.and_then(|bound| i64::try_from(bound).ok());
            let buckets = aggregated.rows().into_iter().map(
                |row| json!({"low": bound(row.low), "high": bound(row.high), "count": row.count}),
            );
            object.insert("buckets".into(), buckets.collect())
        }
    };
    if aggregated.normal != 1 {
        object.insert("normal".into(), aggregated.normal.into());
    }
    Json::Object(object)
}

/// All entries of what printa() has not printed, as at the end.
pub fn rest(store: &Store, options: &Options, world: &dyn World) -> Vec<Json> {
    let rest = store.unprinted();
    match store.json(&rest, options, world) {
        Json::Array(entries) => entries,
        _ => Vec::new(),
    }
}
