// SPDX-License-Identifier: GPL-2.0-only
//! What is said when nodes do not open: the rule, and what to do.

use std::path::PathBuf;

use super::rights::Grant;
use super::*;

fn carol() -> Person {
    Person {
        uid: 1003,
        name: "carol".into(),
        gids: vec![1003],
    }
}

fn grant(id: u32, name: &str, members: &[&str], bits: u32) -> Grant {
    Grant {
        id,
        name: name.into(),
        members: members.iter().map(|&name| name.into()).collect(),
        bits,
    }
}

/// A node of root's and this group's, without an ACL.
fn rights(mode: u32, gid: u32, group: &str, members: &[&str]) -> Rights {
    Rights {
        mode,
        uid: 0,
        owner: "root".into(),
        users: Vec::new(),
        groups: vec![grant(gid, group, members, (mode >> 3) & 0o7)],
        acl: false,
    }
}

/// A system on which the module is loaded and nothing forbids tracing.
fn system() -> System {
    System {
        release: "7.3.1".into(),
        rust: Some((true, "/boot/config-7.3.1".into())),
        loaded: true,
        file: Some("/lib/modules/7.3.1/extra/rust_tracer.ko".into()),
        signed: Some(false),
        enforces: false,
        lockdown: Some("none".into()),
        initial: true,
        sessions_max: Some(64),
    }
}

const EACCES: i32 = 13;
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EDQUOT: i32 = 122;

fn obstacle(errno: i32, rights: Option<&Rights>, person: &Person, system: &System) -> Obstacle {
    let error = io::Error::from_raw_os_error(errno);
    Obstacle::find(Node::Kernel, Access::Trace, &error, rights, person, system)
}

/// What is said when these nodes are refused by their rights.
fn told(nodes: &[(Node, Rights)], person: &Person) -> String {
    let error = io::Error::from_raw_os_error(EACCES);
    let found: Vec<_> = nodes
        .iter()
        .map(|(node, rights)| {
            let obstacle = obstacle(EACCES, Some(rights), person, &system());
            (*node, &error, Some(rights.clone()), obstacle)
        })
        .collect();
    refusals(&found, person)
}

fn told_of_kernel(rights: Rights, person: &Person) -> String {
    told(&[(Node::Kernel, rights)], person)
}

#[test]
fn a_stranger_is_told_the_node_its_mode_and_the_group() {
    let rights = rights(0o660, 990, "rtrace-kernel", &["alice"]);
    assert_eq!(
        told_of_kernel(rights, &carol()),
        "cannot open /dev/rust_tracer/kernel: Permission denied\n  \
         its mode is 0660 (owner may read and write, group may read and write), its owner \
         root, its group rtrace-kernel; you are carol\n  \
         ask an admin to add you to group rtrace-kernel: usermod -aG rtrace-kernel carol; \
         then log in again"
    );
}

