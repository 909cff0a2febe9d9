// SPDX-License-Identifier: GPL-2.0

//! The timers behind tick and profile probes.
//!
//! A tick has one timer, which the kernel gives to another CPU when its own goes. A profile has one
//! for each CPU, which only fires there: it is started when the CPU comes and stopped when it goes.
//! They run as long as the engine does.

use core::ptr::NonNull;

use kernel::prelude::*;

use super::running::OwnProbe;
use crate::{
    bindings,
    own::Kind, //
};

/// # Invariants
///
/// Owns what `rtrace_clock_new` made.
struct Clock {
    clock: NonNull<bindings::rtrace_clock>,
    /// The CPU of which it is.
    cpu: Option<u32>,
}

// SAFETY: A timer may be started and stopped from anywhere.
unsafe impl Send for Clock {}
// SAFETY: As above.
unsafe impl Sync for Clock {}

impl Drop for Clock {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rtrace_clock_free(self.clock.as_ptr()) };
    }
}

/// The timers of one engine.
pub(super) struct Clocks(KVec<Clock>);

impl Clocks {
    pub(super) const fn none() -> Self {
        Self(KVec::new())
    }

    /// Bytes that those of so many CPUs take.
    pub(super) fn memory_needed(own: &[OwnProbe], cpus: u64) -> u64 {
        /// More than one takes.
        const CLOCK: u64 = 192;
        own.iter().fold(0, |sum: u64, own| {
            sum + match own.kind {
                Kind::Tick => CLOCK,
                Kind::Profile => CLOCK * cpus,
                _ => 0,
            }
        })
    }

    /// Timers for these probes; none runs yet. `owner` is what their handlers are told.
    pub(super) fn new(
        owner: u64,
        own: &[OwnProbe],
        cpus: impl Iterator<Item = u32> + Clone,
    ) -> Result<Self> {
        let mut clocks = KVec::new();
        let mut add = |number: u32, period: u64, cpu: Option<u32>| {
            let at = cpu.map_or(-1, |cpu| cpu as i32);
            // SAFETY: Task context.
            let clock = unsafe { bindings::rtrace_clock_new(owner, number, period, at) };
            // INVARIANT: It was just made, and is owned from here on.
            let clock = Clock {
                clock: NonNull::new(clock).ok_or(ENOMEM)?,
                cpu,
            };
            clocks.push(clock, GFP_KERNEL_ACCOUNT)?;
            Ok::<_, Error>(())
        };
        for (number, own) in (0..).zip(own) {
            match own.kind {
                Kind::Tick => add(number, own.period, None)?,
                Kind::Profile => {
                    for cpu in cpus.clone() {
                        add(number, own.period, Some(cpu))?;
                    }
                }
                _ => {}
            }
        }
        Ok(Self(clocks))
    }

    fn of(&self, cpu: Option<u32>) -> impl Iterator<Item = &Clock> {
        self.0.iter().filter(move |clock| clock.cpu == cpu)
    }

    /// Starts those that belong to this CPU, on it, or to none.
    pub(super) fn start(&self, cpu: Option<u32>) {
        for clock in self.of(cpu) {
            // SAFETY: By the type's invariant; on its CPU, if it has one.
            unsafe { bindings::rtrace_clock_start(clock.clock.as_ptr()) };
        }
    }

    /// Stops those that belong to this CPU. Task context.
    pub(super) fn stop(&self, cpu: Option<u32>) {
        for clock in self.of(cpu) {
            // SAFETY: By the type's invariant.
            unsafe { bindings::rtrace_clock_stop(clock.clock.as_ptr()) };
        }
    }

    /// Stops all. Task context.
    pub(super) fn stop_all(&self) {
        for clock in &self.0 {
            // SAFETY: By the type's invariant.
            unsafe { bindings::rtrace_clock_stop(clock.clock.as_ptr()) };
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
