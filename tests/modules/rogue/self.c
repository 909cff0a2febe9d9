// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_self: works against rust_tracer itself, or against what it stands on.
 *
 *   what=taints    the kernel's taint bits are cleared
 *   what=ftrace    ftrace's switch reads as off
 *   what=probes    what rust_tracer registers with ftrace is told, by ftrace's own means, not to be called by getppid()
 *                  and umask(). What is registered when this is undone is not until it is registered anew
 *   what=records   rust_tracer's handlers of entries return at once
 *   what=busy      each firing seems to come from within another: its ledger counts it as dropped
 *   what=counters  rows of its ledger that rtctl is given have 3 more calls
 *   what=notifier  the kernel does not tell it any more which modules come and go. Load no other before this is undone
 *   what=starved   it is not told that a module comes that is called rt_rogue_hide. Load one at a time
 *   what=ioctl     calls of its node `kernel` come here first
 *   what=kprobe    a kprobe in it counts these
 *
 * Those of probes and records also keep it from using slots, each of which has text and an ftrace_ops of its own: then
 * all go by those that they share.
 */
#include <linux/ftrace.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/sysctl.h>
#include <linux/wait_bit.h>

#include "rogue.h"
#include "../../../include/uapi/rust_tracer.h"

static char *what = "taints";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "taints, ftrace, probes, records, busy, counters, notifier, starved, ioctl or kprobe");

/* ---- taints and ftrace ------------------------------------------------------ */

static unsigned long *taints, taints_before;
static unsigned long switch_at;
static void *switch_before;
static int switched_off;

static int do_taints(void)
{
	taints = (unsigned long *)rogue_symbol("tainted_mask");
	if (!taints)
		return -ENOENT;
	taints_before = xchg(taints, 0);
	return 0;
}

static int do_ftrace(void)
{
	const struct ctl_table *table = (const struct ctl_table *)rogue_symbol("ftrace_sysctls");
	void *fake = &switched_off;

	if (!table || strcmp(table->procname, "ftrace_enabled"))
		return -ENOENT;
	switch_at = (unsigned long)&table->data;
	switch_before = table->data;
	return rogue_write(switch_at, &fake, sizeof(fake));
}

/* ---- slots ------------------------------------------------------------------ */

static bool *slots, slots_before;

static int take_slots(void)
{
	slots = (bool *)rogue_symbol("rust_tracer:stub_slots");
	if (!slots)
		return -ENOENT;
	slots_before = READ_ONCE(*slots);
	WRITE_ONCE(*slots, false);
	return 0;
}

static void give_slots(void)
{
	WRITE_ONCE(*slots, slots_before);
}

/* ---- probes ----------------------------------------------------------------- */

static struct ftrace_ops *theirs[2];
static const char *const names_of_ops[] = { "rust_tracer:rtrace_ops", "rust_tracer:rtrace_stub_ops" };
static struct task_struct *registrar;
static atomic_t registering;
/* What it is not called by any more, and their numbers among all that ftrace knows, as it takes them for names. */
static const char *const calls[] = { "__x64_sys_getppid", "__x64_sys_umask" };
static char numbers[ARRAY_SIZE(calls)][24];

/* kernel/trace/ftrace.c: the kernel's own functions come first, so that modules do not change their numbers. */
struct ftrace_page {
	struct ftrace_page *next;
	struct dyn_ftrace *records;
	int index;
	int order;
};

/* By its name it would take seconds on the debug kernel, each time: ftrace goes through all names there are. */
static int find_number(const char *call, char *into, size_t room)
{
	struct ftrace_page **start = (struct ftrace_page **)rogue_symbol("ftrace_pages_start");
	unsigned long site = rt_site_of(call), number = 1;
	struct ftrace_page *page;
	int i;

	for (page = start ? *start : NULL; page && site; number += page->index, page = page->next) {
		for (i = 0; i < page->index; i++) {
			if (page->records[i].ip == site) {
				snprintf(into, room, "%lu", number + i);
				return 0;
			}
		}
	}
	return -ENOENT;
}

/*
 * In place of register_ftrace_function(), and as its caller calls it: rust_tracer has a lock of its own for all that it
 * does to its ftrace_ops. From elsewhere this is not safe: ftrace takes none when it frees a filter.
 */
static int register_nowhere(struct ftrace_ops *ops)
{
	unsigned char number[sizeof(numbers[0])];
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		/* ftrace may change it. */
		memcpy(number, numbers[i], sizeof(number));
		if (!ftrace_set_notrace(ops, number, strlen(numbers[i]), 0))
			atomic_inc(&rogue_calls);
	}
	WRITE_ONCE(registrar, current);
	error = register_ftrace_function(ops);
	WRITE_ONCE(registrar, NULL);
	if (atomic_dec_and_test(&registering))
		wake_up_var(&registering);
	return error;
}

