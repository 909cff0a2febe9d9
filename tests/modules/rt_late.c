// SPDX-License-Identifier: GPL-2.0
/*
 * rt_late: a small module that the tests load and unload while they trace it.
 *
 * It calls rt_late_work `calls` times while it loads; writing N to its parameter
 * `call` calls it N times more, and unloading calls it once.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "target.h"

static uint calls;
module_param(calls, uint, 0400);
MODULE_PARM_DESC(calls, "how often to call rt_late_work while loading");

u64 rt_late_work(u64 x);
int rt_late_setup(uint count);

/* What is traced. */
RT_TRACED u64 rt_late_work(u64 x)
{
	barrier();
	return x + 6;
}

static int call_set(const char *text, const struct kernel_param *param)
{
	uint count, i;
	int error = kstrtouint(text, 0, &count);

	if (error)
		return error;
	for (i = 0; i < count; i++)
		rt_late_work(i);
	return 0;
}

static const struct kernel_param_ops call_ops = {
	.set = call_set,
};
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "write N to call rt_late_work N times");

/* Runs once, in memory that is freed afterwards. */
RT_TRACED int __init rt_late_setup(uint count)
{
	uint i;

	barrier();
	for (i = 0; i < count; i++)
		rt_late_work(i);
	return 0;
}

static int __init rt_late_init(void)
{
	return rt_late_setup(calls);
}
module_init(rt_late_init);

static void __exit rt_late_exit(void)
{
	rt_late_work(0);
}
module_exit(rt_late_exit);

MODULE_DESCRIPTION("A module for rust_tracer's guest tests to load and unload");
MODULE_LICENSE("GPL");
