// SPDX-License-Identifier: GPL-2.0

//! A probe of a session with a program fires: its clauses run, in the program's order.
//!
//! Each clause counts as one firing, and as one of what became of it. What it made becomes a record
//! at once. One that cannot go on leaves a record of its fault, and then ERROR's clauses run; their
//! own faults are recorded, and fire nothing.
//!
//! How long that takes has a bound: what the clauses of a probe may cost together, which is known when
//! they are bound, and as much for ERROR's. What they took beyond what the guard takes for one
//! handler's work is told it.

use super::{
    fired::{
        Event,
        Fired,
        What, //
    },
    source,
    world::{
        Asked,
        World, //
    },
};
use crate::{
    abi, arch,
    bindings::{
        self,
        rtrace_moment, //
    },
    clock,
    engine::{
        self,
        binding::Enabled,
        counters::{
            Block,
            Firing,
            Ran, //
        },
        Engine,
        Here,
        Probe,
        Running,
        Space, //
    },
    own::Kind,
    program::{
        cost::COST_MAX,
        interpret::{
            self,
            Made,
            Outcome, //
        },
        quick::{
            self,
            Quick, //
        },
        Clause,
        Fault, //
    },
    ring::Why,
};

/// Bytes of a clause's record without its items, and of a fault's record.
const CLAUSE_BYTES: u32 = size_of::<abi::rtrace_record_clause>() as u32;
const FAULT_BYTES: u32 = size_of::<abi::rtrace_record_fault>() as u32;

/// A firing whose clauses may cost this much is timed.
const LONG: u32 = COST_MAX / 256;
/// What 1 of a cost takes at most, in ns, on a slow machine: whatever took longer was not ours.
const NS_PER_COST: u64 = 64;

/// Why there is no record.
enum NotWritten {
    /// There was no room.
    Dropped(Firing),
    /// Its speculation has ended meanwhile.
    Ended,
}

/// A call's arguments that a program may ask for when it returns.
///
/// # Safety
///
/// `regs` are those of the function's entry; preemption off.
#[inline(never)]
pub(super) unsafe fn arguments_to_keep(
    engine: &Engine,
    probe: Probe,
    regs: *const core::ffi::c_void,
) -> [u64; 6] {
    let node = engine.node();
    if probe.system_call && (node.shows_data() || node.shows_own_system_calls()) {
        // SAFETY: By this function's contract; a system call is entered in task context.
        unsafe { super::system_call_arguments(regs) }.unwrap_or_default()
    } else if node.shows_data() {
        // SAFETY: By this function's contract.
        unsafe { arch::arguments(regs) }
    } else {
        [0; 6]
    }
}

/// A probe fires.
#[inline(never)]
pub(super) fn fire(
    engine: &Engine,
    running: &Running,
    here: Here<'_>,
    probe: Probe,
    moment: &rtrace_moment,
    admitted: bool,
    event: &Event<'_>,
) {
    // SAFETY: Preemption is off on the probe path.
    let Some(binding) = (unsafe { running.binding() }) else {
        return;
    };
    let enabled = binding.enabled(probe.index);
    if enabled.is_empty() {
        return;
    }
    let is_return = matches!(event.what, What::Return { .. });
    let clause_block = engine::clause_block(probe.block, is_return);
    let (Some(block), Some(clauses)) = (
        here.counters.block(probe.block),
        here.counters.block(clause_block),
    ) else {
        return;
    };
    let all = |enabled: &[Enabled], what: Firing| count_all(block, &here, enabled, what);
    if !admitted {
        return all(enabled, Firing::Filtered);
    }
    let (Some(ring), Some(cpu)) = (here.ring, engine.cpu_program(moment.cpu)) else {
        return all(enabled, Firing::DroppedNoRing);
    };
    let lost = |enabled: &[Enabled], what: Firing| {
        enabled.iter().for_each(|_| ring.lose());
        all(enabled, what);
    };
    if engine.is_filled() {
        return lost(enabled, Firing::DroppedFull);
    }
    if moment.recursed {
        return lost(enabled, Firing::DroppedRecursion);
    }
    let fired = Fired {
        engine,
        running,
        cpu,
        binding,
        moment,
        event,
        probe,
        error: None,
        here,
        ring,
        block,
        clauses,
    };
    let long = binding.probe(probe.index).map(|bound| bound.cost);
    let long = long.filter(|cost| *cost >= LONG);
    let long = long.map(|cost| (clock::now(), cost));
    let (rest, time) = fired.run_quickly(enabled);
    if running.has_places(probe.index) {
        running.note_place(cpu, probe.index, enabled);
    }
    if !rest.is_empty() {
        match cpu.rooms.take(moment.context) {
            Some(mut taken) => {
                let (space, error_space) = taken.spaces();
                fired.run(rest, time, space, error_space);
            }
            // As many contexts are at work as there can be: it fires inside a handler.
            None => lost(rest, Firing::DroppedRecursion),
        }
    }
    if let Some((begun, cost)) = long {
        fired.note_time(begun, cost);
    }
}

