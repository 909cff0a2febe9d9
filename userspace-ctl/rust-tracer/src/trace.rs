// SPDX-License-Identifier: GPL-2.0-only
//! A session's records in the order of their time.
//!
//! Rings are emptied into memory as soon as they are looked at, so that the
//! module has room; from there records leave through the merge. What waits in
//! memory is bounded: at the bound rings are left alone, and if that lasts, the
//! module drops and counts.

#![forbid(unsafe_code)]

use std::os::fd::BorrowedFd;

use crate::abi;
use crate::error::{Error, Result};
use crate::merge::Merge;
use crate::record::{Event, Record};
use crate::ring::{Ring, Verdict};
use crate::rings::Rings;
use crate::session::Policy;
use crate::settle::Settler;

/// Records that may wait in memory, about 100 bytes each.
const HELD_MOST: usize = 1 << 20;

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
    /// How many, since the session's start.
    pub total: u64,
    /// How many of them lost-records have told of.
    pub told: u64,
}

/// The ordered records of a started session.
pub struct Trace {
    rings: Rings,
    policy: Policy,
    merge: Merge,
    settler: Settler,
    told: Vec<u64>,
}

impl Trace {
    pub(crate) fn new(rings: Rings, policy: Policy) -> Result<Self> {
        Ok(Self {
            rings,
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
            let changed = self.rings.refresh()?;
            return Ok(Look {
                changed,
                ..Look::default()
            });
        }
        // The order matters: first the time, then the rings there are, then their records.
        let settled = self.settler.settled();
        let changed = self.rings.refresh()?;
        let mut records = 0;
        let more = loop {
            // Again and again, as the receiver may be slow and the rings must not run full.
            self.take(settled)?;
            let given = self.merge.drain(TURN, &mut each).map_err(Ended::Receiver)?;
            records += given;
            if given < TURN {
                break false;
            }
            if records >= HELD_MOST {
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
            full: self.merge.held() >= HELD_MOST,
        })
    }

    /// Gives out all that is left, in order. The session must be stopped.
    pub fn finish<E>(
        &mut self,
        mut each: impl FnMut(&Record) -> std::result::Result<(), E>,
    ) -> std::result::Result<usize, Ended<E>> {
        self.rings.refresh()?;
        if self.policy == Policy::Ring {
            for (lane, ring) in self.rings.iter().enumerate() {
                ring.replay(|record| self.merge.push(lane, record))?;
                self.merge.settle(lane, u64::MAX);
            }
            return self.merge.drain(usize::MAX, each).map_err(Ended::Receiver);
        }
        let mut records = 0;
        loop {
            // Nothing is published any more, so an emptied ring is empty for good.
            self.take(u64::MAX)?;
            let given = self.merge.drain(usize::MAX, &mut each);
            records += given.map_err(Ended::Receiver)?;
            if self.merge.held() == 0 && self.unread() == 0 {
                return Ok(records);
            }
        }
    }

    /// Takes records out of the rings by turns, until they are empty or enough are
    /// held. The session is settled up to `settled`, which holds for a lane once all
    /// that its ring had published since is in it.
    fn take(&mut self, settled: u64) -> Result<()> {
        let lanes = self.rings.iter().count();
        self.merge.widen(lanes);
        self.told.resize(lanes, 0);
        // A ring that refills as fast as it is emptied must not keep us here.
        for _ in 0..HELD_MOST / TURN {
            let mut more = false;
            for (lane, ring) in self.rings.iter_mut().enumerate() {
                // A lane that has nothing must get its turn, or nothing could ever leave.
                if self.merge.held() >= HELD_MOST && !self.merge.is_empty(lane) {
                    continue;
                }
                let (merge, told) = (&mut self.merge, &mut self.told[lane]);
                let taken = ring.take(TURN, |record| {
                    if let Event::Lost { count } = record.event {
                        *told = told.saturating_add(count);
                    }
                    merge.push(lane, record);
                })?;
                if taken < TURN {
                    merge.settle(lane, settled);
                }
                more |= taken > 0;
            }
            if !more || self.merge.held() >= HELD_MOST {
                break;
            }
        }
        Ok(())
    }

    /// Becomes readable when more records are ready to be given out.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.settler.fd()
    }

    /// The session's state and the reason for it, without a system call.
    pub fn verdict(&self) -> Verdict {
        self.rings.verdict().unwrap_or(Verdict {
            state: abi::RTRACE_STATE_RUNNING,
            reason: abi::RTRACE_REASON_NONE,
        })
    }

    /// What each CPU's ring lost so far.
    pub fn lost(&self) -> impl Iterator<Item = Lost> {
        self.rings.iter().enumerate().map(|(lane, ring)| Lost {
            cpu: ring.cpu(),
            total: ring.lost(),
            told: self.told.get(lane).copied().unwrap_or(0),
        })
    }

    /// Bytes that wait in the rings.
    pub fn unread(&self) -> u64 {
        self.rings.iter().map(Ring::unread).sum()
    }

    /// Records given out after a later one: 0, or [`crate::settle`] says why not.
    pub fn disorder(&self) -> u64 {
        self.merge.disorder()
    }
}
