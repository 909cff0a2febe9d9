// SPDX-License-Identifier: GPL-2.0-only
//! One CPU's ring, read in place.
//!
//! ```text
//!            consumer            published
//!               v                    v
//!  ... read ... | records, PAD, LOST | being written, or free ...
//! ```
//! `published` is loaded with acquire: what it covers is complete. The position
//! behind the last record taken is stored with release: only then may the module
//! write there again. No system call is involved.

#![forbid(unsafe_code)]

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Release};

use rustix::io::Errno;

use crate::abi;
use crate::device::{Area, Device, Memory};
use crate::error::{Error, Result};
use crate::parse::Records;
use crate::record::Record;

/// Why a session is no longer running, as a ring's status page says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `RTRACE_STATE_*`.
    pub state: u32,
    /// `RTRACE_REASON_*`.
    pub reason: u32,
}

/// One CPU's ring.
#[derive(Debug)]
pub struct Ring {
    cpu: u32,
    status: Memory,
    consumer: Memory,
    data: Memory,
    position: u64,
}

/// A word of the status page, by the field that is, or begins, it.
macro_rules! status {
    ($ring:expr, $field:ident) => {
        $ring.status[offset_of!(abi::rtrace_ring_status, $field) / size_of::<u64>()].load(Acquire)
    };
}

impl Ring {
    /// Maps the ring of a CPU; `None` if it has none (yet).
    pub fn open(device: &dyn Device, cpu: u32, page: usize, bytes: usize) -> Result<Option<Self>> {
        let map = |area: Area, bytes| match device.map(cpu, area, bytes) {
            Ok(memory) => Ok(Some(memory)),
            Err(Errno::NXIO) => Ok(None),
            Err(errno) => Err(Error::Map {
                cpu,
                area: area.name(),
                source: errno.into(),
            }),
        };
        let Some(status) = map(Area::Status, page)? else {
            return Ok(None);
        };
        let (Some(consumer), Some(data)) = (map(Area::Consumer, page)?, map(Area::Data, bytes)?)
        else {
            return Ok(None);
        };
        let too_small = status.len() * size_of::<u64>() < size_of::<abi::rtrace_ring_status>();
        if too_small || consumer.is_empty() || !data.len().is_power_of_two() {
            return Err(Error::Reply {
                command: "map a ring",
                what: "its areas have impossible sizes",
            });
        }
        let position = consumer[0].load(Acquire);
        Ok(Some(Self {
            cpu,
            status,
            consumer,
            data,
            position,
        }))
    }

    /// The ring's CPU.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Bytes of the data area.
    pub fn bytes(&self) -> u64 {
        self.data.len() as u64 * 8
    }

    /// Bytes that wait to be read.
    pub fn unread(&self) -> u64 {
        status!(self, published).saturating_sub(self.position)
    }

    /// Firings that this ring could not take, so far.
    pub fn lost(&self) -> u64 {
        status!(self, lost)
    }

    /// A number that changes when the session gets a probe or a ring.
    pub fn generation(&self) -> u64 {
        status!(self, generation)
    }

    /// The session's state and the reason for it.
    pub fn verdict(&self) -> Verdict {
        let [state, reason]: [u32; 2] = zerocopy::transmute!(status!(self, state));
        Verdict { state, reason }
    }

    /// Whether the module saw a consumer position that it could not accept.
    pub fn bad_consumer(&self) -> bool {
        let [bad, _cpu]: [u32; 2] = zerocopy::transmute!(status!(self, bad_consumer));
        bad != 0
    }

    /// Takes at most `most` records out of the ring (policies switch and fill)
    /// and gives their space back. Returns how many there were.
    pub fn take(&mut self, most: usize, mut each: impl FnMut(Record)) -> Result<usize> {
        let published = status!(self, published);
        if published == self.position {
            return Ok(0);
        }
        let damaged = |source| Error::Ring {
            cpu: self.cpu,
            source,
        };
        let mut records =
            Records::new(&self.data, self.cpu, self.position, published).map_err(damaged)?;
        let mut taken = 0;
        while taken < most {
            match records.next() {
                Some(record) => each(record.map_err(damaged)?),
                None => break,
            }
            taken += 1;
        }
        self.position = records.position();
        self.consumer[0].store(self.position, Release);
        Ok(taken)
    }

    /// Reads what a stopped flight recorder (policy ring) still holds.
    pub fn replay(&self, mut each: impl FnMut(Record)) -> Result<usize> {
        let damaged = |source| Error::Ring {
            cpu: self.cpu,
            source,
        };
        let (oldest, published) = (status!(self, oldest), status!(self, published));
        let mut read = 0;
        for record in Records::new(&self.data, self.cpu, oldest, published).map_err(damaged)? {
            each(record.map_err(damaged)?);
            read += 1;
        }
        Ok(read)
    }
}
