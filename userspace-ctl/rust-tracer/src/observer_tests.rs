// SPDX-License-Identifier: GPL-2.0-only
//! Observers of the session of the module in memory.

use std::convert::Infallible;

use super::*;
use crate::fake::{Fake, FakeFunction, FakeObserver, entry};
use crate::session::{Config, Pattern};

fn module() -> (Arc<Fake>, Session) {
    let module = Fake::new(2, vec![FakeFunction::new("vfs_read")]);
    let session = Session::over(Arc::clone(&module) as _).unwrap();
    session.add(&Pattern::function("vfs_read")).unwrap();
    session.configure(&Config::default()).unwrap();
    session.publish("reads").unwrap();
    (module, session)
}

fn observer(module: &Arc<Fake>) -> Observer {
    let session = Session::over(FakeObserver::new(module) as _).unwrap();
    session.observe(&Subject::Name("reads".into())).unwrap()
}

/// What is left, in order.
fn rest(trace: &mut Trace) -> Vec<Record> {
    let mut records = Vec::new();
    let keep = |record: &Record| {
        records.push(record.clone());
        Ok::<_, Infallible>(())
    };
    trace.finish(keep).unwrap();
    records
}

fn times(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.time).collect()
}

#[test]
fn an_observer_reads_from_now_on_in_order_and_disturbs_nobody() {
    let (module, session) = module();
    session.start().unwrap();
    module.fire(&entry(0, 10));
    let observer = observer(&module);
    assert_eq!(observer.id(), 1);
    let mut trace = observer.trace().unwrap();
    let mut another = observer.trace().unwrap();
    module.fire(&entry(1, 30));
    module.fire(&entry(0, 20));
    session.stop().unwrap();
    assert_eq!(times(&rest(&mut trace)), [20, 30]);
    assert_eq!(times(&rest(&mut another)), [20, 30]);
    // The owner still has everything.
    let mut own = session.trace().unwrap();
    assert_eq!(times(&rest(&mut own)), [10, 20, 30]);
    assert_eq!(observer.session().probes(0).unwrap().len(), 2);
}

#[test]
fn an_observer_that_leaves_has_all_that_was_recorded_until_then() {
    let (module, session) = module();
    session.start().unwrap();
    let mut trace = observer(&module).trace().unwrap();
    // A CPU that is silent holds back the others while the observer stays.
    for time in [10, 20] {
        module.fire(&entry(1, time));
    }
    let mut seen = Vec::new();
    let keep = |record: &Record| {
        seen.push(record.time);
        Ok::<_, Infallible>(())
    };
    assert_eq!(trace.leave(keep).unwrap(), 2);
    assert_eq!(seen, [10, 20]);
    assert_eq!(trace.verdict().state, abi::RTRACE_STATE_RUNNING);
}

#[test]
fn an_observer_that_leaves_does_not_follow_all_that_there_is() {
    let (module, session) = module();
    let config = Config {
        ring_bytes: 1 << 24,
        ..Config::default()
    };
    session.configure(&config).unwrap();
    // From the beginning, as it comes before the start.
    let mut trace = observer(&module).trace().unwrap();
    session.start().unwrap();
    let all = 150_000;
    for time in 0..all {
        assert!(module.fire(&entry(0, time)));
    }
    let left = trace.leave(|_| Ok::<_, Infallible>(())).unwrap();
    assert!((1 << 16..1 << 17).contains(&left), "{left}");
    // What is left is there for one that stays to the end.
    session.stop().unwrap();
    assert_eq!(left + rest(&mut trace).len(), all as usize);
}

#[test]
fn a_session_that_is_over_is_read_from_its_beginning() {
    let (module, session) = module();
    session.start().unwrap();
    module.fire(&entry(0, 10));
    session.stop().unwrap();
    assert_eq!(times(&rest(&mut observer(&module).trace().unwrap())), [10]);
}

#[test]
fn a_session_that_starts_later_is_read_from_its_beginning() {
    let (module, session) = module();
    let mut trace = observer(&module).trace().unwrap();
    assert_eq!(trace.verdict().state, abi::RTRACE_STATE_IDLE);
    session.start().unwrap();
    module.fire(&entry(1, 10));
    let look = trace.look(|_| Ok::<_, Infallible>(())).unwrap();
    assert!(look.changed);
    assert_eq!(trace.verdict().state, abi::RTRACE_STATE_RUNNING);
    session.stop().unwrap();
    assert_eq!(times(&rest(&mut trace)), [10]);
}

#[test]
fn a_slow_observer_is_told_where_and_how_much_it_skipped() {
    let (module, session) = module();
    session.start().unwrap();
    let mut trace = observer(&module).trace().unwrap();
    let mut own = session.rings().unwrap();
    // Two rings' worth, while the owner keeps up.
    for time in 0..2_000 {
        assert!(module.fire(&entry(0, time)));
        own.take_all(|_| {}).unwrap();
    }
    assert_eq!(times(&rest(&mut trace)), []);
    module.fire(&entry(0, 5_000));
    session.stop().unwrap();
    let records = rest(&mut trace);
    let Event::Skipped { bytes } = records[0].event else {
        panic!("{records:?}");
    };
    assert!(bytes > 2 * 64 * 1024);
    assert_eq!(times(&records), [5_000, 5_000]);
    let skipped: Vec<_> = trace.lost().map(|lost| lost.skipped).collect();
    assert_eq!(skipped, [bytes, 0]);
}

#[test]
fn many_records_are_copied_piece_by_piece() {
    let (module, session) = module();
    let config = Config {
        ring_bytes: 1 << 20,
        ..Config::default()
    };
    session.configure(&config).unwrap();
    session.start().unwrap();
    let mut trace = observer(&module).trace().unwrap();
    let all: Vec<_> = (0..10_000).collect();
    for &time in &all {
        assert!(module.fire(&entry(0, time)));
    }
    session.stop().unwrap();
    assert_eq!(times(&rest(&mut trace)), all);
}

#[test]
fn only_what_is_published_can_be_observed() {
    let (module, session) = module();
    session.publish("").unwrap();
    for subject in [Subject::Name("reads".into()), Subject::Id(1)] {
        let asker = Session::over(FakeObserver::new(&module) as _).unwrap();
        assert!(asker.observe(&subject).is_err());
    }
    session.publish("reads").unwrap();
    let asker = Session::over(FakeObserver::new(&module) as _).unwrap();
    assert_eq!(asker.observe(&Subject::Id(1)).unwrap().id(), 1);
}
