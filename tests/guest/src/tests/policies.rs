// SPDX-License-Identifier: GPL-2.0-only
//! What becomes of events when nobody reads, and how a reader is told to.

use std::os::fd::OwnedFd;
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::options::Options;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Finished, Plan, What};

group! { "policies":
    "switch keeps the old records and loses exactly the rest while nobody reads" => switch,
    "a LOST record stands where the losses were, with their number" => in_band,
    "room that is given back is used again, round and round" => round_and_round,
    "fill ends the recording at the first full ring" => fill,
    "ring keeps exactly the newest records of each CPU" => recorder,
    "poll reports data when as much as the watermark is unread, and none well before" => watermark,
    "a poller that sleeps is woken at the watermark" => wake,
    "a poller that sleeps is woken when the session stops" => wake_at_stop,
    "any consumer position only loses the reader's own data" => hostile_consumer,
    "a consumer position that cannot be is ignored, and said to be" => bad_consumer,
}

/// The smallest ring.
const RING: u64 = abi::RTRACE_RING_MIN as u64;
/// Bytes of one entry's record.
const ENTRY: u64 = size_of::<abi::rtrace_record_entry>() as u64;
/// How many entries fit into the smallest ring, when nothing else is in it.
const FIT: u64 = RING / ENTRY;
/// How many of these one task gets in when nobody reads, under policy switch: what lies before the
/// last eighth, and its share of that, a sixteenth.
const FREE: u64 = (RING - RING / 8) / ENTRY;
const KEPT: u64 = FREE + RING / 128 / ENTRY;

/// Numbers of the calls of rt_plain that were recorded.
fn numbers(finished: &Finished) -> Outcome<Vec<u64>> {
    Ok(finished
        .entries("rt_plain")?
        .iter()
        .map(|entry| entry.args()[0])
        .collect())
}

fn plan() -> Plan {
    Plan::new().entry("rt_target:rt_plain").ring(RING)
}

/// Firings of rt_plain that were dropped, for want of room and for want of a share.
fn dropped(finished: &Finished) -> Outcome<(u64, u64)> {
    let dropped = finished.entry_row("rt_plain")?.dropped;
    Ok((
        dropped[abi::RTRACE_DROP_FULL as usize],
        dropped[abi::RTRACE_DROP_FLOOD as usize],
    ))
}

