// SPDX-License-Identifier: GPL-2.0-only
//! The command lines that users are told to type.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::actor::Actor;
use crate::guest;
use crate::options::Options;
use crate::session::KERNEL;
use crate::sys;
use crate::target::{Target, plain_args};
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "rtctl":
    "traces a command with arguments, value and elapsed" => traces_a_command,
    "tells a user without a group which node, which mode, and whom to ask" => carol,
    "works for a user of the group without any other right" => alice,
    "shows bob his own reads by the node user, and not one of root's who reads all the time" => bob,
    "shows dave whose reads there were by the node system, and no data" => dave,
    "lists probes and matches what the module lists" => lists,
    "prints one object of JSON a line, and the ledger's law holds in its last" => json,
    "narrows to its command with --target-only, and counts what it left out" => target_only,
    "ends at an interrupt with everything read and the ledger printed" => interrupted,
    "ends with the command's target and reports no drops for a few events" => quiet_end,
    "refuses an unknown probe as dtrace does" => unknown_probe,
    "runs a command with -Z though there is no probe, by option or letter, with a clause or not" => zero,
}

pub(super) fn rtctl(arguments: &[&str]) -> Outcome<Output> {
    Command::new("rtctl")
        .args(arguments)
        .output()
        .map_err(|error| fail(format!("rtctl: {error}")))
}

