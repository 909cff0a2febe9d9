// SPDX-License-Identifier: GPL-2.0

//! Publishing a session by name, and observing one.
//!
//! An observer is an open file like any other, but without probes or rings of its own: what it
//! reads is copied from the rings of the session that it observes, from a position that it keeps
//! itself. It can neither hold anything up there nor change anything, and it learns that it was
//! too late from the position alone. When the observed file is closed its rings stay for
//! RTRACE_LINGER_MS, so that observers can read to the end.

use core::sync::atomic::Ordering;

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    list::{
        self,
        NAMING, //
    },
    Session, //
};
use crate::{
    abi,
    refusal::Refusal, //
};

/// How long the rings of a closed session stay for its observers, in ns.
pub(super) const LINGER: u64 = abi::RTRACE_LINGER_MS as u64 * 1_000_000;

fn no_such_session() -> Refusal {
    Refusal::new(
        ENOENT,
        "no session of that name or id is published on this node: list them (rtctl sessions)",
    )
}

/// Whether a name may be published: it is printed, and stands on command lines.
fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    !name.is_empty()
        && name.len() <= abi::RTRACE_SESSION_NAME_MAX as usize
        && name.iter().all(plain)
}

impl Session {
    /// Lets readers of its node observe it under `name`; an empty one ends that.
    pub(super) fn publish(&self, name: KVec<u8>) -> Result<(), Refusal> {
        let _inner = self.inner();
        self.must_not_observe("publish")?;
        if name.is_empty() {
            *self.name.lock() = None;
            return Ok(());
        }
        if !is_name(&name) {
            return Err(Refusal::with(
                EINVAL,
                fmt!(
                    "that is no name for a session: 1 to {} letters, digits, '.', '_' and '-'",
                    abi::RTRACE_SESSION_NAME_MAX
                ),
            ));
        }
        let _naming = NAMING.lock();
        let mut taken = false;
        list::for_each(|other| {
            if other.id != self.id && other.node == self.node && other.can_be_observed() {
                let its_name = other.name.lock();
                taken |= its_name.as_ref().is_some_and(|its| its[..] == name[..]);
            }
        });
        if taken {
            return Err(Refusal::new(
                EEXIST,
                "another session of this node is published by that name: choose another one",
            ));
        }
        *self.name.lock() = Some(name);
        Ok(())
    }

    pub(super) fn is_published(&self) -> bool {
        self.name.lock().is_some()
    }

    /// Whether somebody may begin to observe it, if it is published: who does so already may stay when it has died,
    /// and for a while when it is closed.
    pub(super) fn can_be_observed(&self) -> bool {
        !self.is_closed() && !self.is_dead()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed() != 0
    }

    /// When its file was closed, or 0.
    pub(super) fn closed(&self) -> u64 {
        self.closed.load(Ordering::SeqCst)
    }

    /// From now on this session observes the one that is published by that name or id.
    pub(super) fn observe(&self, name: &[u8], id: u64) -> Result<u64, Refusal> {
        let inner = self.inner();
        inner.must_be_idle("observe")?;
        if !inner.probes.is_empty() || !inner.late.is_empty() || self.is_published() {
            return Err(Refusal::new(
                EBUSY,
                "a session with probes or a name of its own cannot observe: open the node again",
            ));
        }
        self.must_not_observe("observe another")?;
        let mut found = None;
        list::for_each(|other| {
            let its_name = other.name.lock();
            let asked = match &*its_name {
                None => false,
                Some(its_name) if id == 0 => its_name.as_slice() == name,
                Some(_) => other.id == id,
            };
            drop(its_name);
            if asked && other.node == self.node && other.id != self.id && other.can_be_observed() {
                found = Some(other.clone());
            }
        });
        let subject = found.ok_or_else(no_such_session)?;
        subject.observers.fetch_add(1, Ordering::SeqCst);
        if subject.is_closed() {
            // What that may free takes the other session's lock.
            drop(inner);
            subject.observer_left();
            return Err(no_such_session());
        }
        let id = subject.id;
        *self.observed.lock() = Some(subject);
        Ok(id)
    }

    /// What it observes.
    pub(crate) fn observed(&self) -> Option<Arc<Session>> {
        self.observed.lock().clone()
    }

    pub(super) fn must_not_observe(&self, what: &str) -> Result<(), Refusal> {
        if self.observed.lock().is_none() {
            return Ok(());
        }
        Err(Refusal::with(
            EBUSY,
            fmt!("cannot {what}: this session observes another one; open the node again"),
        ))
    }

    pub(super) fn stop_observing(&self) {
        let observed = self.observed.lock().take();
        if let Some(subject) = observed {
            subject.observer_left();
        }
    }

    fn observer_left(&self) {
        let left = self.observers.fetch_sub(1, Ordering::SeqCst) - 1;
        if left == 0 && self.closed() != 0 {
            self.forget();
        }
    }
}
