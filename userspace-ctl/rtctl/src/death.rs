// SPDX-License-Identifier: GPL-2.0-only
//! What is said when a session was ended by somebody else: by whom or by which
//! rule, and what to do.

use rust_tracer::{Node, abi};

/// DTrace's words for its deadman.
const DEADMAN: &str = "processing aborted: Abort due to systemic unresponsiveness";

/// Why the caller's own session is dead.
pub fn own(reason: u32, node: Option<Node>) -> String {
    let node = path(node);
    match reason {
        abi::RTRACE_REASON_REVOKED => format!(
            "processing aborted: {node} does not admit you any more: its mode, owner or ACL was \
             changed (rtctl doctor says what is missing)"
        ),
        abi::RTRACE_REASON_ADMIN => "processing aborted: the session was revoked, by an admin or \
                                     by a process of yours (rtctl revoke): an admin finds in the \
                                     audit trail by whom (ausearch -m KERNEL_OTHER)"
            .into(),
        abi::RTRACE_REASON_LOCKDOWN => "processing aborted: the kernel was locked down \
                                        (confidentiality), which forbids tracing until it is \
                                        booted anew"
            .into(),
        abi::RTRACE_REASON_SILENT => format!(
            "{DEADMAN}\n  the records were not read for so long as the module's parameter \
             deadman_seconds allows: was rtctl stopped, or did it wait for its output?"
        ),
        abi::RTRACE_REASON_BURDEN => format!(
            "{DEADMAN}\n  the probes took more of a CPU than the module's parameter burden_percent \
             allows: trace fewer functions"
        ),
        abi::RTRACE_REASON_EVENTS => "processing aborted: your sessions fired more often in a \
                                      second than you may have (the module's parameter \
                                      events_per_uid): trace fewer functions, or ask an admin for \
                                      more"
            .into(),
        _ => format!("processing aborted: the module ended the session (reason {reason})"),
    }
}

/// How a session that was observed is over.
pub fn observed(state: u32, reason: u32) -> String {
    let how = match reason {
        abi::RTRACE_REASON_REVOKED => "its node does not admit its owner any more",
        abi::RTRACE_REASON_ADMIN => "it was revoked",
        abi::RTRACE_REASON_LOCKDOWN => "the kernel was locked down",
        abi::RTRACE_REASON_SILENT => "its owner did not read it (deadman_seconds)",
        abi::RTRACE_REASON_BURDEN => "its probes took too much of a CPU (burden_percent)",
        abi::RTRACE_REASON_EVENTS => "it fired too often (events_per_uid)",
        abi::RTRACE_REASON_CLOSED => "its owner closed it",
        abi::RTRACE_REASON_FILLED => "a buffer of it is full",
        abi::RTRACE_REASON_EXITED => "its program said exit()",
        abi::RTRACE_REASON_ASKED if state != abi::RTRACE_STATE_DEAD => "its owner stopped it",
        _ => return format!("the observed session is over (reason {reason})"),
    };
    format!("the observed session is over: {how}")
}

fn path(node: Option<Node>) -> String {
    match node {
        Some(node) => node.path().display().to_string(),
        None => "its node".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEATHS: [u32; 6] = [
        abi::RTRACE_REASON_REVOKED,
        abi::RTRACE_REASON_ADMIN,
        abi::RTRACE_REASON_LOCKDOWN,
        abi::RTRACE_REASON_SILENT,
        abi::RTRACE_REASON_BURDEN,
        abi::RTRACE_REASON_EVENTS,
    ];

    #[test]
    fn the_deadman_speaks_as_dtraces() {
        for reason in [abi::RTRACE_REASON_SILENT, abi::RTRACE_REASON_BURDEN] {
            let said = own(reason, Some(Node::Kernel));
            assert_eq!(
                said.lines().next(),
                Some("processing aborted: Abort due to systemic unresponsiveness")
            );
            assert!(said.contains("the module's parameter "));
        }
    }

    #[test]
    fn every_death_has_words_of_its_own() {
        let all = |words: &dyn Fn(u32) -> String| {
            let mut said: Vec<_> = DEATHS.iter().map(|&reason| words(reason)).collect();
            said.push(words(99));
            assert!(said[6].ends_with("(reason 99)"));
            said.sort();
            said.dedup();
            assert_eq!(said.len(), DEATHS.len() + 1);
        };
        all(&|reason| own(reason, Some(Node::User)));
        all(&|reason| observed(abi::RTRACE_STATE_DEAD, reason));
    }

    #[test]
    fn who_lost_the_node_is_told_which() {
        let said = own(abi::RTRACE_REASON_REVOKED, Some(Node::User));
        assert!(said.contains("/dev/rust_tracer/user does not admit you any more"));
    }
}
