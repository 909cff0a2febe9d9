// SPDX-License-Identifier: GPL-2.0-only
//! D, the language of DTrace, compiled to the bytecode that the kernel module runs.
//!
//! ```text
//!   text ──parse──► ast ──check, code──► Compiled: bytecode for the module, and what its
//!                    ▲                    records and aggregations mean, for who prints them
//!                  types (BTF)
//! ```

pub mod ast;
pub mod btf;
pub mod builtins;
pub mod check;
pub mod code;
pub mod compile;
#[cfg(test)]
mod compile_tests;
pub mod compiled;
pub mod disassemble;
pub mod error;
mod lex;
pub mod macros;
pub mod options;
pub mod parse;
mod prelude;
pub mod print;
#[cfg(test)]
#[path = "../../../rust_tracer/program/mod.rs"]
#[allow(dead_code, unused_imports, unexpected_cfgs, clippy::all, reason = "the module's code, of which the tests use a part")]
#[rustfmt::skip]
mod program;
#[cfg(test)]
#[path = "../../../tests/host/src/program_world.rs"]
#[allow(dead_code, clippy::all, reason = "the host's tests' code, of which these use a part")]
#[rustfmt::skip]
mod program_world;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod run_tests;
pub mod source;
pub mod stability;
pub mod syscalls;
pub mod types;
pub mod version;
#[cfg(test)]
mod wording_tests;
