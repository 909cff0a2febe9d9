// SPDX-License-Identifier: GPL-2.0
/*
 * The stub's frames that are on some stack: whose they are, what becomes of them when
 * a task dies or the stub is detached, and how long the module must stay for their
 * sake. Built without ftrace sites of its own, as inlines.c.
 */
#include <linux/cpu.h>
#include <linux/ftrace.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/static_call.h>
#include <linux/stop_machine.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>
#include <asm/text-patching.h>
#include <asm/unwind.h>

#include "../arch/stub.h"
#include "shim.h"

#ifndef CONFIG_UNWINDER_ORC
#error "the stub's frames are found by the ORC unwinder"
#endif

DEFINE_PER_CPU(u64, rtrace_frames);

static u64 rtrace_frames_now(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(rtrace_frames, cpu));
	return sum;
}

/*
 * Our frames on the stack of a task whose functions are still to return: the
 * current one's from here on, or of one that does not run. (Who was interrupted
 * where the functions return to has returned.)
 */
static void rtrace_each_frame(struct task_struct *task,
			      void (*each)(struct rtrace_frame *, struct task_struct *))
{
	struct unwind_state state;

	for (unwind_start(&state, task, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		unsigned long address = unwind_get_return_address(&state);

		if (!address)
			break;
		if (rtrace_is_stub_exit(address) && !state.signal)
			each((struct rtrace_frame *)state.sp, task);
	}
}

static void rtrace_frame_died(struct rtrace_frame *frame, struct task_struct *task)
{
	rtrace_on_stub_died(frame);
	this_cpu_dec(rtrace_frames);
}

static void rtrace_exits(void *data, struct task_struct *task, bool group_dead)
{
	preempt_disable_notrace();
	rtrace_each_frame(task, rtrace_frame_died);
	preempt_enable_notrace();
}

static void rtrace_find_exit_point(struct tracepoint *point, void *data)
{
	if (!strcmp(point->name, "sched_process_exit"))
		*(struct tracepoint **)data = point;
}

static struct tracepoint *rtrace_exit_point;

/*
 * From the first function that is attached until the last call has returned the
 * module holds itself, and exits are watched; when the stub is attached no more, a
 * work item looks for the end. The attaching side and the work exclude each other.
 */
static bool rtrace_stub_used, rtrace_stub_held, rtrace_exits_watched;
static unsigned int rtrace_stub_looks, rtrace_stub_tries;

static void rtrace_stub_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(rtrace_stub_work, rtrace_stub_look);

void rtrace_stub_is_used(void)
{
	rtrace_stub_used = true;
}

int rtrace_stub_hold(void)
{
	int error;

	cancel_delayed_work_sync(&rtrace_stub_work);
	if (!rtrace_exit_point)
		for_each_kernel_tracepoint(rtrace_find_exit_point, &rtrace_exit_point);
	if (!rtrace_exit_point)
		return -ENOENT;
	if (!rtrace_exits_watched) {
		error = tracepoint_probe_register(rtrace_exit_point, rtrace_exits, NULL);
		if (error)
			return error;
		rtrace_exits_watched = true;
	}
	if (!rtrace_stub_held)
		__module_get(THIS_MODULE);
	rtrace_stub_held = true;
	return 0;
}

/* Who is still on the way into the stub finds no probe there, and makes no frame. */
static bool rtrace_stub_put(void)
{
	if (rtrace_stub_held && rtrace_frames_now())
		return false;
	if (rtrace_stub_held)
		module_put(THIS_MODULE);
	rtrace_stub_held = false;
	return true;
}

void rtrace_stub_let_go(void)
{
	rtrace_stub_looks = rtrace_stub_tries = 0;
	rtrace_stub_put();
	schedule_delayed_work(&rtrace_stub_work, 0);
}

void rtrace_stubs_are_left(void)
{
	/* Tasks may be preempted there; idle ones and interrupts are not. */
	synchronize_rcu_tasks();
	/* As in rtrace_wait_for_handlers(). */
	cpus_read_lock();
	synchronize_rcu();
	cpus_read_unlock();
}

void rtrace_stub_stop(void)
{
	flush_delayed_work(&rtrace_stub_work);
	if (!rtrace_stub_used)
		return;
	/* Who is in the stub, on its way in or out, leaves it. */
	rtrace_slots_stop();
	rtrace_stubs_are_left();
}

static void rtrace_say_frame(struct rtrace_frame *frame, struct task_struct *task)
{
	pr_info("rust_tracer: %s[%d] is still in %ps\n", task->comm, task->pid,
		(void *)frame->ip);
}

/* Whether its frames may be looked at. One that ends has told of them itself, or is about to. */
static bool rtrace_may_have_frames(struct task_struct *task)
{
	return task != current && READ_ONCE(task->stack) &&
	       !(READ_ONCE(task->flags) & PF_EXITING);
}

/* Our frames of all tasks that do not run, as far as they do not change meanwhile. */
static void rtrace_each_task(void (*each)(struct rtrace_frame *, struct task_struct *))
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process_thread(process, task) {
		/* Its stack stays mapped for as long as this reads under RCU. */
		if (rtrace_may_have_frames(task))
			rtrace_each_frame(task, each);
	}
	rcu_read_unlock();
}

