// SPDX-License-Identifier: GPL-2.0-only
//! Commands: on sessions of a thread's own, where everything that must not change is looked at,
//! and on shared ones, with arguments that change during the call.

#![forbid(unsafe_code)]

use std::mem::offset_of;
use std::os::fd::RawFd;

use rust_tracer::abi;
use rustix::io::Errno;
use zerocopy::FromBytes;

use super::board::{CONTENTS, Deed};
use super::hostile::Thread;
use super::kind::Kind;
use super::raw::{self, PAGE};
use super::request::{
    BUFFERS, Request, STRUCTURE, WINDOW, choose, hostile_address, rarely, words_of,
};
use super::shape::{Meaning, SHAPES, Shape, Thing};
use crate::test::{Outcome, check, check_eq, fail};

/// What lies around whatever the module may write.
const CANARY: u8 = 0xa5;
/// Bytes of it on each side.
const MARGIN: usize = 64;

/// A session of a thread's own.
#[derive(Debug)]
pub struct Private {
    /// Its descriptor, or -1.
    pub fd: RawFd,
    node: usize,
    flags: i32,
    id: u64,
    /// What it was when last looked at, and has not been changed since.
    known: Option<State>,
    /// Commands until it is closed.
    left: u32,
}

/// What a refused command must leave as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    state: u32,
    probes: u32,
    ring_bytes: u64,
    watermark: u64,
    policy: u32,
    frames: u32,
}

impl Private {
    /// No session.
    pub fn none() -> Self {
        Self {
            fd: -1,
            node: 0,
            flags: 0,
            id: 0,
            known: None,
            left: 0,
        }
    }

    fn may(&self, shape: &Shape) -> bool {
        if shape.changes() {
            self.flags != libc::O_RDONLY
        } else {
            self.flags != libc::O_WRONLY || shape.kind == Kind::LastError
        }
    }
}

/// The shape of a kind of command.
fn shape_of(kind: Kind) -> &'static Shape {
    let found = SHAPES.iter().find(|shape| shape.kind == kind);
    found.unwrap_or(&SHAPES[0])
}

/// Addresses that a reader of a node which shows none must never get: the kernel's direct map and
/// vmalloc area, its text and modules.
fn is_kernel_address(word: u64) -> bool {
    (0xffff_8000_0000_0000..=0xffff_feff_ffff_ffff).contains(&word)
        || (0xffff_ffff_8000_0000..=0xffff_ffff_feff_ffff).contains(&word)
}

/// How many bytes of the buffer a command says that it has filled.
fn filled(kind: Kind, answer: &[u8; CONTENTS * 8]) -> u64 {
    let number = |offset: usize, width: usize| {
        let mut bytes = [0u8; 8];
        bytes[..width].copy_from_slice(&answer[offset..offset + width]);
        u64::from_ne_bytes(bytes)
    };
    match kind {
        Kind::Functions => number(offset_of!(abi::rtrace_functions, filled), 8),
        Kind::Probes => number(offset_of!(abi::rtrace_probes, filled), 8),
        Kind::Sessions => number(offset_of!(abi::rtrace_sessions, filled), 8),
        Kind::Read => number(offset_of!(abi::rtrace_read, filled), 8),
        Kind::Ledger => {
            let rows = number(offset_of!(abi::rtrace_ledger, count), 4);
            rows * size_of::<abi::rtrace_ledger_row>() as u64
        }
        Kind::Aggregate => number(offset_of!(abi::rtrace_aggregate, filled), 8),
        Kind::LastError => number(offset_of!(abi::rtrace_error, len), 4),
        Kind::Symbol => number(offset_of!(abi::rtrace_symbol, len), 4),
        Kind::View => number(offset_of!(abi::rtrace_view, filled), 8),
        _ => 0,
    }
}

/// A part of the window that must stay as it is.
#[derive(Clone, Copy, Debug)]
struct Margin {
    at: u64,
    length: usize,
}

