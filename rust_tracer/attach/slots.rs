// SPDX-License-Identifier: GPL-2.0

//! Entries and returns, by slot stubs (`arch/slot.S`): as the shared [stub](super::stub) does it, but each
//! serves one function, and has an ftrace_ops of its own.
//!
//! There are so many as were assembled. One that serves nobody any more may have tasks on their way
//! through it into the function that it served: until they are gone it can serve that one alone.
//!
//! ```text
//!   Free ── reserve ──► Reserved ── attach ──► Attached
//!    ▲  ◄─ forget_reserved ─┘                     │
//!    └──────────────── detach ────────────────────┘
//! ```
//!
//! One that ftrace did not let go of is *lost*: its site jumps there for ever, so it must never lead to another function.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    dispatch::{
        has_site,
        Dispatch, //
    },
    ops::{
        Ops,
        Whose, //
    },
    By, Way,
};
use crate::{
    bindings,
    engine::Engine, //
};

const COUNT: usize = bindings::RTRACE_SLOT_STUBS as usize;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    /// Chosen, and not attached yet.
    Reserved,
    Attached,
    Lost,
}

struct Stub {
    state: State,
    /// For which it was chosen last.
    site: usize,
    /// To whose function it goes on; 0: to none yet.
    served: usize,
    /// The turn from which on nobody is on the way there; 0: nobody ever was.
    turn: u64,
    ops: Ops,
}

pub(super) struct Slots([Stub; COUNT]);

impl Slots {
    pub(super) const fn new() -> Self {
        const fn stub(number: u32) -> Stub {
            Stub {
                state: State::Free,
                site: 0,
                served: 0,
                turn: 0,
                ops: Ops::new(Whose::Slot(number)),
            }
        }
        let mut stubs = [const { stub(0) }; COUNT];
        let mut number = 0;
        while number < COUNT {
            stubs[number].ops = Ops::new(Whose::Slot(number as u32));
            number += 1;
        }
        Self(stubs)
    }

    /// Whether the site's calls reach one. `ATTACH` held.
    pub(super) fn has_site(&self, site: usize) -> bool {
        let mut attached = self.0.iter().filter(|stub| stub.state == State::Attached);
        attached.any(|stub| stub.site == site)
    }

    /// How many are attached. `ATTACH` held.
    pub(super) fn attached(&self) -> usize {
        let attached = self.0.iter().filter(|s| s.state == State::Attached);
        attached.count()
    }

    /// Chooses one for a site that is about to be attached; false: there is none. `ATTACH` held.
    pub(super) fn reserve(&mut self, site: usize) -> bool {
        // SAFETY: Always.
        if !unsafe { bindings::rtrace_slots_are_there() } {
            return false;
        }
        let is_free = |stub: &Stub| stub.state == State::Free;
        let same = self.0.iter().position(|s| is_free(s) && s.served == site);
        let free = || self.0.iter().position(|s| is_free(s) && s.is_left());
        let Some(stub) = same.or_else(free).and_then(|at| self.0.get_mut(at)) else {
            return false;
        };
        stub.site = site;
        stub.state = State::Reserved;
        true
    }

    fn attach_one(&mut self, engine: &Arc<Engine>, site: usize) -> Result {
        let mut stubs = (0..).zip(&mut self.0);
        let (number, stub) = stubs
            .find(|(_, stub)| stub.state == State::Reserved && stub.site == site)
            .ok_or(EINVAL)?;
        let mut sites = KVVec::with_capacity(1, GFP_KERNEL)?;
        sites.push(site, GFP_KERNEL)?;
        if stub.served != site {
            stub.served = site;
            // SAFETY: There is such a stub; nobody is in it, since it had been left when it was chosen. Task
            // context.
            unsafe { bindings::rtrace_slot_serve(number, site) };
        }
        let attached = stub.ops.attach(engine, sites);
        stub.state = match attached {
            Ok(_) => State::Attached,
            Err(_) if stub.ops.is_lost() => State::Lost,
            Err(_) => State::Reserved,
        };
        attached.map(drop)
    }

    /// What was reserved and not attached is free again. `ATTACH` held.
    pub(super) fn forget_reserved(&mut self) {
        for stub in self.0.iter_mut().filter(|s| s.state == State::Reserved) {
            stub.state = State::Free;
        }
    }

    /// The table that the stubs' assembly is to read from now on; the one before is there until a grace
    /// period has passed. `ATTACH` held.
    pub(super) fn read_in(&self, table: Option<&Dispatch>) {
        for (number, stub) in (0..).zip(&self.0) {
            let slot = table.and_then(|table| table.slot(stub.site));
            let slot = slot.map_or(core::ptr::null(), core::ptr::from_ref);
            // SAFETY: There is such a stub, and by this function's contract the slot is there as long as
            // somebody reads it.
            unsafe { bindings::rtrace_slot_is_at(number, slot.cast()) };
        }
    }

    /// The sites' calls no longer reach a stub; those under way may still be in it. Those for which there
    /// was no memory still do. Task context, `ATTACH` held.
    #[must_use]
    pub(super) fn detach(&mut self, sites: &[usize]) -> bool {
        let mut all = true;
        for stub in &mut self.0 {
            if stub.state == State::Attached && sites.contains(&stub.site) {
                all &= stub.detach();
            }
        }
        all
    }

    /// What no session has any more is detached; false: not all of it, for want of memory. Task context, `ATTACH`
    /// held.
    #[must_use]
    pub(super) fn detach_idle(&mut self) -> bool {
        let mut all = true;
        for stub in &mut self.0 {
            if stub.state == State::Attached && !has_site(By::Slot, stub.site) {
                all &= stub.detach();
            }
        }
        all
    }

    /// All that is still attached is not any more, for want of memory or not.
    pub(super) fn detach_all(&mut self) {
        for stub in &mut self.0 {
            stub.ops.detach_all();
        }
    }
}

impl Stub {
    /// Whether nobody is in it who came from the site that it served last.
    fn is_left(&self) -> bool {
        // SAFETY: Always.
        self.turn == 0 || unsafe { bindings::rtrace_slot_is_left(self.turn) }
    }

    fn detach(&mut self) -> bool {
        if !self.ops.detach(&mut [self.site]) {
            return false;
        }
        if self.ops.is_lost() {
            self.state = State::Lost;
            return true;
        }
        // SAFETY: Task context; the callers exclude each other.
        self.turn = unsafe { bindings::rtrace_slot_leave() };
        self.state = State::Free;
        true
    }
}

impl Way for Slots {
    type Hold = KVVec<usize>;

    /// Of sites for which one is reserved.
    fn attach(&mut self, engine: &Arc<Engine>, sites: KVVec<usize>) -> Result<KVVec<usize>> {
        for (number, site) in sites.iter().enumerate() {
            if let Err(error) = self.attach_one(engine, *site) {
                let attached = sites.get(..number).unwrap_or(&[]);
                if !self.detach(attached) {
                    pr_warn!("no memory to detach functions from their slots: they stay, idle\n");
                }
                return Err(error);
            }
        }
        Ok(sites)
    }
}
