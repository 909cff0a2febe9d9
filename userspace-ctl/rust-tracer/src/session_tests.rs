// SPDX-License-Identifier: GPL-2.0-only
//! Sessions over the module in memory: listings that take many calls, errors in
//! the module's words, and traces over all policies.

use std::convert::Infallible;

use rustix::event::{PollFd, PollFlags, poll};

use super::*;
use crate::device::{Area, Memory};
use crate::fake::{Fake, FakeFunction, entry};
use crate::record::{Event, Record};
use crate::{Way, Why, settle};

fn module() -> Arc<Fake> {
    let functions = vec![
        FakeFunction::new("vfs_read"),
        FakeFunction {
            aliases: "ksys_w write_alias",
            ..FakeFunction::new("vfs_write")
        },
        FakeFunction {
            module: "ext4",
            ..FakeFunction::new("ext4_read")
        },
        FakeFunction {
            why: 5,
            ..FakeFunction::new("vfs_read.cold")
        },
        FakeFunction {
            stub: true,
            ..FakeFunction::new("do_nanosleep")
        },
    ];
    Fake::new(2, functions)
}

fn session(module: &Arc<Fake>) -> Session {
    Session::over(Arc::clone(module) as Arc<dyn Device>).unwrap()
}

fn started(module: &Arc<Fake>, config: Config) -> (Session, Trace) {
    let session = session(module);
    session.add(&Pattern::function("vfs_read")).unwrap();
    session.configure(&config).unwrap();
    session.start().unwrap();
    let trace = session.trace().unwrap();
    (session, trace)
}

fn look(trace: &mut Trace) -> Vec<u64> {
    let mut times = Vec::new();
    let keep = |record: &Record| {
        times.push(record.time);
        Ok::<_, Infallible>(())
    };
    let look = trace.look(keep).unwrap();
    assert_eq!(look.records, times.len());
    times
}

fn finish(trace: &mut Trace) -> Vec<u64> {
    let mut times = Vec::new();
    let keep = |record: &Record| {
        times.push(record.time);
        Ok::<_, Infallible>(())
    };
    trace.finish(keep).unwrap();
    times
}

/// Waits until the trace has settled once.
fn settled(trace: &Trace) {
    let fd = trace.fd();
    poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
}

#[test]
fn functions_are_listed_over_many_calls() {
    let session = session(&module());
    let names = |query: &Query| {
        let functions = session.functions(query).unwrap();
        functions
            .iter()
            .map(|it| it.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&Query::default()),
        ["vfs_read", "vfs_write", "ext4_read", "do_nanosleep"]
    );
    let query = Query {
        function: "vfs_*".into(),
        untraceable: true,
        aliases: true,
        ..Query::default()
    };
    assert_eq!(names(&query), ["vfs_read", "vfs_write", "vfs_read.cold"]);
    let functions = session.functions(&query).unwrap();
    assert_eq!(functions[1].aliases, ["ksys_w", "write_alias"]);
    assert_eq!(functions[2].why, Some(Why::Part));
    assert_eq!((functions[2].entry_id, functions[2].id), (None, 0));
    assert_eq!(
        (functions[1].entry_id, functions[1].return_id),
        (Some(3), Some(4))
    );
}

#[test]
fn probes_are_added_once_and_listed_from_any_index() {
    let session = session(&module());
    let pattern = Pattern::function("vfs_*").only(Kind::Entry);
    let added = session.add(&pattern).unwrap();
    assert_eq!((added.matched, added.added), (2, 2));
    let again = session.add(&Pattern::function("vfs_read")).unwrap();
    assert_eq!((again.matched, again.added), (2, 1));
    assert_eq!(session.add_ids(&[]).unwrap(), Added::default());
    assert_eq!(session.add_ids(&[6]).unwrap().added, 1);
    let probes = session.probes(1).unwrap();
    let names: Vec<_> = probes.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "fbt:vmlinux:vfs_write:entry",
            "fbt:vmlinux:vfs_read:return",
            "fbt:ext4:ext4_read:return"
        ]
    );
    assert_eq!(probes[0].index, 1);
    assert!(session.probes(4).unwrap().is_empty());
}

/// By which ways a session's probes are attached, entry and return of a function
/// that a stub may serve and of one that it may not.
fn attached(config: &Config, returns: bool) -> Vec<Way> {
    let session = session(&module());
    for name in ["vfs_read", "do_nanosleep"] {
        let both = Pattern::function(name);
        let pattern = if returns {
            both
        } else {
            both.only(Kind::Entry)
        };
        session.add(&pattern).unwrap();
    }
    session.configure(config).unwrap();
    session.start().unwrap();
    let probes = session.probes(0).unwrap();
    probes.iter().map(|probe| probe.way).collect()
}

fn by_ways(ways: &[u32]) -> Config {
    Config {
        ways: ways.iter().fold(0, |bits, way| bits | (1 << way)),
        ..Config::default()
    }
}

