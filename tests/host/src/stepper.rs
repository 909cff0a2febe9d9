// SPDX-License-Identifier: GPL-2.0

//! A ring's memory that interrupts the ring before any of its accesses, lets the consumer page
//! hold anything, and checks after each access what must always hold.
//!
//! The names I1 to I8 are those of the ring's invariants in the order of `rust_tracer/ring/mod.rs`:
//! I1 bounds, I2 no overlap, I3 whole records, I4 times and positions, I5 conservation of losses,
//! I6 wake-ups, I7 padding, I8 hostile consumers. Here is what runs and what is known of it; `memory`
//! has the accesses, `invariants` checks I1 to I8, `answers` what a nearly full ring says, by the
//! model in [`crate::shares`].

mod answers;
mod invariants;
mod memory;

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

use crate::choices::Choices;
use crate::ring::{Dropped, Layout, Policy, Reservation, Ring, Why, Word, RECORD_DISCARD};
use crate::shares::Shares;

const RECORD: u32 = 4;
/// What an interrupt's records are taken for; see `rust_tracer/fire/mod.rs`.
const INTERRUPT: u32 = 1 << 23;

/// What a writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Writes a record of so many bytes.
    Record(u32),
    /// Reserves so many bytes and discards them.
    Discard(u32),
    /// Reports a loss.
    Lose,
}

/// What the consumer page holds when the ring reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// A position up to which a reader is done; it never goes back.
    Honest,
    /// Any of a set of positions chosen to do harm.
    Hostile,
    /// What [`World::consume`] or [`World::poll`] set.
    Fixed,
}

/// What may happen in a run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) size: u64,
    pub(crate) policy: Policy,
    pub(crate) watermark: u64,
    pub(crate) consumer: Consumer,
    /// What an interrupt may do.
    pub(crate) interrupts: &'static [Act],
    /// How many interrupts in all.
    pub(crate) interrupts_max: u32,
    /// How many writers inside each other, the first one included.
    pub(crate) depth_max: usize,
    /// Whether an interrupt is taken for the same source as what it interrupts.
    pub(crate) one_source: bool,
    /// Whether writers try the short way alone first, as the probe path's does.
    pub(crate) at_once: bool,
}

/// One record as the reader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) position: u64,
    pub(crate) len: u32,
    pub(crate) kind: u32,
    pub(crate) time: u64,
    /// The losses of a LOST record, the mark of another.
    pub(crate) value: u64,
}

/// A reservation as its writer saw it.
#[derive(Clone, Copy, Debug)]
struct Made {
    position: u64,
    len: u32,
    kind: u32,
    time: u64,
    mark: u64,
    /// Losses that were over before the writer began.
    losses_before: u64,
    /// Whether it interrupted a writer that held losses in its hands.
    losses_held: bool,
}

/// A writer that is inside.
#[derive(Clone, Debug, Default)]
struct Writer {
    source: u32,
    /// Whether it has taken the pending losses, and not yet its place.
    holds_losses: bool,
    /// The length of the record that it wants room for, until it has it or gives up.
    wants: Option<u32>,
    /// Whether it has begun to take what it found.
    decided: bool,
    /// Whether another one came between while it wanted room.
    interrupted: bool,
    /// What the model says to it as things are, and what it said before.
    right: Vec<Option<Why>>,
    was_right: Vec<Option<Why>>,
    /// The losses to be told, as it saw them.
    saw_pending: Option<u64>,
    /// Whether it has counted a loss that it did not yet ask to be told.
    counts_loss: bool,
    /// Bytes that it took of its source's share.
    share: i64,
    /// Whether what it got reached into the reserve, and told losses.
    reserved: bool,
    told: bool,
}

/// The memory, all that has happened, and all that may happen.
pub(crate) struct World {
    plan: Plan,
    shares: Shares,
    choices: RefCell<Choices>,
    ring: RefCell<Option<Rc<Ring<Stepper>>>>,

    words: [Cell<u64>; Word::COUNT],
    data: Vec<Cell<u64>>,
    consumer: Cell<u64>,
    published: Cell<u64>,
    oldest: Cell<u64>,
    lost: Cell<u64>,
    bad_consumer: Cell<bool>,

    inside: RefCell<Vec<Writer>>,
    interrupts: Cell<u32>,
    accesses: Cell<u64>,
    now: Cell<u64>,
    clock_max: Cell<u64>,
    fired: Cell<u64>,
    written: Cell<u64>,
    losses_begun: Cell<u64>,
    losses_done: Cell<u64>,
    dropped: RefCell<Vec<Why>>,
    filled: Cell<bool>,
    wakes: Cell<u64>,
    /// Whether a poller sleeps.
    asleep: Cell<bool>,
    /// Whether the consumer page is left alone for now.
    quiet: Cell<bool>,
    /// Reservations that are not published yet.
    made: RefCell<Vec<Made>>,
    stream: RefCell<Vec<Seen>>,
    told: Cell<u64>,
}

/// [`Memory`] over a [`World`].
#[derive(Clone)]
pub(crate) struct Stepper(Rc<World>);

