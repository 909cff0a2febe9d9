// SPDX-License-Identifier: GPL-2.0-only
//! The one rule that keeps somebody from using a node, and what to do about it.
//!
//! Where several rules stand in the way the one is told that must be dealt with
//! first: a node that is not there has no mode, inside a user namespace neither
//! modes nor groups are what they are outside, and lockdown forbids to everybody what
//! a group would allow.

use std::fmt;
use std::io;

use nix::errno::Errno;
use rust_tracer::{Access, Node};

use super::plain;
use super::rights::{Class, Grant, Person, Rights, can, only, wanted};
use super::system::System;

/// A rule of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The kernel is one without Rust: no module can be loaded.
    Rust,
    /// The module is not loaded.
    Module,
    /// The kernel loads signed modules only, and the module's file is not.
    Signature,
    /// The module is loaded, but the node is not here.
    Node,
    /// The node's mode, owner or ACL.
    Mode,
    /// The node is for a group of which one is no member.
    Group,
    /// One is a member, but was none when one logged in.
    Login,
    /// The kernel is locked down.
    Lockdown,
    /// The process is in a user namespace of its own.
    Namespace,
    /// The user has as many sessions as a user may have.
    Quota,
    /// None of these: the system's word is all that is known.
    Other,
}

impl Rule {
    /// The rule in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Module => "module",
            Self::Signature => "signature",
            Self::Node => "node",
            Self::Mode => "mode",
            Self::Group => "group",
            Self::Login => "login",
            Self::Lockdown => "lockdown",
            Self::Namespace => "namespace",
            Self::Quota => "quota",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The rule.
    pub rule: Rule,
    /// How it stands in the way.
    pub why: String,
    /// What to do, or whom to ask for what, in a sentence.
    pub advice: String,
    /// What would help, as a command where there is one.
    pub remedy: String,
}

impl Obstacle {
    /// What stood in the way of opening a node.
    pub fn find(
        node: Node,
        access: Access,
        error: &io::Error,
        rights: Option<&Rights>,
        person: &Person,
        system: &System,
    ) -> Self {
        let errno = error
            .raw_os_error()
            .map_or(Errno::UnknownErrno, Errno::from_raw);
        match (errno, rights) {
            (Errno::ENOENT | Errno::ENODEV | Errno::ENXIO | Errno::ENOTDIR, _) => {
                absent(node, system)
            }
            (Errno::EACCES | Errno::EPERM, _) if !system.initial => namespace(),
            (Errno::EACCES | Errno::EPERM, _) if system.is_locked_down() => lockdown(),
            (Errno::EACCES, Some(rights)) => refused(node, access, rights, person),
            (Errno::EACCES, None) => unreachable_node(node),
            (Errno::EDQUOT, _) => quota(person, system),
            _ => other(node, error),
        }
    }
}

/// The node is not there.
fn absent(node: Node, system: &System) -> Obstacle {
    let release = &system.release;
    if system.loaded {
        let path = node.path();
        let (path, name) = (path.display(), node.name());
        return Obstacle {
            rule: Rule::Node,
            why: "the module is loaded, but the node is not there".into(),
            advice: "the module is loaded, but the node is not there: is devtmpfs on /dev (in a \
                     container the node must be passed in)?"
                .into(),
            remedy: format!(
                "mkdir -p /dev/rust_tracer && mknod -m 600 {path} c $(tr : ' ' \
                 </sys/class/misc/rust_tracer_{name}/dev); into a container: --device={path}"
            ),
        };
    }
    if let Some((false, config)) = &system.rust {
        let why = format!(
            "this kernel, {release}, was built without Rust ({} has no CONFIG_RUST=y)",
            config.display()
        );
        return Obstacle {
            rule: Rule::Rust,
            advice: format!("{why}: boot one with it, Debian's from trixie-backports for instance"),
            why,
            remedy: "apt install -t trixie-backports linux-image-amd64 && reboot".into(),
        };
    }
    let what = "the rust_tracer module is not loaded";
    match &system.file {
        Some(file) if system.wants_signature() => {
            let file = file.display();
            let why = format!("this kernel loads signed modules only, and {file} is not signed");
            let remedy = format!(
                "sign it with a key that the machine trusts (mokutil --import CERTIFICATE.der, once, and reboot): \
                 scripts/sign-file sha256 KEY CERTIFICATE {file}; modprobe rust_tracer"
            );
            Obstacle {
                rule: Rule::Signature,
                advice: format!("{why}: an admin can {remedy}"),
                why,
                remedy,
            }
        }
        Some(file) => Obstacle {
            rule: Rule::Module,
            why: format!("{what}; for this kernel there is {}", file.display()),
            advice: format!("{what}: as root, modprobe rust_tracer"),
            remedy: "modprobe rust_tracer".into(),
        },
        None => {
            let why = format!("{what}, and there is none for this kernel, {release}");
            // For Debian's cloud kernels the lab builds it; for any other one it needs that kernel's tree.
            let install = match release.contains("-cloud-") {
                true => "make install",
                false => "make KDIR=TREE install",
            };
            Obstacle {
                rule: Rule::Module,
                advice: format!(
                    "{why}: build and install it ({install}, in its sources, whose README says how), then \
                     modprobe rust_tracer"
                ),
                why,
                remedy: format!("{install} && modprobe rust_tracer"),
            }
        }
    }
}

/// Somewhere on the way to the node one may not pass.
fn unreachable_node(node: Node) -> Obstacle {
    let path = node.path();
    let path = path.display();
    let why = format!("a directory above {path} does not let you through");
    Obstacle {
        rule: Rule::Mode,
        advice: format!("{why}: namei -l {path} shows which, and its mode should be 0755"),
        why,
        remedy: format!("chmod a+rx on the directory that namei -l {path} shows"),
    }
}

