// SPDX-License-Identifier: GPL-2.0

//! What an engine's handlers need on every CPU, where one instruction reaches it: a cache line of
//! per-CPU memory for each engine, read and counted in by way of the CPU's own base register.
//!
//! The slower half of a CPU's part lies in `Cpu`; what stands in both is kept alike by the engine.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use core::{
    ffi::c_void,
    mem::offset_of,
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        AtomicU64,
        Ordering, //
    },
};

use kernel::prelude::*;

use super::{
    calls::Token,
    counters::{
        Block,
        Blocks, //
    },
    CpuRing, //
};
use crate::{
    arch,
    bindings, //
};

/// One CPU's line.
#[repr(C, align(64))]
pub(super) struct Hot {
    /// While probes fire here and nothing is in their way, the token of the calls that enter here and
    /// are followed the short way: see [`Token`]. Else 0, and the long way knows why.
    pub(super) open: AtomicU64,
    /// The blocks of the probes that were there at the start.
    pub(super) counters: AtomicPtr<Block>,
    /// 0 while no probe fires here; kept like the CPU's own switch.
    pub(super) running: AtomicU64,
    /// How often a probe fired here. Written by this CPU.
    pub(super) fired: AtomicU64,
    /// The table of aggregations that is active here, or null. (So far the stub's assembly knows it.)
    pub(super) aggregations: AtomicPtr<AtomicU64>,
    /// Where probes aggregate under their names; see [`Place`].
    pub(super) places: AtomicPtr<Place>,
    pub(super) ring: AtomicPtr<CpuRing>,
    /// The CPU's number, as it stands in records: in the upper half.
    pub(super) cpu: AtomicU64,
}

const _: () = {
    use bindings::rtrace_hot;
    assert!(offset_of!(Hot, open) == offset_of!(rtrace_hot, token));
    assert!(offset_of!(Hot, counters) == offset_of!(rtrace_hot, counters));
    assert!(offset_of!(Hot, running) == offset_of!(rtrace_hot, running));
    assert!(offset_of!(Hot, fired) == offset_of!(rtrace_hot, fired));
    assert!(offset_of!(Hot, aggregations) == offset_of!(rtrace_hot, aggregations));
    // A line, which one instruction reaches as well.
    assert!(size_of::<Hot>() == 64);
};

/// The lines of all CPUs of one engine.
///
/// # Invariants
///
/// The address is that of per-CPU memory for a [`Hot`], which this owns.
pub(super) struct Hots(NonNull<c_void>);

// SAFETY: All is reached by atomics, or written by the CPU that it belongs to.
unsafe impl Send for Hots {}
// SAFETY: As above.
unsafe impl Sync for Hots {}

impl Hots {
    /// Zeroes on all CPUs. Task context.
    pub(super) fn new() -> Result<Self> {
        // SAFETY: Task context.
        let at = unsafe { bindings::rtrace_percpu_alloc(size_of::<Hot>(), align_of::<Hot>()) };
        // INVARIANT: It was just allocated for that.
        Ok(Self(NonNull::new(at).ok_or(ENOMEM)?))
    }

    /// The line of a CPU that there can be.
    pub(super) fn of(&self, cpu: u32) -> &Hot {
        // SAFETY: By the invariant; zeroes are a valid line, and it lives as long as this.
        unsafe { &*bindings::rtrace_percpu_of(self.0.as_ptr(), cpu).cast() }
    }

    /// For handlers.
    pub(super) fn everywhere(&self) -> HotCpu {
        HotCpu(self.0.as_ptr() as usize)
    }
}

impl Drop for Hots {
    fn drop(&mut self) {
        // SAFETY: By the invariant.
        unsafe { bindings::rtrace_percpu_free(self.0.as_ptr()) };
    }
}

/// The line of the CPU that asks, of an engine that lives. All of it: any context, preemption off.
#[derive(Clone, Copy)]
pub(crate) struct HotCpu(usize);

/// A number of an aggregation's table, or of a block of counters, in bytes.
pub(crate) type Offset = u32;

/// Where the data lie, in a CPU's table of aggregations, that a probe aggregates under its own name; null:
/// nowhere yet. (An address: whoever comes while the tables are turned finds data of one of both.)
pub(super) type Place = AtomicPtr<AtomicU64>;

