// SPDX-License-Identifier: GPL-2.0

//! Functions that come and go with their modules: how a session learns of them.
//!
//! Until a session is started, a command may be busy with it for as long as its user likes: it asks for memory that is
//! charged to his cgroup, which may have him wait for every part of it (memory.high). Who loads a module, or looks
//! after all sessions, does not wait for that: what came and went is noted, and whoever has the session next, or is
//! about to start it, gives it its due first. So a session that was started has missed nothing, and no command is busy
//! with it for long.

#![forbid(unsafe_code)]

use core::ops::Range;

use kernel::{
    prelude::*,
    sync::{
        Arc,
        MutexGuard, //
    },
};

use super::{
    list,
    Inner,
    Session,
    State, //
};
use crate::{
    engine::Engine,
    refusal::Refusal, //
};

/// Functions, by their indices.
#[derive(Clone)]
pub(super) enum News {
    /// They were just loaded.
    Came(Range<u32>),
    /// They are gone, and their probes are detached.
    Went(Range<u32>),
}

/// What a session was not told, since a command was busy with it; none once no command is busy with it for long, and
/// whoever has news waits.
pub(super) type Missed = Option<KVec<News>>;

impl Session {
    /// For its own commands: waits for the one that is busy with it.
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock();
        self.catch_up(&mut inner);
        inner
    }

    /// For a command of `asker` that tells of it. Who observes it finds it as it was left: what it has missed is asked
    /// of its own opener's memory and time, not of theirs, which may be short. None for him while it is being
    /// prepared or started, which takes as long as the opener's memory makes it.
    pub(super) fn inner_for(&self, asker: &Session) -> Option<MutexGuard<'_, Inner>> {
        match self.id == asker.id {
            true => Some(self.inner()),
            false => self.inner_soon(),
        }
    }

    /// For others: none while a command may be busy with it for long.
    pub(super) fn inner_soon(&self) -> Option<MutexGuard<'_, Inner>> {
        let inner = self.inner.try_lock();
        if inner.is_none() && self.missed.lock().is_none() {
            return Some(self.inner.lock());
        }
        inner
    }

    /// Attaches its probes for the first time. Who has news waits from then on.
    pub(super) fn attach_first(
        &self,
        inner: &mut Inner,
        engine: &Arc<Engine>,
    ) -> Result<(), Refusal> {
        let wanted = loop {
            self.catch_up(inner);
            let wanted = inner.make_room(engine, self.node)?;
            // Modules that came meanwhile have brought more than was planned.
            inner.note_memory(engine);
            let mut missed = self.missed.lock();
            if missed.as_ref().is_none_or(|missed| missed.is_empty()) {
                *missed = None;
                break wanted;
            }
        };
        let attached = inner.attach(engine, wanted);
        attached.inspect_err(|_| *self.missed.lock() = Some(KVec::new()))
    }

    fn tell(&self, news: News) {
        let mut inner = match self.inner_soon() {
            Some(inner) => inner,
            None => {
                let mut missed = self.missed.lock();
                if let Some(missed) = &mut *missed {
                    if missed.push(news.clone(), GFP_KERNEL).is_ok() {
                        return;
                    }
                }
                drop(missed);
                self.inner.lock()
            }
        };
        self.catch_up(&mut inner);
        self.hear(&mut inner, &news);
    }

    fn catch_up(&self, inner: &mut Inner) {
        let missed = match &mut *self.missed.lock() {
            Some(missed) => core::mem::take(missed),
            None => return,
        };
        for news in &missed {
            self.hear(inner, news);
        }
    }

    fn hear(&self, inner: &mut Inner, news: &News) {
        match news {
            News::Came(functions) => {
                if let Err(refusal) = self.functions_came(inner, functions) {
                    pr_warn!(
                        "a session got no probes in a new module: {:?}\n",
                        refusal.error
                    );
                    self.remember(refusal);
                }
            }
            News::Went(functions) => {
                inner.probes.went(functions);
                if let Some(engine) = self.engine() {
                    engine.changed();
                }
            }
        }
    }

    /// Gives the session its probes in functions that were just loaded.
    fn functions_came(&self, inner: &mut Inner, functions: &Range<u32>) -> Result<(), Refusal> {
        let _keeping = self.watched.keeps_reader();
        // What is closed is not started any more.
        if inner.state == State::Stopped || self.is_closed() {
            return Ok(());
        }
        let mut before = inner.probes.before();
        let more = inner.add_late(functions, &mut before);
        more.inspect_err(|_| inner.probes.restore(&before))?;
        self.note_probes(inner);
        if !inner.probes.has_any(functions) {
            return Ok(());
        }
        if let (State::Running, Some(engine)) = (inner.state, self.engine()) {
            let wanted = inner.make_room(&engine, self.node);
            let attached = wanted.and_then(|wanted| inner.attach(&engine, wanted));
            inner.note_memory(&engine);
            attached?;
            engine.changed();
        }
        Ok(())
    }
}

/// Functions were just loaded. Task context.
pub(crate) fn functions_came(functions: &Range<u32>) {
    list::for_each(|session| session.tell(News::Came(functions.clone())));
}

/// Functions are gone, and their probes are detached. Task context.
pub(crate) fn functions_went(gone: &Range<u32>) {
    list::for_each(|session| session.tell(News::Went(gone.clone())));
}
