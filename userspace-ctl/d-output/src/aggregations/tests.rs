// SPDX-License-Identifier: GPL-2.0-only
//! Tests of aggregations. Much of what is expected is that of dtrace-utils' own tests.
//!
//! | file | what it tests |
//! |---|---|
//! | `values` | keys and values as they are printed |
//! | `order` | in which order |
//! | `changes` | `trunc()`, `clear()` and `normalize()` |
//! | `llquantize` | its buckets, against Oracle's |
//! | `graphs` | other shapes of distributions, and the largest numbers |
//! | `merging` | what CPUs hand in, and what does not fit |

mod changes;
mod graphs;
mod llquantize;
mod merging;
mod order;
mod values;

use d_compiler::check::format;

use super::*;
use crate::testing::Small;

const INT: Form = Form::Integer {
    bytes: 4,
    signed: true,
};

fn store(aggregations: &[compiled::Aggregation]) -> Store {
    Store::new(aggregations).expect("known functions")
}

fn rest(store: &Store, options: &Options) -> String {
    let mut out = Vec::new();
    store.print_rest(&mut out, options, &Small);
    String::from_utf8(out).expect("UTF-8")
}

fn printa(store: &mut Store, aggregations: &[u32], options: &Options) -> String {
    let mut out = Vec::new();
    store
        .printa(&mut out, aggregations, options, &Small)
        .expect("as described");
    String::from_utf8(out).expect("UTF-8")
}

fn printa_by(store: &mut Store, text: &str, aggregations: &[u32], options: &Options) -> String {
    let mut out = Vec::new();
    let format = format::parse(text).expect("a format");
    store
        .printa_by(&mut out, &format, aggregations, options, &Small)
        .expect("as described");
    String::from_utf8(out).expect("UTF-8")
}

/// A graph of rows: the label, the bar's length, the count.
fn graph(rows: &[(&str, usize, i64)]) -> String {
    let mut graph = format!(
        "\n{:>16}  ------------- Distribution ------------- count    \n",
        "value"
    );
    for &(label, bar, count) in rows {
        graph += &format!("{label:>16} |{:<40} {count:<9}\n", "@".repeat(bar));
    }
    graph
}
