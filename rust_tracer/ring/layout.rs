// SPDX-License-Identifier: GPL-2.0

//! The numbers of a ring: what a record looks like, and how large things are.
//!
//! The record numbers are those of `include/uapi/rust_tracer.h`; who compiles this with the ABI at
//! hand asserts that they agree.
//!
//! ```text
//!   word 0   63          32 31 28 27 24 23           0
//!            | position>>3 | ctx | type | len (bytes) |
//!   word 1   | time (ns); absent in a PAD             |
//! ```

#![forbid(unsafe_code)]

use super::memory::BLOCKS;

/// To the end of the data area; only the first 8 bytes are there. `RTRACE_RECORD_PAD`.
pub(crate) const RECORD_PAD: u32 = 1;
/// To be skipped. `RTRACE_RECORD_DISCARD`.
pub(crate) const RECORD_DISCARD: u32 = 2;
/// Losses. `RTRACE_RECORD_LOST`, `struct rtrace_record_lost`.
pub(crate) const RECORD_LOST: u32 = 3;

/// Bytes of a record's head, `struct rtrace_record`.
pub(crate) const HEAD_LEN: u32 = 16;
/// Bytes of `struct rtrace_record_lost`.
pub(crate) const LOST_LEN: u32 = 24;
/// The longest record of a ring that is not small, in bytes. `RTRACE_RECORD_MAX`.
pub(crate) const RECORD_MAX: u32 = 32768;

/// The smallest ring with a reserve, in bytes. `RTRACE_RING_MIN`.
pub(crate) const SHARED_MIN: u64 = 64 * 1024;

/// What happens when a ring is full. The values are `RTRACE_POLICY_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Policy {
    /// Keep the old records, drop the new until the consumer makes room.
    Switch = 0,
    /// Keep the old records; the first that finds no room ends the recording.
    Fill = 1,
    /// Overwrite the oldest; to be read when stopped.
    Ring = 2,
}

/// The shape of one ring.
///
/// # Invariants
///
/// `size` is a power of two, at least `8 * BLOCKS`; `0 < watermark <= size / 2`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(super) size: u64,
    pub(super) watermark: u64,
    pub(super) policy: Policy,
}

impl Layout {
    /// A ring of `size` bytes of data, a power of two, that wakes a poller at `watermark` unread
    /// bytes.
    ///
    /// A watermark above half of the ring counts as half: the longest record and the padding
    /// before it can make a ring full well before its last byte, and a full ring must have woken
    /// its poller.
    pub(crate) fn new(size: u64, watermark: u64, policy: Policy) -> Option<Layout> {
        if !size.is_power_of_two() || size < 8 * BLOCKS {
            return None;
        }
        // INVARIANT: Checked above, and clamped here.
        Some(Layout {
            size,
            watermark: watermark.min(size / 2).max(1),
            policy,
        })
    }

    /// Bytes of data.
    #[inline(always)]
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Unread bytes at which a sleeping poller is woken.
    #[inline(always)]
    pub(crate) fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Bytes of the longest record: every ring that the ABI allows holds several. A smaller one
    /// (tests) works for records of up to an eighth of it.
    #[inline(always)]
    pub(crate) fn record_max(&self) -> u32 {
        (self.size / 8).clamp(SHARED_MIN / 8, RECORD_MAX.into()) as u32
    }

    /// The policy.
    #[inline(always)]
    #[cfg(test)]
    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Bytes below the full ring in which each source has but a share. Only policy switch goes on
    /// when a ring is full, and keeps what is there. Rings too small for shares to hold records
    /// (tests have them, the ABI does not) are all first come, first served.
    #[inline(always)]
    pub(super) fn reserve(&self) -> u64 {
        match self.policy {
            Policy::Switch if self.size >= SHARED_MIN => self.size / 8,
            Policy::Switch | Policy::Fill | Policy::Ring => 0,
        }
    }

    /// Bytes of the reserve that one source may take while the consumer moves on by the
    /// reserve's size.
    #[inline(always)]
    pub(super) fn share(&self) -> u64 {
        self.size / 128
    }

    /// Unread bytes from which on a poller does not go to sleep. Less than the watermark by
    /// [`Layout::recheck`]; see `publish.rs`.
    #[inline(always)]
    pub(crate) fn ready_at(&self) -> u64 {
        self.watermark.wrapping_sub(self.recheck())
    }

    /// Bytes between a wake-up and the next look, while the consumer stays behind.
    #[inline(always)]
    pub(super) fn recheck(&self) -> u64 {
        self.watermark / 8
    }

    /// Bytes of a block, a power of two.
    #[inline(always)]
    pub(super) fn block_size(&self) -> u64 {
        self.size / BLOCKS
    }

    /// The number of the block that a position lies in, counted from the session's start.
    #[inline(always)]
    pub(super) fn block_of(&self, position: u64) -> u64 {
        // A division that the compiler knows not to be by zero.
        position.wrapping_shr(self.block_size().trailing_zeros())
    }

    /// The place of a position in the data area.
    #[inline(always)]
    pub(super) fn offset(&self, position: u64) -> u64 {
        position & self.size.wrapping_sub(1)
    }

    /// The end of the data area, or of a part of it of `part` bytes (a power of two), beyond
    /// `position`, as a position.
    #[inline(always)]
    pub(super) fn end_of_part(position: u64, part: u64) -> u64 {
        (position & !part.wrapping_sub(1)).wrapping_add(part)
    }
}

/// The first word of the record at `position`.
#[inline(always)]
pub(super) fn first_word(position: u64, len: u32, kind: u32, context: u32) -> u64 {
    let info = (len & 0xff_ffff) | ((kind & 0xf) << 24) | ((context & 0xf) << 28);
    // `position` is a multiple of 8, so this is its bits from 3 on.
    (position << 29) | u64::from(info)
}
