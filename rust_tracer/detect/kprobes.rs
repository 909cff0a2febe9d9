// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_KPROBES: what is in the kernel's table of kprobes; and text as it is without them.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    owners::Owners,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    bindings::rtrace_kprobe_fact,
    refusal::Refusal, //
};

pub(super) fn view(owners: &Owners) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_kprobe>();
    for probe in &walk::all::<rtrace_kprobe_fact>()? {
        rows.push(&abi::rtrace_view_kprobe {
            address: probe.address,
            probe: probe.probe,
            handler: owners.of(probe.handler),
            structure: owners.of(probe.probe),
            flags: probe.flags,
            aggregate: probe.aggregate,
            symbol: probe.symbol,
        })?;
    }
    Ok(rows)
}

/// The kprobes that there are, to tell what stood where they are.
pub(super) struct Kprobes(KVVec<rtrace_kprobe_fact>);

const INT3: u8 = 0xcc;
const JUMP: u8 = 0xe9;

impl Kprobes {
    /// None where the kernel's table cannot be found.
    pub(super) fn now() -> Result<Self, Refusal> {
        match walk::all() {
            Err(refusal) if refusal.error == EOPNOTSUPP => Ok(Self(KVVec::new())),
            probes => Ok(Self(probes?)),
        }
    }

    /// Whether a jump stands there that is one of them, if it leads where theirs do.
    pub(super) fn is_detour(&self, address: u64) -> bool {
        let mut optimized = self.0.iter().filter(|probe| probe.optimized != 0);
        optimized.any(|probe| probe.address == address)
    }

    /// One alone.
    pub(super) fn of(probe: &rtrace_kprobe_fact) -> Result<Self> {
        let mut one = KVVec::new();
        one.push(*probe, GFP_KERNEL)?;
        Ok(Self(one))
    }

    /// Puts back what stood in text that begins at `start`, where kprobes have changed it.
    pub(super) fn restore(&self, text: &mut [u8], start: u64) {
        for probe in &self.0 {
            let Some(at) = probe.address.checked_sub(start).map(|at| at as usize) else {
                continue;
            };
            match text.get_mut(at) {
                Some(byte) if *byte == INT3 || *byte == JUMP && probe.optimized != 0 => {
                    *byte = probe.opcode;
                }
                _ => continue,
            }
            if probe.optimized == 0 {
                continue;
            }
            let behind = text.get_mut(at + 1..).unwrap_or_default();
            for (byte, copied) in behind.iter_mut().zip(probe.copied) {
                *byte = copied;
            }
        }
    }
}
