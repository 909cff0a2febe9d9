// SPDX-License-Identifier: GPL-2.0-only
//! The tool as one that looks for what hides, on a kernel where nothing does; and traces that show if
//! they were changed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::tool::{good, rtctl, text};
use crate::options::Options;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "rtctl check":
    "prints twelve lines and ends with 0 where nothing hides" => clean,
    "runs the checks that are chosen, and tells programs the same" => chosen,
    "watches until an interrupt, and tells nothing where nothing hides" => watches,
    "checks through the nodes system and user what these tell, and says of the rest why not" => other_nodes,
    "names the tracer among those who are on a function" => hooks,
    "writes a chain by which any change of the trace is found" => chained,
}

fn clean(_: &Options) -> Outcome {
    let lines = good(&rtctl(&["check"])?)?;
    check_eq!(lines.lines().count(), 12);
    for (at, line) in lines.lines().enumerate() {
        let begins = format!("ok {:>2} ", at + 1);
        check!(line.starts_with(&begins), "{line}");
    }
    Ok(())
}

fn chosen(_: &Options) -> Outcome {
    let output = rtctl(&["check", "--json", "text", "3", "hunters"])?;
    let checks: Vec<Value> = serde_json::from_str(&good(&output)?)
        .map_err(|error| fail(format!("{error} in:\n{}", text(&output.stdout))))?;
    let names: Vec<_> = checks.iter().map(|check| check["name"].as_str()).collect();
    check_eq!(names, [Some("modules"), Some("text"), Some("hunters")]);
    check!(
        checks.iter().all(|check| check["status"] == "ok"),
        "{checks:?}"
    );
    let output = rtctl(&["check", "nothing"])?;
    check_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    check!(said.contains("there is no check nothing"), "{said}");
    Ok(())
}

fn watches(_: &Options) -> Outcome {
    let mut child = Command::new("rtctl")
        .args(["check", "--watch", "--for", "200ms", "--every", "100ms"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or_else(|| fail("no output"))?;
    let mut lines = BufReader::new(output).lines();
    for at in 1..=12 {
        let line = lines
            .next()
            .ok_or_else(|| fail("fewer than twelve lines"))??;
        check!(line.starts_with(&format!("ok {at:>2} ")), "{line}");
    }
    kill_process(Pid::from_child(&child), Signal::INT)?;
    let more: Vec<_> = lines.collect::<Result<_, _>>()?;
    check!(more.is_empty(), "{more:?}");
    check_eq!(child.wait()?.code(), Some(0));
    Ok(())
}

fn other_nodes(_: &Options) -> Outcome {
    for (user, node) in [("dave", "system"), ("bob", "user")] {
        let output = Command::new("runuser")
            .args(["-u", user, "--", "rtctl", "check", "--json"])
            .output()?;
        let said = text(&output.stdout);
        check_eq!(output.status.code(), Some(2));
        let checks: Vec<Value> =
            serde_json::from_str(&said).map_err(|error| fail(format!("{error} in:\n{said}")))?;
        let mut told = Vec::new();
        for check in checks {
            // Nothing of the kernel's addresses is told.
            check!(!check.to_string().contains("0xffff"), "{node}: {check}");
            if check["status"] == "ok" {
                told.push(check["name"].as_str().unwrap_or_default().to_owned());
                continue;
            }
            check!(check["status"] == "unknown", "{node}: {check}");
            let why = check["why"].as_str().unwrap_or_default();
            check!(!why.is_empty(), "{node}: {check}");
        }
        check_eq!(told, ["tasks", "canary"], "{node}");
        let output = Command::new("runuser")
            .args(["-u", user, "--", "rtctl", "check", "tasks", "canary"])
            .output()?;
        check_eq!(good(&output)?.lines().count(), 2, "{node}");
    }
    Ok(())
}

fn hooks(_: &Options) -> Outcome {
    let mut tracer = Command::new("rtctl")
        .args([
            "-n",
            "fbt::vfs_fsync_range:entry { @ = count(); }",
            "-n",
            "BEGIN",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = tracer.stdout.take().ok_or_else(|| fail("no output"))?;
    // BEGIN has fired: it traces, as long as somebody reads.
    let mut lines = BufReader::new(output).lines();
    let begun = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("BEGIN")));
    let listed = rtctl(&["hooks", "vfs_fsync_range"]);
    kill_process(Pid::from_child(&tracer), Signal::INT)?;
    tracer.wait()?;
    check!(begun.is_some(), "it did not begin");
    let listed = good(&listed?)?;
    let line = listed
        .lines()
        .find(|line| line.contains("`vfs_fsync_range"));
    let line = line.ok_or_else(|| fail(format!("it is not there:\n{listed}")))?;
    check!(
        line.contains("ftrace") && line.contains("rust_tracer"),
        "{line}"
    );
    Ok(())
}

fn chained(_: &Options) -> Outcome {
    const TRACE: &str = "/tmp/rt-chained";
    let chain = format!("{TRACE}.chain");
    let _ = (fs::remove_file(TRACE), fs::remove_file(&chain));
    let traced = rtctl(&[
        "-x",
        "chain=on",
        "-o",
        TRACE,
        "-f",
        "vfs_read",
        "-c",
        "cat /etc/passwd",
    ])?;
    good(&traced)?;
    let said = text(&traced.stderr);
    let digest = said
        .split("sha256:")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let digest = digest.ok_or_else(|| fail(format!("no digest in:\n{said}")))?;
    let verified = good(&rtctl(&["verify", "--digest", digest, TRACE])?)?;
    check!(verified.starts_with("ok: "), "{verified}");
    // It is not written over.
    let again = rtctl(&[
        "-x", "chain=on", "-o", TRACE, "-f", "vfs_read", "-c", "true",
    ])?;
    check_eq!(again.status.code(), Some(1));

    let whole = fs::read(TRACE)?;
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(TRACE, &changed)?;
    check_eq!(rtctl(&["verify", TRACE])?.status.code(), Some(1));
    fs::write(TRACE, &whole)?;
    let links = fs::read(&chain)?;
    for at in [9, links.len() / 3, links.len() - 1] {
        let mut changed = links.clone();
        changed[at] ^= 1;
        fs::write(&chain, &changed)?;
        check_eq!(rtctl(&["verify", TRACE])?.status.code(), Some(1));
    }
    fs::write(&chain, &links)?;
    good(&rtctl(&["verify", TRACE])?)?;
    let _ = (fs::remove_file(TRACE), fs::remove_file(&chain));
    Ok(())
}
