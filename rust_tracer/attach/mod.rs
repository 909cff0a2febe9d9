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
    engine::Engine,
    functions::{
        Kind,
        FUNCTIONS, //
    },
    session, //
};

#[allow(unsafe_code, reason = "reads a snapshot under the lock")]
mod dispatch;
#[allow(unsafe_code, reason = "calls the shim")]
mod fprobe;
#[allow(unsafe_code, reason = "calls the shim")]
mod ops;

pub(crate) use dispatch::{
    Enabling,
    Probe,
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
    /// What undoes it.
    type Hold;

    /// From now on the sites' calls reach us. All or none. Task context, `ATTACH` held.
    fn attach(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>) -> Result<Self::Hold>;

    /// From now on they do not; calls under way may still be in our handlers. Task context,
    /// `ATTACH` held.
    fn detach(&mut self, hold: Self::Hold);
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
}

/// Probes of one engine that were attached together.
struct Enabled {
    engine: Arc<Engine>,
    probes: KVVec<Placed>,
    returns: KVec<<fprobe::Fprobes as Way>::Hold>,
}

struct Attached {
    enabled: KVec<Enabled>,
    ops: ops::Ops,
    fprobes: fprobe::Fprobes,
}

impl Attached {
    const fn new() -> Self {
        Self {
            enabled: KVec::new(),
            ops: ops::Ops::new(),
            fprobes: fprobe::Fprobes,
        }
    }

    /// Brings the kernel to call us for what was just put at the end of `enabled`.
    fn hold(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>, returns: &[usize]) -> Result {
        let hold = self.ops.attach(engine, sites)?;
        for part in returns.chunks(fprobe::SITES_MAX) {
            let attached = (|| {
                let mut sites = KVVec::with_capacity(part.len(), GFP_KERNEL)?;
                sites.extend_from_slice(part, GFP_KERNEL)?;
                let new = self.enabled.last_mut().ok_or(EINVAL)?;
                new.returns.reserve(1, GFP_KERNEL)?;
                new.returns
                    .push_within_capacity(self.fprobes.attach(engine, sites)?)?;
                Ok(())
            })();
            if attached.is_err() {
                self.ops.detach(hold);
                return attached;
            }
        }
        Ok(())
    }

    /// Takes out of `enabled` what `leave` says, and detaches it.
    fn release(&mut self, mut leave: impl FnMut(&Arc<Engine>, &Wanted) -> bool) {
        let mut sites = KVVec::new();
        for enabled in &mut self.enabled {
            let engine = &enabled.engine;
            let before = enabled.probes.len();
            enabled.probes.retain(|placed| {
                let left = leave(engine, &placed.wanted);
                // What cannot be remembered stays attached until its site is wanted again.
                !(left && sites.push(placed.site, GFP_KERNEL).is_ok())
            });
            if before != 0 && enabled.probes.is_empty() {
                for hold in enabled.returns.drain_all() {
                    self.fprobes.detach(hold);
                }
            }
        }
        if self.publish().is_err() {
            pr_warn!("no memory to detach probes: they stay, idle, until the next change\n");
            return;
        }
        self.enabled.retain(|enabled| !enabled.probes.is_empty());
        sites.retain(|site| !dispatch::has_site(*site));
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
    let mut returns = KVVec::new();
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
            if wanted.ret.is_some() {
                returns.push(site, GFP_KERNEL)?;
            }
            let wanted = *wanted;
            probes.push(Placed { wanted, site }, GFP_KERNEL)?;
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
        .and_then(|()| attached.hold(engine, sites, &returns));
    if let Err(error) = result {
        if let Some(failed) = attached.enabled.pop() {
            for hold in failed.returns {
                attached.fprobes.detach(hold);
            }
        }
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

/// Functions are about to go; `remove` takes them out of the table and says which.
pub(crate) fn functions_going(remove: impl FnOnce() -> KVVec<u32>) {
    let mut attached = ATTACH.lock();
    let gone = remove();
    if !gone.is_empty() {
        attached.release(|_, wanted| gone.binary_search(&wanted.function).is_ok());
        drop(attached);
        session::functions_went(&gone);
    }
}
