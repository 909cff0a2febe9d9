// SPDX-License-Identifier: GPL-2.0

//! Words that are interrupted before any access, for the parts of programs that are kept in such
//! words. What interrupts runs to its end, and may be interrupted itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::choices::Choices;
use crate::program::words::{Local, Shared};

type Interrupt = Rc<dyn Fn(usize)>;

struct Steps {
    words: Vec<Cell<u64>>,
    choices: RefCell<Choices>,
    /// What may interrupt: one of so many kinds.
    interrupt: RefCell<Option<(usize, Interrupt)>>,
    /// How many more may.
    left: Cell<u32>,
    /// How many contexts are inside each other, and may be.
    depth: Cell<u32>,
    depth_max: u32,
}

/// The memory.
#[derive(Clone)]
pub(crate) struct Interrupted(Rc<Steps>);

impl Interrupted {
    /// `words` words of 0.
    pub(crate) fn new(words: usize, choices: Choices, depth_max: u32) -> Self {
        Interrupted(Rc::new(Steps {
            words: (0..words).map(|_| Cell::new(0)).collect(),
            choices: RefCell::new(choices),
            interrupt: RefCell::new(None),
            left: Cell::new(0),
            depth: Cell::new(0),
            depth_max,
        }))
    }

    /// Runs `body`, which up to `most` interrupts of so many kinds interrupt, and each other.
    pub(crate) fn run<T>(
        &self,
        most: u32,
        kinds: usize,
        interrupt: impl Fn(usize) + 'static,
        body: impl FnOnce() -> T,
    ) -> T {
        let steps = &self.0;
        steps.left.set(most);
        steps.depth.set(1);
        steps.interrupt.replace(Some((kinds, Rc::new(interrupt))));
        let result = body();
        steps.interrupt.replace(None);
        steps.depth.set(0);
        result
    }

    /// The choices, for the next run.
    pub(crate) fn into_choices(self) -> Choices {
        self.0.choices.take()
    }

    /// A word, without a step.
    pub(crate) fn peek(&self, index: usize) -> u64 {
        self.0.words[index].get()
    }

    fn step(&self) {
        let steps = &self.0;
        while steps.left.get() > 0 && (1..steps.depth_max).contains(&steps.depth.get()) {
            let Some((kinds, interrupt)) = steps.interrupt.borrow().clone() else {
                return;
            };
            let choice = steps.choices.borrow_mut().pick(1 + kinds, true);
            let Some(kind) = choice.checked_sub(1) else {
                return;
            };
            steps.left.set(steps.left.get() - 1);
            steps.depth.set(steps.depth.get() + 1);
            interrupt(kind);
            steps.depth.set(steps.depth.get() - 1);
        }
    }

    /// The word that an access is about, after what comes between.
    fn at(&self, index: usize) -> &Cell<u64> {
        self.step();
        &self.0.words[index]
    }

    fn exchange(&self, index: usize, old: u64, new: u64) -> bool {
        let word = self.at(index);
        let same = word.get() == old;
        if same {
            word.set(new);
        }
        same
    }
}

impl Local for Interrupted {
    fn count(&self) -> usize {
        self.0.words.len()
    }

    fn load(&self, index: usize) -> u64 {
        self.at(index).get()
    }

    fn store(&self, index: usize, value: u64) {
        self.at(index).set(value);
    }

    fn add(&self, index: usize, value: u64) {
        Local::fetch_add(self, index, value);
    }

    fn fetch_add(&self, index: usize, value: u64) -> u64 {
        let word = self.at(index);
        let before = word.get();
        word.set(before.wrapping_add(value));
        before
    }

    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool {
        self.exchange(index, old, new)
    }
}

impl Shared for Interrupted {
    fn count(&self) -> usize {
        self.0.words.len()
    }

    fn load(&self, index: usize) -> u64 {
        self.at(index).get()
    }

    fn load_acquire(&self, index: usize) -> u64 {
        self.at(index).get()
    }

    fn store(&self, index: usize, value: u64) {
        self.at(index).set(value);
    }

    fn store_release(&self, index: usize, value: u64) {
        self.at(index).set(value);
    }

    fn fetch_add(&self, index: usize, value: u64) -> u64 {
        Local::fetch_add(self, index, value)
    }

    fn compare_exchange(&self, index: usize, old: u64, new: u64) -> bool {
        self.exchange(index, old, new)
    }

    fn read_barrier(&self) {}

    fn write_barrier(&self) {}

    fn relax(&self) {}
}
