// SPDX-License-Identifier: GPL-2.0-only
//! What a run came to, and whether it exercised everything.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::time::Duration;

use rustix::io::Errno;

use super::SCRIBBLER;
use super::board::Board;
use super::kind::Kind;
use super::{honest, scribble};
use crate::session::NODES;
use crate::test::{Outcome, check};

/// Below so many operations chance decides what a run has seen.
const COMPLETE: u64 = 150_000;

/// The name of an errno, as short as it is known by.
fn errno(number: i32) -> String {
    const NAMES: [(Errno, &str); 24] = [
        (Errno::PERM, "EPERM"),
        (Errno::NOENT, "ENOENT"),
        (Errno::SRCH, "ESRCH"),
        (Errno::NXIO, "ENXIO"),
        (Errno::TOOBIG, "E2BIG"),
        (Errno::BADF, "EBADF"),
        (Errno::AGAIN, "EAGAIN"),
        (Errno::NOMEM, "ENOMEM"),
        (Errno::ACCESS, "EACCES"),
        (Errno::FAULT, "EFAULT"),
        (Errno::BUSY, "EBUSY"),
        (Errno::EXIST, "EEXIST"),
        (Errno::NODEV, "ENODEV"),
        (Errno::INVAL, "EINVAL"),
        (Errno::NOTTY, "ENOTTY"),
        (Errno::NOSPC, "ENOSPC"),
        (Errno::SPIPE, "ESPIPE"),
        (Errno::RANGE, "ERANGE"),
        (Errno::OVERFLOW, "EOVERFLOW"),
        (Errno::OPNOTSUPP, "EOPNOTSUPP"),
        (Errno::STALE, "ESTALE"),
        (Errno::DQUOT, "EDQUOT"),
        (Errno::CANCELED, "ECANCELED"),
        (Errno::INTR, "EINTR"),
    ];
    let known = NAMES
        .iter()
        .find(|(errno, _)| errno.raw_os_error() == number);
    known.map_or_else(|| format!("errno {number}"), |(_, name)| (*name).to_owned())
}

/// Prints the totals.
pub fn print(board: &Board, took: Duration) {
    let mut all = 0;
    for kind in Kind::ALL {
        let outcomes = board.outcomes(*kind);
        let times: u64 = outcomes.iter().map(|(_, times)| times).sum();
        all += times;
        let parts: Vec<String> = outcomes
            .iter()
            .map(|(outcome, times)| match outcome {
                0 => format!("done {times}"),
                other => format!("{} {times}", errno(*other)),
            })
            .collect();
        println!(
            "{:<13} {times:>8} in {:>6.1} s: {}",
            kind.name(),
            board.time(*kind).as_secs_f64(),
            parts.join(", ")
        );
    }
    println!(
        "{all} operations in {:.0} s, {:.0} a second",
        took.as_secs_f64(),
        all as f64 / took.as_secs_f64()
    );
    for (number, role) in honest::ROLES.iter().enumerate() {
        let of = |what| board.reported(number, what);
        println!(
            "honest on {}: {} sessions, {} calls, {} records, {} dropped",
            NODES[role.node],
            of(honest::ROUNDS),
            of(honest::CALLS),
            of(honest::RECORDS),
            of(honest::DROPPED)
        );
    }
    println!(
        "scribbling readers: {} sessions, {} calls, {} values written",
        board.reported(SCRIBBLER, scribble::ROUNDS),
        board.reported(SCRIBBLER, scribble::CALLS),
        board.reported(SCRIBBLER, scribble::WRITES)
    );
}

/// Fails if something was never done, or never refused.
pub fn must_be_complete(board: &Board) -> Outcome {
    for (number, role) in honest::ROLES.iter().enumerate() {
        check!(
            board.reported(number, honest::RECORDS) > 0,
            "no honest session on {} has read a record",
            NODES[role.node]
        );
    }
    check!(
        board.reported(SCRIBBLER, scribble::WRITES) > 0,
        "no reader has scribbled"
    );
    if board.taken() < COMPLETE {
        return Ok(());
    }
    for kind in Kind::ALL {
        let outcomes = board.outcomes(*kind);
        let done = outcomes.iter().any(|(outcome, _)| *outcome == 0);
        let refused = outcomes.iter().any(|(outcome, _)| *outcome != 0);
        check!(
            done || matches!(kind, Kind::Unknown | Kind::Io),
            "{} was never done: {outcomes:?}",
            kind.name()
        );
        check!(
            refused || !kind.must_do_both(),
            "{} was never refused: {outcomes:?}",
            kind.name()
        );
    }
    Ok(())
}

/// The last operations of these threads.
pub fn last_of(board: &Board, logs: Range<usize>) -> String {
    logs.fold(String::new(), |text, log| {
        text + &format!(" thread {log}:\n{}", board.last_of(log))
    })
}
