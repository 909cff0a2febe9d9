// SPDX-License-Identifier: GPL-2.0-only
//! The return of every function of the kernel, under a load of all kinds.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rust_tracer::abi;

use super::ends::await_nobody_inside;
use crate::ledger::Ledger;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, Session};
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::tests::programs::{aggregated, loaded};
use crate::workload;

group! { "stub, everything":
    "every function's returns are counted under load, and the kernel's text is as before" => count,
    "every function's latencies are distributed under load, and the kernel's text is as before" => latencies,
    "functions by their names, every latency, under load" => by_name,
}

/// The kernel's text, as /proc/kcore shows it, or the module where the kernel has none.
pub struct KernelText {
    base: u64,
    bytes: Vec<u8>,
}

impl KernelText {
    /// As it is now.
    pub fn read() -> Outcome<Self> {
        let symbols = fs::read_to_string("/proc/kallsyms")?;
        let address = |name: &str| {
            let line = symbols.lines().find(|line| {
                let mut words = line.split(' ').skip(2);
                words.next() == Some(name)
            });
            line.and_then(|line| u64::from_str_radix(line.split(' ').next()?, 16).ok())
                .ok_or_else(|| fail(format!("no address of {name}")))
        };
        let (base, end) = (address("_stext")?, address("_etext")?);
        let mut bytes = vec![0u8; (end - base) as usize];
        match File::open("/proc/kcore") {
            Ok(kcore) => kcore.read_exact_at(&mut bytes, offset_in_core(&kcore, base, end)?)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let session = Session::open()?;
                let parts = bytes.chunks_mut(abi::RTRACE_TEXT_MAX as usize);
                let places = (base..).step_by(abi::RTRACE_TEXT_MAX as usize);
                for (part, at) in parts.zip(places) {
                    part.copy_from_slice(&session.text(at, part.len())?);
                }
            }
            Err(error) => return Err(error.into()),
        }
        check!(
            bytes.iter().filter(|byte| **byte != 0).count() > bytes.len() / 2,
            "there is no text at {base:#x}"
        );
        Ok(Self { base, bytes })
    }

    /// Where it differs from another: functions, and how far inside.
    fn differences(&self, other: &Self) -> Outcome<Vec<String>> {
        let symbols = fs::read_to_string("/proc/kallsyms")?;
        let mut places: Vec<(u64, &str)> = symbols
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                let address = u64::from_str_radix(words.next()?, 16).ok()?;
                Some((address, words.nth(1)?))
            })
            .collect();
        places.sort_unstable();
        let differs = |at: &usize| self.bytes[*at] != other.bytes[*at];
        let mut found: Vec<String> = (0..self.bytes.len())
            .filter(differs)
            .map(|at| {
                let address = self.base + at as u64;
                let next = places.partition_point(|(start, _)| *start <= address);
                let (start, name) = places[next.saturating_sub(1)];
                format!(
                    "{name}+{:#x}: {:02x}, was {:02x}",
                    address - start,
                    other.bytes[at],
                    self.bytes[at]
                )
            })
            .collect();
        found.truncate(100);
        Ok(found)
    }

    /// Fails if it is not the same now.
    pub fn is_unchanged(&self) -> Outcome {
        let found = self.differences(&Self::read()?)?;
        check!(found.is_empty(), "the kernel's text differs: {found:#?}");
        Ok(())
    }
}

/// Where /proc/kcore has what lies at this address.
fn offset_in_core(kcore: &File, base: u64, end: u64) -> Outcome<u64> {
    const HEADER: usize = 64;
    let mut header = [0u8; HEADER];
    kcore.read_exact_at(&mut header, 0)?;
    let word = |bytes: &[u8], at: usize| {
        let word: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
        u64::from_ne_bytes(word)
    };
    let half = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
    // e_phoff, e_phentsize, e_phnum; then of each p_offset, p_vaddr, p_filesz.
    let (at, size, count) = (word(&header, 32), half(54), half(56));
    for number in 0..u64::from(count) {
        let mut segment = [0u8; 56];
        kcore.read_exact_at(&mut segment, at + number * u64::from(size))?;
        let (offset, address, length) = (word(&segment, 8), word(&segment, 16), word(&segment, 32));
        if address <= base && end <= address.saturating_add(length) {
            return Ok(offset + (base - address));
        }
    }
    Err(fail(format!("/proc/kcore has nothing at {base:#x}")))
}

