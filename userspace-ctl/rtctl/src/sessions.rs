// SPDX-License-Identifier: GPL-2.0-only
//! `rtctl sessions`: who traces, and how much.
//!
//! Each node tells the caller's own sessions and those that are published on it, or
//! all of them to an admin. So every node that opens is asked, and what more than
//! one tells is listed once. The asking session itself is left out.

use std::collections::HashMap;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use rust_tracer::{Access, Listed, Session, abi, reason_name, settle, state_name};
use serde_json::{Value, json};

use crate::access;
use crate::access::rights::user_name;
use crate::cli::Format;
use crate::escape;
use crate::output::array;

/// Between the two readings from which rates are made.
const PAUSE: Duration = Duration::from_millis(500);

/// What is known of the sessions at one time.
struct Reading {
    sessions: Vec<Listed>,
    at: Instant,
}

/// A session, and its firings a second if it was there at both readings.
type Row = (Listed, Option<u64>);

/// Lists the sessions.
pub fn run(format: Format, out: &mut impl Write) -> Result<()> {
    let first = read()?;
    // Only what runs has a rate that must be waited for.
    let runs = |session: &Listed| session.state == abi::RTRACE_STATE_RUNNING;
    let rows = if first.sessions.iter().any(runs) {
        thread::sleep(PAUSE);
        let second = read()?;
        rows(&first, second)
    } else {
        let at_rest = |session: Listed| (session, Some(0));
        first.sessions.into_iter().map(at_rest).collect()
    };
    match format {
        Format::Text => text(out, &rows, settle::now())?,
        Format::Json => array(out, rows.iter().map(|row| object(row, settle::now())))?,
    }
    out.flush()?;
    Ok(())
}

/// Asks every node that opens.
fn read() -> Result<Reading> {
    let at = Instant::now();
    let mut sessions = Vec::new();
    access::open_each(None, Access::Observe, |session| {
        merge(&mut sessions, &session)?;
        Ok(None::<()>)
    })?;
    Ok(Reading { sessions, at })
}

/// Adds what a node tells and was not told yet, in the order of the ids.
fn merge(known: &mut Vec<Listed>, session: &Session) -> rust_tracer::Result<()> {
    let listed = session.sessions()?;
    for other in listed.into_iter().filter(|other| !other.this) {
        if let Err(at) = known.binary_search_by_key(&other.id, |session| session.id) {
            known.insert(at, other);
        }
    }
    Ok(())
}

/// The sessions of the second reading, with what they fired since the first.
fn rows(first: &Reading, second: Reading) -> Vec<Row> {
    let before: HashMap<_, _> = first
        .sessions
        .iter()
        .map(|session| (session.id, session.fired))
        .collect();
    let elapsed = second.at.saturating_duration_since(first.at);
    let rate = |session: &Listed| {
        let fired = session.fired.saturating_sub(*before.get(&session.id)?);
        let ns = u128::from(fired) * 1_000_000_000;
        u64::try_from(ns.checked_div(elapsed.as_nanos())?).ok()
    };
    second
        .sessions
        .into_iter()
        .map(|session| {
            let rate = rate(&session);
            (session, rate)
        })
        .collect()
}

fn text(out: &mut impl Write, rows: &[Row], now: u64) -> io::Result<()> {
    writeln!(
        out,
        "{:>6} {:<10} {:<7} {:<14} {:>7} {:>10} {:>8} {:>8} {:>8} {:>7} {:<15} NAME",
        "ID",
        "OWNER",
        "NODE",
        "STATE",
        "PROBES",
        "RATE/S",
        "MEMORY",
        "DROPS",
        "AGE",
        "PID",
        "COMMAND"
    )?;
    for (session, rate) in rows {
        let mut command = Vec::new();
        escape::word(&mut command, session.comm.as_bytes());
        writeln!(
            out,
            "{:>6} {:<10} {:<7} {:<14} {:>7} {:>10} {:>8} {:>8} {:>8} {:>7} {:<15} {}",
            session.id,
            user_name(session.uid).replace(' ', "_"),
            node(session),
            state(session),
            session.probes,
            rate.map_or_else(|| "-".into(), |rate| rate.to_string()),
            size(session.memory),
            session.dropped,
            age(now.saturating_sub(session.opened)),
            session.pid,
            String::from_utf8_lossy(&command),
            session.name.as_deref().unwrap_or("-"),
        )?;
    }
    Ok(())
}

fn node(session: &Listed) -> &'static str {
    session.node.map_or("other", |node| node.name())
}

/// The state, and why it is not the ordinary one.
fn state(session: &Listed) -> String {
    let state = state_name(session.state);
    match session.reason {
        _ if session.observer && session.state != abi::RTRACE_STATE_DEAD => "observing".into(),
        abi::RTRACE_REASON_NONE | abi::RTRACE_REASON_ASKED => state.into(),
        reason => format!("{state}:{}", reason_name(reason)),
    }
}

/// Bytes, to three digits or so.
fn size(bytes: u64) -> String {
    const UNITS: [(u32, char); 3] = [(30, 'G'), (20, 'M'), (10, 'K')];
    for (shift, unit) in UNITS {
        let whole = bytes >> shift;
        if whole >= 10 {
            return format!("{whole}{unit}");
        }
        if whole >= 1 {
            let tenths = ((bytes & ((1 << shift) - 1)) * 10) >> shift;
            return format!("{whole}.{tenths}{unit}");
        }
    }
    bytes.to_string()
}

/// A time, in its two largest units.
fn age(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

fn object((session, rate): &Row, now: u64) -> Value {
    let mut object = json!({
        "kind": "session", "id": session.id, "owner": user_name(session.uid), "uid": session.uid,
        "node": node(session), "state": state_name(session.state),
        "reason": reason_name(session.reason), "pid": session.pid,
        "command": session.comm.to_string(), "probes": session.probes,
        "attached": session.attached, "rate": rate, "fired": session.fired,
        "recorded": session.recorded, "dropped": session.dropped, "missed": session.missed,
        "memory": session.memory, "age": now.saturating_sub(session.opened),
        "mine": session.mine, "observer": session.observer,
    });
    if let Some(name) = &session.name {
        object["name"] = name.as_str().into();
    }
    object
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
