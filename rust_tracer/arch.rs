// SPDX-License-Identifier: GPL-2.0

//! What is bound to the machine: memory operations that are atomic against this CPU's own
//! interrupts and NMIs only, without the price of a bus lock; and the mask that keeps
//! speculation inside a bound.
//!
//! Per-CPU memory, the preemption count, the current task and a function's arguments are here as
//! well, as the short way needs them without a call. All else that differs between machines comes
//! from the kernel's own headers by way of the shim.

use core::sync::atomic::AtomicU64;

use crate::bindings::{
    RTRACE_HARDIRQ_MASK,
    RTRACE_NMI_MASK,
    RTRACE_SOFTIRQ_OFFSET, //
};

#[cfg(not(CONFIG_X86_64))]
compile_error!("rust_tracer knows x86-64 only; this file says what another machine needs");

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

/// A word of this CPU's part of per-CPU memory, `OFFSET` bytes behind its beginning.
///
/// # Safety
///
/// `at` is the address of per-CPU memory that holds such a word there; preemption off.
#[inline(always)]
pub(crate) unsafe fn load_per_cpu<const OFFSET: usize>(at: usize) -> u64 {
    let word;
    // SAFETY: By this function's contract; the kernel keeps the CPU's offset in gs.
    unsafe {
        core::arch::asm!(
            "mov {word}, qword ptr gs:[{at} + {offset}]",
            at = in(reg) at,
            offset = const OFFSET,
            word = out(reg) word,
            options(nostack, preserves_flags, readonly),
        );
    }
    word
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

/// Whether a word of this CPU's part of per-CPU memory is not 0.
///
/// # Safety
///
/// As for [`load_per_cpu`].
#[inline(always)]
pub(crate) unsafe fn is_set_per_cpu<const OFFSET: usize>(at: usize) -> bool {
    // SAFETY: By this function's contract.
    unsafe {
        core::arch::asm!(
            "cmp qword ptr gs:[{at} + {offset}], 0",
            "je {no}",
            at = in(reg) at,
            offset = const OFFSET,
            no = label { return false },
            options(nostack, readonly),
        );
    }
    true
}

/// Adds 1 to that word.
///
/// # Safety
///
/// As for [`load_per_cpu`], and no other CPU writes the word.
#[inline(always)]
pub(crate) unsafe fn increment_per_cpu<const OFFSET: usize>(at: usize) {
    // SAFETY: By this function's contract; one instruction cannot be torn by an interrupt.
    unsafe {
        core::arch::asm!(
            "inc qword ptr gs:[{at} + {offset}]",
            at = in(reg) at,
            offset = const OFFSET,
            options(nostack),
        );
    }
}

/// Turns preemption off, on this CPU. Any context.
#[inline(always)]
pub(crate) fn disable_preemption() {
    if !cfg!(CONFIG_PREEMPT_COUNT) {
        return;
    }
    // SAFETY: What the kernel's preempt_disable_notrace() does.
    unsafe { core::arch::asm!("inc qword ptr gs:[rip + __preempt_count]", options(nostack)) };
}

/// Undoes that; true if the kernel wants to schedule now. Any context.
#[inline(always)]
pub(crate) fn enable_preemption() -> bool {
    if !cfg!(CONFIG_PREEMPT_COUNT) {
        return false;
    }
    // SAFETY: What the kernel's preempt_enable_notrace() does, but for scheduling.
    unsafe {
        core::arch::asm!(
            "dec qword ptr gs:[rip + __preempt_count]",
            "jz {yes}",
            yes = label { return true },
            options(nostack),
        );
    }
    false
}

/// The kernel's preemption count, which tells the context. Any context.
#[inline(always)]
pub(crate) fn preempt_count() -> u32 {
    let count: u32;
    // SAFETY: A per-CPU word of the kernel's, read in one piece.
    unsafe {
        core::arch::asm!(
            "mov {count:e}, dword ptr gs:[rip + __preempt_count]",
            count = out(reg) count,
            options(nostack, preserves_flags, readonly),
        );
    }
    count
}

/// The current task. Any context.
#[inline(always)]
pub(crate) fn current() -> *const kernel::bindings::task_struct {
    let task;
    // SAFETY: A per-CPU word of the kernel's, read in one piece.
    unsafe {
        core::arch::asm!(
            "mov {task}, qword ptr gs:[rip + current_task]",
            task = out(reg) task,
            options(nostack, preserves_flags, readonly),
        );
    }
    task
}

/// The processor's time-stamp counter. Any context.
#[inline(always)]
pub(crate) fn cycles() -> u64 {
    // SAFETY: It reads a register.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Takes a turn at being measured: true for one handler of so many. On this CPU, preemption off.
#[inline(always)]
pub(crate) fn is_turn() -> bool {
    // SAFETY: The shim's per-CPU counter; one instruction cannot be torn by an interrupt.
    unsafe {
        core::arch::asm!(
            "dec dword ptr gs:[rip + rtrace_turn]",
            "js {yes}",
            yes = label { return true },
            options(nostack),
        );
    }
    false
}

/// Whether one of our handlers says that it is at work on this CPU. Preemption off.
#[inline(always)]
pub(crate) fn is_handler_at_work() -> bool {
    // SAFETY: The shim's per-CPU byte.
    unsafe {
        core::arch::asm!(
            "cmp byte ptr gs:[rip + rtrace_busy], 0",
            "jne {yes}",
            yes = label { return true },
            options(nostack, readonly),
        );
    }
    false
}

/// RTRACE_CONTEXT_*, as the kernel's interrupt_context_level() tells it. Any context.
#[inline(always)]
pub(crate) fn context() -> u32 {
    let count = preempt_count();
    if count & (RTRACE_SOFTIRQ_OFFSET | RTRACE_HARDIRQ_MASK | RTRACE_NMI_MASK) == 0 {
        return 0;
    }
    let is = |mask: u32| u32::from(count & mask != 0);
    let above = is(RTRACE_NMI_MASK | RTRACE_HARDIRQ_MASK).wrapping_add(is(RTRACE_NMI_MASK));
    above.wrapping_add(1)
}

/// The current task's process, and its thread in the upper half. Any context.
#[inline(always)]
pub(crate) fn current_pair() -> u64 {
    const { assert!(PID_OFFSET == TID_OFFSET + 4, "they lie behind each other") };
    // SAFETY: The current task is there, and so are its ids, which are 8 bytes together.
    let pair = unsafe {
        current()
            .byte_add(TID_OFFSET as usize)
            .cast::<u64>()
            .read_unaligned()
    };
    pair.rotate_left(32)
}

/// Where a task's structure has its process and its thread.
pub(crate) const PID_OFFSET: i16 = {
    assert!(core::mem::offset_of!(kernel::bindings::task_struct, tgid) < i16::MAX as usize);
    core::mem::offset_of!(kernel::bindings::task_struct, tgid) as i16
};
pub(crate) const TID_OFFSET: i16 = {
    assert!(core::mem::offset_of!(kernel::bindings::task_struct, pid) < i16::MAX as usize);
    core::mem::offset_of!(kernel::bindings::task_struct, pid) as i16
};

/// A word of 32 bits of the current task's structure. Any context.
///
/// # Safety
///
/// `offset` is [`PID_OFFSET`] or [`TID_OFFSET`].
#[inline(always)]
pub(crate) unsafe fn of_current(offset: usize) -> u32 {
    // SAFETY: By this function's contract; the current task is there.
    unsafe { current().byte_add(offset).cast::<u32>().read() }
}

/// Where `struct ftrace_regs` has a function's argument, below 6.
#[inline(always)]
pub(crate) fn argument_offset(number: usize) -> i16 {
    use core::mem::offset_of;
    use kernel::bindings::pt_regs;
    match number {
        0 => offset_of!(pt_regs, di) as i16,
        1 => offset_of!(pt_regs, si) as i16,
        2 => offset_of!(pt_regs, dx) as i16,
        3 => offset_of!(pt_regs, cx) as i16,
        4 => offset_of!(pt_regs, r8) as i16,
        _ => offset_of!(pt_regs, r9) as i16,
    }
}

/// A function's argument, below 6.
///
/// # Safety
///
/// As for [`arguments`].
#[inline(always)]
pub(crate) unsafe fn argument(regs: *const core::ffi::c_void, number: usize) -> u64 {
    let at = argument_offset(number) as usize;
    // SAFETY: By this function's contract. Volatile, so that it is read when it is asked for.
    unsafe { regs.byte_add(at).cast::<u64>().read_volatile() }
}

/// A function's first six integer arguments.
///
/// # Safety
///
/// `regs` are what ftrace gives for the function's entry: a `struct ftrace_regs`, which begins with a
/// `struct pt_regs`.
#[inline(always)]
pub(crate) unsafe fn arguments(regs: *const core::ffi::c_void) -> [u64; 6] {
    // SAFETY: By this function's contract.
    let regs = unsafe { &*regs.cast::<kernel::bindings::pt_regs>() };
    [regs.di, regs.si, regs.dx, regs.cx, regs.r8, regs.r9].map(|word| word as u64)
}
