// SPDX-License-Identifier: GPL-2.0-only
//! Whoever holds a descriptor of a session, and what he tries to do by it: the operations of the
//! access matrix, also as a program of their own (`rt-guest-tests hold`).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rust_tracer::abi;
use rustix::io::Errno;

use crate::program::{Code, Program};
use crate::session::{Answer, READ_MIN, Session};
use crate::sys::{self, passing};

/// What there is beside the descriptor.
#[derive(Clone, Copy, Debug, Default)]
pub struct World {
    /// A kernel address that has a name.
    pub address: u64,
    /// A session that is published on the node.
    pub subject: u64,
    /// A session of another user that is not.
    pub victim: u64,
}

/// The name under which a session is published on each node.
pub const SUBJECT: &str = "matrix-subject";
/// Bytes of a ring in the matrix.
pub const RING: usize = 1 << 16;

/// What can be tried. The opener has prepared the session as it says, as far as its mode lets it.
pub const OPERATIONS: [&str; 30] = [
    // A session as it was opened.
    "info",
    "functions",
    "add",
    "config",
    "target",
    "publish",
    "program",
    "add_own",
    "aggregate",
    "revoke",
    "sessions",
    "quota",
    "symbol",
    "view",
    "owners",
    "text",
    "last_error",
    "observe",
    "unknown",
    "write(2)",
    "read(2)",
    // One with a probe.
    "start",
    "probes",
    // One that runs.
    "status",
    "ledger",
    "stop",
    "map status",
    "map data",
    "map consumer",
    // One that observes.
    "read",
];

/// Tries it: what came of it, as a word.
pub fn perform(operation: &str, session: &Session, world: World) -> String {
    let answer = |answer: Answer| answer.map_err(|refused| refused.errno);
    let done = match operation {
        "info" => answer(session.info().map(drop)),
        "functions" => answer(session.functions("vmlinux:vfs_read", 0, 4096).map(drop)),
        "add" => answer(
            session
                .add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)
                .map(drop),
        ),
        "config" => answer(session.configure(abi::rtrace_config::default()).map(drop)),
        "target" => answer(session.target(1)),
        "publish" => {
            answer(session.publish(&format!("by-{}-{}", sys::tid(), session.fd.as_raw_fd())))
        }
        "program" => answer(session.load(&Program::new().clause(1, 0, Code::new().ret()))),
        "add_own" => answer(
            session
                .add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")
                .map(drop),
        ),
        "aggregate" => answer(session.aggregate(0, 1 << 12).map(drop)),
        "revoke" => answer(session.revoke(world.victim).map(drop)),
        "sessions" => match session.sessions() {
            Err(refused) => Err(refused.errno),
            Ok(found) => {
                let has = |id| found.iter().any(|other| other.head.id == id);
                return match (has(world.subject), has(world.victim)) {
                    (true, true) => "all",
                    (true, false) => "own and published",
                    _ => "too few",
                }
                .to_owned();
            }
        },
        "quota" => answer(session.quota().map(drop)),
        "symbol" => answer(session.symbol(world.address).map(drop)),
        "view" => answer(session.view::<abi::rtrace_view_module>().map(drop)),
        "owners" => answer(session.owners(&[world.address]).map(drop)),
        "text" => answer(session.text(world.address, 8).map(drop)),
        "last_error" => session.last_error().map(drop),
        "observe" => answer(session.observe(SUBJECT).map(drop)),
        "unknown" => sys::ioctl_bytes(&session.fd, 0xdb7f, &mut [0u8; 64]),
        "write(2)" => passing::write(&session.fd, &[0u8; 64]).map(drop),
        "read(2)" => {
            let mut room = [0u8; 64];
            let at = room.as_mut_ptr() as u64;
            sys::read_to_address(session.fd.as_raw_fd(), at, 64).map(drop)
        }
        "start" => answer(session.start().map(drop)),
        "probes" => answer(session.probes().map(drop)),
        "status" => answer(session.status().map(drop)),
        "ledger" => answer(session.ledger(7).map(drop)),
        "stop" => answer(session.stop()),
        "map status" => session.map(0, abi::AREA_STATUS, 4096).map(drop),
        "map data" => session.map(0, abi::AREA_DATA, RING).map(drop),
        "map consumer" => session.map(0, abi::AREA_CONSUMER, 4096).map(drop),
        "read" => answer(session.read(0, 0, READ_MIN).map(drop)),
        _ => Err(Errno::NOSYS),
    };
    match done {
        Ok(()) => "done".to_owned(),
        Err(errno) => word(errno),
    }
}

/// An errno by its name, without the E.
pub fn word(errno: Errno) -> String {
    let names = [
        (Errno::PERM, "PERM"),
        (Errno::ACCESS, "ACCESS"),
        (Errno::BADF, "BADF"),
        (Errno::INVAL, "INVAL"),
        (Errno::NOENT, "NOENT"),
        (Errno::NOTTY, "NOTTY"),
        (Errno::NXIO, "NXIO"),
        (Errno::BUSY, "BUSY"),
        (Errno::CANCELED, "CANCELED"),
    ];
    let known = names.iter().find(|(known, _)| *known == errno);
    known.map_or_else(|| errno.to_string(), |(_, name)| (*name).to_owned())
}

/// A line for each operation: what came of it.
pub fn perform_all(
    cases: &[(String, Session)],
    world: World,
    mut to: impl Write,
) -> io::Result<()> {
    for (operation, session) in cases {
        writeln!(to, "{operation}={}", perform(operation, session, world))?;
    }
    Ok(())
}

/// Replaces this process by a program that performs the operations; returns why it could not.
pub fn exec(program: &str, cases: &[(String, Session)], world: World, to: File) -> io::Error {
    for (_, session) in cases {
        if let Err(errno) = passing::keep_over_exec(&session.fd, true) {
            return errno.into();
        }
    }
    let words = cases
        .iter()
        .map(|(operation, session)| format!("{operation}:{}", session.fd.as_raw_fd()));
    Command::new(program)
        .arg("hold")
        .args(["--address", &world.address.to_string()])
        .args(["--subject", &world.subject.to_string()])
        .args(["--victim", &world.victim.to_string()])
        .args(words)
        .stdout(to)
        .exec()
}

/// The `hold` command.
pub fn hold_main(cases: &[String], world: World) -> ExitCode {
    let taken = cases.iter().filter_map(|case| {
        let (operation, number) = case.rsplit_once(':')?;
        let fd = passing::inherited(number.parse().ok()?);
        Some((operation.to_owned(), Session { fd }))
    });
    match perform_all(&taken.collect::<Vec<_>>(), world, io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rt-guest-tests hold: {error}");
            ExitCode::FAILURE
        }
    }
}
