// SPDX-License-Identifier: GPL-2.0-only
//! The tool rtctl: DTrace's command line over rust_tracer sessions.
//!
//! The path of one run: [`cli`] takes the line apart, [`access`] opens a node,
//! [`enable`] adds what [`spec`] describes (or [`list`] lists it), [`run`] starts
//! the session and moves records to the [`output`] until what [`watch`] watches
//! for happens, and [`closing`] says what became of every firing, or [`death`] who
//! ended it. [`sessions`], [`revoke`], [`observe`], [`doctor`], [`check`], [`hooks`]
//! and [`verify`] are the subcommands; [`chain`] makes a trace tamper-evident.

#![forbid(unsafe_code)]

pub mod access;
pub mod chain;
pub mod check;
pub mod cli;
pub mod closing;
pub mod death;
pub mod doctor;
pub mod enable;
pub mod errno;
pub mod escape;
pub mod hooks;
pub mod list;
pub mod manual;
pub mod names;
pub mod observe;
pub mod options;
pub mod output;
pub mod printer;
pub mod program;
pub mod progress;
pub mod resize;
pub mod revoke;
pub mod run;
pub mod sessions;
pub mod speaker;
pub mod spec;
pub mod symbols;
pub mod target;
pub mod tool;
pub mod verify;
pub mod watch;
