// SPDX-License-Identifier: GPL-2.0

//! The memory in which clauses run on one CPU: a room for each context that can interrupt the
//! others, and one for an interrupt's probe that fires before the interrupt has counted itself as
//! one (see `shim/moment.h`).
//!
//! A room is taken for a firing and given back at its end. Contexts that interrupt each other nest,
//! so a plain flag says whether one is taken: it is used on its own CPU only.

use core::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicBool,
        Ordering, //
    },
};

use kernel::prelude::*;

use crate::program::{
    interpret::Room,
    STACK_FRAMES_MAX, //
};

/// What one firing works in. Any bytes are valid.
pub(crate) struct Space {
    pub(crate) room: Room,
    /// For a stack of which only the depth is asked.
    pub(crate) frames: [u64; STACK_FRAMES_MAX as usize],
}

/// Task, softirq, hard irq, NMI, and what comes between.
const LEVELS: usize = 5;

/// # Invariants
///
/// `space` and `error` are touched only on the level's CPU, by who has set `taken`.
struct Level {
    taken: AtomicBool,
    space: KVBox<UnsafeCell<Space>>,
    /// For the clauses of ERROR, if there are any.
    error: Option<KVBox<UnsafeCell<Space>>>,
}

/// One CPU's rooms.
pub(crate) struct Rooms([Level; LEVELS]);

// SAFETY: By the invariant of `Level`.
unsafe impl Send for Rooms {}
// SAFETY: As above.
unsafe impl Sync for Rooms {}

fn new_space() -> Result<KVBox<UnsafeCell<Space>>> {
    let space = KVBox::<UnsafeCell<Space>>::new_uninit(GFP_KERNEL_ACCOUNT | __GFP_ZERO)?;
    // SAFETY: All zeroes are valid integers.
    Ok(unsafe { space.assume_init() })
}

impl Rooms {
    /// Task context.
    pub(crate) fn new(with_error: bool) -> Result<Self> {
        let level = || {
            Ok::<_, Error>(Level {
                taken: AtomicBool::new(false),
                space: new_space()?,
                error: with_error.then(new_space).transpose()?,
            })
        };
        Ok(Self([level()?, level()?, level()?, level()?, level()?]))
    }

    /// Bytes that one CPU's take.
    pub(crate) const fn memory(with_error: bool) -> usize {
        LEVELS * size_of::<Space>() * if with_error { 2 } else { 1 }
    }

    /// A room for a firing in this context (RTRACE_CONTEXT_*), if there is one. On their CPU,
    /// preemption off.
    #[inline(always)]
    pub(crate) fn take(&self, context: u32) -> Option<Taken<'_>> {
        let between = self.0.get(LEVELS - 1)?;
        let first = self.0.get(context as usize).unwrap_or(between);
        let level = [first, between]
            .into_iter()
            .find(|level| !level.taken.load(Ordering::Relaxed))?;
        level.taken.store(true, Ordering::Relaxed);
        Some(Taken { level })
    }
}

/// A room that was taken.
pub(crate) struct Taken<'a> {
    level: &'a Level,
}

impl Taken<'_> {
    /// What the firing works in, and what ERROR's clauses do.
    #[inline(always)]
    pub(crate) fn spaces(&mut self) -> (&mut Space, Option<&mut Space>) {
        // SAFETY: By the invariant of `Level`: we have taken it, and `self` is borrowed as long.
        unsafe {
            (
                &mut *self.level.space.get(),
                self.level.error.as_ref().map(|error| &mut *error.get()),
            )
        }
    }
}

impl Drop for Taken<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.level.taken.store(false, Ordering::Relaxed);
    }
}