fn switch(_: &Options) -> Outcome {
    const CALLS: u64 = 3000;
    let target = Target::open()?;
    let trace = plan().start()?;
    target.run_on(0, &format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    check_eq!(
        numbers(&finished)?,
        (0..KEPT).collect::<Vec<_>>(),
        "what was kept"
    );
    check_eq!(dropped(&finished)?, (0, CALLS - KEPT), "what was lost");
    let ring = finished.rings.iter().find(|ring| ring.cpu == 0);
    let lost = ring.map(|ring| ring.status_page().lost);
    check_eq!(lost, Some(CALLS - KEPT), "`lost` in the status page");
    Ok(())
}

fn in_band(_: &Options) -> Outcome {
    const CALLS: u64 = 1000;
    let target = Target::open()?;
    let mut trace = plan().start()?;
    for _ in 0..3 {
        target.run_on(0, &format!("plain {CALLS}"))?;
        trace.read()?;
    }
    target.run_on(0, "plain 1")?;
    let finished = trace.finish()?;
    // Runs of kept calls, with the losses between them.
    let mut story = vec![(0, 0)];
    for event in finished.events.iter().filter(|event| event.cpu == 0) {
        match event.what {
            What::Lost(count) => story.push((count, 0)),
            _ => {
                if let Some((_, kept)) = story.last_mut() {
                    check_eq!(
                        event.args()[0],
                        *kept,
                        "the call after {kept} that were kept"
                    );
                    *kept += 1;
                }
            }
        }
    }
    // Each round loses what did not fit, and says so at the beginning of the next, which takes
    // room of its own there.
    check_eq!(story.len(), 4, "rounds in {story:?}");
    for (round, pair) in story.windows(2).enumerate() {
        check_eq!(
            pair[0].1 + pair[1].0,
            CALLS,
            "kept and lost of round {round} in {story:?}"
        );
        check!(
            (KEPT - 2..=KEPT + 2).contains(&pair[0].1),
            "{} and not {KEPT} were kept in round {round}",
            pair[0].1
        );
    }
    check_eq!(story[3].1, 1, "the last round in {story:?}");
    Ok(())
}

fn round_and_round(_: &Options) -> Outcome {
    const ROUNDS: u64 = 40;
    let target = Target::open()?;
    let mut trace = plan().start()?;
    for _ in 0..ROUNDS {
        target.run_on(0, "plain 700")?;
        trace.read()?;
    }
    let finished = trace.finish()?;
    let expected: Vec<_> = (0..ROUNDS).flat_map(|_| 0..700).collect();
    check_eq!(numbers(&finished)?, expected);
    check_eq!(dropped(&finished)?, (0, 0), "what was lost");
    Ok(())
}

fn fill(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut trace = plan().policy(abi::RTRACE_POLICY_FILL).start()?;
    target.run_on(0, "plain 2000")?;
    let status = trace.session.status()?;
    check_eq!(status.reason, abi::RTRACE_REASON_FILLED);
    check_eq!(
        trace.ring(0)?.status_page().reason,
        abi::RTRACE_REASON_FILLED
    );
    // Reading makes no room for more.
    trace.read()?;
    target.run_on(0, "plain 5")?;
    let finished = trace.finish()?;
    check_eq!(
        numbers(&finished)?,
        (0..FIT).collect::<Vec<_>>(),
        "what was kept"
    );
    check_eq!(finished.entry_row("rt_plain")?.fired, 2005);
    check_eq!(dropped(&finished)?, (2005 - FIT, 0), "what was lost");
    Ok(())
}

fn recorder(_: &Options) -> Outcome {
    const CALLS: u64 = 10_000;
    let target = Target::open()?;
    let trace = plan().policy(abi::RTRACE_POLICY_RING).start()?;
    target.run_on(0, &format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let kept = numbers(&finished)?;
    let first = CALLS - kept.len() as u64;
    check_eq!(kept, (first..CALLS).collect::<Vec<_>>(), "the newest calls");
    check!(
        kept.len() as u64 > FIT * 7 / 8,
        "only {} of {FIT} were kept",
        kept.len()
    );
    let row = finished.entry_row("rt_plain")?;
    check_eq!((row.recorded, row.fired), (CALLS, CALLS));
    Ok(())
}

fn watermark(_: &Options) -> Outcome {
    const EVENTS: u64 = 100;
    let target = Target::open()?;
    let mut trace = plan().watermark(EVENTS * ENTRY).start()?;
    let ready = |trace: &crate::trace::Trace| -> Outcome<bool> {
        Ok(sys::poll(&trace.session.fd, libc::POLLIN, 0)? & libc::POLLIN != 0)
    };
    check!(!ready(&trace)?, "ready without an event");
    for round in 0..20 {
        target.run_on(0, &format!("plain {}", EVENTS * 3 / 4))?;
        check!(
            !ready(&trace)?,
            "ready in round {round} at three quarters of the watermark"
        );
        target.run_on(0, &format!("plain {}", EVENTS / 4))?;
        check!(
            ready(&trace)?,
            "not ready in round {round} at the watermark"
        );
        trace.read()?;
        check!(
            !ready(&trace)?,
            "ready in round {round} with nothing unread"
        );
    }
    trace.finish()?;
    Ok(())
}

fn wake(_: &Options) -> Outcome {
    const EVENTS: u64 = 100;
    let mut trace = plan().watermark(EVENTS * ENTRY).start()?;
    let fd = trace.session.fd.try_clone()?;
    let ring = trace.ring(0)?;
    thread::scope(|scope| {
        // Who looks when the ring is nearly as full does not fall asleep.
        let poller = asleep(scope, fd, || ring.unread())?;
        Target::open()?.run_on(0, &format!("plain {EVENTS}"))?;
        // If nothing wakes it, the test is stuck, and fails.
        let (events, unread) = poller.join().map_err(|_| fail("the poller panicked"))??;
        check_eq!(events & libc::POLLIN, libc::POLLIN);
        check!(unread >= EVENTS * ENTRY, "woken too soon");
        Ok(())
    })?;
    trace.finish()?;
    Ok(())
}

/// A thread that sleeps in poll(2) until there is something to read, and looks then.
fn asleep<'a, T: Send + 'a>(
    scope: &'a thread::Scope<'a, '_>,
    fd: OwnedFd,
    look: impl FnOnce() -> T + Send + 'a,
) -> Outcome<thread::ScopedJoinHandle<'a, Outcome<(i16, T)>>> {
    let (tell, told) = std::sync::mpsc::channel();
    let poller = scope.spawn(move || {
        let _ = tell.send(sys::tid());
        let events = sys::poll(&fd, libc::POLLIN, -1)?;
        Ok((events, look()))
    });
    let tid = told.recv().map_err(|_| fail("no poller"))?;
    let state = format!("/proc/self/task/{tid}/wchan");
    while !std::fs::read_to_string(&state)?.contains("poll") {
        sys::give_way();
    }
    Ok(poller)
}

fn wake_at_stop(_: &Options) -> Outcome {
    let trace = plan().start()?;
    thread::scope(|scope| {
        let poller = asleep(scope, trace.session.fd.try_clone()?, || ())?;
        trace.session.stop()?;
        poller.join().map_err(|_| fail("the poller panicked"))??;
        Ok(())
    })
}

fn hostile_consumer(options: &Options) -> Outcome {
    let trace = Plan::new().both("rt_target:rt_plain").ring(RING).start()?;
    let published = trace.rings[0].published();
    check_eq!(published, 0);
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut finished = None;
    thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let rings = &trace.rings;
        scope.spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                for ring in rings {
                    let published = ring.published();
                    // Anything at all, and what is nearly right.
                    let position = match random.u8(0..4) {
                        0 => random.u64(..),
                        1 => published.wrapping_add(random.u64(0..64)).wrapping_sub(32),
                        2 => random.u64(0..=published),
                        _ => published & !7,
                    };
                    ring.consumer()
                        .store(position, std::sync::atomic::Ordering::Release);
                }
            }
        });
        finished = Some(Target::open().and_then(|target| target.run("storm 6 5000")));
        drop(stop);
    });
    finished.ok_or_else(|| fail("not run"))??;
    trace.session.stop()?;
    let ledger = crate::ledger::Ledger::audit(&trace.session)?;
    crate::trace::check_rings(&trace.rings, &ledger)?;
    check_eq!(
        ledger.total().fired,
        2 * 6 * 5000 - ledger.total().missed.iter().sum::<u64>()
    );
    Ok(())
}

fn bad_consumer(_: &Options) -> Outcome {
    let target = Target::open()?;
    for bad in [u64::MAX, 1 << 40, 4, 1] {
        let mut trace = plan().start()?;
        target.run_on(0, "plain 10")?;
        let ring = trace.ring(0)?;
        check_eq!(
            ring.status_page().bad_consumer,
            0,
            "before the position {bad:#x}"
        );
        ring.consumer()
            .store(bad, std::sync::atomic::Ordering::Release);
        // The position is looked at when room is wanted.
        target.run_on(0, "plain 2000")?;
        check_eq!(
            trace.ring(0)?.status_page().bad_consumer,
            1,
            "at the position {bad:#x}"
        );
        trace.session.stop()?;
        let ledger = crate::ledger::Ledger::audit(&trace.session)?;
        check_eq!(ledger.total().recorded, KEPT, "at the position {bad:#x}");
    }
    // Outside of a running session nobody minds.
    let idle = crate::session::Session::open()?;
    check_eq!(
        idle.map(0, abi::AREA_CONSUMER, 4096).err(),
        Some(Errno::NXIO)
    );
    Ok(())
}
