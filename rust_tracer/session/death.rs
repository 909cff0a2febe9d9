// SPDX-License-Identifier: GPL-2.0

//! How a session ends by somebody else's doing: why, and in which order.
//!
//! First the switches go off, so that nothing fires any more; that waits for nothing and needs no
//! lock of the session, which a long command may hold. Burying it, which may take seconds, is the
//! undertaker's work (guard.rs). What was recorded stays readable until the file is closed.

use core::sync::atomic::Ordering;

use kernel::prelude::*;

use super::{
    guard,
    Session, //
};
use crate::{
    abi,
    audit::{
        Event,
        Wait, //
    },
    opener,
    refusal::Refusal, //
};

/// Why a session is dead. The values are RTRACE_REASON_*.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Reason {
    Revoked = abi::RTRACE_REASON_REVOKED,
    Admin = abi::RTRACE_REASON_ADMIN,
    Lockdown = abi::RTRACE_REASON_LOCKDOWN,
    Silent = abi::RTRACE_REASON_SILENT,
    Burden = abi::RTRACE_REASON_BURDEN,
    Events = abi::RTRACE_REASON_EVENTS,
}

impl Reason {
    const ALL: [Self; 6] = [
        Self::Revoked,
        Self::Admin,
        Self::Lockdown,
        Self::Silent,
        Self::Burden,
        Self::Events,
    ];

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|r| *r as u32 == number)
    }

    /// For the audit trail.
    fn word(self) -> &'static str {
        match self {
            Self::Revoked => "node",
            Self::Admin => "admin",
            Self::Lockdown => "lockdown",
            Self::Silent => "silent",
            Self::Burden => "burden",
            Self::Events => "events",
        }
    }

    /// For the session's owner.
    fn sentence(self) -> &'static str {
        match self {
            Self::Revoked => {
                "this session was ended: its node's mode, owner or ACL does not admit you any more"
            }
            Self::Admin => "this session was revoked: ask the admin, or your other processes",
            Self::Lockdown => "this session was ended: the kernel was locked down",
            Self::Silent => {
                "aborted due to systemic unresponsiveness: its reader gave no sign of life \
                 (the module's parameter deadman_seconds)"
            }
            Self::Burden => {
                "aborted due to systemic unresponsiveness: probes took too much of a CPU (the \
                 module's parameter burden_percent); trace fewer functions"
            }
            Self::Events => {
                "this session was ended: more events a second than you may have (the module's \
                 parameter events_per_uid); trace fewer functions"
            }
        }
    }
}

impl Session {
    pub(crate) fn is_dead(&self) -> bool {
        self.died_of().is_some()
    }

    /// Why it is dead, if it is: then nothing of it fires any more, and that can be asked for. Task context.
    pub(super) fn died_of(&self) -> Option<Reason> {
        let reason = Reason::from_number(self.death.load(Ordering::SeqCst))?;
        // Whoever ends it holds this until it is so.
        drop(self.last_error.lock());
        Some(reason)
    }

    /// Ends it: no handler that begins after this fires for it. `by` is the admin who did it.
    /// False if it was dead already. Task context; does not wait.
    pub(super) fn kill(&self, reason: Reason, by: Option<u32>) -> bool {
        {
            // Held until what is said is so: see `died_of`.
            let mut last_error = self.last_error.lock();
            let first =
                self.death
                    .compare_exchange(0, reason as u32, Ordering::SeqCst, Ordering::SeqCst);
            if first.is_err() {
                return false;
            }
            *last_error = Some(Refusal::new(ECANCELED, reason.sentence()));
            if let Some(engine) = self.engine() {
                engine.silence(reason as u32);
            }
        }
        self.waiter.wake();
        guard::wake_undertaker();
        let probes = self.probes.load(Ordering::Relaxed);
        let why = reason.word();
        self.audit(Event::Revoke { why, by, probes }, Wait::No);
        true
    }

    /// Detaches it if it is dead; then its ledger is exact. Task context. A command that is just starting it does so
    /// itself.
    pub(super) fn bury(&self) {
        if let (Some(reason), Some(mut inner)) = (self.died_of(), self.inner_soon()) {
            self.halt(&mut inner, reason as u32);
        }
    }

    /// Refuses to change what is dead, and what must die now.
    pub(super) fn must_live(&self) -> Result<(), Refusal> {
        if self.died_of().is_none() {
            if !self.opener.is_admitted() {
                self.kill(Reason::Revoked, None);
            } else if opener::is_locked_down() {
                self.kill(Reason::Lockdown, None);
            }
        }
        self.is_alive()
    }

    /// Refuses what is dead.
    pub(super) fn is_alive(&self) -> Result<(), Refusal> {
        match self.died_of() {
            None => Ok(()),
            Some(reason) => Err(Refusal::new(ECANCELED, reason.sentence())),
        }
    }
}
