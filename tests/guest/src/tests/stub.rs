// SPDX-License-Identifier: GPL-2.0-only
//! Probes that are attached by the stub: which are, and what is seen through it.
//!
//! Most tests call a system call's function that nobody else calls much, and that the kernel's BTF says
//! the stub may serve.

#![forbid(unsafe_code)]

pub mod beside;
pub mod ends;
pub mod everything;
pub mod many;
pub mod programs;
pub mod schedule;
pub mod several;
pub mod sleeping;
pub mod slots;
pub mod stacks;
pub mod walks;

use std::fs::{self, File};
use std::io::Write;

use rust_tracer::abi;
use rustix::fs::{Mode, copy_file_range};
use rustix::io::Errno;
use rustix::process::umask;

use crate::guest;
use crate::options::Options;
use crate::parameters::Parameters;
use crate::session::{KERNEL, Session};
use crate::sys;
use crate::target::{self, Target, plain_args, weighted};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Event, Finished, Plan};

group! { "stub":
    "returns are attached by the stub, and entries beside them or alone" => ways,
    "without the stub among a session's ways returns are attached by fprobe" => without,
    "ways that are not enough, or are none, are refused and change nothing" => nonsense,
    "an administrator can have the stub not be used" => not_allowed,
    "an administrator can vouch for more functions, and is believed of those alone" => vouched,
    "each call is recorded with its arguments, its value and its time" => records,
    "each call of a module's function is recorded with its arguments, its value and its time" => plain,
    "all six arguments and both ends of a function with many are right" => six_arguments,
    "returns alone are recorded, and no entry" => returns_alone,
    "a call that takes long takes as long as the clock says" => takes_long,
    "calls on all CPUs at once are counted and recorded on each" => all_cpus,
    "starting and stopping while the function is called loses no call in between" => again_and_again,
}

/// What most tests call.
pub const FUNCTION: &str = "__x64_sys_umask";
/// The same as a pattern.
pub const PATTERN: &str = "vmlinux:__x64_sys_umask";
/// Entries and returns.
pub const BOTH: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
/// A function with six arguments that nobody else calls.
const COPY: &str = "vfs_copy_file_range";

/// Calls the function with this mask; returns the one before.
pub fn call(mask: u64) -> u64 {
    umask(Mode::from_raw_mode(mask as u32)).as_raw_mode().into()
}

/// Calls it so often; what call number `i` returns is [`value`].
pub fn calls(count: u64) {
    umask(Mode::from_raw_mode(0));
    calls_after_first(count);
}

/// The same if the mask is 0 already.
pub fn calls_after_first(count: u64) {
    for i in 0..count {
        call(i & 0o777);
    }
}

/// What the kernel returns to call number `i` of [`calls_after_first`].
pub fn value(i: u64) -> u64 {
    i.checked_sub(1).map_or(0, |before| before & 0o777)
}

/// How a probe of a session is attached: RTRACE_WAY_*.
pub fn way(session: &Session, name: &str, kind: u32) -> Outcome<u32> {
    let probes = session.probes()?;
    let found = probes
        .iter()
        .find(|probe| probe.name == name && u32::from(probe.head.kind) == kind);
    found
        .map(|probe| probe.head.way.into())
        .ok_or_else(|| fail(format!("no probe of kind {kind} on {name}")))
}

/// By which stub the return of one function is attached: one of its own if this is not a test of the other.
pub fn stub_way() -> Outcome<u32> {
    let slots = fs::read_to_string("/sys/module/rust_tracer/parameters/stub_slots")?;
    Ok(match slots.trim() {
        "Y" => abi::RTRACE_WAY_SLOT,
        _ => abi::RTRACE_WAY_STUB,
    })
}

/// Fails unless a return is attached by a stub.
pub fn is_by_stub(session: &Session, name: &str) -> Outcome {
    let way = way(session, name, abi::RTRACE_KIND_RETURN)?;
    let by_stub = [abi::RTRACE_WAY_STUB, stub_way()?];
    check!(by_stub.contains(&way), "the way of {name}:return is {way}");
    Ok(())
}

/// The events of the caller's thread.
pub fn mine(mut events: Vec<Event>) -> Vec<Event> {
    let tid = sys::tid() as u32;
    events.retain(|event| event.tid == tid);
    events
}

/// The module, loaded so that the stub serves the functions of rt_target as well; as it was at the end.
#[derive(Debug)]
pub struct Vouched(bool);

