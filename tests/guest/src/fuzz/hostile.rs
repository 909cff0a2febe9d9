// SPDX-License-Identifier: GPL-2.0-only
//! A hostile process: threads that race each other over descriptors, memory and mappings.
//!
//! Each thread has a few descriptors and a window of its own, where it can tell what a command
//! may change and what not; the rest of its operations are on what all threads of the process
//! share, where anything may happen at any time and only the kernel can be wrong.

#![forbid(unsafe_code)]

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::thread;

use fastrand::Rng;
use rust_tracer::abi;

use super::board::{Board, Deed};
use super::commands::Private;
use super::faults;
use super::kind::Kind;
use super::raw::{self, Ground, PAGE, Window};
use super::request::{Supply, WINDOW, rarely};
use crate::session::{NODES, Session};
use crate::sys::ids::{self, ALL_CAPABILITIES, CAP_SYS_RESOURCE};
use crate::test::{Outcome, fail};

/// Descriptors that the threads of a process share.
const SHARED: usize = 12;
/// Threads that do operations; one more serves page faults.
pub const WORKERS: usize = 3;
/// Pages of the ground.
const GROUND: u64 = 192;
/// Of these, at its end, those whose faults user space serves.
pub const FAULTING: u64 = 8;
/// Operations that a thread takes at once.
const BATCH: u64 = 16;

/// What the threads of a process share.
#[derive(Debug)]
pub struct Process {
    /// Its number among the hostile processes.
    pub number: usize,
    /// The seed of all.
    pub seed: u64,
    /// Nodes that it may open.
    pub nodes: &'static [usize],
    /// Whether it is root's.
    pub admin: bool,
    /// What all processes share.
    pub board: Board,
    /// Where anything may be mapped.
    pub ground: Ground,
    /// Arguments that other threads change during the call: a page for each thread.
    pub racing: Window,
    /// Memory to map into the ground.
    pub memory: OwnedFd,
    /// Endless zeroes.
    pub zeroes: OwnedFd,
    /// `/dev/rt_target`
    pub target: OwnedFd,
    /// Descriptors go out here, and come from other processes there.
    pub post: (OwnedFd, OwnedFd),
    /// Ids of probes that are cheap to attach.
    pub probes: Vec<u32>,
    /// The address of a function of the kernel.
    pub function: u64,
    slots: [AtomicI32; SHARED],
    /// What went wrong first.
    failure: Mutex<Option<String>>,
}

/// What a process is given when it is started.
#[derive(Debug)]
pub struct Given {
    /// See [`Process`].
    pub number: usize,
    /// See [`Process`].
    pub seed: u64,
    /// See [`Process`].
    pub board: Board,
    /// See [`Process`].
    pub target: OwnedFd,
    /// See [`Process`].
    pub post: (OwnedFd, OwnedFd),
    /// See [`Process`].
    pub probes: Vec<u32>,
    /// See [`Process`].
    pub function: u64,
    /// See [`Process`].
    pub nodes: &'static [usize],
}

/// Does operations until there are enough.
pub fn run(given: Given) -> Outcome {
    if rustix::process::geteuid().is_root() {
        // Who has it is above all limits, also above that of probes.
        let all = ALL_CAPABILITIES & !CAP_SYS_RESOURCE;
        ids::set_capabilities(all, all)?;
    }
    let memory = rustix::fs::memfd_create("ground", rustix::fs::MemfdFlags::CLOEXEC)?;
    rustix::fs::ftruncate(&memory, GROUND * PAGE)?;
    let process = Process {
        number: given.number,
        seed: given.seed,
        nodes: given.nodes,
        admin: rustix::process::geteuid().is_root(),
        board: given.board,
        ground: Ground {
            start: Ground::START,
            length: GROUND * PAGE,
        },
        racing: Window::new((WORKERS as u64 + 1) * PAGE)?,
        memory,
        zeroes: crate::sys::open("/dev/zero", libc::O_RDWR)?,
        target: given.target,
        post: given.post,
        probes: given.probes,
        function: given.function,
        slots: [const { AtomicI32::new(-1) }; SHARED],
        failure: Mutex::new(None),
    };
    let ended = Barrier::new(WORKERS + 1);
    thread::scope(|scope| {
        for number in 0..WORKERS {
            let (process, ended) = (&process, &ended);
            scope.spawn(move || {
                let worked = Thread::new(process, number).and_then(|mut thread| thread.work());
                if let Err(failure) = worked {
                    process.fail(failure.to_string());
                }
                // Whoever waits for a page is served until nobody works any more.
                ended.wait();
            });
        }
        faults::serve(&process, &ended)
    })?;
    for slot in 0..SHARED {
        process.put(slot, -1);
    }
    match process.failure.into_inner() {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(fail(why)),
        Err(_) => Err(fail("a thread panicked")),
    }
}

