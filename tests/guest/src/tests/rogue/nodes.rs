// SPDX-License-Identifier: GPL-2.0-only
//! Through a node that tells nothing of the kernel's addresses, who runs is compared with /proc all the same.

#![forbid(unsafe_code)]

use std::process::{Command, Output};

use super::scene::{Scene, task_is_not_listed};
use super::toy::Toy;
use crate::options::Options;
use crate::test::{Outcome, check, check_eq, group};

group! { "rogue, other nodes":
    "a task that /proc does not list is found through the node system" => unlisted_task,
}

fn checked() -> Outcome<Output> {
    let mut command = Command::new("runuser");
    Ok(command
        .args(["-u", "dave", "--", "rtctl", "check", "tasks"])
        .output()?)
}

fn unlisted_task(options: &Options) -> Outcome {
    let scene = Scene::new()?;
    check_eq!(checked()?.status.code(), Some(0), "before");
    let parameters = format!("what=iterate pid={}", scene.pid());
    let toy = Toy::load(options, "rt_rogue_ops", &parameters)?;
    check!(task_is_not_listed(&scene, Some(&toy))?, "it is listed");
    let output = checked()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let thread = format!("the thread {0} of the process {0} ", scene.pid());
    check!(said.contains(&thread), "not found: {said}");
    check!(!said.contains("0xffff"), "addresses: {said}");
    check_eq!(output.status.code(), Some(1), "{said}");
    toy.undo()?;
    check_eq!(checked()?.status.code(), Some(0), "afterwards");
    Ok(())
}