impl Vouched {
    /// For all but those with arguments on the stack.
    pub fn for_target() -> Outcome<Self> {
        Self::load("rt_target:rt_[!w]*,rt_target:die_thread")
    }

    /// For these; nothing is done if a function of rt_target is served already.
    fn load(also: &str) -> Outcome<Self> {
        let plain = Session::open()?.functions("rt_target:rt_plain", 0, 4096)?;
        let served = |way: u8| u32::from(way) == abi::RTRACE_WAY_STUB;
        if plain.iter().any(|plain| served(plain.head.return_way)) {
            return Ok(Self(false));
        }
        let slots = stub_way()? == abi::RTRACE_WAY_SLOT;
        target::unload("rust_tracer")?;
        let file = target::installed("rust_tracer")?;
        let slots = u32::from(slots);
        sys::load_module(&file, &format!("stub_also={also} stub_slots={slots}"))
            .map_err(|errno| fail(format!("load with stub_also={also}: {errno}")))?;
        target::await_node(KERNEL)?;
        Ok(Self(true))
    }
}

impl Drop for Vouched {
    fn drop(&mut self) {
        // If this fails the next test does, and says why.
        if self.0 && target::unload("rust_tracer").is_ok() {
            let _ = guest::load();
        }
    }
}

fn ways(_: &Options) -> Outcome {
    let listed = Session::open()?.functions(PATTERN, 0, 4096)?;
    let [listed] = &listed[..] else {
        return Err(fail(format!("{} functions {PATTERN}", listed.len())));
    };
    check_eq!(
        (
            u32::from(listed.head.entry_way),
            u32::from(listed.head.return_way)
        ),
        (abi::RTRACE_WAY_STUB, abi::RTRACE_WAY_STUB),
        "the ways in the list"
    );
    let by = stub_way()?;
    for (flags, entry, ret) in [
        (abi::RTRACE_PROBE_ENTRY, Some(abi::RTRACE_WAY_STUB), None),
        (abi::RTRACE_PROBE_RETURN, None, Some(by)),
        (BOTH, Some(by), Some(by)),
    ] {
        let trace = Plan::new().add(PATTERN, flags).start()?;
        for (kind, wanted) in [
            (abi::RTRACE_KIND_ENTRY, entry),
            (abi::RTRACE_KIND_RETURN, ret),
        ] {
            let found = way(&trace.session, FUNCTION, kind).ok();
            check_eq!(found, wanted, "kind {kind} of probes {flags:#x}");
        }
        trace.finish()?;
    }
    Ok(())
}

fn without(_: &Options) -> Outcome {
    const CALLS: u64 = 20;
    let trace = Plan::new().both(PATTERN).without_stub().start()?;
    for (kind, wanted) in [
        (abi::RTRACE_KIND_ENTRY, abi::RTRACE_WAY_OPS),
        (abi::RTRACE_KIND_RETURN, abi::RTRACE_WAY_FPROBE),
    ] {
        check_eq!(way(&trace.session, FUNCTION, kind)?, wanted, "kind {kind}");
    }
    calls(CALLS);
    let finished = trace.finish()?;
    check_eq!(
        mine(finished.returns(FUNCTION)?).len() as u64,
        CALLS + 1,
        "returns"
    );
    Ok(())
}

fn nonsense(_: &Options) -> Outcome {
    let bit = |way: u32| 1 << way;
    let enough = bit(abi::RTRACE_WAY_OPS) | bit(abi::RTRACE_WAY_FPROBE);
    let session = Session::open()?;
    let configured = session.configure(abi::rtrace_config {
        ring_bytes: 1 << 16,
        ways: enough,
        ..Default::default()
    })?;
    check_eq!(configured.ways, enough, "the ways that are told");
    for ways in [
        bit(abi::RTRACE_WAY_STUB),
        bit(abi::RTRACE_WAY_OPS),
        bit(abi::RTRACE_WAY_FPROBE),
        bit(abi::RTRACE_WAY_OPS) | bit(abi::RTRACE_WAY_STUB),
        bit(abi::RTRACE_WAY_FPROBE) | bit(abi::RTRACE_WAY_STUB),
        enough | bit(abi::RTRACE_WAY_NONE),
        enough | bit(abi::RTRACE_WAY_SLOT),
        enough | bit(abi::RTRACE_WAY_STUB) | bit(abi::RTRACE_WAY_SLOT + 1),
        enough | (1 << 31),
        u32::MAX,
    ] {
        let refused = session.configure(abi::rtrace_config {
            ring_bytes: 1 << 17,
            ways,
            ..Default::default()
        });
        check_eq!(
            refused.err().map(|refused| refused.errno),
            Some(Errno::INVAL),
            "the ways {ways:#x}"
        );
    }
    session.add(PATTERN, BOTH)?;
    session.start()?;
    check_eq!(session.status()?.ring_bytes, 1 << 16, "bytes of a ring");
    check_eq!(
        way(&session, FUNCTION, abi::RTRACE_KIND_RETURN)?,
        abi::RTRACE_WAY_FPROBE,
        "the way after the refusals"
    );
    // None said are all there are.
    let session = Session::open()?;
    let configured = session.configure(abi::rtrace_config::default())?;
    let stubs = bit(abi::RTRACE_WAY_STUB) | bit(abi::RTRACE_WAY_SLOT);
    check_eq!(configured.ways, enough | stubs, "all");
    Ok(())
}

