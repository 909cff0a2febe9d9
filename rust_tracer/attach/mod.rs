// SPDX-License-Identifier: GPL-2.0

//! Attaching probes to functions: who is called when a function is, and by which way.
//!
//! A way ([`Way`]) brings the kernel to call us at a function's site: [`stub`] for entries, and for
//! returns where the function allows it, and a few functions have one of their own ([`slots`]); where it
//! does not, [`ops`] for entries, and to count the calls that a return probe is to follow, and [`fprobe`]
//! for returns. Which it is of the stubs and the others together, [`By`] says; for the stubs and for the
//! others a table that all sessions share says which of them have a probe at a site ([`dispatch`], made by [`publish`]).
//! However many sessions probe a function, its site has one of our ftrace_ops, or two.
//!
//! Locks: `ATTACH` guards all of it, and is held while kernel text is patched.

#![deny(unsafe_code)]

use core::ops::Range;

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    abi,
    engine::{
        Engine,
        Probe, //
    },
    functions::{
        self,
        Lifetime,
        FUNCTIONS, //
    },
    sort::sort,
    ways::Ways, //
};

mod by;
#[allow(unsafe_code, reason = "reads a snapshot under the lock")]
mod dispatch;
#[allow(unsafe_code, reason = "calls the shim")]
mod fprobe;
#[allow(unsafe_code, reason = "calls the shim")]
mod ops;
mod publish;
#[allow(unsafe_code, reason = "calls the shim")]
mod slots;
#[allow(unsafe_code, reason = "calls the shim")]
mod stub;

pub(crate) use by::By;
pub(crate) use dispatch::{
    Dispatch,
    Enabling,
    Slot,
    DISPATCH,
    STUBBED, //
};

#[allow(unsafe_code, reason = "the macro's own; initialised by `init_locks`")]
mod locks {
    use kernel::prelude::*;

    use super::Attached;

    kernel::sync::global_lock! {
        // SAFETY: Initialised in the module initialiser before first use.
        pub(super) unsafe(uninit) static ATTACH: Mutex<Attached> = Attached::new();
    }
}
use locks::ATTACH;

/// # Safety
///
/// Call once, before any probe is attached.
#[allow(unsafe_code, reason = "passes the lock's own contract on")]
pub(crate) unsafe fn init_locks() {
    // SAFETY: By this function's contract.
    unsafe { ATTACH.init() };
}

/// A way in which the kernel can be brought to call us when functions are called.
trait Way {
    /// What it takes to detach the sites again.
    type Hold;

    /// From now on the sites' calls reach us. All or none. Task context, `ATTACH` held.
    fn attach(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>) -> Result<Self::Hold>;
}

/// What a session wants probed at one function.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) function: u32,
    pub(crate) entry: Option<Probe>,
    pub(crate) ret: Option<Probe>,
    /// How it was attached when it was before: its counters are of that way.
    pub(crate) before: Option<By>,
    /// Out: how it was attached.
    pub(crate) by: By,
}

/// Bytes that attaching so many probes may take, in all sessions' tables as well.
pub(crate) fn memory_needed(probes: u32) -> u64 {
    let lists = size_of::<Placed>() + size_of::<usize>();
    let table = size_of::<Enabling>() + 2 * size_of::<Slot>();
    u64::from(probes) * (lists + table) as u64
}

/// A wanted function that is there.
struct Placed {
    wanted: Wanted,
    site: usize,
    lifetime: Lifetime,
}

/// Probes of one engine that were attached together.
struct Enabled {
    engine: Arc<Engine>,
    probes: KVVec<Placed>,
    returns: KVec<(Lifetime, <fprobe::Fprobes as Way>::Hold)>,
    /// For each [`By`], room for the sites of all its probes: to leave must not need memory.
    leaving: [KVVec<usize>; 3],
}

