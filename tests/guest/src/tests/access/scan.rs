// SPDX-License-Identifier: GPL-2.0-only
//! A million records of the nodes that show no data, byte by byte: no field can hold an address,
//! an argument or a return value, since each holds what its name says.

use std::collections::BTreeSet;
use std::fs;

use rust_tracer::abi;
use zerocopy::FromBytes;

use crate::actor::Actor;
use crate::options::Options;
use crate::session::{SYSTEM, USER};
use crate::sys;
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::{Plan, Trace};

group! { "access, scan":
    "a million records of the node system hold nothing but who, what, where and when" => system,
    "a million records of the node user hold, but for system calls, nothing else but whether a call failed, and how" => user,
}

/// No kernel address is below it, and nothing in a record may be above.
const KERNEL_ADDRESSES: u64 = 0xffff_8000_0000_0000;
/// The upper half of each value that is given to rt_value, and that it returns.
const MARK: u64 = 0xa5c3_5aec;
/// Its last byte.
const MARK_END: u64 = 0x5a;
/// More calls than rt_plain gets in one command.
const CALLS: u64 = 1 << 16;
/// rt_plain's fourth argument is a multiple of it.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const CALLED: usize = size_of::<abi::rtrace_record_called>();
const RETURNED: usize = size_of::<abi::rtrace_record_returned>();
const ENTRY: usize = size_of::<abi::rtrace_record_entry>();
const RETURN: usize = size_of::<abi::rtrace_record_return>();

/// What a field of a record may be.
struct Domain {
    node: &'static str,
    probes: u32,
    /// Those of system calls, whose arguments and values the node user shows.
    system_calls: BTreeSet<u32>,
    cpus: u32,
    pids: u32,
    uids: BTreeSet<u32>,
    begun: u64,
}

/// What was looked at.
#[derive(Default)]
struct Seen {
    called: u64,
    returned: u64,
    lost: u64,
    results: BTreeSet<i32>,
    time: Vec<u64>,
}

impl Seen {
    fn records(&self) -> u64 {
        self.called + self.returned
    }
}

/// The users that there are.
fn uids() -> Outcome<BTreeSet<u32>> {
    let text = fs::read_to_string("/etc/passwd")?;
    let of = |line: &str| line.split(':').nth(2)?.parse().ok();
    Ok(text.lines().filter_map(of).collect())
}

