// SPDX-License-Identifier: GPL-2.0-only
//! Files and sockets whose operations are looked at: which, and what the module says of each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rust_tracer::Session;
use rust_tracer::views::Pointer;
use rustix::fs::{Dir, FileType, FsWord, Mode, OFlags, ResolveFlags, fstatfs, open, openat2};
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

/// Where others may write, and so hide something: the directories up to [`DEPTH`] levels below are looked at as well.
const WRITABLE: [&str; 10] = [
    ".", "/dev/shm", "/home", "/mnt", "/opt", "/root", "/run", "/srv", "/tmp", "/var/tmp",
];
/// How far below.
const DEPTH: usize = 2;
/// How many at most below each: each costs a look at whose everything is.
const DIRECTORIES_MOST: usize = 32;
/// AUTOFS_SUPER_MAGIC: to open what is there has something mounted.
const AUTOFS: FsWord = 0x0187;

/// Directories below a directory, level by level, that are of the same mount: to open what somebody has mounted there may
/// take any time.
fn below(top: &Path, depth: usize, most: usize) -> Vec<(PathBuf, OwnedFd)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = open(top, flags, Mode::empty()) else {
        return Vec::new();
    };
    if fstatfs(&file).is_ok_and(|it| it.f_type == AUTOFS) {
        return Vec::new();
    }
    let stays = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let mut all = vec![(top.to_owned(), file)];
    let mut begun = 0;
    for _ in 0..depth {
        let level = begun..all.len();
        begun = level.end;
        for at in level {
            for name in directories_in(&all[at].1) {
                if all.len() > most {
                    break;
                }
                let (path, file) = &all[at];
                if let Ok(file) = openat2(file, &name, flags, Mode::empty(), stays) {
                    all.push((path.join(name), file));
                }
            }
        }
    }
    all.remove(0);
    all
}

/// Names of directories in a directory, in order.
fn directories_in(directory: &OwnedFd) -> Vec<OsString> {
    let entries = Dir::read_from(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type() == FileType::Directory);
    let names = directories.map(|entry| OsString::from_vec(entry.file_name().to_bytes().to_vec()));
    let mut names: Vec<_> = names.filter(|name| name != "." && name != "..").collect();
    names.sort();
    names
}

/// All of them, each once.
fn directories() -> BTreeMap<PathBuf, OwnedFd> {
    let mut all = BTreeMap::new();
    for path in WRITABLE {
        // By its own name: the current directory may be one of the others.
        if let Ok(path) = fs::canonicalize(path) {
            all.extend(below(&path, DEPTH, DIRECTORIES_MOST));
        }
    }
    all
}

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
    for (path, directory) in directories() {
        files.push(of(&path.to_string_lossy(), directory.as_fd())?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_looked_for_level_by_level_and_so_many_at_most() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        for path in ["a/b/c", "d"] {
            fs::create_dir_all(top.join(path)).unwrap();
        }
        fs::write(top.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/", top.join("link")).unwrap();
        let found = |depth, most| {
            let all = below(top, depth, most).into_iter();
            let names = all.map(|(path, _)| path.strip_prefix(top).unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(found(2, 9), ["a", "d", "a/b"].map(PathBuf::from));
        assert_eq!(found(1, 9), ["a", "d"].map(PathBuf::from));
        assert_eq!(found(2, 2).len(), 2);
        assert!(below(&top.join("nothing"), 2, 9).is_empty());
    }
}
