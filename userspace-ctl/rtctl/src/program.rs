// SPDX-License-Identifier: GPL-2.0-only
//! D programs: from their texts to what they print.
//!
//! | file | its part |
//! |---|---|
//! | [`run`] | a run, from beginning to end |
//! | [`sources`] | the texts of `-n`, `-s` and so on, parsed together |
//! | [`libraries`] | those of `-L` |
//! | [`providers`] | which probes a description names |
//! | [`load`] | the program and its probes in the session |
//! | [`room`] | how large its records are |
//! | [`consumer`] | records and aggregations, as they come, to text |
//! | [`world`], [`processes`], [`seen`], [`kallsyms`] | what the text needs to know of the machine |

mod consumer;
mod held;
mod kallsyms;
mod libraries;
mod load;
mod mapped;
mod pace;
mod processes;
mod providers;
mod room;
mod run;
mod seen;
mod sources;
mod world;

pub use load::{Failure, Sizes, load, named};
pub use providers::{Named, Providers, SYSCALL_IDS, always_id};
pub use run::run;
