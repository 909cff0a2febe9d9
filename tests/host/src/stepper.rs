// SPDX-License-Identifier: GPL-2.0

//! A ring's memory that interrupts the ring before any of its accesses, lets the consumer page
//! hold anything, and checks after each access what must always hold.
//!
//! The names I1 to I8 are those of the ring's invariants in the order of `rust_tracer/ring/mod.rs`:
//! I1 bounds, I2 no overlap, I3 whole records, I4 times and positions, I5 conservation of losses,
//! I6 wake-ups, I7 padding, I8 hostile consumers. Shares of a nearly full ring are in
//! [`crate::shares`].

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

use crate::choices::Choices;
use crate::ring::{
    unread, Dropped, Layout, Memory, Policy, Reservation, Ring, Why, Word, LOST_LEN,
    RECORD_DISCARD, RECORD_LOST, RECORD_PAD,
};
use crate::shares::{Shares, State};

const RECORD: u32 = 4;
/// What an interrupt's records are taken for; see `fire.rs`.
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

    /// What the ring must answer as things are now to the innermost writer.
    fn look(&self) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        let mut inside = self.inside.borrow_mut();
        let counts_loss = inside.iter().any(|writer| writer.counts_loss);
        let undecided = inside.last_mut().filter(|writer| !writer.decided);
        let Some((writer, len)) = undecided.and_then(|w| w.wants.map(|len| (w, len))) else {
            return;
        };
        let state = State {
            head: self.word(Word::HEAD),
            consumer: self.word(Word::CONS_SEEN),
            pending: self.word(Word::PENDING),
        };
        let verdict = |state| {
            let word = |word| self.word(word);
            self.shares.verdict(state, len, writer.source, word)
        };
        let mut right = vec![verdict(state)];
        // A loss that is being counted below, or was since it looked, may be told later.
        for pending in writer
            .saw_pending
            .into_iter()
            .chain(counts_loss.then_some(0))
        {
            right.push(verdict(State { pending, ..state }));
        }
        writer.was_right.extend_from_slice(&right);
        writer.right = right;
    }

    /// The answer was right: when it was given, or, if others came between, at some time since it
    /// was asked for.
    fn check_verdict(&self, answer: Option<Why>) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        self.with_writer(|writer| {
            let right = if writer.interrupted {
                &writer.was_right
            } else {
                &writer.right
            };
            assert!(right.contains(&answer), "{answer:?}: {writer:?}");
            assert!(answer.is_none() || writer.share == 0, "dropped, and paid");
        });
    }

    /// A record that ends at `end` was paid for with its source's share if it had to be.
    fn check_share(&self, end: u64, len: u32) {
        if self.plan.policy != Policy::Switch {
            return;
        }
        let paid = self.with_writer(|writer| {
            let need = i64::from(len + if writer.told { LOST_LEN } else { 0 });
            if writer.interrupted {
                // The consumer may have moved on after it paid.
                assert!([0, need].contains(&writer.share), "{writer:?}");
                assert!(writer.share > 0 || !writer.reserved, "{writer:?}");
            } else {
                let due = if writer.reserved { need } else { 0 };
                assert_eq!(writer.share, due, "{writer:?}");
            }
            (writer.share > 0).then_some((writer.share as u64, writer.source))
        });
        if let Some((bytes, source)) = paid {
            self.shares.keep(end, bytes, source);
        }
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

    /// I1, at every instant.
    fn check(&self) {
        let size = self.plan.size;
        let head = self.word(Word::HEAD);
        let published = self.word(Word::PUBLISHED);
        assert!(self.published.get() <= published, "I1: published went back");
        assert!(published <= head, "I1: published beyond head");
        match self.plan.policy {
            Policy::Switch | Policy::Fill => {
                let consumer = self.word(Word::CONS_SEEN);
                assert!(consumer <= published, "I1: consumer beyond published");
                assert!(head - consumer <= size, "I1: unread bytes overwritten");
            }
            Policy::Ring => {
                let oldest = self.word(Word::OLDEST);
                assert!(oldest <= published, "I1: oldest beyond published");
                assert!(self.oldest.get() <= oldest, "I1: oldest shown too new");
                assert!(head - published <= size, "I1: unpublished overwritten");
                assert!(head - oldest <= size, "I1: oldest overwritten");
            }
        }
    }

    fn check_at_rest(&self) {
        self.check();
        let published = self.published.get();
        assert_eq!(self.word(Word::NEST), 0);
        assert_eq!(published, self.word(Word::HEAD), "all is published");
        assert_eq!(published, self.word(Word::PUBLISHED));
        assert!(self.made.borrow().is_empty(), "I3: a record is missing");
        let lost = self.lost.get();
        assert_eq!(self.fired.get(), self.written.get() + lost, "I5");
        assert_eq!(self.told.get() + self.word(Word::PENDING), lost, "I5");
        assert_eq!(self.losses_done.get(), lost, "I5");
        assert_eq!(self.losses_begun.get(), lost, "I5");
        self.shares.check(self.word(Word::CONS_SEEN));
        let unread = unread(published, self.consumer.get());
        assert!(
            !self.asleep.get() || unread < self.layout().watermark(),
            "I6: a poller sleeps with {unread} bytes unread"
        );
        if self.plan.consumer == Consumer::Honest {
            assert!(!self.bad_consumer.get(), "an honest consumer found bad");
        }
        if self.plan.policy == Policy::Ring {
            let oldest = self.oldest.get();
            assert_eq!(oldest, self.word(Word::OLDEST), "oldest is shown");
            let kept = self.kept();
            let stream = self.stream.borrow();
            assert_eq!(kept, stream[stream.len() - kept.len()..]);
        }
    }

    /// Reads the records in `[from, to)`; each must be whole in itself (I3, I4, I7).
    fn parse(&self, from: u64, to: u64) -> Vec<Seen> {
        let size = self.plan.size;
        let mut records = Vec::new();
        let mut position = from;
        while position < to {
            let offset = position % size;
            let word = |index: u64| self.data[(offset / 8 + index) as usize].get();
            let info = word(0) as u32;
            let (len, kind) = (info & 0xff_ffff, (info >> 24) & 0xf);
            assert_eq!(word(0) >> 32, (position >> 3) & 0xffff_ffff, "I4: position");
            assert!(len >= 8 && len % 8 == 0, "I3: length {len}");
            assert!(offset + u64::from(len) <= size, "I3: not contiguous");
            assert!(position + u64::from(len) <= to, "I3: cut off");
            match kind {
                RECORD_PAD => assert_eq!(offset + u64::from(len), size, "I7"),
                _ => records.push(Seen {
                    position,
                    len,
                    kind,
                    time: word(1),
                    value: match (kind, len) {
                        (RECORD_LOST, _) => word(2),
                        (RECORD_DISCARD, _) | (_, 16) => 0,
                        _ => (3..u64::from(len / 8)).fold(word(2), |mark, index| {
                            if mark == word(index) {
                                mark
                            } else {
                                0
                            }
                        }),
                    },
                }),
            }
            position += u64::from(len);
        }
        records
    }

    /// What the reader could see from now on: it must be what the writers wrote.
    fn check_published(&self, from: u64, to: u64) {
        assert!(from <= to, "I1: published went back");
        let mut stream = self.stream.borrow_mut();
        let mut made = self.made.borrow_mut();
        for seen in self.parse(from, to) {
            let before = stream.last().map_or(0, |last| last.time);
            assert!(before <= seen.time, "I4: time went back");
            if seen.kind == RECORD_LOST {
                assert_eq!(seen.len, LOST_LEN);
                assert_ne!(seen.value, 0, "a LOST record of nothing");
                assert_ne!(stream.last().map(|last| last.kind), Some(RECORD_LOST));
                bump(&self.told, seen.value);
                assert!(self.told.get() <= self.losses_begun.get(), "I5");
            } else {
                let index = made
                    .iter()
                    .position(|made| made.position == seen.position)
                    .unwrap_or_else(|| panic!("I3: nobody wrote {seen:?}"));
                let made = made.swap_remove(index);
                let value = match (made.kind, made.len) {
                    (RECORD_DISCARD, _) | (_, 16) => 0,
                    _ => made.mark,
                };
                assert_eq!(
                    (seen.len, seen.kind, seen.time, seen.value),
                    (made.len, made.kind, made.time, value),
                    "I3: torn"
                );
                assert!(
                    self.told.get() >= made.losses_before || made.losses_held,
                    "a record before the losses that came before it"
                );
            }
            stream.push(seen);
        }
        if to > from {
            let last = stream.last().map(|last| last.kind);
            assert_ne!(
                last,
                Some(RECORD_LOST),
                "a LOST record with no record after it"
            );
        }
    }
}

