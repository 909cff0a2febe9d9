// SPDX-License-Identifier: GPL-2.0

//! From the address of a site to the probes there: what a handler looks up first.
//!
//! A table that is replaced when probes come or go: open addressing, at most half full, each slot
//! naming a run of enablings. What finds no place near its own lies in order beside it: users choose what
//! is probed, and could choose functions that all have the same place. Where one session alone probes a
//! site, the slot says also how it goes the short way; where several do, a list beside it says so of each.
//! Only where there is no memory for another table, what leaves is struck out of the one that is there.

use core::{
    mem::offset_of,
    sync::atomic::{
        AtomicU32,
        AtomicUsize,
        Ordering, //
    },
};

use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
};

use super::By;
use crate::{
    bindings,
    clock,
    engine::{
        Engine,
        HotCpu,
        Probe,
        Short, //
    },
    snapshot::Snapshot,
    sort::sort_by, //
};

/// What the handlers of the ftrace_ops and of fprobes read.
pub(crate) static DISPATCH: Snapshot<Dispatch> = Snapshot::empty();

/// What those of the stub read, its assembly too.
#[export_name = "rtrace_stubbed"]
pub(crate) static STUBBED: Snapshot<Dispatch> = Snapshot::empty();

/// A session's probes at one site.
pub(crate) struct Enabling {
    /// Of the table's engines, or [`NOBODY`].
    engine: AtomicU32,
    pub(crate) entry: Option<Probe>,
    pub(crate) ret: Option<Probe>,
    /// How `ret` fires.
    pub(crate) ret_short: Short,
}

impl Enabling {
    /// Of the engine of this number in the table.
    pub(super) fn new(
        engine: u32,
        entry: Option<Probe>,
        ret: Option<Probe>,
        ret_short: Short,
    ) -> Self {
        Self {
            engine: AtomicU32::new(engine),
            entry,
            ret,
            ret_short,
        }
    }
}

/// The engine of what was struck out.
const NOBODY: u32 = u32::MAX;

/// One of several sessions at a site, as the short way knows it.
///
/// # Invariants
///
/// As of a [`Slot`].
pub(crate) struct Sharer {
    hot: AtomicUsize,
    /// Of its engine, which none of the others at the site has: see [`Engine::bit`].
    pub(crate) bit: u32,
    pub(crate) entry: Short,
}

impl Sharer {
    /// The line of its engine if it can go the short way, or a closed one. Any context.
    #[inline(always)]
    pub(crate) fn hot(&self) -> HotCpu {
        // SAFETY: By the type's invariant; who has this has the table.
        unsafe { HotCpu::from_address(self.hot.load(Ordering::Relaxed)) }
    }
}

/// A place of the table: a cache line.
///
/// # Invariants
///
/// `hot` is the line of an engine of the table's, or the one that is always closed.
#[repr(C, align(64))]
pub(crate) struct Slot {
    site: usize,
    hot: AtomicUsize,
    first: u32,
    count: u32,
    /// Of several sessions: that, and `index` is where the list of them begins.
    pub(crate) entry: Short,
}

impl Slot {
    fn free() -> Self {
        Self {
            site: 0,
            hot: AtomicUsize::new(HotCpu::closed().address()),
            first: 0,
            count: 0,
            entry: Short::NONE,
        }
    }

    /// The line of the one engine that has a probe here and can go the short way, or a closed one. Any
    /// context.
    #[inline(always)]
    pub(crate) fn hot(&self) -> HotCpu {
        // SAFETY: By the type's invariant; who has the slot has the table.
        unsafe { HotCpu::from_address(self.hot.load(Ordering::Relaxed)) }
    }

    /// The site that it is of. Any context.
    pub(crate) fn site(&self) -> usize {
        self.site
    }
}

/// How many places are looked at before the list beside them. Of the kernel's functions, chosen at random, one in a
/// hundred lies there, or fewer.
const REACH: usize = 8;