static void rtrace_say_frames(void)
{
	pr_info("rust_tracer: %llu traced calls have not returned: the module stays until they have\n",
		rtrace_frames_now());
	rtrace_each_task(rtrace_say_frame);
}

/*
 * A task may sleep in a function for as long as the machine runs, and nobody wants
 * to know any more when it returns. So where it returns to is changed: to pieces of
 * the kernel's own text that do what is left to do, to take the frame away and
 * return. Those are ends of functions: of one whose own frame is as large, or else of
 * several with smaller ones, each of which returns to the next. The unwinder knows
 * them, too.
 */
static bool stub_let_out = true;
module_param(stub_let_out, bool, 0644);
MODULE_PARM_DESC(stub_let_out, "when the stub is detached, let calls return past it that sleep; else the module stays until they have returned");

/* Words of a frame, and in the kernel's text what takes so many away and returns. */
#define RTRACE_FRAME_WORDS (offsetof(struct rtrace_frame, to) / sizeof(long))
static unsigned long rtrace_ways_out[RTRACE_FRAME_WORDS + 1];

static unsigned long rtrace_text, rtrace_text_end;

/*
 * Whether the kernel may change a call there. (By a static call: the kernel itself only
 * calls it directly, so an indirect call may find no ENDBR.)
 */
static int rtrace_all_reserved(void *start, void *end)
{
	return 1;
}

DEFINE_STATIC_CALL(rtrace_static_calls, rtrace_all_reserved);
static bool rtrace_static_calls_are_known;

void rtrace_text_is_at(unsigned long start, unsigned long end)
{
	rtrace_text = start;
	rtrace_text_end = end;
}

void rtrace_static_calls_are_told_by(unsigned long function)
{
	if (!function)
		return;
	static_call_update(rtrace_static_calls, (typeof(&rtrace_all_reserved))function);
	rtrace_static_calls_are_known = true;
}

/* What the kernel made of a RET: `ret`, or a jump. It may change what was a call. */
static bool rtrace_is_return(unsigned long at)
{
	unsigned long ours = (unsigned long)rtrace_stub_return;

	if (*(u8 *)at != *(u8 *)ours ||
	    static_call(rtrace_static_calls)((void *)at, (void *)at))
		return false;
	if (*(u8 *)ours == JMP32_INSN_OPCODE)
		return ours + *(s32 *)(ours + 1) == at + *(s32 *)(at + 1);
	return *(u8 *)ours == RET_INSN_OPCODE;
}

/* Whether the unwinder goes on from there as from a frame of so many words. */
static bool rtrace_is_like_ours(unsigned long at, unsigned int words)
{
	unsigned long stack[RTRACE_FRAME_WORDS + 2] = {};
	struct pt_regs regs = { .ip = at, .sp = (unsigned long)stack, .cs = __KERNEL_CS };
	struct unwind_state state;

	stack[words] = rtrace_text;
	unwind_start(&state, current, &regs, NULL);
	/* It begins at the next one. */
	return !unwind_done(&state) && unwind_get_return_address(&state) == rtrace_text &&
	       state.sp == (unsigned long)&stack[words + 1];
}

/* One that begins here, if one does. */
static void rtrace_try_way_out(unsigned long at)
{
	/* add $..., %rsp; and before a plain return, xor %eax, %eax. */
	static const u8 add[] = { 0x48, 0x83, 0xc4 }, xor[] = { 0x31, 0xc0 };
	unsigned int words = 0, bytes;
	unsigned long ret;

	static_assert(offsetof(struct rtrace_frame, to) < 128);
	if (!memcmp((void *)at, xor, sizeof(xor))) {
		ret = at += sizeof(xor);
	} else if (!memcmp((void *)at, add, sizeof(add))) {
		bytes = *(u8 *)(at + sizeof(add));
		words = bytes / sizeof(long);
		if (!words || bytes % sizeof(long) || words > RTRACE_FRAME_WORDS)
			return;
		ret = at + sizeof(add) + 1;
	} else {
		return;
	}
	/* An unwinder asks for the address before. */
	if (!rtrace_ways_out[words] && rtrace_is_return(ret) &&
	    rtrace_is_like_ours(at - 1, words))
		rtrace_ways_out[words] = at;
}

