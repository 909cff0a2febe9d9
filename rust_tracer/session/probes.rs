// SPDX-License-Identifier: GPL-2.0

//! The probes of one session, in the order in which they were added: their index is what
//! records and the ledger call them.

#![forbid(unsafe_code)]

use core::ops::Range;

use kernel::prelude::*;

use super::{
    groups::{
        Groups,
        Set,
        Step, //
    },
    seen::Seen, //
};
use crate::{
    abi,
    attach::{
        By,
        Wanted, //
    },
    clock::NS_PER_SEC,
    engine::{
        self,
        binding::Binding, //
    },
    functions::{
        self,
        Kind,
        Match, //
    },
    own::{
        self,
        Own, //
    },
    program::cost::NS_PER_COST,
    refusal::Refusal,
    sort::sort, //
};

/// Where a probe is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Function {
        function: u32,
        kind: Kind,
        /// The name it was asked for by.
        name: u32,
    },
    /// One of the module's own, by number.
    Own(u32),
}

pub(super) struct Probe {
    pub(super) place: Place,
    /// RTRACE_WHY_*: why it is not attached, if it cannot be.
    pub(super) why: u32,
    pub(super) attached: bool,
    /// How it is, or was when it was; nothing if it never was.
    pub(super) by: Option<By>,
    /// Its block of counters; a return probe has the next one as well, and with a program there is
    /// one more.
    pub(super) block: u32,
    /// Its groups.
    pub(super) set: Set,
}

impl Probe {
    pub(super) fn is_return(&self) -> bool {
        matches!(
            self.place,
            Place::Function {
                kind: Kind::Return,
                ..
            }
        )
    }

    /// The block in which clauses count, if there is a program.
    pub(super) fn clause_block(&self) -> u32 {
        engine::clause_block(self.block, self.is_return())
    }

    pub(super) fn blocks(&self, with_program: bool) -> u32 {
        1 + u32::from(self.is_return()) + u32::from(with_program)
    }
}

/// How often a clock fires in a second, on one CPU; 0 if it is none.
fn hz(own: &Own) -> u64 {
    match own.kind.is_clock() {
        true => NS_PER_SEC.div_ceil(own.period.max(1)),
        false => 0,
    }
}

pub(super) struct Probes {
    probes: KVVec<Probe>,
    own: KVec<Own>,
    groups: Groups,
    seen: Seen,
    blocks: u32,
    returns: bool,
    with_program: bool,
}

/// What a request that fails is to leave as it was.
pub(super) struct Before {
    len: u32,
    own: usize,
    groups: usize,
    /// Probes that were there, and their sets.
    sets: KVVec<(u32, Set)>,
}

