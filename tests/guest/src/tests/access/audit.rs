// SPDX-License-Identifier: GPL-2.0-only
//! The audit trail: who armed what, who was refused, whose session was ended, as ausearch finds it.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child as Process, Command, Stdio};

use rust_tracer::abi;
use rustix::process::{Pid, Signal, kill_process};

use crate::actor::{Actor, become_ordinary};
use crate::options::Options;
use crate::parameters::Parameters;
use crate::program::{Code, Program};
use crate::session::{KERNEL, NODES, SYSTEM, Session, USER};
use crate::sys;
use crate::test::{Outcome, check, check_eq, fail, group};

group! { "access, audit":
    "arming, being ended and the end are recorded with who, what, where and how much" => life,
    "each refusal is recorded with the rule that was broken" => refusals,
    "a name that could end the record is written in hex, as ausearch expects" => untrusted,
    "what is not against a rule leaves no record" => silence,
}

/// The audit daemon, for as long as it lives.
struct Daemon(Process);

impl Daemon {
    fn start() -> Outcome<Self> {
        fs::create_dir_all("/var/log/audit")?;
        let _ = fs::remove_file(LOG);
        let process = Command::new("auditd")
            .arg("-n")
            .stdout(Stdio::null())
            .spawn()?;
        let daemon = Self(process);
        let pid = format!("pid {}", daemon.0.id());
        for _ in 0..100_000 {
            let status = Command::new("auditctl").arg("-s").output()?;
            if String::from_utf8_lossy(&status.stdout)
                .lines()
                .any(|line| line == pid)
            {
                return Ok(daemon);
            }
            sys::give_way();
        }
        Err(fail("auditd does not take over"))
    }
}

const LOG: &str = "/var/log/audit/audit.log";

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
        let _ = Command::new("auditctl").args(["-e", "0"]).output();
    }
}

/// One record of ours: its fields.
type Record = BTreeMap<String, String>;

/// The records of ours that ausearch finds.
fn records() -> Outcome<Vec<Record>> {
    let output = Command::new("ausearch")
        .args(["-m", "KERNEL_OTHER", "--raw", "-if", LOG])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let fields = |line: &str| -> Record {
        // A value has no space in it: it is quoted without, or in hex. What auditd adds of names
        // stands behind a separator of its own.
        let pairs = line
            .split(|c: char| c.is_whitespace() || c == '\u{1d}')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    };
    let ours = |record: &Record| record.get("module").is_some_and(|m| m == "rust_tracer");
    Ok(text.lines().map(fields).filter(ours).collect())
}

/// Waits until there is a record for which all of this holds; it is the only one.
fn await_record(wanted: &[(&str, &str)]) -> Outcome<Record> {
    for _ in 0..1_000 {
        let found: Vec<Record> = records()?
            .into_iter()
            .filter(|record| {
                wanted
                    .iter()
                    .all(|(key, value)| record.get(*key).is_some_and(|v| v == value))
            })
            .collect();
        match found.as_slice() {
            [] => sys::give_way(),
            [one] => return Ok(one.clone()),
            more => return Err(fail(format!("{} records of {wanted:?}", more.len()))),
        }
    }
    Err(fail(format!(
        "no record of {wanted:?} among {:#?}",
        records()?
    )))
}

/// The record's fields must be these.
fn has(record: &Record, wanted: &[(&str, &str)]) -> Outcome {
    for (key, value) in wanted {
        check_eq!(
            record.get(*key).map(String::as_str),
            Some(*value),
            "{key} in {record:?}"
        );
    }
    Ok(())
}

/// An ordinary user who has logged in as himself.
fn log_in(user: &str) -> Outcome {
    let (uid, _) = sys::ids::ids_of(user)?;
    fs::write("/proc/self/loginuid", uid.to_string())?;
    become_ordinary(user)
}

