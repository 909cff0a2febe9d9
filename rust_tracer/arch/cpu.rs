// SPDX-License-Identifier: GPL-2.0

//! What the short way needs of the kernel's own CPU without a call: per-CPU memory, the preemption count, the
//! current task, a function's arguments, the time-stamp counter.

use crate::bindings::{
    RTRACE_HARDIRQ_MASK,
    RTRACE_NMI_MASK,
    RTRACE_SOFTIRQ_OFFSET, //
    RTRACE_STACK_BYTES,
    RTRACE_STACK_MARGIN,
};

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

/// One more call has a frame of the stub's. Preemption off.
#[inline(always)]
pub(crate) fn count_frame() {
    // SAFETY: The shim's per-CPU counter; one instruction cannot be torn by an interrupt.
    unsafe { core::arch::asm!("inc qword ptr gs:[rip + rtrace_frames]", options(nostack)) };
}

/// One has it no more. Preemption off.
#[inline(always)]
pub(crate) fn count_frame_left() {
    // SAFETY: As above.
    unsafe { core::arch::asm!("dec qword ptr gs:[rip + rtrace_frames]", options(nostack)) };
}

/// Whether the current task's own stack has an address, with enough left below it. Any context.
#[inline(always)]
pub(crate) fn is_high_on_stack(at: usize) -> bool {
    // SAFETY: The current task is there.
    let bottom = unsafe { &raw const (*current()).stack }.cast::<usize>();
    // SAFETY: As above; a task's stack stays as long as the task runs.
    let above = at.wrapping_sub(unsafe { bottom.read() });
    let (bytes, margin) = (RTRACE_STACK_BYTES as usize, RTRACE_STACK_MARGIN as usize);
    above.wrapping_sub(margin) < bytes.wrapping_sub(margin)
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
