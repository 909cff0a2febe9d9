// SPDX-License-Identifier: GPL-2.0

//! Clauses are bound to probes: by the groups under which the probes were added.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::probes::{
    Place,
    Probe,
    Probes, //
};
use crate::{
    engine::{
        self,
        binding::{
            Binding,
            ENABLED_MAX, //
        },
        OwnProbe, //
    },
    functions::{
        self,
        Table,
        FUNCTIONS, //
    },
    loaded::Loaded,
    node::Node,
    own::{
        Kind,
        Own, //
    },
    program::{
        cost::COST_MAX,
        rights,
        Clause, //
    },
    refusal::Refusal,
    sort::sort,
};

/// What a clause asks of the probes of its group.
#[derive(Clone, Copy)]
struct Needs {
    group: u32,
    /// That they are system calls.
    system_calls: bool,
    /// That they are not entries of other functions: it reads arg1, and the node shows no argument.
    no_entries: bool,
}

impl Needs {
    fn of(loaded: &Loaded, clause: &Clause, node: Node) -> Self {
        let system_calls = Loaded::is_of_system_calls(clause);
        let code = loaded
            .code
            .get(clause.first as usize..)
            .and_then(|code| code.get(..clause.count as usize))
            .unwrap_or(&[]);
        Self {
            group: clause.group,
            system_calls,
            no_entries: !node.shows_data() && !system_calls && rights::reads_arg1(code),
        }
    }

    fn must_suit(&self, probe: &Probe, table: &Table, node: Node) -> Result<(), Refusal> {
        let function = match probe.place {
            Place::Function { function, .. } => Some(function),
            Place::Own(_) => None,
        };
        if self.system_calls && !function.is_some_and(|f| table.is_system_call(f)) {
            return Err(Refusal::with(
                EINVAL,
                fmt!(
                    "{} is in group {}, whose clauses are for system calls: these are the functions \
                     __x64_sys_*",
                    name_of(function, table),
                    self.group
                ),
            ));
        }
        if self.no_entries && function.is_some() && !probe.is_return() {
            return Err(Refusal::with(
                EACCES,
                fmt!(
                    "arg1 of {}:entry cannot be had on /dev/rust_tracer/{}, which shows arguments \
                     of system calls alone (provider syscall); /dev/rust_tracer/kernel shows it",
                    name_of(function, table),
                    node.name()
                ),
            )
            .by_rule("node"));
        }
        Ok(())
    }
}

/// What a refusal calls a probe's function.
fn name_of(function: Option<u32>, table: &Table) -> &str {
    let name = function.map_or(&b"a probe of the module's own"[..], |function| {
        table.name(table.primary_name(function))
    });
    core::str::from_utf8(name).unwrap_or("?")
}

/// The probes that are the module's own, as an engine knows them.
pub(super) fn own_probes(probes: &Probes) -> Result<KVec<OwnProbe>, Refusal> {
    let mut all = KVec::new();
    for (index, probe) in probes.iter() {
        let Place::Own(number) = probe.place else {
            continue;
        };
        if let Some(own) = probes.own(number) {
            let own = OwnProbe {
                kind: own.kind,
                probe: engine::Probe {
                    index,
                    block: probe.block,
                    system_call: false,
                },
                period: own.period,
            };
            all.push(own, GFP_KERNEL_ACCOUNT)?;
        }
    }
    Ok(all)
}