fn life(_: &Options) -> Outcome {
    let _daemon = Daemon::start()?;
    let mut alice = Actor::start(|cue| {
        log_in("alice")?;
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        session.add("rt_target:rt_plain", 3)?;
        session.add("rt_target:rt_value", abi::RTRACE_PROBE_RETURN)?;
        session.start()?;
        cue.tell(session.status()?.id)?;
        cue.wait()?;
        drop(session);
        // One that is stopped and closed in peace.
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        session.add("rt_target:rt_plain", 1)?;
        session.start()?;
        cue.tell(session.status()?.id)?;
        session.stop()?;
        Ok(())
    })?;
    let id = alice.number()?;
    let (pid, session) = (alice.pid().to_string(), id.to_string());
    let (uid, _) = sys::ids::ids_of("alice")?;
    let uid = uid.to_string();
    let comm = format!("\"{}\"", fs::read_to_string("/proc/self/comm")?.trim_end());
    let who = [
        ("session", &*session),
        ("node", "kernel"),
        ("pid", &pid),
        ("uid", &uid),
        ("auid", &uid),
        ("comm", &comm),
        ("probes", "3"),
        ("res", "1"),
    ];
    let armed = await_record(&[("op", "arm"), ("session", &session)])?;
    has(&armed, &who)?;
    let spec = "\"fbt:rt_target:rt_plain:,fbt:rt_target:rt_value:return\"";
    has(&armed, &[("spec", spec), ("type", "KERNEL_OTHER")])?;
    check!(armed.contains_key("ses"), "no login session in {armed:?}");
    Session::open()?.revoke(id)?;
    let revoked = await_record(&[("op", "revoke"), ("session", &session)])?;
    has(&revoked, &who)?;
    has(&revoked, &[("why", "admin"), ("by", "0")])?;
    alice.go()?;
    let second = alice.number()?.to_string();
    alice.end()?;
    has(
        &await_record(&[("op", "end"), ("session", &session)])?,
        &who,
    )?;
    let ended = await_record(&[("op", "end"), ("session", &second)])?;
    has(&ended, &[("probes", "1"), ("res", "1"), ("uid", &uid)])?;
    // ausearch names the users when it is asked to.
    let output = Command::new("ausearch")
        .args(["-m", "KERNEL_OTHER", "-i", "-if", LOG])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    check!(
        text.contains("auid=alice"),
        "ausearch -i does not name alice:\n{text}"
    );
    Ok(())
}

