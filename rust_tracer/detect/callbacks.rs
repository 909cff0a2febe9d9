// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_CALLBACKS: what the kernel calls by pointers that no other view has, what leads out of
//! its text, and what is on the stacks of its tasks.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    leads,
    name::Name,
    owners::Owners,
    rows::Rows,
    sites::Firsts,
    walk, //
};
use crate::{
    abi,
    bindings::{
        rtrace_callback_fact,
        rtrace_landmarks,
        rtrace_tracepoint_fact, //
    },
    engine,
    refusal::Refusal,
    sort::sort_by, //
};

/// Whether an instruction that ends at the address is a call.
fn is_behind_call(address: u64) -> bool {
    /// Bytes of the longest.
    const LONGEST: usize = 7;
    let mut before = [0; LONGEST];
    if !walk::copy(&mut before, address.wrapping_sub(LONGEST as u64)) {
        return false;
    }
    // By a register or by memory: the length is told by how memory is addressed.
    let by = |opcode: u8, form: u8| opcode == 0xff && form & 0x38 == 0x10;
    let [a, b, c, d, e, f, g] = before;
    c == 0xe8 || by(f, g) || by(e, f) || by(d, e) || by(b, c) || by(a, b)
}

/// Whether a fact is told: of what is mostly the kernel's own, only the rest.
fn is_worth_telling(fact: &rtrace_callback_fact, owners: &Owners) -> bool {
    let kind = owners.of(fact.func).kind;
    match fact.kind {
        abi::RTRACE_CALLBACK_NOTIFIER
        | abi::RTRACE_CALLBACK_FPROBE
        | abi::RTRACE_CALLBACK_TRACEPOINT => true,
        abi::RTRACE_CALLBACK_STACK => {
            matches!(kind, abi::RTRACE_OWNER_NONE | abi::RTRACE_OWNER_HIDDEN)
                && is_behind_call(fact.func)
        }
        _ => kind != abi::RTRACE_OWNER_KERNEL,
    }
}

struct Told<'a> {
    rows: Rows,
    owners: &'a Owners,
}

impl Told<'_> {
    fn add(&mut self, kind: u32, name: Name, at: u64, func: u64) -> Result {
        self.rows.push(&abi::rtrace_view_callback {
            name: name.bytes(),
            at,
            func: self.owners.of(func),
            kind,
            reserved: 0,
        })
    }

    /// Hardware breakpoints on the kernel's memory.
    fn add_breakpoints(&mut self) -> Result {
        /// Addresses from here on are the kernel's.
        const KERNEL: u64 = 1 << 63;
        let _locked = engine::CpusLocked::new();
        for cpu in 0..engine::cpu_limit() {
            let Some(fact) = walk::cpu(cpu) else {
                continue;
            };
            for watched in fact.watched {
                if watched >= KERNEL {
                    let kind = abi::RTRACE_CALLBACK_BREAKPOINT;
                    self.add(kind, Name::of_number(cpu), watched, watched)?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn view(
    landmarks: &rtrace_landmarks,
    firsts: &Firsts,
    owners: &Owners,
) -> Result<Rows, Refusal> {
    let mut facts = walk::all::<rtrace_callback_fact>()?;
    let mut static_calls = KVVec::new();
    for fact in &facts {
        if fact.kind == abi::RTRACE_CALLBACK_STATIC_CALL && is_worth_telling(fact, owners) {
            static_calls.push(fact.func, GFP_KERNEL)?;
        }
    }
    let mut probes = KVVec::new();
    for probe in &walk::all::<rtrace_tracepoint_fact>()? {
        probes.push(probe.func, GFP_KERNEL)?;
    }
    // A task that several lists lead to, and what stands on a stack several times, is one.
    let key = |fact: &rtrace_callback_fact| (fact.kind, fact.at, fact.func);
    sort_by(&mut facts, |a, b| key(a).cmp(&key(b)));
    let mut told = Told {
        rows: Rows::of::<abi::rtrace_view_callback>(),
        owners,
    };
    for same in facts.chunk_by(|a, b| key(a) == key(b)) {
        match same.first() {
            Some(fact) if is_worth_telling(fact, owners) => {
                told.add(fact.kind, Name::from(fact.name), fact.at, fact.func)?;
            }
            _ => {}
        }
    }
    for lead in &leads::find(landmarks, firsts, &static_calls, &probes, owners)? {
        told.add(
            abi::RTRACE_CALLBACK_BRANCH,
            Name::EMPTY,
            lead.at,
            lead.target,
        )?;
    }
    told.add_breakpoints()?;
    Ok(told.rows)
}
