// SPDX-License-Identifier: GPL-2.0-only
//! The parser on valid rings, on damaged ones, and on anything.

use std::sync::atomic::Ordering::Relaxed;

use proptest::prelude::*;

use super::*;
use crate::device::Area;
use crate::fake::FakeRing;

fn entry(time: u64) -> Record {
    Record {
        time,
        cpu: 3,
        context: Context::Softirq,
        event: Event::Entry {
            at: Firing {
                probe: 7,
                pid: 100,
                tid: 101,
            },
            args: [1, 2, 3, u64::MAX, 5, 6],
        },
    }
}

fn back(time: u64) -> Record {
    Record {
        time,
        cpu: 3,
        context: Context::Nmi,
        event: Event::Return {
            at: Firing {
                probe: 8,
                pid: 100,
                tid: 101,
            },
            value: -2_i64 as u64,
            elapsed: 1432,
        },
    }
}

fn called(time: u64) -> Record {
    Record {
        time,
        cpu: 3,
        context: Context::Task,
        event: Event::Called {
            at: Firing {
                probe: 7,
                pid: 100,
                tid: 101,
            },
            who: Who {
                uid: 1001,
                execname: ExecName::new(*b"ls\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            },
        },
    }
}

fn returned(time: u64, result: Option<i32>) -> Record {
    Record {
        time,
        cpu: 3,
        context: Context::Task,
        event: Event::Returned {
            at: Firing {
                probe: 8,
                pid: 100,
                tid: 101,
            },
            who: Who {
                uid: 1001,
                execname: ExecName::new(*b"sixteen bytes of"),
            },
            result,
            elapsed: 99,
        },
    }
}

fn words(words: &[u64]) -> Vec<AtomicU64> {
    words.iter().map(|&word| AtomicU64::new(word)).collect()
}

/// Everything between two positions; ends at damage.
fn all(words: &[AtomicU64], from: u64, to: u64) -> Vec<Result<Record, Corrupt>> {
    match Records::new(words, 3, from, to) {
        Ok(records) => records.collect(),
        Err(corrupt) => vec![Err(corrupt)],
    }
}

/// A record's first word.
fn head(kind: u32, len: u64, position: u64) -> u64 {
    (u64::from(kind) << 24) | len | ((position >> 3) << 32)
}

#[test]
fn what_was_written_is_read() {
    let mut ring = FakeRing::new(3, 1024);
    let written = [
        entry(10),
        back(20),
        entry(20),
        called(30),
        returned(40, Some(0)),
        returned(50, Some(-2)),
        returned(60, None),
    ];
    for record in &written {
        assert!(ring.write(record));
    }
    let data = ring.area(Area::Data);
    let read: Result<Vec<_>, _> = all(&data, 0, ring.head()).into_iter().collect();
    assert_eq!(read.unwrap(), written);
}

#[test]
fn padding_and_discarded_records_are_stepped_over() {
    let data = words(&[
        head(abi::RTRACE_RECORD_DISCARD, 24, 64),
        0,
        0,
        head(abi::RTRACE_RECORD_LOST, 24, 88),
        5,
        9,
        head(abi::RTRACE_RECORD_PAD, 16, 112),
        0,
    ]);
    let read = all(&data, 64, 128);
    assert_eq!(read.len(), 1);
    let lost = read[0].clone().unwrap();
    assert_eq!((lost.time, lost.event), (5, Event::Lost { count: 9 }));
}

#[test]
fn records_of_a_newer_minor_version_are_read_as_far_as_they_are_known() {
    let data = words(&[
        head(10, 16, 0),
        1,
        head(abi::RTRACE_RECORD_LOST, 48, 16),
        5,
        9,
        77,
        78,
        79,
    ]);
    let read = all(&data, 0, 64);
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].clone().unwrap().event, Event::Lost { count: 9 });
}

