// SPDX-License-Identifier: GPL-2.0-only
//! The memory cgroup of who opened a session: what it is charged for, and who waits when it has no room.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use rust_tracer::abi;
use rustix::io::Errno;

use super::quotas::open;
use crate::actor::Actor;
use crate::fuzz::raw::{Faults, Ground, Mapped};
use crate::options::Options;
use crate::session::{Answer, Command, KERNEL};
use crate::sys;
use crate::target::Late;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Trace;
use crate::waiting;

group! { "access, cgroups":
    "memory is charged to the cgroup of the opener" => charged,
    "memory that commands fill is charged for as long as a buffer has them wait" => waiting_buffers,
    "a cgroup without room lets a start fail with a sentence, and nothing stays behind" => no_room,
    "whose cgroup has him wait for memory keeps nobody else waiting, and misses no module" => held_back,
    "who observes a session neither pays for nor waits for what that one has missed" => observed,
}

/// A cgroup with the memory controller, gone at the end.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(name: &str) -> Outcome<Self> {
        let root = Path::new("/sys/fs/cgroup");
        fs::write(root.join("cgroup.subtree_control"), "+memory")?;
        let path = root.join(name);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn number(&self, name: &str) -> Outcome<u64> {
        fs::read_to_string(self.0.join(name))?
            .trim()
            .parse()
            .map_err(fail)
    }

    /// The caller belongs to it from here on.
    fn join(&self) -> Outcome {
        Ok(fs::write(self.0.join("cgroup.procs"), "0")?)
    }

    /// One line of memory.stat.
    fn stat(&self, name: &str) -> Outcome<u64> {
        let text = fs::read_to_string(self.0.join("memory.stat"))?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.ok_or_else(|| fail(format!("no {name} in memory.stat")))?
            .parse()
            .map_err(fail)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Bytes of all rings in the tests of cgroups, on each CPU.
const RING: u64 = 4 << 20;

fn charged(_: &Options) -> Outcome {
    let group = Cgroup::new("rt-charged")?;
    Actor::start(|_| {
        group.join()?;
        let session = open(KERNEL)?;
        session.add("rt_target:rt_plain", 3)?;
        session.configure(abi::rtrace_config {
            ring_bytes: RING,
            ..Default::default()
        })?;
        let before = group.stat("kernel")?;
        session.start()?;
        let status = session.status()?;
        let grown = group.stat("kernel")? - before;
        let rings = RING * u64::from(status.rings);
        check!(
            grown >= rings,
            "{grown} bytes are charged for rings of {rings}"
        );
        // Accounts of pages are kept in batches: it says what there is of other memory, or more.
        let current = group.number("memory.current")?;
        check!(
            current >= rings,
            "{current} bytes in memory.current, {rings} in rings"
        );
        drop(session);
        let left = group.stat("kernel")?;
        check!(
            left < before + rings,
            "{left} bytes are charged after the end"
        );
        Ok(())
    })?
    .end()
}

/// Bytes of a command's buffer that are filled at once, the most of them all.
const FILLED: u64 = 256 << 10;

fn waiting_buffers(_: &Options) -> Outcome {
    const EACH: usize = 4;
    let group = Cgroup::new("rt-waiting-buffers")?;
    Actor::start(|_| {
        group.join()?;
        let session = open(KERNEL)?;
        session.add("rt_target:rt_plain", 3)?;
        session.start()?;
        macro_rules! filling {
            ($command:ident $(, $field:ident: $value:expr)?) => {{
                let fill = |buf| {
                    let mut request = abi::$command {
                        buf,
                        buf_len: FILLED,
                        $($field: $value,)?
                        ..Default::default()
                    }
                    .sized();
                    session.command(&mut request)
                };
                Box::new(fill) as Box<dyn Fn(u64) -> Answer + Sync>
            }};
        }
        let commands = [
            filling!(rtrace_functions),
            filling!(rtrace_probes),
            filling!(rtrace_ledger),
            filling!(rtrace_sessions),
            filling!(rtrace_view, view: abi::RTRACE_VIEW_MODULES),
        ];
        let threads = (EACH * commands.len()) as u64;
        let ground = Ground {
            start: Ground::START,
            length: threads * FILLED,
        };
        let memory = Mapped {
            protection: libc::PROT_READ | libc::PROT_WRITE,
            flags: libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            fd: -1,
            offset: 0,
        };
        ground.map(ground.start, ground.length, memory)?;
        let faults = Faults::open()?;
        faults.register(ground.start, ground.length)?;
        let before = group.stat("kernel")?;
        let (waited, filled) = thread::scope(|scope| {
            let fills = commands.iter().cycle().zip(0..threads);
            let filling: Vec<_> = fills
                .map(|(fill, number)| scope.spawn(move || fill(ground.start + number * FILLED)))
                .collect();
            let mut waiting = HashSet::new();
            let all_wait = || {
                waiting.extend(faults.next(20)?);
                Ok(waiting.len() as u64 == threads)
            };
            let waited = waiting::until(all_wait, || "they do not all wait".into());
            let charged = group.stat("kernel");
            let freed = faults.unregister(ground.start, ground.length);
            let filled: Vec<_> = filling.into_iter().map(ScopedJoinHandle::join).collect();
            (waited.and(freed.map_err(Into::into)).and(charged), filled)
        });
        let grown = waited?.saturating_sub(before);
        for answer in filled {
            answer.map_err(|_| fail("a thread panicked"))??;
        }
        let buffers = threads * FILLED;
        check!(
            grown >= buffers,
            "{grown} bytes are charged for buffers of {buffers}"
        );
        ground.unmap(ground.start, ground.length)?;
        Ok(())
    })?
    .end()
}

fn no_room(_: &Options) -> Outcome {
    let group = Cgroup::new("rt-no-room")?;
    Actor::start(|_| {
        group.join()?;
        let session = open(KERNEL)?;
        session.add("rt_target:rt_plain", 3)?;
        session.configure(abi::rtrace_config {
            ring_bytes: 16 << 20,
            ..Default::default()
        })?;
        fs::write(group.0.join("memory.max"), "12M")?;
        let before = group.stat("kernel")?;
        for _ in 0..3 {
            let Err(refused) = session.start() else {
                return Err(fail("16 MiB a CPU in a cgroup of 12 MiB"));
            };
            check_eq!(refused.errno, Errno::NOMEM, "{refused}");
            for part in ["memory", "smaller rings"] {
                check!(
                    refused.text.contains(part),
                    "{part} is not in {}",
                    refused.text
                );
            }
            check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE, "state");
            check_eq!(session.status()?.memory, 0, "memory of the session");
            check_eq!(session.quota()?.memory, 0, "memory of its user");
        }
        let left = group.stat("kernel")?;
        check!(
            left <= before + (1 << 20),
            "{left} bytes are left, {before} before"
        );
        // With smaller rings it works, as the sentence says.
        session.configure(abi::rtrace_config {
            ring_bytes: 1 << 16,
            ..Default::default()
        })?;
        session.start()?;
        Ok(session.stop()?)
    })?
    .end()
}

