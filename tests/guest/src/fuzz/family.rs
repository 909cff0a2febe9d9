// SPDX-License-Identifier: GPL-2.0-only
//! Descriptors that come into other hands: passed to another process, inherited by a child, and
//! kept over exec. None of the new owners may change a session.

#![forbid(unsafe_code)]

use std::os::fd::AsRawFd;
use std::process::ExitCode;

use rust_tracer::abi;
use rustix::io::Errno;

use super::hostile::Thread;
use super::kind::Kind;
use super::raw::{self, Program};
use super::request::{Request, STRUCTURE};
use super::shape::SHAPES;
use crate::session::Session;
use crate::sys::{Child, Ended};
use crate::test::{Outcome, check_eq};

/// A child's exit status if it changed what it must not.
const GAINED: i32 = 3;
/// Commands that a child gives.
const COMMANDS: usize = 12;

impl Thread<'_> {
    /// Sends a descriptor to whoever takes it, or takes one.
    pub fn pass(&mut self) -> Outcome {
        let slot = self.random.usize(..);
        let fd = self.process.slot(slot);
        if self.random.bool() {
            let post = self.process.post.0.as_raw_fd();
            let _ = self.note(Kind::Pass, fd, [0, 0], &[], || {
                raw::send_descriptor(post, fd)
            });
        } else {
            let post = self.process.post.1.as_raw_fd();
            let received = self.note(Kind::Receive, post, [0, 0], &[], || {
                raw::receive_descriptor(post)
            });
            if let Ok(fd) = received {
                self.process.put(slot, fd);
            }
        }
        Ok(())
    }

    /// A child that uses what it inherited, changes its mappings, and ends.
    pub fn fork(&mut self) -> Outcome {
        let slot = self.random.usize(..);
        let mut requests = Vec::new();
        let mut random = self.random.fork();
        for number in 0..COMMANDS {
            let shape = &SHAPES[random.usize(..SHAPES.len())];
            requests.push((
                self.process.slot(slot + number),
                Request::right(shape, &mut random, &self.supply(0, false)),
            ));
        }
        let (window, ground) = (&self.window, &self.process.ground);
        let ended = self.note(Kind::Fork, -1, [slot as u64, 0], &[], || {
            let child = Child::start(|| {
                for (fd, request) in &requests {
                    window.put(STRUCTURE, &request.bytes);
                    let done = raw::ioctl(*fd, request.command, window.at(STRUCTURE));
                    if done.is_ok() && request.shape.changes() {
                        return GAINED;
                    }
                    let at = ground.start + random.u64(..64) * raw::PAGE;
                    let _ = ground.unmap(at, raw::PAGE);
                    let _ = raw::close(*fd);
                }
                0
            })?;
            child.wait()
        });
        if let Ok(ended) = ended {
            check_eq!(ended, Ended::Exit(0), "a child that inherited sessions");
        }
        Ok(())
    }

    /// A child that becomes another program with a descriptor of its parent's.
    pub fn exec(&mut self) -> Outcome {
        let fd = self.process.slot(self.random.usize(..));
        let program = Program::this(&["inherited".to_owned(), fd.to_string()])?;
        let ended = self.note(Kind::Exec, fd, [0, 0], &[], || {
            raw::ioctl(fd, abi::COMMAND_LAST_ERROR as u32, 0).or_else(|errno| match errno {
                Errno::FAULT => Ok(()),
                other => Err(other),
            })?;
            let child = Child::start(|| {
                // Another thread may have closed it before the fork.
                raw::keep_over_exec(fd).map_or(0, |()| program.become_it().raw_os_error())
            })?;
            child.wait()
        });
        if let Ok(ended) = ended {
            check_eq!(ended, Ended::Exit(0), "a program that inherited a session");
        }
        Ok(())
    }
}

/// The `inherited` command: tries to change a session of the parent's.
pub fn inherited(fd: i32) -> ExitCode {
    let Ok(fd) = raw::inherited(fd) else {
        // Another thread of the parent has closed it meanwhile.
        return ExitCode::SUCCESS;
    };
    let session = Session { fd };
    let done = [
        session
            .configure(abi::rtrace_config::default())
            .map(drop)
            .is_ok(),
        session.add("rt_target:rt_void", 3).map(drop).is_ok(),
        session.target(std::process::id() as i32).is_ok(),
        session.start().map(drop).is_ok(),
        session.stop().is_ok(),
    ];
    if done.contains(&true) {
        println!("done with an inherited descriptor: {done:?}");
        return ExitCode::from(GAINED as u8);
    }
    ExitCode::SUCCESS
}
