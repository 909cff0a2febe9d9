// SPDX-License-Identifier: GPL-2.0-only
//! A task that calls a probed function at full speed, and the others beside it: nobody reads, and
//! still each gets its share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rust_tracer::abi;

use crate::options::Options;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Finished, Plan};

group! { "flood":
    "a flooding task leaves a slow one on its CPU its share, and each loss has its reason" => one,
    "as many slow tasks as a ring has shares for lose nothing beside a flooding one" => many,
    "a flood of interrupts takes no share of a task's" => interrupts,
    "a process that makes a cheap system call at full speed leaves another one its share" => syscalls,
    "a slow task loses nothing beside a flood on every CPU while somebody reads now and then" => read,
    "a flooded ring that is read again takes all again" => afterwards,
}

const RING: u64 = abi::RTRACE_RING_MIN as u64;
const ENTRY: u64 = size_of::<abi::rtrace_record_entry>() as u64;
const LOST: u64 = size_of::<abi::rtrace_record_lost>() as u64;
/// What one source may take of the last eighth, before the reader makes room.
const SHARE: u64 = RING / 128;
/// So many entries of one task fit into its share, each with losses told before it.
const SLOW: u64 = SHARE / (ENTRY + LOST);

fn plan() -> Plan {
    Plan::new().entry("rt_target:rt_plain").ring(RING)
}

