// SPDX-License-Identifier: GPL-2.0

//! A session: one open file, from its first probe to its last record.
//!
//! ```text
//!   idle ──start──► running ──stop──► stopped
//!   add, config,     probes fire,      at rest: the ledger is exact,
//!   target           rings fill        rings stay readable
//!     └────────────────┴──ended by somebody else──► dead: as stopped, with the reason
//! ```
//!
//! Closing the file stops it from any state, and takes everything along. A session knows of no
//! other, unless it [observes](observe) one: it shares only the sites at which its probes are
//! attached. The [guard](guard) looks after all of them and may end one ([`death`]).
//!
//! Locks: a session's `inner`, then `attach`'s. The others are taken for an instant, from anywhere: `mmap` calls
//! with the address space locked, and must not wait for a command that touches user memory; and alone, but for
//! `last_error`, under which [`death`] takes `engine`'s. Who is none of the session's own commands takes `inner` as
//! [`news`] says.

#![deny(unsafe_code)]

use core::{
    ops::Range,
    sync::atomic::{
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
};

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

use crate::{
    abi,
    attach::{
        self,
        Wanted, //
    },
    audit::{
        self,
        Event,
        Wait, //
    },
    clock,
    engine::{
        self,
        binding::Binding,
        Engine,
        Targets,
        ToRun,
        Waiter, //
    },
    functions::Pattern,
    loaded::Loaded,
    node::Node,
    opener::{
        self,
        Opener, //
    },
    quota::Charge,
    refusal::Refusal, //
};

mod binding;
mod commands;
mod death;
mod groups;
#[allow(unsafe_code, reason = "initialises a lock")]
pub(crate) mod guard;
#[allow(unsafe_code, reason = "initialises a lock")]
mod list;
mod news;
mod observe;
mod probes;
mod seen;

pub(crate) use commands::{
    ioctl,
    Access,
    RULE_OPENER, //
};
use groups::Step;
pub(crate) use list::{
    forget_list,
    init_locks, //
};
use news::Missed;
pub(crate) use news::{
    functions_came,
    functions_went, //
};
use probes::{
    Before,
    Probes, //
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Running,
    Stopped,
}

impl State {
    /// RTRACE_STATE_*.
    fn number(self) -> u32 {
        match self {
            Self::Idle => abi::RTRACE_STATE_IDLE,
            Self::Running => abi::RTRACE_STATE_RUNNING,
            Self::Stopped => abi::RTRACE_STATE_STOPPED,
        }
    }
}

/// Sets of groups that are gone through for the functions of a module that comes, which waits for it.
const LATE_STEPS_MAX: u64 = 1 << 22;

/// A pattern to try on the functions of modules that come later.
struct Late {
    pattern: Pattern,
    /// RTRACE_PROBE_*.
    kinds: u32,
    /// The group of clauses, or 0.
    group: u32,
}

struct Inner {
    state: State,
    probes: Probes,
    /// What was asked for, as the audit trail tells it; and how much more was.
    spec: KVec<u8>,
    untold: u32,
    /// Whether it was started, ever.
    armed: bool,
    /// Until the file is closed.
    charge: Option<Charge>,
    late: KVec<Late>,
    /// What runs when its probes fire, in place of the default record.
    program: Option<Arc<Loaded>>,
    config: engine::Config,
    targets: Option<Arc<Targets>>,
}

#[pin_data]
pub(crate) struct Session {
    id: u64,
    node: Node,
    opener: Arc<Opener>,
    /// When it was opened, CLOCK_MONOTONIC in ns.
    opened: u64,
    waiter: Arc<Waiter>,
    /// A [`Reason`] once it is dead, else 0.
    death: AtomicU32,
    /// When its file was closed, if others still observe it; else 0.
    closed: AtomicU64,
    /// How many observe it.
    observers: AtomicU32,
    /// How many probes it has, for who cannot wait for `inner`.
    probes: AtomicU32,
    watched: guard::Watched,
    #[pin]
    inner: Mutex<Inner>,
    #[pin]
    missed: Mutex<Missed>,
    /// From start on; rings and counters.
    #[pin]
    engine: Mutex<Option<Arc<Engine>>>,
    /// Also held while the session is being ended.
    #[pin]
    last_error: Mutex<Option<Refusal>>,
    /// The name under which it may be observed.
    #[pin]
    name: Mutex<Option<KVec<u8>>>,
    /// What it observes.
    #[pin]
    observed: Mutex<Option<Arc<Session>>>,
    /// A view of the kernel that it was told in part.
    #[pin]
    view: Mutex<Option<commands::Begun>>,
}

/// The last id that was given.
static LAST_ID: AtomicU64 = AtomicU64::new(0);

impl Session {
    pub(crate) fn open(node: Node, opener: Opener) -> Result<Arc<Self>> {
        let charge = Charge::new(opener.facts())?;
        // Nothing here is charged: the kernel has a lock for whoever opens a device of this kind, and who waited
        // for his cgroup would keep them all waiting.
        let opener = Arc::new(opener, GFP_KERNEL)?;
        let waiter = Arc::new(Waiter::new()?, GFP_KERNEL)?;
        clock::look_again();
        let now = clock::now();
        let session = Arc::pin_init(
            pin_init!(Self {
                id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
                node,
                opener,
                opened: now,
                waiter,
                death: AtomicU32::new(0),
                closed: AtomicU64::new(0),
                observers: AtomicU32::new(0),
                probes: AtomicU32::new(0),
                watched: guard::Watched::new(now),
                inner <- new_mutex!(Inner {
                    state: State::Idle,
                    probes: Probes::new(),
                    spec: KVec::new(),
                    untold: 0,
                    armed: false,
                    charge: Some(charge),
                    late: KVec::new(),
                    program: None,
                    config: engine::Config::default(),
                    targets: None,
                }),
                missed <- new_mutex!(Some(KVec::new())),
                engine <- new_mutex!(None),
                last_error <- new_mutex!(None),
                name <- new_mutex!(None),
                observed <- new_mutex!(None),
                view <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )?;
        list::enlist(session.clone())?;
        guard::wake();
        Ok(session)
    }

    /// The file is closed: nothing of the session remains attached when this returns. What it
    /// recorded remains for a while if it is observed.
    pub(crate) fn close(self: Arc<Self>) {
        self.stop_observing();
        let ended = {
            let mut inner = self.inner.lock();
            self.halt(&mut inner, abi::RTRACE_REASON_CLOSED);
            if let Some(engine) = self.engine() {
                engine.retire();
            }
            if let Some(targets) = inner.targets.take() {
                targets.unwatch();
            }
            inner.armed.then(|| inner.probes.len())
        };
        if let Some(probes) = ended {
            self.audit(Event::End { probes }, Wait::No);
        }
        self.closed.store(clock::now().max(1), Ordering::SeqCst);
        // Who observes it and waits for it to start.
        self.waiter.wake();
        if self.observers.load(Ordering::SeqCst) == 0 {
            self.forget();
        }
    }

    /// Nobody can find the session any more, and all that it took goes, but for what an observer
    /// that is open holds on to: the session's name and its opener.
    fn forget(&self) {
        list::strike(self);
        *self.view.lock() = None;
        let engine = self.engine.lock().take();
        drop(engine);
        let mut inner = self.inner.lock();
        inner.probes = Probes::new();
        inner.late = KVec::new();
        inner.spec = KVec::new();
        inner.program = None;
        inner.charge = None;
    }

    /// Records that a rule of access was about to be broken, by the current task.
    pub(crate) fn audit_refusal(&self, refusal: &Refusal) {
        if let Some(why) = refusal.rule {
            let who = opener::current_facts();
            // Not for others who hold it: who waits there for long would be its sign of life.
            let _keeping = self
                .opener
                .is_current()
                .then(|| self.watched.keeps_reader());
            audit::record(Event::Refuse { why }, self.id, self.node, &who, Wait::Yes);
        }
    }

    fn audit(&self, event: Event<'_>, wait: Wait) {
        audit::record(event, self.id, self.node, self.opener.facts(), wait);
    }

    /// The engine, from start on.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.lock().clone()
    }

    pub(crate) fn waiter(&self) -> &Waiter {
        &self.waiter
    }

    /// Keeps why a command failed.
    pub(crate) fn remember(&self, refusal: Refusal) {
        *self.last_error.lock() = Some(refusal);
    }

    /// Attaches the probes and lets them fire. Returns how many are attached, and how many are
    /// not since their function is gone.
    fn start(&self) -> Result<(u32, u32), Refusal> {
        let mut inner = self.inner();
        self.must_not_observe("start")?;
        let (attached, refused) = self.arm(&mut inner)?;
        let mut spec = KVec::new();
        // Without memory the record stands without it.
        let _ = spec.extend_from_slice(&inner.spec, GFP_KERNEL);
        let untold = inner.untold;
        let probes = inner.probes.len();
        // It runs, and its reader is not back yet.
        let _keeping = self.watched.keeps_reader();
        drop(inner);
        self.audit(
            Event::Arm {
                probes,
                spec: &spec,
                untold,
            },
            Wait::Yes,
        );
        // It may have been ended while it was being started; then it did not run.
        self.bury();
        self.is_alive()?;
        Ok((attached, refused))
    }

    fn arm(&self, inner: &mut Inner) -> Result<(u32, u32), Refusal> {
        inner.must_be_idle("start")?;
        inner.charge(|charge| charge.may_burden(clock::now()))?;
        if inner.probes.is_empty() && inner.late.is_empty() {
            return Err(Refusal::new(
                EINVAL,
                "there is nothing to start: add probes first",
            ));
        }
        let before = inner.memory();
        let to_run = inner.to_run()?;
        let planned = before + inner.engine_memory(to_run.as_ref());
        inner.charge(|charge| charge.memory(planned))?;
        let started = self.make_engine(inner, to_run);
        let engine = started.inspect_err(|_| {
            let _ = inner.charge(|charge| charge.memory(before));
            let _ = inner.charge(|charge| charge.clock_time(0));
        })?;
        self.watched.starts(clock::now());
        *self.engine.lock() = Some(engine.clone());
        inner.state = State::Running;
        inner.armed = true;
        // Who ended it before now did not find the engine.
        if let Some(reason) = self.died_of() {
            engine.silence(reason as u32);
        }
        engine.run();
        Ok(inner.probes.count_attached())
    }

    /// Makes an engine and attaches the probes to it.
    fn make_engine(
        &self,
        inner: &mut Inner,
        to_run: Option<ToRun>,
    ) -> Result<Arc<Engine>, Refusal> {
        let engine = Engine::new(
            &inner.config,
            self.node,
            self.opener.clone(),
            inner.targets.clone(),
            self.waiter.clone(),
            to_run,
        )?;
        match self.attach_first(inner, &engine) {
            Ok(()) => Ok(engine),
            Err(refusal) => {
                engine.retire();
                Err(refusal)
            }
        }
    }

    /// Nothing fires any more when this returns, and nothing is attached.
    fn halt(&self, inner: &mut Inner, reason: u32) {
        if inner.state != State::Running {
            return;
        }
        if let Some(engine) = self.engine() {
            engine.halt(reason);
            attach::disable(&engine);
        }
        let _ = inner.charge(|charge| charge.clock_time(0));
        inner.probes.detached();
        inner.state = State::Stopped;
        self.waiter.wake();
    }

    /// Keeps the number of probes where it can be read without `inner`.
    fn note_probes(&self, inner: &Inner) {
        self.probes.store(inner.probes.len(), Ordering::Relaxed);
    }
}

impl Inner {
    /// Asks for more of the user's share. A closed session's is given back already.
    fn charge(
        &mut self,
        ask: impl FnOnce(&mut Charge) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.charge.as_mut().map_or(Ok(()), ask)
    }

    /// Bytes of its targets and its program.
    fn memory(&self) -> u64 {
        let targets = self.targets.as_ref().map_or(0, |targets| targets.memory());
        let program = self.program.as_ref().map_or(0, |program| program.memory());
        (targets + program) as u64
    }

    /// Bytes that its engine is going to hold.
    fn engine_memory(&self, to_run: Option<&ToRun>) -> u64 {
        let probes = self.probes.len();
        let program = to_run.map_or(0, |_| Binding::memory_needed(probes));
        engine::memory_needed(&self.config, self.probes.blocks(), to_run)
            .saturating_add(program)
            .saturating_add(attach::memory_needed(probes))
    }

    /// What its engine has become is its user's, whatever was planned.
    fn note_memory(&mut self, engine: &Engine) {
        let to_run = self.to_run().ok().flatten();
        let planned = self.memory() + self.engine_memory(to_run.as_ref());
        let memory = planned.max(engine.memory() as u64);
        if let Some(charge) = &mut self.charge {
            charge.note_memory(memory);
        }
    }

    /// What its engine is to run.
    fn to_run(&self) -> Result<Option<ToRun>, Refusal> {
        let Some(loaded) = self.program.clone() else {
            return Ok(None);
        };
        Ok(Some(ToRun {
            probes: self.probes.len(),
            loaded,
            own: binding::own_probes(&self.probes)?,
        }))
    }

    /// Binds the clauses of the program, if there is one, to the probes that are there.
    fn bind(&mut self, engine: &Engine, node: Node) -> Result<(), Refusal> {
        let (Some(running), Some(loaded)) = (engine.running(), &self.program) else {
            return Ok(());
        };
        let before = running.bound();
        let bound = binding::bind(loaded, &self.probes, node, before)?;
        let clock_time = self.probes.clock_time(&bound);
        self.charge(|charge| charge.clock_time(clock_time))?;
        let memory = (before.map_or(0, Binding::memory), bound.memory());
        if self.state == State::Idle {
            // Many clauses of a probe are more than was asked for.
            let asked = Binding::memory_needed(self.probes.len()).max(memory.0 as u64);
            let more = (memory.1 as u64).saturating_sub(asked);
            self.charge(|charge| charge.more_memory(more))?;
        }
        running.bind(bound)?;
        engine.note_memory(memory.0, memory.1);
        Ok(())
    }

    /// Adds the probes that are in these functions by patterns that are remembered.
    fn add_late(&mut self, functions: &Range<u32>, before: &mut Before) -> Result<(), Refusal> {
        let mut left = LATE_STEPS_MAX;
        for late in &self.late {
            let mut step = Step::within(late.group, left);
            for found in late.pattern.matches(functions.clone())? {
                self.probes.add(found, late.kinds, &mut step, before)?;
            }
            left = step.left();
        }
        self.charge_probes()
    }

    /// What it probes is its user's.
    fn charge_probes(&mut self) -> Result<(), Refusal> {
        let (probes, clock_hz) = (self.probes.len(), self.probes.clock_hz());
        let patterns = self.late.iter().map(|late| late.pattern.weight()).sum();
        self.charge(|charge| {
            charge.probes(probes)?;
            charge.patterns(patterns)?;
            charge.clock_hz(clock_hz)
        })
    }

    fn must_be_idle(&self, what: &str) -> Result<(), Refusal> {
        if self.state == State::Idle {
            return Ok(());
        }
        Err(Refusal::with(
            EBUSY,
            fmt!("cannot {what}: the session was started already; open the node again for another"),
        ))
    }

    /// What is to be attached: all probes that are not. There is room for their firings.
    fn make_room(&mut self, engine: &Engine, node: Node) -> Result<KVVec<Wanted>, Refusal> {
        let wanted = self.probes.wanted()?;
        engine.grow(self.probes.blocks(), self.probes.have_returns())?;
        self.bind(engine, node)?;
        Ok(wanted)
    }

    /// Attaches them. Asks for no memory that is charged.
    fn attach(&mut self, engine: &Arc<Engine>, mut wanted: KVVec<Wanted>) -> Result<(), Refusal> {
        let gone = attach::enable(engine, &mut wanted, self.config.ways).map_err(|error| {
            if error == ENOMEM {
                return Refusal::from(error);
            }
            Refusal::with(
                error,
                fmt!(
                    "ftrace refused to attach {} functions ({error:?}): is tracing shut off, or \
                     was a function's module just unloaded?",
                    wanted.len()
                ),
            )
        })?;
        self.probes.attached(&wanted, &gone);
        Ok(())
    }
}