/// # Invariants
///
/// `start` is the first of `slots`, which are as many as `mask` says.
#[repr(C)]
pub(crate) struct Dispatch {
    start: *const Slot,
    /// Of the bytes of all slots, a power of two, those bits that tell one from the other.
    mask: usize,
    slots: KVVec<Slot>,
    /// Of those that found no place within [`REACH`] of their own, in order of the sites.
    beyond: KVVec<Slot>,
    enablings: KVVec<Enabling>,
    sharers: KVVec<Sharer>,
    engines: KVec<Arc<Engine>>,
}

// SAFETY: `start` points into `slots`, and all of it is only read.
unsafe impl Send for Dispatch {}
// SAFETY: As above.
unsafe impl Sync for Dispatch {}

const _: () = {
    use bindings::{
        rtrace_slot,
        rtrace_table, //
    };
    assert!(offset_of!(Dispatch, start) == offset_of!(rtrace_table, slots));
    assert!(offset_of!(Dispatch, mask) == offset_of!(rtrace_table, mask));
    assert!(offset_of!(Slot, site) == offset_of!(rtrace_slot, site));
    assert!(offset_of!(Slot, hot) == offset_of!(rtrace_slot, hot));
    assert!(offset_of!(Slot, entry) == offset_of!(rtrace_slot, what));
    // A slot for each 16 bytes of text.
    assert!(size_of::<Slot>() == 16 * bindings::RTRACE_SLOT_SPREAD as usize);
};

impl Dispatch {
    /// A table of these sites' probes, each of which names its engine by its place in `engines`.
    pub(super) fn new(
        mut all: KVVec<(usize, Enabling)>,
        engines: KVec<Arc<Engine>>,
        by: By,
    ) -> Result<Self> {
        let key = |(site, enabling): &(usize, Enabling)| {
            (*site, enabling.engine.load(Ordering::Relaxed)) //
        };
        sort_by(&mut all, |a, b| key(a).cmp(&key(b)));
        let size = (all.len() * 2).next_power_of_two();
        let slots = free_slots(size)?;
        // INVARIANT: There are `size` of them, which stay where they are.
        let mut table = Self {
            start: slots.as_ptr(),
            mask: (size - 1) * size_of::<Slot>(),
            slots,
            beyond: KVVec::new(),
            enablings: KVVec::with_capacity(all.len(), GFP_KERNEL)?,
            sharers: KVVec::new(),
            engines,
        };
        let mut slot = Slot::free();
        for (index, (site, enabling)) in all.into_iter().enumerate() {
            if site != slot.site {
                if slot.count != 0 {
                    table.insert(slot, by)?;
                }
                slot = Slot {
                    site,
                    first: index as u32,
                    ..Slot::free()
                };
            }
            slot.count += 1;
            table.enablings.push(enabling, GFP_KERNEL)?;
        }
        table.insert(slot, by)?;
        Ok(table)
    }

    /// The slot to look at first, as bytes behind the first one. Functions begin at multiples of 16 and
    /// are of all sizes, so that their addresses need no hash: a slot for each 16 bytes of text, and
    /// begin again where there are no more.
    #[inline(always)]
    fn start(&self, site: usize) -> usize {
        site.wrapping_mul(bindings::RTRACE_SLOT_SPREAD as usize) & self.mask
    }

    /// The slot of a site, if it is where it should be. Any context.
    #[inline(always)]
    pub(crate) fn first_slot(&self, site: usize) -> Option<&Slot> {
        // SAFETY: By the type's invariant there are as many slots as `start` can give.
        let slot = unsafe { &*self.start.byte_add(self.start(site)) };
        (slot.site == site).then_some(slot)
    }

    /// The slot of a site. Any context.
    pub(crate) fn slot(&self, site: usize) -> Option<&Slot> {
        for at in self.places(site) {
            let slot = self.slots.get(at).filter(|slot| slot.site != 0)?;
            if slot.site == site {
                return Some(slot);
            }
        }
        let at = self.beyond.binary_search_by_key(&site, Slot::site).ok()?;
        self.beyond.get(at)
    }

