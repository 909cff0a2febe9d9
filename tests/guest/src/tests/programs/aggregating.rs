// SPDX-License-Identifier: GPL-2.0-only
//! What is aggregated in the kernel, against a replay of what was recorded.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::thread;

use rust_tracer::abi;
use rustix::io::Errno;

use super::{TRACE, aggregated, bucket, loaded, started};
use crate::guest;
use crate::options::Options;
use crate::program::{Code, Program};
use crate::session::{KERNEL, Session};
use crate::target::Target;
use crate::test::{Outcome, check, check_eq, fail, group};
use crate::trace::Trace;

group! { "programs, aggregations":
    "a million events on all CPUs aggregate to what their records say" => replayed,
    "what is taken while it is added to is taken once" => taken_under_fire,
    "keys that find no room are counted as dropped, and the others are right" => full,
    "what finds no room in the buffer comes with the next call, or is refused and stays" => buffers,
    "a distribution of as many levels as there can be is taken whole" => large,
}

/// Each aggregating function, by its number.
const FUNCTIONS: [u32; 9] = [
    abi::RTRACE_AGG_COUNT,
    abi::RTRACE_AGG_SUM,
    abi::RTRACE_AGG_MIN,
    abi::RTRACE_AGG_MAX,
    abi::RTRACE_AGG_AVG,
    abi::RTRACE_AGG_STDDEV,
    abi::RTRACE_AGG_QUANTIZE,
    abi::RTRACE_AGG_LQUANTIZE,
    abi::RTRACE_AGG_LLQUANTIZE,
];

/// `lquantize(value, -100, 2000, 100)`
const LINEAR: [u64; 4] = [-100i64 as u64, 100, 21, 0];
/// `llquantize(value, 10, 0, 3, 10)`
const LOGARITHMIC: [u64; 4] = [10, 0, 3, 10];

fn parameters(function: u32) -> [u64; 4] {
    match function {
        abi::RTRACE_AGG_LQUANTIZE => LINEAR,
        abi::RTRACE_AGG_LLQUANTIZE => LOGARITHMIC,
        _ => [0; 4],
    }
}

/// Records the argument and the CPU, and gives `arg0 % 1999 - 500` to every function, by the three
/// lowest bits of the argument (and to the last by none).
fn every_function() -> Program {
    let (arg0, cpu, key, value, one, rest) = (1, 2, 3, 4, 5, 6);
    let mut program = Program::new();
    let mut code = Code::new()
        .get(arg0, abi::RTRACE_VAR_ARG0)
        .get(cpu, abi::RTRACE_VAR_CPU)
        .emit(arg0, TRACE, 1)
        .emit(cpu, TRACE, 2)
        .set(one, 1)
        .set(rest, 1999)
        .op(abi::RTRACE_OP_MOD, value, arg0, rest, 0)
        .op(abi::RTRACE_OP_ADDI, value, value, 0, -500)
        .op(abi::RTRACE_OP_ANDI, key, arg0, 0, 7)
        .keys(&[key]);
    for (number, function) in FUNCTIONS.into_iter().enumerate() {
        program = program.aggregation(function, 8, parameters(function));
        // What a function does not use is 0.
        code = match function {
            abi::RTRACE_AGG_COUNT => code.aggregate(number, 0, 0),
            abi::RTRACE_AGG_QUANTIZE | abi::RTRACE_AGG_LQUANTIZE | abi::RTRACE_AGG_LLQUANTIZE => {
                code.aggregate(number, value, one)
            }
            _ => code.aggregate(number, value, 0),
        };
    }
    program = program.aggregation(abi::RTRACE_AGG_COUNT, 0, [0; 4]);
    let code = code.aggregate(FUNCTIONS.len(), 0, 0).ret();
    program.clause(1, 0, code)
}

/// What the functions make of values, in user space: how often each value was given, by key.
#[derive(Default)]
struct Replay(BTreeMap<u64, BTreeMap<i64, u64>>);

