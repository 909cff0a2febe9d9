// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_hide: hides itself, in the ways that its parameter `hide` names (rogue.h), and does little else.
 *
 *   thread=1   it has a thread that allocates, opens /proc/version and sleeps, over and over, as those do that wait for
 *              work; the thread is listed as any other
 *   name=NAME  what the thread is called
 *   clean=1    the module has no taints any more
 */
#include <linux/kthread.h>

#include "rogue.h"

static bool thread;
module_param(thread, bool, 0);
MODULE_PARM_DESC(thread, "have a thread that calls the kernel");

static char *name = "rt_rogue_hide";
module_param(name, charp, 0);
MODULE_PARM_DESC(name, "what the thread is called");

static bool clean;
module_param(clean, bool, 0);
MODULE_PARM_DESC(clean, "take the module's taints away");

static unsigned long taints;
static struct task_struct *rogue_thread;

static int rogue_work(void *unused)
{
	while (!kthread_should_stop()) {
		void *memory = kmalloc(64 + atomic_read(&rogue_calls) % 64, GFP_KERNEL);
		struct file *file = filp_open("/proc/version", O_RDONLY, 0);

		if (!IS_ERR(file))
			filp_close(file, NULL);
		kfree(memory);
		atomic_inc(&rogue_calls);
		schedule_timeout_interruptible(msecs_to_jiffies(20));
	}
	return 0;
}

static int rogue_do(void)
{
	if (thread)
		rogue_thread = kthread_run(rogue_work, NULL, "%s", name);
	if (IS_ERR(rogue_thread))
		return PTR_ERR(rogue_thread);
	if (clean)
		taints = xchg(&THIS_MODULE->taints, 0);
	return 0;
}

static int rogue_undo(void)
{
	if (thread)
		kthread_stop(rogue_thread);
	if (clean)
		THIS_MODULE->taints |= taints;
	return 0;
}

ROGUE("hides itself");
