// SPDX-License-Identifier: GPL-2.0

//! The memory of a program's state: zeroed words, charged to the memcg of who made them.

use core::{
    ffi::c_void,
    ptr::NonNull,
    slice,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    },
};

use kernel::prelude::*;

use crate::{
    arch,
    bindings,
    program::words::Local, //
};

/// # Invariants
///
/// `base` owns `count` words, from `rtrace_pages_alloc`; it dangles if `count` is 0.
pub(crate) struct Words {
    base: NonNull<c_void>,
    count: usize,
}

// SAFETY: The words are atomic.
unsafe impl Send for Words {}
// SAFETY: As above.
unsafe impl Sync for Words {}

impl Words {
    /// `count` words of 0. Task context.
    pub(crate) fn new(count: usize) -> Result<Self> {
        if count == 0 {
            // INVARIANT: There are none.
            return Ok(Self {
                base: NonNull::<AtomicU64>::dangling().cast(),
                count,
            });
        }
        let bytes = count.checked_mul(size_of::<AtomicU64>()).ok_or(ENOMEM)?;
        // SAFETY: Task context.
        let base = NonNull::new(unsafe { bindings::rtrace_pages_alloc(bytes) }).ok_or(ENOMEM)?;
        // INVARIANT: It was just allocated with that many bytes.
        Ok(Self { base, count })
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.count * size_of::<AtomicU64>()
    }

    /// The words. Any context.
    #[inline(always)]
    pub(crate) fn all(&self) -> &[AtomicU64] {
        // SAFETY: By the invariant; all of it is initialised, and changed by atomics alone.
        unsafe { slice::from_raw_parts(self.base.as_ptr().cast(), self.count) }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if self.count != 0 {
            // SAFETY: By the invariant.
            unsafe { bindings::rtrace_pages_free(self.base.as_ptr()) };
        }
    }
}

/// Words that one CPU writes.
#[derive(Clone, Copy)]
pub(crate) struct OwnWords<'a>(pub(crate) &'a [AtomicU64]);

impl Local for OwnWords<'_> {
    #[inline(always)]
    fn count(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn load(&self, index: usize) -> u64 {
        let word = self.0.get(index);
        word.map_or(0, |word| word.load(Ordering::Relaxed))
    }

    #[inline(always)]
    fn store(&self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn add(&self, index: usize, value: u64) {
        if let Some(word) = self.0.get(index) {
            arch::add_local(word, value);
        }
    }

    #[inline(always)]
    fn fetch_add(&self, index: usize, value: u64) -> u64 {
        let word = self.0.get(index);
        word.map_or(0, |word| arch::fetch_add_local(word, value))
    }

    #[inline(always)]
    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool {
        let word = self.0.get(index);
        word.is_some_and(|word| arch::compare_exchange_local(word, old, new))
    }
}
