// SPDX-License-Identifier: GPL-2.0
/*
 * Stacks of the kernel and of user space, from where a probe fires.
 *
 * Any context, with preemption off. As inlines.c, without ftrace sites of its own; what is
 * called here can be traced itself: see rtrace_shield().
 */
#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include <asm/unwind.h>

#include "../arch/stub.h"
#include "shim.h"
#include "moment.h"

u32 rtrace_kernel_stack(const struct rtrace_place *place, u64 *frames, u32 room)
{
	struct pt_regs start = { .cs = __KERNEL_CS };
	struct unwind_state state;
	bool is_return = place->kind == RTRACE_PLACE_RETURN;
	u32 count = 0;
	u8 busy;

	if (!room)
		return 0;
	switch (place->kind) {
	case RTRACE_PLACE_ENTRY:
	case RTRACE_PLACE_STUB:
	case RTRACE_PLACE_RETURN: {
		struct ftrace_regs *fregs = (struct ftrace_regs *)place->regs;
		const struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;

		/* Others are not saved here. */
		start.ip = is_return ? place->to : regs->ip;
		start.sp = regs->sp;
		start.bp = regs->bp;
		/* As a call from there is seen by others, at either end. */
		frames[count++] = place->site + MCOUNT_INSN_SIZE;
		break;
	}
	case RTRACE_PLACE_CLOCK:
		if (!place->regs || user_mode((struct pt_regs *)place->regs))
			return 0;
		start = *(const struct pt_regs *)place->regs;
		frames[count++] = start.ip;
		break;
	default:
		return 0;
	}
	/* What the unwinder leaves out: where it begins. */
	if (is_return && count < room)
		frames[count++] = start.ip;
	busy = rtrace_shield();
	for (unwind_start(&state, current, &start, NULL);
	     count < room && !unwind_done(&state); unwind_next_frame(&state)) {
		unsigned long address = unwind_get_return_address(&state);

		if (!address) {
			/*
			 * Where the function below returns to is known, only whose text that is is not: what hides
			 * must not hide its callers as well. From there on the unwinder would guess.
			 */
			if (!state.error && state.ip >= TASK_SIZE_MAX)
				frames[count++] = state.ip;
			break;
		}
		/* Between a function and its caller there is none. */
		if (!rtrace_is_stub_exit(address))
			frames[count++] = address;
	}
	rtrace_unshield(busy);
	return count;
}

u32 rtrace_user_stack(u64 *frames, u32 room)
{
	struct pt_regs *regs;
	u32 count = 0;
	u64 frame;
	bool wide;

	if (!room || !rtrace_has_user_memory())
		return 0;
	regs = task_pt_regs(current);
	if (!user_mode(regs)) /* still in exec */
		return 0;
	wide = user_64bit_mode(regs);
	frames[count++] = regs->ip;
	frame = regs->bp;
	while (count < room) {
		u64 next, address;

		if (wide) {
			u64 pair[2];

			if (frame % 8 || !rtrace_read_user(pair, frame, sizeof(pair)))
				break;
			next = pair[0];
			address = pair[1];
		} else {
			u32 pair[2];

			if (frame % 4 || !rtrace_read_user(pair, (u32)frame, sizeof(pair)))
				break;
			next = pair[0];
			address = pair[1];
		}
		/* Stacks grow downwards. */
		if (!address || address >= TASK_SIZE_MAX)
			break;
		frames[count++] = address;
		if (next <= frame)
			break;
		frame = next;
	}
	return count;
}

void rtrace_counters(const struct rtrace_place *place, u64 *kernel, u64 *user)
{
	const struct pt_regs *regs = place->kind == RTRACE_PLACE_CLOCK ? place->regs : NULL;

	*kernel = regs && !user_mode((struct pt_regs *)regs) ? regs->ip : 0;
	*user = regs && user_mode((struct pt_regs *)regs) ? regs->ip : 0;
}
