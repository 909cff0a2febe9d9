// SPDX-License-Identifier: GPL-2.0

//! Which clauses run for which probe: what a firing of a session with a program looks up first.
//!
//! A table that is replaced when probes come. For each probe, by its index, a run of clauses in
//! the program's order; and what clauses may ask about it, if any does.

#![forbid(unsafe_code)]

use kernel::prelude::*;

/// What is known of a probe.
#[derive(Clone, Copy, Default)]
pub(crate) struct Bound {
    first: u32,
    count: u32,
    /// What a firing costs at most, with what ERROR's clauses may cost for it.
    pub(crate) cost: u32,
    /// As in the ID column.
    pub(crate) id: u32,
}

/// Where its names are in the text: the module's, then the function's.
#[derive(Clone, Copy, Default)]
struct Names {
    start: u32,
    module: u16,
    function: u16,
}

/// A clause of a probe.
#[derive(Clone, Copy)]
pub(crate) struct Enabled {
    /// Of the program.
    pub(crate) clause: u16,
    /// How many of its instructions run quickly.
    pub(crate) quick: u16,
    /// The number of this enabling, from 1 on.
    pub(crate) epid: u32,
}

pub(crate) struct Binding {
    probes: KVVec<Bound>,
    enabled: KVVec<Enabled>,
    /// By probe, if a clause asks for them.
    names: KVVec<Names>,
    text: KVVec<u8>,
    /// The last enabling's number.
    last: u32,
}

/// Enablings of one session.
pub(crate) const ENABLED_MAX: usize = 1 << 22;

impl Binding {
    pub(crate) const fn new() -> Self {
        Self {
            probes: KVVec::new(),
            enabled: KVVec::new(),
            names: KVVec::new(),
            text: KVVec::new(),
            last: 0,
        }
    }

    /// The probe after those that are there has this id, and these clauses, in the program's order.
    /// `cost`: what they cost at most. `quick`: by clause, how many of its instructions run quickly.
    pub(crate) fn push(&mut self, id: u32, clauses: &[u16], cost: u32, quick: &[u16]) -> Result {
        let first = self.enabled.len();
        for &clause in clauses {
            if self.enabled.len() >= ENABLED_MAX {
                return Err(E2BIG);
            }
            let enabled = Enabled {
                clause,
                quick: quick.get(usize::from(clause)).copied().unwrap_or(0),
                epid: 0,
            };
            self.enabled.push(enabled, GFP_KERNEL_ACCOUNT)?;
        }
        let bound = Bound {
            first: first as u32,
            count: (self.enabled.len() - first) as u32,
            cost,
            id,
        };
        self.probes.push(bound, GFP_KERNEL_ACCOUNT)?;
        Ok(())
    }

    /// The probe that was just added has these names.
    pub(crate) fn name(&mut self, module: &[u8], function: &[u8]) -> Result {
        let names = Names {
            start: u32::try_from(self.text.len()).map_err(|_| E2BIG)?,
            module: module.len() as u16,
            function: function.len() as u16,
        };
        self.text.extend_from_slice(module, GFP_KERNEL_ACCOUNT)?;
        self.text.extend_from_slice(function, GFP_KERNEL_ACCOUNT)?;
        self.names.push(names, GFP_KERNEL_ACCOUNT)?;
        Ok(())
    }

    /// Numbers the enablings: clause by clause, and in the order of the probes. Those that were
    /// there before keep their numbers.
    pub(crate) fn number(&mut self, clauses: usize, before: Option<&Self>) -> Result {
        let mut next = KVVec::from_elem(0u32, clauses, GFP_KERNEL)?;
        for (probe, bound) in self.probes.iter().enumerate() {
            let mut known = before.map_or(&[][..], |before| before.enabled(probe as u32));
            for enabled in slice_of(&mut self.enabled, bound) {
                // Both are in the program's order.
                while let [first, rest @ ..] = known {
                    if first.clause > enabled.clause {
                        break;
                    }
                    if first.clause == enabled.clause {
                        enabled.epid = first.epid;
                    }
                    known = rest;
                }
                if let (0, Some(count)) = (enabled.epid, next.get_mut(usize::from(enabled.clause)))
                {
                    *count += 1;
                }
            }
        }
        self.last = before.map_or(0, |before| before.last);
        for count in &mut next {
            let first = self.last + 1;
            self.last += *count;
            *count = first;
        }
        for enabled in &mut self.enabled {
            if let (0, Some(next)) = (enabled.epid, next.get_mut(usize::from(enabled.clause))) {
                enabled.epid = *next;
                *next += 1;
            }
        }
        Ok(())
    }

    /// Bytes that it is going to hold for so many probes, with a clause or two and names.
    pub(crate) fn memory_needed(probes: u32) -> u64 {
        u64::from(probes) * (size_of::<Bound>() + 2 * size_of::<Enabled>()) as u64
    }

    /// Bytes that it holds.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.probes[..])
            + size_of_val(&self.enabled[..])
            + size_of_val(&self.names[..])
            + self.text.len()
    }

    /// A probe. Any context.
    #[inline(always)]
    pub(crate) fn probe(&self, index: u32) -> Option<&Bound> {
        self.probes.get(index as usize)
    }

    /// The clauses of a probe. Any context.
    #[inline(always)]
    pub(crate) fn enabled(&self, index: u32) -> &[Enabled] {
        self.probe(index)
            .and_then(|bound| {
                let first = bound.first as usize;
                self.enabled
                    .get(first..first.wrapping_add(bound.count as usize))
            })
            .unwrap_or(&[])
    }

    /// The names of a probe's module and function, if they were asked for. Any context.
    pub(crate) fn names(&self, index: u32) -> Option<(&[u8], &[u8])> {
        let names = self.names.get(index as usize)?;
        let text = self.text.get(names.start as usize..)?;
        let (module, rest) = text.split_at_checked(names.module.into())?;
        Some((module, rest.get(..names.function.into())?))
    }
}

fn slice_of<'a>(enabled: &'a mut [Enabled], bound: &Bound) -> &'a mut [Enabled] {
    let first = bound.first as usize;
    enabled
        .get_mut(first..first + bound.count as usize)
        .unwrap_or(&mut [])
}
