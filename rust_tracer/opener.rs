// SPDX-License-Identifier: GPL-2.0

//! Who opened a node: what decides about its session for all its life.
//!
//! Not who holds the descriptor now (`Documentation/security/credentials.rst`, "Open File
//! Credentials"): one that was passed, inherited, or kept over a change of ids gives nobody more
//! than its opener had, and does not arm.
//!
//! C half: `shim/access.c`, "opening".

use core::ptr::NonNull;

use kernel::{
    bindings::file,
    prelude::*, //
};

use crate::bindings;

/// What is known of an opener, as it was when it opened.
pub(crate) type Facts = bindings::rtrace_facts;

/// What is known of the current task. Task context.
pub(crate) fn current_facts() -> Facts {
    let mut facts = Facts::default();
    // SAFETY: Task context.
    unsafe { bindings::rtrace_facts(&mut facts) };
    facts
}

/// Whether the current task is to end at once. Task context.
pub(crate) fn is_killed() -> bool {
    // SAFETY: Task context.
    unsafe { bindings::rtrace_is_killed() }
}

/// # Invariants
///
/// Owns what `rtrace_opener_new` made.
pub(crate) struct Opener {
    opener: NonNull<bindings::rtrace_opener>,
    facts: Facts,
}

// SAFETY: What it holds is counted, and does not change.
unsafe impl Send for Opener {}
// SAFETY: As above.
unsafe impl Sync for Opener {}

impl Opener {
    /// The current task, which is opening `file`.
    ///
    /// # Safety
    ///
    /// Called from a file's open with its own argument.
    pub(crate) unsafe fn of(file: *mut file) -> Result<Self> {
        // SAFETY: By this function's contract.
        let opener = unsafe { bindings::rtrace_opener_new(file.cast()) };
        // INVARIANT: It was just made, and is owned from here on.
        Ok(Self {
            opener: NonNull::new(opener).ok_or(ENOMEM)?,
            facts: current_facts(),
        })
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether the mode, owner and ACL of the node still admit it. Task context.
    pub(crate) fn is_admitted(&self) -> bool {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_opener_admitted(self.opener.as_ptr()) }
    }

    /// Whether the current task belongs to the process that opened, and has the ids it had then.
    pub(crate) fn is_current(&self) -> bool {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_opener_is_current(self.opener.as_ptr()) }
    }

    /// Whether it was an admin when it opened, and the current task is one now.
    pub(crate) fn is_admin(&self) -> bool {
        // SAFETY: Task context.
        self.facts.admin && unsafe { bindings::rtrace_current_is_admin() }
    }

    /// Whether the current task is one of the opener's own: the same ids throughout, nothing
    /// gained by a set-id program or a file's capabilities. Task context, preemption off.
    #[inline(always)]
    pub(crate) fn owns_current(&self) -> bool {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_opener_owns_current(self.opener.as_ptr()) }
    }
}

impl Opener {
    /// The same of a task that was interrupted in user space. Hard interrupt.
    pub(crate) fn owns_interrupted(&self, place: &bindings::rtrace_place) -> bool {
        // SAFETY: By the type's invariant; the place is valid.
        unsafe { bindings::rtrace_opener_owns_interrupted(self.opener.as_ptr(), place) }
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_opener_free(self.opener.as_ptr()) };
    }
}

/// Whether the kernel is locked down for tracing. It says so in its log when it is.
pub(crate) fn is_locked_down() -> bool {
    // SAFETY: Task context.
    unsafe { bindings::rtrace_locked_down() }
}