/// No thread has a number above it yet.
fn last_pid() -> Outcome<u32> {
    let text = fs::read_to_string("/proc/sys/kernel/pid_max")?;
    text.trim().parse().map_err(fail)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0u8; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Whether it is one of the values that the load gives to functions, or gets from them, and that
/// no two fields make together.
fn is_planted(word: u64) -> bool {
    word >> 32 == MARK && word & 0xff == MARK_END || word >= !CALLS
}

/// Whether it is what rt_plain gets as its fourth argument.
fn is_golden(word: u64) -> bool {
    const INVERSE: u64 = inverse(GOLDEN);
    (1..=CALLS).contains(&word.wrapping_mul(INVERSE))
}

/// Nothing that was planted at any byte, and where a word may begin no multiple of rt_plain's, and
/// no kernel address.
fn clean(bytes: &[u8], what: &str) -> Outcome {
    for (at, window) in bytes.windows(8).enumerate() {
        let word = window.try_into().map_or(0, u64::from_le_bytes);
        check!(
            !is_planted(word) && (at % 4 != 0 || !is_golden(word)),
            "{what}: the planted {word:#x} at byte {at} of {bytes:x?}"
        );
        // Across fields, the low bytes of a time make any number.
        check!(
            at % 8 != 0 || word < KERNEL_ADDRESSES,
            "{what}: {word:#x} at byte {at} of {bytes:x?}"
        );
    }
    Ok(())
}

/// The inverse of an odd number modulo 2^64, by Newton's iteration.
const fn inverse(of: u64) -> u64 {
    let mut inverse = of;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(of.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

/// Printable, and zeroes behind.
fn is_name(name: &[u8]) -> bool {
    let end = name.iter().position(|byte| *byte == 0);
    end.is_some_and(|end| {
        let (text, rest) = name.split_at(end);
        text.iter().all(|byte| (0x20..0x7f).contains(byte)) && rest.iter().all(|byte| *byte == 0)
    })
}

impl Domain {
    /// Looks at the bytes of a ring; the records in them are whole.
    fn look(&self, cpu: u32, position: u64, bytes: &[u8], seen: &mut Seen) -> Outcome {
        let mut at = 0;
        while at < bytes.len() {
            let info = word(bytes, at) as u32;
            let length = (info & 0xff_ffff) as usize;
            let kind = (info >> 24) & 0xf;
            let record = bytes
                .get(at..at + length)
                .ok_or_else(|| fail(format!("a record of {length} bytes is cut")))?;
            let expected = match kind {
                abi::RTRACE_RECORD_CALLED => CALLED,
                abi::RTRACE_RECORD_RETURNED => RETURNED,
                abi::RTRACE_RECORD_ENTRY if self.node == USER => ENTRY,
                abi::RTRACE_RECORD_RETURN if self.node == USER => RETURN,
                abi::RTRACE_RECORD_LOST => size_of::<abi::rtrace_record_lost>(),
                abi::RTRACE_RECORD_PAD => bytes.len() - at,
                kind => return Err(fail(format!("{}: a record of type {kind}", self.node))),
            };
            check_eq!(length, expected, "bytes of a record of type {kind}");
            let own = (position + at as u64) >> 3;
            check_eq!((word(record, 0) >> 32) as u32, own as u32, "its position");
            at += length;
            if kind == abi::RTRACE_RECORD_PAD {
                // What lies behind its head are records of a round before, looked at then.
                continue;
            }
            if kind == abi::RTRACE_RECORD_LOST {
                seen.lost += word(record, 16);
                clean(record, "LOST")?;
                continue;
            }
            if [abi::RTRACE_RECORD_ENTRY, abi::RTRACE_RECORD_RETURN].contains(&kind) {
                let probe = word(record, 16) as u32;
                check!(
                    self.system_calls.contains(&probe),
                    "arguments or a value of probe {probe}, which is of no system call"
                );
                let entry = kind == abi::RTRACE_RECORD_ENTRY;
                seen.called += u64::from(entry);
                seen.returned += u64::from(!entry);
                continue;
            }
            self.look_at(cpu, kind, info, record, seen)?;
        }
        Ok(())
    }

    fn look_at(&self, cpu: u32, kind: u32, info: u32, record: &[u8], seen: &mut Seen) -> Outcome {
        let whole = "as long as the structure";
        // The first 56 bytes of both are the same but for `result`.
        let who = abi::rtrace_record_called::read_from_bytes(&record[..CALLED]).expect(whole);
        check!(who.probe < self.probes, "probe {}", who.probe);
        check!(who.cpu == cpu && cpu < self.cpus, "cpu {}", who.cpu);
        check!(who.pid <= self.pids, "pid {}", who.pid);
        check!(who.tid <= self.pids, "tid {}", who.tid);
        check!(self.uids.contains(&who.uid), "uid {}", who.uid);
        check!(info >> 28 <= abi::RTRACE_CONTEXT_NMI, "info {info:#x}");
        let name = who.execname.map(|c| c as u8);
        check!(is_name(&name), "execname {name:x?}");
        check!(
            (self.begun..=sys::now()).contains(&who.head.time),
            "time {}",
            who.head.time
        );
        let last = &mut seen.time[cpu as usize];
        check!(who.head.time >= *last, "time goes back");
        *last = who.head.time;
        let mut bytes = record.to_vec();
        if kind == abi::RTRACE_RECORD_CALLED {
            check_eq!(who.reserved, 0, "reserved");
            seen.called += 1;
        } else {
            let ret = abi::rtrace_record_returned::read_from_bytes(record).expect(whole);
            let none = abi::RTRACE_RESULT_NONE as i32;
            let allowed =
                ret.result == none || self.node == USER && (-4095..=0).contains(&ret.result);
            check!(allowed, "{}: result {}", self.node, ret.result);
            seen.results.insert(ret.result);
            check!(
                ret.elapsed <= who.head.time - self.begun,
                "elapsed {} of a session that began {} ns before",
                ret.elapsed,
                who.head.time - self.begun
            );
            seen.returned += 1;
            // Judged above; an error is all ones at its upper end.
            bytes[36..40].fill(0);
        }
        clean(&bytes, self.node)
    }

    /// Takes what the rings have now: up to their end, and what lies behind it.
    fn take(&self, trace: &mut Trace, seen: &mut Seen) -> Outcome {
        for ring in &mut trace.rings {
            for _ in 0..2 {
                let (position, bytes) = ring.take_bytes();
                self.look(ring.cpu, position, &bytes, seen)?;
            }
        }
        Ok(())
    }
}

/// Looks at so many records of a node while `load` runs, over and over, by this user.
fn scan(
    records: u64,
    node: &'static str,
    user: &str,
    load: impl Fn(&Target) -> Outcome + Copy,
) -> Outcome {
    // A descriptor's answers are its caller's alone.
    let targets = [Target::open()?, Target::open()?];
    let stop = std::path::Path::new("/tmp/rt-scan-stop");
    let _ = fs::remove_file(stop);
    let domain = Domain {
        node,
        probes: 0,
        system_calls: BTreeSet::new(),
        cpus: 0,
        pids: last_pid()?,
        uids: uids()?,
        begun: sys::now(),
    };
    let mut reader = Actor::of(user, |cue| {
        let plan = Plan::on(node)
            .both("rt_target:rt_*")
            .both("vmlinux:vfs_*")
            .both("vmlinux:__x64_sys_*")
            .both("vmlinux:kmem_cache_alloc*");
        let mut trace = plan.start()?;
        let mut domain = domain;
        domain.probes = trace.session.status()?.probes;
        domain.system_calls = (trace.session.probes()?.iter())
            .filter(|probe| probe.name.starts_with("__x64_sys_"))
            .map(|probe| probe.head.index)
            .collect();
        domain.cpus = trace.session.info()?.cpus;
        let mut seen = Seen {
            time: vec![0; domain.cpus as usize],
            ..Default::default()
        };
        cue.ready()?;
        let mut told = 0;
        while seen.records() < records {
            domain.take(&mut trace, &mut seen)?;
            if seen.records() - told >= records / 10 {
                told = seen.records();
                println!("{told} records so far");
            }
            sys::poll(&trace.session.fd, libc::POLLIN, 100)?;
        }
        trace.session.stop()?;
        domain.take(&mut trace, &mut seen)?;
        let ledger = crate::ledger::Ledger::audit(&trace.session)?;
        check_eq!(seen.records(), ledger.total().recorded, "records, ledger");
        crate::trace::check_rings_lost(&trace.rings, &ledger, seen.lost)?;
        let failed = seen.results.iter().any(|result| *result < 0);
        check_eq!(failed, node == USER, "whether errors are told, on {node}");
        check!(
            seen.called > 0 && seen.returned > 0,
            "no calls or no returns"
        );
        println!(
            "{node}: {} records looked at, {} of them returns",
            seen.records(),
            seen.returned
        );
        Ok(())
    })?;
    reader.ready()?;
    let mut loaders = Vec::new();
    for target in &targets {
        loaders.push(Actor::of(user, |_| {
            while !stop.exists() {
                load(target)?;
            }
            Ok(())
        })?);
    }
    let scanned = reader.end();
    fs::write(stop, "")?;
    let loaded = loaders.into_iter().try_for_each(Actor::end);
    fs::remove_file(stop)?;
    scanned.and(loaded)
}

/// Calls with known arguments and values; files that are there, and one that is not.
fn calls(target: &Target) -> Outcome {
    for low in 0..50u64 {
        target.run(&format!("value {}", (MARK << 32) | (low << 8) | MARK_END))?;
    }
    target.run("plain 20000")?;
    target.run("errno 2")?;
    let _ = fs::metadata("/etc/passwd");
    let _ = fs::metadata("/nowhere");
    Ok(())
}

fn system(options: &Options) -> Outcome {
    scan(options.scan, SYSTEM, "dave", |target| {
        calls(target)?;
        target.run("storm 2 2000")?;
        target.run("softirq 100")?;
        target.run("irq 20").map(drop)
    })
}

fn user(options: &Options) -> Outcome {
    // The loaders are bob's own.
    scan(options.scan, USER, "bob", calls)
}
