// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl doctor`: for each node whether its caller may use it and, if not, which
//! one rule stands in the way, and what an admin would do.
//!
//! It finds out by opening: whatever the rules are, that is what counts.

use std::io::{self, Write};

use anyhow::Result;
use rust_tracer::{Access, Error, Node, Session};
use serde_json::json;

use crate::access::obstacle::{Obstacle, Rule};
use crate::access::rights::{Person, Rights, group_name};
use crate::access::system::System;
use crate::cli::Format;
use crate::output::array;

/// What somebody may do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    Trace,
    Observe,
    Nothing,
}

impl May {
    fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Observe => "observe",
            Self::Nothing => "nothing",
        }
    }
}

/// How it stands with a node.
struct Finding {
    node: Node,
    may: May,
    /// What is between the caller and tracing.
    obstacle: Option<Obstacle>,
}

/// Who asks, of which system.
struct Patient {
    person: Person,
    system: System,
}

/// Examines all nodes. Returns whether one can be traced through.
pub fn run(format: Format, out: &mut impl Write) -> Result<bool> {
    let patient = Patient {
        person: Person::current(),
        system: System::read(),
    };
    let open = |node, access| Session::open_for(node, access).map(drop);
    let rights = |node: Node| Rights::read(&node.path());
    let findings = Node::ALL
        .into_iter()
        .map(|node| patient.examine(node, &open, &rights))
        .collect::<Vec<_>>();
    match format {
        Format::Text => patient.text(out, &findings)?,
        Format::Json => patient.json(out, &findings)?,
    }
    out.flush()?;
    Ok(findings.iter().any(|finding| finding.may == May::Trace))
}

impl Patient {
    fn examine(
        &self,
        node: Node,
        open: &impl Fn(Node, Access) -> rust_tracer::Result<()>,
        rights: &impl Fn(Node) -> Option<Rights>,
    ) -> Finding {
        let Err(error) = open(node, Access::Trace) else {
            return Finding {
                node,
                may: May::Trace,
                obstacle: None,
            };
        };
        let obstacle = match &error {
            Error::Open { source, .. } => Obstacle::find(
                node,
                Access::Trace,
                source,
                rights(node).as_ref(),
                &self.person,
                &self.system,
            ),
            // It opens, and what answers is no module of this tool's.
            other => Obstacle {
                rule: Rule::Other,
                why: other.to_string(),
                advice: other.to_string(),
                remedy: "install the module and the tools of one version: make install".into(),
            },
        };
        // What keeps somebody from writing may still let him read.
        let rights = matches!(obstacle.rule, Rule::Mode | Rule::Group | Rule::Login);
        let observes = rights && open(node, Access::Observe).is_ok();
        Finding {
            node,
            may: if observes { May::Observe } else { May::Nothing },
            obstacle: Some(obstacle),
        }
    }

    fn text(&self, out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
        for (what, value) in self.lines() {
            writeln!(out, "{what:<10}{value}")?;
        }
        writeln!(out, "\n{:<27}{:<11}WHY NOT MORE", "NODE", "YOU MAY")?;
        for Finding {
            node,
            may,
            obstacle,
        } in findings
        {
            let path = node.path();
            let (path, may) = (path.display().to_string(), may.name());
            match obstacle {
                Some(Obstacle { rule, why, .. }) => {
                    writeln!(out, "{path:<27}{may:<11}{rule}: {why}")
                }
                None => writeln!(out, "{path:<27}{may}"),
            }?;
        }
        let remedies = remedies(findings);
        if !remedies.is_empty() {
            writeln!(out, "\nWhat an admin would do:")?;
        }
        for (nodes, remedy) in remedies {
            let nodes: Vec<_> = nodes.into_iter().map(Node::name).collect();
            let of = match nodes.len() == Node::ALL.len() {
                true => "all".to_owned(),
                false => nodes.join(", "),
            };
            writeln!(out, "  {:<16}{remedy}", format!("{of}:"))?;
        }
        Ok(())
    }

    /// What was looked at, by name.
    fn lines(&self) -> [(&'static str, String); 4] {
        let Self { person, system } = self;
        let groups: Vec<_> = person.gids.iter().map(|&gid| group_name(gid)).collect();
        let namespace = match system.initial {
            true => "",
            false => ", in a user namespace",
        };
        let rust = match &system.rust {
            Some((true, from)) => format!("with Rust ({})", from.display()),
            Some((false, from)) => format!("without Rust ({})", from.display()),
            None => {
                "and whether it has Rust is unknown (its configuration is not to be found)".into()
            }
        };
        let module = match (system.loaded, &system.file) {
            (true, _) => "loaded".to_owned(),
            (false, Some(file)) => format!("not loaded; {}", file.display()),
            (false, None) => "not loaded, and not there for this kernel".to_owned(),
        };
        let lockdown = system
            .lockdown
            .as_deref()
            .unwrap_or("unknown, or not there");
        [
            (
                "you",
                format!(
                    "{} (uid {}), in the groups {}{namespace}",
                    person.name,
                    person.uid,
                    groups.join(" ")
                ),
            ),
            ("kernel", format!("{}, {rust}", system.release)),
            ("module", module),
            ("lockdown", lockdown.to_owned()),
        ]
    }

    fn json(&self, out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
        let Self { person, system } = self;
        let head = json!({
            "kind": "system", "user": person.name, "uid": person.uid,
            "kernel": system.release,
            "rust": system.rust.as_ref().map(|(has, _)| *has),
            "rust_from": system.rust.as_ref().map(|(_, from)| from.to_string_lossy()),
            "loaded": system.loaded,
            "module_file": system.file.as_ref().map(|file| file.to_string_lossy()),
            "lockdown": system.lockdown,
            "initial_user_namespace": system.initial,
        });
        let nodes = findings.iter().map(|finding| {
            let mut node = json!({
                "kind": "node", "node": finding.node.name(),
                "path": finding.node.path().to_string_lossy(), "may": finding.may.name(),
            });
            if let Some(Obstacle {
                rule, why, remedy, ..
            }) = &finding.obstacle
            {
                node["rule"] = rule.name().into();
                node["why"] = why.as_str().into();
                node["remedy"] = remedy.as_str().into();
            }
            node
        });
        array(out, std::iter::once(head).chain(nodes))
    }
}

/// What would help, each once, with the nodes for which it would.
fn remedies(findings: &[Finding]) -> Vec<(Vec<Node>, &str)> {
    let mut remedies: Vec<(Vec<Node>, &str)> = Vec::new();
    for Finding { node, obstacle, .. } in findings {
        let Some(obstacle) = obstacle else { continue };
        match remedies.iter_mut().find(|(_, of)| *of == obstacle.remedy) {
            Some((nodes, _)) => nodes.push(*node),
            None => remedies.push((vec![*node], &obstacle.remedy)),
        }
    }
    remedies
}

#[cfg(test)]
#[path = "doctor_tests.rs"]
mod tests;
