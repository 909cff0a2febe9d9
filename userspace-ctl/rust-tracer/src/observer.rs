// SPDX-License-Identifier: GPL-2.0-only
//! Observing a session that another has published.
//!
//! An observer maps nothing: it copies, from positions of its own, what the rings
//! of the observed session hold, and disturbs nobody. It may come too late; then
//! it is told how many bytes it skips.
//!
//! ```text
//!   session.observe --> Observer -- trace --> Trace over Copies
//! ```

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rustix::io::Errno;
use zerocopy::IntoBytes;

use crate::abi;
use crate::device::{Command, Device};
use crate::error::{Error, Result};
use crate::parse::Records;
use crate::record::{Context, Event, Record};
use crate::ring::Verdict;
use crate::session::{Policy, Session, Status, reply};
use crate::trace::Trace;

/// Bytes that are copied at once.
const CHUNK: usize = 128 * 1024;

/// Which session to observe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The one that is published by this name.
    Name(String),
    /// The published one of this id.
    Id(u64),
}

/// An open file that observes another session: status, probes and ledger of
/// [`Observer::session`] are those of the observed one.
#[derive(Clone)]
pub struct Observer {
    session: Session,
    id: u64,
}

impl Session {
    /// Makes this session, which must be idle and have no probes, an observer.
    pub fn observe(self, subject: &Subject) -> Result<Observer> {
        let (name, id) = match subject {
            Subject::Name(name) => (name.as_bytes(), 0),
            Subject::Id(id) => (&b""[..], *id),
        };
        let mut arg = abi::rtrace_observe {
            id,
            ..Default::default()
        };
        let command = Command::Observe {
            arg: &mut arg,
            name,
        };
        self.ask("observe the session", command)?;
        Ok(Observer {
            session: self,
            id: arg.id,
        })
    }
}

impl Observer {
    /// The observer's own open file.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The id of the observed session.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Why the observer itself was ended, if it was: then nothing more is told of what
    /// it observed.
    pub fn put_out(&self) -> Result<Option<u32>> {
        let status = self.session.status()?;
        let ended = status.state == abi::RTRACE_STATE_DEAD && status.id != self.id;
        Ok(ended.then_some(status.reason))
    }

    /// The records of the observed session in the order of their time: those from
    /// now on if it runs, all that are left if it is over.
    pub fn trace(&self) -> Result<Trace> {
        let copies = Copies::open(&self.session)?;
        // Whatever happens in the rings when they are full, here records are read as they come.
        Trace::new(copies.into(), Policy::Switch)
    }
}

/// Copies of the rings of an observed session.
pub struct Copies {
    device: Arc<dyn Device>,
    cpus: u32,
    status: Status,
    lanes: Vec<Lane>,
    buf: Vec<AtomicU64>,
}

/// One CPU's.
#[derive(Debug)]
struct Lane {
    cpu: u32,
    position: u64,
    /// Bytes skipped, all in all, and since the last record.
    skipped: u64,
    pending: u64,
}

/// What a READ brought.
struct Copied {
    position: u64,
    filled: usize,
    skipped: u64,
}

impl Copies {
    fn open(session: &Session) -> Result<Self> {
        let mut copies = Self {
            device: Arc::clone(&session.device),
            cpus: session.info().cpus,
            status: session.status()?,
            lanes: Vec::new(),
            buf: std::iter::repeat_with(AtomicU64::default)
                .take(CHUNK / size_of::<AtomicU64>())
                .collect(),
        };
        let from_now = copies.status.state == abi::RTRACE_STATE_RUNNING;
        copies.find(from_now)?;
        Ok(copies)
    }