impl Process {
    /// The number of a thread's log.
    pub fn log(&self, thread: usize) -> usize {
        self.number * (WORKERS + 1) + thread
    }

    /// Remembers the first thing that went wrong, and stops everybody.
    pub fn fail(&self, why: String) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(why);
        }
        self.board.stop();
    }

    /// A descriptor that the threads share: the first that there is from that one on, of a few;
    /// or -1.
    pub fn slot(&self, slot: usize) -> RawFd {
        let found = (slot % SHARED..SHARED + slot % SHARED)
            .take(4)
            .map(|slot| self.slots[slot % SHARED].load(SeqCst))
            .find(|fd| *fd >= 0);
        found.unwrap_or(-1)
    }

    /// Puts a descriptor there, and closes what was there before.
    pub fn put(&self, slot: usize, fd: RawFd) {
        let before = self.slots[slot % SHARED].swap(fd, SeqCst);
        if before >= 0 {
            let _ = raw::close(before);
        }
    }
}

/// A thread that does operations.
#[derive(Debug)]
pub struct Thread<'a> {
    /// Its process.
    pub process: &'a Process,
    /// Its number in it.
    pub number: usize,
    /// Where everything comes from.
    pub random: Rng,
    /// Memory of its own.
    pub window: Window,
    /// Sessions of its own.
    pub private: [Private; 2],
}

impl<'a> Thread<'a> {
    fn new(process: &'a Process, number: usize) -> Outcome<Self> {
        let seed = process.seed ^ ((process.log(number) as u64 + 1) << 40);
        Ok(Self {
            process,
            number,
            random: Rng::with_seed(seed),
            window: Window::new(WINDOW)?,
            private: [Private::none(), Private::none()],
        })
    }

    fn work(&mut self) -> Outcome {
        for _ in 0..SHARED / WORKERS {
            self.open_shared();
        }
        self.start_one()?;
        let (board, process) = (&self.process.board, self.process.number);
        while !board.is_stopped() && board.take(process, BATCH) {
            for _ in 0..BATCH {
                self.operate()?;
            }
        }
        for private in 0..self.private.len() {
            self.close_private(private);
        }
        Ok(())
    }

    /// One operation. What is expensive is rare.
    fn operate(&mut self) -> Outcome {
        match self.random.u32(..10_000) {
            0..5_900 => self.command_own(),
            5_900..8_000 => self.command_shared(),
            8_000..8_900 => self.change_mappings(),
            8_900..9_100 => self.fire(),
            9_100..9_300 => self.change_descriptors(),
            9_300..9_400 => self.pass(),
            9_400..9_550 => self.rewrite(),
            9_550..9_600 => self.drop_pages(),
            9_600..9_800 => self.poll_or_transfer(),
            9_800..9_995 => self.unknown_command(),
            9_995 => self.start_one(),
            9_996..9_998 => self.fork(),
            9_998 if self.random.bool() => self.exec(),
            _ => Ok(()),
        }
    }

