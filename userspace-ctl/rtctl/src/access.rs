// SPDX-License-Identifier: GPL-2.0-only
//! Opening a node, and saying why not and what to do.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgroups};
use rust_tracer::{Access, Error, Node, Session};

/// Opens the node that was asked for, or the most privileged one that opens.
pub fn open(node: Option<Node>, access: Access) -> Result<Session> {
    let nodes = match &node {
        Some(node) => std::slice::from_ref(node),
        None => &Node::ALL,
    };
    let mut refused = Vec::new();
    for &node in nodes {
        match Session::open_for(node, access) {
            Err(Error::Open { source, .. }) => match source.kind() {
                io::ErrorKind::PermissionDenied => refused.push((node, source)),
                _ => return Err(anyhow!(unopened(node, &source))),
            },
            other => return Ok(other?),
        }
    }
    let refused: Vec<_> = refused
        .into_iter()
        .map(|(node, error)| (node.path(), Facts::read(&node.path()), error))
        .collect();
    Err(anyhow!(refusals(&refused, &Person::current())))
}

/// Why none of the nodes may be opened: the first in full, the others in a line.
fn refusals(refused: &[(PathBuf, Option<Facts>, io::Error)], person: &Person) -> String {
    let Some(((path, facts, error), others)) = refused.split_first() else {
        return "there is no node to open".into();
    };
    let mut text = refusal(path, facts.as_ref(), person, error);
    let others: Vec<_> = others
        .iter()
        .filter_map(|(path, facts, _)| {
            let Facts { mode, group, .. } = facts.as_ref()?;
            Some(format!(
                "{} (mode {mode:04o}, group {group})",
                path.display()
            ))
        })
        .collect();
    if !others.is_empty() {
        text += "\n  nor are you let into what shows less: ";
        text += &others.join(", ");
    }
    text
}

/// Why a node did not open for a reason other than permission.
fn unopened(node: Node, error: &io::Error) -> String {
    let path = node.path();
    let path = path.display();
    let what = format!("cannot open {path}: {}", plain(error));
    match error.raw_os_error() {
        Some(libc_errno::ENOENT | libc_errno::ENODEV | libc_errno::ENXIO) => {
            let loaded = fs::read_to_string("/proc/modules")
                .is_ok_and(|modules| modules.lines().any(|line| line.starts_with("rust_tracer ")));
            if loaded {
                format!(
                    "{what}\n  the module is loaded, but the node is not there: is udev running \
                     (in a container the node must be passed in)?"
                )
            } else {
                format!(
                    "{what}\n  the rust_tracer module is not loaded: as root, modprobe rust_tracer"
                )
            }
        }
        _ => what,
    }
}

/// The error numbers of a missing node.
mod libc_errno {
    use nix::errno::Errno;

    pub const ENOENT: i32 = Errno::ENOENT as i32;
    pub const ENODEV: i32 = Errno::ENODEV as i32;
    pub const ENXIO: i32 = Errno::ENXIO as i32;
}

/// The system's words without the number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Who may do what with a node.
#[derive(Clone, Debug)]
struct Facts {
    mode: u32,
    uid: u32,
    gid: u32,
    owner: String,
    group: String,
    /// The members of the group.
    members: Vec<String>,
}

impl Facts {
    fn read(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        let user = User::from_uid(Uid::from_raw(data.uid())).ok().flatten();
        let group = Group::from_gid(Gid::from_raw(data.gid())).ok().flatten();
        Some(Self {
            mode: data.mode() & 0o7777,
            uid: data.uid(),
            gid: data.gid(),
            owner: user.map_or_else(|| data.uid().to_string(), |user| user.name),
            group: match &group {
                Some(group) => group.name.clone(),
                None => data.gid().to_string(),
            },
            members: group.map(|group| group.mem).unwrap_or_default(),
        })
    }
}

/// Who asks.
#[derive(Clone, Debug)]
struct Person {
    uid: u32,
    name: String,
    gids: Vec<u32>,
}

impl Person {
    fn current() -> Self {
        let uid = geteuid();
        let mut gids: Vec<_> = getgroups()
            .unwrap_or_default()
            .into_iter()
            .map(Gid::as_raw)
            .collect();
        gids.push(getegid().as_raw());
        Self {
            uid: uid.as_raw(),
            name: match User::from_uid(uid) {
                Ok(Some(user)) => user.name,
                _ => format!("uid {uid}"),
            },
            gids,
        }
    }
}

/// Why a node may not be opened, and whom to ask for what.
fn refusal(path: &Path, facts: Option<&Facts>, person: &Person, error: &io::Error) -> String {
    let what = format!("cannot open {}: {}", path.display(), plain(error));
    let Some(facts) = facts else {
        return what;
    };
    let Facts {
        mode, owner, group, ..
    } = facts;
    let who = format!(
        "{what}\n  its mode is {mode:04o} ({}), its owner {owner}, its group {group}; you are {}",
        words(*mode),
        person.name
    );
    format!("{who}\n  {}", advice(path, facts, person))
}