impl Thread<'_> {
    /// Closes a session of its own.
    pub fn close_private(&mut self, which: usize) {
        let fd = std::mem::replace(&mut self.private[which], Private::none()).fd;
        if fd >= 0 {
            let _ = self.note(Kind::Close, fd, [0, 0], &[], || raw::close(fd));
        }
    }

    /// Opens a session of its own anew, and brings it into some state.
    fn renew(&mut self, which: usize) -> Outcome {
        self.close_private(which);
        if rarely(&mut self.random, 200) {
            if let Some((fd, node)) = self.running_session() {
                self.private[which] = Private {
                    fd,
                    node,
                    flags: libc::O_RDWR,
                    left: self.random.u32(100..600),
                    ..Private::none()
                };
            }
        }
        if self.private[which].fd < 0 {
            let Ok((fd, node, flags)) = self.open_any() else {
                return Ok(());
            };
            self.private[which] = Private {
                fd,
                node,
                flags,
                left: self.random.u32(50..400),
                ..Private::none()
            };
        }
        if self.private[which].flags == libc::O_WRONLY {
            return Ok(());
        }
        let status: abi::rtrace_status = self.ask(which, Kind::Status)?;
        self.private[which].id = status.id;
        self.process.board.introduce(status.id);
        match self.random.u8(..16) {
            0..2 => self.right(which, Kind::Publish, &[]),
            2..6 => self.right(which, Kind::Observe, &[]),
            6 => {
                let own = [(Meaning::Session, status.id), (Meaning::User, 0)];
                self.right(which, Kind::Revoke, &own)
            }
            7..9 => self.right(which, Kind::Add, &[]),
            9 => {
                self.right(which, Kind::Program, &[])?;
                self.right(which, Kind::AddOwn, &[])?;
                self.right(which, Kind::Add, &[])
            }
            _ => Ok(()),
        }
    }

    /// A command that is right, but for these values.
    fn right(&mut self, which: usize, kind: Kind, but: &[(Meaning, u64)]) -> Outcome {
        let mut random = self.random.fork();
        let supply = self.supply(self.private[which].id, false);
        let mut request = Request::right(shape_of(kind), &mut random, &supply);
        for (meaning, value) in but {
            request.set_meaning(*meaning, *value);
        }
        if kind == Kind::Revoke {
            request.set_meaning(Meaning::Flags(abi::RTRACE_REVOKE_USER), 0);
        }
        self.give(which, request, self.window.at(STRUCTURE))
    }

    /// The answer of a command that only tells, and cannot fail.
    fn ask<T: crate::session::Command>(&mut self, which: usize, kind: Kind) -> Outcome<T> {
        let mut structure = T::default().sized();
        self.window.put(STRUCTURE, structure.as_bytes());
        let (fd, at) = (self.private[which].fd, self.window.at(STRUCTURE));
        let command = shape_of(kind).command;
        raw::ioctl(fd, command, at).map_err(|errno| fail(format!("{}: {errno}", kind.name())))?;
        self.window.get(STRUCTURE, structure.as_mut_bytes());
        Ok(structure)
    }

    /// A command on a session of its own.
    pub fn command_own(&mut self) -> Outcome {
        let which = self.random.usize(..self.private.len());
        if self.private[which].left == 0 || self.private[which].fd < 0 {
            if !self.process.nodes.is_empty() || rarely(&mut self.random, 50) {
                self.renew(which)?;
            }
            if self.private[which].fd < 0 {
                // Who may open nothing has what he is passed.
                return self.command_shared();
            }
        }
        self.private[which].left = self.private[which].left.saturating_sub(1);
        let mut random = self.random.fork();
        let shape = choose(&mut random);
        let supply = self.supply(self.private[which].id, false);
        let mut request = Request::right(shape, &mut random, &supply);
        // To start takes long.
        let costly = shape.kind == Kind::Start && !rarely(&mut random, 100);
        if costly || random.bool() {
            request.spoil(&mut random, &supply);
            if rarely(&mut random, 3) {
                request.spoil(&mut random, &supply);
            }
        }
        if costly {
            request.set_meaning(Meaning::Flags(0), 1 << random.u32(..32));
        }
        let at = match random.u8(..24) {
            0 => hostile_address(&mut random, &supply),
            1 => self.window.read_only_at(STRUCTURE),
            // Over the end of what is mapped, or just not.
            2 => self
                .window
                .at(WINDOW - random.u64(1..=shape.size.max(1) as u64)),
            3 => self.window.at(WINDOW - shape.size as u64),
            4 => self.window.at(STRUCTURE + random.u64(..16)),
            _ => self.window.at(STRUCTURE),
        };
        self.give(which, request, at)
    }

    /// Gives a command, with its structure at that address, and holds it to the rules.
    fn give(&mut self, which: usize, request: Request, at: u64) -> Outcome {
        let shape = request.shape;
        let watched = shape.changes() && self.private[which].flags == libc::O_RDWR;
        let before = if watched { self.state(which)? } else { None };

        let mut margins = Vec::new();
        let place = self.window.offset_of(at).or_else(|| {
            let alias = at.wrapping_sub(self.window.read_only_at(0));
            (alias < WINDOW).then_some(alias)
        });
        // Of the structure as the caller knows it, what is behind the module's own is zero.
        let size = request.get(Meaning::Size).unwrap_or(0) as usize;
        let written = size.clamp(shape.size, 512);
        let mut bytes = [0u8; 512];
        bytes[..shape.size].copy_from_slice(&request.bytes[..shape.size]);
        let buffer = request.get(Meaning::Pointer(Thing::Buffer));
        let each = match shape.kind {
            // Not bytes but owners.
            Kind::Owners => size_of::<abi::rtrace_owner>() as u64,
            _ => 1,
        };
        let length = request.get(Meaning::Length(Thing::Buffer)).unwrap_or(0);
        let length = length.saturating_mul(each);
        let buffer = buffer
            .and_then(|buffer| self.window.offset_of(buffer))
            .filter(|offset| *offset >= BUFFERS);
        // At the end of the window one may lie over the other.
        let is_last = |offset: Option<u64>| offset.is_some_and(|offset| offset >= WINDOW - PAGE);
        let crowded = is_last(place) && is_last(buffer);
        if let Some(place) = place.filter(|_| shape.size != 0) {
            let fits = written.min((WINDOW - place) as usize);
            self.window.put(place, &bytes[..fits]);
            if place >= MARGIN as u64 && !crowded {
                margins.push(self.margin(place - MARGIN as u64, MARGIN));
            }
            if place + (fits + MARGIN) as u64 <= WINDOW && !crowded {
                margins.push(self.margin(place + fits as u64, MARGIN));
            }
        }
        let buffer = buffer.filter(|_| !crowded);
        // The beginning of a buffer that ends within the window, to see that it is not touched.
        let mut head = None;
        if let Some(offset) = buffer {
            margins.push(self.margin(offset - MARGIN as u64, MARGIN));
            let end = offset.saturating_add(length);
            if end < WINDOW - PAGE {
                margins.push(self.margin(end, MARGIN));
                head = Some(self.margin(offset, MARGIN.min(length as usize)));
            }
        }

        let (fd, log) = (self.private[which].fd, self.process.log(self.number));
        let deed = Deed {
            kind: shape.kind,
            fd,
            command: request.command.into(),
            argument: at,
        };
        let words = request.words();
        let result = self
            .process
            .board
            .note(log, deed, &words, || raw::ioctl(fd, request.command, at));

        for margin in &margins {
            self.must_be_whole(margin)
                .map_err(|why| fail(format!("{why}: written around {request:?} at {at:#x}")))?;
        }
        match result {
            Ok(()) => {
                self.private[which].known = None;
                check!(
                    self.private[which].may(shape),
                    "{} is done with flags {}",
                    shape.kind.name(),
                    self.private[which].flags
                );
                if let Some(place) = place.filter(|_| shape.size != 0) {
                    self.must_hide_addresses(which, &request, place, buffer)?;
                }
            }
            Err(errno) => {
                // A program that is refused comes back with the place.
                let told = shape.kind == Kind::Program;
                if errno != Errno::FAULT && !told {
                    let mut now = [0u8; 512];
                    if let Some(place) = place.filter(|place| place + 512 <= WINDOW) {
                        self.window.get(place, &mut now[..written]);
                        check!(
                            now[..written] == bytes[..written] || shape.size == 0,
                            "{errno}, but the structure was changed: {request:?}"
                        );
                    }
                    if let Some(head) = &head {
                        self.must_be_whole(head).map_err(|why| {
                            fail(format!("{why}: {errno}, but the buffer of {request:?}"))
                        })?;
                    }
                }
                if let Some(before) = before {
                    self.private[which].known = None;
                    let after = self.state(which)?;
                    // Others may end any session at any time.
                    if let Some(after) = after.filter(|s| s.state != abi::RTRACE_STATE_DEAD) {
                        check_eq!(
                            after,
                            before,
                            "a session after {} was refused ({errno}): {request:?} at {at:#x}",
                            shape.kind.name()
                        );
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes a part of the window known by its contents.
    fn margin(&self, at: u64, length: usize) -> Margin {
        self.window.put(at, &[CANARY; MARGIN][..length]);
        Margin { at, length }
    }

    fn must_be_whole(&self, margin: &Margin) -> Result<(), String> {
        let mut bytes = [0u8; MARGIN];
        let bytes = &mut bytes[..margin.length];
        self.window.get(margin.at, bytes);
        if bytes.iter().all(|byte| *byte == CANARY) {
            return Ok(());
        }
        Err(format!("at offset {:#x}: {bytes:x?}", margin.at))
    }

    /// The state of a session that may be read and observes no other.
    fn state(&mut self, which: usize) -> Outcome<Option<State>> {
        if self.private[which].known.is_none() {
            let status: abi::rtrace_status = self.ask(which, Kind::Status)?;
            if status.id != self.private[which].id {
                return Ok(None);
            }
            self.private[which].known = Some(State {
                state: status.state,
                probes: status.probes,
                ring_bytes: status.ring_bytes,
                watermark: status.watermark,
                policy: status.policy,
                frames: status.frames,
            });
        }
        Ok(self.private[which].known)
    }

    /// Looks for kernel addresses in what came back, on nodes that show none.
    fn must_hide_addresses(
        &self,
        which: usize,
        request: &Request,
        place: u64,
        buffer: Option<u64>,
    ) -> Outcome {
        if self.private[which].node == abi::RTRACE_NODE_KERNEL as usize {
            return Ok(());
        }
        let mut bytes = [0u8; CONTENTS * 8];
        let size = request.shape.size.min((WINDOW - place) as usize);
        self.window.get(place, &mut bytes[..size]);
        for (word, given) in words_of(&bytes).into_iter().zip(request.words()) {
            check!(
                word == given || !is_kernel_address(word),
                "an address on node {}: {word:#x} in answer to {request:?}",
                self.private[which].node
            );
        }
        let Some(offset) = buffer else { return Ok(()) };
        let filled = filled(request.shape.kind, &bytes).min(8192);
        let mut contents = vec![0u8; filled.min(WINDOW - offset) as usize];
        self.window.get(offset, &mut contents);
        for bytes in contents.chunks_exact(8) {
            let word = u64::read_from_bytes(bytes).unwrap_or(0);
            check!(
                !is_kernel_address(word),
                "an address on node {}: {word:#x} in the buffer of {request:?}",
                self.private[which].node
            );
        }
        Ok(())
    }
}