    /// Where the slot of a site may be among the others.
    #[inline(always)]
    fn places(&self, site: usize) -> impl Iterator<Item = usize> {
        let first = self.start(site) / size_of::<Slot>();
        let last = self.slots.len().wrapping_sub(1);
        (0..REACH).map(move |step| first.wrapping_add(step) & last)
    }

    /// The probes of a slot. Any context.
    #[inline(always)]
    pub(crate) fn enablings_of(&self, slot: &Slot) -> &[Enabling] {
        let first = slot.first as usize;
        self.enablings
            .get(first..first.wrapping_add(slot.count as usize))
            .unwrap_or(&[])
    }

    /// The probes at a site. Any context.
    #[inline(always)]
    pub(crate) fn enablings(&self, site: usize) -> &[Enabling] {
        self.slot(site).map_or(&[], |slot| self.enablings_of(slot))
    }

    /// The same as the short way knows them, in the same order, if there are several. Any context.
    #[inline(always)]
    pub(crate) fn sharers_of(&self, slot: &Slot) -> &[Sharer] {
        let (first, count) = match slot.count {
            1 => (0, 0),
            count => (slot.entry.index as usize, count as usize),
        };
        self.sharers
            .get(first..first.wrapping_add(count))
            .unwrap_or(&[])
    }

    /// The probes of a slot with the lines of their engines, as far as those can go the short way. Any
    /// context.
    #[inline(always)]
    pub(crate) fn hots_of<'a>(
        &'a self,
        slot: &'a Slot,
    ) -> impl Iterator<Item = (HotCpu, &'a Enabling)> {
        let sharers = self.sharers_of(slot);
        let enablings = self.enablings_of(slot).iter().enumerate();
        enablings.map(move |(number, enabling)| {
            let hot = sharers.get(number).map_or(slot.hot(), Sharer::hot);
            (hot, enabling)
        })
    }

    /// The engine of an enabling. Any context.
    #[inline(always)]
    pub(crate) fn engine(&self, enabling: &Enabling) -> Option<&Engine> {
        let number = enabling.engine.load(Ordering::Relaxed);
        self.engines.get(number as usize).map(|e| &**e)
    }

    /// What an engine has at a site. Any context.
    #[inline(always)]
    pub(crate) fn enabling_of(&self, site: usize, engine: &Engine) -> Option<&Enabling> {
        let mut enablings = self.enablings(site).iter();
        enablings.find(|enabling| {
            let its = self.engine(enabling);
            its.is_some_and(|its| core::ptr::eq(its, engine))
        })
    }

    /// How the return fires at a slot whose engine can go the short way.
    ///
    /// # Safety
    ///
    /// Any context; [`Slot::hot`] is, or was a moment ago, not the closed line.
    #[inline(always)]
    pub(crate) unsafe fn short_return(&self, slot: &Slot) -> &Short {
        // SAFETY: A slot whose engine can go the short way has exactly one enabling.
        unsafe { &(*self.enablings.as_ptr().add(slot.first as usize)).ret_short }
    }

    /// The engine whose line this is, if it is still there: who has the line may have it from the table
    /// before. Any context; its time grows with the engines.
    pub(crate) fn engine_of(&self, hot: HotCpu) -> Option<&Engine> {
        let mut engines = self.engines.iter().map(|engine| &**engine);
        engines.find(|engine| engine.hot().address() == hot.address())
    }

    /// How an enabling goes the short way where a call is entered: the line of its engine, and what it does.
    fn short_of(&self, enabling: &Enabling, is_timed: bool) -> (HotCpu, Short) {
        let engine = self.engine(enabling);
        let Some(engine) = engine.filter(|_| is_timed || enabling.ret.is_none()) else {
            return (HotCpu::closed(), Short::LONG);
        };
        // What it asks of the program may be replaced meanwhile.
        let _reading = rcu::read_lock();
        let entry = engine.short_entry(enabling.entry.as_ref(), enabling.ret.as_ref());
        (engine.hot(), entry)
    }

    fn insert(&mut self, mut new: Slot, by: By) -> Result {
        // The time of a short frame is the counter's.
        let is_timed = by == By::Ops || clock::Counter::get().is_some();
        // INVARIANT: The table has the engines for as long as it has the slot and the list.
        if let [enabling] = self.enablings_of(&new) {
            let (hot, entry) = self.short_of(enabling, is_timed);
            new.entry = entry;
            new.hot = AtomicUsize::new(hot.address());
        } else {
            new.entry.index = self.sharers.len() as u32;
            let mut bits = 0;
            for number in 0..new.count as usize {
                let Some(enabling) = self.enablings_of(&new).get(number) else {
                    break;
                };
                let (hot, entry) = self.short_of(enabling, is_timed);
                let hot = AtomicUsize::new(hot.address());
                let bit = self.engine(enabling).map_or(0, Engine::bit);
                if bits & bit != 0 {
                    // They cannot be told from each other: then there is no list.
                    new.entry.index = u32::MAX;
                }
                bits |= bit;
                self.sharers.push(Sharer { hot, bit, entry }, GFP_KERNEL)?;
            }
        }
        for at in self.places(new.site) {
            if let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.site == 0) {
                *slot = new;
                return Ok(());
            }
        }
        // They come in order of the sites.
        Ok(self.beyond.push(new, GFP_KERNEL)?)
    }
}

