// SPDX-License-Identifier: GPL-2.0

//! The short way where several sessions probe a site: each of them goes it by itself, and what one of
//! them cannot do at once is left to the long way.
//!
//! But for who follows the call. That is the same for all: they leave short tokens, with one time in
//! cycles, or the long way follows it for all of them.

use core::ffi::c_void;

use super::{
    count_followed,
    leave::{
        count_recorded,
        leave_open,
        record_return, //
    },
    registers, //
};
use crate::{
    arch,
    attach::{
        Dispatch,
        Enabling,
        Slot, //
    },
    bindings::{
        rtrace_frame,
        RTRACE_STUB_ALONE,
        RTRACE_STUB_FIRED_SHIFT,
        RTRACE_STUB_FOLLOW,
        RTRACE_STUB_FOLLOWED,
        RTRACE_STUB_LONG, //
    },
    engine::{
        Engine,
        HotCpu,
        Short,
        Token,
        What, //
    },
    fire::short::{
        enter_open,
        leave_ring_of,
        record_entry,
        Recorded,
        Rest, //
    },
};

/// What is done already of a call that the long way is to do the rest of: an answer of the stub's first
/// half that is RTRACE_STUB_LONG or more.
#[derive(Clone, Copy)]
pub(super) struct Done(u32);

impl Done {
    const NOTHING: Self = Self(RTRACE_STUB_LONG);

    pub(super) fn from_word(word: u32) -> Self {
        Self(word)
    }

    /// That the entry probe of an engine with this [bit](Engine::bit) has fired.
    fn fired(self, bit: u32) -> Self {
        Self(self.0 | bit << RTRACE_STUB_FIRED_SHIFT)
    }

    fn followed(self) -> Self {
        Self(self.0 | RTRACE_STUB_FOLLOWED)
    }

    /// Whether the engine's entry probe has fired. The table may have been replaced since.
    pub(super) fn has_fired(self, engine: &Engine) -> bool {
        self.0 & engine.bit() << RTRACE_STUB_FIRED_SHIFT != 0
    }

    /// Whether all who follow the call do.
    pub(super) fn is_followed(self) -> bool {
        self.0 & RTRACE_STUB_FOLLOWED != 0
    }
}

/// Room for tokens in a frame.
const TOKENS: usize = 3;

/// A function is entered. What is not done the answer says.
///
/// # Safety
///
/// As for `rtrace_on_stub`.
#[inline(never)]
pub(super) unsafe fn enter(table: &Dispatch, slot: &Slot, frame: &mut rtrace_frame) -> u32 {
    let sharers = table.sharers_of(slot);
    if sharers.is_empty() {
        return RTRACE_STUB_LONG;
    }
    let registers = registers(frame);
    let mut done = Done::NOTHING;
    let mut is_left = false;
    let mut can_follow = true;
    let mut followers = [None; TOKENS];
    let mut free = followers.iter_mut();
    for (sharer, enabling) in sharers.iter().zip(table.enablings_of(slot)) {
        let (hot, short) = (sharer.hot(), &sharer.entry);
        let token = hot.token();
        if token == 0 || short.what == What::Long {
            if hot.is_running() {
                is_left = true;
                can_follow &= enabling.ret.is_none();
            }
            continue;
        }
        if enabling.entry.is_some() {
            // SAFETY: By this function's contract, and it was open a moment ago.
            if unsafe { fire(table, enabling, short, hot, registers) } {
                done = done.fired(sharer.bit);
            } else {
                is_left = true;
            }
        }
        if enabling.ret.is_some() {
            match free.next() {
                Some(follower) => *follower = Some((hot, short.entered, token)),
                None => can_follow = false,
            }
        }
    }
    let mut follows = followers[0].is_some();
    if follows && !(can_follow && arch::is_high_on_stack(&raw const *frame as usize)) {
        follows = false;
        is_left = true;
    }
    if follows {
        let word = |follower: Option<(_, _, u64)>| follower.map_or(0, |(.., token)| token);
        let [first, second, third] = followers.map(word);
        frame.token = Token::from_word(first).with_more().word();
        frame.more_tokens = [second, third];
        for (hot, entered, _) in followers.into_iter().flatten() {
            // SAFETY: It was open a moment ago, so the block was there at the start.
            unsafe { count_followed(hot, entered) };
        }
        arch::count_frame();
        frame.time = arch::cycles();
        done = done.followed();
    }
    match (is_left, follows) {
        (true, _) => done.0,
        (false, true) => RTRACE_STUB_FOLLOW,
        (false, false) => RTRACE_STUB_ALONE,
    }
}