impl Replay {
    fn give(&mut self, arg0: u64) {
        let value = (arg0 % 1999) as i64 - 500;
        let counts = self.0.entry(arg0 & 7).or_default();
        *counts.entry(value).or_default() += 1;
    }

    /// The words of a function: the ABI's description, once more.
    fn words(function: u32, counts: &BTreeMap<i64, u64>) -> Vec<u64> {
        let count: u64 = counts.values().sum();
        let of_all = |of: fn(i128) -> i128| -> i128 {
            let each = counts
                .iter()
                .map(|(v, n)| of(i128::from(*v)) * i128::from(*n));
            each.sum()
        };
        let sum = of_all(|value| value) as u64;
        let buckets = |words: usize, bucket: &dyn Fn(i64) -> usize| {
            let mut found = vec![0u64; words];
            for (value, count) in counts {
                found[bucket(*value)] += count;
            }
            found
        };
        let extreme = |extreme: Option<&i64>| vec![extreme.copied().unwrap_or(0) as u64];
        match function {
            abi::RTRACE_AGG_COUNT => vec![count],
            abi::RTRACE_AGG_SUM => vec![sum],
            abi::RTRACE_AGG_MIN => extreme(counts.keys().min()),
            abi::RTRACE_AGG_MAX => extreme(counts.keys().max()),
            abi::RTRACE_AGG_AVG => vec![count, sum],
            abi::RTRACE_AGG_STDDEV => {
                let squares = of_all(|value| value * value);
                vec![count, sum, squares as u64, (squares >> 64) as u64]
            }
            abi::RTRACE_AGG_QUANTIZE => buckets(127, &bucket),
            abi::RTRACE_AGG_LQUANTIZE => {
                buckets(23, &|value| match (value + 100).div_euclid(100) {
                    below if below < 0 => 0,
                    level if level < 21 => level as usize + 1,
                    _ => 22,
                })
            }
            _ => Vec::new(),
        }
    }

    /// Holds what was aggregated on all CPUs against it.
    fn check(&self, found: &BTreeMap<(u32, Vec<u64>), Vec<u64>>) -> Outcome {
        let mut all: BTreeMap<i64, u64> = BTreeMap::new();
        for (key, counts) in &self.0 {
            for (number, function) in (0..).zip(FUNCTIONS) {
                let words = found.get(&(number, vec![*key]));
                let words =
                    words.ok_or_else(|| fail(format!("no function {function} of {key}")))?;
                if function == abi::RTRACE_AGG_LLQUANTIZE {
                    let count: u64 = words.iter().sum();
                    check_eq!(count, counts.values().sum::<u64>(), "llquantize of {key}");
                } else {
                    check_eq!(
                        *words,
                        Self::words(function, counts),
                        "function {function} of {key}"
                    );
                }
            }
            for (value, count) in counts {
                *all.entry(*value).or_default() += count;
            }
        }
        let last = FUNCTIONS.len() as u32;
        check_eq!(
            found.get(&(last, Vec::new())),
            Some(&Self::words(abi::RTRACE_AGG_COUNT, &all)),
            "the one without keys"
        );
        check_eq!(found.len(), FUNCTIONS.len() * self.0.len() + 1, "tuples");
        Ok(())
    }
}

/// Words by aggregation and keys.
type Together = BTreeMap<(u32, Vec<u64>), Vec<u64>>;

