// SPDX-License-Identifier: GPL-2.0

//! Entries and returns, by the stub (`arch/stub.S`): it makes a frame on the stack of each call.
//!
//! Its sites are attached by an ftrace_ops as others are ([`super::ops`]). But a task may sleep for hours
//! in a function, with a frame of the stub's below it: so the module stays until the last such call has
//! returned, or its task has ended.

use kernel::{
    error::to_result,
    prelude::*, //
};

use crate::bindings;

/// How many sessions may follow one call: so many tokens a frame has.
pub(super) const SESSIONS_MAX: usize = 1 + size_of::<[u64; 2]>() / size_of::<u64>();

/// Whether the module stays for the stub's sake.
pub(super) struct Held(bool);

impl Held {
    pub(super) const fn not() -> Self {
        Self(false)
    }

    /// The stub is about to be attached somewhere. Task context, `ATTACH` held.
    pub(super) fn hold(&mut self) -> Result {
        if !self.0 {
            // SAFETY: Task context; the callers exclude each other.
            to_result(unsafe { bindings::rtrace_stub_hold() })?;
            self.0 = true;
        }
        Ok(())
    }

    /// It is attached nowhere any more: the module may go when the calls have returned that it
    /// follows. Task context, `ATTACH` held.
    pub(super) fn let_go(&mut self) {
        if core::mem::take(&mut self.0) {
            // SAFETY: It is held.
            unsafe { bindings::rtrace_stub_let_go() };
        }
    }
}

/// Whether the administrator lets it be used. Any context.
pub(super) fn is_allowed() -> bool {
    // SAFETY: Always.
    unsafe { bindings::rtrace_stub_is_allowed() }
}

/// Whether something else, a BPF program, is called directly at a site. Task context.
pub(super) fn has_direct_call(site: usize) -> bool {
    // SAFETY: Any number may be asked for.
    unsafe { bindings::rtrace_has_direct_call(site) }
}

/// Returns when nothing of the stub's is at work. It is attached nowhere, and nothing holds the module.
pub(super) fn wait() {
    // SAFETY: Task context.
    unsafe { bindings::rtrace_stub_stop() };
}
