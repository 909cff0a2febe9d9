// SPDX-License-Identifier: GPL-2.0-only
//! CPUs that go and come while they are traced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::guest;
use crate::options::Options;
use crate::second_cpu::SecondCpu;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Plan;

group! { "CPU hotplug":
    "a CPU that goes keeps its records, and goes on with them when it comes back" => there_and_back,
    "a CPU that comes after the start gets a ring then" => comes_later,
    "CPUs that go and come under fire lose no call" => under_fire,
    "a CPU that goes and comes hundreds of times while it is traced loses nothing published" => again_and_again,
}

fn there_and_back(_: &Options) -> Outcome {
    let cpu1 = SecondCpu::take()?;
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    let on_cpu1 = |calls: u32| {
        thread::spawn(move || Target::open()?.run_on(1, &format!("plain {calls}")))
            .join()
            .map_err(|_| fail("the caller panicked"))?
    };
    on_cpu1(10)?;
    cpu1.set(false)?;
    Target::open()?.run("plain 5")?;
    cpu1.set(true)?;
    on_cpu1(7)?;
    let finished = trace.finish()?;
    let entries = finished.entries("rt_plain")?;
    check_eq!(
        entries.iter().filter(|entry| entry.cpu == 1).count(),
        17,
        "calls on CPU 1"
    );
    check_eq!(
        entries.iter().filter(|entry| entry.cpu != 1).count(),
        5,
        "calls elsewhere"
    );
    check_eq!(finished.returns("rt_plain")?.len(), 22);
    Ok(())
}

fn comes_later(_: &Options) -> Outcome {
    let cpu1 = SecondCpu::take()?;
    cpu1.set(false)?;
    let mut trace = Plan::new().both("rt_target:rt_plain").start()?;
    check_eq!(trace.rings.len(), guest::online_cpus(), "rings");
    let before = trace.session.status()?.generation;
    cpu1.set(true)?;
    trace.map_rings()?;
    check_eq!(
        trace.rings.len(),
        guest::online_cpus(),
        "rings after it came"
    );
    check!(
        trace.session.status()?.generation != before,
        "the generation is the same"
    );
    Target::open()?.run_on(1, "plain 10")?;
    let finished = trace.finish()?;
    let entries = finished.entries("rt_plain")?;
    check_eq!(
        entries.iter().filter(|entry| entry.cpu == 1).count(),
        10,
        "calls on CPU 1"
    );
    Ok(())
}

fn under_fire(_: &Options) -> Outcome {
    let cpu1 = SecondCpu::take()?;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .ring(16 << 20)
        .start()?;
    let caller = thread::spawn(|| Target::open()?.run("storm 4 4000"));
    for _ in 0..3 {
        cpu1.set(false)?;
        cpu1.set(true)?;
    }
    caller.join().map_err(|_| fail("the caller panicked"))??;
    let finished = trace.finish()?;
    check_eq!(finished.entry_row("rt_plain")?.fired, 16_000);
    let row = finished.return_row("rt_plain")?;
    check_eq!((row.entered, row.returned), (16_000, 16_000));
    Ok(())
}

fn again_and_again(options: &Options) -> Outcome {
    let cpu1 = SecondCpu::take()?;
    let mut trace = Plan::new().both("rt_target:rt_plain").start()?;
    let done = AtomicBool::new(false);
    let mut calls = 0;
    thread::scope(|scope| {
        let caller = scope.spawn(|| -> Outcome<u64> {
            let target = Target::open()?;
            let mut calls = 0;
            while !done.load(Ordering::Relaxed) {
                target.run("storm 4 100")?;
                calls += 4 * 100;
            }
            Ok(calls)
        });
        let cycled: Outcome = (1..=options.hotplugs).try_for_each(|cycle| {
            cpu1.set(false)?;
            trace.read()?;
            cpu1.set(true)?;
            trace.read()?;
            if cycle % 50 == 0 {
                println!("{cycle} of {} times", options.hotplugs);
            }
            Ok(())
        });
        done.store(true, Ordering::Relaxed);
        calls = caller.join().map_err(|_| fail("the caller panicked"))??;
        cycled
    })?;
    let finished = trace.finish()?;
    check_eq!(finished.entry_row("rt_plain")?.fired, calls);
    let row = finished.return_row("rt_plain")?;
    check_eq!((row.entered, row.returned), (calls, calls));
    println!("{calls} calls, {} records", finished.events.len());
    Ok(())
}
