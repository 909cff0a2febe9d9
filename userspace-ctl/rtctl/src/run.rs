// SPDX-License-Identifier: GPL-2.0-only
//! One trace, from its start to its closing ledger.

use std::io;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use d_output::messages::Drop;
use rust_tracer::child::Process;
use rust_tracer::{Config, Ended, Error, Event, Policy, Record, Row, Session, Sums, Trace, abi};
use rustix::event::PollFlags;
use rustix::io::Errno;

use crate::closing::{Closing, Reader};
use crate::death;
use crate::names::Names;
use crate::options::{Options, show_size};
use crate::output::Output;
use crate::progress::Progress;
use crate::resize::Buffer;
use crate::speaker::Speaker;
use crate::target::{Targets, epitaph};
use crate::watch::{Watch, ended};

/// How long records wait at most when somebody looks on.
pub const LIVE: Duration = Duration::from_millis(100);

/// How long what was aggregated may wait at most to be taken, if nobody says.
const AGGRATE: Duration = Duration::from_secs(1);

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The caller's own.
    Owner,
    /// Another's, that the caller looks on.
    Observer,
}

/// What was told of a CPU's losses so far.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    cpu: u32,
    drops: u64,
    skipped: u64,
}

/// The parts of a run.
pub struct Run<'a> {
    /// The session, with its probes.
    pub session: &'a Session,
    /// Whose it is.
    pub role: Role,
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
    complete: bool,
    /// Records read.
    read: u64,
    /// Losses told so far.
    told: Vec<Told>,
}

/// What ends the reading of records early.
#[derive(Debug)]
pub enum Stop {
    /// Nobody reads the output any more.
    Unread,
    /// The output failed.
    Output(io::Error),
    /// The names of probes could not be read.
    Names(Error),
}

/// How the reading ended.
pub type Reading<T> = std::result::Result<T, Ended<Stop>>;

/// What is said when reading failed.
pub fn failure(error: Ended<Stop>) -> anyhow::Error {
    match error {
        Ended::Receiver(Stop::Unread) => anyhow!("nobody reads the output"),
        Ended::Receiver(Stop::Output(error)) => {
            let why = crate::access::plain(&error);
            anyhow!("cannot write the output: {why}")
        }
        Ended::Receiver(Stop::Names(error)) | Ended::Read(error) => error.into(),
    }
}

impl<'a> Run<'a> {
    /// Has told nothing yet, and writes at leisure.
    pub fn new(
        (session, role): (&'a Session, Role),
        output: &'a mut Output,
        says: &'a mut Speaker,
        watch: &'a Watch,
        options: &'a Options,
    ) -> Self {
        Self {
            session,
            role,
            output,
            says,
            watch,
            options,
            rate: LIVE,
            bars: false,
            names: Names::default(),
            complete: false,
            read: 0,
            told: Vec::new(),
        }
    }
}

impl Run<'_> {
    /// Traces until the end. Returns whether the ledger holds.
    pub fn trace(&mut self, targets: Targets) -> Result<bool> {
        // Before the start: once it runs there is no time to lose.
        self.names.extend(self.session.probes(0)?);
        self.start()?;
        let mut trace = self.session.trace()?;
        let mut processes = match self.watch.asked_to_end() {
            // Who has changed his mind while the probes were attached wants no command begun.
            true => {
                drop(targets);
                Vec::new()
            }
            false => match targets.release() {
                Ok(processes) => processes,
                // A signal to all of us ends the commands as well.
                Err(_) if self.watch.asked_to_end() => Vec::new(),
                Err(error) => {
                    self.session.stop()?;
                    return Err(error);
                }
            },
        };
        self.output.released();
        let ended = self.follow(&mut trace, &mut processes);
        if self.watch.asked_to_end() {
            self.output.interrupted();
        }
        let _progress = self.bars.then(|| Progress::begin("ending the trace"));
        // Before it is stopped: that is a state as well.
        let verdict = trace.verdict();
        let dead = verdict.state == abi::RTRACE_STATE_DEAD;
        let stopped = self.session.stop();
        self.output.ends();
        let read = ended
            .and_then(|()| self.collect())
            .and_then(|()| self.finish(&mut trace));
        // As dtrace does: what was started for the trace does not outlive it, but by what is left to
        // print, which may have addresses of it.
        processes.iter().for_each(Process::terminate);
        let unread = match read {
            Ok(()) => false,
            Err(Ended::Receiver(Stop::Unread)) => true,
            Err(error) => {
                // Nothing more can be written, or read: what became of the firings can be said all the same.
                let _ = self.close(&trace, false, Reader::Owner);
                return Err(failure(error));
            }
        };
        if !dead {
            stopped?;
        }
        let holds = self.close(&trace, !unread, Reader::Owner)?;
        match dead {
            true => Err(anyhow!(death::own(verdict.reason, self.session.node()))),
            false => Ok(holds),
        }
    }

