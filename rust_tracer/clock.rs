// SPDX-License-Identifier: GPL-2.0

//! The clock of records: CLOCK_MONOTONIC in ns.
//!
//! Where the kernel itself takes its time from the processor's counter, so do we, with the rate that
//! it had between our last two looks at both: a tenth of the instructions of the kernel's own fast
//! clock. The guard looks a few times a second, so that this clock follows wherever CLOCK_MONOTONIC is
//! steered to, and differs from it by what was steered since. It may step back by a little, as the
//! kernel's fast clock may; rings keep their times in order.

use core::{
    ptr,
    sync::atomic::{
        AtomicPtr,
        AtomicU64,
        Ordering, //
    },
};

use kernel::prelude::*;

use crate::{
    arch,
    bindings, //
};

pub(crate) const NS_PER_SEC: u64 = 1_000_000_000;

/// A moment that both clocks told, and the rate from there on.
struct Anchor {
    cycles: AtomicU64,
    ns: AtomicU64,
    /// ns of a cycle, as a multiple of 2^-32.
    rate: AtomicU64,
}

/// A handler may still use an anchor when the next ones are set: it has all of this time, more than a
/// second.
static ANCHORS: [Anchor; 8] = [const {
    Anchor {
        cycles: AtomicU64::new(0),
        ns: AtomicU64::new(0),
        rate: AtomicU64::new(0),
    }
}; 8];

/// The anchor now, or null: the kernel's clock is asked.
static CURRENT: AtomicPtr<Anchor> = AtomicPtr::new(ptr::null_mut());

/// The last anchor that there was.
static LAST: AtomicPtr<Anchor> = AtomicPtr::new(ptr::null_mut());

/// Cycles between two looks that are enough for a rate: some milliseconds.
const APART: u64 = 1 << 24;

/// ns between two looks of those who do not look regularly, or anchors would be used again too soon.
const SELDOM: u64 = 200_000_000;

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    unsafe(uninit) static LOOKS: Mutex<Looks> = Looks::new();
}

struct Looks {
    /// The last look: cycles and ns.
    last: Option<(u64, u64)>,
    /// How many anchors were set.
    anchors: usize,
    /// The machine is about to sleep, or has not quite woken up: the counter may go on while the clock stands still,
    /// or begin anew.
    asleep: bool,
}

impl Looks {
    const fn new() -> Self {
        Self {
            last: None,
            anchors: 0,
            asleep: false,
        }
    }

    /// Looks, if the last look was so many ns ago.
    fn look(&mut self, apart: u64) {
        if self.asleep {
            return;
        }
        let (mut cycles, mut ns) = (0, 0);
        // SAFETY: Task context; both are there.
        if !unsafe { bindings::rtrace_clock_snapshot(&mut cycles, &mut ns) } {
            return self.forget();
        }
        let Some((cycles_then, ns_then)) = self.last else {
            self.last = Some((cycles, ns));
            return;
        };
        let (mut elapsed, mut passed) =
            (ns.wrapping_sub(ns_then), cycles.wrapping_sub(cycles_then));
        if passed < APART || elapsed < apart {
            return;
        }
        // So that the product of the division below fits.
        let excess = (elapsed >> 31).checked_ilog2().map_or(0, |bits| bits + 1);
        elapsed >>= excess;
        passed >>= excess;
        let (Some(rate), Some(anchor)) = (
            (elapsed << 32).checked_div(passed),
            ANCHORS.get(self.anchors % ANCHORS.len()),
        ) else {
            return self.forget();
        };
        anchor.cycles.store(cycles, Ordering::Relaxed);
        anchor.ns.store(ns, Ordering::Relaxed);
        anchor.rate.store(rate, Ordering::Relaxed);
        LAST.store(ptr::from_ref(anchor).cast_mut(), Ordering::Release);
        CURRENT.store(ptr::from_ref(anchor).cast_mut(), Ordering::Release);
        self.anchors = self.anchors.wrapping_add(1);
        self.last = Some((cycles, ns));
    }

    fn forget(&mut self) {
        CURRENT.store(ptr::null_mut(), Ordering::Relaxed);
        self.last = None;
    }
}

