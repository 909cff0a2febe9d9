// SPDX-License-Identifier: GPL-2.0-only
//! Other tracers, and a livepatch, at the same function: whoever comes first, each sees every call.
//!
//! Without bpftrace in the guest the tests of BPF are skipped:
//! `scripts/vm run --tests --peers -- rt-guest-tests --filter '*BPF*'` has it.

#![forbid(unsafe_code)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rust_tracer::abi;
use rustix::process::{Pid, Signal, kill_process};

use super::{
    BOTH, FUNCTION, PATTERN, call, calls_after_first, is_by_stub, mine, stub_way, value, way,
};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, Session};
use crate::sys;
use crate::target;
use crate::test::{Failure, Outcome, check, check_eq, fail, group};
use crate::tests::programs::{aggregated, loaded, started};
use crate::trace::{Plan, Trace};
use crate::waiting;

group! { "stub, beside others":
    "the function tracer and the stub each see every call" => function,
    "the function graph tracer and the stub each see every call" => function_graph,
    "kprobe events and the stub each see every call" => kprobes,
    "kretprobe events and the stub each see every call" => kretprobes,
    "fprobe events and the stub each see every call, at the entry and the return" => fprobes,
    "a function that is redirected as livepatches do is followed, and its new value seen" => redirected,
    "a function whose result is overridden as kprobes do is followed, and that result seen and kept" => overridden,
    "BPF's fentry and a session each see every call" => fentry,
    "BPF's fexit and a session each see every call, with its value" => fexit,
    "all of them at once see every call" => all,
    "others come and go while calls are inside, which return nevertheless" => around_sleepers,
}

const CALLS: u64 = 200;

/// Somebody else at the function.
trait Other {
    /// How many of the calling thread's calls it saw since it began.
    fn seen(&self) -> Outcome<u64>;
}

/// Of this process, as ftrace writes it.
fn in_trace() -> String {
    format!("-{} ", sys::tid())
}

/// A trace instance of its own; gone at the end.
pub(in crate::tests) struct Instance {
    path: PathBuf,
    /// Lines with all of these are calls.
    marks: Vec<String>,
    /// What was added to the list of all events.
    event: Option<(&'static str, String)>,
}

fn write(path: &Path, text: &str) -> Outcome {
    let file = OpenOptions::new().append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| fail(format!("{}: {text}: {error}", path.display())))
}

impl Instance {
    fn new() -> Outcome<Self> {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("instances/rt-{}-{number}", std::process::id());
        let path = guest::tracefs()?.join(name);
        fs::create_dir(&path)?;
        Ok(Self {
            path,
            marks: Vec::new(),
            event: None,
        })
    }

    /// One of ftrace's tracers, on the function.
    pub(in crate::tests) fn tracer(tracer: &str, mark: &str) -> Outcome<Self> {
        let mut instance = Self::new()?;
        let available = fs::read_to_string(instance.path.join("available_tracers"))?;
        if !available.split_whitespace().any(|one| one == tracer) {
            return Err(Failure::Skipped(format!("no {tracer} in instances")));
        }
        let name = name_of_ftrace()?;
        fs::write(instance.path.join("set_ftrace_filter"), &name)?;
        fs::write(instance.path.join("current_tracer"), tracer)?;
        instance.marks = vec![format!("{name}{mark}")];
        if tracer == "function" {
            instance.marks.push(in_trace());
        }
        Ok(instance)
    }

    /// An event; the definition goes up to its name, and on behind it.
    pub(in crate::tests) fn event(list: &'static str, kind: &str, at: &str) -> Outcome<Self> {
        let mut instance = Self::new()?;
        let number = instance.path.to_string_lossy().replace(['/', '-'], "_");
        let name = format!("e{}", number.rsplit("rt_").next().unwrap_or_default());
        let group = "rt_stub";
        let list_path = guest::tracefs()?.join(list);
        write(&list_path, &format!("{kind}:{group}/{name} {at}\n"))?;
        instance.event = Some((list, format!("-:{group}/{name}\n")));
        let enable = instance.path.join(format!("events/{group}/{name}/enable"));
        fs::write(enable, "1")?;
        instance.marks = vec![format!(" {name}: "), in_trace()];
        Ok(instance)
    }
}

