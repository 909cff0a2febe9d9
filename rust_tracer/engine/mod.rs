// SPDX-License-Identifier: GPL-2.0

//! What a started session fires into: for each CPU a ring, counters and a switch; and the calls
//! that are being followed to their return.
//!
//! | file | its idea |
//! |---|---|
//! | `making` | how it comes to be and grows, and the memory that it takes |
//! | `cpus` | CPUs that come and go |
//! | `switch` | when its probes fire, and why no more |
//! | `hot` | what handlers need of it, one instruction away |
//! | `short` | which probes need so little that they go the short way |
//! | `counters` | the ledger |
//! | `pages` | rings, and the memory that user space maps |
//! | `calls`, `targets` | calls that are followed; tasks that it is narrowed to |
//! | `running`, `binding`, `rooms`, `words`, `clocks` | a program: its state, which clauses run where, its memory, its ticks |
//! | `waiter` | who waits for records |

use core::sync::atomic::{
    AtomicBool,
    AtomicPtr,
    AtomicU32,
    AtomicU64,
    AtomicUsize,
    Ordering, //
};

use kernel::{
    ffi,
    prelude::*,
    sync::Arc, //
};

use crate::{
    abi, arch, bindings,
    bindings::rtrace_moment,
    clock,
    node::Node,
    opener::Opener,
    ring::{
        Layout,
        Policy, //
    },
};

pub(crate) mod binding;
mod calls;
mod clocks;
pub(crate) mod counters;
mod cpus;
mod hot;
mod making;
mod pages;
mod rooms;
mod running;
mod short;
mod switch;
mod targets;
mod waiter;
mod zeroed;

pub(crate) use calls::{
    Call,
    Calls,
    Frame,
    Token, //
};
use clocks::Clocks;
use counters::Counters;
pub(crate) use counters::Probe;
use cpus::is_online;
pub(crate) use cpus::{
    cpu_limit,
    give_way,
    CpuWatch,
    CpusLocked, //
};
use hot::Hots;
pub(crate) use hot::{
    HotCpu,
    Offset, //
};
pub(crate) use making::{
    memory_needed,
    Config, //
};
pub(crate) use pages::{
    Area,
    CpuRing,
    Pages, //
};
pub(crate) use rooms::Space;
pub(crate) use running::{
    CpuProgram,
    OwnProbe,
    Running,
    ToRun, //
};
pub(crate) use short::{
    Short,
    Source,
    What, //
};
pub(crate) use targets::Targets;
pub(crate) use waiter::Waiter;

kernel::sync::global_lock! {
    // SAFETY: Initialised by `init_locks`.
    /// Held while calls are given up. An engine at rest gives up none: it shows that it is while it holds this.
    unsafe(uninit) static REAPING: Mutex<()> = ();
}

/// # Safety
///
/// Call once, before any engine is made.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe {
        REAPING.init();
        cpus::init_lock();
        targets::init_locks();
    }
}

/// About what the short work of a handler takes.
const NS_PER_VISIT: u64 = 512;

/// One CPU's part of an engine; the rest of what its handlers use is [`hot`].
///
/// # Invariants
///
/// `ring` is null or owns a ring, `program` is null or owns a program's state.
#[repr(C, align(64))]
struct Cpu {
    running: AtomicBool,
    ring: AtomicPtr<CpuRing>,
    counters: Counters,
    /// How often a handler of this engine was called here, and for what took long as often as would have
    /// taken as long. Written by this CPU.
    visits: AtomicU64,
    /// `visits` and firings at the guard's last look.
    visits_then: AtomicU64,
    program: AtomicPtr<CpuProgram>,
}

impl Drop for Cpu {
    fn drop(&mut self) {
        let ring = self.ring.load(Ordering::Relaxed);
        if !ring.is_null() {
            // SAFETY: By the type's invariant.
            drop(unsafe { KBox::from_raw(ring) });
        }
        let program = self.program.load(Ordering::Relaxed);
        if !program.is_null() {
            // SAFETY: By the type's invariant.
            drop(unsafe { KBox::from_raw(program) });
        }
    }
}

/// A CPU's part of an engine that runs, as its handlers see it.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    pub(crate) counters: &'a Counters,
    hot: HotCpu,
    /// Missing if there was no memory for it when the CPU came.
    pub(crate) ring: Option<&'a CpuRing>,
}

