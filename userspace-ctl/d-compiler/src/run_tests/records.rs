// SPDX-License-Identifier: GPL-2.0-only
//! What actions and aggregations leave, and faults.

use rust_tracer::abi;

use super::{loaded, run, run_in, world};
use crate::compile_tests::built;
use crate::program::interpret::Outcome;
use crate::program_world::KERNEL;

#[test]
fn actions_leave_items() {
    let items = run(
        "BEGIN { @a = count(); printf(\"x\"); printa(@a); clear(@a); trunc(@a, 3); normalize(@a, 4); \
         denormalize(@a); tracemem(arg0, 4); tracemem(arg0, 4, 2); stack(3); ustack(); sym(arg0); \
         usym(arg0); setopt(\"quiet\"); freopen(\"/tmp/%d\", pid); exit(3); }",
    );
    let seen: Vec<(u16, u16, usize)> = items
        .iter()
        .map(|item| (item.action, item.argument, item.bytes.len()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 0, 0),
            (1, 0, 0),
            (2, 0, 0),
            (3, 0, 8),
            (4, 0, 8),
            (5, 0, 0),
            (6, 0, 4),
            (7, 1, 8),
            (7, 0, 4),
            (8, 0, 24),
            (9, 0, 8 + 20 * 8),
            (10, 0, 8),
            (11, 0, 16),
            (12, 0, 0),
            (13, 0, 8),
            (14, 0, 8),
        ]
    );
    let user = &items[12].bytes;
    assert_eq!(user[..8], 42u64.to_le_bytes());
    assert_eq!(user[8..], KERNEL.to_le_bytes());
}

#[test]
fn aggregations_take_keys_and_values() {
    let mut world = world();
    run_in(
        "BEGIN { @a = count(); @b[pid, \"x\"] = sum(pid * 2); @c[probefunc] = quantize(-5); \
         @d = lquantize(pid, 0, 100, 10, 3); @e[stack(2)] = max(pid); @f[usym(arg0), ustack(1)] = avg(1); \
         @g[(char)pid] = stddev(pid); @h = llquantize(pid, 10, 0, 3, 10); }",
        &mut world,
    );
    let mut seen: Vec<(u32, Vec<u64>, u64, u64)> = world
        .aggregated
        .iter()
        .flat_map(|((aggregation, keys), values)| {
            values
                .iter()
                .map(move |(value, weight)| (*aggregation, keys.clone(), *value, *weight))
        })
        .collect();
    seen.sort();
    let probe = 1000 + u64::from(abi::RTRACE_VAR_PROBE);
    let x = u64::from(b'x');
    // What count() takes does not matter.
    seen[0].2 = 0;
    seen[0].3 = 0;
    let of = |aggregation: u32| -> &(u32, Vec<u64>, u64, u64) {
        seen.iter()
            .find(|one| one.0 == aggregation)
            .expect("each took one value")
    };
    assert_eq!(*of(0), (0, vec![], 0, 0));
    assert_eq!((&of(1).1, of(1).2), (&vec![42, 1, x], 84));
    assert_eq!((&of(2).1, of(2).2 as i64, of(2).3), (&vec![probe], -5, 1));
    assert_eq!((&of(3).1, of(3).2, of(3).3), (&vec![], 42, 3));
    assert_eq!((&of(4).1, of(4).2), (&vec![2, 0x100, 0x101], 42));
    assert_eq!((&of(5).1, of(5).2), (&vec![42, KERNEL, 1, 77, 0x100], 1));
    assert_eq!((&of(6).1, of(6).2), (&vec![42], 42));
    assert_eq!((&of(7).1, of(7).2, of(7).3), (&vec![], 42, 1));
}

#[test]
fn a_probes_part_is_text_where_it_must_be() {
    let mut world = world();
    run_in(
        "BEGIN { @a[probefunc] = count(); @a[\"x\"] = count(); x[probefunc] = 3; trace(x[\"vfs_read\"]); }",
        &mut world,
    );
    assert_eq!(world.aggregated.len(), 2);
    assert!(
        world
            .aggregated
            .keys()
            .all(|(_, keys)| keys[0] == 8 || keys[0] == 1)
    );
}

#[test]
fn speculations() {
    let items = run(
        "BEGIN { self->s = speculation(); } BEGIN { speculate(self->s); trace(1); } BEGIN { commit(self->s); }",
    );
    assert_eq!(items.len(), 2);
}

#[test]
fn faults_belong_to_their_action() {
    for (text, action) in [
        ("BEGIN { trace(1); trace(*(int *)0); }", 2),
        ("BEGIN / *(int *)0 == 1/ { trace(1); }", 0),
        ("BEGIN { printf(\"%d %d\", 1, *(int *)0); }", 2),
        ("BEGIN { @a[1, *(int *)0] = count(); }", 3),
    ] {
        let compiled = built(text);
        let (outcome, _) = &loaded(&compiled).run(&mut world())[0];
        let Outcome::Fault(fault, at) = outcome else {
            panic!("{text}: {outcome:?}")
        };
        assert_eq!(fault.kind, abi::RTRACE_FAULT_BADADDR, "{text}");
        assert_eq!(
            compiled.clauses[0].action_of[*at as usize], action,
            "{text}"
        );
    }
}
