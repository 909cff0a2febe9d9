// SPDX-License-Identifier: GPL-2.0

//! Taking room in a ring, and counting what found none.
//!
//! The short way is for a record that fits below `limit`: time, two compare-and-exchanges, done.
//! Everything that happens now and then is folded into `limit`, and goes the long way:
//!
//! ```text
//!             what limits                          what the long way does
//!   keep      accepted consumer + size             reads the consumer page
//!   switch    the same, less the reserve           looks whether the source has had its share
//!   ring      end of this block, oldest + size     evicts old blocks, notes the new one's start
//!   all       end of the data area                 pads
//!   all       0 after a loss                       puts a LOST record in front
//! ```
//!
//! The compare-and-exchange of `head` fails if any other writer reserved since `head` was read.
//! What must hold for the reservation is established between the two, by words that only ever grow
//! and are themselves moved by compare-and-exchange (time, accepted consumer, oldest), so an
//! interrupted writer never takes back what an interrupting one did. Each retry means that another
//! writer has reserved.

#![forbid(unsafe_code)]

use super::layout::{
    first_word,
    Layout,
    Policy,
    HEAD_LEN,
    LOST_LEN,
    RECORD_LOST,
    RECORD_PAD,
    SHARED_MIN, //
};
use super::memory::{
    Memory,
    Word, //
};
use super::{
    share::{
        Asked,
        Share, //
    },
    Dropped,
    Reservation,
    Ring,
    Why, //
};

/// `LIMIT` while a writer is on the long way: like 0, below the end of any record.
const ON_THE_LONG_WAY: u64 = 1;

/// A stretch that `head` was moved over, without what the ring itself put in front.
struct Taken {
    position: u64,
    time: u64,
}

/// What the long way found for a move of `head`.
enum Room {
    /// There is room; this may be the limit afterwards.
    Limit(u64),
    /// There is, of the source's share of the reserve, which was taken; the limit as above.
    Share(u64, Share),
    /// There is none.
    None(Why),
    /// Another writer came between; look again.
    Again,
}