pub(crate) struct Engine {
    node: Node,
    opener: Arc<Opener>,
    /// By number; none where there can be no CPU.
    cpus: KVec<Option<KBox<Cpu>>>,
    hots: Hots,
    layout: Layout,
    policy: Policy,
    frames: u32,
    generation_of_calls: u32,
    /// Made with the first return probe.
    calls: AtomicPtr<Calls>,
    targets: Option<Arc<Targets>>,
    /// A program, which runs in place of the default record.
    running: Option<KBox<Running>>,
    clocks: Clocks,
    waiter: Arc<Waiter>,
    /// Policy fill: a ring is full, all recording is over.
    filled: AtomicBool,
    wants_to_run: AtomicBool,
    /// Why it was ended by somebody else, never to run again: RTRACE_REASON_*, or 0.
    died_of: AtomicU32,
    /// Its program has ended it: nothing fires any more but END.
    exited: AtomicBool,
    /// RTRACE_STATE_* and RTRACE_REASON_*.
    state: AtomicU32,
    reason: AtomicU32,
    /// The ABI's `generation`.
    changes: AtomicU64,
    /// When calls were last given up, CLOCK_MONOTONIC in ns.
    reaped: AtomicU64,
    memory: AtomicUsize,
}

/// The block in which the clauses of a probe count, behind its own.
#[inline(always)]
pub(crate) fn clause_block(block: u32, is_return: bool) -> u32 {
    block.wrapping_add(if is_return { 2 } else { 1 })
}

impl Engine {
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

    /// Whether there is nothing more to wait for: stopped, ended by its program, or full for good.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        // One that is idle is about to run.
        self.is_filled()
            || self.has_exited()
            || matches!(state, abi::RTRACE_STATE_STOPPED | abi::RTRACE_STATE_DEAD)
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

    /// Which of these tokens is its own: a call that it follows. Any context.
    #[inline(always)]
    pub(crate) fn token_among(&self, words: &[u64]) -> Option<Token> {
        let mut tokens = words.iter().map(|word| Token::from_word(*word));
        tokens.find(|token| token.is_of(self.generation_of_calls))
    }

    /// One of eight bits, by which few engines are told from each other though tables are replaced. Any context.
    pub(crate) fn bit(&self) -> u32 {
        1 << (self.generation_of_calls % 8)
    }

    /// How far all consumer positions together are, whatever user space writes there.
    pub(crate) fn consumed(&self) -> u64 {
        self.rings().fold(0, |sum: u64, (_, ring)| {
            sum.wrapping_add(ring.memory().unread_inputs().1)
        })
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
        cpu.running.load(Ordering::Acquire).then(|| {
            arch::increment_local(&cpu.visits);
            Here {
                counters: &cpu.counters,
                hot: self.hots.everywhere(),
                ring: cpu.ring(),
            }
        })
    }

