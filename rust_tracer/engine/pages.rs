// SPDX-License-Identifier: GPL-2.0

//! The memory of one ring: what user space maps, and the words it never sees.
//!
//! ```text
//!   status page    user: read        struct rtrace_ring_status
//!   consumer page  user: read/write  one u64, believed only within bounds
//!   data           user: read        records
//! ```
//!
//! The pages live as long as the engine, which lives as long as the file; a mapping pins the
//! file, so there is nothing to count when one is made, split or taken away.

use core::{
    ffi::c_void,
    ptr::NonNull,
    sync::atomic::{
        fence,
        AtomicU32,
        AtomicU64,
        Ordering, //
    },
};

use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

use crate::{
    abi, arch, bindings,
    ring::{
        Beside,
        Layout,
        Memory,
        Plan,
        Progress,
        Ring,
        Word, //
    },
};

/// One of the three areas that are mapped apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Status,
    Consumer,
    Data,
}

impl Area {
    /// RTRACE_AREA_*.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        match u32::try_from(number).ok()? {
            abi::RTRACE_AREA_STATUS => Some(Self::Status),
            abi::RTRACE_AREA_CONSUMER => Some(Self::Consumer),
            abi::RTRACE_AREA_DATA => Some(Self::Data),
            _ => None,
        }
    }
}

/// # Invariants
///
/// `base` owns two pages and `data_bytes` more, from `rtrace_pages_alloc`; `data_bytes` is the
/// size of the ring's layout.
#[repr(align(64))]
pub(crate) struct Pages {
    /// The words of the ordinary record come first, on one cache line.
    words: [AtomicU64; Word::COUNT],
    base: NonNull<c_void>,
    data_bytes: u64,
}

// SAFETY: All is reached by atomics, or written by the ring's own CPU alone.
unsafe impl Send for Pages {}
// SAFETY: As above.
unsafe impl Sync for Pages {}

/// A ring in the module.
pub(crate) type CpuRing = Ring<Pages>;

impl CpuRing {
    /// Copies what an observer may see from `position` on. Task context, any CPU.
    pub(crate) fn copy(&self, position: u64, room: usize, to: &mut KVVec<u8>) -> Result<Plan> {
        let pages = self.memory();
        self.layout()
            .observe(&mut Copying { pages, to }, position, room as u64)
    }
}

/// What an observer copies. Task context, any CPU.
struct Copying<'a> {
    pages: &'a Pages,
    to: &'a mut KVVec<u8>,
}

impl Beside for Copying<'_> {
    type Error = Error;

    fn progress(&self) -> Progress {
        let pages = self.pages;
        Progress {
            published: pages.published().load(Ordering::Acquire),
            oldest: pages.word(Word::OLDEST).load(Ordering::Acquire),
            head: pages.word(Word::HEAD).load(Ordering::Acquire),
        }
    }

    fn copy(&mut self, offset: u64, len: u64) -> Result {
        let end = offset.saturating_add(len).min(self.pages.data_bytes);
        self.to.reserve(len as usize, GFP_KERNEL)?;
        let mut at = offset;
        while at < end {
            // SAFETY: It lies in the data area, aligned; a racing write is admitted by an atomic.
            let word = unsafe { self.pages.place(at).cast::<AtomicU64>().as_ref() };
            let bytes = word.load(Ordering::Relaxed).to_ne_bytes();
            self.to.extend_from_slice(&bytes, GFP_KERNEL)?;
            at += 8;
        }
        fence(Ordering::Acquire);
        Ok(())
    }

    fn forget(&mut self) {
        self.to.clear();
    }
}

/// Bytes that a ring of so much data takes.
pub(crate) fn memory_needed(data_bytes: u64) -> u64 {
    data_bytes.saturating_add(2 * PAGE_SIZE as u64)
}

/// A ring for one CPU; its memory is charged to the caller's memcg. Task context.
pub(crate) fn new_ring(layout: Layout, cpu: u32) -> Result<KBox<CpuRing>> {
    let bytes = 2 * PAGE_SIZE + usize::try_from(layout.size())?;
    // SAFETY: Task context.
    let base = NonNull::new(unsafe { bindings::rtrace_pages_alloc(bytes) }).ok_or(ENOMEM)?;
    // INVARIANT: It was just allocated with that many bytes.
    let pages = Pages {
        words: [const { AtomicU64::new(0) }; Word::COUNT],
        base,
        data_bytes: layout.size(),
    };
    pages
        .status_word(core::mem::offset_of!(abi::rtrace_ring_status, cpu))
        .store(cpu, Ordering::Relaxed);
    Ok(KBox::new(Ring::new(layout, pages), GFP_KERNEL_ACCOUNT)?)
}

impl Pages {
    /// Bytes of user-visible memory.
    pub(crate) fn bytes(&self) -> usize {
        2 * PAGE_SIZE + self.data_bytes as usize
    }

    /// Where an area lies, its length in bytes, and whether user space may write it.
    pub(crate) fn area(&self, area: Area) -> (NonNull<c_void>, u64, bool) {
        let (offset, length) = match area {
            Area::Status => (0, PAGE_SIZE as u64),
            Area::Consumer => (PAGE_SIZE, PAGE_SIZE as u64),
            Area::Data => (2 * PAGE_SIZE, self.data_bytes),
        };
        // SAFETY: By the invariant all areas lie in the allocation.
        let start = unsafe { self.base.byte_add(offset) };
        (start, length, area == Area::Consumer)
    }