impl Enabled {
    /// Moves the sites of the probes that leave from `probes` to `leaving`, and follows no more
    /// calls there.
    fn part_with(&mut self, mut leave: impl FnMut(&Arc<Engine>, &Wanted) -> bool) {
        let (engine, leaving) = (&self.engine, &mut self.leaving);
        self.probes.retain(|placed| {
            let left = leave(engine, &placed.wanted);
            let leaving = &mut leaving[placed.wanted.by as usize];
            // There is room: `enable` has made it.
            !(left && leaving.push_within_capacity(placed.site).is_ok())
        });
        if leaving.iter().all(|sites| sites.is_empty()) {
            return;
        }
        for sites in leaving {
            sort(sites);
        }
        let probes = &self.probes;
        self.returns
            .retain(|(lifetime, _)| probes.iter().any(|p| p.lifetime == *lifetime));
    }
}

struct Attached {
    enabled: KVec<Enabled>,
    /// For each [`By`] but the slots, which see for themselves, sites that are nobody's and still attached, for want
    /// of memory.
    stale: [KVVec<usize>; 2],
    /// For each [`By`] but the slots, which have their own.
    ops: [ops::Ops; 2],
    slots: slots::Slots,
    fprobes: fprobe::Fprobes,
    stub: stub::Held,
}

/// Whether it is detached now. ftrace copies its filter, in small pieces: a second time there mostly is memory.
fn is_detached(detach: impl FnMut() -> bool) -> bool {
    const TRIES: usize = 4;
    let done = core::iter::repeat_with(detach).take(TRIES).any(|done| done);
    if !done {
        pr_warn!("no memory to detach functions: they stay, idle, until the next change\n");
    }
    done
}

impl Attached {
    const fn new() -> Self {
        Self {
            enabled: KVec::new(),
            stale: [const { KVVec::new() }; 2],
            ops: [
                ops::Ops::new(ops::Whose::Entries),
                ops::Ops::new(ops::Whose::Stub),
            ],
            slots: slots::Slots::new(),
            fprobes: fprobe::Fprobes,
            stub: stub::Held::not(),
        }
    }

    /// The module stays for the calls, if what was just put at the end of `enabled` follows some by the
    /// stub: before the first one is.
    fn stay(&mut self) -> Result {
        let follows = |placed: &Placed| {
            placed.wanted.by.table() == By::Stub && placed.wanted.ret.is_some() //
        };
        let new = self.enabled.last();
        if new.is_some_and(|new| new.probes.iter().any(follows)) {
            self.stub.hold()?;
        }
        Ok(())
    }

