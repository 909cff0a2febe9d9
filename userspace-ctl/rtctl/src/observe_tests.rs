// SPDX-License-Identifier: GPL-2.0-only
//! Observers of a session over the module in memory.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rust_tracer::Pattern;
use rust_tracer::fake::{Fake, FakeFunction, FakeObserver, entry};

use super::*;
use crate::output::{Columns, Form, Json, Output};
use crate::speaker::tests::Heard;
use crate::watch::Watch;

/// A sink that can be looked into.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl crate::output::Sink for Sink {}

/// A module with a session that is published, and its owner.
fn published() -> (Arc<Fake>, Session) {
    let module = Fake::new(2, vec![FakeFunction::new("vfs_read")]);
    let session = Session::over(Arc::clone(&module) as _).unwrap();
    session.add(&Pattern::function("vfs_read")).unwrap();
    session.publish("reads").unwrap();
    (module, session)
}

/// What came of observing.
struct Outcome {
    printed: String,
    said: String,
    result: Result<bool, String>,
}

/// Observes while `owner` does what it does, who learns when the observer is asked to
/// leave: after its first line, if it is to.
fn observe(
    module: &Arc<Fake>,
    form: impl Form + 'static,
    leaves: bool,
    owner: impl FnOnce(&AtomicBool) + Send,
) -> Outcome {
    let asker = Session::over(FakeObserver::new(module) as _).unwrap();
    let observer = asker.observe(&Subject::Name("reads".into())).unwrap();
    let (heard, mut says) = Heard::speaker(false);
    let sink = Sink::default();
    let mut output = Output::new(Box::new(form), Box::new(sink.clone()));
    let watch = Watch::nothing().unwrap();
    let options = Options::default();
    let of = (observer.session(), Role::Observer);
    let mut run = Run::new(of, &mut output, &mut says, &watch, &options);
    run.rate = Duration::from_millis(1);
    let asked = watch.asked();
    let over = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            // Of what runs when it comes, an observer sees what comes later.
            while module.looks() < LOOKS && !over.load(Relaxed) {
                thread::yield_now();
            }
            owner(&asked);
        });
        if leaves {
            scope.spawn(|| {
                while sink.text().is_empty() {
                    thread::yield_now();
                }
                asked.store(true, Relaxed);
            });
        }
        let result = run.observe(&observer);
        over.store(true, Relaxed);
        result
    });
    Outcome {
        printed: sink.text(),
        said: heard.text(),
        result: result.map_err(|error| error.to_string()),
    }
}

/// How often an observer has asked for the session's status when it has begun to wait for records, and more.
const LOOKS: usize = 5;

const PRINTED: &str = "\
CPU     ID                    FUNCTION:NAME
  1      1                   vfs_read:entry \n\
\x20 0      1                   vfs_read:entry \n";

#[test]
fn an_observer_prints_what_the_owner_records_until_that_ends() {
    let (module, session) = published();
    // It waits for a session that is not started yet.
    let outcome = observe(&module, Columns::new(false), false, |_| {
        session.start().unwrap();
        module.fire(&entry(1, 10));
        module.fire(&entry(0, 20));
        module.set_state(abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_CLOSED);
    });
    assert_eq!(outcome.printed, PRINTED);
    assert_eq!(
        outcome.said.lines().collect::<Vec<_>>(),
        [
            "rtctl: observing session 1: 2 probes",
            "rtctl: the observed session is over: its owner closed it",
            "rtctl: fired 2 = recorded 2 + filtered 0 + dropped 0",
            "rtctl: read all of its records",
        ]
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn a_session_that_is_being_started_is_observed_when_it_runs() {
    let (module, session) = published();
    module.refuse("probes", Errno::BUSY, "the session is being started");
    let outcome = observe(&module, Columns::new(false), false, |_| {
        module.allow();
        session.start().unwrap();
        module.fire(&entry(1, 10));
        module.fire(&entry(0, 20));
        module.set_state(abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_CLOSED);
    });
    assert_eq!(outcome.printed, PRINTED);
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn an_observer_that_leaves_does_not_judge_a_ledger_that_goes_on() {
    let (module, session) = published();
    session.start().unwrap();
    let outcome = observe(&module, Json, true, |left| {
        let mut rings = session.rings().unwrap();
        while !left.load(Relaxed) {
            module.fire(&entry(1, 10));
            // Rows that do not add up are nothing that a running session is blamed for.
            module.cook_ledger(1);
            rings.take_all(|_| {}).unwrap();
        }
    });
    assert_eq!(outcome.result, Ok(true), "{}", outcome.said);
    let last = outcome.printed.lines().last().unwrap();
    let ledger: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(ledger["observer"], true);
    assert_eq!(ledger.get("holds"), None);
    assert!(!outcome.said.contains("is over"), "{}", outcome.said);
}

#[test]
fn the_end_of_a_session_that_was_killed_is_no_error_of_its_observers() {
    let (module, session) = published();
    session.start().unwrap();
    let outcome = observe(&module, Columns::new(false), false, |_| {
        module.set_state(abi::RTRACE_STATE_DEAD, abi::RTRACE_REASON_ADMIN);
    });
    assert!(
        outcome
            .said
            .contains("rtctl: the observed session is over: it was revoked\n"),
        "{}",
        outcome.said
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn a_ledger_that_went_with_its_owner_is_told() {
    let (module, session) = published();
    session.start().unwrap();
    module.refuse("ledger", Errno::CANCELED, "what it recorded is gone");
    module.set_state(abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_CLOSED);
    let outcome = observe(&module, Columns::new(false), false, |_| {});
    assert!(
        outcome
            .said
            .ends_with("rtctl: the session's ledger went when its owner closed it\n"),
        "{}",
        outcome.said
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn what_is_not_published_here_is_looked_for_elsewhere() {
    let (module, _) = published();
    let asker = || Session::over(FakeObserver::new(&module) as _).unwrap();
    let found = |subject: Subject| attempt(asker(), &subject).unwrap().is_some();
    assert!(found(Subject::Name("reads".into())) && found(Subject::Id(1)));
    assert!(!found(Subject::Name("writes".into())) && !found(Subject::Id(7)));
}