/// What a session aggregated on all CPUs, put together as each function wants it.
fn together(session: &Session, buffer: usize) -> Outcome<Together> {
    let mut all: BTreeMap<(u32, Vec<u64>), Vec<u64>> = BTreeMap::new();
    for cpu in 0..session.info()?.cpus {
        let entries = match session.aggregate(cpu, buffer) {
            Err(refused) if refused.errno == Errno::NXIO => continue,
            answer => answer?,
        };
        for entry in entries {
            let function = FUNCTIONS.get(entry.aggregation as usize).copied();
            let join = |a: u64, b: u64| match function {
                Some(abi::RTRACE_AGG_MIN) => (a as i64).min(b as i64) as u64,
                Some(abi::RTRACE_AGG_MAX) => (a as i64).max(b as i64) as u64,
                _ => a.wrapping_add(b),
            };
            match all.entry((entry.aggregation, entry.keys)) {
                Entry::Vacant(place) => {
                    place.insert(entry.words);
                }
                Entry::Occupied(mut place) => {
                    for (word, more) in place.get_mut().iter_mut().zip(entry.words) {
                        *word = join(*word, more);
                    }
                }
            }
        }
    }
    Ok(all)
}

fn replayed(options: &Options) -> Outcome {
    const BATCH: u64 = 20_000;
    let cpus = guest::online_cpus() as u32;
    let session = loaded(KERNEL, &every_function())?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    session.configure(abi::rtrace_config {
        ring_bytes: 16 << 20,
        ..Default::default()
    })?;
    session.start()?;
    let mut trace = Trace::of(session)?;
    let mut replay = Replay::default();
    let mut events = 0;
    while events < options.share_of(1_000_000) {
        let callers: Vec<_> = (0..cpus)
            .map(|cpu| {
                thread::spawn(move || Target::open()?.run_on(cpu, &format!("plain {BATCH}")))
            })
            .collect();
        for caller in callers {
            caller.join().map_err(|_| fail("a caller panicked"))??;
        }
        trace.read()?;
        for made in trace.made.drain(..) {
            let arg0 = made.items[0].number().ok_or_else(|| fail("no number"))?;
            check_eq!(
                made.items[1].number(),
                Some(made.head.cpu.into()),
                "the CPU in the record and its head"
            );
            replay.give(arg0);
            events += 1;
        }
    }
    let session = &trace.session;
    session.stop()?;
    let row = session.ledger(abi::RTRACE_LEDGER_SUM_CPUS | abi::RTRACE_LEDGER_SUM_PROBES)?[0];
    check_eq!((row.fired, row.recorded), (events, events), "the ledger");
    replay.check(&together(session, 1 << 18)?)
}

fn taken_under_fire(options: &Options) -> Outcome {
    let calls = options.share_of(100_000);
    let program = Program::new()
        .aggregation(abi::RTRACE_AGG_SUM, 8, [0; 4])
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .op(abi::RTRACE_OP_ANDI, 2, 1, 0, 63)
                .keys(&[2])
                .aggregate(0, 1, 0)
                .ret(),
        );
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    let callers: Vec<_> = (0..guest::online_cpus() as u32)
        .map(|cpu| thread::spawn(move || Target::open()?.run_on(cpu, &format!("plain {calls}"))))
        .collect();
    let cpus = callers.len() as u64;
    let mut sum = 0u64;
    while !callers.iter().all(|caller| caller.is_finished()) {
        for entry in aggregated(&trace.session, 1 << 12)? {
            sum += entry.words[0];
        }
    }
    for caller in callers {
        caller.join().map_err(|_| fail("a caller panicked"))??;
    }
    let finished = trace.finish()?;
    for entry in aggregated(&finished.session, 1 << 12)? {
        sum += entry.words[0];
    }
    check_eq!(
        sum,
        cpus * calls * (calls - 1) / 2,
        "the sum of all takings"
    );
    let total = finished.ledger.total();
    check_eq!((total.fired, total.processed), (cpus * calls, cpus * calls));
    Ok(())
}

