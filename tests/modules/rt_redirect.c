// SPDX-License-Identifier: GPL-2.0
/*
 * rt_redirect: does to one system call what a livepatch does. While it is loaded, the function is not run: its ftrace
 * site leads to another one, which returns the call's first argument plus 512.
 *
 *   modprobe rt_redirect function=__x64_sys_umask
 *
 * With override=1 it does what bpf_override_return() does by a kprobe: the same result is put where results are, and the
 * site leads to a plain return.
 *
 * The parameter `calls` tells how often that was done.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ptrace.h>

#include <asm/ibt.h>

#include "site.h"

static char *function = "";
module_param(function, charp, 0400);
MODULE_PARM_DESC(function, "the system call's function, by any of its names");

static bool override;
module_param(override, bool, 0400);
MODULE_PARM_DESC(override, "set the result, and return at once");

static atomic_t calls = ATOMIC_INIT(0);

static int calls_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", atomic_read(&calls));
}

static const struct kernel_param_ops calls_ops = {
	.get = calls_get,
};
module_param_cb(calls, &calls_ops, NULL, 0400);
MODULE_PARM_DESC(calls, "how often it was done (read only)");

asm(".pushsection .text\n"
    ".type rt_plain_return, @function\n"
    "rt_plain_return:\n\t"
    ASM_ENDBR
    ASM_RET
    ".size rt_plain_return, . - rt_plain_return\n"
    ".popsection\n");
extern const char rt_plain_return[];

static noinline notrace long redirected(const struct pt_regs *regs)
{
	atomic_inc(&calls);
	return regs->di + 512;
}

static void notrace redirect(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *fregs)
{
	struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;

	if (override) {
		regs->ax = redirected((const struct pt_regs *)regs->di);
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)rt_plain_return);
		return;
	}
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)redirected);
}

static struct ftrace_ops redirect_ops = {
	.func = redirect,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_REGS,
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
