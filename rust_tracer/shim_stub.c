// SPDX-License-Identifier: GPL-2.0
/*
 * What C has to do for the stub (arch/stub.S): its ftrace_ops, the long way of its
 * two halves, and whose frames are still on some stack. Built without ftrace sites
 * of its own, as shim.c.
 */
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
#include <asm/cpu_entry_area.h>
#include <asm/text-patching.h>
#include <asm/unwind.h>

#include "arch/stub.h"
#include "shim.h"
#include "shim_moment.h"

#if !defined(CONFIG_PREEMPT_COUNT) || !defined(CONFIG_UNWINDER_ORC)
#error "the stub needs a preemption count, and the ORC unwinder"
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

/* As for rtrace_symbols in shim.c. */
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
static __no_stack_protector
void rtrace_stub_listed(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;
	struct rtrace_moment moment __uninitialized;
	u8 busy;

	if (likely(regs->orig_ax || !static_call(rtrace_direct_of)(ip))) {
		regs->r10 = ip + MCOUNT_INSN_SIZE;
		regs->ax = regs->orig_ax;
		regs->orig_ax = (unsigned long)rtrace_stub_shared;
		return;
	}
	preempt_disable_notrace();
	busy = rtrace_moment_begin(&moment, rtrace_sample());
	rtrace_on_stub_entry(NULL, ip, &moment, regs);
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

static bool stub_let_out = true;
module_param(stub_let_out, bool, 0644);
MODULE_PARM_DESC(stub_let_out, "when the stub is detached, let calls return past it that sleep; else the module stays until they have returned");

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

static bool rtrace_stub_used;

void rtrace_stub_is_used(void)
{
	rtrace_stub_used = true;
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
u32 rtrace_stub_enter_long(struct rtrace_frame *frame, unsigned long bp)
{
	struct pt_regs regs __uninitialized;
	struct rtrace_moment moment __uninitialized;
	/* It may have been this half's turn, which could not do it. */
	u64 begun = unlikely(raw_cpu_read(rtrace_turn) < 0) ? rtrace_sample_begin() : 0;
	u32 result = begun ? rtrace_on_stub_again(frame) : RTRACE_STUB_LONG;
	u8 busy;

	if (result != RTRACE_STUB_LONG) {
		/* The other half takes no turns: this one stands for both. */
		rtrace_sample_end(begun);
		rtrace_sample_end(begun);
	} else {
		rtrace_frame_regs(&regs, frame, bp);
		busy = rtrace_moment_begin(&moment, begun);
		result = rtrace_on_stub_entry(frame, frame->ip - MCOUNT_INSN_SIZE, &moment,
					      &regs);
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

/* ---- frames that are on some stack ------------------------------------------- */

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
		if (address == (unsigned long)rtrace_stub_exit && !state.signal)
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
static bool rtrace_stub_held, rtrace_exits_watched;
static unsigned int rtrace_stub_looks;

static void rtrace_stub_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(rtrace_stub_work, rtrace_stub_look);

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
	rtrace_stub_looks = 0;
	rtrace_stub_put();
	schedule_delayed_work(&rtrace_stub_work, 0);
}

void rtrace_stub_stop(void)
{
	flush_delayed_work(&rtrace_stub_work);
	if (!rtrace_stub_used)
		return;
	/* Who is in the stub, on its way in or out, leaves it. */
	synchronize_rcu_tasks();
	synchronize_rcu();
}

static void rtrace_say_frame(struct rtrace_frame *frame, struct task_struct *task)
{
	pr_info("rust_tracer: %s[%d] is still in %ps\n", task->comm, task->pid,
		(void *)frame->ip);
}

static void rtrace_say_frames(void)
{
	struct task_struct *process, *task;

	pr_info("rust_tracer: %llu traced calls have not returned: the module stays until they have\n",
		rtrace_frames_now());
	rcu_read_lock();
	for_each_process_thread(process, task) {
		/* Its stack stays mapped for as long as this reads under RCU. */
		if (task != current && !task_is_running(task) && READ_ONCE(task->stack))
			rtrace_each_frame(task, rtrace_say_frame);
	}
	rcu_read_unlock();
}

/*
 * A task may sleep in a function for as long as the machine runs, and nobody wants
 * to know any more when it returns. So where it returns to is changed: to kernel
 * text that does what is left to do, to take the frame away and return. That is the
 * end of any function whose own frame is as large; the unwinder knows it too.
 */
static unsigned long rtrace_text, rtrace_text_end, rtrace_way_out;

void rtrace_text_is_at(unsigned long start, unsigned long end)
{
	rtrace_text = start;
	rtrace_text_end = end;
}

/* What the kernel made of a RET: `ret`, or a jump. */
static bool rtrace_is_return(unsigned long at)
{
	unsigned long ours = (unsigned long)rtrace_stub_return;

	if (*(u8 *)ours == RET_INSN_OPCODE)
		return *(u8 *)at == RET_INSN_OPCODE;
	return *(u8 *)ours == JMP32_INSN_OPCODE && *(u8 *)at == JMP32_INSN_OPCODE &&
	       ours + *(s32 *)(ours + 1) == at + *(s32 *)(at + 1);
}

/* Whether the unwinder goes on from there as from a frame of ours. */
static bool rtrace_is_like_ours(unsigned long at)
{
	unsigned long stack[offsetof(struct rtrace_frame, to) / sizeof(long) + 2] = {};
	struct pt_regs regs = { .ip = at, .sp = (unsigned long)stack, .cs = __KERNEL_CS };
	struct unwind_state state;
	const int to = offsetof(struct rtrace_frame, to) / sizeof(long);

	stack[to] = rtrace_text;
	unwind_start(&state, current, &regs, NULL);
	/* It begins at the next one. */
	return !unwind_done(&state) && unwind_get_return_address(&state) == rtrace_text &&
	       state.sp == (unsigned long)&stack[to + 1];
}

static unsigned long rtrace_find_way_out(void)
{
	/* add $the frame's size, %rsp */
	static const u8 add[] = { 0x48, 0x83, 0xc4, offsetof(struct rtrace_frame, to) };
	unsigned long at;

	static_assert(offsetof(struct rtrace_frame, to) < 128);
	for (at = rtrace_text; at && at + 16 < rtrace_text_end; at++) {
		if (!memcmp((void *)at, add, sizeof(add)) &&
		    rtrace_is_return(at + sizeof(add)) && rtrace_is_like_ours(at - 1))
			return at;
		if (!(at & 0xfffff))
			cond_resched();
	}
	return 0;
}

static void rtrace_let_out(struct rtrace_frame *frame, struct task_struct *task)
{
	unsigned long *to = (unsigned long *)frame - 1;

	/* The function graph may have put its own address there. */
	if (*to == (unsigned long)rtrace_stub_exit) {
		*to = rtrace_way_out;
		raw_cpu_dec(rtrace_frames);
	}
}

/* All other CPUs stand still, and no task runs. */
static int rtrace_let_all_out(void *data)
{
	struct task_struct *process, *task;

	for_each_process_thread(process, task) {
		if (task != current && task->stack)
			rtrace_each_frame(task, rtrace_let_out);
	}
	return 0;
}

#define RTRACE_STUB_LOOK (HZ / 10)
/* So many looks, then it is said who is waited for. */
#define RTRACE_STUB_PATIENCE 10

static void rtrace_stub_look(struct work_struct *work)
{
	if (!rtrace_stub_put()) {
		unsigned int looks = ++rtrace_stub_looks;

		if (looks == 1 && !rtrace_way_out)
			rtrace_way_out = rtrace_find_way_out();
		/* Who was on the way into the function may sleep in it by now: again, more seldom. */
		if (looks > 1 && is_power_of_2(looks) && rtrace_way_out && READ_ONCE(stub_let_out))
			stop_machine(rtrace_let_all_out, NULL, NULL);
		if (looks == RTRACE_STUB_PATIENCE)
			rtrace_say_frames();
		schedule_delayed_work(&rtrace_stub_work, RTRACE_STUB_LOOK);
		return;
	}
	tracepoint_probe_unregister(rtrace_exit_point, rtrace_exits, NULL);
	tracepoint_synchronize_unregister();
	rtrace_exits_watched = false;
}