fn namespace() -> Obstacle {
    let why = "you are in a user namespace of its own, and nodes open in the initial one alone";
    Obstacle {
        rule: Rule::Namespace,
        why: why.into(),
        advice: format!("{why}: run it outside (of the container)"),
        remedy: "nothing: run it outside of the namespace (of the container)".into(),
    }
}

fn lockdown() -> Obstacle {
    let why = "the kernel is locked down (confidentiality), which forbids tracing to everybody";
    let remedy = "boot with lockdown=integrity on the kernel's command line, or without lockdown";
    Obstacle {
        rule: Rule::Lockdown,
        why: why.into(),
        advice: format!("{why}: {remedy}"),
        remedy: remedy.into(),
    }
}

fn quota(person: &Person, system: &System) -> Obstacle {
    let most = system
        .sessions_max
        .map_or_else(String::new, |most| format!(", {most}"));
    let why = format!(
        "{} has as many sessions open as a user may have{most}",
        person.name
    );
    let more = system.sessions_max.unwrap_or(64).saturating_mul(2);
    Obstacle {
        rule: Rule::Quota,
        advice: format!(
            "{why}: end some (fuser -v /dev/rust_tracer/* names the processes), or ask an admin \
             for more (the module's parameter sessions_per_uid)"
        ),
        why,
        remedy: format!("echo {more} >/sys/module/rust_tracer/parameters/sessions_per_uid"),
    }
}

fn other(node: Node, error: &io::Error) -> Obstacle {
    Obstacle {
        rule: Rule::Other,
        why: format!(
            "{}: none of the module's rules, nor the node's mode, is known to say so",
            plain(error)
        ),
        advice: "neither the node's mode nor the module is known to forbid it: it may be a device \
                 cgroup (a container's), or a security module"
            .into(),
        remedy: format!(
            "ausearch -m AVC,KERNEL_OTHER -ts recent; in a container: --device={}",
            node.path().display()
        ),
    }
}

/// The mode, owner or ACL refuses.
fn refused(node: Node, access: Access, rights: &Rights, person: &Person) -> Obstacle {
    let path = node.path();
    let path = path.display();
    let wanted = wanted(access);
    let what = can(wanted).unwrap_or("use it");
    let mode = |why: String, advice: String, remedy: String| Obstacle {
        rule: Rule::Mode,
        why,
        advice,
        remedy,
    };
    // What one has, and whom one asks for more.
    let too_little = |who: String, bits: u32, remedy: String| {
        let why = format!("{who} {}", only(bits));
        mode(why.clone(), format!("{why}: ask an admin for more"), remedy)
    };
    let refused = rights.refuse(person, wanted);
    // Whom neither ownership nor a line of the ACL decides for, another group may let in.
    if let Some(Class::Group(_) | Class::Other) = refused {
        if let Some(obstacle) = by_a_group(rights, wanted, person) {
            return obstacle;
        }
    }
    match refused {
        Some(Class::Owner) => {
            let remedy = format!("chmod u+rw {path}");
            let why = format!("its owner, you, {}", only(rights.mode >> 6));
            mode(why.clone(), format!("{why}: {remedy}"), remedy)
        }
        Some(Class::User(user)) => too_little(
            format!("by its ACL {}", user.name),
            user.bits,
            format!("setfacl -m u:{}:rw {path}", user.name),
        ),
        Some(Class::Group(group)) => too_little(
            format!("group {}", group.name),
            group.bits,
            match rights.acl {
                true => format!("setfacl -m g:{}:rw {path}", group.name),
                false => format!("chmod g+rw {path}"),
            },
        ),
        Some(Class::Other) => {
            let (owner, name) = (&rights.owner, node.name());
            let give = format!(
                "groupadd -f -r rtrace-{name}; chgrp rtrace-{name} {path}; chmod 0660 {path}"
            );
            mode(
                format!("only {owner} may {what}"),
                format!(
                    "only {owner} may use it: an admin can give it to a group: {give} (a udev rule \
                     makes that last)"
                ),
                format!("{give}; usermod -aG rtrace-{name} {}", person.name),
            )
        }
        None => mode(
            "its mode admits you, and the kernel does not".into(),
            "its mode admits you, and the kernel does not: a directory above it, or a security \
             module, may be why"
                .into(),
            format!("namei -l {path}; ausearch -m AVC -ts recent"),
        ),
    }
}

/// A group that may do this, and of which one is no member, or not yet.
fn by_a_group(rights: &Rights, wanted: u32, person: &Person) -> Option<Obstacle> {
    let joined = |group: &&Grant| group.members.contains(&person.name);
    if let Some(group) = rights.open_to(wanted).find(joined) {
        let group = &group.name;
        let why = format!("you were added to group {group} since you logged in");
        return Some(Obstacle {
            rule: Rule::Login,
            advice: format!("{why}: log in again"),
            why,
            remedy: format!("nothing: log in again, or newgrp {group} for one shell"),
        });
    }
    let (group, name) = (&rights.open_to(wanted).next()?.name, &person.name);
    let what = can(wanted).unwrap_or("use it");
    Some(Obstacle {
        rule: Rule::Group,
        why: format!("members of group {group} may {what}, and you are none"),
        advice: format!(
            "ask an admin to add you to group {group}: usermod -aG {group} {name}; then log in again"
        ),
        remedy: format!("usermod -aG {group} {name}; it counts from the next login on"),
    })
}
