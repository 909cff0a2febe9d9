// SPDX-License-Identifier: GPL-2.0-only
//! The list of sessions, as text and as JSON.

use std::sync::Arc;

use rust_tracer::fake::{Fake, FakeFunction};

use super::*;

const SECOND: u64 = 1_000_000_000;

fn listed(id: u64, fired: u64) -> abi::rtrace_session {
    abi::rtrace_session {
        id,
        node: abi::RTRACE_NODE_USER,
        state: abi::RTRACE_STATE_RUNNING,
        uid: 40001,
        pid: 812,
        probes: 2,
        attached: 2,
        opened: SECOND,
        memory: 8_500_000,
        fired,
        recorded: fired,
        dropped: 3,
        comm: b"rt ctl\x1b\0\0\0\0\0\0\0\0\0".map(|byte| byte as _),
        ..Default::default()
    }
}

/// A module that knows these sessions.
fn module(sessions: &[(abi::rtrace_session, &'static str)]) -> Session {
    let module = Fake::new(1, vec![FakeFunction::new("vfs_read")]);
    for (session, name) in sessions {
        module.add_session(*session, name);
    }
    Session::over(Arc::clone(&module) as _).unwrap()
}

fn reading(at: Instant, nodes: &[&Session]) -> Reading {
    let mut sessions = Vec::new();
    for node in nodes {
        merge(&mut sessions, node).unwrap();
    }
    Reading { sessions, at }
}

fn printed(rows: &[Row]) -> String {
    let mut out = Vec::new();
    text(&mut out, rows, 63 * SECOND).unwrap();
    String::from_utf8(out).unwrap()
}

fn objects(rows: &[Row]) -> Value {
    let mut out = Vec::new();
    array(&mut out, rows.iter().map(|row| object(row, 63 * SECOND))).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn no_session_is_a_heading_or_an_empty_array() {
    assert_eq!(
        printed(&[]),
        "    ID OWNER      NODE    STATE           PROBES     RATE/S   MEMORY    DROPS      AGE     \
         PID COMMAND         NAME\n"
    );
    assert_eq!(objects(&[]), json!([]));
}

#[test]
fn what_several_nodes_tell_is_listed_once_and_the_asker_never() {
    let asker = |id| abi::rtrace_session {
        flags: abi::RTRACE_SESSION_THIS,
        ..listed(id, 0)
    };
    let kernel = module(&[(listed(2, 0), ""), (listed(9, 0), ""), (asker(10), "")]);
    let user = module(&[(listed(2, 0), ""), (listed(5, 0), ""), (asker(11), "")]);
    let reading = reading(Instant::now(), &[&kernel, &user]);
    let ids: Vec<_> = reading.sessions.iter().map(|session| session.id).collect();
    assert_eq!(ids, [2, 5, 9]);
}

#[test]
fn the_rate_is_what_was_fired_between_the_readings() {
    let start = Instant::now();
    let first = reading(start, &[&module(&[(listed(2, 100), "")])]);
    let after = start + Duration::from_millis(500);
    let second = module(&[(listed(2, 1_100), "reads.1"), (listed(3, 50), "")]);
    let rows = rows(&first, reading(after, &[&second]));
    let rates: Vec<_> = rows.iter().map(|(_, rate)| *rate).collect();
    assert_eq!(rates, [Some(2_000), None]);
    assert_eq!(
        printed(&rows).lines().skip(1).collect::<Vec<_>>(),
        [
            "     2 uid_40001  user    running              2       2000     8.1M        3    1m02s     \
             812 rt\\x20ctl\\u{1b} reads.1",
            "     3 uid_40001  user    running              2          -     8.1M        3    1m02s     \
             812 rt\\x20ctl\\u{1b} -",
        ]
    );
}

#[test]
fn a_state_says_why_it_is_not_the_ordinary_one() {
    let shown = |state_number, reason, flags| {
        let session = abi::rtrace_session {
            state: state_number,
            reason,
            flags,
            ..listed(2, 0)
        };
        let session = module(&[(session, "")]).sessions().unwrap().remove(0);
        state(&session)
    };
    let (stopped, dead) = (abi::RTRACE_STATE_STOPPED, abi::RTRACE_STATE_DEAD);
    assert_eq!(shown(abi::RTRACE_STATE_RUNNING, 0, 0), "running");
    assert_eq!(shown(stopped, abi::RTRACE_REASON_ASKED, 0), "stopped");
    assert_eq!(
        shown(stopped, abi::RTRACE_REASON_CLOSED, 0),
        "stopped:closed"
    );
    assert_eq!(shown(dead, abi::RTRACE_REASON_REVOKED, 0), "dead:revoked");
    let observer = abi::RTRACE_SESSION_OBSERVER;
    assert_eq!(shown(0, 0, observer), "observing");
    assert_eq!(
        shown(dead, abi::RTRACE_REASON_ADMIN, observer),
        "dead:admin"
    );
}

#[test]
fn an_object_has_every_number_exactly() {
    let session = module(&[(
        abi::rtrace_session {
            flags: abi::RTRACE_SESSION_MINE,
            missed: 4,
            ..listed(2, 100)
        },
        "reads.1",
    )]);
    let rows = [(session.sessions().unwrap().remove(0), Some(7))];
    assert_eq!(
        objects(&rows),
        json!([{
            "kind": "session", "id": 2, "owner": "uid 40001", "uid": 40001, "node": "user",
            "state": "running", "reason": "none", "pid": 812, "command": "rt ctl\u{1b}",
            "probes": 2, "attached": 2, "rate": 7, "fired": 100, "recorded": 100, "dropped": 3,
            "missed": 4, "memory": 8_500_000, "age": 62 * SECOND, "mine": true, "observer": false,
            "name": "reads.1",
        }])
    );
}

#[test]
fn sizes_and_ages_are_short() {
    assert_eq!(size(0), "0");
    assert_eq!(size(1023), "1023");
    assert_eq!(size(1536), "1.5K");
    assert_eq!(size(20 << 20), "20M");
    assert_eq!(size(u64::MAX), "17179869183G");
    assert_eq!(age(59 * SECOND), "59s");
    assert_eq!(age(61 * SECOND), "1m01s");
    assert_eq!(age(3700 * SECOND), "1h01m");
    assert_eq!(age(90_000 * SECOND), "1d01h");
}