static bool rtrace_has_way_out(void)
{
	return rtrace_ways_out[RTRACE_FRAME_WORDS] || rtrace_ways_out[0];
}

/* So many bytes are looked through for the best one, if there are others. */
#define RTRACE_WAYS_OUT_BYTES (8ul << 20)

/* Finds ways out: the best one, or else others. */
static void rtrace_find_ways_out(void)
{
	unsigned long at;

	if (!rtrace_static_calls_are_known || rtrace_has_way_out())
		return;
	for (at = rtrace_text; at && at + 16 < rtrace_text_end; at++) {
		rtrace_try_way_out(at);
		if (rtrace_ways_out[RTRACE_FRAME_WORDS] ||
		    (rtrace_ways_out[0] && at - rtrace_text > RTRACE_WAYS_OUT_BYTES))
			return;
		if (!(at & 0xffff))
			cond_resched();
	}
}

static void rtrace_let_out(struct rtrace_frame *frame, struct task_struct *task)
{
	unsigned long *to = (unsigned long *)frame - 1;
	unsigned int left, words;

	/* The function graph may have put its own address there. */
	if (!rtrace_is_stub_exit(*to))
		return;
	for (left = RTRACE_FRAME_WORDS;; left -= words + 1) {
		for (words = left; !rtrace_ways_out[words]; words--)
			;
		*to = rtrace_ways_out[words];
		if (words == left)
			break;
		to += words + 1;
	}
	raw_cpu_dec(rtrace_frames);
}

/*
 * Tasks that seem to have frames, so many at a time: the machine stands still for
 * them alone, and not for as many as there are. Those that stayed come first again, and
 * are skipped.
 */
#define RTRACE_LEAVING_MAX 128
static struct {
	struct task_struct *tasks[RTRACE_LEAVING_MAX];
	struct task_struct *last;
	unsigned int count;
	unsigned int skip;
	unsigned int stayed;
} rtrace_leaving;

static void rtrace_note_leaving(struct rtrace_frame *frame, struct task_struct *task)
{
	if (rtrace_leaving.last == task)
		return;
	rtrace_leaving.last = task;
	if (rtrace_leaving.skip)
		rtrace_leaving.skip--;
	else if (rtrace_leaving.count < RTRACE_LEAVING_MAX)
		rtrace_leaving.tasks[rtrace_leaving.count++] = get_task_struct(task);
}

/* All other CPUs stand still, and no task runs. */
static int rtrace_let_them_out(void *data)
{
	unsigned int i;

	for (i = 0; i < rtrace_leaving.count; i++) {
		u64 frames = raw_cpu_read(rtrace_frames);

		if (rtrace_may_have_frames(rtrace_leaving.tasks[i]))
			rtrace_each_frame(rtrace_leaving.tasks[i], rtrace_let_out);
		rtrace_leaving.stayed += raw_cpu_read(rtrace_frames) == frames;
	}
	return 0;
}

static void rtrace_let_all_out(void)
{
	unsigned int count;

	rtrace_leaving.stayed = 0;
	do {
		rtrace_leaving.count = 0;
		rtrace_leaving.last = NULL;
		rtrace_leaving.skip = rtrace_leaving.stayed;
		rtrace_each_task(rtrace_note_leaving);
		count = rtrace_leaving.count;
		if (count)
			stop_machine(rtrace_let_them_out, NULL, NULL);
		while (rtrace_leaving.count)
			put_task_struct(rtrace_leaving.tasks[--rtrace_leaving.count]);
		cond_resched();
	} while (count == RTRACE_LEAVING_MAX);
}

#define RTRACE_STUB_LOOK (HZ / 10)
/* So many looks, then it is said who is waited for. */
#define RTRACE_STUB_PATIENCE 10

static void rtrace_stub_look(struct work_struct *work)
{
	if (!rtrace_stub_put()) {
		/* Not for those who are about to return; and as soon as it may be, if it may be later. */
		unsigned int tries = READ_ONCE(stub_let_out) ? ++rtrace_stub_tries : 0;

		/* Who was on the way into the function may sleep in it by now: again, more seldom. */
		if (tries > 1 && is_power_of_2(tries)) {
			rtrace_find_ways_out();
			if (rtrace_has_way_out())
				rtrace_let_all_out();
		}
		if (++rtrace_stub_looks == RTRACE_STUB_PATIENCE)
			rtrace_say_frames();
		schedule_delayed_work(&rtrace_stub_work, RTRACE_STUB_LOOK);
		return;
	}
	tracepoint_probe_unregister(rtrace_exit_point, rtrace_exits, NULL);
	tracepoint_synchronize_unregister();
	rtrace_exits_watched = false;
}
