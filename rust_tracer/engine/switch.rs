// SPDX-License-Identifier: GPL-2.0

//! The switches of an engine: when its probes fire, on each CPU, and why no more.
//!
//! The switch of a CPU is turned by a work item on that CPU. A handler runs with preemption off, so a
//! work item never runs between two handlers of one call: the switch stands the same way for all of
//! them, and the counters of a call agree. Who cannot wait (somebody ends the session, its program
//! does, its ring is full) turns it at once, wherever he is.

use core::{
    ptr,
    sync::atomic::{
        fence,
        Ordering, //
    },
};

use kernel::ffi;

use super::{
    calls::Token,
    cpus::{
        is_online,
        possible,
        CpusLocked, //
    },
    CpuRing,
    Engine,
    REAPING, //
};
use crate::{
    abi,
    bindings,
    own::Kind, //
};

impl Engine {
    /// Lets probes fire, unless it is dead. Task context.
    pub(crate) fn run(&self) {
        self.fire_own(Kind::Begin);
        let reason = if self.has_exited() {
            abi::RTRACE_REASON_EXITED
        } else if self.is_filled() {
            abi::RTRACE_REASON_FILLED
        } else {
            abi::RTRACE_REASON_NONE
        };
        self.show(abi::RTRACE_STATE_RUNNING, reason);
        self.turn(true);
        self.start_clocks();
    }

    /// Fires a probe of the module's own that is no clock's, here and now, unless it is dead. Task
    /// context.
    fn fire_own(&self, kind: Kind) {
        if self.is_dead() {
            return;
        }
        let own = self.running.iter().flat_map(|running| running.own());
        for (number, _) in (0..).zip(own).filter(|(_, own)| own.kind == kind) {
            // SAFETY: Task context; the engine outlives the call.
            unsafe { bindings::rtrace_fire_own(ptr::from_ref(self) as u64, number) };
        }
    }

    fn start_clocks(&self) {
        /// A CPU and the engine whose clocks there are to be started.
        struct Start<'a>(&'a Engine, u32);
        /// # Safety
        ///
        /// `data` is a [`Start`]; on the CPU that it names.
        unsafe extern "C" fn start(data: *mut ffi::c_void) -> ffi::c_int {
            // SAFETY: By this function's contract.
            let Start(engine, cpu) = unsafe { &*data.cast::<Start<'_>>() };
            engine.clocks.start(Some(*cpu));
            0
        }
        if self.clocks.is_empty() {
            return;
        }
        let _locked = CpusLocked::new();
        self.clocks.start(None);
        for number in possible().filter(|number| is_online(*number)) {
            let mut todo = Start(self, number);
            // SAFETY: `todo` outlives the call, which waits.
            unsafe { bindings::rtrace_cpu_call(number, Some(start), (&raw mut todo).cast()) };
        }
    }

    /// No probe fires any more when it returns, and no handler is at work for it. Task context.
    pub(crate) fn halt(&self, reason: u32) {
        self.turn(false);
        self.clocks.stop_all();
        if reason == abi::RTRACE_REASON_ASKED {
            self.fire_own(Kind::End);
        }
        // What is in flight now stays so for the ledger, whatever becomes of it.
        let _reaping = REAPING.lock();
        self.reap();
        let reason = if self.is_filled() {
            abi::RTRACE_REASON_FILLED
        } else {
            reason
        };
        self.show(abi::RTRACE_STATE_STOPPED, reason);
    }

    /// Turns the switch of every CPU, each between two handlers.
    fn turn(&self, running: bool) {
        /// A CPU's switch, and how it is to stand.
        struct Turn<'a>(&'a Engine, u32, bool);
        /// # Safety
        ///
        /// `data` is a [`Turn`].
        unsafe extern "C" fn turn(data: *mut ffi::c_void) -> ffi::c_int {
            // SAFETY: By this function's contract.
            let Turn(engine, cpu, running) = unsafe { &*data.cast::<Turn<'_>>() };
            engine.set_running(*cpu, *running);
            0
        }
        let _locked = CpusLocked::new();
        self.wants_to_run.store(running, Ordering::Relaxed);
        for number in possible() {
            let mut todo = Turn(self, number, running);
            let data = (&raw mut todo).cast();
            let called = is_online(number) && {
                // SAFETY: `todo` outlives the call, which waits.
                unsafe { bindings::rtrace_cpu_call(number, Some(turn), data) == 0 }
            };
            if !called {
                // No handler runs on a CPU that is not online.
                self.set_running(number, running);
            }
        }
    }