    /// Where values come from, for a session of that id.
    pub fn supply(&self, session: u64, wild: bool) -> Supply<'_> {
        Supply {
            window: &self.window,
            ground: &self.process.ground,
            board: &self.process.board,
            probes: &self.process.probes,
            function: self.process.function,
            session,
            admin: self.process.admin,
            wild,
        }
    }

    /// Does and notes something that is no command.
    pub fn note<T>(
        &self,
        kind: Kind,
        fd: RawFd,
        words: [u64; 2],
        more: &[u64],
        work: impl FnOnce() -> crate::sys::Sys<T>,
    ) -> crate::sys::Sys<T> {
        let deed = Deed {
            kind,
            fd,
            command: words[0],
            argument: words[1],
        };
        let log = self.process.log(self.number);
        self.process.board.note(log, deed, more, work)
    }

    /// Opens a node: mostly one that it may open, mostly to read and write.
    pub fn open_any(&mut self) -> crate::sys::Sys<(RawFd, usize, i32)> {
        let allowed = self.process.nodes;
        let node = if allowed.is_empty() || rarely(&mut self.random, 16) {
            self.random.usize(..NODES.len())
        } else {
            allowed[self.random.usize(..allowed.len())]
        };
        let flags = match self.random.u8(..10) {
            0 => libc::O_RDONLY,
            1 => libc::O_WRONLY,
            _ => libc::O_RDWR,
        };
        let fd = self.note(Kind::Open, -1, [node as u64, flags as u64], &[], || {
            raw::open(NODES[node], flags)
        })?;
        Ok((fd, node, flags))
    }

    /// A new session for all threads.
    fn open_shared(&mut self) {
        let slot = self.random.usize(..SHARED);
        if let Ok((fd, ..)) = self.open_any() {
            self.process.put(slot, fd);
        }
    }

    fn change_descriptors(&mut self) -> Outcome {
        let (from, to) = (self.random.usize(..SHARED), self.random.usize(..SHARED));
        let fd = self.process.slot(from);
        match self.random.u8(..8) {
            0..4 => self.open_shared(),
            4..6 => {
                // The last of a few: now and then what it was is closed with mappings left.
                let _ = self.note(Kind::Close, fd, [0, 0], &[], || {
                    self.process.put(from, -1);
                    Ok(())
                });
            }
            _ if fd >= 0 => {
                let copy = self.note(Kind::Dup, fd, [0, 0], &[], || raw::duplicate(fd));
                if let Ok(copy) = copy {
                    self.process.put(to, copy);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_or_transfer(&mut self) -> Outcome {
        let fd = self.process.slot(self.random.usize(..SHARED));
        if self.random.bool() {
            let _ = self.note(Kind::Poll, fd, [0, 0], &[], || raw::poll(fd, 0));
            return Ok(());
        }
        let fd = self.private[0].fd;
        let (at, write) = (self.window.at(0), self.random.bool());
        let done = self.note(Kind::Io, fd, [at, u64::from(write)], &[], || {
            raw::transfer(fd, at, 64, write)
        });
        match done {
            Ok(bytes) => Err(fail(format!(
                "{bytes} bytes were read from or written to a node"
            ))),
            Err(_) => Ok(()),
        }
    }

    /// Calls a few of the functions that hostile sessions trace.
    fn fire(&mut self) -> Outcome {
        let count = self.random.u32(1..5);
        let text = match self.random.u8(..4) {
            0 => format!("void {count}"),
            1 => format!("value {count}"),
            2 => format!("errno {count}"),
            _ => format!("tail {count}"),
        };
        self.window.put(0, text.as_bytes());
        let (fd, at) = (self.process.target.as_raw_fd(), self.window.at(0));
        let _ = self.note(Kind::Fire, fd, [0, 0], &[], || {
            raw::transfer(fd, at, text.len() as u64, true)
        });
        Ok(())
    }

    /// A session that runs, for all threads.
    fn start_one(&mut self) -> Outcome {
        let Some((fd, _)) = self.running_session() else {
            return Ok(());
        };
        let slot = self.random.usize(..SHARED);
        self.process.put(slot, fd);
        Ok(())
    }

    /// Makes a session that runs, if this process may and there is room for it: its descriptor and
    /// node.
    pub fn running_session(&mut self) -> Option<(RawFd, usize)> {
        use std::os::fd::IntoRawFd;
        let nodes = self.process.nodes;
        if nodes.is_empty() {
            return None;
        }
        let node = nodes[self.random.usize(..nodes.len())];
        let session = Session::open_as(NODES[node], libc::O_RDWR).ok()?;
        let ids: Vec<u32> = (0..self.random.usize(1..4))
            .map(|_| self.process.probes[self.random.usize(..self.process.probes.len())])
            .collect();
        let config = abi::rtrace_config {
            ring_bytes: u64::from(abi::RTRACE_RING_MIN),
            policy: self.random.u32(..3),
            frames: self.random.u32(1..64),
            ..Default::default()
        };
        let fd = session.fd.as_raw_fd();
        let words = [u64::from(ids[0]), ids.len() as u64];
        let started = self.note(Kind::Start, fd, words, &[], || {
            let all = session
                .configure(config)
                .map(drop)
                .and_then(|()| session.add_ids(&ids).map(drop))
                .and_then(|()| session.start().map(drop));
            all.map_err(|refused| refused.errno)
        });
        started.ok()?;
        if let Ok(status) = session.status() {
            self.process.board.introduce(status.id);
        }
        Some((session.fd.into_raw_fd(), node))
    }
}
