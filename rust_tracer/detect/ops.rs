// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_OPS and HOOKS: who is on ftrace's list, and for which functions.

#![forbid(unsafe_code)]

use super::{
    owners::Owners,
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    bindings::{
        rtrace_hook_fact,
        rtrace_ops_fact, //
    },
    refusal::Refusal, //
};

/// What an ops calls in the end: what is called directly in its place, or its function as it was
/// registered where ftrace put a filter of its own in front.
fn called(ops: &rtrace_ops_fact, owners: &Owners) -> abi::rtrace_owner {
    let now = owners.of(ops.func);
    // Of ours ftrace puts nothing in front, and calls nobody in its place: whatever is there is.
    if walk::is_own_ops(ops.ops) {
        return now;
    }
    if ops.direct != 0 {
        return owners.of(ops.direct);
    }
    let is_wrapped = ops.saved_func != 0 && ops.saved_func != ops.func;
    if is_wrapped && now.kind == abi::RTRACE_OWNER_KERNEL {
        return owners.of(ops.saved_func);
    }
    now
}

pub(super) fn view(owners: &Owners) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_ops>();
    for ops in &walk::all::<rtrace_ops_fact>()? {
        rows.push(&abi::rtrace_view_ops {
            ops: ops.ops,
            flags: ops.flags,
            functions: ops.functions,
            func: called(ops, owners),
            trampoline: owners.of(ops.trampoline),
            structure: owners.of(ops.ops),
            ours: walk::is_own_ops(ops.ops).into(),
            reserved: 0,
        })?;
    }
    Ok(rows)
}

pub(super) fn hooks(owners: &Owners) -> Result<Rows, Refusal> {
    let mut rows = Rows::of::<abi::rtrace_view_hook>();
    for hook in &walk::all::<rtrace_hook_fact>()? {
        rows.push(&abi::rtrace_view_hook {
            ops: hook.ops,
            site: hook.site,
            direct: owners.of(hook.direct),
        })?;
    }
    Ok(rows)
}