fn not_allowed(_: &Options) -> Outcome {
    let plan = Plan::new().both(PATTERN);
    {
        let _parameters = Parameters::set(&[("stub", 0)])?;
        let trace = plan.start()?;
        check_eq!(
            way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)?,
            abi::RTRACE_WAY_FPROBE,
            "the way without the stub"
        );
        calls(10);
        check_eq!(mine(trace.finish()?.returns(FUNCTION)?).len(), 11);
    }
    let trace = plan.start()?;
    is_by_stub(&trace.session, FUNCTION)?;
    // What is attached already stays so.
    let _parameters = Parameters::set(&[("stub", 0)])?;
    calls(10);
    check_eq!(mine(trace.finish()?.returns(FUNCTION)?).len(), 11);
    Ok(())
}

fn vouched(_: &Options) -> Outcome {
    let vouched = Vouched::for_target()?;
    let returns = |pattern: &str| -> Outcome<u32> {
        let found = Session::open()?.functions(pattern, 0, 4096)?;
        let [function] = &found[..] else {
            return Err(fail(format!("{} functions {pattern}", found.len())));
        };
        Ok(function.head.return_way.into())
    };
    check_eq!(returns("rt_target:rt_plain")?, abi::RTRACE_WAY_STUB);
    check_eq!(returns("rt_target:rt_wide")?, abi::RTRACE_WAY_FPROBE);
    // Not even an administrator can have one served that does not return.
    check_eq!(returns("vmlinux:do_exit")?, abi::RTRACE_WAY_FPROBE);
    drop(vouched);
    let told = fs::read_to_string("/sys/module/rust_tracer/parameters/stub_also")?;
    let wanted = match told.trim() {
        "" => abi::RTRACE_WAY_FPROBE,
        _ => abi::RTRACE_WAY_STUB,
    };
    check_eq!(returns("rt_target:rt_plain")?, wanted, "afterwards");
    Ok(())
}

/// What must be true of the times of calls that came one after the other.
fn check_times(entries: &[Event], returns: &[Event]) -> Outcome {
    let mut free_since = 0;
    for (entry, ret) in entries.iter().zip(returns) {
        check!(
            free_since <= entry.time && entry.time <= ret.time,
            "{free_since}, {}, {} are out of order",
            entry.time,
            ret.time
        );
        // The clock may have been steered meanwhile, by less than a thousandth; `elapsed` has one rate.
        let apart = ret.time - entry.time;
        check!(
            0 < ret.elapsed() && ret.elapsed() <= apart + apart / 1000 + 1,
            "elapsed {}, but the records are {} ns apart",
            ret.elapsed(),
            ret.time - entry.time
        );
        free_since = ret.time;
    }
    Ok(())
}

/// What must be true of the ledger of calls that were all recorded.
fn check_rows(finished: &Finished, name: &str, count: u64) -> Outcome {
    let (entry, ret) = (finished.entry_row(name)?, finished.return_row(name)?);
    check_eq!((entry.fired, entry.recorded), (count, count), "entries");
    check_eq!(
        (ret.entered, ret.returned, ret.fired, ret.recorded),
        (count, count, count, count),
        "entered, returned, fired and recorded"
    );
    Ok(())
}

