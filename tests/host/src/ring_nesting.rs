// SPDX-License-Identifier: GPL-2.0

//! Every interleaving of writers that interrupt each other, on rings so small that they wrap and
//! fill at once. What must hold is checked by [`crate::stepper`] at every step.

use crate::choices::Choices;
use crate::ring::Policy;
use crate::stepper::{run, Act, Consumer, Plan, World};

/// Records of the ring's smallest, middle and largest size for these tests.
const SHORT: Act = Act::Record(16);
const RECORD: Act = Act::Record(24);
const LONG: Act = Act::Record(32);

fn exhaust(plan: Plan, body: impl Fn(&World)) {
    let runs = Choices::exhaust(|choices| run(&plan, choices, &body));
    println!("{runs} interleavings of {plan:?}");
    assert!(
        runs > 1000,
        "only {runs} runs: the plan lets nothing happen"
    );
}

fn plan(policy: Policy, consumer: Consumer) -> Plan {
    Plan {
        size: 128,
        policy,
        watermark: 48,
        consumer,
        interrupts: &[RECORD],
        interrupts_max: 2,
        depth_max: 4,
        one_source: false,
        at_once: false,
    }
}

/// Brings the ring to one of `states` states: the more, the fuller, and then beyond the wrap.
fn begin(world: &World, states: usize) {
    for _ in 0..world.pick(states) {
        world.act_alone(0, RECORD);
    }
}

fn two_interrupts(policy: Policy, consumer: Consumer) {
    exhaust(plan(policy, consumer), |world| {
        begin(world, 9);
        world.act(LONG);
    });
}

#[test]
fn two_interrupts_anywhere_do_no_harm_when_old_records_are_kept() {
    two_interrupts(Policy::Switch, Consumer::Honest);
}

#[test]
fn two_interrupts_anywhere_do_no_harm_when_the_first_full_ring_ends_it() {
    two_interrupts(Policy::Fill, Consumer::Fixed);
}

#[test]
fn two_interrupts_anywhere_do_no_harm_when_old_records_are_overwritten() {
    two_interrupts(Policy::Ring, Consumer::Fixed);
}

fn two_interrupts_at_once(policy: Policy, consumer: Consumer) {
    let plan = Plan {
        at_once: true,
        ..plan(policy, consumer)
    };
    exhaust(plan, |world| {
        begin(world, 9);
        world.act(LONG);
    });
}

#[test]
fn the_short_way_alone_does_no_harm_when_old_records_are_kept() {
    two_interrupts_at_once(Policy::Switch, Consumer::Honest);
}

#[test]
fn the_short_way_alone_does_no_harm_when_the_first_full_ring_ends_it() {
    two_interrupts_at_once(Policy::Fill, Consumer::Fixed);
}

#[test]
fn the_short_way_alone_does_no_harm_when_old_records_are_overwritten() {
    two_interrupts_at_once(Policy::Ring, Consumer::Fixed);
}

fn four_deep(policy: Policy) {
    let plan = Plan {
        interrupts_max: 3,
        interrupts: &[RECORD, LONG],
        ..plan(policy, Consumer::Fixed)
    };
    exhaust(plan, |world| {
        begin(world, 8);
        world.act(RECORD);
    });
}

#[test]
fn writers_nest_four_deep_when_old_records_are_kept() {
    four_deep(Policy::Switch);
}

#[test]
fn writers_nest_four_deep_when_old_records_are_overwritten() {
    four_deep(Policy::Ring);
}

#[test]
fn losses_anywhere_are_counted_once_and_told_in_place() {
    for policy in [Policy::Switch, Policy::Fill, Policy::Ring] {
        let plan = Plan {
            interrupts: &[RECORD, Act::Lose],
            ..plan(policy, Consumer::Honest)
        };
        exhaust(plan, |world| {
            begin(world, 4);
            world.act_alone(0, Act::Lose);
            world.act(RECORD);
        });
    }
}

#[test]
fn losses_among_three_interrupts_are_counted_once() {
    let plan = Plan {
        interrupts: &[SHORT, Act::Lose],
        interrupts_max: 3,
        depth_max: 3,
        ..plan(Policy::Switch, Consumer::Fixed)
    };
    exhaust(plan, |world| {
        world.act_alone(0, Act::Lose);
        world.act(SHORT);
    });
}

#[test]
fn a_full_ring_that_drains_at_any_moment_keeps_its_counts() {
    let plan = Plan {
        interrupts: &[RECORD, SHORT],
        interrupts_max: 1,
        ..plan(Policy::Switch, Consumer::Honest)
    };
    exhaust(plan, |world| {
        begin(world, 7);
        for _ in 0..3 {
            world.act(LONG);
        }
    });
}

#[test]
fn any_consumer_position_at_any_moment_is_harmless() {
    for policy in [Policy::Switch, Policy::Fill] {
        let plan = Plan {
            interrupts_max: 1,
            ..plan(policy, Consumer::Hostile)
        };
        exhaust(plan, |world| {
            begin(world, 6);
            world.act(LONG);
        });
    }
}

#[test]
fn any_consumer_positions_one_after_the_other_are_harmless() {
    let plan = Plan {
        interrupts_max: 0,
        ..plan(Policy::Switch, Consumer::Hostile)
    };
    exhaust(plan, |world| {
        for _ in 0..7 {
            world.act(LONG);
        }
    });
}

#[test]
fn any_consumer_position_under_two_interrupts_is_harmless() {
    exhaust(plan(Policy::Switch, Consumer::Hostile), |world| {
        for _ in 0..5 {
            world.act_alone(0, RECORD);
        }
        world.act(RECORD);
    });
}

#[test]
fn discarded_records_are_skipped_wherever_they_stand() {
    let plan = Plan {
        interrupts: &[RECORD, Act::Discard(16)],
        ..plan(Policy::Switch, Consumer::Fixed)
    };
    exhaust(plan, |world| {
        begin(world, 4);
        world.act(Act::Discard(24));
    });
}

#[test]
fn an_overwriting_ring_drops_what_would_reach_a_record_being_written() {
    let plan = Plan {
        interrupts: &[LONG],
        interrupts_max: 5,
        depth_max: 2,
        ..plan(Policy::Ring, Consumer::Fixed)
    };
    let dropped = std::cell::Cell::new(0);
    exhaust(plan, |world| {
        world.act(LONG);
        dropped.set(dropped.get().max(world.lost()));
    });
    assert!(
        dropped.get() > 0,
        "no interleaving filled the ring from within"
    );
}

#[test]
fn a_sleeping_poller_is_woken_in_every_interleaving() {
    let plan = Plan {
        interrupts_max: 1,
        size: 256,
        watermark: 64,
        ..plan(Policy::Switch, Consumer::Fixed)
    };
    let slept = std::cell::Cell::new(0);
    exhaust(plan, |world| {
        let mut read = 0;
        for _ in 0..5 {
            world.act(RECORD);
            let shown = world.published();
            let stops = [read, shown, shown.saturating_sub(24).max(read)];
            read = stops[world.pick(stops.len())];
            slept.set(slept.get() + u64::from(world.poll(read)));
        }
    });
    assert!(slept.get() > 1000, "nobody slept");
}