impl Memory for Stepper {
    type Place = u64;

    fn load(&self, word: Word) -> u64 {
        self.step();
        if word == Word::PENDING {
            let pending = self.word(word);
            self.with_writer(|writer| writer.saw_pending = Some(pending));
        }
        self.word(word)
    }

    fn store(&self, word: Word, value: u64) {
        self.step();
        if word == Word::PUBLISHED {
            // From here on these may be overwritten under Policy::Ring, so look now.
            self.check_published(self.word(Word::PUBLISHED), value);
        }
        if word == Word::LIMIT && !self.inside.borrow().is_empty() {
            // It begins, or begins again.
            self.with_writer(|writer| {
                writer.holds_losses = false;
                writer.decided = false;
                writer.counts_loss = false;
            });
        }
        self.words[word.index()].set(value);
    }

    fn add(&self, word: Word, value: u64) {
        self.step();
        let cell = &self.words[word.index()];
        cell.set(cell.get().wrapping_add(value));
        if word == Word::PENDING {
            self.with_writer(|writer| writer.counts_loss = true);
        }
    }

    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool {
        self.step();
        let cell = &self.words[word.index()];
        let same = cell.get() == old;
        if same {
            cell.set(new);
            match word {
                Word::PENDING => self.with_writer(|writer| {
                    writer.holds_losses = true;
                    writer.decided = true;
                }),
                Word::HEAD => {
                    let reserved = self.shares.is_reserved(new, self.word(Word::CONS_SEEN));
                    self.with_writer(|writer| {
                        writer.wants = None;
                        writer.reserved = reserved;
                        writer.told = std::mem::take(&mut writer.holds_losses);
                    });
                }
                account if account.index() >= Word::account(0).index() => {
                    let source = self.with_writer(|writer| writer.source);
                    let consumer = self.word(Word::CONS_SEEN);
                    let by = self.shares.account_changed(old, new, source, consumer);
                    self.with_writer(|writer| {
                        writer.share += by;
                        writer.decided = true;
                    });
                }
                _ => {}
            }
        }
        same
    }

