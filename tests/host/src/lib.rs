// SPDX-License-Identifier: GPL-2.0

//! The module's pure logic, compiled for the host and tested there.
//!
//! | file | what it tests, and how |
//! |---|---|
//! | `ring_nesting` | the ring, by trying every interleaving of writers that interrupt each other |
//! | `ring_random` | the ring, by long random sequences |
//! | `ring_readers` | the ring against a reader, a poller and a stop on another CPU, by loom |
//! | `ring_shares` | what each source gets of a nearly full ring, in both ways |
//! | `ring_observers` | the ring against one that copies it beside its reader, by loom |
//! | `ring_numbers` | the ring's numbers against the ABI header |
//! | `frames_random`, `frames_sharing` | the pool of frames, by a model and by loom |
//! | `program_numbers` | the programs' numbers and layouts against the ABI header |
//! | `program_verifier` | each of the verifier's rules, by a program that breaks it alone |
//! | `program_arithmetic`, `program_strings`, `program_buckets` | what programs calculate, by examples and against evaluators that are obviously right |
//! | `program_clauses` | what clauses leave behind |
//! | `program_fuzz` | random and changed programs, as many as one likes |
//! | `aggregations_nesting`, `aggregations_random` | aggregations, by every interleaving of contexts and by a model |
//! | `dynamic_nesting`, `dynamic_random`, `dynamic_sharing` | dynamic variables, in the same ways, by threads, and by loom |
//! | `dynamic_collisions` | dynamic variables whose hashes meet |
//! | `speculations_nesting`, `speculations_random`, `speculations_sharing` | speculations, in the same ways |
//! | `globals_random` | global variables |
//! | `btf_registers`, `btf_random` | what BTF says of functions' arguments, by prototypes made by hand; and bytes that are no BTF |
//! | `btf_kernel` | the same of the stock kernel's BTF, by adding up |
//! | `btf_by_name` | what is said of functions by their names, by a model |
//! | `frameless_functions` | the functions that do not return, against objtool's list |
//! | `told_functions` | the functions that an administrator vouches for, by examples and against globs put together by hand |
//! | `words` | the operations on memory that are written in assembly: what they change, and that it is all they change |
//! | `glob_random` | the patterns, by examples and against a matcher that is obviously right |
//!
//! `btf_made` makes BTF by hand. `stepper` is the ring's memory for the first three, `shares` the model of what it must answer;
//! `program_world` is the surroundings of programs, `interrupts` the memory of what they keep,
//! `aggregated` the model of aggregations.

#![cfg(test)]

#[cfg(all(target_arch = "x86_64", not(loom)))]
#[path = "../../../rust_tracer/arch/words.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod arch;
#[path = "../../../rust_tracer/btf/mod.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod btf;
#[path = "../../../rust_tracer/functions/frameless.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod frameless;
#[path = "../../../rust_tracer/frames.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod frames;
#[path = "../../../rust_tracer/glob.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod glob;
#[path = "../../../rust_tracer/outcome.rs"]
#[allow(dead_code, reason = "its tests stand beside it")]
mod outcome;
#[path = "../../../rust_tracer/program/mod.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod program;
#[path = "../../../rust_tracer/ring/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each build uses a part")]
mod ring;
#[path = "../../../rust_tracer/functions/told.rs"]
#[allow(dead_code, reason = "each build uses a part")]
mod told;

#[cfg(not(loom))]
mod aggregated;
#[cfg(not(loom))]
mod btf_made;
#[cfg(not(loom))]
mod choices;
#[cfg(not(loom))]
mod interrupts;
#[cfg(not(loom))]
mod shares;
#[cfg(not(loom))]
mod stepper;

#[cfg(not(loom))]
mod aggregations_nesting;
#[cfg(not(loom))]
mod aggregations_random;
#[cfg(not(loom))]
mod btf_by_name;
#[cfg(not(loom))]
mod btf_kernel;
#[cfg(not(loom))]
mod btf_random;
#[cfg(not(loom))]
mod btf_registers;
#[cfg(not(loom))]
mod dynamic_collisions;
#[cfg(not(loom))]
mod dynamic_nesting;
#[cfg(not(loom))]
mod dynamic_random;
#[cfg(loom)]
mod dynamic_sharing;
#[cfg(not(loom))]
mod dynamic_words;
#[cfg(not(loom))]
mod frameless_functions;
#[cfg(not(loom))]
mod frames_random;
#[cfg(loom)]
mod frames_sharing;
#[cfg(not(loom))]
mod glob_random;
#[cfg(not(loom))]
mod globals_random;
#[cfg(not(loom))]
mod program_arithmetic;
#[cfg(not(loom))]
mod program_buckets;
#[cfg(not(loom))]
mod program_clauses;
#[cfg(not(loom))]
mod program_fuzz;
#[cfg(not(loom))]
mod program_numbers;
#[cfg(not(loom))]
mod program_quick;
#[cfg(not(loom))]
mod program_simple;
#[cfg(not(loom))]
mod program_strings;
#[cfg(not(loom))]
mod program_verifier;
#[cfg(not(loom))]
mod program_world;
#[cfg(not(loom))]
mod ring_nesting;
#[cfg(not(loom))]
mod ring_numbers;
#[cfg(loom)]
mod ring_observers;
#[cfg(not(loom))]
mod ring_random;
#[cfg(loom)]
mod ring_readers;
#[cfg(not(loom))]
mod ring_shares;
#[cfg(not(loom))]
mod speculations_nesting;
#[cfg(not(loom))]
mod speculations_random;
#[cfg(loom)]
mod speculations_sharing;
#[cfg(not(loom))]
mod told_functions;
#[cfg(all(target_arch = "x86_64", not(loom)))]
mod words;
