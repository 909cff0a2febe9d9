// SPDX-License-Identifier: GPL-2.0

//! Tuples of keys, values and weights.

use super::{counts, ldi, only, program, world, TWO};
use crate::program::insn::{op, var};
use crate::program::interpret::Outcome;
use crate::program::{agg, Aggregation};
use crate::program_world::{insn, KERNEL};

#[test]
fn keys_are_laid_out_as_the_header_says() {
    let code = [
        ldi(0, 5),
        insn(op::LDSC, 1, 0, 0, TWO),
        insn(op::LDC, 2, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::KEYS, 0, 1, 0, 0),
        insn(op::KEYB, 0, 2, 0, 9),
        insn(op::KEYP, 0, 0, 0, 0),
        insn(op::KEYK, 0, 0, 0, 1),
        insn(op::KEYU, 0, 0, 0, 2),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEYS, 0, 2, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 1),
    ];
    let mut program = program(&[&code]);
    program.constants = vec![KERNEL + 1];
    program.aggregations = vec![counts(4096), counts(0)];
    let mut world = world();
    world.kernel[4] = 0;
    assert_eq!(only(&program, &mut world).0, Outcome::Processed);
    let keys: Vec<_> = world.aggregated.keys().cloned().collect();
    let long = vec![
        5,
        3,
        u64::from_le_bytes(*b"two\0\0\0\0\0"),
        9,
        0x0807_0605_0003_0201,
        9,
        1000 + u64::from(var::PROBE),
        1,
        0x100,
        2,
        77,
        0x100,
        0x101,
    ];
    assert_eq!(keys, [(0, vec![3, 0x03_0201]), (0, long), (1, vec![])]);
    assert_eq!(world.aggregated[&(1, vec![])], [(1, 1)]);
}

#[test]
fn a_probe_as_a_key_tells_that_it_is_a_system_call() {
    let code = [
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEYP, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
    ];
    for (flags, bit) in [(0, 0), (2, 1 << 31)] {
        let mut program = program(&[&code]);
        program.clauses[0].flags = flags;
        program.aggregations = vec![counts(8)];
        let mut world = world();
        world.numbers.insert(var::PROBE, 7);
        only(&program, &mut world);
        assert!(world.aggregated.contains_key(&(0, vec![7 | bit])));
    }
}

#[test]
fn functions_get_their_value_and_distributions_their_weight() {
    let code = [
        ldi(0, -7),
        ldi(1, 3),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 1, 1),
    ];
    let mut program = program(&[&code]);
    program.aggregations = [agg::SUM, agg::QUANTIZE]
        .map(|function| Aggregation {
            function,
            ..counts(0)
        })
        .to_vec();
    let mut world = world();
    only(&program, &mut world);
    assert_eq!(world.aggregated[&(0, vec![])], [(-7i64 as u64, 1)]);
    assert_eq!(world.aggregated[&(1, vec![])], [(-7i64 as u64, 3)]);
}

#[test]
fn a_clause_says_exit_also_when_it_is_dropped_or_has_a_fault() {
    let exit = insn(op::EXIT, 0, 0, 0, 0);
    let aggregate = insn(op::AGG, 0, 0, 0, 0);
    let bad = insn(op::LD64, 1, 0, 0, 0);
    for (code, expected) in [
        ([ldi(0, 1), exit, aggregate], "Dropped"),
        ([ldi(0, 1), exit, bad], "Fault"),
    ] {
        let mut program = program(&[&code]);
        program.aggregations = vec![counts(0)];
        let mut world = world();
        world.aggregations_max = Some(0);
        let (outcome, _) = only(&program, &mut world);
        assert!(format!("{outcome:?}").starts_with(expected), "{outcome:?}");
        assert!(world.exited, "{expected}");
    }
    let mut world = world();
    let filtered = program(&[&[ldi(0, 0), insn(op::FILTER, 0, 0, 0, 0), exit]]);
    assert_eq!(only(&filtered, &mut world).0, Outcome::Filtered);
    assert!(!world.exited);
}

#[test]
fn an_aggregation_without_room_drops_the_clause_but_others_still_aggregate() {
    let code = [
        ldi(0, 1),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::KEY, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
        insn(op::KEY0, 0, 0, 0, 0),
        insn(op::AGG, 0, 0, 0, 1),
    ];
    let mut program = program(&[&code]);
    program.aggregations = vec![counts(8), counts(0)];
    let mut world = world();
    world.aggregated.insert((1, vec![]), vec![]);
    world.aggregations_max = Some(1);
    assert_eq!(only(&program, &mut world).0, Outcome::Dropped);
    assert_eq!(world.aggregated[&(1, vec![])].len(), 1);
}