impl Deref for Stepper {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

/// Runs `body` in a new world, and hands the choices back.
pub(crate) fn run(plan: &Plan, choices: Choices, body: impl FnOnce(&World)) -> Choices {
    let layout = Layout::new(plan.size, plan.watermark, plan.policy).expect("a valid layout");
    let world = Stepper(Rc::new(World {
        plan: plan.clone(),
        shares: Shares::new(&layout),
        choices: RefCell::new(choices),
        ring: RefCell::new(None),
        words: [const { Cell::new(0) }; Word::COUNT],
        data: vec![Cell::new(0); (plan.size / 8) as usize],
        consumer: Cell::new(0),
        published: Cell::new(0),
        oldest: Cell::new(0),
        lost: Cell::new(0),
        bad_consumer: Cell::new(false),
        inside: RefCell::new(Vec::new()),
        interrupts: Cell::new(0),
        accesses: Cell::new(0),
        now: Cell::new(1000),
        clock_max: Cell::new(0),
        fired: Cell::new(0),
        written: Cell::new(0),
        losses_begun: Cell::new(0),
        losses_done: Cell::new(0),
        dropped: RefCell::new(Vec::new()),
        filled: Cell::new(false),
        wakes: Cell::new(0),
        asleep: Cell::new(false),
        quiet: Cell::new(false),
        made: RefCell::new(Vec::new()),
        stream: RefCell::new(Vec::new()),
        told: Cell::new(0),
    }));
    let ring = Rc::new(Ring::new(layout, world.clone()));
    world.ring.replace(Some(ring));
    body(&world);
    world.check_at_rest();
    world.ring.replace(None);
    world.choices.take()
}

fn bump(counter: &Cell<u64>, by: u64) {
    counter.set(counter.get() + by);
}

impl World {
    pub(crate) fn pick(&self, among: usize) -> usize {
        self.choices.borrow_mut().pick(among, false)
    }

    /// Runs one outermost writer of source 0; interrupts happen as the choices have it.
    pub(crate) fn act(&self, act: Act) {
        self.act_as(0, act);
    }

    /// The same for any source.
    pub(crate) fn act_as(&self, source: u32, act: Act) {
        assert!(self.inside.borrow().is_empty());
        self.writer(source, act);
        self.check_at_rest();
    }

    /// Runs one outermost writer with nothing else going on.
    pub(crate) fn act_alone(&self, source: u32, act: Act) {
        let interrupts = self.interrupts.replace(self.plan.interrupts_max);
        self.quiet.set(true);
        self.act_as(source, act);
        self.quiet.set(false);
        self.interrupts.set(interrupts);
    }

    /// Writes the consumer page.
    pub(crate) fn consume(&self, position: u64) {
        self.consumer.set(position);
        self.asleep.set(false);
    }

    /// A reader consumes up to `position` and then sleeps, if poll() lets it. Returns whether it
    /// does. Until it is woken, too much unread is an error (I6).
    pub(crate) fn poll(&self, position: u64) -> bool {
        self.consume(position);
        let readable = self.layout().readable(self.published.get(), position);
        self.asleep.set(!readable);
        !readable
    }

    pub(crate) fn published(&self) -> u64 {
        self.published.get()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost.get()
    }

    /// How many records were dropped so, until now.
    pub(crate) fn dropped(&self, why: Why) -> u64 {
        let dropped = self.dropped.borrow();
        dropped.iter().filter(|other| **other == why).count() as u64
    }

    /// Bytes that a source may have of the reserve in one epoch.
    pub(crate) fn share(&self) -> u64 {
        self.shares.share()
    }

    pub(crate) fn bad_consumer(&self) -> bool {
        self.bad_consumer.get()
    }

    pub(crate) fn filled(&self) -> bool {
        self.filled.get()
    }

    /// How many accesses the ring has made; reading the clock counts as one.
    pub(crate) fn accesses(&self) -> u64 {
        self.accesses.get()
    }

    /// How often pollers had to be woken.
    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.get()
    }

    pub(crate) fn layout(&self) -> Layout {
        *self.ring().layout()
    }

    /// All records published so far.
    pub(crate) fn stream(&self) -> Vec<Seen> {
        self.stream.borrow().clone()
    }

    /// What a reader that comes after the stop finds, from `oldest` on.
    pub(crate) fn kept(&self) -> Vec<Seen> {
        self.parse(self.oldest.get(), self.published.get())
    }

    fn ring(&self) -> Rc<Ring<Stepper>> {
        self.ring.borrow().clone().expect("the ring is there")
    }

    fn word(&self, word: Word) -> u64 {
        self.words[word.index()].get()
    }

