// SPDX-License-Identifier: GPL-2.0

//! The module's pure logic, compiled for the host and tested there.
//!
//! | file | what it tests, and how |
//! |---|---|
//! | `ring_nesting` | the ring, by trying every interleaving of writers that interrupt each other |
//! | `ring_random` | the ring, by long random sequences |
//! | `ring_readers` | the ring against a reader, a poller and a stop on another CPU, by loom |
//! | `ring_numbers` | the ring's numbers against the ABI header |
//! | `frames_random`, `frames_sharing` | the pool of frames, by a model and by loom |
//! | `glob_random` | the patterns, by examples and against a matcher that is obviously right |
//!
//! `stepper` is the ring's memory for the first two.

#![cfg(test)]

#[path = "../../../rust_tracer/frames.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod frames;
#[path = "../../../rust_tracer/glob.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod glob;
#[path = "../../../rust_tracer/ring/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each build uses a part")]
mod ring;

#[cfg(not(loom))]
mod choices;
#[cfg(not(loom))]
mod stepper;

#[cfg(not(loom))]
mod frames_random;
#[cfg(loom)]
mod frames_sharing;
#[cfg(not(loom))]
mod glob_random;
#[cfg(not(loom))]
mod ring_nesting;
#[cfg(not(loom))]
mod ring_numbers;
#[cfg(not(loom))]
mod ring_random;
#[cfg(loom)]
mod ring_readers;
