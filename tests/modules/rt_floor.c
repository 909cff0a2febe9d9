// SPDX-License-Identifier: GPL-2.0
/*
 * rt_floor: the least that a probe can cost. Handlers that do nothing, on one function, for as long as it is loaded.
 *
 *   modprobe rt_floor function=NAME way=ops      an ftrace_ops of its own
 *   modprobe rt_floor function=NAME way=entry    an fprobe with an entry handler
 *   modprobe rt_floor function=NAME way=return   one with an entry and an exit handler
 */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "site.h"

static char *function = "";
module_param(function, charp, 0400);
MODULE_PARM_DESC(function, "the kernel function to probe, by any of its names");

static char *way = "ops";
module_param(way, charp, 0400);
MODULE_PARM_DESC(way, "ops, entry or return");

static void floor_ops_func(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
}

static struct ftrace_ops floor_ops = {
	.func = floor_ops_func,
};

static int floor_entry(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       struct ftrace_regs *fregs, void *data)
{
	return 0;
}

static void floor_exit(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       struct ftrace_regs *fregs, void *data)
{
}

static struct fprobe floor_fprobe = {
	.entry_handler = floor_entry,
};

static int __init rt_floor_init(void)
{
	unsigned long site = rt_site_of(function);
	int error;

	if (!site)
		return -ENOENT;
	if (strcmp(way, "ops")) {
		if (!strcmp(way, "return"))
			floor_fprobe.exit_handler = floor_exit;
		else if (strcmp(way, "entry"))
			return -EINVAL;
		return register_fprobe_ips(&floor_fprobe, &site, 1);
	}
	error = ftrace_set_filter_ips(&floor_ops, &site, 1, 0, 1);
	if (error)
		return error;
	error = register_ftrace_function(&floor_ops);
	if (error)
		ftrace_free_filter(&floor_ops);
	return error;
}
module_init(rt_floor_init);

static void __exit rt_floor_exit(void)
{
	if (!strcmp(way, "ops")) {
		unregister_ftrace_function(&floor_ops);
		ftrace_free_filter(&floor_ops);
	} else {
		unregister_fprobe(&floor_fprobe);
	}
}
module_exit(rt_floor_exit);

MODULE_DESCRIPTION("Probes without handlers, for rust_tracer's make bench to compare with");
MODULE_LICENSE("GPL");
