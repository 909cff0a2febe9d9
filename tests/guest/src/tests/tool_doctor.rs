// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl doctor`: the one rule that stands in somebody's way.

#![forbid(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Output};

use serde_json::Value;

use super::tool::text;
use super::tool_access::{Parameter, Rights, Tool, array, as_user};
use crate::guest;
use crate::options::Options;
use crate::session::NODES;
use crate::target;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "rtctl doctor":
    "each user is told the one rule of each node" => users,
    "readers may observe, and a quota that is used up is told" => rules,
    "a user namespace is told before anything else" => namespace,
    "an absent module is told with how to load it" => absent,
}

/// What the doctor says of each node: what one may, and the rule; and of the system.
struct Report {
    status: Option<i32>,
    system: Value,
    nodes: Vec<(String, String)>,
    remedies: Vec<String>,
}

fn report(output: &Output) -> Outcome<Report> {
    let mut objects = array(output)?;
    check_eq!(objects.len(), 4, "objects in:\n{}", text(&output.stdout));
    let nodes = objects.split_off(1);
    let word = |node: &Value, member: &str| node[member].as_str().unwrap_or("-").to_owned();
    Ok(Report {
        status: output.status.code(),
        system: objects.remove(0),
        nodes: nodes
            .iter()
            .map(|node| (word(node, "may"), word(node, "rule")))
            .collect(),
        remedies: nodes.iter().map(|node| word(node, "remedy")).collect(),
    })
}

fn doctor(user: &str) -> Outcome<Report> {
    report(&as_user(user, &["doctor", "--format", "json"])?)
}

/// Asserts what the doctor says of the three nodes, as `MAY RULE`.
fn check_nodes(report: &Report, wanted: [&str; 3], whose: &str) -> Outcome {
    let found: Vec<_> = report
        .nodes
        .iter()
        .map(|(may, rule)| format!("{may} {rule}"))
        .collect();
    check_eq!(found, wanted, "what {whose} may");
    let traces = wanted.iter().any(|node| node.starts_with("trace "));
    check_eq!(report.status, Some(i32::from(!traces)), "the exit status");
    Ok(())
}

fn users(_: &Options) -> Outcome {
    let (yes, no) = ("trace -", "nothing group");
    for (user, wanted) in [
        ("root", [yes, yes, yes]),
        ("alice", [yes, no, no]),
        ("dave", [no, yes, no]),
        ("bob", [no, no, yes]),
        ("carol", [no, no, no]),
    ] {
        let report = doctor(user)?;
        check_nodes(&report, wanted, user)?;
        check_eq!(report.system["user"], Value::from(user));
        check_eq!(
            report.system["rust"],
            Value::Bool(true),
            "{}",
            report.system
        );
    }
    // What it says an admin would do helps.
    let remedy = doctor("carol")?.remedies.remove(2);
    check!(
        remedy.starts_with("usermod -aG rtrace-user carol;"),
        "it says: {remedy}"
    );
    Ok(())
}

fn rules(_: &Options) -> Outcome {
    let no = "nothing group";
    {
        let _rights = Rights::acl(NODES[2], "u:carol:r")?;
        check_nodes(&doctor("carol")?, [no, no, "observe mode"], "carol")?;
    }
    {
        let _rights = Rights::mode(NODES[2], 0o640)?;
        let report = doctor("bob")?;
        check_nodes(&report, [no, no, "observe mode"], "bob")?;
        check_eq!(report.remedies[2], format!("chmod g+rw {}", NODES[2]));
    }
    {
        let _rights = Rights::mode(NODES[2], 0o600)?;
        check_nodes(&doctor("bob")?, [no, no, "nothing mode"], "bob")?;
    }
    let bob = Tool::tracing("bob", "his")?;
    {
        let _parameter = Parameter::set("sessions_per_uid", "1")?;
        check_nodes(&doctor("bob")?, [no, no, "nothing quota"], "bob")?;
    }
    bob.interrupt()?;
    Ok(())
}

fn namespace(_: &Options) -> Outcome {
    for user in ["root", "alice", "carol"] {
        let output = Command::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--init-groups"])
            .args(["unshare", "-Ur", "rtctl", "doctor", "--format", "json"])
            .output()?;
        let report = report(&output)?;
        check_nodes(&report, ["nothing namespace"; 3], user)?;
        check_eq!(
            report.system["initial_user_namespace"],
            Value::Bool(false),
            "{}",
            report.system
        );
    }
    Ok(())
}

fn absent(_: &Options) -> Outcome {
    target::unload("rust_tracer")?;
    let found = doctor("carol");
    let said = as_user("carol", &["-n", "fbt::vfs_read:entry"]);
    guest::load()?;
    let report = found?;
    check_nodes(&report, ["nothing module"; 3], "carol")?;
    check_eq!(report.remedies, ["modprobe rust_tracer"; 3]);
    check_eq!(report.system["loaded"], Value::Bool(false));
    let file = report.system["module_file"].as_str().unwrap_or_default();
    match fs::metadata(file) {
        Ok(data) => check!(data.is_file(), "{file} is no file"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(fail(format!("there is no {file}")));
        }
        Err(error) => return Err(error.into()),
    }
    let said = text(&said?.stderr);
    check!(
        said.ends_with("the rust_tracer module is not loaded: as root, modprobe rust_tracer\n"),
        "it says:\n{said}"
    );
    Ok(())
}
