// SPDX-License-Identifier: GPL-2.0-only
//! Hostile user space: everything that a program can do to the nodes and to what is mapped from
//! them, at random, from the structures of the ABI ([`shape`]), by several users at once, while
//! honest sessions count.
//!
//! ```text
//!   parent ── board ──┬── hostile: root, alice, dave, bob, carol     3 threads each, and one that
//!     watches, stops, │     commands, mappings, faults, family         serves page faults
//!     tells           ├── honest: kernel, system, user               right to the last event
//!                     └── scribble                                   any value in the consumer page
//! ```
//!
//! A run is told by its seed: what each thread asks for follows from it, though not when. The
//! last operations of each thread stand on the [`board`] and are printed when something dies.

mod board;
mod commands;
mod family;
mod faults;
pub mod held;
mod honest;
mod hostile;
mod kind;
mod mappings;
pub mod programs;
mod racing;
pub mod raw;
mod report;
mod request;
mod scribble;
mod shape;

use std::fs::{self, OpenOptions};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rust_tracer::abi;

use crate::guest::{self, KernelLog};
use crate::options::Options;
use crate::session::Session;
use crate::test::{Failure, Outcome, check, fail};
use board::Board;
pub use family::inherited;
use raw::Identity;

/// The hostile processes: who, the nodes that they may open, and their share of the operations in
/// a hundredth.
const HOSTILE: [(Identity, &[usize], u64); 5] = [
    (Identity::Root, &[0, 1, 2], 35),
    (Identity::User("alice"), &[0], 20),
    (Identity::User("dave"), &[1], 20),
    (Identity::User("bob"), &[2], 20),
    (Identity::User("carol"), &[], 5),
];
/// Who scribbles: may open all nodes, and is of a user of its own, as the honest ones are.
const SCRIBBLING: Identity =
    Identity::Number(60_004, &["rtrace-kernel", "rtrace-system", "rtrace-user"]);
/// The number by which the scribbling process reports.
const SCRIBBLER: usize = honest::ROLES.len();
/// In how many parts a run is cut.
const PHASES: u64 = 20;
/// After how long it is told how far a run is, if it has not come to its next part.
const SILENCE: Duration = Duration::from_secs(60);
/// How long no operation of a process may come to its end.
const STUCK: Duration = Duration::from_secs(240);

/// What a process of a run is told on its command line.
#[derive(clap::Args, Clone, Debug)]
pub struct Part {
    /// hostile, honest or scribble
    role: String,
    /// Which of them
    number: usize,
    /// Descriptors: the board, rt_target, and both ends of the post
    #[arg(long, value_delimiter = ',')]
    descriptors: Vec<RawFd>,
    /// Ids of probes that are cheap to attach
    #[arg(long, value_delimiter = ',')]
    probes: Vec<u32>,
    /// The address of a function of the kernel
    #[arg(long)]
    function: u64,
}

/// The `part` command: one process of a run.
pub fn take_part(part: &Part, options: &Options) -> ExitCode {
    match play(part, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{} {}: {failure}", part.role, part.number);
            ExitCode::FAILURE
        }
    }
}

fn play(part: &Part, options: &Options) -> Outcome {
    let mut descriptors = part.descriptors.iter().map(|fd| raw::inherited(*fd));
    let mut next = || -> Outcome<OwnedFd> {
        Ok(descriptors
            .next()
            .ok_or_else(|| fail("too few descriptors"))??)
    };
    let board = Board::of(&next()?)?;
    let target = next()?;
    let post = (next()?, next()?);
    if part.role != "hostile" {
        // What disturbs, and what is disturbed, is always there, and leaves the time to who does operations.
        rustix::process::nice(10)?;
    }
    match part.role.as_str() {
        "honest" => honest::run(part.number, &board, target),
        "scribble" => scribble::run(part.number, &board, &target, options.seed),
        _ => hostile::run(hostile::Given {
            number: part.number,
            seed: options.seed,
            board,
            target,
            post,
            probes: part.probes.clone(),
            function: part.function,
            nodes: HOSTILE[part.number].1,
        }),
    }
}

