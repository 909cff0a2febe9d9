// SPDX-License-Identifier: GPL-2.0-only
//! What one user's sessions may take together; the one over a limit is told, the others notice
//! nothing.

mod events;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::actor::{Actor, play};
use crate::options::Options;
use crate::parameters::Parameters;
use crate::program::{Code, Program};
use crate::session::{Answer, KERNEL, Session, USER};
use crate::sys;
use crate::test::{Failure, Outcome, check, check_eq, fail, group};

group! { "access, quotas":
    "a user opens as many sessions as allowed, and no more until one is closed" => sessions,
    "probes are counted over all sessions of a user, and one too many is refused whole" => probes,
    "patterns for modules to come are counted over all sessions of a user, but for the kernel's own" => patterns,
    "of a pattern for modules to come each byte in brackets counts as another one" => brackets,
    "how often clocks fire is counted over all sessions of a user, and one too many is refused" => clocks,
    "what clauses of clocks may take is counted over all sessions of a user while they run" => clock_time,
    "clocks that fire seldom, which they may do together, count as if they did each second" => seldom,
    "who is over a limit that was lowered keeps what he has, and gets nothing more" => lowered,
    "memory is counted over all sessions of a user, and a ring too many is refused" => memory,
    "memory of targets is counted as well, and a target too many is refused" => targets,
    "what many clauses of many probes take is counted as well, and refused if it is too much" => bound,
    "what a program's aggregations and variables take is counted as well" => states,
    "programs are counted before they run, and one too many is refused" => loads,
    "a session that is closed counts as long as somebody observes it" => observed,
    "more events a second than allowed end the user's busiest session, and no other, and none of root's" => events::busiest,
    "for the events of a session that is closed one ends that is not" => events::of_closed,
    "root is above the limits, and who is at one does not hold up another user" => others,
    "what is used and what is allowed can be asked for" => asked,
}

/// For reading and writing.
pub fn open(node: &str) -> Outcome<Session> {
    Session::open_as(node, libc::O_RDWR).map_err(|errno| fail(format!("{node}: {errno}")))
}

fn sessions(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("sessions_per_uid", 3)])?;
    play("bob", || {
        let mut open_ones = vec![open(USER)?, open(USER)?, open(USER)?];
        for _ in 0..3 {
            check_eq!(
                Session::open_as(USER, libc::O_RDONLY).err(),
                Some(Errno::DQUOT),
                "the fourth"
            );
            // In another process of his it is the same.
            Actor::start(|_| {
                check_eq!(
                    Session::open_as(USER, libc::O_RDWR).err(),
                    Some(Errno::DQUOT)
                );
                Ok(())
            })?
            .end()?;
            open_ones.pop();
            open_ones.push(open(USER)?);
        }
        Ok(())
    })?;
    // All were closed with him.
    play("bob", || {
        let all = [open(USER)?, open(USER)?, open(USER)?];
        check_eq!(all[0].quota()?.sessions, 3, "sessions");
        Ok(())
    })
}

fn probes(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("probes_per_uid", 5)])?;
    play("bob", || {
        let (one, other) = (open(USER)?, open(USER)?);
        one.add("rt_target:rt_tail_*", 3)?;
        check_eq!(one.quota()?.probes, 4, "probes");
        let words = ["2 more probes", "have 4", "may have 5", "probes_per_uid"];
        is_over(other.add("rt_target:rt_plain", 3), &words)?;
        check_eq!(other.status()?.probes, 0, "probes after the refusal");
        other.add("rt_target:rt_plain", 1)?;
        drop(one);
        other.add("rt_target:rt_tail_*", 3)?;
        check_eq!(other.quota()?.probes, 5, "probes in the end");
        Ok(())
    })
}

/// That an ADD is refused for a limit, with these words.
fn is_over<T>(added: Answer<T>, words: &[&str]) -> Outcome {
    let Err(refused) = added else {
        return Err(fail(format!("it was not refused: {words:?}")));
    };
    check_eq!(refused.errno, Errno::DQUOT, "{refused}");
    for word in words {
        check!(
            refused.text.contains(word),
            "{word} is not in {}",
            refused.text
        );
    }
    Ok(())
}