/// Binds a program's clauses to all probes. `before`: what was bound so far.
pub(super) fn bind(
    loaded: &Loaded,
    probes: &Probes,
    node: Node,
    before: Option<&Binding>,
) -> Result<Binding, Refusal> {
    let mut needs = KVVec::with_capacity(loaded.clauses.len(), GFP_KERNEL)?;
    for clause in &loaded.clauses {
        needs.push(Needs::of(loaded, clause, node), GFP_KERNEL)?;
    }
    let sets = clauses_of_sets(loaded, &needs, probes).map_err(too_many)?;
    let nothing = OfSet::default();
    let of = |probe: &Probe| sets.get(probe.set as usize).unwrap_or(&nothing);
    let is_error = |probe: &Probe| match probe.place {
        Place::Own(number) => {
            let own = probes.own(number);
            own.is_some_and(|own| own.kind == Kind::Error)
        }
        Place::Function { .. } => false,
    };
    let mut errors = probes.iter().filter(|(_, probe)| is_error(probe));
    let error_cost = errors.next().map_or(0, |(_, error)| of(error).cost);
    let with_names = loaded.asks_names();
    let mut names = KVec::new();
    let mut binding = Binding::new();
    for (_, probe) in probes.iter() {
        let OfSet { clauses, cost } = of(probe);
        names.clear();
        let module_len = {
            // Not held while the binding grows: see `FUNCTIONS`.
            let table = FUNCTIONS.lock();
            for clause in clauses {
                if let Some(needs) = needs.get(usize::from(*clause)) {
                    needs.must_suit(probe, &table, node)?;
                }
            }
            if *cost > COST_MAX {
                return Err(takes_too_long(probe, &table, clauses.len()));
            }
            let (module, name) = match probe.place {
                Place::Function { function, name, .. } => {
                    (table.module_name(function), table.name(name))
                }
                Place::Own(number) => {
                    let name = probes.own(number).map_or(&[][..], |own: &Own| &own.name);
                    (&[][..], name)
                }
            };
            if with_names {
                names.extend_from_slice(module, GFP_KERNEL)?;
                names.extend_from_slice(name, GFP_KERNEL)?;
            }
            module.len()
        };
        let errors = match is_error(probe) {
            true => 0,
            false => error_cost.saturating_mul(clauses.len() as u32),
        };
        let cost = cost.saturating_add(errors.min(COST_MAX));
        let pushed = binding.push(id(probe, probes), clauses, cost, &loaded.quick);
        pushed.map_err(too_many)?;
        if let Some((module, name)) = names.split_at_checked(module_len) {
            if with_names {
                binding.name(module, name)?;
            }
        }
    }
    binding.number(loaded.clauses.len(), before)?;
    Ok(binding)
}

fn too_many(error: Error) -> Refusal {
    if error != E2BIG {
        return error.into();
    }
    Refusal::new(
        ENOSPC,
        "the program has more clauses for more probes than can be kept: enable fewer probes, or join \
         clauses of the same probes",
    )
}

fn takes_too_long(probe: &Probe, table: &Table, clauses: usize) -> Refusal {
    let function = match probe.place {
        Place::Function { function, .. } => Some(function),
        Place::Own(_) => None,
    };
    Refusal::with(
        E2BIG,
        fmt!(
            "a firing of {} would take too long: its {clauses} clauses together may cost more than \
             {COST_MAX} (docs/bytecode.md); make them fewer or shorter",
            name_of(function, table)
        ),
    )
}

fn id(probe: &Probe, probes: &Probes) -> u32 {
    match probe.place {
        Place::Function { function, kind, .. } => functions::probe_id(function, kind),
        Place::Own(number) => probes.own(number).map_or(0, |own| own.id),
    }
}

/// What runs for the probes of a set of groups.
#[derive(Default)]
struct OfSet {
    /// In the program's order.
    clauses: KVec<u16>,
    /// What they cost at most.
    cost: u32,
}

/// Groups of all sets that are gone through; few have as many.
const STEPS_MAX: usize = 1 << 20;

/// What runs for each set of groups that a probe has. `E2BIG`: there is too much of it.
fn clauses_of_sets(loaded: &Loaded, needs: &[Needs], probes: &Probes) -> Result<KVVec<OfSet>> {
    let groups = probes.groups();
    let mut by_group = KVVec::with_capacity(needs.len(), GFP_KERNEL)?;
    for (clause, needs) in (0u16..).zip(needs) {
        by_group.push((needs.group, clause), GFP_KERNEL)?;
    }
    sort(&mut by_group);
    let mut used = KVVec::from_elem(false, groups.len() + 1, GFP_KERNEL)?;
    for (_, probe) in probes.iter() {
        if let Some(used) = used.get_mut(probe.set as usize) {
            *used = true;
        }
    }
    let mut all = KVVec::with_capacity(used.len(), GFP_KERNEL)?;
    let (mut sum, mut steps) = (0, 0);
    for (set, used) in (0..).zip(&used) {
        let mut clauses = KVec::new();
        if *used {
            for group in groups.of(set) {
                steps += 1;
                if steps > STEPS_MAX {
                    return Err(E2BIG);
                }
                let first = by_group.partition_point(|(of, _)| *of < group);
                let of_group = by_group.iter().skip(first);
                for (_, clause) in of_group.take_while(|(of, _)| *of == group) {
                    clauses.push(*clause, GFP_KERNEL_ACCOUNT)?;
                }
            }
            sort(&mut clauses);
        }
        sum += clauses.len();
        if sum > ENABLED_MAX {
            return Err(E2BIG);
        }
        let costs = clauses
            .iter()
            .filter_map(|clause| loaded.costs.get(usize::from(*clause)));
        let cost = costs.fold(0, |sum: u32, cost| sum.saturating_add(*cost));
        all.push(OfSet { clauses, cost }, GFP_KERNEL)?;
    }
    Ok(all)
}
