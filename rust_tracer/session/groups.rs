// SPDX-License-Identifier: GPL-2.0

//! The groups of a program's clauses to which probes belong: sets of the caller's numbers.
//!
//! Thousands of probes share a few sets, so a probe keeps the number of its set. A set is another
//! one and one more group; so they form a tree, whose root is the empty set.
//!
//! ```text
//!   0: {} ──1──► 1: {1} ──2──► 3: {1, 2}
//!      └────2──► 2: {2}
//! ```

#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::refusal::Refusal;

/// The number of a set; 0 is the empty one.
pub(super) type Set = u32;

/// Sets of one session: more than any program needs, and few enough to be walked through.
const SETS_MAX: usize = 16384;

struct Node {
    parent: Set,
    group: u32,
}

/// All sets of a session.
pub(super) struct Groups {
    /// Set `n` is `nodes[n - 1]`.
    nodes: KVVec<Node>,
}

/// Where each set goes when a group is added, as far as it was asked.
pub(super) struct Step {
    group: u32,
    /// By set, plus one; 0: not asked yet.
    to: KVVec<Set>,
    /// Sets that may be gone through to find others.
    left: u64,
}

impl Step {
    /// For the probes that are added under a group; 0: none.
    pub(super) fn new(group: u32) -> Self {
        Self::within(group, u64::MAX)
    }

    /// The same where others wait: for as long as no more than so many sets are gone through.
    pub(super) fn within(group: u32, left: u64) -> Self {
        Self {
            group,
            to: KVVec::new(),
            left,
        }
    }

    /// How many may still be gone through.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl Groups {
    pub(super) const fn new() -> Self {
        Self {
            nodes: KVVec::new(),
        }
    }

    /// How many sets there are, without the empty one.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets the sets from there on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    fn node(&self, set: Set) -> Option<&Node> {
        self.nodes.get((set as usize).checked_sub(1)?)
    }

    /// The groups of a set.
    pub(super) fn of(&self, set: Set) -> impl Iterator<Item = u32> + '_ {
        // A parent's number is below its child's.
        let nodes = core::iter::successors(self.node(set), |node| self.node(node.parent));
        nodes.map(|node| node.group)
    }

    /// The set with the step's group added.
    pub(super) fn with(&mut self, set: Set, step: &mut Step) -> Result<Set, Refusal> {
        if step.group == 0 {
            return Ok(set);
        }
        let at = set as usize;
        if at >= step.to.len() {
            step.to.resize(at + 1, 0, GFP_KERNEL)?;
        }
        if let Some(known) = step.to.get(at).and_then(|to| to.checked_sub(1)) {
            return Ok(known);
        }
        let left = step.left.checked_sub(self.len() as u64);
        step.left = left.ok_or_else(|| {
            Refusal::new(
                E2BIG,
                "the probes of a module that came are in too many sets of groups to be found while it \
                 waits: give probes that have the same clauses the same groups",
            )
        })?;
        let to = self.find(set, step.group)?;
        if let Some(slot) = step.to.get_mut(at) {
            *slot = to + 1;
        }
        Ok(to)
    }

    fn find(&mut self, set: Set, group: u32) -> Result<Set, Refusal> {
        if self.of(set).any(|of| of == group) {
            return Ok(set);
        }
        let mut nodes = self.nodes.iter();
        if let Some(at) = nodes.position(|n| n.parent == set && n.group == group) {
            return Ok(at as Set + 1);
        }
        if self.nodes.len() >= SETS_MAX {
            return Err(Refusal::with(
                ENOSPC,
                fmt!(
                    "the probes of a session may be in {SETS_MAX} different sets of groups: give \
                     probes that have the same clauses the same groups"
                ),
            ));
        }
        let node = Node { parent: set, group };
        self.nodes.push(node, GFP_KERNEL_ACCOUNT)?;
        Ok(self.nodes.len() as Set)
    }
}
