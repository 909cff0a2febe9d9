// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_task: hides a test's task, which goes on running. It must be shown again (`undo`) before it ends.
 *
 *   pid=N      the task, the first of its process
 *   how=pid    its number does not lead to it: neither /proc nor kill nor pidfd_open find it
 *   how=none   the same, and it has no number
 *   how=list   it is not on init's list of tasks, by which the kernel goes through all
 *   how=asleep a thread of the toy's own that sleeps: on no list of these, without a number, and nobody's child
 */
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#define ROGUE_TELLS(seq) rogue_tells(seq)

#include "rogue.h"

static int pid;
module_param(pid, int, 0);
MODULE_PARM_DESC(pid, "the task");

static char *how = "pid";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "pid, none, list or asleep");

static rwlock_t *lock; /* tasklist_lock */
static struct task_struct *task;
static const enum pid_type types[] = { PIDTYPE_PID, PIDTYPE_TGID };

static struct pid *pid_of(enum pid_type type)
{
	return type == PIDTYPE_PID ? task->thread_pid : task->signal->pids[type];
}

static bool has(const char *what)
{
	return !strcmp(how, what) || !strcmp(how, "asleep");
}

static void rogue_tells(struct seq_file *seq)
{
	seq_printf(seq, "task %d\n", pid);
}

static int sleeps(void *unused)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static struct task_struct *begin(void)
{
	struct task_struct *thread = kthread_run(sleeps, NULL, "rt_rogue_sleeps");

	if (IS_ERR(thread))
		return NULL;
	pid = thread->pid;
	return get_task_struct(thread);
}

static struct task_struct *find(void)
{
	struct pid *number = find_get_pid(pid);
	struct task_struct *found = get_pid_task(number, PIDTYPE_TGID);

	put_pid(number);
	return found;
}

static int rogue_do(void)
{
	unsigned int i;

	lock = (rwlock_t *)rogue_symbol("tasklist_lock");
	task = strcmp(how, "asleep") ? find() : begin();
	if (!lock || !task || !thread_group_leader(task)) {
		if (task)
			put_task_struct(task);
		return -ENOENT;
	}
	write_lock_irq(lock);
	if (has("list"))
		list_del_rcu(&task->tasks);
	if (strcmp(how, "list"))
		for (i = 0; i < ARRAY_SIZE(types); i++)
			hlist_del_init_rcu(&task->pid_links[types[i]]);
	if (has("none"))
		task->pid = 0;
	if (has("child"))
		list_del_init(&task->sibling);
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
	if (has("child"))
		list_add_tail(&task->sibling, &task->real_parent->children);
	if (has("list"))
		list_add_tail_rcu(&task->tasks, &init_task.tasks);
	if (strcmp(how, "list"))
		for (i = 0; i < ARRAY_SIZE(types); i++)
			hlist_add_head_rcu(&task->pid_links[types[i]], &pid_of(types[i])->tasks[types[i]]);
	write_unlock_irq(lock);
	if (!strcmp(how, "asleep"))
		kthread_stop(task);
	put_task_struct(task);
	return 0;
}

ROGUE("hides a test's task");
