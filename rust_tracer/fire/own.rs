// SPDX-License-Identifier: GPL-2.0

//! The module's own probes fire: BEGIN and END in a command of the session's opener, ticks and
//! profiles in a timer's interrupt. (ERROR fires inside another firing.)
//!
//! On the node user a profile fires when it finds one of the opener's own tasks in user space; a
//! tick fires for itself, and tells of no task.

use super::{
    fired::{
        Event,
        What, //
    },
    program, //
};
use crate::{
    bindings::{
        rtrace_moment,
        rtrace_place, //
    },
    engine::Engine,
    own::Kind, //
};

/// BEGIN or END fires.
///
/// # Safety
///
/// Called by the shim: preemption off, `owner` an engine, the others valid.
#[no_mangle]
unsafe extern "C" fn rtrace_on_own(
    owner: u64,
    number: u32,
    moment: *const rtrace_moment,
    place: *const rtrace_place,
) {
    // SAFETY: By this function's contract.
    let (engine, moment, place) = unsafe { (&*(owner as *const Engine), &*moment, &*place) };
    let Some(running) = engine.running() else {
        return;
    };
    let Some(own) = running.own().get(number as usize) else {
        return;
    };
    let Some(here) = engine.here_anyway(moment.cpu) else {
        return;
    };
    let event = Event {
        place,
        what: What::Own(own.kind),
    };
    program::fire(engine, running, here, own.probe, moment, true, &event);
}

/// A clock fires. False if it shall not fire again.
///
/// # Safety
///
/// Called by the shim in a hard interrupt: `owner` an engine whose clocks are running, the others
/// valid.
#[no_mangle]
unsafe extern "C" fn rtrace_on_clock(
    owner: u64,
    number: u32,
    moment: *const rtrace_moment,
    place: *const rtrace_place,
) -> bool {
    // SAFETY: By this function's contract.
    let (engine, moment, place) = unsafe { (&*(owner as *const Engine), &*moment, &*place) };
    let own = engine
        .running()
        .and_then(|running| Some((running, running.own().get(number as usize)?)));
    if let (Some((running, own)), Some(here)) = (own, engine.here(moment.cpu)) {
        let seen = own.kind == Kind::Tick || engine.sees_interrupted(place);
        let admitted = own.kind == Kind::Tick || engine.admits(moment);
        if seen {
            let event = Event {
                place,
                what: What::Own(own.kind),
            };
            program::fire(engine, running, here, own.probe, moment, admitted, &event);
        }
    }
    engine.keeps_time()
}
