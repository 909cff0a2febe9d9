// SPDX-License-Identifier: GPL-2.0

//! Entries and returns by the stub: what its two halves call.
//!
//! ```text
//!   a traced function's site
//!     │ call
//!     ▼
//!   rtrace_stub ──► rtrace_on_stub() [enter]: the entry fires, who follows the call leaves a token in its frame
//!     │
//!     ▼
//!   the function
//!     │ ret
//!     ▼
//!   rtrace_stub_exit ──► rtrace_on_stub_exit() [exit]: the return fires of whom the token is
//! ```
//!
//! Each half goes the [short way](super::short), [for each session](several) if several are at the site.
//! What cannot go it is left to the [long] one. Nothing is kept of a call but its frame: so whose it is
//! says the token, and when it entered, the time beside it.

mod enter;
mod exit;
mod leave;
mod long;
mod several;

use core::ffi::c_void;

use super::short::{
    seldom,
    FILTERED,
    FIRED,
    PROCESSED, //
};
use crate::{
    arch,
    attach::{
        Dispatch,
        Slot, //
    },
    bindings::{
        self,
        rtrace_frame,
        RTRACE_FRAME_BEFORE, //
    },
    engine::{
        counters::{
            at,
            Block,
            Call,
            Ran, //
        },
        HotCpu,
        Offset, //
    },
};

/// Where a return's blocks count, behind the first.
const FOLLOWED: usize = at(0, Call::Followed as usize);
const RETURNED_HERE: usize = at(1, Call::ReturnedHere as usize);
const FILTERED_HERE: usize = at(2, Ran::FilteredHere as usize);

const _: () = {
    assert!(FOLLOWED == bindings::RTRACE_BLOCK_FOLLOWED as usize);
    assert!(FIRED == bindings::RTRACE_BLOCK_FIRED as usize);
    assert!(FILTERED == bindings::RTRACE_BLOCK_FILTERED as usize);
    assert!(PROCESSED == bindings::RTRACE_BLOCK_PROCESSED as usize);
};

/// The site of a frame's function.
#[inline(always)]
fn site(frame: &rtrace_frame) -> usize {
    frame.ip.wrapping_sub(bindings::RTRACE_CALL_BYTES as usize)
}

/// The registers whose arguments lie in a frame.
#[inline(always)]
fn registers(frame: *const rtrace_frame) -> *const c_void {
    frame.wrapping_byte_sub(RTRACE_FRAME_BEFORE as usize).cast()
}

/// The slot of a frame's site. Any context.
#[inline(always)]
fn slot_of<'a>(table: &'a Dispatch, frame: &rtrace_frame) -> Option<&'a Slot> {
    match table.first_slot(site(frame)) {
        None => table.slot(site(frame)),
        found => found,
    }
}

#[inline(always)]
fn enable_preemption() {
    if arch::enable_preemption() {
        seldom();
        // SAFETY: Preemption is on again.
        unsafe { bindings::rtrace_schedule() };
    }
}

/// A call begins to be followed that has no slot: counts that where it enters.
///
/// # Safety
///
/// It is open, and there is the block that was there at the start.
#[inline(always)]
unsafe fn count_followed(hot: HotCpu, entered: Offset) {
    // SAFETY: By this function's contract.
    Block::count::<FOLLOWED>(unsafe { hot.blocks(entered) });
}
