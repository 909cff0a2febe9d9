// SPDX-License-Identifier: GPL-2.0-only
//! What the toys do, as anybody sees it who does not know: each of these functions tells whether it
//! is seen now, with the toy or without.

#![forbid(unsafe_code)]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::process::{Pid, Uid, getpid, getpriority_user, test_kill_process, umask};
use serde_json::Value;

use super::toy::Toy;
use crate::guest;
use crate::sys::{self, Child};
use crate::test::{Failure, Outcome, check, check_eq, fail};
use crate::waiting;

/// Where the toys find something to hide.
pub struct Scene {
    /// Has two files; only one of them has a name for toys.
    folder: PathBuf,
    /// A task that may be hidden, of a user who has no other.
    task: Child,
    /// A trace instance that has the forks.
    forks: PathBuf,
    /// So that there is a line in /proc/net/tcp.
    _socket: TcpListener,
}

/// Has no name.
const USER: u32 = 4321;
const ODD_ONE: &str = "rt_rogue_file";
const MASK: u32 = 0o22;
/// What umask returns by the toys: no mask.
const ANSWER: u32 = 668;

/// What tells whether a toy's work is seen.
pub type Seen = fn(&Scene, Option<&Toy>) -> Outcome<bool>;

impl Scene {
    /// Sets it up.
    pub fn new() -> Outcome<Self> {
        let folder = PathBuf::from(format!("/tmp/rt-scene-{}", std::process::id()));
        fs::create_dir(&folder)?;
        for name in [ODD_ONE, "plain_file"] {
            fs::write(folder.join(name), "")?;
        }
        let forks = guest::tracefs()?.join(format!("instances/rt-scene-{}", std::process::id()));
        fs::create_dir(&forks)?;
        let task = Child::start(|| {
            if sys::ids::set_uids(USER, USER, USER).is_err() {
                return 1;
            }
            loop {
                thread::sleep(Duration::from_millis(50));
            }
        })?;
        let scene = Self {
            folder,
            task,
            forks,
            _socket: TcpListener::bind("127.0.0.1:0")?,
        };
        let begins = || Ok(getpriority_user(Uid::from_raw(USER)).is_ok());
        waiting::until(begins, || "the task does not begin".into())?;
        Ok(scene)
    }

    /// The task that may be hidden.
    pub fn pid(&self) -> u32 {
        self.task.0 as u32
    }

    /// Has the files that may be hidden.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn task(&self) -> Outcome<Pid> {
        Pid::from_raw(self.pid() as i32).ok_or_else(|| fail("no task"))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = self.task.signal(libc::SIGKILL);
        let _ = Child(self.task.0).wait();
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::write(self.forks.join("events/enable"), "0");
        let _ = fs::remove_dir(&self.forks);
    }
}

fn names_in(folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Whether the toy says that its number grows by what is done; without a toy nothing grows.
fn grows(toy: Option<&Toy>, word: &str, work: impl Fn() -> Outcome) -> Outcome<bool> {
    let Some(toy) = toy else { return Ok(false) };
    let before = toy.number(word)?;
    work()?;
    Ok(toy.number(word)? > before)
}

/// It hides, and that is all: see the ways it was told to hide in.
pub fn nothing_else(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    Ok(toy.is_some())
}

/// A thread of its own calls the kernel.
pub fn its_thread_works(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(toy) = toy else { return Ok(false) };
    let before = toy.number("calls")?;
    let works = || Ok(toy.number("calls")? >= before + 2);
    waiting::until(works, || "its thread is stuck".into())?;
    Ok(true)
}

/// A file that is there is not listed; another one is.
pub fn file_is_not_listed(scene: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let names = names_in(&scene.folder)?;
    check!(
        names.iter().any(|name| name == "plain_file"),
        "the other file is missing in {names:?}"
    );
    check!(scene.folder.join(ODD_ONE).exists(), "the file is gone");
    Ok(!names.iter().any(|name| name == ODD_ONE))
}

/// The sockets' list has lines, but no heading.
pub fn heading_is_missing(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let text = fs::read_to_string("/proc/net/tcp")?;
    check!(text.contains("0100007F:"), "no socket in:\n{text}");
    Ok(!text.contains("local_address"))
}

/// The list of sockets has its heading, and not the one that is there.
pub fn sockets_are_missing(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let text = fs::read_to_string("/proc/net/tcp")?;
    check!(text.contains("local_address"), "no heading in:\n{text}");
    Ok(!text.contains("0100007F:"))
}

/// It counts the calls of kill.
pub fn kills_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "calls", || Ok(test_kill_process(getpid())?))
}

/// It has found what modules are not given.
pub fn symbol_is_found(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(toy) = toy else { return Ok(false) };
    let address = guest::address_of("kallsyms_lookup_name")?;
    check_eq!(toy.told("found")?, format!("{address:x}"));
    Ok(true)
}

/// umask returns what it never returns, and does nothing.
pub fn umask_is_answered(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    umask(Mode::from_raw_mode(MASK));
    let found = umask(Mode::from_raw_mode(MASK)).as_raw_mode();
    check!(found == MASK || found == ANSWER, "umask returned {found}");
    Ok(found == ANSWER)
}

/// Calls of umask go by way of it.
pub fn umasks_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "answered", || {
        umask(Mode::from_raw_mode(MASK));
        Ok(())
    })
}

/// It is called when umask is, of whose text no byte has changed.
pub fn umasks_enter(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "entered", || {
        umask(Mode::from_raw_mode(MASK));
        Ok(())
    })
}

