// SPDX-License-Identifier: GPL-2.0-only
//! The order of aggregations' entries, as libdtrace's: by value, by key, or both in turn.
#![forbid(unsafe_code)]

use std::cmp::Ordering;

use crate::options::Options;
use crate::values::Value;

/// Which key is compared first; one that is not there is the first.
fn position(options: &Options, keys: usize) -> usize {
    usize::try_from(options.aggsortkeypos)
        .ok()
        .filter(|&position| position < keys)
        .unwrap_or(0)
}

/// Keys of one aggregation, or of several with the same kinds of keys.
pub(super) fn by_keys(left: &[Value], right: &[Value], options: &Options) -> Ordering {
    let keys = left.len();
    let from = position(options, keys);
    left.len().cmp(&right.len()).then_with(|| {
        (0..keys)
            .map(|at| (at + from) % keys)
            .map(|at| by_key(&left[at], &right[at]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

/// Numbers are compared as unsigned ones of their width, as libdtrace does, all else by bytes.
fn by_key(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (
            Value::Integer {
                value: left,
                bytes: left_bytes,
                ..
            },
            Value::Integer {
                value: right,
                bytes: right_bytes,
                ..
            },
        ) => {
            let narrow = |value: &u64, bytes: &u8| {
                let unused = 64 - 8 * u32::from((*bytes).clamp(1, 8));
                value << unused >> unused
            };
            (left_bytes.cmp(right_bytes))
                .then_with(|| narrow(left, left_bytes).cmp(&narrow(right, right_bytes)))
        }
        (Value::Pointer(left), Value::Pointer(right))
        | (Value::Kernel(_, left), Value::Kernel(_, right)) => left.cmp(right),
        (
            Value::User {
                pid: left_pid,
                address: left,
                ..
            },
            Value::User {
                pid: right_pid,
                address: right,
                ..
            },
        ) => (left_pid, left).cmp(&(right_pid, right)),
        (Value::Stack(left), Value::Stack(right)) => by_frames(left, right),
        (
            Value::Ustack {
                pid: left_pid,
                frames: left,
            },
            Value::Ustack {
                pid: right_pid,
                frames: right,
            },
        ) => (left_pid.to_le_bytes().cmp(&right_pid.to_le_bytes()))
            .then_with(|| by_frames(left, right)),
        (Value::Bytes(left), Value::Bytes(right))
            if left.len() == right.len() && matches!(left.len(), 1 | 2 | 4 | 8) =>
        {
            // As numbers, as libdtrace compares what is of their size.
            left.iter().rev().cmp(right.iter().rev())
        }
        (
            Value::Text(left) | Value::Bytes(left) | Value::Characters(left),
            Value::Text(right) | Value::Bytes(right) | Value::Characters(right),
        ) => left.cmp(right),
        _ => kind(left).cmp(&kind(right)),
    }
}

/// Stacks are compared as memory.
fn by_frames(left: &[u64], right: &[u64]) -> Ordering {
    let bytes = |frames: &[u64]| -> Vec<u8> {
        frames
            .iter()
            .flat_map(|frame| frame.to_le_bytes())
            .collect()
    };
    bytes(left).cmp(&bytes(right))
}

/// Keys of different kinds do not meet in what a compiler made; they have an order all the same.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Integer { .. } => 0,
        Value::Pointer(_) => 1,
        Value::Text(_) | Value::Bytes(_) | Value::Characters(_) => 2,
        Value::Stack(_) => 3,
        Value::Ustack { .. } => 4,
        Value::Kernel(..) => 5,
        Value::User { .. } => 6,
    }
}
