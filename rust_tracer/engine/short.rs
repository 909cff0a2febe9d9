// SPDX-License-Identifier: GPL-2.0

//! The short way: what a probe does that needs but a few instructions, told before it is attached.
//!
//! A probe goes the short way if its session sees everybody and is narrowed to nobody, and if all
//! that it does is the default record, or one clause that is [simple](crate::program::simple). What
//! comes in between (the session is over, a ring is full, a handler is at work already) closes it,
//! and the long way of `fire` says what becomes of the firing.

#![forbid(unsafe_code)]

use super::{
    clause_block,
    counters::BLOCK_BYTES,
    hot::{
        HotCpu,
        Offset, //
    },
    Engine,
    Probe, //
};
use crate::{
    arch,
    program::simple::{
        Number,
        Range,
        Then,
        Value, //
    }, //
};

/// What a probe does.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum What {
    /// There is no probe.
    Nothing,
    /// Only the long way can do it.
    Long,
    /// Calls are followed, and nothing fires at their entry. The stub's assembly knows its number.
    Follow,
    /// The default record with all that it can hold.
    Record,
    /// A clause that does nothing; that counts, adds up, or distributes by powers of two.
    Pass,
    Count,
    Sum,
    Quantize,
}

/// Where a number of the firing comes from: above what has a name, so many bytes behind the beginning of
/// the current task's structure, where 32 bits are it; below 0, of the registers, where 64 are.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Source(i16);

impl Source {
    pub(crate) const NOWHERE: Self = Self(0);
    pub(crate) const CPU: Self = Self(1);
    pub(crate) const ELAPSED: Self = Self(2);
    pub(crate) const VALUE: Self = Self(3);
    /// 0 in every firing.
    const ZERO: Self = Self(4);

    fn of(number: Number, fires: Fires) -> Self {
        let argument = |number: usize| Self(arch::argument_offset(number) | i16::MIN);
        match (number, fires) {
            (Number::Pid, _) => Self(arch::PID_OFFSET),
            (Number::Tid, _) => Self(arch::TID_OFFSET),
            (Number::Cpu, _) => Self::CPU,
            (Number::Elapsed, Fires::Return) => Self::ELAPSED,
            (Number::Argument1, Fires::Return) => Self::VALUE,
            (Number::Argument0, Fires::Entry) => argument(0),
            (Number::Argument1, Fires::Entry) => argument(1),
            (Number::Argument2, Fires::Entry) => argument(2),
            (Number::Argument3, Fires::Entry) => argument(3),
            (Number::Argument4, Fires::Entry) => argument(4),
            (Number::Argument5, Fires::Entry) => argument(5),
            // At an entry nothing has elapsed; when a function returns its arguments are gone.
            _ => Self::ZERO,
        }
    }

    /// Where in the task's structure it is, if it is there.
    #[inline(always)]
    pub(crate) fn in_task(self) -> Option<usize> {
        (self.0 > Self::ZERO.0).then_some(self.0 as usize)
    }

    /// Where in the registers it is, if it is there.
    #[inline(always)]
    pub(crate) fn in_registers(self) -> Option<usize> {
        (self.0 < 0).then_some((self.0 & i16::MAX) as usize)
    }
}

/// A probe, as the short way knows it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Short {
    pub(crate) what: What,
    /// That it counts, or makes the default record: the questions that come first.
    pub(crate) counts: bool,
    pub(crate) records: bool,
    /// What the stub's two halves do without a further question: an entry counts, and that is all; a
    /// return distributes, by powers of two and without a predicate, how long the call took.
    pub(crate) at_once: bool,
    /// A predicate: what must lie in the range.
    pub(crate) tested: Source,
    /// What is added up or distributed.
    pub(crate) value: Source,
    /// Of an entry whose call is followed to its return: where that is counted, or 0.
    pub(crate) entered: Offset,
    /// Its block of counters.
    pub(crate) block: Offset,
    /// The aggregation's first word of data; 0: it is the probe's own, and has a place.
    pub(crate) data: Offset,
    /// What records call it.
    pub(crate) index: u32,
    range: Range,
}

// The stub's assembly has it as the end of a slot.
const _: () = {
    use core::mem::offset_of;

    use crate::bindings::rtrace_slot;
    let begin = offset_of!(rtrace_slot, what);
    assert!(begin + offset_of!(Short, what) == offset_of!(rtrace_slot, what));
    assert!(begin + offset_of!(Short, at_once) == offset_of!(rtrace_slot, at_once));
    assert!(begin + offset_of!(Short, records) == offset_of!(rtrace_slot, records));
    assert!(begin + offset_of!(Short, tested) == offset_of!(rtrace_slot, tested));
    assert!(begin + offset_of!(Short, range) == offset_of!(rtrace_slot, low));
    assert!(Source::ZERO.0 as u32 == crate::bindings::RTRACE_SOURCE_NAMED);
    assert!(begin + offset_of!(Short, entered) == offset_of!(rtrace_slot, entered));
    assert!(begin + offset_of!(Short, block) == offset_of!(rtrace_slot, block));
    assert!(begin + offset_of!(Short, data) == offset_of!(rtrace_slot, data));
    assert!(What::Follow as u32 == crate::bindings::RTRACE_WHAT_FOLLOW);
};

