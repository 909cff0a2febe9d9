// SPDX-License-Identifier: GPL-2.0

//! Those who poll a session, and waking them from a probe.
//!
//! C header: [`shim/shim.h`], "waiting". The wake-up goes through an irq_work, since a handler may
//! hold any lock, the wait queue's among them.

use core::ptr::NonNull;

use kernel::prelude::*;

use crate::bindings;

/// # Invariants
///
/// Owns what `rtrace_waiter_new` made.
pub(crate) struct Waiter(NonNull<bindings::rtrace_waiter>);

// SAFETY: A wait queue and an irq_work may be used from anywhere.
unsafe impl Send for Waiter {}
// SAFETY: As above.
unsafe impl Sync for Waiter {}

impl Waiter {
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Task context.
        let waiter = NonNull::new(unsafe { bindings::rtrace_waiter_new() }).ok_or(ENOMEM)?;
        // INVARIANT: It was just made, and is owned from here on.
        Ok(Self(waiter))
    }

    /// Wakes all who wait. Any context up to NMI.
    pub(crate) fn wake(&self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_waiter_wake(self.0.as_ptr()) };
    }

    /// The same from where no handler is said to be at work. Any context, preemption off.
    pub(crate) fn wake_shielded(&self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_waiter_wake_shielded(self.0.as_ptr()) };
    }

    /// Adds the poller to those who wait.
    ///
    /// # Safety
    ///
    /// Called from a file's poll with its own arguments; `self` lives as long as the file.
    pub(crate) unsafe fn poll(
        &self,
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) {
        // SAFETY: By the type's invariant and this function's contract.
        unsafe { bindings::rtrace_waiter_poll(self.0.as_ptr(), file, table) };
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant; nobody refers to it any more.
        unsafe { bindings::rtrace_waiter_free(self.0.as_ptr()) };
    }
}
