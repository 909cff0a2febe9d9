// SPDX-License-Identifier: GPL-2.0

//! The ring's behaviour, one property at a time: examples without interrupts, and long random
//! sequences with them.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::choices::Choices;
use crate::ring::{Layout, Policy, Word, HEAD_LEN, RECORD_DISCARD, RECORD_LOST, RECORD_MAX};
use crate::stepper::{run, Act, Consumer, Plan, World};

const RECORD: Act = Act::Record(32);

/// A ring of 256 bytes to which nothing unforeseen happens.
fn calm(policy: Policy, body: impl FnOnce(&World)) {
    let plan = Plan {
        size: 256,
        policy,
        watermark: 128,
        consumer: Consumer::Fixed,
        interrupts: &[],
        interrupts_max: 0,
        depth_max: 1,
        one_source: false,
        at_once: false,
    };
    run(&plan, Choices::default(), body);
}

fn act_times(world: &World, act: Act, times: u32) {
    for _ in 0..times {
        world.act(act);
    }
}

#[test]
fn a_ring_takes_records_to_its_last_byte() {
    calm(Policy::Switch, |world| {
        act_times(world, RECORD, 8);
        assert_eq!((world.published(), world.lost()), (256, 0));
        world.act(RECORD);
        assert_eq!((world.published(), world.lost()), (256, 1));
    });
}

#[test]
fn the_first_record_after_losses_is_preceded_by_their_number() {
    calm(Policy::Switch, |world| {
        act_times(world, RECORD, 11);
        world.consume(64);
        world.act(RECORD);
        let stream = world.stream();
        let [.., lost, record] = stream.as_slice() else {
            panic!("no records")
        };
        assert_eq!(
            (lost.kind, lost.value, lost.position),
            (RECORD_LOST, 3, 256)
        );
        assert_eq!((record.position, record.time), (280, lost.time));
    });
}

#[test]
fn room_for_the_record_but_not_for_its_losses_is_no_room() {
    calm(Policy::Switch, |world| {
        act_times(world, RECORD, 9);
        world.consume(32);
        world.act(RECORD);
        assert_eq!((world.published(), world.lost()), (256, 2));
    });
}

#[test]
fn a_loss_that_the_caller_reports_is_told_in_band() {
    calm(Policy::Ring, |world| {
        act_times(world, Act::Lose, 2);
        world.act(RECORD);
        assert_eq!(world.stream()[0].value, 2);
    });
}

#[test]
fn a_record_that_does_not_fit_before_the_end_begins_at_the_start() {
    calm(Policy::Switch, |world| {
        act_times(world, Act::Record(40), 6);
        world.consume(80);
        world.act(Act::Record(48));
        let last = *world.stream().last().expect("a record");
        assert_eq!((last.position, last.len), (256, 48));
    });
}

#[test]
fn a_discarded_record_counts_as_written() {
    calm(Policy::Switch, |world| {
        world.act(Act::Discard(24));
        assert_eq!(world.stream()[0].kind, RECORD_DISCARD);
    });
}

#[test]
fn lengths_that_no_record_has_are_dropped() {
    calm(Policy::Switch, |world| {
        let lengths = [0, 8, 20, 31, RECORD_MAX + 8, u32::MAX - 7, u32::MAX];
        for len in lengths {
            world.act(Act::Record(len));
        }
        assert_eq!((world.published(), world.lost()), (0, lengths.len() as u64));
    });
}

#[test]
fn a_ring_that_filled_takes_no_more() {
    calm(Policy::Fill, |world| {
        act_times(world, RECORD, 8);
        assert!(!world.filled());
        world.act(RECORD);
        assert!(world.filled());
        world.consume(256);
        world.act(RECORD);
        assert_eq!(world.lost(), 2);
    });
}

#[test]
fn a_consumer_position_is_accepted_only_between_the_last_one_and_published() {
    let is_bad = |before: u64, position: u64| {
        let mut bad = false;
        calm(Policy::Switch, |world| {
            world.consume(before);
            act_times(world, RECORD, 9);
            world.consume(position);
            act_times(world, RECORD, 9);
            bad = world.bad_consumer();
        });
        bad
    };
    for position in [0, 8, 128, 256] {
        assert!(!is_bad(0, position), "{position}");
    }
    for position in [4, 257, 264, 1 << 63, u64::MAX] {
        assert!(is_bad(0, position), "{position}");
    }
    // The first look accepts 64, so 32 later goes back.
    assert!(!is_bad(64, 64));
    assert!(is_bad(64, 32));
}

