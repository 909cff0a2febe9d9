// SPDX-License-Identifier: GPL-2.0-only
//! What the module refuses in which state and of whom, how, and that a refusal changes nothing.

use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::options::Options;
use crate::session::{Answer, Command, KERNEL, Session};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Trace;

group! { "commands":
    "INFO tells version, limits and features" => info,
    "a session is configured, narrowed and given probes only while it is idle" => idle_only,
    "a session starts once, stops once, and needs probes" => state,
    "a configuration that cannot be is refused and changes nothing" => configuration,
    "a pattern that is too long is refused" => long_pattern,
    "a file opened to read cannot arm, one opened to write cannot observe" => mode_bits,
    "the last error is a sentence with its errno, and stays until the next" => last_error,
    "read and write on the node do nothing" => no_io,
    "threads that race through the life of a session leave it whole" => racing,
}

/// The command must be refused with this errno and a sentence.
pub(super) fn refused<T: std::fmt::Debug>(
    answer: Answer<T>,
    errnos: &[Errno],
    what: &str,
) -> Outcome {
    match answer {
        Ok(value) => Err(fail(format!("{what} is accepted: {value:?}"))),
        Err(refused) => {
            check!(
                errnos.contains(&refused.errno),
                "{what}: {refused}, not {errnos:?}"
            );
            check!(
                refused.text.len() > 15,
                "{what}: the text is only {:?}",
                refused.text
            );
            Ok(())
        }
    }
}

fn info(_: &Options) -> Outcome {
    let info = Session::open()?.info()?;
    check_eq!(u32::from(info.abi_major), abi::RTRACE_ABI_MAJOR);
    check_eq!(u32::from(info.abi_minor), abi::RTRACE_ABI_MINOR);
    check_eq!(info.node, abi::RTRACE_NODE_KERNEL);
    let features = abi::RTRACE_FEATURE_ENTRY
        | abi::RTRACE_FEATURE_RETURN
        | abi::RTRACE_FEATURE_LATE
        | abi::RTRACE_FEATURE_TARGET;
    check_eq!(info.features & features as u64, features as u64, "features");
    check_eq!(info.clock, abi::RTRACE_CLOCK_MONOTONIC);
    check_eq!(info.page_size, 4096);
    check!(
        info.cpus as usize >= crate::guest::online_cpus(),
        "{} CPUs",
        info.cpus
    );
    check!(info.functions > 10_000, "only {} functions", info.functions);
    check_eq!(info.ring_min, u64::from(abi::RTRACE_RING_MIN));
    check_eq!(info.ring_max, u64::from(abi::RTRACE_RING_MAX));
    check_eq!(info.probes_max, abi::RTRACE_PROBES_MAX);
    check_eq!(info.frames_max, abi::RTRACE_FRAMES_MAX);
    Ok(())
}

fn idle_only(_: &Options) -> Outcome {
    let session = Session::open()?;
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    session.start()?;
    for when in ["running", "stopped"] {
        let busy = &[Errno::BUSY, Errno::INVAL];
        refused(
            session.add("rt_target:rt_*", 1),
            busy,
            &format!("ADD when {when}"),
        )?;
        refused(
            session.configure(abi::rtrace_config::default()),
            busy,
            &format!("CONFIG when {when}"),
        )?;
        refused(session.target(1), busy, &format!("TARGET when {when}"))?;
        refused(session.start(), busy, &format!("START when {when}"))?;
        check_eq!(session.status()?.probes, 1, "probes when {when}");
        session.stop()?;
    }
    Ok(())
}

fn state(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    let wrong = &[Errno::INVAL, Errno::BUSY];
    refused(session.stop(), wrong, "STOP of an idle session")?;
    refused(session.ledger(0), wrong, "LEDGER of an idle session")?;
    refused(session.start(), wrong, "START without probes")?;
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    session.start()?;
    let status = session.status()?;
    check_eq!(
        (status.state, status.attached),
        (abi::RTRACE_STATE_RUNNING, 1)
    );
    check!(
        status.memory >= u64::from(status.rings) * status.ring_bytes,
        "only {} bytes held",
        status.memory
    );
    session.stop()?;
    let status = session.status()?;
    check_eq!(
        (status.state, status.attached),
        (abi::RTRACE_STATE_STOPPED, 0)
    );
    check_eq!(status.reason, abi::RTRACE_REASON_ASKED);
    // Stopping what is stopped is no error, or a clear one; it stays stopped.
    let _ = session.stop();
    check_eq!(session.status()?.state, abi::RTRACE_STATE_STOPPED);
    Ok(())
}

