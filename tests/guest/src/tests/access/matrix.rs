// SPDX-License-Identifier: GPL-2.0-only
//! Who × which node × how opened × what is tried × how the descriptor was come by × lockdown, each
//! with its one right answer.
//!
//! The answers are computed by [`expected`] from the rules as the documents state them, and by
//! nothing that the module says.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};

use rust_tracer::abi;

use crate::actor::{Actor, become_ordinary};
use crate::options::Options;
use crate::session::{KERNEL, NODES, SYSTEM, Session, USER};
use crate::sys::{self, Child, Ended, ids, passing};
use crate::test::{Outcome, check, check_eq, fail, group};

use super::holder::{self, OPERATIONS, RING, SUBJECT, World};
use super::symbols::address_of;

group! { "access, matrix":
    "root is answered as the rules say, in every case" => root,
    "root without capabilities is answered as the rules say, in every case" => bare_root,
    "root in a user namespace is answered as the rules say, in every case" => namespaced_root,
    "each group's user, and one in no group, are answered as the rules say, in every case" => users,
}

/// Who opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// With all that root has.
    Root,
    /// uid 0, all capabilities dropped.
    BareRoot,
    /// uid 0 as ever, in a user namespace of its own, with all capabilities there.
    NamespacedRoot,
    /// An ordinary user.
    User(&'static str),
}

/// All of them.
pub const OPENERS: [Opener; 7] = [
    Opener::Root,
    Opener::BareRoot,
    Opener::NamespacedRoot,
    Opener::User("alice"),
    Opener::User("dave"),
    Opener::User("bob"),
    Opener::User("carol"),
];

/// How the one who tries has come by the descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Own,
    Passed,
    Inherited,
    KeptOverExec,
    HeldBySetId,
}

const WAYS: [Way; 5] = [
    Way::Own,
    Way::Passed,
    Way::Inherited,
    Way::KeptOverExec,
    Way::HeldBySetId,
];

const MODES: [i32; 3] = [libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR];

/// How far the kernel is locked down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockdown {
    /// Not at all.
    None,
    /// Level *integrity*.
    Integrity,
    /// Level *confidentiality*.
    Confidentiality,
}

fn reads(mode: i32) -> bool {
    mode != libc::O_WRONLY
}

fn writes(mode: i32) -> bool {
    mode != libc::O_RDONLY
}

/// The one right answer to an open; the nodes are as the packaged rules make them.
fn expected_open(opener: Opener, node: &str, lockdown: Lockdown) -> &'static str {
    // The mode: the owner root, and one group for each node.
    let admitted = match opener {
        Opener::Root | Opener::BareRoot | Opener::NamespacedRoot => true,
        Opener::User("alice") => node == KERNEL,
        Opener::User("dave") => node == SYSTEM,
        Opener::User("bob") => node == USER,
        Opener::User(_) => false,
    };
    if !admitted {
        "ACCESS"
    } else if opener == Opener::NamespacedRoot || lockdown == Lockdown::Confidentiality {
        "PERM"
    } else {
        "done"
    }
}

/// The one right answer to an operation on what was opened.
fn expected(opener: Opener, node: &str, mode: i32, way: Way, operation: &str) -> &'static str {
    let is_opener = way == Way::Own;
    // What arms, publishes or ends needs write, and the opener himself.
    let arms = |done: &'static str| match (writes(mode), is_opener) {
        (false, _) => "BADF",
        (true, false) => "PERM",
        (true, true) => done,
    };
    // What observes needs read.
    let observes = |done: &'static str| if reads(mode) { done } else { "BADF" };
    // A session that was opened to read alone was never started.
    let of_running = |done, idle| if writes(mode) { done } else { idle };
    match operation {
        "info" | "functions" | "probes" | "status" | "quota" | "read" => observes("done"),
        "add" | "config" | "target" | "publish" | "program" | "add_own" | "start" | "stop" => {
            arms("done")
        }
        // There is nothing before the start.
        "aggregate" => observes(if is_opener { "INVAL" } else { "PERM" }),
        // Another user's, and not published: root's matter, else it is not there.
        "revoke" => arms(if opener == Opener::Root {
            "done"
        } else {
            "NOENT"
        }),
        // What the node shows besides this session.
        "sessions" | "symbol" | "view" | "owners" | "text" if !is_opener => observes("PERM"),
        "sessions" if opener == Opener::Root => observes("all"),
        "sessions" => observes("own and published"),
        "symbol" | "view" | "owners" | "text" => {
            observes(if node == KERNEL { "done" } else { "ACCESS" })
        }
        "observe" => observes(if is_opener { "done" } else { "PERM" }),
        "last_error" => "done",
        "unknown" => "NOTTY",
        "write(2)" if !writes(mode) => "BADF",
        "read(2)" if !reads(mode) => "BADF",
        "write(2)" | "read(2)" => "INVAL",
        "ledger" => observes(of_running("done", "INVAL")),
        // The kernel itself asks for read; and for write where the mapping is written.
        "map status" | "map data" if !reads(mode) => "ACCESS",
        "map status" | "map data" => of_running("done", "NXIO"),
        "map consumer" if mode != libc::O_RDWR => "ACCESS",
        "map consumer" => "done",
        _ => "no rule",
    }
}

