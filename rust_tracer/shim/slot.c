// SPDX-License-Identifier: GPL-2.0
/*
 * What C has to do for slot stubs (arch/slot.S): their ftrace_ops, and where each
 * goes on to. Built without ftrace sites of its own, as inlines.c.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/workqueue.h>

#include "../arch/stub.h"
#include "shim.h"

struct rtrace_slot_stub rtrace_slot_stubs[RTRACE_SLOT_STUBS] __cacheline_aligned;

/*
 * The rest of the function that each serves. The compiler must not see a prototype:
 * arguments and value go through as they are.
 */
static void rtrace_nowhere(void)
{
}
#define RTRACE_DEFINE(n) DEFINE_STATIC_CALL(rtrace_slot_##n, rtrace_nowhere);
RTRACE_EACH_SLOT_STUB(RTRACE_DEFINE)

static const struct {
	struct static_call_key *key;
	void *tramp;
} rtrace_slot_calls[RTRACE_SLOT_STUBS] = {
#define RTRACE_CALL(n) { &STATIC_CALL_KEY(rtrace_slot_##n), &STATIC_CALL_TRAMP(rtrace_slot_##n) },
	RTRACE_EACH_SLOT_STUB(RTRACE_CALL)
};

bool rtrace_is_slot_exit(unsigned long address)
{
	unsigned int number;

	for (number = 0; number < RTRACE_SLOT_STUBS; number++)
		if (address == rtrace_slot_texts[number].exit)
			return true;
	return false;
}

/*
 * A site jumps to the trampoline that an ops brings along if bit 0 of its address is
 * set: what is at a site follows from that address alone, whoever has given it
 * (ftrace_call_replace()).
 */
static struct ftrace_ops rtrace_slot_ops[RTRACE_SLOT_STUBS];

struct ftrace_ops *rtrace_ops_of_slot(u32 number)
{
	struct ftrace_ops *ops = &rtrace_slot_ops[number];

	if (!ops->func) {
		rtrace_stub_is_used();
		ops->func = rtrace_stub_listed;
		ops->flags = FTRACE_OPS_FL_SAVE_REGS;
		ops->trampoline = ftrace_jmp_set(rtrace_slot_texts[number].start);
	}
	return ops;
}

bool rtrace_is_slot_ops(u64 ops)
{
	u64 at = ops - (unsigned long)rtrace_slot_ops;

	return at < sizeof(rtrace_slot_ops) && at % sizeof(*rtrace_slot_ops) == 0;
}

unsigned long rtrace_slot_trampoline(u32 number)
{
	return (unsigned long)rtrace_slot_calls[number].tramp;
}

static bool stub_slots = true;
module_param(stub_slots, bool, 0644);
MODULE_PARM_DESC(stub_slots, "give stubs of their own to functions, as long as there are some");

/*
 * A processor that counts how deep calls are (X86_FEATURE_CALL_DEPTH) would have each
 * of them by way of bytes before the function, which are not there before its middle.
 */
bool rtrace_slots_are_there(void)
{
	return READ_ONCE(stub_slots) && IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_JMP) &&
	       IS_ENABLED(CONFIG_HAVE_STATIC_CALL_INLINE) &&
	       !cpu_feature_enabled(X86_FEATURE_CALL_DEPTH);
}

void rtrace_slot_serve(u32 number, unsigned long site)
{
	unsigned long ip = site + MCOUNT_INSN_SIZE;

	rtrace_slot_stubs[number].ip = ip;
	__static_call_update(rtrace_slot_calls[number].key, rtrace_slot_calls[number].tramp,
			     (void *)ip);
}

void rtrace_slot_is_at(u32 number, const struct rtrace_slot *slot)
{
	/* Who reads it has preemption off, and uses it no longer than that. */
	smp_store_release(&rtrace_slot_stubs[number].slot, slot);
}

/*
 * A task may have been preempted in a stub that is attached no more, on its way into
 * the function: before the stub serves another one, it must have gone on. So long it
 * may take until all tasks have.
 */
static u64 rtrace_slots_left, rtrace_slots_settled;

static void rtrace_slots_settle(struct work_struct *work)
{
	u64 left = READ_ONCE(rtrace_slots_left);

	rtrace_stubs_are_left();
	WRITE_ONCE(rtrace_slots_settled, left);
}
static DECLARE_WORK(rtrace_slots_work, rtrace_slots_settle);

u64 rtrace_slot_leave(void)
{
	u64 turn = rtrace_slots_left + 1;

	WRITE_ONCE(rtrace_slots_left, turn);
	queue_work(system_dfl_long_wq, &rtrace_slots_work);
	return turn;
}

bool rtrace_slot_is_left(u64 turn)
{
	return READ_ONCE(rtrace_slots_settled) >= turn;
}

void rtrace_slots_stop(void)
{
	flush_work(&rtrace_slots_work);
}
