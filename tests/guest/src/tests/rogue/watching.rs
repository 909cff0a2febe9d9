// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl check --watch`: what comes while it watches is told, also what is over at once.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::limit_ns;
use super::toy::Toy;
use crate::guest;
use crate::options::Options;
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "rogue, watched":
    "who looks for symbols is told when it is over, and who hides until he does not" => told,
}

/// A running `rtctl check --watch --json`.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn begin() -> Outcome<Self> {
        let mut child = Command::new("rtctl")
            .args(["check", "--watch", "--json", "--for", "1s", "--every", "1s"])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or_else(|| fail("no output"))?;
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let watching = Self { child, lines };
        let begun = sys::now();
        while !guest::enabled_functions()?.contains("register_kprobe ") {
            check!(sys::now() - begun < limit_ns(), "it does not begin");
            sys::give_way();
        }
        Ok(watching)
    }

    /// Waits for an object of this kind, by this check, about this.
    fn tells(&self, kind: &str, check: &str, mark: &str) -> Outcome {
        let begun = sys::now();
        let mut others = Vec::new();
        loop {
            let passed = sys::now() - begun;
            check!(
                passed < limit_ns(),
                "no {kind} of {check} about {mark}, but {others:#?}"
            );
            let left = Duration::from_nanos(limit_ns() - passed);
            let Ok(line) = self.lines.recv_timeout(left) else {
                continue;
            };
            let object: Value = serde_json::from_str(&line).map_err(fail)?;
            if object["kind"] == kind && object["check"] == check && line.contains(mark) {
                return Ok(());
            }
            others.push(line);
        }
    }

    /// Ends it; returns its exit status.
    fn end(mut self) -> Outcome<Option<i32>> {
        kill_process(Pid::from_child(&self.child), Signal::INT)?;
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Only when a test fails on the way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(options: &Options) -> Outcome {
    let watching = Watching::begin()?;
    let hunter = Toy::load(options, "rt_rogue_hunter", "")?;
    watching.tells("finding", "hunters", "rt_rogue_hunter")?;
    hunter.undo()?;
    let hidden = Toy::load(options, "rt_rogue_hide", "hide=list")?;
    hidden.tell("hide")?;
    watching.tells("finding", "modules", "rt_rogue_hide")?;
    hidden.undo()?;
    watching.tells("gone", "modules", "rt_rogue_hide")?;
    check_eq!(watching.end()?, Some(1));
    Ok(())
}
