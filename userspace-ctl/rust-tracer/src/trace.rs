// SPDX-License-Identifier: GPL-2.0-only
//! A session's records in the order of their time.
//!
//! Rings are emptied into memory as soon as they are looked at, so that the
//! module has room; from there records leave through the merge. What waits in
//! memory is bounded: at the bound rings are left alone, and if that lasts, the
//! module drops and counts.

#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use crate::error::{Error, Result};
use crate::merge::Merge;
use crate::record::{Event, Record};
use crate::ring::Verdict;
use crate::session::Policy;
use crate::settle::Settler;
use crate::source::Source;

/// Records that may wait in memory, about 100 bytes each if they are no program's; and bytes of them, whosever they are.
const HELD_MOST: usize = 1 << 20;
const BYTES_MOST: usize = 1 << 28;

/// The same for an observer: what waits longer it is told that it missed, and one that
/// leaves has little left to give out.
const HELD_MOST_OBSERVED: usize = 1 << 16;

/// Records that one look gives out, before the caller looks at what else happened.
const GIVEN_MOST: usize = 1 << 16;

/// Records taken out of one ring before the next one has its turn, and records
/// given out before the rings have theirs.
const TURN: usize = 1024;

/// What a look at the rings brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Records given out.
    pub records: usize,
    /// Records that wait for the session to settle; [`Trace::fd`] tells when.
    pub held: usize,
    /// The session has new probes or rings.
    pub changed: bool,
    /// There is more to give out: look again at once.
    pub more: bool,
    /// Memory is full until the session settles: do not wait for more records,
    /// wait for [`Trace::fd`].
    pub full: bool,
}

/// What ended [`Trace::look`] or [`Trace::finish`] early.
#[derive(Debug, thiserror::Error)]
pub enum Ended<E> {
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] Error),
    /// The caller's function failed.
    #[error("the receiver of the records failed")]
    Receiver(E),
}

/// Firings that a CPU's ring could not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The CPU.
    pub cpu: u32,
    /// How many, since the session's start; an observer knows of those told alone.
    pub total: u64,
    /// How many of them lost-records have told of.
    pub told: u64,
    /// To an observer: bytes of records that it came too late for.
    pub skipped: u64,
}

/// The ordered records of a started session.
pub struct Trace {
    source: Source,
    policy: Policy,
    merge: Merge,
    settler: Settler,
    told: Vec<u64>,
    /// Records that may wait.
    held_most: usize,
}

impl Trace {
    pub(crate) fn new(source: Source, policy: Policy) -> Result<Self> {
        Ok(Self {
            held_most: match source {
                Source::Rings(_) => HELD_MOST,
                Source::Copies(_) => HELD_MOST_OBSERVED,
            },
            source,
            policy,
            merge: Merge::default(),
            settler: Settler::start()?,
            told: Vec::new(),
        })
    }

    /// Takes what the rings hold and gives out, in order, what is settled. Also
    /// asks for the session to be settled further; [`Trace::fd`] becomes readable
    /// when that is done, and it is time to look again. Never waits.
    ///
    /// Only of policy switch: of the others everything is read at the end, or a
    /// ring would never be full.
    pub fn look<E>(
        &mut self,
        mut each: impl FnMut(&Record) -> std::result::Result<(), E>,
    ) -> std::result::Result<Look, Ended<E>> {
        if self.policy != Policy::Switch {
            let changed = self.source.refresh()?;
            return Ok(Look {
                changed,
                ..Look::default()
            });
        }
        // The order matters: first the time, then the rings there are, then their records.
        let settled = self.settler.settled();
        let changed = self.source.refresh()?;
        let mut records = 0;
        let more = loop {
            // Again and again, as the receiver may be slow and the rings must not run full.
            self.take(settled)?;
            let given = self.merge.drain(TURN, &mut each).map_err(Ended::Receiver)?;
            records += given;
            if given < TURN {
                break false;
            }
            if records >= GIVEN_MOST {
                break true;
            }
        };
        if self.merge.held() > 0 {
            self.settler.request();
        }
        Ok(Look {
            records,
            held: self.merge.held(),
            changed,
            more,
            full: self.is_full(),
        })
    }

