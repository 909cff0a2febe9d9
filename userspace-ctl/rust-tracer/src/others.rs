// SPDX-License-Identifier: GPL-2.0-only
//! All sessions that one may know of: listing, revoking, publishing; and what a
//! user may have, and what a kernel address is called.

#![forbid(unsafe_code)]

use rustix::io::Errno;

use crate::abi;
use crate::device::Command;
use crate::error::{Error, Result};
use crate::function::{take_entry, text};
use crate::node::Node;
use crate::record::ExecName;
use crate::session::{CHUNK, Session, filled, reply};

/// A user's limits and what is used of them: `RTRACE_IOC_QUOTA`.
pub type Quota = abi::rtrace_quota;

/// A session, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id, never used again while the module is loaded.
    pub id: u64,
    /// The node through which it was opened; `None`: one that a newer module has.
    pub node: Option<Node>,
    /// `RTRACE_STATE_*`; [`state_name`] names it.
    pub state: u32,
    /// `RTRACE_REASON_*`; [`reason_name`] names it.
    pub reason: u32,
    /// The opener's user id, in the initial user namespace.
    pub uid: u32,
    /// The opener's process id, in the initial pid namespace.
    pub pid: u32,
    /// The opener's name when it opened.
    pub comm: ExecName,
    /// Its probes.
    pub probes: u32,
    /// Of these, attached now.
    pub attached: u32,
    /// When it was opened, in ns of CLOCK_MONOTONIC.
    pub opened: u64,
    /// Bytes held by rings, counters and frames.
    pub memory: u64,
    /// Firings so far.
    pub fired: u64,
    /// Of these, recorded.
    pub recorded: u64,
    /// Of these, dropped.
    pub dropped: u64,
    /// Calls without a return.
    pub missed: u64,
    /// The name by which it is published, if it is.
    pub name: Option<String>,
    /// Whether it is of the asker's user.
    pub mine: bool,
    /// Whether it observes another session.
    pub observer: bool,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// Which sessions to revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The one of this id.
    Id(u64),
    /// All of the user of this id.
    Uid(u32),
}

impl Session {
    /// The sessions that the opener may know of, in the order of their ids.
    pub fn sessions(&self) -> Result<Vec<Listed>> {
        const WHAT: &str = "list the sessions";
        let mut sessions = Vec::new();
        let mut buf = vec![0; CHUNK];
        let mut cursor = 0;
        loop {
            let mut arg = abi::rtrace_sessions {
                cursor,
                ..Default::default()
            };
            let command = Command::Sessions {
                arg: &mut arg,
                buf: &mut buf,
            };
            self.ask(WHAT, command)?;
            let mut filled = filled(WHAT, &buf, arg.filled)?;
            for _ in 0..arg.count {
                let session = take_session(&mut filled);
                sessions.push(session.ok_or(reply(WHAT, "a malformed entry"))?);
            }
            if arg.cursor == 0 {
                return Ok(sessions);
            }
            if arg.cursor == cursor {
                return Err(reply(WHAT, "a cursor that stands still"));
            }
            cursor = arg.cursor;
        }
    }

    /// Ends sessions; this one excepted. Returns how many lived until then.
    pub fn revoke(&self, whose: Whose) -> Result<u32> {
        let mut arg = match whose {
            Whose::Id(id) => abi::rtrace_revoke {
                id,
                ..Default::default()
            },
            Whose::Uid(uid) => abi::rtrace_revoke {
                flags: abi::RTRACE_REVOKE_USER,
                uid,
                ..Default::default()
            },
        };
        self.ask("revoke sessions", Command::Revoke(&mut arg))?;
        Ok(arg.count)
    }

    /// Lets the readers of its node observe the session by this name; an empty one
    /// ends that.
    pub fn publish(&self, name: &str) -> Result<()> {
        let mut arg = abi::rtrace_publish::default();
        let command = Command::Publish {
            arg: &mut arg,
            name: name.as_bytes(),
        };
        self.ask("publish the session", command)
    }

    /// The opener's limits, and what is used of them.
    pub fn quota(&self) -> Result<Quota> {
        let mut quota = Quota::default();
        self.ask("read the quota", Command::Quota(&mut quota))?;
        Ok(quota)
    }

    /// The name of a kernel address, `name+0x10/0x40 [module]`, if one is there. Of
    /// the node kernel only.
    pub fn symbol(&self, address: u64) -> Result<Option<String>> {
        const WHAT: &str = "name an address";
        let mut buf = [0; abi::RTRACE_SYMBOL_MAX as usize];
        let mut arg = abi::rtrace_symbol {
            address,
            ..Default::default()
        };
        let command = Command::Symbol {
            arg: &mut arg,
            buf: &mut buf,
        };
        match self.ask(WHAT, command) {
            Ok(()) => Ok(Some(text(filled(WHAT, &buf, arg.len.into())?))),
            Err(Error::Command { errno, .. }) if errno == Errno::NOENT => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Takes the next `rtrace_session` off a buffer; `None` if it is malformed.
fn take_session(buf: &mut &[u8]) -> Option<Listed> {
    let (head, names) = take_entry::<abi::rtrace_session>(buf, |head| head.entry_size)?;
    let name = names.get(..head.name_len.try_into().ok()?)?;
    let has = |flag| head.flags & flag != 0;
    Some(Listed {
        id: head.id,
        node: Node::from_abi(head.node),
        state: head.state,
        reason: head.reason,
        uid: head.uid,
        pid: head.pid,
        comm: ExecName::from_chars(head.comm),
        probes: head.probes,
        attached: head.attached,
        opened: head.opened,
        memory: head.memory,
        fired: head.fired,
        recorded: head.recorded,
        dropped: head.dropped,
        missed: head.missed,
        name: has(abi::RTRACE_SESSION_PUBLISHED).then(|| text(name)),
        mine: has(abi::RTRACE_SESSION_MINE),
        observer: has(abi::RTRACE_SESSION_OBSERVER),
        this: has(abi::RTRACE_SESSION_THIS),
    })
}

/// What a state is called.
pub fn state_name(state: u32) -> &'static str {
    match state {
        abi::RTRACE_STATE_IDLE => "idle",
        abi::RTRACE_STATE_RUNNING => "running",
        abi::RTRACE_STATE_STOPPED => "stopped",
        abi::RTRACE_STATE_DEAD => "dead",
        _ => "other",
    }
}

/// What the reason for a state is called.
pub fn reason_name(reason: u32) -> &'static str {
    match reason {
        abi::RTRACE_REASON_NONE => "none",
        abi::RTRACE_REASON_ASKED => "asked",
        abi::RTRACE_REASON_FILLED => "filled",
        abi::RTRACE_REASON_CLOSED => "closed",
        abi::RTRACE_REASON_REVOKED => "revoked",
        abi::RTRACE_REASON_ADMIN => "admin",
        abi::RTRACE_REASON_LOCKDOWN => "lockdown",
        abi::RTRACE_REASON_SILENT => "silent",
        abi::RTRACE_REASON_BURDEN => "burden",
        abi::RTRACE_REASON_EVENTS => "events",
        abi::RTRACE_REASON_EXITED => "exited",
        _ => "other",
    }
}

#[cfg(test)]
#[path = "others_tests.rs"]
mod tests;