#[test]
fn the_other_nodes_are_told_in_a_line() {
    let nodes = [
        (Node::Kernel, rights(0o660, 990, "rtrace-kernel", &[])),
        (Node::System, rights(0o660, 991, "rtrace-system", &[])),
    ];
    let text = told(&nodes, &carol());
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
fn a_node_that_is_there_is_told_before_one_that_is_not() {
    let (gone, denied) = (
        io::Error::from_raw_os_error(ENOENT),
        io::Error::from_raw_os_error(EACCES),
    );
    let rights = rights(0o660, 992, "rtrace-user", &[]);
    let person = carol();
    let found = [
        (
            Node::Kernel,
            &gone,
            None,
            obstacle(ENOENT, None, &person, &system()),
        ),
        (
            Node::User,
            &denied,
            Some(rights.clone()),
            obstacle(EACCES, Some(&rights), &person, &system()),
        ),
    ];
    let text = refusals(&found, &person);
    assert!(
        text.starts_with("cannot open /dev/rust_tracer/user: Permission denied\n"),
        "{text}"
    );
}

#[test]
fn a_node_of_root_alone_says_how_an_admin_gives_it_away() {
    let text = told_of_kernel(rights(0o600, 0, "root", &[]), &carol());
    assert_eq!(
        text.lines().last(),
        Some(
            "  only root may use it: an admin can give it to a group: groupadd -f -r \
             rtrace-kernel; chgrp rtrace-kernel /dev/rust_tracer/kernel; chmod 0660 \
             /dev/rust_tracer/kernel (a udev rule makes that last)"
        )
    );
}

#[test]
fn a_new_member_must_log_in_again() {
    let rights = rights(0o660, 990, "rtrace-kernel", &["carol"]);
    let found = obstacle(EACCES, Some(&rights), &carol(), &system());
    assert_eq!(found.rule, Rule::Login);
    assert_eq!(
        found.advice,
        "you were added to group rtrace-kernel since you logged in: log in again"
    );
    assert_eq!(
        found.remedy,
        "nothing: log in again, or newgrp rtrace-kernel for one shell"
    );
}

#[test]
fn a_reader_is_told_that_reading_is_not_enough() {
    let mut person = carol();
    person.gids.push(990);
    let rights = rights(0o640, 990, "rtrace-kernel", &["carol"]);
    let found = obstacle(EACCES, Some(&rights), &person, &system());
    assert_eq!(
        (found.rule, found.advice.as_str(), found.remedy.as_str()),
        (
            Rule::Mode,
            "group rtrace-kernel may only read: ask an admin for more",
            "chmod g+rw /dev/rust_tracer/kernel"
        )
    );
}

#[test]
fn a_member_of_a_group_that_lost_the_node_is_told_so() {
    let mut person = carol();
    person.gids.push(990);
    let rights = rights(0o600, 990, "rtrace-kernel", &["carol"]);
    assert_eq!(
        told_of_kernel(rights, &person).lines().last(),
        Some("  group rtrace-kernel may not use it: ask an admin for more")
    );
}

#[test]
fn an_owner_is_told_what_he_can_do_himself() {
    let mut rights = rights(0o400, 990, "rtrace-kernel", &[]);
    rights.uid = carol().uid;
    let found = obstacle(EACCES, Some(&rights), &carol(), &system());
    assert_eq!(
        (found.rule, found.advice.as_str()),
        (
            Rule::Mode,
            "its owner, you, may only read: chmod u+rw /dev/rust_tracer/kernel"
        )
    );
}

#[test]
fn a_node_that_lets_one_in_is_told_before_one_that_does_not() {
    let errors = [EACCES, EDQUOT].map(io::Error::from_raw_os_error);
    let mut person = carol();
    person.gids.push(992);
    let (kernel, user) = (
        rights(0o660, 990, "rtrace-kernel", &[]),
        rights(0o660, 992, "rtrace-user", &["carol"]),
    );
    let found = [
        (
            Node::Kernel,
            &errors[0],
            Some(kernel.clone()),
            obstacle(EACCES, Some(&kernel), &person, &system()),
        ),
        (
            Node::User,
            &errors[1],
            Some(user.clone()),
            obstacle(EDQUOT, Some(&user), &person, &system()),
        ),
    ];
    assert_eq!(
        refusals(&found, &person),
        "cannot open /dev/rust_tracer/user: Disk quota exceeded\n  \
         carol has as many sessions open as a user may have, 64: end some (fuser -v \
         /dev/rust_tracer/* names the processes), or ask an admin for more (the module's \
         parameter sessions_per_uid)"
    );
}

#[test]
fn an_acl_decides_before_the_group_does() {
    let mut rights = rights(0o660, 990, "rtrace-kernel", &["alice"]);
    rights.acl = true;
    rights.users = vec![grant(1003, "carol", &[], 0o4)];
    let found = obstacle(EACCES, Some(&rights), &carol(), &system());
    assert_eq!(
        (found.rule, found.why.as_str()),
        (Rule::Mode, "by its ACL carol may only read")
    );
    assert_eq!(
        found.remedy,
        "setfacl -m u:carol:rw /dev/rust_tracer/kernel"
    );
    // A group that the ACL names is one that can be joined.
    rights.users.clear();
    rights.groups[0].bits = 0;
    rights.groups.push(grant(995, "interns", &[], 0o6));
    let found = obstacle(EACCES, Some(&rights), &carol(), &system());
    assert_eq!(found.rule, Rule::Group);
    assert!(
        found.remedy.starts_with("usermod -aG interns carol;"),
        "{found:?}"
    );
    assert!(
        rights
            .line(&carol())
            .ends_with("and it has an ACL; you are carol")
    );
}

#[test]
fn one_of_several_groups_suffices() {
    let mut person = carol();
    person.gids.extend([990, 995]);
    let mut rights = rights(0o660, 990, "rtrace-kernel", &[]);
    rights.groups[0].bits = 0o4;
    rights.groups.push(grant(995, "interns", &[], 0o6));
    assert_eq!(rights.refuse(&person, 0o6), None);
    rights.groups[1].bits = 0o2;
    // Not one half from each.
    assert!(rights.refuse(&person, 0o6).is_some());
}

#[test]
fn an_absent_module_is_told_with_what_there_is_of_it() {
    let mut system = System {
        loaded: false,
        ..system()
    };
    let find = |system: &System| obstacle(ENOENT, None, &carol(), system);
    let found = find(&system);
    assert_eq!(
        (found.rule, found.why.as_str(), found.remedy.as_str()),
        (
            Rule::Module,
            "the rust_tracer module is not loaded; for this kernel there is \
             /lib/modules/7.3.1/extra/rust_tracer.ko",
            "modprobe rust_tracer"
        )
    );
    assert_eq!(
        found.advice,
        "the rust_tracer module is not loaded: as root, modprobe rust_tracer"
    );
    system.file = None;
    let found = find(&system);
    assert_eq!(found.rule, Rule::Module);
    assert!(found.why.ends_with("there is none for this kernel, 7.3.1"));
    assert_eq!(
        found.remedy,
        "make KDIR=TREE install && modprobe rust_tracer"
    );
    let cloud = System {
        release: "7.3.4+deb13-cloud-amd64".into(),
        ..system.clone()
    };
    assert_eq!(find(&cloud).remedy, "make install && modprobe rust_tracer");
    system.rust = None;
    assert_eq!(find(&system).rule, Rule::Module);
    system.rust = Some((false, PathBuf::from("/proc/config.gz")));
    let found = find(&system);
    assert_eq!(
        (found.rule, found.why.as_str()),
        (
            Rule::Rust,
            "this kernel, 7.3.1, was built without Rust (/proc/config.gz has no CONFIG_RUST=y)"
        )
    );
}

#[test]
fn a_module_that_is_not_signed_is_told_where_it_must_be() {
    let mut system = System {
        loaded: false,
        lockdown: Some("integrity".into()),
        ..system()
    };
    let find = |system: &System| obstacle(ENOENT, None, &carol(), system);
    let found = find(&system);
    assert_eq!(
        (found.rule, found.why.as_str()),
        (
            Rule::Signature,
            "this kernel loads signed modules only, and \
             /lib/modules/7.3.1/extra/rust_tracer.ko is not signed"
        )
    );
    assert!(
        found.remedy.ends_with("; modprobe rust_tracer"),
        "{found:?}"
    );
    for signed in [Some(true), None] {
        system.signed = signed;
        assert_eq!(find(&system).rule, Rule::Module);
    }
}

#[test]
fn another_group_than_ones_own_may_be_the_one_to_join() {
    let mut person = carol();
    person.gids.push(995);
    let mut rights = rights(0o660, 990, "storage-team", &[]);
    rights.acl = true;
    rights.groups.push(grant(995, "interns", &["carol"], 0o4));
    let found = obstacle(EACCES, Some(&rights), &person, &system());
    assert_eq!(found.rule, Rule::Group);
    assert!(
        found.remedy.starts_with("usermod -aG storage-team carol;"),
        "{found:?}"
    );
    rights.groups[0].members.push("carol".into());
    let found = obstacle(EACCES, Some(&rights), &person, &system());
    assert_eq!(found.rule, Rule::Login);
}

#[test]
fn a_directory_that_lets_nobody_through_is_told() {
    let found = obstacle(EACCES, None, &carol(), &system());
    assert_eq!(
        (found.rule, found.why.as_str()),
        (
            Rule::Mode,
            "a directory above /dev/rust_tracer/kernel does not let you through"
        )
    );
}

#[test]
fn a_node_that_is_missing_is_told_from_a_module_that_is() {
    let found = obstacle(ENOENT, None, &carol(), &system());
    assert_eq!(found.rule, Rule::Node);
    assert!(
        found
            .remedy
            .contains("mknod -m 600 /dev/rust_tracer/kernel c")
    );
}

#[test]
fn a_namespace_is_told_before_a_mode_that_cannot_be_judged_in_it() {
    let inside = System {
        initial: false,
        ..system()
    };
    let rights = rights(0o660, 65534, "nogroup", &[]);
    for errno in [EACCES, EPERM] {
        let found = obstacle(errno, Some(&rights), &carol(), &inside);
        assert_eq!(found.rule, Rule::Namespace);
    }
}

#[test]
fn lockdown_is_told_only_where_it_is() {
    let rights = rights(0o666, 990, "rtrace-kernel", &[]);
    let with = |level: Option<&str>| System {
        lockdown: level.map(str::to_owned),
        ..system()
    };
    let rule = |errno, level| obstacle(errno, Some(&rights), &carol(), &with(level)).rule;
    assert_eq!(rule(EPERM, Some("confidentiality")), Rule::Lockdown);
    assert_eq!(rule(EPERM, Some("integrity")), Rule::Other);
    assert_eq!(rule(EPERM, None), Rule::Other);
    // No group helps then.
    assert_eq!(rule(EACCES, Some("confidentiality")), Rule::Lockdown);
}

#[test]
fn a_used_up_quota_says_how_much_it_is() {
    let found = obstacle(EDQUOT, None, &carol(), &system());
    assert_eq!(
        (found.rule, found.why.as_str(), found.remedy.as_str()),
        (
            Rule::Quota,
            "carol has as many sessions open as a user may have, 64",
            "echo 128 >/sys/module/rust_tracer/parameters/sessions_per_uid"
        )
    );
}
