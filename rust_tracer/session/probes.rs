// SPDX-License-Identifier: GPL-2.0

//! The probes of one session, in the order in which they were added: their index is what
//! records and the ledger call them.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::{
    abi,
    attach::Wanted,
    engine,
    functions::{
        Kind,
        Match, //
    },
    refusal::Refusal,
    sort::sort, //
};

pub(super) struct Probe {
    pub(super) function: u32,
    pub(super) kind: Kind,
    /// The name it was asked for by.
    pub(super) name: u32,
    /// RTRACE_WHY_*: why it is not attached, if it cannot be.
    pub(super) why: u32,
    pub(super) attached: bool,
    /// Its block of counters; a return probe has the next one as well.
    pub(super) block: u32,
}

pub(super) struct Probes {
    probes: KVVec<Probe>,
    /// Two bits for each function: whether it has its entry and its return probe.
    seen: KVVec<u8>,
    blocks: u32,
    returns: bool,
}

impl Probes {
    pub(super) const fn new() -> Self {
        Self {
            probes: KVVec::new(),
            seen: KVVec::new(),
            blocks: 0,
            returns: false,
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

    /// How many blocks of counters the probes need.
    pub(super) fn blocks(&self) -> u32 {
        self.blocks
    }

    pub(super) fn have_returns(&self) -> bool {
        self.returns
    }

    /// Forgets the probes from `len` on: what a request that failed had added.
    pub(super) fn truncate(&mut self, len: u32) {
        while self.len() > len {
            if let Some(probe) = self.probes.pop() {
                self.blocks = probe.block;
                if let Some(seen) = self.seen.get_mut(probe.function as usize) {
                    *seen &= !(1 << probe.kind.number());
                }
            }
        }
        self.returns = self.probes.iter().any(|p| p.kind == Kind::Return);
    }

    /// Adds a function's probes of these kinds (RTRACE_PROBE_*) unless they are here. Returns
    /// how many were new.
    pub(super) fn add(&mut self, found: Match, kinds: u32) -> Result<u32, Refusal> {
        let mut added = 0;
        for (kind, flag) in [
            (Kind::Entry, abi::RTRACE_PROBE_ENTRY),
            (Kind::Return, abi::RTRACE_PROBE_RETURN),
        ] {
            if kinds & flag == 0 || self.has(found.function, kind)? {
                continue;
            }
            if self.len() >= abi::RTRACE_PROBES_MAX {
                return Err(Refusal::with(
                    ENOSPC,
                    fmt!(
                        "a session may have {} probes: ask for fewer, or use several sessions",
                        abi::RTRACE_PROBES_MAX
                    ),
                ));
            }
            let probe = Probe {
                function: found.function,
                kind,
                name: found.name,
                why: abi::RTRACE_WHY_OK,
                attached: false,
                block: self.blocks,
            };
            self.probes.push(probe, GFP_KERNEL_ACCOUNT)?;
            if let Some(seen) = self.seen.get_mut(found.function as usize) {
                *seen |= 1 << kind.number();
            }
            self.blocks += match kind {
                Kind::Entry => 1,
                Kind::Return => 2,
            };
            self.returns |= kind == Kind::Return;
            added += 1;
        }
        Ok(added)
    }

    /// Whether a function has its probe of this kind; makes room to note that it has.
    fn has(&mut self, function: u32, kind: Kind) -> Result<bool> {
        let index = function as usize;
        if index >= self.seen.len() {
            self.seen.resize(index + 1, 0, GFP_KERNEL_ACCOUNT)?;
        }
        let seen = self.seen.get(index).ok_or(EINVAL)?;
        Ok(seen & (1 << kind.number()) != 0)
    }

    /// What is to be attached: the probes that are not, those of one function together.
    pub(super) fn wanted(&self) -> Result<KVVec<Wanted>> {
        let mut order = KVVec::with_capacity(self.probes.len(), GFP_KERNEL)?;
        for (index, probe) in self.probes.iter().enumerate() {
            if !probe.attached {
                order.push((probe.function, index as u32), GFP_KERNEL)?;
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
                };
                wanted.push(new, GFP_KERNEL)?;
            }
            if let Some(at) = wanted.as_mut_slice().last_mut() {
                let attached = Some(engine::Probe {
                    index,
                    block: probe.block,
                });
                match probe.kind {
                    Kind::Entry => at.entry = attached,
                    Kind::Return => at.ret = attached,
                }
            }
        }
        Ok(wanted)
    }

    /// What was wanted is attached, but for the functions that are gone.
    pub(super) fn attached(&mut self, wanted: &[Wanted], gone: &[u32]) {
        for wanted in wanted {
            let is_gone = gone.contains(&wanted.function);
            for probe in [wanted.entry, wanted.ret].into_iter().flatten() {
                if let Some(probe) = self.probes.get_mut(probe.index as usize) {
                    probe.attached = !is_gone;
                    probe.why = if is_gone {
                        abi::RTRACE_WHY_GONE
                    } else {
                        abi::RTRACE_WHY_OK
                    };
                }
            }
        }
    }

    /// Functions went (sorted), and their probes with them.
    pub(super) fn went(&mut self, gone: &[u32]) {
        for probe in &mut self.probes {
            if gone.binary_search(&probe.function).is_ok() {
                probe.attached = false;
                probe.why = abi::RTRACE_WHY_GONE;
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
