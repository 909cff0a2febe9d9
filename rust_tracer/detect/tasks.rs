// SPDX-License-Identifier: GPL-2.0

//! RTRACE_VIEW_TASKS: every task that any account has, the lists of the kernel or a CPU.

#![forbid(unsafe_code)]

use super::{
    rows::Rows,
    walk, //
};
use crate::{
    abi,
    bindings::rtrace_task_fact,
    refusal::Refusal,
    sort::sort_by, //
};

pub(super) fn view() -> Result<Rows, Refusal> {
    let mut facts = walk::all::<rtrace_task_fact>()?;
    sort_by(&mut facts, |a, b| a.structure.cmp(&b.structure));
    let mut rows = Rows::of::<abi::rtrace_view_task>();
    for task in facts.chunk_by(|a, b| a.structure == b.structure) {
        let Some(first) = task.first() else {
            continue;
        };
        rows.push(&abi::rtrace_view_task {
            structure: first.structure,
            pid: first.pid,
            tgid: first.tgid,
            seen: task.iter().fold(0, |seen, fact| seen | fact.seen),
            uid: first.uid,
            comm: first.comm,
        })?;
    }
    Ok(rows)
}
