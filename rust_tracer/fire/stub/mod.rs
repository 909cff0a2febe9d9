// SPDX-License-Identifier: GPL-2.0

//! Entries and returns by the stub: what its two halves call.
//!
//! ```text
//!   a traced function's site
//!     │ call
//!     ▼
//!   rtrace_stub ──► rtrace_on_stub(): the entry fires, who follows the call leaves a token in its frame
//!     │
//!     ▼
//!   the function
//!     │ ret
//!     ▼
//!   rtrace_stub_exit ──► rtrace_on_stub_exit(): the return fires of whom the token is
//! ```
//!
//! Each half goes the [short way](super::short) or, if it cannot, leaves all to the long one. Nothing is
//! kept of a call but its frame: so whose it is says the token, and when it entered, the time beside it.

use core::{
    ffi::c_void,
    sync::atomic::Ordering, //
};

use super::{
    short::{
        enter_open,
        leave_ring,
        number,
        record_at,
        record_with,
        seldom,
        Recorded,
        Rest,
        FILTERED,
        FIRED,
        PROCESSED,
        RECORDED, //
    },
    RETURN_BYTES,
};
use crate::{
    abi,
    arch,
    attach::{
        Dispatch,
        Slot,
        STUBBED, //
    },
    bindings::{
        self,
        rtrace_frame,
        rtrace_moment,
        rtrace_place,
        RTRACE_FRAME_BEFORE,
        RTRACE_STUB_ALONE,
        RTRACE_STUB_FOLLOW,
        RTRACE_STUB_LONG, //
    },
    clock,
    engine::{
        counters::{
            at,
            Block,
            Call,
            Ran, //
        },
        Engine,
        HotCpu,
        Probe,
        Short,
        Source,
        Token,
        What, //
    },
    program::buckets, //
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

#[inline(always)]
fn slot_of<'a>(table: &'a Dispatch, frame: &rtrace_frame) -> Option<&'a Slot> {
    match table.first_slot(site(frame)) {
        None => table.slot(site(frame)),
        found => found,
    }
}

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
    if result != RTRACE_STUB_LONG {
        enable_preemption();
    }
    result
}