#[test]
fn impossible_ranges_are_refused() {
    let data = words(&[0; 8]);
    for (from, to) in [(0, 72), (8, 0), (4, 8), (0, 12), (0, u64::MAX - 7)] {
        assert!(Records::new(&data, 0, from, to).is_err(), "{from} {to}");
    }
    assert!(Records::new(&data[..3], 0, 0, 8).is_err());
    assert!(Records::new(&[], 0, 0, 0).is_err());
}

#[test]
fn impossible_lengths_are_damage_and_end_the_reading() {
    for (kind, len) in [
        (abi::RTRACE_RECORD_LOST, 0),
        (abi::RTRACE_RECORD_LOST, 20),
        (abi::RTRACE_RECORD_LOST, 16),
        (abi::RTRACE_RECORD_ENTRY, 48),
        (abi::RTRACE_RECORD_RETURN, 40),
        (abi::RTRACE_RECORD_CALLED, 48),
        (abi::RTRACE_RECORD_RETURNED, 56),
        (abi::RTRACE_RECORD_LOST, 136),
        (abi::RTRACE_RECORD_PAD, 120),
        (abi::RTRACE_RECORD_DISCARD, 0xff_fff8),
    ] {
        let mut data = [0; 16];
        data[0] = head(kind, len, 0);
        let read = all(&words(&data), 0, 128);
        assert_eq!(
            read,
            [Err(Corrupt::Length {
                position: 0,
                kind,
                len
            })]
        );
    }
}

#[test]
fn a_copy_that_cuts_a_record_is_read_up_to_it() {
    let mut ring = FakeRing::new(3, 1024);
    let mut last = 0;
    // Twelve records fill a lap, so the last ones lie in the second.
    for time in 0..20 {
        last = ring.head();
        assert!(ring.write(&entry(time)));
        ring.area(Area::Consumer)[0].store(ring.head(), Relaxed);
    }
    let data = ring.area(Area::Data);
    let from = last - 160;
    let at = |position: u64| (position % 1024 / 8) as usize;
    let copy = |bytes: u64| {
        words(
            &data[at(from)..at(from + bytes)]
                .iter()
                .map(|word| word.load(Relaxed))
                .collect::<Vec<_>>(),
        )
    };
    for (bytes, whole) in [(240, 3), (232, 2), (160, 2), (88, 1), (8, 0), (0, 0)] {
        let copy = copy(bytes);
        let mut records = Records::copied(&copy, 3, from, 1024).unwrap();
        let times: Vec<_> = records
            .by_ref()
            .map(|record| record.unwrap().time)
            .collect();
        assert_eq!(times, (17..17 + whole).collect::<Vec<_>>(), "{bytes}");
        assert_eq!(records.position(), from + whole * 80);
    }
}

#[test]
fn a_copy_that_no_ring_can_have_held_is_damage() {
    let data = words(&[head(abi::RTRACE_RECORD_LOST, 24, 64), 5, 9]);
    assert!(Records::copied(&data, 3, 64, 1000).is_err());
    assert!(Records::copied(&data, 3, 64, 16).is_err());
    assert!(Records::copied(&data, 3, 63, 1024).is_err());
    assert!(Records::copied(&data, 3, u64::MAX - 7, 1024).is_err());
    let mut stale = Records::copied(&data, 3, 128, 1024).unwrap();
    assert!(matches!(stale.next(), Some(Err(Corrupt::Position { .. }))));
    let long = words(&[
        head(
            abi::RTRACE_RECORD_DISCARD,
            u64::from(abi::RTRACE_RECORD_MAX) + 8,
            64,
        ),
        5,
    ]);
    let mut long = Records::copied(&long, 3, 64, 1 << 20).unwrap();
    assert!(matches!(long.next(), Some(Err(Corrupt::Length { .. }))));
}

#[test]
fn a_record_of_another_position_is_damage() {
    let mut ring = FakeRing::new(3, 1024);
    assert!(ring.write(&entry(1)) && ring.write(&back(2)));
    let data = ring.area(Area::Data);
    // One lap later the same bytes are stale.
    let read = all(&data, 1024, 1024 + ring.head());
    assert!(matches!(
        read[..],
        [Err(Corrupt::Position { position: 1024, .. })]
    ));
}

