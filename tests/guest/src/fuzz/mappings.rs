// SPDX-License-Identifier: GPL-2.0-only
//! Mappings that come, go, move and overlap: rings where they may be mapped and where not, and
//! ordinary memory beside and over them.

#![forbid(unsafe_code)]

use std::os::fd::AsRawFd;

use super::hostile::Thread;
use super::kind::Kind;
use super::raw::{Mapped, PAGE};
use super::request::rarely;
use crate::session::offset_of_area;
use crate::test::Outcome;
use rust_tracer::abi;

/// Of `madvise`, all but what takes memory from the machine.
const ADVICE: &[i32] = &[
    libc::MADV_NORMAL,
    libc::MADV_RANDOM,
    libc::MADV_WILLNEED,
    libc::MADV_DONTNEED,
    libc::MADV_DONTNEED,
    libc::MADV_FREE,
    libc::MADV_REMOVE,
    libc::MADV_DONTFORK,
    libc::MADV_DOFORK,
    libc::MADV_MERGEABLE,
    libc::MADV_HUGEPAGE,
    libc::MADV_DONTDUMP,
    libc::MADV_DODUMP,
    libc::MADV_WIPEONFORK,
    libc::MADV_KEEPONFORK,
    libc::MADV_COLD,
    libc::MADV_PAGEOUT,
    libc::MADV_POPULATE_READ,
    libc::MADV_POPULATE_WRITE,
    // DONTNEED_LOCKED, COLLAPSE, GUARD_INSTALL and GUARD_REMOVE, and one that is none.
    24,
    25,
    102,
    103,
    4096,
];

const PROTECTIONS: [i32; 6] = [
    libc::PROT_READ,
    libc::PROT_READ | libc::PROT_WRITE,
    libc::PROT_WRITE,
    libc::PROT_READ | libc::PROT_EXEC,
    libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
    libc::PROT_NONE,
];

