// SPDX-License-Identifier: GPL-2.0

//! The short way of a firing: what most probes do, in a few dozen instructions.
//!
//! ```text
//!   a traced function's site
//!     │ ftrace's trampoline
//!     ▼
//!   rtrace_on_call_site ──► enter(): the slot of the site says what to do ──► done
//!     │  every 127th: the same, with its time measured    │
//!     └────────── the long way (fire/mod.rs) ◄────────────┘ if it cannot be done here
//! ```
//!
//! What is done here calls nothing that can be traced, and each change of what an interrupting handler
//! sees is one instruction, or the ring's; so it need not be said that a handler is at work. What it
//! cannot do at once it leaves wholly undone, and the long way does it.

use core::{
    cell::Cell,
    ffi::c_void,
    sync::atomic::Ordering, //
};

use super::ENTRY_BYTES;
use crate::{
    abi,
    arch,
    attach::{
        Dispatch,
        Slot,
        DISPATCH, //
    },
    bindings,
    clock,
    engine::{
        counters::{
            at,
            Block,
            Blocks,
            Call,
            Firing,
            Ran, //
        },
        Engine,
        HotCpu,
        Pages,
        Short,
        Source,
        What, //
    },
    program::buckets,
    ring::Reservation, //
};

/// What a probe's blocks count, by place. An entry's clauses have the second.
pub(super) const FIRED: usize = at(0, Firing::Fired as usize);
pub(super) const FILTERED: usize = at(0, Firing::Filtered as usize);
pub(super) const RECORDED: usize = at(0, Firing::Recorded as usize);
pub(super) const PROCESSED: usize = at(1, Ran::Processed as usize);
/// A return's, the third.
const RETURN_PROCESSED: usize = at(2, Ran::Processed as usize);

/// What is to be done yet.
pub(super) enum Rest {
    Nothing,
    /// All: the long way must be gone.
    All,
    /// The default record.
    Record,
    /// Whatever it is, and the call is followed.
    Follow,
}

/// The function of the module's ftrace_ops: a traced function is entered. Each of its branches that
/// needs a frame of its own is a function that it goes on to.
///
/// # Safety
///
/// Called by ftrace; `regs` are those of the entry.
#[no_mangle]
unsafe extern "C" fn rtrace_on_call_site(
    ip: usize,
    _parent: usize,
    _ops: *mut c_void,
    regs: *const c_void,
) {
    arch::disable_preemption();
    if arch::is_turn() {
        // SAFETY: By this function's contract; preemption is off.
        return unsafe { bindings::rtrace_entry_measured(ip, regs) };
    }
    // SAFETY: Preemption is off for as long as it is used.
    let Some(table) = (unsafe { DISPATCH.read() }) else {
        return enable_preemption();
    };
    let Some(slot) = table.first_slot(ip) else {
        // SAFETY: By this function's contract.
        return unsafe { enter_elsewhere(table, ip, regs) };
    };
    // SAFETY: As above.
    unsafe { visit(table, slot, regs) }
}

/// A function is entered, and preemption on again in the end.
///
/// # Safety
///
/// Preemption off; `regs` are those of the entry.
#[inline(always)]
unsafe fn visit(table: &Dispatch, slot: &Slot, regs: *const c_void) {
    // Once: it may be struck out while this goes on.
    let hot = slot.hot();
    // SAFETY: By this function's contract.
    match unsafe { enter(slot, hot, regs) } {
        Rest::Nothing => enable_preemption(),
        // SAFETY: As above.
        Rest::All => unsafe { bindings::rtrace_entry_long(slot.site(), regs) },
        // SAFETY: As above.
        Rest::Record => unsafe { enter_recorded(table, slot, hot, regs) },
        // SAFETY: As above.
        Rest::Follow => unsafe { enter_followed(table, slot, hot, regs) },
    }
}

