// SPDX-License-Identifier: GPL-2.0-only
//! Opening a node, and saying why not and what to do.
//!
//! ```text
//!   open(2) says no --> errno  \
//!   the node's rights           >  Obstacle: the one rule that stands in the way
//!   who asks, on which system  /
//! ```
//! Whoever explains (a trace that cannot begin, `rtctl doctor`) takes the words
//! from there.

pub mod obstacle;
pub mod rights;
pub mod system;

use std::io;

use anyhow::{Result, anyhow};
use rust_tracer::{Access, Error, Node, Session};

use obstacle::{Obstacle, Rule};
use rights::{Person, Rights};
use system::System;

/// A node that did not open.
type Refused = (Node, io::Error);

/// Opens the node that was asked for, or the most privileged one that opens.
pub fn open(node: Option<Node>, access: Access) -> Result<Session> {
    let mut refused = Vec::new();
    for &node in choice(&node) {
        if let Some(session) = try_open(node, access, &mut refused)? {
            return Ok(session);
        }
    }
    Err(explain(&refused, access))
}

/// Opens every node that opens, or the one that was asked for, one after the other,
/// until `each` has what it wants. An error if none opens.
pub fn open_each<T>(
    node: Option<Node>,
    access: Access,
    mut each: impl FnMut(Session) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let mut refused = Vec::new();
    let choice = choice(&node);
    for &node in choice {
        if let Some(session) = try_open(node, access, &mut refused)? {
            if let Some(found) = each(session)? {
                return Ok(Some(found));
            }
        }
    }
    if refused.len() == choice.len() {
        return Err(explain(&refused, access));
    }
    Ok(None)
}

fn choice(node: &Option<Node>) -> &[Node] {
    match node {
        Some(node) => std::slice::from_ref(node),
        None => &Node::ALL,
    }
}

/// `None` if the node does not open.
fn try_open(node: Node, access: Access, refused: &mut Vec<Refused>) -> Result<Option<Session>> {
    match Session::open_for(node, access) {
        Ok(session) => Ok(Some(session)),
        Err(Error::Open { source, .. }) => {
            refused.push((node, source));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Why none of the nodes opens.
fn explain(refused: &[Refused], access: Access) -> anyhow::Error {
    let (person, system) = (Person::current(), System::read());
    let found: Vec<_> = refused
        .iter()
        .map(|(node, error)| {
            let rights = Rights::read(&node.path());
            let obstacle = Obstacle::find(*node, access, error, rights.as_ref(), &person, &system);
            (*node, error, rights, obstacle)
        })
        .collect();
    anyhow!(refusals(&found, &person))
}

/// One node in full: the first that lets one in by its rights, or else that is there,
/// or else the first; the others in a line if it is their rights as well.
fn refusals(found: &[(Node, &io::Error, Option<Rights>, Obstacle)], person: &Person) -> String {
    let of_node = |rule| matches!(rule, Rule::Mode | Rule::Group | Rule::Login);
    let absent = |rule| matches!(rule, Rule::Node | Rule::Module | Rule::Rust);
    let position = |wanted: &dyn Fn(Rule) -> bool| {
        found
            .iter()
            .position(|(.., obstacle)| wanted(obstacle.rule))
    };
    let first = position(&|rule| !absent(rule) && !of_node(rule))
        .or_else(|| position(&|rule| !absent(rule)))
        .unwrap_or(0);
    let Some((node, error, rights, obstacle)) = found.get(first) else {
        return "there is no node to open".into();
    };
    let path = node.path();
    let mut text = format!("cannot open {}: {}", path.display(), plain(error));
    if let Some(rights) = rights.as_ref().filter(|_| of_node(obstacle.rule)) {
        text += &format!("\n  {}", rights.line(person));
    }
    text += &format!("\n  {}", obstacle.advice);
    let others: Vec<_> = found[first + 1..]
        .iter()
        .filter(|(.., obstacle)| of_node(obstacle.rule))
        .filter_map(|(node, _, rights, _)| {
            let rights = rights.as_ref()?;
            Some(format!("{} ({})", node.path().display(), rights.brief()))
        })
        .collect();
    if of_node(obstacle.rule) && !others.is_empty() {
        text += "\n  nor are you let into what shows less: ";
        text += &others.join(", ");
    }
    text
}

/// The system's words without the number.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
#[path = "access/tests.rs"]
mod tests;
