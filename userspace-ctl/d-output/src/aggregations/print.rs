// SPDX-License-Identifier: GPL-2.0-only
//! How aggregations are printed: in columns, by a format, several joined by their keys; with
//! bars (`agghist`), or in one line each (`aggpack`).
#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::collections::HashMap;

use d_compiler::check::format::Piece;

use super::function::{Aggregated, Function, heading};
use super::{Entry, Store, order, reversed};
use crate::bytes::{dump, put, stored, text_or_dump};
use crate::distributions::{Linear, Weight, quantize_range, quantize_used, quantize_value};
use crate::graph::{self, Scale};
use crate::json;
use crate::options::Options;
use crate::printf;
use crate::symbols;
use crate::values::{Malformed, Value};
use crate::world::World;

/// A row that joins several aggregations: the keys, and each one's data.
type Row<'a> = (&'a [Value], Vec<&'a [u64]>);

impl Store {
    /// What printa() has not printed, as it is printed at the end: all aggregations in the
    /// order of their definition.
    pub fn print_rest(&self, out: &mut Vec<u8>, options: &Options, world: &dyn World) {
        let mut indices = self.unprinted();
        if options.aggsortrev {
            indices.reverse();
        }
        for index in indices {
            self.print_one(out, index as usize, options, world);
        }
    }

    /// `printa()` without a format: a newline, then as at the end.
    pub fn printa(
        &mut self,
        out: &mut Vec<u8>,
        aggregations: &[u32],
        options: &Options,
        world: &dyn World,
    ) -> Result<(), Malformed> {
        out.push(b'\n');
        if let [aggregation] = *aggregations {
            self.get(aggregation)?;
            self.print_one(out, aggregation as usize, options, world);
        } else {
            for (keys, data) in self.joined(aggregations, options)? {
                for value in keys {
                    key(out, value, false, options, world);
                }
                for (&aggregation, data) in aggregations.iter().zip(data) {
                    value(out, &self.aggregated(aggregation as usize, data, options));
                }
                out.push(b'\n');
            }
        }
        self.mark(aggregations)
    }

    /// `printa()` with a format: once for each entry, or for each key of several aggregations.
    pub fn printa_by(
        &mut self,
        out: &mut Vec<u8>,
        format: &[Piece],
        aggregations: &[u32],
        options: &Options,
        world: &dyn World,
    ) -> Result<(), Malformed> {
        let rows = match *aggregations {
            [aggregation] => {
                self.get(aggregation)?;
                (self.sorted(aggregation, options).into_iter())
                    .map(|(keys, data)| (keys, vec![data]))
                    .collect()
            }
            _ => self.joined(aggregations, options)?,
        };
        for (keys, data) in rows {
            let aggregated: Vec<Aggregated> = (aggregations.iter().zip(data))
                .map(|(&aggregation, data)| self.aggregated(aggregation as usize, data, options))
                .collect();
            printf::format(out, format, keys, &aggregated, world)?;
        }
        self.mark(aggregations)
    }

    /// Those that printa() has not printed.
    pub(crate) fn unprinted(&self) -> Vec<u32> {
        (0_u32..)
            .zip(&self.aggregations)
            .filter(|(_, aggregation)| !aggregation.printed)
            .map(|(index, _)| index)
            .collect()
    }

    /// Entries as objects.
    pub(crate) fn json(
        &self,
        aggregations: &[u32],
        options: &Options,
        world: &dyn World,
    ) -> serde_json::Value {
        let entries = aggregations.iter().flat_map(|&index| {
            let sorted = self.sorted(index, options).into_iter();
            sorted.map(move |(keys, data)| {
                let index = index as usize;
                let aggregated = self.aggregated(index, data, options);
                json::entry(&self.aggregations[index].name, keys, &aggregated, world)
            })
        });
        entries.collect()
    }

    /// They have been printed, those that have anything (or are joined with one that has).
    fn mark(&mut self, aggregations: &[u32]) -> Result<(), Malformed> {
        if aggregations
            .iter()
            .any(|&aggregation| self.len(aggregation) > 0)
        {
            for &aggregation in aggregations {
                self.get_mut(aggregation)?.printed = true;
            }
        }
        Ok(())
    }

