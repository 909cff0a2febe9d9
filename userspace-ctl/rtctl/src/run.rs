// SPDX-License-Identifier: GPL-2.0-only
//! One trace, from its start to its closing ledger.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use rust_tracer::child::Process;
use rust_tracer::{Config, Ended, Error, Policy, Record, Session, Sums, Trace, abi};
use rustix::io::Errno;

use crate::closing::Closing;
use crate::names::Names;
use crate::options::{Options, show_size};
use crate::output::Output;
use crate::progress::Progress;
use crate::target::{Targets, epitaph};
use crate::tool::{LIVE, Speaker};
use crate::watch::{Watch, ended};

/// The parts of a run.
pub struct Run<'a> {
    /// The session, with its probes.
    pub session: &'a Session,
    /// Where records go.
    pub output: &'a mut Output,
    /// Where messages go.
    pub says: &'a mut Speaker,
    /// What ends it.
    pub watch: &'a Watch,
    /// What was asked for.
    pub options: &'a Options,
    /// How long records may wait at most.
    pub rate: Duration,
    /// Whether the output leaves the terminal to what tells of progress.
    pub bars: bool,
    /// What the probes are called.
    pub names: Names,
    /// Whether there are no more probes than `names` knows.
    pub complete: bool,
    /// Records read.
    pub read: u64,
    /// Drops told so far, by CPU.
    pub told: Vec<(u32, u64)>,
}

/// What ends the reading of records early.
#[derive(Debug)]
enum Stop {
    /// Nobody reads the output any more.
    Unread,
    /// The output failed.
    Output(io::Error),
    /// The names of probes could not be read.
    Names(Error),
}

/// How the reading ended.
type Reading<T> = std::result::Result<T, Ended<Stop>>;

