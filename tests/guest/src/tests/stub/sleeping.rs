// SPDX-License-Identifier: GPL-2.0-only
//! Calls that sleep with a frame of the stub's on their stack, for longer than their session lives.

#![forbid(unsafe_code)]

use std::fs;
use std::thread;
use std::time::Duration;

use rust_tracer::abi;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use rustix::thread::{NanosleepRelativeResult, nanosleep};

use super::ends::await_nobody_inside;
use super::is_by_stub;
use crate::actor::{Actor, Cue};
use crate::guest::{self, KernelLog};
use crate::options::Options;
use crate::parameters::Parameters;
use crate::sys::{self, Child, Ended};
use crate::target::{self, Late};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};
use crate::waiting;

group! { "stub, sleeping":
    "calls that sleep when nobody follows them any more are let out, and the module goes before they wake" => let_out,
    "all calls that sleep are let out soon, however many they are" => many_let_out,
    "calls that sleep when the session stops are in flight, hold the module, and return" => stopped,
    "calls that sleep when the session is closed hold the module, and return" => closed,
    "calls that sleep when the session's process is killed hold the module, and return" => killed,
    "the kernel's log says who is waited for, and in which function" => named,
    "a call that was made for one session is not seen to return by the next" => next_session,
    "the calls of three sessions sleep, and each sees its own return" => three_sessions,
    "a sleeping task's stack can be read through the frame" => stack_is_read,
    "delete_module is followed under a module's unloading" => delete_module,
    "the module that follows delete_module is unloaded when nobody needs it" => deletes_itself,
}

/// In what a process sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// For a child's end.
    Wait4,
    /// For a time.
    Nanosleep,
    /// For a descriptor.
    Poll,
}

impl Sleep {
    const ALL: [Self; 3] = [Self::Wait4, Self::Nanosleep, Self::Poll];

    /// The kernel's function.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Wait4 => "__x64_sys_wait4",
            Self::Nanosleep => "do_nanosleep",
            Self::Poll => "__x64_sys_poll",
        }
    }

    /// What stands on the stack then, by any of its names. (What belongs to the scheduler is not shown.)
    const fn on_stack(self) -> &'static str {
        match self {
            Self::Nanosleep => "nanosleep+",
            Self::Wait4 => "sys_wait4+",
            Self::Poll => "sys_poll+",
        }
    }

    /// What all names of the function that the kernel may print have in them.
    const fn mark(self) -> &'static str {
        match self {
            Self::Wait4 => "sys_wait4",
            Self::Nanosleep => "do_nanosleep",
            Self::Poll => "sys_poll",
        }
    }

    /// The same as a pattern.
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Wait4 => "vmlinux:__x64_sys_wait4",
            Self::Nanosleep => "vmlinux:do_nanosleep",
            Self::Poll => "vmlinux:__x64_sys_poll",
        }
    }

    /// Sleeps until the parent wakes it, or wakes that for which it sleeps.
    fn sleep(self, cue: &Cue) -> Outcome {
        match self {
            Self::Wait4 => {
                let child = Child::start(|| {
                    let orphan = set_parent_process_death_signal(Some(Signal::KILL));
                    i32::from(orphan.is_err() || cue.wait().is_err())
                })?;
                cue.ready()?;
                check_eq!(child.wait()?, Ended::Exit(0), "the child's child");
            }
            Self::Nanosleep => {
                sys::catch(libc::SIGUSR1);
                cue.ready()?;
                let long = rustix::time::Timespec {
                    tv_sec: 10_000,
                    tv_nsec: 0,
                };
                check!(
                    matches!(nanosleep(&long), NanosleepRelativeResult::Interrupted(_)),
                    "the sleep is over"
                );
            }
            Self::Poll => {
                cue.ready()?;
                sys::poll(cue.heard(), libc::POLLIN, -1)?;
            }
        }
        Ok(())
    }
}

/// The stack of a thread that sleeps in a function, if it does.
fn stack_asleep(task: &str, sleep: Sleep) -> Option<String> {
    let stat = fs::read_to_string(format!("{task}/stat")).ok()?;
    let (_, state) = stat.rsplit_once(") ")?;
    let stack = fs::read_to_string(format!("{task}/stack")).ok()?;
    let inside = stack.contains(sleep.on_stack());
    (state.starts_with('S') && inside).then_some(stack)
}

