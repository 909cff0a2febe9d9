// SPDX-License-Identifier: GPL-2.0

//! Calls on their way from entry to return: when each entered, and where.
//!
//! The kernel keeps two words of ours in its own return frame: which slot here holds the rest,
//! and when the call entered, by which a frame is known again. A slot in use is a call in
//! flight; so those that never come back, since their task has ended, can be told.

use core::sync::atomic::{
    AtomicBool,
    AtomicU32,
    AtomicU64,
    Ordering, //
};

use kernel::prelude::*;

use super::Probe;
use crate::{
    bindings::{
        self,
        rtrace_moment, //
    },
    frames::Frames, //
};

/// What lies in the kernel's frame.
pub(crate) type Frame = [u64; 2];

/// Who follows a call, as it stands in a stub's frame: the engine, by its generation, and in the lower
/// half the number of the call's slot, or for a call that has none ([`Token::SHORT`]) the CPU on which
/// it entered. 0 is nobody's. A frame has room for three.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

impl Token {
    /// The call has no slot: it is in flight as long as it was not counted as ended. All tokens of the
    /// frame are such ones. Above all slots' numbers.
    const SHORT: u64 = 1 << 31;
    /// Of a frame's first one, if it is a short one: there are others as well, or 0 in their places.
    const MORE: u64 = 1 << 30;

    /// Of a call without a slot.
    pub(super) fn short(generation: u32, cpu: u32) -> Self {
        Self(u64::from(generation) << 32 | Self::SHORT | u64::from(cpu))
    }

    /// Of a call with one.
    pub(crate) fn of(frame: &Frame) -> Self {
        Self(frame[0])
    }

    pub(crate) fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) fn word(self) -> u64 {
        self.0
    }

    pub(crate) fn is_of(self, generation: u32) -> bool {
        self.0 >> 32 == u64::from(generation)
    }

    /// The CPU on which the call entered, if it has no slot.
    pub(crate) fn cpu(self) -> Option<u32> {
        (self.0 & Self::SHORT != 0).then_some((self.0 & (Self::MORE - 1)) as u32)
    }

    /// The same as a frame's first one of several.
    pub(crate) fn with_more(self) -> Self {
        Self(self.0 | Self::MORE)
    }

    /// The same as the engine knows it.
    pub(crate) fn alone(self) -> Self {
        Self(self.0 & !Self::MORE)
    }

    /// Whether the frame has no other, and perhaps not even a word of it was written.
    pub(crate) fn is_only(self) -> bool {
        self.0 & (Self::SHORT | Self::MORE) == Self::SHORT
    }
}

#[repr(C, align(64))]
struct Slot {
    /// When the call entered, in ns; 0: the slot is free.
    entered: AtomicU64,
    /// When its task started; with `tid` it names the task for good.
    task_start: AtomicU64,
    tid: AtomicU32,
    cpu: AtomicU32,
    probe: AtomicU32,
    block: AtomicU32,
    system_call: AtomicBool,
}

/// How many arguments are kept.
pub(crate) const ARGUMENTS: usize = 6;

/// A call that is being followed.
pub(crate) struct Call {
    pub(crate) probe: Probe,
    /// The CPU on which it entered.
    pub(crate) cpu: u32,
    /// ns.
    pub(crate) entered: u64,
}

/// A number that tells the calls of one engine from those of another.
pub(super) fn new_generation() -> u32 {
    static GENERATION: AtomicU32 = AtomicU32::new(1);
    GENERATION.fetch_add(1, Ordering::Relaxed)
}

pub(crate) struct Calls {
    slots: KVVec<Slot>,
    heads: KVVec<AtomicU64>,
    next: KVVec<AtomicU32>,
    /// The arguments of each, if a program asks for them at the return.
    arguments: KVVec<[AtomicU64; ARGUMENTS]>,
    /// Tells frames of this engine from those of another that lay at the same address.
    generation: u32,
}

impl Calls {
    /// Room for `frames` calls. Task context.
    pub(crate) fn new(
        frames: u32,
        cpus: u32,
        generation: u32,
        with_arguments: bool,
    ) -> Result<Self> {
        let flags = GFP_KERNEL_ACCOUNT;
        let mut calls = Self {
            slots: KVVec::with_capacity(frames as usize, flags)?,
            heads: KVVec::with_capacity(cpus as usize, flags)?,
            next: KVVec::with_capacity(frames as usize, flags)?,
            arguments: KVVec::new(),
            generation,
        };
        for _ in 0..cpus {
            calls.heads.push(AtomicU64::new(0), flags)?;
        }
        for _ in 0..frames {
            calls.next.push(AtomicU32::new(0), flags)?;
            let slot = Slot {
                entered: AtomicU64::new(0),
                task_start: AtomicU64::new(0),
                tid: AtomicU32::new(0),
                cpu: AtomicU32::new(0),
                probe: AtomicU32::new(0),
                block: AtomicU32::new(0),
                system_call: AtomicBool::new(false),
            };
            calls.slots.push(slot, flags)?;
        }
        if with_arguments {
            calls.arguments.reserve(frames as usize, flags)?;
            for _ in 0..frames {
                let none = [const { AtomicU64::new(0) }; ARGUMENTS];
                calls.arguments.push(none, flags)?;
            }
        }
        calls.free().fill();
        Ok(calls)
    }

