// SPDX-License-Identifier: GPL-2.0

//! Shares: how a ring that cannot take everything still takes something of everybody.
//!
//! A source (a task, or the interrupts) that fires at full speed fills any ring. Under policy
//! switch the last eighth of a ring is therefore a reserve in which each source may take no more
//! than a share, a sixteenth of it, while the consumer moves on by the reserve's size:
//!
//! ```text
//!   accepted consumer                      + size - reserve        + size
//!        |  first come, first served             | by shares          |
//!        |=======================================|--------------------|
//! ```
//!
//! What a source took lies in an account, one word: a small table is searched for it. An account
//! is of an *epoch*, the number of reserves that the consumer has passed; one of another epoch is
//! as good as empty, so nobody has to clear any. In a reserve there can be records of two epochs,
//! hence a source has at most two shares of it, an eighth: the records of another one find room
//! unless eight sources flood at once, or more than the table can tell apart.
//!
//! Accounts are changed by compare-and-exchange, so writers that interrupt each other lose none of
//! what was taken. A writer takes its share before it moves `head`, and gives it back if another
//! one came between; so an account never holds more than a share, and at rest it holds exactly what
//! its source's records take up, with the LOST records before them (padding is nobody's).

#![forbid(unsafe_code)]

use super::memory::{
    Memory,
    Word,
    ACCOUNTS, //
};
use super::Ring;

/// How many accounts are looked at for one source.
const PROBES: u64 = 8;

const TAKEN_BITS: u32 = 21; // a share of RTRACE_RING_MAX is 2^20 words
const SOURCE_BITS: u32 = 24; // thread ids have 22
const EPOCH_BITS: u32 = u64::BITS - SOURCE_BITS - TAKEN_BITS;

/// An account: epoch, source, and words of 8 bytes taken.
#[derive(Clone, Copy)]
struct Account(u64);

impl Account {
    /// The most that one can hold, in bytes.
    const MOST: u64 = 8 * ((1 << TAKEN_BITS) - 1);

    fn empty(epoch: u64, source: u32) -> Self {
        let source = u64::from(source) & ((1 << SOURCE_BITS) - 1);
        Self((epoch << (SOURCE_BITS + TAKEN_BITS)) | (source << TAKEN_BITS))
    }

    /// In bytes.
    fn taken(self) -> u64 {
        (self.0 & ((1 << TAKEN_BITS) - 1)).wrapping_mul(8)
    }

    fn is_of(self, other: Self) -> bool {
        self.0 >> TAKEN_BITS == other.0 >> TAKEN_BITS
    }

    fn is_of_epoch(self, other: Self) -> bool {
        self.0 >> (SOURCE_BITS + TAKEN_BITS) == other.0 >> (SOURCE_BITS + TAKEN_BITS)
    }
}

/// The epoch, the source and the bytes taken that an account's word tells.
#[cfg(test)]
pub(crate) fn parts(word: u64) -> (u64, u32, u64) {
    let source = (word >> TAKEN_BITS) & ((1 << SOURCE_BITS) - 1);
    let epoch = word >> (SOURCE_BITS + TAKEN_BITS);
    (epoch, source as u32, Account(word).taken())
}

/// What was taken of a source's share: to be kept, or given back.
pub(super) struct Share {
    word: Word,
    of: Account,
    bytes: u64,
}

/// What became of asking for some of a share.
pub(super) enum Asked {
    Taken(Share),
    /// The source has had its share, or there are more sources than accounts.
    Refused,
    /// The consumer has moved on meanwhile; look again.
    Again,
}

/// The accounts that a source may have.
pub(crate) fn accounts_of(source: u32) -> impl Iterator<Item = Word> {
    // The top bits of a multiplicative hash.
    let first = u64::from(source.wrapping_mul(0x9e37_79b1) >> 16);
    (0..PROBES.min(ACCOUNTS)).map(move |probe| Word::account(first.wrapping_add(probe)))
}

impl<M: Memory> Ring<M> {
    /// Names the reserve that begins from an accepted consumer position; never the 0 of an account
    /// that was never used.
    pub(super) fn epoch(&self, consumer: u64) -> u64 {
        const EPOCHS: u64 = (1 << EPOCH_BITS) - 1;
        let reserve = self.layout.reserve().max(1);
        (consumer.wrapping_shr(reserve.trailing_zeros()) % EPOCHS).wrapping_add(1)
    }

    /// Takes so many bytes of a source's share in the reserve that begins from `consumer`, an
    /// accepted position.
    pub(super) fn take_share(&self, source: u32, bytes: u64, consumer: u64) -> Asked {
        let m = &self.memory;
        let empty = Account::empty(self.epoch(consumer), source);
        loop {
            let mut found = None;
            for word in accounts_of(source) {
                let held = Account(m.load(word));
                if held.is_of(empty) {
                    found = Some((word, held, held));
                    break;
                }
                if found.is_none() && !held.is_of_epoch(empty) {
                    found = Some((word, held, empty));
                }
            }
            // What was of another epoch may have been of a later one.
            if m.load(Word::CONS_SEEN) != consumer {
                return Asked::Again;
            }
            let Some((word, held, account)) = found else {
                return Asked::Refused;
            };
            let taken = account.taken().wrapping_add(bytes);
            if taken > self.layout.share().min(Account::MOST) {
                return Asked::Refused;
            }
            let new = account.0.wrapping_add(bytes / 8);
            if m.compare_exchange(word, held.0, new) {
                return Asked::Taken(Share {
                    word,
                    of: empty,
                    bytes,
                });
            }
        }
    }

    /// Gives back what was not used.
    pub(super) fn give_back(&self, share: &Share) {
        let m = &self.memory;
        loop {
            let held = Account(m.load(share.word));
            // Of another epoch it is another's, and nothing is owed to it.
            if !held.is_of(share.of)
                || m.compare_exchange(share.word, held.0, held.0.wrapping_sub(share.bytes / 8))
            {
                return;
            }
        }
    }
}