/// At which end of a call a probe fires.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fires {
    Entry,
    Return,
}

impl Short {
    /// No probe.
    pub(crate) const NONE: Self = Self::only(What::Nothing);
    /// The long way can.
    pub(crate) const LONG: Self = Self::only(What::Long);

    /// Whether the number that is tested lies in the range. Any context.
    #[inline(always)]
    pub(crate) fn admits(&self, number: u64) -> bool {
        self.range.holds(number)
    }

    const fn only(what: What) -> Self {
        Self {
            what,
            counts: false,
            records: false,
            at_once: false,
            tested: Source::NOWHERE,
            value: Source::NOWHERE,
            entered: 0,
            block: 0,
            data: 0,
            index: 0,
            range: Range::ALL,
        }
    }
}

impl Engine {
    /// For what goes the short way, whichever CPU it is on.
    pub(crate) fn hot(&self) -> HotCpu {
        self.hots.everywhere()
    }

    /// How a function's entry fires, with its probes there. Task context, in an RCU read-side critical
    /// section.
    pub(crate) fn short_entry(&self, entry: Option<&Probe>, ret: Option<&Probe>) -> Short {
        let found = match entry {
            Some(entry) => self.find_short(entry, Fires::Entry),
            None => self.goes_short().then_some(Short::only(What::Follow)),
        };
        let followed = |ret: &Probe| {
            // They are kept where the long way keeps calls.
            let running = self.running();
            if running.is_some_and(|running| running.loaded.asks_entry_arguments) {
                return None;
            }
            let block = ret
                .block
                .checked_add(1)
                .filter(|block| self.was_first(*block))?;
            block.checked_mul(BLOCK_BYTES)
        };
        let entered = ret.map_or(Some(0), followed);
        match (found, entered) {
            (Some(short), Some(entered)) => Short {
                entered,
                at_once: short.at_once && entered == 0,
                ..short
            },
            _ => Short::LONG,
        }
    }

    /// How a return probe fires. As the other.
    pub(crate) fn short_return(&self, ret: &Probe) -> Short {
        self.find_short(ret, Fires::Return).unwrap_or(Short::LONG)
    }

    fn goes_short(&self) -> bool {
        self.node.shows_all_tasks() && self.targets.is_none()
    }

    /// Whether a block and all before it were there at the start.
    fn was_first(&self, block: u32) -> bool {
        let mut cpus = self.cpus.iter().flatten();
        cpus.all(|cpu| cpu.counters.are_first(block))
    }

    fn find_short(&self, probe: &Probe, fires: Fires) -> Option<Short> {
        let last = match self.running() {
            Some(_) => clause_block(probe.block, fires == Fires::Return),
            None => probe.block,
        };
        if !self.goes_short() || !self.was_first(last) {
            return None;
        }
        let short = Short {
            block: probe.block.checked_mul(BLOCK_BYTES)?,
            index: probe.index,
            ..Short::LONG
        };
        let Some(running) = self.running() else {
            return self.node.shows_data().then_some(Short {
                what: What::Record,
                records: true,
                ..short
            });
        };
        let binding = running.in_critical_section()?;
        let [enabled] = binding.enabled(probe.index) else {
            return None;
        };
        let simple = running.loaded.simple(enabled.clause)?;
        let is_shown = |number: Number| !number.is_data() || self.node.shows_data();
        let mut short = short;
        if let Some(test) = simple.test {
            if !is_shown(test.number) {
                return None;
            }
            short.tested = Source::of(test.number, fires);
            short.range = test.range;
        }
        match simple.then {
            Then::Nothing => short.what = What::Pass,
            // The predicate is worth it.
            Then::More => (),
            Then::Aggregate(index, value) | Then::AggregateByProbe(index, value, _) => {
                let (what, touched) = running.simply(index)?;
                short.what = what;
                match touched {
                    Some(touched) => {
                        short.counts = what == What::Count;
                        short.data = touched.checked_add(1)?.checked_mul(8)?;
                    }
                    None if running.has_places(probe.index) => {}
                    None => return None,
                }
                match value {
                    Value::Constant(_) if what == What::Count => (),
                    Value::Number(number) if is_shown(number) => {
                        short.value = Source::of(number, fires)
                    }
                    _ => return None,
                }
            }
        }
        let always = short.tested == Source::NOWHERE && short.data != 0;
        short.at_once = always
            && match fires {
                Fires::Entry => short.counts,
                Fires::Return => short.what == What::Quantize && short.value == Source::ELAPSED,
            };
        Some(short)
    }
}
