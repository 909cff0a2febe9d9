// SPDX-License-Identifier: GPL-2.0-only
//! A session: one open file of the module.
//!
//! ```text
//!   open -> idle -- start --> running -- stop --> stopped -- drop --> gone
//!            |                   |                   |
//!            +-- add, configure, +-- read rings -----+
//!                target
//! ```
//! Every method is one command of the header, or the repetition of one until all
//! of its answer is there.

#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use zerocopy::FromBytes;

use crate::abi;
use crate::device::{Command, Device, Program};
use crate::error::{Error, Result};
use crate::function::{Function, Kind, Probe, Query, take_function, take_probe};
use crate::ledger::{Row, Sums};
use crate::node::{Access, Node};
use crate::rings::Rings;
use crate::sys::Kernel;
use crate::trace::Trace;

/// Bytes of the buffer in which answers of many entries come.
pub(crate) const CHUNK: usize = 1 << 20;

/// No entry of an aggregation is larger: its head, its keys, its words.
const ENTRY_MAX: usize = size_of::<abi::rtrace_aggregate_entry>()
    + abi::RTRACE_KEYS_MAX as usize
    + 8 * (2 * abi::RTRACE_AGG_LEVELS_MAX as usize + 3);

/// How often a listing is begun anew because functions came or went meanwhile.
const RETRIES: u32 = 16;

/// What a module and node can do: `RTRACE_IOC_INFO`.
pub type Info = abi::rtrace_info;

/// A session's state and sizes: `RTRACE_IOC_STATUS`.
pub type Status = abi::rtrace_status;

/// Which probes to add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The glob for the module's name; empty: any.
    pub module: String,
    /// The glob for any of the function's names; empty: any.
    pub function: String,
    /// Entry probes.
    pub entry: bool,
    /// Return probes.
    pub ret: bool,
    /// Functions of modules that are loaded later as well.
    pub late: bool,
    /// The group of a program's clauses that run for them; 0: none.
    pub group: u32,
}

impl Pattern {
    /// Entry and return of the functions that a glob names, in any module.
    pub fn function(glob: impl Into<String>) -> Self {
        Self {
            function: glob.into(),
            entry: true,
            ret: true,
            ..Self::default()
        }
    }

    /// Only the probes of one kind.
    pub fn only(mut self, kind: Kind) -> Self {
        (self.entry, self.ret) = (kind == Kind::Entry, kind == Kind::Return);
        self
    }
}

/// What adding brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Probes that the request named.
    pub matched: u32,
    /// Of these, new to the session.
    pub added: u32,
}

/// What starting brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Probes attached.
    pub attached: u32,
    /// Probes that ftrace refused; [`Probe::why`] says more.
    pub refused: u32,
}

/// What happens when a ring is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Keep the old records, drop and count the new.
    #[default]
    Switch,
    /// End the recording.
    Fill,
    /// Overwrite the oldest; read after the stop.
    Ring,
}

impl Policy {
    fn to_abi(self) -> u32 {
        match self {
            Self::Switch => abi::RTRACE_POLICY_SWITCH,
            Self::Fill => abi::RTRACE_POLICY_FILL,
            Self::Ring => abi::RTRACE_POLICY_RING,
        }
    }

    fn from_abi(number: u32) -> Option<Self> {
        [Self::Switch, Self::Fill, Self::Ring]
            .into_iter()
            .find(|policy| policy.to_abi() == number)
    }
}

/// How a session records. Zero means the module's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Bytes of records per CPU; a power of two.
    pub ring_bytes: u64,
    /// Unread bytes in a ring that end [`Session::wait`].
    pub watermark: u64,
    /// What happens when a ring is full.
    pub policy: Policy,
    /// Calls in flight that can be followed to their return.
    pub frames: u32,
    /// The ways that may attach probes, a bit for each `RTRACE_WAY_*`.
    pub ways: u32,
}

/// One open file of the module.
#[derive(Clone)]
pub struct Session {
    pub(crate) device: Arc<dyn Device>,
    info: Info,
}

impl Session {
    /// Opens a node for tracing.
    pub fn open(node: Node) -> Result<Self> {
        Self::open_for(node, Access::Trace)
    }

