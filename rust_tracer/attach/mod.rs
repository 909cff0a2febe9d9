// SPDX-License-Identifier: GPL-2.0

//! Attaching probes to functions: who is called when a function is, and by which way.
//!
//! One table for all sessions says which of them have a probe at a site ([`dispatch`]). A way
//! ([`Way`]) brings the kernel to call us there: [`ops`] for entries, and to count the calls
//! that a return probe is to follow; [`fprobe`] for returns. However many sessions probe a
//! function, its site has one of our ftrace_ops.
//!
//! Locks: `ATTACH` guards all of it, and is held while kernel text is patched.

#![deny(unsafe_code)]

use core::ops::Range;

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    engine::{
        Engine,
        Probe, //
    },
    functions::{
        self,
        Kind,
        Lifetime,
        FUNCTIONS, //
    },
    sort::sort, //
};

#[allow(unsafe_code, reason = "reads a snapshot under the lock")]
mod dispatch;
#[allow(unsafe_code, reason = "calls the shim")]
mod fprobe;
#[allow(unsafe_code, reason = "calls the shim")]
mod ops;

pub(crate) use dispatch::{
    Dispatch,
    Slot,
    DISPATCH, //
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
    /// RTRACE_WAY_*.
    const NUMBER: u32;
    /// What it takes to detach the sites again.
    type Hold;

    /// From now on the sites' calls reach us. All or none. Task context, `ATTACH` held.
    fn attach(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>) -> Result<Self::Hold>;
}

/// RTRACE_WAY_* that a probe of this kind gets.
pub(crate) const fn way(kind: Kind) -> u32 {
    match kind {
        Kind::Entry => <ops::Ops as Way>::NUMBER,
        Kind::Return => <fprobe::Fprobes as Way>::NUMBER,
    }
}

/// What a session wants probed at one function.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) function: u32,
    pub(crate) entry: Option<Probe>,
    pub(crate) ret: Option<Probe>,
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
    /// Room for the sites of all probes: to leave must not need memory.
    leaving: KVVec<usize>,
}

impl Enabled {
    /// Moves the sites of the probes that leave from `probes` to `leaving`, and follows no more
    /// calls there.
    fn part_with(&mut self, mut leave: impl FnMut(&Arc<Engine>, &Wanted) -> bool) {
        let (engine, leaving) = (&self.engine, &mut self.leaving);
        self.probes.retain(|placed| {
            let left = leave(engine, &placed.wanted);
            // There is room: `enable` has made it.
            !(left && leaving.push_within_capacity(placed.site).is_ok())
        });
        if leaving.is_empty() {
            return;
        }
        sort(leaving);
        let probes = &self.probes;
        self.returns
            .retain(|(lifetime, _)| probes.iter().any(|p| p.lifetime == *lifetime));
    }
}

struct Attached {
    enabled: KVec<Enabled>,
    /// Sites that are nobody's and still attached, for want of memory.
    stale: KVVec<usize>,
    ops: ops::Ops,
    fprobes: fprobe::Fprobes,
}

impl Attached {
    const fn new() -> Self {
        Self {
            enabled: KVec::new(),
            stale: KVVec::new(),
            ops: ops::Ops::new(),
            fprobes: fprobe::Fprobes,
        }
    }

    /// Brings the kernel to call us for what was just put at the end of `enabled`.
    fn hold(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>) -> Result {
        let mut hold = self.ops.attach(engine, sites)?;
        let result = match self.enabled.pop() {
            None => Ok(()),
            Some(mut new) => {
                let result = self.hold_returns(&mut new);
                self.enabled.push_within_capacity(new)?;
                result
            }
        };
        if result.is_err() {
            self.detach(&mut hold);
        }
        result
    }

    /// Detaches sites that are nobody's. What there is no memory to detach is kept for the next
    /// time; its calls find no probe meanwhile.
    fn detach(&mut self, sites: &mut [usize]) {
        /// ftrace copies its filter, in small pieces: a second time there mostly is memory.
        const TRIES: u32 = 4;
        if (0..TRIES).any(|_| self.ops.detach(sites)) {
            return;
        }
        pr_warn!("no memory to detach functions: they stay, idle, until the next change\n");
        if self.stale.extend_from_slice(sites, GFP_KERNEL).is_err() {
            pr_warn!("{} of them stay for good\n", sites.len());
        }
    }