fn patterns(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("patterns_per_uid", 3)])?;
    let late = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_ADD_LATE;
    play("bob", || {
        let (one, other) = (open(USER)?, open(USER)?);
        one.add("rt_late:rt_late_work", late)?;
        one.add("rt_late:rt_late_*", late)?;
        other.add(":rt_plain", late)?;
        // The kernel proper does not come again.
        other.add("vmlinux:vfs_read", late)?;
        check_eq!(one.quota()?.patterns, 3, "patterns");
        let probes = other.status()?.probes;
        let words = ["1 more pattern", "have 3", "may have 3", "patterns_per_uid"];
        is_over(other.add("rt_target:rt_value", late), &words)?;
        check_eq!(other.status()?.probes, probes, "probes after the refusal");
        check_eq!(other.quota()?.probes, 2, "probes that are counted");
        other.add("rt_target:rt_value", abi::RTRACE_PROBE_ENTRY)?;
        drop(one);
        other.add("rt_late:rt_late_work", late)?;
        check_eq!(other.quota()?.patterns, 2, "patterns in the end");
        Ok(())
    })
}

fn brackets(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("patterns_per_uid", 5)])?;
    let late = abi::RTRACE_PROBE_ENTRY | abi::RTRACE_ADD_LATE;
    play("bob", || {
        let session = open(USER)?;
        session.add("rt_late:rt_[lx]ate_*", late)?;
        // What closes the brackets counts as well.
        check_eq!(session.quota()?.patterns, 4, "patterns");
        let words = ["4 more patterns", "have 4", "may have 5"];
        is_over(session.add("rt_[lx]ate:rt_late_work", late), &words)?;
        session.add("rt_late:rt_late_work", late)?;
        check_eq!(session.quota()?.patterns, 5, "patterns in the end");
        Ok(())
    })
}

/// Clocks of one session, whose clause may take 40 µs.
fn with_clocks(clocks: impl Iterator<Item = u64>) -> Outcome<Session> {
    let session = open(USER)?;
    let code = (0..10_000).fold(Code::new(), |code, _| code.set(1, 1));
    session.load(&Program::new().clause(1, 0, code.ret()))?;
    for (number, period) in clocks.enumerate() {
        session.add_own(abi::RTRACE_KIND_TICK, 1, period, &format!("tick-{number}"))?;
    }
    Ok(session)
}

fn clock_time(_: &Options) -> Outcome {
    // 10 ms of each second.
    let _limits = Parameters::set(&[("clock_percent_per_uid", 1)])?;
    play("bob", || {
        let with = |hz: u64| with_clocks(std::iter::once(1_000_000_000 / hz));
        let (one, other) = (with(200)?, with(100)?);
        check_eq!(one.quota()?.clock_time, 0, "before they run");
        one.start()?;
        let quota = one.quota()?;
        check!(
            (8_000_000..=9_000_000).contains(&quota.clock_time),
            "{} ns a second",
            quota.clock_time
        );
        check_eq!(quota.clock_time_max, 10_000_000, "allowed");
        let words = [
            "5 ms of each second more",
            "take 9 ms",
            "10 are allowed",
            "clock_percent_per_uid",
        ];
        is_over(other.start(), &words)?;
        check_eq!(other.status()?.state, abi::RTRACE_STATE_IDLE, "state");
        check_eq!(other.quota()?, quota, "after the refusal");
        one.stop()?;
        check_eq!(other.quota()?.clock_time, 0, "when they do not run");
        other.start()?;
        other.stop()?;
        Ok(())
    })
}

fn seldom(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("clock_percent_per_uid", 1)])?;
    play("bob", || {
        let with = |clocks: usize| with_clocks(std::iter::repeat_n(3_600_000_000_000, clocks));
        let (one, other) = (with(150)?, with(150)?);
        one.start()?;
        is_over(other.start(), &["7 ms of each second more", "take 7 ms"])
    })
}

