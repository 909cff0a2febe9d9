// SPDX-License-Identifier: GPL-2.0

//! The guard: looks after all sessions a few times a second, and ends those that may not go on.
//!
//! - **Revocation.** A node's permissions are asked about once, when it is opened; so that taking
//!   them away means something, the guard asks again, with the opener's credentials. The same for
//!   lockdown.
//! - **The deadman**, as DTrace's: a session whose reader gives no sign of life (a command, a
//!   poll, a moved consumer position), and the busiest one on a CPU of which handlers take more
//!   than a set share. Sleeping pollers are woken before their time is up, so that who is there
//!   can say so.
//! - **Events.** More firings a second than a user may have.
//!
//! The guard is one work item, of high priority, as long as any node is open; see `shim/access.c`, "the
//! guard". It takes no lock that a command may hold for long, and waits for nothing: its time
//! grows with the sessions and the CPUs. What may wait, detaching and freeing, is another work
//! item's, the undertaker's.

use core::sync::atomic::{
    AtomicU32,
    AtomicU64,
    Ordering, //
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    death::Reason,
    list,
    observe::LINGER,
    Session, //
};
use crate::{
    bindings,
    clock::{
        self,
        NS_PER_SEC, //
    },
    detect,
    engine,
    opener,
    quota, //
};

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module initialiser before first use.
    unsafe(uninit) static GUARD: Mutex<Guard> = Guard::new();
}

/// # Safety
///
/// Call once, before any session is opened.
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { GUARD.init() };
}

/// The guard and the undertaker, for as long as it lives.
pub(crate) struct Watchman(());

impl Watchman {
    pub(crate) fn start() -> Result<Self> {
        // SAFETY: Task context, once.
        kernel::error::to_result(unsafe { bindings::rtrace_guard_start() })?;
        Ok(Self(()))
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        // SAFETY: It was started.
        unsafe { bindings::rtrace_guard_stop() };
        *GUARD.lock() = Guard::new();
        super::forget_list();
        quota::forget();
    }
}

/// There is a session to look after. Task context.
pub(super) fn wake() {
    // SAFETY: The guard is there as long as a node can be opened.
    unsafe { bindings::rtrace_guard_wake() };
}

/// There is something to bury. Task context.
pub(super) fn wake_undertaker() {
    // SAFETY: The undertaker is there as long as there is a session.
    unsafe { bindings::rtrace_undertaker_wake() };
}

/// What the guard remembers of a session. Times are CLOCK_MONOTONIC in ns.
pub(super) struct Watched {
    /// Its reader's last sign of life.
    sign: AtomicU64,
    /// The sum of the consumer positions at the last look.
    consumed: AtomicU64,
    /// Calls of its handlers between the last two looks, on the CPUs that are over their share.
    burden: AtomicU64,
    /// Firings until the last count, and between the last two.
    fired: AtomicU64,
    events: AtomicU64,
    /// How many commands keep its reader waiting for what is not theirs to hasten: it gets probes, or the audit system's
    /// queue is full.
    keeps: AtomicU32,
}

/// While it is there, a session's reader is kept waiting.
pub(super) struct Keeping<'a>(&'a Watched);

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        self.0.starts(clock::now());
        self.0.keeps.fetch_sub(1, Ordering::Release);
    }
}

impl Watched {
    pub(super) fn new(now: u64) -> Self {
        Self {
            sign: AtomicU64::new(now),
            consumed: AtomicU64::new(0),
            burden: AtomicU64::new(0),
            fired: AtomicU64::new(0),
            events: AtomicU64::new(0),
            keeps: AtomicU32::new(0),
        }
    }

    /// From now on its reader must give signs of life.
    pub(super) fn starts(&self, now: u64) {
        self.sign.store(now, Ordering::Relaxed);
    }

    /// Its reader need give none as long as what is returned is there.
    pub(super) fn keeps_reader(&self) -> Keeping<'_> {
        self.keeps.fetch_add(1, Ordering::Relaxed);
        Keeping(self)
    }

    /// Takes away so much of its reader's silence.
    fn forgives(&self, time: u64, now: u64) {
        let later = |sign: u64| Some(sign.saturating_add(time).min(now));
        // In vain only if there is a sign meanwhile.
        let _ = self
            .sign
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }
}

