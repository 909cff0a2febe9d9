// SPDX-License-Identifier: GPL-2.0

//! The ledger's counters: for each probe and CPU one cache line that only that CPU writes,
//! and for each return probe a second one that follows calls from entry to return.
//!
//! Blocks are added while the engine runs (modules come), so they lie in chunks that never
//! move. The laws that tie the counters together are in the ABI, `struct rtrace_ledger_row`.

use core::{
    ptr,
    sync::atomic::{
        AtomicPtr,
        AtomicU64,
        AtomicUsize,
        Ordering, //
    },
};

use kernel::prelude::*;

use crate::{
    abi,
    arch, //
};

/// A probe as its handler knows it.
#[derive(Clone, Copy)]
pub(crate) struct Probe {
    /// What records and ledger rows call it.
    pub(crate) index: u32,
    /// Its block of counters; a return probe's second one follows.
    pub(crate) block: u32,
    /// Whether its function is a system call's entry from user space.
    pub(crate) system_call: bool,
}

/// What happens to one probe's firings on one CPU. Written by that CPU only.
#[repr(usize)]
#[derive(Clone, Copy)]
pub(crate) enum Firing {
    Fired,
    Recorded,
    Filtered,
    DroppedFull,
    DroppedNested,
    DroppedRecursion,
    DroppedNoRing,
    DroppedFlood,
}

/// What the clauses of a program made of a probe's firings on one CPU, beside [`Firing`]. Written by
/// that CPU only.
#[repr(usize)]
#[derive(Clone, Copy)]
pub(crate) enum Ran {
    Processed,
    Fault,
    Aggregation,
    Speculation,
    /// Assignments to dynamic variables that found no room.
    Dynamic,
    /// Of the calls that [`Call::ReturnedHere`] counts, those that a predicate did not admit: they
    /// are filtered as well.
    FilteredHere,
}

/// What happens to the calls that entered a function on one CPU. `Returned`, `Died` and
/// `Hidden` are counted from any CPU, the others by that CPU only.
///
/// By a stub, what is followed has entered as well, and `Entered` counts the calls alone that have no
/// frame.
#[repr(usize)]
#[derive(Clone, Copy)]
pub(crate) enum Call {
    Entered,
    Passed,
    Followed,
    NoFrame,
    Returned,
    Died,
    Hidden,
    /// Returned where it entered, by the short way: its return fired, and was filtered, recorded or
    /// processed.
    ReturnedHere,
}

const WORDS: usize = 8;
/// Bytes of a block.
pub(super) const BLOCK_BYTES: u32 = size_of::<Block>() as u32;
/// So many lie behind each other, or are unused room behind the last.
pub(super) const BLOCKS_OF_PROBE: usize = 3;
const CHUNK_BLOCKS: usize = 1024;
/// A block for each probe, a second one for each that may be a return probe, and one more for the
/// clauses of a program.
const CHUNKS: usize = 3 * abi::RTRACE_PROBES_MAX as usize / CHUNK_BLOCKS;

/// A cache line of counters.
#[repr(C, align(64))]
pub(crate) struct Block([AtomicU64; WORDS]);

impl Block {
    /// Counts a firing. Any context, preemption off, on the block's own CPU.
    #[inline(always)]
    pub(crate) fn fire(&self, what: Firing) {
        arch::increment_local(&self.0[what as usize]);
    }

    /// Counts a call. Any context, preemption off, on the block's own CPU; not for what is
    /// counted from other CPUs.
    #[inline(always)]
    pub(crate) fn call(&self, what: Call) {
        arch::increment_local(&self.0[what as usize]);
    }

    /// Counts what a clause did. Any context, preemption off, on the block's own CPU.
    #[inline(always)]
    pub(crate) fn clause(&self, what: Ran) {
        arch::increment_local(&self.0[what as usize]);
    }

    /// Counts in the word that lies `OFFSET` bytes behind the block's beginning, in this block or one
    /// behind it: see [`at`]. Any context, preemption off, on the block's own CPU.
    #[inline(always)]
    pub(crate) fn count<const OFFSET: usize>(blocks: &Blocks) {
        const { assert!(OFFSET < BLOCKS_OF_PROBE * size_of::<Self>() && OFFSET % 8 == 0) };
        // SAFETY: There is such a word.
        unsafe { arch::increment_in::<OFFSET, _>(blocks) };
    }

    /// Counts what became of a call that may have entered on another CPU. Any context.
    #[inline(always)]
    pub(crate) fn call_ended(&self, what: Call) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Whether nothing was counted here, as in most blocks of many.
    #[inline(always)]
    pub(crate) fn is_untouched(&self) -> bool {
        let any = |any, word: &AtomicU64| any | word.load(Ordering::Relaxed);
        self.0.iter().fold(0, any) == 0
    }

