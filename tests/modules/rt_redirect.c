// SPDX-License-Identifier: GPL-2.0
/*
 * rt_redirect: does to one system call what a livepatch does. While it is loaded, the function is not run: its ftrace
 * site leads to another one, which returns the call's first argument plus 512.
 *
 *   modprobe rt_redirect function=__x64_sys_umask
 *
 * The parameter `calls` tells how often the other one was called.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>

#include "site.h"

static char *function = "";
module_param(function, charp, 0400);
MODULE_PARM_DESC(function, "the system call's function, by any of its names");

static atomic_t calls = ATOMIC_INIT(0);

static int calls_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&calls));
}

static const struct kernel_param_ops calls_ops = {
	.get = calls_get,
};
module_param_cb(calls, &calls_ops, NULL, 0400);
MODULE_PARM_DESC(calls, "how often it was called (read only)");

static noinline notrace long redirected(const struct pt_regs *regs)
{
	atomic_inc(&calls);
	return regs->di + 512;
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)redirected);
}

static struct ftrace_ops redirect_ops = {
	.func = redirect,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int __init rt_redirect_init(void)
{
	unsigned long site = rt_site_of(function);
	int error;

	if (!site)
		return -ENOENT;
	error = ftrace_set_filter_ip(&redirect_ops, site, 0, 1);
	if (error)
		return error;
	error = register_ftrace_function(&redirect_ops);
	if (error)
		ftrace_free_filter(&redirect_ops);
	return error;
}
module_init(rt_redirect_init);

static void __exit rt_redirect_exit(void)
{
	unregister_ftrace_function(&redirect_ops);
	ftrace_free_filter(&redirect_ops);
	/* Nobody is left in `redirected`. */
	synchronize_rcu_tasks();
}
module_exit(rt_redirect_exit);

MODULE_DESCRIPTION("A livepatch of one function, for rust_tracer's guest tests");
MODULE_LICENSE("GPL");
