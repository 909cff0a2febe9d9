// SPDX-License-Identifier: GPL-2.0-only
//! Tasks: those there are, and what they run.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;

use rust_tracer::abi;

use super::open;
use crate::options::Options;
use crate::session::name;
use crate::test::{Outcome, check, check_eq, fail};
use crate::tests::rogue::toy::Toy;

pub fn every_account(_: &Options) -> Outcome {
    const WAYS: u32 = abi::RTRACE_TASK_LISTED
        | abi::RTRACE_TASK_THREAD
        | abi::RTRACE_TASK_PID
        | abi::RTRACE_TASK_CHILD;
    let session = open()?;
    let processes = || -> Outcome<BTreeSet<u32>> {
        let names =
            fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    };
    let before = processes()?;
    let rows = session.view::<abi::rtrace_view_task>()?;
    let after = processes()?;
    let listed: BTreeSet<u32> = rows
        .iter()
        .filter(|row| row.seen & abi::RTRACE_TASK_LISTED != 0)
        .map(|row| row.tgid)
        .collect();
    for pid in before.intersection(&after) {
        check!(listed.contains(pid), "{pid} is in /proc alone");
    }
    for row in &rows {
        if row.seen & abi::RTRACE_TASK_EXITING != 0 {
            continue;
        }
        let wanted = match row.pid == row.tgid {
            // The first processes hang below a task that has no number.
            true => WAYS,
            false => abi::RTRACE_TASK_THREAD | abi::RTRACE_TASK_PID,
        };
        check_eq!(row.seen & wanted, wanted, "{}: {row:x?}", name(&row.comm));
    }
    let mine = rows.iter().find(|row| row.pid == std::process::id());
    let mine = mine.ok_or_else(|| fail("this process is not there"))?;
    check!(
        mine.seen & abi::RTRACE_TASK_RAN != 0,
        "{mine:x?} asked, and did not run"
    );
    check_eq!(mine.uid, 0);
    check!(
        mine.seen & abi::RTRACE_TASK_GROUPED != 0,
        "{mine:x?} is in no control group"
    );
    let kthreadd = rows.iter().find(|row| row.pid == 2);
    check!(
        kthreadd.is_some_and(|row| row.seen & abi::RTRACE_TASK_KERNEL != 0),
        "{kthreadd:x?}"
    );
    Ok(())
}

pub fn hidden_thread(options: &Options) -> Outcome {
    let session = open()?;
    let toy = Toy::load(
        options,
        "rt_rogue_hide",
        "thread=1 hide=list,kset,state,tree,symbols",
    )?;
    toy.tell("hide")?;
    let of_kind = |rows: &[abi::rtrace_view_callback], kind| {
        let hidden = |row: &&abi::rtrace_view_callback| {
            row.kind == kind
                && row.func.kind == abi::RTRACE_OWNER_HIDDEN
                && name(&row.func.name) == "rt_rogue_hide"
                && name(&row.name) == "rt_rogue_hide"
        };
        rows.iter().filter(hidden).count()
    };
    // It is on its own stack unless it runs at that moment.
    let mut stacks = 0;
    for _ in 0..20 {
        let rows = session.view::<abi::rtrace_view_callback>()?;
        let threads = of_kind(&rows, abi::RTRACE_CALLBACK_THREAD);
        check_eq!(threads, 1, "threads that run hidden text: {rows:x?}");
        stacks = of_kind(&rows, abi::RTRACE_CALLBACK_STACK);
        if stacks != 0 {
            break;
        }
    }
    check!(stacks != 0, "no stack with hidden text");
    toy.undo()?;
    let rows = session.view::<abi::rtrace_view_callback>()?;
    check_eq!(of_kind(&rows, abi::RTRACE_CALLBACK_THREAD), 0);
    Ok(())
}
