// SPDX-License-Identifier: GPL-2.0

//! Programs that nobody would write: random ones, and good ones with words changed.
//!
//! Whatever the verifier says of them, they run without a panic and end. What it takes for a node
//! keeps to it: no memory of the kernel is read unless the node shows it, the record is as it says,
//! the work is within what the verifier reckoned, and two runs in rooms that other firings left
//! behind differently do the same.
//!
//! The seed of each run is printed; `RT_PROGRAM_SEED` gives it back. `RT_PROGRAM_FUZZ` is how many
//! programs are tried; the ignored test goes on for `RT_PROGRAM_FUZZ_SECONDS` (default: for ever):
//!   cargo test --release however_many -- --ignored --nocapture

use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::program::insn::{op, Field, Immediate, FORMS, OPS, SUBROUTINES};
use crate::program::interpret::{Outcome, Room};
use crate::program::rights::Rights;
use crate::program::{agg, scope, value, Aggregation, Clause, Variable, ITEM_WORDS};
use crate::program_world::{insn, Mock, Owned, KERNEL, USER};

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, among: usize) -> bool {
        self.below(among) == 0
    }

    fn among<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What random programs have besides code.
fn frame(random: &mut Random) -> Owned {
    let mut program = Owned::new(Vec::new());
    program.strings = b"one\0two\0/usr//../bin/./x\0,; \0\0%s\0".to_vec();
    program.constants = vec![
        0,
        1,
        u64::MAX,
        KERNEL,
        KERNEL + 250,
        USER,
        crate::program::memory::OWN_BASE,
        crate::program::memory::OWN_BASE + 100,
        crate::program::memory::CONSTANT_BASE + 3,
        crate::program::memory::GLOBAL_BASE,
        crate::program::memory::GLOBAL_BASE + 13,
        i64::MIN as u64,
    ];
    program.strsize = random.among(&[1, 2, 8, 13, 64, 256, 4096]);
    for _ in 0..random.below(8) {
        let scope = random.among(&[
            scope::GLOBAL,
            scope::LOCAL,
            scope::ARRAY,
            scope::THREAD,
            scope::THREAD_ARRAY,
        ]);
        let kind = random.among(&[value::SCALAR, value::STRING, value::BYTES]);
        let keyed = scope == scope::ARRAY || scope == scope::THREAD_ARRAY;
        program.variables.push(Variable {
            scope,
            value: kind,
            bytes: match kind {
                value::SCALAR => 8,
                _ => random.among(&[1, 2, 7, 8, 9, 64, 500]),
            },
            keys: if keyed {
                random.among(&[8, 64, 4096])
            } else {
                0
            },
            ..Variable::default()
        });
    }
    for _ in 0..random.below(5) {
        let function = random.below(9) as u32;
        program.aggregations.push(Aggregation {
            function,
            keys: random.among(&[0, 0, 8, 64, 4096]),
            parameters: match function {
                agg::LQUANTIZE => [0, 10, 10, 0],
                agg::LLQUANTIZE => [10, 0, 6, 20],
                _ => [0; 4],
            },
        });
    }
    program
}

