// SPDX-License-Identifier: GPL-2.0-only
//! What may be mapped of a session, how, and what cannot be made of it afterwards.

use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

use rust_tracer::abi;
use rustix::io::Errno;

use crate::options::Options;
use crate::session::{KERNEL, Session, offset_of_area};
use crate::sys::{self, Child, Ended, Mapping};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};

group! { "mmap":
    "there is nothing to map before the start" => before_start,
    "each area is mapped as a whole, and no other length" => lengths,
    "an offset that is not that of an area is refused" => offsets,
    "no area is mapped to be executed" => executable,
    "status and data are not mapped to be written" => writable,
    "no area is mapped privately" => private,
    "a file opened to read maps status and data, and cannot write the consumer page" => read_only_file,
    "mprotect adds no right that was not there" => protect,
    "mremap neither grows nor doubles a mapping" => remap,
    "a mapping of which a part is unmapped stays readable, and the session goes on" => partial,
    "a reader that gives up its pages harms nobody but itself" => given_up,
    "a child that is forked has no mapping, and takes nothing from its parent" => fork,
    "a mapping stays readable after the descriptor is closed, and ends with its last user" => after_close,
    "the kernel cannot be talked into writing a read-only mapping by read(2) or /proc/PID/mem" => side_doors,
    "an area can be mapped twice and shows the same" => twice,
    "bytes beyond what was published are zero in a new ring" => zeroed,
}

const PAGE: usize = 4096;
const RING: usize = abi::RTRACE_RING_MIN as usize;
/// The areas with their lengths.
const AREAS: [(u64, usize); 3] = [
    (abi::AREA_STATUS, PAGE),
    (abi::AREA_CONSUMER, PAGE),
    (abi::AREA_DATA, RING),
];
const READ: i32 = libc::PROT_READ;
const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;

fn running() -> Outcome<Trace> {
    Plan::new()
        .entry("rt_target:rt_plain")
        .ring(RING as u64)
        .start()
}

fn map(
    session: &Session,
    (area, length): (u64, usize),
    protection: i32,
    flags: i32,
) -> Result<Mapping, Errno> {
    Mapping::new(
        &session.fd,
        length,
        protection,
        flags,
        offset_of_area(0, area),
    )
}

/// The mapping must be refused in this way.
fn refused(found: Result<Mapping, Errno>, errnos: &[Errno], what: &str) -> Outcome {
    match found {
        Ok(_) => Err(fail(format!("{what} is allowed"))),
        Err(errno) if errnos.contains(&errno) => Ok(()),
        Err(errno) => Err(fail(format!("{what}: {errno}, not one of {errnos:?}"))),
    }
}