#[test]
fn an_overwriting_ring_keeps_all_but_a_block_of_its_size() {
    calm(Policy::Ring, |world| {
        for count in 1..100 {
            world.act(RECORD);
            let kept: u32 = world.kept().iter().map(|record| record.len).sum();
            let whole = (count * 32).min(256);
            assert!(kept + 32 > whole - 16, "{kept} of {whole} bytes are left");
        }
        assert_eq!(world.lost(), 0);
    });
}

#[test]
fn a_poller_is_woken_when_the_watermark_is_crossed_and_not_per_record() {
    calm(Policy::Switch, |world| {
        let mut read = 0;
        for batch in 1..50 {
            assert!(world.poll(read));
            act_times(world, RECORD, 3);
            assert_eq!(
                world.wakes(),
                batch - 1,
                "less than the watermark is unread"
            );
            world.act(RECORD);
            assert_eq!(world.wakes(), batch);
            read += 128;
        }
    });
}

#[test]
fn a_reader_that_stays_behind_is_woken_once() {
    calm(Policy::Switch, |world| {
        act_times(world, Act::Record(16), 16);
        // At the watermark; whoever polls from then on finds enough to read.
        assert_eq!(world.wakes(), 1);
    });
    let plan = Plan {
        size: 1 << 16,
        policy: Policy::Switch,
        watermark: 1 << 14,
        consumer: Consumer::Fixed,
        interrupts: &[],
        interrupts_max: 0,
        depth_max: 1,
        one_source: false,
        at_once: false,
    };
    run(&plan, Choices::default(), |world| {
        // Of as many sources as have a share of the last eighth.
        for number in 0..(1 << 16) / 32 {
            world.act_as(number % 16, RECORD);
        }
        assert_eq!((world.wakes(), world.lost()), (1, 0));
    });
}

#[test]
fn an_overwriting_ring_wakes_nobody() {
    calm(Policy::Ring, |world| {
        act_times(world, RECORD, 100);
        assert_eq!(world.wakes(), 0);
    });
}

#[test]
fn a_full_ring_has_woken_its_poller_whatever_the_watermark() {
    for watermark in [1, 64, 1 << 15, (1 << 16) - 1, u64::MAX] {
        let plan = Plan {
            size: 1 << 16,
            policy: Policy::Switch,
            watermark,
            consumer: Consumer::Fixed,
            interrupts: &[],
            interrupts_max: 0,
            depth_max: 1,
            one_source: false,
            at_once: false,
        };
        run(&plan, Choices::default(), |world| {
            let mut read = 0;
            for _ in 0..20 {
                // Reads all but one record, and sleeps if it may.
                if world.poll(read) {
                    let wakes = world.wakes();
                    let lost = world.lost();
                    while world.lost() == lost {
                        // The longest that such a ring takes.
                        world.act(Act::Record((1 << 16) / 8));
                    }
                    assert!(world.wakes() > wakes, "asleep beside a full ring");
                }
                let stream = world.stream();
                read = stream.last().map_or(read, |last| last.position);
            }
        });
    }
}

#[test]
fn an_ordinary_record_costs_few_accesses_also_after_losses() {
    for policy in [Policy::Switch, Policy::Ring] {
        let plan = Plan {
            size: 1 << 16,
            policy,
            watermark: 1 << 14,
            consumer: Consumer::Fixed,
            interrupts: &[],
            interrupts_max: 0,
            depth_max: 1,
            one_source: false,
            at_once: false,
        };
        run(&plan, Choices::default(), |world| {
            for _ in 0..4 {
                act_times(world, Act::Lose, 3);
                // The ways that are long: once for the loss, and at each block or read.
                let before = world.accesses();
                for batch in 0..64 {
                    if batch % 4 == 0 {
                        world.consume(world.published());
                    }
                    act_times(world, Act::Record(32), 32);
                }
                // 2 words, 2 of the head, 7 to reserve and 7 to commit.
                let extra = world.accesses() - before - 64 * 32 * 18;
                assert!(extra < 64 * 32 / 2, "{policy:?}: {extra} more accesses");
            }
            assert_eq!(world.lost(), 12);
        });
    }
}

#[test]
fn a_layout_needs_a_power_of_two_and_sixteen_words() {
    for size in [0, 64, 100, 65535, 65537] {
        assert!(Layout::new(size, 1, Policy::Switch).is_none(), "{size}");
    }
    for size in [128, 65536, 1 << 30] {
        let layout = Layout::new(size, u64::MAX, Policy::Switch).expect("valid");
        assert_eq!((layout.size(), layout.watermark()), (size, size / 2));
    }
}

#[test]
fn poll_takes_any_consumer_position() {
    let layout = Layout::new(65536, 1024, Policy::Switch).expect("valid");
    assert!(!layout.readable(0, 0));
    assert!(!layout.readable(895, 0));
    assert!(layout.readable(896, 0));
    assert!(layout.readable(u64::MAX, 0));
    assert!(!layout.readable(0, u64::MAX));
}