impl Thread<'_> {
    /// A place in the ground, and a length up to the end of it.
    fn range(&mut self) -> (u64, u64) {
        let pages = self.process.ground.length / PAGE;
        let page = self.random.u64(..pages);
        let length = match self.random.u8(..4) {
            0 => 1,
            1 => 16,
            _ => 1 + self.random.u64(..20),
        };
        let mut at = self.process.ground.start + page * PAGE;
        let mut length = length.min(pages - page) * PAGE;
        if rarely(&mut self.random, 16) && length > PAGE {
            at += self.random.u64(..PAGE);
            length -= PAGE;
        }
        (at, length)
    }

    /// One operation on mappings.
    pub fn change_mappings(&mut self) -> Outcome {
        let (at, length) = self.range();
        let ground = &self.process.ground;
        match self.random.u8(..20) {
            0..3 => self.map_ring(at),
            3..5 => self.map_memory(at, length),
            5..8 => {
                let _ = self.note(Kind::Munmap, -1, [at, length], &[], || {
                    ground.unmap(at, length)
                });
            }
            8..10 => {
                let (to, new) = self.range();
                let old = if rarely(&mut self.random, 8) {
                    0
                } else {
                    length
                };
                let _ = self.note(Kind::Mremap, -1, [at, old], &[to, new], || {
                    ground.remap((at, old), (to, new))
                });
            }
            10..12 => {
                let protection = PROTECTIONS[self.random.usize(..PROTECTIONS.len())];
                let words = [at, length];
                let _ = self.note(Kind::Mprotect, -1, words, &[protection as u64], || {
                    ground.protect(at, length, protection)
                });
            }
            12..15 => {
                let advice = ADVICE[self.random.usize(..ADVICE.len())];
                let _ = self.note(Kind::Madvise, -1, [at, length], &[advice as u64], || {
                    ground.advise(at, length, advice)
                });
            }
            15 => {
                let lock = self.random.bool();
                let _ = self.note(Kind::Mlock, -1, [at, length], &[u64::from(lock)], || {
                    ground.lock(at, length, lock)
                });
            }
            _ => self.touch(at, length),
        }
        Ok(())
    }

    /// A part of a ring: mostly as it may be mapped.
    fn map_ring(&mut self, at: u64) {
        let slot = self.random.usize(..);
        let fd = self.process.slot(slot);
        let (area, right) = match self.random.u8(..3) {
            0 => (abi::AREA_STATUS, PAGE),
            1 => (abi::AREA_CONSUMER, PAGE),
            _ => (abi::AREA_DATA, u64::from(abi::RTRACE_RING_MIN)),
        };
        let mut protection = libc::PROT_READ;
        if area == abi::AREA_CONSUMER {
            protection |= libc::PROT_WRITE;
        }
        let mut flags = libc::MAP_SHARED;
        let mut offset = offset_of_area(self.random.u32(..2), area);
        let mut length = right;
        match self.random.u8(..12) {
            0 => protection = PROTECTIONS[self.random.usize(..PROTECTIONS.len())],
            1 => flags = libc::MAP_PRIVATE,
            2 => {
                flags = libc::MAP_SHARED_VALIDATE | [0, libc::MAP_SYNC, libc::MAP_LOCKED][slot % 3]
            }
            3 => length = self.random.u64(1..32) * PAGE,
            4 => length = [1 << 57, u64::MAX, 1, right * 2][slot % 4],
            5 => offset += self.random.u64(..16) * PAGE,
            6 => offset = self.random.u64(..) & !(PAGE - 1),
            7 => offset = offset_of_area(self.random.u32(..), area),
            _ => {}
        }
        let end = self.process.ground.start + self.process.ground.length;
        if length < 1 << 40 && at + length > end {
            length = PAGE.min(end - at);
        }
        let ground = &self.process.ground;
        let what = Mapped {
            protection,
            flags: flags | (libc::MAP_POPULATE * i32::from(slot % 7 == 0)),
            fd,
            offset,
        };
        let more = [offset, protection as u64, flags as u64];
        let _ = self.note(Kind::Mmap, fd, [at, length], &more, || {
            ground.map(at, length, what)
        });
    }

    /// Ordinary memory, a file's or nobody's.
    fn map_memory(&mut self, at: u64, length: u64) {
        let protection = if rarely(&mut self.random, 4) {
            PROTECTIONS[self.random.usize(..PROTECTIONS.len())]
        } else {
            libc::PROT_READ | libc::PROT_WRITE
        };
        let (fd, flags) = match self.random.u8(..4) {
            0 => (self.process.memory.as_raw_fd(), libc::MAP_SHARED),
            1 => (self.process.memory.as_raw_fd(), libc::MAP_PRIVATE),
            2 => (-1, libc::MAP_SHARED | libc::MAP_ANONYMOUS),
            _ => (-1, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS),
        };
        let offset = if fd < 0 {
            0
        } else {
            self.random.u64(..64) * PAGE
        };
        let what = Mapped {
            protection,
            flags,
            fd,
            offset,
        };
        let ground = &self.process.ground;
        let more = [offset, protection as u64, flags as u64];
        let _ = self.note(Kind::Mmap, fd, [at, length], &more, || {
            ground.map(at, length, what)
        });
    }

    /// Has the kernel read or write what is mapped there: a ring's pages among others.
    fn touch(&mut self, at: u64, length: u64) {
        let ground = &self.process.ground;
        let mut word = self.random.u64(..);
        match self.random.u8(..4) {
            0 => {
                let fd = self.process.zeroes.as_raw_fd();
                let length = length.min(2 * PAGE);
                let _ = self.note(Kind::Touch, fd, [at, length], &[], || {
                    super::raw::transfer(fd, at, length, false)
                });
            }
            1 => {
                let fd = self.process.memory.as_raw_fd();
                let length = length.min(2 * PAGE);
                let _ = self.note(Kind::Touch, fd, [at, length], &[], || {
                    super::raw::transfer(fd, at, length, true)
                });
            }
            which => {
                let write = which == 2;
                let words = [at, u64::from(write)];
                let mut poked = word;
                let _ = self.note(Kind::Touch, -1, words, &[word], || {
                    ground.poke(at, &mut poked, write)
                });
                word = poked;
            }
        }
        let _ = word;
    }
}