/// The same for a site whose slot was somebody else's already.
///
/// # Safety
///
/// Preemption off; `regs` are those of the entry.
#[inline(never)]
unsafe fn enter_elsewhere(table: &Dispatch, ip: usize, regs: *const c_void) {
    let Some(slot) = table.slot(ip) else {
        return enable_preemption();
    };
    // SAFETY: By this function's contract.
    unsafe { visit(table, slot, regs) }
}

/// The same for a call that is followed.
///
/// # Safety
///
/// It is open; preemption off; `regs` are those of the entry.
#[inline(never)]
unsafe fn enter_followed(table: &Dispatch, slot: &Slot, hot: HotCpu, regs: *const c_void) {
    // SAFETY: By this function's contract.
    if !unsafe { follow(table, slot, hot, regs) } {
        // SAFETY: As above.
        return unsafe { bindings::rtrace_entry_long(slot.site(), regs) };
    }
    enable_preemption();
}

/// A followed call is entered. False: nothing was done.
///
/// # Safety
///
/// As for [`enter_followed`].
#[inline(always)]
unsafe fn follow(table: &Dispatch, slot: &Slot, hot: HotCpu, regs: *const c_void) -> bool {
    let short = &slot.entry;
    if short.what != What::Follow {
        // SAFETY: By this function's contract.
        let done = match unsafe { enter_open(hot, short, regs) } {
            Rest::Nothing => true,
            // SAFETY: As above.
            Rest::Record => unsafe { record_and_wake(table, short, hot, regs) },
            Rest::All | Rest::Follow => false,
        };
        if !done {
            return false;
        }
    }
    // SAFETY: It is open, and the block was there at the start.
    let [block, ..] = unsafe { hot.blocks(short.entered) };
    block.call(Call::Entered);
    true
}

#[inline(always)]
fn enable_preemption() {
    if arch::enable_preemption() {
        // SAFETY: Preemption is on again.
        unsafe { bindings::rtrace_schedule() };
    }
}

/// The same with the default record.
///
/// # Safety
///
/// As for [`record`].
#[inline(never)]
unsafe fn enter_recorded(table: &Dispatch, slot: &Slot, hot: HotCpu, regs: *const c_void) {
    // SAFETY: By this function's contract.
    match unsafe { record(&slot.entry, hot, regs) } {
        Recorded::Done => enable_preemption(),
        // SAFETY: As above.
        Recorded::Inside => unsafe { leave_and_end(table, hot) },
        // SAFETY: As above.
        Recorded::Not => unsafe { bindings::rtrace_entry_long(slot.site(), regs) },
        // SAFETY: As above.
        Recorded::NotInside => unsafe { leave_and_go_long(table, hot, slot.site(), regs) },
    }
}

/// # Safety
///
/// As for [`leave_ring`].
#[cold]
#[inline(never)]
unsafe fn leave_and_end(table: &Dispatch, hot: HotCpu) {
    // SAFETY: By this function's contract.
    unsafe { leave_ring(Some(table), hot) };
    enable_preemption();
}

/// # Safety
///
/// As for [`leave_ring`]; `regs` are those of the entry.
#[cold]
#[inline(never)]
unsafe fn leave_and_go_long(table: &Dispatch, hot: HotCpu, ip: usize, regs: *const c_void) {
    // SAFETY: By this function's contract.
    unsafe {
        leave_ring(Some(table), hot);
        bindings::rtrace_entry_long(ip, regs);
    }
}

/// # Safety
///
/// Called by the shim: preemption off, `regs` those of the entry.
#[no_mangle]
unsafe extern "C" fn rtrace_on_entry_short(ip: usize, regs: *const c_void) -> bool {
    // SAFETY: By this function's contract.
    let Some(table) = (unsafe { DISPATCH.read() }) else {
        return true;
    };
    let Some(slot) = table.slot(ip) else {
        return true;
    };
    let hot = slot.hot();
    // SAFETY: As above.
    match unsafe { enter(slot, hot, regs) } {
        Rest::Nothing => true,
        Rest::All => false,
        // SAFETY: As above.
        Rest::Record => unsafe { record_and_wake(table, &slot.entry, hot, regs) },
        // SAFETY: As above.
        Rest::Follow => unsafe { follow(table, slot, hot, regs) },
    }
}

