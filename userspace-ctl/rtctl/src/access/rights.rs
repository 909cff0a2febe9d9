// SPDX-License-Identifier: GPL-2.0-only
//! Who may do what with a node, by its mode, owner, group and ACL, and who asks.
//!
//! The kernel decides (acl(5) has the algorithm); this is read only to say why.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgroups};
use rust_tracer::Access;

/// Permission bits: what reading and writing need.
const READ: u32 = 0o4;
const WRITE: u32 = 0o2;

/// What a user or a group that an ACL names is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The user or group.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The group's members, as the database has them.
    pub members: Vec<String>,
    /// What it may do.
    pub bits: u32,
}

/// Who may do what with a node.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The mode's permission bits.
    pub mode: u32,
    /// The owner's id.
    pub uid: u32,
    /// The owner's name.
    pub owner: String,
    /// Users that an ACL names.
    pub users: Vec<Grant>,
    /// The node's own group, and then those that an ACL names.
    pub groups: Vec<Grant>,
    /// Whether there is an ACL beside the mode.
    pub acl: bool,
}

/// As whom somebody is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class<'a> {
    /// The owner.
    Owner,
    /// A user that an ACL names.
    User(&'a Grant),
    /// A member of this group.
    Group(&'a Grant),
    /// None of them.
    Other,
}

impl Rights {
    /// Reads them; `None` if the node is not there.
    pub fn read(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        let mode = data.mode() & 0o7777;
        let entries = acl(path).unwrap_or_default();
        let mask = entries
            .iter()
            .find(|entry| entry.tag == MASK)
            .map_or(0o7, |entry| entry.bits);
        let own = entries.iter().find(|entry| entry.tag == GROUP_OBJ);
        let own_bits = own.map_or((mode >> 3) & 0o7, |entry| entry.bits & mask);
        let named = |tag| {
            let named = entries.iter().filter(move |entry| entry.tag == tag);
            named.map(|entry| (entry.id, entry.bits & mask))
        };
        Some(Self {
            mode,
            uid: data.uid(),
            owner: user_name(data.uid()),
            users: named(USER)
                .map(|(id, bits)| Grant {
                    id,
                    name: user_name(id),
                    members: Vec::new(),
                    bits,
                })
                .collect(),
            groups: std::iter::once((data.gid(), own_bits))
                .chain(named(GROUP))
                .map(|(id, bits)| group(id, bits))
                .collect(),
            acl: !entries.is_empty(),
        })
    }

    /// As whom a person is refused this, if so. What gives root its way regardless is
    /// not looked at: nobody asks why he is let in.
    pub fn refuse(&self, person: &Person, wanted: u32) -> Option<Class<'_>> {
        let refuses = |bits: u32| bits & wanted != wanted;
        if person.uid == self.uid {
            return refuses(self.mode >> 6).then_some(Class::Owner);
        }
        if let Some(user) = self.users.iter().find(|user| user.id == person.uid) {
            return refuses(user.bits).then_some(Class::User(user));
        }
        let mine: Vec<_> = self
            .groups
            .iter()
            .filter(|group| person.gids.contains(&group.id))
            .collect();
        match mine.first() {
            Some(first) => mine
                .iter()
                .all(|group| refuses(group.bits))
                .then_some(Class::Group(first)),
            None => refuses(self.mode).then_some(Class::Other),
        }
    }

    /// The groups, other than root's, whose members may do this.
    pub fn open_to(&self, wanted: u32) -> impl Iterator<Item = &Grant> {
        self.groups
            .iter()
            .filter(move |group| group.id != 0 && group.bits & wanted == wanted)
    }

    /// All of it, with who asks, in a line.
    pub fn line(&self, person: &Person) -> String {
        let Self {
            mode, owner, acl, ..
        } = self;
        format!(
            "its mode is {mode:04o} ({}), its owner {owner}, its group {}{}; you are {}",
            words(*mode),
            self.group(),
            if *acl { ", and it has an ACL" } else { "" },
            person.name
        )
    }

    /// The mode and the group.
    pub fn brief(&self) -> String {
        format!("mode {:04o}, group {}", self.mode, self.group())
    }

    /// The name of the node's own group.
    pub fn group(&self) -> &str {
        self.groups.first().map_or("?", |group| &group.name)
    }
}

/// The permission bits that something needs.
pub fn wanted(access: Access) -> u32 {
    match access {
        Access::Observe => READ,
        Access::Trace => READ | WRITE,
    }
}