fn configuration(_: &Options) -> Outcome {
    let session = Session::open()?;
    let good = session.configure(abi::rtrace_config {
        ring_bytes: 1 << 18,
        watermark: 4096,
        policy: abi::RTRACE_POLICY_FILL,
        frames: 100,
        ..Default::default()
    })?;
    check_eq!(
        (good.ring_bytes, good.watermark, good.frames),
        (1 << 18, 4096, 100)
    );
    let of = |ring_bytes, watermark, policy, frames| abi::rtrace_config {
        ring_bytes,
        watermark,
        policy,
        frames,
        ..Default::default()
    };
    for bad in [
        of(1, 0, 0, 0),
        of(u64::from(abi::RTRACE_RING_MIN) / 2, 0, 0, 0),
        of(u64::from(abi::RTRACE_RING_MAX) * 2, 0, 0, 0),
        of(100_000, 0, 0, 0),
        of(u64::MAX, 0, 0, 0),
        of(1 << 63, 0, 0, 0),
        of(1 << 18, 1 << 18, 0, 0),
        of(1 << 18, u64::MAX, 0, 0),
        of(0, 0, 3, 0),
        of(0, 0, u32::MAX, 0),
        of(0, 0, 0, abi::RTRACE_FRAMES_MAX + 1),
        of(0, 0, 0, u32::MAX),
    ] {
        refused(session.configure(bad), &[Errno::INVAL], &format!("{bad:?}"))?;
        let status = session.status()?;
        check_eq!(
            (
                status.ring_bytes,
                status.watermark,
                status.policy,
                status.frames
            ),
            (1 << 18, 4096, abi::RTRACE_POLICY_FILL, 100),
            "the configuration after {bad:?}"
        );
    }
    // More than there is of memory: refused at the start, and the session stays idle.
    session.configure(of(u64::from(abi::RTRACE_RING_MAX), 0, 0, 0))?;
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let total_kib: u64 = memory
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .ok_or_else(|| fail("no MemTotal"))?;
    let wanted = u64::from(abi::RTRACE_RING_MAX) * crate::guest::online_cpus() as u64;
    if wanted > total_kib * 1024 {
        refused(
            session.start(),
            &[Errno::NOMEM],
            "more memory than there is",
        )?;
        check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
        session.configure(of(0, 0, 0, 0))?;
    } else {
        session.configure(of(0, 0, 0, 0))?;
    }
    check_eq!(
        session.status()?.ring_bytes,
        u64::from(abi::RTRACE_RING_DEFAULT)
    );
    session.start()?;
    Ok(())
}

fn long_pattern(_: &Options) -> Outcome {
    let session = Session::open()?;
    let most = "x".repeat(abi::RTRACE_PATTERN_MAX as usize);
    check_eq!(session.add(&format!("{most}:{most}"), 1)?.matched, 0);
    let long = &[Errno::INVAL, Errno::TOOBIG, Errno::NAMETOOLONG];
    let more = format!("{most}x");
    refused(
        session.add(&format!("{more}:f"), 1),
        long,
        "a long module pattern",
    )?;
    refused(
        session.add(&format!("m:{more}"), 1),
        long,
        "a long function pattern",
    )?;
    refused(
        session.functions(&format!("m:{more}"), 0, 4096),
        long,
        "a long pattern to list",
    )?;
    // Bytes in brackets are tried one by one for each byte of each name: there may be few.
    let sets = abi::RTRACE_PATTERN_SETS_MAX as usize / 2;
    let set = format!("[{}]", "y".repeat(sets - 1));
    session.functions(&format!("m:{set}*{set}"), 0, 4096)?;
    for pattern in [
        format!("m:{set}*[z{}", &set[1..]),
        format!("*[z]{set}{set}:f"),
    ] {
        refused(
            session.functions(&pattern, 0, 4096),
            &[Errno::TOOBIG],
            "too much in brackets to list",
        )?;
        refused(
            session.add(&pattern, 1),
            &[Errno::TOOBIG],
            "too much in brackets",
        )?;
    }
    // A glob that is all stars must not take for ever.
    let stars = "*a".repeat(250) + "b";
    check_eq!(
        session
            .functions(&format!("vmlinux:{stars}"), 0, 1 << 16)?
            .len(),
        0
    );
    Ok(())
}

