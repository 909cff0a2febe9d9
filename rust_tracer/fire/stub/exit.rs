// SPDX-License-Identifier: GPL-2.0

//! A followed call returns, the short way.

use core::sync::atomic::Ordering;

use super::{
    enable_preemption,
    leave::{
        count_recorded,
        leave_open,
        record_return, //
    },
    several,
    site,
    slot_of,
    RETURNED_HERE, //
};
use crate::{
    arch,
    attach::STUBBED,
    bindings::rtrace_frame,
    clock,
    engine::{
        counters::Block,
        HotCpu,
        Short,
        Source,
        What, //
    },
    fire::short::{
        aggregate,
        leave_inside,
        Recorded, //
    },
    program::buckets, //
};

/// The function returns. Whether the long way must be gone: else preemption is on again.
///
/// # Safety
///
/// Called by the stub: `frame` is what a way to enter left in it; preemption off.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_exit(frame: &mut rtrace_frame, value: u64) -> bool {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        // SAFETY: By this function's contract.
        return unsafe { exit(frame, value) };
    };
    let Some(slot) = table.first_slot(site(frame)) else {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    };
    let hot = slot.hot();
    // It entered here, for the one who is here now, who still runs.
    if hot.token() != frame.token {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    }
    // SAFETY: What has a token has an engine that can go the short way; it was open a moment ago.
    let short = unsafe { table.short_return(slot) };
    if !short.at_once {
        // SAFETY: As above.
        return unsafe { exit_recorded(frame, value, hot, short) };
    }
    let Some(elapsed) = clock::Counter::get().and_then(|clock| clock.elapsed(frame.time)) else {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    };
    if elapsed as i64 <= 0 {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    }
    // SAFETY: It was open a moment ago, and its program has such an aggregation, with all buckets. The
    // word before them says that it was touched.
    unsafe {
        let first = &raw const *hot.aggregated(short.data);
        (*first.sub(1)).store(1, Ordering::Relaxed);
        arch::increment_nth::<{ 8 * buckets::QUANTIZE_POSITIVE as usize }>(first, elapsed.ilog2());
    }
    // SAFETY: It was open a moment ago, so the block was there at the start.
    Block::count::<RETURNED_HERE>(unsafe { hot.blocks(short.block) });
    hot.count_fired();
    arch::count_frame_left();
    enable_preemption();
    false
}

/// The same for default records first of all.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[inline(never)]
unsafe fn exit_recorded(frame: &mut rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> bool {
    if !short.records {
        // SAFETY: By this function's contract.
        return unsafe { exit_named(frame, value, hot, short) };
    }
    // SAFETY: As above.
    let recorded = unsafe { record_return(frame, value, hot, short) };
    if !matches!(recorded, Recorded::Done) {
        // SAFETY: As above.
        return unsafe { exit_inside(frame, value, recorded, hot, short) };
    }
    // SAFETY: It was open a moment ago.
    unsafe { count_recorded(hot, short) };
    arch::count_frame_left();
    enable_preemption();
    false
}

/// The same for distributions of how long calls took, by the probe's name, first of all.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[inline(always)]
unsafe fn exit_named(frame: &mut rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> bool {
    let is_one = short.what == What::Quantize
        && short.value == Source::ELAPSED
        && short.tested == Source::NOWHERE;
    if !is_one {
        // SAFETY: By this function's contract.
        return unsafe { exit_open(frame, value, hot, short) };
    }
    let elapsed = clock::Counter::get().and_then(|clock| clock.elapsed(frame.time));
    let Some(elapsed) = elapsed else {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    };
    // SAFETY: As above, and its program has such an aggregation.
    if !unsafe { aggregate(short, hot, elapsed) } {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    }
    // SAFETY: It was open a moment ago, so the block was there at the start.
    Block::count::<RETURNED_HERE>(unsafe { hot.blocks(short.block) });
    hot.count_fired();
    arch::count_frame_left();
    enable_preemption();
    false
}

/// What becomes of a default record that is there, but not all is done; or that is not there.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[cold]
#[inline(never)]
unsafe fn exit_inside(
    frame: &mut rtrace_frame,
    value: u64,
    recorded: Recorded,
    hot: HotCpu,
    short: &Short,
) -> bool {
    // SAFETY: By this function's contract; preemption is off for as long as the table is used.
    if !unsafe { leave_inside(STUBBED.read(), hot, recorded) } {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    }
    // SAFETY: As above.
    unsafe { count_recorded(hot, short) };
    arch::count_frame_left();
    enable_preemption();
    false
}

/// The same for what else a clause may be that goes the short way.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[inline(never)]
unsafe fn exit_open(frame: &rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> bool {
    // SAFETY: By this function's contract.
    if !unsafe { leave_open(hot, short, frame, value) } {
        return true;
    }
    arch::count_frame_left();
    enable_preemption();
    false
}

/// The same where it is not known who follows the call, or more is to be done.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`].
#[inline(never)]
unsafe fn exit(frame: &mut rtrace_frame, value: u64) -> bool {
    // SAFETY: By this function's contract.
    if !unsafe { leave(frame, value) } {
        return true;
    }
    arch::count_frame_left();
    enable_preemption();
    false
}

/// A followed call returns. False: nothing was done.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`].
unsafe fn leave(frame: &mut rtrace_frame, value: u64) -> bool {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return true;
    };
    let Some(slot) = slot_of(table, frame) else {
        // Who followed it is gone.
        return true;
    };
    let hot = slot.hot();
    // It entered here, for the one who is here now, who still runs.
    if hot.token() != frame.token {
        // SAFETY: By this function's contract.
        return unsafe { several::leave(table, slot, frame, value) };
    }
    // SAFETY: By this function's contract, and it was open a moment ago.
    unsafe { leave_open(hot, table.short_return(slot), frame, value) }
}
