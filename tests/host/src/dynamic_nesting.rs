// SPDX-License-Identifier: GPL-2.0

//! Dynamic variables: every interleaving of contexts that interrupt each other.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::choices::Choices;
use crate::dynamic_words::{check_at_rest, is_locked, words_of};
use crate::interrupts::Interrupted;
use crate::program::dynamic::{NoRoom, Shape, Table};

const PAYLOAD: u32 = 3;

/// What a context does with a key, which is a thread's variable.
#[derive(Clone, Copy, Debug)]
enum Act {
    Store(u64),
    /// Stores 16 bytes that are all the same.
    Text(u64),
    Remove(u64),
    Load(u64),
}

/// What a variable may be: a number, or a byte that 16 are.
type Value = Option<u64>;

/// What is known of a key. All values are different, so each tells who wrote it.
#[derive(Debug, Default)]
struct Known {
    /// It is one of these, or one of `pending`.
    now: Vec<Value>,
    /// What contexts that are under way are making of it.
    pending: Vec<Value>,
    /// For each that is reading it: what it may find, and whether that has changed since.
    reading: Vec<(Vec<Value>, bool)>,
}

impl Known {
    /// It may be this from now on.
    fn may_be(&mut self, value: Value) {
        for (values, changed) in &mut self.reading {
            values.push(value);
            *changed = true;
        }
    }

    fn begin_reading(&mut self) {
        let mut values = self.now.clone();
        values.extend(&self.pending);
        if self.now.is_empty() {
            values.push(None);
        }
        self.reading.push((values, false));
    }

    fn end_reading(&mut self, read: Value) {
        let (values, changed) = self.reading.pop().expect("it was begun");
        assert!(values.contains(&read), "read {read:?}: {values:?}");
        if changed {
            return;
        }
        // What was read stays until something else is written.
        if !self.now.contains(&read) {
            if let Some(index) = self.pending.iter().position(|value| *value == read) {
                self.pending.remove(index);
            }
        }
        self.now = vec![read];
    }
}

struct World {
    memory: Interrupted,
    shape: Shape,
    known: RefCell<BTreeMap<u64, Known>>,
    /// Values given so far.
    values: Cell<u64>,
    refused: Cell<u64>,
    texts: bool,
}

struct Plan {
    buckets: usize,
    before: &'static [Act],
    act: Act,
    interrupts: &'static [Act],
    most: u32,
    /// Whether all variables are texts.
    texts: bool,
}

impl World {
    fn table(&self) -> Table<Interrupted> {
        Table::new(self.memory.clone(), self.shape)
    }

    fn load(&self, key: u64) -> Value {
        if !self.texts {
            return self.table().load(1, key, &[]);
        }
        let mut text = [0xff; 16];
        let there = self.table().load_bytes(1, key, &[], &mut text);
        assert!(text.iter().all(|byte| *byte == text[0]), "torn: {text:?}");
        assert_eq!(there, text[0] != 0);
        there.then_some(text[0].into())
    }

    /// Does it, and checks its answer.
    fn act(&self, act: Act) {
        let (Act::Store(key) | Act::Text(key) | Act::Remove(key) | Act::Load(key)) = act;
        let value = self.values.get() + 1;
        let new = match act {
            Act::Store(_) | Act::Text(_) => Some(value),
            Act::Remove(_) => None,
            Act::Load(_) => {
                self.with(key, Known::begin_reading);
                let read = self.load(key);
                self.with(key, |known| known.end_reading(read));
                return;
            }
        };
        self.values.set(value);
        self.with(key, |known| {
            known.pending.push(new);
            known.may_be(new);
        });
        let locked = is_locked(&self.memory, self.shape, 1, key);
        let result = match act {
            Act::Store(_) => self.table().store(1, key, &[], value),
            Act::Text(_) => self.table().store_bytes(1, key, &[], &[value as u8; 16]),
            _ => self.table().remove(1, key, &[]),
        };
        self.with(key, |known| {
            // Nested ones end first, so it is the last of its kind.
            let at = known.pending.iter().rposition(|pending| *pending == new);
            if let Some(at) = at {
                known.pending.remove(at);
            }
            match result {
                // What came before it began is gone; what nested ones wrote may be after it.
                Ok(()) => {
                    known.now.retain(|now| self.is_newer(*now, value));
                    known.now.push(new);
                    known.may_be(new);
                }
                Err(NoRoom) => {
                    assert!(at.is_some() || new.is_none(), "it failed, and yet was seen")
                }
            }
        });
        if result.is_err() {
            self.refused.set(self.refused.get() + 1);
            let full = self.is_full();
            assert!(locked || full, "{act:?} failed for no reason");
        }
    }

    /// Whether a value was given after the one of that number.
    fn is_newer(&self, value: Value, number: u64) -> bool {
        value.is_none_or(|value| value > number)
    }

    fn is_full(&self) -> bool {
        self.table().live() + 1 >= self.shape.slots()
    }

    fn with(&self, key: u64, change: impl FnOnce(&mut Known)) {
        change(self.known.borrow_mut().entry(key).or_default());
    }

