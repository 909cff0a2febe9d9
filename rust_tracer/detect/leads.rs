// SPDX-License-Identifier: GPL-2.0

//! Where the kernel's text leads out of the kernel, without anybody's having been asked: what somebody
//! has written there who hooks a function in its middle.
//!
//! ```text
//!   bytes that could be a jump, a call, or one by a register    most of them by chance
//!        ► where they lead there is executable memory         a few still
//!        ► not ftrace's site, a static call, a kprobe's detour, a thunk
//!        ► an instruction begins there                        what somebody wrote
//! ```
//!
//! No earlier state is needed: it is found whoever came first.

#![forbid(unsafe_code)]

use kernel::prelude::*;

use super::{
    kprobes::Kprobes,
    owners::Owners,
    pages::PAGE,
    sites::Firsts,
    text::is_thunks,
    walk, //
};
use crate::{
    abi,
    bindings::{
        rtrace_landmarks,
        rtrace_lead_fact, //
    },
    functions,
    refusal::Refusal, //
};

/// Bytes of the longest instruction.
const LONGEST: usize = 15;

/// The longest function that is looked at from its beginning on.
const FUNCTION_MAX: usize = 1 << 18;

/// What stands at an address of the kernel's: its symbol, and how far behind that.
fn place_of(address: u64) -> Result<Option<(KVec<u8>, usize)>> {
    let Some(mut name) = functions::name_of_address(address as usize)? else {
        return Ok(None);
    };
    let place = || -> Option<(usize, usize)> {
        let plus = name.iter().position(|byte| *byte == b'+')?;
        let rest = name.get(plus + 1..)?.strip_prefix(b"0x")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let value =
            |sum: usize, digit: &u8| sum << 4 | (*digit as char).to_digit(16).unwrap_or(0) as usize;
        Some((plus, digits.take(8).fold(0, value)))
    };
    let Some((plus, offset)) = place() else {
        return Ok(None);
    };
    name.truncate(plus);
    Ok(Some((name, offset)))
}

/// Whether an instruction begins at `address`, `offset` bytes behind its symbol. What there is no
/// memory for to look at is taken for one that does not.
fn begins(address: u64, offset: usize, kprobes: &Kprobes) -> Result<bool> {
    if offset > FUNCTION_MAX {
        return Ok(false);
    }
    let start = address - offset as u64;
    let mut text = KVVec::from_elem(0, offset + LONGEST, GFP_KERNEL)?;
    if !walk::copy(text.get_mut(..offset).unwrap_or_default(), start) {
        return Ok(false);
    }
    kprobes.restore(&mut text, start);
    let mut at = 0;
    while at < offset {
        let bytes = text.get(at..).map_or(0, walk::instruction_bytes);
        if bytes == 0 {
            return Ok(false);
        }
        at += bytes;
    }
    Ok(at == offset)
}

/// Whether there are nothing but thunks around an address of nobody's.
fn is_in_thunks(address: u64, page: &mut [u8]) -> bool {
    walk::copy(page, address - address % PAGE as u64) && is_thunks(page)
}

/// What of the kernel's own leads elsewhere by its nature.
fn is_ftraces(symbol: &[u8]) -> bool {
    matches!(symbol, b"ftrace_call" | b"ftrace_regs_call")
}

/// The place that a static call has besides where it is called.
fn is_static_calls(symbol: &[u8]) -> bool {
    symbol.starts_with(b"__SCT__")
}

/// All of them. `static_calls` are where those of the kernel lead, `probes` the functions of tracepoints:
/// static calls lead there as well.
pub(super) fn find(
    landmarks: &rtrace_landmarks,
    firsts: &Firsts,
    static_calls: &[u64],
    probes: &[u64],
    owners: &Owners,
) -> Result<KVVec<rtrace_lead_fact>, Refusal> {
    let mut found = KVVec::new();
    // Without ftrace's sites, its calls would be taken for somebody's.
    if !firsts.are_known() {
        return Ok(found);
    }
    let before = Kprobes::now()?;
    let runs = walk::executable()?;
    let image = landmarks.text as u64..landmarks.image_end as u64;
    let is_executable = |target: u64| {
        let behind = runs.partition_point(|run| run.start <= target);
        let run = behind.checked_sub(1).and_then(|at| runs.get(at));
        run.is_some_and(|run| target - run.start < run.bytes)
    };
    let leads = walk::leads(|target| !image.contains(&target) && is_executable(target))?;
    let after = Kprobes::now()?;
    let mut page = KVVec::from_elem(0, PAGE, GFP_KERNEL)?;
    for lead in &leads {
        let kind = owners.of(lead.target).kind;
        let is_detour =
            |kprobes: &Kprobes| kind == abi::RTRACE_OWNER_KPROBE && kprobes.is_detour(lead.at);
        let is_static_call =
            static_calls.contains(&lead.target) && walk::is_patched_by_kernel(lead.at);
        if firsts.has(lead.at) || is_static_call || is_detour(&before) || is_detour(&after) {
            continue;
        }
        let is_thunk = kind == abi::RTRACE_OWNER_THUNK
            || kind == abi::RTRACE_OWNER_NONE && is_in_thunks(lead.target, &mut page);
        if is_thunk {
            continue;
        }
        let Some((symbol, offset)) = place_of(lead.at)? else {
            continue;
        };
        let is_theirs = match kind {
            abi::RTRACE_OWNER_BPF | abi::RTRACE_OWNER_FTRACE => {
                is_ftraces(&symbol) || is_static_calls(&symbol)
            }
            abi::RTRACE_OWNER_MODULE if is_static_calls(&symbol) => {
                static_calls.contains(&lead.target) || probes.contains(&lead.target)
            }
            abi::RTRACE_OWNER_MODULE => is_ftraces(&symbol),
            _ => false,
        };
        if is_theirs || !begins(lead.at, offset, &after)? {
            continue;
        }
        found.push(*lead, GFP_KERNEL)?;
    }
    Ok(found)
}