    fn writer(&self, source: u32, act: Act) {
        let ring = self.ring();
        self.inside.borrow_mut().push(Writer {
            source,
            ..Writer::default()
        });
        bump(&self.fired, 1);
        match act {
            Act::Lose => {
                bump(&self.losses_begun, 1);
                ring.lose();
                bump(&self.losses_done, 1);
            }
            Act::Record(len) => {
                if let Some((mark, record)) = self.reserve(&ring, len, RECORD) {
                    for index in 2..len / 8 {
                        record.put(index, mark);
                    }
                    for outside in [0, 1, len / 8, u32::MAX] {
                        record.put(outside, u64::MAX);
                    }
                    let wake = if self.plan.at_once {
                        !record.commit_at_once(RECORD, 0) && ring.leave()
                    } else {
                        record.commit(RECORD, 0)
                    };
                    self.count_wake(wake);
                }
            }
            Act::Discard(len) => {
                if let Some((_, record)) = self.reserve(&ring, len, RECORD_DISCARD) {
                    self.count_wake(record.discard(0));
                }
            }
        }
        self.inside.borrow_mut().pop();
    }

    fn reserve<'a>(
        &self,
        ring: &'a Ring<Stepper>,
        len: u32,
        kind: u32,
    ) -> Option<(u64, Reservation<'a, Stepper>)> {
        let losses_before = self.losses_done.get();
        let was_filled = self.filled.get();
        let losses_held = self.inside.borrow().iter().any(|w| w.holds_losses);
        let source = self.with_writer(|writer| {
            writer.wants = Some(len);
            writer.source
        });
        let clock = Cell::new(0);
        // The loss of a record that is going to be dropped begins somewhere inside.
        bump(&self.losses_begun, 1);
        let tell_time = || {
            self.step();
            // Each context's clock is behind by another amount.
            let behind = [3, 0, 6, 1][self.inside.borrow().len() - 1];
            self.now.set(self.now.get() + 1);
            clock.set(self.now.get() - behind);
            self.clock_max.set(self.clock_max.get().max(clock.get()));
            clock.get()
        };
        let at_once = self
            .plan
            .at_once
            .then(|| ring.reserve_at_once(len, tell_time));
        let result = match at_once {
            Some(Some(record)) => Ok(record),
            tried => {
                if tried.is_some() {
                    self.count_wake(ring.leave());
                }
                ring.reserve(len, tell_time, || source)
            }
        };
        let record = match result {
            Ok(record) => record,
            Err(Dropped { why, wake }) => {
                bump(&self.losses_done, 1);
                self.count_wake(wake);
                self.dropped.borrow_mut().push(why);
                match self.plan.policy {
                    Policy::Switch => self.check_verdict(Some(why)),
                    Policy::Ring => assert_eq!(why, Why::Nested),
                    Policy::Fill => match why {
                        Why::Filled => assert!(!self.filled.replace(true), "filled twice"),
                        other => assert_eq!(other, Why::Full),
                    },
                }
                return None;
            }
        };
        self.losses_begun.set(self.losses_begun.get() - 1);
        assert!(!was_filled, "a filled ring took a record");
        bump(&self.written, 1);

        let (position, time) = (record.position(), record.time());
        self.check_verdict(None);
        self.check_share(position + u64::from(len), len);
        assert!(time >= clock.get(), "I4: a time before the event");
        assert!(time <= self.clock_max.get(), "I4: a time that never was");
        assert!(position >= self.word(Word::PUBLISHED), "I2: published room");
        assert!(position + u64::from(len) <= self.word(Word::HEAD), "I2");
        let mut made = self.made.borrow_mut();
        for other in made.iter() {
            assert!(
                position + u64::from(len) <= other.position
                    || other.position + u64::from(other.len) <= position,
                "I2: {position} overlaps {other:?}"
            );
        }
        let mark = 0xdeca_f000_0000_0000 + self.written.get();
        made.push(Made {
            position,
            len,
            kind,
            time,
            mark,
            losses_before,
            losses_held,
        });
        Some((mark, record))
    }

    fn with_writer<T>(&self, change: impl FnOnce(&mut Writer) -> T) -> T {
        let mut inside = self.inside.borrow_mut();
        change(inside.last_mut().expect("a writer is inside"))
    }

    fn count_wake(&self, wake: bool) {
        bump(&self.wakes, wake.into());
        if wake {
            self.asleep.set(false);
        }
    }

    /// What comes before each access: a check, and any number of interrupts.
    fn step(&self) {
        bump(&self.accesses, 1);
        self.check();
        self.look();
        while self.interrupts.get() < self.plan.interrupts_max
            && self.inside.borrow().len() < self.plan.depth_max
            && !self.inside.borrow().is_empty()
        {
            let kinds = self.plan.interrupts.len();
            let choice = self.choices.borrow_mut().pick(1 + kinds, true);
            let Some(kind) = choice.checked_sub(1) else {
                return;
            };
            self.interrupts.set(self.interrupts.get() + 1);
            let depth = self.inside.borrow().len() as u32;
            let source = self.with_writer(|writer| writer.source);
            let nested = if self.plan.one_source {
                source
            } else {
                INTERRUPT | depth
            };
            self.writer(nested, self.plan.interrupts[kind]);
            self.with_writer(|writer| writer.interrupted |= writer.wants.is_some());
            self.check();
            self.look();
        }
    }
}
