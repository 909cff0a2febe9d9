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
    Enabling,
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
        let hold = self.ops.attach(engine, sites)?;
        let result = match self.enabled.pop() {
            None => Ok(()),
            Some(mut new) => {
                let result = self.hold_returns(&mut new);
                self.enabled.push_within_capacity(new)?;
                result
            }
        };
        if result.is_err() {
            self.ops.detach(hold);
        }
        result
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

    /// Takes out of `enabled` what `leave` says, and detaches it.
    fn release(&mut self, mut leave: impl FnMut(&Arc<Engine>, &Wanted) -> bool) {
        let mut sites = core::mem::take(&mut self.stale);
        for enabled in &mut self.enabled {
            let engine = &enabled.engine;
            let before = enabled.probes.len();
            enabled.probes.retain(|placed| {
                let left = leave(engine, &placed.wanted);
                // What cannot be remembered stays attached until its site is wanted again.
                !(left && sites.push(placed.site, GFP_KERNEL).is_ok())
            });
            if enabled.probes.len() == before {
                continue;
            }
            let probes = &enabled.probes;
            enabled
                .returns
                .retain(|(lifetime, _)| probes.iter().any(|p| p.lifetime == *lifetime));
        }
        if self.publish().is_err() {
            pr_warn!("no memory to detach probes: they stay, idle, until the next change\n");
            self.stale = sites;
            return;
        }
        self.enabled.retain(|enabled| !enabled.probes.is_empty());
        // Several sessions may have left one site.
        sort(&mut sites);
        let mut last = 0;
        sites.retain(|site| {
            let first = *site != last;
            last = *site;
            first && !dispatch::has_site(*site)
        });
        self.ops.detach(sites);
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
    let mut attached = ATTACH.lock();
    {
        // Modules need `ATTACH` to go, so what is there now stays there.
        let functions = FUNCTIONS.lock();
        for wanted in wanted {
            let Some(site) = functions.site(wanted.function) else {
                gone.push(wanted.function, GFP_KERNEL)?;
                continue;
            };
            if !dispatch::has_site(site) {
                sites.push(site, GFP_KERNEL)?;
            }
            let placed = Placed {
                wanted: *wanted,
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
    };
    attached.enabled.push(new, GFP_KERNEL)?;
    let result = attached
        .publish()
        .and_then(|()| attached.hold(engine, sites));
    if let Err(error) = result {
        attached.enabled.pop();
        // Without memory for the smaller table the larger stays; its engine never runs.
        let _ = attached.publish();
        return Err(error);
    }
    Ok(gone)
}

/// Detaches all probes of an engine. When it returns, no handler refers to the engine.
pub(crate) fn disable(engine: &Arc<Engine>) {
    ATTACH.lock().release(|other, _| Arc::ptr_eq(other, engine));
}

/// Functions are about to go; `remove` takes them out of the table and says which (sorted).
pub(crate) fn functions_going(remove: impl FnOnce() -> KVVec<u32>) -> KVVec<u32> {
    let mut attached = ATTACH.lock();
    let gone = remove();
    if !gone.is_empty() {
        attached.release(|_, wanted| gone.binary_search(&wanted.function).is_ok());
    }
    gone
}