    /// Configures and starts the session. If there is no memory for the buffers,
    /// smaller ones will do, as in DTrace.
    fn start(&mut self) -> Result<()> {
        let _progress = Progress::begin("attaching the probes");
        let options = self.options;
        let least = self.session.info().ring_min;
        let mut config = Config {
            ring_bytes: match options.bufsize {
                0 => 0,
                asked => Buffer::Records
                    .settle(asked, self.session.info(), options.bufresize, self.says)?
                    .max(least),
            },
            watermark: options.watermark,
            policy: options.bufpolicy,
            frames: options.frames,
            ways: options.ways,
        };
        if config.ring_bytes != 0 && !config.ring_bytes.is_power_of_two() {
            let raised = config.ring_bytes.checked_next_power_of_two();
            config.ring_bytes = raised.unwrap_or(config.ring_bytes);
            self.says.notice(&format!(
                "buffer size raised to {}",
                show_size(config.ring_bytes)
            ));
        }
        if let Some(name) = &options.publish {
            // Before the start: who observes from now on misses nothing.
            self.session.publish(name)?;
        }
        loop {
            let settled = self.session.configure(&config)?;
            match self.session.start() {
                Ok(started) => {
                    if started.refused > 0 {
                        let refused = started.refused;
                        self.says.error(&format!(
                            "ftrace refused {refused} of {} probes: rtctl hooks FUNCTION and the kernel's log \
                             say more",
                            u64::from(refused) + u64::from(started.attached)
                        ));
                    }
                    return Ok(());
                }
                Err(Error::Command { errno, .. })
                    if errno == Errno::NOMEM
                        && options.bufresize
                        && settled.ring_bytes / 2 >= least.max(1) =>
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
    pub(crate) fn follow(
        &mut self,
        trace: &mut Trace,
        processes: &mut Vec<Process>,
    ) -> Reading<()> {
        let until_ended = !processes.is_empty();
        let mut next = Instant::now();
        let every = self.options.program.aggrate.unwrap_or(AGGRATE);
        let mut collect = next + every;
        loop {
            if self.role == Role::Owner && Instant::now() >= collect {
                collect = Instant::now() + every;
                self.collect()?;
            }
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
            // Its status is among what is left to read. An observer reads on until its owner has stopped it, as END fires then.
            if verdict.reason == abi::RTRACE_REASON_EXITED && self.role == Role::Owner {
                return Ok(());
            }
            let over = (until_ended && processes.is_empty()) || self.is_over(verdict.state);
            if over || self.watch.asked_to_end() || self.output.exit().is_some() {
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
            let timeout = match self.role {
                Role::Owner => timeout.min(collect.saturating_duration_since(now)),
                Role::Observer => timeout,
            };
            // Where nothing is read before the end, records are no reason to wake up. But the file
            // is polled all the same: it is a sign of life, without which the deadman comes.
            let reading = self.options.bufpolicy == Policy::Switch && !look.full;
            let flags = if reading {
                PollFlags::IN
            } else {
                PollFlags::empty()
            };
            let session = self.session.fd().map(|fd| (fd, flags));
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

    fn is_over(&self, state: u32) -> bool {
        match state {
            abi::RTRACE_STATE_RUNNING => false,
            // It may be published before it is started.
            abi::RTRACE_STATE_IDLE => self.role == Role::Owner,
            _ => true,
        }
    }

    /// Takes what was aggregated.
    fn collect(&mut self) -> Reading<()> {
        self.output.collect().map_err(Ended::Read)?;
        // Their keys may be of probes that have no record.
        self.learn()
            .map_err(|error| Ended::Receiver(Stop::Names(error)))?;
        self.output.join(&self.names);
        Ok(())
    }

    /// Writes what is ready to be written.
    fn look(&mut self, trace: &mut Trace) -> Reading<rust_tracer::Look> {
        self.names.symbols.refresh();
        let look = trace.look(|record| self.record(record))?;
        self.complete &= !look.changed;
        if look.records > 0 {
            self.flush()?;
        }
        Ok(look)
    }

    /// Writes all that is left of a stopped session.
    pub(crate) fn finish(&mut self, trace: &mut Trace) -> Reading<()> {
        trace.finish(|record| self.record(record))?;
        self.output.finish(&self.names);
        self.flush()
    }

    pub(crate) fn record(&mut self, record: &Record) -> std::result::Result<(), Stop> {
        if let Some(at) = record.event.firing() {
            // That a clause could not go on is told besides.
            self.read += u64::from(!matches!(record.event, Event::Fault { .. }));
            if at.probe >= self.names.len() {
                // A module was loaded. Should the index be beyond what there is, then so be it.
                self.learn().map_err(Stop::Names)?;
            }
        }
        self.output.record(&self.names, record).map_err(stop)
    }

    /// Learns the names of probes that are new, if there may be any.
    fn learn(&mut self) -> rust_tracer::Result<()> {
        if !self.complete {
            let names = self.names.len();
            self.names.extend(self.session.probes(names)?);
            self.complete = self.names.len() == names;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Reading<()> {
        for text in self.output.said() {
            self.says.error(&text);
        }
        self.output
            .flush()
            .map_err(|error| Ended::Receiver(stop(error)))
    }

    /// Says what was dropped since the last time, as dtrace does, and what an
    /// observer was too late for.
    pub(crate) fn drops(&mut self, trace: &Trace) {
        for lost in trace.lost() {
            let at = self.told.iter().position(|told| told.cpu == lost.cpu);
            let at = at.unwrap_or_else(|| {
                self.told.push(Told {
                    cpu: lost.cpu,
                    ..Told::default()
                });
                self.told.len() - 1
            });
            let told = &mut self.told[at];
            let drops = lost.total.saturating_sub(told.drops);
            let skipped = lost.skipped.saturating_sub(told.skipped);
            (told.drops, told.skipped) = (lost.total, lost.skipped);
            if drops > 0 {
                let of = Drop::Principal { cpu: lost.cpu };
                let droptags = self.options.program.output.droptags;
                self.says.error(&of.message(drops, droptags));
                self.output.dropped(of, drops);
            }
            if skipped > 0 {
                self.says.error(&format!(
                    "too late for {skipped} bytes of records on CPU {}",
                    lost.cpu
                ));
            }
        }
    }

    /// Says what of a program found no room ([`has_no_room`]), and how often speculation() found none free, as
    /// dtrace does.
    fn program_drops(&mut self, unspeculated: u64) -> Result<()> {
        let (mut speculative, mut dynamic) = (0, 0);
        let mut all = Vec::new();
        for row in self.session.ledger(Sums {
            probes: true,
            nonzero: true,
            ..Sums::default()
        })? {
            let dropped = |reason: u32| row.dropped[reason as usize];
            let cpu = row.cpu.unwrap_or_default();
            let aggregated = dropped(abi::RTRACE_DROP_AGGREGATION);
            all.push((aggregated, Drop::Aggregation { cpu }));
            speculative += dropped(abi::RTRACE_DROP_SPECULATION);
            dynamic += row.dynamic;
        }
        all.extend([
            (dynamic, Drop::Dynamic),
            (speculative, Drop::Speculation),
            (unspeculated, Drop::SpeculationUnavailable),
        ]);
        let droptags = self.options.program.output.droptags;
        for (count, of) in all.into_iter().filter(|(count, _)| *count > 0) {
            self.says.error(&of.message(count, droptags));
            self.output.dropped(of, count);
        }
        Ok(())
    }

    /// Says what became of every firing.
    pub(crate) fn close(&mut self, trace: &Trace, drained: bool, reader: Reader) -> Result<bool> {
        self.drops(trace);
        let rows = self.session.ledger(Sums {
            cpus: true,
            nonzero: true,
            ..Sums::default()
        })?;
        if reader == Reader::Owner {
            let unspeculated = self.session.status()?.unspeculated;
            if unspeculated > 0 || rows.iter().any(has_no_room) {
                self.program_drops(unspeculated)?;
            }
        }
        let closing = Closing {
            read: self.read,
            disorder: trace.disorder(),
            policy: self.options.bufpolicy,
            drained,
            reader,
            ..Closing::new(rows)
        };
        let mut unwritten = None;
        if drained {
            if self.options.bufpolicy != Policy::Ring {
                for lost in trace.lost().filter(|lost| lost.total > lost.told) {
                    self.output.lost_at_end(&lost);
                }
            }
            self.output.ledger(&self.names, &closing);
            match self.output.flush() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => unwritten = Some(error),
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
        if let Some(error) = unwritten {
            return Err(failure(Ended::Receiver(Stop::Output(error))));
        }
        if let Some(sealed) = self.output.seal()? {
            let path = sealed.path.display();
            self.says.notice(&format!(
                "chain of {} records in {path}: sha256:{} (rtctl verify)",
                sealed.records, sealed.digest
            ));
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

/// Whether something of a program found no room at this probe.
fn has_no_room(row: &Row) -> bool {
    let reasons = [abi::RTRACE_DROP_AGGREGATION, abi::RTRACE_DROP_SPECULATION];
    let dropped = reasons.map(|reason| row.dropped[reason as usize]);
    row.dynamic != 0 || dropped != [0; 2]
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
