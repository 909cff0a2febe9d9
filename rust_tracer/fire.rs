// SPDX-License-Identifier: GPL-2.0

//! The probe path: what happens when a traced function is entered, and when it returns.
//!
//! Called by the shim with preemption off, in any context up to NMI, from under any lock.
//! Nothing here waits, allocates, prints or can panic, and every firing is counted in the
//! ledger once as fired and once as what became of it.

use crate::{
    abi,
    attach::{
        Enabling,
        DISPATCH, //
    },
    bindings::{
        self,
        rtrace_moment, //
    },
    clock,
    engine::{
        counters::{
            Call,
            Firing, //
        },
        Engine,
        Frame,
        Here,
        Pages,
        Probe, //
    },
    ring::{
        Reservation,
        Why, //
    },
};

const ENTRY_BYTES: u32 = size_of::<abi::rtrace_record_entry>() as u32;
const RETURN_BYTES: u32 = size_of::<abi::rtrace_record_return>() as u32;

/// A traced function is entered.
///
/// # Safety
///
/// Called by the shim: preemption off, `moment` valid, `regs` those of the entry.
#[no_mangle]
unsafe extern "C" fn rtrace_on_entry(
    ip: usize,
    moment: *const rtrace_moment,
    regs: *const core::ffi::c_void,
) {
    // SAFETY: By this function's contract; preemption is off for as long as it runs.
    let (moment, table) = unsafe { (&*moment, DISPATCH.read()) };
    let Some(table) = table else { return };
    for enabling in table.enablings(ip) {
        let Some(engine) = table.engine(enabling) else {
            continue;
        };
        let Some(here) = engine.here(moment.cpu) else {
            continue;
        };
        let admitted = engine.admits(moment);
        if let Some(probe) = enabling.entry {
            // SAFETY: `regs` is what this function was given.
            let put = |record: &Reservation<'_, _>| unsafe { put_arguments(record, regs) };
            let what = (abi::RTRACE_RECORD_ENTRY, ENTRY_BYTES);
            fire(engine, here, probe, moment, admitted, what, put);
        }
        if let Some(probe) = enabling.ret {
            if let Some(block) = here.counters.block(probe.block.wrapping_add(1)) {
                block.call(Call::Entered);
                if !admitted {
                    block.call(Call::Passed);
                }
            }
        }
    }
}

/// # Safety
///
/// `regs` are those of a function's entry.
#[inline(always)]
unsafe fn put_arguments(record: &Reservation<'_, Pages>, regs: *const core::ffi::c_void) {
    let mut arguments = [0u64; 6];
    // SAFETY: By this function's contract; there is room for six.
    unsafe { bindings::rtrace_arguments(regs, arguments.as_mut_ptr()) };
    let [a0, a1, a2, a3, a4, a5] = arguments;
    record.put(4, a0);
    record.put(5, a1);
    record.put(6, a2);
    record.put(7, a3);
    record.put(8, a4);
    record.put(9, a5);
}

/// The kernel offers to keep a frame for a call to a function with a return probe. Nonzero
/// declines.
///
/// # Safety
///
/// Called by the shim: preemption off, `owner` the engine that the fprobe was made for,
/// `moment` valid, `frame` writable.
#[no_mangle]
unsafe extern "C" fn rtrace_on_call(
    owner: u64,
    ip: usize,
    moment: *const rtrace_moment,
    frame: *mut u64,
) -> core::ffi::c_int {
    const DECLINE: core::ffi::c_int = 1;
    // SAFETY: By this function's contract; the engine outlives its fprobe.
    let (engine, moment, table) = unsafe {
        (
            &*(owner as *const Engine),
            &*moment,
            DISPATCH.read(), //
        )
    };
    let mine = |enabling: &&Enabling| {
        table
            .and_then(|table| table.engine(enabling))
            .is_some_and(|other| core::ptr::eq(other, engine))
    };
    let Some(probe) = table
        .and_then(|table| table.enablings(ip).iter().find(mine))
        .and_then(|enabling| enabling.ret)
    else {
        return DECLINE;
    };
    let (Some(here), Some(calls)) = (engine.here(moment.cpu), engine.calls()) else {
        return DECLINE;
    };
    if !engine.admits(moment) {
        return DECLINE;
    }
    let Some(block) = here.counters.block(probe.block.wrapping_add(1)) else {
        return DECLINE;
    };
    block.call(Call::Followed);
    match calls.enter(moment, probe, clock::now()) {
        Some(words) => {
            // SAFETY: By this function's contract there is room for the frame.
            unsafe { frame.cast::<Frame>().write(words) };
            0
        }
        None => {
            block.call(Call::NoFrame);
            DECLINE
        }
    }
}

/// A call for which a frame was kept returns.
///
/// # Safety
///
/// Called by the shim: preemption off, `owner` the engine that the fprobe was made for,
/// `moment` valid, `frame` what was kept (for an fprobe that lay at the same address, perhaps).
#[no_mangle]
unsafe extern "C" fn rtrace_on_return(
    owner: u64,
    moment: *const rtrace_moment,
    value: u64,
    frame: *const u64,
) {
    // SAFETY: By this function's contract; the engine outlives its fprobe.
    let (engine, moment, frame) = unsafe {
        (
            &*(owner as *const Engine),
            &*moment,
            &*frame.cast::<Frame>(),
        )
    };
    // A call that returns after the end stays in flight.
    let Some(here) = engine.here(moment.cpu) else {
        return;
    };
    let Some(call) = engine.calls().and_then(|calls| calls.leave(frame)) else {
        return;
    };
    let entered_at = engine.counters(call.cpu);
    if let Some(block) = entered_at.and_then(|c| c.block(call.probe.block.wrapping_add(1))) {
        block.call_ended(Call::Returned);
    }
    let put = |record: &Reservation<'_, _>| {
        record.put(4, value);
        record.put(5, record.time().saturating_sub(call.entered));
    };
    let what = (abi::RTRACE_RECORD_RETURN, RETURN_BYTES);
    fire(engine, here, call.probe, moment, true, what, put);
}

/// One firing of one probe: counted, and recorded if it is admitted and there is room.
#[inline(always)]
fn fire(
    engine: &Engine,
    here: Here<'_>,
    probe: Probe,
    moment: &rtrace_moment,
    admitted: bool,
    (kind, bytes): (u32, u32),
    put: impl FnOnce(&Reservation<'_, Pages>),
) {
    let Some(block) = here.counters.block(probe.block) else {
        return;
    };
    block.fire(Firing::Fired);
    if !admitted {
        return block.fire(Firing::Filtered);
    }
    let Some(ring) = here.ring else {
        return block.fire(Firing::DroppedNoRing);
    };
    if moment.recursed {
        ring.lose();
        return block.fire(Firing::DroppedRecursion);
    }
    if engine.is_filled() {
        ring.lose();
        return block.fire(Firing::DroppedFull);
    }
    let wake = match ring.reserve(bytes, clock::now) {
        Ok(record) => {
            record.put(2, u64::from(moment.cpu) << 32 | u64::from(probe.index));
            record.put(3, u64::from(moment.tid) << 32 | u64::from(moment.pid));
            put(&record);
            block.fire(Firing::Recorded);
            record.commit(kind, moment.context)
        }
        Err(dropped) => {
            block.fire(match dropped.why {
                Why::Full | Why::Filled => Firing::DroppedFull,
                Why::Nested => Firing::DroppedNested,
            });
            if dropped.why == Why::Filled {
                engine.fill();
            }
            dropped.wake
        }
    };
    if wake {
        engine.wake();
    }
}