/// It counts who writes to the device that is always full.
pub fn writes_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "calls", || {
        let refused = fs::write("/dev/full", "x").map_err(|error| error.raw_os_error());
        check_eq!(refused, Err(Some(libc::ENOSPC)));
        Ok(())
    })
}

/// It counts packets to this machine itself.
pub fn packets_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "calls", || {
        let to = UdpSocket::bind("127.0.0.1:0")?;
        to.send_to(b"x", to.local_addr()?)?;
        Ok(())
    })
}

/// In the kernel's table of system calls there is not what was there.
pub fn table_leads_elsewhere(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(toy) = toy else { return Ok(false) };
    Ok(toy.told("leads")?.starts_with("to no_umask"))
}

/// It counts what rtctl asks of the tracer.
pub fn we_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "calls", || traced().map(drop))
}

/// System calls of CPU 1 go by way of it.
pub fn cpu_1_enters(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    if guest::online_cpus() < 2 {
        return Err(Failure::Skipped("needs a second CPU".to_owned()));
    }
    sys::pin(0, 1)?;
    let grown = grows(toy, "entered", || {
        sys::getppid();
        Ok(())
    });
    for cpu in 0..guest::online_cpus() as u32 {
        if cpu != 1 {
            sys::pin(0, cpu)?;
        }
    }
    grown
}

/// The kernel goes through its gate.
pub fn gate_is_gone_through(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(told) = toy else { return Ok(false) };
    grows(toy, "entered", || told.tell("call"))
}

/// /proc does not list the task, but has it.
pub fn task_is_not_listed(scene: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let pid = scene.pid().to_string();
    check!(
        Path::new("/proc").join(&pid).join("stat").exists(),
        "the task is not in /proc at all"
    );
    Ok(!names_in(Path::new("/proc"))?.contains(&pid))
}

/// The list of modules does not have it, though nothing else of it is hidden.
pub fn its_line_is_missing(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let there = Path::new("/sys/module/rt_rogue_ops").exists();
    check_eq!(there, toy.is_some(), "whether it is in /sys/module");
    Ok(toy.is_some() && !super::toy::is_listed("rt_rogue_ops")?)
}

/// It is called when processes begin.
pub fn forks_are_counted(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    grows(toy, "calls", fork)
}

fn fork() -> Outcome {
    let status = Command::new("true").status()?;
    check!(status.success(), "true: {status}");
    Ok(())
}

/// ftrace's own record of forks gets none, though it is on.
pub fn forks_are_not_recorded(scene: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let switch = scene.forks.join("events/sched/sched_process_fork/enable");
    if fs::read_to_string(&switch)?.trim() != "1" {
        fs::write(&switch, "1")?;
    }
    fs::write(scene.forks.join("trace"), "")?;
    fork()?;
    let text = fs::read_to_string(scene.forks.join("trace"))?;
    Ok(!text.contains("sched_process_fork: "))
}

/// Neither /proc nor kill finds the task, which goes on.
pub fn task_is_not_found(scene: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let stat = Path::new("/proc").join(scene.pid().to_string()).exists();
    let kill = test_kill_process(scene.task()?).is_ok();
    check_eq!(stat, kill, "what /proc and kill say");
    Ok(!stat)
}

/// /proc does not know a thread of its own.
pub fn its_thread_is_not_found(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(toy) = toy else { return Ok(false) };
    let pid = toy.number("task")?;
    Ok(!Path::new("/proc").join(pid.to_string()).exists())
}

/// The kernel, going through all tasks, does not come by the only one of its user.
pub fn task_is_passed_over(scene: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    test_kill_process(scene.task()?)?;
    Ok(getpriority_user(Uid::from_raw(USER)).is_err())
}

/// The text that it has made runs.
pub fn its_text_runs(_: &Scene, toy: Option<&Toy>) -> Outcome<bool> {
    let Some(told) = toy else { return Ok(false) };
    grows(toy, "calls", || told.tell("call"))
}

/// The kernel counts as untainted, with a module from outside loaded.
pub fn kernel_is_untainted(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    Ok(fs::read_to_string("/proc/sys/kernel/tainted")?.trim() == "0")
}

/// ftrace's switch says that it is off.
pub fn ftrace_is_off(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    Ok(fs::read_to_string("/proc/sys/kernel/ftrace_enabled")?.trim() == "0")
}

/// How many calls of umask rtctl shows of a program that makes three, and what its ledger says.
fn traced() -> Outcome<(u64, u64)> {
    let output = Command::new("rtctl")
        .args(["--format", "json", "--target-only"])
        .args(["-n", "fbt::__x64_sys_umask:entry"])
        .args(["-c", "sh -c 'umask 1; umask 2; umask 3'"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let objects: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let entries = objects.iter().filter(|one| one["kind"] == "entry").count();
    let ledger = objects.iter().find(|one| one["kind"] == "ledger");
    let recorded = ledger.and_then(|ledger| ledger["recorded"].as_u64());
    let said = String::from_utf8_lossy(&output.stderr);
    let recorded = recorded.ok_or_else(|| fail(format!("no ledger in:\n{text}{said}")))?;
    Ok((entries as u64, recorded))
}

/// rtctl shows no calls of a function that is called.
pub fn nothing_is_traced(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let (entries, _) = traced()?;
    check!(entries == 0 || entries >= 3, "{entries} calls");
    Ok(entries == 0)
}

/// rtctl's ledger has more calls than it shows.
pub fn ledger_has_more(_: &Scene, _: Option<&Toy>) -> Outcome<bool> {
    let (entries, recorded) = traced()?;
    check!(entries >= 3, "{entries} calls");
    Ok(recorded > entries)
}
