// SPDX-License-Identifier: GPL-2.0-only
//! A ring's memory in this process: what `rust_tracer/engine/pages.rs` is in the kernel, access for
//! access, over words that the reader has as well.

#![allow(unsafe_code)]

use std::mem::offset_of;
use std::sync::atomic::{
    fence, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use std::sync::Arc;

use rust_tracer::abi::rtrace_ring_status as Status;
use rust_tracer::device::Area;

use crate::arch;
use crate::ring::{Memory, Word};

/// Words of a page.
const PAGE_WORDS: u64 = 512;

/// The three areas of a ring, which writer and reader share.
#[derive(Clone)]
pub struct Areas {
    status: Arc<[AtomicU64]>,
    consumer: Arc<[AtomicU64]>,
    data: Arc<[AtomicU64]>,
}

impl Areas {
    /// Empty areas for so many bytes of records.
    pub fn new(bytes: u64) -> Self {
        let area = |words| (0..words).map(|_| AtomicU64::new(0)).collect();
        Self {
            status: area(PAGE_WORDS),
            consumer: area(PAGE_WORDS),
            data: area(bytes / 8),
        }
    }

    /// One of them.
    pub fn area(&self, area: Area) -> Arc<[AtomicU64]> {
        Arc::clone(match area {
            Area::Status => &self.status,
            Area::Consumer => &self.consumer,
            Area::Data => &self.data,
        })
    }

    /// Firings that found no room.
    pub fn lost(&self) -> u64 {
        self.status_word(offset_of!(Status, lost)).load(Relaxed)
    }

    /// Consumes all that is published, unread.
    pub fn consume(&self) {
        let published = self.status_word(offset_of!(Status, published));
        self.consumer[0].store(published.load(Acquire), Release);
    }

    #[inline(always)]
    fn status_word(&self, offset: usize) -> &AtomicU64 {
        &self.status[offset / 8]
    }
}

/// The words that only the writer has, and the areas.
///
/// # Invariants
///
/// The data area has the size of the ring's layout.
#[repr(align(64))]
pub struct Pages {
    words: [AtomicU64; Word::COUNT],
    areas: Areas,
}

impl Pages {
    /// Memory for a ring over these areas, which are as large as its layout says.
    pub fn new(areas: Areas) -> Self {
        // INVARIANT: By this function's contract.
        Self {
            words: [const { AtomicU64::new(0) }; Word::COUNT],
            areas,
        }
    }

    #[inline(always)]
    fn word(&self, word: Word) -> &AtomicU64 {
        &self.words[word.index()]
    }
}

impl Memory for Pages {
    type Place = usize;

    #[inline(always)]
    fn load(&self, word: Word) -> u64 {
        self.word(word).load(Relaxed)
    }

    #[inline(always)]
    fn store(&self, word: Word, value: u64) {
        self.word(word).store(value, Relaxed);
    }

    #[inline(always)]
    fn add(&self, word: Word, value: u64) {
        arch::add_local(self.word(word), value);
    }

    #[inline(always)]
    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool {
        arch::compare_exchange_local(self.word(word), old, new)
    }

    #[inline(always)]
    fn place(&self, offset: u64) -> usize {
        (offset / 8) as usize
    }

    #[inline(always)]
    fn write(&self, place: usize, index: u32, value: u64) {
        // SAFETY: By the type's invariant; the ring keeps what it writes inside the data area.
        let word = unsafe { self.areas.data.get_unchecked(place + index as usize) };
        word.store(value, Relaxed);
    }

    #[inline(always)]
    fn load_consumer(&self) -> u64 {
        self.areas.consumer[0].load(Acquire)
    }

    #[inline(always)]
    fn store_published(&self, position: u64) {
        let published = self.areas.status_word(offset_of!(Status, published));
        published.store(position, Release);
    }

    #[inline(always)]
    fn store_oldest(&self, position: u64) {
        let oldest = self.areas.status_word(offset_of!(Status, oldest));
        oldest.store(position, Relaxed);
        fence(Release);
    }

    #[inline(always)]
    fn add_lost(&self, count: u64) {
        arch::add_local(self.areas.status_word(offset_of!(Status, lost)), count);
    }

    #[inline(always)]
    fn set_bad_consumer(&self) {
        let word = self.areas.status_word(offset_of!(Status, bad_consumer));
        word.fetch_or(1, Relaxed);
    }

    #[inline(always)]
    fn full_barrier(&self) {
        fence(SeqCst);
    }
}