#[test]
fn positions_near_the_end_of_time_do_not_overflow() {
    let data = words(&[0; 8]);
    let top = u64::MAX - 7;
    assert!(matches!(all(&data, top - 64, top)[..], [Err(_)]));
}

/// What must hold for any words: it ends, each record has room of its own, and
/// the position never leaves the range.
fn is_tame(words: &[AtomicU64], from: u64, to: u64) -> Result<(), TestCaseError> {
    match Records::new(words, 0, from, to) {
        Ok(records) => ends_tamely(records, words.len()),
        Err(_) => Ok(()),
    }
}

fn ends_tamely(mut records: Records<'_>, most: usize) -> Result<(), TestCaseError> {
    let (mut steps, mut last, to) = (0, records.position(), records.end);
    while let Some(record) = records.next() {
        steps += 1;
        prop_assert!(steps <= most + 1);
        prop_assert!(records.position() >= last && records.position() <= to);
        last = records.position();
        if record.is_err() {
            prop_assert!(records.next().is_none());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_words_and_positions_are_tame(
        content in proptest::collection::vec(any::<u64>(), 0..64),
        from: u64,
        len in 0..1024_u64,
    ) {
        is_tame(&words(&content), from, from.wrapping_add(len))?;
        let from = from & !7;
        is_tame(&words(&content), from, from.saturating_add(len & !7))?;
        let copy = words(&content);
        if let Ok(records) = Records::copied(&copy, 0, from, 1024) {
            ends_tamely(records, content.len())?;
        }
    }

    #[test]
    fn plausible_heads_are_tame(
        heads in proptest::collection::vec((0..16_u32, 0..12_u64, any::<bool>()), 32),
        lap in 0..1_000_u64,
    ) {
        let from = lap * 256;
        let content: Vec<_> = (0..).zip(heads).map(|(i, (kind, words, right))| {
            head(kind, words * 8, if right { from + i * 8 } else { 0 })
        }).collect();
        is_tame(&words(&content), from, from + 256)?;
    }

    #[test]
    fn a_damaged_ring_is_tame_and_gives_a_prefix(
        kinds in proptest::collection::vec(any::<bool>(), 1..40),
        at: proptest::sample::Index,
        damage: u64,
    ) {
        let mut ring = FakeRing::new(3, 4096);
        let mut written = Vec::new();
        for (time, kind) in (0..).zip(kinds) {
            let record = if kind { entry(time) } else { back(time) };
            prop_assert!(ring.write(&record));
            written.push(record);
        }
        let data = ring.area(Area::Data);
        let at = at.index((ring.head() / 8) as usize);
        data[at].fetch_xor(damage, Relaxed);
        is_tame(&data, 0, ring.head())?;
        // What stands before the damage is not touched by it.
        for (read, wrote) in all(&data, 0, ring.head()).iter().zip(&written).take(at / 10) {
            prop_assert_eq!(read.as_ref(), Ok(wrote));
        }
    }

    #[test]
    fn a_ring_is_read_completely_over_many_laps(
        batches in proptest::collection::vec((1..12_usize, any::<bool>()), 1..60),
    ) {
        let mut ring = FakeRing::new(3, 1024);
        let (data, consumer) = (ring.area(Area::Data), ring.area(Area::Consumer));
        let (mut time, mut from) = (0, 0);
        for (count, kind) in batches {
            let mut written = Vec::new();
            for _ in 0..count {
                time += 1;
                let record = if kind { entry(time) } else { back(time) };
                prop_assert!(ring.write(&record));
                written.push(record);
            }
            let read: Result<Vec<_>, _> = all(&data, from, ring.head()).into_iter().collect();
            prop_assert_eq!(read.unwrap(), written);
            from = ring.head();
            consumer[0].store(from, Relaxed);
        }
    }
}
