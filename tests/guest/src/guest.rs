// SPDX-License-Identifier: GPL-2.0-only
//! What a test must leave as it found it, and what the kernel must not say.

#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::sys;
use crate::test::{Outcome, fail};

/// tracefs, mounted.
pub fn tracefs() -> Outcome<&'static Path> {
    let at = Path::new("/sys/kernel/tracing");
    if !at.join("enabled_functions").exists() {
        sys::mount("tracefs", at)?;
    }
    Ok(at)
}

/// The functions that ftrace calls anybody for, one a line.
pub fn enabled_functions() -> Outcome<String> {
    Ok(fs::read_to_string(tracefs()?.join("enabled_functions"))?)
}

/// Has the kernel not complain of NMI handlers that take long: under emulation the host may
/// stop a CPU at any point, also inside one.
pub fn allow_long_nmis() -> Outcome {
    let at = Path::new("/sys/kernel/debug");
    if !at.join("x86").exists() {
        sys::mount("debugfs", at)?;
    }
    Ok(fs::write(at.join("x86/nmi_longest_ns"), "60000000000")?)
}

/// How many references the rust_tracer module has; none: it is not loaded.
pub fn references() -> Option<u64> {
    let text = fs::read_to_string("/sys/module/rust_tracer/refcnt").ok()?;
    text.trim().parse().ok()
}

/// How many CPUs are online.
pub fn online_cpus() -> usize {
    let list = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    list.trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(last.parse::<usize>().ok()? - first.parse::<usize>().ok()? + 1)
        })
        .sum()
}

/// The kernel's log, from where it was opened.
#[derive(Debug)]
pub struct KernelLog {
    file: File,
}

/// What a line of a splat has in it. A line that only names one of these in passing
/// (as a command line may) is not looked for here.
const SPLATS: [&str; 16] = [
    "BUG:",
    "BUG at",
    "WARNING:",
    "Oops:",
    "KASAN:",
    "UBSAN:",
    "general protection fault",
    "rcu: INFO:",
    "INFO: rcu",
    "INFO: task",
    "soft lockup",
    "hard LOCKUP",
    "Call Trace:",
    "refcount_t:",
    "Unable to handle kernel",
    "kernel panic",
];

impl KernelLog {
    /// From here on.
    pub fn from_now() -> Outcome<Self> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        let mut log = Self { file };
        log.new_lines()?;
        Ok(log)
    }

    /// The lines since the last call.
    pub fn new_lines(&mut self) -> Outcome<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = [0u8; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&record[..length]);
                    let message = text.split_once(';').map_or(&*text, |(_, message)| message);
                    lines.push(message.lines().next().unwrap_or_default().to_owned());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(lines),
                // Lines were overwritten before they were read: go on at the oldest.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(error) => return Err(fail(format!("/dev/kmsg: {error}"))),
            }
        }
    }

    /// The new lines if there is a splat among them.
    pub fn new_splat(&mut self) -> Outcome<Option<Vec<String>>> {
        let lines = self.new_lines()?;
        let splat = lines
            .iter()
            .any(|line| SPLATS.iter().any(|mark| line.contains(mark)));
        Ok(splat.then_some(lines))
    }
}
