// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_task: hides a test's task, which goes on running. It must be shown again (`undo`) before it ends.
 *
 *   pid=N      the task, the first of its process
 *   how=pid    its number does not lead to it: neither /proc nor kill nor pidfd_open find it
 *   how=none   the same, and it has no number
 *   how=list   it is not on init's list of tasks, by which the kernel goes through all
 */
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "rogue.h"

static int pid;
module_param(pid, int, 0);
MODULE_PARM_DESC(pid, "the task");

static char *how = "pid";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "pid, none or list");

static rwlock_t *lock; /* tasklist_lock */
static struct task_struct *task;
static const enum pid_type types[] = { PIDTYPE_PID, PIDTYPE_TGID };

static struct pid *pid_of(enum pid_type type)
{
	return type == PIDTYPE_PID ? task->thread_pid : task->signal->pids[type];
}

static int rogue_do(void)
{
	struct pid *number = find_get_pid(pid);
	unsigned int i;

	lock = (rwlock_t *)rogue_symbol("tasklist_lock");
	task = get_pid_task(number, PIDTYPE_TGID);
	put_pid(number);
	if (!lock || !task || !thread_group_leader(task)) {
		if (task)
			put_task_struct(task);
		return -ENOENT;
	}
	write_lock_irq(lock);
	if (!strcmp(how, "list"))
		list_del_rcu(&task->tasks);
	else
		for (i = 0; i < ARRAY_SIZE(types); i++)
			hlist_del_init_rcu(&task->pid_links[types[i]]);
	if (!strcmp(how, "none"))
		task->pid = 0;
	write_unlock_irq(lock);
	return 0;
}

static int rogue_undo(void)
{
	unsigned int i;

	/* Who goes through the list may stand on it. */
	synchronize_rcu();
	write_lock_irq(lock);
	task->pid = pid;
	if (!strcmp(how, "list"))
		list_add_tail_rcu(&task->tasks, &init_task.tasks);
	else
		for (i = 0; i < ARRAY_SIZE(types); i++)
			hlist_add_head_rcu(&task->pid_links[types[i]], &pid_of(types[i])->tasks[types[i]]);
	write_unlock_irq(lock);
	put_task_struct(task);
	return 0;
}

ROGUE("hides a test's task");