fn lowered(_: &Options) -> Outcome {
    let mut bob = Actor::of("bob", |cue| {
        let session = open(USER)?;
        let add = |pattern| session.add(pattern, abi::RTRACE_PROBE_ENTRY);
        add("rt_target:rt_tail_*")?;
        cue.pause()?;
        // No more than he has.
        add("rt_target:rt_tail_*")?;
        check_eq!(session.quota()?.probes, 2, "probes that he has");
        let words = ["1 more probes", "have 2", "may have 1"];
        is_over(add("rt_target:rt_plain"), &words)?;
        let another = Session::open_as(USER, libc::O_RDWR);
        check_eq!(another.err(), Some(Errno::DQUOT), "another session");
        session.start()?;
        session.stop()?;
        Ok(())
    })?;
    bob.ready()?;
    let _limits = Parameters::set(&[("probes_per_uid", 1), ("sessions_per_uid", 1)])?;
    bob.go()?;
    bob.end()
}

fn clocks(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("clock_hz_per_uid", 1100)])?;
    play("bob", || {
        let (one, other) = (open(USER)?, open(USER)?);
        let profile = |session: &Session, hz: u64| {
            let (kind, period) = (abi::RTRACE_KIND_PROFILE, 1_000_000_000 / hz);
            session.add_own(kind, 1, period, &format!("profile-{hz}"))
        };
        profile(&one, 1000)?;
        // The same is one clock.
        profile(&one, 1000)?;
        other.add_own(abi::RTRACE_KIND_TICK, 1, 1_000_000_000, "tick-1s")?;
        other.add_own(abi::RTRACE_KIND_BEGIN, 1, 0, "BEGIN")?;
        check_eq!(one.quota()?.clock_hz, 1001, "firings a second");
        let words = ["100 times", "1001 times", "1100 times", "clock_hz_per_uid"];
        is_over(profile(&other, 100), &words)?;
        check_eq!(other.quota()?.probes, 3, "probes that are counted");
        drop(one);
        profile(&other, 100)?;
        check_eq!(other.quota()?.clock_hz, 101, "firings a second in the end");
        Ok(())
    })
}

fn memory(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("memory_mb_per_uid", 6)])?;
    play("bob", || {
        let cpus = u64::from(open(USER)?.info()?.cpus);
        // Two such sessions fit, a third does not.
        let ring = (2 << 20) / cpus.next_power_of_two();
        let start = || -> Outcome<(Session, Result<(), crate::session::Refused>)> {
            let session = open(USER)?;
            session.add("rt_target:rt_plain", 1)?;
            session.configure(abi::rtrace_config {
                ring_bytes: ring,
                frames: 64,
                ..Default::default()
            })?;
            let started = session.start().map(drop);
            Ok((session, started))
        };
        let (one, started) = start()?;
        started?;
        let (_other, started) = start()?;
        started?;
        let (third, started) = start()?;
        let Err(refused) = started else {
            return Err(fail("a third session of 2 MiB below a limit of 6"));
        };
        check_eq!(refused.errno, Errno::DQUOT, "{refused}");
        for part in ["MiB", "may have 6", "memory_mb_per_uid", "smaller rings"] {
            check!(
                refused.text.contains(part),
                "{part} is not in {}",
                refused.text
            );
        }
        check_eq!(third.status()?.state, abi::RTRACE_STATE_IDLE, "state");
        check_eq!(third.status()?.memory, 0, "memory of the refused");
        drop(one);
        third.start()?;
        Ok(())
    })
}