    fn check(&self) {
        let mut live = 0;
        for (key, known) in &*self.known.borrow() {
            assert!(known.pending.is_empty(), "{known:?}");
            let read = self.load(*key);
            let right = known.now.contains(&read) || known.now.is_empty() && read.is_none();
            assert!(right, "{key} is {read:?}: {known:?}");
            live += u64::from(read.is_some());
        }
        assert_eq!(self.table().live(), live, "duplicates, or lost slots");
        check_at_rest(&self.memory, self.shape);
    }
}

/// Runs a plan in all ways; returns how often something was refused.
fn exhaust(plan: &'static Plan) -> u64 {
    let mut refused = 0;
    let runs = Choices::exhaust(|choices| {
        let words = words_of(plan.buckets, PAYLOAD);
        let world = Rc::new(World {
            memory: Interrupted::new(words, choices, 3),
            shape: Shape::new(words, PAYLOAD, 5).expect("a bucket"),
            known: RefCell::default(),
            values: Cell::new(0),
            refused: Cell::new(0),
            texts: plan.texts,
        });
        for act in plan.before {
            world.act(*act);
        }
        let nested = world.clone();
        world.memory.run(
            plan.most,
            plan.interrupts.len(),
            move |kind| nested.act(plan.interrupts[kind]),
            || world.act(plan.act),
        );
        world.check();
        refused += world.refused.get();
        let world = Rc::into_inner(world).expect("nobody else has it");
        world.memory.into_choices()
    });
    println!("{runs} interleavings, {refused} refused");
    assert!(runs > 300, "only {runs} runs: the plan lets nothing happen");
    refused
}

#[test]
fn a_new_variable_is_there_once_whatever_interrupts() {
    static PLAN: Plan = Plan {
        buckets: 1,
        before: &[],
        act: Act::Store(1),
        interrupts: &[Act::Store(1), Act::Load(1), Act::Remove(1), Act::Store(2)],
        most: 2,
        texts: false,
    };
    assert!(exhaust(&PLAN) > 0, "no context found the place taken");
}

#[test]
fn numbers_are_the_old_or_the_new_one() {
    static PLAN: Plan = Plan {
        buckets: 1,
        before: &[Act::Store(1), Act::Store(2)],
        act: Act::Store(1),
        interrupts: &[Act::Load(1), Act::Load(2), Act::Store(1)],
        most: 3,
        texts: false,
    };
    exhaust(&PLAN);
}

#[test]
fn texts_are_the_old_or_the_new_one() {
    static PLAN: Plan = Plan {
        buckets: 2,
        before: &[Act::Text(1), Act::Text(2)],
        act: Act::Text(1),
        interrupts: &[Act::Load(1), Act::Text(1), Act::Text(3), Act::Remove(1)],
        most: 2,
        texts: true,
    };
    exhaust(&PLAN);
}

#[test]
fn who_reads_never_gets_another_keys_value() {
    static PLAN: Plan = Plan {
        buckets: 1,
        before: &[Act::Store(1)],
        act: Act::Load(1),
        interrupts: &[Act::Remove(1), Act::Store(2), Act::Store(1), Act::Store(3)],
        most: 3,
        texts: false,
    };
    exhaust(&PLAN);
}

#[test]
fn texts_that_are_read_are_whole_and_of_their_key() {
    static PLAN: Plan = Plan {
        buckets: 1,
        before: &[Act::Text(1)],
        act: Act::Load(1),
        interrupts: &[Act::Remove(1), Act::Text(2), Act::Text(1)],
        most: 3,
        texts: true,
    };
    exhaust(&PLAN);
}

#[test]
fn a_slot_that_is_freed_is_there_for_the_next() {
    // All slots are taken; a store of a new key has room only after a removal.
    static PLAN: Plan = Plan {
        buckets: 1,
        before: &[
            Act::Store(1),
            Act::Store(2),
            Act::Store(3),
            Act::Store(4),
            Act::Store(5),
            Act::Store(6),
            Act::Store(7),
        ],
        act: Act::Store(8),
        interrupts: &[Act::Remove(3), Act::Store(9), Act::Load(3)],
        most: 2,
        texts: false,
    };
    assert!(exhaust(&PLAN) > 0, "it was never full");
}

#[test]
fn keys_that_stray_are_found_whatever_interrupts() {
    // Two buckets of seven: some of the eleven are not at home.
    static PLAN: Plan = Plan {
        buckets: 2,
        before: &[
            Act::Text(1),
            Act::Text(2),
            Act::Text(3),
            Act::Text(4),
            Act::Text(5),
            Act::Text(6),
            Act::Text(7),
            Act::Text(8),
            Act::Text(9),
            Act::Text(10),
            Act::Text(11),
        ],
        act: Act::Text(11),
        interrupts: &[Act::Load(11), Act::Remove(1), Act::Load(10), Act::Text(2)],
        most: 2,
        texts: true,
    };
    exhaust(&PLAN);
}
