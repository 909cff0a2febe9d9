// SPDX-License-Identifier: GPL-2.0

//! What a ring is made of, as the algorithm sees it.
//!
//! Every access that the ring makes goes through [`Memory`]. The module implements it with plain
//! per-CPU words and mapped pages, the host tests with a stepper that interrupts before each access
//! and with loom's atomics.
//!
//! ```text
//!   private words (never mapped)       status page (user: read)      data (user: read)
//!   head published oldest limit …      published oldest lost …       records
//!                                      consumer page (user: write)
//!                                      one u64, anything at any time
//! ```

#![forbid(unsafe_code)]

/// Blocks that an overwriting ring is divided into; it evicts a block at a time.
pub(crate) const BLOCKS: u64 = 16;
/// Accounts of what sources took of a nearly full ring (`share.rs`).
pub(crate) const ACCOUNTS: u64 = 64;

/// The name of one private word of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u8);

impl Word {
    /// Reserved up to here.
    pub(crate) const HEAD: Word = Word(0);
    /// Up to here a record may be reserved without looking at anything else. Going beyond is not
    /// wrong, it only needs the long way; so a smaller value than possible is always allowed. 0 is
    /// how a loss asks for the long way, 1 stands while a writer is on it.
    pub(crate) const LIMIT: Word = Word(1);
    /// No record is older than this, in ns.
    pub(crate) const LAST_TIME: Word = Word(2);
    /// How many writers are inside each other now.
    pub(crate) const NEST: Word = Word(3);
    /// The kernel's own copy of the status page's `published`.
    pub(crate) const PUBLISHED: Word = Word(4);
    /// When `published` gets here, look whether a poller must be woken.
    pub(crate) const WAKE_AT: Word = Word(5);
    /// The last consumer position that was accepted.
    pub(crate) const CONS_SEEN: Word = Word(6);
    /// Losses that no LOST record tells yet.
    pub(crate) const PENDING: Word = Word(7);
    /// Overwriting: the first record that is whole.
    pub(crate) const OLDEST: Word = Word(8);
    /// Policy fill: 1 once a record found no room.
    pub(crate) const FILLED: Word = Word(9);

    /// The accepted consumer position for which pollers were woken last.
    pub(crate) const WOKEN_FOR: Word = Word(10);

    const FIRST_BLOCK: u8 = 11;

    const FIRST_ACCOUNT: u8 = Word::FIRST_BLOCK + BLOCKS as u8;

    /// How many words there are; [`Word::index`] is below it.
    pub(crate) const COUNT: usize = Word::FIRST_ACCOUNT as usize + ACCOUNTS as usize;

    /// Overwriting: where records begin in block `number` (taken modulo [`BLOCKS`]).
    #[inline(always)]
    pub(crate) fn block(number: u64) -> Word {
        Word(Word::FIRST_BLOCK.wrapping_add((number % BLOCKS) as u8))
    }

    /// Account `number` (taken modulo [`ACCOUNTS`]).
    #[inline(always)]
    pub(crate) fn account(number: u64) -> Word {
        Word(Word::FIRST_ACCOUNT.wrapping_add((number % ACCOUNTS) as u8))
    }

    /// The word's place in an array of [`Word::COUNT`].
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The memory of one ring, and the only way in which the ring touches it.
///
/// Called on the ring's own CPU with preemption off, in any context up to NMI. An interrupt may
/// come between any two accesses, and its writer then makes its own accesses and is gone; it must
/// see all accesses of the interrupted one that came before, and none that come after. So the
/// compiler must keep the order of the calls: volatile accesses do, and so do relaxed atomic ones
/// as LLVM compiles them. The processor need not, nobody else touches the private words. What other
/// CPUs see is ordered only where a function says so.
pub(crate) trait Memory {
    /// A place in the data area: what is worked out once for a record (a pointer).
    type Place: Copy;

    /// Reads a private word.
    fn load(&self, word: Word) -> u64;

    /// Writes a private word.
    fn store(&self, word: Word, value: u64);

    /// Adds to a private word, wrapping, in one step as seen from this CPU's interrupts.
    fn add(&self, word: Word, value: u64);

    /// Adds 1 to a private word, as [`add`](Memory::add).
    #[inline(always)]
    fn increment(&self, word: Word) {
        self.add(word, 1);
    }

    /// Replaces `old` by `new` in one step as seen from this CPU's interrupts; false if the word
    /// was not `old`.
    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool;

    /// The place `offset` bytes into the data area. `offset` is a multiple of 8 and less than the
    /// size.
    fn place(&self, offset: u64) -> Self::Place;

    /// Writes the 8-byte word that lies `index` words after a place. The ring keeps it inside the
    /// data area, whatever any user page holds.
    fn write(&self, place: Self::Place, index: u32, value: u64);

    /// Reads the consumer page's word, once, with acquire order: the consumer is done with what
    /// lies below before the ring writes there again.
    fn load_consumer(&self) -> u64;

    /// Writes the status page's `published` with release order: a reader that sees it sees the
    /// records below.
    fn store_published(&self, position: u64);

    /// Writes the status page's `oldest`, and orders this before all later [`Memory::write`] for
    /// other CPUs (a write barrier).
    fn store_oldest(&self, position: u64);

    /// Adds to the status page's `lost`, in one step as seen from this CPU's interrupts. Users
    /// cannot write that page, so the count may live in it.
    fn add_lost(&self, count: u64);

    /// Sets the status page's `bad_consumer`, for good.
    fn set_bad_consumer(&self);

    /// A full barrier (`smp_mb`).
    fn full_barrier(&self);
}