fn as_user(user: &str, arguments: &[&str]) -> Outcome<Output> {
    Ok(Command::new("runuser")
        .args(["-u", user, "--", "rtctl"])
        .args(arguments)
        .output()?)
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The tool must have ended well.
pub(super) fn good(output: &Output) -> Outcome<String> {
    check!(
        output.status.success(),
        "rtctl: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}

const DONE_WHEN: [&str; 7] = [
    "-c",
    "cat /etc/passwd",
    "-n",
    "fbt::vfs_read:entry",
    "-n",
    "fbt::vfs_read:return",
    "-v",
];

fn check_done_when(output: &Output) -> Outcome {
    let found = good(output)?;
    check!(
        found.contains("root:x:0:0:"),
        "the command's own output is missing:\n{found}"
    );
    let lines =
        |of: &str| -> Vec<&str> { found.lines().filter(|line| line.contains(of)).collect() };
    let (entries, returns) = (lines("vfs_read:entry"), lines("vfs_read:return"));
    check!(
        !entries.is_empty() && !returns.is_empty(),
        "no entry or no return in:\n{found}"
    );
    for entry in entries {
        for argument in 0..6 {
            // The value is a number or, where a register held an address of the kernel, a symbol.
            let argument = format!(" arg{argument}=");
            check!(entry.contains(&argument), "{argument} is not in {entry}");
        }
    }
    for ret in returns {
        check!(
            ret.contains(" = ") && ret.ends_with(" ns"),
            "no value or no time in {ret}"
        );
    }
    Ok(())
}

fn traces_a_command(_: &Options) -> Outcome {
    check_done_when(&rtctl(&DONE_WHEN)?)
}

fn carol(_: &Options) -> Outcome {
    let output = as_user("carol", &DONE_WHEN)?;
    check!(!output.status.success(), "carol traces");
    let said = text(&output.stderr);
    for part in [KERNEL, "rtrace-kernel"] {
        check!(said.contains(part), "{part} is not in:\n{said}");
    }
    check!(
        said.contains("660") || said.contains("rw-rw----"),
        "the mode is not in:\n{said}"
    );
    check!(
        !text(&output.stdout).contains("root:x:0:0:"),
        "the command was run all the same"
    );
    Ok(())
}

fn alice(_: &Options) -> Outcome {
    check_done_when(&as_user("alice", &DONE_WHEN)?)
}

/// What a user's tool shows of vfs_read's returns while the command and root read.
fn reads_beside_root(user: &str) -> Outcome<Vec<Value>> {
    let stop = std::path::PathBuf::from(format!("/tmp/rt-reads-{user}"));
    let root = Actor::start(|_| {
        while !stop.exists() {
            std::fs::read("/etc/passwd")?;
        }
        Ok(())
    })?;
    let output = as_user(
        user,
        &[
            "--format",
            "json",
            "-c",
            "ls -lR /etc",
            "-n",
            "fbt::vfs_read:return",
            "-v",
        ],
    );
    std::fs::write(&stop, "")?;
    root.end()?;
    std::fs::remove_file(&stop)?;
    let found = good(&output?)?;
    let objects = found
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let returns: Vec<Value> = objects
        .filter(|object| object["kind"] == "return")
        .collect();
    check!(!returns.is_empty(), "no returns in:\n{found}");
    for object in &returns {
        check!(object.get("value").is_none(), "a value in {object}");
    }
    Ok(returns)
}

fn bob(_: &Options) -> Outcome {
    let (uid, _) = sys::ids::ids_of("bob")?;
    let returns = reads_beside_root("bob")?;
    for object in &returns {
        check_eq!(object["uid"], Value::from(uid), "the user in {object}");
    }
    let by_ls = returns.iter().filter(|object| object["execname"] == "ls");
    check!(
        by_ls.count() > 0,
        "no read by ls among {} returns",
        returns.len()
    );
    Ok(())
}

fn dave(_: &Options) -> Outcome {
    let returns = reads_beside_root("dave")?;
    let by = |uid: u32| returns.iter().filter(|object| object["uid"] == uid).count();
    check!(by(0) > 0, "no read by root among {} returns", returns.len());
    check!(by(sys::ids::ids_of("dave")?.0) > 0, "no read by dave's ls");
    for object in &returns {
        check!(
            object.get("result").is_none_or(Value::is_null),
            "a result in {object}"
        );
    }
    Ok(())
}

fn lists(_: &Options) -> Outcome {
    let listed = good(&rtctl(&["-l", "-n", "fbt:rt_target:rt_tail_*:entry"])?)?;
    let lines: Vec<_> = listed.lines().collect();
    check_eq!(lines.len(), 3, "lines of:\n{listed}");
    let heading: Vec<_> = lines[0].split_whitespace().collect();
    check_eq!(heading, ["ID", "PROVIDER", "MODULE", "FUNCTION", "NAME"]);
    let session = crate::session::Session::open()?;
    let functions = session.functions("rt_target:rt_tail_*", 0, 1 << 16)?;
    for (line, function) in lines[1..].iter().zip(&functions) {
        let fields: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let expected = [
            function.head.entry_id.to_string(),
            "fbt".to_owned(),
            function.module.clone(),
            function.name.clone(),
            "entry".to_owned(),
        ];
        check_eq!(fields, expected);
    }
    Ok(())
}

/// Traces a command that makes 25 calls of rt_plain.
fn calls(more: &[&str]) -> Outcome<Output> {
    let mut arguments = vec!["-c", "sh -c 'echo plain 25 > /dev/rt_target'"];
    arguments.extend_from_slice(more);
    rtctl(&arguments)
}

fn json(_: &Options) -> Outcome {
    let probe = "fbt:rt_target:rt_plain:";
    let output = calls(&["--format", "json", "-n", probe])?;
    let found = good(&output)?;
    let mut entries = Vec::new();
    let mut returns = 0;
    let mut ledger = Value::Null;
    for line in found.lines() {
        let object: Value = serde_json::from_str(line)
            .map_err(|error| fail(format!("{error} in the line {line}")))?;
        check!(object.is_object(), "no object: {line}");
        match object.get("kind").and_then(Value::as_str) {
            Some("entry") => entries.push(object),
            Some("return") => returns += 1,
            Some("ledger") => ledger = object,
            _ => {}
        }
    }
    check_eq!(
        (entries.len(), returns),
        (25, 25),
        "entries and returns in:\n{found}"
    );
    for (i, entry) in (0..).zip(&entries) {
        let args: Vec<String> = plain_args(i)
            .iter()
            .map(|arg| format!("{arg:#x}"))
            .collect();
        check_eq!(
            entry["args"],
            Value::from(args),
            "the arguments of call {i}"
        );
    }
    for (member, count) in [
        ("fired", 50),
        ("recorded", 50),
        ("entered", 25),
        ("read", 50),
    ] {
        check_eq!(ledger[member], Value::from(count), "{member} in {ledger}");
    }
    check_eq!(ledger["holds"], Value::Bool(true), "whether the law holds");
    Ok(())
}

/// The closing ledger in the tool's JSON.
fn ledger(output: &str) -> Outcome<Value> {
    output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|object| object["kind"] == "ledger")
        .ok_or_else(|| fail(format!("no ledger in:\n{output}")))
}

fn target_only(_: &Options) -> Outcome {
    // 25 calls by the command, 10 by a kernel thread that it has started.
    let command = "sh -c 'echo plain 25 > /dev/rt_target; echo storm 1 10 > /dev/rt_target'";
    let probe = "fbt:rt_target:rt_plain:entry";
    for (more, recorded, filtered) in [(&["--target-only"][..], 25, 10), (&[][..], 35, 0)] {
        let mut arguments = vec!["--format", "json", "-c", command, "-n", probe];
        arguments.extend_from_slice(more);
        let ledger = ledger(&good(&rtctl(&arguments)?)?)?;
        check_eq!(
            ledger["recorded"],
            Value::from(recorded),
            "recorded with {more:?}"
        );
        check_eq!(
            ledger["filtered"],
            Value::from(filtered),
            "filtered with {more:?}"
        );
    }
    Ok(())
}

fn interrupted(_: &Options) -> Outcome {
    let target = Target::open()?;
    let mut tool = Command::new("rtctl")
        .args(["--format", "json", "-n", "fbt:rt_target:rt_plain:"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    while !guest::enabled_functions()?.contains("rt_plain") {
        check!(tool.try_wait()?.is_none(), "rtctl ended");
        sys::give_way();
    }
    // Attached is not yet running: the first calls may come too early, and are not counted on.
    let mut output = BufReader::new(tool.stdout.take().ok_or_else(|| fail("no pipe"))?);
    let mut text = String::new();
    while text.is_empty() {
        target.run("plain 1")?;
        if sys::poll(output.get_ref(), libc::POLLIN, 10)? & libc::POLLIN != 0 {
            output.read_line(&mut text)?;
        }
    }
    target.run("plain 40")?;
    let pid = Pid::from_child(&tool);
    kill_process(pid, Signal::INT)?;
    output.read_to_string(&mut text)?;
    let status = tool.wait()?;
    check!(status.success(), "rtctl after an interrupt: {status}");
    let ledger = ledger(&text)?;
    check_eq!(ledger["holds"], Value::Bool(true), "whether the law holds");
    check!(
        ledger["returned"]
            .as_u64()
            .is_some_and(|returned| returned > 40),
        "the last calls are missing in {ledger}"
    );
    Ok(())
}

fn quiet_end(_: &Options) -> Outcome {
    let output = calls(&["-q", "-n", "fbt:rt_target:rt_plain:entry"])?;
    good(&output)?;
    check!(
        !text(&output.stderr).contains("drops"),
        "drops: {}",
        text(&output.stderr)
    );
    // A command that fails is not the tool's failure.
    let output = rtctl(&["-q", "-c", "false", "-n", "fbt:rt_target:rt_plain:entry"])?;
    good(&output)?;
    Target::open()?;
    Ok(())
}

fn unknown_probe(_: &Options) -> Outcome {
    let output = rtctl(&["-n", "fbt::no_such_function:entry"])?;
    check_eq!(output.status.code(), Some(1), "the exit status");
    let said = text(&output.stderr);
    check!(
        said.contains("fbt::no_such_function:entry") && said.contains("does not match any probes"),
        "it says:\n{said}"
    );
    Ok(())
}

fn zero(_: &Options) -> Outcome {
    for text in [
        "nosuch",
        "nosuch:::probe { trace(1); }",
        "fbt::no_such_function:entry",
    ] {
        for zero in [&["-Z"][..], &["-x", "zdefs"]] {
            let words = ["-q", "-n", text, "-c", "echo on"];
            let output = rtctl(&[zero, &words[..]].concat())?;
            let out = good(&output)?;
            check!(
                out.starts_with("on\n"),
                "{zero:?}, {text}: it prints {out:?}"
            );
        }
    }
    Ok(())
}
