// SPDX-License-Identifier: GPL-2.0

//! How an engine comes to be: what is asked for, the memory that it takes, and how it grows with CPUs
//! and probes.
//!
//! All of it is made in task context, before what uses it can run: a ring before its CPU's switch is
//! turned, a block of counters before its probe is attached. What handlers find is published with a
//! release, and stays where it is until the engine goes.

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
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    },
};

use super::{
    calls::{
        self,
        Calls, //
    },
    clocks::Clocks,
    counters::Counters,
    cpus::{
        self,
        cpu_limit,
        is_online,
        is_possible,
        CpusLocked, //
    },
    hot::Hots,
    pages,
    running::{
        Running,
        ToRun, //
    },
    targets::Targets,
    waiter::Waiter,
    Cpu,
    Engine, //
};
use crate::{
    abi,
    node::Node,
    opener::Opener,
    refusal::Refusal,
    ring::{
        Layout,
        Policy, //
    },
    ways::Ways, //
};

/// What RTRACE_IOC_CONFIG sets.
#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) ring_bytes: u64,
    pub(crate) watermark: u64,
    pub(crate) policy: Policy,
    pub(crate) frames: u32,
    pub(crate) ways: Ways,
}

impl Default for Config {
    fn default() -> Self {
        let ring_bytes = u64::from(abi::RTRACE_RING_DEFAULT);
        Self {
            ring_bytes,
            watermark: ring_bytes / 4,
            policy: Policy::Switch,
            frames: abi::RTRACE_FRAMES_DEFAULT,
            ways: Ways::usual(),
        }
    }
}

/// Bytes that an engine is going to hold with so many blocks of counters, when all CPUs there can
/// be have come.
pub(crate) fn memory_needed(config: &Config, blocks: u32, to_run: Option<&ToRun>) -> u64 {
    let cpu = pages::memory_needed(config.ring_bytes)
        .saturating_add(Counters::memory_needed(blocks))
        .saturating_add(to_run.map_or(0, ToRun::memory_of_cpu));
    let cpus = cpus::possible().count() as u64;
    let with_arguments = to_run.is_some_and(|to_run| to_run.loaded.asks_entry_arguments);
    let program = to_run.map_or(0, |to_run| {
        to_run
            .memory_of_all()
            .saturating_add(Clocks::memory_needed(&to_run.own, cpus))
    });
    cpus.saturating_mul(cpu)
        .saturating_add(Calls::memory_needed(config.frames, with_arguments))
        .saturating_add(program)
}

impl Engine {
    /// An engine with a ring on every CPU that is online, and on those that come. It does not
    /// run yet. To be ended by [`Engine::retire`]. Task context.
    pub(crate) fn new(
        config: &Config,
        node: Node,
        opener: Arc<Opener>,
        targets: Option<Arc<Targets>>,
        waiter: Arc<Waiter>,
        to_run: Option<ToRun>,
    ) -> Result<Arc<Self>, Refusal> {
        let layout = Layout::new(config.ring_bytes, config.watermark, config.policy).ok_or(
            Refusal::new(EINVAL, "the ring's size is not a power of two"),
        )?;
        let limit = cpu_limit();
        let mut cpus = KVec::with_capacity(limit as usize, GFP_KERNEL_ACCOUNT)?;
        for cpu in 0..limit {
            let slot = if is_possible(cpu) {
                let cpu = Cpu {
                    running: AtomicBool::new(false),
                    ring: AtomicPtr::new(ptr::null_mut()),
                    counters: Counters::new()?,
                    visits: AtomicU64::new(0),
                    visits_then: AtomicU64::new(0),
                    program: AtomicPtr::new(ptr::null_mut()),
                };
                Some(KBox::new(cpu, GFP_KERNEL_ACCOUNT)?)
            } else {
                None
            };
            cpus.push(slot, GFP_KERNEL_ACCOUNT)?;
        }
        let hots = Hots::new()?;
        for cpu in cpus::possible() {
            let upper = u64::from(cpu) << 32;
            hots.of(cpu).cpu.store(upper, Ordering::Relaxed);
        }
        let running = match to_run {
            None => None,
            Some(to_run) => Some(KBox::new(Running::new(to_run)?, GFP_KERNEL_ACCOUNT)?),
        };
        let memory = targets.as_ref().map_or(0, |targets| targets.memory())
            + running.as_ref().map_or(0, |running| running.memory());
        let engine = Self {
            node,
            opener,
            cpus,
            hots,
            layout,
            policy: config.policy,
            frames: config.frames,
            generation_of_calls: calls::new_generation(),
            calls: AtomicPtr::new(ptr::null_mut()),
            targets,
            running,
            clocks: Clocks::none(),
            waiter,
            filled: AtomicBool::new(false),
            wants_to_run: AtomicBool::new(false),
            died_of: AtomicU32::new(0),
            exited: AtomicBool::new(false),
            state: AtomicU32::new(abi::RTRACE_STATE_IDLE),
            reason: AtomicU32::new(abi::RTRACE_REASON_NONE),
            changes: AtomicU64::new(0),
            reaped: AtomicU64::new(0),
            memory: AtomicUsize::new(memory),
        };
        // What the clocks call back with is the engine's address, which is known once it has one.
        let engine = UniqueArc::new(engine, GFP_KERNEL_ACCOUNT)?;
        let engine = Self::with_clocks(engine)?;
        let make = |cpu| {
            engine.make_ring(cpu).map_err(|_| {
                Refusal::with(
                    ENOMEM,
                    fmt!(
                        "not enough memory for a ring of {} bytes on each CPU, and what a program \
                         has there: ask for smaller rings (bufsize) or aggregations (aggsize)",
                        layout.size()
                    ),
                )
            })
        };
        let online = || (0..limit).filter(|cpu| is_online(*cpu));
        loop {
            // Without the lock, as memory may be long in coming, where a cgroup is held back: nobody else
            // knows the engine yet.
            online().try_for_each(make)?;
            let _locked = CpusLocked::new();
            // None came meanwhile.
            if online().all(|cpu| engine.ring(cpu).is_some()) {
                cpus::enlist(&engine)?;
                return Ok(engine);
            }
        }
    }

