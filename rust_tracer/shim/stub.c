// SPDX-License-Identifier: GPL-2.0
/*
 * What C has to do for the stub (arch/stub.S): its ftrace_ops, and the long way of
 * its two halves. Built without ftrace sites of its own, as inlines.c.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <asm/cpu_entry_area.h>

#include "../arch/stub.h"
#include "shim.h"
#include "moment.h"

#ifndef CONFIG_PREEMPT_COUNT
#error "the stub needs a preemption count"
#endif

static_assert(RTRACE_CALL_BYTES == MCOUNT_INSN_SIZE);
static_assert(offsetof(struct pt_regs, r9) - offsetof(struct rtrace_frame, r9) ==
	      RTRACE_FRAME_BEFORE);
static_assert(offsetof(struct pt_regs, r8) - offsetof(struct rtrace_frame, r8) ==
	      RTRACE_FRAME_BEFORE);
static_assert(offsetof(struct pt_regs, cx) - offsetof(struct rtrace_frame, cx) ==
	      RTRACE_FRAME_BEFORE);
static_assert(offsetof(struct pt_regs, dx) - offsetof(struct rtrace_frame, dx) ==
	      RTRACE_FRAME_BEFORE);
static_assert(offsetof(struct pt_regs, si) - offsetof(struct rtrace_frame, si) ==
	      RTRACE_FRAME_BEFORE);
static_assert(offsetof(struct pt_regs, di) - offsetof(struct rtrace_frame, di) ==
	      RTRACE_FRAME_BEFORE);

/* ---- room on the stack ------------------------------------------------------ */

/* Per-CPU pointers: to the last word of the interrupts' stack, to all exceptions'. */
static unsigned long rtrace_irq_stacks, rtrace_exception_stacks;

void rtrace_stacks_are_at(unsigned long irqs, unsigned long exceptions)
{
	rtrace_irq_stacks = irqs;
	rtrace_exception_stacks = exceptions;
}

static bool rtrace_is_high(unsigned long sp, unsigned long end, unsigned long bytes)
{
	return sp < end && end - sp < bytes - RTRACE_MARGIN_OF(bytes);
}

bool rtrace_has_room(unsigned long sp)
{
	unsigned long at;

	if (rtrace_irq_stacks) {
		at = raw_cpu_read(*(unsigned long __percpu *)rtrace_irq_stacks);
		if (rtrace_is_high(sp, at, RTRACE_STACK_BYTES))
			return true;
	}
	if (rtrace_exception_stacks) {
		struct cea_exception_stacks *stacks;

		at = raw_cpu_read(*(unsigned long __percpu *)rtrace_exception_stacks);
		stacks = (struct cea_exception_stacks *)at;
		return stacks && rtrace_is_high(sp, CEA_ESTACK_TOP(stacks, NMI), EXCEPTION_STKSZ);
	}
	return false;
}

/* ---- its ftrace_ops --------------------------------------------------------- */

static unsigned long rtrace_no_direct(unsigned long ip)
{
	return 0;
}

/* As for rtrace_symbols in inlines.c. */
DEFINE_STATIC_CALL(rtrace_direct_of, rtrace_no_direct);

void rtrace_direct_calls_are_told_by(unsigned long function)
{
	static_call_update(rtrace_direct_of, (typeof(&rtrace_no_direct))function);
}

bool rtrace_has_direct_call(unsigned long ip)
{
	return static_call(rtrace_direct_of)(ip);
}

/*
 * A site that others have as well: ftrace calls all of them, and then what they
 * left in orig_ax in place of going on. Who would be called directly after us
 * leaves himself there in our place: then the call has no frame.
 */
