// SPDX-License-Identifier: GPL-2.0-only
//! Files and sockets whose operations are looked at: which, and what the module says of each.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rust_tracer::Session;
use rust_tracer::views::Pointer;
use rustix::fs::OFlags;
use rustix::net::{AddressFamily, SocketType, socket};

use super::owners::OURS;

/// Files and directories whose operations are looked at: where modules, processes, sockets and files are
/// told of.
const FILES: &[&str] = &[
    "/",
    "/bin/sh",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/etc/passwd",
    "/home",
    "/lib/modules",
    "/opt",
    "/root",
    "/run",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/var",
    "/var/log",
    "/proc",
    "/proc/1",
    "/proc/self/cmdline",
    "/proc/self/comm",
    "/proc/self/environ",
    "/proc/self/fd",
    "/proc/self/maps",
    "/proc/self/mountinfo",
    "/proc/self/stat",
    "/proc/self/status",
    "/proc/self/task",
    "/proc/cmdline",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kmsg",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/modules",
    "/proc/mounts",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
    "/proc/vmallocinfo",
    "/proc/net",
    "/proc/net/arp",
    "/proc/net/dev",
    "/proc/net/icmp",
    "/proc/net/netlink",
    "/proc/net/packet",
    "/proc/net/raw",
    "/proc/net/raw6",
    "/proc/net/route",
    "/proc/net/tcp",
    "/proc/net/tcp6",
    "/proc/net/udp",
    "/proc/net/udp6",
    "/proc/net/unix",
    "/proc/sys/kernel/tainted",
    "/sys",
    "/sys/module",
    "/sys/kernel/debug/kprobes/list",
    "/sys/kernel/tracing",
    "/sys/kernel/tracing/enabled_functions",
    "/sys/kernel/tracing/touched_functions",
    "/dev/kmsg",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
];

/// Sockets whose operations are looked at.
const SOCKETS: [(&str, AddressFamily, SocketType); 8] = [
    ("socket TCP", AddressFamily::INET, SocketType::STREAM),
    ("socket UDP", AddressFamily::INET, SocketType::DGRAM),
    ("socket TCP6", AddressFamily::INET6, SocketType::STREAM),
    ("socket UDP6", AddressFamily::INET6, SocketType::DGRAM),
    ("socket unix", AddressFamily::UNIX, SocketType::STREAM),
    (
        "socket unix datagram",
        AddressFamily::UNIX,
        SocketType::DGRAM,
    ),
    ("socket netlink", AddressFamily::NETLINK, SocketType::RAW),
    ("socket packet", AddressFamily::PACKET, SocketType::RAW),
];

/// Opens them, and asks for what their operations are: by file.
pub fn look(session: &Session) -> Result<Vec<(String, Vec<Pointer>)>, String> {
    let waits_not = OFlags::NONBLOCK.bits() as i32;
    let of = |name: &str, file: BorrowedFd<'_>| match session.view_file(file) {
        Ok(pointers) => Ok((name.to_owned(), pointers)),
        Err(error) => Err(error.to_string()),
    };
    let mut files = Vec::new();
    for path in FILES {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(waits_not)
            .open(path);
        // What this machine does not have, nobody can have changed.
        if let Ok(file) = file {
            files.push(of(path, file.as_fd())?);
        }
    }
    // What tells all this goes by operations as well.
    if let Some(own) = session.fd() {
        files.push(of(OURS, own)?);
    }
    for (name, family, kind) in SOCKETS {
        // A protocol that is a module must not be loaded for it.
        if family == AddressFamily::PACKET && !Path::new("/proc/net/packet").exists() {
            continue;
        }
        if let Ok(socket) = socket(family, kind, None) {
            files.push(of(name, socket.as_fd())?);
        }
    }
    Ok(files)
}