    /// The bytes that are published and not consumed, as far as the consumer page tells.
    pub(crate) fn unread_inputs(&self) -> (u64, u64) {
        (
            self.published().load(Ordering::Acquire),
            self.load_consumer(),
        )
    }

    #[inline(always)]
    fn published(&self) -> &AtomicU64 {
        self.status_wide(core::mem::offset_of!(abi::rtrace_ring_status, published))
    }

    /// Shows the session's state to the reader.
    pub(crate) fn show_state(&self, state: u32, reason: u32) {
        use core::mem::offset_of;
        self.status_word(offset_of!(abi::rtrace_ring_status, reason))
            .store(reason, Ordering::Relaxed);
        self.status_word(offset_of!(abi::rtrace_ring_status, state))
            .store(state, Ordering::Release);
    }

    /// Shows that the session has got a probe or a ring.
    pub(crate) fn show_generation(&self, generation: u64) {
        self.status_wide(core::mem::offset_of!(abi::rtrace_ring_status, generation))
            .store(generation, Ordering::Release);
    }

    #[inline(always)]
    fn status_wide(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: `offset` is that of an aligned u64 of the status page; user space only reads.
        unsafe { self.base.byte_add(offset).cast::<AtomicU64>().as_ref() }
    }

    #[inline(always)]
    fn status_word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: As in `status_wide`, for a u32.
        unsafe { self.base.byte_add(offset).cast::<AtomicU32>().as_ref() }
    }

    #[inline(always)]
    fn word(&self, word: Word) -> &AtomicU64 {
        // SAFETY: `Word::index` is below `Word::COUNT`.
        unsafe { self.words.get_unchecked(word.index()) }
    }
}

/// Where a word lies in [`Pages`], in bytes.
const fn place(word: Word) -> usize {
    core::mem::offset_of!(Pages, words) + word.index() * size_of::<AtomicU64>()
}

impl Memory for Pages {
    type Place = NonNull<u64>;

    #[inline(always)]
    fn load(&self, word: Word) -> u64 {
        self.word(word).load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn store(&self, word: Word, value: u64) {
        self.word(word).store(value, Ordering::Relaxed);
    }

    #[inline(always)]
    fn add(&self, word: Word, value: u64) {
        arch::add_local(self.word(word), value);
    }

    #[inline(always)]
    fn increment(&self, word: Word) {
        match word {
            // Known when this is compiled, so that the place is a part of the instruction.
            // SAFETY: There is such a word.
            Word::NEST => unsafe { arch::increment_in::<{ place(Word::NEST) }, _>(self) },
            word => arch::increment_local(self.word(word)),
        }
    }

    #[inline(always)]
    fn compare_exchange(&self, word: Word, old: u64, new: u64) -> bool {
        const HEAD: usize = place(Word::HEAD);
        const LAST_TIME: usize = place(Word::LAST_TIME);
        match word {
            // SAFETY: There is such a word.
            Word::HEAD => unsafe { arch::compare_exchange_in::<HEAD, _>(self, old, new) },
            // SAFETY: As above.
            Word::LAST_TIME => unsafe { arch::compare_exchange_in::<LAST_TIME, _>(self, old, new) },
            word => arch::compare_exchange_local(self.word(word), old, new),
        }
    }

    #[inline(always)]
    fn place(&self, offset: u64) -> NonNull<u64> {
        // SAFETY: The offset is inside the data area, which follows the two pages.
        unsafe { self.base.byte_add(2 * PAGE_SIZE).byte_add(offset as usize) }.cast()
    }

    #[inline(always)]
    fn write(&self, place: NonNull<u64>, index: u32, value: u64) {
        // SAFETY: The ring keeps what it writes inside the data area, by its own words alone.
        unsafe { place.add(index as usize).write_volatile(value) };
    }

    #[inline(always)]
    fn load_consumer(&self) -> u64 {
        // SAFETY: The consumer page begins with an aligned u64; user space may write it at any
        // time, which an atomic load admits.
        unsafe { self.base.byte_add(PAGE_SIZE).cast::<AtomicU64>().as_ref() }
            .load(Ordering::Acquire)
    }

    #[inline(always)]
    fn store_published(&self, position: u64) {
        self.published().store(position, Ordering::Release);
    }

    #[inline(always)]
    fn store_oldest(&self, position: u64) {
        self.status_wide(core::mem::offset_of!(abi::rtrace_ring_status, oldest))
            .store(position, Ordering::Relaxed);
        fence(Ordering::Release);
    }

    #[inline(always)]
    fn add_lost(&self, count: u64) {
        let lost = core::mem::offset_of!(abi::rtrace_ring_status, lost);
        arch::add_local(self.status_wide(lost), count);
    }

    #[inline(always)]
    fn set_bad_consumer(&self) {
        self.status_word(core::mem::offset_of!(abi::rtrace_ring_status, bad_consumer))
            .store(1, Ordering::Relaxed);
    }

    #[inline(always)]
    fn full_barrier(&self) {
        fence(Ordering::SeqCst);
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: By the invariant.
        unsafe { bindings::rtrace_pages_free(self.base.as_ptr()) };
    }
}
