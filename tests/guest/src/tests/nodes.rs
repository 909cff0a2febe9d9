// SPDX-License-Identifier: GPL-2.0-only
//! Who may open which node, and what each node lets its opener do.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use rust_tracer::abi;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::guest;
use crate::options::Options;
use crate::session::{KERNEL, NODES, Session};
use crate::sys::{self, Child, Ended};
use crate::target;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "nodes":
    "without udev all nodes are root's alone" => bare,
    "the packaged rules give each node to its group" => groups,
    "each user opens the nodes of their groups and no other, whatever the mode" => matrix,
    "when the node's mode changes an open file loses its rights at once, and a new open gets none" => changed_mode,
    "each node says which it is, and lists what each other lists" => lists,
    "a process in another user namespace cannot open a node" => user_namespace,
    "root without the right to override file modes is checked as anybody" => plain_root,
}

/// The users of the guest, with the node that their group opens.
const USERS: [(&str, Option<&str>); 4] = [
    ("alice", Some(NODES[0])),
    ("dave", Some(NODES[1])),
    ("bob", Some(NODES[2])),
    ("carol", None),
];

/// Runs in a child as this user; 0 or the errno comes back.
fn as_user(name: &str, work: impl FnOnce() -> sys::Sys<()>) -> Outcome<i32> {
    let child = Child::start(|| {
        if sys::ids::become_user(name).is_err() {
            return 255;
        }
        match work() {
            Ok(()) => 0,
            Err(errno) => errno.raw_os_error(),
        }
    })?;
    match child.wait()? {
        Ended::Exit(255) => Err(fail(format!("cannot become {name}"))),
        Ended::Exit(status) => Ok(status),
        Ended::Signal(signal) => Err(fail(format!("the child of {name}: signal {signal}"))),
    }
}

/// The node's mode, owner and group.
fn rights(node: &str) -> Outcome<(u32, u32, String)> {
    let found = fs::metadata(node)?;
    Ok((
        found.permissions().mode() & 0o7777,
        found.uid(),
        sys::group_name(found.gid()),
    ))
}

/// Has every process of udev stop, or go on.
fn udev(signal: Signal) -> Outcome {
    let mut count = 0;
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        let command = fs::read_to_string(folder.join("comm")).unwrap_or_default();
        let of_udev = ["systemd-udevd", "(udev-worker)"].contains(&command.trim_end());
        let pid = folder
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        if let (true, Some(pid)) = (of_udev, pid.and_then(Pid::from_raw)) {
            match kill_process(pid, signal) {
                // A worker that was idle for long.
                Err(Errno::SRCH) => {}
                sent => sent?,
            }
            count += 1;
        }
    }
    check!(count > 0, "there is no udev");
    Ok(())
}

/// Loads the module with udev on hold, looks, and lets udev go on.
fn bare(_: &Options) -> Outcome {
    guest::settle()?;
    udev(Signal::STOP)?;
    let look = || -> Outcome<Vec<(u32, u32, String)>> {
        target::unload("rust_tracer")?;
        // The module itself, without what else modprobe may be configured to do.
        let status = Command::new("modprobe")
            .args(["--ignore-install", "rust_tracer"])
            .status()?;
        check!(status.success(), "modprobe: {status}");
        NODES.iter().map(|node| rights(node)).collect()
    };
    let found = look();
    udev(Signal::CONT)?;
    guest::settle()?;
    for (node, found) in NODES.iter().zip(found?) {
        check_eq!(
            found,
            (0o600, 0, "root".to_owned()),
            "mode, owner and group of {node}"
        );
    }
    Ok(())
}

fn groups(_: &Options) -> Outcome {
    guest::settle()?;
    for (node, group) in NODES
        .iter()
        .zip(["rtrace-kernel", "rtrace-system", "rtrace-user"])
    {
        let found = rights(node)?;
        check_eq!(
            found,
            (0o660, 0, group.to_owned()),
            "mode, owner and group of {node}"
        );
    }
    Ok(())
}

fn matrix(_: &Options) -> Outcome {
    let modes = [
        (0o660, libc::O_RDWR),
        (0o640, libc::O_RDONLY),
        (0o620, libc::O_WRONLY),
        (0o600, -1),
    ];
    for node in NODES {
        let before = fs::metadata(node)?.permissions();
        let outcome = modes.iter().try_for_each(|&(mode, allowed)| {
            fs::set_permissions(node, fs::Permissions::from_mode(mode))?;
            check_node(node, mode, allowed)
        });
        fs::set_permissions(node, before)?;
        outcome?;
    }
    Ok(())
}