impl Run<'_> {
    /// Traces until the end. Returns whether the ledger holds.
    pub fn trace(&mut self, targets: Targets) -> Result<bool> {
        // Before the start: once it runs there is no time to lose.
        self.names.extend(self.session.probes(0)?);
        self.start()?;
        let mut trace = self.session.trace()?;
        let mut processes = match targets.release() {
            Ok(processes) => processes,
            Err(error) => {
                self.session.stop()?;
                return Err(error);
            }
        };
        let ended = self.follow(&mut trace, &mut processes);
        let _progress = self.bars.then(|| Progress::begin("ending the trace"));
        let dead = trace.verdict().state == abi::RTRACE_STATE_DEAD;
        let stopped = self.session.stop();
        // As dtrace does: what was started for the trace does not outlive it.
        processes.iter().for_each(Process::terminate);
        let unread = match ended.and_then(|()| self.finish(&mut trace)) {
            Ok(()) => false,
            Err(Ended::Receiver(Stop::Unread)) => true,
            Err(Ended::Receiver(Stop::Output(error))) => {
                return Err(anyhow!(
                    "cannot write the output: {}",
                    crate::access::plain(&error)
                ));
            }
            Err(Ended::Receiver(Stop::Names(error)) | Ended::Read(error)) => {
                return Err(error.into());
            }
        };
        if dead {
            let reason = trace.verdict().reason;
            return Err(anyhow!("the module ended the session (reason {reason})"));
        }
        stopped?;
        self.close(&trace, !unread)
    }

    /// Configures and starts the session. If there is no memory for the buffers,
    /// smaller ones will do, as in DTrace.
    fn start(&mut self) -> Result<()> {
        let _progress = Progress::begin("attaching the probes");
        let options = self.options;
        let mut config = Config {
            ring_bytes: options.bufsize,
            watermark: options.watermark,
            policy: options.bufpolicy,
            frames: options.frames,
        };
        if config.ring_bytes != 0 && !config.ring_bytes.is_power_of_two() {
            let raised = config.ring_bytes.checked_next_power_of_two();
            config.ring_bytes = raised.unwrap_or(config.ring_bytes);
            self.says.notice(&format!(
                "buffer size raised to {}",
                show_size(config.ring_bytes)
            ));
        }
        loop {
            let settled = self.session.configure(&config)?;
            match self.session.start() {
                Ok(started) => {
                    if started.refused > 0 {
                        let refused = started.refused;
                        self.says.error(&format!(
                            "ftrace refused {refused} of {} probes",
                            u64::from(refused) + u64::from(started.attached)
                        ));
                    }
                    return Ok(());
                }
                Err(Error::Command { errno, .. })
                    if errno == Errno::NOMEM
                        && options.bufresize
                        && settled.ring_bytes / 2 >= self.session.info().ring_min.max(1) =>
                {
                    config.ring_bytes = settled.ring_bytes / 2;
                    self.says.error(&format!(
                        "buffer size lowered to {}",
                        show_size(config.ring_bytes)
                    ));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Moves records until something ends the trace.
    fn follow(&mut self, trace: &mut Trace, processes: &mut Vec<Process>) -> Reading<()> {
        let until_ended = !processes.is_empty();
        let mut next = Instant::now();
        loop {
            let look = self.look(trace)?;
            self.drops(trace);
            for mut process in ended(processes) {
                self.says.notice(&epitaph(&mut process));
            }
            let verdict = trace.verdict();
            if verdict.reason == abi::RTRACE_REASON_FILLED {
                self.says
                    .notice("a buffer is full: the recording has ended");
                return Ok(());
            }
            let over = until_ended && processes.is_empty();
            if over || self.watch.asked_to_end() || verdict.state != abi::RTRACE_STATE_RUNNING {
                return Ok(());
            }
            if look.more {
                continue;
            }
            // Settling costs the kernel something: once per turn, unless records pile up.
            let now = Instant::now();
            let settle = look.full || (look.held > 0 && now >= next);
            let timeout = match settle || look.held == 0 {
                true if self.options.bufpolicy == Policy::Fill => self.rate.min(LIVE),
                true => self.rate,
                false => next.saturating_duration_since(now),
            };
            // Where nothing is read before the end, records are no reason to wake up.
            let reading = self.options.bufpolicy == Policy::Switch && !look.full;
            let session: Option<BorrowedFd<'_>> = self.session.fd().filter(|_| reading);
            let happened = self
                .watch
                .wait(session, settle.then(|| trace.fd()), processes, timeout)
                .map_err(|error| Ended::Receiver(Stop::Output(error)))?;
            if happened.unread {
                return Err(Ended::Receiver(Stop::Unread));
            }
            if happened.settled {
                next = Instant::now() + self.rate;
            }
        }
    }

    /// Writes what is ready to be written.
    fn look(&mut self, trace: &mut Trace) -> Reading<rust_tracer::Look> {
        let look = trace.look(|record| self.record(record))?;
        self.complete &= !look.changed;
        if look.records > 0 {
            self.flush()?;
        }
        Ok(look)
    }

    /// Writes all that is left of a stopped session.
    fn finish(&mut self, trace: &mut Trace) -> Reading<()> {
        trace.finish(|record| self.record(record))?;
        self.flush()
    }

    fn record(&mut self, record: &Record) -> std::result::Result<(), Stop> {
        if let Some(at) = record.event.firing() {
            self.read += 1;
            if at.probe >= self.names.len() && !self.complete {
                // A module was loaded. Should the index be beyond what there is, then so be it.
                let names = self.names.len();
                let new = self.session.probes(names).map_err(Stop::Names)?;
                self.names.extend(new);
                self.complete = self.names.len() == names;
            }
        }
        self.output.record(&self.names, record).map_err(stop)
    }

    fn flush(&mut self) -> Reading<()> {
        self.output
            .flush()
            .map_err(|error| Ended::Receiver(stop(error)))
    }

    /// Says what was dropped since the last time, as dtrace does.
    fn drops(&mut self, trace: &Trace) {
        for lost in trace.lost() {
            let told = match self.told.iter_mut().find(|(cpu, _)| *cpu == lost.cpu) {
                Some((_, told)) => told,
                None => {
                    self.told.push((lost.cpu, 0));
                    &mut self.told.last_mut().expect("just pushed").1
                }
            };
            let new = lost.total.saturating_sub(*told);
            *told = lost.total;
            if new > 0 {
                let plural = if new == 1 { "" } else { "s" };
                self.says
                    .error(&format!("{new} drop{plural} on CPU {}", lost.cpu));
            }
        }
    }

    /// Says what became of every firing.
    fn close(&mut self, trace: &Trace, drained: bool) -> Result<bool> {
        self.drops(trace);
        let rows = self.session.ledger(Sums {
            cpus: true,
            nonzero: true,
            ..Sums::default()
        })?;
        let closing = Closing {
            read: self.read,
            disorder: trace.disorder(),
            policy: self.options.bufpolicy,
            drained,
            ..Closing::new(rows)
        };
        if drained {
            if self.options.bufpolicy != Policy::Ring {
                for lost in trace.lost().filter(|lost| lost.total > lost.told) {
                    self.output.lost_at_end(&lost);
                }
            }
            self.output.ledger(&self.names, &closing);
            match self.output.flush() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
                _ => {}
            }
        }
        for line in closing.lines() {
            self.says.notice(&line);
        }
        if closing.disorder > 0 {
            let disorder = closing.disorder;
            self.says
                .error(&format!("{disorder} records were written after later ones"));
        }
        let faults = closing.faults();
        for fault in &faults {
            self.says.error(&format!(
                "THE LEDGER DOES NOT ADD UP: {fault} are unaccounted for"
            ));
        }
        Ok(faults.is_empty())
    }
}

fn stop(error: io::Error) -> Stop {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Stop::Unread,
        _ => Stop::Output(error),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
