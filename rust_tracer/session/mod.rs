// SPDX-License-Identifier: GPL-2.0

//! A session: one open file, from its first probe to its last record.
//!
//! ```text
//!   idle ──start──► running ──stop──► stopped
//!   add, config,     probes fire,      at rest: the ledger is exact,
//!   target           rings fill        rings stay readable
//! ```
//!
//! Closing the file stops it from any state, and takes everything along. A session knows of no
//! other: it shares only the sites at which its probes are attached.
//!
//! Locks: `SESSIONS`, then a session's `inner`, then `attach`'s. `engine` and `last_error` are
//! taken alone, from anywhere: `mmap` calls with the address space locked, and must not wait
//! for a command that touches user memory.

#![deny(unsafe_code)]

use core::ops::Range;

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        ArcBorrow,
        Mutex, //
    },
};

use crate::{
    abi,
    attach,
    engine::{
        self,
        Engine,
        Targets,
        Waiter, //
    },
    functions::{
        Pattern,
        FUNCTIONS, //
    },
    node::Node,
    refusal::Refusal, //
};

mod commands;
#[allow(unsafe_code, reason = "initialises a lock")]
mod list;
mod probes;

pub(crate) use commands::{
    ioctl,
    Access, //
};
pub(crate) use list::init_locks;
use list::SESSIONS;
use probes::Probes;

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

/// A pattern to try on the functions of modules that come later.
struct Late {
    pattern: Pattern,
    /// RTRACE_PROBE_*.
    kinds: u32,
}

struct Inner {
    state: State,
    probes: Probes,
    late: KVec<Late>,
    config: engine::Config,
    targets: Option<Arc<Targets>>,
}

#[pin_data]
pub(crate) struct Session {
    node: Node,
    waiter: Arc<Waiter>,
    #[pin]
    inner: Mutex<Inner>,
    /// From start on; rings and counters.
    #[pin]
    engine: Mutex<Option<Arc<Engine>>>,
    #[pin]
    last_error: Mutex<Option<Refusal>>,
}

impl Session {
    pub(crate) fn open(node: Node) -> Result<Arc<Self>> {
        let waiter = Arc::new(Waiter::new()?, GFP_KERNEL_ACCOUNT)?;
        let session = Arc::pin_init(
            pin_init!(Self {
                node,
                waiter,
                inner <- new_mutex!(Inner {
                    state: State::Idle,
                    probes: Probes::new(),
                    late: KVec::new(),
                    config: engine::Config::default(),
                    targets: None,
                }),
                engine <- new_mutex!(None),
                last_error <- new_mutex!(None),
            }),
            GFP_KERNEL_ACCOUNT,
        )?;
        Ok(session)
    }

    /// From now on the session learns of functions that come and go.
    fn enlist(self: ArcBorrow<'_, Self>) -> Result {
        let mut sessions = SESSIONS.lock();
        if !sessions
            .iter()
            .any(|other| Arc::ptr_eq(other, &self.into()))
        {
            sessions.push(self.into(), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(())
    }

    /// The file is closed: nothing of the session remains attached when this returns.
    pub(crate) fn close(self: Arc<Self>) {
        SESSIONS.lock().retain(|other| !Arc::ptr_eq(other, &self));
        let mut inner = self.inner.lock();
        self.halt(&mut inner);
        if let Some(engine) = self.engine() {
            engine.retire();
        }
        if let Some(targets) = inner.targets.take() {
            targets.unwatch();
        }
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
        self.node.may_arm()?;
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.must_be_idle("start")?;
        if inner.probes.is_empty() && inner.late.is_empty() {
            return Err(Refusal::new(
                EINVAL,
                "there is nothing to start: add probes first",
            ));
        }
        let engine = Engine::new(&inner.config, inner.targets.clone(), self.waiter.clone())?;
        let started = inner.attach_all(&engine);
        if let Err(refusal) = started {
            engine.retire();
            return Err(refusal);
        }
        *self.engine.lock() = Some(engine.clone());
        inner.state = State::Running;
        engine.run();
        Ok(inner.probes.count_attached())
    }

    /// Nothing fires any more when this returns, and nothing is attached.
    fn halt(&self, inner: &mut Inner) {
        if inner.state != State::Running {
            return;
        }
        if let Some(engine) = self.engine() {
            engine.halt(abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_ASKED);
            attach::disable(&engine);
        }
        inner.probes.detached();
        inner.state = State::Stopped;
        self.waiter.wake();
    }

    /// Gives the session its probes in functions that were just loaded.
    fn functions_came(&self, functions: &Range<u32>) -> Result<(), Refusal> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        if inner.state == State::Stopped {
            return Ok(());
        }
        {
            let table = FUNCTIONS.lock();
            for late in &inner.late {
                for found in table.matches(&late.pattern, functions.clone()) {
                    inner.probes.add(found, late.kinds)?;
                }
            }
        }
        if inner.state == State::Running {
            if let Some(engine) = self.engine() {
                inner.attach_all(&engine)?;
                engine.changed();
            }
        }
        Ok(())
    }
}

impl Inner {
    fn must_be_idle(&self, what: &str) -> Result<(), Refusal> {
        if self.state == State::Idle {
            return Ok(());
        }
        Err(Refusal::with(
            EBUSY,
            fmt!("cannot {what}: the session was started already; open the node again for another"),
        ))
    }

    /// Attaches all probes that are not.
    fn attach_all(&mut self, engine: &Arc<Engine>) -> Result<(), Refusal> {
        let wanted = self.probes.wanted()?;
        engine.grow(self.probes.blocks(), self.probes.have_returns())?;
        let gone = attach::enable(engine, &wanted).map_err(|error| {
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

/// Functions were just loaded. Task context.
pub(crate) fn functions_came(functions: &Range<u32>) {
    for session in SESSIONS.lock().iter() {
        if let Err(refusal) = session.functions_came(functions) {
            pr_warn!(
                "a session got no probes in a new module: {:?}\n",
                refusal.error
            );
            session.remember(refusal);
        }
    }
}

/// Functions are gone, and their probes are detached. Task context.
pub(crate) fn functions_went(gone: &[u32]) {
    for session in SESSIONS.lock().iter() {
        session.inner.lock().probes.went(gone);
        if let Some(engine) = session.engine() {
            engine.changed();
        }
    }
}