/// The same became of all these clauses.
fn count_all(block: &Block, here: &Here<'_>, enabled: &[Enabled], what: Firing) {
    for _ in enabled {
        block.fire(Firing::Fired);
        here.count_fired();
        block.fire(what);
    }
}

impl Fired<'_> {
    /// Whether no clause runs any more. END fires after exit(), and so does ERROR in it.
    #[inline(always)]
    fn is_over(&self) -> bool {
        self.engine.is_dead()
            || self.engine.has_exited() && !matches!(self.event.what, What::Own(Kind::End))
    }

    /// Runs clauses until one needs memory. Gives that one and those behind it, and the firing's
    /// time, if one asked for it.
    #[inline(always)]
    fn run_quickly<'e>(&self, enabled: &'e [Enabled]) -> (&'e [Enabled], u64) {
        let loaded = &self.running.loaded;
        let mut world = World::new(self, &mut [], 0);
        let mut rest = enabled;
        while let [enabled, others @ ..] = rest {
            if enabled.quick == 0 {
                break;
            }
            if self.is_over() {
                return (&[], world.time);
            }
            let Some(clause) = loaded.clauses.get(usize::from(enabled.clause)) else {
                break;
            };
            let code = loaded.code.get(clause.first as usize..);
            let code = code.and_then(|code| code.get(..usize::from(enabled.quick)));
            world.asked = Asked::by(enabled, clause);
            let ran = quick::run(
                code.unwrap_or(&[]),
                &loaded.constants,
                &loaded.slots,
                &mut world,
            );
            if ran == Quick::Not {
                break;
            }
            self.block.fire(Firing::Fired);
            self.here.count_fired();
            match ran {
                Quick::Filtered => self.block.fire(Firing::Filtered),
                Quick::Dropped => self.clauses.clause(Ran::Aggregation),
                _ => self.clauses.clause(Ran::Processed),
            }
            rest = others;
        }
        (rest, world.time)
    }

    /// Tells the guard what clauses took, which may cost so much, beyond what it takes for one handler's
    /// work.
    #[cold]
    fn note_time(&self, begun: u64, cost: u32) {
        let taken = clock::now().saturating_sub(begun);
        let taken = taken.min(u64::from(cost).wrapping_mul(NS_PER_COST));
        let beyond = taken.saturating_sub(bindings::RTRACE_SAMPLE_MAX.into());
        if beyond != 0 {
            self.engine.note_burden(self.moment.cpu, beyond);
        }
    }

    /// Runs clauses, one after the other. `time`: the firing's, or 0 if nobody has asked. `error`:
    /// where ERROR's may run.
    #[inline(never)]
    fn run(
        &self,
        enabled: &[Enabled],
        time: u64,
        space: &mut Space,
        mut error: Option<&mut Space>,
    ) {
        let mut left = COST_MAX;
        let program = self.running.loaded.program();
        let Space { room, frames } = space;
        let mut world = World::new(self, frames, time);
        let mut firing =
            interpret::Firing::new(&program, self.engine.node().rights(), room, &mut world);
        for enabled in enabled {
            let Some(clause) = program.clauses.get(usize::from(enabled.clause)) else {
                continue;
            };
            if self.is_over() {
                return;
            }
            firing.world().asked = Asked::by(enabled, clause);
            self.block.fire(Firing::Fired);
            self.here.count_fired();
            let mut written = false;
            let outcome = firing.run(clause);
            if firing.exits() {
                self.engine.exit();
            }
            match outcome {
                Outcome::Filtered => self.block.fire(Firing::Filtered),
                Outcome::Processed => self.clauses.clause(Ran::Processed),
                Outcome::Dropped => self.clauses.clause(Ran::Aggregation),
                Outcome::NoSpeculation => self.clauses.clause(Ran::Speculation),
                Outcome::Recorded(made) => {
                    written = self.record(enabled, made, firing.items());
                }
                Outcome::Fault(fault, at) => {
                    match self.record_fault(enabled, fault, at) {
                        Ok(()) | Err(NotWritten::Ended) => self.clauses.clause(Ran::Fault),
                        Err(NotWritten::Dropped(dropped)) => self.block.fire(dropped),
                    }
                    if let (None, Some(space)) = (self.error, error.as_deref_mut()) {
                        let at = (clause, at);
                        left =
                            left.saturating_sub(self.fire_error(enabled, at, fault, space, left));
                    }
                }
            }
            firing.settle(written);
        }
    }

    /// ERROR fires for a clause that could not go on at an instruction. Its clauses do not run if they
    /// may cost more than is `left`; else what they may cost is returned.
    #[cold]
    #[inline(never)]
    fn fire_error(
        &self,
        enabled: &Enabled,
        (clause, at): (&Clause, u32),
        fault: Fault,
        space: &mut Space,
        left: u32,
    ) -> u32 {
        let Some(own) = self.running.own_of(Kind::Error) else {
            return 0;
        };
        let (Some(block), Some(clauses)) = (
            self.here.counters.block(own.probe.block),
            self.here
                .counters
                .block(engine::clause_block(own.probe.block, false)),
        ) else {
            return 0;
        };
        let errors = self.binding.enabled(own.probe.index);
        let bound = self.binding.probe(own.probe.index);
        let cost = bound.map_or(0, |bound| bound.cost);
        if cost > left {
            errors.iter().for_each(|_| self.ring.lose());
            count_all(block, &self.here, errors, Firing::DroppedRecursion);
            return 0;
        }
        let action = self.running.loaded.action(clause, at);
        let fired = Fired {
            probe: own.probe,
            error: Some([
                0,
                enabled.epid.into(),
                action.into(),
                at.into(),
                fault.kind.into(),
                fault.address,
            ]),
            block,
            clauses,
            ..*self
        };
        fired.run(errors, 0, space, None);
        cost
    }

    /// What a clause made becomes a record, if there is room for it.
    #[inline(always)]
    fn record(&self, enabled: &Enabled, made: Made, items: &[u64]) -> bool {
        let bytes = CLAUSE_BYTES.wrapping_add(made.words.wrapping_mul(8));
        let first = [
            u64::from(made.items) << 32 | u64::from(enabled.clause),
            made.speculation,
        ];
        let words = first.iter().chain(items);
        match self.write(abi::RTRACE_RECORD_CLAUSE, bytes, made.speculation, words) {
            Ok(()) => {
                self.block.fire(Firing::Recorded);
                true
            }
            Err(NotWritten::Dropped(dropped)) => {
                self.block.fire(dropped);
                false
            }
            Err(NotWritten::Ended) => {
                self.clauses.clause(Ran::Speculation);
                false
            }
        }
    }

    /// Whether a speculation has not ended while the clause ran.
    #[cold]
    fn is_speculated(&self, mark: u64) -> bool {
        self.running.speculations().is_active(mark)
    }

    /// Tells why a clause could not go on.
    #[cold]
    fn record_fault(&self, enabled: &Enabled, fault: Fault, at: u32) -> Result<(), NotWritten> {
        let words = [
            u64::from(fault.kind) << 32 | u64::from(enabled.clause),
            u64::from(enabled.epid) << 32 | u64::from(at),
            fault.address,
        ];
        self.write(abi::RTRACE_RECORD_FAULT, FAULT_BYTES, 0, words.iter())
    }

    /// Writes a record: the firing's probe, CPU and thread, and these words. It is one of the speculation `mark`, if
    /// that is not 0.
    #[inline(always)]
    fn write<'w>(
        &self,
        kind: u32,
        bytes: u32,
        mark: u64,
        words: impl Iterator<Item = &'w u64>,
    ) -> Result<(), NotWritten> {
        let moment = self.moment;
        let (wake, result) = match self.ring.reserve(bytes, clock::now, || source(moment)) {
            Ok(record) => {
                let (pid, tid) = self.who();
                record.put(2, u64::from(moment.cpu) << 32 | u64::from(self.probe.index));
                record.put(3, u64::from(tid) << 32 | u64::from(pid));
                let mut index = 4u32;
                for word in words {
                    record.put(index, *word);
                    index = index.wrapping_add(1);
                }
                // It has its time now: whatever ends the speculation from here on has a later one, and is read after it.
                if mark == 0 || self.is_speculated(mark) {
                    (record.commit(kind, moment.context), Ok(()))
                } else {
                    (record.discard(moment.context), Err(NotWritten::Ended))
                }
            }
            Err(dropped) => {
                if dropped.why == Why::Filled {
                    self.engine.fill();
                }
                let why = super::dropped(dropped.why);
                (dropped.wake, Err(NotWritten::Dropped(why)))
            }
        };
        if wake {
            self.engine.wake();
        }
        result
    }

    /// Whether the firing tells of the task that it came upon.
    #[inline(always)]
    pub(super) fn tells_of_task(&self) -> bool {
        self.engine.node().shows_all_tasks() || !matches!(self.event.what, What::Own(Kind::Tick))
    }

    /// The process and the thread that it tells of.
    #[inline(always)]
    pub(super) fn who(&self) -> (u32, u32) {
        if self.tells_of_task() {
            (self.moment.pid, self.moment.tid)
        } else {
            (0, 0)
        }
    }
}
