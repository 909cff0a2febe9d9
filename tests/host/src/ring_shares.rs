// SPDX-License-Identifier: GPL-2.0

//! What each source gets of a ring that is nearly full: by examples, by every interleaving at the
//! brink of a share, and by long random sequences. That each answer is the right one, and each sum
//! exact, is checked by [`crate::stepper`] at every step.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::choices::Choices;
use crate::ring::{Policy, Why, LOST_LEN};
use crate::stepper::{run, Act, Consumer, Plan, World};

const SIZE: u64 = 1 << 16;
const RESERVE: u64 = SIZE / 8;
const SHARE: u64 = SIZE / 128;
const RECORD: Act = Act::Record(32);

fn plan(consumer: Consumer, interrupts: &'static [Act], interrupts_max: u32) -> Plan {
    Plan {
        size: SIZE,
        policy: Policy::Switch,
        watermark: SIZE / 2,
        consumer,
        interrupts,
        interrupts_max,
        depth_max: 3,
        one_source: false,
        at_once: false,
    }
}

fn calm(body: impl FnOnce(&World)) {
    let plan = plan(Consumer::Fixed, &[], 0);
    run(&plan, Choices::default(), body);
}

/// Fills the ring to the beginning of the reserve that follows the consumer.
fn fill(world: &World, source: u32) {
    fill_to(world, source, SIZE - RESERVE);
}

/// Fills a ring with long records, so far as its consumer allows.
fn fill_to(world: &World, source: u32, to: u64) {
    while world.published() < to {
        let rest = (to - world.published()).min(SIZE / 8);
        world.act_alone(source, Act::Record(rest as u32));
    }
}

