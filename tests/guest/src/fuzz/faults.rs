// SPDX-License-Identifier: GPL-2.0-only
//! Page faults that a hostile process serves itself (userfaultfd): a command that copies from or
//! to such a page waits in the middle for as long as this thread likes, while others use the
//! session, change the command's arguments, and take the page away.

#![forbid(unsafe_code)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use fastrand::Rng;
use rustix::io::Errno;

use super::board::Deed;
use super::hostile::{FAULTING, Process, WORKERS};
use super::kind::Kind;
use super::racing::rewrite_one;
use super::raw::{Faults, Mapped, PAGE, Window};
use crate::sys::{self, Sys};
use crate::test::Outcome;

/// How long to look for a fault before looking whether anybody still works.
const WAIT_MS: i32 = 20;

/// The pages of the ground whose faults are served here: address and bytes.
pub fn place(process: &Process) -> (u64, u64) {
    let length = FAULTING * PAGE;
    let end = process.ground.start + process.ground.length;
    (end - length, length)
}

/// Maps the pages anew, and has their faults served. Another thread may map something else over
/// them in between.
fn begin(process: &Process) -> Sys<Faults> {
    let mut last = Errno::AGAIN;
    for _ in 0..100 {
        match try_to_begin(process) {
            Ok(faults) => return Ok(faults),
            Err(errno) => last = errno,
        }
    }
    Err(last)
}

fn try_to_begin(process: &Process) -> Sys<Faults> {
    let (at, length) = place(process);
    let what = Mapped {
        protection: libc::PROT_READ | libc::PROT_WRITE,
        flags: libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        fd: -1,
        offset: 0,
    };
    process.ground.map(at, length, what)?;
    let faults = Faults::open()?;
    faults.register(at, length)?;
    Ok(faults)
}

/// Serves page faults until all who work are done.
pub fn serve(process: &Process, ended: &Barrier) -> Outcome {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            ended.wait();
            over.store(true, SeqCst);
        });
        let served = serve_until(process, &over);
        if let Err(failure) = &served {
            process.fail(failure.to_string());
        }
        served
    })
}

fn serve_until(process: &Process, over: &AtomicBool) -> Outcome {
    let contents = Window::new(PAGE)?;
    let mut random = Rng::with_seed(process.seed ^ ((process.number as u64 + 1) << 56));
    let (at, length) = place(process);
    let mut faults = begin(process)?;
    while !over.load(SeqCst) {
        let Some(page) = faults.next(WAIT_MS)? else {
            // Another thread may have mapped something else there: begin anew now and then.
            if random.u8(..16) == 0 {
                drop(faults);
                faults = begin(process)?;
            }
            continue;
        };
        // Late: the others go on meanwhile.
        for _ in 0..random.u32(..64) {
            sys::give_way();
        }
        for _ in 0..random.u32(..16) {
            rewrite_one(&mut random, process, page as usize % WORKERS);
        }
        let way = random.u8(..8);
        let deed = Deed {
            kind: Kind::Fault,
            fd: -1,
            command: u64::from(way),
            argument: page,
        };
        let log = process.log(WORKERS);
        let _ = process.board.note(log, deed, &[], || match way {
            0 => faults.unregister(at, length),
            1 => process.ground.unmap(page, PAGE),
            2..4 => faults.serve(page, None),
            4 => Ok(()),
            _ => faults.serve(page, Some(&contents)),
        });
        // Whatever has become of the page, who waits there looks again.
        match way {
            0 | 1 | 4 => {
                drop(faults);
                faults = begin(process)?;
            }
            _ => faults.wake(page, PAGE)?,
        }
    }
    Ok(())
}