/// Waits until another thread of this process sleeps in a function; its id.
pub fn await_asleep_beside(pid: i32, sleep: Sleep) -> Outcome<u32> {
    let look = || {
        for thread in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
            let tid = thread.file_name().to_string_lossy().into_owned();
            let asleep = stack_asleep(&thread.path().to_string_lossy(), sleep);
            if tid != pid.to_string() && asleep.is_some() {
                return Ok(Some(tid.parse().map_err(fail)?));
            }
        }
        Ok(None)
    };
    waiting::some(look, || format!("no thread of {pid} sleeps: {sleep:?}"))
}

/// A process that is to sleep. It has no session that was opened after it began.
pub struct Sleepy {
    how: Sleep,
    actor: Actor,
}

/// A process that sleeps.
pub struct Asleep {
    how: Sleep,
    actor: Actor,
    stack: String,
}

impl Sleepy {
    /// Not yet.
    pub fn start(how: Sleep) -> Outcome<Self> {
        let mut actor = Actor::start(|cue| {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            cue.pause()?;
            how.sleep(cue)
        })?;
        actor.ready()?;
        Ok(Self { how, actor })
    }

    /// In each.
    fn all() -> Outcome<Vec<Self>> {
        Sleep::ALL.into_iter().map(Self::start).collect()
    }

    /// When it is back, the process does.
    pub fn sleep(self) -> Outcome<Asleep> {
        let Self { how, mut actor } = self;
        actor.go()?;
        actor.ready()?;
        let task = format!("/proc/{}", actor.pid());
        let stack = waiting::some(
            || Ok(stack_asleep(&task, how)),
            || {
                let stack = fs::read_to_string(format!("{task}/stack")).unwrap_or_default();
                format!("it does not sleep in {}: {stack}", how.function())
            },
        )?;
        Ok(Asleep { how, actor, stack })
    }
}

/// All of them do.
fn sleep_all(sleepy: Vec<Sleepy>) -> Outcome<Vec<Asleep>> {
    sleepy.into_iter().map(Sleepy::sleep).collect()
}

impl Asleep {
    /// One that has the caller's sessions, too.
    pub fn start(how: Sleep) -> Outcome<Self> {
        Sleepy::start(how)?.sleep()
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.actor.pid()
    }

    /// Wakes it, and waits for its good end.
    pub fn wake(self) -> Outcome {
        match self.how {
            Sleep::Nanosleep => {
                let pid = Pid::from_raw(self.pid()).ok_or_else(|| fail("no process"))?;
                kill_process(pid, Signal::USR1)?;
            }
            Sleep::Wait4 | Sleep::Poll => self.actor.go()?,
        }
        self.actor.end()
    }

    /// Kills it.
    pub fn kill(self) -> Outcome<Ended> {
        let pid = Pid::from_raw(self.pid()).ok_or_else(|| fail("no process"))?;
        kill_process(pid, Signal::KILL)?;
        self.actor.died()
    }
}

fn plan() -> Plan {
    Sleep::ALL
        .into_iter()
        .fold(Plan::new(), |plan, sleep| plan.both(sleep.pattern()))
}

fn start() -> Outcome<Trace> {
    let trace = plan().start()?;
    for sleep in Sleep::ALL {
        is_by_stub(&trace.session, sleep.function())?;
    }
    Ok(trace)
}

/// The module is held for the sake of those who sleep until they do no more, and then it goes.
fn hold_until_woken(asleep: Vec<Asleep>) -> Outcome {
    for (left, one) in asleep.into_iter().enumerate() {
        thread::sleep(Duration::from_millis(300));
        check_eq!(
            guest::references(),
            Some(1),
            "references when {left} are awake"
        );
        check_eq!(
            sys::unload_module("rust_tracer"),
            Err(Errno::AGAIN),
            "unloading when {left} are awake"
        );
        one.wake()?;
    }
    await_nobody_inside()?;
    target::unload("rust_tracer")?;
    guest::load()
}

fn let_out(_: &Options) -> Outcome {
    let sleepy = Sleepy::all()?;
    let trace = start()?;
    let asleep = sleep_all(sleepy)?;
    drop(trace);
    await_nobody_inside()?;
    target::unload("rust_tracer")?;
    for one in asleep {
        one.wake()?;
    }
    guest::load()
}