    /// Looks for rings that are not known yet, to be read from now on or from their
    /// beginning.
    fn find(&mut self, from_now: bool) -> Result<()> {
        for cpu in 0..self.cpus {
            if self.lanes.iter().any(|lane| lane.cpu == cpu) {
                continue;
            }
            // Nothing is copied from beyond the end, but where the end is comes back.
            let Some(end) = self.read(cpu, u64::MAX)? else {
                continue;
            };
            self.lanes.push(Lane {
                cpu,
                position: if from_now { end.position } else { 0 },
                skipped: 0,
                pending: 0,
            });
        }
        Ok(())
    }

    /// Copies into the buffer; `None` if this CPU has no ring, or what was observed
    /// is gone.
    fn read(&mut self, cpu: u32, position: u64) -> Result<Option<Copied>> {
        let mut arg = abi::rtrace_read {
            cpu,
            position,
            ..Default::default()
        };
        let command = Command::Read {
            arg: &mut arg,
            buf: self.buf.as_mut_bytes(),
        };
        match self.device.command(command) {
            Ok(()) => {}
            // Not started, not online, or over for good.
            Err(Errno::INVAL | Errno::NXIO | Errno::CANCELED) => return Ok(None),
            Err(errno) => {
                return Err(Error::System {
                    what: "copy records",
                    source: errno.into(),
                });
            }
        }
        let filled = usize::try_from(arg.filled)
            .ok()
            .filter(|&filled| filled <= CHUNK && filled % 8 == 0)
            .ok_or(reply("copy records", "it filled more than there is"))?;
        Ok(Some(Copied {
            position: arg.position,
            filled,
            skipped: arg.skipped,
        }))
    }

    /// Looks how the session is, and for new rings if it changed. Returns whether
    /// it did: then there may be new probes as well.
    pub(crate) fn refresh(&mut self) -> Result<bool> {
        let mut status = Status::default();
        self.device
            .command(Command::Status(&mut status))
            .map_err(|errno| Error::System {
                what: "read the session's status",
                source: errno.into(),
            })?;
        let changed = (status.generation, status.rings, status.state)
            != (self.status.generation, self.status.rings, self.status.state);
        self.status = status;
        if changed {
            self.find(false)?;
        }
        Ok(changed)
    }

    /// How many rings are known.
    pub(crate) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Copies at most `most` records of a lane. Fewer: there are no more.
    pub(crate) fn take(
        &mut self,
        lane: usize,
        most: usize,
        mut each: impl FnMut(Record),
    ) -> Result<usize> {
        let mut taken = 0;
        while taken < most {
            let Lane { cpu, position, .. } = self.lanes[lane];
            let Some(copied) = self.read(cpu, position)? else {
                break;
            };
            let this = &mut self.lanes[lane];
            this.position = copied.position;
            this.skipped = this.skipped.saturating_add(copied.skipped);
            this.pending = this.pending.saturating_add(copied.skipped);
            if copied.filled == 0 {
                break;
            }
            let damaged = |source| Error::Ring { cpu, source };
            let words = &self.buf[..copied.filled / size_of::<u64>()];
            let size = self.status.ring_bytes;
            let mut records =
                Records::copied(words, cpu, copied.position, size).map_err(damaged)?;
            while taken < most {
                let Some(record) = records.next() else { break };
                let record = record.map_err(damaged)?;
                let bytes = std::mem::take(&mut this.pending);
                if bytes > 0 {
                    each(Record {
                        event: Event::Skipped { bytes },
                        context: Context::Task,
                        ..record
                    });
                }
                each(record);
                taken += 1;
            }
            if records.position() == this.position {
                // Only what is not whole yet, or skipped over by the next look.
                break;
            }
            this.position = records.position();
        }
        Ok(taken)
    }

    /// The observed session's state and the reason for it, as last seen.
    pub(crate) fn verdict(&self) -> Verdict {
        Verdict {
            state: self.status.state,
            reason: self.status.reason,
        }
    }

    /// Each lane's CPU, and the bytes that were skipped there.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (u32, u64)> {
        self.lanes.iter().map(|lane| (lane.cpu, lane.skipped))
    }
}

#[cfg(test)]
#[path = "observer_tests.rs"]
mod tests;
