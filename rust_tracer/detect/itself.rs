// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_SELF: whether this module is what it was, and has what it asked the kernel for; and what
//! the kernel says of its taints.

#![forbid(unsafe_code)]

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

use kernel::prelude::*;

use super::{
    kprobes::Kprobes,
    ledger::Ledger,
    owners::Owners,
    patched::Patched,
    rows::Rows,
    sites,
    walk, //
};
use crate::{
    abi,
    attach::Held,
    bindings::rtrace_ops_fact,
    refusal::Refusal, //
};

/// Taints that were ever seen.
static TAINTS: AtomicU64 = AtomicU64::new(0);

/// Sees the taints that are set. Any time, task context.
pub(crate) fn look_at_taints() {
    let (told, are) = walk::taints();
    TAINTS.fetch_or(told | are, Ordering::Relaxed);
}

/// What of this module stands fast.
pub(super) struct Own {
    base: u64,
    bytes: u64,
    patched: Patched,
    first: u64,
    first_taints: u64,
}

impl Own {
    pub(super) const fn unknown() -> Self {
        Self {
            base: 0,
            bytes: 0,
            patched: Patched::nowhere(),
            first: 0,
            first_taints: 0,
        }
    }

    /// In this module's initialiser.
    pub(super) fn see() -> Result<Self, Refusal> {
        let fact = walk::module(walk::own_module()).ok_or(EFAULT)?;
        look_at_taints();
        let mut new = Self {
            base: fact.base.first().copied().unwrap_or_default(),
            bytes: fact.bytes.first().copied().unwrap_or_default(),
            patched: Patched::find(true)?,
            first: 0,
            first_taints: TAINTS.load(Ordering::Relaxed),
        };
        new.first = new.hash()?;
        Ok(new)
    }

    fn hash(&self) -> Result<u64, Refusal> {
        let kprobes = Kprobes::now()?;
        let sites = core::iter::empty();
        Ok(self.patched.hash(self.base, self.bytes, sites, &kprobes)?)
    }

    pub(super) fn has(&self, address: u64) -> bool {
        (self.base..self.base + self.bytes).contains(&address)
    }

    pub(super) fn view(
        &self,
        held: &Held,
        ledger: &Ledger,
        owners: &Owners,
    ) -> Result<Rows, Refusal> {
        let mut rows = Rows::of::<abi::rtrace_view_self>();
        look_at_taints();
        let (told, are) = walk::taints();
        let own = walk::own_module();
        let listed = ledger.modules().find(|known| known.structure() == own);
        let mut row = abi::rtrace_view_self {
            text_hash: self.hash()?,
            first_hash: self.first,
            // Whoever changes the word, or the function that tells of it, is seen.
            taints: told & are,
            first_taints: self.first_taints,
            lost_taints: TAINTS.load(Ordering::Relaxed) & !(told & are),
            ftrace_enabled: walk::ftrace_is_enabled().into(),
            listed: listed.map_or(0, |known| known.seen()),
            ops_expected: held.ops,
            sites_expected: held.sites.len() as u32,
            text_base: self.base,
            text_bytes: self.bytes,
            fprobes_expected: held.fprobes,
            // Where the kernel's table is not known, all are as they should be.
            fprobes_found: walk::own_fprobes()?.unwrap_or(held.fprobes),
            ..Default::default()
        };
        let is_ours = |ops: &&rtrace_ops_fact| walk::is_own_ops(ops.ops);
        row.ops_found = walk::all::<rtrace_ops_fact>()?
            .iter()
            .filter(is_ours)
            .count() as u32;
        let listed = row.ops_found == row.ops_expected;
        row.sites_found =
            sites::leading_to(&held.sites, listed, |target| self.has(target), owners)?;
        rows.push(&row)?;
        Ok(rows)
    }
}