fn mode_bits(_: &Options) -> Outcome {
    let denied = &[Errno::BADF, Errno::PERM, Errno::ACCESS];
    let reader = Session::open_as(KERNEL, libc::O_RDONLY)?;
    reader.info()?;
    reader.status()?;
    reader.functions("rt_target:*", 0, 1 << 16)?;
    refused(
        reader.add("rt_target:rt_plain", 1),
        denied,
        "ADD by a reader",
    )?;
    refused(
        reader.configure(abi::rtrace_config::default()),
        denied,
        "CONFIG by a reader",
    )?;
    refused(reader.target(1), denied, "TARGET by a reader")?;
    refused(reader.start(), denied, "START by a reader")?;
    refused(reader.stop(), denied, "STOP by a reader")?;
    let writer = Session::open_as(KERNEL, libc::O_WRONLY)?;
    check_eq!(writer.add("rt_target:rt_plain", 1)?.added, 1);
    refused(writer.info(), denied, "INFO by a writer")?;
    refused(writer.status(), denied, "STATUS by a writer")?;
    refused(
        writer.functions("rt_target:*", 0, 1 << 16),
        denied,
        "FUNCTIONS by a writer",
    )?;
    writer.start()?;
    refused(writer.ledger(0), denied, "LEDGER by a writer")?;
    writer.stop()?;
    Ok(())
}

fn last_error(_: &Options) -> Outcome {
    let session = Session::open()?;
    check_eq!(
        session.last_error()?,
        (String::new(), 0),
        "before anything failed"
    );
    let Err(first) = session.configure(abi::rtrace_config {
        ring_bytes: 12345,
        ..Default::default()
    }) else {
        return Err(fail("a ring of 12345 bytes is accepted"));
    };
    check!(
        first.text.contains("12345"),
        "what was asked is not in {:?}",
        first.text
    );
    check!(
        first.text.is_ascii() && !first.text.contains('\n'),
        "{:?}",
        first.text
    );
    check_eq!(session.last_error()?.1, libc::EINVAL);
    // A success does not take it away, and another failure does.
    session.info()?;
    check_eq!(session.last_error()?.0, first.text, "after a success");
    let Err(second) = session.start() else {
        return Err(fail("START without probes is accepted"));
    };
    check!(second.text != first.text, "the text of the failure before");
    // A buffer that is too small gets what fits.
    let mut text = [0xffu8; 16];
    let mut error = abi::rtrace_error {
        buf: text.as_mut_ptr() as u64,
        buf_len: 10,
        ..Default::default()
    }
    .sized();
    session.command(&mut error)?;
    check_eq!(error.len, 10);
    check_eq!(
        text[..10],
        second.text.as_bytes()[..10],
        "the beginning of the text"
    );
    check_eq!(text[10..], [0xff; 6], "what lies behind the buffer");
    // Another session knows nothing of it.
    check_eq!(Session::open()?.last_error()?, (String::new(), 0));
    Ok(())
}

fn no_io(_: &Options) -> Outcome {
    use std::io::{Read, Write};
    let session = Session::open()?;
    let mut file = std::fs::File::from(session.fd.try_clone()?);
    check!(file.read(&mut [0u8; 64]).is_err(), "the node can be read");
    check!(file.write(&[0u8; 64]).is_err(), "the node can be written");
    check_eq!(session.status()?.state, abi::RTRACE_STATE_IDLE);
    Ok(())
}

fn racing(options: &Options) -> Outcome {
    let target = Target::open()?;
    for round in 0..20u64 {
        let session = Session::open()?;
        session.configure(abi::rtrace_config {
            ring_bytes: abi::RTRACE_RING_MIN.into(),
            ..Default::default()
        })?;
        thread::scope(|scope| {
            for thread in 0..4 {
                let session = &session;
                let mut random = fastrand::Rng::with_seed(options.seed + 4 * round + thread);
                scope.spawn(move || {
                    for _ in 0..40 {
                        // Which of them succeed is chance; what they leave is looked at below.
                        let _ = match random.u8(0..8) {
                            0 => session.add("rt_target:rt_plain", 3).map(|_| ()),
                            1 => session.add("rt_target:rt_t*", 3).map(|_| ()),
                            2 => session.start().map(|_| ()),
                            3 => session.stop(),
                            4 => session.status().map(|_| ()),
                            5 => session.ledger(0).map(|_| ()),
                            6 => session.probes().map(|_| ()),
                            _ => session.map(0, abi::AREA_STATUS, 4096).map(|_| ()).map_err(
                                |errno| crate::session::Refused {
                                    errno,
                                    text: String::new(),
                                },
                            ),
                        };
                    }
                });
            }
            target.run("plain 200")
        })?;
        match session.status()?.state {
            abi::RTRACE_STATE_IDLE => {}
            abi::RTRACE_STATE_RUNNING => {
                target.run("plain 10")?;
                Trace::of(session)?.finish()?;
            }
            _ => {
                crate::ledger::Ledger::audit(&session)?;
            }
        }
    }
    Ok(())
}