    /// Turns one switch. Of this and [`Engine::silence`], [`Engine::exit`] or [`Engine::fill`],
    /// whichever is later sees the other.
    pub(super) fn set_running(&self, number: u32, running: bool) {
        let Some(Some(cpu)) = self.cpus.get(number as usize) else {
            return;
        };
        let hot = self.hots.of(number);
        let is_whole = cpu.ring().is_some()
            && !hot.counters.load(Ordering::Relaxed).is_null()
            && (self.running.is_none() || !cpu.program.load(Ordering::Relaxed).is_null());
        // The short way is open only while the long one is, and the long one asks `cpu` last: so both handlers of
        // a call that comes in between find the same.
        if running {
            hot.running.store(1, Ordering::SeqCst);
            cpu.running.store(true, Ordering::SeqCst);
        } else {
            hot.close();
            cpu.running.store(false, Ordering::SeqCst);
            hot.running.store(0, Ordering::SeqCst);
        }
        if running && is_whole {
            hot.open(Token::short(self.generation_of_calls, number));
        } else {
            hot.close();
        }
        if running && (self.is_dead() || self.has_exited()) {
            hot.close();
            cpu.running.store(false, Ordering::SeqCst);
            hot.running.store(0, Ordering::SeqCst);
        }
        if self.filled.load(Ordering::SeqCst) {
            hot.close();
        }
    }

    /// Switches off on all CPUs what fires, without waiting. Any context.
    fn stop_firing(&self) {
        self.close();
        for (number, cpu) in (0..).zip(&self.cpus) {
            if let Some(cpu) = cpu {
                cpu.running.store(false, Ordering::SeqCst);
                self.hots.of(number).running.store(0, Ordering::SeqCst);
            }
        }
    }

    /// Closes the short way: the long one knows why. Any context.
    fn close(&self) {
        for (number, cpu) in (0..).zip(&self.cpus) {
            if cpu.is_some() {
                self.hots.of(number).close();
            }
        }
    }

    /// Lets the short way find the table into which a CPU aggregates. On that CPU between two
    /// handlers, or when none runs there.
    pub(super) fn show_active(&self, number: u32) {
        if let Some(program) = self.cpu_program(number) {
            let table = program.active_words().as_ptr().cast_mut();
            let hot = self.hots.of(number);
            hot.aggregations.store(table, Ordering::Release);
            let places = program.active_places().as_ptr().cast_mut();
            hot.places.store(places, Ordering::Release);
        }
    }

    /// Ends it for good, at once and without waiting: who is between two handlers of one call
    /// finishes it by the first one's word, so that call may count as missed. [`Engine::halt`] is
    /// still to come. Task context.
    pub(crate) fn silence(&self, reason: u32) {
        self.died_of.store(reason, Ordering::SeqCst);
        self.stop_firing();
        self.show(abi::RTRACE_STATE_DEAD, reason);
    }

    /// Whether somebody else has ended it. Any context.
    #[inline(always)]
    pub(crate) fn is_dead(&self) -> bool {
        self.died_of.load(Ordering::SeqCst) != 0
    }

    /// The program ends it: no handler that begins after this fires, but for END. As for
    /// [`Engine::silence`], a call that is between two handlers may count as missed. Any context.
    #[cold]
    pub(crate) fn exit(&self) {
        self.exited.store(true, Ordering::SeqCst);
        self.stop_firing();
        self.show(abi::RTRACE_STATE_RUNNING, abi::RTRACE_REASON_EXITED);
        self.wake();
    }

    /// Whether its program has ended it. Any context.
    #[inline(always)]
    pub(crate) fn has_exited(&self) -> bool {
        self.exited.load(Ordering::SeqCst)
    }

    /// Whether clocks may go on. Any context.
    pub(crate) fn keeps_time(&self) -> bool {
        self.died_of.load(Ordering::Relaxed) == 0 && !self.has_exited()
    }

    /// Shows a state, unless it is dead, which it stays.
    pub(super) fn show(&self, state: u32, reason: u32) {
        if state != abi::RTRACE_STATE_DEAD && self.is_dead() {
            return;
        }
        self.show_anyhow(state, reason);
        // Whoever ended it in between may have shown that before this.
        fence(Ordering::SeqCst);
        let reason = self.died_of.load(Ordering::SeqCst);
        if state != abi::RTRACE_STATE_DEAD && reason != 0 {
            self.show_anyhow(abi::RTRACE_STATE_DEAD, reason);
        }
    }

    fn show_anyhow(&self, state: u32, reason: u32) {
        self.state.store(state, Ordering::Relaxed);
        self.reason.store(reason, Ordering::Relaxed);
        for (_, ring) in self.rings() {
            ring.memory().show_state(state, reason);
        }
    }

    /// Shows the state that there is in one ring, however often it changes meanwhile. Any context.
    pub(super) fn show_in(&self, ring: &CpuRing) {
        let now = || {
            fence(Ordering::SeqCst);
            (
                self.state.load(Ordering::Relaxed),
                self.reason.load(Ordering::Relaxed),
            )
        };
        let mut shown = now();
        loop {
            ring.memory().show_state(shown.0, shown.1);
            let later = now();
            if later == shown {
                return;
            }
            shown = later;
        }
    }

    /// Whether all recording is over, since a ring is full. Any context.
    #[inline(always)]
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// A ring is full under policy fill. Any context.
    #[cold]
    pub(crate) fn fill(&self) {
        self.filled.store(true, Ordering::SeqCst);
        self.close();
        self.show(abi::RTRACE_STATE_RUNNING, abi::RTRACE_REASON_FILLED);
        self.wake();
    }
}
