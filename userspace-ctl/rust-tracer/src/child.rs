// SPDX-License-Identifier: GPL-2.0-only
//! A command that is started but held back until the trace is running.
//!
//! The child says its pid through one pipe and then waits on another, before
//! exec. So the session can be narrowed to it and started while not one
//! instruction of the command has run, without ptrace.

#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread::{self, JoinHandle};

use rustix::io::{Errno, read, retry_on_intr, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal,
};

/// A variable of the environment, and what it is to be; `None`: it is not to be there.
pub type Setting = (OsString, Option<OsString>);

/// A command held back before exec. Dropping it ends the child unexecuted.
#[derive(Debug)]
pub struct Held {
    pid: Pid,
    go: OwnedFd,
    spawned: JoinHandle<io::Result<Child>>,
}

impl Held {
    /// Starts a command up to its exec, in our environment but for these settings.
    pub fn spawn(program: &OsStr, args: &[OsString], settings: &[Setting]) -> io::Result<Self> {
        let (pid_out, pid_in) = pipe_with(PipeFlags::CLOEXEC)?;
        let (go_out, go_in) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut command = Command::new(program);
        command.args(args);
        for (name, value) in settings {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // The child inherits our end of the second pipe, which would keep it waiting for itself.
        let our_end = go_in.as_raw_fd();
        let hold = move || {
            // SAFETY: in the child this descriptor is the inherited copy of `go_in`, which nothing
            // in the child uses.
            unsafe { rustix::io::close(our_end) };
            let pid = getpid().as_raw_nonzero().get().to_ne_bytes();
            retry_on_intr(|| write(&pid_in, &pid))?;
            match retry_on_intr(|| read(&go_out, &mut [0]))? {
                // An error goes back to the parent, and when that is gone already, the standard
                // library aborts with a message.
                0 => {
                    kill_process(getpid(), Signal::KILL)?;
                    Err(Errno::CANCELED.into())
                }
                _ => Ok(()),
            }
        };
        // SAFETY: the closure runs in the child between fork and exec; it makes system calls only
        // and allocates nothing (an `io::Error` of an error number does not).
        unsafe { command.pre_exec(hold) };
        // Spawning returns after exec, so it needs a thread.
        let spawned = thread::Builder::new()
            .name("spawn".into())
            .spawn(move || command.spawn())?;
        let mut pid = [0; 4];
        match retry_on_intr(|| read(&pid_out, &mut pid)) {
            Ok(4) => {}
            // The child was never made: the thread knows why.
            _ => {
                drop(go_in);
                let error = join(spawned).err();
                return Err(error.unwrap_or_else(|| io::Error::other("the child does not answer")));
            }
        }
        let pid = Pid::from_raw(i32::from_ne_bytes(pid))
            .ok_or_else(|| io::Error::other("the child has no pid"))?;
        Ok(Self {
            pid,
            go: go_in,
            spawned,
        })
    }

    /// The child's process id.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Lets the child execute its command. An error means that it could not.
    pub fn release(self) -> io::Result<Process> {
        let exit = pidfd_open(self.pid, PidfdFlags::empty())?;
        retry_on_intr(|| write(&self.go, &[1]))?;
        let child = join(self.spawned)?;
        Ok(Process {
            pid: self.pid,
            exit,
            child: Some(child),
        })
    }
}

fn join(spawned: JoinHandle<io::Result<Child>>) -> io::Result<Child> {
    spawned
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the spawning thread died")))
}

/// A running process whose end can be awaited.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    exit: OwnedFd,
    child: Option<Child>,
}

impl Process {
    /// Takes hold of a process that is running already.
    pub fn grab(pid: i32) -> io::Result<Self> {
        let pid = Some(pid)
            .filter(|&pid| pid > 0)
            .and_then(Pid::from_raw)
            .ok_or(Errno::SRCH)?;
        Ok(Self {
            pid,
            exit: pidfd_open(pid, PidfdFlags::empty())?,
            child: None,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Becomes readable when the process ends.
    pub fn fd(&self) -> impl AsFd + '_ {
        self.exit.as_fd()
    }

    /// Asks it to end, if we started it.
    pub fn terminate(&self) {
        if self.child.is_some() {
            // It fails only if the process has ended.
            let _ = pidfd_send_signal(&self.exit, Signal::TERM);
        }
    }

    /// How it ended, once it has; only of a process that we started.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.wait().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn held(program: &str, args: &[&str]) -> Held {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        Held::spawn(OsStr::new(program), &args, &[]).unwrap()
    }

    #[test]
    fn nothing_runs_before_the_release() {
        let directory = std::env::temp_dir().join(format!("held-{}", std::process::id()));
        let child = held("mkdir", &[directory.to_str().unwrap()]);
        assert!(child.pid() > 0 && !directory.exists());
        let mut process = child.release().unwrap();
        assert_eq!(process.status().unwrap().code(), Some(0));
        assert!(directory.exists());
        std::fs::remove_dir(directory).unwrap();
    }

    #[test]
    fn the_environment_is_ours_but_for_what_is_set() {
        let script = "test -n \"$PATH\" && test \"$HELD\" = \"a=b\" && test -z \"${HOME+set}\"";
        let args = ["-c", script].map(OsString::from);
        let settings = [
            ("HELD".into(), Some("a".into())),
            ("HELD".into(), Some("a=b".into())),
            ("HOME".into(), None),
        ];
        let held = Held::spawn(OsStr::new("sh"), &args, &settings).unwrap();
        let mut process = held.release().unwrap();
        assert_eq!(process.status().unwrap().code(), Some(0));
    }

    #[test]
    fn a_command_that_does_not_exist_fails_at_the_release() {
        let child = held("/no/such/command", &[]);
        assert_eq!(
            child.release().unwrap_err().to_string(),
            "No such file or directory (os error 2)"
        );
    }

    #[test]
    fn a_child_that_is_not_released_ends_unexecuted() {
        let child = held("sleep", &["1000"]);
        let process = Process::grab(child.pid()).unwrap();
        drop(child);
        use rustix::event::{PollFd, PollFlags, poll};
        let fd = process.fd();
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).unwrap();
    }

    /// In a process of its own, which ends before the child does.
    #[test]
    fn a_child_whose_parent_is_gone_ends_without_a_word() {
        let mine = "child::tests::a_child_whose_parent_is_gone_ends_without_a_word";
        if std::env::var_os("HELD_ALONE").is_some() {
            let _child = held("sleep", &["1000"]);
            std::process::exit(0);
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", mine])
            .env("HELD_ALONE", "")
            .output()
            .unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }

    #[test]
    fn only_what_we_started_is_terminated() {
        let mut process = held("sleep", &["1000"]).release().unwrap();
        Process::grab(process.pid()).unwrap().terminate();
        Process::grab(std::process::id() as i32)
            .unwrap()
            .terminate();
        process.terminate();
        assert_eq!(process.status().unwrap().signal(), Some(15));
    }

    #[test]
    fn the_end_says_how() {
        let mut process = held("sh", &["-c", "kill -9 $$"]).release().unwrap();
        assert_eq!(process.status().unwrap().signal(), Some(9));
        assert!(Process::grab(0).is_err());
        assert!(Process::grab(-1).is_err());
    }
}
