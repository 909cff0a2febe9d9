// SPDX-License-Identifier: GPL-2.0

//! What a return is for one who follows the call, the short way: for the only one, or one of several.

use super::{
    FILTERED_HERE,
    RETURNED_HERE, //
};
use crate::{
    abi,
    bindings::rtrace_frame,
    clock,
    engine::{
        counters::Block,
        HotCpu,
        Short,
        Source,
        What, //
    },
    fire::{
        short::{
            aggregate,
            number,
            record_with,
            Recorded,
            FILTERED,
            RECORDED, //
        },
        RETURN_BYTES, //
    },
};

/// A return's default record, but that it counts nothing.
///
/// # Safety
///
/// `frame` is what a way to enter left in it; preemption off; `hot` was open a moment ago.
#[inline(always)]
pub(super) unsafe fn record_return(
    frame: &rtrace_frame,
    value: u64,
    hot: HotCpu,
    short: &Short,
) -> Recorded {
    let kind = (abi::RTRACE_RECORD_RETURN, RETURN_BYTES);
    // SAFETY: By this function's contract.
    let (recorded, _) = unsafe {
        record_with(hot, short, kind, |record, clock, cycles| {
            record.put(4, value);
            let elapsed = clock.between(frame.time, cycles);
            record.put(5, elapsed.unwrap_or(0));
        })
    };
    recorded
}

/// Counts such a record.
///
/// # Safety
///
/// `hot` was open a moment ago, so the block was there at the start.
#[inline(always)]
pub(super) unsafe fn count_recorded(hot: HotCpu, short: &Short) {
    // SAFETY: By this function's contract.
    let blocks = unsafe { hot.blocks(short.block) };
    Block::count::<RECORDED>(blocks);
    Block::count::<RETURNED_HERE>(blocks);
    hot.count_fired();
}

/// A return fires for one who follows the call, but for default records. False if it is to go the long way.
///
/// # Safety
///
/// `frame` is what a way to enter left in it; preemption off; `hot` was open a moment ago.
pub(super) unsafe fn leave_open(
    hot: HotCpu,
    short: &Short,
    frame: &rtrace_frame,
    value: u64,
) -> bool {
    // SAFETY: By this function's contract.
    let blocks = unsafe { hot.blocks(short.block) };
    let elapsed = || clock::Counter::get().and_then(|clock| clock.elapsed(frame.time));
    let number = |source| match source {
        Source::ELAPSED => elapsed(),
        Source::VALUE => Some(value),
        // SAFETY: By this function's contract; no return probe asks for registers.
        _ => Some(unsafe { number(source, hot, core::ptr::null()) }),
    };
    if short.tested != Source::NOWHERE {
        let Some(tested) = number(short.tested) else {
            return false;
        };
        if !short.admits(tested) {
            Block::count::<FILTERED>(blocks);
            Block::count::<FILTERED_HERE>(blocks);
            Block::count::<RETURNED_HERE>(blocks);
            hot.count_fired();
            return true;
        }
    }
    match short.what {
        What::Pass => {}
        What::Count | What::Sum | What::Quantize => {
            let value = match short.what {
                What::Count => Some(1),
                _ => number(short.value),
            };
            let Some(value) = value else {
                return false;
            };
            // SAFETY: By this function's contract, and its program has such an aggregation.
            if !unsafe { aggregate(short, hot, value) } {
                return false;
            }
        }
        // It could not be made a moment ago.
        What::Nothing | What::Long | What::Follow | What::Record => return false,
    }
    Block::count::<RETURNED_HERE>(blocks);
    hot.count_fired();
    true
}