/// Permission bits in words; `None` if there are none.
pub fn can(bits: u32) -> Option<&'static str> {
    match bits & (READ | WRITE) {
        0o6 => Some("read and write"),
        0o4 => Some("read"),
        0o2 => Some("write"),
        _ => None,
    }
}

/// What these bits leave somebody with who needs more.
pub fn only(bits: u32) -> String {
    match can(bits) {
        Some(what) => format!("may only {what}"),
        None => "may not use it".into(),
    }
}

/// A mode in words.
fn words(mode: u32) -> String {
    let parts: Vec<_> = [("owner", mode >> 6), ("group", mode >> 3), ("others", mode)]
        .into_iter()
        .filter_map(|(who, bits)| Some(format!("{who} may {}", can(bits)?)))
        .collect();
    match parts.is_empty() {
        true => "nobody may use it".into(),
        false => parts.join(", "),
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Person {
    /// The effective user id.
    pub uid: u32,
    /// The user's name.
    pub name: String,
    /// All groups of this process.
    pub gids: Vec<u32>,
}

impl Person {
    /// The user of this process.
    pub fn current() -> Self {
        let uid = geteuid().as_raw();
        let mut gids = vec![getegid().as_raw()];
        for gid in getgroups().unwrap_or_default() {
            if !gids.contains(&gid.as_raw()) {
                gids.push(gid.as_raw());
            }
        }
        Self {
            uid,
            name: user_name(uid),
            gids,
        }
    }
}

/// A user's name, or the number.
pub fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}

/// A group's name, or the number.
pub fn group_name(gid: u32) -> String {
    group(gid, 0).name
}

fn group(gid: u32, bits: u32) -> Grant {
    let found = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    Grant {
        id: gid,
        name: match &found {
            Some(group) => group.name.clone(),
            None => format!("gid {gid}"),
        },
        members: found.map(|group| group.mem).unwrap_or_default(),
        bits,
    }
}

/// An entry of an ACL as the kernel hands it out (linux/posix_acl_xattr.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: u16,
    bits: u32,
    id: u32,
}

const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;

/// The ACL of a file, if it has one that says more than its mode.
fn acl(path: &Path) -> Option<Vec<Entry>> {
    let mut bytes = [0; 4096];
    let len = rustix::fs::getxattr(path, "system.posix_acl_access", &mut bytes).ok()?;
    parse_acl(bytes.get(..len)?)
}

fn parse_acl(bytes: &[u8]) -> Option<Vec<Entry>> {
    const VERSION: [u8; 4] = 2_u32.to_le_bytes();
    let entries = bytes.strip_prefix(&VERSION)?.chunks_exact(8);
    Some(
        entries
            .map(|entry| Entry {
                tag: u16::from_le_bytes([entry[0], entry[1]]),
                bits: u32::from(entry[2]),
                id: u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]),
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acl_is_read_as_the_kernel_writes_it() {
        let entry = |tag: u16, bits: u16, id: u32| {
            let [a, b] = tag.to_le_bytes();
            let [c, d] = bits.to_le_bytes();
            let [e, f, g, h] = id.to_le_bytes();
            [a, b, c, d, e, f, g, h]
        };
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        bytes.extend(entry(USER, 6, 1003));
        bytes.extend(entry(MASK, 4, u32::MAX));
        let entries = parse_acl(&bytes).unwrap();
        assert_eq!(
            entries[0],
            Entry {
                tag: USER,
                bits: 6,
                id: 1003
            }
        );
        assert_eq!(entries.len(), 2);
        assert_eq!(parse_acl(b"\x01\0\0\0"), None);
        assert_eq!(parse_acl(b""), None);
    }

    #[test]
    fn a_mode_alone_is_rights_of_owner_group_and_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node");
        fs::write(&path, "").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
        fs::set_permissions(&path, mode).unwrap();
        let rights = Rights::read(&path).unwrap();
        assert_eq!((rights.mode, rights.groups[0].bits), (0o640, 0o4));
        assert!(!rights.acl && rights.users.is_empty() && rights.groups.len() == 1);
        assert!(Rights::read(&directory.path().join("none")).is_none());
    }

    #[test]
    fn modes_have_words() {
        assert_eq!(words(0o640), "owner may read and write, group may read");
        assert_eq!(words(0o002), "others may write");
        assert_eq!(words(0), "nobody may use it");
    }
}
