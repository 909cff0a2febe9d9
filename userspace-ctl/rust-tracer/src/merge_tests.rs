// SPDX-License-Identifier: GPL-2.0-only
//! The merge: nothing out of order, nothing lost, nothing held for ever.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::record::{Context, Event};

fn record(cpu: u32, time: u64) -> Record {
    Record {
        time,
        cpu,
        context: Context::Task,
        event: Event::Lost { count: 1 },
    }
}

fn drain(merge: &mut Merge) -> Vec<u64> {
    let mut times = Vec::new();
    let keep = |record: &Record| {
        times.push(record.time);
        Ok::<_, Infallible>(())
    };
    let Ok(count) = merge.drain(usize::MAX, keep);
    assert_eq!(count, times.len());
    times
}

#[test]
fn a_silent_lane_holds_the_others_back_until_it_is_settled() {
    let mut merge = Merge::default();
    merge.widen(2);
    merge.push(0, record(0, 10));
    merge.push(0, record(0, 20));
    assert_eq!(drain(&mut merge), []);
    merge.settle(1, 15);
    assert_eq!(drain(&mut merge), [10]);
    merge.settle(1, 20);
    assert_eq!(drain(&mut merge), [20]);
    assert_eq!((merge.held(), merge.disorder()), (0, 0));
}

#[test]
fn what_waits_is_counted_in_bytes_with_what_programs_recorded() {
    let mut merge = Merge::default();
    let items = vec![0; 1000].into();
    let at = crate::record::Firing {
        probe: 0,
        pid: 1,
        tid: 1,
    };
    let mut large = record(0, 10);
    large.event = Event::Clause {
        at,
        clause: 0,
        speculation: 0,
        items,
    };
    merge.push(0, record(0, 5));
    let small = merge.bytes();
    merge.push(0, large);
    assert_eq!(merge.bytes(), 2 * small + 1000);
    drain(&mut merge);
    assert_eq!(merge.bytes(), 0);
}

#[test]
fn busy_lanes_need_no_settling() {
    let mut merge = Merge::default();
    for time in [10, 30, 50] {
        merge.push(0, record(0, time));
    }
    for time in [20, 40] {
        merge.push(1, record(1, time));
    }
    // After 40 lane 1 is empty, and may go on at 40.
    assert_eq!(drain(&mut merge), [10, 20, 30, 40]);
    merge.push(1, record(1, 45));
    assert_eq!(drain(&mut merge), [45]);
    merge.settle(1, u64::MAX);
    assert_eq!(drain(&mut merge), [50]);
}

#[test]
fn a_new_lane_is_as_silent_as_any() {
    let mut merge = Merge::default();
    merge.push(0, record(0, 10));
    merge.widen(2);
    assert_eq!(drain(&mut merge), []);
    merge.settle(1, 10);
    assert_eq!(drain(&mut merge), [10]);
}

#[test]
fn a_broken_bound_is_counted_not_hidden() {
    let mut merge = Merge::default();
    merge.settle(1, 100);
    merge.push(0, record(0, 50));
    assert_eq!(drain(&mut merge), [50]);
    merge.push(1, record(1, 40));
    merge.settle(0, 100);
    assert_eq!(drain(&mut merge), [40]);
    assert_eq!(merge.disorder(), 1);
}

#[test]
fn draining_can_be_bounded() {
    let mut merge = Merge::default();
    for time in [1, 2, 3] {
        merge.push(0, record(0, time));
    }
    let count = merge.drain(2, |_| Ok::<_, Infallible>(()));
    assert_eq!((count, merge.held()), (Ok(2), 1));
    assert_eq!(drain(&mut merge), [3]);
}

#[test]
fn an_error_of_the_receiver_ends_the_draining() {
    let mut merge = Merge::default();
    for time in [1, 2, 3] {
        merge.push(0, record(0, time));
    }
    let mut seen = 0;
    let result = merge.drain(usize::MAX, |_| {
        seen += 1;
        if seen == 2 { Err("enough") } else { Ok(()) }
    });
    assert_eq!(result, Err("enough"));
    assert_eq!(drain(&mut merge), [3]);
}

proptest! {
    /// Writers on several CPUs, a reader that looks now and then, CPUs that lag
    /// behind in publishing: the settled time is all the reader knows of that.
    #[test]
    fn any_arrival_comes_out_sorted_and_complete(
        steps in proptest::collection::vec((0..4_usize, 0..5_u64, any::<bool>()), 0..300),
    ) {
        let mut merge = Merge::default();
        merge.widen(4);
        let mut now = 100;
        let mut unpublished: [Vec<u64>; 4] = Default::default();
        let mut written = Vec::new();
        let mut out = Vec::new();
        for (cpu, step, look) in steps {
            now += step;
            unpublished[cpu].push(now);
            written.push(now);
            if !look {
                continue;
            }
            // This CPU publishes what it has; the others are interrupted where they are.
            for time in unpublished[cpu].drain(..) {
                merge.push(cpu, record(cpu as u32, time));
            }
            let settled = unpublished.iter().filter_map(|times| times.first()).min();
            for lane in 0..4 {
                merge.settle(lane, settled.copied().unwrap_or(now));
            }
            out.extend(drain(&mut merge));
        }
        for (lane, times) in unpublished.into_iter().enumerate() {
            for time in times {
                merge.push(lane, record(lane as u32, time));
            }
            merge.settle(lane, u64::MAX);
        }
        for lane in 0..4 {
            merge.settle(lane, u64::MAX);
        }
        out.extend(drain(&mut merge));
        prop_assert_eq!(out, written);
        prop_assert_eq!((merge.held(), merge.disorder()), (0, 0));
    }
}
