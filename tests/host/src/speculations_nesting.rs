// SPDX-License-Identifier: GPL-2.0

//! Speculations: every interleaving of contexts that interrupt each other on one CPU.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::choices::Choices;
use crate::interrupts::Interrupted;
use crate::program::speculations::Speculations;

const COUNT: u32 = 2;
const LIMIT: u64 = 40;

#[derive(Clone, Copy, Debug)]
enum Act {
    Take,
    End(u64),
    /// Writes so many bytes under what has the number.
    Write(u64, u32),
}

struct World {
    memory: Interrupted,
    /// Bytes written under each mark.
    written: RefCell<BTreeMap<u64, u64>>,
    ended: RefCell<Vec<u64>>,
    /// Taken, and not yet ended.
    open: Cell<i64>,
    /// How often something found nothing, or no room.
    nothing: Rc<Cell<u64>>,
}

impl World {
    fn act(&self, act: Act) {
        let speculations = Speculations::new(self.memory.clone(), COUNT);
        let done = match act {
            Act::Take => match speculations.take() {
                0 => false,
                number => {
                    assert!(number <= COUNT.into());
                    self.open.set(self.open.get() + 1);
                    true
                }
            },
            Act::End(number) => match speculations.end(number) {
                None => false,
                Some(mark) => {
                    assert_eq!(mark & 0xffff, number);
                    assert!(!self.ended.borrow().contains(&mark), "ended twice");
                    self.ended.borrow_mut().push(mark);
                    self.open.set(self.open.get() - 1);
                    true
                }
            },
            Act::Write(number, bytes) => match speculations.mark(number) {
                None => false,
                Some(mark) => {
                    let ended = self.ended.borrow().contains(&mark);
                    let taken = speculations.charge(mark, 0, bytes, LIMIT);
                    if taken {
                        assert!(!ended, "{mark:#x} has ended");
                        *self.written.borrow_mut().entry(mark).or_default() += u64::from(bytes);
                    }
                    taken
                }
            },
        };
        self.nothing.set(self.nothing.get() + u64::from(!done));
    }
}

fn exhaust(before: &'static [Act], act: Act, interrupts: &'static [Act], most: u32) -> u64 {
    let nothing = Rc::new(Cell::new(0));
    let runs = Choices::exhaust(|choices| {
        let words = Speculations::<Interrupted>::words(COUNT, 1).expect("not too many");
        let world = Rc::new(World {
            memory: Interrupted::new(words, choices, 3),
            written: RefCell::default(),
            ended: RefCell::default(),
            open: Cell::new(0),
            nothing: nothing.clone(),
        });
        for act in before {
            world.act(*act);
        }
        let nested = world.clone();
        world.memory.run(
            most,
            interrupts.len(),
            move |kind| nested.act(interrupts[kind]),
            || world.act(act),
        );
        let speculations = Speculations::new(world.memory.clone(), COUNT);
        assert_eq!(i64::from(speculations.active()), world.open.get());
        for number in 1..=u64::from(COUNT) {
            let Some(mark) = speculations.mark(number) else {
                continue;
            };
            // What is left is exactly what was not written.
            let written = world.written.borrow().get(&mark).copied().unwrap_or(0);
            let left = (LIMIT - written) as u32;
            assert!(!speculations.charge(mark, 0, left + 1, LIMIT));
            assert!(speculations.charge(mark, 0, left, LIMIT));
        }
        for written in world.written.borrow().values() {
            assert!(*written <= LIMIT, "too much was written");
        }
        drop(speculations);
        let world = Rc::into_inner(world).expect("nobody else has it");
        world.memory.into_choices()
    });
    println!("{runs} interleavings, {} in vain", nothing.get());
    assert!(runs > 100, "only {runs} runs: nothing happens");
    nothing.get()
}

#[test]
fn a_number_is_had_by_one_context_at_a_time() {
    let nothing = exhaust(&[], Act::Take, &[Act::Take, Act::End(1)], 4);
    assert!(nothing > 0);
}

#[test]
fn what_is_written_is_counted_under_the_speculation_that_it_belongs_to() {
    let nothing = exhaust(
        &[Act::Take, Act::Write(1, 8)],
        Act::Write(1, 16),
        &[Act::Write(1, 16), Act::End(1), Act::Take],
        4,
    );
    assert!(nothing > 0);
}

#[test]
fn a_speculation_ends_once_whatever_interrupts() {
    exhaust(
        &[Act::Take, Act::Take],
        Act::End(2),
        &[Act::End(2), Act::Take, Act::Write(2, 24)],
        4,
    );
}
