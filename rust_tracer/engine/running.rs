// SPDX-License-Identifier: GPL-2.0

//! A program in an engine: its state, which has a fixed size and is all there before anything is
//! attached.
//!
//! ```text
//!   session      globals, dynamic variables, speculations        all CPUs, without locks
//!   each CPU     rooms (a firing's own memory); two tables of    that CPU alone; the table
//!                aggregations, of which one is active            that is not active: a reader
//! ```
//!
//! The tables of a CPU are turned by a work item on that CPU, so between two handlers: who reads the
//! one that was active before finds it at rest.

use core::sync::atomic::{
    AtomicU64,
    AtomicUsize,
    Ordering, //
};

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    binding::{
        Binding,
        Enabled, //
    },
    counters::Probe,
    hot::Place,
    rooms::Rooms,
    short::What,
    zeroed::{
        OwnWords,
        Words, //
    },
};
use crate::{
    bindings,
    loaded::Loaded,
    own::Kind,
    program::{
        aggregations::{
            self,
            Table, //
        },
        dynamic,
        globals::Globals,
        simple::Then,
        speculations::Speculations, //
    },
    snapshot::Snapshot, //
};

/// One of the module's own probes.
#[derive(Clone, Copy)]
pub(crate) struct OwnProbe {
    pub(crate) kind: Kind,
    pub(crate) probe: Probe,
    /// ns, of those that fire by the clock.
    pub(crate) period: u64,
}

/// What a session gives its engine to run.
pub(crate) struct ToRun {
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) own: KVec<OwnProbe>,
    /// How many probes there are.
    pub(crate) probes: u32,
}

impl ToRun {
    fn has_error(&self) -> bool {
        self.own.iter().any(|own| own.kind == Kind::Error)
    }

    /// Bytes that its state takes on one CPU.
    pub(super) fn memory_of_cpu(&self) -> u64 {
        (Rooms::memory(self.has_error()) + size_of::<CpuProgram>()) as u64
            + 2 * 8 * self.loaded.aggregation_words() as u64
            + 2 * (size_of::<Place>() * self.places()) as u64
    }

    /// How many probes may have a place.
    fn places(&self) -> usize {
        if self.loaded.aggregates_by_probe() {
            self.probes as usize
        } else {
            0
        }
    }

    /// Bytes that its state takes for all CPUs together.
    pub(super) fn memory_of_all(&self) -> u64 {
        let words = self.loaded.global_words()
            + self.loaded.dynamic_words()
            + self
                .loaded
                .speculation_words(super::cpu_limit())
                .unwrap_or(0);
        8 * words as u64
    }
}

/// One CPU's part of a program's state.
pub(crate) struct CpuProgram {
    pub(crate) rooms: Rooms,
    tables: [Words; 2],
    /// Of each table, by the probe's index.
    places: [KVVec<Place>; 2],
    active: AtomicUsize,
    /// The state of this CPU's random numbers.
    random: AtomicU64,
}

/// A program in an engine.
pub(crate) struct Running {
    pub(crate) loaded: Arc<Loaded>,
    binding: Snapshot<Binding>,
    own: KVec<OwnProbe>,
    globals: Words,
    dynamic: Words,
    dynamic_shape: Option<dynamic::Shape>,
    speculations: Words,
    /// Calls of speculation() that found none free.
    unspeculated: AtomicU64,
    aggregation_shape: Option<aggregations::Shape>,
    aggregations: KVec<aggregations::Placed>,
    places: usize,
    with_error: bool,
}

/// A random number. Task context.
fn random() -> u64 {
    // SAFETY: Task context.
    unsafe { bindings::rtrace_random() }
}

impl Running {
    /// All state but that of the CPUs. Task context.
    pub(super) fn new(to_run: ToRun) -> Result<Self> {
        let with_error = to_run.has_error();
        let places = to_run.places();
        let ToRun { loaded, own, .. } = to_run;
        let mut aggregations = loaded.aggregations()?;
        let aggregation_shape =
            aggregations::Shape::new(&mut aggregations, loaded.aggregation_words(), random());
        let speculation_words = loaded.speculation_words(super::cpu_limit()).ok_or(ENOMEM)?;
        Ok(Self {
            binding: Snapshot::empty(),
            own,
            globals: Words::new(loaded.global_words())?,
            dynamic: Words::new(loaded.dynamic_words())?,
            dynamic_shape: loaded.dynamic_shape(random()),
            speculations: Words::new(speculation_words)?,
            unspeculated: AtomicU64::new(0),
            aggregation_shape,
            aggregations,
            places,
            with_error,
            loaded,
        })
    }