/// The functions with most calls that have no frame: how many, and by which way they are attached.
fn most_unframed(session: &Session) -> Outcome<Vec<(String, u64, u8)>> {
    let probes = session.probes()?;
    let mut found: Vec<_> = session
        .ledger(abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_NONZERO)?
        .iter()
        .map(|row| {
            let probe = &probes[row.probe as usize];
            let unframed = row.missed[abi::RTRACE_MISSED_UNFRAMED as usize];
            (probe.name.clone(), unframed, probe.head.way)
        })
        .filter(|(_, unframed, _)| *unframed > 0)
        .collect();
    found.sort_by_key(|(_, unframed, _)| std::cmp::Reverse(*unframed));
    found.truncate(12);
    Ok(found)
}

/// Traces the return of every function with such a clause while there is load.
fn under_load(options: &Options, function: u32, keys: u32, code: Code) -> Outcome {
    let mut program = Program::new()
        .aggregation(function, keys, [0; 4])
        .clause(1, 0, code.ret());
    program.sizes.aggsize = 16 << 20;
    // The first time, the kernel patches more than functions' sites: what is tried once stays so.
    let once = |load: u64| -> Outcome {
        let session = loaded(KERNEL, &program)?;
        let added = session.add_to(":", abi::RTRACE_PROBE_RETURN, 1)?;
        let started = session.start()?;
        check_eq!(
            (started.attached, started.refused),
            (added.added, 0),
            "attached and refused"
        );
        let by_stub = session
            .probes()?
            .iter()
            .filter(|probe| u32::from(probe.head.way) == abi::RTRACE_WAY_STUB)
            .count();
        check!(
            by_stub > added.added as usize / 2,
            "only {by_stub} of {} probes are by the stub",
            added.added
        );
        let end = Instant::now() + Duration::from_secs(load);
        let mut rounds = 0;
        while rounds == 0 || Instant::now() < end {
            workload::round()?;
            rounds += 1;
            println!("round {rounds}");
            session.status()?;
        }
        session.stop()?;
        let total = Ledger::audit_of(&session, true)?.total();
        println!(
            "{} probes, {by_stub} by the stub; {rounds} rounds of load; {} entered, {} returned, {} in flight, missed \
             {:?}, dropped {:?}",
            added.added,
            total.entered,
            total.returned,
            total.in_flight,
            total.missed,
            total.dropped
        );
        println!("most unframed: {:?}", most_unframed(&session)?);
        check!(total.returned > 100_000, "only {} returns", total.returned);
        let found = aggregated(&session, 4 << 20)?;
        let taken: u64 = found.iter().flat_map(|entry| &entry.words).sum();
        check_eq!(taken, total.processed, "what was aggregated");
        check_eq!(
            (total.fired, total.filtered),
            (total.returned, 0),
            "fired and filtered"
        );
        Ok(())
    };
    once(0)?;
    await_nobody_inside()?;
    let text = KernelText::read()?;
    once(options.stub_load)?;
    await_nobody_inside()?;
    text.is_unchanged()
}

fn count(options: &Options) -> Outcome {
    let code = Code::new().keys(&[]).aggregate(0, 0, 0);
    under_load(options, abi::RTRACE_AGG_COUNT, 0, code)
}

fn latencies(options: &Options) -> Outcome {
    let code = Code::new()
        .get(1, abi::RTRACE_VAR_ELAPSED)
        .set(2, 1)
        .keys(&[])
        .aggregate(0, 1, 2);
    under_load(options, abi::RTRACE_AGG_QUANTIZE, 0, code)
}

/// `@[probefunc] = quantize(elapsed)`, as the tool has it compiled.
fn by_name(options: &Options) -> Outcome {
    let code = Code::new()
        .get(1, abi::RTRACE_VAR_ELAPSED)
        .set(2, 1)
        .op(abi::RTRACE_OP_KEY0, 0, 0, 0, 0)
        .op(abi::RTRACE_OP_KEYP, 0, 0, 0, 0)
        .aggregate(0, 1, 2);
    under_load(options, abi::RTRACE_AGG_QUANTIZE, 8, code)
}
