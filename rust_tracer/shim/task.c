// SPDX-License-Identifier: GPL-2.0
/*
 * What a program reads of the current task, and of clocks.
 *
 * Any context, with preemption off. As inlines.c, without ftrace sites of its own; what is
 * called here can be traced itself: see rtrace_shield().
 */
#include <linux/cred.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>

#include "shim.h"
#include "moment.h"

u64 rtrace_current(void)
{
	return (unsigned long)current;
}

u32 rtrace_parent(void)
{
	/* Preemption is off, which RCU readers may rely on. */
	const struct task_struct *parent = rcu_dereference_raw(current->real_parent);

	return parent->tgid;
}

u32 rtrace_gid(void)
{
	return __kgid_val(current_real_cred()->gid);
}

bool rtrace_descends_from(u32 process)
{
	const struct task_struct *task = current;
	u32 steps;

	for (steps = 0; steps < 4096 && task->pid; steps++) {
		if (task->tgid == process)
			return true;
		task = rcu_dereference_raw(task->real_parent);
	}
	return task->tgid == process;
}

/*
 * The scheduler's sum is brought up to date by ticks and switches; since then the
 * task has run on. Its clock is local_clock() where it leaves nothing out; else
 * the sum alone is told.
 */
u64 rtrace_virtual_time(void)
{
	u64 sum = READ_ONCE(current->se.sum_exec_runtime);
#if !defined(CONFIG_IRQ_TIME_ACCOUNTING) && !defined(CONFIG_PARAVIRT_TIME_ACCOUNTING)
	u64 since = READ_ONCE(current->se.exec_start);
	s64 more;
	u8 busy = rtrace_shield();

	more = local_clock() - since;
	rtrace_unshield(busy);
	/* Not an idle task's, nor while the sum is being changed. */
	if (more > 0 && current->pid && READ_ONCE(current->se.sum_exec_runtime) == sum)
		sum += more;
#endif
	return sum;
}

u64 rtrace_wall_time(void)
{
	return ktime_get_real_fast_ns();
}

u64 rtrace_random(void)
{
	return get_random_u64();
}