/// The default record. False: nothing was done.
///
/// # Safety
///
/// As for [`record`].
#[inline(never)]
unsafe fn record_and_wake(
    table: &Dispatch,
    short: &Short,
    hot: HotCpu,
    regs: *const c_void,
) -> bool {
    // SAFETY: By this function's contract.
    unsafe { leave_inside(Some(table), hot, record(short, hot, regs)) }
}

/// A followed call returns. False: nothing was done, and the long way must be gone.
///
/// # Safety
///
/// Preemption off, `engine` alive and `short` one of its return probes'.
#[inline(always)]
pub(super) unsafe fn leave(engine: &Engine, short: &Short, value: u64, entered: u64) -> bool {
    let hot = engine.hot();
    let is_known = matches!(
        short.what,
        What::Pass | What::Count | What::Sum | What::Quantize
    );
    if !is_known && short.tested == Source::NOWHERE || !hot.is_open() {
        return false;
    }
    let number = |source: Source| {
        if source == Source::ELAPSED {
            return clock::now().saturating_sub(entered);
        }
        if source == Source::VALUE {
            return value;
        }
        // SAFETY: By this function's contract; no return probe asks for registers.
        unsafe { number(source, hot, core::ptr::null()) }
    };
    // SAFETY: It is open, and the block was there at the start.
    let blocks = unsafe { hot.blocks(short.block) };
    if short.tested != Source::NOWHERE && !short.admits(number(short.tested)) {
        count_filtered(blocks, hot);
        return true;
    }
    match short.what {
        What::Pass => (),
        What::Count | What::Sum | What::Quantize => {
            let value = match short.what {
                What::Count => 1,
                _ => number(short.value),
            };
            // SAFETY: It is open, and its program has such an aggregation.
            if !unsafe { aggregate(short, hot, value) } {
                return false;
            }
        }
        _ => return false,
    }
    Block::count::<FIRED>(blocks);
    Block::count::<RETURN_PROCESSED>(blocks);
    hot.count_fired();
    true
}

#[inline(always)]
fn count_filtered(blocks: &Blocks, hot: HotCpu) {
    Block::count::<FIRED>(blocks);
    Block::count::<FILTERED>(blocks);
    hot.count_fired();
}

/// A function is entered.
///
/// # Safety
///
/// Preemption off; `regs` those of the entry.
#[inline(always)]
unsafe fn enter(slot: &Slot, hot: HotCpu, regs: *const c_void) -> Rest {
    if !hot.is_open() {
        return rest_of_closed(hot);
    }
    let short = &slot.entry;
    if short.entered != 0 {
        return Rest::Follow;
    }
    // SAFETY: By this function's contract, and it is open.
    unsafe { enter_open(hot, short, regs) }
}

/// What is to be done where it is not open. Much is entered while it is being attached, and detached.
#[inline(always)]
fn rest_of_closed(hot: HotCpu) -> Rest {
    seldom();
    if hot.is_running() {
        Rest::All
    } else {
        Rest::Nothing
    }
}

