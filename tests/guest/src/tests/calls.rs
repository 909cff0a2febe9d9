// SPDX-License-Identifier: GPL-2.0-only
//! Every call is seen once at its entry and once at its return, with what the caller
//! passed and what it got.

use std::fs::File;
use std::io::Read;

use rust_tracer::abi;

use crate::options::Options;
use crate::session::KERNEL;
use crate::sys;
use crate::target::{Target, plain_args, weighted};
use crate::test::{Outcome, check, check_eq, group};
use crate::trace::Plan;

group! { "calls":
    "a function of a module is seen at each entry with the arguments that it was given" => arguments,
    "a function of a module is seen at each return with the value that it returned" => values,
    "a function of the kernel proper is seen with the caller's arguments and value" => built_in,
    "a record has the process and the thread that called, and the CPU it called on" => who,
    "the records of a CPU are stamped with CLOCK_MONOTONIC between the calls around them" => when,
    "elapsed lies between nothing and the time that the caller waited" => elapsed,
    "a function with more arguments than registers still gets them all" => wide,
    "a negative errno comes back as its 32 bits" => errno,
    "a return value comes back with all of its 64 bits" => all_bits,
    "a function without a value is seen to return" => void,
    "a recursive function returns innermost first, each call with its own value and time" => recursion,
    "of a recursion deeper than the kernel can follow exactly the calls beyond are missed" => deep,
    "a tail call returns once for each function, the callee's first" => tail,
    "entry probes alone record no returns" => entries_only,
    "return probes alone record no entries, and count every call" => returns_only,
    "a session that is started and stopped without a call has a ledger of zeroes" => nothing,
}

const CALLS: u64 = 500;