    /// Opens a node for what it is needed for.
    pub fn open_for(node: Node, access: Access) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(access == Access::Trace)
            .open(node.path())
            .map_err(|source| Error::Open { node, source })?;
        Self::over(Arc::new(Kernel(file)))
    }

    /// A session over any device; checks the version of the ABI.
    pub fn over(device: Arc<dyn Device>) -> Result<Self> {
        let mut session = Self {
            device,
            info: Info::default(),
        };
        let mut info = Info::default();
        let asked = session.ask("read the module's version", Command::Info(&mut info));
        let major = info.abi_major;
        match asked {
            // A module that knows no such structure, or fills in none, is no module of ours.
            Ok(()) if u32::from(major) == abi::RTRACE_ABI_MAJOR => {}
            Ok(()) => {
                return Err(Error::Abi {
                    major,
                    minor: info.abi_minor,
                });
            }
            Err(error) => return Err(error),
        }
        if info.clock != abi::RTRACE_CLOCK_MONOTONIC {
            return Err(Error::Clock { clock: info.clock });
        }
        session.info = info;
        Ok(session)
    }

    /// What the module and the node can do, as of the opening.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The node through which the session was opened.
    pub fn node(&self) -> Option<Node> {
        Node::from_abi(self.info.node)
    }

    /// A number that changes whenever functions of modules come or go.
    pub fn generation(&self) -> Result<u64> {
        let mut info = Info::default();
        self.ask("read the module's generation", Command::Info(&mut info))?;
        Ok(info.generation)
    }

    /// The functions that a query names.
    pub fn functions(&self, query: &Query) -> Result<Vec<Function>> {
        const WHAT: &str = "list functions";
        let mut flags = 0;
        if query.untraceable {
            flags |= abi::RTRACE_FUNCTIONS_UNTRACEABLE;
        }
        if query.aliases {
            flags |= abi::RTRACE_FUNCTIONS_ALIASES;
        }
        let mut functions = Vec::new();
        let mut buf = vec![0; CHUNK];
        let mut cursor = 0;
        let mut retries = RETRIES;
        loop {
            let mut arg = abi::rtrace_functions {
                flags,
                cursor,
                ..Default::default()
            };
            let command = Command::Functions {
                arg: &mut arg,
                module: query.module.as_bytes(),
                function: query.function.as_bytes(),
                buf: &mut buf,
            };
            match self.ask(WHAT, command) {
                Err(Error::Command { errno, .. }) if errno == Errno::STALE && retries > 0 => {
                    retries -= 1;
                    functions.clear();
                    cursor = 0;
                    continue;
                }
                other => other?,
            }
            let mut filled = filled(WHAT, &buf, arg.filled)?;
            for _ in 0..arg.count {
                let function = take_function(&mut filled);
                functions.push(function.ok_or(reply(WHAT, "a malformed entry"))?);
            }
            if arg.cursor == 0 {
                return Ok(functions);
            }
            if arg.count == 0 {
                return Err(reply(WHAT, "no entry, and more to come"));
            }
            cursor = arg.cursor;
        }
    }

    /// Adds probes by pattern. Matching nothing is no error.
    pub fn add(&self, pattern: &Pattern) -> Result<Added> {
        let bits = [
            (pattern.entry, abi::RTRACE_PROBE_ENTRY),
            (pattern.ret, abi::RTRACE_PROBE_RETURN),
            (pattern.late, abi::RTRACE_ADD_LATE),
        ];
        let flags = bits
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, bit)| bit)
            .sum();
        let arg = abi::rtrace_add {
            flags,
            group: pattern.group,
            ..Default::default()
        };
        self.add_with(arg, &pattern.module, &pattern.function, &[])
    }

    /// Adds probes by the ids that [`Session::functions`] gives.
    pub fn add_ids(&self, ids: &[u32]) -> Result<Added> {
        self.add_ids_to(ids, 0)
    }

    /// The same, for a group of a program's clauses.
    pub fn add_ids_to(&self, ids: &[u32], group: u32) -> Result<Added> {
        if ids.is_empty() {
            return Ok(Added::default());
        }
        let arg = abi::rtrace_add {
            group,
            ..Default::default()
        };
        self.add_with(arg, "", "", ids)
    }

    fn add_with(
        &self,
        mut arg: abi::rtrace_add,
        module: &str,
        function: &str,
        ids: &[u32],
    ) -> Result<Added> {
        let command = Command::Add {
            arg: &mut arg,
            module: module.as_bytes(),
            function: function.as_bytes(),
            ids,
        };
        self.ask("add probes", command)?;
        Ok(Added {
            matched: arg.matched,
            added: arg.added,
        })
    }

    /// The session's probes from index `first` on.
    pub fn probes(&self, first: u32) -> Result<Vec<Probe>> {
        const WHAT: &str = "list the session's probes";
        let mut probes = Vec::new();
        let mut buf = vec![0; CHUNK];
        let mut first = first;
        loop {
            let mut arg = abi::rtrace_probes {
                first,
                ..Default::default()
            };
            let command = Command::Probes {
                arg: &mut arg,
                buf: &mut buf,
            };
            self.ask(WHAT, command)?;
            let mut filled = filled(WHAT, &buf, arg.filled)?;
            for _ in 0..arg.count {
                let probe = take_probe(&mut filled);
                probes.push(probe.ok_or(reply(WHAT, "a malformed entry"))?);
            }
            if arg.next >= arg.total {
                return Ok(probes);
            }
            if arg.next <= first {
                return Err(reply(WHAT, "no entry, and more to come"));
            }
            first = arg.next;
        }
    }

    /// Sets how the session records. Returns what was settled on.
    pub fn configure(&self, config: &Config) -> Result<Config> {
        const WHAT: &str = "configure the session";
        let mut arg = abi::rtrace_config {
            ring_bytes: config.ring_bytes,
            watermark: config.watermark,
            policy: config.policy.to_abi(),
            frames: config.frames,
            ways: config.ways,
            ..Default::default()
        };
        self.ask(WHAT, Command::Config(&mut arg))?;
        Ok(Config {
            ring_bytes: arg.ring_bytes,
            watermark: arg.watermark,
            policy: Policy::from_abi(arg.policy).ok_or(reply(WHAT, "an unknown policy"))?,
            frames: arg.frames,
            ways: arg.ways,
        })
    }

    /// Loads a program in place of an earlier one. `sizes` says what is not a part: `strsize`,
    /// `speculations`, `specsize`, `aggsize`, `dynvarsize`. With an error comes the index of the
    /// instruction that was refused.
    pub fn load(
        &self,
        program: &Program<'_>,
        sizes: abi::rtrace_program,
    ) -> std::result::Result<(), (Error, u32)> {
        let mut arg = sizes;
        let command = Command::Program {
            arg: &mut arg,
            program,
        };
        self.ask("load the program", command)
            .map_err(|error| (error, arg.instruction))
    }

    /// Adds a probe of the module's own for a group of a program's clauses; `period` in ns, for
    /// those that have one. Returns the probe's index.
    pub fn add_own(&self, kind: Kind, name: &str, period: u64, group: u32) -> Result<u32> {
        let mut arg = abi::rtrace_add_own {
            kind: kind.to_abi(),
            group,
            period,
            ..Default::default()
        };
        let name = name.as_bytes();
        let command = Command::AddOwn {
            arg: &mut arg,
            name,
        };
        self.ask("add a probe", command)?;
        Ok(arg.index)
    }

    /// Takes what was aggregated on a CPU since the last time: appends `rtrace_aggregate_entry` after
    /// entry, each with its keys and words. Nothing if nothing can aggregate there.
    pub fn aggregate(&self, cpu: u32, into: &mut Vec<u8>) -> Result<()> {
        const WHAT: &str = "read the aggregations";
        let mut buf = vec![0; ENTRY_MAX];
        let mut cursor = 0;
        loop {
            let mut arg = abi::rtrace_aggregate {
                cpu,
                cursor,
                ..Default::default()
            };
            let command = Command::Aggregate {
                arg: &mut arg,
                buf: &mut buf,
            };
            match self.ask(WHAT, command) {
                Err(Error::Command { errno, .. }) if errno == Errno::NXIO => return Ok(()),
                other => other?,
            }
            into.extend_from_slice(filled(WHAT, &buf, arg.filled)?);
            if arg.cursor == 0 {
                return Ok(());
            }
            if arg.cursor == cursor {
                return Err(reply(WHAT, "a cursor that stands still"));
            }
            cursor = arg.cursor;
        }
    }

    /// Narrows the session to a process and its descendants.
    pub fn target(&self, pid: i32) -> Result<()> {
        let mut arg = abi::rtrace_target {
            pid,
            ..Default::default()
        };
        self.ask("narrow the session to a process", Command::Target(&mut arg))
    }

    /// Attaches the probes and records.
    pub fn start(&self) -> Result<Started> {
        let mut arg = abi::rtrace_start::default();
        self.ask("start the session", Command::Start(&mut arg))?;
        Ok(Started {
            attached: arg.attached,
            refused: arg.refused,
        })
    }

    /// Detaches the probes. Rings and ledger stay readable.
    pub fn stop(&self) -> Result<()> {
        self.ask("stop the session", Command::Stop)
    }

    /// The session's state and sizes.
    pub fn status(&self) -> Result<Status> {
        let mut status = Status::default();
        self.ask("read the session's status", Command::Status(&mut status))?;
        Ok(status)
    }

    /// The ledger's rows.
    pub fn ledger(&self, sums: Sums) -> Result<Vec<Row>> {
        const WHAT: &str = "read the ledger";
        let bits = [
            (sums.cpus, abi::RTRACE_LEDGER_SUM_CPUS),
            (sums.probes, abi::RTRACE_LEDGER_SUM_PROBES),
            (sums.nonzero, abi::RTRACE_LEDGER_NONZERO),
        ];
        let flags = bits
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, bit)| bit)
            .sum();
        let mut rows = Vec::new();
        let mut buf = vec![0; CHUNK];
        let mut cursor = 0;
        loop {
            let mut arg = abi::rtrace_ledger {
                flags,
                cursor,
                ..Default::default()
            };
            let command = Command::Ledger {
                arg: &mut arg,
                buf: &mut buf,
            };
            self.ask(WHAT, command)?;
            let mut rest = &buf[..];
            for _ in 0..arg.count {
                let (row, after) = abi::rtrace_ledger_row::read_from_prefix(rest)
                    .map_err(|_| reply(WHAT, "more rows than fit"))?;
                rows.push(row.into());
                rest = after;
            }
            if arg.cursor == 0 {
                return Ok(rows);
            }
            if arg.cursor == cursor {
                return Err(reply(WHAT, "a cursor that stands still"));
            }
            cursor = arg.cursor;
        }
    }

    /// The rings of a started session, CPU by CPU.
    pub fn rings(&self) -> Result<Rings> {
        Rings::open(
            Arc::clone(&self.device),
            self.info.cpus,
            self.info.page_size,
        )
    }

    /// The records of a started session, in the order of their time.
    pub fn trace(&self) -> Result<Trace> {
        let status = self.status()?;
        let policy = Policy::from_abi(status.policy)
            .ok_or(reply("read the session's status", "an unknown policy"))?;
        Trace::new(self.rings()?.into(), policy)
    }

    /// Waits until a ring reaches the watermark or the session ends, at most for
    /// `timeout`. Returns whether one of that happened.
    pub fn wait(&self, timeout: Duration) -> Result<bool> {
        let system = |errno: Errno| Error::System {
            what: "wait for the session",
            source: errno.into(),
        };
        let timeout = timeout.try_into().map_err(|_| system(Errno::INVAL))?;
        let fd = self.fd();
        let mut fds: Vec<_> = fd.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(errno) => Err(system(errno)),
        }
    }

    /// What poll(2) can wait on; `None` if the device is not the kernel's.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.device.fd()
    }

    /// Carries out a command; if it fails, asks the module for its sentence.
    pub(crate) fn ask(&self, what: &'static str, command: Command<'_>) -> Result<()> {
        self.device
            .command(command)
            .map_err(|errno| Error::Command {
                command: what,
                errno,
                text: self.last_error().unwrap_or_default(),
            })
    }

    fn last_error(&self) -> Option<String> {
        let mut buf = vec![0; 4096];
        let mut arg = abi::rtrace_error::default();
        let command = Command::LastError {
            arg: &mut arg,
            buf: &mut buf,
        };
        self.device.command(command).ok()?;
        let text = buf.get(..arg.len as usize)?;
        Some(String::from_utf8_lossy(text).trim_end().to_owned())
    }
}

pub(crate) fn reply(command: &'static str, what: &'static str) -> Error {
    Error::Reply { command, what }
}

/// What the module says it filled of a buffer.
pub(crate) fn filled<'a>(command: &'static str, buf: &'a [u8], filled: u64) -> Result<&'a [u8]> {
    usize::try_from(filled)
        .ok()
        .and_then(|filled| buf.get(..filled))
        .ok_or(reply(command, "it filled more than there is"))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