    /// No ring will be made any more. Task context.
    pub(crate) fn retire(self: &Arc<Self>) {
        cpus::retire(self);
    }

    fn with_clocks(mut engine: UniqueArc<Self>) -> Result<Arc<Self>> {
        let owner = ptr::from_ref::<Self>(&engine) as u64;
        let clocks = match &engine.running {
            None => Clocks::none(),
            Some(running) => Clocks::new(owner, running.own(), cpus::possible())?,
        };
        engine.clocks = clocks;
        Ok(engine.into())
    }

    /// The ring and the program's state of a CPU, unless it has them. `CpusLocked`, or nobody else knows
    /// the engine.
    pub(super) fn make_ring(&self, cpu: u32) -> Result {
        let Some(Some(slot)) = self.cpus.get(cpu as usize) else {
            return Ok(());
        };
        if slot.ring.load(Ordering::Relaxed).is_null() {
            let ring = pages::new_ring(self.layout, cpu)?;
            self.memory
                .fetch_add(ring.memory().bytes(), Ordering::Relaxed);
            self.show_in(&ring);
            // INVARIANT: The slot owns the ring from here on.
            let ring = KBox::into_raw(ring);
            slot.ring.store(ring, Ordering::Release);
            self.hots.of(cpu).ring.store(ring, Ordering::Release);
            // A state that was shown meanwhile was not shown there.
            if let Some(ring) = slot.ring() {
                self.show_in(ring);
            }
        }
        if let Some(running) = &self.running {
            if slot.program.load(Ordering::Relaxed).is_null() {
                let program = running.new_cpu()?;
                self.memory
                    .fetch_add(running.memory_of_cpu(), Ordering::Relaxed);
                // INVARIANT: The slot owns it from here on.
                slot.program
                    .store(KBox::into_raw(program), Ordering::Release);
                self.show_active(cpu);
            }
        }
        Ok(())
    }

    /// Makes sure that there are so many blocks of counters on every CPU, and, for return
    /// probes, that calls can be followed. Task context.
    pub(crate) fn grow(&self, blocks: u32, follow: bool) -> Result {
        for (number, cpu) in (0..).zip(&self.cpus) {
            let Some(cpu) = cpu else { continue };
            let bytes = cpu.counters.grow(blocks)?;
            self.memory.fetch_add(bytes, Ordering::Relaxed);
            let (first, _) = cpu.counters.first();
            let hot = self.hots.of(number);
            hot.counters.store(first, Ordering::Release);
        }
        if follow && self.calls().is_none() {
            let with_arguments = self
                .running
                .as_ref()
                .is_some_and(|running| running.loaded.asks_entry_arguments);
            let calls = Calls::new(
                self.frames,
                cpu_limit(),
                self.generation_of_calls,
                with_arguments,
            )?;
            let calls = KBox::new(calls, GFP_KERNEL_ACCOUNT)?;
            self.memory.fetch_add(calls.memory(), Ordering::Relaxed);
            self.calls.store(KBox::into_raw(calls), Ordering::Release);
        }
        Ok(())
    }
}