impl Other for Instance {
    fn seen(&self) -> Outcome<u64> {
        let trace = fs::read_to_string(self.path.join("trace"))?;
        let lines = trace
            .lines()
            .filter(|line| self.marks.iter().all(|mark| line.contains(mark)));
        Ok(lines.count() as u64)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Only so that the next test finds all as it was; if it does not, it says so.
        let _ = fs::write(self.path.join("current_tracer"), "nop");
        let _ = fs::write(self.path.join("events/enable"), "0");
        let _ = fs::remove_dir(&self.path);
        if let (Some((list, remove)), Ok(tracefs)) = (&self.event, guest::tracefs()) {
            let _ = write(&tracefs.join(list), remove);
        }
    }
}

/// The one of the function's names that ftrace knows.
fn name_of_ftrace() -> Outcome<String> {
    let listed = Session::open()?.functions(PATTERN, abi::RTRACE_FUNCTIONS_ALIASES, 4096)?;
    let available = guest::tracefs()?.join("available_filter_functions");
    let available = fs::read_to_string(available)?;
    let mut names = listed
        .iter()
        .flat_map(|one| one.aliases.iter().chain([&one.name]));
    names
        .find(|name| available.lines().any(|line| line == *name))
        .cloned()
        .ok_or_else(|| fail("ftrace knows none of the function's names"))
}

/// A loaded rt_redirect.
struct Redirected;

impl Redirected {
    /// What the new function adds to the argument.
    const MORE: u64 = 512;

    /// To another function, or to a plain return with a result.
    fn load(options: &Options, is_overridden: bool) -> Outcome<Self> {
        let parameters = format!("function={FUNCTION} override={}", u8::from(is_overridden));
        target::load(options, "rt_redirect", &parameters)?;
        Ok(Self)
    }
}

impl Other for Redirected {
    fn seen(&self) -> Outcome<u64> {
        let calls = fs::read_to_string("/sys/module/rt_redirect/parameters/calls")?;
        calls.trim().parse().map_err(fail)
    }
}

impl Drop for Redirected {
    fn drop(&mut self) {
        // The runner sees what stays in enabled_functions.
        let _ = target::unload("rt_redirect");
    }
}

/// A running bpftrace, which counts calls of this thread.
pub(in crate::tests) struct Bpf(Option<Child>);