fn refusals(_: &Options) -> Outcome {
    let _daemon = Daemon::start()?;
    let broken = |user: &'static str, why: &str, break_it: &dyn Fn() -> Outcome| -> Outcome {
        let actor = Actor::start(|_| {
            log_in(user)?;
            break_it()
        })?;
        let pid = actor.pid().to_string();
        actor.end()?;
        let record = await_record(&[("op", "refuse"), ("pid", &pid)])?;
        let (uid, _) = sys::ids::ids_of(user)?;
        let uid = uid.to_string();
        has(
            &record,
            &[("why", why), ("res", "0"), ("uid", &uid), ("auid", &uid)],
        )
    };
    let must_fail = |failed: bool| -> Outcome {
        check!(failed, "it was allowed");
        Ok(())
    };
    let dave_opens = || Session::open_as(SYSTEM, libc::O_RDWR);
    broken("dave", "node", &|| {
        must_fail(dave_opens()?.symbol(1 << 63).is_err())
    })?;
    broken("dave", "admin", &|| {
        must_fail(dave_opens()?.revoke_user(0).is_err())
    })?;
    broken("dave", "mode", &|| {
        let session = Session::open_as(SYSTEM, libc::O_RDONLY)?;
        must_fail(session.add("rt_target:rt_plain", 1).is_err())
    })?;
    broken("dave", "node", &|| {
        let code = Code::new().get(1, abi::RTRACE_VAR_ARG0).emit(1, 0, 0).ret();
        let program = Program::new().clause(1, 0, code);
        must_fail(dave_opens()?.load(&program).is_err())
    })?;
    broken("alice", "namespace", &|| {
        sys::new_user_namespace()?;
        // The descriptor's opener is what counts: it is opened in there.
        must_fail(Session::open_as(KERNEL, libc::O_RDWR).is_err())
    })?;
    // By who is not the opener: the record names who tried.
    let session = Session::open()?;
    broken("carol", "opener", &|| must_fail(session.start().is_err()))?;
    // By a program that runs with several ids at once.
    let pid = Actor::start(|cue| {
        cue.tell(std::process::id().into())?;
        sys::ids::set_groups(&[sys::ids::gid_of("rtrace-user")?])?;
        let (uid, gid) = sys::ids::ids_of("bob")?;
        sys::ids::set_gids(gid, gid, gid)?;
        sys::ids::set_uids(uid, uid, 0)?;
        let session = Session::open_as(USER, libc::O_RDWR)?;
        must_fail(session.add("rt_target:rt_plain", 1).is_err())
    })
    .and_then(|mut actor| {
        let pid = actor.number()?.to_string();
        actor.end().map(|()| pid)
    })?;
    await_record(&[("op", "refuse"), ("pid", &pid), ("why", "ids")])?;
    let one = [("sessions_per_uid", 1), ("probes_per_uid", 1)];
    let _limits = Parameters::set(&one)?;
    broken("dave", "quota", &|| {
        let _one = dave_opens()?;
        must_fail(dave_opens().is_err())
    })?;
    broken("dave", "quota", &|| {
        must_fail(dave_opens()?.add("rt_target:rt_tail_*", 3).is_err())
    })
}

/// As audit writes what it does not trust.
fn hex(text: &str) -> String {
    let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
    text.bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}

fn untrusted(_: &Options) -> Outcome {
    let _daemon = Daemon::start()?;
    let name = "x\" res=1 y";
    let actor = Actor::start(|_| {
        fs::write("/proc/self/comm", name)?;
        log_in("alice")?;
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        // A pattern may have any bytes, too.
        session.add("rt_target:rt_plai[n\" \n]", 1)?;
        session.start()?;
        Ok(session.stop()?)
    })?;
    let pid = actor.pid().to_string();
    actor.end()?;
    let record = await_record(&[("op", "arm"), ("pid", &pid)])?;
    let spec = hex("fbt:rt_target:rt_plai[n\" \n]:entry");
    let hex = hex(name);
    has(&record, &[("comm", &hex), ("spec", &spec), ("res", "1")])
}

fn silence(_: &Options) -> Outcome {
    let _daemon = Daemon::start()?;
    let actor = Actor::start(|_| {
        log_in("alice")?;
        let session = Session::open_as(KERNEL, libc::O_RDWR)?;
        check!(
            session.add("rt_target:rt_plain", 0).is_err(),
            "neither entry nor return"
        );
        check!(session.stop().is_err(), "a stop before the start");
        check!(session.observe("nobody").is_err(), "nobody is observed");
        check!(
            Session::open_as(NODES[1], libc::O_RDWR).is_err(),
            "alice on system"
        );
        session.sessions()?;
        session.status()?;
        Ok(())
    })?;
    let pid = actor.pid().to_string();
    actor.end()?;
    // One that is recorded, after all that.
    let session = Session::open_as(NODES[1], libc::O_RDONLY)?;
    check!(
        session.publish("x").is_err(),
        "arming by a descriptor to read"
    );
    let own = std::process::id().to_string();
    await_record(&[("op", "refuse"), ("pid", &own), ("why", "mode")])?;
    let found = records()?;
    let of_alice: Vec<_> = found
        .iter()
        .filter(|record| record.get("pid") == Some(&pid))
        .collect();
    check!(of_alice.is_empty(), "recorded: {of_alice:?}");
    Ok(())
}