    fn word(&self, index: usize) -> u64 {
        self.0
            .get(index)
            .map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

/// A probe's block and what lies behind it.
pub(crate) type Blocks = [Block; BLOCKS_OF_PROBE];

/// Where a word lies behind the beginning of a probe's blocks, in bytes.
pub(crate) const fn at(block: usize, word: usize) -> usize {
    block * size_of::<Block>() + word * size_of::<AtomicU64>()
}

type Chunk = [Block; CHUNK_BLOCKS];

/// A block's worth of zeroes.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Zeroes([u64; WORDS]);

/// The counters of one CPU: those of the probes that were there at the start lie behind each other,
/// so that a handler needs but an offset; those that came later, in chunks.
///
/// # Invariants
///
/// `first` is null or the beginning of `first_len` blocks with room behind them, and changes but
/// once; each chunk is null or owned.
pub(crate) struct Counters {
    first: AtomicPtr<Block>,
    first_len: AtomicUsize,
    chunks: KVec<AtomicPtr<Chunk>>,
}

impl Counters {
    pub(crate) fn new() -> Result<Self> {
        let mut chunks = KVec::with_capacity(CHUNKS, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..CHUNKS {
            chunks.push(AtomicPtr::new(ptr::null_mut()), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            first: AtomicPtr::new(ptr::null_mut()),
            first_len: AtomicUsize::new(0),
            chunks,
        })
    }

    /// Bytes that so many take on one CPU.
    pub(crate) fn memory_needed(blocks: u32) -> u64 {
        (u64::from(blocks) + BLOCKS_OF_PROBE as u64 - 1) * size_of::<Block>() as u64
            + (CHUNKS * size_of::<AtomicPtr<Chunk>>()) as u64
    }

    /// Makes sure that there are `blocks` of them. Returns the bytes that took. Task context.
    pub(crate) fn grow(&self, blocks: u32) -> Result<usize> {
        let blocks = blocks as usize;
        let first = self.first_len.load(Ordering::Relaxed);
        if first == 0 && blocks != 0 {
            let room = blocks + BLOCKS_OF_PROBE - 1;
            let zeroes = KVVec::from_elem(Zeroes([0; WORDS]), room, GFP_KERNEL_ACCOUNT)?;
            // `drop` puts the vector together again.
            let (start, ..) = zeroes.into_raw_parts();
            // INVARIANT: It owns so many and the room behind them; zeroes are a valid block. The
            // length goes last, and says that the rest is there.
            self.first.store(start.cast(), Ordering::Release);
            self.first_len.store(blocks, Ordering::Release);
            return Ok(room * size_of::<Block>());
        }
        let needed = blocks.saturating_sub(first).div_ceil(CHUNK_BLOCKS);
        let mut bytes = 0;
        for slot in self.chunks.get(..needed).ok_or(ENOSPC)? {
            if slot.load(Ordering::Relaxed).is_null() {
                let chunk = KVBox::<Chunk>::new_uninit(GFP_KERNEL_ACCOUNT | __GFP_ZERO)?;
                // SAFETY: All zeroes are a valid chunk.
                let chunk = unsafe { chunk.assume_init() };
                // INVARIANT: The slot owns the chunk from here on. Release: its zeroes are
                // seen before the pointer.
                slot.store(KVBox::into_raw(chunk), Ordering::Release);
                bytes += size_of::<Chunk>();
            }
        }
        Ok(bytes)
    }

    /// Whether a block and all before it were there at the start.
    pub(super) fn are_first(&self, last: u32) -> bool {
        (last as usize) < self.first_len.load(Ordering::Acquire)
    }

    /// The first of those that were there at the start, and how many they are.
    #[inline(always)]
    pub(super) fn first(&self) -> (*mut Block, usize) {
        let length = self.first_len.load(Ordering::Acquire);
        (self.first.load(Ordering::Relaxed), length)
    }

    /// A block. Any context.
    #[inline(always)]
    pub(crate) fn block(&self, index: u32) -> Option<&Block> {
        let index = index as usize;
        let (first, length) = self.first();
        if index < length {
            // SAFETY: By the invariant there are so many, and they live as long as `self`.
            return Some(unsafe { &*first.add(index) });
        }
        let index = index.wrapping_sub(length);
        let chunk = self
            .chunks
            .get(index / CHUNK_BLOCKS)?
            .load(Ordering::Acquire);
        // SAFETY: By the invariant the chunk lives as long as `self`.
        unsafe { chunk.as_ref() }?.get(index % CHUNK_BLOCKS)
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        let (first, length) = self.first();
        if length != 0 {
            let room = length + BLOCKS_OF_PROBE - 1;
            // SAFETY: By the invariant; it came from a vector of so many, made by `grow`.
            drop(unsafe { KVVec::<Zeroes>::from_raw_parts(first.cast(), room, room) });
        }
        for slot in &self.chunks {
            let chunk = slot.load(Ordering::Relaxed);
            if !chunk.is_null() {
                // SAFETY: By the invariant the slot owns it, and `self` is going away.
                drop(unsafe { KVBox::from_raw(chunk) });
            }
        }
    }
}

/// Adds what a probe's block counted to a row.
pub(crate) fn add_firings(row: &mut abi::rtrace_ledger_row, block: &Block) {
    row.fired += block.word(Firing::Fired as usize);
    row.recorded += block.word(Firing::Recorded as usize);
    row.filtered += block.word(Firing::Filtered as usize);
    let reasons = Firing::DroppedFull as usize..=Firing::DroppedFlood as usize;
    for (dropped, word) in row.dropped.iter_mut().zip(reasons) {
        *dropped += block.word(word);
    }
}

/// Adds what a probe's clauses counted to a row.
pub(crate) fn add_clauses(row: &mut abi::rtrace_ledger_row, block: &Block) {
    row.processed += block.word(Ran::Processed as usize);
    row.dynamic += block.word(Ran::Dynamic as usize);
    for (reason, ran) in [
        (abi::RTRACE_DROP_FAULT, Ran::Fault),
        (abi::RTRACE_DROP_AGGREGATION, Ran::Aggregation),
        (abi::RTRACE_DROP_SPECULATION, Ran::Speculation),
    ] {
        if let Some(dropped) = row.dropped.get_mut(reason as usize) {
            *dropped += block.word(ran as usize);
        }
    }
}

/// Adds what a return probe's second block counted to a row, if a stub makes the frames.
pub(crate) fn add_calls_of_stub(row: &mut abi::rtrace_ledger_row, block: &Block) {
    let word = |what: Call| block.word(what as usize);
    let here = word(Call::ReturnedHere);
    let [unframed, no_frame, dead, hidden] = &mut row.missed;
    *unframed += word(Call::Entered);
    *no_frame += word(Call::NoFrame);
    *dead += word(Call::Died);
    *hidden += word(Call::Hidden);
    row.entered += word(Call::Entered) + word(Call::Passed) + word(Call::Followed);
    row.passed += word(Call::Passed);
    row.returned += word(Call::Returned) + here;
    row.in_flight += [Call::NoFrame, Call::Returned, Call::Died, Call::Hidden]
        .into_iter()
        .fold(word(Call::Followed).saturating_sub(here), |left, ended| {
            left.saturating_sub(word(ended))
        });
}

/// Adds what the short way of a stub counted in a return probe's blocks to a row.
pub(crate) fn add_returned_here(
    row: &mut abi::rtrace_ledger_row,
    calls: &Block,
    clauses: Option<&Block>,
) {
    let here = calls.word(Call::ReturnedHere as usize);
    row.fired += here;
    if let Some(clauses) = clauses {
        row.processed += here.saturating_sub(clauses.word(Ran::FilteredHere as usize));
    }
}

/// Adds what a return probe's second block counted to a row, if fprobe keeps the frames; `in_flight` is
/// what those still in use say.
pub(crate) fn add_calls(row: &mut abi::rtrace_ledger_row, block: &Block, in_flight: u64) {
    let word = |what: Call| block.word(what as usize);
    // The kernel calls us at entry by two ways. Between them a task may become the opener's own,
    // or its session be ended: then one of them did not count.
    let entered = word(Call::Entered).max(word(Call::Passed) + word(Call::Followed));
    row.entered += entered;
    row.passed += word(Call::Passed);
    row.returned += word(Call::Returned);
    row.in_flight += in_flight;
    let [unframed, no_frame, dead, hidden] = &mut row.missed;
    // What came by the first way alone has no frame.
    *unframed += entered
        .saturating_sub(word(Call::Passed))
        .saturating_sub(word(Call::Followed));
    *no_frame += word(Call::NoFrame);
    *dead += word(Call::Died);
    *hidden += word(Call::Hidden);
}

const _: () = {
    assert!(Firing::DroppedFull as u32 + abi::RTRACE_DROP_FULL == Firing::DroppedFull as u32);
    assert!(Firing::DroppedNested as u32 - Firing::DroppedFull as u32 == abi::RTRACE_DROP_NESTED);
    assert!(
        Firing::DroppedRecursion as u32 - Firing::DroppedFull as u32 == abi::RTRACE_DROP_RECURSION
    );
    assert!(Firing::DroppedNoRing as u32 - Firing::DroppedFull as u32 == abi::RTRACE_DROP_NO_RING);
    assert!(Firing::DroppedFlood as u32 - Firing::DroppedFull as u32 == abi::RTRACE_DROP_FLOOD);
    assert!(abi::RTRACE_MISSED_UNFRAMED == 0);
    assert!(abi::RTRACE_MISSED_FRAMES == 1);
    assert!(abi::RTRACE_MISSED_DIED == 2);
    assert!(abi::RTRACE_MISSED_HIDDEN == 3);
};