impl Bpf {
    /// Skips the test where there is none.
    pub(in crate::tests) fn start(probe: &str, action: &str) -> Outcome<Self> {
        let tid = sys::tid();
        let script = format!("{probe}:{FUNCTION} /tid == {tid}/ {{ {action} }}");
        let name = format!("{} ", name_of_ftrace()?);
        let called = || -> Outcome<Option<String>> {
            let enabled = guest::enabled_functions()?;
            let line = enabled.lines().find(|line| line.starts_with(&name));
            Ok(line.map(str::to_owned))
        };
        let before = called()?;
        let child = Command::new("bpftrace")
            .args(["-e", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::Skipped("there is no bpftrace".to_owned()));
            }
            child => child?,
        };
        // Before it attaches the script it tries at other functions what the kernel can do.
        let attached = || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let ended = child.try_wait()?.is_some();
            Ok(ended || (called()? != before && Self::holds(&child, probe)?))
        };
        waiting::until(attached, || format!("bpftrace {script} does not attach"))?;
        if child.try_wait()?.is_some() {
            let output = child.wait_with_output()?;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(fail(format!("bpftrace {script}: {said}")));
        }
        Ok(Self(Some(child)))
    }

    /// Whether it holds what it gets when it is attached: the event of a kprobe, or a link to a function.
    fn holds(child: &Child, probe: &str) -> Outcome<bool> {
        for fd in fs::read_dir(format!("/proc/{}/fd", child.id()))? {
            let fd = fd?;
            // What it has closed in the meantime is not there.
            let held = if probe == "kprobe" {
                let what = fs::read_link(fd.path()).unwrap_or_default();
                what == Path::new("anon_inode:[perf_event]")
            } else {
                let number = fd.file_name().to_string_lossy().into_owned();
                let path = format!("/proc/{}/fdinfo/{number}", child.id());
                let info = fs::read_to_string(path).unwrap_or_default();
                info.lines().any(|line| line == "link_type:\ttracing")
            };
            if held {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends it; the number that it prints behind this.
    fn end(mut self, mark: &str) -> Outcome<u64> {
        let child = self.0.take().ok_or_else(|| fail("it has ended"))?;
        let pid = Pid::from_raw(child.id() as i32).ok_or_else(|| fail("no process"))?;
        kill_process(pid, Signal::INT)?;
        let output = child.wait_with_output()?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let number = told
            .lines()
            .find_map(|line| line.trim().strip_prefix(mark)?.trim().parse().ok());
        number.ok_or_else(|| fail(format!("bpftrace says {told}")))
    }
}

impl Drop for Bpf {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sessions that follow the calls by each way of theirs: with records, and with nothing but latencies.
fn session(number: usize) -> Outcome<Trace> {
    if number == 0 {
        return Plan::new().both(PATTERN).start();
    }
    let code = Code::new()
        .get(1, abi::RTRACE_VAR_ELAPSED)
        .set(2, 1)
        .keys(&[])
        .aggregate(0, 1, 2)
        .ret();
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_QUANTIZE, 0, [0; 4])
        .clause(1, 0, code);
    let session = loaded(KERNEL, &program)?;
    session.add_to(PATTERN, abi::RTRACE_PROBE_RETURN, 1)?;
    started(session)
}

/// Holds what a session saw against so many calls, with these values.
fn check_session(trace: Trace, values: &[u64]) -> Outcome {
    let with_program = trace.with_program;
    let finished = trace.finish()?;
    let row = finished.return_row(FUNCTION)?;
    let calls = values.len() as u64;
    check_eq!(
        (row.entered, row.missed, row.in_flight),
        (row.returned, row.missed.map(|_| 0), 0),
        "entered, missed and in flight"
    );
    check!(
        row.returned >= calls,
        "{} returned of {calls}",
        row.returned
    );
    if with_program {
        let found = aggregated(&finished.session, 1 << 16)?;
        let taken: u64 = found.iter().flat_map(|entry| &entry.words).sum();
        check_eq!(taken, row.returned, "latencies");
        return Ok(());
    }
    let found: Vec<u64> = mine(finished.returns(FUNCTION)?)
        .iter()
        .map(|ret| ret.value())
        .collect();
    check_eq!(found, values, "values");
    let entries = mine(finished.entries(FUNCTION)?);
    check_eq!(entries.len() as u64, calls, "entries");
    for (entry, ret) in entries.iter().zip(mine(finished.returns(FUNCTION)?)) {
        check!(
            ret.elapsed() > 0 && entry.time <= ret.time,
            "elapsed {}, from {} to {}",
            ret.elapsed(),
            entry.time,
            ret.time
        );
    }
    Ok(())
}

/// One other, and a session, in either order and ended in either order.
fn beside<O: Other>(start: impl Fn() -> Outcome<O>) -> Outcome {
    let values: Vec<u64> = (0..CALLS).map(value).collect();
    for number in 0..2 {
        for order in 0..4 {
            let (first, ends_first) = (order & 1 == 0, order & 2 == 0);
            call(0o22);
            let before = first.then(&start).transpose()?;
            let trace = session(number)?;
            is_by_stub(&trace.session, FUNCTION)?;
            let other = match before {
                Some(other) => other,
                None => start()?,
            };
            let what = format!("session {number}, the other first: {first}, {ends_first}");
            let work = || -> Outcome {
                call(0);
                let zero = other.seen()?;
                calls_after_first(CALLS);
                check_eq!(other.seen()? - zero, CALLS, "what the other saw");
                let with_first: Vec<u64> = [vec![0o22], values.clone()].concat();
                if ends_first {
                    drop(other);
                    call(0);
                    call(0o22);
                    let more = [value(CALLS), 0];
                    return check_session(trace, &[with_first, more.to_vec()].concat());
                }
                check_session(trace, &with_first)?;
                call(0);
                calls_after_first(CALLS);
                check_eq!(other.seen()? - zero, 2 * CALLS + 1, "what the other saw");
                Ok(())
            };
            work().map_err(|failure| fail(format!("{what}: {failure}")))?;
        }
    }
    Ok(())
}

fn function(_: &Options) -> Outcome {
    beside(|| Instance::tracer("function", " <-"))
}

fn function_graph(_: &Options) -> Outcome {
    beside(|| Instance::tracer("function_graph", "()"))
}

fn kprobes(_: &Options) -> Outcome {
    beside(|| Instance::event("kprobe_events", "p", FUNCTION))
}

fn kretprobes(_: &Options) -> Outcome {
    beside(|| Instance::event("kprobe_events", "r", FUNCTION))
}

fn fprobes(_: &Options) -> Outcome {
    beside(|| Instance::event("dynamic_events", "f", FUNCTION))?;
    beside(|| Instance::event("dynamic_events", "f", &format!("{FUNCTION}%return")))
}

fn redirected(options: &Options) -> Outcome {
    led_elsewhere(options, false)
}

fn overridden(options: &Options) -> Outcome {
    led_elsewhere(options, true)
}

fn led_elsewhere(options: &Options, is_overridden: bool) -> Outcome {
    let values: Vec<u64> = (0..CALLS).map(|i| (i & 0o777) + Redirected::MORE).collect();
    for number in 0..2 {
        for first in [true, false] {
            let load = || Redirected::load(options, is_overridden);
            let before = first.then(load).transpose()?;
            let trace = session(number)?;
            is_by_stub(&trace.session, FUNCTION)?;
            let other = match before {
                Some(other) => other,
                None => load()?,
            };
            let mine = other.seen()?;
            // The mask is cut to its bits where the library has it, not by the kernel.
            for value in &values {
                let mask = value - Redirected::MORE;
                check_eq!(call(mask) & 0o777, mask & 0o777, "what the caller gets");
            }
            check_eq!(other.seen()? - mine, CALLS, "calls that were led elsewhere");
            check_session(trace, &values)
                .map_err(|failure| fail(format!("session {number}, {first}: {failure}")))?;
            drop(other);
        }
        // Gone, the old function is there again.
        call(0);
        check_eq!(call(0o22), 0, "what is returned afterwards");
    }
    Ok(())
}

/// BPF before the session, which then goes another way; and BPF after it.
fn beside_bpf(probe: &str, action: &str, mark: &str, wanted: u64) -> Outcome {
    let values: Vec<u64> = (0..CALLS).map(value).collect();
    for number in 0..2 {
        for first in [true, false] {
            call(0);
            let before = first.then(|| Bpf::start(probe, action)).transpose()?;
            let trace = session(number)?;
            let found = way(&trace.session, FUNCTION, abi::RTRACE_KIND_RETURN)?;
            let by = if first {
                abi::RTRACE_WAY_FPROBE
            } else {
                stub_way()?
            };
            check_eq!(found, by, "the way, BPF first: {first}");
            let bpf = match before {
                Some(bpf) => bpf,
                None => Bpf::start(probe, action)?,
            };
            calls_after_first(CALLS);
            let told = bpf.end(mark)?;
            check_eq!(told, wanted, "what BPF saw, first: {first}");
            check_session(trace, &values)
                .map_err(|failure| fail(format!("session {number}, {first}: {failure}")))?;
        }
    }
    Ok(())
}

fn fentry(_: &Options) -> Outcome {
    beside_bpf("fentry", "@n = count();", "@n:", CALLS)
}

fn fexit(_: &Options) -> Outcome {
    beside_bpf("fexit", "@n = count();", "@n:", CALLS)?;
    let sum = (0..CALLS).map(value).sum();
    beside_bpf("fexit", "@n = sum(retval);", "@n:", sum)
}

fn all(options: &Options) -> Outcome {
    let start_all = || -> Outcome<Vec<Instance>> {
        Ok(vec![
            Instance::tracer("function", " <-")?,
            Instance::tracer("function_graph", "()")?,
            Instance::event("kprobe_events", "p", FUNCTION)?,
            Instance::event("dynamic_events", "f", FUNCTION)?,
            Instance::event("dynamic_events", "f", &format!("{FUNCTION}%return"))?,
        ])
    };
    for first in [true, false] {
        call(0);
        let before = first.then(start_all).transpose()?;
        let traces = [session(0)?, session(1)?, session(0)?, session(1)?];
        let others = match before {
            Some(others) => others,
            None => start_all()?,
        };
        let zero: Vec<u64> = others.iter().map(Other::seen).collect::<Outcome<_>>()?;
        calls_after_first(CALLS);
        for (number, (other, zero)) in others.iter().zip(zero).enumerate() {
            check_eq!(other.seen()? - zero, CALLS, "what other {number} saw");
        }
        let redirected = Redirected::load(options, false)?;
        for i in 0..CALLS {
            call(i & 0o777);
        }
        check_eq!(redirected.seen()?, CALLS, "calls of the new function");
        let old = (0..CALLS).map(value);
        let new = (0..CALLS).map(|i| (i & 0o777) + Redirected::MORE);
        let values: Vec<u64> = old.chain(new).collect();
        for (number, trace) in traces.into_iter().enumerate() {
            check_session(trace, &values)
                .map_err(|failure| fail(format!("session {number}, {first}: {failure}")))?;
        }
    }
    Ok(())
}

fn around_sleepers(_: &Options) -> Outcome {
    use super::sleeping::{Asleep, Sleep};
    let sleep = Sleep::Nanosleep;
    let graph = || -> Outcome<Trace> {
        let plan = Plan::new().add(sleep.pattern(), BOTH);
        plan.without_stub().start()
    };
    let trace = Plan::new().both(sleep.pattern()).start()?;
    is_by_stub(&trace.session, sleep.function())?;
    let alone = Asleep::start(sleep)?;
    let by_fprobe = graph()?;
    let beside = Asleep::start(sleep)?;
    let pids = [alone.pid(), beside.pid()];
    drop(by_fprobe);
    let after = Asleep::start(sleep)?;
    let last = graph()?;
    let pids = [pids[0], pids[1], after.pid()];
    for one in [alone, beside, after] {
        one.wake()?;
    }
    let finished = trace.finish()?;
    let returns = finished.returns(sleep.function())?;
    for pid in pids {
        let seen = returns.iter().filter(|ret| ret.tid as i32 == pid).count();
        check_eq!(seen, 1, "returns of {pid}");
    }
    let row = finished.return_row(sleep.function())?;
    check_eq!(row.missed.iter().sum::<u64>(), 0, "missed");
    let seen = last.finish()?.returns(sleep.function())?;
    let of_these = |ret: &&crate::trace::Event| pids.contains(&(ret.tid as i32));
    check_eq!(seen.iter().filter(of_these).count(), 0, "of others' calls");
    Ok(())
}
