// SPDX-License-Identifier: GPL-2.0

//! Sites are attached by an ftrace_ops of the module's own: one calls the handler of entries, another
//! the stub, and each slot stub has one.
//!
//! The same for all sessions: a site with one ops is called through a trampoline of its own, a
//! site with two through a list of all ops there are.
//!
//! An ops whose filter is empty traces everything, so it is never registered without one.
//!
//! C header: [`include/linux/ftrace.h`](srctree/include/linux/ftrace.h)

use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

use super::Way;
use crate::{
    bindings,
    engine::Engine, //
};

/// Of what an ftrace_ops is.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Entries,
    Stub,
    /// By its number.
    Slot(u32),
}

pub(super) struct Ops {
    whose: Whose,
    /// How many sites are in its filter; registered if any.
    sites: usize,
    /// ftrace has died with sites of it: their calls may go on reaching us for ever.
    lost: bool,
}

impl Ops {
    pub(super) const fn new(whose: Whose) -> Self {
        Self {
            whose,
            sites: 0,
            lost: false,
        }
    }

    fn kernels(&self) -> *mut bindings::ftrace_ops {
        // SAFETY: Always; there is a slot stub of that number.
        unsafe {
            match self.whose {
                Whose::Entries => bindings::rtrace_ops_of_entries(),
                Whose::Stub => bindings::rtrace_ops_of_stub(),
                Whose::Slot(number) => bindings::rtrace_ops_of_slot(number),
            }
        }
    }

    /// Whether calls of sites that it let go of may still come.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Nobody knows any more whose calls reach us: the module stays.
    fn lose(&mut self) {
        if !self.lost {
            self.lost = true;
            // SAFETY: Task context.
            unsafe { bindings::rtrace_stay() };
        }
    }

    /// Loses what was just attached if ftrace has died of it.
    fn survives(&mut self) -> Result {
        // SAFETY: Always.
        if unsafe { bindings::rtrace_ftrace_enabled() } == 0 {
            self.lose();
            return Err(ENODEV);
        }
        Ok(())
    }

    /// Whether no site is attached.
    pub(super) fn is_idle(&self) -> bool {
        self.sites == 0
    }

    /// The sites' calls no longer reach us; those under way may still be in our handlers. False if
    /// there was no memory for it: then they still do. Task context, `ATTACH` held.
    #[must_use]
    pub(super) fn detach(&mut self, sites: &mut [usize]) -> bool {
        if sites.is_empty() {
            return true;
        }
        let result = if self.sites == sites.len() {
            // SAFETY: The ops is registered, since it had sites.
            unsafe { bindings::rtrace_ops_unregister(self.kernels()) }
        } else {
            let (ips, count) = (sites.as_mut_ptr().cast(), sites.len() as u32);
            // SAFETY: There are as many addresses.
            unsafe { bindings::rtrace_ops_remove(self.kernels(), ips, count) }
        };
        if to_result(result) == Err(ENOMEM) {
            return false;
        }
        self.sites -= sites.len();
        if result != 0 {
            self.lose();
            pr_warn!(
                "ftrace did not let go of {} functions: {result}; the module stays\n",
                sites.len()
            );
        }
        true
    }

    /// All that is still attached is not any more, for want of memory or not.
    pub(super) fn detach_all(&mut self) {
        if self.sites != 0 {
            // SAFETY: The ops is registered, since it has sites.
            unsafe { bindings::rtrace_ops_unregister(self.kernels()) };
            self.sites = 0;
        }
    }
}

impl Way for Ops {
    type Hold = KVVec<usize>;

    fn attach(&mut self, _engine: &Arc<Engine>, mut sites: KVVec<usize>) -> Result<KVVec<usize>> {
        if sites.is_empty() {
            return Ok(sites);
        }
        let count = u32::try_from(sites.len())?;
        // SAFETY: There are `count` addresses; ftrace checks each of them.
        to_result(unsafe {
            bindings::rtrace_ops_add(self.kernels(), sites.as_mut_ptr().cast(), count)
        })?;
        if self.sites == 0 {
            // SAFETY: The ops has a filter and is not registered.
            let registered = to_result(unsafe { bindings::rtrace_ops_register(self.kernels()) });
            if registered.is_err() {
                let _ = self.survives();
                // SAFETY: There are `count` addresses.
                unsafe {
                    bindings::rtrace_ops_remove(self.kernels(), sites.as_mut_ptr().cast(), count)
                };
                return registered.map(|()| sites);
            }
        }
        self.sites += sites.len();
        // Of one that is registered ftrace says that all went well, also if it gave up in the middle.
        self.survives().map(|()| sites)
    }
}