/// The same where it is open, but for calls that are followed.
///
/// # Safety
///
/// It is open; preemption off; `regs` those of the entry.
#[inline(always)]
pub(super) unsafe fn enter_open(hot: HotCpu, short: &Short, regs: *const c_void) -> Rest {
    let passes = if let Some(offset) = short.tested.in_task() {
        // SAFETY: `Source::of` has it from there.
        short.admits(unsafe { arch::of_current(offset) }.into())
    } else {
        // SAFETY: By this function's contract.
        short.tested == Source::NOWHERE || short.admits(unsafe { number(short.tested, hot, regs) })
    };
    if !passes {
        // SAFETY: It is open, and the block was there at the start.
        count_filtered(unsafe { hot.blocks(short.block) }, hot);
        return Rest::Nothing;
    }
    if short.counts {
        // SAFETY: It is open, and its program has such an aggregation.
        arch::increment_local(unsafe { hot.aggregated(short.data) });
    } else if short.records {
        return Rest::Record;
    } else if matches!(short.what, What::Count | What::Sum | What::Quantize) {
        seldom();
        let value = match short.what {
            What::Count => 1,
            // SAFETY: By this function's contract.
            _ => unsafe { number(short.value, hot, regs) },
        };
        // SAFETY: It is open, and its program has such an aggregation.
        if !unsafe { aggregate(short, hot, value) } {
            return Rest::All;
        }
    } else if short.what != What::Pass {
        return Rest::All;
    }
    // SAFETY: It is open, and the block was there at the start.
    let blocks = unsafe { hot.blocks(short.block) };
    Block::count::<FIRED>(blocks);
    Block::count::<PROCESSED>(blocks);
    hot.count_fired();
    Rest::Nothing
}

/// An aggregation takes a value. False: nothing was done.
///
/// # Safety
///
/// It is open, and its program has an aggregation there that counts, adds up or distributes.
#[inline(always)]
pub(super) unsafe fn aggregate(short: &Short, hot: HotCpu, value: u64) -> bool {
    // SAFETY: By this function's contract.
    let first = unsafe {
        match short.data {
            0 => hot.named(short.index),
            at => Some(hot.aggregated(at)),
        }
    };
    let Some(first) = first else {
        return false;
    };
    if short.data != 0 && short.what != What::Count {
        // SAFETY: By this function's contract: the word before says that it was touched.
        unsafe { &*core::ptr::from_ref(first).sub(1) }.store(1, Ordering::Relaxed);
    }
    let (bucket, add) = match short.what {
        What::Quantize => (buckets::quantize(value as i64), 1),
        _ => (0, value),
    };
    // SAFETY: By this function's contract: it has a word for each bucket.
    let word = unsafe { &*core::ptr::from_ref(first).add(bucket as usize) };
    arch::add_local(word, add);
    true
}

/// A number of the firing.
///
/// # Safety
///
/// Preemption off, `regs` those of the entry.
#[inline(always)]
pub(super) unsafe fn number(source: Source, hot: HotCpu, regs: *const c_void) -> u64 {
    if let Some(offset) = source.in_task() {
        // SAFETY: `Source::of` has it from there.
        return unsafe { arch::of_current(offset) }.into();
    }
    seldom();
    if let Some(offset) = source.in_registers() {
        // SAFETY: By this function's contract; `Source::of` has it from there.
        return unsafe { regs.byte_add(offset).cast::<u64>().read() };
    }
    if source == Source::CPU {
        return hot.upper_cpu() >> 32;
    }
    0
}

/// What became of a record.
pub(super) enum Recorded {
    Done,
    /// It is there, but the ring is still to be left.
    Inside,
    /// There is none, and nothing else was done.
    Not,
    /// There is none, and the ring is still to be left.
    NotInside,
}

impl Recorded {
    #[inline(always)]
    pub(super) fn is_inside(&self) -> bool {
        matches!(self, Self::Inside | Self::NotInside)
    }

    #[inline(always)]
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Self::Done | Self::Inside)
    }
}

/// The default record of an entry, if no handler is at work on this CPU and the ring has room; else
/// nothing is done.
///
/// # Safety
///
/// It is open; preemption off, `regs` those of the entry.
#[inline(always)]
unsafe fn record(short: &Short, hot: HotCpu, regs: *const c_void) -> Recorded {
    // SAFETY: By this function's contract.
    let (recorded, _) = unsafe { record_entry(hot, short, regs) };
    recorded
}

