// SPDX-License-Identifier: GPL-2.0-only
//! The tool among several users: sessions of others, and how one's own end.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::tool::{good, rtctl, text};
use crate::options::Options;
use crate::session::KERNEL;
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "rtctl with others":
    "lists nothing, and not itself, where nobody traces" => lists_nothing,
    "lists all sessions to root, and to others their own and those published on their nodes" => lists,
    "observes a published session by read permission alone, until its owner ends" => observes,
    "leaves a session that goes on at an interrupt, with what it has read" => leaves,
    "finds nothing to observe where nothing is published" => unpublished,
    "revokes by id and by user, and who traced is told behind the ledger" => revokes,
    "does not revoke what is another user's, and says so of each" => foreign,
    "tells who lost the node that it does, behind the ledger" => shut_out,
    "is ended by the deadman in DTrace's words" => silent,
    "is let live by the deadman as a flight recorder, which reads nothing before its end" => recorder,
    "tells a user above a quota which one, and once" => quotas,
}

/// The arguments of setpriv(1) that make a process this user's.
fn user_arguments(user: &str) -> [&str; 6] {
    ["--reuid", user, "--regid", user, "--init-groups", "rtctl"]
}

/// The tool as this user runs it.
pub(super) fn as_user(user: &str, arguments: &[&str]) -> Outcome<Output> {
    Ok(Command::new("setpriv")
        .args(user_arguments(user))
        .args(arguments)
        .output()?)
}

/// What the tool printed as one JSON array.
pub(super) fn array(output: &Output) -> Outcome<Vec<Value>> {
    serde_json::from_slice(&output.stdout)
        .map_err(|error| fail(format!("{error} in:\n{}", text(&output.stdout))))
}

/// The sessions that root sees.
fn sessions() -> Outcome<Vec<Value>> {
    let output = rtctl(&["sessions", "--format", "json"])?;
    good(&output)?;
    array(&output)
}

/// The names of the published sessions that a user sees.
fn names(user: &str) -> Outcome<Vec<String>> {
    let output = as_user(user, &["sessions", "--format", "json"])?;
    good(&output)?;
    let names = array(&output)?
        .iter()
        .map(|session| session["name"].as_str().unwrap_or("-").to_owned())
        .collect();
    Ok(names)
}

/// The tool as a user, at work; killed when dropped.
pub(super) struct Tool {
    child: Child,
}