    pub(crate) fn aggregated<'a>(
        &'a self,
        aggregation: usize,
        data: &'a [u64],
        options: &'a Options,
    ) -> Aggregated<'a> {
        let of = &self.aggregations[aggregation];
        Aggregated {
            function: &of.function,
            data,
            normal: of.normal,
            options,
        }
    }

    /// What the aggregations hold under each key that one of them has; nothing is 0.
    fn joined<'a>(
        &'a self,
        aggregations: &[u32],
        options: &Options,
    ) -> Result<Vec<Row<'a>>, Malformed> {
        let mut rows: HashMap<&[Value], Vec<Option<&[u64]>>> = HashMap::new();
        for (position, &aggregation) in aggregations.iter().enumerate() {
            self.get(aggregation)?;
            for (keys, data) in &self.entries[aggregation as usize] {
                let row = rows
                    .entry(keys)
                    .or_insert_with(|| vec![None; aggregations.len()]);
                row[position] = Some(data);
            }
        }
        let rows = (rows.into_iter()).map(|(keys, row)| {
            let data = (row.into_iter().zip(aggregations))
                .map(|(data, &aggregation)| {
                    data.unwrap_or(&self.aggregations[aggregation as usize].zero)
                })
                .collect();
            (keys, data)
        });
        let weights = |row: &Row| -> Vec<Weight> {
            (aggregations.iter().zip(&row.1))
                .map(|(&aggregation, data)| {
                    self.aggregations[aggregation as usize]
                        .function
                        .weight(data)
                })
                .collect()
        };
        let mut weighed: Vec<(Vec<Weight>, Row)> = rows.map(|row| (weights(&row), row)).collect();
        weighed.sort_by(|left, right| compare_rows(left, right, options));
        Ok(weighed.into_iter().map(|(_, row)| row).collect())
    }

    fn print_one(&self, out: &mut Vec<u8>, index: usize, options: &Options, world: &dyn World) {
        let entries = self.sorted(index as u32, options);
        let of = &self.aggregations[index];
        match of.function {
            Function::Count | Function::Sum | Function::Avg | Function::Stddev
                if options.agghist =>
            {
                self.histogram(out, index, &entries, options, world);
            }
            Function::Quantize if options.aggpack => {
                packed_quantize(out, &entries, options, world);
            }
            Function::Lquantize(linear) if options.aggpack => {
                packed_lquantize(out, &linear, &entries, options, world);
            }
            _ => {
                for (keys, data) in entries {
                    for value in keys {
                        key(out, value, false, options, world);
                    }
                    value(out, &self.aggregated(index, data, options));
                    out.push(b'\n');
                }
            }
        }
    }

    /// `agghist`: one number a key, with a bar.
    fn histogram(
        &self,
        out: &mut Vec<u8>,
        index: usize,
        entries: &[Entry],
        options: &Options,
        world: &dyn World,
    ) {
        let of = &self.aggregations[index];
        let worth = |data: &[u64], normal: u64| {
            let number = of.function.number(data, normal);
            number.and_then(|number| number.number()).unwrap_or(0) as i64
        };
        let scale = Scale::of_keys(
            entries.iter().map(|(_, data)| worth(data, 1)),
            options.aggzoom,
        );
        if let Some((keys, _)) = entries.first() {
            match packed_width(keys) {
                0 => heading(out, 16, "value"),
                width => heading(out, width, "key"),
            }
        }
        for (keys, data) in entries {
            for value in *keys {
                key(out, value, true, options, world);
            }
            out.push(b' ');
            let shown = worth(data, of.normal);
            graph::line(out, worth(data, 1), shown, &scale, options.encoding);
        }
    }
}