/// The same where the slot of the site is known, for default records first of all.
///
/// # Safety
///
/// As for [`rtrace_on_stub`]; `slot` is of the table now.
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
    let (recorded, cycles) = unsafe { record_at(slot, registers(frame)) };
    if !matches!(recorded, Recorded::Done) {
        // SAFETY: As above.
        return unsafe { enter_recorded(frame, slot, recorded, token) };
    }
    if !follows {
        enable_preemption();
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: It was open a moment ago.
    unsafe { follow_at_once(frame, slot, token, cycles) };
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
    if hot.token() == 0 || short.records || short.entered != 0 {
        // SAFETY: By this function's contract.
        return unsafe { rtrace_on_stub(frame) };
    }
    // SAFETY: As above.
    match unsafe { enter_open(hot, short, registers(frame)) } {
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
    slot: &Slot,
    recorded: Recorded,
    token: u64,
) -> u32 {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return RTRACE_STUB_LONG;
    };
    // SAFETY: By this function's contract.
    if !unsafe { leave_inside(table, slot, recorded) } {
        return RTRACE_STUB_LONG;
    }
    if slot.entry.entered == 0 {
        enable_preemption();
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: As above.
    unsafe { follow_at_once(frame, slot, token, arch::cycles()) };
    enable_preemption();
    RTRACE_STUB_FOLLOW
}

/// Begins to follow a call the short way.
///
/// # Safety
///
/// It was open a moment ago, and the block was there at the start.
#[inline(always)]
unsafe fn follow_at_once(frame: &mut rtrace_frame, slot: &Slot, token: u64, cycles: u64) {
    // SAFETY: By this function's contract.
    Block::count::<FOLLOWED>(unsafe { slot.hot().blocks(slot.entry.entered) });
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

/// The function returns. Whether the long way must be gone: else preemption is on again.
///
/// # Safety
///
/// Called by the stub: `frame` is what a way to enter left in it; preemption off.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_exit(frame: &rtrace_frame, value: u64) -> bool {
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
unsafe fn exit_recorded(frame: &rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> bool {
    if !short.records {
        // SAFETY: By this function's contract.
        return unsafe { exit_named(frame, value, hot, short) };
    }
    // SAFETY: As above.
    let recorded = unsafe { record_return(frame, value, hot, short) };
    if !matches!(recorded, Recorded::Done) {
        // SAFETY: As above.
        return unsafe { exit_inside(frame, value, recorded) };
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
unsafe fn exit_named(frame: &rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> bool {
    let is_one = short.what == What::Quantize
        && short.value == Source::ELAPSED
        && short.tested == Source::NOWHERE;
    let elapsed = clock::Counter::get().and_then(|clock| clock.elapsed(frame.time));
    let (true, Some(elapsed)) = (is_one, elapsed) else {
        // SAFETY: By this function's contract.
        return unsafe { exit(frame, value) };
    };
    // SAFETY: As above, and its program has such an aggregation.
    if !unsafe { super::short::aggregate(short, hot, elapsed) } {
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

/// A return's default record, but that it counts nothing.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[inline(always)]
unsafe fn record_return(frame: &rtrace_frame, value: u64, hot: HotCpu, short: &Short) -> Recorded {
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

/// # Safety
///
/// It was open a moment ago, so the block was there at the start.
#[inline(always)]
unsafe fn count_recorded(hot: HotCpu, short: &Short) {
    // SAFETY: By this function's contract.
    let blocks = unsafe { hot.blocks(short.block) };
    Block::count::<RECORDED>(blocks);
    Block::count::<RETURNED_HERE>(blocks);
    hot.count_fired();
}

/// What becomes of a default record that is there, but not all is done; or that is not there.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
#[cold]
#[inline(never)]
unsafe fn exit_inside(frame: &rtrace_frame, value: u64, recorded: Recorded) -> bool {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return true;
    };
    let Some(slot) = slot_of(table, frame) else {
        return true;
    };
    // SAFETY: By this function's contract.
    if !unsafe { leave_inside(table, slot, recorded) } {
        // SAFETY: As above.
        return unsafe { exit(frame, value) };
    }
    // SAFETY: As above.
    unsafe { count_recorded(slot.hot(), table.short_return(slot)) };
    arch::count_frame_left();
    enable_preemption();
    false
}

/// The same where more is to be done than to distribute how long the call took.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`].
#[inline(never)]
unsafe fn exit(frame: &rtrace_frame, value: u64) -> bool {
    // SAFETY: By this function's contract.
    if !unsafe { leave(frame, value) } {
        return true;
    }
    arch::count_frame_left();
    enable_preemption();
    false
}

#[inline(always)]
fn enable_preemption() {
    if arch::enable_preemption() {
        seldom();
        // SAFETY: Preemption is on again.
        unsafe { bindings::rtrace_schedule() };
    }
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
        return if hot.is_running() {
            RTRACE_STUB_LONG
        } else {
            RTRACE_STUB_ALONE
        };
    }
    let follows = short.entered != 0;
    if follows && !arch::is_high_on_stack(&raw const *frame as usize) {
        return RTRACE_STUB_LONG;
    }
    if short.what != What::Follow {
        // SAFETY: By this function's contract, and it was open a moment ago.
        if !unsafe { enter_firing(table, slot, frame) } {
            return RTRACE_STUB_LONG;
        }
    }
    if !follows {
        return RTRACE_STUB_ALONE;
    }
    // SAFETY: It was open a moment ago, so the block was there at the start.
    unsafe { follow_at_once(frame, slot, token, arch::cycles()) };
    RTRACE_STUB_FOLLOW
}

/// The entry fires. False: nothing was done.
///
/// # Safety
///
/// As for [`rtrace_on_stub_again`], and it is open.
#[inline(never)]
unsafe fn enter_firing(table: &Dispatch, slot: &Slot, frame: &rtrace_frame) -> bool {
    let registers = registers(frame);
    // SAFETY: By this function's contract.
    match unsafe { enter_open(slot.hot(), &slot.entry, registers) } {
        Rest::Nothing => true,
        // SAFETY: As above.
        Rest::Record => unsafe { leave_inside(table, slot, record_at(slot, registers).0) },
        Rest::All | Rest::Follow => false,
    }
}

/// Leaves the ring if that is still to be done; whether there is a record.
///
/// # Safety
///
/// It is open, and this is inside its ring if `recorded` says so.
#[inline(always)]
unsafe fn leave_inside(table: &Dispatch, slot: &Slot, recorded: Recorded) -> bool {
    if matches!(recorded, Recorded::Inside | Recorded::NotInside) {
        // SAFETY: By this function's contract.
        unsafe { leave_ring(table, slot) };
    }
    matches!(recorded, Recorded::Done | Recorded::Inside)
}

/// A followed call returns. False: nothing was done.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`].
unsafe fn leave(frame: &rtrace_frame, value: u64) -> bool {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return true;
    };
    let Some(slot) = slot_of(table, frame) else {
        // Who followed it is gone.
        return true;
    };
    // It entered here, for the one who is here now, who still runs.
    if slot.hot().token() != frame.token {
        return false;
    }
    // SAFETY: By this function's contract, and it was open a moment ago.
    unsafe { leave_at(table, slot, frame, value) }
}

/// The same where its slot is known.
///
/// # Safety
///
/// As for [`rtrace_on_stub_exit`]; it was open a moment ago.
unsafe fn leave_at(table: &Dispatch, slot: &Slot, frame: &rtrace_frame, value: u64) -> bool {
    let hot = slot.hot();
    // SAFETY: By this function's contract.
    let (short, blocks) = unsafe {
        let short = table.short_return(slot);
        (short, hot.blocks(short.block))
    };
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
            if !unsafe { super::short::aggregate(short, hot, value) } {
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

/// A function is entered: the long way.
///
/// # Safety
///
/// Called by the shim: preemption off, `moment` valid, `regs` those of the entry; `frame` is new, and
/// nobody else's, or null.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_entry(
    frame: *mut rtrace_frame,
    ip: usize,
    moment: &rtrace_moment,
    regs: *const c_void,
) -> u32 {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return RTRACE_STUB_ALONE;
    };
    // SAFETY: By this function's contract.
    let mut frame = unsafe { frame.as_mut() }.filter(|frame| has_room(frame));
    if let Some(frame) = &mut frame {
        frame.token = 0;
        frame.more_tokens = [0; 2];
        frame.time = clock::now();
    }
    let mut is_followed = false;
    for enabling in table.enablings(ip) {
        let Some(engine) = table.engine(enabling) else {
            continue;
        };
        let Some(here) = engine.here(moment.cpu) else {
            continue;
        };
        if !engine.sees(moment) {
            continue;
        }
        let admitted = engine.admits(moment);
        if let Some(probe) = enabling.entry {
            // SAFETY: By this function's contract.
            unsafe { super::enter(engine, here, probe, moment, admitted, ip, regs) };
        }
        let Some(probe) = enabling.ret else { continue };
        let Some(block) = here.counters.block(probe.block.wrapping_add(1)) else {
            continue;
        };
        match &mut frame {
            _ if !admitted => block.call(Call::Passed),
            None => block.call(Call::Entered),
            Some(frame) => {
                block.call(Call::Followed);
                // SAFETY: By this function's contract.
                if unsafe { follow(engine, probe, moment, frame, regs) } {
                    is_followed = true;
                } else {
                    block.call(Call::NoFrame);
                }
            }
        }
    }
    if !is_followed {
        return RTRACE_STUB_ALONE;
    }
    arch::count_frame();
    RTRACE_STUB_FOLLOW
}

/// Whether a frame may stay where it is.
fn has_room(frame: &rtrace_frame) -> bool {
    let at = &raw const *frame as usize;
    // SAFETY: Preemption is off on the probe path.
    arch::is_high_on_stack(at) || unsafe { bindings::rtrace_has_room(at) }
}

/// Begins to follow a call. False: all that can be followed are.
///
/// # Safety
///
/// `regs` are those of the entry.
unsafe fn follow(
    engine: &Engine,
    probe: Probe,
    moment: &rtrace_moment,
    frame: &mut rtrace_frame,
    regs: *const c_void,
) -> bool {
    let Some(calls) = engine.calls() else {
        return false;
    };
    let [second, third] = &mut frame.more_tokens;
    let mut tokens = [&mut frame.token, second, third].into_iter();
    let Some(free) = tokens.find(|token| **token == 0) else {
        return false;
    };
    let Some(words) = calls.enter(moment, probe, frame.time) else {
        return false;
    };
    if calls.keeps_arguments() {
        // SAFETY: By this function's contract.
        let arguments = unsafe { super::program::arguments_to_keep(engine, probe, regs) };
        calls.keep(&words, &arguments);
    }
    *free = Token::of(&words).word();
    true
}

/// A followed call returns: the long way.
///
/// # Safety
///
/// Called by the shim: preemption off, `moment` valid, `regs` those of the return; `frame` is what one
/// of the ways to enter left in it.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_return(
    frame: &rtrace_frame,
    moment: &rtrace_moment,
    value: u64,
    regs: *const c_void,
) {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return;
    };
    let place = rtrace_place {
        regs,
        ip: frame.to,
        kind: bindings::RTRACE_PLACE_STUB,
    };
    for enabling in table.enablings(site(frame)) {
        let (Some(engine), Some(probe)) = (table.engine(enabling), enabling.ret) else {
            continue;
        };
        let Some(token) = token_of(engine, frame) else {
            continue;
        };
        // A call that returns after the end stays in flight.
        let Some(here) = engine.here(moment.cpu) else {
            continue;
        };
        let (call, arguments) = match token.cpu() {
            Some(cpu) => {
                let entered = clock::at(frame.time);
                let call = crate::engine::Call {
                    probe,
                    cpu,
                    entered,
                };
                (call, None)
            }
            None => {
                let words = [token.word(), frame.time];
                let arguments = super::kept(engine, &words);
                let Some(call) = engine.calls().and_then(|calls| calls.leave(&words)) else {
                    continue;
                };
                (call, arguments)
            }
        };
        let short = Some(&enabling.ret_short);
        super::leave(engine, here, &call, short, moment, value, arguments, &place);
    }
}

/// An engine's token in a frame.
fn token_of(engine: &Engine, frame: &rtrace_frame) -> Option<Token> {
    let first = [frame.token];
    if Token::from_word(frame.token).cpu().is_some() {
        // It is the only one.
        return engine.token_among(&first);
    }
    engine
        .token_among(&first)
        .or_else(|| engine.token_among(&frame.more_tokens))
}

/// A task ends inside a function. Calls that have a slot are found otherwise.
///
/// # Safety
///
/// Called by the shim: preemption off.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_died(frame: &rtrace_frame) {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return;
    };
    for enabling in table.enablings(site(frame)) {
        let (Some(engine), Some(probe)) = (table.engine(enabling), enabling.ret) else {
            continue;
        };
        let Some(cpu) = token_of(engine, frame).and_then(Token::cpu) else {
            continue;
        };
        let entered_at = engine.counters(cpu);
        if let Some(block) = entered_at.and_then(|c| c.block(probe.block.wrapping_add(1))) {
            block.call_ended(Call::Died);
        }
    }
}
