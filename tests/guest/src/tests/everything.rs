// SPDX-License-Identifier: GPL-2.0-only
//! The large ones: every function of the kernel, and very many events.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rust_tracer::abi;

use crate::ledger::Ledger;
use crate::options::Options;
use crate::session::Session;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace, check_rings};
use crate::workload;

group! { "everything":
    "every function's entry is traced under load, and every event is accounted for" => all_entries,
    "the returns of a thousand functions are traced under load, and every call is accounted for" => many_returns,
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

fn all_entries(options: &Options) -> Outcome {
    let session = Session::open()?;
    let functions = session.info()?.functions;
    let added = session.add(":", abi::RTRACE_PROBE_ENTRY)?;
    check_eq!(
        (added.matched, added.added),
        (functions, functions),
        "probes"
    );
    session.configure(abi::rtrace_config {
        ring_bytes: 1 << 20,
        ..Default::default()
    })?;
    let begun = Instant::now();
    let started = session.start()?;
    check_eq!((started.attached, started.refused), (functions, 0));
    let attach = begun.elapsed();
    let mut trace = Trace::of(session)?;
    let rounds = load(options.load)?;
    // The rings are full by now: what is there must be right, and the rest be counted.
    for ring in &mut trace.rings {
        ring.read(&mut |_, _| ())?;
    }
    load(0)?;
    let begun = Instant::now();
    trace.session.stop()?;
    let detach = begun.elapsed();
    for ring in &mut trace.rings {
        ring.read(&mut |_, _| ())?;
    }
    let ledger = Ledger::audit(&trace.session)?;
    check_rings(&trace.rings, &ledger)?;
    let total = ledger.total();
    println!(
        "{functions} functions attached in {attach:.1?} and detached in {detach:.1?}; {rounds} \
         rounds of load, {} fired, {} recorded, dropped {:?}",
        total.fired, total.recorded, total.dropped
    );
    check!(total.fired > 100_000, "only {} events", total.fired);
    Ok(())
}

fn many_returns(options: &Options) -> Outcome {
    let mut plan = Plan::new().ring(16 << 20);
    for pattern in [
        "vfs_*",
        "tcp_*",
        "do_*",
        "ext4_*",
        "sched_*",
        "__x64_sys_*",
        "mm_*",
    ] {
        plan = plan.both(&format!("vmlinux:{pattern}"));
    }
    let mut trace = plan.start()?;
    let rounds = load(options.load / 3)?;
    for ring in &mut trace.rings {
        ring.read(&mut |_, _| ())?;
    }
    trace.session.stop()?;
    for ring in &mut trace.rings {
        ring.read(&mut |_, _| ())?;
    }
    let ledger = Ledger::audit(&trace.session)?;
    check_rings(&trace.rings, &ledger)?;
    let total = ledger.total();
    println!(
        "{} probes; {rounds} rounds of load; of {} calls {} returned, {} were in flight, missed {:?}",
        trace.session.status()?.probes,
        total.entered,
        total.returned,
        total.in_flight,
        total.missed
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
    let Trace {
        session, mut rings, ..
    } = trace;
    let ended = AtomicBool::new(false);
    let read = AtomicU64::new(0);
    let begun = sys::now();
    thread::scope(|scope| -> Outcome {
        let reader = scope.spawn(|| -> Outcome {
            while !ended.load(Ordering::Relaxed) {
                // Woken by the watermark; the limit is for what stays below it.
                sys::poll(&session.fd, libc::POLLIN, 100)?;
                for ring in &mut rings {
                    let mut events = 0;
                    ring.read(&mut |_, record| {
                        events += u64::from(!matches!(record, crate::ring::Record::Lost(_)));
                    })?;
                    read.fetch_add(events, Ordering::Relaxed);
                }
            }
            Ok(())
        });
        let callers: Vec<_> = (0..2)
            .map(|half| {
                scope.spawn(move || {
                    let share = if half == 0 {
                        calls / 2
                    } else {
                        calls - calls / 2
                    };
                    Target::open()?.run(&format!("plain {share}"))
                })
            })
            .collect();
        let mut outcome = Ok(());
        for caller in callers {
            match caller.join() {
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => outcome = Err(failure),
                Err(_) => outcome = Err(fail("a caller panicked")),
            }
        }
        ended.store(true, Ordering::Relaxed);
        reader.join().map_err(|_| fail("the reader panicked"))??;
        outcome
    })?;
    let took = sys::now() - begun;
    session.stop()?;
    for ring in &mut rings {
        let mut events = 0;
        ring.read(&mut |_, record| {
            events += u64::from(!matches!(record, crate::ring::Record::Lost(_)));
        })?;
        read.fetch_add(events, Ordering::Relaxed);
    }
    let ledger = Ledger::audit(&session)?;
    check_rings(&rings, &ledger)?;
    let total = ledger.total();
    let read = read.into_inner();
    println!(
        "{} events in {:.1} s: {} recorded and read, dropped {:?}",
        total.fired,
        took as f64 / 1e9,
        total.recorded,
        total.dropped
    );
    check_eq!(read, total.recorded, "records read");
    check_eq!(
        total.fired + total.missed.iter().sum::<u64>(),
        2 * calls,
        "events fired or missed, against the calls made"
    );
    check_eq!(
        total.recorded + total.dropped.iter().sum::<u64>(),
        total.fired
    );
    Ok(())
}
