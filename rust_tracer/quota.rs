// SPDX-License-Identifier: GPL-2.0

//! What all sessions of one user may take together: open files, probes, patterns for modules to come, firings
//! of clocks, memory.
//!
//! The limits are module parameters, read when something is asked for. A user that is above one
//! is refused more and keeps what it has; other users notice nothing. CAP_SYS_RESOURCE, when the
//! node was opened, is above the limits, as it is above the kernel's own.
//!
//! Lock: `USES`, below all others.

use kernel::prelude::*;

use crate::{
    bindings,
    clock::{
        self,
        NS_PER_SEC, //
    },
    opener::Facts,
    refusal::Refusal, //
};

const NS_PER_MS: u64 = 1_000_000;

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

/// What sessions take.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) probes: u64,
    /// That are remembered for modules to come.
    pub(crate) patterns: u64,
    /// Firings of clocks in a second.
    pub(crate) clock_hz: u64,
    /// What their clauses may take of a second, in ns.
    pub(crate) clock_time: u64,
    pub(crate) memory: u64,
}

/// What one user's sessions take.
struct Use {
    uid: u32,
    sessions: u64,
    taken: Taken,
    /// Until when it may start none; CLOCK_MONOTONIC in ns.
    barred: u64,
}

/// A user's session took too much of a CPU: until then the user may start no others.
pub(crate) fn bar(uid: u32, until: u64) {
    if let Some(user) = USES.lock().iter_mut().find(|u| u.uid == uid) {
        user.barred = until;
    }
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

/// Of what all take, one takes so much from now on.
fn note(this: &mut u64, all: &mut u64, now: u64) {
    *all = all.saturating_sub(*this).saturating_add(now);
    *this = now;
}

/// What one session takes of its user's share, until it is dropped.
pub(crate) struct Charge {
    uid: u32,
    exempt: bool,
    taken: Taken,
}

/// One of the things that are taken.
type What = fn(&mut Taken) -> &mut u64;

impl Charge {
    /// For one more session of a user.
    pub(crate) fn new(facts: &Facts) -> Result<Self> {
        let limits = limits();
        let mut uses = USES.lock();
        if !uses.iter().any(|u| u.uid == facts.uid) {
            let new = Use {
                uid: facts.uid,
                sessions: 0,
                taken: Taken::default(),
                barred: 0,
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
            taken: Taken::default(),
        })
    }

    /// Refuses to start what may take too much of a CPU, soon after another session of its user's did.
    pub(crate) fn may_burden(&self, now: u64) -> Result<(), Refusal> {
        let barred = USES
            .lock()
            .iter()
            .find(|u| u.uid == self.uid)
            .map_or(0, |u| u.barred);
        if self.exempt || barred <= now {
            return Ok(());
        }
        Err(Refusal::with(
            EAGAIN,
            fmt!(
                "a session of yours was just ended, since its probes took too much of a CPU (the \
                 module's parameter burden_percent): start this one in {} s",
                (barred - now).div_ceil(NS_PER_SEC)
            ),
        )
        .by_rule("quota"))
    }

    /// Whether the limits do not hold for it.
    pub(crate) fn is_exempt(&self) -> bool {
        self.exempt
    }

    /// How many sessions its user has, and what all of them take.
    pub(crate) fn used(&self) -> (u64, Taken) {
        let uses = USES.lock();
        let mine = uses.iter().find(|u| u.uid == self.uid);
        mine.map_or((0, Taken::default()), |mine| (mine.sessions, mine.taken))
    }

    /// The session takes so much of it now; more than before may be refused, by what `refuse` says of how much
    /// more it is, and what the user's sessions have.
    fn take(
        &mut self,
        what: What,
        now: u64,
        limit: u64,
        refuse: impl FnOnce(u64, u64) -> Refusal,
    ) -> Result<(), Refusal> {
        let mut uses = USES.lock();
        let Some(mine) = uses.iter_mut().find(|u| u.uid == self.uid) else {
            return Ok(());
        };
        let (this, all) = (what(&mut self.taken), what(&mut mine.taken));
        let more = now.saturating_sub(*this);
        if more > 0 && !self.exempt && is_over(*all, more, limit) {
            return Err(refuse(more, *all).by_rule("quota"));
        }
        note(this, all, now);
        Ok(())
    }

    /// The session has so many probes now.
    pub(crate) fn probes(&mut self, now: u32) -> Result<(), Refusal> {
        let limit = u64::from(limits().probes);
        self.take(
            |taken| &mut taken.probes,
            now.into(),
            limit,
            |more, used| {
                Refusal::with(
                    EDQUOT,
                    fmt!(
                    "{more} more probes cannot be: your sessions have {used} and may have {limit} \
                     (the module's parameter probes_per_uid); close others, or ask for fewer"
                ),
                )
            },
        )
    }

    /// The session remembers so many patterns for modules to come.
    pub(crate) fn patterns(&mut self, now: u64) -> Result<(), Refusal> {
        let limit = u64::from(limits().patterns);
        self.take(
            |taken| &mut taken.patterns,
            now,
            limit,
            |more, used| {
                Refusal::with(
                    EDQUOT,
                    fmt!(
                    "{more} more patterns cannot be remembered for modules to come: your sessions \
                     have {used} and may have {limit} (the module's parameter patterns_per_uid); \
                     close others, or name the module where it is vmlinux"
                ),
                )
            },
        )
    }

    /// The session's clocks fire so often in a second.
    pub(crate) fn clock_hz(&mut self, now: u64) -> Result<(), Refusal> {
        let limit = u64::from(limits().clock_hz);
        self.take(
            |taken| &mut taken.clock_hz,
            now,
            limit,
            |more, used| {
                Refusal::with(
                    EDQUOT,
                    fmt!(
                    "clocks that fire {more} times a second more cannot be: those of your sessions \
                     fire {used} times and may fire {limit} times (the module's parameter \
                     clock_hz_per_uid); close others, or ask for longer periods"
                ),
                )
            },
        )
    }

    /// The clauses of the session's clocks may take so many ns of each second.
    pub(crate) fn clock_time(&mut self, now: u64) -> Result<(), Refusal> {
        let limit = limits().clock_time;
        self.take(
            |taken| &mut taken.clock_time,
            now,
            limit,
            |more, used| {
                Refusal::with(
                    EDQUOT,
                    fmt!(
                    "clauses of clocks that may take {} ms of each second more cannot be: those of your \
                     sessions may take {} ms, and {} are allowed (the module's parameter \
                     clock_percent_per_uid); close others, or ask for longer periods or shorter clauses",
                    more.div_ceil(NS_PER_MS),
                    used.div_ceil(NS_PER_MS),
                    limit / NS_PER_MS
                ),
                )
            },
        )
    }

    /// The session takes so many bytes now.
    pub(crate) fn memory(&mut self, now: u64) -> Result<(), Refusal> {
        let limit = limits().memory;
        self.take(|taken| &mut taken.memory, now, limit, |_, used| {
            Refusal::with(
                EDQUOT,
                fmt!(
                    "{} MiB of rings and counters cannot be: your sessions have {} MiB and may have \
                     {} (the module's parameter memory_mb_per_uid); use smaller rings (bufsize), or \
                     close other sessions",
                    now >> 20,
                    used >> 20,
                    limit >> 20
                ),
            )
        })
    }

    /// The session takes so many bytes more.
    pub(crate) fn more_memory(&mut self, more: u64) -> Result<(), Refusal> {
        self.memory(self.taken.memory.saturating_add(more))
    }

    /// The session takes so many bytes now, or more, which it was not asked about (a module came).
    pub(crate) fn note_memory(&mut self, now: u64) {
        let now = now.max(self.taken.memory);
        let mut uses = USES.lock();
        if let Some(mine) = uses.iter_mut().find(|u| u.uid == self.uid) {
            note(&mut self.taken.memory, &mut mine.taken.memory, now);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut uses = USES.lock();
        if let Some(mine) = uses.iter_mut().find(|u| u.uid == self.uid) {
            mine.sessions = mine.sessions.saturating_sub(1);
            let all: [What; 5] = [
                |taken| &mut taken.probes,
                |taken| &mut taken.patterns,
                |taken| &mut taken.clock_hz,
                |taken| &mut taken.clock_time,
                |taken| &mut taken.memory,
            ];
            for what in all {
                note(what(&mut self.taken), what(&mut mine.taken), 0);
            }
        }
        let now = clock::now();
        uses.retain(|u| u.sessions != 0 || u.barred > now);
    }
}
