// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl observe`: the records of a session that its owner has published.
//!
//! An observer reads copies at its own pace. It comes when the session may have
//! recorded for long, and may be too slow for it: it says what it did not get to
//! see. It leaves when the session is over, or when it is asked to.

use anyhow::{Result, anyhow};
use rust_tracer::{Access, Ended, Error, Observer, Session, Subject, Trace, abi};
use rustix::io::Errno;

use crate::access;
use crate::cli::Observing;
use crate::closing::Reader;
use crate::death;
use crate::options::Options;
use crate::printer::Printer;
use crate::run::{Reading, Role, Run, Stop, failure};
use crate::speaker::Speaker;

/// Observes what the command line names. Returns whether all was well.
pub fn run(observing: &Observing, says: &mut Speaker) -> Result<bool> {
    let mut options = Options::default();
    for text in &observing.option {
        options.set_printing(text).map_err(anyhow::Error::msg)?;
    }
    options.quiet |= observing.printing.quiet;
    options.flowindent |= observing.printing.flow;
    says.be_quiet(options.quiet);
    let observer = find(observing)?;
    let mut printer = Printer::open(&observing.printing, &options)?;
    let of = (observer.session(), Role::Observer);
    let result = printer.run(of, says, &options).observe(&observer);
    if let Err(error) = &result {
        printer.output.error(&error.to_string());
        // The error itself is told on standard error.
        let _ = printer.output.flush();
    }
    result
}

/// The session of that name, or else of that id, on a node that opens.
fn find(observing: &Observing) -> Result<Observer> {
    let name = &observing.subject;
    let by_name = Some(Subject::Name(name.clone()));
    let by_id = name.parse().ok().map(Subject::Id);
    for subject in by_name.into_iter().chain(by_id) {
        let found = access::open_each(observing.node, Access::Observe, |session| {
            attempt(session, &subject)
        })?;
        if let Some(observer) = found {
            return Ok(observer);
        }
    }
    Err(anyhow!(
        "no session is published by the name or the ID {name} on a node that you may open: rtctl \
         sessions lists those that are (their NAME)"
    ))
}

/// `None` if the subject is not on this session's node.
fn attempt(session: Session, subject: &Subject) -> Result<Option<Observer>> {
    match session.observe(subject) {
        Ok(observer) => Ok(Some(observer)),
        Err(Error::Command { errno, .. }) if errno == Errno::NOENT => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Run<'_> {
    /// Prints the records of an observed session until it ends. Returns whether
    /// its ledger holds.
    pub fn observe(&mut self, observer: &Observer) -> Result<bool> {
        match self.session.probes(0) {
            Ok(probes) => self.names.extend(probes),
            // It is being prepared or started: its records tell of what there is.
            Err(Error::Command { errno, .. }) if errno == Errno::BUSY => {}
            Err(error) => return Err(error.into()),
        }
        let probes = self.session.status()?.probes;
        let plural = if probes == 1 { "" } else { "s" };
        let id = observer.id();
        self.says
            .notice(&format!("observing session {id}: {probes} probe{plural}"));
        let mut trace = observer.trace()?;
        let ended = self.follow(&mut trace, &mut Vec::new());
        let put_out = observer.put_out()?;
        let verdict = trace.verdict();
        let goes_on = matches!(
            verdict.state,
            abi::RTRACE_STATE_IDLE | abi::RTRACE_STATE_RUNNING
        ) && verdict.reason != abi::RTRACE_REASON_FILLED;
        let read = ended.and_then(|()| match goes_on {
            true => self.leave(&mut trace),
            false => self.finish(&mut trace),
        });
        match read {
            Ok(()) => {}
            Err(Ended::Receiver(Stop::Unread)) => return Ok(true),
            Err(error) => return Err(failure(error)),
        }
        if let Some(reason) = put_out {
            self.drops(&trace);
            return Err(anyhow!(death::own(reason, self.session.node())));
        }
        if !goes_on {
            self.says
                .notice(&death::observed(verdict.state, verdict.reason));
        }
        self.close_observed(&trace, !goes_on)
    }

    /// Writes what was recorded until now of a session that goes on.
    fn leave(&mut self, trace: &mut Trace) -> Reading<()> {
        trace.leave(|record| self.record(record))?;
        self.flush()
    }

    fn close_observed(&mut self, trace: &Trace, at_rest: bool) -> Result<bool> {
        let reader = Reader::Observer { at_rest };
        match self.close(trace, true, reader) {
            Err(error) if is_gone(&error) => {
                self.says
                    .notice("the session's ledger went when its owner closed it");
                Ok(true)
            }
            // Never started: there is nothing that it could have counted.
            Err(error) if is(&error, Errno::INVAL) => Ok(true),
            other => other,
        }
    }
}

fn is_gone(error: &anyhow::Error) -> bool {
    is(error, Errno::CANCELED)
}

fn is(error: &anyhow::Error, wanted: Errno) -> bool {
    matches!(
        error.downcast_ref(),
        Some(Error::Command { errno, .. }) if *errno == wanted
    )
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
