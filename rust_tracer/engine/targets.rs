// SPDX-License-Identifier: GPL-2.0

//! The processes that a session is narrowed to: one, and all that descend from it.
//!
//! A bit for each process id, looked up at each firing. A child inherits its parent's bit when
//! it is forked; a new process of any other parent clears it, so a number that is used again
//! is right from its first instruction on.

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

use kernel::{
    error::to_result,
    ffi,
    prelude::*,
    sync::Arc, //
};

use crate::{
    bindings,
    refusal::Refusal,
    snapshot::Snapshot, //
};

/// One more than the largest process id: the kernel's PID_MAX_LIMIT on 64-bit machines.
const PIDS: usize = 4 * 1024 * 1024;

kernel::sync::global_lock! {
    // SAFETY: Initialised by `init_locks`.
    /// Held while [`WATCHED`] is changed.
    unsafe(uninit) static WATCH: Mutex<()> = ();
}

/// All that forks must be told of.
static WATCHED: Snapshot<KVec<Arc<Targets>>> = Snapshot::empty();

/// # Safety
///
/// Call once, before any use of this file.
pub(super) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { WATCH.init() };
}

pub(crate) struct Targets {
    /// The first one's id.
    process: u32,
    bits: KVVec<AtomicU64>,
}

impl Targets {
    /// The process `pid` of the caller's namespace and its descendants. Task context.
    pub(crate) fn new(pid: i32) -> Result<Arc<Self>, Refusal> {
        // SAFETY: Any number may be asked for.
        let process = unsafe { bindings::rtrace_find_process(pid) };
        if process == 0 {
            return Err(Refusal::with(
                ESRCH,
                fmt!("there is no process {pid} to narrow to: it may have ended"),
            ));
        }
        let mut bits = KVVec::with_capacity(PIDS / 64, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..PIDS / 64 {
            bits.push(AtomicU64::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        let targets = Arc::new(Self { process, bits }, GFP_KERNEL_ACCOUNT)?;
        targets.watch()?;
        // A child forked before its parent's bit was set is found by the pass after.
        while targets.mark_descendants() {}
        Ok(targets)
    }

    /// Whether the process is one of them. Any context.
    #[inline(always)]
    pub(crate) fn contain(&self, process: u32) -> bool {
        let word = self.bits.get(process as usize / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (process % 64)) != 0)
    }

    /// The process from which the others descend, initial pid namespace. Any context.
    pub(crate) fn process(&self) -> u32 {
        self.process
    }

    /// Bytes that it holds.
    pub(crate) fn memory(&self) -> usize {
        PIDS / 8
    }

    /// Sets or clears a process's bit; says whether it was set before.
    fn mark(&self, process: u32, one_of_them: bool) -> bool {
        let Some(word) = self.bits.get(process as usize / 64) else {
            return false;
        };
        let bit = 1 << (process % 64);
        let before = if one_of_them {
            word.fetch_or(bit, Ordering::AcqRel)
        } else {
            word.fetch_and(!bit, Ordering::AcqRel)
        };
        before & bit != 0
    }

    /// Sets the bits of all processes that are there and descend from it; says whether any was not set.
    fn mark_descendants(&self) -> bool {
        struct Walk<'a>(&'a Targets, bool);
        /// # Safety
        ///
        /// `data` is the `Walk` that was given with this function.
        unsafe extern "C" fn each(data: *mut ffi::c_void, process: u32, parent: u32) {
            // SAFETY: By this function's contract.
            let Walk(targets, found) = unsafe { &mut *data.cast::<Walk<'_>>() };
            if process == targets.process || targets.contain(parent) {
                *found |= !targets.mark(process, true);
            }
        }
        let mut walk = Walk(self, false);
        // SAFETY: `each` is called with the pointer to `walk`, which outlives the call.
        unsafe { bindings::rtrace_each_process(Some(each), (&raw mut walk).cast()) };
        walk.1
    }

    fn watch(self: &Arc<Self>) -> Result {
        let _guard = WATCH.lock();
        // SAFETY: The lock is held.
        let others = unsafe { WATCHED.read() };
        let mut all = KVec::with_capacity(1, GFP_KERNEL)?;
        for targets in others.into_iter().flatten() {
            all.push(targets.clone(), GFP_KERNEL)?;
        }
        all.push(self.clone(), GFP_KERNEL)?;
        let first = all.len() == 1;
        WATCHED.replace(Some(KBox::new(all, GFP_KERNEL)?));
        if first {
            // SAFETY: `rtrace_on_fork` is ready.
            let watching = to_result(unsafe { bindings::rtrace_forks_watch() });
            if watching.is_err() {
                WATCHED.replace(None);
            }
            return watching;
        }
        Ok(())
    }

    /// Forks are no longer of interest. Task context; once.
    pub(crate) fn unwatch(self: &Arc<Self>) {
        let _guard = WATCH.lock();
        // SAFETY: The lock is held.
        let Some(all) = (unsafe { WATCHED.read() }) else {
            return;
        };
        let others = all.iter().filter(|other| !Arc::ptr_eq(other, self));
        let mut rest = KVec::new();
        for targets in others {
            // Without memory it stays watched until the next change: bits nobody reads.
            if rest.push(targets.clone(), GFP_KERNEL).is_err() {
                return;
            }
        }
        if rest.is_empty() {
            // SAFETY: Undoes `watch`; no fork is under way in our callback afterwards.
            unsafe { bindings::rtrace_forks_unwatch() };
            WATCHED.replace(None);
        } else if let Ok(rest) = KBox::new(rest, GFP_KERNEL) {
            WATCHED.replace(Some(rest));
        }
    }
}

/// No session is left: nor is anything that stayed watched for want of memory.
pub(super) fn forget() {
    let _guard = WATCH.lock();
    // SAFETY: The lock is held.
    if unsafe { WATCHED.read() }.is_some() {
        // SAFETY: Undoes `watch`.
        unsafe { bindings::rtrace_forks_unwatch() };
        WATCHED.replace(None);
    }
}

/// # Safety
///
/// Called by the shim with preemption off, before the child runs.
#[no_mangle]
unsafe extern "C" fn rtrace_on_fork(parent: u32, child: u32) {
    // SAFETY: Preemption is off.
    let watched = unsafe { WATCHED.read() };
    for targets in watched.into_iter().flatten() {
        let is_one = targets.contain(parent);
        // Who marks the descendants meanwhile marks the parent before the child, whose bit this may clear again.
        if targets.mark(child, is_one) && !is_one && targets.contain(parent) {
            targets.mark(child, true);
        }
    }
}
