// SPDX-License-Identifier: GPL-2.0-only
//! The modules that the tests trace (`tests/modules/`), and what their functions
//! compute.

#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::process::{ExitCode, Stdio};
use std::thread::{self, JoinHandle};

use rustix::io::Errno;

use crate::options::Options;
use crate::session::Session;
use crate::sys;
use crate::test::{Outcome, check, fail};
use crate::waiting;

/// Where test modules and scripts are.
pub fn folder(options: &Options) -> PathBuf {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.to_owned());
    options.modules.clone().or_else(beside).unwrap_or_default()
}

/// The file of a test module.
fn file(options: &Options, module: &str) -> PathBuf {
    folder(options).join(format!("{module}.ko"))
}

/// The file of a module that `modprobe` knows.
pub fn installed(module: &str) -> Outcome<PathBuf> {
    let output = Command::new("modinfo").args(["-n", module]).output()?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    check!(
        output.status.success() && !path.is_empty(),
        "modinfo -n {module}"
    );
    Ok(path.into())
}

/// Opens a node of the module that was just loaded, when it is there.
pub fn await_node(node: &str) -> Outcome<Session> {
    let look = || Ok(Session::open_as(node, libc::O_RDWR).ok());
    waiting::some(look, || format!("{node} cannot be opened"))
}

/// Whether a module is loaded.
pub fn is_loaded(module: &str) -> bool {
    Path::new("/sys/module")
        .join(module)
        .join("refcnt")
        .exists()
}

/// Loads a test module.
pub fn load(options: &Options, module: &str, parameters: &str) -> Outcome {
    let file = file(options, module);
    sys::load_module(&file, parameters)
        .map_err(|errno| fail(format!("cannot load {}: {errno}", file.display())))
}

/// Unloads a module; others may hold it for a moment.
pub fn unload(module: &str) -> Outcome {
    let unloaded = || match sys::unload_module(module) {
        Err(Errno::AGAIN) => Ok(false),
        Err(errno) => Err(fail(format!("unload {module}: {errno}"))),
        Ok(()) => Ok(true),
    };
    waiting::until(unloaded, || format!("{module} stays in use"))
}

/// An open `/dev/rt_target`.
#[derive(Debug)]
pub struct Target {
    file: File,
}

impl Target {
    /// Opens it; the module must be loaded.
    pub fn open() -> Outcome<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/rt_target");
        Ok(Self {
            file: file.map_err(|error| fail(format!("/dev/rt_target: {error}")))?,
        })
    }

    /// Runs a command (see `tests/modules/device.c`); returns what the calls returned.
    pub fn run(&self, command: &str) -> Outcome<u64> {
        (&self.file)
            .write_all(command.as_bytes())
            .map_err(|error| fail(format!("rt_target: {command}: {error}")))?;
        let mut text = [0u8; 32];
        let length = self.file.read_at(&mut text, 0)?;
        let text = String::from_utf8_lossy(&text[..length]).into_owned();
        text.trim()
            .parse()
            .map_err(|_| fail(format!("rt_target: {command}: {text}")))
    }

    /// The same open file, for another thread.
    pub fn open_again(&self) -> Outcome<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
        })
    }

    /// The open file, for a program to write its command to.
    pub fn to_program(&self) -> Outcome<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    /// A descriptor of the open file.
    pub fn descriptor(&self) -> Outcome<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Runs a command on one CPU.
    pub fn run_on(&self, cpu: u32, command: &str) -> Outcome<u64> {
        sys::pin(0, cpu)?;
        self.run(command)
    }
}

/// A thread that is inside `rt_sleep`.
#[derive(Debug)]
pub struct Sleeper {
    /// Its thread id.
    pub tid: i32,
    thread: JoinHandle<Outcome<u64>>,
}