/// Whether any session has a probe at a site. `ATTACH` held.
pub(super) fn has_site(by: By, site: usize) -> bool {
    // SAFETY: `ATTACH` is held, under which alone the table is replaced.
    let Some(table) = (unsafe { by.tables().read() }) else {
        return false;
    };
    let mut enablings = table.enablings(site).iter();
    enablings.any(|enabling| table.engine(enabling).is_some())
}

/// How many sessions follow calls from a site by the stub. `ATTACH` held.
pub(super) fn following_at(site: usize) -> usize {
    // SAFETY: As in `has_site`.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return 0;
    };
    let enablings = table.enablings(site).iter();
    enablings
        .filter(|enabling| enabling.ret.is_some() && table.engine(enabling).is_some())
        .count()
}

/// Strikes out what an engine has at these sites. When it returns, no handler fires for it there.
/// `ATTACH` held; needs no memory.
pub(super) fn strike_out(engine: &Arc<Engine>, by: By, sites: impl Iterator<Item = usize>) {
    // SAFETY: As in `has_site`.
    let Some(table) = (unsafe { by.tables().read() }) else {
        return;
    };
    for slot in sites.filter_map(|site| table.slot(site)) {
        for (number, enabling) in table.enablings_of(slot).iter().enumerate() {
            let its = table.engine(enabling);
            if its.is_some_and(|its| core::ptr::eq(its, &**engine)) {
                enabling.engine.store(NOBODY, Ordering::Relaxed);
                let sharer = table.sharers_of(slot).get(number);
                let hot = sharer.map_or(&slot.hot, |sharer| &sharer.hot);
                hot.store(HotCpu::closed().address(), Ordering::Relaxed);
            }
        }
    }
    // SAFETY: Task context.
    unsafe { bindings::rtrace_wait_for_handlers() };
}

fn free_slots(count: usize) -> Result<KVVec<Slot>> {
    let mut slots = KVVec::with_capacity(count, GFP_KERNEL)?;
    for _ in 0..count {
        slots.push_within_capacity(Slot::free())?;
    }
    Ok(slots)
}

impl By {
    pub(super) fn tables(self) -> &'static Snapshot<Dispatch> {
        match self.table() {
            Self::Ops => &DISPATCH,
            Self::Stub | Self::Slot => &STUBBED,
        }
    }
}
