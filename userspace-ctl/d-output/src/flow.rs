// SPDX-License-Identifier: GPL-2.0-only
//! `-F`: entries and returns indented by the depth of calls, for each thread, and for
//! interrupts apart from the thread that they interrupt.
//!
//! As in libdtrace, an entry indents what follows, a return goes back, and further clauses of
//! the same probe's firing do neither: they stand behind a bar.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use crate::record::Firing;
use crate::world::Probe;

/// No deeper indentation: characters.
const DEEPEST: usize = 512;
/// So many threads are known before those that are in no call are forgotten, and twice as many as were left then before
/// the next time.
const THREADS: usize = 1024;
/// So many, and all are: most of them have ended in a call.
const THREADS_MOST: usize = 1 << 16;
/// RTRACE_CONTEXT_TASK
const TASK: u8 = 0;

#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    indent: usize,
    /// The last record's probe and clause.
    last: Option<(u32, u32)>,
}

/// Which way a probe leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Entry,
    Return,
    None,
}

impl Way {
    /// By the probe's name: `entry`, `something-entry`; return likewise.
    fn of(name: &str) -> Self {
        let is = |way: &str| {
            let stem = name.strip_suffix(way);
            stem.is_some_and(|stem| stem.is_empty() || stem.ends_with('-'))
        };
        match () {
            () if is("entry") => Self::Entry,
            () if is("return") => Self::Return,
            () => Self::None,
        }
    }
}

/// Who is how deep in calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    threads: HashMap<(u8, u32), Thread>,
    /// How many were left the last time.
    left: usize,
}

impl Flow {
    /// Firings were lost: nobody knows any more which calls are open.
    pub(crate) fn restart(&mut self) {
        self.threads.clear();
    }

    /// A record's line, indented.
    pub(crate) fn line(&mut self, firing: &Firing, probe: &Probe) -> String {
        let whose = match firing.context {
            TASK => (TASK, firing.tid),
            context => (context, firing.cpu),
        };
        if self.threads.len() >= THREADS.max(2 * self.left) {
            self.threads.retain(|_, thread| thread.indent > 0);
            if self.threads.len() >= THREADS_MOST / 2 {
                self.threads.clear();
            }
            self.left = self.threads.len();
        }
        let thread = self.threads.entry(whose).or_default();
        // Clauses run in their order: an earlier one, or the same, is of another firing.
        let again = thread
            .last
            .is_some_and(|(last, clause)| last == firing.probe && clause < firing.clause);
        thread.last = Some((firing.probe, firing.clause));
        let call = probe.provider == "syscall";
        let way = Way::of(&probe.name);
        let Probe { function, name, .. } = probe;
        let indent = thread.indent;
        match way {
            Way::Entry if !again => {
                thread.indent = (indent + 2).min(DEEPEST);
                let arrow = if call { " => " } else { " -> " };
                format!("{:indent$}{arrow}{function}", "")
            }
            Way::Return if !again => {
                let indent = indent.saturating_sub(2);
                thread.indent = indent;
                let arrow = if call { " <= " } else { " <- " };
                format!("{:indent$}{arrow}{function}", "")
            }
            _ => format!("{:indent$}| {function}:{name}", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_end_in_a_call_are_forgotten_and_not_looked_through_each_time() {
        let probe = Probe {
            function: "do_exit".into(),
            name: "entry".into(),
            ..Probe::default()
        };
        let mut flow = Flow::default();
        let (mut most, mut sweeps) = (0, 0);
        for tid in 0..4 * THREADS_MOST as u32 {
            let firing = Firing {
                context: TASK,
                time: 0,
                probe: 0,
                cpu: 0,
                pid: tid,
                tid,
                clause: 0,
                count: 0,
                speculation: 0,
                items: &[],
            };
            let left = flow.left;
            flow.line(&firing, &probe);
            sweeps += u32::from(flow.left != left);
            most = most.max(flow.threads.len());
        }
        assert!(most <= THREADS_MOST, "{most}");
        assert!(sweeps < 100, "{sweeps}");
    }
}