fn before_start(_: &Options) -> Outcome {
    let session = Session::open()?;
    for area in AREAS {
        refused(
            map(&session, area, READ, libc::MAP_SHARED),
            &[Errno::NXIO],
            "an idle session's",
        )?;
    }
    session.add("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY)?;
    refused(
        map(&session, AREAS[0], READ, libc::MAP_SHARED),
        &[Errno::NXIO],
        "an armed session's",
    )
}

fn lengths(_: &Options) -> Outcome {
    let trace = running()?;
    for (area, right) in AREAS {
        for length in [
            PAGE,
            2 * PAGE,
            RING / 2,
            RING - PAGE,
            RING,
            RING + PAGE,
            2 * RING,
        ] {
            let found = map(&trace.session, (area, length), READ, libc::MAP_SHARED);
            if length == right {
                found.map_err(|errno| fail(format!("area {area:#x}: {errno}")))?;
            } else {
                let what = format!("area {area:#x} of {right} bytes by {length}");
                refused(found, &[Errno::INVAL], &what)?;
            }
        }
    }
    trace.finish()?;
    Ok(())
}

fn offsets(_: &Options) -> Outcome {
    let trace = running()?;
    let at = |offset: u64, length: usize| {
        Mapping::new(&trace.session.fd, length, READ, libc::MAP_SHARED, offset)
    };
    let wrong = &[Errno::INVAL, Errno::NXIO, Errno::OVERFLOW];
    // Inside an area, the fourth area, CPUs that are not there.
    refused(
        at(PAGE as u64, PAGE),
        wrong,
        "the page after the status page",
    )?;
    refused(
        at(offset_of_area(0, AREAS[2].0) + PAGE as u64, RING - PAGE),
        wrong,
        "a part of data",
    )?;
    refused(
        at(offset_of_area(0, 3 << 34), PAGE),
        wrong,
        "the fourth area",
    )?;
    for cpu in [trace.session.info()?.cpus, 4096, 8191, u32::MAX >> 8] {
        refused(
            at(offset_of_area(cpu, 0), PAGE),
            wrong,
            &format!("a ring of CPU {cpu}"),
        )?;
    }
    // The largest offset that mmap(2) takes.
    refused(
        at((i64::MAX as u64) & !0xfff, PAGE),
        wrong,
        "the largest offset",
    )?;
    trace.finish()?;
    Ok(())
}

fn executable(_: &Options) -> Outcome {
    let trace = running()?;
    for area in AREAS {
        let found = map(
            &trace.session,
            area,
            READ | libc::PROT_EXEC,
            libc::MAP_SHARED,
        );
        refused(
            found,
            &[Errno::PERM, Errno::ACCESS, Errno::INVAL],
            "an executable area",
        )?;
    }
    trace.finish()?;
    Ok(())
}

fn writable(_: &Options) -> Outcome {
    let trace = running()?;
    for area in [AREAS[0], AREAS[2]] {
        for protection in [READ_WRITE, libc::PROT_WRITE] {
            let found = map(&trace.session, area, protection, libc::MAP_SHARED);
            refused(found, &[Errno::PERM, Errno::ACCESS], "a writable area")?;
        }
    }
    map(&trace.session, AREAS[1], READ_WRITE, libc::MAP_SHARED)?;
    trace.finish()?;
    Ok(())
}

fn private(_: &Options) -> Outcome {
    let trace = running()?;
    for area in AREAS {
        for protection in [READ, READ_WRITE] {
            let found = map(&trace.session, area, protection, libc::MAP_PRIVATE);
            refused(found, &[Errno::INVAL, Errno::PERM], "a private mapping")?;
        }
    }
    trace.finish()?;
    Ok(())
}

fn read_only_file(_: &Options) -> Outcome {
    let trace = running()?;
    // The same session by a descriptor that may only read: reopening would be another session,
    // so a read-only one of its own shows what VFS and module allow.
    let reader = Session::open_as(KERNEL, libc::O_RDONLY)?;
    refused(
        map(&reader, AREAS[1], READ_WRITE, libc::MAP_SHARED),
        &[Errno::ACCESS],
        "writing a file that is open to read",
    )?;
    refused(
        map(&reader, AREAS[0], READ, libc::MAP_SHARED),
        &[Errno::NXIO],
        "an idle session's",
    )?;
    let writer = Session::open_as(KERNEL, libc::O_WRONLY)?;
    refused(
        map(&writer, AREAS[0], READ, libc::MAP_SHARED),
        &[Errno::ACCESS],
        "reading a file that is open to write",
    )?;
    trace.finish()?;
    Ok(())
}

fn protect(_: &Options) -> Outcome {
    let trace = running()?;
    for area in AREAS {
        let mapping = map(&trace.session, area, READ, libc::MAP_SHARED)?;
        for protection in [READ | libc::PROT_EXEC, libc::PROT_EXEC] {
            check_eq!(
                mapping.protect(protection),
                Err(Errno::ACCESS),
                "exec by mprotect"
            );
        }
        let write = mapping.protect(READ_WRITE);
        if area.0 == AREAS[1].0 {
            check!(write != Err(Errno::INVAL), "{write:?}");
        } else {
            check_eq!(write, Err(Errno::ACCESS), "write by mprotect");
        }
        mapping.protect(libc::PROT_NONE)?;
        mapping.protect(READ)?;
    }
    trace.finish()?;
    Ok(())
}

fn remap(_: &Options) -> Outcome {
    let trace = running()?;
    for area in AREAS {
        let mapping = map(&trace.session, area, READ, libc::MAP_SHARED)?;
        let (mapping, grown) = mapping.resize(2 * area.1);
        check!(grown.is_err(), "a mapping of {} bytes grows", area.1);
        check_eq!(
            mapping.double().err().is_some(),
            true,
            "a mapping is doubled"
        );
        let _still_readable = mapping.word(0).load(Ordering::Relaxed);
    }
    trace.finish()?;
    Ok(())
}

fn partial(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    target.run_on(0, "plain 10")?;
    let mut data = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED)?;
    let before = data.word(0).load(Ordering::Relaxed);
    check!(before != 0, "no record at the beginning of the ring");
    data.halve()?;
    check_eq!(
        data.word(0).load(Ordering::Relaxed),
        before,
        "the first record"
    );
    for advice in [libc::MADV_DOFORK, libc::MADV_DONTFORK, libc::MADV_DODUMP] {
        // Allowed or not, what is there stays there.
        let _ = data.advise(advice);
        check_eq!(
            data.word(0).load(Ordering::Relaxed),
            before,
            "after advice {advice}"
        );
    }
    drop(data);
    target.run_on(0, "plain 10")?;
    check_eq!(trace.finish()?.entries("rt_plain")?.len(), 20);
    Ok(())
}