/// Waits until a process, in a command of ours, waits for memory that its cgroup holds back.
fn await_held_back(pid: i32) -> Outcome {
    let stack = format!("/proc/{pid}/stack");
    let waits = || {
        let stack = fs::read_to_string(&stack)?;
        Ok(stack.contains("handle_over_high") && stack.contains("[rust_tracer]"))
    };
    waiting::until(waits, || "it does not wait for memory".into())
}

fn held_back(options: &Options) -> Outcome {
    const BOTH: u32 = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_PROBE_RETURN;
    let group = Cgroup::new("rt-held-back")?;
    let mut starter = Actor::start(|cue| {
        group.join()?;
        let session = open(KERNEL)?;
        session.add("rt_target:rt_plain", BOTH)?;
        session.add("rt_late:rt_late_work", BOTH | abi::RTRACE_ADD_LATE)?;
        session.publish("rt-held-back")?;
        session.configure(abi::rtrace_config {
            ring_bytes: 16 << 20,
            ..Default::default()
        })?;
        cue.pause()?;
        session.start()?;
        let trace = Trace::of(session)?;
        cue.pause()?;
        let finished = trace.finish()?;
        check_eq!(finished.entries("rt_late_work")?.len(), 2, "entries");
        check_eq!(finished.returns("rt_late_work")?.len(), 2, "returns");
        Ok(())
    })?;
    starter.ready()?;
    let high = group.0.join("memory.high");
    fs::write(&high, "4096")?;
    starter.go()?;
    // Seconds for every few pages: all of them would take minutes.
    await_held_back(starter.pid())?;
    Late::load(options, 3)?.unload()?;
    let late = Late::load(options, 3)?;
    let listed = open(KERNEL)?.sessions()?;
    let pid = starter.pid() as u32;
    let row = listed.iter().find(|listed| listed.head.pid == pid);
    let row = row.ok_or_else(|| fail("it is not listed"))?.head;
    let expected = (abi::RTRACE_STATE_IDLE, 2);
    check_eq!((row.state, row.probes), expected, "what is listed of it");
    // Nor does who observes it.
    let observer = open(KERNEL)?;
    observer.observe("rt-held-back")?;
    let status = observer.status()?;
    let told = (status.state, status.probes);
    check_eq!(told, expected, "what is told of it");
    let ready = sys::poll(&observer.fd, libc::POLLIN, 0)?;
    check_eq!(ready, 0, "whether it is over");
    let probes = observer.command(&mut abi::rtrace_probes::default().sized());
    check_eq!(probes.map_err(|refused| refused.errno), Err(Errno::BUSY));
    await_held_back(starter.pid())?;
    fs::write(&high, "max")?;
    starter.ready()?;
    check_eq!(observer.probes()?.len(), 4, "those of the module, too");
    drop(observer);
    late.call(2)?;
    starter.go()?;
    starter.end()?;
    late.unload()
}

fn observed(options: &Options) -> Outcome {
    let group = Cgroup::new("rt-observed")?;
    let mut owner = Actor::start(|cue| {
        group.join()?;
        let session = open(KERNEL)?;
        session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        let late = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_ADD_LATE;
        session.add("rt_late:rt_late_work", late)?;
        session.publish("rt-observed")?;
        session.configure(abi::rtrace_config {
            ring_bytes: 16 << 20,
            ..Default::default()
        })?;
        cue.pause()?;
        let Err(refused) = session.start() else {
            return Err(fail("16 MiB a CPU in a cgroup of 12 MiB"));
        };
        check_eq!(refused.errno, Errno::NOMEM, "{refused}");
        cue.pause()?;
        check_eq!(session.status()?.probes, 2, "when its owner asks");
        Ok(())
    })?;
    owner.ready()?;
    let high = group.0.join("memory.high");
    fs::write(&high, "4096")?;
    owner.go()?;
    await_held_back(owner.pid())?;
    let late = Late::load(options, 3)?;
    fs::write(group.0.join("memory.max"), "12M")?;
    fs::write(&high, "max")?;
    owner.ready()?;
    let observer = open(KERNEL)?;
    observer.observe("rt-observed")?;
    check_eq!(observer.status()?.probes, 1, "as its owner left it");
    check_eq!(observer.probes()?.len(), 1, "and so they are listed");
    drop(observer);
    owner.go()?;
    owner.end()?;
    late.unload()
}