    /// Whether no more may wait.
    fn is_full(&self) -> bool {
        self.merge.held() >= self.held_most || self.merge.bytes() >= BYTES_MOST
    }

    /// Gives out all that is left, in order. The session must be stopped or dead.
    pub fn finish<E>(
        &mut self,
        mut each: impl FnMut(&Record) -> std::result::Result<(), E>,
    ) -> std::result::Result<usize, Ended<E>> {
        self.source.refresh()?;
        if self.policy == Policy::Ring {
            let merge = &mut self.merge;
            self.source
                .replay(|lane, record| merge.push(lane, record))?;
            (0..self.source.lanes()).for_each(|lane| merge.settle(lane, u64::MAX));
            return self.merge.drain(usize::MAX, each).map_err(Ended::Receiver);
        }
        let mut records = 0;
        loop {
            // Nothing is published any more, so an emptied ring is empty for good. Of copies only
            // one more look tells that there are no more.
            let taken = self.take(u64::MAX)?;
            let given = self.merge.drain(usize::MAX, &mut each);
            records += given.map_err(Ended::Receiver)?;
            if taken == 0 && self.merge.held() == 0 && self.unread() == 0 {
                return Ok(records);
            }
        }
    }

    /// Gives out, in order, what was recorded until now, and nothing that comes later:
    /// how an observer leaves a session that goes on.
    pub fn leave<E>(
        &mut self,
        each: impl FnMut(&Record) -> std::result::Result<(), E>,
    ) -> std::result::Result<usize, Ended<E>> {
        self.source.refresh()?;
        self.take(u64::MAX)?;
        (0..self.source.lanes()).for_each(|lane| self.merge.settle(lane, u64::MAX));
        self.merge.drain(usize::MAX, each).map_err(Ended::Receiver)
    }

    /// Takes records out of the rings by turns, until they are empty or enough are
    /// held. The session is settled up to `settled`, which holds for a lane once all
    /// that its ring had published since is in it. Returns how many there were.
    fn take(&mut self, settled: u64) -> Result<usize> {
        let lanes = self.source.lanes();
        self.merge.widen(lanes);
        self.told.resize(lanes, 0);
        let mut all = 0;
        // A ring that refills as fast as it is emptied must not keep us here.
        for _ in 0..self.held_most / TURN {
            let mut more = false;
            for lane in 0..lanes {
                // A lane that has nothing must get its turn, or nothing could ever leave.
                if self.is_full() && !self.merge.is_empty(lane) {
                    continue;
                }
                let (merge, told) = (&mut self.merge, &mut self.told[lane]);
                let taken = self.source.take(lane, TURN, |record| {
                    if let Event::Lost { count } = record.event {
                        *told = told.saturating_add(count);
                    }
                    merge.push(lane, record);
                })?;
                if taken < TURN {
                    merge.settle(lane, settled);
                }
                more |= taken > 0;
                all += taken;
            }
            if !more || self.is_full() {
                break;
            }
        }
        Ok(all)
    }

    /// Becomes readable when more records are ready to be given out.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.settler.fd()
    }

    /// The session's state and the reason for it, without a system call.
    pub fn verdict(&self) -> Verdict {
        self.source.verdict()
    }

    /// What each CPU's ring lost so far.
    pub fn lost(&self) -> impl Iterator<Item = Lost> {
        let losses = self.source.losses().into_iter().enumerate();
        losses.map(|(lane, (cpu, total, skipped))| {
            let told = self.told.get(lane).copied().unwrap_or(0);
            Lost {
                cpu,
                total: total.unwrap_or(told),
                told,
                skipped,
            }
        })
    }

    /// Bytes that wait in the rings.
    pub fn unread(&self) -> u64 {
        self.source.unread()
    }

    /// Records given out after a later one: 0, or [`crate::settle`] says why not.
    pub fn disorder(&self) -> u64 {
        self.merge.disorder()
    }
}