/// The ways that are tried. Level *integrity* changes nothing, and the ways least of all.
fn ways_under(lockdown: Lockdown) -> &'static [Way] {
    match lockdown {
        Lockdown::None => &WAYS,
        Lockdown::Integrity | Lockdown::Confidentiality => &WAYS[..2],
    }
}

fn become_opener(opener: Opener) -> Outcome {
    match opener {
        Opener::Root => Ok(()),
        Opener::BareRoot => Ok(ids::set_capabilities(0, 0)?),
        Opener::NamespacedRoot => Ok(sys::new_user_namespace()?),
        Opener::User(name) => become_ordinary(name),
    }
}

/// Opens a session for each operation, and prepares it as the operation wants it.
fn prepare(node: &str, mode: i32) -> Outcome<Vec<(String, Session)>> {
    let mut cases = Vec::new();
    for operation in OPERATIONS {
        let session = Session::open_as(node, mode)
            .map_err(|errno| fail(format!("{node} for {operation}: {errno}")))?;
        let runs = matches!(
            operation,
            "status" | "ledger" | "stop" | "map status" | "map data" | "map consumer"
        );
        if writes(mode) && (runs || matches!(operation, "start" | "probes")) {
            session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
            session.configure(abi::rtrace_config {
                ring_bytes: RING as u64,
                ..Default::default()
            })?;
        }
        if writes(mode) && runs {
            session.start()?;
        }
        if reads(mode) && operation == "read" {
            session.observe(SUBJECT)?;
        }
        cases.push((operation.to_owned(), session));
    }
    Ok(cases)
}

/// A copy of this program that runs as carol, whoever starts it.
struct SetIdHolder(String);

impl SetIdHolder {
    fn new() -> Outcome<Self> {
        let path = format!("/usr/local/rt-holder-{}", std::process::id());
        fs::copy(std::env::current_exe()?, &path)?;
        let (uid, gid) = ids::ids_of("carol")?;
        chown(&path, Some(uid), Some(gid))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755))?;
        Ok(Self(path))
    }
}