/// An instruction that is likely to be taken: its fields are used as its form says.
fn likely(random: &mut Random, program: &Owned, left: usize) -> u64 {
    let number = loop {
        let number = match random.below(3) {
            0 => random.among(&[op::LDSC, op::LDC, op::CALL, op::KEY, op::KEYS, op::ADDI]),
            _ => random.below(OPS) as u8,
        };
        // A clause that returns, or whose predicate is false, shows little.
        let ends = [op::RET, op::FILTER].contains(&number) && !random.one_in(20);
        if !FORMS[usize::from(number)].name.is_empty() && !ends {
            break number;
        }
    };
    let form = &FORMS[usize::from(number)];
    let mut i = match form.i {
        Immediate::Unused => 0,
        Immediate::Number | Immediate::Item => random.next() as i32 >> random.below(32),
        Immediate::Jump => random.below(left.clamp(1, 6)) as i32,
        Immediate::Constant => random.below(program.constants.len()) as i32,
        Immediate::Text => random.below(program.strings.len()) as i32,
        Immediate::Offset => random.below(16) as i32 - 8,
        Immediate::Limit => random.below(300) as i32,
        Immediate::Bytes => 1 + random.below(300) as i32,
        Immediate::Frames => 1 + random.below(127) as i32,
        Immediate::BuiltIn => random.below(53) as i32,
        Immediate::BuiltInText => 64 + random.below(6) as i32,
        Immediate::Variable | Immediate::Dynamic => {
            random.below(program.variables.len().max(1)) as i32
        }
        Immediate::Aggregation => random.below(program.aggregations.len().max(1)) as i32,
        Immediate::Subroutine => random.below(SUBROUTINES.len()) as i32,
    };
    let mut field = |field: Field| match field {
        Field::Unused => 0,
        Field::Frames => random.below(2) as u8 * 50,
        Field::Arguments => random.below(6) as u8,
        Field::Count => 0,
        _ => random.below(8) as u8,
    };
    let (d, mut a, mut b) = (field(form.d), field(form.a), field(form.b));
    if number == op::CALL {
        let called = &SUBROUTINES[i as usize];
        b = (called.takes.len() - random.below(usize::from(called.optional) + 1)) as u8;
        a = if b == 0 { 0 } else { a };
    }
    if number == op::AGG {
        match program
            .aggregations
            .get(i as usize)
            .map_or(0, |of| of.function)
        {
            agg::COUNT => (a, b) = (0, 0),
            agg::SUM..=agg::STDDEV => b = 0,
            _ => (),
        }
    }
    if random.one_in(400) {
        i = random.next() as i32;
    }
    insn(number, d, a, b, i)
}

/// A clause: registers that hold something, then anything.
fn clause(random: &mut Random, program: &Owned) -> Vec<u64> {
    let mut code = Vec::new();
    for register in 0..8 {
        code.push(match random.below(4) {
            0 => insn(
                op::LDI,
                register,
                0,
                0,
                random.next() as i32 >> random.below(32),
            ),
            1 => insn(
                op::LDSC,
                register,
                0,
                0,
                random.below(program.strings.len()) as i32,
            ),
            _ => insn(
                op::LDC,
                register,
                0,
                0,
                random.below(program.constants.len()) as i32,
            ),
        });
    }
    if !random.one_in(4) {
        code.push(insn(op::KEY0, 0, 0, 0, 0));
    }
    let count = 1 + random.below(24);
    for at in 0..count {
        let word = if random.one_in(300) {
            random.next()
        } else {
            likely(random, program, count - at)
        };
        code.push(word);
    }
    code.push(insn(op::RET, 0, 0, 0, 0));
    code
}

fn program(random: &mut Random) -> Owned {
    let mut program = frame(random);
    program.clauses.clear();
    for _ in 0..1 + random.below(3) {
        let code = clause(random, &program);
        program.clauses.push(Clause {
            group: 1,
            first: program.code.len() as u32,
            count: code.len() as u32,
            flags: random.below(4) as u32,
        });
        program.code.extend(code);
    }
    // A few are changed where it hurts.
    while random.one_in(3) {
        let at = random.below(program.code.len());
        program.code[at] ^= 1 << random.below(64);
    }
    if random.one_in(20) {
        let at = random.below(program.clauses.len());
        program.clauses[at].count = random.next() as u32 >> random.below(32);
    }
    program
}

fn world(closed: bool) -> Mock {
    let mut world = Mock::new(0);
    world.kernel = (0..=255).chain(*b"kernel text\0").collect();
    world.user = b"user/text\0".to_vec();
    world.closed = closed;
    world
}

/// What came of the programs, so that it can be seen that they are not all refused.
#[derive(Debug, Default)]
struct Tally {
    programs: u64,
    taken: u64,
    recorded: u64,
    faults: u64,
    others: u64,
}

fn record_is_whole(items: &[u64], count: u32) {
    assert!(items.len() <= ITEM_WORDS);
    let mut rest = items;
    for _ in 0..count {
        let bytes = (rest[0] >> 32) as usize;
        let words = bytes.div_ceil(8);
        if bytes % 8 != 0 {
            assert_eq!(
                rest[words] >> (bytes % 8 * 8),
                0,
                "not filled up with zeroes"
            );
        }
        rest = &rest[1 + words..];
    }
    assert!(rest.is_empty());
}

