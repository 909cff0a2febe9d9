// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl check --watch`: what comes while it watches is told, also what is over at once.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::toy::Toy;
use crate::guest;
use crate::options::Options;
use crate::test::{Outcome, check_eq, fail, group};
use crate::waiting;

group! { "rogue, watched":
    "who looks for symbols is told when it is over, and who hides until he does not" => told,
}

/// How long is slept between two looks at how long that has been.
const OFTEN: Duration = Duration::from_millis(100);

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
        waiting::until(
            || Ok(guest::enabled_functions()?.contains("register_kprobe ")),
            || "it does not begin".to_owned(),
        )?;
        Ok(watching)
    }

    /// Waits for an object of this kind, by this check, about this.
    fn tells(&self, kind: &str, check: &str, mark: &str) -> Outcome {
        let mut others = Vec::new();
        waiting::until(
            || {
                let line = match self.lines.recv_timeout(OFTEN) {
                    Ok(line) => line,
                    Err(RecvTimeoutError::Timeout) => return Ok(false),
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(fail(format!("it has ended, and told {others:#?}")));
                    }
                };
                let object: Value = serde_json::from_str(&line).map_err(fail)?;
                let is_it =
                    object["kind"] == kind && object["check"] == check && line.contains(mark);
                others.push(line);
                Ok(is_it)
            },
            || format!("no {kind} of {check} about {mark}"),
        )
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