    /// Follows calls to their return. An fprobe has functions of one lifetime only: the kernel
    /// cannot take away one of whose functions some are gone.
    fn hold_returns(&mut self, new: &mut Enabled) -> Result {
        let mut most = fprobe::SITES_MAX;
        for group in new.probes.chunk_by(|a, b| a.lifetime == b.lifetime) {
            let mut sites = KVVec::new();
            for placed in group.iter().filter(|placed| placed.wanted.ret.is_some()) {
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
        if self.publish().is_err() {
            for enabled in &self.enabled {
                dispatch::strike_out(&enabled.engine, enabled.leaving.iter());
            }
        }
        let mut stale = core::mem::take(&mut self.stale);
        self.detach(&mut stale);
        for at in 0..self.enabled.len() {
            let mut sites = self.left_by(at);
            self.detach(&mut sites);
            sites.clear();
            if let Some(enabled) = self.enabled.get_mut(at) {
                enabled.leaving = sites;
            }
        }
        self.enabled.retain(|enabled| !enabled.probes.is_empty());
    }

    /// The sites that nobody has any more, of those that are leaving one of `enabled`; those that
    /// another one leaves as well count for the last of them.
    fn left_by(&mut self, at: usize) -> KVVec<usize> {
        let Some((this, later)) = self
            .enabled
            .get_mut(at..)
            .and_then(<[Enabled]>::split_first_mut)
        else {
            return KVVec::new();
        };
        let mut sites = core::mem::take(&mut this.leaving);
        sites.retain(|site| {
            let mut later = later.iter();
            !later.any(|other| other.leaving.binary_search(site).is_ok())
                && !dispatch::has_site(*site)
        });
        sites
    }

    /// Puts the table that follows from `enabled` in place of the one that handlers read.
    fn publish(&self) -> Result {
        dispatch::publish(self.enabled.iter().map(|e| (&e.engine, &e.probes[..])))
    }
}

/// Attaches probes of an engine that is not running, or that it did not have before: all that
/// are there, or on failure none. Returns the functions that are not there any more.
pub(crate) fn enable(engine: &Arc<Engine>, wanted: &[Wanted]) -> Result<KVVec<u32>> {
    let mut gone = KVVec::new();
    let mut probes = KVVec::with_capacity(wanted.len(), GFP_KERNEL)?;
    let mut sites = KVVec::with_capacity(wanted.len(), GFP_KERNEL)?;
    let leaving = KVVec::with_capacity(wanted.len(), GFP_KERNEL)?;
    let mut attached = ATTACH.lock();
    {
        // Modules need `ATTACH` to go, so what is there now stays there.
        let functions = FUNCTIONS.lock();
        for wanted in wanted {
            let Some(site) = functions.site(wanted.function) else {
                gone.push(wanted.function, GFP_KERNEL)?;
                continue;
            };
            // What is still attached need not be again.
            let stale = attached.stale.len();
            attached.stale.retain(|other| *other != site);
            if !dispatch::has_site(site) && attached.stale.len() == stale {
                sites.push(site, GFP_KERNEL)?;
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
                    function: wanted.function,
                    entry: known(wanted.entry),
                    ret: known(wanted.ret),
                },
                site,
                lifetime: functions.lifetime(wanted.function),
            };
            probes.push(placed, GFP_KERNEL)?;
        }
    }
    if probes.is_empty() {
        return Ok(gone);
    }
    let new = Enabled {
        engine: engine.clone(),
        probes,
        returns: KVec::new(),
        leaving,
    };
    attached.enabled.push(new, GFP_KERNEL)?;
    let result = attached
        .publish()
        .and_then(|()| attached.hold(engine, sites));
    if let Err(error) = result {
        let new = attached.enabled.pop();
        if let (Some(new), Err(_)) = (new, attached.publish()) {
            let sites = new.probes.iter().map(|placed| &placed.site);
            dispatch::strike_out(engine, sites);
        }
        return Err(error);
    }
    Ok(gone)
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
    attached.ops.detach_all();
    *attached = Attached::new();
}