fn given_up(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    target.run_on(0, "plain 10")?;
    let child = Child::start(|| {
        let Ok(data) = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED) else {
            return 1;
        };
        let _ = data.advise(libc::MADV_DONTNEED);
        data.word(0).load(Ordering::Relaxed);
        0
    })?;
    let ended = child.wait()?;
    check!(
        matches!(ended, Ended::Exit(0) | Ended::Signal(libc::SIGBUS)),
        "the reader that gave up its pages: {ended:?}"
    );
    target.run_on(0, "plain 10")?;
    check_eq!(trace.finish()?.entries("rt_plain")?.len(), 20);
    Ok(())
}

fn fork(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    let data = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED)?;
    let child = Child::start(|| {
        // Not inherited: touching it ends the child.
        data.word(0).load(Ordering::Relaxed);
        0
    })?;
    check_eq!(
        child.wait()?,
        Ended::Signal(libc::SIGSEGV),
        "a child that reads the mapping"
    );
    // A child that closes its copy of the descriptor closes nothing of ours.
    let child = Child::start(|| 0)?;
    check_eq!(child.wait()?, Ended::Exit(0));
    target.run("plain 10")?;
    check_eq!(trace.finish()?.entries("rt_plain")?.len(), 10);
    Ok(())
}

fn after_close(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    target.run_on(0, "plain 10")?;
    let data = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED)?;
    let status = map(&trace.session, AREAS[0], READ, libc::MAP_SHARED)?;
    let first = data.word(0).load(Ordering::Relaxed);
    trace.session.stop()?;
    drop(trace);
    // The mapping holds the file.
    check_eq!(
        crate::guest::references(),
        Some(1),
        "the module's references"
    );
    check_eq!(
        data.word(0).load(Ordering::Relaxed),
        first,
        "the first record"
    );
    drop(data);
    check_eq!(
        status.word(40).load(Ordering::Relaxed),
        0,
        "CPU and bad_consumer"
    );
    check_eq!(
        crate::guest::references(),
        Some(1),
        "the module's references"
    );
    drop(status);
    check_eq!(
        crate::guest::references(),
        Some(0),
        "the module's references"
    );
    Ok(())
}

fn side_doors(_: &Options) -> Outcome {
    use std::fs::{File, OpenOptions};
    use std::os::unix::fs::FileExt;
    let target = Target::open()?;
    let trace = running()?;
    target.run_on(0, "plain 10")?;
    let data = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED)?;
    let first = data.word(0).load(Ordering::Relaxed);
    let zeroes = File::open("/dev/zero")?;
    check_eq!(
        sys::read_to_address(zeroes.as_raw_fd(), data.address(), 64),
        Err(Errno::FAULT),
        "read(2) into the mapping"
    );
    let memory = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/proc/self/mem")?;
    check!(
        memory.write_at(&[0xff; 64], data.address()).is_err(),
        "/proc/self/mem writes it"
    );
    check_eq!(
        data.word(0).load(Ordering::Relaxed),
        first,
        "the first record"
    );
    trace.finish()?;
    Ok(())
}

fn twice(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    let one = map(&trace.session, AREAS[0], READ, libc::MAP_SHARED)?;
    let other = map(&trace.session, AREAS[0], READ, libc::MAP_SHARED)?;
    target.run_on(0, "plain 10")?;
    let published = one.word(0).load(Ordering::Acquire);
    check_eq!(published, 10 * size_of::<abi::rtrace_record_entry>() as u64);
    check_eq!(other.word(0).load(Ordering::Acquire), published);
    trace.finish()?;
    Ok(())
}

fn zeroed(_: &Options) -> Outcome {
    let target = Target::open()?;
    let trace = running()?;
    target.run_on(0, "plain 10")?;
    let data = map(&trace.session, AREAS[2], READ, libc::MAP_SHARED)?;
    let published = trace.rings[0].published() as usize;
    let mut rest = vec![0xffu8; RING - published];
    data.copy(published, &mut rest);
    check!(
        rest.iter().all(|byte| *byte == 0),
        "bytes that nobody wrote are not zero"
    );
    for (area, used) in [
        (AREAS[0], size_of::<abi::rtrace_ring_status>()),
        (AREAS[1], 8),
    ] {
        let page = map(&trace.session, area, READ, libc::MAP_SHARED)?;
        let mut rest = vec![0xffu8; PAGE - used];
        page.copy(used, &mut rest);
        check!(
            rest.iter().all(|byte| *byte == 0),
            "the rest of area {:#x} is not zero",
            area.0
        );
    }
    trace.finish()?;
    Ok(())
}
