// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_hunter: looks for kallsyms_lookup_name, which modules are not given, by a kprobe. Where it is, it tells; it
 * does not call it.
 *
 *   fprobe=1 by an fprobe instead
 *   keep=1   the kprobe stays
 *   again=1  it looks again every 200 ms
 */
#include <linux/fprobe.h>
#include <linux/kthread.h>

#define ROGUE_TELLS(seq) rogue_tells(seq)
#include "rogue.h"

static bool fprobe;
module_param(fprobe, bool, 0);
MODULE_PARM_DESC(fprobe, "look by an fprobe");

static bool keep;
module_param(keep, bool, 0);
MODULE_PARM_DESC(keep, "the kprobe stays");

static bool again;
module_param(again, bool, 0);
MODULE_PARM_DESC(again, "look again and again");

static unsigned long found;
static struct task_struct *rogue_thread;

static int seen(struct kprobe *kprobe, struct pt_regs *regs)
{
	atomic_inc(&rogue_calls);
	return 0;
}

static struct kprobe kept = {
	.symbol_name = "kallsyms_lookup_name",
	.pre_handler = seen,
};

static int probed(struct fprobe *probe, unsigned long ip, unsigned long parent_ip, struct ftrace_regs *fregs,
		  void *unused)
{
	return 0;
}

static unsigned long site_by_fprobe(void)
{
	struct fprobe probe = { .entry_handler = probed };
	unsigned long site;

	if (register_fprobe(&probe, "kallsyms_lookup_name", NULL))
		return 0;
	site = probe.hlist_array->array[0].addr;
	unregister_fprobe(&probe);
	return site;
}

static unsigned long look(void)
{
	return fprobe ? site_by_fprobe() : rt_site_of("kallsyms_lookup_name");
}

static int rogue_hunt(void *unused)
{
	while (!kthread_should_stop()) {
		found = look();
		schedule_timeout_interruptible(msecs_to_jiffies(200));
	}
	return 0;
}

static int rogue_do(void)
{
	int error;

	found = look();
	if (keep) {
		error = register_kprobe(&kept);
		if (error)
			return error;
	}
	if (again) {
		rogue_thread = kthread_run(rogue_hunt, NULL, "rt_rogue_hunter");
		if (IS_ERR(rogue_thread)) {
			if (keep)
				unregister_kprobe(&kept);
			return PTR_ERR(rogue_thread);
		}
	}
	return found ? 0 : -ENOENT;
}

static int rogue_undo(void)
{
	if (again)
		kthread_stop(rogue_thread);
	if (keep)
		unregister_kprobe(&kept);
	return 0;
}

static void rogue_tells(struct seq_file *seq)
{
	seq_printf(seq, "found %lx\n", rogue_start_of(found));
}

ROGUE("looks for symbols by a probe");