fn arguments(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().entry("rt_target:rt_plain").start()?;
    target.run(&format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let entries = finished.entries("rt_plain")?;
    check_eq!(entries.len() as u64, CALLS);
    for (i, entry) in (0..).zip(&entries) {
        check_eq!(entry.args(), plain_args(i), "the arguments of call {i}");
    }
    check_eq!(finished.entry_row("rt_plain")?.fired, CALLS);
    Ok(())
}

fn values(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().ret("rt_target:rt_plain").start()?;
    let sum = target.run(&format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let returns = finished.returns("rt_plain")?;
    check_eq!(returns.len() as u64, CALLS);
    for (i, ret) in (0..).zip(&returns) {
        check_eq!(
            ret.value(),
            weighted(&plain_args(i)),
            "the value of call {i}"
        );
    }
    let seen = returns
        .iter()
        .fold(0u64, |sum, ret| sum.wrapping_add(ret.value()));
    check_eq!(seen, sum, "the sum of the values, against the caller's");
    let row = finished.return_row("rt_plain")?;
    check_eq!((row.entered, row.returned), (CALLS, CALLS));
    Ok(())
}

fn built_in(_: &Options) -> Outcome {
    let mut zeroes = File::open("/dev/zero")?;
    let mut buffer = [1u8; 123];
    let trace = Plan::new().both("vmlinux:vfs_read").start()?;
    zeroes.read_exact(&mut buffer)?;
    zeroes.read_exact(&mut buffer[..45])?;
    let finished = trace.finish()?;
    let mine = |event: &crate::trace::Event| event.tid as i32 == sys::tid();
    let mut entries = finished.entries("vfs_read")?;
    let mut returns = finished.returns("vfs_read")?;
    entries.retain(mine);
    returns.retain(mine);
    let address = buffer.as_ptr() as u64;
    // vfs_read(file, buffer, count, position)
    let found: Vec<_> = entries.iter().map(|e| (e.args()[1], e.args()[2])).collect();
    check_eq!(found, [(address, 123), (address, 45)], "buffer and count");
    check!(
        entries.iter().all(|entry| (entry.args()[0] as i64) < 0),
        "the file is no kernel address in {entries:x?}"
    );
    let values: Vec<_> = returns.iter().map(|ret| ret.value()).collect();
    check_eq!(values, [123, 45]);
    Ok(())
}

fn who(_: &Options) -> Outcome {
    let trace = Plan::new().both("rt_target:rt_value").start()?;
    let cpus = trace.rings.iter().map(|ring| ring.cpu).collect::<Vec<_>>();
    let mut callers = Vec::new();
    for &cpu in &cpus {
        let thread = std::thread::spawn(move || -> Outcome<i32> {
            Target::open()?.run_on(cpu, &format!("value {cpu}"))?;
            Ok(sys::tid())
        });
        let tid = thread
            .join()
            .map_err(|_| crate::test::fail("a caller panicked"))??;
        callers.push((u64::from(cpu), cpu, std::process::id(), tid as u32));
    }
    let finished = trace.finish()?;
    for events in [finished.entries("rt_value")?, finished.returns("rt_value")?] {
        let found: Vec<_> = events
            .iter()
            .map(|event| {
                (
                    event.args()[0] | event.value(),
                    event.cpu,
                    event.pid,
                    event.tid,
                )
            })
            .collect();
        check_eq!(found, callers, "value, CPU, process and thread");
    }
    Ok(())
}

fn when(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_value").start()?;
    let mut around = Vec::new();
    for i in 0..50 {
        let before = sys::now();
        target.run(&format!("value {i}"))?;
        around.push((before, sys::now()));
    }
    let finished = trace.finish()?;
    let (entries, returns) = (finished.entries("rt_value")?, finished.returns("rt_value")?);
    check_eq!((entries.len(), returns.len()), (50, 50));
    for ((entry, ret), (before, after)) in entries.iter().zip(&returns).zip(around) {
        check!(
            before <= entry.time && entry.time <= ret.time && ret.time <= after,
            "{before}, {}, {}, {after} are out of order",
            entry.time,
            ret.time
        );
    }
    Ok(())
}

fn elapsed(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().ret("rt_target:rt_plain").start()?;
    let before = sys::now();
    target.run(&format!("plain {CALLS}"))?;
    let wall = sys::now() - before;
    let finished = trace.finish()?;
    let returns = finished.returns("rt_plain")?;
    check_eq!(returns.len() as u64, CALLS);
    // One call begins after the one before it has returned.
    let mut free_since = before;
    for ret in &returns {
        check!(
            ret.elapsed() > 0 && ret.elapsed() <= ret.time - free_since,
            "elapsed {}, but the call before returned {} ns ago",
            ret.elapsed(),
            ret.time - free_since
        );
        free_since = ret.time;
    }
    let total: u64 = returns.iter().map(|ret| ret.elapsed()).sum();
    check!(total <= wall, "calls of {total} ns in {wall} ns");
    Ok(())
}

fn wide(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_wide").start()?;
    let sum = target.run("wide 100")?;
    let finished = trace.finish()?;
    let (entries, returns) = (finished.entries("rt_wide")?, finished.returns("rt_wide")?);
    check_eq!((entries.len(), returns.len()), (100, 100));
    let mut expected_sum = 0u64;
    for (i, (entry, ret)) in (0u64..).zip(entries.iter().zip(&returns)) {
        let all: [u64; 8] = std::array::from_fn(|n| i + n as u64);
        check_eq!(
            entry.args(),
            all[..6],
            "the first six arguments of call {i}"
        );
        check_eq!(ret.value(), weighted(&all), "the value of call {i}");
        expected_sum = expected_sum.wrapping_add(weighted(&all));
    }
    check_eq!(sum, expected_sum, "what the caller got");
    Ok(())
}

fn errno(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_errno").start()?;
    for errno in [libc::ENOENT, libc::EINVAL, 4095, 0] {
        target.run(&format!("errno {errno}"))?;
    }
    let finished = trace.finish()?;
    let values: Vec<i32> = finished
        .returns("rt_errno")?
        .iter()
        .map(|ret| ret.value() as i32)
        .collect();
    check_eq!(values, [-libc::ENOENT, -libc::EINVAL, -4095, 0]);
    Ok(())
}

fn all_bits(_: &Options) -> Outcome {
    const VALUES: [u64; 6] = [
        0,
        u64::MAX,
        1 << 63,
        i64::MAX as u64,
        0x0123_4567_89ab_cdef,
        u32::MAX as u64 + 1,
    ];
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_value").start()?;
    for value in VALUES {
        check_eq!(
            target.run(&format!("value {value}"))?,
            value,
            "what the caller got"
        );
    }
    let finished = trace.finish()?;
    let passed: Vec<_> = finished
        .entries("rt_value")?
        .iter()
        .map(|e| e.args()[0])
        .collect();
    let returned: Vec<_> = finished
        .returns("rt_value")?
        .iter()
        .map(|r| r.value())
        .collect();
    check_eq!(passed, VALUES);
    check_eq!(returned, VALUES);
    Ok(())
}

fn void(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_void").start()?;
    target.run("void 77")?;
    let finished = trace.finish()?;
    check_eq!(finished.entries("rt_void")?.len(), 77);
    check_eq!(finished.returns("rt_void")?.len(), 77);
    Ok(())
}

fn recursion(_: &Options) -> Outcome {
    const DEPTH: u64 = 20;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_recurse").start()?;
    target.run(&format!("recurse {DEPTH}"))?;
    let finished = trace.finish()?;
    let depths: Vec<_> = finished
        .entries("rt_recurse")?
        .iter()
        .map(|e| e.args()[0])
        .collect();
    check_eq!(
        depths,
        (0..=DEPTH).rev().collect::<Vec<_>>(),
        "depths, by entry"
    );
    let returns = finished.returns("rt_recurse")?;
    let values: Vec<_> = returns.iter().map(|ret| ret.value()).collect();
    let sums: Vec<_> = (0..=DEPTH).map(|depth| depth * (depth + 1) / 2).collect();
    check_eq!(values, sums, "values, innermost first");
    for pair in returns.windows(2) {
        check!(
            pair[0].elapsed() < pair[1].elapsed(),
            "an inner call took {} ns, the one around it {}",
            pair[0].elapsed(),
            pair[1].elapsed()
        );
    }
    Ok(())
}

fn deep(_: &Options) -> Outcome {
    const DEPTH: u64 = 120;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_recurse").start()?;
    target.run(&format!("recurse {DEPTH}"))?;
    let finished = trace.finish()?;
    check_eq!(finished.entries("rt_recurse")?.len() as u64, DEPTH + 1);
    let row = finished.return_row("rt_recurse")?;
    let missed = row.missed[abi::RTRACE_MISSED_UNFRAMED as usize];
    check_eq!(row.entered, DEPTH + 1);
    check_eq!(row.returned + missed, DEPTH + 1, "returned and unframed");
    check!(
        missed > 0 && row.returned >= 32,
        "{missed} missed, {} returned",
        row.returned
    );
    // The outer calls were followed, the innermost were not.
    let values: Vec<_> = finished
        .returns("rt_recurse")?
        .iter()
        .map(|r| r.value())
        .collect();
    let sums: Vec<_> = (missed..=DEPTH)
        .map(|depth| depth * (depth + 1) / 2)
        .collect();
    check_eq!(values, sums);
    Ok(())
}

fn tail(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_tail_*").start()?;
    target.run("tail 50")?;
    let finished = trace.finish()?;
    let (outer, inner) = (
        finished.returns("rt_tail_outer")?,
        finished.returns("rt_tail_inner")?,
    );
    let entered = finished.entries("rt_tail_outer")?;
    let jumped = finished.entries("rt_tail_inner")?;
    check_eq!(
        [outer.len(), inner.len(), entered.len(), jumped.len()],
        [50; 4]
    );
    for i in 0..50 {
        let value = 3 * (i as u64 + 1);
        check_eq!(jumped[i].args()[0], i as u64 + 1, "what call {i} was given");
        check_eq!(
            (outer[i].value(), inner[i].value()),
            (value, value),
            "values of call {i}"
        );
        check!(
            inner[i].time <= outer[i].time && inner[i].elapsed() <= outer[i].elapsed(),
            "call {i} returned from the outer function before the inner one"
        );
    }
    Ok(())
}

fn entries_only(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new().entry("rt_target:rt_*").start()?;
    target.run("plain 10")?;
    target.run("tail 10")?;
    let finished = trace.finish()?;
    check_eq!(
        finished
            .events
            .iter()
            .filter(|event| event.elapsed() > 0)
            .count(),
        0
    );
    check_eq!(finished.entry_row("rt_plain")?.recorded, 10);
    check_eq!(finished.entry_row("rt_tail_inner")?.recorded, 10);
    check_eq!(finished.ledger.total().entered, 0);
    Ok(())
}

fn returns_only(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = Plan::new()
        .ret("rt_target:rt_plain")
        .ret("rt_target:rt_tail_*")
        .start()?;
    target.run("plain 10")?;
    target.run("tail 10")?;
    let finished = trace.finish()?;
    check_eq!(finished.events.len(), 30);
    check!(
        finished.events.iter().all(|event| event.args() == [0; 6]),
        "entries in {:?}",
        finished.events
    );
    check_eq!(finished.ledger.total().entered, 30);
    Ok(())
}

fn nothing(_: &Options) -> Outcome {
    let finished = Plan::new().both("rt_target:rt_value").start()?.finish()?;
    check_eq!(finished.events.len(), 0);
    let total = finished.ledger.total();
    check_eq!((total.fired, total.entered), (0, 0));
    let again = crate::session::Session::open_as(KERNEL, libc::O_RDWR)?;
    check_eq!(
        again.status()?.state,
        abi::RTRACE_STATE_IDLE,
        "the state of a new session"
    );
    Ok(())
}