impl Tool {
    fn start(user: &str, arguments: &[&str]) -> Outcome<Self> {
        let child = Command::new("setpriv")
            .args(user_arguments(user))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Self { child })
    }

    /// Traces rt_plain's entry, published by this name; returns once it runs.
    pub(super) fn tracing(user: &str, name: &str) -> Outcome<Self> {
        let publish = format!("publish={name}");
        let probe = "fbt:rt_target:rt_plain:entry";
        let more = ["--format", "json", "-x", &publish, "-n", probe];
        let mut tool = Self::start(user, &more)?;
        tool.await_session(|session| session["name"] == name && session["state"] == "running")?;
        Ok(tool)
    }

    /// Waits until there is such a session; returns its id.
    fn await_session(&mut self, is: impl Fn(&Value) -> bool) -> Outcome<u64> {
        loop {
            if let Some(found) = sessions()?.iter().find(|session| is(session)) {
                return found["id"].as_u64().ok_or_else(|| fail("no id"));
            }
            if let Some(status) = self.child.try_wait()? {
                let mut said = String::new();
                if let Some(stderr) = &mut self.child.stderr {
                    stderr.read_to_string(&mut said)?;
                }
                return Err(fail(format!("rtctl ended: {status}\n{said}")));
            }
        }
    }

    fn pid(&self) -> u64 {
        self.child.id().into()
    }

    fn signal(&self, signal: Signal) -> Outcome {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Waits for its end: exit status, output, messages.
    fn end(mut self) -> Outcome<(Option<i32>, String, String)> {
        let (mut printed, mut said) = (String::new(), String::new());
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut printed)?;
        }
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        Ok((self.child.wait()?.code(), printed, said))
    }

    /// Interrupts it; all must be well.
    pub(super) fn interrupt(self) -> Outcome<String> {
        self.signal(Signal::INT)?;
        let (status, printed, said) = self.end()?;
        check_eq!(status, Some(0), "after an interrupt:\n{said}");
        Ok(printed)
    }

    /// Waits for the end that others have made: it must say this behind its ledger.
    fn aborted(self, because: &str) -> Outcome {
        let (status, printed, said) = self.end()?;
        check_eq!(status, Some(1), "the exit status of what said:\n{said}");
        let last = format!("rtctl: processing aborted: {because}");
        let ledger = said.find("rtctl: fired ");
        let reason = said.find(&last);
        check!(
            ledger.is_some() && ledger < reason,
            "not '{last}' behind the ledger:\n{said}"
        );
        let kinds: Vec<_> = objects(&printed)?
            .iter()
            .map(|object| object["kind"].as_str().unwrap_or_default().to_owned())
            .collect();
        check!(
            kinds.ends_with(&["ledger".to_owned(), "error".to_owned()]),
            "the last objects: {kinds:?}"
        );
        Ok(())
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn objects(printed: &str) -> Outcome<Vec<Value>> {
    let parse = |line| serde_json::from_str(line).map_err(|error| fail(format!("{error}: {line}")));
    printed.lines().map(parse).collect()
}

fn count(objects: &[Value], kind: &str) -> usize {
    objects
        .iter()
        .filter(|object| object["kind"] == kind)
        .count()
}

/// A module parameter, put back when dropped.
pub(super) struct Parameter {
    path: String,
    before: String,
}

impl Parameter {
    pub(super) fn set(name: &str, value: &str) -> Outcome<Self> {
        let path = format!("/sys/module/rust_tracer/parameters/{name}");
        let before = fs::read_to_string(&path)?;
        fs::write(&path, value)?;
        Ok(Self { path, before })
    }
}

impl Drop for Parameter {
    fn drop(&mut self) {
        // If this fails the next test that needs it says so.
        let _ = fs::write(&self.path, self.before.trim());
    }
}

/// A node's mode or ACL, put back when dropped.
pub(super) struct Rights(&'static str);

impl Rights {
    pub(super) fn mode(node: &'static str, mode: u32) -> Outcome<Self> {
        fs::set_permissions(node, fs::Permissions::from_mode(mode))?;
        Ok(Self(node))
    }

    pub(super) fn acl(node: &'static str, entry: &str) -> Outcome<Self> {
        let status = Command::new("setfacl").args(["-m", entry, node]).status()?;
        check!(status.success(), "setfacl -m {entry} {node}: {status}");
        Ok(Self(node))
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        // If this fails the next test that needs it says so.
        let _ = Command::new("setfacl").args(["-b", self.0]).status();
        let _ = fs::set_permissions(self.0, fs::Permissions::from_mode(0o660));
    }
}

fn lists_nothing(_: &Options) -> Outcome {
    for user in ["root", "alice", "dave", "bob"] {
        let listed = good(&as_user(user, &["sessions"])?)?;
        check_eq!(listed.lines().count(), 1, "lines to {user}:\n{listed}");
        let json = good(&as_user(user, &["sessions", "--format", "json"])?)?;
        check_eq!(json, "[]\n");
    }
    Ok(())
}

fn lists(_: &Options) -> Outcome {
    let target = Target::open()?;
    let by_kernel = Tool::tracing("alice", "by-kernel")?;
    let by_user = Tool::tracing("bob", "by-user")?;
    target.run("plain 10")?;
    let all = sessions()?;
    let seen: Vec<_> = all
        .iter()
        .map(|session| {
            let word = |member: &str| session[member].as_str().unwrap_or_default();
            (
                word("owner"),
                word("node"),
                word("name"),
                session["pid"].as_u64(),
            )
        })
        .collect();
    check_eq!(
        seen,
        [
            ("alice", "kernel", "by-kernel", Some(by_kernel.pid())),
            ("bob", "user", "by-user", Some(by_user.pid())),
        ]
    );
    check_eq!(all[0]["fired"], Value::from(10), "alice's: {}", all[0]);
    // Root's calls are nothing of bob's.
    check_eq!(all[1]["fired"], Value::from(0), "bob's: {}", all[1]);
    check_eq!(names("alice")?, ["by-kernel"]);
    check_eq!(names("bob")?, ["by-user"]);
    check_eq!(names("dave")?, [""; 0]);
    // Who may read the node sees what is published on it, and nobody else does.
    let rights = Rights::acl(KERNEL, "u:dave:r")?;
    check_eq!(names("dave")?, ["by-kernel"]);
    drop(rights);
    by_kernel.interrupt()?;
    by_user.interrupt()?;
    Ok(())
}

fn observes(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut owner = Tool::tracing("alice", "watched")?;
    // What comes before an observer is not its to see.
    target.run("plain 7")?;
    let _rights = Rights::acl(KERNEL, "u:carol:r")?;
    let observer = Tool::start("carol", &["observe", "watched", "--format", "json"])?;
    let pid = observer.pid();
    owner.await_session(|session| session["pid"] == pid && session["observer"] == true)?;
    // It observes; from where on it reads is decided a moment later.
    let mut seen = 0;
    let mut stdout = observer;
    while seen == 0 {
        target.run("plain 1")?;
        let output = stdout
            .child
            .stdout
            .as_mut()
            .ok_or_else(|| fail("no pipe"))?;
        if sys::poll(output, libc::POLLIN, 10)? & libc::POLLIN != 0 {
            seen = 1;
        }
    }
    target.run("plain 40")?;
    let printed = owner.interrupt()?;
    let recorded = count(&objects(&printed)?, "entry");
    let (status, printed, said) = stdout.end()?;
    check_eq!(status, Some(0), "{said}");
    check!(
        said.contains("rtctl: the observed session is over: its owner "),
        "it says:\n{said}"
    );
    let objects = objects(&printed)?;
    let entries = count(&objects, "entry");
    check!(
        (41..=recorded - 7).contains(&entries),
        "{entries} entries of {recorded}"
    );
    let mut named = objects.iter().filter(|object| object["kind"] == "entry");
    check!(
        named.all(|entry| entry["function"] == "rt_plain"),
        "probes without their name in:\n{printed}"
    );
    let ledger = objects.last().ok_or_else(|| fail("nothing"))?;
    check_eq!(ledger["observer"], Value::Bool(true), "{ledger}");
    check_eq!(ledger["holds"], Value::Bool(true), "{ledger}");
    check_eq!(ledger["recorded"], Value::from(recorded), "{ledger}");
    check_eq!(ledger["read"], Value::from(entries), "{ledger}");
    Ok(())
}

fn leaves(_: &Options) -> Outcome {
    let target = Target::open()?;
    let owner = Tool::tracing("alice", "watched")?;
    let mut observer = Tool::start("root", &["observe", "watched", "--format", "json"])?;
    let pid = observer.pid();
    observer.await_session(|session| session["pid"] == pid && session["observer"] == true)?;
    loop {
        target.run("plain 1")?;
        let output = observer
            .child
            .stdout
            .as_ref()
            .ok_or_else(|| fail("no pipe"))?;
        if sys::poll(output, libc::POLLIN, 10)? & libc::POLLIN != 0 {
            break;
        }
    }
    let objects = objects(&observer.interrupt()?)?;
    check!(count(&objects, "entry") > 0, "no entry");
    let ledger = objects.last().ok_or_else(|| fail("nothing"))?;
    check_eq!(ledger["observer"], Value::Bool(true), "{ledger}");
    check!(ledger.get("holds").is_none(), "it judges: {ledger}");
    // The owner noticed nothing.
    owner.interrupt()?;
    Ok(())
}

fn unpublished(_: &Options) -> Outcome {
    let owner = Tool::tracing("alice", "there")?;
    let id = sessions()?[0]["id"].to_string();
    for (user, subject) in [
        ("root", "elsewhere"),
        ("root", "999999"),
        ("bob", "there"),
        ("bob", &id),
    ] {
        let output = as_user(user, &["observe", subject])?;
        check_eq!(output.status.code(), Some(1), "{user} observes {subject}");
        let said = text(&output.stderr);
        check!(
            said.starts_with("rtctl: no session is published by the name or the ID "),
            "{user} observes {subject}: {said}"
        );
    }
    owner.interrupt()?;
    Ok(())
}

fn revokes(_: &Options) -> Outcome {
    const REVOKED: &str = "the session was revoked";
    let mut one = Tool::tracing("alice", "one")?;
    let id = one.await_session(|session| session["name"] == "one")?;
    let other = Tool::tracing("alice", "other")?;
    // Of two ids one is wrong: the other is ended all the same.
    let output = rtctl(&["revoke", "999999", &id.to_string()])?;
    check_eq!(output.status.code(), Some(1), "the exit status");
    let said = text(&output.stderr);
    check!(
        said.contains("rtctl: session 999999: there is no session 999999"),
        "it says:\n{said}"
    );
    check!(
        said.contains(&format!("rtctl: session {id} is ended\n")),
        "it says:\n{said}"
    );
    one.aborted(REVOKED)?;
    let output = as_user("alice", &["revoke", "--user", "alice"])?;
    check_eq!(text(&output.stderr), "rtctl: 1 session of alice is ended\n");
    check_eq!(output.status.code(), Some(0), "the exit status");
    other.aborted(REVOKED)
}

fn foreign(_: &Options) -> Outcome {
    let _rights = Rights::acl(KERNEL, "u:dave:rw")?;
    let mut owner = Tool::tracing("alice", "hers")?;
    let id = owner.await_session(|session| session["name"] == "hers")?;
    for (arguments, by) in [
        (
            ["revoke", &id.to_string()].to_vec(),
            format!("session {id}"),
        ),
        (
            ["revoke", "--user", "alice"].to_vec(),
            "cannot revoke the sessions of alice".to_owned(),
        ),
    ] {
        let output = as_user("dave", &arguments)?;
        check_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        check!(
            said.starts_with(&format!("rtctl: {by}: that session is another user's"))
                && said.lines().count() == 1,
            "{arguments:?}: {said}"
        );
    }
    let output = as_user("bob", &["revoke", &id.to_string()])?;
    check!(
        text(&output.stderr).contains(&format!("there is no session {id}")),
        "bob learns of it: {}",
        text(&output.stderr)
    );
    owner.interrupt()?;
    Ok(())
}

fn shut_out(_: &Options) -> Outcome {
    let alice = Tool::tracing("alice", "hers")?;
    let _rights = Rights::mode(KERNEL, 0o600)?;
    alice.aborted(&format!("{KERNEL} does not admit you any more"))
}

fn silent(_: &Options) -> Outcome {
    let _parameter = Parameter::set("deadman_seconds", "6")?;
    let mut tool = Tool::tracing("alice", "silent")?;
    tool.signal(Signal::STOP)?;
    tool.await_session(|session| session["reason"] == "silent" && session["state"] == "dead")?;
    tool.signal(Signal::CONT)?;
    tool.aborted("Abort due to systemic unresponsiveness\n")
}

fn recorder(_: &Options) -> Outcome {
    let _parameter = Parameter::set("deadman_seconds", "5")?;
    for policy in ["ring", "fill"] {
        let policy = format!("bufpolicy={policy}");
        // Twice the deadman's patience, which is what time is needed for here.
        let trace = [
            "-x",
            &policy,
            "-c",
            "sleep 11",
            "-n",
            "fbt:rt_target:rt_plain:entry",
        ];
        let output = as_user("alice", &[&trace[..], &["-x", "switchrate=1m"]].concat())?;
        check!(
            output.status.success(),
            "{policy}: {}\n{}",
            output.status,
            text(&output.stderr)
        );
    }
    Ok(())
}

fn quotas(_: &Options) -> Outcome {
    let trace = ["-c", "true", "-n", "fbt:rt_target:rt_*:"];
    for (parameter, value, says) in [
        ("probes_per_uid", "1", "probes_per_uid"),
        ("memory_mb_per_uid", "1", "memory_mb_per_uid"),
    ] {
        let _parameter = Parameter::set(parameter, value)?;
        let output = as_user("alice", &trace)?;
        check_eq!(output.status.code(), Some(1), "{parameter}");
        let said = text(&output.stderr);
        check_eq!(said.matches(says).count(), 1, "{says} in:\n{said}");
    }
    let alice = Tool::tracing("alice", "hers")?;
    let _parameter = Parameter::set("sessions_per_uid", "1")?;
    let output = as_user("alice", &trace)?;
    let said = text(&output.stderr);
    check!(
        said.starts_with(&format!(
            "rtctl: cannot open {KERNEL}: Disk quota exceeded\n"
        )) && said.contains("alice has as many sessions open as a user may have, 1"),
        "it says:\n{said}"
    );
    alice.interrupt()?;
    Ok(())
}
