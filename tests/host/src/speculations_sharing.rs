// SPDX-License-Identifier: GPL-2.0

//! Speculations between CPUs, in every order that the memory model allows (loom).

use loom::sync::atomic::AtomicU64;
use loom::sync::Arc;
use loom::thread;

use crate::program::speculations::Speculations;

struct Words(Vec<AtomicU64>);

impl Words {
    fn speculations(&self, count: u32) -> Speculations<&[AtomicU64]> {
        Speculations::new(&self.0, count)
    }
}

/// Two threads, each a CPU, do the same at once; what each gives is looked at together.
fn model<T: std::fmt::Debug + 'static>(
    count: u32,
    before: fn(&Speculations<&[AtomicU64]>),
    work: fn(&Speculations<&[AtomicU64]>, u32) -> T,
    after: fn(&Speculations<&[AtomicU64]>, T, T),
) {
    loom::model(move || {
        let words = Speculations::<&[AtomicU64]>::words(count, 2).expect("not too many");
        let words = Arc::new(Words((0..words).map(|_| AtomicU64::new(0)).collect()));
        before(&words.speculations(count));
        let other = {
            let words = words.clone();
            thread::spawn(move || work(&words.speculations(count), 1))
        };
        let one = work(&words.speculations(count), 0);
        let other = other.join().expect("the other ends");
        after(&words.speculations(count), one, other);
    });
}

#[test]
fn no_two_cpus_take_the_same_number() {
    model(
        2,
        |_| {},
        |speculations, _| speculations.take(),
        |speculations, one, other| {
            assert!(matches!((one, other), (1, 2) | (2, 1)));
            assert_eq!(speculations.take(), 0);
        },
    );
}

#[test]
fn a_speculation_ends_once() {
    model(
        1,
        |speculations| assert_eq!(speculations.take(), 1),
        |speculations, _| speculations.end(1),
        |speculations, one, other| {
            let mark = one.or(other).expect("one of them ended it");
            assert!(one.is_none() || other.is_none());
            assert_eq!(mark, 1 << 16 | 1);
            assert_eq!(speculations.active(), 0);
        },
    );
}

#[test]
fn marks_of_a_number_that_is_taken_again_differ() {
    model(
        1,
        |_| {},
        |speculations, cpu| {
            if speculations.take() == 0 {
                return None;
            }
            let mark = speculations.mark(1).expect("nobody else ends it");
            assert!(speculations.charge(mark, cpu, 8, 8));
            assert!(!speculations.charge(mark, cpu, 8, 8));
            assert_eq!(speculations.end(1), Some(mark));
            assert!(!speculations.charge(mark, cpu, 8, 16));
            Some(mark)
        },
        |speculations, one, other| {
            assert!(one.is_some() || other.is_some());
            assert_ne!(one, other);
            assert_eq!(speculations.mark(1), None);
        },
    );
}