impl Sleeper {
    /// Starts threads with these tokens, on that CPU, and waits until all are inside.
    pub fn start(target: &Target, cpu: u32, tokens: &[u64]) -> Outcome<Vec<Self>> {
        let mut sleepers = Vec::new();
        for &token in tokens {
            let (tell, told) = std::sync::mpsc::channel();
            let thread = thread::spawn(move || {
                let target = Target::open()?;
                sys::pin(0, cpu)?;
                tell.send(sys::tid()).map_err(fail)?;
                target.run(&format!("sleep {token}"))
            });
            let tid = told.recv().map_err(|_| fail("a sleeper did not start"))?;
            sleepers.push(Self { tid, thread });
            target.run(&format!("await {}", sleepers.len()))?;
        }
        Ok(sleepers)
    }

    /// Whether its call is over.
    pub fn is_out(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for it to be out.
    pub fn join(self) -> Outcome<u64> {
        self.thread.join().map_err(|_| fail("a sleeper panicked"))?
    }

    /// Lets all of them out, and waits for it; returns what `rt_sleep` returned to each.
    pub fn release(target: &Target, sleepers: Vec<Self>) -> Outcome<Vec<u64>> {
        target.run(&format!("release {}", sleepers.len()))?;
        sleepers.into_iter().map(Self::join).collect()
    }
}

/// Waits until a task is gone for good.
pub fn await_end(tid: u64) -> Outcome {
    let path = format!("/proc/{tid}/stat");
    let ended = || Ok(fs::metadata(&path).is_err());
    waiting::until(ended, || format!("task {tid} does not end"))
}

/// A loaded `rt_late`, unloaded at the end.
#[derive(Debug)]
pub struct Late(());

impl Late {
    /// Loads it; it calls `rt_late_work` so often while loading.
    pub fn load(options: &Options, calls: u32) -> Outcome<Self> {
        check!(!is_loaded("rt_late"), "rt_late is loaded already");
        load(options, "rt_late", &format!("calls={calls}"))?;
        Ok(Self(()))
    }

    /// Has it call `rt_late_work` so often.
    pub fn call(&self, count: u32) -> Outcome {
        Ok(fs::write(
            "/sys/module/rt_late/parameters/call",
            count.to_string(),
        )?)
    }

    /// Unloads it; it calls `rt_late_work` once more.
    pub fn unload(self) -> Outcome {
        std::mem::forget(self);
        unload("rt_late")
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        // Only when a test fails on the way; the next one finds out.
        let _ = unload("rt_late");
    }
}

/// The arguments of `rt_plain_nth(i)`.
pub fn plain_args(i: u64) -> [u64; 6] {
    [
        i,
        !i,
        i << 32,
        i.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        i.wrapping_neg(),
        i | (1 << 63),
    ]
}

/// What `rt_plain` (and with more arguments `rt_wide`) returns.
pub fn weighted(args: &[u64]) -> u64 {
    const WEIGHTS: [u64; 8] = [1, 2, 3, 5, 7, 11, 13, 17];
    args.iter().zip(WEIGHTS).fold(0, |sum: u64, (arg, weight)| {
        sum.wrapping_add(arg.wrapping_mul(weight))
    })
}

/// The `call` command: has the kernel call functions for a program that was made set-id, or that
/// has capabilities.
pub fn call_main(command: &str, dumpable: bool, drop: bool) -> ExitCode {
    let work = || -> sys::Sys<u64> {
        if drop {
            let (uid, gid) = sys::ids::real();
            sys::ids::set_gids(gid, gid, gid)?;
            sys::ids::set_uids(uid, uid, uid)?;
        }
        if dumpable {
            sys::ids::set_dumpable(true)?;
        }
        sys::passing::write(&sys::passing::inherited(0), command.as_bytes())
    };
    match work() {
        Ok(_) => ExitCode::SUCCESS,
        Err(errno) => {
            eprintln!("rt-guest-tests call: {command}: {errno}");
            ExitCode::FAILURE
        }
    }
}