    /// Bytes that it holds, without what the CPUs have.
    pub(super) fn memory(&self) -> usize {
        self.globals.bytes() + self.dynamic.bytes() + self.speculations.bytes()
    }

    /// The state of one CPU. Task context.
    pub(super) fn new_cpu(&self) -> Result<KBox<CpuProgram>> {
        let table = || {
            let words = Words::new(self.loaded.aggregation_words())?;
            if let Some(table) = self.table(&words) {
                table.reset();
            }
            Ok::<_, Error>(words)
        };
        let places = || {
            let mut places = KVVec::with_capacity(self.places, GFP_KERNEL_ACCOUNT)?;
            for _ in 0..self.places {
                places.push(Place::default(), GFP_KERNEL_ACCOUNT)?;
            }
            Ok::<_, Error>(places)
        };
        let cpu = CpuProgram {
            rooms: Rooms::new(self.with_error)?,
            tables: [table()?, table()?],
            places: [places()?, places()?],
            active: AtomicUsize::new(0),
            random: AtomicU64::new(random()),
        };
        Ok(KBox::new(cpu, GFP_KERNEL_ACCOUNT)?)
    }

    /// Bytes that one CPU's state holds.
    pub(super) fn memory_of_cpu(&self) -> usize {
        Rooms::memory(self.with_error)
            + 2 * 8 * self.loaded.aggregation_words()
            + 2 * size_of::<Place>() * self.places
    }

    /// Which clauses run for which probe.
    ///
    /// # Safety
    ///
    /// Preemption must be off for as long as it is used, or the session's `inner` be held.
    #[inline(always)]
    pub(crate) unsafe fn binding(&self) -> Option<&Binding> {
        // SAFETY: By this function's contract: `bind` is called with `inner` held.
        unsafe { self.binding.read() }
    }

    /// The same, for who is not in the session's way. Task context, in an RCU read-side critical
    /// section.
    pub(crate) fn in_critical_section(&self) -> Option<&Binding> {
        // SAFETY: By this function's contract: that is what `replace` waits for.
        unsafe { self.binding.read() }
    }

    /// How an aggregation goes the short way, if it does; without keys, the word that says whether it
    /// was touched, before its data.
    pub(crate) fn simply(&self, index: u32) -> Option<(What, Option<u32>)> {
        let placed = self.aggregations.get(index as usize)?;
        let what = match placed.function() {
            aggregations::Function::Count => What::Count,
            aggregations::Function::Sum => What::Sum,
            aggregations::Function::Quantize => What::Quantize,
            _ => return None,
        };
        Some((what, placed.fixed()))
    }

    /// Whether a probe may have a place. Any context.
    #[inline(always)]
    pub(crate) fn has_places(&self, probe: u32) -> bool {
        (probe as usize) < self.places
    }

    /// Notes where the data lie that a probe aggregates under its name, for the short way to find them.
    /// On the CPU, preemption off.
    #[cold]
    pub(crate) fn note_place(&self, cpu: &CpuProgram, probe: u32, clauses: &[Enabled]) {
        let active = cpu.active.load(Ordering::Relaxed) & 1;
        let place = cpu.places[active].get(probe as usize);
        let Some(place) = place.filter(|place| place.load(Ordering::Relaxed).is_null()) else {
            return;
        };
        let [enabled] = clauses else { return };
        let simple = self.loaded.simple(enabled.clause);
        let Some(Then::AggregateByProbe(index, _, bits)) = simple.map(|simple| simple.then) else {
            return;
        };
        let keys = [u64::from(probe) | bits];
        let first = self.active(cpu).and_then(|table| table.place(index, &keys));
        if let Some(first) = first.and_then(|first| cpu.active_words().get(first as usize)) {
            place.store(core::ptr::from_ref(first).cast_mut(), Ordering::Relaxed);
        }
    }