#[test]
fn calls_are_followed_by_a_stub_where_it_may_serve() {
    let all = [Way::Ops, Way::Fprobe, Way::Stub, Way::Stub];
    assert_eq!(attached(&Config::default(), true), all);
    let ways = [
        abi::RTRACE_WAY_OPS,
        abi::RTRACE_WAY_FPROBE,
        abi::RTRACE_WAY_STUB,
    ];
    assert_eq!(attached(&by_ways(&ways), true), all);
    // Where no call is followed, there is nothing for a stub to do.
    assert_eq!(attached(&by_ways(&ways), false), [Way::Ops, Way::Ops]);
}

#[test]
fn calls_are_followed_without_a_stub_if_that_is_asked_for() {
    let ways = [abi::RTRACE_WAY_OPS, abi::RTRACE_WAY_FPROBE];
    let pair = [Way::Ops, Way::Fprobe];
    assert_eq!(attached(&by_ways(&ways), true), [pair, pair].concat());
}

#[test]
fn ways_are_settled_when_the_session_is_configured() {
    let session = session(&module());
    let settled = session.configure(&Config::default()).unwrap();
    let all = by_ways(&[
        abi::RTRACE_WAY_OPS,
        abi::RTRACE_WAY_FPROBE,
        abi::RTRACE_WAY_STUB,
        abi::RTRACE_WAY_SLOT,
    ]);
    assert_eq!(settled.ways, all.ways);
    for not_enough in [
        &[abi::RTRACE_WAY_OPS][..],
        &[abi::RTRACE_WAY_STUB],
        &[abi::RTRACE_WAY_OPS, abi::RTRACE_WAY_STUB],
        &[
            abi::RTRACE_WAY_OPS,
            abi::RTRACE_WAY_FPROBE,
            abi::RTRACE_WAY_SLOT,
        ],
        &[abi::RTRACE_WAY_OPS, abi::RTRACE_WAY_FPROBE, 9],
    ] {
        let error = session.configure(&by_ways(not_enough)).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::INVAL.raw_os_error()));
    }
}

#[test]
fn what_a_listing_says_of_ways_holds_for_a_probe_alone() {
    let session = session(&module());
    let functions = session.functions(&Query::default()).unwrap();
    let ways: Vec<_> = functions
        .iter()
        .map(|it| Kind::ALL.map(|kind| it.way(kind)))
        .collect();
    let [plain, stub] = [Way::Fprobe, Way::Stub].map(|ret| [Way::Ops, ret]);
    assert_eq!(ways, [plain, plain, plain, stub]);
}

#[test]
fn a_refused_command_carries_the_modules_sentence() {
    let module = module();
    let session = session(&module);
    module.refuse("add", Errno::PERM, "add: this node may not arm yet");
    let error = session.add(&Pattern::function("x")).unwrap_err();
    assert_eq!(error.to_string(), "add: this node may not arm yet");
    assert_eq!(error.errno(), Some(1));
}

#[test]
fn records_come_in_the_order_of_time_over_all_cpus() {
    let module = module();
    let (session, mut trace) = started(&module, Config::default());
    let now = settle::now();
    for (cpu, ago) in [(1, 50), (0, 40), (1, 30), (0, 20), (0, 10)] {
        assert!(module.fire(&entry(cpu, now - ago)));
    }
    // CPU 1 said nothing after 30, so what is later waits until it is settled.
    assert_eq!(look(&mut trace), [50, 40, 30].map(|ago| now - ago));
    settled(&trace);
    assert_eq!(look(&mut trace), [20, 10].map(|ago| now - ago));
    module.fire(&entry(0, u64::MAX - 1));
    assert!(look(&mut trace).is_empty());
    session.stop().unwrap();
    assert_eq!(finish(&mut trace), [u64::MAX - 1]);
    assert_eq!(trace.disorder(), 0);
    assert!(
        session
            .ledger(Sums::default())
            .unwrap()
            .iter()
            .all(Row::holds)
    );
}

#[test]
fn losses_are_told_in_band_and_by_the_ring() {
    let module = module();
    let (session, mut trace) = started(&module, Config::default());
    let mut fired = 0;
    while module.fire(&entry(0, fired)) {
        fired += 1;
    }
    assert!(!module.fire(&entry(0, fired)));
    let mut count = look(&mut trace).len() as u64;
    assert!(module.fire(&entry(0, fired + 1)));
    assert!(!module.fire(&entry(7, fired)), "a CPU without a ring");
    session.stop().unwrap();
    let mut lost = Vec::new();
    let keep = |record: &Record| {
        match record.event {
            Event::Lost { count } => lost.push(count),
            _ => count += 1,
        }
        Ok::<_, Infallible>(())
    };
    trace.finish(keep).unwrap();
    assert_eq!(count, fired + 1);
    assert_eq!(lost, [2]);
    let lost: Vec<_> = trace.lost().map(|it| (it.cpu, it.total, it.told)).collect();
    assert_eq!(lost, [(0, 2, 2), (1, 0, 0)]);
    let rows = session.ledger(Sums::default()).unwrap();
    assert_eq!((rows[0].fired, rows[0].recorded), (fired + 3, fired + 1));
    assert!(rows[0].holds());
}