fn targets(_: &Options) -> Outcome {
    // Half a MiB each.
    let _limits = Parameters::set(&[("memory_mb_per_uid", 1)])?;
    play("bob", || {
        let own = std::process::id() as i32;
        let (one, two, three) = (open(USER)?, open(USER)?, open(USER)?);
        one.target(own)?;
        two.target(own)?;
        let words = ["MiB", "have 1", "may have 1", "memory_mb_per_uid"];
        is_over(three.target(own), &words)?;
        check_eq!(three.quota()?.memory, 1 << 20, "memory");
        // In place of the one that it has.
        two.target(own)?;
        drop(one);
        three.target(own)?;
        Ok(())
    })
}

fn others(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("sessions_per_uid", 1), ("probes_per_uid", 1)])?;
    let mut bob = Actor::of("bob", |cue| {
        let session = open(USER)?;
        session.add("rt_target:rt_plain", 1)?;
        check_eq!(
            Session::open_as(USER, libc::O_RDWR).err(),
            Some(Errno::DQUOT)
        );
        cue.pause()
    })?;
    bob.ready()?;
    play("alice", || {
        let session = open(KERNEL)?;
        check_eq!(session.quota()?.exempt, 0, "alice is above the limits");
        session.add("rt_target:rt_plain", 1)?;
        session.start()?;
        Ok(session.stop()?)
    })?;
    let root: Vec<Session> = (0..5).map(|_| open(KERNEL)).collect::<Outcome<_>>()?;
    check_eq!(root[0].quota()?.exempt, 1, "root is above the limits");
    root[0].add("rt_target:rt_*", 3)?;
    bob.go()?;
    bob.end()
}

fn bound(_: &Options) -> Outcome {
    const CLAUSES: usize = 4000;
    let _limits = Parameters::set(&[("memory_mb_per_uid", 8)])?;
    play("bob", || {
        let clause = |program: Program, _| program.clause(1, 0, Code::new().ret());
        let mut program = (0..CLAUSES).fold(Program::new(), clause);
        program.sizes = abi::rtrace_program::default();
        let started = |pattern: &str| {
            let session = open(USER)?;
            session.load(&program)?;
            session.configure(abi::rtrace_config {
                ring_bytes: abi::RTRACE_RING_MIN.into(),
                ..Default::default()
            })?;
            session.add_to(pattern, abi::RTRACE_PROBE_ENTRY, 1)?;
            let probes = session.status()?.probes;
            let started = session.start();
            Ok::<_, Failure>((session, probes, started))
        };
        let (one, probes, few) = started("rt_target:rt_*")?;
        few?;
        let (memory, quota) = (one.status()?.memory, one.quota()?.memory);
        check!(
            quota >= memory && memory >= u64::from(probes) * CLAUSES as u64 * 8,
            "{quota} bytes are counted of {memory}, which {probes} probes take"
        );
        let (other, _, many) = started("vmlinux:tcp_*")?;
        is_over(many, &["memory_mb_per_uid"])?;
        drop(other);
        check_eq!(one.quota()?.memory, quota, "after the refusal");
        Ok(one.stop()?)
    })
}

/// A program of one clause, with room for nothing.
fn bare(code: Code) -> Program {
    let mut program = Program::new().clause(1, 0, code.ret());
    program.sizes = abi::rtrace_program::default();
    program
}

fn states(_: &Options) -> Outcome {
    const LARGE: u64 = 16 << 20;
    let _limits = Parameters::set(&[("memory_mb_per_uid", 8)])?;
    let mut aggregates = bare(Code::new()).aggregation(abi::RTRACE_AGG_COUNT, 8, [0; 4]);
    aggregates.sizes.aggsize = LARGE;
    let mut keeps =
        bare(Code::new()).variable(abi::RTRACE_SCOPE_THREAD, abi::RTRACE_VALUE_SCALAR, 8, 0);
    keeps.sizes.dynvarsize = LARGE;
    play("bob", || {
        for (what, program) in [("aggregations", &aggregates), ("variables", &keeps)] {
            let started = |program: &Program| -> Outcome<(Session, Answer)> {
                let session = open(USER)?;
                session.load(program)?;
                session.configure(abi::rtrace_config {
                    ring_bytes: abi::RTRACE_RING_MIN.into(),
                    ..Default::default()
                })?;
                session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
                let answer = session.start().map(drop);
                Ok((session, answer))
            };
            let (session, answer) = started(program)?;
            is_over(answer, &["memory_mb_per_uid"])
                .map_err(|why| fail(format!("{what}: {why}")))?;
            check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE, "{what}");
            let mut small = program.clone();
            small.sizes.aggsize = small.sizes.aggsize.min(1 << 16);
            small.sizes.dynvarsize = small.sizes.dynvarsize.min(1 << 16);
            let (session, answer) = started(&small)?;
            answer?;
            session.stop()?;
        }
        Ok(())
    })
}