/// # Safety
///
/// Call once, before any session is opened.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { LOOKS.init() };
}

/// The clock without the kernel's help, if that can be had now.
#[derive(Clone, Copy)]
pub(crate) struct Counter(&'static Anchor);

impl Counter {
    /// Any context; not to be kept.
    #[inline(always)]
    pub(crate) fn get() -> Option<Self> {
        // SAFETY: Null, or one of `ANCHORS`.
        unsafe { CURRENT.load(Ordering::Acquire).as_ref() }.map(Self)
    }

    /// The one of the last rate that was known.
    fn last() -> Option<Self> {
        // SAFETY: Null, or one of `ANCHORS`.
        unsafe { LAST.load(Ordering::Acquire).as_ref() }.map(Self)
    }

    /// How long ago the counter stood so, in ns; none if that is yet to come.
    #[inline(always)]
    pub(crate) fn elapsed(self, cycles: u64) -> Option<u64> {
        self.between(cycles, arch::cycles())
    }

    /// How long after the first the counter stood as the second, in ns; none if that was before.
    #[inline(always)]
    pub(crate) fn between(self, first: u64, second: u64) -> Option<u64> {
        let passed = second.checked_sub(first)?;
        let rate = self.0.rate.load(Ordering::Relaxed);
        Some((u128::from(passed).wrapping_mul(rate.into()) >> 32) as u64)
    }

    /// As the other [`now`].
    #[inline(always)]
    pub(crate) fn now(self) -> u64 {
        self.when(arch::cycles())
    }

    /// When the counter stood so, which was a moment ago. That may be before the anchor: the counters of
    /// other CPUs may differ by a little, and a counter may be read before what stands before it.
    #[inline(always)]
    pub(crate) fn when(self, cycles: u64) -> u64 {
        let Self(anchor) = self;
        let passed = cycles.wrapping_sub(anchor.cycles.load(Ordering::Relaxed)) as i64;
        // One multiplication of the processor's: a cycle takes less than two seconds.
        let rate = anchor.rate.load(Ordering::Relaxed) as i64;
        let elapsed = (i128::from(passed).wrapping_mul(rate.into()) >> 32) as u64;
        anchor.ns.load(Ordering::Relaxed).wrapping_add(elapsed)
    }
}

/// CLOCK_MONOTONIC in ns, the same on all CPUs. Any context up to NMI.
#[inline(always)]
pub(crate) fn now() -> u64 {
    match Counter::get() {
        Some(counter) => counter.now(),
        None => by_the_kernel(),
    }
}

/// When the counter stood so, which was not long ago, or since when its rate was last known. Any
/// context.
pub(crate) fn at(cycles: u64) -> u64 {
    let elapsed = Counter::get()
        .or_else(Counter::last)
        .and_then(|counter| counter.elapsed(cycles));
    now().saturating_sub(elapsed.unwrap_or(0))
}

#[cold]
#[inline(never)]
fn by_the_kernel() -> u64 {
    // SAFETY: Any context, NMI too (Documentation/core-api/timekeeping.rst).
    unsafe { kernel::bindings::ktime_get_mono_fast_ns() }
}

/// Looks at both clocks. Task context; a few times a second while anything is traced.
pub(crate) fn look() {
    LOOKS.lock().look(0);
}

/// The same for those whom user space can make look as often as it likes.
pub(crate) fn look_again() {
    LOOKS.lock().look(SELDOM);
}

/// # Safety
///
/// Called by the shim in task context.
#[no_mangle]
unsafe extern "C" fn rtrace_on_power_event(sleeps: bool) {
    let mut looks = LOOKS.lock();
    looks.asleep = sleeps;
    looks.forget();
}

/// Looks after the clock for as long as it lives.
pub(crate) struct Watch(());

impl Watch {
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: `rtrace_on_power_event` is ready; undone by `drop`.
        kernel::error::to_result(unsafe { bindings::rtrace_clock_watch() })?;
        look();
        Ok(Self(()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: Undoes `start`.
        unsafe { bindings::rtrace_clock_unwatch() };
    }
}