fn records(_: &Options) -> Outcome {
    const CALLS: u64 = 1000;
    call(0);
    let trace = Plan::new().both(PATTERN).start()?;
    is_by_stub(&trace.session, FUNCTION)?;
    let before = sys::now();
    calls_after_first(CALLS);
    let after = sys::now();
    let finished = trace.finish()?;
    let (entries, returns) = (
        mine(finished.entries(FUNCTION)?),
        mine(finished.returns(FUNCTION)?),
    );
    check_eq!(
        (entries.len() as u64, returns.len() as u64),
        (CALLS, CALLS),
        "entries and returns"
    );
    for (i, ret) in (0..).zip(&returns) {
        check_eq!(ret.value(), value(i), "the value of call {i}");
    }
    // Its one argument is where the caller's registers lie, at the top of its stack.
    let registers = entries[0].args()[0];
    check!(
        (registers as i64) < 0,
        "{registers:#x} is no kernel address"
    );
    check!(
        entries.iter().all(|entry| entry.args()[0] == registers),
        "the first argument changes"
    );
    check_times(&entries, &returns)?;
    check!(
        before <= entries[0].time && returns[CALLS as usize - 1].time <= after,
        "the records are not of the time of the calls"
    );
    // Others may have called it too; of all the law holds, and nothing is missed.
    let row = finished.return_row(FUNCTION)?;
    check_eq!(
        (row.entered, row.missed.iter().sum::<u64>()),
        (row.returned, 0),
        "entered and missed"
    );
    Ok(())
}

