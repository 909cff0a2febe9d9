// SPDX-License-Identifier: GPL-2.0

//! When speculations begin and end, and what marks their records.

use super::{fails, head, ldi, only, program, world};
use crate::program::fault;
use crate::program::insn::op;
use crate::program::interpret::Outcome;
use crate::program_world::{insn, SPECULATION_MAX};

#[test]
fn speculations_mark_records_and_end_once() {
    let begin = [
        insn(op::SPECNEW, 0, 0, 0, 0),
        insn(op::SPECULATE, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let commit = [ldi(0, 1), insn(op::COMMIT, 0, 0, 0, 9)];
    let late = [
        ldi(0, 1),
        insn(op::SPECULATE, 0, 0, 0, 0),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let mut world = world();
    let outcomes = program(&[&begin, &commit, &commit, &late]).run(&mut world);
    assert!(matches!(outcomes[0].0, Outcome::Recorded(made) if made.speculation == (1 << 16) | 1));
    assert_eq!(outcomes[1].1, [head(9, 8), (1 << 16) | 1]);
    assert_eq!(outcomes[2].0, Outcome::Processed);
    assert_eq!(outcomes[3].0, Outcome::Processed);
    assert_eq!(world.ended, [(1, true)]);
    let discard = [insn(op::SPECNEW, 0, 0, 0, 0), insn(op::DISCARD, 0, 0, 0, 3)];
    let (_, items) = only(&program(&[&discard]), &mut world);
    assert_eq!(items, [head(3, 8), (1 << 16) | 1]);
    assert_eq!(world.ended, [(1, true), (1, false)]);
}

#[test]
fn a_speculation_goes_on_if_what_commits_it_is_not_written() {
    let commit = [ldi(0, 1), insn(op::COMMIT, 0, 0, 0, 9)];
    let mut world = world();
    world.speculations = vec![1];
    world.ring_is_full = true;
    let divide = [commit[0], commit[1], insn(op::DIV, 0, 0, 1, 0)];
    let mut faulting = program(&[&[ldi(1, 0), divide[0], divide[1], divide[2]], &commit]);
    faulting.run(&mut world);
    assert_eq!(
        (&world.speculations[..], &world.ended[..]),
        (&[1][..], &[][..])
    );
    world.ring_is_full = false;
    faulting.clauses.truncate(1);
    faulting.run(&mut world);
    assert_eq!(
        (&world.speculations[..], &world.ended[..]),
        (&[1][..], &[][..])
    );
    program(&[&commit]).run(&mut world);
    assert_eq!((world.speculations, world.ended), (vec![], vec![(1, true)]));
}

#[test]
fn what_a_speculation_has_no_room_for_does_not_run() {
    let large = SPECULATION_MAX as i32 + 1;
    let begin = [
        insn(op::SPECNEW, 0, 0, 0, 0),
        insn(op::SPECULATE, 0, 0, 0, large),
        insn(op::EMIT, 0, 0, 0, 0),
    ];
    let (outcome, _) = only(&program(&[&begin]), &mut world());
    assert_eq!(outcome, Outcome::NoSpeculation);
}

#[test]
fn a_speculation_that_there_cannot_be_is_a_fault() {
    for end in [op::COMMIT, op::DISCARD] {
        for number in [2, -1] {
            let code = [ldi(0, number), insn(end, 0, 0, 0, 9)];
            fails(&program(&[&code]), &mut world(), fault::ILLOP, 0, 1);
        }
    }
}
