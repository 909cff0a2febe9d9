// SPDX-License-Identifier: GPL-2.0

//! The probe path: what happens when a traced function is entered, and when it returns.
//!
//! What most probes do goes a [short way](short); this is the long one. Calls may come by a
//! [stub](stub). A session without a program
//! gets the records of this file. One with a program has its clauses run ([`program`]), and may have
//! [probes of the module's own](own).
//!
//! Called by the shim with preemption off, in any context up to NMI, from under any lock.
//! Nothing here waits, allocates, prints or can panic, and every firing is counted in the
//! ledger once as fired and once as what became of it.

use crate::{
    abi, arch,
    attach::DISPATCH,
    bindings::{
        self,
        rtrace_moment,
        rtrace_place, //
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
        Probe,
        Short, //
    },
    outcome::outcome,
    ring::{
        Reservation,
        Why, //
    },
};

mod fired;
mod own;
mod program;
mod short;
mod stacks;
mod stub;
mod world;

use fired::{
    Event,
    What, //
};

const ENTRY_BYTES: u32 = size_of::<abi::rtrace_record_entry>() as u32;
const RETURN_BYTES: u32 = size_of::<abi::rtrace_record_return>() as u32;
const CALLED_BYTES: u32 = size_of::<abi::rtrace_record_called>() as u32;
const RETURNED_BYTES: u32 = size_of::<abi::rtrace_record_returned>() as u32;

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
        if !engine.sees(moment) {
            continue;
        }
        let admitted = engine.admits(moment);
        if let Some(probe) = enabling.entry {
            // SAFETY: By this function's contract.
            unsafe { enter(engine, here, probe, moment, admitted, ip, regs) };
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

/// An entry probe fires.
///
/// # Safety
///
/// `regs` are those of the function's entry.
#[inline(always)]
unsafe fn enter(
    engine: &Engine,
    here: Here<'_>,
    probe: Probe,
    moment: &rtrace_moment,
    admitted: bool,
    ip: usize,
    regs: *const core::ffi::c_void,
) {
    if let Some(running) = engine.running() {
        let place = rtrace_place {
            regs,
            site: ip,
            to: 0,
            kind: bindings::RTRACE_PLACE_ENTRY,
        };
        let event = Event {
            place: &place,
            what: What::Entry,
        };
        return program::fire(engine, running, here, probe, moment, admitted, &event);
    }
    let what = (abi::RTRACE_RECORD_ENTRY, ENTRY_BYTES);
    if engine.node().shows_data() {
        // SAFETY: `regs` is what this function was given.
        let put = |record: &Reservation<'_, _>| unsafe { put_arguments(record, regs) };
        fire(engine, here, probe, moment, admitted, what, put);
    } else if let Some(arguments) = (probe.system_call && engine.node().shows_own_system_calls())
        // SAFETY: As above; who sees own system calls only sees task context.
        .then(|| unsafe { system_call_arguments(regs) })
        .flatten()
    {
        let put = |record: &Reservation<'_, _>| put_words(record, arguments);
        fire(engine, here, probe, moment, admitted, what, put);
    } else {
        let put = |record: &Reservation<'_, _>| put_who(record, 0);
        let what = (abi::RTRACE_RECORD_CALLED, CALLED_BYTES);
        fire(engine, here, probe, moment, admitted, what, put);
    }
}

/// # Safety
///
/// `regs` are those of a function's entry.
#[inline(always)]
unsafe fn put_arguments(record: &Reservation<'_, Pages>, regs: *const core::ffi::c_void) {
    // SAFETY: By this function's contract.
    put_words(record, unsafe { arch::arguments(regs) });
}

/// The arguments of the system call that the current task has made, if that is what was entered.
///
/// # Safety
///
/// `regs` are those of a function's entry, in task context.
#[inline(always)]
unsafe fn system_call_arguments(regs: *const core::ffi::c_void) -> Option<[u64; 6]> {
    let mut arguments = [0u64; 6];
    // SAFETY: By this function's contract; there is room for six.
    unsafe { bindings::rtrace_system_call_arguments(regs, arguments.as_mut_ptr()) }
        .then_some(arguments)
}

#[inline(always)]
fn put_words(record: &Reservation<'_, Pages>, words: [u64; 6]) {
    let [a0, a1, a2, a3, a4, a5] = words;
    record.put(4, a0);
    record.put(5, a1);
    record.put(6, a2);
    record.put(7, a3);
    record.put(8, a4);
    record.put(9, a5);
}

/// Who is at it, and half a word more: what a record has that shows no data.
#[inline(always)]
fn put_who(record: &Reservation<'_, Pages>, more: u32) {
    let mut who = bindings::rtrace_who::default();
    // SAFETY: Any context.
    unsafe { bindings::rtrace_who(&mut who) };
    let [first, second] = who.execname;
    record.put(4, u64::from(more) << 32 | u64::from(who.uid));
    record.put(5, first);
    record.put(6, second);
}

/// The kernel offers to keep a frame for a call to a function with a return probe. Nonzero
/// declines.
///
/// # Safety
///
/// Called by the shim: preemption off, `owner` the engine that the fprobe was made for,
/// `moment` valid, `frame` writable, `regs` those of the entry.
#[no_mangle]
unsafe extern "C" fn rtrace_on_call(
    owner: u64,
    ip: usize,
    moment: *const rtrace_moment,
    frame: *mut u64,
    regs: *const core::ffi::c_void,
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
    let Some(probe) = table
        .and_then(|table| table.enabling_of(ip, engine))
        .and_then(|enabling| enabling.ret)
    else {
        return DECLINE;
    };
    let (Some(here), Some(calls)) = (engine.here(moment.cpu), engine.calls()) else {
        return DECLINE;
    };
    if !engine.sees(moment) || !engine.admits(moment) {
        return DECLINE;
    }
    let Some(block) = here.counters.block(probe.block.wrapping_add(1)) else {
        return DECLINE;
    };
    block.call(Call::Followed);
    match calls.enter(moment, probe, clock::now()) {
        Some(words) => {
            if calls.keeps_arguments() {
                // SAFETY: By this function's contract.
                let arguments = unsafe { program::arguments_to_keep(engine, probe, regs) };
                calls.keep(&words, &arguments);
            }
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
/// `ip` the function's site, `moment` valid, `frame` what was kept (for an fprobe that lay at the same
/// address, perhaps), `regs` those of the return, which leads `to` there.
#[no_mangle]
unsafe extern "C" fn rtrace_on_return(
    owner: u64,
    ip: usize,
    moment: *const rtrace_moment,
    value: u64,
    frame: *const u64,
    regs: *const core::ffi::c_void,
    to: usize,
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
    let kept = kept(engine, frame);
    let Some(call) = engine.calls().and_then(|calls| calls.leave(frame)) else {
        return;
    };
    // SAFETY: Preemption is off for as long as it is used.
    let table = unsafe { DISPATCH.read() };
    let enabling = table.and_then(|table| table.enabling_of(ip, engine));
    let short = enabling.map(|enabling| &enabling.ret_short);
    let place = rtrace_place {
        regs,
        site: ip,
        to,
        kind: bindings::RTRACE_PLACE_RETURN,
    };
    leave(engine, here, &call, short, moment, value, kept, &place);
}

/// The arguments that were kept of a frame's call, if a program asks for them.
fn kept(engine: &Engine, frame: &Frame) -> Option<[u64; 6]> {
    engine.running()?;
    let calls = engine.calls().filter(|calls| calls.keeps_arguments())?;
    Some(calls.kept(frame))
}

/// A call that was followed returns: its return probe fires, if the session may know of it. `short`
/// says how it fires the short way.
#[expect(clippy::too_many_arguments, reason = "inlined into two handlers")]
#[inline(always)]
fn leave(
    engine: &Engine,
    here: Here<'_>,
    call: &crate::engine::Call,
    short: Option<&Short>,
    moment: &rtrace_moment,
    value: u64,
    arguments: Option<[u64; 6]>,
    place: &rtrace_place,
) {
    // Its task may have become another's since it entered.
    let seen = engine.sees(moment);
    let entered_at = engine.counters(call.cpu);
    if let Some(block) = entered_at.and_then(|c| c.block(call.probe.block.wrapping_add(1))) {
        block.call_ended(if seen { Call::Returned } else { Call::Hidden });
    }
    if !seen {
        return;
    }
    if let Some(running) = engine.running() {
        if let (Some(short), false) = (short, moment.recursed) {
            // SAFETY: Preemption is off, and the engine alive.
            if unsafe { short::leave(engine, short, value, call.entered) } {
                return;
            }
        }
        let event = Event {
            place,
            what: What::Return {
                value,
                entered: call.entered,
                arguments,
            },
        };
        return program::fire(engine, running, here, call.probe, moment, true, &event);
    }
    let elapsed = |record: &Reservation<'_, _>| record.time().saturating_sub(call.entered);
    let node = engine.node();
    if node.shows_data() || call.probe.system_call && node.shows_own_system_calls() {
        let put = |record: &Reservation<'_, _>| {
            record.put(4, value);
            record.put(5, elapsed(record));
        };
        let what = (abi::RTRACE_RECORD_RETURN, RETURN_BYTES);
        fire(engine, here, call.probe, moment, true, what, put);
    } else {
        let result = outcome(value)
            .filter(|_| node.shows_outcome())
            .unwrap_or(abi::RTRACE_RESULT_NONE as i32);
        let put = |record: &Reservation<'_, _>| {
            put_who(record, result as u32);
            record.put(7, elapsed(record));
        };
        let what = (abi::RTRACE_RECORD_RETURNED, RETURNED_BYTES);
        fire(engine, here, call.probe, moment, true, what, put);
    }
}

/// Whose share of a nearly full ring a firing takes: its task's, or that of the interrupts.
#[inline(always)]
fn source(moment: &rtrace_moment) -> u32 {
    const INTERRUPT: u32 = 1 << 23; // beyond all thread ids
    match moment.context {
        abi::RTRACE_CONTEXT_TASK => moment.tid,
        context => INTERRUPT | context,
    }
}

/// What a firing counts as whose record the ring did not take.
#[inline(always)]
fn dropped(why: Why) -> Firing {
    match why {
        Why::Full | Why::Filled => Firing::DroppedFull,
        Why::Nested => Firing::DroppedNested,
        Why::Flood => Firing::DroppedFlood,
    }
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
    here.count_fired();
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
    let wake = match ring.reserve(bytes, clock::now, || source(moment)) {
        Ok(record) => {
            record.put(2, u64::from(moment.cpu) << 32 | u64::from(probe.index));
            record.put(3, u64::from(moment.tid) << 32 | u64::from(moment.pid));
            put(&record);
            block.fire(Firing::Recorded);
            record.commit(kind, moment.context)
        }
        Err(dropped) => {
            block.fire(self::dropped(dropped.why));
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