__no_stack_protector
void rtrace_stub_listed(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;
	struct rtrace_moment moment __uninitialized;
	u8 busy;

	if (regs->orig_ax) {
		regs->r10 = ip + MCOUNT_INSN_SIZE;
		regs->ax = regs->orig_ax;
		regs->orig_ax = (unsigned long)rtrace_stub_direct;
		return;
	}
	if (likely(!static_call(rtrace_direct_of)(ip))) {
		/* Where a kprobe overrides the function its result is in ax, or is going to be. */
		regs->r10 = ip + MCOUNT_INSN_SIZE;
		regs->orig_ax = (unsigned long)rtrace_stub_shared;
		return;
	}
	preempt_disable_notrace();
	busy = rtrace_moment_begin(&moment, rtrace_sample());
	rtrace_on_stub_entry(NULL, ip, &moment, regs, RTRACE_STUB_LONG);
	rtrace_moment_end(&moment, busy);
	preempt_enable_notrace();
}

/*
 * A site that nobody else has calls the stub itself: ftrace takes the trampoline
 * that an ops brings along.
 */
static struct ftrace_ops rtrace_stub_ops = {
	.func = rtrace_stub_listed,
	.flags = FTRACE_OPS_FL_SAVE_REGS,
	.trampoline = (unsigned long)rtrace_stub,
};

static bool stub = true;
module_param(stub, bool, 0644);
MODULE_PARM_DESC(stub, "follow calls by the module's own stub, where functions allow it");

static char *stub_also = "";
module_param(stub_also, charp, 0444);
MODULE_PARM_DESC(stub_also, "MODULE:FUNCTION globs, by commas: known to find all arguments in registers, and to return");

const char *rtrace_stub_also(void)
{
	return stub_also;
}

bool rtrace_stub_is_allowed(void)
{
	return READ_ONCE(stub);
}

struct ftrace_ops *rtrace_ops_of_stub(void)
{
	rtrace_stub_is_used();
	return &rtrace_stub_ops;
}

/* ---- its two halves, the long way: preemption is off when they begin ---------- */

static __always_inline void rtrace_frame_regs(struct pt_regs *regs,
					      const struct rtrace_frame *frame,
					      unsigned long bp)
{
	regs->di = frame->di;
	regs->si = frame->si;
	regs->dx = frame->dx;
	regs->cx = frame->cx;
	regs->r8 = frame->r8;
	regs->r9 = frame->r9;
	regs->bp = bp;
	regs->ip = frame->ip;
	regs->sp = (unsigned long)&frame->to;
	regs->cs = 0;
}

__no_stack_protector
u32 rtrace_stub_enter_long(struct rtrace_frame *frame, unsigned long bp, u32 result)
{
	struct pt_regs regs __uninitialized;
	struct rtrace_moment moment __uninitialized;
	u64 begun = unlikely(raw_cpu_read(rtrace_turn) < 0) ? rtrace_sample_begin() : 0;
	u8 busy;

	/* It may have been this half's turn, which could not do it. */
	if (begun && result == RTRACE_STUB_LONG)
		result = rtrace_on_stub_again(frame);
	if (result < RTRACE_STUB_LONG) {
		/* The other half takes no turns: this one stands for both. */
		rtrace_sample_end(begun);
		rtrace_sample_end(begun);
	} else {
		rtrace_frame_regs(&regs, frame, bp);
		busy = rtrace_moment_begin(&moment, begun);
		result = rtrace_on_stub_entry(frame, frame->ip - MCOUNT_INSN_SIZE, &moment,
					      &regs, result);
		rtrace_moment_end(&moment, busy);
	}
	preempt_enable_notrace();
	return result;
}

__no_stack_protector
void rtrace_stub_exit_long(struct rtrace_frame *frame, u64 value, unsigned long bp)
{
	struct pt_regs regs __uninitialized;
	struct rtrace_moment moment __uninitialized;
	u8 busy;

	/* As when it has just returned: where to, the unwinder knows. */
	rtrace_frame_regs(&regs, frame, bp);
	regs.ip = (unsigned long)rtrace_stub_exit;
	regs.sp = (unsigned long)frame;
	regs.ax = value;
	busy = rtrace_moment_begin(&moment, rtrace_sample());
	rtrace_on_stub_return(frame, &moment, value, &regs);
	rtrace_moment_end(&moment, busy);
	this_cpu_dec(rtrace_frames);
	preempt_enable_notrace();
}