fn try_one(seed: u64, tally: &mut Tally) {
    let random = &mut Random(seed);
    let program = program(random);
    tally.programs += 1;
    let mut slots = vec![Default::default(); program.variables.len()];
    if crate::program::layout::layout(&program.variables, &mut slots).is_err() {
        return;
    }
    for rights in [Rights::Kernel, Rights::System, Rights::User] {
        let closed = rights != Rights::Kernel;
        let verdict = program.verify(rights);
        let mut worlds = [
            world(closed && verdict.is_ok()),
            world(closed && verdict.is_ok()),
        ];
        let mut rooms = [Room::filled(0xa5), Room::filled(random.next() as u8)];
        let runs: Vec<_> = worlds
            .iter_mut()
            .zip(&mut rooms)
            .map(|(world, room)| program.run_unverified(rights, room, world))
            .collect();
        let Ok(verified) = verdict else {
            continue;
        };
        tally.taken += 1;
        assert_eq!(runs[0], runs[1], "what others left behind was seen");
        assert_eq!(worlds[0].aggregated, worlds[1].aggregated);
        assert_eq!(worlds[0].dynamic, worlds[1].dynamic);
        assert_eq!(worlds[0].globals, worlds[1].globals);
        let bound = u64::from(verified.cost) * program.clauses.len() as u64;
        assert!(worlds[0].work <= bound, "{} of {bound}", worlds[0].work);
        for (outcome, items) in &runs[0] {
            match outcome {
                Outcome::Recorded(made) => {
                    tally.recorded += 1;
                    assert_eq!(made.words as usize, items.len());
                    record_is_whole(items, made.items);
                }
                Outcome::Fault(fault, _) => {
                    tally.faults += 1;
                    // What was verified is never no instruction; ILLOP is for odd arguments.
                    assert_ne!(fault.kind, 0);
                }
                _ => tally.others += 1,
            }
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

fn seed() -> u64 {
    from_environment("RT_PROGRAM_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.expect("after 1970").as_nanos() as u64
    })
}

/// Tries programs from a seed on, each with a seed of its own, and says which one was to blame.
fn try_many(seed: u64, goes_on: impl Fn(u64) -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut count = 0;
    while goes_on(count) {
        let this = seed.wrapping_add(count);
        let tried = std::panic::catch_unwind(|| {
            let mut tally = Tally::default();
            try_one(this, &mut tally);
            tally
        });
        match tried {
            Ok(one) => {
                tally.programs += one.programs;
                tally.taken += one.taken;
                tally.recorded += one.recorded;
                tally.faults += one.faults;
                tally.others += one.others;
            }
            Err(_) => panic!("to see it again: RT_PROGRAM_SEED={this} RT_PROGRAM_FUZZ=1"),
        }
        count += 1;
    }
    tally
}

#[test]
fn programs_that_nobody_would_write_do_no_harm() {
    let (seed, count) = (
        seed(),
        from_environment("RT_PROGRAM_FUZZ").unwrap_or(100_000),
    );
    println!("RT_PROGRAM_SEED={seed}");
    let tally = try_many(seed, |tried| tried < count);
    println!("{tally:?}");
    if count >= 10_000 {
        assert!(tally.taken > count / 20, "{tally:?}");
        assert!(tally.recorded > count / 100, "{tally:?}");
        assert!(tally.faults > count / 100, "{tally:?}");
    }
}

#[test]
#[ignore = "runs as long as RT_PROGRAM_FUZZ_SECONDS says"]
fn programs_that_nobody_would_write_do_no_harm_however_many() {
    let seed = seed();
    println!("RT_PROGRAM_SEED={seed}");
    let begin = Instant::now();
    let end = from_environment("RT_PROGRAM_FUZZ_SECONDS").map(Duration::from_secs);
    let tally = try_many(seed, |tried| {
        if tried % 1_000_000 == 0 && tried > 0 {
            println!("{tried} programs");
        }
        end.is_none_or(|end| begin.elapsed() < end)
    });
    println!("{tally:?}");
}
