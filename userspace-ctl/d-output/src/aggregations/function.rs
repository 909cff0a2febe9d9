// SPDX-License-Identifier: GPL-2.0-only
//! Aggregating functions: how data of one key is joined, what it is worth, how it is shown.
#![forbid(unsafe_code)]

use d_compiler::compiled;

use crate::bytes::put;
use crate::distributions::{self, Linear, LogLinear, QUANTIZE_WORDS, Row, Weight};
use crate::graph::{self, Scale};
use crate::options::Options;
use crate::stddev::{average, stddev};
use crate::values::{Malformed, Value};

/// An aggregating function; RTRACE_AGG_* with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Function {
    Count,
    Sum,
    Min,
    Max,
    Avg,
    Stddev,
    Quantize,
    Lquantize(Linear),
    Llquantize(LogLinear),
}

impl Function {
    /// As the compiler describes it.
    pub fn new(aggregation: &compiled::Aggregation) -> Result<Self, Malformed> {
        Ok(match aggregation.function {
            0 => Self::Count,
            1 => Self::Sum,
            2 => Self::Min,
            3 => Self::Max,
            4 => Self::Avg,
            5 => Self::Stddev,
            6 => Self::Quantize,
            7 => Self::Lquantize(Linear::new(&aggregation.parameters)?),
            8 => Self::Llquantize(LogLinear::new(&aggregation.parameters)?),
            _ => return Err(Malformed::new("known aggregating function")),
        })
    }

    /// As it is written in D.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Stddev => "stddev",
            Self::Quantize => "quantize",
            Self::Lquantize(_) => "lquantize",
            Self::Llquantize(_) => "llquantize",
        }
    }

    /// How many words data are.
    pub fn words(&self) -> usize {
        match self {
            Self::Count | Self::Sum | Self::Min | Self::Max => 1,
            Self::Avg => 2,
            Self::Stddev => 4,
            Self::Quantize => QUANTIZE_WORDS,
            Self::Lquantize(linear) => linear.words(),
            Self::Llquantize(logarithmic) => logarithmic.words(),
        }
    }

    /// Makes data what clear() leaves: as if nothing had been aggregated.
    pub(super) fn clear(&self, data: &mut [u64]) {
        let nothing = match self {
            Self::Min => i64::MAX as u64,
            Self::Max => i64::MIN as u64,
            _ => 0,
        };
        data.fill(nothing);
    }

    /// Joins data of one key.
    pub(super) fn join(&self, data: &mut [u64], more: &[u64]) {
        match (self, &mut *data, more) {
            (Self::Min, [data], [more]) => *data = (*data as i64).min(*more as i64) as u64,
            (Self::Max, [data], [more]) => *data = (*data as i64).max(*more as i64) as u64,
            (Self::Stddev, [count, sum, low, high], [m_count, m_sum, m_low, m_high]) => {
                *count = count.wrapping_add(*m_count);
                *sum = sum.wrapping_add(*m_sum);
                let squares = |low: u64, high: u64| (u128::from(high) << 64) | u128::from(low);
                let all = squares(*low, *high).wrapping_add(squares(*m_low, *m_high));
                (*low, *high) = (all as u64, (all >> 64) as u64);
            }
            _ => {
                for (word, more) in data.iter_mut().zip(more) {
                    *word = word.wrapping_add(*more);
                }
            }
        }
    }

    /// What orders data by value, as libdtrace does.
    pub(super) fn weight(&self, data: &[u64]) -> Weight {
        let single = |number: i128| (number, 0);
        match self {
            Self::Count | Self::Sum | Self::Min | Self::Max => {
                single(data.first().map_or(0, |&word| (word as i64).into()))
            }
            Self::Avg => single(mean(data, 1).into()),
            Self::Stddev => single(stddev(data, 1).into()),
            Self::Quantize => distributions::quantize_weight(data),
            Self::Lquantize(linear) => linear.weight(data),
            Self::Llquantize(logarithmic) => logarithmic.weight(data),
        }
    }

    /// The value of a function that gives a number.
    pub(super) fn number(&self, data: &[u64], normal: u64) -> Option<Value> {
        let first = data.first().copied().unwrap_or(0);
        let normal = normal.max(1);
        Some(match self {
            Self::Count => Value::unsigned(first / normal, 8),
            Self::Sum | Self::Min | Self::Max => {
                let quotient = i128::from(first as i64) / i128::from(normal);
                Value::signed(quotient as i64, 8)
            }
            Self::Avg => Value::signed(mean(data, normal), 8),
            Self::Stddev => Value::unsigned(stddev(data, normal), 8),
            _ => return None,
        })
    }

    /// The rows of a function that gives a distribution.
    pub(super) fn rows(&self, data: &[u64]) -> Vec<Row> {
        match self {
            Self::Quantize => distributions::quantize(data),
            Self::Lquantize(linear) => linear.rows(data),
            Self::Llquantize(logarithmic) => logarithmic.rows(data),
            _ => Vec::new(),
        }
    }
}

fn mean(data: &[u64], normal: u64) -> i64 {
    match data {
        &[count, sum] => average(count, sum, normal),
        _ => 0,
    }
}

/// Data of one key of an aggregation, about to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Aggregated<'a> {
    /// What it is.
    pub function: &'a Function,
    /// Its words.
    pub data: &'a [u64],
    /// normalize()'s factor.
    pub normal: u64,
    /// How it is shown.
    pub options: &'a Options,
}

impl Aggregated<'_> {
    /// The number, unless it is a distribution.
    pub fn number(&self) -> Option<Value> {
        self.function.number(self.data, self.normal)
    }

    /// The rows of a distribution, not normalized.
    pub fn rows(&self) -> Vec<Row> {
        self.function.rows(self.data)
    }

    /// The graph of a distribution.
    pub fn graph(&self, out: &mut Vec<u8>) {
        let rows = self.rows();
        let scale = Scale::new(rows.iter().map(|row| row.count), self.options.aggzoom);
        heading(out, 16, "value");
        for row in &rows {
            put!(out, "{:>16} ", row.label);
            let shown = i128::from(row.count) / i128::from(self.normal.max(1));
            graph::line(out, row.count, shown as i64, &scale, self.options.encoding);
        }
    }
}

/// The line above a graph.
pub(super) fn heading(out: &mut Vec<u8>, width: usize, what: &str) {
    put!(
        out,
        "\n{what:>width$} {:>41} {:<9}\n",
        "------------- Distribution -------------",
        "count"
    );
}