    /// What is bound so far. The session's `inner` held.
    pub(crate) fn bound(&self) -> Option<&Binding> {
        // SAFETY: By this function's contract: it is replaced with `inner` held.
        unsafe { self.binding() }
    }

    /// Puts another binding in place. Task context, the session's `inner` held.
    pub(crate) fn bind(&self, binding: Binding) -> Result {
        self.binding
            .replace(Some(KBox::new(binding, GFP_KERNEL_ACCOUNT)?));
        Ok(())
    }

    /// The module's own probes.
    pub(crate) fn own(&self) -> &[OwnProbe] {
        &self.own
    }

    /// The first of a kind. Any context.
    pub(crate) fn own_of(&self, kind: Kind) -> Option<&OwnProbe> {
        self.own.iter().find(|own| own.kind == kind)
    }

    /// Global variables. Any context.
    #[inline(always)]
    pub(crate) fn globals(&self) -> Globals<&[AtomicU64]> {
        Globals::new(self.globals.all())
    }

    /// Dynamic variables, if there are any. Any context.
    #[inline(always)]
    pub(crate) fn dynamic(&self) -> Option<dynamic::Table<&[AtomicU64]>> {
        self.dynamic_shape
            .map(|shape| dynamic::Table::new(self.dynamic.all(), shape))
    }

    /// Speculations. Any context.
    #[inline(always)]
    pub(crate) fn speculations(&self) -> Speculations<&[AtomicU64]> {
        Speculations::new(self.speculations.all(), self.loaded.speculations())
    }

    /// Takes a speculation's number; 0, and counted, if none is free. Any context.
    pub(crate) fn take_speculation(&self) -> u64 {
        let number = self.speculations().take();
        if number == 0 {
            self.unspeculated.fetch_add(1, Ordering::Relaxed);
        }
        number
    }

    /// How often none was free.
    pub(crate) fn unspeculated(&self) -> u64 {
        self.unspeculated.load(Ordering::Relaxed)
    }

    fn table<'a>(&'a self, words: &'a Words) -> Option<Table<'a, OwnWords<'a>>> {
        let shape = self.aggregation_shape?;
        Some(Table::new(OwnWords(words.all()), &self.aggregations, shape))
    }

    /// The table into which a CPU aggregates. On that CPU, preemption off.
    #[inline(always)]
    pub(crate) fn active<'a>(&'a self, cpu: &'a CpuProgram) -> Option<Table<'a, OwnWords<'a>>> {
        let [first, second] = &cpu.tables;
        self.table(match cpu.active.load(Ordering::Relaxed) {
            0 => first,
            _ => second,
        })
    }

    /// The table that is at rest. Task context; one reads, at a time.
    pub(crate) fn resting<'a>(&'a self, cpu: &'a CpuProgram) -> Option<Table<'a, OwnWords<'a>>> {
        let [first, second] = &cpu.tables;
        self.table(match cpu.active.load(Ordering::Relaxed) {
            0 => second,
            _ => first,
        })
    }
}

impl CpuProgram {
    /// The words of the table into which its CPU aggregates. Any context.
    pub(super) fn active_words(&self) -> &[AtomicU64] {
        let [first, second] = &self.tables;
        match self.active.load(Ordering::Relaxed) {
            0 => first.all(),
            _ => second.all(),
        }
    }

    /// The places in that table. Any context.
    pub(super) fn active_places(&self) -> &[Place] {
        &self.places[self.active.load(Ordering::Relaxed) & 1]
    }

    /// Forgets those of the table that is at rest, which is empty. Task context.
    pub(super) fn forget_places(&self) {
        for place in &self.places[!self.active.load(Ordering::Relaxed) & 1] {
            place.store(core::ptr::null_mut(), Ordering::Relaxed);
        }
    }

    /// The table that is at rest becomes the active one. On its CPU between two handlers, or when
    /// none runs there.
    pub(super) fn turn(&self) {
        self.active.fetch_xor(1, Ordering::Relaxed);
    }

    /// A random number, good enough to choose by (Steele and others, SplitMix). On its CPU,
    /// preemption off.
    pub(crate) fn random(&self) -> u64 {
        let state = crate::arch::fetch_add_local(&self.random, 0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
