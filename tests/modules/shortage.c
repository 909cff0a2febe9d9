// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail while a module comes, on a kernel that fails on demand.
 *
 * The kernel counts them for a task (/proc/PID/fail-nth), from when it is told; but most of what
 * loading a module allocates is the loader's. Here the count begins when the module's own
 * initialiser does, or when others are told that a module comes, and ends with that.
 *
 *   failinit N     the Nth in the initialiser of rust_tracer
 *   failcoming N   the Nth while the notifiers of priority 0 (rust_tracer's) hear of rt_late
 *   failed         whether there were so many; nothing fails any more
 *   counted        how many there were, up to the Nth
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "target.h"

#ifdef CONFIG_FAULT_INJECTION

static unsigned int in_init, in_coming, counted;
static initcall_t initialiser;
static bool happened;

static void begin(unsigned int *nth)
{
	current->fail_nth = *nth;
}

static void end(unsigned int *nth)
{
	counted = *nth - current->fail_nth;
	happened = *nth && !current->fail_nth;
	current->fail_nth = 0;
	*nth = 0;
}

static void on_start(void *data, initcall_t function)
{
	if (in_init && function == initialiser)
		begin(&in_init);
}

static void on_finish(void *data, initcall_t function, int result)
{
	if (in_init && function == initialiser)
		end(&in_init);
}

static int before(struct notifier_block *block, unsigned long event, void *data)
{
	struct module *module = data;

	if (event != MODULE_STATE_COMING)
		return NOTIFY_DONE;
	if (in_init && !strcmp(module->name, "rust_tracer"))
		initialiser = module->init;
	if (in_coming && !strcmp(module->name, "rt_late"))
		begin(&in_coming);
	return NOTIFY_DONE;
}

static int after(struct notifier_block *block, unsigned long event, void *data)
{
	struct module *module = data;

	if (event == MODULE_STATE_COMING && in_coming && !strcmp(module->name, "rt_late"))
		end(&in_coming);
	return NOTIFY_DONE;
}

static struct notifier_block before_others = { .notifier_call = before, .priority = 1 };
static struct notifier_block after_others = { .notifier_call = after, .priority = -1 };
static struct tracepoint *start, *finish;

static void find(struct tracepoint *tracepoint, void *data)
{
	if (!strcmp(tracepoint->name, "initcall_start"))
		start = tracepoint;
	if (!strcmp(tracepoint->name, "initcall_finish"))
		finish = tracepoint;
}

int rt_shortage_init(void)
{
	int error;

	for_each_kernel_tracepoint(find, NULL);
	if (!start || !finish)
		return -ENOENT;
	error = tracepoint_probe_register(start, on_start, NULL);
	if (error)
		return error;
	error = tracepoint_probe_register(finish, on_finish, NULL);
	if (error)
		goto no_finish;
	error = register_module_notifier(&before_others);
	if (error)
		goto no_before;
	error = register_module_notifier(&after_others);
	if (error)
		goto no_after;
	return 0;
no_after:
	unregister_module_notifier(&before_others);
no_before:
	tracepoint_probe_unregister(finish, on_finish, NULL);
no_finish:
	tracepoint_probe_unregister(start, on_start, NULL);
	tracepoint_synchronize_unregister();
	return error;
}

void rt_shortage_exit(void)
{
	unregister_module_notifier(&after_others);
	unregister_module_notifier(&before_others);
	tracepoint_probe_unregister(finish, on_finish, NULL);
	tracepoint_probe_unregister(start, on_start, NULL);
	tracepoint_synchronize_unregister();
}

int rt_fail_in_init(u64 nth)
{
	in_init = nth;
	happened = false;
	return 0;
}

int rt_fail_in_coming(u64 nth)
{
	in_coming = nth;
	happened = false;
	return 0;
}

bool rt_has_failed(void)
{
	in_init = 0;
	in_coming = 0;
	return happened;
}

unsigned int rt_counted(void)
{
	return counted;
}

#else

int rt_shortage_init(void)
{
	return 0;
}

void rt_shortage_exit(void)
{
}

int rt_fail_in_init(u64 nth)
{
	return -EOPNOTSUPP;
}

int rt_fail_in_coming(u64 nth)
{
	return -EOPNOTSUPP;
}

bool rt_has_failed(void)
{
	return false;
}

unsigned int rt_counted(void)
{
	return 0;
}

#endif
