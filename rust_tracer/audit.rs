// SPDX-License-Identifier: GPL-2.0

//! The audit trail: one record of type KERNEL_OTHER for each arming, refusal, revocation and
//! end, in the key=value form that ausearch(8) reads.
//!
//! ```text
//! module=rust_tracer op=arm session=7 node=user pid=812 uid=1001 auid=1001 ses=3 comm="rtctl"
//!     probes=2 spec="fbt::vfs_read:entry,fbt::vfs_read:return" res=1
//! ```
//!
//! What names do not fit into `spec` is counted (`more=`), and so are refusals to open that came
//! too fast to be recorded one by one (`suppressed=`).
//!
//! Never from a probe, and never with a lock held: the audit system lets its callers wait while
//! its queue is long.

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

use kernel::{
    fmt,
    prelude::*,
    str::{
        CStrExt,
        CString, //
    },
};

use crate::{
    bindings,
    node::Node,
    opener::Facts, //
};

/// What is recorded.
#[derive(Clone, Copy)]
pub(crate) enum Event<'a> {
    /// Probes were attached: those that `spec` describes, and `untold` more descriptions.
    Arm {
        probes: u32,
        spec: &'a [u8],
        untold: u32,
    },
    /// Something was asked for that the rules do not allow.
    Refuse { why: &'static str },
    /// The session was ended by somebody else; why.
    Revoke {
        why: &'static str,
        /// The admin who did it.
        by: Option<u32>,
        probes: u32,
    },
    /// A session that was armed is over.
    End { probes: u32 },
}

impl Event<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Arm { .. } => "arm",
            Self::Refuse { .. } => "refuse",
            Self::Revoke { .. } => "revoke",
            Self::End { .. } => "end",
        }
    }
}

/// Whether the caller may wait for the audit daemon.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

/// A value that came from user space: quoted if nothing in it could end the quotes or the
/// record, else in hex, as audit(7)'s readers expect.
struct Untrusted<'a>(&'a [u8]);

impl core::fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b'"';
        match core::str::from_utf8(self.0) {
            Ok(text) if text.bytes().all(plain) => write!(f, "\"{text}\""),
            _ => self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
        }
    }
}

/// One record.
struct Line<'a> {
    event: Event<'a>,
    session: u64,
    node: Node,
    who: &'a Facts,
    /// Refusals before this one that were not recorded.
    suppressed: u64,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.who;
        let comm = who.comm.as_slice();
        let comm = comm.split(|c| *c == 0).next().unwrap_or(comm);
        write!(
            f,
            "module=rust_tracer op={} session={} node={} pid={} uid={} auid={} ses={} comm={}",
            self.event.name(),
            self.session,
            self.node.name(),
            who.pid,
            who.uid,
            who.auid,
            who.ses,
            Untrusted(comm)
        )?;
        match self.event {
            Event::Arm {
                probes,
                spec,
                untold,
            } => {
                write!(f, " probes={probes} spec={}", Untrusted(spec))?;
                if untold != 0 {
                    write!(f, " more={untold}")?;
                }
                f.write_str(" res=1")
            }
            Event::Refuse { why } => {
                write!(f, " why={why}")?;
                if self.suppressed != 0 {
                    write!(f, " suppressed={}", self.suppressed)?;
                }
                f.write_str(" res=0")
            }
            Event::Revoke { why, by, probes } => {
                write!(f, " why={why} probes={probes}")?;
                if let Some(by) = by {
                    write!(f, " by={by}")?;
                }
                f.write_str(" res=1")
            }
            Event::End { probes } => write!(f, " probes={probes} res=1"),
        }
    }
}

/// Writes a record. Without memory for it the kernel's log says that one is missing. Refusals that
/// cannot wait are rationed: who is refused in a loop must not fill the audit system's queue.
pub(crate) fn record(event: Event<'_>, session: u64, node: Node, who: &Facts, wait: Wait) {
    static SUPPRESSED: AtomicU64 = AtomicU64::new(0);
    let mut suppressed = 0;
    if matches!(event, Event::Refuse { .. }) {
        // SAFETY: Any context.
        if wait == Wait::No && !unsafe { bindings::rtrace_audit_has_room() } {
            SUPPRESSED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        suppressed = SUPPRESSED.swap(0, Ordering::Relaxed);
    }
    let line = Line {
        event,
        session,
        node,
        who,
        suppressed,
    };
    match CString::try_from_fmt(fmt!("{line}")) {
        // SAFETY: Task context; the text is terminated.
        Ok(text) => unsafe { bindings::rtrace_audit(text.as_char_ptr(), wait == Wait::Yes) },
        Err(_) => pr_warn!(
            "no memory for an audit record: op={} session={session}\n",
            event.name()
        ),
    }
}