#[test]
fn the_words_have_places_of_their_own() {
    let named = [
        Word::HEAD,
        Word::LIMIT,
        Word::LAST_TIME,
        Word::NEST,
        Word::PUBLISHED,
        Word::WAKE_AT,
        Word::CONS_SEEN,
        Word::PENDING,
        Word::OLDEST,
        Word::FILLED,
        Word::WOKEN_FOR,
    ];
    let blocks = (0..16).map(|number| Word::block((1 << 60) + number));
    let accounts = (0..64).map(|number| Word::account((1 << 60) + number));
    let words = named.into_iter().chain(blocks).chain(accounts);
    let mut places: Vec<usize> = words.map(Word::index).collect();
    places.sort_unstable();
    assert_eq!(places, (0..Word::COUNT).collect::<Vec<_>>());
}

/// What a random run does from outside.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// By one of a few sources.
    Act(u32, Act),
    /// Reads so many eighths of the unread records, and polls.
    Read(usize),
    /// Puts anything into the consumer page.
    Scribble(u64),
}

fn acts(longest: u32) -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (HEAD_LEN / 8..=longest / 8).prop_map(|words| Act::Record(8 * words)),
        1 => (HEAD_LEN / 8..=longest / 8).prop_map(|words| Act::Discard(8 * words)),
        1 => Just(Act::Lose),
    ]
}

fn steps(longest: u32, hostile: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..6u32, acts(longest)).prop_map(|(source, act)| Step::Act(source, act)),
        1 => (0..=8usize).prop_map(Step::Read),
        u32::from(hostile) => any::<u64>().prop_map(Step::Scribble),
        u32::from(hostile) => (0..4096u64).prop_map(Step::Scribble),
    ];
    vec(step, 0..400)
}

/// The logarithm of a ring's size, and steps with records for it.
fn sized(hostile: bool) -> impl Strategy<Value = (u32, Vec<Step>)> {
    (7..17u32).prop_flat_map(move |log| {
        let longest = RECORD_MAX.min((1 << log) / 8);
        (Just(log), steps(longest, hostile))
    })
}

fn follow(plan: &Plan, bytes: Vec<u8>, steps: &[Step]) {
    run(plan, Choices::random(bytes), |world| {
        let mut read = 0;
        for step in steps {
            match *step {
                Step::Act(source, act) => world.act_as(source, act),
                Step::Read(eighths) => {
                    let stream = world.stream();
                    let unread = stream.partition_point(|seen| seen.position < read);
                    let to = unread + (stream.len() - unread) * eighths / 8;
                    read = stream
                        .get(to)
                        .map_or(world.published(), |seen| seen.position);
                    match (plan.consumer, plan.policy) {
                        (Consumer::Fixed, Policy::Switch | Policy::Fill) => drop(world.poll(read)),
                        (Consumer::Fixed, Policy::Ring) => world.consume(read),
                        // The stepper moves it.
                        (Consumer::Honest | Consumer::Hostile, _) => {}
                    }
                }
                Step::Scribble(position) => world.consume(position),
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn long_sequences_with_an_honest_reader_lose_and_tear_nothing(
        policy in prop::sample::select(vec![Policy::Switch, Policy::Fill, Policy::Ring]),
        consumer in prop::sample::select(vec![Consumer::Honest, Consumer::Fixed]),
        watermark in 1..4096u64,
        bytes in vec(1u8.., 0..20_000),
        (size_log, steps) in sized(false),
    ) {
        let plan = Plan {
            size: 1 << size_log,
            policy,
            watermark,
            consumer,
            interrupts: &[Act::Record(24), Act::Record(16), Act::Discard(24), Act::Lose],
            interrupts_max: u32::MAX,
            depth_max: 4,
            one_source: false,
            at_once: false,
        };
        follow(&plan, bytes, &steps);
    }

    #[test]
    fn long_sequences_with_a_hostile_consumer_do_no_harm(
        policy in prop::sample::select(vec![Policy::Switch, Policy::Fill, Policy::Ring]),
        bytes in vec(1u8.., 0..20_000),
        (size_log, steps) in sized(true),
        consumer in prop::sample::select(vec![Consumer::Hostile, Consumer::Fixed]),
    ) {
        let plan = Plan {
            size: 1 << size_log,
            policy,
            watermark: 64,
            consumer,
            interrupts: &[Act::Record(24), Act::Record(16), Act::Discard(24), Act::Lose],
            interrupts_max: u32::MAX,
            depth_max: 4,
            one_source: false,
            at_once: false,
        };
        follow(&plan, bytes, &steps);
    }
}
