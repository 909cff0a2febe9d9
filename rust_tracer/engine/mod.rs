// SPDX-License-Identifier: GPL-2.0

//! What a started session fires into: for each CPU a ring, counters and a switch; and the calls
//! that are being followed to their return.
//!
//! The switch of a CPU is turned by a work item on that CPU. A handler runs with preemption
//! off, so a work item never runs between two handlers of one call: the switch stands the same
//! way for all of them, and the counters of a call agree.
//!
//! Locks: `ENGINES`, taken with the kernel's CPU hotplug lock held and with nothing of ours.

use core::{
    ptr,
    sync::atomic::{
        AtomicBool,
        AtomicPtr,
        AtomicU32,
        AtomicU64,
        AtomicUsize,
        Ordering, //
    },
};

use kernel::{
    error::to_result,
    ffi,
    prelude::*,
    sync::Arc, //
};

use crate::{
    abi, bindings,
    bindings::rtrace_moment,
    clock,
    refusal::Refusal,
    ring::{
        Layout,
        Policy, //
    },
};

mod calls;
pub(crate) mod counters;
mod pages;
mod targets;
mod waiter;

pub(crate) use calls::{
    Calls,
    Frame, //
};
use counters::Counters;
pub(crate) use counters::Probe;
pub(crate) use pages::{
    Area,
    CpuRing,
    Pages, //
};
pub(crate) use targets::Targets;
pub(crate) use waiter::Waiter;

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    /// The engines that want a ring on a CPU that comes.
    unsafe(uninit) static ENGINES: Mutex<KVec<Arc<Engine>>> = KVec::new();
}

/// # Safety
///
/// Call once, before any engine is made.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe {
        ENGINES.init();
        targets::init_locks();
    }
}

/// What RTRACE_IOC_CONFIG sets.
#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) ring_bytes: u64,
    pub(crate) watermark: u64,
    pub(crate) policy: Policy,
    pub(crate) frames: u32,
}

impl Default for Config {
    fn default() -> Self {
        let ring_bytes = u64::from(abi::RTRACE_RING_DEFAULT);
        Self {
            ring_bytes,
            watermark: ring_bytes / 4,
            policy: Policy::Switch,
            frames: abi::RTRACE_FRAMES_DEFAULT,
        }
    }
}

/// One CPU's part of an engine.
///
/// # Invariants
///
/// `ring` is null or owns a ring.
struct Cpu {
    running: AtomicBool,
    ring: AtomicPtr<CpuRing>,
    counters: Counters,
}

impl Drop for Cpu {
    fn drop(&mut self) {
        let ring = self.ring.load(Ordering::Relaxed);
        if !ring.is_null() {
            // SAFETY: By the type's invariant.
            drop(unsafe { KBox::from_raw(ring) });
        }
    }
}

/// A CPU's part of an engine that runs, as its handlers see it.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) counters: &'a Counters,
    /// Missing if there was no memory for it when the CPU came.
    pub(crate) ring: Option<&'a CpuRing>,
}

pub(crate) struct Engine {
    /// By number; none where there can be no CPU.
    cpus: KVec<Option<KBox<Cpu>>>,
    layout: Layout,
    policy: Policy,
    frames: u32,
    /// Made with the first return probe.
    calls: AtomicPtr<Calls>,
    targets: Option<Arc<Targets>>,
    waiter: Arc<Waiter>,
    /// Policy fill: a ring is full, all recording is over.
    filled: AtomicBool,
    wants_to_run: AtomicBool,
    /// RTRACE_STATE_* and RTRACE_REASON_*.
    state: AtomicU32,
    reason: AtomicU32,
    /// The ABI's `generation`.
    changes: AtomicU64,
    /// When calls were last given up, CLOCK_MONOTONIC in ns.
    reaped: AtomicU64,
    memory: AtomicUsize,
}

/// The CPUs neither come nor go while it lives.
struct CpusLocked;