/// How a CPU was burdened.
struct Cpu {
    /// ns that handlers took until the last look.
    taken: u64,
    /// Since when it has been too much, or 0.
    since: u64,
}

struct Guard {
    /// When it last looked, and counted events.
    looked: u64,
    counted: u64,
    cpus: KVec<Cpu>,
    /// Scratch: user, firings.
    users: KVec<(u32, u64)>,
}

/// One round. Whether there is more to guard.
#[no_mangle]
extern "C" fn rtrace_on_guard() -> bool {
    clock::look();
    detect::look_at_taints();
    let now = clock::now();
    let limits = quota::limits();
    let mut locked_down = None;
    list::for_each(|session| session.check_rights(&mut locked_down));
    // If not even the guard was let run, as when the whole machine stood still, neither was a reader.
    let lost = now.saturating_sub(GUARD.lock().looked.saturating_add(NS_PER_SEC));
    list::for_each(|session| {
        if lost != 0 {
            session.watched.forgives(lost, now);
        }
        session.check_reader(now, limits.silence);
    });
    {
        let mut guard = GUARD.lock();
        guard.check_burden(now, &limits);
        guard.check_events(now, limits.events);
        guard.looked = now;
    }
    let mut late = false;
    list::for_each(|session| late |= session.is_over_its_time(now));
    if late {
        wake_undertaker();
    }
    !list::is_empty()
}

/// Detaches what is dead, and forgets what is closed and was observed long enough.
#[no_mangle]
extern "C" fn rtrace_on_undertaker() {
    let now = clock::now();
    list::for_each(|session| {
        session.bury();
        if session.is_over_its_time(now) {
            session.forget();
        }
    });
}

impl Session {
    /// Its reader is there. Task context.
    pub(crate) fn gives_sign(&self) {
        self.watched.sign.store(clock::now(), Ordering::Relaxed);
    }

    /// Whether it is closed, and its observers had the time that they have.
    fn is_over_its_time(&self, now: u64) -> bool {
        let closed = self.closed();
        closed != 0 && now.saturating_sub(closed) >= LINGER
    }

    fn check_rights(&self, locked_down: &mut Option<bool>) {
        if self.died_of().is_some() || self.is_closed() {
            return;
        }
        if !self.opener.is_admitted() {
            self.kill(Reason::Revoked, None);
        } else if *locked_down.get_or_insert_with(opener::is_locked_down) {
            self.kill(Reason::Lockdown, None);
        }
    }

    fn check_reader(&self, now: u64, silence: u64) {
        if silence == 0 || self.died_of().is_some() || self.is_closed() {
            return;
        }
        let Some(engine) = self.engine().filter(|engine| !engine.is_over()) else {
            return;
        };
        let consumed = engine.consumed();
        let moved = self.watched.consumed.swap(consumed, Ordering::Relaxed) != consumed;
        // To attach to many functions may take longer than a reader may be silent.
        if moved || self.watched.keeps.load(Ordering::Acquire) != 0 {
            self.gives_sign();
        }
        let silent = now.saturating_sub(self.watched.sign.load(Ordering::Relaxed));
        if silent >= silence {
            self.kill(Reason::Silent, None);
        } else if silent >= silence / 3 {
            self.waiter().wake();
        }
    }

    /// Counts how often its handlers were called since the last look, on these CPUs.
    fn count_burden(&self, which: impl Fn(u32) -> bool) {
        let visits = self
            .engine()
            .map_or(0, |engine| engine.recent_visits(which));
        self.watched.burden.store(visits, Ordering::Relaxed);
    }

    /// Counts its firings since the last count.
    fn count_events(&self) {
        let fired = self.engine().map_or(0, |engine| engine.fired());
        let before = self.watched.fired.swap(fired, Ordering::Relaxed);
        let events = fired.saturating_sub(before);
        self.watched.events.store(events, Ordering::Relaxed);
    }