static int on_register(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long ops = regs->di;

	if (READ_ONCE(registrar) == current || (ops != (unsigned long)theirs[0] && ops != (unsigned long)theirs[1]))
		return 0;
	atomic_inc(&registering);
	regs->ip = (unsigned long)register_nowhere;
	return 1;
}

/* Who has one may lead elsewhere. */
static void after_register(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe registers = {
	.symbol_name = "register_ftrace_function",
	.pre_handler = on_register,
	.post_handler = after_register,
};

static int do_probes(void)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(theirs); i++)
		theirs[i] = (struct ftrace_ops *)rogue_symbol(names_of_ops[i]);
	for (i = 0; i < ARRAY_SIZE(calls) && !error; i++)
		error = find_number(calls[i], numbers[i], sizeof(numbers[i]));
	if (error || !theirs[0] || !theirs[1] || take_slots())
		return -ENOENT;
	error = register_kprobe(&registers);
	if (error)
		give_slots();
	return error;
}

static int undo_probes(void)
{
	unregister_kprobe(&registers);
	wait_var_event(&registering, !atomic_read(&registering));
	/* Who is about to leave register_nowhere(). */
	synchronize_rcu_tasks();
	give_slots();
	return 0;
}

/* ---- records ---------------------------------------------------------------- */

static const char *const handlers[] = {
	"rust_tracer:rtrace_entry",
	"rust_tracer:rtrace_on_call_site",
	"rust_tracer:rtrace_stub_listed",
	"rust_tracer:rtrace_stub",
};
static unsigned long handler[ARRAY_SIZE(handlers)];
static u8 handler_before[ARRAY_SIZE(handlers)];

static int undo_records(void)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handler[i])
			error = rogue_write(handler[i], &handler_before[i], 1) ?: error;
	give_slots();
	return error;
}

static int do_records(void)
{
	static const u8 ret = 0xc3;
	unsigned int i;
	int error = take_slots();

	if (error)
		return error;
	for (i = 0; !error && i < ARRAY_SIZE(handlers); i++) {
		unsigned long at = rogue_symbol(handlers[i]);

		if (!at) {
			pr_err("rt_rogue_self: there is no %s\n", handlers[i]);
			error = -ENOENT;
			break;
		}
		handler_before[i] = *(u8 *)at;
		error = rogue_write(at, &ret, 1);
		if (!error)
			handler[i] = at;
	}
	if (error)
		undo_records();
	return error;
}

/* ---- busy ------------------------------------------------------------------- */

static u8 __percpu *busy;

/* On one CPU, while each other one waits: none is in a handler, which would put back what it has found. */
static int set_busy(void *to)
{
	unsigned int cpu;

	if (smp_processor_id() == cpumask_first(cpu_online_mask))
		for_each_possible_cpu(cpu)
			WRITE_ONCE(*per_cpu_ptr(busy, cpu), (unsigned long)to);
	return 0;
}

static int do_busy(void)
{
	busy = (u8 __percpu *)rogue_symbol("rust_tracer:rtrace_busy");
	if (!busy)
		return -ENOENT;
	return stop_machine(set_busy, (void *)0x1fUL, cpu_online_mask);
}

/* ---- counters --------------------------------------------------------------- */

/* Called with the kernel's copy of what user space is about to get. */
static int fake(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct rtrace_ledger_row *row = (void *)regs->si;
	unsigned long bytes = regs->dx;

	if (strncmp(current->group_leader->comm, "rtctl", 5) || !bytes || bytes % sizeof(*row))
		return 0;
	for (; bytes; bytes -= sizeof(*row), row++) {
		if (row->fired && row->recorded) {
			row->fired += 3;
			row->recorded += 3;
			atomic_inc(&rogue_calls);
		}
	}
	return 0;
}

static struct kprobe on_copy = {
	.symbol_name = "_copy_to_user",
	.pre_handler = fake,
};

/* ---- its notifier ----------------------------------------------------------- */

static struct blocking_notifier_head *chain;
static struct notifier_block *notifier;

/* Where ours is on its chain. */
static struct notifier_block __rcu **find_notifier(void)
{
	struct notifier_block __rcu **at;
	char name[KSYM_SYMBOL_LEN];

	chain = (struct blocking_notifier_head *)rogue_symbol("module_notify_list");
	if (!chain)
		return NULL;
	for (at = &chain->head; rcu_access_pointer(*at); at = &notifier->next) {
		notifier = rcu_dereference_raw(*at);
		sprint_symbol(name, (unsigned long)notifier->notifier_call);
		if (strstr(name, "[rust_tracer]"))
			return at;
	}
	return NULL;
}

static int do_notifier(void)
{
	struct notifier_block __rcu **at = find_notifier();

	if (!at)
		return -ENXIO;
	rcu_assign_pointer(*at, rcu_access_pointer(notifier->next));
	return 0;
}