    /// Brings the kernel to call us for what was just put at the end of `enabled`.
    fn hold(&mut self, engine: &Arc<Engine>, sites: [KVVec<usize>; 3]) -> Result {
        let mut held = [const { KVVec::new() }; 3];
        let mut result = Ok(());
        for (by, sites) in By::ALL.into_iter().zip(sites) {
            match self.attach(by, engine, sites) {
                Ok(sites) => held[by as usize] = sites,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let result = result.and_then(|()| match self.enabled.pop() {
            None => Ok(()),
            Some(mut new) => {
                let result = self.hold_returns(&mut new);
                self.enabled.push_within_capacity(new)?;
                result
            }
        });
        if result.is_err() {
            for (by, mut sites) in By::ALL.into_iter().zip(held).rev() {
                self.detach(by, &mut sites);
            }
        }
        result
    }

    /// Calls of these sites reach us from now on. All or none.
    fn attach(
        &mut self,
        by: By,
        engine: &Arc<Engine>,
        sites: KVVec<usize>,
    ) -> Result<KVVec<usize>> {
        match by {
            By::Ops | By::Stub => self.ops[by as usize].attach(engine, sites),
            By::Slot => self.slots.attach(engine, sites),
        }
    }

    /// Detaches sites that are nobody's. What there is no memory to detach is kept for the next
    /// time; its calls find no probe meanwhile.
    fn detach(&mut self, by: By, sites: &mut [usize]) {
        let detach = || match by {
            By::Ops | By::Stub => self.ops[by as usize].detach(sites),
            By::Slot => self.slots.detach(sites),
        };
        if is_detached(detach) {
            return;
        }
        let Some(stale) = self.stale.get_mut(by as usize) else {
            return;
        };
        if stale.extend_from_slice(sites, GFP_KERNEL).is_err() {
            pr_warn!("{} of them stay for good\n", sites.len());
        }
    }

    /// Follows calls to their return where fprobe does it. An fprobe has functions of one lifetime
    /// only: the kernel cannot take away one of whose functions some are gone.
    fn hold_returns(&mut self, new: &mut Enabled) -> Result {
        let mut most = fprobe::SITES_MAX;
        for group in new.probes.chunk_by(|a, b| a.lifetime == b.lifetime) {
            let mut sites = KVVec::new();
            let followed =
                |placed: &&Placed| placed.wanted.ret.is_some() && placed.wanted.by == By::Ops;
            for placed in group.iter().filter(followed) {
                sites.push(placed.site, GFP_KERNEL)?;
            }
            let Some(lifetime) = group.first().map(|placed| placed.lifetime) else {
                continue;
            };
            let mut rest = &sites[..];
            while !rest.is_empty() {
                let (part, after) = rest.split_at(rest.len().min(most));
                let mut copy = KVVec::with_capacity(part.len(), GFP_KERNEL)?;
                copy.extend_from_slice(part, GFP_KERNEL)?;
                new.returns.reserve(1, GFP_KERNEL)?;
                match self.fprobes.attach(&new.engine, copy) {
                    Ok(hold) => {
                        new.returns.push_within_capacity((lifetime, hold))?;
                        rest = after;
                    }
                    Err(error) if error == ENOMEM && part.len() > fprobe::SITES_MIN => {
                        most = part.len() / 2;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Takes out of `enabled` what `leave` says, and detaches it. Does so without memory as well.
    fn release(&mut self, mut leave: impl FnMut(&Arc<Engine>, &Wanted) -> bool) {
        for enabled in &mut self.enabled {
            enabled.part_with(&mut leave);
        }
        for table in By::TABLES {
            self.publish_leaving(table);
        }
        is_detached(|| self.slots.detach_idle());
        for enabled in &mut self.enabled {
            enabled.leaving[By::Slot as usize].clear();
        }
        for by in By::TABLES {
            let mut stale = core::mem::take(&mut self.stale[by as usize]);
            self.detach(by, &mut stale);
            for at in 0..self.enabled.len() {
                let mut sites = self.left_by(at, by);
                self.detach(by, &mut sites);
                sites.clear();
                if let Some(enabled) = self.enabled.get_mut(at) {
                    enabled.leaving[by as usize] = sites;
                }
            }
        }
        self.enabled.retain(|enabled| !enabled.probes.is_empty());
        self.let_go();
    }

    /// Replaces a table if something leaves it; without memory, strikes that out.
    fn publish_leaving(&mut self, table: By) {
        let of_table = || By::ALL.into_iter().filter(|by| by.table() == table);
        let leaves =
            |enabled: &Enabled| of_table().any(|by| !enabled.leaving[by as usize].is_empty());
        if !self.enabled.iter().any(leaves) || self.publish(table).is_ok() {
            return;
        }
        for enabled in &self.enabled {
            for by in of_table().filter(|by| !enabled.leaving[*by as usize].is_empty()) {
                let sites = enabled.leaving[by as usize].iter();
                dispatch::strike_out(&enabled.engine, by, sites.copied());
            }
        }
    }

    /// Once stubs are nowhere attached, they need but wait for the calls that they follow.
    fn let_go(&mut self) {
        if self.ops[By::Stub as usize].is_idle() && self.slots.attached() == 0 {
            self.stub.let_go();
        }
    }

    /// The sites that nobody has any more, of those that are leaving one of `enabled`; those that
    /// another one leaves as well count for the last of them.
    fn left_by(&mut self, at: usize, by: By) -> KVVec<usize> {
        let Some((this, later)) = self
            .enabled
            .get_mut(at..)
            .and_then(<[Enabled]>::split_first_mut)
        else {
            return KVVec::new();
        };
        let mut sites = core::mem::take(&mut this.leaving[by as usize]);
        sites.retain(|site| {
            let mut later = later.iter();
            !later.any(|other| other.leaving[by as usize].binary_search(site).is_ok())
                && !dispatch::has_site(by, *site)
        });
        sites
    }

    /// Puts the table that follows from `enabled` in place of the one that handlers read.
    fn publish(&self, by: By) -> Result {
        publish::publish(self.enabled.iter(), by, &self.slots)
    }

    /// Of how many functions an engine has return probes.
    fn following(&self, engine: &Arc<Engine>) -> usize {
        let mut count = 0;
        for enabled in &self.enabled {
            if Arc::ptr_eq(&enabled.engine, engine) {
                let returns = |placed: &&Placed| placed.wanted.ret.is_some();
                count += enabled.probes.iter().filter(returns).count();
            }
        }
        count
    }

    /// Whether the site's calls reach us by this way already.
    fn is_attached(&self, by: By, site: usize) -> bool {
        match by {
            By::Ops | By::Stub => {
                self.stale[by as usize].contains(&site) || dispatch::has_site(by, site)
            }
            By::Slot => self.slots.has_site(site),
        }
    }

    /// What was nobody's is somebody's from now on, if it is of what was last put into `enabled`.
    fn claim(&mut self) {
        let probes = self.enabled.last().map_or(&[][..], |new| &new.probes[..]);
        for by in By::TABLES {
            let is_new = |site| probes.iter().any(|p| p.wanted.by == by && p.site == site);
            self.stale[by as usize].retain(|site| !is_new(*site));
        }
    }

    /// How a function is to be attached.
    fn choose(&mut self, wanted: &Wanted, site: usize, in_registers: bool, ways: Ways) -> By {
        match wanted.before {
            Some(By::Ops) => return By::Ops,
            // To the ledger, all stubs are alike.
            Some(By::Stub | By::Slot) => return self.choose_stub(site, ways),
            None => {}
        }
        let by = By::choose(wanted.ret.is_some(), in_registers, ways);
        if by == By::Ops || !stub::is_allowed() {
            return By::Ops;
        }
        // A frame has room for so many sessions; and who calls directly takes the stub's place.
        let can_follow =
            || dispatch::following_at(site) < stub::SESSIONS_MAX && !stub::has_direct_call(site);
        if wanted.ret.is_some() && !can_follow() {
            return By::Ops;
        }
        self.choose_stub(site, ways)
    }

    /// Which stub serves a site: one for all sessions, so that each call fires once.
    fn choose_stub(&mut self, site: usize, ways: Ways) -> By {
        if self.slots.has_site(site) {
            return By::Slot;
        }
        let is_shared =
            dispatch::has_site(By::Stub, site) || self.stale[By::Stub as usize].contains(&site);
        if !is_shared && ways.have(abi::RTRACE_WAY_SLOT) && self.slots.reserve(site) {
            return By::Slot;
        }
        By::Stub
    }
}

/// How a function's probes would be attached if nobody else were there, slots apart: what a session may be told that
/// is to learn nothing of others.
pub(crate) fn by_itself(returns: bool, in_registers: bool, ways: Ways) -> By {
    match By::choose(returns, in_registers, ways) {
        By::Stub | By::Slot if !stub::is_allowed() => By::Ops,
        by => by,
    }
}

/// Attaches probes of an engine that is not running, or that it did not have before: all that
/// are there, or on failure none. Says of each how it is attached, and returns the functions that are
/// not there any more.
pub(crate) fn enable(
    engine: &Arc<Engine>,
    wanted: &mut [Wanted],
    ways: Ways,
) -> Result<KVVec<u32>> {
    let mut gone = KVVec::new();
    let mut probes = KVVec::with_capacity(wanted.len(), GFP_KERNEL)?;
    let mut sites = [const { KVVec::new() }; 3];
    let mut leaving = [const { KVVec::new() }; 3];
    let mut attached = ATTACH.lock();
    attached.slots.forget_reserved();
    let following = attached.following(engine) + wanted.iter().filter(|w| w.ret.is_some()).count();
    // Modules need `ATTACH` to go, so what is there now stays there; to come they need `FUNCTIONS` alone.
    for wanted in wanted.chunks_mut(functions::PART as usize) {
        let functions = FUNCTIONS.lock();
        for wanted in wanted {
            let Some(site) = functions.site(wanted.function) else {
                gone.push(wanted.function, GFP_KERNEL)?;
                continue;
            };
            let in_registers = functions.in_registers(wanted.function);
            let ways = ways.for_one(wanted.ret.is_some(), following);
            wanted.by = attached.choose(wanted, site, in_registers, ways);
            let by = wanted.by as usize;
            // What is still attached need not be again.
            if !attached.is_attached(wanted.by, site) {
                sites[by].push(site, GFP_KERNEL)?;
            }
            let system_call = functions.is_system_call(wanted.function);
            let known = |probe: Option<Probe>| {
                probe.map(|probe| Probe {
                    system_call,
                    ..probe
                })
            };
            let placed = Placed {
                wanted: Wanted {
                    entry: known(wanted.entry),
                    ret: known(wanted.ret),
                    ..*wanted
                },
                site,
                lifetime: functions.lifetime(wanted.function),
            };
            probes.push(placed, GFP_KERNEL)?;
            leaving[by].push(site, GFP_KERNEL)?;
        }
    }
    if probes.is_empty() {
        return Ok(gone);
    }
    for leaving in &mut leaving {
        leaving.clear();
    }
    let has_any = |by: &By| leaving[*by as usize].capacity() != 0;
    let uses = By::TABLES.map(|table| By::ALL.iter().filter(|by| by.table() == table).any(has_any));
    let new = Enabled {
        engine: engine.clone(),
        probes,
        returns: KVec::new(),
        leaving,
    };
    attached.enabled.push(new, GFP_KERNEL)?;
    let used = || By::TABLES.into_iter().filter(|by| uses[*by as usize]);
    let result = attached
        .stay()
        .and_then(|()| used().try_for_each(|by| attached.publish(by)))
        .and_then(|()| attached.hold(engine, sites));
    if let Err(error) = result {
        let new = attached.enabled.pop();
        for by in used() {
            if let (Some(new), Err(_)) = (&new, attached.publish(by)) {
                let placed = new.probes.iter();
                let placed = placed.filter(|placed| placed.wanted.by.table() == by);
                dispatch::strike_out(engine, by, placed.map(|placed| placed.site));
            }
        }
        attached.let_go();
        return Err(error);
    }
    attached.claim();
    Ok(gone)
}

/// What the kernel was asked for.
#[derive(Default)]
pub(crate) struct Held {
    /// How many of our ftrace_ops are registered.
    pub(crate) ops: u32,
    /// How many fprobes of ours are.
    pub(crate) fprobes: u32,
    /// The sites that they have, in order.
    pub(crate) sites: KVVec<usize>,
}

/// What the kernel should have now. Task context.
pub(crate) fn held() -> Result<Held> {
    let attached = ATTACH.lock();
    let shared = attached.ops.iter().filter(|ops| !ops.is_idle()).count();
    let mut held = Held {
        ops: (shared + attached.slots.attached()) as u32,
        fprobes: attached
            .enabled
            .iter()
            .map(|it| it.returns.len())
            .sum::<usize>() as u32,
        sites: KVVec::new(),
    };
    for enabled in &attached.enabled {
        for placed in &enabled.probes {
            held.sites.push(placed.site, GFP_KERNEL)?;
        }
    }
    sort(&mut held.sites);
    let mut last = 0;
    held.sites
        .retain(|site| core::mem::replace(&mut last, *site) != *site);
    Ok(held)
}

/// Detaches all probes of an engine. When it returns, no handler refers to the engine.
pub(crate) fn disable(engine: &Arc<Engine>) {
    ATTACH.lock().release(|other, _| Arc::ptr_eq(other, engine));
}

/// Functions are about to go; `remove` takes them out of the table and says among which they were.
pub(crate) fn functions_going(remove: impl FnOnce() -> Range<u32>) -> Range<u32> {
    let mut attached = ATTACH.lock();
    let gone = remove();
    if !gone.is_empty() {
        attached.release(|_, wanted| functions::is_gone(&gone, wanted.function));
    }
    gone
}

/// Forgets everything, and frees what that takes. No session is left. Task context.
pub(crate) fn forget() {
    let mut attached = ATTACH.lock();
    for ops in &mut attached.ops {
        ops.detach_all();
    }
    attached.slots.detach_all();
    *attached = Attached::new();
    stub::wait();
}
