// SPDX-License-Identifier: GPL-2.0

//! Entries and returns by the stub, the long way; and tasks that end in between.

use core::ffi::c_void;

use super::{
    several::Done,
    site, //
};
use crate::{
    arch,
    attach::STUBBED,
    bindings::{
        self,
        rtrace_frame,
        rtrace_moment,
        rtrace_place,
        RTRACE_STUB_ALONE,
        RTRACE_STUB_FOLLOW, //
    },
    clock,
    engine::{
        counters::Call,
        Engine,
        Probe,
        Token, //
    },
    fire, //
};

/// A function is entered: the long way.
///
/// # Safety
///
/// Called by the shim: preemption off, `moment` valid, `regs` those of the entry; `frame` is new, and
/// nobody else's, or null. `done` is what the short way answered.
#[no_mangle]
unsafe extern "C" fn rtrace_on_stub_entry(
    frame: *mut rtrace_frame,
    ip: usize,
    moment: &rtrace_moment,
    regs: *const c_void,
    done: u32,
) -> u32 {
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { STUBBED.read() }) else {
        return RTRACE_STUB_ALONE;
    };
    let done = Done::from_word(done);
    // SAFETY: By this function's contract.
    let mut frame = unsafe { frame.as_mut() }.filter(|frame| has_room(frame));
    if let Some(frame) = frame.as_mut().filter(|_| !done.is_followed()) {
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
        if let Some(probe) = enabling.entry.filter(|_| !done.has_fired(engine)) {
            // SAFETY: By this function's contract.
            unsafe { fire::enter(engine, here, probe, moment, admitted, ip, regs) };
        }
        let Some(probe) = enabling.ret.filter(|_| !done.is_followed()) else {
            continue;
        };
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
    if is_followed {
        arch::count_frame();
    }
    if is_followed || done.is_followed() {
        RTRACE_STUB_FOLLOW
    } else {
        RTRACE_STUB_ALONE
    }
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
        let arguments = unsafe { fire::program::arguments_to_keep(engine, probe, regs) };
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
        site: site(frame),
        to: 0,
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
                let arguments = fire::kept(engine, &words);
                let Some(call) = engine.calls().and_then(|calls| calls.leave(&words)) else {
                    continue;
                };
                (call, arguments)
            }
        };
        let short = Some(&enabling.ret_short);
        fire::leave(engine, here, &call, short, moment, value, arguments, &place);
    }
}

/// An engine's token in a frame.
fn token_of(engine: &Engine, frame: &rtrace_frame) -> Option<Token> {
    let first = Token::from_word(frame.token);
    if first.is_only() {
        return engine.token_among(&[frame.token]);
    }
    engine
        .token_among(&[frame.token])
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