    fn burden(&self) -> u64 {
        self.watched.burden.load(Ordering::Relaxed)
    }

    fn events(&self) -> u64 {
        self.watched.events.load(Ordering::Relaxed)
    }
}

impl Guard {
    const fn new() -> Self {
        Self {
            looked: 0,
            counted: 0,
            cpus: KVec::new(),
            users: KVec::new(),
        }
    }

    fn check_burden(&mut self, now: u64, limits: &bindings::rtrace_limits) {
        let elapsed = now.saturating_sub(self.looked);
        let mut blame = false;
        for number in 0..engine::cpu_limit() {
            // SAFETY: Any number may be asked for.
            let taken = unsafe { bindings::rtrace_burden(number) };
            if self.cpus.len() <= number as usize {
                // Without memory for it that CPU is looked at next time.
                let _ = self.cpus.push(Cpu { taken, since: 0 }, GFP_KERNEL);
            }
            let Some(cpu) = self.cpus.get_mut(number as usize) else {
                continue;
            };
            let took = taken.wrapping_sub(cpu.taken);
            cpu.taken = taken;
            let allowed = elapsed.saturating_mul(limits.burden_percent.into());
            if limits.burden_percent == 0 || took.saturating_mul(100) <= allowed {
                cpu.since = 0;
            } else if cpu.since == 0 {
                cpu.since = now;
            } else {
                blame |= now.saturating_sub(cpu.since) >= limits.burden_time;
            }
        }
        let is_over = |number: u32| {
            let cpu = self.cpus.get(number as usize);
            cpu.is_some_and(|cpu| cpu.since != 0)
        };
        list::for_each(|session| session.count_burden(is_over));
        if blame {
            let ended = kill_busiest(Reason::Burden, Session::burden, |_| true);
            // Its user may have others like it, and starts none meanwhile. To detach one may take a while, in which
            // the next is not to blame.
            if let Some(who) = ended.as_ref().map(|session| session.opener.facts()) {
                quota::bar(who.uid, now.saturating_add(limits.burden_time));
            }
            let again = now.saturating_sub(limits.burden_time / 4 * 3);
            self.cpus
                .iter_mut()
                .filter(|cpu| cpu.since != 0)
                .for_each(|cpu| cpu.since = again);
        }
    }

    fn check_events(&mut self, now: u64, limit: u64) {
        let elapsed = now.saturating_sub(self.counted);
        if limit == 0 || elapsed < NS_PER_SEC {
            return;
        }
        let first = self.counted == 0;
        self.counted = now;
        self.users.clear();
        list::for_each(|session| {
            session.count_events();
            let who = session.opener.facts();
            if who.unlimited {
                return;
            }
            match self.users.iter_mut().find(|(uid, _)| *uid == who.uid) {
                Some((_, fired)) => *fired = fired.saturating_add(session.events()),
                // Without memory for it that user is looked at next time.
                None => {
                    let _ = self.users.push((who.uid, session.events()), GFP_KERNEL);
                }
            }
        });
        for (uid, fired) in &self.users {
            // Compared as products: `fired / elapsed > limit / NS_PER_SEC`.
            let fired = u128::from(*fired).saturating_mul(NS_PER_SEC.into());
            if !first && fired > u128::from(limit).saturating_mul(elapsed.into()) {
                let _ = kill_busiest(Reason::Events, Session::events, |session| {
                    let who = session.opener.facts();
                    who.uid == *uid && !who.unlimited
                });
            }
        }
    }
}

/// Ends the session that has most of something, of those asked for, and gives it.
fn kill_busiest(
    reason: Reason,
    of: fn(&Session) -> u64,
    which: impl Fn(&Session) -> bool,
) -> Option<Arc<Session>> {
    let mut busiest = None;
    let mut most = 0;
    list::for_each(|session| {
        let ended = session.died_of().is_some() || session.is_closed();
        if which(session) && !ended && of(session) > most {
            most = of(session);
            busiest = Some(session.clone());
        }
    });
    busiest.inspect(|session| {
        session.kill(reason, None);
    })
}
