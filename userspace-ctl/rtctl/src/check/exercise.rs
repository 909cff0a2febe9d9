// SPDX-License-Identifier: GPL-2.0-only
//! System calls that who hides files, processes, sockets and messages would have to
//! stand in the way of: made by ourselves, while we look who does.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{getpgid, getpid, getpriority_process, test_kill_process};

/// Directories that are read.
const DIRECTORIES: &[&str] = &[
    "/",
    "/proc",
    "/proc/self/task",
    "/sys/module",
    "/dev",
    "/tmp",
];

/// Files that are read, no further than so many bytes.
const FILES: &[&str] = &[
    "/proc/modules",
    "/proc/kallsyms",
    "/proc/net/tcp",
    "/proc/net/tcp6",
    "/proc/net/udp",
    "/proc/net/udp6",
    "/proc/net/raw",
    "/proc/net/unix",
    "/proc/net/dev",
    "/proc/stat",
    "/proc/uptime",
    "/proc/mounts",
    "/proc/self/status",
    "/proc/self/maps",
    "/proc/1/status",
    "/etc/passwd",
    "/sys/kernel/tracing/enabled_functions",
];
const BYTES: usize = 1 << 14;

/// Makes all of them once. What a machine does not have is left out: it is who answers that matters,
/// not what.
pub fn all() {
    for path in DIRECTORIES {
        if let Ok(entries) = fs::read_dir(path) {
            entries.flatten().for_each(drop);
        }
        let _ = (fs::metadata(path), fs::symlink_metadata(path));
    }
    let mut buf = vec![0; BYTES];
    for path in FILES {
        if let Ok(mut file) = File::open(path) {
            let _ = file.read(&mut buf);
        }
    }
    let waits_not = OFlags::NONBLOCK.bits() as i32;
    let log = OpenOptions::new()
        .read(true)
        .custom_flags(waits_not)
        .open("/dev/kmsg");
    if let Ok(mut log) = log {
        let _ = log.read(&mut buf);
    }
    let _ = fs::read_link("/proc/self/exe");
    let _ = (
        test_kill_process(getpid()),
        getpgid(None),
        getpriority_process(None),
    );
    let _ = rustix::system::sysinfo();
    if let Ok((from, to)) = rustix::pipe::pipe() {
        let (mut from, mut to) = (File::from(from), File::from(to));
        let _ = to.write(b"canary").and_then(|_| from.read(&mut buf));
    }
    for family in [
        AddressFamily::INET,
        AddressFamily::INET6,
        AddressFamily::UNIX,
    ] {
        drop(socket(family, SocketType::STREAM, None));
    }
}
