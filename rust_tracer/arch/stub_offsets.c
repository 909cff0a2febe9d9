// SPDX-License-Identifier: GPL-2.0
/*
 * What the stub's assembly has to know of C: made into arch/stub_offsets.h (see
 * Kbuild). It is compiled, but not linked.
 */
#define COMPILE_OFFSETS
#include <linux/kbuild.h>
#include <linux/sched.h>

#include "stub.h"

void rtrace_stub_offsets(void);

void rtrace_stub_offsets(void)
{
	OFFSET(RTRACE_TASK_STACK, task_struct, stack);
	DEFINE(RTRACE_ROOM_USED_MAX, RTRACE_STACK_BYTES - RTRACE_STACK_MARGIN);
	DEFINE(RTRACE_ROOM, RTRACE_STACK_BYTES);
	BLANK();
	OFFSET(RTRACE_FRAME_R9, rtrace_frame, r9);
	OFFSET(RTRACE_FRAME_R8, rtrace_frame, r8);
	OFFSET(RTRACE_FRAME_TOKEN, rtrace_frame, token);
	OFFSET(RTRACE_FRAME_CX, rtrace_frame, cx);
	OFFSET(RTRACE_FRAME_DX, rtrace_frame, dx);
	OFFSET(RTRACE_FRAME_SI, rtrace_frame, si);
	OFFSET(RTRACE_FRAME_DI, rtrace_frame, di);
	OFFSET(RTRACE_FRAME_TIME, rtrace_frame, time);
	OFFSET(RTRACE_FRAME_IP, rtrace_frame, ip);
	OFFSET(RTRACE_FRAME_TO, rtrace_frame, to);
	BLANK();
	DEFINE(RTRACE_REGS_BYTES, sizeof(struct pt_regs));
	OFFSET(RTRACE_REGS_BP, pt_regs, bp);
	OFFSET(RTRACE_REGS_R9, pt_regs, r9);
	OFFSET(RTRACE_REGS_R8, pt_regs, r8);
	OFFSET(RTRACE_REGS_AX, pt_regs, ax);
	OFFSET(RTRACE_REGS_CX, pt_regs, cx);
	OFFSET(RTRACE_REGS_DX, pt_regs, dx);
	OFFSET(RTRACE_REGS_SI, pt_regs, si);
	OFFSET(RTRACE_REGS_DI, pt_regs, di);
	OFFSET(RTRACE_REGS_ORIG_AX, pt_regs, orig_ax);
	OFFSET(RTRACE_REGS_IP, pt_regs, ip);
	OFFSET(RTRACE_REGS_CS, pt_regs, cs);
	OFFSET(RTRACE_REGS_SP, pt_regs, sp);
	BLANK();
	OFFSET(RTRACE_TABLE_SLOTS, rtrace_table, slots);
	OFFSET(RTRACE_TABLE_MASK, rtrace_table, mask);
	OFFSET(RTRACE_SLOT_SITE, rtrace_slot, site);
	OFFSET(RTRACE_SLOT_HOT, rtrace_slot, hot);
	OFFSET(RTRACE_SLOT_WHAT, rtrace_slot, what);
	OFFSET(RTRACE_SLOT_RECORDS, rtrace_slot, records);
	OFFSET(RTRACE_SLOT_AT_ONCE, rtrace_slot, at_once);
	OFFSET(RTRACE_SLOT_TESTED, rtrace_slot, tested);
	OFFSET(RTRACE_SLOT_ENTERED, rtrace_slot, entered);
	OFFSET(RTRACE_SLOT_BLOCK, rtrace_slot, block);
	OFFSET(RTRACE_SLOT_DATA, rtrace_slot, data);
	OFFSET(RTRACE_SLOT_LOW, rtrace_slot, low);
	OFFSET(RTRACE_SLOT_SPAN, rtrace_slot, span);
	OFFSET(RTRACE_HOT_TOKEN, rtrace_hot, token);
	OFFSET(RTRACE_HOT_COUNTERS, rtrace_hot, counters);
	OFFSET(RTRACE_HOT_RUNNING, rtrace_hot, running);
	OFFSET(RTRACE_HOT_FIRED, rtrace_hot, fired);
	OFFSET(RTRACE_HOT_AGGREGATIONS, rtrace_hot, aggregations);
	BLANK();
	DEFINE(RTRACE_SLOT_STUB_BYTES, sizeof(struct rtrace_slot_stub));
	OFFSET(RTRACE_SLOT_STUB_SLOT, rtrace_slot_stub, slot);
	OFFSET(RTRACE_SLOT_STUB_IP, rtrace_slot_stub, ip);
}
