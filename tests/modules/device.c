// SPDX-License-Identifier: GPL-2.0
/*
 * rt_target: calls known functions a known number of times, on command.
 *
 * Write a line `COMMAND [NUMBER [NUMBER]]` to /dev/rt_target; the write returns
 * when the calls are over (or fails with their errno), and a read at offset 0
 * then gives what they returned, in decimal. In the calls, i counts from 0.
 *
 *   plain N          rt_plain with the arguments of rt_plain_nth(i)
 *   wide N           rt_wide(i, …, i + 7)
 *   recurse DEPTH    rt_recurse(DEPTH)
 *   tail N           rt_tail_outer(i)
 *   errno E          rt_errno(E)
 *   value V          rt_value(V)
 *   void N           rt_void(i)
 *   named N          rt_named(i)
 *   softirq N        rt_softirq(i) in one softirq
 *   irq N            rt_irq(i), each in an interrupt on this CPU
 *   ipi CPU N        rt_irq(i), each in an interrupt on another CPU
 *   nmi CPU N        rt_nmi(i), each in an NMI on that CPU
 *   sleep TOKEN      rt_sleep(TOKEN); comes back when released
 *   await N          waits until exactly N tasks are in rt_sleep
 *   release N        lets N of them out
 *   die TOKEN        rt_die(TOKEN) in a kernel thread; reads back its tid
 *   nest N           rt_deep_00(0), which calls rt_deep_01, and so on to rt_deep_99
 *   storm THREADS N  rt_plain and rt_yield by THREADS kernel threads
 *   failinit N, failcoming N, failed, counted: see shortage.c
 */
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "target.h"

/* What an open file remembers: the value of its last command. */
struct rt_file {
	char result[32];
	size_t length;
};

/* Runs one command; the sum of what the traced calls returned goes to *value. */
static int run(const char *name, u64 a, u64 b, u64 *value)
{
	u64 i;

	*value = 0;
	if (!strcmp(name, "plain")) {
		for (i = 0; i < a; i++)
			*value += rt_plain_nth(i);
	} else if (!strcmp(name, "wide")) {
		for (i = 0; i < a; i++)
			*value += rt_wide(i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7);
	} else if (!strcmp(name, "recurse")) {
		/* Each call takes some of a stack of 16 KiB. */
		if (a > 128)
			return -EINVAL;
		*value = rt_recurse(a);
	} else if (!strcmp(name, "tail")) {
		for (i = 0; i < a; i++)
			*value += rt_tail_outer(i);
	} else if (!strcmp(name, "errno")) {
		*value = (s64)rt_errno(a);
	} else if (!strcmp(name, "value")) {
		*value = rt_value(a);
	} else if (!strcmp(name, "void")) {
		for (i = 0; i < a; i++)
			rt_void(i);
	} else if (!strcmp(name, "named")) {
		for (i = 0; i < a; i++)
			*value += rt_named(i);
	} else if (!strcmp(name, "softirq")) {
		return rt_run_softirq(a);
	} else if (!strcmp(name, "irq")) {
		return rt_run_irq(a);
	} else if (!strcmp(name, "ipi")) {
		return rt_run_ipi(a, b);
	} else if (!strcmp(name, "nmi")) {
		return rt_run_nmi(a, b);
	} else if (!strcmp(name, "sleep")) {
		*value = rt_sleep(a);
	} else if (!strcmp(name, "await")) {
		return rt_await_sleepers(a);
	} else if (!strcmp(name, "release")) {
		return rt_release_sleepers(a);
	} else if (!strcmp(name, "die")) {
		return rt_run_die(a, value);
	} else if (!strcmp(name, "nest")) {
		*value = rt_run_nested(a);
	} else if (!strcmp(name, "storm")) {
		return rt_run_storm(a, b);
	} else if (!strcmp(name, "failinit")) {
		return rt_fail_in_init(a);
	} else if (!strcmp(name, "failcoming")) {
		return rt_fail_in_coming(a);
	} else if (!strcmp(name, "failed")) {
		*value = rt_has_failed();
	} else if (!strcmp(name, "counted")) {
		*value = rt_counted();
	} else {
		return -EINVAL;
	}
	return 0;
}

static int rt_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct rt_file), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int rt_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static ssize_t rt_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	struct rt_file *self = file->private_data;
	u64 a = 0, b = 0, value;
	char line[64], name[16];
	int error;

	if (length >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, length))
		return -EFAULT;
	line[length] = '\0';
	if (sscanf(line, "%15s %llu %llu", name, &a, &b) < 1)
		return -EINVAL;
	error = run(name, a, b, &value);
	if (error)
		return error;
	self->length = scnprintf(self->result, sizeof(self->result), "%llu\n", value);
	return length;
}

static ssize_t rt_read(struct file *file, char __user *to, size_t length, loff_t *at)
{
	struct rt_file *self = file->private_data;

	return simple_read_from_buffer(to, length, at, self->result, self->length);
}

static const struct file_operations rt_operations = {
	.owner = THIS_MODULE,
	.open = rt_open,
	.release = rt_release,
	.write = rt_write,
	.read = rt_read,
};

static struct miscdevice rt_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "rt_target",
	.fops = &rt_operations,
	.mode = 0600,
};

static int __init rt_target_init(void)
{
	int error = rt_contexts_init();

	if (error)
		return error;
	error = rt_shortage_init();
	if (error)
		goto no_shortage;
	error = misc_register(&rt_device);
	if (error)
		goto no_device;
	return 0;
no_device:
	rt_shortage_exit();
no_shortage:
	rt_contexts_exit();
	return error;
}
module_init(rt_target_init);

static void __exit rt_target_exit(void)
{
	misc_deregister(&rt_device);
	rt_shortage_exit();
	rt_contexts_exit();
}
module_exit(rt_target_exit);

MODULE_DESCRIPTION("Functions for rust_tracer's guest tests to trace");
MODULE_LICENSE("GPL");
