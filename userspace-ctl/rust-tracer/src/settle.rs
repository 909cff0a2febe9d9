// SPDX-License-Identifier: GPL-2.0-only
//! Up to which time a session is settled: every record from before is published.
//!
//! A record's time is taken when its space is reserved, a moment before it is
//! published. A CPU that is silent may therefore be about to publish a record
//! that is already old, and how long that moment lasts nobody can say: the CPU
//! may be a virtual one that is not running. So it is not guessed. The module
//! reserves and publishes with preemption off, which RCU waits for, and
//! membarrier(2) waits for RCU: when `MEMBARRIER_CMD_GLOBAL` returns, every
//! record that was being written when it was called is published. The clock is
//! read before. The wait takes some ms, hence a thread of its own.
//!
//! Where the kernel refuses that command (`nohz_full`), a fixed slack stands in,
//! and [`crate::Merge::disorder`] counts should it ever not suffice.

#![forbid(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use rustix::event::{EventfdFlags, eventfd};
use rustix::thread::{MembarrierCommand, membarrier};
use rustix::time::{ClockId, clock_gettime};

use crate::error::{Error, Result};

/// How long a record may take to be published where that cannot be known, in ns.
const SLACK: u64 = 200_000_000;

/// The clock of the records, in ns.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}

/// Finds out, on request, up to which time the session is settled.
#[derive(Debug)]
pub struct Settler {
    settled: Arc<AtomicU64>,
    wish: SyncSender<()>,
    event: Arc<OwnedFd>,
}

impl Settler {
    /// Starts the thread. It ends with this value.
    pub fn start() -> Result<Self> {
        Self::with(|| {
            let time = now();
            match membarrier(MembarrierCommand::Global) {
                Ok(()) => time,
                Err(_) => time.saturating_sub(SLACK),
            }
        })
    }

    fn with(settle: impl FnMut() -> u64 + Send + 'static) -> Result<Self> {
        let system = |what, source| Error::System { what, source };
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| system("create an eventfd", errno.into()))?;
        let event = Arc::new(event);
        let settled = Arc::new(AtomicU64::new(0));
        // One wish at most waits: it is served by a clock reading that is yet to come.
        let (wish, wishes) = sync_channel(1);
        let theirs = (Arc::clone(&settled), Arc::clone(&event));
        thread::Builder::new()
            .name("settle".into())
            .spawn(move || serve(&wishes, &theirs.0, &theirs.1, settle))
            .map_err(|source| system("start a thread", source))?;
        Ok(Self {
            settled,
            wish,
            event,
        })
    }

    /// Asks for a newer answer.
    pub fn request(&self) {
        match self.wish.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => {}
            // The thread ends only with this value.
            Err(TrySendError::Disconnected(())) => {}
        }
    }

    /// Every record from before this time is published (read `published` after
    /// this, not before).
    pub fn settled(&self) -> u64 {
        let mut count = [0; 8];
        // Nothing to read means that there is no newer answer.
        let _ = rustix::io::read(&*self.event, &mut count);
        self.settled.load(Acquire)
    }

    /// Becomes readable when there is a newer answer.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

fn serve(
    wishes: &Receiver<()>,
    settled: &AtomicU64,
    event: &OwnedFd,
    mut settle: impl FnMut() -> u64,
) {
    while wishes.recv().is_ok() {
        settled.store(settle(), Release);
        // It fails only if the count is at its limit, and then it is readable anyway.
        let _ = rustix::io::write(event, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    #[test]
    fn an_answer_comes_for_each_request_and_is_announced() {
        let mut time = 0;
        let settler = Settler::with(move || {
            time += 10;
            time
        })
        .unwrap();
        assert_eq!(settler.settled(), 0);
        for expected in [10, 20] {
            settler.request();
            let mut fds = [PollFd::from_borrowed_fd(settler.fd(), PollFlags::IN)];
            poll(&mut fds, None).unwrap();
            assert_eq!(settler.settled(), expected);
        }
    }

    #[test]
    fn the_system_settles_the_past() {
        let before = now();
        let settler = Settler::start().unwrap();
        settler.request();
        let mut fds = [PollFd::from_borrowed_fd(settler.fd(), PollFlags::IN)];
        poll(&mut fds, None).unwrap();
        let settled = settler.settled();
        assert!(settled >= before.saturating_sub(SLACK) && settled <= now());
    }
}