/// Many more than are let out while the machine stands still once.
fn many_let_out(options: &Options) -> Outcome {
    let many = options.share_of(2000) as usize;
    let mut sleepers = Actor::start(|cue| {
        cue.pause()?;
        let (held, hold) = rustix::pipe::pipe()?;
        let sleep = || sys::poll(&held, libc::POLLIN, -1).map(drop);
        thread::scope(|scope| {
            let start = |_| {
                thread::Builder::new()
                    .stack_size(1 << 16)
                    .spawn_scoped(scope, sleep)
            };
            let threads = (0..many).map(start).collect::<Result<Vec<_>, _>>()?;
            let asleep = || {
                let tasks = fs::read_dir("/proc/self/task")?.flatten();
                let asleep = tasks.filter(|task| {
                    stack_asleep(&task.path().to_string_lossy(), Sleep::Poll).is_some()
                });
                Ok(asleep.count() == many)
            };
            waiting::until(asleep, || "not all threads sleep".into())?;
            cue.pause()?;
            drop(hold);
            for thread in threads {
                thread.join().map_err(|_| fail("a thread"))??;
            }
            Ok(())
        })
    })?;
    sleepers.ready()?;
    let trace = Plan::new().both(Sleep::Poll.pattern()).start()?;
    is_by_stub(&trace.session, Sleep::Poll.function())?;
    sleepers.go()?;
    sleepers.ready()?;
    drop(trace);
    await_nobody_inside()?;
    target::unload("rust_tracer")?;
    sleepers.go()?;
    sleepers.end()?;
    guest::load()
}

fn stopped(_: &Options) -> Outcome {
    let _held = Parameters::set(&[("stub_let_out", 0)])?;
    let sleepy = Sleepy::all()?;
    let trace = start()?;
    let asleep = sleep_all(sleepy)?;
    let finished = trace.finish()?;
    for sleep in Sleep::ALL {
        let row = finished.return_row(sleep.function())?;
        check!(row.in_flight >= 1, "{sleep:?} is not in flight: {row:?}");
    }
    // One wakes while the session is there, stopped.
    let before = finished.session.ledger(0)?;
    let mut asleep = asleep.into_iter();
    asleep.next().ok_or_else(|| fail("nobody"))?.wake()?;
    check_eq!(finished.session.ledger(0)?, before, "the ledger afterwards");
    drop(finished);
    hold_until_woken(asleep.collect())
}

fn closed(_: &Options) -> Outcome {
    let _held = Parameters::set(&[("stub_let_out", 0)])?;
    let sleepy = Sleepy::all()?;
    let trace = start()?;
    let asleep = sleep_all(sleepy)?;
    drop(trace);
    hold_until_woken(asleep)
}

fn killed(_: &Options) -> Outcome {
    let _held = Parameters::set(&[("stub_let_out", 0)])?;
    let mut tracing = Actor::start(|cue| {
        let _trace = start()?;
        cue.pause()
    })?;
    tracing.ready()?;
    let asleep = sleep_all(Sleepy::all()?)?;
    let pid = Pid::from_raw(tracing.pid()).ok_or_else(|| fail("no process"))?;
    kill_process(pid, Signal::KILL)?;
    check_eq!(tracing.died()?, Ended::Signal(libc::SIGKILL));
    hold_until_woken(asleep)
}

fn named(_: &Options) -> Outcome {
    let _held = Parameters::set(&[("stub_let_out", 0)])?;
    let mut log = KernelLog::from_now()?;
    let sleepy = Sleepy::all()?;
    let trace = start()?;
    let asleep = sleep_all(sleepy)?;
    drop(trace);
    let mut wanted: Vec<(String, &str)> = asleep
        .iter()
        .map(|one| (format!("[{}] is still in ", one.pid()), one.how.mark()))
        .collect();
    let mut said = Vec::new();
    let all_said = || {
        for line in log.new_lines()? {
            wanted.retain(|(who, mark)| {
                let place = line.split_once(who.as_str());
                !(line.starts_with("rust_tracer: rt-guest-tests[")
                    && place.is_some_and(|(_, function)| function.contains(mark)))
            });
            said.push(line);
        }
        Ok(wanted.is_empty())
    };
    let in_time = waiting::until(all_said, String::new);
    check!(in_time.is_ok(), "not said: {wanted:?}, but {said:#?}");
    check!(
        said.iter().any(|line| line.contains("have not returned")),
        "how many is not said: {said:#?}"
    );
    // It is said once.
    thread::sleep(Duration::from_millis(2500));
    let again = log.new_lines()?;
    check!(
        !again.iter().any(|line| line.contains("is still in")),
        "said again: {again:#?}"
    );
    hold_until_woken(asleep)
}

