// SPDX-License-Identifier: GPL-2.0

//! What fires, and all that its clauses need.

#![forbid(unsafe_code)]

use crate::{
    bindings::{
        rtrace_moment,
        rtrace_place, //
    },
    engine::{
        binding::Binding,
        counters::Block,
        CpuProgram,
        CpuRing,
        Engine,
        Here,
        Probe,
        Running, //
    },
    own::Kind,
};

/// What fires.
pub(super) enum What {
    Entry,
    Return {
        value: u64,
        /// When the call entered, in ns.
        entered: u64,
        /// The call's arguments, if they were kept.
        arguments: Option<[u64; 6]>,
    },
    Own(Kind),
}

/// A firing's cause, and where it is.
pub(super) struct Event<'a> {
    pub(super) place: &'a rtrace_place,
    pub(super) what: What,
}

/// A firing with all that it needs.
#[derive(Clone, Copy)]
pub(super) struct Fired<'a> {
    pub(super) engine: &'a Engine,
    pub(super) running: &'a Running,
    pub(super) cpu: &'a CpuProgram,
    pub(super) binding: &'a Binding,
    pub(super) moment: &'a rtrace_moment,
    pub(super) event: &'a Event<'a>,
    /// The probe whose clauses run: the one that fires, or ERROR.
    pub(super) probe: Probe,
    /// What ERROR is told; else none.
    pub(super) error: Option<[u64; 6]>,
    pub(super) here: Here<'a>,
    pub(super) ring: &'a CpuRing,
    pub(super) block: &'a Block,
    pub(super) clauses: &'a Block,
}
