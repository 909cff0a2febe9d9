// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments in registers and on the stack, and the registers of user space.
 *
 * Any context, with preemption off. As inlines.c, without ftrace sites of its own; what is
 * called here can be traced itself: see rtrace_shield().
 */
#include <linux/ftrace.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "../../include/uapi/rust_tracer.h"
#include "shim.h"

bool rtrace_system_call_arguments(const void *regs, u64 *arguments)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	const struct pt_regs *user = task_pt_regs(current);

	if (ftrace_regs_get_argument(fregs, 0) != (unsigned long)user)
		return false;
	arguments[0] = user->di;
	arguments[1] = user->si;
	arguments[2] = user->dx;
	arguments[3] = user->r10;
	arguments[4] = user->r8;
	arguments[5] = user->r9;
	return true;
}

u64 rtrace_stack_argument(const void *regs, u32 number)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	u64 value = 0;

	/* The return address lies before them. */
	rtrace_read_kernel(&value, ftrace_regs_get_stack_pointer(fregs) + 8 * (1 + number), 8);
	return value;
}

bool rtrace_passed_registers(const void *regs, u64 *arguments)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	struct pt_regs passed;

	if (!rtrace_read_kernel(&passed, ftrace_regs_get_argument(fregs, 0), sizeof(passed)))
		return false;
	arguments[0] = passed.di;
	arguments[1] = passed.si;
	arguments[2] = passed.dx;
	arguments[3] = passed.r10;
	arguments[4] = passed.r8;
	arguments[5] = passed.r9;
	return true;
}

#define RTRACE_UREG_OF(field) (offsetof(struct pt_regs, field) / sizeof(unsigned long))

/* DTrace's numbers are those of struct pt_regs, as far as it goes. */
static_assert(RTRACE_UREG_OF(r15) == RTRACE_UREG_R15);
static_assert(RTRACE_UREG_OF(ax) == RTRACE_UREG_RAX);
static_assert(RTRACE_UREG_OF(orig_ax) == RTRACE_UREG_ERR);
static_assert(RTRACE_UREG_OF(ip) == RTRACE_UREG_RIP);
static_assert(RTRACE_UREG_OF(sp) == RTRACE_UREG_RSP);
static_assert(RTRACE_UREG_OF(ss) == RTRACE_UREG_SS);

u64 rtrace_user_register(u32 number)
{
	const struct thread_struct *thread = &current->thread;
	struct pt_regs *regs = task_pt_regs(current);

	if ((current->flags & PF_KTHREAD) || !user_mode(regs))
		return 0;
	switch (number) {
	case RTRACE_UREG_CS: /* beside which FRED keeps more, as beside the next */
		return regs->cs;
	case RTRACE_UREG_SS:
		return regs->ss;
	case RTRACE_UREG_DS:
		return thread->ds;
	case RTRACE_UREG_ES:
		return thread->es;
	case RTRACE_UREG_FS:
		return thread->fsbase;
	case RTRACE_UREG_GS:
		return thread->gsbase;
	case RTRACE_UREG_TRAPNO:
		return thread->trap_nr;
	}
	if (number > RTRACE_UREG_SS)
		return 0;
	number = array_index_nospec(number, RTRACE_UREG_SS + 1);
	return regs_get_register(regs, number * sizeof(unsigned long));
}
