// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_probe: is called by the tracepoint sched_process_fork.
 *
 *   what=own       it has registered a probe, which counts: hidden, it is nobody's
 *   what=replaced  and has put its own in the place of those that others had registered, which are not called any more
 *   what=called    it has registered none, and has the tracepoint call one of its own instead of the only one that is
 *   what=muted     nor this: it has switched the tracepoint off, with those who are registered
 */
#include <linux/static_call.h>
#include <linux/tracepoint.h>

#include "rogue.h"

static char *what = "own";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "own, replaced, called or muted");

static struct tracepoint *tracepoint;
static struct tracepoint_func *replaced;
static void *before;

static void own_probe(void *data, struct task_struct *parent, struct task_struct *child)
{
	atomic_inc(&rogue_calls);
}

static void in_its_place(void *data, struct task_struct *parent, struct task_struct *child)
{
}

static void find(struct tracepoint *one, void *unused)
{
	if (!strcmp(one->name, "sched_process_fork"))
		tracepoint = one;
}

static int rogue_do(void)
{
	struct tracepoint_func *one;
	int error;

	for_each_kernel_tracepoint(find, NULL);
	if (!tracepoint)
		return -ENOENT;
	if (!strcmp(what, "called")) {
		before = tracepoint->static_call_key->func;
		__static_call_update(tracepoint->static_call_key, tracepoint->static_call_tramp, in_its_place);
		return 0;
	}
	if (!strcmp(what, "muted")) {
		static_key_disable(&tracepoint->key.key);
		return 0;
	}
	error = tracepoint_probe_register(tracepoint, own_probe, NULL);
	if (error || strcmp(what, "replaced"))
		return error;
	/* With two or more the kernel looks into this table each time. */
	for (one = rcu_dereference_raw(tracepoint->funcs); one && one->func; one++) {
		if (one->func != own_probe) {
			before = one->func;
			WRITE_ONCE(one->func, in_its_place);
			replaced = one;
			return 0;
		}
	}
	tracepoint_probe_unregister(tracepoint, own_probe, NULL);
	tracepoint_synchronize_unregister();
	return -ENXIO;
}

static int rogue_undo(void)
{
	int error;

	if (!strcmp(what, "called")) {
		__static_call_update(tracepoint->static_call_key, tracepoint->static_call_tramp, before);
		tracepoint_synchronize_unregister();
		return 0;
	}
	if (!strcmp(what, "muted")) {
		static_key_enable(&tracepoint->key.key);
		return 0;
	}
	if (replaced)
		WRITE_ONCE(replaced->func, before);
	replaced = NULL;
	error = tracepoint_probe_unregister(tracepoint, own_probe, NULL);
	tracepoint_synchronize_unregister();
	return error;
}

ROGUE("is called by a tracepoint");
