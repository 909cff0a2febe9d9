// SPDX-License-Identifier: GPL-2.0-only
//! All rings of a session, those of CPUs that come online later included.

#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::abi;
use crate::device::{Command, Device};
use crate::error::{Error, Result};
use crate::record::Record;
use crate::ring::{Ring, Verdict};

/// The rings of a started session.
pub struct Rings {
    device: Arc<dyn Device>,
    rings: Vec<Ring>,
    cpus: u32,
    page: usize,
    bytes: usize,
    generation: u64,
}

impl Rings {
    pub(crate) fn open(device: Arc<dyn Device>, cpus: u32, page: u32) -> Result<Self> {
        let mut status = abi::rtrace_status::default();
        device
            .command(Command::Status(&mut status))
            .map_err(|errno| Error::System {
                what: "read the session's status",
                source: errno.into(),
            })?;
        let sizes = usize::try_from(status.ring_bytes)
            .ok()
            .filter(|bytes| bytes.is_power_of_two())
            .zip(usize::try_from(page).ok().filter(|&page| page >= 64));
        let Some((bytes, page)) = sizes else {
            return Err(Error::Reply {
                command: "read the session's status",
                what: "its rings have an impossible size",
            });
        };
        let mut rings = Self {
            device,
            rings: Vec::new(),
            cpus,
            page,
            bytes,
            generation: status.generation,
        };
        rings.map_missing()?;
        Ok(rings)
    }

    fn map_missing(&mut self) -> Result<()> {
        for cpu in 0..self.cpus {
            if self.rings.iter().any(|ring| ring.cpu() == cpu) {
                continue;
            }
            if let Some(ring) = Ring::open(&*self.device, cpu, self.page, self.bytes)? {
                self.rings.push(ring);
            }
        }
        Ok(())
    }

    /// Looks for new rings if the session changed. Returns whether it did: then
    /// there may be new probes as well. No system call if it did not.
    pub fn refresh(&mut self) -> Result<bool> {
        let now = match self.rings.first() {
            Some(ring) => ring.generation(),
            None => self.generation.wrapping_add(1),
        };
        if now == self.generation {
            return Ok(false);
        }
        // Noted before looking: a change that comes in between is seen next time.
        self.generation = now;
        self.map_missing()?;
        Ok(true)
    }

    /// The rings, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Ring> {
        self.rings.iter()
    }

    /// The rings, to read from.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Ring> {
        self.rings.iter_mut()
    }

    /// The session's state and the reason for it, from memory; `None` without a
    /// ring.
    pub fn verdict(&self) -> Option<Verdict> {
        self.rings.first().map(Ring::verdict)
    }

    /// Takes everything out of every ring, CPU by CPU: ordered on each, not
    /// across them. See [`crate::Trace`] for that.
    pub fn take_all(&mut self, mut each: impl FnMut(Record)) -> Result<usize> {
        self.refresh()?;
        let mut taken = 0;
        for ring in &mut self.rings {
            taken += ring.take(usize::MAX, &mut each)?;
        }
        Ok(taken)
    }
}
