// SPDX-License-Identifier: GPL-2.0-only
//! What the doctor says to whom.

use serde_json::Value;

use super::*;
use crate::access::rights::Grant;

/// bob on a system where the module is loaded, in the group of the node user alone.
fn bob() -> Patient {
    Patient {
        person: Person {
            uid: 40001,
            name: "bob".into(),
            gids: vec![40992],
        },
        system: System {
            release: "7.3.1".into(),
            rust: Some((true, "/boot/config-7.3.1".into())),
            loaded: true,
            lockdown: Some("none".into()),
            initial: true,
            ..System::default()
        },
    }
}

/// Each node is its group's, which may do this.
fn rights(bits: u32) -> impl Fn(Node) -> Option<Rights> {
    move |node| {
        Some(Rights {
            mode: 0o600 | (bits << 3),
            uid: 0,
            owner: "root".into(),
            users: Vec::new(),
            groups: vec![Grant {
                id: 40990 + Node::ALL.iter().position(|&it| it == node)? as u32,
                name: format!("rtrace-{node}"),
                members: Vec::new(),
                bits,
            }],
            acl: false,
        })
    }
}

/// Opens as the kernel would, by these rights.
fn examine(patient: &Patient, bits: u32) -> Vec<Finding> {
    let rights = rights(bits);
    let open = |node: Node, access| {
        let wanted = crate::access::rights::wanted(access);
        match rights(node).unwrap().refuse(&patient.person, wanted) {
            Some(_) => Err(refusal(node, 13)),
            None => Ok(()),
        }
    };
    Node::ALL
        .into_iter()
        .map(|node| patient.examine(node, &open, &rights))
        .collect()
}

fn refusal(node: Node, errno: i32) -> Error {
    Error::Open {
        node,
        source: io::Error::from_raw_os_error(errno),
    }
}

fn text(patient: &Patient, findings: &[Finding]) -> String {
    let mut out = Vec::new();
    patient.text(&mut out, findings).unwrap();
    String::from_utf8(out).unwrap()
}

fn json(patient: &Patient, findings: &[Finding]) -> Value {
    let mut out = Vec::new();
    patient.json(&mut out, findings).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn each_node_is_told_with_its_one_rule_and_what_an_admin_would_do() {
    let bob = bob();
    assert_eq!(
        text(&bob, &examine(&bob, 0o6)),
        "\
you       bob (uid 40001), in the groups gid 40992
kernel    7.3.1, with Rust (/boot/config-7.3.1)
module    loaded
lockdown  none

NODE                       YOU MAY    WHY NOT MORE
/dev/rust_tracer/kernel    nothing    group: members of group rtrace-kernel may read and write, and you are none
/dev/rust_tracer/system    nothing    group: members of group rtrace-system may read and write, and you are none
/dev/rust_tracer/user      trace

What an admin would do:
  kernel:         usermod -aG rtrace-kernel bob; it counts from the next login on
  system:         usermod -aG rtrace-system bob; it counts from the next login on
"
    );
}

#[test]
fn who_may_only_read_may_observe() {
    let bob = bob();
    let findings = examine(&bob, 0o4);
    let may: Vec<_> = findings.iter().map(|finding| finding.may).collect();
    assert_eq!(may, [May::Nothing, May::Nothing, May::Observe]);
    let text = text(&bob, &findings);
    assert!(
        text.contains(
            "/dev/rust_tracer/user      observe    mode: group rtrace-user may only read\n"
        )
    );
    assert!(
        text.ends_with("  user:           chmod g+rw /dev/rust_tracer/user\n"),
        "{text}"
    );
}

#[test]
fn whom_no_group_lets_in_may_observe_what_all_may_read() {
    let bob = bob();
    let readable = |node| {
        let mut rights = rights(0o6)(node)?;
        rights.mode |= 0o4;
        Some(rights)
    };
    let open = |node: Node, access| {
        let wanted = crate::access::rights::wanted(access);
        match readable(node).unwrap().refuse(&bob.person, wanted) {
            Some(_) => Err(refusal(node, 13)),
            None => Ok(()),
        }
    };
    let finding = bob.examine(Node::Kernel, &open, &readable);
    let rule = finding.obstacle.map(|obstacle| obstacle.rule);
    assert_eq!((finding.may, rule), (May::Observe, Some(Rule::Group)));
}

#[test]
fn what_helps_all_nodes_is_told_once() {
    let mut patient = bob();
    patient.system.loaded = false;
    patient.system.file = Some("/lib/modules/7.3.1/extra/rust_tracer.ko".into());
    patient.system.lockdown = None;
    let open = |node, _| Err(refusal(node, 2));
    let findings = Node::ALL.map(|node| patient.examine(node, &open, &|_| None));
    let text = text(&patient, &findings);
    assert!(text.contains("\nmodule    not loaded; /lib/modules/7.3.1/extra/rust_tracer.ko\n"));
    assert!(text.contains("\nlockdown  unknown, or not there\n"));
    assert_eq!(
        text.matches("nothing    module: the rust_tracer module is not loaded; ")
            .count(),
        3
    );
    assert!(
        text.ends_with("\nWhat an admin would do:\n  all:            modprobe rust_tracer\n"),
        "{text}"
    );
}

#[test]
fn who_may_everything_needs_no_admin() {
    let root = bob();
    let findings = Node::ALL.map(|node| root.examine(node, &|_, _| Ok(()), &|_| None));
    let text = text(&root, &findings);
    assert!(
        text.ends_with("/dev/rust_tracer/user      trace\n"),
        "{text}"
    );
}

#[test]
fn a_module_of_another_version_is_told_as_such() {
    let patient = bob();
    let open = |_, _| Err(Error::Abi { major: 3, minor: 0 });
    let finding = patient.examine(Node::User, &open, &|_| None);
    let obstacle = finding.obstacle.unwrap();
    assert_eq!((finding.may, obstacle.rule), (May::Nothing, Rule::Other));
    assert!(obstacle.why.contains("speaks ABI 3.0"));
}

#[test]
fn the_same_can_be_had_as_json() {
    let bob = bob();
    let found = json(&bob, &examine(&bob, 0o6));
    assert_eq!(
        found[0],
        json!({
            "kind": "system", "user": "bob", "uid": 40001, "kernel": "7.3.1", "rust": true,
            "rust_from": "/boot/config-7.3.1", "loaded": true, "module_file": null,
            "lockdown": "none", "initial_user_namespace": true,
        })
    );
    assert_eq!(
        found[1],
        json!({
            "kind": "node", "node": "kernel", "path": "/dev/rust_tracer/kernel", "may": "nothing",
            "rule": "group",
            "why": "members of group rtrace-kernel may read and write, and you are none",
            "remedy": "usermod -aG rtrace-kernel bob; it counts from the next login on",
        })
    );
    assert_eq!(
        found[3],
        json!({
            "kind": "node", "node": "user", "path": "/dev/rust_tracer/user", "may": "trace",
        })
    );
}