    /// Bytes that room for `frames` calls takes.
    pub(crate) fn memory_needed(frames: u32, with_arguments: bool) -> u64 {
        let arguments = if with_arguments { 8 * ARGUMENTS } else { 0 };
        u64::from(frames) * (size_of::<Slot>() + size_of::<AtomicU32>() + arguments) as u64
    }

    fn free(&self) -> Frames<'_> {
        Frames::new(&self.heads, &self.next)
    }

    /// How many calls are being followed. Task context; its time grows with the slots.
    pub(crate) fn in_use(&self) -> u32 {
        (self.slots.len() as u32).saturating_sub(self.free().free())
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.slots[..])
            + size_of_val(&self.heads[..])
            + size_of_val(&self.next[..])
            + size_of_val(&self.arguments[..])
    }

    /// Begins to follow a call; says what the kernel is to keep for it, or nothing if all slots
    /// are in use. Any context, preemption off.
    pub(crate) fn enter(&self, moment: &rtrace_moment, probe: Probe, now: u64) -> Option<Frame> {
        let number = self.free().take(moment.cpu)?;
        let slot = self.slots.get(number as usize)?;
        // SAFETY: Any context.
        let start = unsafe { bindings::rtrace_current_start() };
        slot.task_start.store(start, Ordering::Relaxed);
        slot.tid.store(moment.tid, Ordering::Relaxed);
        slot.cpu.store(moment.cpu, Ordering::Relaxed);
        slot.probe.store(probe.index, Ordering::Relaxed);
        slot.block.store(probe.block, Ordering::Relaxed);
        slot.system_call.store(probe.system_call, Ordering::Relaxed);
        // Release: who sees it in use sees the rest.
        slot.entered.store(now, Ordering::Release);
        Some([u64::from(self.generation) << 32 | u64::from(number), now])
    }

    /// Whether arguments are kept. Any context.
    #[inline(always)]
    pub(crate) fn keeps_arguments(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// Keeps the arguments of a call that has just begun to be followed. Any context.
    pub(crate) fn keep(&self, frame: &Frame, arguments: &[u64; ARGUMENTS]) {
        if let Some(slot) = self.arguments.get(frame[0] as u32 as usize) {
            for (word, argument) in slot.iter().zip(arguments) {
                word.store(*argument, Ordering::Relaxed);
            }
        }
    }

    /// The arguments that were kept of the call of a frame; to be asked before it is left. Any
    /// context.
    pub(crate) fn kept(&self, frame: &Frame) -> [u64; ARGUMENTS] {
        let mut arguments = [0; ARGUMENTS];
        if let Some(slot) = self.arguments.get(frame[0] as u32 as usize) {
            for (argument, word) in arguments.iter_mut().zip(slot) {
                *argument = word.load(Ordering::Relaxed);
            }
        }
        arguments
    }

    /// Ends following the call of a frame; nothing if the frame is not one of ours, or its call
    /// was given up. Any context, preemption off.
    pub(crate) fn leave(&self, frame: &Frame) -> Option<Call> {
        let [word, entered] = *frame;
        if word >> 32 != u64::from(self.generation) {
            return None;
        }
        self.end(word as u32, entered)
    }

    fn end(&self, number: u32, entered: u64) -> Option<Call> {
        let slot = self.slots.get(number as usize)?;
        let call = Self::call(slot, entered);
        slot.entered
            .compare_exchange(entered, 0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        self.free().give(number);
        Some(call)
    }

    fn call(slot: &Slot, entered: u64) -> Call {
        Call {
            probe: Probe {
                index: slot.probe.load(Ordering::Relaxed),
                block: slot.block.load(Ordering::Relaxed),
                system_call: slot.system_call.load(Ordering::Relaxed),
            },
            cpu: slot.cpu.load(Ordering::Relaxed),
            entered,
        }
    }

    /// Whether the call can still return. Task context.
    fn is_alive(slot: &Slot) -> bool {
        let tid = slot.tid.load(Ordering::Relaxed);
        let start = slot.task_start.load(Ordering::Relaxed);
        // SAFETY: Any numbers may be asked for.
        unsafe { bindings::rtrace_task_alive(tid, start) }
    }

    /// Calls `each` with every call that is being followed. Task context.
    pub(crate) fn each(&self, mut each: impl FnMut(Call) -> Result) -> Result {
        for slot in &self.slots {
            let entered = slot.entered.load(Ordering::Acquire);
            if entered != 0 {
                each(Self::call(slot, entered))?;
            }
        }
        Ok(())
    }

    /// Gives up the calls whose tasks have ended, and calls `each` with them. Task context.
    pub(crate) fn reap(&self, mut each: impl FnMut(&Call)) {
        for (number, slot) in (0..).zip(&self.slots) {
            let entered = slot.entered.load(Ordering::Acquire);
            if entered != 0 && !Self::is_alive(slot) {
                if let Some(call) = self.end(number, entered) {
                    each(&call);
                }
            }
        }
    }
}