/// A setting of the machine, put back at the end.
#[derive(Debug)]
struct Setting {
    path: &'static str,
    before: String,
}

impl Setting {
    fn new(path: &'static str, value: &str) -> Outcome<Self> {
        let before = fs::read_to_string(path).map_err(|error| fail(format!("{path}: {error}")))?;
        fs::write(path, value).map_err(|error| fail(format!("{path}: {error}")))?;
        Ok(Self { path, before })
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        if let Err(error) = fs::write(self.path, &self.before) {
            eprintln!("{}: {error}", self.path);
        }
    }
}

/// Entry and return of functions that few call: those of rt_target, and some of the kernel's
/// that the operations themselves call.
fn cheap_probes() -> Outcome<Vec<u32>> {
    let session = Session::open()?;
    let mut probes = Vec::new();
    for pattern in [
        "rt_target:rt_void",
        "rt_target:rt_value",
        "rt_target:rt_errno",
        "rt_target:rt_tail_*",
        "rt_target:rt_plain",
        "rt_target:rt_wide",
        "vmlinux:do_madvise",
        "vmlinux:vfs_read",
    ] {
        for function in session.functions(pattern, 0, 1 << 16)? {
            probes.extend([function.head.entry_id, function.head.return_id]);
        }
    }
    check!(probes.len() > 8, "only {} probes", probes.len());
    Ok(probes)
}

/// A process of a run.
#[derive(Debug)]
struct Member {
    name: String,
    process: Child,
    /// Its logs on the board.
    logs: std::ops::Range<usize>,
    ended: Option<ExitStatus>,
}

/// A run; its size is the option `fuzz`.
pub fn run(options: &Options) -> Outcome {
    println!("seed {}", options.seed);
    // The deadman would blame the busiest, and on a host that stands still for long whoever reads;
    // what is honest must be neither. It has tests of its own.
    let _burden = Setting::new("/sys/module/rust_tracer/parameters/burden_percent", "0")?;
    let _silence = Setting::new("/sys/module/rust_tracer/parameters/deadman_seconds", "0")?;
    // A request that is changed while it is read may come to name all functions of the kernel, and
    // a guest that is emulated would be busy with their handlers alone.
    let _probes = Setting::new("/sys/module/rust_tracer/parameters/probes_per_uid", "400")?;
    let _faults = Setting::new("/proc/sys/vm/unprivileged_userfaultfd", "1")?;
    let file = Board::file()?;
    let board = Board::of(&file)?;
    let target = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/rt_target")?;
    let (out, back) = UnixDatagram::pair()?;
    let descriptors = vec![
        file.as_raw_fd(),
        target.as_raw_fd(),
        out.as_raw_fd(),
        back.as_raw_fd(),
    ];
    let probes = cheap_probes()?;
    let function = guest::address_of("vfs_read")?;
    let mut members = Vec::new();
    let mut start = |role: &str, number: usize, identity, logs| -> Outcome {
        let list = |numbers: Vec<String>| numbers.join(",");
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["part", role, &number.to_string(), "--descriptors"])
            .arg(list(descriptors.iter().map(RawFd::to_string).collect()))
            .arg("--probes")
            .arg(list(probes.iter().map(u32::to_string).collect()))
            .args(["--function", &function.to_string()])
            .args(options.to_arguments());
        raw::prepare(&mut command, identity, descriptors.clone());
        members.push(Member {
            name: format!("{role} {number} ({identity:?})"),
            process: command.spawn()?,
            logs,
            ended: None,
        });
        Ok(())
    };
    for (number, role) in honest::ROLES.iter().enumerate() {
        start(
            "honest",
            number,
            Identity::Number(role.uid, role.group),
            0..0,
        )?;
    }
    start("scribble", SCRIBBLER, SCRIBBLING, 0..0)?;
    for (number, (identity, _, share)) in HOSTILE.iter().enumerate() {
        board.want(number, options.fuzz / 100 * share);
        let logs = number * (hostile::WORKERS + 1);
        start(
            "hostile",
            number,
            *identity,
            logs..logs + hostile::WORKERS + 1,
        )?;
    }
    // What is still in the post when the last of them ends goes with it.
    drop((out, back));
    let begun = Instant::now();
    let watched = watch(&board, &mut members, options, begun);
    board.stop();
    let ended = wait_for_all(&mut members);
    report::print(&board, begun.elapsed());
    if let Err(failure) = watched.and(ended) {
        return Err(Failure::Failed(format!(
            "{failure}\n(rt-guest-tests fuzz --operations {} --seed {})",
            options.fuzz, options.seed
        )));
    }
    report::must_be_complete(&board)
}

