// SPDX-License-Identifier: GPL-2.0-only
//! What a running trace waits for: records, signals, the end of its processes,
//! and the end of whoever reads its output.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rust_tracer::child::Process;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// The signals that end a trace, and the sink of its output.
#[derive(Debug)]
pub struct Watch {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
    /// The end that signals write to: closed, it would wake as well.
    #[expect(dead_code, reason = "held open")]
    woken: UnixStream,
    sink: Option<OwnedFd>,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// The settler has an answer.
    pub settled: bool,
    /// Nobody reads the output any more.
    pub unread: bool,
}

impl Watch {
    /// Watches for SIGINT, SIGTERM and SIGHUP. One that comes when the first has had its time kills as if nothing
    /// watched; but a hang-up never does, which says nothing new.
    pub fn signals(sink: Option<OwnedFd>) -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let asked = Arc::new(AtomicBool::new(false));
        let kills = again()?;
        let signals = [SIGINT, SIGTERM, SIGHUP];
        for signal in signals.into_iter().filter(|&signal| !is_left_alone(signal)) {
            if signal != SIGHUP {
                flag::register_conditional_default(signal, Arc::clone(&kills.flag))?;
            }
            flag::register(signal, Arc::clone(&asked))?;
            low_level::pipe::register(signal, woken.try_clone()?)?;
            low_level::pipe::register(signal, kills.first.try_clone()?)?;
        }
        Ok(Self {
            asked,
            wake,
            woken,
            sink,
        })
    }

    /// Watches for no signal.
    pub fn nothing() -> io::Result<Self> {
        let (wake, woken) = UnixStream::pair()?;
        Ok(Self {
            asked: Arc::new(AtomicBool::new(false)),
            wake,
            woken,
            sink: None,
        })
    }

    /// What a signal sets.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether a signal asked for the end.
    pub fn asked_to_end(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// Waits for something to happen, at most for `timeout`; of the session, for these
    /// events and its end.
    pub fn wait(
        &self,
        session: Option<(BorrowedFd<'_>, PollFlags)>,
        settler: Option<BorrowedFd<'_>>,
        processes: &[Process],
        timeout: Duration,
    ) -> io::Result<Happened> {
        let ends: Vec<_> = processes.iter().map(Process::fd).collect();
        let mut fds = Vec::with_capacity(ends.len() + 4);
        fds.extend(ends.iter().map(|end| PollFd::new(end, PollFlags::IN)));
        // Also after the flag was looked at: a signal may come before the poll.
        fds.push(PollFd::new(&self.wake, PollFlags::IN));
        let session = session.as_ref();
        fds.extend(session.map(|(fd, flags)| PollFd::new(fd, *flags)));
        let sink = fds.len();
        // Only errors and hang-ups are asked for: a pipe without a reader has an error, a socket is hung up.
        fds.extend(
            self.sink
                .as_ref()
                .map(|fd| PollFd::new(fd, PollFlags::empty())),
        );
        let settled = fds.len();
        fds.extend(settler.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let timeout = timeout.try_into().map_err(|_| Errno::INVAL)?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let has = |at: usize, flag| fds.get(at).is_some_and(|fd| fd.revents().contains(flag));
        Ok(Happened {
            settled: settler.is_some() && has(settled, PollFlags::IN),
            unread: self.sink.is_some() && (has(sink, PollFlags::ERR) || has(sink, PollFlags::HUP)),
        })
    }
}

/// What makes a later signal kill.
struct Kills {
    flag: Arc<AtomicBool>,
    /// What the first signal writes to.
    first: UnixStream,
}

/// One request to end may come as two signals: timeout(1) sends one to its child and one to all of its group, and a shell
/// whose terminal goes does so, and the kernel after it.
const ONE_REQUEST: Duration = Duration::from_millis(500);

/// Sets the flag when the first signal has come, and what belongs to it has had time to come.
fn again() -> io::Result<Kills> {
    let (mut seen, first) = UnixStream::pair()?;
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if seen.read_exact(&mut [0]).is_ok() {
                std::thread::sleep(ONE_REQUEST);
                set.store(true, Relaxed);
            }
        })?;
    Ok(Kills { flag, first })
}

/// Whether the caller wants a hang-up to be ignored, as nohup(1) does.
fn is_left_alone(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    signal == SIGHUP && (ignored >> (SIGHUP - 1)) & 1 != 0
}

/// Takes those processes out that have ended.
pub fn ended(processes: &mut Vec<Process>) -> Vec<Process> {
    let over = |process: &mut Process| {
        let fd = process.fd();
        let fd = fd.as_fd();
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let now = Duration::ZERO.try_into().unwrap_or_default();
        poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    };
    let (ended, running) = std::mem::take(processes)
        .into_iter()
        .map(|mut process| (over(&mut process), process))
        .partition::<Vec<_>, _>(|(over, _)| *over);
    *processes = running.into_iter().map(|(_, process)| process).collect();
    ended.into_iter().map(|(_, process)| process).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_signal_ends_the_wait_and_is_remembered() {
        let watch = Watch::signals(None).unwrap();
        assert!(!watch.asked_to_end());
        low_level::raise(SIGTERM).unwrap();
        let happened = watch.wait(None, None, &[], LONG).unwrap();
        assert_eq!(happened, Happened::default());
        assert!(watch.asked_to_end());
    }

    #[test]
    fn a_second_signal_kills_when_the_first_has_had_its_time() {
        let Kills { flag, mut first } = again().unwrap();
        assert!(!flag.load(Relaxed));
        std::io::Write::write_all(&mut first, &[1, 1]).unwrap();
        while !flag.load(Relaxed) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_socket_without_a_reader_is_noticed() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let watch = Watch {
            sink: Some(writer.into()),
            ..Watch::nothing().unwrap()
        };
        drop(reader);
        assert!(watch.wait(None, None, &[], LONG).unwrap().unread);
    }

    #[test]
    fn a_pipe_without_a_reader_is_noticed() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let watch = Watch {
            sink: Some(writer),
            ..Watch::nothing().unwrap()
        };
        let brief = Duration::from_millis(1);
        assert!(!watch.wait(None, None, &[], brief).unwrap().unread);
        drop(reader);
        assert!(watch.wait(None, None, &[], LONG).unwrap().unread);
    }

    #[test]
    fn the_end_of_a_session_wakes_the_wait_whatever_is_waited_for() {
        let (session, other) = UnixStream::pair().unwrap();
        let watch = Watch::nothing().unwrap();
        let fd = session.as_fd();
        drop(other);
        let happened = watch.wait(Some((fd, PollFlags::empty())), None, &[], LONG);
        assert_eq!(happened.unwrap(), Happened::default());
    }

    #[test]
    fn the_settler_wakes_the_wait() {
        let (ready, other) = UnixStream::pair().unwrap();
        drop(other);
        let watch = Watch::nothing().unwrap();
        let fd = Some(ready.as_fd());
        assert!(watch.wait(None, fd, &[], LONG).unwrap().settled);
        let session = fd.map(|fd| (fd, PollFlags::IN));
        assert!(!watch.wait(session, None, &[], LONG).unwrap().settled);
    }
}
