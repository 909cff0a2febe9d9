// SPDX-License-Identifier: GPL-2.0
/*
 * A function that its caller stays in until told to go on, and one that its
 * caller never comes back from.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

#include "target.h"

/* How many tasks are inside rt_sleep, and how many of them may leave. */
static atomic_t sleepers = ATOMIC_INIT(0);
static atomic_t tickets = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(sleepers_changed);
static DECLARE_WAIT_QUEUE_HEAD(tickets_changed);

/* Sleeps until rt_release_sleepers lets one more out; a fatal signal ends it too. */
RT_TRACED u64 rt_sleep(u64 token)
{
	int error;

	atomic_inc(&sleepers);
	wake_up_all(&sleepers_changed);
	error = wait_event_killable(tickets_changed, atomic_dec_if_positive(&tickets) >= 0);
	atomic_dec(&sleepers);
	wake_up_all(&sleepers_changed);
	return error ? (u64)error : token + 9;
}

/* Waits until exactly `count` tasks are inside rt_sleep. */
int rt_await_sleepers(u64 count)
{
	return wait_event_killable(sleepers_changed, atomic_read(&sleepers) == count);
}

/* Lets `count` tasks leave rt_sleep. */
int rt_release_sleepers(u64 count)
{
	atomic_add(count, &tickets);
	wake_up_all(&tickets_changed);
	return 0;
}

/* Always true; the compiler cannot know. */
static bool dying = true;

/* Ends the task. */
RT_TRACED u64 rt_die(u64 token)
{
	if (READ_ONCE(dying))
		kthread_complete_and_exit(NULL, 0);
	return token;
}

static int die_thread(void *token)
{
	rt_die((unsigned long)token);
	return 0;
}

/* Has a kernel thread of its own call rt_die. It may not be gone yet at the end. */
int rt_run_die(u64 token, u64 *tid)
{
	struct task_struct *task;

	task = kthread_create(die_thread, (void *)(unsigned long)token, "rt_die");
	if (IS_ERR(task))
		return PTR_ERR(task);
	*tid = task->pid;
	wake_up_process(task);
	return 0;
}
