// SPDX-License-Identifier: GPL-2.0

//! What all sessions of one user may take together: open files, probes, memory.
//!
//! The limits are module parameters, read when something is asked for. A user that is above one
//! is refused more and keeps what it has; other users notice nothing. CAP_SYS_RESOURCE, when the
//! node was opened, is above the limits, as it is above the kernel's own.
//!
//! Lock: `USES`, below all others.

use kernel::prelude::*;

use crate::{
    bindings,
    opener::Facts,
    refusal::Refusal, //
};

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    unsafe(uninit) static USES: Mutex<KVec<Use>> = KVec::new();
}

/// # Safety
///
/// Call once, before any session is opened.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { USES.init() };
}

/// The module goes; no session is left.
pub(crate) fn forget() {
    *USES.lock() = KVec::new();
}

/// What one user's sessions take.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    uid: u32,
    pub(crate) sessions: u64,
    pub(crate) probes: u64,
    pub(crate) memory: u64,
}

/// The limits as they are now.
pub(crate) fn limits() -> bindings::rtrace_limits {
    let mut limits = bindings::rtrace_limits::default();
    // SAFETY: Any context.
    unsafe { bindings::rtrace_limits(&mut limits) };
    limits
}

/// Whether `more` do not fit below a limit (0: none).
fn is_over(used: u64, more: u64, limit: u64) -> bool {
    limit != 0 && used.saturating_add(more) > limit
}

/// What one session takes of its user's share, until it is dropped.
pub(crate) struct Charge {
    uid: u32,
    exempt: bool,
    probes: u64,
    memory: u64,
}

impl Charge {
    /// For one more session of a user.
    pub(crate) fn new(facts: &Facts) -> Result<Self> {
        let limits = limits();
        let mut uses = USES.lock();
        if !uses.iter().any(|u| u.uid == facts.uid) {
            let new = Use {
                uid: facts.uid,
                sessions: 0,
                probes: 0,
                memory: 0,
            };
            uses.push(new, GFP_KERNEL)?;
        }
        let mine = uses.iter_mut().find(|u| u.uid == facts.uid);
        let mine = mine.ok_or(ENOMEM)?;
        if !facts.unlimited && is_over(mine.sessions, 1, limits.sessions.into()) {
            return Err(EDQUOT);
        }
        mine.sessions += 1;
        Ok(Self {
            uid: facts.uid,
            exempt: facts.unlimited,
            probes: 0,
            memory: 0,
        })
    }

    /// Whether the limits do not hold for it.
    pub(crate) fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// What all sessions of its user take.
    pub(crate) fn used(&self) -> Use {
        let uses = USES.lock();
        let mine = uses.iter().find(|u| u.uid == self.uid);
        mine.copied().unwrap_or(Use {
            uid: self.uid,
            sessions: 0,
            probes: 0,
            memory: 0,
        })
    }

    fn with<T>(&mut self, change: impl FnOnce(&mut Self, &mut Use) -> T) -> Option<T> {
        let mut uses = USES.lock();
        let mine = uses.iter_mut().find(|u| u.uid == self.uid)?;
        Some(change(self, mine))
    }

    /// The session has so many probes now; more than before may be refused.
    pub(crate) fn probes(&mut self, now: u32) -> Result<(), Refusal> {
        let limit = u64::from(limits().probes);
        let now = u64::from(now);
        self.with(|this, mine| {
            let more = now.saturating_sub(this.probes);
            if more > 0 && !this.exempt && is_over(mine.probes, more, limit) {
                return Err(Refusal::with(
                    EDQUOT,
                    fmt!(
                        "{more} more probes cannot be: your sessions have {} and may have {limit} \
                         (the module's parameter probes_per_uid); close others, or ask for fewer",
                        mine.probes
                    ),
                )
                .by_rule("quota"));
            }
            mine.probes = mine.probes.saturating_sub(this.probes).saturating_add(now);
            this.probes = now;
            Ok(())
        })
        .unwrap_or(Ok(()))
    }

    /// The session takes so many bytes now; more than before may be refused.
    pub(crate) fn memory(&mut self, now: u64) -> Result<(), Refusal> {
        let limit = limits().memory;
        self.with(|this, mine| {
            let more = now.saturating_sub(this.memory);
            if more > 0 && !this.exempt && is_over(mine.memory, more, limit) {
                return Err(Refusal::with(
                    EDQUOT,
                    fmt!(
                        "{} MiB of rings and counters cannot be: your sessions have {} MiB and \
                         may have {} (the module's parameter memory_mb_per_uid); use smaller \
                         rings (bufsize), or close other sessions",
                        now >> 20,
                        mine.memory >> 20,
                        limit >> 20
                    ),
                )
                .by_rule("quota"));
            }
            this.set_memory(mine, now);
            Ok(())
        })
        .unwrap_or(Ok(()))
    }

    /// The session takes so many bytes now, which it was not asked about (a module came).
    pub(crate) fn note_memory(&mut self, now: u64) {
        self.with(|this, mine| this.set_memory(mine, now));
    }

    fn set_memory(&mut self, mine: &mut Use, now: u64) {
        mine.memory = mine.memory.saturating_sub(self.memory).saturating_add(now);
        self.memory = now;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut uses = USES.lock();
        if let Some(mine) = uses.iter_mut().find(|u| u.uid == self.uid) {
            mine.sessions = mine.sessions.saturating_sub(1);
            mine.probes = mine.probes.saturating_sub(self.probes);
            mine.memory = mine.memory.saturating_sub(self.memory);
        }
        uses.retain(|u| u.sessions != 0);
    }
}
