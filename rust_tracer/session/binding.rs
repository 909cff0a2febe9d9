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
        binding::Binding,
        OwnProbe, //
    },
    functions::{
        self,
        Table,
        FUNCTIONS, //
    },
    loaded::Loaded,
    node::Node,
    own::Own,
    program::{
        rights,
        Clause, //
    },
    refusal::Refusal,
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
        let name = |function: Option<u32>| {
            let name = function.map_or(&b"a probe of the module's own"[..], |function| {
                table.name(table.primary_name(function))
            });
            core::str::from_utf8(name).unwrap_or("?")
        };
        if self.system_calls && !function.is_some_and(|f| table.is_system_call(f)) {
            return Err(Refusal::with(
                EINVAL,
                fmt!(
                    "{} is in group {}, whose clauses are for system calls: these are the functions \
                     __x64_sys_*",
                    name(function),
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
                    name(function),
                    node.name()
                ),
            )
            .by_rule("node"));
        }
        Ok(())
    }
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
    let of_set = clauses_of_sets(&needs, probes)?;
    let with_names = loaded.asks_names();
    let table = FUNCTIONS.lock();
    let mut binding = Binding::new();
    for (_, probe) in probes.iter() {
        let clauses = of_set
            .get(probe.set as usize)
            .map_or(&[][..], |clauses| &clauses[..]);
        for clause in clauses {
            if let Some(needs) = needs.get(usize::from(*clause)) {
                needs.must_suit(probe, &table, node)?;
            }
        }
        let pushed = binding.push(id(probe, probes), clauses, &loaded.quick);
        pushed.map_err(|error| {
            if error != E2BIG {
                return error.into();
            }
            Refusal::new(
                ENOSPC,
                "the program has more clauses for more probes than can be kept: enable fewer \
                 probes, or join clauses of the same probes",
            )
        })?;
        if with_names {
            match probe.place {
                Place::Function { function, name, .. } => {
                    binding.name(table.module_name(function), table.name(name))?;
                }
                Place::Own(number) => {
                    let name = probes.own(number).map_or(&[][..], |own: &Own| &own.name);
                    binding.name(&[], name)?;
                }
            }
        }
    }
    binding.number(loaded.clauses.len(), before)?;
    Ok(binding)
}

fn id(probe: &Probe, probes: &Probes) -> u32 {
    match probe.place {
        Place::Function { function, kind, .. } => functions::probe_id(function, kind),
        Place::Own(number) => probes.own(number).map_or(0, |own| own.id),
    }
}

/// The clauses of each set of groups, in the program's order.
fn clauses_of_sets(needs: &[Needs], probes: &Probes) -> Result<KVVec<KVec<u16>>, Refusal> {
    let groups = probes.groups();
    let mut all = KVVec::with_capacity(groups.len() + 1, GFP_KERNEL)?;
    let mut used = KVVec::from_elem(false, groups.len() + 1, GFP_KERNEL)?;
    for (_, probe) in probes.iter() {
        if let Some(used) = used.get_mut(probe.set as usize) {
            *used = true;
        }
    }
    for (set, used) in (0..).zip(&used) {
        let mut clauses = KVec::new();
        if *used {
            let enabled = (0..)
                .zip(needs)
                .filter(|(_, needs)| groups.contain(set, needs.group));
            for (clause, _) in enabled {
                clauses.push(clause, GFP_KERNEL)?;
            }
        }
        all.push(clauses, GFP_KERNEL)?;
    }
    Ok(all)
}
