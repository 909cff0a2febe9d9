// SPDX-License-Identifier: GPL-2.0-only
//! What the module says of itself.

#![forbid(unsafe_code)]

use std::fs;

use rust_tracer::abi;

use super::{ALL_ACCOUNTS, open};
use crate::options::Options;
use crate::session::Session;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail};
use crate::trace::Plan;

pub fn intact(_: &Options) -> Outcome {
    let session = open()?;
    let row = |session: &Session| -> Outcome<abi::rtrace_view_self> {
        let rows = session.view::<abi::rtrace_view_self>()?;
        check_eq!(rows.len(), 1);
        Ok(rows[0])
    };
    let idle = row(&session)?;
    check_eq!(idle.text_hash, idle.first_hash);
    check!(idle.text_hash != 0 && idle.text_bytes > 4096, "{idle:x?}");
    check_eq!(idle.lost_taints, 0);
    let tainted: u64 = fs::read_to_string("/proc/sys/kernel/tainted")?
        .trim()
        .parse()
        .map_err(fail)?;
    check_eq!(idle.taints, tainted);
    check!(
        idle.taints & (1 << 12) != 0,
        "not tainted by a module from outside"
    );
    check_eq!(idle.ftrace_enabled, 1);
    check_eq!(idle.listed & ALL_ACCOUNTS, ALL_ACCOUNTS, "{idle:x?}");
    check_eq!((idle.ops_expected, idle.ops_found), (0, 0));
    check_eq!((idle.sites_expected, idle.sites_found), (0, 0));
    for ways in [false, true] {
        let plan = Plan::new().both("rt_target:rt_plain").both("vfs_fsync");
        let plan = if ways { plan.without_stub() } else { plan };
        let trace = plan.start()?;
        Target::open()?.run("plain 10")?;
        let armed = row(&session)?;
        // One for all, or one for each function.
        check!(matches!(armed.ops_expected, 1 | 2), "{armed:x?}");
        check_eq!(armed.ops_found, armed.ops_expected, "{armed:x?}");
        check_eq!(armed.fprobes_found, armed.fprobes_expected, "{armed:x?}");
        check_eq!(
            (armed.sites_expected, armed.sites_found),
            (2, 2),
            "{armed:x?}"
        );
        check_eq!(
            armed.text_hash,
            idle.first_hash,
            "while something is traced"
        );
        trace.finish()?;
    }
    Ok(())
}