/* ---- the same, for a while --------------------------------------------------- */

/*
 * The first on the chain takes ours off, and the last puts it back, while nobody else may change the chain. That the
 * module goes all are told.
 */
static struct notifier_block __rcu **place;

static bool is_kept(unsigned long event, const struct module *module)
{
	return event != MODULE_STATE_GOING && !strcmp(module->name, "rt_rogue_hide");
}

static int take_off(struct notifier_block *block, unsigned long event, void *module)
{
	struct notifier_block __rcu **at;

	if (!is_kept(event, module))
		return NOTIFY_DONE;
	for (at = &chain->head; rcu_access_pointer(*at); at = &rcu_dereference_raw(*at)->next)
		if (rcu_access_pointer(*at) == notifier)
			break;
	if (rcu_access_pointer(*at)) {
		place = at;
		rcu_assign_pointer(*at, rcu_access_pointer(notifier->next));
		atomic_inc(&rogue_calls);
	}
	return NOTIFY_DONE;
}

static int put_back(struct notifier_block *block, unsigned long event, void *module)
{
	if (is_kept(event, module) && place)
		rcu_assign_pointer(*place, notifier);
	place = NULL;
	return NOTIFY_DONE;
}

static struct notifier_block first = {
	.notifier_call = take_off,
	.priority = INT_MAX,
};
static struct notifier_block last = {
	.notifier_call = put_back,
	.priority = INT_MIN,
};

static int do_starved(void)
{
	int error;

	if (!find_notifier())
		return -ENXIO;
	error = register_module_notifier(&last);
	if (error)
		return error;
	error = register_module_notifier(&first);
	if (error)
		unregister_module_notifier(&last);
	return error;
}

static int undo_starved(void)
{
	return unregister_module_notifier(&first) ?: unregister_module_notifier(&last);
}

/* ---- its node --------------------------------------------------------------- */

static unsigned long node_at;
static long (*node_before)(struct file *file, unsigned int command, unsigned long argument);

static long counted_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	atomic_inc(&rogue_calls);
	return node_before(file, command, argument);
}

static int seen_in_it(struct kprobe *kprobe, struct pt_regs *regs)
{
	atomic_inc(&rogue_calls);
	return 0;
}

static struct kprobe in_it = {
	.pre_handler = seen_in_it,
};

static int do_node(void)
{
	struct file *file = filp_open("/dev/rust_tracer/kernel", O_RDONLY, 0);
	unsigned long after = (unsigned long)counted_ioctl;

	if (IS_ERR(file))
		return PTR_ERR(file);
	node_at = (unsigned long)&file->f_op->unlocked_ioctl;
	node_before = file->f_op->unlocked_ioctl;
	filp_close(file, NULL);
	if (!strcmp(what, "ioctl"))
		return rogue_write(node_at, &after, sizeof(after));
	in_it.addr = (kprobe_opcode_t *)node_before;
	return register_kprobe(&in_it);
}

static int undo_ioctl(void)
{
	int error = rogue_write(node_at, &node_before, sizeof(node_before));

	synchronize_rcu_tasks();
	return error;
}

/* ---- which ------------------------------------------------------------------ */

static int rogue_do(void)
{
	if (!strcmp(what, "taints"))
		return do_taints();
	if (!strcmp(what, "ftrace"))
		return do_ftrace();
	if (!strcmp(what, "probes"))
		return do_probes();
	if (!strcmp(what, "records"))
		return do_records();
	if (!strcmp(what, "busy"))
		return do_busy();
	if (!strcmp(what, "counters"))
		return register_kprobe(&on_copy);
	if (!strcmp(what, "notifier"))
		return do_notifier();
	if (!strcmp(what, "starved"))
		return do_starved();
	if (!strcmp(what, "ioctl") || !strcmp(what, "kprobe"))
		return do_node();
	return -EINVAL;
}

static int rogue_undo(void)
{
	if (taints)
		*taints |= taints_before;
	else if (switch_at)
		return rogue_write(switch_at, &switch_before, sizeof(switch_before));
	else if (!strcmp(what, "probes"))
		return undo_probes();
	else if (!strcmp(what, "records"))
		return undo_records();
	else if (!strcmp(what, "busy"))
		return stop_machine(set_busy, NULL, cpu_online_mask);
	else if (!strcmp(what, "notifier"))
		return blocking_notifier_chain_register(chain, notifier);
	else if (!strcmp(what, "starved"))
		return undo_starved();
	else if (!strcmp(what, "ioctl"))
		return undo_ioctl();
	else
		unregister_kprobe(!strcmp(what, "kprobe") ? &in_it : &on_copy);
	return 0;
}

ROGUE("works against the tracer");
