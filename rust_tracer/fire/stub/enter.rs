// SPDX-License-Identifier: GPL-2.0

//! A function is entered, the short way.

use super::{
    count_followed,
    enable_preemption,
    registers,
    several,
    slot_of, //
};
use crate::{
    arch,
    attach::{
        Dispatch,
        Slot,
        STUBBED, //
    },
    bindings::{
        rtrace_frame,
        RTRACE_STUB_ALONE,
        RTRACE_STUB_FOLLOW,
        RTRACE_STUB_LONG, //
    },
    engine::{
        HotCpu,
        Offset,
        Short,
        What, //
    },
    fire::short::{
        enter_open,
        leave_inside,
        record_entry,
        Recorded,
        Rest, //
    },
};

/// A function is entered. Preemption is on again when it returns, unless the long way must be gone. What
/// only begins to follow a call, the stub does itself, in the same way.
///
/// # Safety
///
/// Called by the stub: `frame` is new, and nobody else's; preemption off.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub(frame: &mut rtrace_frame) -> u32 {
    // SAFETY: By this function's contract.
    let result = unsafe { enter(frame) };
    if result < RTRACE_STUB_LONG {
        enable_preemption();
    }
    result
}

/// The same where the slot of the site is known, for default records first of all.
///
/// # Safety
///
/// As for [`rtrace_on_stub`]; `slot` is of the table now, which may soon be the one before.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_at(frame: &mut rtrace_frame, slot: &Slot) -> u32 {
    let (hot, short) = (slot.hot(), &slot.entry);
    let token = hot.token();
    let follows = short.entered != 0;
    let is_high = || arch::is_high_on_stack(&raw const *frame as usize);
    if token == 0 || !short.records || follows && !is_high() {
        // SAFETY: By this function's contract.
        return unsafe { enter_asked(frame, slot) };
    }
    // SAFETY: By this function's contract, and it was open a moment ago.
    let (recorded, cycles) = unsafe { record_entry(hot, short, registers(frame)) };
    if !matches!(recorded, Recorded::Done) {
        // SAFETY: As above.
        return unsafe { enter_recorded(frame, &slot.entry, hot, recorded, token) };
    }
    if !follows {
        enable_preemption();
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: It was open a moment ago.
    unsafe { follow_at_once(frame, hot, short.entered, token, cycles) };
    enable_preemption();
    RTRACE_STUB_FOLLOW
}

/// The same where it is more than a default record, or less.
///
/// # Safety
///
/// As for [`rtrace_on_stub_at`].
#[inline(never)]
unsafe fn enter_asked(frame: &mut rtrace_frame, slot: &Slot) -> u32 {
    let (hot, short) = (slot.hot(), &slot.entry);
    let token = hot.token();
    let follows = short.entered != 0;
    let is_low = || !arch::is_high_on_stack(&raw const *frame as usize);
    if token == 0 || short.records || short.what == What::Follow || follows && is_low() {
        // SAFETY: By this function's contract.
        return unsafe { rtrace_on_stub(frame) };
    }
    // SAFETY: As above, and it was open a moment ago.
    match unsafe { enter_open(hot, short, registers(frame)) } {
        Rest::Nothing if follows => {
            // SAFETY: As above, so the block was there at the start.
            unsafe { follow_at_once(frame, hot, short.entered, token, arch::cycles()) };
            enable_preemption();
            RTRACE_STUB_FOLLOW
        }
        Rest::Nothing => {
            enable_preemption();
            RTRACE_STUB_ALONE
        }
        Rest::All | Rest::Follow | Rest::Record => RTRACE_STUB_LONG,
    }
}

/// What becomes of a default record that is there, but not all is done; or that is not there.
///
/// # Safety
///
/// As for [`rtrace_on_stub_at`]; it was open a moment ago.
#[cold]
#[inline(never)]
unsafe fn enter_recorded(
    frame: &mut rtrace_frame,
    short: &Short,
    hot: HotCpu,
    recorded: Recorded,
    token: u64,
) -> u32 {
    // SAFETY: By this function's contract; preemption is off for as long as the table is used.
    if !unsafe { leave_inside(STUBBED.read(), hot, recorded) } {
        return RTRACE_STUB_LONG;
    }
    if short.entered == 0 {
        enable_preemption();
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: As above.
    unsafe { follow_at_once(frame, hot, short.entered, token, arch::cycles()) };
    enable_preemption();
    RTRACE_STUB_FOLLOW
}

/// Begins to follow a call the short way.
///
/// # Safety
///
/// It was open a moment ago, and the block was there at the start.
#[inline(always)]
unsafe fn follow_at_once(
    frame: &mut rtrace_frame,
    hot: HotCpu,
    entered: Offset,
    token: u64,
    cycles: u64,
) {
    // SAFETY: By this function's contract.
    unsafe { count_followed(hot, entered) };
    arch::count_frame();
    frame.token = token;
    frame.time = cycles;
}

/// The same while its time is measured: preemption stays off.
///
/// # Safety
///
/// As for [`rtrace_on_stub`].
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_again(frame: &mut rtrace_frame) -> u32 {
    // SAFETY: By this function's contract.
    unsafe { enter(frame) }
}

/// # Safety
///
/// As for [`rtrace_on_stub`].
unsafe fn enter(frame: &mut rtrace_frame) -> u32 {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return RTRACE_STUB_ALONE;
    };
    let Some(slot) = slot_of(table, frame) else {
        return RTRACE_STUB_ALONE;
    };
    let (hot, short) = (slot.hot(), &slot.entry);
    let token = hot.token();
    if token == 0 {
        return match hot.is_running() {
            // SAFETY: By this function's contract.
            true => unsafe { several::enter(table, slot, frame) },
            false => RTRACE_STUB_ALONE,
        };
    }
    let follows = short.entered != 0;
    if follows && !arch::is_high_on_stack(&raw const *frame as usize) {
        return RTRACE_STUB_LONG;
    }
    if short.what != What::Follow {
        // SAFETY: By this function's contract, and it was open a moment ago.
        if !unsafe { enter_firing(table, short, hot, frame) } {
            return RTRACE_STUB_LONG;
        }
    }
    if !follows {
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: It was open a moment ago, so the block was there at the start.
    unsafe { follow_at_once(frame, hot, short.entered, token, arch::cycles()) };
    RTRACE_STUB_FOLLOW
}

/// The entry fires. False: nothing was done.
///
/// # Safety
///
/// As for [`rtrace_on_stub_again`], and it is open.
#[inline(never)]
unsafe fn enter_firing(table: &Dispatch, short: &Short, hot: HotCpu, frame: &rtrace_frame) -> bool {
    let registers = registers(frame);
    // SAFETY: By this function's contract.
    match unsafe { enter_open(hot, short, registers) } {
        Rest::Nothing => true,
        // SAFETY: As above.
        Rest::Record => unsafe {
            let (recorded, _) = record_entry(hot, short, registers);
            leave_inside(Some(table), hot, recorded)
        },
        Rest::All | Rest::Follow => false,
    }
}