#[test]
fn the_flight_recorder_is_read_after_the_stop() {
    let module = module();
    let config = Config {
        policy: Policy::Ring,
        ..Config::default()
    };
    let (session, mut trace) = started(&module, config);
    module.fire(&entry(1, 10));
    module.fire(&entry(0, 20));
    assert!(look(&mut trace).is_empty());
    session.stop().unwrap();
    assert_eq!(finish(&mut trace), [10, 20]);
}

#[test]
fn a_slow_receiver_does_not_let_the_rings_run_full() {
    let module = module();
    let config = Config {
        ring_bytes: 256 * 1024,
        ..Config::default()
    };
    let (session, mut trace) = started(&module, config);
    // Both CPUs go on firing while records are given out: several rings' worth.
    let mut fired = 0;
    let mut fire = || {
        fired += 1;
        fired > 20_000 || module.fire(&entry(fired as u32 % 2, fired))
    };
    assert!((0..4_000).all(|_| fire()));
    let mut given = 0;
    let each = |_: &Record| {
        given += 1;
        assert!(fire());
        Ok::<_, Infallible>(())
    };
    trace.look(each).unwrap();
    assert!(given > 19_000);
    session.stop().unwrap();
    given += finish(&mut trace).len();
    assert_eq!((given, trace.disorder()), (20_000, 0));
}

#[test]
fn a_ring_that_is_to_be_filled_is_read_at_the_end() {
    let module = module();
    let config = Config {
        policy: Policy::Fill,
        ..Config::default()
    };
    let (session, mut trace) = started(&module, config);
    let mut fired = 0;
    while module.fire(&entry(0, fired)) {
        fired += 1;
        assert!(look(&mut trace).is_empty());
    }
    assert_eq!(trace.verdict().reason, abi::RTRACE_REASON_FILLED);
    session.stop().unwrap();
    assert_eq!(finish(&mut trace).len() as u64, fired);
}

#[test]
fn a_cpu_that_comes_online_is_read_as_well() {
    let module = module();
    module.unplug();
    let (session, mut trace) = started(&module, Config::default());
    assert_eq!(trace.lost().count(), 1);
    module.plug();
    module.fire(&entry(1, 10));
    module.fire(&entry(0, 20));
    let changed = trace.look(|_| Ok::<_, Infallible>(())).unwrap().changed;
    assert!(changed);
    session.stop().unwrap();
    finish(&mut trace);
    assert_eq!(trace.lost().count(), 2);
}

#[test]
fn rings_are_read_by_cpu_as_well() {
    let module = module();
    let session = session(&module);
    session.add(&Pattern::function("vfs_read")).unwrap();
    session.start().unwrap();
    let mut rings = session.rings().unwrap();
    module.fire(&entry(1, 10));
    module.fire(&entry(0, 20));
    let mut cpus = Vec::new();
    assert_eq!(rings.take_all(|record| cpus.push(record.cpu)).unwrap(), 2);
    assert_eq!(cpus, [0, 1]);
    assert_eq!(rings.take_all(|_| {}).unwrap(), 0);
    assert_eq!(rings.verdict().unwrap().state, abi::RTRACE_STATE_RUNNING);
    assert!(
        rings
            .iter()
            .all(|ring| ring.unread() == 0 && !ring.bad_consumer())
    );
    // Whoever opens them again goes on where the last one stopped.
    module.fire(&entry(0, 30));
    let mut again = session.rings().unwrap();
    assert_eq!(again.take_all(|_| {}).unwrap(), 1);
}

/// A device that answers INFO as it likes and nothing else.
struct Stranger(Info);

impl Device for Stranger {
    fn command(&self, command: Command<'_>) -> std::result::Result<(), Errno> {
        match command {
            Command::Info(info) => *info = self.0,
            _ => return Err(Errno::NOTTY),
        }
        Ok(())
    }

    fn map(&self, _: u32, _: Area, _: usize) -> std::result::Result<Memory, Errno> {
        Err(Errno::NXIO)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[test]
fn a_module_of_another_version_or_clock_is_refused() {
    let open = |info| Session::over(Arc::new(Stranger(info))).err().unwrap();
    let info = Info {
        abi_major: abi::RTRACE_ABI_MAJOR as u16 + 1,
        clock: 1,
        ..Info::default()
    };
    assert!(matches!(open(info), Error::Abi { minor: 0, .. }));
    let info = Info {
        abi_major: abi::RTRACE_ABI_MAJOR as u16,
        clock: 9,
        ..Info::default()
    };
    assert!(matches!(open(info), Error::Clock { clock: 9 }));
}

#[test]
fn a_newer_minor_version_is_welcome() {
    let info = Info {
        abi_major: abi::RTRACE_ABI_MAJOR as u16,
        abi_minor: 9,
        clock: 1,
        ..Info::default()
    };
    assert!(Session::over(Arc::new(Stranger(info))).is_ok());
}

#[test]
fn a_missing_node_is_an_error_that_names_it() {
    if Node::User.path().exists() {
        return;
    }
    let error = Session::open(Node::User).err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot open /dev/rust_tracer/user: No such file or directory (os error 2)"
    );
}
