// SPDX-License-Identifier: GPL-2.0

//! Memory operations that are atomic against this CPU's own interrupts and NMIs only, without the price of
//! a bus lock; and the mask that keeps speculation inside a bound. Nothing here needs the kernel.

use core::sync::atomic::AtomicU64;

/// Adds 1 to a word that only this CPU writes. Any context; preemption off.
#[inline(always)]
pub(crate) fn increment_local(word: &AtomicU64) {
    // SAFETY: The word is there.
    unsafe { increment_in::<0, _>(word) };
}

/// Adds to a word that only this CPU writes, and wraps. Any context; preemption off.
#[inline(always)]
pub(crate) fn add_local(word: &AtomicU64, value: u64) {
    // SAFETY: The address is that of a live word; one instruction cannot be torn by an
    // interrupt or NMI on this CPU, and no other CPU writes the word.
    unsafe {
        core::arch::asm!(
            "add qword ptr [{word}], {value}",
            word = in(reg) word.as_ptr(),
            value = in(reg) value,
            options(nostack),
        );
    }
}

/// As [`add_local`], and returns what the word was before. Any context; preemption off.
#[inline(always)]
pub(crate) fn fetch_add_local(word: &AtomicU64, value: u64) -> u64 {
    let before: u64;
    // SAFETY: As in `add_local`.
    unsafe {
        core::arch::asm!(
            "xadd qword ptr [{word}], {value}",
            word = in(reg) word.as_ptr(),
            value = inout(reg) value => before,
            options(nostack),
        );
    }
    before
}

/// Replaces `old` by `new` in a word that only this CPU writes; says whether it did. Any
/// context; preemption off.
#[inline(always)]
pub(crate) fn compare_exchange_local(word: &AtomicU64, old: u64, new: u64) -> bool {
    // SAFETY: The word is there.
    unsafe { compare_exchange_in::<0, _>(word, old, new) }
}

/// The same for the word `OFFSET` bytes behind the beginning of something.
///
/// # Safety
///
/// There is such a word.
#[inline(always)]
pub(crate) unsafe fn compare_exchange_in<const OFFSET: usize, T>(
    at: &T,
    old: u64,
    new: u64,
) -> bool {
    let found: u64;
    // SAFETY: By this function's contract; as in `add_local`.
    unsafe {
        core::arch::asm!(
            "cmpxchg qword ptr [{at} + {offset}], {new}",
            at = in(reg) core::ptr::from_ref(at),
            offset = const OFFSET,
            new = in(reg) new,
            inout("rax") old => found,
            options(nostack),
        );
    }
    found == old
}

/// The index, which has been checked to be below `len`; 0 where a processor that speculates
/// past the check would use another (the kernel's `array_index_nospec`). For every index that
/// comes from user space. Any context.
#[inline(always)]
pub(crate) fn index_nospec(index: usize, len: usize) -> usize {
    let mask: usize;
    // SAFETY: Arithmetic on registers: all ones if `index` is below `len`, else all zeroes.
    unsafe {
        core::arch::asm!(
            "cmp {index}, {len}",
            "sbb {mask}, {mask}",
            index = in(reg) index,
            len = in(reg) len,
            mask = lateout(reg) mask,
            options(pure, nomem, nostack),
        );
    }
    index & mask
}

/// Adds 1 to the word that lies `OFFSET` bytes and `nth` words behind one, which only this CPU writes. Any
/// context; preemption off.
///
/// # Safety
///
/// There is such a word.
#[inline(always)]
pub(crate) unsafe fn increment_nth<const OFFSET: usize>(at: *const AtomicU64, nth: u32) {
    // SAFETY: By this function's contract; as in `add_local`.
    unsafe {
        core::arch::asm!(
            "inc qword ptr [{at} + 8*{nth} + {offset}]",
            at = in(reg) at,
            nth = in(reg) nth as usize,
            offset = const OFFSET,
            options(nostack),
        );
    }
}

/// Adds 1 to the word `OFFSET` bytes behind the beginning of something, which only this CPU writes. Any
/// context; preemption off.
///
/// # Safety
///
/// There is such a word.
#[inline(always)]
pub(crate) unsafe fn increment_in<const OFFSET: usize, T>(at: &T) {
    // SAFETY: By this function's contract; as in `add_local`.
    unsafe {
        core::arch::asm!(
            "inc qword ptr [{at} + {offset}]",
            at = in(reg) core::ptr::from_ref(at),
            offset = const OFFSET,
            options(nostack),
        );
    }
}