/// By the values from `aggsortpos` on, round about, or by key first.
fn compare_rows(
    (left_weights, left): &(Vec<Weight>, Row),
    (right_weights, right): &(Vec<Weight>, Row),
    options: &Options,
) -> Ordering {
    let count = left_weights.len();
    let from = usize::try_from(options.aggsortpos)
        .ok()
        .filter(|&position| position < count)
        .unwrap_or(0);
    let by_keys = || order::by_keys(left.0, right.0, options);
    let by_values = || {
        (0..count)
            .map(|at| (at + from) % count)
            .map(|at| left_weights[at].cmp(&right_weights[at]))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    let order = match options.aggsortkey {
        true => by_keys().then_with(by_values),
        false => by_values().then_with(by_keys),
    };
    reversed(order, options)
}

/// What keys take in packed columns.
fn packed_width(keys: &[Value]) -> usize {
    keys.iter().map(|key| 1 + column(key).unwrap_or(16)).sum()
}

/// The width of a number's column.
fn column(value: &Value) -> Option<usize> {
    let bytes = match value {
        Value::Integer { bytes, .. } => usize::from(*bytes),
        Value::Pointer(_) | Value::Kernel(..) => 8,
        Value::Bytes(bytes) => bytes.len(),
        _ => return None,
    };
    match bytes {
        1 => Some(3),
        2 => Some(5),
        4 => Some(8),
        8 => Some(16),
        _ => None,
    }
}

/// Digits of a number, and its sign; at least 4.
fn digits(value: i64) -> usize {
    value.to_string().len().max(4)
}

fn packed_quantize(out: &mut Vec<u8>, entries: &[Entry], options: &Options, world: &dyn World) {
    let used: Vec<(usize, usize)> = entries
        .iter()
        .map(|(_, data)| quantize_used(data))
        .collect();
    let minimum = used.iter().map(|used| used.0).min();
    let maximum = used.iter().map(|used| used.1).max();
    let (Some(minimum), Some(maximum), Some((keys, _))) = (minimum, maximum, entries.first())
    else {
        return;
    };
    let (first, last) = quantize_range(minimum, maximum);
    let (low, high) = (quantize_value(first), quantize_value(last));
    let (low_width, high_width) = (digits(low), digits(high));
    packed_heading(out, keys, low_width, last - first + 1, high_width);
    for (keys, data) in entries {
        for value in *keys {
            key(out, value, true, options, world);
        }
        put!(out, " {low:>low_width$} :");
        let total = packed_bars(out, &data[first..=last], options);
        put!(out, ": {high:<high_width$} | {total}\n");
    }
}

fn packed_lquantize(
    out: &mut Vec<u8>,
    linear: &Linear,
    entries: &[Entry],
    options: &Options,
    world: &dyn World,
) {
    let Some((keys, _)) = entries.first() else {
        return;
    };
    packed_heading(out, keys, 7, linear.words(), 8);
    for (keys, data) in entries {
        for value in *keys {
            key(out, value, true, options, world);
        }
        put!(out, "{:>8} :", linear.below());
        let total = packed_bars(out, data, options);
        put!(out, ": {:<8} | {total}\n", linear.above());
    }
}

fn packed_heading(out: &mut Vec<u8>, keys: &[Value], low: usize, bars: usize, high: usize) {
    let width = packed_width(keys);
    let what = if width > 0 { "key" } else { "" };
    let line = "-".repeat(bars);
    put!(
        out,
        "\n{what:>width$} {:>low$} .{line}. {:<high$} | count\n",
        "min",
        "max"
    );
}

/// A character for each count; what they sum up to.
fn packed_bars(out: &mut Vec<u8>, data: &[u64], options: &Options) -> i64 {
    let counts = || data.iter().map(|&count| count as i64);
    let scale = Scale::new(counts(), options.aggzoom);
    counts().for_each(|count| graph::packed(out, count, &scale, options.encoding));
    counts().fold(0, i64::wrapping_add)
}

/// A key in its column. Numbers of 8 and 16 bits are shown without their sign, others with
/// it, whatever their type, as in libdtrace.
fn key(out: &mut Vec<u8>, value: &Value, packed: bool, options: &Options, world: &dyn World) {
    let width = column(value).unwrap_or(50);
    match value {
        Value::Integer { value, bytes, .. } => match bytes {
            1 => put!(out, " {:width$}", *value as u8),
            2 => put!(out, " {:width$}", *value as u16),
            4 => put!(out, " {:width$}", *value as i32),
            _ => put!(out, " {:width$}", *value as i64),
        },
        Value::Pointer(address) => put!(out, " {:width$}", *address as i64),
        Value::Bytes(bytes) if matches!(bytes.len(), 1 | 2 | 4 | 8) => {
            let number = bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| (word << 8) | u64::from(byte));
            let number = Value::signed(number as i64, bytes.len() as u8);
            key(out, &number, packed, options, world);
        }
        Value::Text(text) if options.rawbytes => dump(out, &stored(text, options.strsize)),
        Value::Bytes(bytes) | Value::Characters(bytes) if options.rawbytes => dump(out, bytes),
        Value::Text(text) if packed => {
            put!(out, " {:>16}", String::from_utf8_lossy(text));
        }
        // One that has what cannot be printed is dumped as libdtrace does.
        Value::Text(text) => text_or_dump(out, &stored(text, options.strsize), 50, false),
        Value::Bytes(bytes) | Value::Characters(bytes) => text_or_dump(out, bytes, 50, false),
        Value::Stack(_) | Value::Ustack { .. } => {
            symbols::stack(out, value, options.stackindent as usize, world);
        }
        Value::Kernel(form, address) => {
            put!(out, "  {:<50}", symbols::kernel(*form, *address, world));
        }
        Value::User { form, pid, address } => {
            put!(out, "  {:<50}", symbols::user(*form, *pid, *address, world));
        }
    }
}

/// An aggregation's value in its column, or its graph.
fn value(out: &mut Vec<u8>, aggregated: &Aggregated) {
    match aggregated.number() {
        Some(Value::Integer {
            value,
            signed: false,
            ..
        }) if matches!(aggregated.function, Function::Stddev) => put!(out, " {value:16}"),
        Some(number) => put!(out, " {:16}", number.number().unwrap_or(0) as i64),
        None => aggregated.graph(out),
    }
}