impl Probes {
    pub(super) const fn new() -> Self {
        Self {
            probes: KVVec::new(),
            own: KVec::new(),
            groups: Groups::new(),
            seen: Seen::new(),
            blocks: 0,
            returns: false,
            with_program: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    pub(super) fn len(&self) -> u32 {
        self.probes.len() as u32
    }

    pub(super) fn get(&self, index: u32) -> Option<&Probe> {
        self.probes.get(index as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Probe)> {
        (0..).zip(&self.probes)
    }

    pub(super) fn own(&self, number: u32) -> Option<&Own> {
        self.own.get(number as usize)
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// How many blocks of counters the probes need.
    pub(super) fn blocks(&self) -> u32 {
        self.blocks
    }

    pub(super) fn have_returns(&self) -> bool {
        self.returns
    }

    /// Gives the probes their blocks anew, for a session with or without a program. Nothing may
    /// have been counted.
    pub(super) fn lay_out(&mut self, with_program: bool) {
        self.with_program = with_program;
        self.blocks = 0;
        for probe in &mut self.probes {
            probe.block = self.blocks;
            self.blocks += probe.blocks(with_program);
        }
    }

    /// What [`Self::restore`] needs to undo what is done from here on.
    pub(super) fn before(&self) -> Before {
        Before {
            len: self.len(),
            own: self.own.len(),
            groups: self.groups.len(),
            sets: KVVec::new(),
        }
    }

    /// Undoes what a request that failed had done.
    pub(super) fn restore(&mut self, before: &Before) {
        while self.len() > before.len {
            let Some(probe) = self.probes.pop() else {
                break;
            };
            self.blocks = probe.block;
            if let Place::Function { function, kind, .. } = probe.place {
                self.seen.set(function, kind, None);
            }
        }
        for (index, set) in before.sets.iter().rev() {
            if let Some(probe) = self.probes.get_mut(*index as usize) {
                probe.set = *set;
            }
        }
        self.own.truncate(before.own);
        self.groups.truncate(before.groups);
        self.returns = self.probes.iter().any(Probe::is_return);
    }

    /// Adds a function's probes of these kinds (RTRACE_PROBE_*) unless they are here, and all of
    /// them to the step's group. Returns how many were new.
    pub(super) fn add(
        &mut self,
        found: Match,
        kinds: u32,
        step: &mut Step,
        before: &mut Before,
    ) -> Result<u32, Refusal> {
        let mut added = 0;
        for (kind, flag) in [
            (Kind::Entry, abi::RTRACE_PROBE_ENTRY),
            (Kind::Return, abi::RTRACE_PROBE_RETURN),
        ] {
            if kinds & flag == 0 {
                continue;
            }
            let index = match self.index_of(found.function, kind)? {
                Some(index) => index,
                None => {
                    let place = Place::Function {
                        function: found.function,
                        kind,
                        name: found.name,
                    };
                    added += 1;
                    self.push(place)?
                }
            };
            self.join(index, step, before)?;
        }
        Ok(added)
    }

    /// Adds one of the module's own probes unless it is here, and to the step's group. Returns its
    /// index.
    pub(super) fn add_own(
        &mut self,
        mut new: Own,
        step: &mut Step,
        before: &mut Before,
    ) -> Result<u32, Refusal> {
        let known = self.own.iter().position(|own| own.is_same(&new));
        let known = known.map(|number| Place::Own(number as u32));
        let known = known.and_then(|place| self.probes.iter().position(|p| p.place == place));
        let index = match known {
            Some(index) => index as u32,
            None => {
                let clocks = self.own.iter().filter(|own| own.kind.is_clock()).count();
                new.id = own::id(new.kind, clocks as u32)?;
                let number = self.own.len() as u32;
                self.own.push(new, GFP_KERNEL_ACCOUNT)?;
                self.push(Place::Own(number))?
            }
        };
        self.join(index, step, before)?;
        Ok(index)
    }

    /// Firings of its clocks in a second, on one CPU.
    pub(super) fn clock_hz(&self) -> u64 {
        self.own.iter().map(hz).sum()
    }

    /// What clauses of its clocks may take of a second on one CPU, in ns. Those that fire less than once a second may
    /// fire all together, and count as if they did so once a second.
    pub(super) fn clock_time(&self, binding: &Binding) -> u64 {
        let time = |(index, probe): (u32, &Probe)| match probe.place {
            Place::Own(number) => {
                let hz = self.own(number).map_or(0, hz);
                let cost = binding.probe(index).map_or(0, |bound| bound.cost);
                hz.saturating_mul(u64::from(cost) * NS_PER_COST)
            }
            Place::Function { .. } => 0,
        };
        self.iter().map(time).fold(0, u64::saturating_add)
    }

    fn push(&mut self, place: Place) -> Result<u32, Refusal> {
        let index = self.len();
        if index >= abi::RTRACE_PROBES_MAX {
            return Err(Refusal::with(
                ENOSPC,
                fmt!(
                    "a session may have {} probes: ask for fewer, or use several sessions",
                    abi::RTRACE_PROBES_MAX
                ),
            ));
        }
        let probe = Probe {
            place,
            why: abi::RTRACE_WHY_OK,
            attached: false,
            by: None,
            block: self.blocks,
            set: 0,
        };
        let blocks = probe.blocks(self.with_program);
        self.returns |= probe.is_return();
        self.probes.push(probe, GFP_KERNEL_ACCOUNT)?;
        self.blocks += blocks;
        if let Place::Function { function, kind, .. } = place {
            self.seen.set(function, kind, Some(index));
        }
        Ok(index)
    }

    /// Puts a probe into the step's group.
    fn join(&mut self, index: u32, step: &mut Step, before: &mut Before) -> Result<(), Refusal> {
        let Some(probe) = self.probes.get_mut(index as usize) else {
            return Ok(());
        };
        let set = self.groups.with(probe.set, step)?;
        if set != probe.set {
            if index < before.len {
                before.sets.push((index, probe.set), GFP_KERNEL)?;
            }
            probe.set = set;
        }
        Ok(())
    }

    /// The index of a function's probe of this kind, if it has it; makes room to note that it has.
    fn index_of(&mut self, function: u32, kind: Kind) -> Result<Option<u32>> {
        self.seen.make_room(function)?;
        Ok(self.seen.get(function, kind))
    }

    /// Whether any of these functions has a probe.
    pub(super) fn has_any(&self, functions: &Range<u32>) -> bool {
        self.seen.has_any(functions)
    }

    /// What is to be attached: the probes of functions that are not, those of one function
    /// together.
    pub(super) fn wanted(&self) -> Result<KVVec<Wanted>> {
        let mut order = KVVec::with_capacity(self.probes.len(), GFP_KERNEL)?;
        for (index, probe) in self.iter() {
            if let (Place::Function { function, .. }, false) = (probe.place, probe.attached) {
                order.push((function, index), GFP_KERNEL)?;
            }
        }
        sort(&mut order);
        let mut wanted: KVVec<Wanted> = KVVec::new();
        for (function, index) in order {
            let Some(probe) = self.get(index) else {
                continue;
            };
            if wanted
                .as_slice()
                .last()
                .is_none_or(|w| w.function != function)
            {
                let new = Wanted {
                    function,
                    entry: None,
                    ret: None,
                    before: None,
                    by: By::Ops,
                };
                wanted.push(new, GFP_KERNEL)?;
            }
            if let Some(at) = wanted.as_mut_slice().last_mut() {
                at.before = at.before.or(probe.by);
                let attached = Some(engine::Probe {
                    index,
                    block: probe.block,
                    system_call: false,
                });
                if probe.is_return() {
                    at.ret = attached;
                } else {
                    at.entry = attached;
                }
            }
        }
        Ok(wanted)
    }

    /// What was wanted is attached, but for the functions that are gone, which are in order; so are the module's own.
    pub(super) fn attached(&mut self, wanted: &[Wanted], gone: &[u32]) {
        for wanted in wanted {
            let is_gone = gone.binary_search(&wanted.function).is_ok();
            for probe in [wanted.entry, wanted.ret].into_iter().flatten() {
                if let Some(probe) = self.probes.get_mut(probe.index as usize) {
                    probe.attached = !is_gone;
                    probe.by = Some(wanted.by).filter(|_| !is_gone).or(probe.by);
                    probe.why = if is_gone {
                        abi::RTRACE_WHY_GONE
                    } else {
                        abi::RTRACE_WHY_OK
                    };
                }
            }
        }
        for probe in &mut self.probes {
            probe.attached |= matches!(probe.place, Place::Own(_));
        }
    }

    /// Functions went, and their probes with them.
    pub(super) fn went(&mut self, gone: &Range<u32>) {
        for probe in &mut self.probes {
            if let Place::Function { function, .. } = probe.place {
                if functions::is_gone(gone, function) {
                    probe.attached = false;
                    probe.why = abi::RTRACE_WHY_GONE;
                }
            }
        }
    }

    /// All were detached.
    pub(super) fn detached(&mut self) {
        for probe in &mut self.probes {
            probe.attached = false;
        }
    }

    /// How many probes are attached, and how many are not.
    pub(super) fn count_attached(&self) -> (u32, u32) {
        let attached = self.probes.iter().filter(|p| p.attached).count() as u32;
        (attached, self.len() - attached)
    }
}
