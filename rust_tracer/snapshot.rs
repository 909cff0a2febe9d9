// SPDX-License-Identifier: GPL-2.0

//! A value that handlers read without a lock while it is replaced as a whole.
//!
//! Readers run with preemption off, which is an RCU read-side critical section; a writer
//! puts the new value in place, waits for a grace period, and drops the old one.

use core::{
    ptr,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};

use kernel::prelude::*;

use crate::bindings;

/// # Invariants
///
/// The pointer is null or came from `KBox::into_raw`, and what it points to lives until a
/// grace period has passed since the pointer was replaced.
#[repr(transparent)]
pub(crate) struct Snapshot<T> {
    current: AtomicPtr<T>,
}

// SAFETY: Readers share `&T` between CPUs, the writer drops the value on any of them.
unsafe impl<T: Send + Sync> Sync for Snapshot<T> {}

impl<T> Snapshot<T> {
    pub(crate) const fn empty() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The value now, if there is one.
    ///
    /// # Safety
    ///
    /// Preemption must be off for as long as the reference is used, or the caller must hold
    /// the lock under which [`Self::replace`] is called.
    #[inline(always)]
    pub(crate) unsafe fn read(&self) -> Option<&T> {
        // SAFETY: By the type's invariant and the caller's contract the value outlives the use.
        unsafe { self.current.load(Ordering::Acquire).as_ref() }
    }

    /// Puts another value in place. Returns after the last reader of the old one is gone.
    /// Task context; callers exclude each other.
    pub(crate) fn replace(&self, value: Option<KBox<T>>) {
        self.replace_and_tell(value, |_| ());
    }

    /// The same, where others refer to parts of it as well, as long as readers do: `told` is called
    /// with the new one when it is in place and the old one still there.
    pub(crate) fn replace_and_tell(&self, value: Option<KBox<T>>, told: impl FnOnce(Option<&T>)) {
        let new = value.map_or(ptr::null_mut(), KBox::into_raw);
        let old = self.current.swap(new, Ordering::AcqRel);
        // SAFETY: By the invariant it is there as long as the callers exclude each other.
        told(unsafe { new.as_ref() });
        if !old.is_null() {
            // SAFETY: Task context.
            unsafe { bindings::rtrace_wait_for_handlers() };
            // SAFETY: By the invariant it came from `KBox::into_raw`; it was unpublished and a
            // grace period has passed, so nobody else refers to it.
            drop(unsafe { KBox::from_raw(old) });
        }
    }
}

impl<T> Drop for Snapshot<T> {
    fn drop(&mut self) {
        let current = *self.current.get_mut();
        if !current.is_null() {
            // SAFETY: By the invariant it came from `KBox::into_raw`; readers borrow `self`, so
            // there are none.
            drop(unsafe { KBox::from_raw(current) });
        }
    }
}