impl<M: Memory> Ring<M> {
    /// Reserves room for a record of `len` bytes, head included: a multiple of 8 between the
    /// head's length and [`Layout::record_max`] (any other is dropped as never fitting). `clock` gives ns;
    /// it may be called several times. `source` names what fires, for [`share`](super::share), in 24
    /// bits; it is called on the long way only.
    ///
    /// A dropped record is counted in band and in the status page; the caller counts it in the
    /// ledger.
    #[inline(always)]
    pub(crate) fn reserve(
        &self,
        len: u32,
        clock: impl Fn() -> u64,
        source: impl Fn() -> u32,
    ) -> Result<Reservation<'_, M>, Dropped> {
        let m = &self.memory;
        m.increment(Word::NEST);
        // Of a length that is known when this is compiled, most of that is known as well.
        let is_long = u64::from(len) > SHARED_MIN / 8 && len > self.layout.record_max();
        if len < HEAD_LEN || is_long || len % 8 != 0 {
            return Err(self.drop_record(Why::Full));
        }
        let taken = loop {
            let old = m.load(Word::HEAD);
            let new = old.wrapping_add(u64::from(len));
            if new > m.load(Word::LIMIT) {
                break self.reserve_long(len, &clock, source())?;
            }
            if let Some(time) = self.claim(old, new, &clock) {
                break Taken {
                    position: old,
                    time,
                };
            }
        };
        // INVARIANT: Contiguous, as `limit` ends at the area's end at the latest, and the long way
        // pads.
        Ok(Reservation {
            ring: self,
            place: m.place(self.layout.offset(taken.position)),
            position: taken.position,
            time: taken.time,
            len,
        })
    }

    /// [`reserve`](Self::reserve)s if that needs no long way. Else nothing is done, but the caller must
    /// [`leave`](Self::leave), and may then ask there. `len` is at most an eighth of the smallest ring.
    #[inline(always)]
    pub(crate) fn reserve_at_once(
        &self,
        len: u32,
        clock: impl Fn() -> u64,
    ) -> Option<Reservation<'_, M>> {
        let m = &self.memory;
        m.increment(Word::NEST);
        loop {
            let position = m.load(Word::HEAD);
            let new = position.wrapping_add(u64::from(len));
            if new > m.load(Word::LIMIT) {
                return None;
            }
            let last = m.load(Word::LAST_TIME);
            let time = clock().max(last);
            if !m.compare_exchange(Word::LAST_TIME, last, time) {
                continue;
            }
            if !m.compare_exchange(Word::HEAD, position, new) {
                continue;
            }
            // INVARIANT: Contiguous, as `limit` ends at the area's end at the latest.
            return Some(Reservation {
                ring: self,
                place: m.place(self.layout.offset(position)),
                position,
                time,
                len,
            });
        }
    }

    /// Counts a firing that the caller had to drop, so that the next record tells it in band. Any
    /// context, also while this CPU is inside any function of this ring.
    #[inline(always)]
    pub(crate) fn lose(&self) {
        let m = &self.memory;
        m.add_lost(1);
        m.add(Word::PENDING, 1);
        m.store(Word::LIMIT, 0);
    }

    /// Moves `head` and the time of the newest record, or fails if another writer did meanwhile.
    ///
    /// The time goes first: when `head` moves, it is not below that of any record before, and
    /// writers that come between the two steps are not below it.
    #[inline(always)]
    fn claim(&self, old: u64, new: u64, clock: &impl Fn() -> u64) -> Option<u64> {
        let m = &self.memory;
        let last = m.load(Word::LAST_TIME);
        let time = clock().max(last);
        if m.compare_exchange(Word::LAST_TIME, last, time)
            && m.compare_exchange(Word::HEAD, old, new)
        {
            Some(time)
        } else {
            None
        }
    }

    /// Reserves when there may be more to do than to move `head`.
    ///
    /// A loss after the look at `PENDING` leaves 0 in `LIMIT`, and a writer that interrupts this
    /// one leaves a limit that is right for a later `head`; so only `ON_THE_LONG_WAY` is replaced.
    #[cold]
    #[inline(never)]
    fn reserve_long(
        &self,
        len: u32,
        clock: &impl Fn() -> u64,
        source: u32,
    ) -> Result<Taken, Dropped> {
        let m = &self.memory;
        loop {
            m.store(Word::LIMIT, ON_THE_LONG_WAY);
            let old = m.load(Word::HEAD);
            let lost = m.load(Word::PENDING);
            let lost_len = if lost != 0 { LOST_LEN } else { 0 };
            let need = u64::from(len).wrapping_add(u64::from(lost_len));
            let room = self.layout.size.wrapping_sub(self.layout.offset(old));
            let pad = if room < need { room } else { 0 };
            let start = old.wrapping_add(pad);
            let new = start.wrapping_add(need);

            let found = match self.layout.policy {
                Policy::Switch => self.room_shared(new, need, source),
                Policy::Fill if m.load(Word::FILLED) != 0 => Room::None(Why::Full),
                Policy::Fill => self.room_kept(new),
                Policy::Ring => self.room_overwritten(new),
            };
            let (limit, share) = match found {
                Room::Limit(limit) => (limit, None),
                Room::Share(limit, share) => (limit, Some(share)),
                Room::None(why) => return Err(self.drop_record(why)),
                Room::Again => continue,
            };

            let told = lost == 0 || m.compare_exchange(Word::PENDING, lost, 0);
            let claimed = if told {
                self.claim(old, new, clock)
            } else {
                None
            };
            let Some(time) = claimed else {
                if told && lost != 0 {
                    m.add(Word::PENDING, lost);
                }
                if let Some(share) = &share {
                    self.give_back(share);
                }
                continue;
            };

            if pad != 0 {
                // `pad` is less than `need`, so it fits.
                let place = m.place(self.layout.offset(old));
                m.write(place, 0, first_word(old, pad as u32, RECORD_PAD, 0));
            }
            if lost != 0 {
                let place = m.place(self.layout.offset(start));
                m.write(place, 0, first_word(start, LOST_LEN, RECORD_LOST, 0));
                m.write(place, 1, time);
                m.write(place, 2, lost);
            }
            if self.layout.policy == Policy::Ring {
                self.note_blocks(old, new);
            }
            let _ = m.compare_exchange(Word::LIMIT, ON_THE_LONG_WAY, limit);
            return Ok(Taken {
                position: start.wrapping_add(u64::from(lost_len)),
                time,
            });
        }
    }

    /// Room up to `new` when old records are kept, and everybody is to have some.
    fn room_shared(&self, new: u64, need: u64, source: u32) -> Room {
        let limit = match self.room_kept(new) {
            Room::Limit(limit) => limit,
            other => return other,
        };
        let free = self.layout.size.wrapping_sub(self.layout.reserve());
        // Read again: `room_kept` may have accepted more.
        let mut consumer = self.memory.load(Word::CONS_SEEN);
        if new.wrapping_sub(consumer) > free {
            consumer = self.accept_consumer(consumer);
        }
        let limit = limit.min(consumer.wrapping_add(free));
        if new.wrapping_sub(consumer) <= free {
            return Room::Limit(limit);
        }
        match self.take_share(source, need, consumer) {
            Asked::Taken(share) => Room::Share(limit, share),
            Asked::Refused => Room::None(Why::Flood),
            Asked::Again => Room::Again,
        }
    }

    /// Room up to `new` when old records are kept.
    fn room_kept(&self, new: u64) -> Room {
        let size = self.layout.size;
        let mut consumer = self.memory.load(Word::CONS_SEEN);
        if new.wrapping_sub(consumer) > size {
            consumer = self.accept_consumer(consumer);
            if new.wrapping_sub(consumer) > size {
                return Room::None(Why::Full);
            }
        }
        let area_end = Layout::end_of_part(new, size);
        Room::Limit(consumer.wrapping_add(size).min(area_end))
    }

    /// Reads the consumer page and returns the position up to which it has made room, which is
    /// `seen` or more. `seen` is `CONS_SEEN`, read before: it can have grown since.
    ///
    /// An honest consumer is never found bad: it read `published` from the page, which is stored
    /// after the kernel's copy, and nobody publishes while a writer is between its reservation's
    /// begin and its commit.
    pub(super) fn accept_consumer(&self, seen: u64) -> u64 {
        let m = &self.memory;
        let consumer = m.load_consumer();
        if consumer < seen || consumer > m.load(Word::PUBLISHED) || consumer % 8 != 0 {
            m.set_bad_consumer();
            return seen;
        }
        if m.compare_exchange(Word::CONS_SEEN, seen, consumer) {
            consumer
        } else {
            // An interrupting writer has accepted a later one.
            m.load(Word::CONS_SEEN)
        }
    }

    /// Room up to `new` when old records are overwritten: evicts what lies a ring's size below.
    ///
    /// It evicts for the whole block that `new` lies in, if the records there are published,
    /// else only what it must. `published` is where a record begins, and so good as `oldest`.
    fn room_overwritten(&self, new: u64) -> Room {
        let m = &self.memory;
        let size = self.layout.size;
        let block = self.layout.block_size();
        let published = m.load(Word::PUBLISHED);
        if new.wrapping_sub(published) > size {
            return Room::None(Why::Nested);
        }
        let block_end = Layout::end_of_part(new, block);
        let oldest = m.load(Word::OLDEST);
        let mut keep = oldest;
        let wanted = block_end.saturating_sub(size);
        if oldest < wanted {
            // `wanted` is the beginning of a block, a ring's size before `block_end`.
            let first = m.load(Word::block(self.layout.block_of(wanted)));
            if first >= wanted && first <= published {
                keep = first;
            } else if oldest < new.saturating_sub(size) {
                keep = published;
            }
        }
        if keep > oldest {
            if !m.compare_exchange(Word::OLDEST, oldest, keep) {
                return Room::Again;
            }
            self.show_oldest();
        }
        Room::Limit(block_end.wrapping_sub(1).min(keep.wrapping_add(size)))
    }

    /// Copies `oldest` to the status page, so that the page has the newest in the end.
    fn show_oldest(&self) {
        let m = &self.memory;
        loop {
            let oldest = m.load(Word::OLDEST);
            m.store_oldest(oldest);
            if m.load(Word::OLDEST) == oldest {
                return;
            }
        }
    }

    /// Remembers where records begin in the blocks that `head` entered by its move from `old`.
    ///
    /// Until this is done the entries hold a position of a round before, which
    /// [`Ring::room_overwritten`] recognizes.
    fn note_blocks(&self, old: u64, new: u64) {
        let mut entered = self.layout.block_of(old).wrapping_add(1);
        while entered <= self.layout.block_of(new) {
            self.memory.store(Word::block(entered), new);
            entered = entered.wrapping_add(1);
        }
    }

    /// The end of a writer that got no room.
    #[cold]
    #[inline(never)]
    fn drop_record(&self, why: Why) -> Dropped {
        // Before the loss, which closes the short way.
        let filled = why == Why::Full
            && self.layout.policy == Policy::Fill
            && self.memory.compare_exchange(Word::FILLED, 0, 1);
        self.lose();
        Dropped {
            why: if filled { Why::Filled } else { why },
            wake: self.leave(),
        }
    }
}
