// SPDX-License-Identifier: GPL-2.0-only
//! Several sessions at one function: three go by the stub, the next by fprobe, and each counts what is
//! its own.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use rust_tracer::abi;

use super::{BOTH, FUNCTION, PATTERN, call, calls_after_first, stub_way, value, way};
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, SYSTEM, Session, USER};
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::tests::programs::{aggregated, loaded, started};
use crate::trace::{Event, Plan, Trace};

group! { "stub, many sessions":
    "two to five sessions at one function each record all calls" => record,
    "sessions that start and stop in any order while the function is called count what is theirs" => any_order,
    "a session whose reader is woken for every record loses none while others come and go" => woken,
    "the place of a session that ends is the next one's" => places,
    "on nodes that show no data a session is not told who else is at a function" => untold,
}

/// So many sessions at one function are served by the stub.
const BY_STUB: usize = 3;
const SESSIONS: usize = 5;

fn way_of(trace: &Trace) -> Outcome<u32> {
    way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)
}

/// The way of one that comes when so many are served by the stub.
fn next_way(by_stub: usize) -> Outcome<u32> {
    if by_stub < BY_STUB {
        stub_way()
    } else {
        Ok(abi::RTRACE_WAY_FPROBE)
    }
}

fn record(_: &Options) -> Outcome {
    const CALLS: u64 = 300;
    for sessions in 2..=SESSIONS {
        let mut traces = Vec::new();
        for number in 0..sessions {
            let trace = Plan::new().both(PATTERN).start()?;
            check_eq!(way_of(&trace)?, next_way(number)?, "session {number}");
            traces.push(trace);
        }
        let before = sys::now();
        call(0);
        calls_after_first(CALLS);
        for (number, trace) in traces.into_iter().enumerate() {
            let finished = trace.finish()?;
            let what = format!("session {number} of {sessions}");
            let row = finished.return_row(FUNCTION)?;
            check_eq!(
                (row.entered, row.missed.iter().sum::<u64>()),
                (row.returned, 0),
                "{what}: entered and missed"
            );
            let entries = super::mine(finished.entries(FUNCTION)?).len();
            check_eq!(entries as u64, CALLS + 1, "{what}: entries");
            let returns = super::mine(finished.returns(FUNCTION)?);
            let values: Vec<u64> = returns[1..].iter().map(|ret| ret.value()).collect();
            let wanted: Vec<u64> = (0..CALLS).map(value).collect();
            check_eq!(values, wanted, "{what}: values");
            // A call has one time of entry, which is before the records of all sessions.
            for ret in &returns {
                check!(
                    0 < ret.elapsed()
                        && ret.elapsed() <= (ret.time - before) + (ret.time - before) / 1000 + 1,
                    "{what}: elapsed {}",
                    ret.elapsed()
                );
            }
        }
    }
    Ok(())
}

/// A session that counts the caller's calls, at both ends, and adds up their values.
struct Counting {
    trace: Trace,
    way: u32,
    calls: u64,
    sum: u64,
}

impl Counting {
    fn start(by_stub: usize) -> Outcome<Self> {
        let mine = || {
            Code::new()
                .get(1, abi::RTRACE_VAR_TID)
                .set(2, sys::tid())
                .op(abi::RTRACE_OP_SEQ, 3, 1, 2, 0)
                .filter(3)
                .keys(&[])
        };
        let program = Program::new()
            .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
            .aggregation(abi::RTRACE_AGG_SUM, 0, [0; 4])
            .aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4])
            .clause(1, 0, mine().aggregate(0, 0, 0).ret())
            .clause(
                2,
                0,
                mine()
                    .get(4, abi::RTRACE_VAR_ARG0 + 1)
                    .aggregate(1, 4, 0)
                    .aggregate(2, 0, 0)
                    .ret(),
            );
        let session = loaded(KERNEL, &program)?;
        session.add_to(PATTERN, abi::RTRACE_PROBE_ENTRY, 1)?;
        session.add_to(PATTERN, abi::RTRACE_PROBE_RETURN, 2)?;
        let trace = started(session)?;
        let way = way_of(&trace)?;
        check_eq!(way, next_way(by_stub)?, "with {by_stub} by the stub");
        Ok(Self {
            trace,
            way,
            calls: 0,
            sum: 0,
        })
    }

    fn finish(self) -> Outcome {
        let Self {
            trace,
            way,
            calls,
            sum,
        } = self;
        let finished = trace.finish()?;
        let found = aggregated(&finished.session, 1 << 16)?;
        let of = |which: u32| {
            let mut found = found.iter().filter(|entry| entry.aggregation == which);
            found.next().map_or(0, |entry| entry.words[0])
        };
        check_eq!(
            (of(0), of(2), of(1)),
            (calls, calls, sum),
            "entries, returns, and the sum of values, by way {way}"
        );
        let row = finished.return_row(FUNCTION)?;
        check_eq!(row.missed.iter().sum::<u64>(), 0, "missed, by way {way}");
        Ok(())
    }
}

fn any_order(options: &Options) -> Outcome {
    let steps = options.share_of(80) as usize;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                call(0o22);
            }
        });
        let result = any_order_beside(&mut random, steps);
        done.store(true, Ordering::Relaxed);
        others
            .join()
            .map_err(|_| fail("the other caller panicked"))?;
        result
    })
}

