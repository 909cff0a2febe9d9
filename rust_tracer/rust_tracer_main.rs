// SPDX-License-Identifier: GPL-2.0

//! rust_tracer: DTrace for Linux as one loadable module.
//!
//! A file opened on one of three device nodes is a [session](session). A session adds
//! probes to [functions], starts an [engine](engine) (rings, counters, frames), and the
//! engine is [attached](attach) to the functions' ftrace sites. When a function is called,
//! its handler [fires](fire): it counts the firing in the [ledger](engine::counters) and
//! writes a record into the [ring](ring) of its CPU, which user space maps.
//!
//! Lock order (each may be held while taking those to its right, never the other way):
//! a session's `inner` → `ATTACH` → `FUNCTIONS`, or → `WATCH`, or → `NAMING`; apart from these, below
//! the kernel's CPU hotplug lock, `ENGINES`; and `DETECT` → the kernel's own. `SESSIONS`, `USES` and a
//! session's other locks are held for an instant, with nothing taken inside; only these are taken with
//! the guard's own, `GUARD`, held. Nobody holds the `inner` of two sessions. User memory is never
//! touched with one held: a page fault may wait as long as its owner likes. Nor is memory asked for that
//! is charged to a user, but under the `inner` of a session that has not started: see `session::news`.

#![crate_name = "rust_tracer"]

use kernel::prelude::*;

mod abi;
mod arch;
mod attach;
mod audit;
#[allow(
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unused_imports,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod bindings;
mod btf;
mod clock;
mod detect;
mod device;
mod engine;
mod fire;
mod frames;
mod functions;
mod glob;
mod loaded;
mod modules;
mod node;
mod opener;
mod outcome;
mod own;
#[allow(dead_code, reason = "each build uses a part")]
mod program;
mod quota;
mod refusal;
mod ring;
mod session;
mod snapshot;
mod sort;
mod ways;

module! {
    type: RustTracer,
    name: "rust_tracer",
    authors: ["The rust_tracer authors"],
    description: "DTrace for Linux: fbt probes by device node, read from lock-free rings",
    license: "GPL",
}

/// The module's state. Fields drop in this order: no new sessions first (an open file pins the
/// module, so none is left), then nothing that could call into the rest.
struct RustTracer {
    _devices: device::Devices,
    _guard: session::guard::Watchman,
    _cpus: engine::CpuWatch,
    _modules: modules::ModuleWatch,
    _clock: clock::Watch,
}

impl kernel::Module for RustTracer {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: The initialiser runs once, before anything can take one of these locks.
        unsafe {
            attach::init_locks();
            clock::init_locks();
            detect::init_locks();
            engine::init_locks();
            functions::init_locks();
            quota::init_locks();
            session::init_locks();
            session::guard::init_locks();
        }
        let clock = clock::Watch::start()?;
        let modules = modules::ModuleWatch::start()?;
        let cpus = engine::CpuWatch::start()?;
        let guard = session::guard::Watchman::start()?;
        // Time has passed since the first look, so there is a rate from the first session on.
        clock::look();
        let devices = device::Devices::register()?;
        Ok(Self {
            _devices: devices,
            _guard: guard,
            _cpus: cpus,
            _modules: modules,
            _clock: clock,
        })
    }
}