fn next_session(_: &Options) -> Outcome {
    let sleepy = Sleepy::all()?;
    let trace = start()?;
    let asleep = sleep_all(sleepy)?;
    drop(trace);
    let pids: Vec<u32> = asleep.iter().map(|one| one.pid() as u32).collect();
    let next = start()?;
    let more = sleep_all(Sleepy::all()?)?;
    let more_pids: Vec<u32> = more.iter().map(|one| one.pid() as u32).collect();
    for one in asleep.into_iter().chain(more) {
        one.wake()?;
    }
    let finished = next.finish()?;
    for (sleep, pid) in Sleep::ALL.into_iter().zip(&more_pids) {
        let returns = finished.returns(sleep.function())?;
        check!(
            !returns.iter().any(|ret| pids.contains(&ret.tid)),
            "{sleep:?}: a return of a call before the start: {returns:?}"
        );
        check!(
            returns.iter().any(|ret| ret.tid == *pid),
            "{sleep:?}: no return of a call after the start: {returns:?}"
        );
    }
    Ok(())
}

fn three_sessions(_: &Options) -> Outcome {
    let sleep = Sleep::Nanosleep;
    let plan = Plan::new().both(sleep.pattern());
    // The first follows a call alone, then there are two, and then three.
    let mut traces = Vec::new();
    let mut asleep = Vec::new();
    for _ in 0..3 {
        let trace = plan.start()?;
        is_by_stub(&trace.session, sleep.function())?;
        traces.push(trace);
        asleep.push(Asleep::start(sleep)?);
    }
    // One of them goes before anything returns.
    let gone = traces.remove(1);
    drop(gone);
    let pids: Vec<u32> = asleep.iter().map(|one| one.pid() as u32).collect();
    for one in asleep {
        one.wake()?;
    }
    for (trace, first) in traces.into_iter().zip([0, 2]) {
        let finished = trace.finish()?;
        let returns = finished.returns(sleep.function())?;
        for (number, pid) in pids.iter().enumerate() {
            let seen = returns.iter().filter(|ret| ret.tid == *pid).count();
            check_eq!(
                seen,
                usize::from(number >= first),
                "returns of call {number} in the session that began at call {first}"
            );
        }
    }
    await_nobody_inside()
}

fn stack_is_read(_: &Options) -> Outcome {
    let trace = start()?;
    for one in sleep_all(Sleepy::all()?)? {
        check!(
            one.stack.contains("do_syscall_64+"),
            "the stack of {:?} ends early:\n{}",
            one.how,
            one.stack
        );
        one.wake()?;
    }
    drop(trace);
    Ok(())
}

fn delete_module(options: &Options) -> Outcome {
    const TIMES: usize = 5;
    const NAME: &str = "__x64_sys_delete_module";
    let trace = Plan::new().both(&format!("vmlinux:{NAME}")).start()?;
    is_by_stub(&trace.session, NAME)?;
    for _ in 0..TIMES {
        Late::load(options, 1)?.unload()?;
    }
    check_eq!(sys::unload_module("rust_tracer"), Err(Errno::AGAIN));
    let finished = trace.finish()?;
    let values: Vec<i64> = super::mine(finished.returns(NAME)?)
        .iter()
        .map(|ret| ret.value() as i64)
        .collect();
    let mut wanted = vec![0; TIMES];
    wanted.push(-i64::from(libc::EAGAIN));
    check_eq!(values, wanted, "what delete_module returned");
    check_eq!(finished.return_row(NAME)?.in_flight, 0);
    Ok(())
}

/// Another process wants the module gone all the time; it goes when no session and no call is left.
fn deletes_itself(options: &Options) -> Outcome {
    let rounds = options.share_of(5);
    for round in 0..rounds {
        let mut remover = Actor::start(|cue| {
            cue.pause()?;
            check_eq!(sys::unload_module("rust_tracer"), Err(Errno::AGAIN));
            cue.ready()?;
            target::unload("rust_tracer")
        })?;
        remover.ready()?;
        let trace = Plan::new()
            .both("vmlinux:__x64_sys_delete_module")
            .ring(abi::RTRACE_RING_MIN.into())
            .start()?;
        remover.go()?;
        remover.ready()?;
        thread::sleep(Duration::from_millis(round % 7));
        drop(trace);
        remover.end()?;
        check!(guest::references().is_none(), "the module is still there");
        guest::load()?;
        println!("{} of {rounds} unloads", round + 1);
    }
    Ok(())
}