    fn place(&self, offset: u64) -> u64 {
        assert!(offset % 8 == 0 && offset < self.plan.size);
        offset
    }

    fn write(&self, place: u64, index: u32, value: u64) {
        self.step();
        let size = self.plan.size;
        let offset = place + 8 * u64::from(index);
        assert!(offset < size, "I8: a write beyond the data area");
        // The one position at this place that may be written: not published, but reserved.
        let published = self.word(Word::PUBLISHED);
        let position = published + offset.wrapping_sub(published) % size;
        assert!(position < self.word(Word::HEAD), "I2: a write outside");
        self.data[(offset / 8) as usize].set(value);
    }

    fn load_consumer(&self) -> u64 {
        self.step();
        let seen = self.word(Word::CONS_SEEN);
        let published = self.word(Word::PUBLISHED);
        match self.plan.consumer {
            _ if self.quiet.get() => {}
            Consumer::Fixed => {}
            Consumer::Honest => {
                // It stays, or has read everything, or all but the last record.
                let shown = self.published.get();
                let stream = self.stream.borrow();
                let last = stream.last().map_or(0, |last| last.position);
                let at = self.consumer.get();
                let to = [at, shown, last.max(at).min(shown)];
                self.consumer.set(to[self.pick(to.len())]);
            }
            Consumer::Hostile => {
                let head = self.word(Word::HEAD);
                let values = [
                    published,
                    seen,
                    head + 8,
                    u64::MAX - 7,
                    seen.wrapping_sub(8),
                    published.wrapping_sub(4),
                    seen + 8,
                    head.wrapping_sub(self.plan.size),
                ];
                self.consumer.set(values[self.pick(values.len())]);
            }
        }
        self.consumer.get()
    }

    fn store_published(&self, position: u64) {
        self.step();
        assert!(self.published.get() <= position, "I1: published went back");
        assert_eq!(
            self.word(Word::PUBLISHED),
            position,
            "I1: shown before known"
        );
        self.published.set(position);
    }

    fn store_oldest(&self, position: u64) {
        self.step();
        self.oldest.set(position);
    }

    fn add_lost(&self, count: u64) {
        // What has come here wants nothing any more.
        self.with_writer(|writer| writer.wants = None);
        self.step();
        bump(&self.lost, count);
    }

    fn set_bad_consumer(&self) {
        self.step();
        self.bad_consumer.set(true);
    }

    fn full_barrier(&self) {
        self.step();
    }
}