fn plain(_: &Options) -> Outcome {
    const CALLS: u64 = 1000;
    let _vouched = Vouched::for_target()?;
    let target = Target::open()?;
    let trace = Plan::new().both("rt_target:rt_plain").start()?;
    is_by_stub(&trace.session, "rt_plain")?;
    target.run(&format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let (entries, returns) = (finished.entries("rt_plain")?, finished.returns("rt_plain")?);
    check_rows(&finished, "rt_plain", CALLS)?;
    for (i, (entry, ret)) in (0..).zip(entries.iter().zip(&returns)) {
        check_eq!(entry.args(), plain_args(i), "the arguments of call {i}");
        let value = weighted(&plain_args(i));
        check_eq!(ret.value(), value, "the value of call {i}");
    }
    check_times(&entries, &returns)
}

/// Two files, between which parts of the first are copied.
pub struct Copies {
    from: File,
    to: File,
}

impl Copies {
    /// Bytes of the first.
    const BYTES: u64 = 4096;

    /// New files.
    pub fn new() -> Outcome<Self> {
        let path = |end: &str| format!("/tmp/rt-copies-{}-{end}", std::process::id());
        let (from, to) = (path("from"), path("to"));
        File::create(&from)?.write_all(&[b'c'; Self::BYTES as usize])?;
        let copies = Self {
            from: File::open(&from)?,
            to: File::create(&to)?,
        };
        fs::remove_file(from)?;
        fs::remove_file(to)?;
        Ok(copies)
    }

    /// Makes call number `i`; returns what the kernel returned.
    pub fn call(&self, i: u64) -> Outcome<u64> {
        let [_, mut from, _, mut to, length, _] = Self::arguments(i);
        let (from, to) = (Some(&mut from), Some(&mut to));
        let copied = copy_file_range(&self.from, from, &self.to, to, length as usize);
        Ok(copied? as u64)
    }

    /// Its arguments; the first and the third, which are addresses, are 0.
    pub fn arguments(i: u64) -> [u64; 6] {
        [0, i * 3, 0, i * 7 + 1, i + 1000, 0]
    }

    /// What it returns.
    pub fn value(i: u64) -> u64 {
        let [_, from, _, _, length, _] = Self::arguments(i);
        length.min(Self::BYTES - from)
    }
}

fn six_arguments(_: &Options) -> Outcome {
    const CALLS: u64 = 1200;
    let copies = Copies::new()?;
    let trace = Plan::new().both(&format!("vmlinux:{COPY}")).start()?;
    is_by_stub(&trace.session, COPY)?;
    for i in 0..CALLS {
        check_eq!(copies.call(i)?, Copies::value(i), "what call {i} got");
    }
    let finished = trace.finish()?;
    let (entries, returns) = (finished.entries(COPY)?, finished.returns(COPY)?);
    check_rows(&finished, COPY, CALLS)?;
    let [from, _, to, ..] = entries[0].args();
    check!(
        (from as i64) < 0 && (to as i64) < 0 && from != to,
        "{from:#x} and {to:#x} are not two kernel addresses"
    );
    for (i, (entry, ret)) in (0..).zip(entries.iter().zip(&returns)) {
        let mut wanted = Copies::arguments(i);
        (wanted[0], wanted[2]) = (from, to);
        check_eq!(entry.args(), wanted, "the arguments of call {i}");
        check_eq!(ret.value(), Copies::value(i), "the value of call {i}");
    }
    check_times(&entries, &returns)
}

fn returns_alone(_: &Options) -> Outcome {
    const CALLS: u64 = 300;
    let copies = Copies::new()?;
    let trace = Plan::new().ret(&format!("vmlinux:{COPY}")).start()?;
    is_by_stub(&trace.session, COPY)?;
    let mut around = Vec::new();
    for i in 0..CALLS {
        let before = sys::now();
        copies.call(i)?;
        around.push((before, sys::now()));
    }
    let finished = trace.finish()?;
    let returns = finished.returns(COPY)?;
    check_eq!(
        (returns.len(), finished.events.len()),
        (CALLS as usize, CALLS as usize),
        "returns, and all that was recorded"
    );
    for ((i, ret), (before, after)) in (0..).zip(&returns).zip(around) {
        check_eq!(ret.value(), Copies::value(i), "the value of call {i}");
        let entered = ret.time.saturating_sub(ret.elapsed());
        check!(
            ret.elapsed() > 0 && before <= entered && ret.time <= after,
            "call {i}, from {before} to {after}, is said to be from {entered} to {}",
            ret.time
        );
    }
    let row = finished.return_row(COPY)?;
    check_eq!((row.entered, row.returned), (CALLS, CALLS));
    Ok(())
}

fn takes_long(_: &Options) -> Outcome {
    const NAPS: u64 = 5;
    const NAP: u64 = 30_000_000;
    let trace = Plan::new().both("vmlinux:do_nanosleep").start()?;
    is_by_stub(&trace.session, "do_nanosleep")?;
    let mut walls = Vec::new();
    for _ in 0..NAPS {
        let before = sys::now();
        std::thread::sleep(std::time::Duration::from_nanos(NAP));
        walls.push(sys::now() - before);
    }
    let finished = trace.finish()?;
    let (entries, returns) = (
        mine(finished.entries("do_nanosleep")?),
        mine(finished.returns("do_nanosleep")?),
    );
    check_eq!((entries.len(), returns.len()), (walls.len(), walls.len()));
    check_times(&entries, &returns)?;
    for (ret, wall) in returns.iter().zip(walls) {
        check_eq!(ret.value(), 0, "the value");
        // The two clocks may differ by what NTP may.
        let least = NAP - NAP / 1000;
        check!(
            least <= ret.elapsed() && ret.elapsed() <= wall,
            "elapsed {}, of a nap of {NAP} ns in {wall} ns",
            ret.elapsed()
        );
    }
    Ok(())
}

fn all_cpus(_: &Options) -> Outcome {
    const CALLS: u64 = 5000;
    let _vouched = Vouched::for_target()?;
    let cpus = guest::online_cpus() as u32;
    let trace = Plan::new()
        .both("rt_target:rt_plain")
        .ring(8 << 20)
        .start()?;
    is_by_stub(&trace.session, "rt_plain")?;
    let callers: Vec<_> = (0..cpus)
        .map(|cpu| {
            std::thread::spawn(move || Target::open()?.run_on(cpu, &format!("plain {CALLS}")))
        })
        .collect();
    for caller in callers {
        caller.join().map_err(|_| fail("a caller panicked"))??;
    }
    let finished = trace.finish()?;
    check_rows(&finished, "rt_plain", CALLS * u64::from(cpus))?;
    let index = finished.index("rt_plain", abi::RTRACE_KIND_RETURN)?;
    for cpu in 0..cpus {
        let row = finished.ledger.row(index, cpu);
        check_eq!((row.entered, row.returned), (CALLS, CALLS), "on CPU {cpu}");
    }
    Ok(())
}

fn again_and_again(_: &Options) -> Outcome {
    const CALLS: u64 = 40;
    let plan = Plan::new().both(PATTERN).ring(1 << 16);
    for round in 0..60u64 {
        let trace = plan.start()?;
        is_by_stub(&trace.session, FUNCTION)?;
        calls(CALLS);
        if round % 3 == 0 {
            drop(trace);
            // Nobody is asked; it must but do no harm.
            calls(CALLS);
            continue;
        }
        let finished = trace.finish()?;
        let values: Vec<u64> = mine(finished.returns(FUNCTION)?)[1..]
            .iter()
            .map(Event::value)
            .collect();
        let wanted: Vec<u64> = (0..CALLS).map(value).collect();
        check_eq!(values, wanted, "values in round {round}");
    }
    Ok(())
}
