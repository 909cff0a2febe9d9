// SPDX-License-Identifier: GPL-2.0-only
//! Who is attached to functions: ftrace's users, and kprobes.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;

use rust_tracer::abi;

use super::open;
use crate::guest;
use crate::options::Options;
use crate::session::{Session, name};
use crate::test::{Outcome, check, check_eq, fail};
use crate::tests::access::symbols::address_of;
use crate::trace::Plan;

pub fn ops(_: &Options) -> Outcome {
    let session = open()?;
    let rows = |session: &Session| session.view::<abi::rtrace_view_ops>();
    let before = rows(&session)?;
    check_eq!(before.iter().filter(|row| row.ours != 0).count(), 0, "ours");
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    let during = rows(&session)?;
    let ours: Vec<_> = during.iter().filter(|row| row.ours != 0).collect();
    check_eq!(ours.len(), 1, "ours while a function is traced");
    check_eq!(ours[0].functions, 1, "functions");
    for of_ours in [ours[0].func, ours[0].trampoline] {
        check_eq!(of_ours.kind, abi::RTRACE_OWNER_MODULE, "{of_ours:x?}");
        check_eq!(name(&of_ours.name), "rust_tracer");
    }
    for row in &during {
        check!(
            !matches!(
                row.func.kind,
                abi::RTRACE_OWNER_NONE | abi::RTRACE_OWNER_HIDDEN | abi::RTRACE_OWNER_GONE
            ),
            "{row:x?}"
        );
        check_eq!(row.structure.kind, abi::RTRACE_OWNER_DATA, "{row:x?}");
    }
    trace.finish()?;
    check_eq!(
        rows(&session)?.iter().filter(|row| row.ours != 0).count(),
        0
    );
    Ok(())
}

pub fn hooks(_: &Options) -> Outcome {
    let session = open()?;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .both("rt_target:rt_void")
        .start()?;
    let mut ours = session.view::<abi::rtrace_view_ops>()?;
    ours.retain(|row| row.ours != 0);
    check!(!ours.is_empty(), "we are not on the list");
    let attached = |rows: &[abi::rtrace_view_hook]| -> BTreeSet<u64> {
        let is_ours = |row: &&abi::rtrace_view_hook| ours.iter().any(|ops| ops.ops == row.ops);
        rows.iter().filter(is_ours).map(|row| row.site).collect()
    };
    let found = session.view::<abi::rtrace_view_hook>()?;
    let sites = session.view::<abi::rtrace_view_site>()?;
    for name in ["rt_plain", "rt_void"] {
        let function = address_of(name)?;
        let site = sites.iter().find(|row| row.function == function);
        let site = site.ok_or_else(|| fail(format!("{name} is no row")))?.site;
        check!(attached(&found).contains(&site), "{name}: {found:x?}");
    }
    check_eq!(attached(&found).len(), 2, "functions of ours");
    for row in &found {
        check_eq!(row.direct.kind, abi::RTRACE_OWNER_ZERO, "{row:x?}");
    }
    trace.finish()?;
    let after = session.view::<abi::rtrace_view_hook>()?;
    check_eq!(
        attached(&after).len(),
        0,
        "functions of ours when nothing is traced"
    );
    Ok(())
}

pub fn sites(_: &Options) -> Outcome {
    let session = open()?;
    let function = address_of("rt_plain")?;
    let of_it = |session: &Session| -> Outcome<Option<abi::rtrace_view_site>> {
        let rows = session.view::<abi::rtrace_view_site>()?;
        Ok(rows.into_iter().find(|row| row.function == function))
    };
    check!(of_it(&session)?.is_none(), "somebody is attached already");
    let trace = Plan::new().entry("rt_target:rt_plain").start()?;
    let row = of_it(&session)?.ok_or_else(|| fail("no row while it is traced"))?;
    check!(
        matches!(row.site_has, abi::RTRACE_SITE_CALL | abi::RTRACE_SITE_JUMP),
        "{row:x?}"
    );
    check_eq!(row.users, 1, "{row:x?}");
    check!(row.record & abi::RTRACE_REC_ENABLED != 0, "{row:x?}");
    check_eq!(row.changed, 0, "{row:x?}");
    check_eq!(name(&row.target.name), "rust_tracer", "{row:x?}");
    // What /sys/kernel/tracing says has the same functions.
    let text = guest::enabled_functions()?;
    let lines = text.lines().filter(|line| !line.starts_with('\t')).count();
    let rows = session.view::<abi::rtrace_view_site>()?;
    let enabled = rows.iter().filter(|row| row.users != 0).count();
    check_eq!(enabled, lines, "functions that ftrace calls somebody for");
    trace.finish()?;
    check!(of_it(&session)?.is_none(), "a row when nobody is attached");
    Ok(())
}

pub fn unchanged(_: &Options) -> Outcome {
    let rows = open()?.view::<abi::rtrace_view_site>()?;
    let changed: Vec<_> = rows.iter().filter(|row| row.changed != 0).collect();
    check!(changed.is_empty(), "{changed:x?}");
    let odd: Vec<_> = rows
        .iter()
        .filter(|row| row.users == 0 && row.site_has != abi::RTRACE_SITE_IDLE)
        .collect();
    check!(odd.is_empty(), "nobody's, and not idle: {odd:x?}");
    Ok(())
}

pub fn kprobes(_: &Options) -> Outcome {
    let session = open()?;
    let events = guest::tracefs()?.join("kprobe_events");
    let of_us = |session: &Session| -> Outcome<Vec<abi::rtrace_view_kprobe>> {
        let mut rows = session.view::<abi::rtrace_view_kprobe>()?;
        let address = address_of("vfs_read")?;
        rows.retain(|row| (address..address + 64).contains(&row.address));
        Ok(rows)
    };
    check_eq!(of_us(&session)?.len(), 0, "before");
    // One by ftrace, one by a breakpoint.
    fs::write(&events, "p:rt_views_a vfs_read\np:rt_views_b vfs_read+11\n").or_else(|_| {
        // Not where an instruction begins on this kernel.
        fs::write(&events, "p:rt_views_a vfs_read\n")
    })?;
    let enable = guest::tracefs()?.join("events/kprobes/enable");
    fs::write(&enable, "1")?;
    let found = of_us(&session);
    let sites = session.view::<abi::rtrace_view_site>();
    fs::write(&enable, "0")?;
    fs::write(&events, "")?;
    let found = found?;
    check!(!found.is_empty(), "no row of a kprobe");
    for row in &found {
        check_eq!(row.handler.kind, abi::RTRACE_OWNER_KERNEL, "{row:x?}");
        check_eq!(row.structure.kind, abi::RTRACE_OWNER_DATA, "{row:x?}");
        check_eq!(name(&row.symbol), "vfs_read");
        check_eq!(row.aggregate, 0);
    }
    let changed: Vec<_> = sites?.into_iter().filter(|row| row.changed != 0).collect();
    check!(changed.is_empty(), "{changed:x?}");
    check_eq!(of_us(&session)?.len(), 0, "after");
    Ok(())
}