/// Watches until there are enough operations, or something is wrong.
fn watch(board: &Board, members: &mut [Member], options: &Options, begun: Instant) -> Outcome {
    let mut log = KernelLog::from_now()?;
    let (mut told, mut spoken) = (0, begun);
    let mut moved: Vec<(u64, Instant)> = vec![(0, begun); members.len()];
    loop {
        thread::sleep(Duration::from_millis(100));
        let mut working = false;
        for (member, moved) in members.iter_mut().zip(&mut moved) {
            if member.ended.is_none() {
                member.ended = member.process.try_wait()?;
            }
            if let Some(status) = member.ended {
                check!(
                    status.success(),
                    "{}: {status}\n{}",
                    member.name,
                    report::last_of(board, member.logs.clone())
                );
                continue;
            }
            working |= !member.logs.is_empty();
            let begun = member.logs.clone().map(|log| board.begun(log)).sum();
            if begun != moved.0 || member.logs.is_empty() {
                *moved = (begun, Instant::now());
            }
            check!(
                moved.1.elapsed() < STUCK,
                "{} is stuck\n{}{}",
                member.name,
                report::last_of(board, member.logs.clone()),
                crate::runner::where_is(member.process.id())
            );
        }
        if let Some(splat) = log.new_splat()? {
            let mut text = format!("the kernel says:\n{}\n", splat.join("\n"));
            for member in members.iter().filter(|member| !member.logs.is_empty()) {
                text += &format!(
                    "{}:\n{}",
                    member.name,
                    report::last_of(board, member.logs.clone())
                );
            }
            return Err(fail(text));
        }
        let taken = board.taken();
        let mut phase = taken / (options.fuzz / PHASES).max(1);
        if options.fuzz_seconds != 0 {
            let elapsed = begun.elapsed().as_secs();
            phase = phase.max(elapsed * PHASES / options.fuzz_seconds);
            if elapsed >= options.fuzz_seconds {
                return Ok(());
            }
        }
        board.set_phase(phase);
        if phase > told || spoken.elapsed() > SILENCE {
            (told, spoken) = (phase.max(told), Instant::now());
            let rate = taken as f64 / begun.elapsed().as_secs_f64();
            // A word for the runner, which waits for some, and for who looks on.
            println!("{taken} operations, {rate:.0} a second");
            eprintln!("fuzz: {taken} operations, {rate:.0} a second");
        }
        if !working {
            return Ok(());
        }
    }
}

/// Waits for the processes to come to their end, all of which were told to.
fn wait_for_all(members: &mut [Member]) -> Outcome {
    let begun = Instant::now();
    let mut failed = Vec::new();
    for member in members {
        while member.ended.is_none() {
            member.ended = member.process.try_wait()?;
            if member.ended.is_none() && begun.elapsed() > STUCK {
                failed.push(format!(
                    "{} does not end\n{}",
                    member.name,
                    crate::runner::where_is(member.process.id())
                ));
                member.process.kill()?;
                member.ended = Some(member.process.wait()?);
            }
            thread::sleep(Duration::from_millis(10));
        }
        if let Some(status) = member.ended.filter(|status| !status.success()) {
            failed.push(format!("{}: {status}", member.name));
        }
    }
    check!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// The nodes as `RTRACE_NODE_*` says are those that the processes are told by number.
const _: () = assert!(
    abi::RTRACE_NODE_KERNEL == 0 && abi::RTRACE_NODE_SYSTEM == 1 && abi::RTRACE_NODE_USER == 2
);
