// SPDX-License-Identifier: GPL-2.0

//! The clock of records.

#![deny(unsafe_code)]

/// CLOCK_MONOTONIC in ns, the same on all CPUs. Any context up to NMI.
#[allow(unsafe_code, reason = "the kernel's function has no safe face")]
#[inline(always)]
pub(crate) fn now() -> u64 {
    // SAFETY: Any context, NMI too (Documentation/core-api/timekeeping.rst).
    unsafe { kernel::bindings::ktime_get_mono_fast_ns() }
}