/// Writes records until one is dropped, and returns how many were not, and why it was.
fn flood(world: &World, source: u32, act: Act) -> (u64, Why) {
    let before = [Why::Full, Why::Flood].map(|why| world.dropped(why));
    let mut count = 0;
    loop {
        world.act_as(source, act);
        let after = [Why::Full, Why::Flood].map(|why| world.dropped(why));
        match (after[0] - before[0], after[1] - before[1]) {
            (0, 0) => count += 1,
            (1, 0) => return (count, Why::Full),
            (0, 1) => return (count, Why::Flood),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_flooder_gets_what_is_free_and_one_share() {
    calm(|world| {
        assert_eq!(world.share(), SHARE);
        let expected = (SIZE - RESERVE + SHARE) / 32;
        assert_eq!(flood(world, 7, RECORD), (expected, Why::Flood));
    });
}

#[test]
fn a_flooder_leaves_the_others_their_shares() {
    calm(|world| {
        fill(world, 7);
        flood(world, 7, RECORD);
        for source in 10..18 {
            // The losses of the ones before are told in its room.
            let expected = (SHARE - u64::from(LOST_LEN)) / 32;
            assert_eq!(flood(world, source, RECORD), (expected, Why::Flood));
        }
    });
}

#[test]
fn a_source_that_got_its_share_in_pieces_gets_no_more() {
    calm(|world| {
        fill(world, 7);
        for source in 0..12 {
            world.act_as(source, RECORD);
        }
        for source in 0..12 {
            assert_eq!(world.lost(), u64::from(source));
            let told = if source == 0 { 0 } else { u64::from(LOST_LEN) };
            let expected = (SHARE - 32 - told) / 32;
            assert_eq!(flood(world, source, RECORD), (expected, Why::Flood));
        }
    });
}

#[test]
fn a_ring_full_of_shares_is_full() {
    calm(|world| {
        fill(world, 7);
        for source in 0..16 {
            for _ in 0..SHARE / 32 {
                world.act_as(source, RECORD);
            }
        }
        assert_eq!((world.published(), world.lost()), (SIZE, 0));
        assert_eq!(flood(world, 20, RECORD), (0, Why::Full));
    });
}

#[test]
fn a_source_has_another_share_when_the_consumer_has_passed_a_reserve() {
    calm(|world| {
        fill(world, 7);
        flood(world, 7, RECORD);
        // Less than a reserve: what becomes free is anybody's, the share is the same.
        world.consume(RESERVE - 32);
        let (count, why) = flood(world, 7, RECORD);
        let end = (SIZE - RESERVE) + (RESERVE - 32);
        assert!(why == Why::Flood && count > 0 && world.published() <= end);
        world.consume(RESERVE);
        let (_, why) = flood(world, 7, RECORD);
        assert_eq!(why, Why::Flood);
        let free = SIZE - RESERVE + RESERVE;
        assert!(world.published() > free + SHARE - 64, "no share");
        assert!(world.published() <= free + SHARE, "more than a share");
    });
}

#[test]
fn records_longer_than_a_share_are_for_rings_with_room() {
    calm(|world| {
        fill(world, 7);
        assert_eq!(flood(world, 8, Act::Record(520)), (0, Why::Flood));
        world.consume(1024);
        assert_eq!(flood(world, 8, Act::Record(520)), (1, Why::Flood));
    });
}

#[test]
fn interrupts_have_shares_beside_those_of_the_tasks() {
    calm(|world| {
        fill(world, 7);
        flood(world, 7, RECORD);
        let expected = (SHARE - u64::from(LOST_LEN)) / 32;
        for context in [1, 2, 3] {
            let source = (1 << 23) | context;
            assert_eq!(flood(world, source, RECORD), (expected, Why::Flood));
        }
    });
}

#[test]
fn when_all_accounts_are_in_use_those_who_have_one_keep_it() {
    calm(|world| {
        fill(world, 1 << 22);
        let mut have = Vec::new();
        for source in 0..4096 {
            let lost = world.lost();
            world.act_as(source, Act::Record(16));
            if world.lost() == lost {
                have.push(source);
            }
        }
        assert_eq!(have.len(), 64, "each account has one source");
        assert_eq!(world.dropped(Why::Full), 0, "there is room");
        for source in have {
            let lost = world.lost();
            world.act_as(source, Act::Record(16));
            assert_eq!(world.lost(), lost, "{source} has a share");
        }
        // And nobody has one for good.
        world.consume(2 * RESERVE);
        fill_to(world, 1 << 22, 2 * RESERVE + SIZE - RESERVE - 64);
        flood(world, 1 << 22, RECORD);
        let lost = world.lost();
        world.act_as(4095, Act::Record(16));
        assert_eq!(world.lost(), lost);
    });
}

#[test]
fn accounts_are_there_in_every_epoch() {
    // So few bytes move the consumer by a reserve that the epochs come round.
    calm(|world| {
        let mut at = 0;
        for _ in 0..200 {
            fill_to(world, 7, at + SIZE - RESERVE);
            for source in [7, 8] {
                world.act_as(source, RECORD);
            }
            assert_eq!(world.lost(), 0);
            at += RESERVE;
            world.consume(at);
        }
    });
}

#[test]
fn the_other_policies_and_small_rings_are_first_come_first_served() {
    for (policy, size) in [(Policy::Fill, SIZE), (Policy::Switch, SIZE / 2)] {
        let plan = Plan {
            policy,
            size,
            ..plan(Consumer::Fixed, &[], 0)
        };
        run(&plan, Choices::default(), |world| {
            for _ in 0..size / 32 {
                world.act_as(7, RECORD);
            }
            assert_eq!((world.published(), world.lost()), (size, 0));
        });
    }
}

/// Every interleaving of two interrupts, one of which may lose, with a writer whose source has
/// room for `left` bytes in its share.
fn at_the_brink(one_source: bool, consumer: Consumer, left: u64) {
    let plan = Plan {
        one_source,
        ..plan(consumer, &[Act::Record(24), Act::Lose], 2)
    };
    let mut outcomes = [0u64; 3];
    let runs = Choices::exhaust(|choices| {
        run(&plan, choices, |world| {
            fill(world, 7);
            let mut taken = 0;
            while SHARE - taken > left {
                let len = (SHARE - taken - left).min(64);
                world.act_alone(8, Act::Record(len as u32));
                taken += len;
            }
            world.act_as(8, RECORD);
            let why = [Why::Full, Why::Flood].map(|why| world.dropped(why));
            outcomes[0] += u64::from(why == [0, 0]);
            outcomes[1] += why[0];
            outcomes[2] += why[1];
        })
    });
    println!("{runs} interleavings with {left} bytes left: {outcomes:?}");
    assert!(runs > 300, "only {runs} runs");
}

#[test]
fn a_share_is_exact_whatever_interrupts_whom() {
    for one_source in [false, true] {
        for left in [0, 32, 56, 80] {
            at_the_brink(one_source, Consumer::Fixed, left);
        }
    }
}

#[test]
fn a_share_is_exact_while_the_consumer_moves_on() {
    for one_source in [false, true] {
        at_the_brink(one_source, Consumer::Honest, 40);
    }
}

#[test]
fn a_share_is_exact_under_any_consumer_position() {
    let plan = plan(Consumer::Hostile, &[RECORD], 1);
    let runs = Choices::exhaust(|choices| {
        run(&plan, choices, |world| {
            fill(world, 7);
            for source in [7, 8] {
                for _ in 0..8 {
                    world.act_alone(source, Act::Record(64));
                }
            }
            world.act_as(8, RECORD);
        })
    });
    assert!(runs > 300, "only {runs} runs");
}

/// What happens from outside in a random run.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// One of the flooders writes so many records.
    Flood(u32, u32),
    /// A slow source writes one record.
    Slow(u32, u32),
    /// The reader gets so many eighths further.
    Read(u64),
    /// Anything stands in the consumer page.
    Scribble(u64),
}

fn steps(hostile: bool) -> impl Strategy<Value = Vec<Step>> {
    let len = (2..=20u32).prop_map(|words| 8 * words);
    let step = prop_oneof![
        6 => (0..6u32, 0..400u32).prop_map(|(source, count)| Step::Flood(source, count)),
        8 => (0..4u32, len).prop_map(|(source, len)| Step::Slow(source, len)),
        2 => (0..=8u64).prop_map(Step::Read),
        u32::from(hostile) => any::<u64>().prop_map(Step::Scribble),
        u32::from(hostile) => (0..4 * SIZE).prop_map(|to| Step::Scribble(to & !7)),
    ];
    vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The promise: whatever six others do, who takes no more than a share while the reader moves
    /// on by a reserve loses nothing.
    #[test]
    fn who_keeps_to_its_share_loses_nothing_beside_six_flooders(steps in steps(false)) {
        calm(|world| {
            let mut took = [0u64; 4];
            let mut epoch = 0;
            let mut read = 0;
            for step in steps {
                match step {
                    Step::Flood(source, count) => {
                        for _ in 0..count {
                            world.act_as(100 + source, Act::Record(80));
                        }
                    }
                    Step::Slow(source, len) => {
                        let took = &mut took[source as usize];
                        *took += u64::from(len + LOST_LEN);
                        if *took <= SHARE {
                            let lost = world.lost();
                            world.act_as(200 + source, Act::Record(len));
                            assert_eq!(world.lost(), lost, "{step:?} had {took} of its share");
                        }
                    }
                    Step::Read(eighths) => {
                        let stream = world.stream();
                        let goal = read + (world.published() - read) * eighths / 8;
                        let at = stream.partition_point(|seen| seen.position <= goal);
                        read = at.checked_sub(1).map_or(read, |at| stream[at].position.max(read));
                        if eighths == 8 {
                            read = world.published();
                        }
                        world.consume(read);
                        if read / RESERVE != epoch {
                            epoch = read / RESERVE;
                            took = [0; 4];
                        }
                    }
                    Step::Scribble(_) => unreachable!("not asked for"),
                }
            }
        });
    }

    #[test]
    fn shares_are_exact_through_long_sequences(
        bytes in vec(1u8.., 0..20_000),
        steps in steps(true),
        consumer in prop::sample::select(vec![
            Consumer::Honest,
            Consumer::Hostile,
            Consumer::Fixed,
        ]),
        one_source in any::<bool>(),
    ) {
        let interrupts = &[Act::Record(24), Act::Record(80), Act::Discard(40), Act::Lose];
        let plan = Plan { one_source, ..plan(consumer, interrupts, u32::MAX) };
        run(&plan, Choices::random(bytes), |world| {
            for step in steps {
                match step {
                    Step::Flood(source, count) => {
                        for _ in 0..count {
                            world.act_as(source, Act::Record(80));
                        }
                    }
                    Step::Slow(source, len) => world.act_as(200 + source, Act::Record(len)),
                    Step::Read(_) if consumer != Consumer::Fixed => {}
                    Step::Read(eighths) => world.consume(world.published() / 64 * eighths * 8),
                    Step::Scribble(_) if consumer == Consumer::Honest => {}
                    Step::Scribble(to) => world.consume(to),
                }
            }
        });
    }
}