impl HotCpu {
    /// One that is never open.
    pub(crate) fn closed() -> Self {
        // SAFETY: Always.
        Self(unsafe { bindings::rtrace_closed_line() } as usize)
    }

    /// The one that [`address`](Self::address) told of.
    ///
    /// # Safety
    ///
    /// Its engine lives as long as this is used.
    #[inline(always)]
    pub(crate) unsafe fn from_address(address: usize) -> Self {
        Self(address)
    }

    /// To be kept beside the engine.
    pub(crate) fn address(self) -> usize {
        self.0
    }

    #[inline(always)]
    fn load<const OFFSET: usize>(self) -> u64 {
        // SAFETY: By the type's contract the address is that of a line, in which the word is.
        unsafe { arch::load_per_cpu::<OFFSET>(self.0) }
    }

    /// Whether probes fire here and nothing is in their way.
    #[inline(always)]
    pub(crate) fn is_open(self) -> bool {
        // SAFETY: As in `load`.
        unsafe { arch::is_set_per_cpu::<{ offset_of!(Hot, open) }>(self.0) }
    }

    /// Whether any probe fires here, the short way or the long one.
    #[inline(always)]
    pub(crate) fn is_running(self) -> bool {
        self.load::<{ offset_of!(Hot, running) }>() != 0
    }

    /// The token of the calls that enter here, or 0 if it is not open.
    #[inline(always)]
    pub(crate) fn token(self) -> u64 {
        self.load::<{ offset_of!(Hot, open) }>()
    }

    /// Counts a firing for the whole engine.
    #[inline(always)]
    pub(crate) fn count_fired(self) {
        // SAFETY: As in `load`; the word is this CPU's.
        unsafe { arch::increment_per_cpu::<{ offset_of!(Hot, fired) }>(self.0) };
    }

    /// The CPU's number, in the upper half.
    #[inline(always)]
    pub(crate) fn upper_cpu(self) -> u64 {
        self.load::<{ offset_of!(Hot, cpu) }>()
    }

    /// The counters of the probe whose block lies there, with those behind it.
    ///
    /// # Safety
    ///
    /// It is open, and `at` is the place of a block that was there at the start.
    #[inline(always)]
    pub(crate) unsafe fn blocks<'a>(self, at: Offset) -> &'a Blocks {
        let first = self.load::<{ offset_of!(Hot, counters) }>() as *const Block;
        // SAFETY: By this function's contract.
        unsafe { &*first.byte_add(at as usize).cast() }
    }

    /// A word of the active table of aggregations.
    ///
    /// # Safety
    ///
    /// It is open, and the program has an aggregation without keys whose words lie there.
    #[inline(always)]
    pub(crate) unsafe fn aggregated<'a>(self, at: Offset) -> &'a AtomicU64 {
        let table = self.load::<{ offset_of!(Hot, aggregations) }>() as *const AtomicU64;
        // SAFETY: By this function's contract.
        unsafe { &*table.byte_add(at as usize) }
    }

    /// Where the data begin that a probe aggregates under its own name, if they are anywhere yet.
    ///
    /// # Safety
    ///
    /// It is open, and the probe of this index aggregates so.
    #[inline(always)]
    pub(crate) unsafe fn named<'a>(self, index: u32) -> Option<&'a AtomicU64> {
        let places = self.load::<{ offset_of!(Hot, places) }>() as *const Place;
        // SAFETY: By this function's contract the program aggregates by probe, and this one, which was
        // there at the start, has a place.
        let first = unsafe { &*places.add(index as usize) }.load(Ordering::Relaxed);
        // SAFETY: Null, or a word of one of this CPU's tables, which live as long as the engine.
        unsafe { first.as_ref() }
    }

    /// The ring.
    ///
    /// # Safety
    ///
    /// It is open.
    #[inline(always)]
    pub(crate) unsafe fn ring<'a>(self) -> &'a CpuRing {
        // SAFETY: By this function's contract: what is open has a ring, which lives as long as it.
        unsafe { &*(self.load::<{ offset_of!(Hot, ring) }>() as *const CpuRing) }
    }
}

impl Hot {
    /// Opens the short way. Any context.
    pub(super) fn open(&self, token: Token) {
        self.open.store(token.word(), Ordering::SeqCst);
    }

    /// Closes it. Any context.
    pub(super) fn close(&self) {
        self.open.store(0, Ordering::SeqCst);
    }
}
