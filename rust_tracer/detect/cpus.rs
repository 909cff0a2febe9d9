// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_CPUS: where each CPU goes when a program calls the kernel, or is interrupted.
//!
//! C header: [`arch/x86/include/asm/desc_defs.h`](srctree/arch/x86/include/asm/desc_defs.h)

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    owners::Owners,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    engine,
    refusal::Refusal, //
};

/// Bytes of a gate, and of all of them.
const GATE: usize = 16;
const GATES: usize = 256 * GATE;

/// Where a gate leads, if it is present.
fn handler(gate: &[u8]) -> Option<u64> {
    match gate {
        [a, b, _, _, _, bits, c, d, e, f, g, h, ..] if bits & 0x80 != 0 => {
            Some(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }
        _ => None,
    }
}

pub(super) fn view(owners: &Owners) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_cpu>();
    let mut gates = KVVec::from_elem(0, GATES, GFP_KERNEL)?;
    let _locked = engine::CpusLocked::new();
    for cpu in 0..engine::cpu_limit() {
        let Some(fact) = walk::cpu(cpu) else {
            continue;
        };
        let mut row = abi::rtrace_view_cpu {
            cpu,
            syscall: owners.of(fact.syscall),
            compat: owners.of(fact.compat),
            sysenter: owners.of(fact.sysenter),
            idt: owners.of(fact.idt),
            foreign: owners.of(0),
            cr0_wp: fact.cr0_wp,
            off: fact.off,
            ..Default::default()
        };
        let bytes = (fact.idt_bytes as usize).min(GATES);
        let table = gates.get_mut(..bytes).unwrap_or_default();
        if walk::copy(table, fact.idt) {
            row.idt_hash = walk::hash(table);
            for (vector, gate) in table.chunks_exact(GATE).enumerate() {
                let Some(handler) = handler(gate) else {
                    continue;
                };
                row.handlers += 1;
                let owner = owners.of(handler);
                let is_first = row.foreign.kind == abi::RTRACE_OWNER_ZERO;
                // Exceptions that no processor raises keep the gates that they had for booting.
                let is_kernels = matches!(
                    owner.kind,
                    abi::RTRACE_OWNER_KERNEL | abi::RTRACE_OWNER_INIT
                );
                if !is_kernels && is_first {
                    row.foreign = owner;
                    row.foreign_vector = vector as u32;
                }
            }
        }
        rows.push(&row)?;
    }
    Ok(rows)
}
