// SPDX-License-Identifier: GPL-2.0

//! Sorting by the kernel's own heap sort.
//!
//! `core`'s sorts can panic over an inconsistent order, in a way that objtool does not see to be
//! an end; the kernel's leaves such a slice in some order.
//!
//! C header: [`include/linux/sort.h`](srctree/include/linux/sort.h)

use core::cmp::Ordering;

use kernel::ffi;

use crate::bindings;

/// Sorts a slice, not stably. Task context; n log n, but n for what is sorted, as most is.
pub(crate) fn sort_by<T, F: Fn(&T, &T) -> Ordering>(slice: &mut [T], compare: F) {
    /// # Safety
    ///
    /// `a` and `b` point to elements of the slice, `compare` to the closure.
    unsafe extern "C" fn call<T, F: Fn(&T, &T) -> Ordering>(
        a: *const ffi::c_void,
        b: *const ffi::c_void,
        compare: *const ffi::c_void,
    ) -> ffi::c_int {
        // SAFETY: By this function's contract.
        let (compare, a, b) = unsafe { (&*compare.cast::<F>(), &*a.cast(), &*b.cast()) };
        compare(a, b) as ffi::c_int
    }
    if slice.is_sorted_by(|a, b| compare(a, b).is_le()) {
        return;
    }
    // SAFETY: The slice is as long as said; elements are moved as bytes, each to one place;
    // `call` gets what it asks for.
    unsafe {
        bindings::rtrace_sort(
            slice.as_mut_ptr().cast(),
            slice.len(),
            size_of::<T>(),
            Some(call::<T, F>),
            (&raw const compare).cast(),
        );
    }
}

/// Sorts a slice by its elements' own order.
pub(crate) fn sort<T: Ord>(slice: &mut [T]) {
    sort_by(slice, T::cmp);
}
