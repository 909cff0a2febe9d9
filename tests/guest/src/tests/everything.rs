// SPDX-License-Identifier: GPL-2.0-only
//! The large ones: every function of the kernel, and very many events.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rust_tracer::abi;

use crate::ledger::Ledger;
use crate::options::Options;
use crate::ring::{Record, Ring};
use crate::session::Session;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace, check_rings};
use crate::workload;

group! { "everything":
    "every function's entry is traced under load, and every event is accounted for" => all_entries,
    "the returns of a thousand functions and more are traced under load, and every call is accounted for" => many_returns,
    "functions that have one place in the table of what is probed are all found" => one_place,
    "very many events pass through one session, and every one is accounted for" => volume,
}

/// Files, processes and network for so long.
fn load(seconds: u64) -> Outcome<u64> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut rounds = 0;
    while rounds == 0 || Instant::now() < end {
        workload::round()?;
        rounds += 1;
    }
    Ok(rounds)
}

/// Reads all that is published, and counts it.
fn read_all(rings: &mut [Ring]) -> Outcome<u64> {
    let mut events = 0;
    for ring in rings {
        ring.read(&mut |_, record| events += u64::from(!matches!(record, Record::Lost(_))))?;
    }
    Ok(events)
}

/// A session that was read during all of some work, and obeyed the law.
struct Told<T> {
    /// What the work came to.
    work: T,
    /// The sum of the ledger.
    total: abi::rtrace_ledger_row,
}

/// Reads the rings while the work is done, stops, and holds the session to the law.
fn read_during<T>(trace: Trace, work: impl FnOnce() -> Outcome<T>) -> Outcome<Told<T>> {
    let Trace {
        session, mut rings, ..
    } = trace;
    let ended = AtomicBool::new(false);
    let (read, work) = thread::scope(|scope| -> Outcome<(u64, T)> {
        let reader = scope.spawn(|| -> Outcome<u64> {
            let mut read = 0;
            while !ended.load(Ordering::Relaxed) {
                // Woken by the watermark; the limit is for what stays below it.
                sys::poll(&session.fd, libc::POLLIN, 100)?;
                read += read_all(&mut rings)?;
            }
            Ok(read)
        });
        let outcome = work();
        ended.store(true, Ordering::Relaxed);
        let read = reader.join().map_err(|_| fail("the reader panicked"))??;
        Ok((read, outcome?))
    })?;
    session.stop()?;
    let read = read + read_all(&mut rings)?;
    let ledger = Ledger::audit(&session)?;
    check_rings(&rings, &ledger)?;
    let total = ledger.total();
    check_eq!(read, total.recorded, "records read");
    Ok(Told { work, total })
}

fn all_entries(options: &Options) -> Outcome {
    let session = Session::open()?;
    let functions = session.info()?.functions;
    let added = session.add(":", abi::RTRACE_PROBE_ENTRY)?;
    check_eq!(
        (added.matched, added.added),
        (functions, functions),
        "probes"
    );
    let started = session.start()?;
    check_eq!((started.attached, started.refused), (functions, 0));
    let Told { work, total } = read_during(Trace::of(session)?, || load(options.load))?;
    println!(
        "{functions} functions; {work} rounds of load; {} fired, {} recorded and read, dropped {:?}",
        total.fired, total.recorded, total.dropped
    );
    check!(total.recorded > 100_000, "only {} events", total.recorded);
    Ok(())
}

/// The table has a slot for each 16 bytes of text, as many as a power of two tells that is at least twice the number
/// of functions.
fn one_place(_: &Options) -> Outcome {
    const FUNCTIONS: usize = 32;
    const SLOTS: u64 = 2 * FUNCTIONS as u64;
    const CALL: &str = "__x64_sys_getppid";
    let text = fs::read_to_string("/proc/kallsyms")?;
    let mut addresses = HashMap::new();
    for line in text.lines() {
        if let [address, "t" | "T", name] = line.split(' ').collect::<Vec<_>>()[..] {
            let address = u64::from_str_radix(address, 16).map_err(|why| fail(why.to_string()))?;
            // Of several by one name, none.
            let known = addresses.entry(name).or_insert(Some(address));
            *known = known.filter(|known| *known == address);
        }
    }
    let address = |name: &str| addresses.get(name).copied().flatten();
    let call = address(CALL).ok_or_else(|| fail("there is no getppid"))?;
    let session = Session::open()?;
    let all = session.functions("vmlinux:*", 0, 1 << 18)?;
    // Those that lie before it take the places near its own.
    let others = all.iter().filter(|one| {
        address(&one.name).is_some_and(|at| at < call && at / 16 % SLOTS == call / 16 % SLOTS)
    });
    let others: Vec<_> = others.take(FUNCTIONS - 1).collect();
    check_eq!(others.len(), FUNCTIONS - 1, "functions that have its place");
    let own = std::process::id() as i32;
    for kinds in [abi::RTRACE_PROBE_ENTRY, 3] {
        for ways in [
            0,
            (1 << abi::RTRACE_WAY_OPS) | (1 << abi::RTRACE_WAY_FPROBE),
        ] {
            let mut plan = Plan::new().target(own).ways(ways);
            plan = plan.add(&format!("vmlinux:{CALL}"), kinds);
            for one in &others {
                plan = plan.add(&format!("vmlinux:{}", one.name), kinds);
            }
            let trace = plan.start()?;
            for _ in 0..50 {
                sys::getppid();
            }
            let row = trace.finish()?.entry_row(CALL)?;
            check_eq!(row.recorded, 50, "kinds {kinds}, ways {ways}");
        }
    }
    Ok(())
}

fn many_returns(options: &Options) -> Outcome {
    const PATTERNS: [&str; 7] = [
        "vfs_*",
        "tcp_*",
        "do_*",
        "filemap_*",
        "sched_*",
        "__x64_sys_*",
        "mm_*",
    ];
    let plan = PATTERNS.iter().fold(Plan::new(), |plan, pattern| {
        plan.both(&format!("vmlinux:{pattern}"))
    });
    let trace = plan.start()?;
    let probes = trace.session.status()?.probes;
    check!(probes > 2000, "only {probes} probes");
    let Told { work, total } = read_during(trace, || load(options.load / 3))?;
    println!(
        "{probes} probes; {work} rounds of load; of {} calls {} returned, {} were in flight, \
         missed {:?}; dropped {:?}",
        total.entered, total.returned, total.in_flight, total.missed, total.dropped
    );
    check!(total.returned > 1000, "only {} returns", total.returned);
    Ok(())
}

fn volume(options: &Options) -> Outcome {
    let calls = options.events.div_ceil(2);
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .ring(16 << 20)
        .start()?;
    let call = |share: u64| Target::open()?.run(&format!("plain {share}"));
    let begun = sys::now();
    let Told { total, .. } = read_during(trace, || {
        let other = thread::spawn(move || call(calls / 2));
        let mine = call(calls - calls / 2);
        other.join().map_err(|_| fail("a caller panicked"))??;
        mine
    })?;
    println!(
        "{} events in {:.1} s: {} recorded and read, dropped {:?}",
        total.fired,
        (sys::now() - begun) as f64 / 1e9,
        total.recorded,
        total.dropped
    );
    check_eq!(
        total.fired + total.missed.iter().sum::<u64>(),
        2 * calls,
        "events fired or missed, against the calls made"
    );
    Ok(())
}