/// The same; with how the counter stood then.
///
/// # Safety
///
/// As for [`record`].
#[inline(always)]
pub(super) unsafe fn record_entry(
    hot: HotCpu,
    short: &Short,
    regs: *const c_void,
) -> (Recorded, u64) {
    let kind = (abi::RTRACE_RECORD_ENTRY, ENTRY_BYTES);
    let put = |record: &Reservation<'_, _>, _, _| {
        // One after the other, so that one register is enough.
        for (word, argument) in (4..).zip(0..6) {
            // SAFETY: By this function's contract.
            record.put(word, unsafe { arch::argument(regs, argument) });
        }
    };
    // SAFETY: As above.
    let (recorded, cycles) = unsafe { record_with(hot, short, kind, put) };
    if recorded.is_there() {
        // SAFETY: It is open, and the block was there at the start.
        let blocks = unsafe { hot.blocks(short.block) };
        Block::count::<FIRED>(blocks);
        Block::count::<RECORDED>(blocks);
        hot.count_fired();
    }
    (recorded, cycles)
}

/// A default record of this kind, and of so many bytes, of which `put` writes what differs from kind to
/// kind, with the clock and how its counter stood then; as [`record_entry`], but that it counts nothing.
///
/// # Safety
///
/// As for [`record`].
#[inline(always)]
pub(super) unsafe fn record_with(
    hot: HotCpu,
    short: &Short,
    (kind, bytes): (u32, u32),
    put: impl FnOnce(&Reservation<'_, Pages>, clock::Counter, u64),
) -> (Recorded, u64) {
    if arch::is_handler_at_work() {
        return (Recorded::Not, 0);
    }
    let Some(clock) = clock::Counter::get() else {
        return (Recorded::Not, 0);
    };
    // SAFETY: It is open.
    let ring = unsafe { hot.ring() };
    let cycles = Cell::new(0);
    let now = || {
        cycles.set(arch::cycles());
        clock.when(cycles.get())
    };
    let Some(record) = ring.reserve_at_once(bytes, now) else {
        return (Recorded::NotInside, 0);
    };
    record.put(2, hot.upper_cpu() | u64::from(short.index));
    record.put(3, arch::current_pair());
    put(&record, clock, cycles.get());
    let recorded = if record.commit_at_once(kind, arch::context()) {
        Recorded::Done
    } else {
        Recorded::Inside
    };
    (recorded, cycles.get())
}

/// Leaves the ring, and wakes the reader if that is due.
///
/// # Safety
///
/// It is open, and this is inside its ring.
#[cold]
#[inline(never)]
unsafe fn leave_ring(table: Option<&Dispatch>, hot: HotCpu) {
    let engine = table.and_then(|table| table.engine_of(hot));
    // SAFETY: By this function's contract.
    unsafe { leave_ring_of(hot, engine) };
}

/// The same of an engine, which may have gone.
///
/// # Safety
///
/// As for [`leave_ring`].
pub(super) unsafe fn leave_ring_of(hot: HotCpu, engine: Option<&Engine>) {
    // SAFETY: By this function's contract.
    if unsafe { hot.ring() }.leave() {
        if let Some(engine) = engine {
            engine.wake_shielded();
        }
    }
}

/// Leaves the ring if that is still to be done; whether there is a record. `table` is the one now.
///
/// # Safety
///
/// It is open, and this is inside its ring if `recorded` says so.
#[inline(always)]
pub(super) unsafe fn leave_inside(
    table: Option<&Dispatch>,
    hot: HotCpu,
    recorded: Recorded,
) -> bool {
    if recorded.is_inside() {
        // SAFETY: By this function's contract.
        unsafe { leave_ring(table, hot) };
    }
    recorded.is_there()
}

/// Marks what seldom happens, so that what mostly does lies in a line.
#[cold]
#[inline(always)]
pub(super) fn seldom() {}