/// Does it in a thread of its own on CPU 0; returns its thread id.
fn on_cpu0(work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome<u32> {
    thread::spawn(move || -> Outcome<u32> {
        sys::pin(0, 0)?;
        work()?;
        Ok(sys::tid() as u32)
    })
    .join()
    .map_err(|_| fail("a thread panicked"))?
}

fn calls(count: u64) -> Outcome<u32> {
    on_cpu0(move || Target::open()?.run(&format!("plain {count}")).map(|_| ()))
}

/// How many entries of a thread were recorded.
fn recorded(finished: &Finished, tid: u32) -> Outcome<u64> {
    let entries = finished.entries("rt_plain")?;
    Ok(entries.iter().filter(|entry| entry.tid == tid).count() as u64)
}

/// Firings of rt_plain that were dropped, for want of room and for want of a share; there must be
/// no other reason.
fn dropped(finished: &Finished) -> Outcome<(u64, u64)> {
    let mut dropped = finished.entry_row("rt_plain")?.dropped;
    let full = std::mem::take(&mut dropped[abi::RTRACE_DROP_FULL as usize]);
    let flood = std::mem::take(&mut dropped[abi::RTRACE_DROP_FLOOD as usize]);
    check_eq!(dropped.iter().sum::<u64>(), 0, "drops for another reason");
    Ok((full, flood))
}

fn one(_: &Options) -> Outcome {
    const FLOOD: u64 = 5000;
    let trace = plan().start()?;
    let flooder = calls(FLOOD)?;
    let slow = calls(SLOW)?;
    let finished = trace.finish()?;
    check_eq!(recorded(&finished, slow)?, SLOW, "of the slow task");
    let kept = recorded(&finished, flooder)?;
    check_eq!(dropped(&finished)?, (0, FLOOD - kept));
    let expected = (RING - RING / 8) / ENTRY + SHARE / ENTRY;
    check_eq!(kept, expected, "of the flooding task");
    Ok(())
}

fn many(_: &Options) -> Outcome {
    const TASKS: usize = 12;
    let trace = plan().start()?;
    calls(3000)?;
    let mut slow = Vec::new();
    for _ in 0..TASKS {
        slow.push(calls(SLOW)?);
    }
    let flooder = calls(1000)?;
    let finished = trace.finish()?;
    for tid in slow {
        check_eq!(recorded(&finished, tid)?, SLOW, "of task {tid}");
    }
    let (full, flood) = dropped(&finished)?;
    check!(flood > 0, "nobody flooded");
    check!(
        recorded(&finished, flooder)? < 1000,
        "the ring was not full"
    );
    check_eq!(
        full + flood,
        finished.entry_row("rt_plain")?.fired - finished.entry_row("rt_plain")?.recorded
    );
    Ok(())
}

fn interrupts(_: &Options) -> Outcome {
    let trace = plan().entry("rt_target:rt_irq").start()?;
    on_cpu0(|| Target::open()?.run("irq 3000").map(|_| ()))?;
    let slow = calls(SLOW)?;
    let finished = trace.finish()?;
    check_eq!(recorded(&finished, slow)?, SLOW, "of the slow task");
    check_eq!(dropped(&finished)?, (0, 0));
    let row = finished.entry_row("rt_irq")?;
    check!(
        row.dropped[abi::RTRACE_DROP_FLOOD as usize] > 0,
        "the interrupts had room: {row:?}"
    );
    Ok(())
}

fn syscalls(_: &Options) -> Outcome {
    let call = "vmlinux:__x64_sys_getppid";
    let trace = Plan::new().entry(call).ring(RING).start()?;
    on_cpu0(|| {
        for _ in 0..5000 {
            sys::getppid();
        }
        Ok(())
    })?;
    let slow = on_cpu0(|| {
        for _ in 0..SLOW {
            sys::getppid();
        }
        Ok(())
    })?;
    let finished = trace.finish()?;
    let entries = finished.entries("__x64_sys_getppid")?;
    let found = entries.iter().filter(|entry| entry.tid == slow).count();
    check_eq!(found as u64, SLOW, "of the slow task");
    let row = finished.entry_row("__x64_sys_getppid")?;
    check!(row.dropped[abi::RTRACE_DROP_FLOOD as usize] > 0, "{row:?}");
    check_eq!(row.fired, row.recorded + row.dropped.iter().sum::<u64>());
    Ok(())
}

fn read(_: &Options) -> Outcome {
    const ROUNDS: u64 = 30;
    let mut trace = plan().start()?;
    let done = AtomicBool::new(false);
    let (mut slow, mut total) = (0, 0);
    thread::scope(|scope| -> Outcome {
        let flood = scope.spawn(|| -> Outcome {
            let target = Target::open()?;
            while !done.load(Ordering::Relaxed) {
                target.run("storm 6 2000")?;
            }
            Ok(())
        });
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let (done_round, rounds) = std::sync::mpsc::channel();
        let slow_one = scope.spawn(move || -> Outcome<u32> {
            sys::pin(0, 0)?;
            let target = Target::open()?;
            while told.recv().is_ok() {
                target.run(&format!("plain {SLOW}"))?;
                done_round.send(()).map_err(fail)?;
            }
            Ok(sys::tid() as u32)
        });
        let result = (0..ROUNDS).try_for_each(|_| {
            // The reader waits for half a ring, several reserves, and then it reads all.
            tell.send(()).map_err(fail)?;
            rounds.recv().map_err(|_| fail("the slow task ended"))?;
            total += SLOW;
            while trace.ring(0)?.unread() < RING / 2 {
                sys::give_way();
            }
            trace.read()
        });
        done.store(true, Ordering::Relaxed);
        drop(tell);
        flood.join().map_err(|_| fail("the flood panicked"))??;
        slow = slow_one
            .join()
            .map_err(|_| fail("the slow task panicked"))??;
        result
    })?;
    let finished = trace.finish()?;
    check_eq!(recorded(&finished, slow)?, total, "of the slow task");
    dropped(&finished)?;
    Ok(())
}

fn afterwards(_: &Options) -> Outcome {
    let mut trace = plan().start()?;
    for _ in 0..10 {
        calls(3000)?;
        trace.read()?;
        let before = trace.events.len();
        let tid = calls(600)?;
        trace.read()?;
        let events = trace.events.get(before..).unwrap_or_default();
        let found = events.iter().filter(|event| event.tid == tid).count();
        check_eq!(found, 600, "after the flood was read");
    }
    trace.finish()?;
    Ok(())
}