impl CpusLocked {
    fn new() -> Self {
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

fn is_online(cpu: u32) -> bool {
    // SAFETY: Any number may be asked for.
    unsafe { bindings::rtrace_cpu_online(cpu) }
}

/// One more than the largest CPU number.
pub(crate) fn cpu_limit() -> u32 {
    // SAFETY: Always.
    unsafe { bindings::rtrace_cpu_limit() }
}

impl Engine {
    /// An engine with a ring on every CPU that is online, and on those that come. It does not
    /// run yet. To be ended by [`Engine::retire`]. Task context.
    pub(crate) fn new(
        config: &Config,
        targets: Option<Arc<Targets>>,
        waiter: Arc<Waiter>,
    ) -> Result<Arc<Self>, Refusal> {
        let layout = Layout::new(config.ring_bytes, config.watermark, config.policy).ok_or(
            Refusal::new(EINVAL, "the ring's size is not a power of two"),
        )?;
        let limit = cpu_limit();
        let mut cpus = KVec::with_capacity(limit as usize, GFP_KERNEL_ACCOUNT)?;
        for cpu in 0..limit {
            // SAFETY: Any number may be asked for.
            let slot = if unsafe { bindings::rtrace_cpu_possible(cpu) } {
                let cpu = Cpu {
                    running: AtomicBool::new(false),
                    ring: AtomicPtr::new(ptr::null_mut()),
                    counters: Counters::new()?,
                };
                Some(KBox::new(cpu, GFP_KERNEL_ACCOUNT)?)
            } else {
                None
            };
            cpus.push(slot, GFP_KERNEL_ACCOUNT)?;
        }
        let memory = targets.as_ref().map_or(0, |targets| targets.memory());
        let engine = Self {
            cpus,
            layout,
            policy: config.policy,
            frames: config.frames,
            calls: AtomicPtr::new(ptr::null_mut()),
            targets,
            waiter,
            filled: AtomicBool::new(false),
            wants_to_run: AtomicBool::new(false),
            state: AtomicU32::new(abi::RTRACE_STATE_IDLE),
            reason: AtomicU32::new(abi::RTRACE_REASON_NONE),
            changes: AtomicU64::new(0),
            reaped: AtomicU64::new(0),
            memory: AtomicUsize::new(memory),
        };
        let engine = Arc::new(engine, GFP_KERNEL_ACCOUNT)?;
        let _locked = CpusLocked::new();
        for cpu in (0..limit).filter(|cpu| is_online(*cpu)) {
            engine.make_ring(cpu).map_err(|_| {
                Refusal::with(
                    ENOMEM,
                    fmt!(
                        "not enough memory for a ring of {} bytes on each CPU: ask for smaller \
                         rings (bufsize)",
                        layout.size()
                    ),
                )
            })?;
        }
        ENGINES.lock().push(engine.clone(), GFP_KERNEL_ACCOUNT)?;
        Ok(engine)
    }

    /// No ring will be made any more. Task context.
    pub(crate) fn retire(self: &Arc<Self>) {
        let _locked = CpusLocked::new();
        ENGINES.lock().retain(|other| !Arc::ptr_eq(other, self));
    }

    fn make_ring(&self, cpu: u32) -> Result {
        let Some(Some(slot)) = self.cpus.get(cpu as usize) else {
            return Ok(());
        };
        if slot.ring.load(Ordering::Relaxed).is_null() {
            let ring = pages::new_ring(self.layout, cpu)?;
            self.memory
                .fetch_add(ring.memory().bytes(), Ordering::Relaxed);
            ring.memory().show_state(
                self.state.load(Ordering::Relaxed),
                self.reason.load(Ordering::Relaxed),
            );
            // INVARIANT: The slot owns the ring from here on.
            slot.ring.store(KBox::into_raw(ring), Ordering::Release);
        }
        Ok(())
    }

    /// Makes sure that there are so many blocks of counters on every CPU, and, for return
    /// probes, that calls can be followed. Task context.
    pub(crate) fn grow(&self, blocks: u32, follow: bool) -> Result {
        for cpu in self.cpus.iter().flatten() {
            let bytes = cpu.counters.grow(blocks)?;
            self.memory.fetch_add(bytes, Ordering::Relaxed);
        }
        if follow && self.calls().is_none() {
            let calls = KBox::new(Calls::new(self.frames, cpu_limit())?, GFP_KERNEL_ACCOUNT)?;
            self.memory.fetch_add(calls.memory(), Ordering::Relaxed);
            self.calls.store(KBox::into_raw(calls), Ordering::Release);
        }
        Ok(())
    }

    /// Lets probes fire. Task context.
    pub(crate) fn run(&self) {
        self.show(abi::RTRACE_STATE_RUNNING, abi::RTRACE_REASON_NONE);
        self.turn(true);
    }

    /// No probe fires any more when it returns. Task context.
    pub(crate) fn halt(&self, state: u32, reason: u32) {
        self.turn(false);
        // What is in flight now stays so for the ledger, whatever becomes of it.
        self.reap();
        let filled = self.reason.load(Ordering::Relaxed) == abi::RTRACE_REASON_FILLED;
        self.show(
            state,
            if filled {
                abi::RTRACE_REASON_FILLED
            } else {
                reason
            },
        );
    }

    /// Turns the switch of every CPU, each between two handlers.
    fn turn(&self, running: bool) {
        /// # Safety
        ///
        /// `data` is the switch to turn, and the way in its lowest bit is not part of it.
        unsafe extern "C" fn on(data: *mut ffi::c_void) -> ffi::c_int {
            // SAFETY: By this function's contract.
            unsafe { &*data.cast::<AtomicBool>() }.store(true, Ordering::Release);
            0
        }
        /// # Safety
        ///
        /// `data` is the switch to turn.
        unsafe extern "C" fn off(data: *mut ffi::c_void) -> ffi::c_int {
            // SAFETY: By this function's contract.
            unsafe { &*data.cast::<AtomicBool>() }.store(false, Ordering::Release);
            0
        }
        let _locked = CpusLocked::new();
        self.wants_to_run.store(running, Ordering::Relaxed);
        for (number, cpu) in (0..).zip(&self.cpus) {
            let Some(cpu) = cpu else { continue };
            let data = ptr::from_ref(&cpu.running).cast_mut().cast();
            let called = is_online(number) && {
                let turn = if running { on } else { off };
                // SAFETY: The switch outlives the call, which waits.
                unsafe { bindings::rtrace_cpu_call(number, Some(turn), data) == 0 }
            };
            if !called {
                // No handler runs on a CPU that is not online.
                cpu.running.store(running, Ordering::Release);
            }
        }
    }

    fn show(&self, state: u32, reason: u32) {
        self.state.store(state, Ordering::Relaxed);
        self.reason.store(reason, Ordering::Relaxed);
        for (_, ring) in self.rings() {
            ring.memory().show_state(state, reason);
        }
    }

    /// Tells readers to look for new probes and rings. Task context.
    pub(crate) fn changed(&self) {
        let generation = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        for (_, ring) in self.rings() {
            ring.memory().show_generation(generation);
        }
    }

    /// The reason for the state, RTRACE_REASON_*.
    pub(crate) fn reason(&self) -> u32 {
        self.reason.load(Ordering::Relaxed)
    }

    /// Whether there is nothing more to wait for: stopped, or full for good.
    pub(crate) fn is_over(&self) -> bool {
        self.is_filled() || self.state.load(Ordering::Relaxed) != abi::RTRACE_STATE_RUNNING
    }

    pub(crate) fn generation(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Bytes held by rings, counters, frames and targets.
    pub(crate) fn memory(&self) -> usize {
        self.memory.load(Ordering::Relaxed)
    }

    /// The CPUs that have a ring, and their rings.
    pub(crate) fn rings(&self) -> impl Iterator<Item = (u32, &CpuRing)> {
        (0..cpu_limit()).filter_map(|cpu| Some((cpu, self.ring(cpu)?)))
    }

    /// The ring of a CPU, if it has one.
    pub(crate) fn ring(&self, cpu: u32) -> Option<&CpuRing> {
        self.cpus.get(cpu as usize)?.as_ref()?.ring()
    }

    /// The counters of a CPU, if there can be such a CPU.
    pub(crate) fn counters(&self, cpu: u32) -> Option<&Counters> {
        Some(&self.cpus.get(cpu as usize)?.as_ref()?.counters)
    }

    /// The calls that are being followed, if there are return probes.
    #[inline(always)]
    pub(crate) fn calls(&self) -> Option<&Calls> {
        // SAFETY: Null, or owned by the engine.
        unsafe { self.calls.load(Ordering::Acquire).as_ref() }
    }

    /// Whether so much is unread in any ring that a poller should not sleep. A flight recorder is
    /// read when it has stopped.
    pub(crate) fn is_readable(&self) -> bool {
        self.policy != Policy::Ring
            && self.rings().any(|(_, ring)| {
                let (published, consumer) = ring.memory().unread_inputs();
                self.layout.readable(published, consumer)
            })
    }

    /// What fires here, if the engine runs on this CPU. Any context, preemption off.
    #[inline(always)]
    pub(crate) fn here(&self, cpu: u32) -> Option<Here<'_>> {
        let cpu = self.cpus.get(cpu as usize)?.as_ref()?;
        cpu.running.load(Ordering::Acquire).then(|| Here {
            counters: &cpu.counters,
            ring: cpu.ring(),
        })
    }

    /// Whether the session's target admits the task. Any context.
    #[inline(always)]
    pub(crate) fn admits(&self, moment: &rtrace_moment) -> bool {
        self.targets
            .as_ref()
            .is_none_or(|targets| targets.contain(moment.pid))
    }

    /// Whether all recording is over, since a ring is full. Any context.
    #[inline(always)]
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// A ring is full under policy fill. Any context.
    #[cold]
    pub(crate) fn fill(&self) {
        self.filled.store(true, Ordering::Relaxed);
        self.show(abi::RTRACE_STATE_RUNNING, abi::RTRACE_REASON_FILLED);
        self.wake();
    }

    /// Wakes who polls the session. Any context.
    #[cold]
    pub(crate) fn wake(&self) {
        self.waiter.wake();
    }

    /// Gives up, if the engine runs and it was not done within a second, the calls whose tasks
    /// have ended, so that others can be followed. Task context.
    pub(crate) fn tend(&self) {
        const NS_PER_SEC: u64 = 1_000_000_000;
        let now = clock::now();
        let last = self.reaped.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= NS_PER_SEC;
        let running = self.state.load(Ordering::Relaxed) == abi::RTRACE_STATE_RUNNING;
        if due && running {
            self.reaped.store(now, Ordering::Relaxed);
            self.reap();
        }
    }

    /// Gives up the calls whose tasks have ended. Task context.
    fn reap(&self) {
        let Some(calls) = self.calls() else { return };
        calls.reap(|call| {
            let counters = self.counters(call.cpu);
            if let Some(block) = counters.and_then(|c| c.block(call.probe.block + 1)) {
                block.call_ended(counters::Call::Died);
            }
        });
    }
}

impl Cpu {
    #[inline(always)]
    fn ring(&self) -> Option<&CpuRing> {
        // SAFETY: By the type's invariant.
        unsafe { self.ring.load(Ordering::Acquire).as_ref() }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let calls = self.calls.load(Ordering::Relaxed);
        if !calls.is_null() {
            // SAFETY: The engine owns it.
            drop(unsafe { KBox::from_raw(calls) });
        }
    }
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
    }
}

/// # Safety
///
/// Called by CPU hotplug before the CPU runs anything, with its lock held.
#[no_mangle]
unsafe extern "C" fn rtrace_on_cpu_coming(number: u32) {
    for engine in ENGINES.lock().iter() {
        if engine.make_ring(number).is_err() {
            pr_warn!("no memory for a ring on CPU {number}: its firings will be dropped\n");
        }
        if let Some(Some(cpu)) = engine.cpus.get(number as usize) {
            let running = engine.wants_to_run.load(Ordering::Relaxed);
            cpu.running.store(running, Ordering::Release);
        }
        engine.changed();
    }
}
