// SPDX-License-Identifier: GPL-2.0

//! The CPUs: which there are, and those that come and go while engines live.
//!
//! Locks: `ENGINES`, taken with the kernel's CPU hotplug lock held and with nothing of ours.

use core::sync::atomic::Ordering;

use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

use super::{
    targets,
    Engine, //
};
use crate::bindings;

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    /// The engines that want a ring on a CPU that comes.
    unsafe(uninit) static ENGINES: Mutex<KVec<Arc<Engine>>> = KVec::new();
}

/// # Safety
///
/// Call once, before any engine is made.
pub(super) unsafe fn init_lock() {
    // SAFETY: By this function's contract.
    unsafe { ENGINES.init() };
}

/// The CPUs neither come nor go while it lives.
pub(crate) struct CpusLocked;

impl CpusLocked {
    pub(crate) fn new() -> Self {
        // SAFETY: Task context; released by `drop`.
        unsafe { bindings::rtrace_cpus_lock() };
        Self
    }
}

impl Drop for CpusLocked {
    fn drop(&mut self) {
        // SAFETY: Taken by `new`.
        unsafe { bindings::rtrace_cpus_unlock() };
    }
}

pub(super) fn is_possible(cpu: u32) -> bool {
    // SAFETY: Any number may be asked for.
    unsafe { bindings::rtrace_cpu_possible(cpu) }
}

pub(super) fn is_online(cpu: u32) -> bool {
    // SAFETY: Any number may be asked for.
    unsafe { bindings::rtrace_cpu_online(cpu) }
}

/// One more than the largest CPU number.
pub(crate) fn cpu_limit() -> u32 {
    // SAFETY: Always.
    unsafe { bindings::rtrace_cpu_limit() }
}

/// Others get this CPU first, if they wait for it. Task context.
pub(crate) fn give_way() {
    // SAFETY: No requirements in task context.
    unsafe { bindings::rtrace_give_way() }
}

/// The numbers of all CPUs that there can be.
pub(super) fn possible() -> impl Iterator<Item = u32> + Clone {
    (0..cpu_limit()).filter(|cpu| is_possible(*cpu))
}

/// The engine is to have a ring on a CPU that comes. `CpusLocked`.
pub(super) fn enlist(engine: &Arc<Engine>) -> Result {
    ENGINES.lock().push(engine.clone(), GFP_KERNEL)?;
    Ok(())
}

/// It is not any more. Task context.
pub(super) fn retire(engine: &Arc<Engine>) {
    let _locked = CpusLocked::new();
    ENGINES.lock().retain(|other| !Arc::ptr_eq(other, engine));
}

/// Gives CPUs that come their rings, while it lives.
pub(crate) struct CpuWatch(());

impl CpuWatch {
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: `rtrace_on_cpu_coming` is ready; undone by `drop`.
        to_result(unsafe { bindings::rtrace_cpus_watch() })?;
        Ok(Self(()))
    }
}

impl Drop for CpuWatch {
    fn drop(&mut self) {
        // SAFETY: Undoes `start`.
        unsafe { bindings::rtrace_cpus_unwatch() };
        targets::forget();
        *ENGINES.lock() = KVec::new();
    }
}

/// # Safety
///
/// Called by CPU hotplug before the CPU runs anything, with its lock held.
#[no_mangle]
unsafe extern "C" fn rtrace_on_cpu_coming(number: u32) {
    for engine in ENGINES.lock().iter() {
        if engine.make_ring(number).is_err() {
            pr_warn!("no memory for CPU {number}: firings there will be dropped\n");
        }
        engine.set_running(number, engine.wants_to_run.load(Ordering::Relaxed));
        engine.changed();
    }
}

/// # Safety
///
/// Called by CPU hotplug on the CPU itself, once it runs, with its lock held.
#[no_mangle]
unsafe extern "C" fn rtrace_on_cpu_online(number: u32) {
    for engine in ENGINES.lock().iter() {
        if engine.wants_to_run.load(Ordering::Relaxed) {
            engine.clocks.start(Some(number));
        }
    }
}

/// # Safety
///
/// Called by CPU hotplug on the CPU itself, before it goes, with its lock held.
#[no_mangle]
unsafe extern "C" fn rtrace_on_cpu_leaving(number: u32) {
    for engine in ENGINES.lock().iter() {
        engine.clocks.stop(Some(number));
    }
}