fn full(_: &Options) -> Outcome {
    const CALLS: u64 = 10_000;
    let mut program = Program::new()
        .aggregation(abi::RTRACE_AGG_COUNT, 8, [0; 4])
        .clause(
            1,
            0,
            Code::new()
                .get(1, abi::RTRACE_VAR_ARG0)
                .keys(&[1])
                .aggregate(0, 0, 0)
                .ret(),
        );
    program.sizes.aggsize = 4096;
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, &format!("plain {CALLS}"))?;
    let finished = trace.finish()?;
    let total = finished.ledger.total();
    let dropped = total.dropped[abi::RTRACE_DROP_AGGREGATION as usize];
    check!(dropped > 0, "10000 keys fit in 4 KiB");
    check_eq!(total.processed + dropped, CALLS);
    let found = aggregated(&finished.session, 1 << 12)?;
    check_eq!(found.len() as u64, total.processed, "keys that found room");
    for entry in found {
        check_eq!(entry.words, vec![1], "key {:?}", entry.keys);
    }
    Ok(())
}

fn buffers(_: &Options) -> Outcome {
    let session = loaded(KERNEL, &every_function())?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, "plain 100")?;
    let session = &trace.session;
    // Too small for the largest entry there can be: refused before anything is taken.
    let small = session.aggregate(0, 256);
    check_eq!(small.map_err(|refused| refused.errno), Err(Errno::NOSPC));
    for address in [0, 8, 0x7fff_ffff_f000, 0xffff_ffff_8100_0000, u64::MAX - 7] {
        let mut request = abi::rtrace_aggregate {
            size: size_of::<abi::rtrace_aggregate>() as u32,
            buf: address,
            buf_len: 1 << 16,
            ..Default::default()
        };
        let found = session.command(&mut request);
        check_eq!(found.map_err(|refused| refused.errno), Err(Errno::FAULT));
    }
    let beyond = session.info()?.cpus;
    let none = session.aggregate(beyond, 1 << 16);
    check_eq!(none.map_err(|refused| refused.errno), Err(Errno::NXIO));
    let mut replay = Replay::default();
    (0..100).for_each(|i| replay.give(i));
    // As small as may be: few entries a call.
    replay.check(&together(session, 16 + 8 + 8 * 127)?)?;
    check!(together(session, 1 << 16)?.is_empty(), "taken twice");
    trace.finish()?;
    Ok(())
}

fn large(_: &Options) -> Outcome {
    const CALLS: usize = 100;
    let levels = u64::from(abi::RTRACE_AGG_LEVELS_MAX);
    let (arg0, one) = (1, 2);
    let code = Code::new()
        .get(arg0, abi::RTRACE_VAR_ARG0)
        .set(one, 1)
        .keys(&[one])
        .aggregate(0, arg0, one)
        .ret();
    let mut program = Program::new()
        .aggregation(abi::RTRACE_AGG_LQUANTIZE, 8, [0, 1, levels, 0])
        .clause(1, 0, code);
    program.sizes.aggsize = 4 << 20;
    let session = loaded(KERNEL, &program)?;
    session.add_to("rt_target:rt_plain", abi::RTRACE_PROBE_ENTRY, 1)?;
    let trace = started(session)?;
    Target::open()?.run_on(0, &format!("plain {CALLS}"))?;
    let session = &trace.session;
    let small = session.aggregate(0, 256 << 10);
    check_eq!(small.map_err(|refused| refused.errno), Err(Errno::NOSPC));
    // As small as may be.
    let buffer = size_of::<abi::rtrace_aggregate_entry>() + 8 + 8 * (levels as usize + 2);
    let found = aggregated(session, buffer)?;
    check_eq!(found.len(), 1);
    let words = &found[0].words;
    check_eq!(words.iter().sum::<u64>(), CALLS as u64);
    check!(
        words[1..=CALLS].iter().all(|count| *count == 1),
        "each level has one"
    );
    check!(aggregated(session, buffer)?.is_empty(), "taken twice");
    // What was there before does not come back when the table is used again.
    Target::open()?.run_on(0, "plain 1")?;
    Target::open()?.run_on(0, "plain 1")?;
    let again = aggregated(session, buffer)?;
    check_eq!(again.len(), 1);
    check_eq!(again[0].words.iter().sum::<u64>(), 2);
    trace.finish()?;
    Ok(())
}