fn loads(_: &Options) -> Outcome {
    // Half a MiB of code each, at the least.
    const CLAUSES: u32 = abi::RTRACE_PROGRAM_INSNS_MAX / abi::RTRACE_CLAUSE_INSNS_MAX;
    let _limits = Parameters::set(&[("memory_mb_per_uid", 4)])?;
    let code = (1..abi::RTRACE_CLAUSE_INSNS_MAX).fold(Code::new(), |code, _| code.set(1, 1));
    let mut program = (0..CLAUSES).fold(Program::new(), |program, _| {
        program.clause(1, 0, code.clone().ret())
    });
    program.sizes = abi::rtrace_program::default();
    play("bob", || {
        let mut all = Vec::new();
        let over = loop {
            let session = open(USER)?;
            match session.load(&program) {
                Ok(()) if all.len() < 16 => all.push(session),
                answer => break answer,
            }
        };
        is_over(over, &["may have 4", "memory_mb_per_uid"])?;
        check!(!all.is_empty(), "the first one is refused");
        all.pop();
        Ok(open(USER)?.load(&program)?)
    })
}

fn observed(_: &Options) -> Outcome {
    let _limits = Parameters::set(&[("sessions_per_uid", 2)])?;
    play("bob", || {
        let owner = open(USER)?;
        owner.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
        owner.publish("counted")?;
        owner.start()?;
        let observer = open(USER)?;
        observer.observe("counted")?;
        drop(owner);
        let third = || Session::open_as(USER, libc::O_RDWR).err();
        check_eq!(third(), Some(Errno::DQUOT), "while it is observed");
        drop(observer);
        check_eq!(third(), None, "afterwards");
        Ok(())
    })
}

fn asked(_: &Options) -> Outcome {
    let limits = [
        ("sessions_per_uid", 9),
        ("probes_per_uid", 99),
        ("memory_mb_per_uid", 64),
        ("events_per_uid", 999_999),
        ("patterns_per_uid", 7),
        ("clock_hz_per_uid", 5001),
        ("clock_percent_per_uid", 7),
    ];
    let _limits = Parameters::set(&limits)?;
    play("bob", || {
        let (one, other) = (open(USER)?, open(USER)?);
        one.add("rt_target:rt_plain", 3)?;
        other.add("rt_target:rt_plain", 1)?;
        other.configure(abi::rtrace_config {
            ring_bytes: 1 << 16,
            ..Default::default()
        })?;
        other.start()?;
        let quota = one.quota()?;
        check_eq!(quota.uid, sys::ids::real().0, "whose");
        check_eq!((quota.sessions, quota.sessions_max), (2, 9), "sessions");
        check_eq!((quota.probes, quota.probes_max), (3, 99), "probes");
        check_eq!(quota.memory_max, 64 << 20, "memory");
        check!(
            quota.memory >= other.status()?.memory,
            "{} bytes are less than those of one session",
            quota.memory
        );
        check_eq!(quota.events_max, 999_999, "events");
        check_eq!((quota.patterns, quota.patterns_max), (0, 7), "patterns");
        check_eq!((quota.clock_hz, quota.clock_hz_max), (0, 5001), "clocks");
        check_eq!(
            (quota.clock_time, quota.clock_time_max),
            (0, 70_000_000),
            "their time"
        );
        check_eq!(other.quota()?, quota, "by the other session");
        Ok(())
    })
}
