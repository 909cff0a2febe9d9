// SPDX-License-Identifier: GPL-2.0-only
//! Stubs that serve one function each: who gets one, what becomes of who gets none, and that one that serves
//! another function than before takes nobody into the wrong one.

#![forbid(unsafe_code)]

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;
use rustix::process as own;

use super::{FUNCTION, PATTERN, call, calls, calls_after_first, mine, stub_way, value, way};
use crate::guest;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::session::Session;
use crate::test::{Failure, Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting;

group! { "stub, slots":
    "who asks for slots gets all there are, and the stub for the rest; each sees its calls" => exhausted,
    "who asks for nothing gets slots for the returns of up to eight functions" => few,
    "entries alone have slots if that is asked for" => entries,
    "a function has one stub for all sessions, whoever comes first" => one_for_all,
    "the site of a function that has a slot jumps there" => jumps,
    "an administrator can have functions get no slots" => not_allowed,
    "slots that serve function after function take each call where it was going" => rotating,
    "who walks a stack while a slot's stub enters its function finds the function" => walked,
}

/// All ways.
const ALL: u32 = SHARED | (1 << abi::RTRACE_WAY_SLOT);
/// Without slots.
const SHARED: u32 =
    (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE) | (1 << abi::RTRACE_WAY_STUB);
/// So many there are.
const SLOTS: usize = 16;

/// A function, and what calls it.
type Called = (&'static str, fn() -> i64);

/// System calls that do nothing, each returns what it did before.
const SMALL: [Called; 20] = [
    ("__x64_sys_getpid", || {
        own::getpid().as_raw_nonzero().get().into()
    }),
    ("__x64_sys_getppid", || {
        own::getppid().map_or(0, |p| p.as_raw_nonzero().get().into())
    }),
    ("__x64_sys_getuid", || own::getuid().as_raw().into()),
    ("__x64_sys_geteuid", || own::geteuid().as_raw().into()),
    ("__x64_sys_getgid", || own::getgid().as_raw().into()),
    ("__x64_sys_getegid", || own::getegid().as_raw().into()),
    ("__x64_sys_gettid", || {
        rustix::thread::gettid().as_raw_nonzero().get().into()
    }),
    ("__x64_sys_getpgid", || {
        own::getpgid(None).map_or(-1, |p| p.as_raw_nonzero().get().into())
    }),
    ("__x64_sys_getsid", || {
        own::getsid(None).map_or(-1, |p| p.as_raw_nonzero().get().into())
    }),
    ("__x64_sys_umask", || call(0) as i64),
    ("__x64_sys_sched_yield", || {
        thread::yield_now();
        0
    }),
    ("__x64_sys_getpriority", || {
        own::getpriority_process(None).map_or(-1, |p| 20 - i64::from(p))
    }),
    ("__x64_sys_getcwd", || {
        own::getcwd(Vec::new()).map_or(-1, |path| path.as_bytes().len() as i64 + 1)
    }),
    ("__x64_sys_pipe2", || pipe()),
    ("__x64_sys_dup", || dup()),
    ("__x64_sys_newuname", || {
        let _ = rustix::system::uname();
        0
    }),
    ("__x64_sys_sysinfo", || {
        let _ = rustix::system::sysinfo();
        0
    }),
    ("__x64_sys_prlimit64", || {
        let _ = own::getrlimit(own::Resource::Nofile);
        0
    }),
    ("__x64_sys_getgroups", || {
        own::getgroups().map_or(-1, |groups| groups.len() as i64)
    }),
    ("__x64_sys_eventfd2", || event()),
];

fn pipe() -> i64 {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_or(-1, |_| 0)
}

fn dup() -> i64 {
    use std::os::fd::AsRawFd;
    rustix::io::dup(std::io::stdin()).map_or(-1, |fd| fd.as_raw_fd().into())
}

fn event() -> i64 {
    use std::os::fd::AsRawFd;
    let flags = rustix::event::EventfdFlags::CLOEXEC;
    rustix::event::eventfd(0, flags).map_or(-1, |fd| fd.as_raw_fd().into())
}

/// Return probes, and entries beside them, of these functions.
fn plan(names: &[Called]) -> Plan {
    let add = |plan: Plan, (name, _): &(&str, _)| plan.both(&format!("vmlinux:{name}"));
    names.iter().fold(Plan::new(), add)
}

/// The ways of the returns of these functions.
fn ways_of(trace: &Trace, names: &[Called]) -> Outcome<Vec<u32>> {
    let of = |(name, _): &(&str, _)| way(&trace.session, name, abi::RTRACE_KIND_RETURN);
    names.iter().map(of).collect()
}

/// How many are by this way.
fn count(ways: &[u32], way: u32) -> usize {
    ways.iter().filter(|one| **one == way).count()
}

/// Each function is called once; each call is seen once, with the value that the caller got.
fn each_is_seen(trace: Trace, names: &[Called]) -> Outcome {
    let values: Vec<i64> = names.iter().map(|(_, call)| call()).collect();
    let finished = trace.finish()?;
    for ((name, _), value) in names.iter().zip(values) {
        let returns = mine(finished.returns(name)?);
        let entries = mine(finished.entries(name)?);
        // The library may call some of them more than once, and others call them in between.
        check!(!returns.is_empty(), "no return of {name}");
        check_eq!(
            entries.len(),
            returns.len(),
            "entries and returns of {name}"
        );
        check!(
            returns.iter().any(|ret| ret.value() as i64 == value),
            "{name} returned {value}, not {:?}",
            returns
                .iter()
                .map(|ret| ret.value() as i64)
                .collect::<Vec<_>>()
        );
        let row = finished.return_row(name)?;
        check_eq!(row.missed.iter().sum::<u64>(), 0, "missed, of {name}");
        check_eq!(row.entered, row.returned + row.in_flight, "calls of {name}");
    }
    Ok(())
}

/// Those of them that stubs may serve: on a kernel that clang built not those without arguments.
fn served() -> Outcome<Vec<Called>> {
    let session = Session::open()?;
    let mut served = Vec::new();
    for small in SMALL {
        let found = session.functions(&format!("vmlinux:{}", small.0), 0, 1 << 12)?;
        let is_served = |way: u8| u32::from(way) == abi::RTRACE_WAY_STUB;
        if found.iter().any(|found| is_served(found.head.return_way)) {
            served.push(small);
        }
    }
    check!(served.len() > 8, "only {} can be served", served.len());
    Ok(served)
}

/// Waits until slots that served others are free for all; then they have served these functions last, the
/// other tests' among them. Says which functions can have some.
fn await_all_free() -> Outcome<Vec<Called>> {
    let served = served()?;
    let some = &served[..served.len().min(SLOTS)];
    check!(
        some.iter().any(|(name, _)| *name == FUNCTION),
        "{FUNCTION} is not served"
    );
    let all_free = || {
        let trace = plan(some).ways(ALL).start()?;
        Ok(count(&ways_of(&trace, some)?, abi::RTRACE_WAY_SLOT) == some.len())
    };
    waiting::until(all_free, || "no slots become free".into())?;
    Ok(served)
}

fn exhausted(_: &Options) -> Outcome {
    let small = await_all_free()?;
    if small.len() <= SLOTS {
        let why = format!("only {} of its functions can be served", small.len());
        return Err(Failure::Skipped(why));
    }
    // Those that served others a moment ago need a moment, and are no other's.
    let trace = plan(&small).ways(ALL).start()?;
    let ways = ways_of(&trace, &small)?;
    check_eq!(
        (
            count(&ways, abi::RTRACE_WAY_SLOT),
            count(&ways, abi::RTRACE_WAY_STUB)
        ),
        (SLOTS, small.len() - SLOTS),
        "by slots, and by the stub"
    );
    // There is none left for another session, which gets the stub, or what is there already.
    let other = Plan::new()
        .both("vmlinux:__x64_sys_times")
        .ways(ALL)
        .start()?;
    let found = way(&other.session, "__x64_sys_times", abi::RTRACE_KIND_RETURN)?;
    check_eq!(found, abi::RTRACE_WAY_STUB, "the other's way");
    let same = plan(&small).ways(ALL).start()?;
    check_eq!(
        ways_of(&same, &small)?,
        ways,
        "the ways at the same functions"
    );
    each_is_seen(same, &small)?;
    each_is_seen(trace, &small)
}

fn few(_: &Options) -> Outcome {
    let small = await_all_free()?;
    for (functions, wanted) in [
        (1, abi::RTRACE_WAY_SLOT),
        (8, abi::RTRACE_WAY_SLOT),
        (9, abi::RTRACE_WAY_STUB),
        (small.len(), abi::RTRACE_WAY_STUB),
    ] {
        let names = &small[..functions];
        let trace = plan(names).start()?;
        let ways = ways_of(&trace, names)?;
        check_eq!(count(&ways, wanted), functions, "of {functions}: {ways:?}");
        each_is_seen(trace, names)?;
    }
    Ok(())
}

fn entries(_: &Options) -> Outcome {
    await_all_free()?;
    const CALLS: u64 = 300;
    for (ways, wanted) in [(0, abi::RTRACE_WAY_STUB), (ALL, abi::RTRACE_WAY_SLOT)] {
        let trace = Plan::new().entry(PATTERN).ways(ways).start()?;
        let found = way(&trace.session, FUNCTION, abi::RTRACE_KIND_ENTRY)?;
        check_eq!(found, wanted, "the way of an entry");
        for i in 0..CALLS {
            call(i & 0o777);
        }
        let finished = trace.finish()?;
        check_eq!(mine(finished.entries(FUNCTION)?).len() as u64, CALLS);
        let row = finished.entry_row(FUNCTION)?;
        check_eq!(row.fired, row.recorded, "fired and recorded");
    }
    Ok(())
}

fn one_for_all(_: &Options) -> Outcome {
    await_all_free()?;
    const CALLS: u64 = 200;
    for (first, second) in [(ALL, SHARED), (SHARED, ALL), (ALL, ALL), (0, SHARED)] {
        for first_ends_first in [true, false] {
            call(0);
            let one = Plan::new().both(PATTERN).ways(first).start()?;
            let by = way(&one.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
            let wanted = match first {
                SHARED => abi::RTRACE_WAY_STUB,
                _ => abi::RTRACE_WAY_SLOT,
            };
            check_eq!(by, wanted, "the way of the first, of {first:#x}");
            let two = Plan::new().both(PATTERN).ways(second).start()?;
            let other = way(&two.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
            check_eq!(other, by, "the way of the second, of {second:#x}");
            calls_after_first(CALLS);
            let (ends, stays) = if first_ends_first {
                (one, two)
            } else {
                (two, one)
            };
            let all = |trace: Trace, count: u64| -> Outcome {
                let returns = mine(trace.finish()?.returns(FUNCTION)?);
                check_eq!(returns.len() as u64, count, "returns");
                for (i, ret) in (0..).zip(&returns[..CALLS as usize]) {
                    check_eq!(ret.value(), value(i), "the value of call {i}");
                }
                Ok(())
            };
            all(ends, CALLS)?;
            // The other one sees the rest as well.
            calls(CALLS);
            all(stays, 2 * CALLS + 1)?;
        }
    }
    Ok(())
}

fn jumps(_: &Options) -> Outcome {
    await_all_free()?;
    let trace = Plan::new().ret(PATTERN).start()?;
    let found = way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
    check_eq!(found, abi::RTRACE_WAY_SLOT, "the way");
    let enabled = guest::enabled_functions()?;
    let is_slot = |line: &str| line.contains("sys_umask") && line.contains("rtrace_slot_");
    check!(enabled.lines().any(is_slot), "no slot in {enabled}");
    trace.finish()?;
    check!(
        !guest::enabled_functions()?.contains("rtrace_slot_"),
        "a slot is there afterwards"
    );
    Ok(())
}

fn not_allowed(_: &Options) -> Outcome {
    let _parameters = Parameters::set(&[("stub_slots", 0)])?;
    for ways in [0, ALL] {
        let trace = Plan::new().both(PATTERN).ways(ways).start()?;
        let found = way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
        check_eq!(found, abi::RTRACE_WAY_STUB, "the way without slots");
        check_eq!(stub_way()?, abi::RTRACE_WAY_STUB);
        calls(10);
        check_eq!(mine(trace.finish()?.returns(FUNCTION)?).len(), 11);
    }
    Ok(())
}

fn rotating(options: &Options) -> Outcome {
    let rounds = options.share_of(24) as usize;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let others: Vec<_> = (0..guest::online_cpus())
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        // All but what changes the process.
                        for (name, call) in SMALL.iter().filter(|(name, _)| *name != FUNCTION) {
                            let result = call();
                            if result < 0 {
                                return Err(fail(format!("{name} returned {result}")));
                            }
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        let result = rotate(&mut random, rounds);
        done.store(true, Ordering::Relaxed);
        for other in others {
            other.join().map_err(|_| fail("a caller panicked"))??;
        }
        result
    })
}

fn rotate(random: &mut fastrand::Rng, rounds: usize) -> Outcome {
    let served = served()?;
    let mut by_slots = 0;
    for round in 0..rounds {
        let mut names = served.clone();
        random.shuffle(&mut names);
        let names = &names[..random.usize(1..=names.len().min(SLOTS))];
        let trace = plan(names).ways(ALL).ring(8 << 20).start()?;
        by_slots += count(&ways_of(&trace, names)?, abi::RTRACE_WAY_SLOT);
        let checked = if random.bool() {
            each_is_seen(trace, names)
        } else {
            drop(trace);
            Ok(())
        };
        checked.map_err(|failure| fail(format!("round {round}: {failure}")))?;
    }
    check!(by_slots > SLOTS, "only {by_slots} functions had slots");
    println!("{by_slots} functions had slots in {rounds} rounds");
    Ok(())
}

/// A live patch of a function looks so for tasks in it, also for those that the stub let others run before.
fn walked(_: &Options) -> Outcome {
    /// Some of them come in the stub.
    const SAMPLES: u32 = 500;
    let trace = Plan::new().ret(PATTERN).start()?;
    let by = way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
    check_eq!(by, abi::RTRACE_WAY_SLOT, "way of the returns of {FUNCTION}");
    let script = format!(
        "profile-997 /pid == {} && ++n <= {SAMPLES}/ {{ @[stack(3)] = count(); }}
         profile-997 /n >= {SAMPLES}/ {{ exit(0); }}",
        own::getpid().as_raw_nonzero()
    );
    let rtctl = thread::spawn(move || Command::new("rtctl").args(["-q", "-n", &script]).output());
    while !rtctl.is_finished() {
        for _ in 0..1000 {
            call(0);
        }
    }
    let output = rtctl.join().map_err(|_| fail("a thread panicked"))??;
    let text = String::from_utf8_lossy(&output.stdout);
    check!(output.status.success(), "{}: {text}", output.status);
    let lines: Vec<&str> = text.lines().collect();
    let entering = |pair: &[&str]| {
        pair[0].contains("rust_tracer`rtrace_slot_") && pair[1].contains(&format!("`{FUNCTION}+"))
    };
    check!(lines.windows(2).any(entering), "nobody entered it:\n{text}");
    trace.finish()?;
    Ok(())
}