fn advice(path: &Path, facts: &Facts, person: &Person) -> String {
    let Facts { group, .. } = facts;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let path = path.display();
    let group_bits = (facts.mode >> 3) & 0o7;
    let admitted = person.uid == 0
        || (person.uid == facts.uid && (facts.mode >> 6) & 0o6 == 0o6)
        || (person.gids.contains(&facts.gid) && group_bits & 0o6 == 0o6);
    if admitted {
        return "the mode admits you, so the module itself refuses: kernel lockdown \
                (confidentiality) forbids tracing, and so do user namespaces other than the \
                initial one"
            .into();
    }
    if facts.gid == 0 || group_bits == 0 {
        return format!(
            "only {} may use it: an admin can give it to a group: groupadd -f -r rtrace-{name}; \
             chgrp rtrace-{name} {path}; chmod 0660 {path} (a udev rule makes that last)",
            facts.owner
        );
    }
    if person.gids.contains(&facts.gid) {
        return format!(
            "group {group} may only {}: ask an admin for more",
            rights(group_bits)
        );
    }
    if facts.members.contains(&person.name) {
        return format!("you were added to group {group} since you logged in: log in again");
    }
    format!(
        "ask an admin to add you to group {group}: usermod -aG {group} {}; then log in again",
        person.name
    )
}

/// A mode in words.
fn words(mode: u32) -> String {
    let parts: Vec<_> = [("owner", mode >> 6), ("group", mode >> 3), ("others", mode)]
        .into_iter()
        .filter(|(_, bits)| bits & 0o6 != 0)
        .map(|(who, bits)| format!("{who} may {}", rights(bits & 0o7)))
        .collect();
    match parts.is_empty() {
        true => "nobody may use it".into(),
        false => parts.join(", "),
    }
}

fn rights(bits: u32) -> &'static str {
    match bits & 0o6 {
        0o6 => "read and write",
        0o4 => "read",
        0o2 => "write",
        _ => "do nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mode: u32, gid: u32, group: &str, members: &[&str], person: &Person) -> String {
        let facts = Facts {
            mode,
            uid: 0,
            gid,
            owner: "root".into(),
            group: group.into(),
            members: members.iter().map(|&name| name.into()).collect(),
        };
        let error = io::Error::from_raw_os_error(13);
        refusal(
            Path::new("/dev/rust_tracer/kernel"),
            Some(&facts),
            person,
            &error,
        )
    }

    fn carol() -> Person {
        Person {
            uid: 1003,
            name: "carol".into(),
            gids: vec![1003],
        }
    }

    #[test]
    fn a_stranger_is_told_the_node_its_mode_and_the_group() {
        assert_eq!(
            told(0o660, 990, "rtrace-kernel", &["alice"], &carol()),
            "cannot open /dev/rust_tracer/kernel: Permission denied\n  \
             its mode is 0660 (owner may read and write, group may read and write), its owner \
             root, its group rtrace-kernel; you are carol\n  \
             ask an admin to add you to group rtrace-kernel: usermod -aG rtrace-kernel carol; \
             then log in again"
        );
    }

    #[test]
    fn the_other_nodes_are_told_in_a_line() {
        let refused: Vec<_> = [("kernel", 990), ("system", 991)]
            .map(|(name, gid)| {
                let facts = Facts {
                    mode: 0o660,
                    uid: 0,
                    gid,
                    owner: "root".into(),
                    group: format!("rtrace-{name}"),
                    members: Vec::new(),
                };
                let path = PathBuf::from(format!("/dev/rust_tracer/{name}"));
                (path, Some(facts), io::Error::from_raw_os_error(13))
            })
            .into();
        let text = refusals(&refused, &carol());
        assert_eq!(text.lines().count(), 4);
        assert_eq!(
            text.lines().last(),
            Some(
                "  nor are you let into what shows less: /dev/rust_tracer/system (mode 0660, \
                 group rtrace-system)"
            )
        );
    }

    #[test]
    fn a_node_of_root_alone_says_how_an_admin_gives_it_away() {
        assert_eq!(
            told(0o600, 0, "root", &[], &carol()).lines().last(),
            Some(
                "  only root may use it: an admin can give it to a group: groupadd -f -r \
                 rtrace-kernel; chgrp rtrace-kernel /dev/rust_tracer/kernel; chmod 0660 \
                 /dev/rust_tracer/kernel (a udev rule makes that last)"
            )
        );
    }

    #[test]
    fn a_new_member_must_log_in_again() {
        assert_eq!(
            told(0o660, 990, "rtrace-kernel", &["carol"], &carol())
                .lines()
                .last(),
            Some("  you were added to group rtrace-kernel since you logged in: log in again")
        );
    }

    #[test]
    fn a_reader_is_told_that_reading_is_not_enough() {
        let mut person = carol();
        person.gids.push(990);
        assert_eq!(
            told(0o640, 990, "rtrace-kernel", &["carol"], &person)
                .lines()
                .last(),
            Some("  group rtrace-kernel may only read: ask an admin for more")
        );
    }

    #[test]
    fn who_is_admitted_hears_of_lockdown_and_namespaces() {
        let root = Person {
            uid: 0,
            name: "root".into(),
            gids: vec![0],
        };
        assert!(told(0o600, 0, "root", &[], &root).contains("lockdown"));
    }
}
