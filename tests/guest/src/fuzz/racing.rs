// SPDX-License-Identifier: GPL-2.0-only
//! Commands on sessions that all threads of a process share, with arguments that other threads
//! change during the call, and buffers where anything may be mapped. Only the kernel can be wrong
//! here.

#![forbid(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use rust_tracer::abi;
use rustix::io::Errno;

use super::board::Deed;
use super::hostile::{Process, Thread, WORKERS};
use super::kind::Kind;
use super::raw::{self, PAGE};
use super::request::{Request, STRUCTURE, choose, hostile_address, rarely};
use super::shape::{Meaning, SHAPES, Thing};
use crate::sys::{self, Sys};
use crate::test::{Outcome, check};

impl Thread<'_> {
    /// A command on a shared session, with an argument that others change meanwhile, and buffers
    /// where anything may be mapped.
    pub fn command_shared(&mut self) -> Outcome {
        let fd = self.process.slot(self.random.usize(..));
        let mut random = self.random.fork();
        let shape = choose(&mut random);
        if shape.kind == Kind::Revoke && self.process.admin {
            // Whose session it ends must be known.
            return Ok(());
        }
        let supply = self.supply(0, true);
        let mut request = Request::right(shape, &mut random, &supply);
        let costly = shape.kind == Kind::Start && !rarely(&mut random, 300);
        if costly || random.bool() {
            request.spoil(&mut random, &supply);
        }
        if costly {
            request.set_meaning(Meaning::Flags(0), 1 << random.u32(..32));
        }
        let place = self.number as u64 * PAGE + STRUCTURE;
        let at = match random.u8(..16) {
            0 => self.process.ground.start + random.u64(..self.process.ground.length),
            _ => self.process.racing.at(place),
        };
        if rarely(&mut random, 16) {
            // What is filled lies over what is asked.
            request.set_meaning(Meaning::Pointer(Thing::Buffer), at);
        }
        let words = request.words();
        for (number, word) in words.iter().enumerate() {
            let word_at = place + 8 * number as u64;
            self.process.racing.word(word_at).store(*word, Relaxed);
        }
        let deed = Deed {
            kind: shape.kind,
            fd,
            command: request.command.into(),
            argument: at,
        };
        let log = self.process.log(self.number);
        let _ = self
            .process
            .board
            .note(log, deed, &words, || raw::ioctl(fd, request.command, at));
        Ok(())
    }

    /// Changes the arguments of other threads' commands, which may be reading them.
    pub fn rewrite(&mut self) -> Outcome {
        let times = self.random.usize(1..64);
        let _ = self.note(Kind::Rewrite, -1, [times as u64, 0], &[], || Ok(()));
        for _ in 0..times {
            let thread = self.random.usize(..WORKERS);
            rewrite_one(&mut self.random, self.process, thread);
        }
        Ok(())
    }

    /// A number that is no command, or not ours.
    pub fn unknown_command(&mut self) -> Outcome {
        let own = self.random.bool();
        let fd = if own {
            self.private[0].fd
        } else {
            self.process.slot(self.random.usize(..))
        };
        let magic = u32::from(abi::RTRACE_IOC_MAGIC as u8);
        let last = SHAPES.iter().map(|shape| shape.command & 0xff).max();
        let last = last.unwrap_or(0);
        let mut command = match self.random.u8(..3) {
            0 => self.random.u32(..),
            1 => (magic << 8) | (self.random.u32(..) & !0xff00),
            _ => (magic << 8) | self.random.u32(last + 1..0x100) | (self.random.u32(..4) << 30),
        };
        // Not those that the VFS answers for any file, nor those that have a test of their own.
        let known = (command >> 8) & 0xff == magic && command & 0xff <= last;
        if known || [b'f', b'T', b'X', 0x12, 0x94, 0].contains(&((command >> 8) as u8)) {
            command = (magic << 8) | 0xff;
        }
        let supply = self.supply(0, false);
        let at = hostile_address(&mut self.random.clone(), &supply);
        let _ = self.random.u64(..);
        let deed = Deed {
            kind: Kind::Unknown,
            fd,
            command: command.into(),
            argument: at,
        };
        let log = self.process.log(self.number);
        let result: Sys<()> = self
            .process
            .board
            .note(log, deed, &[], || raw::ioctl(fd, command, at));
        check!(
            !own || fd < 0 || result == Err(Errno::NOTTY),
            "the unknown command {command:#x}: {result:?}"
        );
        Ok(())
    }

    /// Makes pages missing whose faults are served late.
    pub fn drop_pages(&mut self) -> Outcome {
        let (at, length) = super::faults::place(self.process);
        let page = self.random.u64(..length / PAGE) * PAGE;
        let ground = &self.process.ground;
        let _ = self.note(Kind::Madvise, -1, [at + page, PAGE], &[], || {
            ground.advise(at + page, PAGE, libc::MADV_DONTNEED)
        });
        sys::give_way();
        Ok(())
    }
}

/// Changes a word of a thread's argument.
pub fn rewrite_one(random: &mut fastrand::Rng, process: &Process, thread: usize) {
    let ground = &process.ground;
    let value = match random.u8(..8) {
        0 => 0,
        1 => random.u64(..),
        2 => random.u64(..4096),
        3 => ground.start + random.u64(..ground.length),
        4 => 0xffff_ffff_8100_0000,
        5 => u64::MAX,
        // A size that is right for some, with no flags.
        6 => [72, 56, 48, 32, 16, 80, 40, 24][random.usize(..8)],
        _ => process.racing.at(thread as u64 * PAGE + STRUCTURE),
    };
    let word = random.u64(..10);
    let at = thread as u64 * PAGE + STRUCTURE + word * 8;
    process.racing.word(at).store(value, Relaxed);
}
