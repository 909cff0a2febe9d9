// SPDX-License-Identifier: GPL-2.0-only
//! Whole traces over the module in memory: what is printed, what is said, how it
//! ends.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;

use rust_tracer::fake::{Fake, FakeFunction};
use rust_tracer::{Context, Event, Firing, Pattern};

use super::*;
use crate::output::{Columns, Form, Json};
use crate::speaker::tests::Heard;

/// A sink that can be looked into from outside, or that nobody reads.
#[derive(Clone, Default)]
struct Sink {
    text: Arc<Mutex<Vec<u8>>>,
    fails: Option<io::ErrorKind>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.fails {
            Some(why) => Err(why.into()),
            None => self.text.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl crate::output::Sink for Sink {}

/// What came of a trace.
struct Outcome {
    printed: String,
    said: String,
    result: Result<bool, String>,
}

fn module() -> Arc<Fake> {
    Fake::new(2, vec![FakeFunction::new("vfs_read")])
}

/// Traces vfs_read while `workload` has its way with the running module. The
/// workload must end the session, or the targets must.
fn trace(
    module: &Arc<Fake>,
    (options, form, sink): (Options, Box<dyn Form>, Sink),
    targets: Targets,
    workload: impl FnOnce(&Fake) + Send,
) -> Outcome {
    let watch = Watch::nothing().unwrap();
    trace_watched(module, (options, form, sink), targets, &watch, workload)
}

/// The same, with what may ask for the end.
fn trace_watched(
    module: &Arc<Fake>,
    (options, form, sink): (Options, Box<dyn Form>, Sink),
    targets: Targets,
    watch: &Watch,
    workload: impl FnOnce(&Fake) + Send,
) -> Outcome {
    let session = Session::over(Arc::clone(module) as Arc<_>).unwrap();
    session.add(&Pattern::function("vfs_read")).unwrap();
    let (heard, mut says) = Heard::speaker(false);
    let mut output = Output::new(form, Box::new(sink.clone()));
    let of = (&session, Role::Owner);
    let mut run = Run::new(of, &mut output, &mut says, watch, &options);
    run.rate = Duration::from_millis(1);
    let theirs = session.clone();
    let result = thread::scope(|scope| {
        scope.spawn(move || {
            while theirs.status().unwrap().state == abi::RTRACE_STATE_IDLE {
                thread::yield_now();
            }
            workload(module);
        });
        let result = run.trace(targets);
        if result.is_err() {
            module.set_state(abi::RTRACE_STATE_DEAD, 0);
        }
        result
    });
    Outcome {
        printed: String::from_utf8(sink.text.lock().unwrap().clone()).unwrap(),
        said: heard.text(),
        result: result.map_err(|error| error.to_string()),
    }
}

fn columns() -> (Options, Box<dyn Form>, Sink) {
    (
        Options::default(),
        Box::new(Columns::new(false)),
        Sink::default(),
    )
}

fn end(module: &Fake) {
    module.set_state(abi::RTRACE_STATE_STOPPED, abi::RTRACE_REASON_ASKED);
}

fn entry(cpu: u32, time: u64) -> Record {
    firing(cpu, time, 0)
}

fn firing(cpu: u32, time: u64, probe: u32) -> Record {
    let at = Firing {
        probe,
        pid: 1,
        tid: 2,
    };
    let event = match probe {
        1 => Event::Return {
            at,
            value: 0,
            elapsed: 5,
        },
        _ => Event::Entry { at, args: [0; 6] },
    };
    Record {
        time,
        cpu,
        context: Context::Task,
        event,
    }
}

#[test]
fn records_are_printed_in_order_and_the_ledger_closes() {
    let outcome = trace(&module(), columns(), Targets::default(), |module| {
        module.fire(&entry(1, 10));
        module.fire(&firing(0, 20, 1));
        module.fire(&entry(1, 30));
        end(module);
    });
    assert_eq!(
        outcome.printed,
        "\
CPU     ID                    FUNCTION:NAME
  1      1                   vfs_read:entry \n\
\x20 0      2                  vfs_read:return \n\
\x20 1      1                   vfs_read:entry \n"
    );
    assert_eq!(
        outcome.said,
        "rtctl: fired 3 = recorded 3 + filtered 0 + dropped 0
rtctl: entered 1 = returned 1 + in flight 0 + passed 0 + missed 0\n"
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn speculations_that_were_not_to_be_had_are_said_as_dtrace_says_them() {
    let columns = (
        Options::default(),
        Box::new(Columns::new(false)) as Box<dyn Form>,
        Sink::default(),
    );
    let outcome = trace(&module(), columns, Targets::default(), |module| {
        (0..3).for_each(|_| module.miss_speculation());
        end(module);
    });
    let said = "rtctl: 3 failed speculations (no speculative buffer available)\n";
    assert!(outcome.said.contains(said), "{}", outcome.said);
}

#[test]
fn drops_are_said_as_dtrace_says_them() {
    let json = (
        Options::default(),
        Box::new(Json) as Box<dyn Form>,
        Sink::default(),
    );
    let mut dropped = 0;
    let outcome = trace(&module(), json, Targets::default(), |module| {
        // Faster than any reader: ends with drops at the end of the ring.
        while dropped == 0 {
            dropped = u64::from(!module.fire(&entry(0, 1)));
        }
        end(module);
    });
    assert!(
        outcome.said.contains("rtctl: 1 drop on CPU 0\n"),
        "{}",
        outcome.said
    );
    assert!(outcome.said.contains("+ dropped 1 (full 1)\n"));
    let lost = r#"{"kind":"lost","time":null,"cpu":0,"count":1}"#;
    assert!(outcome.printed.lines().any(|line| line == lost));
    let last = outcome.printed.lines().last().unwrap();
    assert!(last.contains(r#""kind":"ledger""#) && last.contains(r#""holds":true"#));
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn a_full_buffer_ends_a_trace_that_fills_one() {
    let (mut options, form, sink) = columns();
    options.bufpolicy = Policy::Fill;
    let outcome = trace(
        &module(),
        (options, form, sink),
        Targets::default(),
        |module| module.set_state(abi::RTRACE_STATE_RUNNING, abi::RTRACE_REASON_FILLED),
    );
    assert!(
        outcome
            .said
            .starts_with("rtctl: a buffer is full: the recording has ended\n")
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn the_flight_recorder_is_printed_at_the_end() {
    let (mut options, form, sink) = columns();
    options.bufpolicy = Policy::Ring;
    let outcome = trace(
        &module(),
        (options, form, sink),
        Targets::default(),
        |module| {
            module.fire(&entry(1, 10));
            end(module);
        },
    );
    assert_eq!(outcome.printed.lines().count(), 2);
    assert_eq!(
        outcome.said,
        "rtctl: fired 1 = recorded 1 + filtered 0 + dropped 0
rtctl: the flight recorder kept 1 of 1 records, the others were overwritten\n"
    );
}

#[test]
fn a_session_that_the_module_ends_is_an_error_after_its_ledger() {
    let deaths = [
        (
            abi::RTRACE_REASON_SILENT,
            "processing aborted: Abort due to systemic unresponsiveness\n  the records were not",
        ),
        (
            abi::RTRACE_REASON_REVOKED,
            "processing aborted: /dev/rust_tracer/kernel does not admit you any more",
        ),
        (
            abi::RTRACE_REASON_EVENTS,
            "processing aborted: your sessions fired more often in a second than you may have",
        ),
    ];
    for (reason, words) in deaths {
        let outcome = trace(&module(), columns(), Targets::default(), |module| {
            module.fire(&entry(0, 10));
            module.set_state(abi::RTRACE_STATE_DEAD, reason);
        });
        assert_eq!(outcome.printed.lines().count(), 2);
        assert_eq!(
            outcome.said,
            "rtctl: fired 1 = recorded 1 + filtered 0 + dropped 0\n"
        );
        let error = outcome.result.unwrap_err();
        assert!(error.starts_with(words), "{error}");
    }
}

#[test]
fn a_session_is_published_before_it_is_started() {
    let module = module();
    let (mut options, form, sink) = columns();
    options.publish = Some("reads".into());
    let outcome = trace(
        &module,
        (options, form, sink),
        Targets::default(),
        |module| {
            assert_eq!(module.published().as_deref(), Some("reads"));
            end(module);
        },
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn a_name_that_is_taken_keeps_the_trace_from_starting() {
    let module = module();
    module.refuse(
        "publish",
        Errno::EXIST,
        "another session is published by that name",
    );
    let (mut options, form, sink) = columns();
    options.publish = Some("reads".into());
    let outcome = trace(&module, (options, form, sink), Targets::default(), |_| {});
    assert_eq!(
        outcome.result.unwrap_err(),
        "another session is published by that name"
    );
}

#[test]
fn a_ledger_that_does_not_add_up_is_loud() {
    let outcome = trace(&module(), columns(), Targets::default(), |module| {
        module.fire(&entry(0, 10));
        module.cook_ledger(3);
        end(module);
    });
    assert!(outcome.said.contains(
        "rtctl: THE LEDGER DOES NOT ADD UP: probe 0: 3 of 4 firings are unaccounted for\n"
    ));
    assert_eq!(outcome.result, Ok(false));
}

#[test]
fn a_reader_that_goes_away_ends_the_trace_quietly() {
    let (options, form, _) = columns();
    let sink = Sink {
        fails: Some(io::ErrorKind::BrokenPipe),
        ..Sink::default()
    };
    let outcome = trace(
        &module(),
        (options, form, sink),
        Targets::default(),
        |module| {
            module.fire(&entry(0, 10));
        },
    );
    assert_eq!(outcome.result, Ok(true));
    assert_eq!(
        outcome.said,
        "rtctl: fired 1 = recorded 1 + filtered 0 + dropped 0\n"
    );
}

#[test]
fn the_command_ends_the_trace_and_is_said_to() {
    let targets = Targets::take(&["true".to_owned()], &[], &[]).unwrap();
    let pid = targets.only().unwrap();
    let outcome = trace(&module(), columns(), targets, |_| {});
    assert_eq!(
        outcome.said,
        format!(
            "rtctl: pid {pid} has exited\nrtctl: fired 0 = recorded 0 + filtered 0 + dropped 0\n"
        )
    );
    assert_eq!(outcome.result, Ok(true));
}

#[test]
fn a_command_does_not_outlive_the_trace() {
    let targets = Targets::take(&["sleep 1000".to_owned()], &[], &[]).unwrap();
    let process = rust_tracer::child::Process::grab(targets.only().unwrap()).unwrap();
    let outcome = trace(&module(), columns(), targets, end);
    assert_eq!(outcome.result, Ok(true));
    let (mut processes, watch) = (vec![process], Watch::nothing().unwrap());
    while ended(&mut processes).is_empty() {
        watch
            .wait(None, None, &processes, Duration::from_secs(10))
            .unwrap();
    }
}

#[test]
fn a_command_is_not_begun_if_the_end_was_asked_for_before() {
    let directory = tempfile::tempdir().unwrap();
    let made = directory.path().join("made");
    let command = format!("mkdir {}", made.display());
    let targets = Targets::take(&[command], &[], &[]).unwrap();
    let watch = Watch::nothing().unwrap();
    watch
        .asked()
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let outcome = trace_watched(&module(), columns(), targets, &watch, |_| {});
    assert_eq!(outcome.result, Ok(true));
    assert!(!made.exists());
    assert!(
        outcome.said.contains("rtctl: fired 0 = "),
        "{}",
        outcome.said
    );
}

#[test]
fn what_became_of_the_firings_is_said_though_the_disk_is_full() {
    let full = Sink {
        fails: Some(io::ErrorKind::StorageFull),
        ..Sink::default()
    };
    let (options, form, _) = columns();
    let outcome = trace(
        &module(),
        (options, form, full),
        Targets::default(),
        |module| {
            module.fire(&entry(1, 10));
            end(module);
        },
    );
    assert_eq!(
        outcome.result.unwrap_err(),
        "cannot write the output: no storage space"
    );
    assert_eq!(
        outcome.said,
        "rtctl: fired 1 = recorded 1 + filtered 0 + dropped 0\n"
    );
}

#[test]
fn a_command_that_cannot_be_executed_stops_the_trace() {
    let module = module();
    let targets = Targets::take(&["/no/such/command".to_owned()], &[], &[]).unwrap();
    let outcome = trace(&module, columns(), targets, |_| {});
    assert_eq!(
        outcome.result.unwrap_err(),
        "failed to execute /no/such/command: No such file or directory"
    );
}

#[test]
fn a_probe_that_comes_later_has_its_name() {
    let outcome = trace(&module(), columns(), Targets::default(), |module| {
        module.add_late(FakeFunction::new("late"));
        module.fire(&firing(0, 10, 2));
        end(module);
    });
    assert!(
        outcome.printed.contains(" late:entry "),
        "{}",
        outcome.printed
    );
}

#[test]
fn buffers_shrink_until_they_fit() {
    let module = module();
    module.refuse("start", Errno::NOMEM, "start: no memory for the rings");
    let (mut options, form, sink) = columns();
    options.bufsize = 200 * 1024;
    let outcome = trace(&module, (options, form, sink), Targets::default(), |_| {});
    assert_eq!(
        outcome.said,
        "rtctl: buffer size raised to 256k
rtctl: buffer size lowered to 128k
rtctl: buffer size lowered to 64k\n"
    );
    assert_eq!(
        outcome.result.unwrap_err(),
        "start: no memory for the rings"
    );
}

#[test]
fn a_buffer_beyond_what_there_can_be_is_refused_if_it_may_not_shrink() {
    let (mut options, form, sink) = columns();
    options.bufsize = 100 << 40;
    options.bufresize = false;
    let outcome = trace(&module(), (options, form, sink), Targets::default(), |_| {});
    assert_eq!(
        outcome.result.unwrap_err(),
        "could not enable tracing: buffer size of 102400g is more than the 1g that there can be: \
         ask for less, or set bufresize=auto"
    );
}
