// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_TRACEPOINTS: who is called at the tracepoints of the kernel and of its modules.

#![forbid(unsafe_code)]

use super::{
    owners::Owners,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    bindings::rtrace_tracepoint_fact,
    refusal::Refusal, //
};

pub(super) fn view(owners: &Owners, is_ours: impl Fn(u64) -> bool) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_tracepoint>();
    for probe in &walk::all::<rtrace_tracepoint_fact>()? {
        rows.push(&abi::rtrace_view_tracepoint {
            name: probe.name,
            func: owners.of(probe.func),
            data: probe.data,
            ours: is_ours(probe.func).into(),
            reserved: 0,
        })?;
    }
    Ok(rows)
}
