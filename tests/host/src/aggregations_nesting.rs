// SPDX-License-Identifier: GPL-2.0

//! Aggregations on one CPU: every interleaving of contexts that interrupt each other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::aggregated::{placed, Aggregated};
use crate::choices::Choices;
use crate::interrupts::Interrupted;
use crate::program::aggregations::{Placed, Shape, Table};
use crate::program::Full;

/// An update: aggregation, keys, value, weight.
type Update = (u32, &'static [u64], i64, u64);

struct Plan {
    /// By their places in `FUNCTIONS`; the last has no keys if so.
    functions: &'static [usize],
    keyless: bool,
    words: usize,
    before: &'static [Update],
    update: Update,
    interrupts: &'static [Update],
    most: u32,
}

fn exhaust(plan: &'static Plan) -> u64 {
    let full = Rc::new(Cell::new(0));
    let runs = Choices::exhaust(|choices| {
        let memory = Interrupted::new(plan.words, choices, 4);
        let last = plan.functions.len() - 1;
        let mut aggregations: Vec<Placed> = plan
            .functions
            .iter()
            .enumerate()
            .map(|(index, function)| placed(*function, !(plan.keyless && index == last)))
            .collect();
        let shape = Shape::new(&mut aggregations, plan.words, 7).expect("room");
        let aggregations = Rc::new(aggregations);
        let right = Rc::new(RefCell::new(Aggregated::default()));
        let update = {
            let (memory, right, full) = (memory.clone(), right.clone(), full.clone());
            let aggregations = aggregations.clone();
            move |(aggregation, keys, value, weight): Update| {
                let table = Table::new(memory.clone(), &aggregations, shape);
                match table.update(aggregation, keys, value as u64, weight) {
                    Ok(()) => right.borrow_mut().add(aggregation, keys, value, weight),
                    Err(Full) => full.set(full.get() + 1),
                }
            }
        };
        let table = Table::new(memory.clone(), &aggregations, shape);
        table.reset();
        for before in plan.before {
            update(*before);
        }
        let nested = update.clone();
        memory.run(
            plan.most,
            plan.interrupts.len(),
            move |kind| nested(plan.interrupts[kind]),
            || update(plan.update),
        );
        right.borrow().check(&table, plan.functions);
        table.reset();
        Aggregated::default().check(&table, plan.functions);
        drop(update);
        memory.into_choices()
    });
    println!("{runs} interleavings, {} were full", full.get());
    assert!(
        runs > 1000,
        "only {runs} runs: the plan lets nothing happen"
    );
    full.get()
}

#[test]
fn contexts_that_bring_the_same_new_keys_share_one_entry() {
    static PLAN: Plan = Plan {
        functions: &[0],
        keyless: false,
        words: 100,
        before: &[],
        update: (0, &[1, 2], 0, 1),
        interrupts: &[(0, &[1, 2], 0, 1), (0, &[1, 3], 0, 1)],
        most: 3,
    };
    assert_eq!(exhaust(&PLAN), 0);
}

#[test]
fn keys_that_meet_in_the_index_stay_apart() {
    // Five places, and the last keys find only one of them free.
    static PLAN: Plan = Plan {
        functions: &[1],
        keyless: false,
        words: 19,
        before: &[(0, &[1], 1, 1), (0, &[4], 2, 1)],
        update: (0, &[2], 10, 1),
        interrupts: &[(0, &[3], 100, 1), (0, &[2], 1000, 1)],
        most: 3,
    };
    exhaust(&PLAN);
}

#[test]
fn what_finds_no_room_leaves_nothing() {
    static PLAN: Plan = Plan {
        functions: &[1],
        keyless: false,
        words: 14,
        before: &[(0, &[1, 1], 1, 1)],
        update: (0, &[2, 2], 10, 1),
        interrupts: &[(0, &[3, 3], 100, 1), (0, &[2, 2], 1000, 1)],
        most: 3,
    };
    assert!(exhaust(&PLAN) > 0, "it was never full");
}

#[test]
fn least_and_greatest_win_over_any_interrupt() {
    static LEAST: Plan = Plan {
        functions: &[2],
        keyless: true,
        words: 10,
        before: &[],
        update: (0, &[], -5, 1),
        interrupts: &[(0, &[], -7, 1), (0, &[], -3, 1), (0, &[], -9, 1)],
        most: 4,
    };
    static GREATEST: Plan = Plan {
        functions: &[3],
        interrupts: &[(0, &[], 7, 1), (0, &[], -9, 1), (0, &[], 9, 1)],
        ..LEAST
    };
    assert_eq!(exhaust(&LEAST) + exhaust(&GREATEST), 0);
}

#[test]
fn sums_of_squares_carry_across_interrupts() {
    // Each square is 2^62 or more, so several carry into the high word.
    static PLAN: Plan = Plan {
        functions: &[5],
        keyless: true,
        words: 10,
        before: &[(0, &[], i64::MIN, 1), (0, &[], 3_037_000_500, 1)],
        update: (0, &[], 3_037_000_500, 1),
        interrupts: &[(0, &[], -3_037_000_500, 1), (0, &[], 3_000_000_000, 1)],
        most: 4,
    };
    assert_eq!(exhaust(&PLAN), 0);
}

#[test]
fn aggregations_do_not_mix_in_one_table() {
    static PLAN: Plan = Plan {
        functions: &[4, 7, 1],
        keyless: true,
        words: 120,
        before: &[(2, &[], 4, 1)],
        update: (1, &[5], 3, 2),
        interrupts: &[(0, &[5], 8, 1), (1, &[5], -100, 1), (2, &[], 6, 1)],
        most: 3,
    };
    assert_eq!(exhaust(&PLAN), 0);
}
