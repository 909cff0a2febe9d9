// SPDX-License-Identifier: GPL-2.0-only
//! What D programs have recorded, as dtrace prints it, to the character.
//!
//! ```text
//!   records ──trace::Printer──► text and what the tool is to do (exit, commit, setopt …)
//!                │ printa, clear, trunc, normalize
//!                ▼
//!   entries ──► aggregations::Store ──► text
//! ```
//!
//! Nothing here reads a clock, a file or a process: the tool answers for those ([`world`]).
//! The facts are those of libdtrace (Oracle's dtrace-utils on Linux, illumos for what that
//! does not have): dt_consume.c, dt_printf.c, dt_aggregate.c, dt_handle.c, and dtrace.c.
#![forbid(unsafe_code)]

pub mod aggregations;
mod bytes;
mod date;
mod distributions;
mod flow;
mod graph;
pub mod json;
pub mod messages;
mod number;
pub mod options;
mod printf;
mod program;
pub mod record;
mod stddev;
mod symbols;
#[cfg(test)]
mod testing;
pub mod trace;
pub mod values;
pub mod world;
