// SPDX-License-Identifier: GPL-2.0
/*
 * The shim's half of the ways by ftrace_ops and by fprobe: what registers them, and
 * their handlers, which take the moment and call Rust. As inlines.c, without ftrace
 * sites of its own. The stub's ftrace_ops is in stub.c.
 *
 * Handlers run in any context up to NMI, with preemption off; the rest is for task
 * context.
 */
#include <linux/cpu.h>
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../arch/stub.h"
#include "shim.h"
#include "moment.h"

/* ---- own ftrace_ops ------------------------------------------------------- */

/*
 * Handlers have no arrays that could overflow, and set every field of the moment:
 * neither a canary nor zeroes are needed.
 */
__no_stack_protector void rtrace_entry_long(unsigned long ip, const void *regs)
{
	struct rtrace_moment moment __uninitialized;
	u8 busy = rtrace_moment_begin(&moment, 0);

	rtrace_on_entry(ip, &moment, regs);
	rtrace_moment_end(&moment, busy);
	preempt_enable_notrace();
}

__no_stack_protector void rtrace_entry_measured(unsigned long ip, const void *regs)
{
	struct rtrace_moment moment __uninitialized;
	u64 begun = rtrace_sample_begin();
	u8 busy;

	if (rtrace_on_entry_short(ip, regs)) {
		rtrace_sample_end(begun);
	} else {
		busy = rtrace_moment_begin(&moment, begun);
		rtrace_on_entry(ip, &moment, regs);
		rtrace_moment_end(&moment, busy);
	}
	preempt_enable_notrace();
}

void rtrace_schedule(void)
{
	preempt_disable_notrace();
	preempt_enable_notrace();
}

static struct ftrace_ops rtrace_ops = {
	.func = rtrace_on_call_site,
	.flags = FTRACE_OPS_FL_SAVE_ARGS,
	.trampoline = (unsigned long)rtrace_entry,
};

struct ftrace_ops *rtrace_ops_of_entries(void)
{
	rtrace_stub_is_used();
	return &rtrace_ops;
}

int rtrace_ops_add(struct ftrace_ops *ops, unsigned long *ips, unsigned int count)
{
	return ftrace_set_filter_ips(ops, ips, count, 0, 0);
}

int rtrace_ops_remove(struct ftrace_ops *ops, unsigned long *ips, unsigned int count)
{
	return ftrace_set_filter_ips(ops, ips, count, 1, 0);
}

/*
 * All CPUs are interrupted to be asked, as they are many times to patch one function:
 * to wait for them to pass by on their own would take longer than the patching of all.
 */
void rtrace_wait_for_handlers(void)
{
	/* One that goes offline is not asked any more while it still calls functions. */
	cpus_read_lock();
	synchronize_rcu_expedited();
	cpus_read_unlock();
}

/*
 * ftrace takes an ops that lies in a module for one that is freed when it is
 * unregistered, and waits for all tasks, a tenth of a second or more: ours stay, as
 * do the trampolines that they bring along.
 */
int rtrace_ops_register(struct ftrace_ops *ops)
{
	int error = register_ftrace_function(ops);

	if (!error)
		ops->flags &= ~FTRACE_OPS_FL_DYNAMIC;
	return error;
}

int rtrace_ops_unregister(struct ftrace_ops *ops)
{
	int error = unregister_ftrace_function(ops);

	/* Who goes through all ops may still look at its filter. */
	rtrace_wait_for_handlers();
	/* One that ftrace has not let go of keeps it. */
	if (!error)
		ftrace_free_filter(ops);
	return error;
}

void rtrace_stay(void)
{
	__module_get(THIS_MODULE);
}

/* ---- fprobe --------------------------------------------------------------- */

struct rtrace_fprobe {
	struct fprobe fprobe;
	u64 owner;
};

#define RTRACE_FRAME_WORDS 2

static __no_stack_protector
int rtrace_fprobe_entry(struct fprobe *fprobe, unsigned long ip,
			unsigned long ret_ip, struct ftrace_regs *fregs, void *frame)
{
	struct rtrace_fprobe *self = container_of(fprobe, struct rtrace_fprobe, fprobe);
	struct rtrace_moment moment __uninitialized;
	u8 busy = rtrace_moment_begin(&moment, rtrace_sample());
	int skip = rtrace_on_call(self->owner, ip, &moment, frame, fregs);

	rtrace_moment_end(&moment, busy);
	return skip;
}

static __no_stack_protector
void rtrace_fprobe_exit(struct fprobe *fprobe, unsigned long ip,
			unsigned long ret_ip, struct ftrace_regs *fregs, void *frame)
{
	struct rtrace_fprobe *self = container_of(fprobe, struct rtrace_fprobe, fprobe);
	struct rtrace_moment moment __uninitialized;
	u8 busy = rtrace_moment_begin(&moment, rtrace_sample());

	rtrace_on_return(self->owner, ip, &moment, ftrace_regs_get_return_value(fregs),
			 frame, fregs, ret_ip);
	rtrace_moment_end(&moment, busy);
}

/* fprobe's own wait is not for a CPU that goes offline. */
static void rtrace_fprobe_free(struct rtrace_fprobe *self)
{
	rtrace_wait_for_handlers();
	kfree(self);
}

int rtrace_fprobe_register(u64 owner, unsigned long *ips, unsigned int count,
			   struct rtrace_fprobe **out)
{
	/* Not charged: who has a lock that everybody needs does not wait for his cgroup. */
	struct rtrace_fprobe *self = kzalloc(sizeof(*self), GFP_KERNEL);
	int error;

	if (!self)
		return -ENOMEM;
	self->owner = owner;
	self->fprobe.entry_handler = rtrace_fprobe_entry;
	self->fprobe.exit_handler = rtrace_fprobe_exit;
	self->fprobe.entry_data_size = RTRACE_FRAME_WORDS * sizeof(u64);
	error = register_fprobe_ips(&self->fprobe, ips, count);
	if (error) {
		rtrace_fprobe_free(self);
		return error;
	}
	*out = self;
	return 0;
}

void rtrace_fprobe_unregister(struct rtrace_fprobe *self)
{
	unregister_fprobe(&self->fprobe);
	rtrace_fprobe_free(self);
}

bool rtrace_is_own_fprobe(const struct fprobe *fprobe)
{
	return fprobe->entry_handler == rtrace_fprobe_entry &&
	       fprobe->exit_handler == rtrace_fprobe_exit;
}
