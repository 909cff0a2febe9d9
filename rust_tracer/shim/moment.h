/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The moment at which a probe fires, and which of our handlers are at work. For the
 * shim's own files.
 */
#ifndef RUST_TRACER_SHIM_MOMENT_H
#define RUST_TRACER_SHIM_MOMENT_H

#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "shim.h"

/*
 * Which of our handlers are at work on this CPU: a bit for each context, and
 * one more for what an interrupt traces before it has counted itself as one.
 * Nested contexts put it back as they found it, so plain accesses do.
 */
#define RTRACE_BUSY_TRANSITION BIT(4)
DECLARE_PER_CPU(u8, rtrace_busy);

/*
 * The time our handlers take, by samples: one in RTRACE_SAMPLE is measured and
 * stands for all; a prime, as handlers take turns.
 */
#define RTRACE_SAMPLE 127
DECLARE_PER_CPU(int, rtrace_turn);
DECLARE_PER_CPU(u64, rtrace_burdened);

/* The beginning of a handler that is measured; ns, never 0. */
static __always_inline u64 rtrace_sample_begin(void)
{
	raw_cpu_write(rtrace_turn, RTRACE_SAMPLE - 1);
	return ktime_get_mono_fast_ns();
}

static __always_inline void rtrace_sample_end(u64 begun)
{
	/* This clock may step back by a little. */
	s64 taken = ktime_get_mono_fast_ns() - begun;

	this_cpu_add(rtrace_burdened,
		     clamp_t(s64, taken, 0, RTRACE_SAMPLE_MAX) * RTRACE_SAMPLE);
}

/* The same if it is this handler's turn to be measured; else 0. */
static __always_inline u64 rtrace_sample(void)
{
	raw_cpu_dec(rtrace_turn);
	return unlikely(raw_cpu_read(rtrace_turn) < 0) ? rtrace_sample_begin() : 0;
}

/* `begun`: of rtrace_sample(). */
static __always_inline u8 rtrace_moment_begin(struct rtrace_moment *moment, u64 begun)
{
	unsigned int context = interrupt_context_level();
	u8 busy = raw_cpu_read(rtrace_busy);
	u8 bit = BIT(context);

	moment->cpu = raw_smp_processor_id();
	moment->context = context;
	moment->pid = current->tgid;
	moment->tid = current->pid;
	moment->recursed = false;
	moment->begun = begun;
	if (unlikely(busy & bit)) {
		moment->recursed = busy & RTRACE_BUSY_TRANSITION;
		bit = RTRACE_BUSY_TRANSITION;
	}
	raw_cpu_write(rtrace_busy, busy | bit);
	return busy;
}

static __always_inline void rtrace_moment_end(const struct rtrace_moment *moment,
					      u8 busy)
{
	raw_cpu_write(rtrace_busy, busy);
	if (unlikely(moment->begun))
		rtrace_sample_end(moment->begun);
}

/*
 * From here on, until rtrace_unshield(), what fires in this context fires inside
 * our own handler. (So does, in the meantime, what an interrupt traces before it
 * has counted itself as one.)
 */
static __always_inline u8 rtrace_shield(void)
{
	u8 busy = raw_cpu_read(rtrace_busy);

	raw_cpu_write(rtrace_busy, busy | RTRACE_BUSY_TRANSITION);
	barrier();
	return busy;
}

static __always_inline void rtrace_unshield(u8 busy)
{
	barrier();
	raw_cpu_write(rtrace_busy, busy);
}

/* Whether the current task has memory of its own, which it can be looked at. */
static __always_inline bool rtrace_has_user_memory(void)
{
	return current->mm && !(current->flags & (PF_KTHREAD | PF_EXITING));
}

#endif /* RUST_TRACER_SHIM_MOMENT_H */
