// SPDX-License-Identifier: GPL-2.0
/*
 * rt_livepatch: a live patch as distributions ship them, of the function that shows /proc/cmdline, which then shows
 * another line. Writing 0 to /sys/kernel/livepatch/rt_livepatch/enabled ends it, after a while; then it can be unloaded.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static int show_patched(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "rt_livepatch\n");
	return 0;
}

static struct klp_func functions[] = {
	{ .old_name = "cmdline_proc_show", .new_func = show_patched },
	{ },
};

static struct klp_object objects[] = {
	{ .funcs = functions }, /* of the kernel itself */
	{ },
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objects,
};

static int __init rt_livepatch_init(void)
{
	return klp_enable_patch(&patch);
}
module_init(rt_livepatch_init);

static void __exit rt_livepatch_exit(void)
{
}
module_exit(rt_livepatch_exit);

MODULE_INFO(livepatch, "Y");
MODULE_DESCRIPTION("A live patch, for rust_tracer's guest tests");
MODULE_LICENSE("GPL");