/// Every user with every way to open, at this mode of which the group may open so (-1: not at all).
fn check_node(node: &str, mode: u32, allowed: i32) -> Outcome {
    for (user, of) in USERS {
        for flags in [libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR] {
            let status = as_user(user, || Session::open_as(node, flags).map(drop))?;
            let admitted = of == Some(node) && (allowed == libc::O_RDWR || allowed == flags);
            let expected = if admitted { 0 } else { libc::EACCES };
            check_eq!(
                status,
                expected,
                "{user} opens {node} of mode {mode:o} with flags {flags}"
            );
        }
    }
    // Root opens it all the same.
    Session::open_as(node, libc::O_RDWR)
        .map_err(|errno| fail(format!("root opens {node} of mode {mode:o}: {errno}")))?;
    Ok(())
}

fn changed_mode(_: &Options) -> Outcome {
    guest::settle()?;
    let before = fs::metadata(KERNEL)?.permissions();
    let (reader, writer) = sys::pipe()?;
    let (opened, tell_opened) = sys::pipe()?;
    // Alice opens the node, waits until its mode has changed, and goes on with both.
    let child = Child::start(|| {
        let alice = || -> sys::Sys<()> {
            sys::ids::become_user("alice")?;
            let session = Session::open_as(KERNEL, libc::O_RDWR)?;
            let step = (&tell_opened).write_all(b"x");
            step.and_then(|()| (&reader).read_exact(&mut [0u8; 1]))
                .map_err(|_| Errno::PIPE)?;
            match session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY) {
                Err(refused) if refused.errno == Errno::CANCELED => {}
                Err(refused) => return Err(refused.errno),
                Ok(_) => return Err(Errno::EXIST),
            }
            match Session::open_as(KERNEL, libc::O_RDWR) {
                Ok(_) => Err(Errno::EXIST),
                Err(errno) => Err(errno),
            }
        };
        alice().map_or_else(Errno::raw_os_error, |()| 0)
    })?;
    drop(tell_opened);
    (&opened).read_exact(&mut [0u8; 1])?;
    fs::set_permissions(KERNEL, fs::Permissions::from_mode(0o600))?;
    let told = (&writer).write_all(b"x");
    let ended = child.wait();
    fs::set_permissions(KERNEL, before)?;
    told?;
    check_eq!(ended?, Ended::Exit(libc::EACCES), "alice's second open");
    Ok(())
}

fn lists(_: &Options) -> Outcome {
    let mut before = None;
    for (number, node) in (0u32..).zip(NODES) {
        let session = Session::open_as(node, libc::O_RDONLY)?;
        check_eq!(session.info()?.node, number, "the node in INFO");
        let found = session.functions("vmlinux:vfs_*", 0, 1 << 16)?;
        let names: Vec<_> = found.into_iter().map(|function| function.name).collect();
        check!(!names.is_empty(), "no functions");
        check_eq!(
            *before.get_or_insert(names.clone()),
            names,
            "what {node} lists"
        );
        check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    }
    Ok(())
}

fn user_namespace(_: &Options) -> Outcome {
    let child = Child::start(|| {
        if sys::new_user_namespace().is_err() {
            return 255;
        }
        match Session::open_as(KERNEL, libc::O_RDWR) {
            Ok(_) => 0,
            Err(errno) => errno.raw_os_error(),
        }
    })?;
    match child.wait()? {
        Ended::Exit(255) => Err(crate::test::Failure::Skipped(
            "no user namespaces".to_owned(),
        )),
        ended => {
            check_eq!(
                ended,
                Ended::Exit(libc::EPERM),
                "opening in a user namespace"
            );
            Ok(())
        }
    }
}

fn plain_root(_: &Options) -> Outcome {
    let before = fs::metadata(KERNEL)?.permissions();
    fs::set_permissions(KERNEL, fs::Permissions::from_mode(0o000))?;
    let found = Command::new("setpriv")
        .args([
            "--bounding-set=-dac_override,-dac_read_search",
            "--inh-caps=-all",
            "--",
        ])
        .args(["sh", "-c", &format!(": < {KERNEL}")])
        .output();
    fs::set_permissions(KERNEL, before)?;
    check!(
        !found?.status.success(),
        "root without capabilities opens a node of mode 000"
    );
    Ok(())
}