    /// The same, whether the engine runs or not: for BEGIN and END.
    pub(crate) fn here_anyway(&self, cpu: u32) -> Option<Here<'_>> {
        let cpu = self.cpus.get(cpu as usize)?.as_ref()?;
        Some(Here {
            counters: &cpu.counters,
            hot: self.hots.everywhere(),
            ring: cpu.ring(),
        })
    }

    /// Whether the session may know of a task that a clock interrupted. Hard interrupt.
    pub(crate) fn sees_interrupted(&self, place: &bindings::rtrace_place) -> bool {
        self.node.shows_all_tasks() || self.opener.owns_interrupted(place)
    }

    /// The process that the session is narrowed to, or 0. Any context.
    pub(crate) fn target(&self) -> u32 {
        let targets = self.targets.as_ref();
        targets.map_or(0, |targets| targets.process())
    }

    /// Notes ns that one of its handlers took on this CPU, besides what the guard knows by samples. Any
    /// context, preemption off.
    pub(crate) fn note_burden(&self, cpu: u32, ns: u64) {
        // SAFETY: Preemption is off.
        unsafe { bindings::rtrace_add_burden(ns) };
        if let Some(Some(cpu)) = self.cpus.get(cpu as usize) {
            arch::add_local(&cpu.visits, ns / NS_PER_VISIT);
        }
    }

    /// How often its handlers were called and its probes fired since the last look on the CPUs that
    /// `which` names. One looks, at a time. Task context.
    pub(crate) fn recent_visits(&self, which: impl Fn(u32) -> bool) -> u64 {
        let mut recent: u64 = 0;
        for (number, cpu) in (0..).zip(&self.cpus) {
            let Some(cpu) = cpu else { continue };
            let fired = self.hots.of(number).fired.load(Ordering::Relaxed);
            let visits = cpu.visits.load(Ordering::Relaxed).wrapping_add(fired);
            let then = cpu.visits_then.swap(visits, Ordering::Relaxed);
            if which(number) {
                recent = recent.saturating_add(visits.wrapping_sub(then));
            }
        }
        recent
    }

    /// How often its probes fired so far. Task context.
    pub(crate) fn fired(&self) -> u64 {
        cpus::possible().fold(0, |sum: u64, cpu| {
            sum.wrapping_add(self.hots.of(cpu).fired.load(Ordering::Relaxed))
        })
    }

    /// Whether a program runs in place of the default record. Any context.
    #[inline(always)]
    pub(crate) fn has_program(&self) -> bool {
        self.running.is_some()
    }

    /// The program. Any context.
    #[inline(always)]
    pub(crate) fn running(&self) -> Option<&Running> {
        self.running.as_deref()
    }

    /// A CPU's part of the program's state, if it has it. Any context.
    #[inline(always)]
    pub(crate) fn cpu_program(&self, cpu: u32) -> Option<&CpuProgram> {
        let cpu = self.cpus.get(cpu as usize)?.as_ref()?;
        // SAFETY: By the type's invariant.
        unsafe { cpu.program.load(Ordering::Acquire).as_ref() }
    }

    /// What was aggregated on a CPU so far comes to rest, and the CPU begins anew. False if nothing
    /// can aggregate there. Task context; one turns, at a time.
    pub(crate) fn turn_aggregations(&self, number: u32) -> bool {
        /// The CPU whose tables are turned.
        struct Turn<'a>(&'a Engine, &'a CpuProgram, u32);
        /// # Safety
        ///
        /// `data` is a [`Turn`]; on its CPU.
        unsafe extern "C" fn turn(data: *mut ffi::c_void) -> ffi::c_int {
            // SAFETY: By this function's contract.
            let Turn(engine, cpu, number) = unsafe { &*data.cast::<Turn<'_>>() };
            cpu.turn();
            engine.show_active(*number);
            0
        }
        let (Some(running), Some(cpu)) = (self.running(), self.cpu_program(number)) else {
            return false;
        };
        if let Some(table) = running.resting(cpu) {
            table.reset();
            cpu.forget_places();
        }
        let _locked = CpusLocked::new();
        let mut todo = Turn(self, cpu, number);
        let data = (&raw mut todo).cast();
        let called = is_online(number) && {
            // SAFETY: `todo` outlives the call, which waits.
            unsafe { bindings::rtrace_cpu_call(number, Some(turn), data) == 0 }
        };
        if !called {
            // No handler runs on a CPU that is not online.
            cpu.turn();
            self.show_active(number);
        }
        true
    }

    /// Notes bytes that it took more than it did, or fewer.
    pub(crate) fn note_memory(&self, before: usize, now: usize) {
        self.memory.fetch_add(now, Ordering::Relaxed);
        self.memory.fetch_sub(before, Ordering::Relaxed);
    }

    /// What may stand in the session's records. Any context.
    #[inline(always)]
    pub(crate) fn node(&self) -> Node {
        self.node
    }

    /// Whether the session may know of what happens at this moment: by its node, anything, or
    /// what the opener's own tasks do. Any context, preemption off.
    #[inline(always)]
    pub(crate) fn sees(&self, moment: &rtrace_moment) -> bool {
        self.node.shows_all_tasks()
            || moment.context == abi::RTRACE_CONTEXT_TASK && self.opener.owns_current()
    }

    /// Whether the session's target admits the task. Any context.
    #[inline(always)]
    pub(crate) fn admits(&self, moment: &rtrace_moment) -> bool {
        self.targets
            .as_ref()
            .is_none_or(|targets| targets.contain(moment.pid))
    }

    /// Wakes who polls the session. Any context.
    #[cold]
    pub(crate) fn wake(&self) {
        self.waiter.wake();
    }

    /// The same from the short way, which says of no handler that it is at work. Any context.
    #[cold]
    pub(crate) fn wake_shielded(&self) {
        self.waiter.wake_shielded();
    }

    /// Gives up, if the engine runs and it was not done within a second, the calls whose tasks
    /// have ended, so that others can be followed. Task context.
    pub(crate) fn tend(&self) {
        let now = clock::now();
        let last = self.reaped.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= clock::NS_PER_SEC;
        if !due || !self.shows_running() {
            return;
        }
        self.reaped.store(now, Ordering::Relaxed);
        let _reaping = REAPING.lock();
        if self.shows_running() {
            self.reap();
        }
    }

    fn shows_running(&self) -> bool {
        self.state.load(Ordering::Relaxed) == abi::RTRACE_STATE_RUNNING
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

impl Here<'_> {
    /// Counts a firing for the whole engine. Preemption off.
    #[inline(always)]
    pub(crate) fn count_fired(&self) {
        self.hot.count_fired();
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