fn any_order_beside(random: &mut fastrand::Rng, steps: usize) -> Outcome {
    let mut running: Vec<Counting> = Vec::new();
    for step in 0..steps {
        let starts = running.is_empty() || (running.len() < SESSIONS && random.bool());
        if starts {
            let ways = running.iter().map(|one| one.way);
            let by_stub = ways.filter(|way| *way != abi::RTRACE_WAY_FPROBE).count();
            running.push(Counting::start(by_stub)?);
        } else {
            let one = running.remove(random.usize(..running.len()));
            // A third of them just go.
            if random.u8(..3) > 0 {
                one.finish()
                    .map_err(|failure| fail(format!("step {step}: {failure}")))?;
            }
        }
        let count = random.u64(1..100);
        // The mask is all threads', so what another one has set comes back as well.
        let sum: u64 = (0..count).map(call).sum();
        for one in &mut running {
            one.calls += count;
            one.sum += sum;
            // Who is silent for long is taken for dead.
            one.trace.session.status()?;
        }
    }
    running.into_iter().try_for_each(Counting::finish)
}

/// Who leaves the ring to wake somebody looks into the table of probes again, which others replace.
fn woken(_: &Options) -> Outcome {
    const OTHERS: usize = 20;
    /// Calls that a ring holds in any case.
    const UNREAD: u64 = 1000;
    let both = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
    let plan = Plan::new().both(PATTERN).ring(1 << 20).watermark(64);
    let mut trace = plan.start()?;
    // What takes long of theirs is over before the calls begin.
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let other = Session::open_as(KERNEL, libc::O_RDWR)?;
        other.add(PATTERN, both)?;
        others.push(other);
    }
    let done = AtomicBool::new(false);
    let (made, read) = (AtomicU64::new(0), AtomicU64::new(0));
    let tid = thread::scope(|scope| {
        let caller = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if made.load(Ordering::Relaxed) - read.load(Ordering::Relaxed) < UNREAD {
                    call(0o22);
                    made.fetch_add(1, Ordering::Relaxed);
                } else {
                    thread::yield_now();
                }
            }
            sys::tid() as u32
        });
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let there = made.load(Ordering::Relaxed);
                trace.read()?;
                read.store(there, Ordering::Relaxed);
            }
            Ok(())
        });
        let come_and_go = || {
            for other in &others {
                other.start()?;
                other.stop()?;
            }
            Ok(())
        };
        let result: Outcome = come_and_go();
        done.store(true, Ordering::Relaxed);
        let read: Outcome = reader.join().map_err(|_| fail("the reader panicked"))?;
        let tid = caller.join().map_err(|_| fail("the caller panicked"))?;
        result.and(read).map(|()| tid)
    })?;
    let calls = made.into_inner() as usize;
    let finished = trace.finish()?;
    let of_caller = |events: Vec<Event>| {
        let its = events.iter().filter(|event| event.tid == tid);
        its.count()
    };
    check_eq!(
        (
            of_caller(finished.entries(FUNCTION)?),
            of_caller(finished.returns(FUNCTION)?)
        ),
        (calls, calls),
        "entries and returns of the caller"
    );
    Ok(())
}

/// How a session of that node is told that its probes are attached, for each choice of ways.
fn told(node: &'static str) -> Outcome<Vec<u32>> {
    let bit = |way: u32| 1 << way;
    let shared = bit(abi::RTRACE_WAY_OPS) | bit(abi::RTRACE_WAY_FPROBE) | bit(abi::RTRACE_WAY_STUB);
    let mut ways = Vec::new();
    for asked in [0, shared, shared | bit(abi::RTRACE_WAY_SLOT)] {
        let session = Session::open_as(node, libc::O_RDWR)?;
        session.add(PATTERN, BOTH)?;
        session.configure(abi::rtrace_config {
            ways: asked,
            ..Default::default()
        })?;
        session.start()?;
        for kind in [abi::RTRACE_KIND_ENTRY, abi::RTRACE_KIND_RETURN] {
            ways.push(way(&session, FUNCTION, kind)?);
        }
    }
    Ok(ways)
}

fn untold(_: &Options) -> Outcome {
    let plan = Plan::new().ret(PATTERN);
    let alone = (told(USER)?, told(SYSTEM)?);
    let mut others = Vec::new();
    for number in 1..=BY_STUB {
        others.push(plan.start()?);
        let beside = (told(USER)?, told(SYSTEM)?);
        check_eq!(beside, alone, "beside {number} others");
    }
    // It is not as they are told, and who may know is told so.
    let known = told(KERNEL)?;
    check!(known.contains(&abi::RTRACE_WAY_FPROBE), "{known:?}");
    Ok(())
}

fn places(_: &Options) -> Outcome {
    let plan = Plan::new().ret(PATTERN);
    for first_to_go in 0..BY_STUB {
        let mut traces = Vec::new();
        for number in 0..=BY_STUB {
            let trace = plan.start()?;
            check_eq!(way_of(&trace)?, next_way(number)?, "session {number}");
            traces.push(trace);
        }
        drop(traces.remove(first_to_go));
        let next = plan.start()?;
        check_eq!(way_of(&next)?, stub_way()?, "the next one");
        let last = plan.start()?;
        check_eq!(way_of(&last)?, abi::RTRACE_WAY_FPROBE, "the one after it");
        call(0);
        for trace in traces.into_iter().chain([next, last]) {
            let returns = super::mine(trace.finish()?.returns(FUNCTION)?);
            check_eq!(returns.len(), 1, "returns");
        }
    }
    Ok(())
}
