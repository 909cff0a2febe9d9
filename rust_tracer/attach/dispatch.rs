// SPDX-License-Identifier: GPL-2.0

//! From the address of a site to the probes there: what a handler looks up first.
//!
//! A table that is replaced when probes come or go: open addressing, at most half full, each slot
//! naming a run of enablings. Only where there is no memory for another one, what leaves is struck
//! out of the one that is there.

use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};

use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

use super::Placed;
use crate::{
    engine::{
        Engine,
        Probe, //
    },
    snapshot::Snapshot,
    sort::sort_by, //
};

/// What handlers read.
pub(crate) static DISPATCH: Snapshot<Dispatch> = Snapshot::empty();

/// A session's probes at one site.
pub(crate) struct Enabling {
    /// Of the table's engines, or [`NOBODY`].
    engine: AtomicU32,
    pub(crate) entry: Option<Probe>,
    pub(crate) ret: Option<Probe>,
}

/// The engine of what was struck out.
const NOBODY: u32 = u32::MAX;

#[derive(Clone, Copy, Default)]
struct Slot {
    site: usize,
    first: u32,
    count: u32,
}

pub(crate) struct Dispatch {
    slots: KVVec<Slot>,
    enablings: KVVec<Enabling>,
    engines: KVec<Arc<Engine>>,
    /// The number of slots is 2 to the power of 64 minus this.
    shift: u32,
}

impl Dispatch {
    /// The slot to look at first: the top bits of a multiplicative hash (Knuth, 6.4).
    #[inline(always)]
    fn start(&self, site: usize) -> usize {
        ((site as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_shr(self.shift)) as usize
    }

    /// The probes at a site. Any context.
    #[inline(always)]
    pub(crate) fn enablings(&self, site: usize) -> &[Enabling] {
        let mut at = self.start(site);
        while let Some(slot) = self.slots.get(at) {
            if slot.site == site {
                let first = slot.first as usize;
                return self
                    .enablings
                    .get(first..first.wrapping_add(slot.count as usize))
                    .unwrap_or(&[]);
            }
            if slot.site == 0 {
                break;
            }
            at = at.wrapping_add(1) & (self.slots.len().wrapping_sub(1));
        }
        &[]
    }

    /// The engine of an enabling. Any context.
    #[inline(always)]
    pub(crate) fn engine(&self, enabling: &Enabling) -> Option<&Engine> {
        let number = enabling.engine.load(Ordering::Relaxed);
        self.engines.get(number as usize).map(|e| &**e)
    }

    fn insert(&mut self, new: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = self.start(new.site);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.site == 0 {
                *slot = new;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

/// Whether any session has a probe at a site. `ATTACH` held.
pub(super) fn has_site(site: usize) -> bool {
    // SAFETY: `ATTACH` is held, under which alone the table is replaced.
    let Some(table) = (unsafe { DISPATCH.read() }) else {
        return false;
    };
    let mut enablings = table.enablings(site).iter();
    enablings.any(|enabling| table.engine(enabling).is_some())
}

/// Strikes out what an engine has at these sites. When it returns, no handler fires for it there.
/// `ATTACH` held; needs no memory.
pub(super) fn strike_out<'a>(engine: &Arc<Engine>, sites: impl Iterator<Item = &'a usize>) {
    // SAFETY: As in `has_site`.
    let Some(table) = (unsafe { DISPATCH.read() }) else {
        return;
    };
    for site in sites {
        for enabling in table.enablings(*site) {
            let its = table.engine(enabling);
            if its.is_some_and(|its| core::ptr::eq(its, &**engine)) {
                enabling.engine.store(NOBODY, Ordering::Relaxed);
            }
        }
    }
    rcu::synchronize_rcu();
}

/// Replaces the table. When it returns, no handler reads the old one. `ATTACH` held.
pub(super) fn publish<'a>(
    enabled: impl Iterator<Item = (&'a Arc<Engine>, &'a [Placed])>,
) -> Result {
    let mut engines = KVec::new();
    let mut all = KVVec::new();
    for (engine, placed) in enabled.filter(|(_, placed)| !placed.is_empty()) {
        let number = engines.len() as u32;
        engines.push(engine.clone(), GFP_KERNEL)?;
        all.reserve(placed.len(), GFP_KERNEL)?;
        for Placed { wanted, site, .. } in placed {
            let enabling = Enabling {
                engine: AtomicU32::new(number),
                entry: wanted.entry,
                ret: wanted.ret,
            };
            all.push((*site, enabling), GFP_KERNEL)?;
        }
    }
    if all.is_empty() {
        DISPATCH.replace(None);
        return Ok(());
    }
    let key = |(site, enabling): &(usize, Enabling)| {
        (*site, enabling.engine.load(Ordering::Relaxed)) //
    };
    sort_by(&mut all, |a, b| key(a).cmp(&key(b)));
    let size = (all.len() * 2).next_power_of_two();
    let mut table = Dispatch {
        slots: KVVec::from_elem(Slot::default(), size, GFP_KERNEL)?,
        enablings: KVVec::with_capacity(all.len(), GFP_KERNEL)?,
        engines,
        shift: 64 - size.ilog2(),
    };
    let mut slot = Slot::default();
    for (index, (site, enabling)) in all.into_iter().enumerate() {
        if site != slot.site {
            if slot.count != 0 {
                table.insert(slot);
            }
            slot = Slot {
                site,
                first: index as u32,
                count: 0,
            };
        }
        slot.count += 1;
        table.enablings.push(enabling, GFP_KERNEL)?;
    }
    table.insert(slot);
    DISPATCH.replace(Some(KBox::new(table, GFP_KERNEL)?));
    Ok(())
}