/// The entry fires of one. False: nothing was done.
///
/// # Safety
///
/// It was open a moment ago; preemption off; `registers` are those of the entry.
#[inline(always)]
unsafe fn fire(
    table: &Dispatch,
    enabling: &Enabling,
    short: &Short,
    hot: HotCpu,
    registers: *const c_void,
) -> bool {
    // SAFETY: By this function's contract.
    match unsafe { enter_open(hot, short, registers) } {
        Rest::Nothing => true,
        // SAFETY: As above.
        Rest::Record => unsafe { record(table, enabling, short, hot, registers) },
        Rest::All | Rest::Follow => false,
    }
}

/// The default record of an entry. False: nothing was done.
///
/// # Safety
///
/// As for [`fire`].
#[inline(never)]
unsafe fn record(
    table: &Dispatch,
    enabling: &Enabling,
    short: &Short,
    hot: HotCpu,
    registers: *const c_void,
) -> bool {
    // SAFETY: By this function's contract.
    unsafe {
        let (recorded, _) = record_entry(hot, short, registers);
        is_recorded(recorded, hot, table.engine(enabling))
    }
}

/// Whether there is a record; what is still inside the ring leaves it.
///
/// # Safety
///
/// `recorded` is what became of a record in the ring, which was open a moment ago.
#[inline(always)]
unsafe fn is_recorded(recorded: Recorded, hot: HotCpu, engine: Option<&Engine>) -> bool {
    if recorded.is_inside() {
        // SAFETY: By this function's contract.
        unsafe { leave_ring_of(hot, engine) };
    }
    recorded.is_there()
}

/// A followed call returns. False: somebody is left who could not go the short way; the others' tokens
/// are taken away.
///
/// # Safety
///
/// As for `rtrace_on_stub_exit`; `slot` is the one of the frame's site.
#[inline(never)]
pub(super) unsafe fn leave(
    table: &Dispatch,
    slot: &Slot,
    frame: &mut rtrace_frame,
    value: u64,
) -> bool {
    let first = Token::from_word(frame.token);
    if first.cpu().is_none() {
        return false;
    }
    let [second, third] = match first.is_only() {
        true => [0; 2],
        false => frame.more_tokens,
    };
    let mut left = [first.alone().word(), second, third];
    for token in left.iter_mut().filter(|token| **token != 0) {
        // It entered here, for one who still runs.
        let mut hots = table.hots_of(slot);
        let Some((hot, enabling)) = hots.find(|(hot, _)| hot.token() == *token) else {
            continue;
        };
        // SAFETY: By this function's contract, and it was open a moment ago.
        if unsafe { leave_one(table, enabling, hot, frame, value) } {
            *token = 0;
        }
    }
    let [first, more @ ..] = left;
    let is_left = first != 0 || more != [0; 2];
    if is_left {
        frame.token = Token::from_word(first).with_more().word();
        frame.more_tokens = more;
    }
    !is_left
}

/// The return fires of one who follows the call. False: nothing was done.
///
/// # Safety
///
/// As for [`leave`]; `hot` is the enabling's, and was open a moment ago.
unsafe fn leave_one(
    table: &Dispatch,
    enabling: &Enabling,
    hot: HotCpu,
    frame: &rtrace_frame,
    value: u64,
) -> bool {
    let short = &enabling.ret_short;
    if !short.records {
        // SAFETY: By this function's contract.
        return unsafe { leave_open(hot, short, frame, value) };
    }
    // SAFETY: As above.
    unsafe {
        let recorded = record_return(frame, value, hot, short);
        let is_there = is_recorded(recorded, hot, table.engine(enabling));
        if is_there {
            count_recorded(hot, short);
        }
        is_there
    }
}