impl Drop for SetIdHolder {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens, prepares, and has the operations tried; what came of each.
fn attempt(
    (opener, node, mode, way): (Opener, &'static str, i32, Way),
    world: World,
    set_id: &str,
) -> Outcome<BTreeMap<String, String>> {
    let (mut results, to) = sys::pipe()?;
    let (here, there) = passing::sockets()?;
    // Whoever is handed descriptors was there before.
    let receiver = if way == Way::Passed {
        let to = to.try_clone()?;
        Some(Actor::of("carol", |_| {
            let fds = passing::receive(&there)?;
            let sessions = fds.into_iter().map(|fd| Session { fd });
            let cases: Vec<_> = OPERATIONS
                .map(str::to_owned)
                .into_iter()
                .zip(sessions)
                .collect();
            check_eq!(cases.len(), OPERATIONS.len(), "descriptors that came");
            holder::perform_all(&cases, world, &to)?;
            // The opener is waiting for it.
            passing::write(&there, b"x")?;
            Ok(())
        })?)
    } else {
        None
    };
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let work = || -> Outcome {
        become_opener(opener)?;
        let cases = prepare(node, mode)?;
        match way {
            Way::Own => Ok(holder::perform_all(&cases, world, &to)?),
            Way::Inherited => Actor::start(|_| Ok(holder::perform_all(&cases, world, &to)?))?.end(),
            Way::Passed => {
                let fds: Vec<_> = cases.iter().map(|(_, session)| &session.fd).collect();
                passing::send(&here, &fds)?;
                sys::poll(&here, libc::POLLIN, 60_000)?;
                Ok(())
            }
            Way::KeptOverExec => Err(fail(holder::exec(&program, &cases, world, to.try_clone()?))),
            Way::HeldBySetId => Err(fail(holder::exec(set_id, &cases, world, to.try_clone()?))),
        }
    };
    // No actor: two of the ways replace its program.
    let child = Child::start(|| match work() {
        Ok(()) => 0,
        Err(failure) => {
            println!("{opener:?} on {node}, mode {mode}, {way:?}: {failure}");
            1
        }
    })?;
    drop(to);
    let received = receiver.map_or(Ok(()), Actor::end);
    let mut text = String::new();
    results.read_to_string(&mut text)?;
    let ended = child.wait()?;
    received?;
    check_eq!(
        ended,
        Ended::Exit(0),
        "{opener:?} on {node}, mode {mode}, {way:?}"
    );
    let answers = text.lines().filter_map(|line| line.split_once('='));
    Ok(answers.map(|(o, a)| (o.to_owned(), a.to_owned())).collect())
}

/// What an open comes to.
fn open(opener: Opener, node: &'static str, mode: i32) -> Outcome<String> {
    let (mut result, to) = sys::pipe()?;
    Actor::start(|_| {
        use std::io::Write;
        become_opener(opener)?;
        let answer = match Session::open_as(node, mode) {
            Ok(_) => "done".to_owned(),
            Err(errno) => holder::word(errno),
        };
        Ok((&to).write_all(answer.as_bytes())?)
    })?
    .end()?;
    drop(to);
    let mut text = String::new();
    result.read_to_string(&mut text)?;
    Ok(text)
}

/// The sessions that the matrix is about besides the openers': one published on each node, and
/// some that nobody is told of, all carol's, who has all three groups for the time.
struct Others {
    carol: Actor,
    subjects: [u64; 3],
    victims: Vec<u64>,
}

/// As many as there are cases that end one.
const VICTIMS: u64 = 8;

impl Others {
    fn start() -> Outcome<Self> {
        let (uid, gid) = ids::ids_of("carol")?;
        let mut groups = vec![gid];
        for group in ["rtrace-kernel", "rtrace-system", "rtrace-user"] {
            groups.push(ids::gid_of(group)?);
        }
        let mut carol = Actor::start(|cue| {
            ids::set_groups(&groups)?;
            ids::set_gids(gid, gid, gid)?;
            ids::set_uids(uid, uid, uid)?;
            let mut open = Vec::new();
            for node in NODES {
                let session = Session::open_as(node, libc::O_RDWR)?;
                session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
                session.start()?;
                session.publish(SUBJECT)?;
                cue.tell(session.status()?.id)?;
                open.push(session);
            }
            for _ in 0..VICTIMS {
                let session = Session::open_as(USER, libc::O_RDWR)?;
                cue.tell(session.status()?.id)?;
                open.push(session);
            }
            // Whoever publishes reads, and so gives a sign of life.
            cue.wait_while(|| {
                for session in &open[..NODES.len()] {
                    session.status()?;
                }
                Ok(())
            })
        })?;
        let subjects = [carol.number()?, carol.number()?, carol.number()?];
        let victims = (0..VICTIMS).map(|_| carol.number());
        let victims = victims.collect::<Outcome<Vec<u64>>>()?;
        Ok(Self {
            carol,
            subjects,
            victims,
        })
    }

    fn end(self) -> Outcome {
        self.carol.go()?;
        self.carol.end()
    }
}

/// All cases of an opener; how many.
pub fn all_cases_of(opener: Opener, lockdown: Lockdown) -> Outcome<usize> {
    let set_id = SetIdHolder::new()?;
    let address = address_of("vfs_read").unwrap_or(u64::MAX);
    let open_at_all = lockdown != Lockdown::Confidentiality;
    let mut others = if open_at_all {
        Some(Others::start()?)
    } else {
        None
    };
    let mut cases = 0;
    let mut wrong = Vec::new();
    for (number, node) in NODES.into_iter().enumerate() {
        for mode in MODES {
            let answer = open(opener, node, mode)?;
            let right = expected_open(opener, node, lockdown);
            cases += 1;
            if answer != right {
                wrong.push(format!(
                    "{opener:?} opens {node}, mode {mode}: {answer}, not {right}"
                ));
            }
            let (Some(others), "done") = (&mut others, right) else {
                continue;
            };
            for way in ways_under(lockdown).iter().copied() {
                let mut world = World {
                    address,
                    subject: others.subjects[number],
                    victim: others.victims[0],
                };
                if expected(opener, node, mode, way, "revoke") == "done" {
                    world.victim = others
                        .victims
                        .pop()
                        .ok_or_else(|| fail("no victim is left"))?;
                }
                let answers = attempt((opener, node, mode, way), world, &set_id.0)?;
                for operation in OPERATIONS {
                    let right = expected(opener, node, mode, way, operation);
                    let answer = answers.get(operation).map_or("nothing", String::as_str);
                    cases += 1;
                    if answer != right {
                        wrong.push(format!(
                            "{opener:?} on {node}, mode {mode}, {way:?}: {operation}: {answer}, not \
                             {right}"
                        ));
                    }
                }
            }
        }
    }
    if let Some(others) = others {
        others.end()?;
    }
    check!(
        wrong.is_empty(),
        "{} of {cases} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("matrix: {cases} cases of {opener:?}, lockdown {lockdown:?}");
    Ok(cases)
}

/// At least so many cases must come of it.
fn at_least(minimum: usize, openers: &[Opener]) -> Outcome {
    let mut cases = 0;
    for &opener in openers {
        cases += all_cases_of(opener, Lockdown::None)?;
    }
    check!(cases >= minimum, "only {cases} cases");
    Ok(())
}

fn root(_: &Options) -> Outcome {
    at_least(1000, &OPENERS[..1])
}

fn bare_root(_: &Options) -> Outcome {
    at_least(1000, &OPENERS[1..2])
}

fn namespaced_root(_: &Options) -> Outcome {
    at_least(9, &OPENERS[2..3])
}

fn users(_: &Options) -> Outcome {
    at_least(1000, &OPENERS[3..])
}
