// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_hook: leads calls of a kernel's function to its own by ftrace, and calls the kernel's from there; or is
 * called at it by other means.
 *
 *   function=NAME  whose calls: __x64_sys_getdents64 (files named rt_rogue_* are left out of what it tells), a function
 *                  that shows lines, as tcp4_seq_show (the heading is left out), or __x64_sys_kill (nothing is)
 *   how=ipmodify   it says that it redirects (IPMODIFY)
 *   how=regs       it does not say so, and does it all the same
 *   how=patch      the kernel's own callback for live patches redirects, which takes what it is given for one
 *   how=kretprobe  a kretprobe takes back what lines were shown, but for the heading; elsewhere it only counts
 *   how=fprobe     an fprobe does the same
 *   how=arguments  an ftrace_ops that redirects nothing has a function that shows lines show the heading each time
 *   clean=1        calls the kernel's function behind its site, so that who looks there sees only innocent callers
 *   unlink=1       takes its ftrace_ops off ftrace's list: the site goes on leading here
 */
#include <linux/ftrace.h>

#include "rogue.h"

#include <linux/dirent.h>
#include <linux/fprobe.h>
#include <linux/livepatch.h>

static char *function = "__x64_sys_getdents64";
module_param(function, charp, 0);
MODULE_PARM_DESC(function, "whose calls are led here");

static char *how = "ipmodify";
module_param(how, charp, 0);
MODULE_PARM_DESC(how, "ipmodify, regs, patch, kretprobe, fprobe or arguments");

static bool clean;
module_param(clean, bool, 0);
MODULE_PARM_DESC(clean, "call the function behind its site");

static bool unlink;
module_param(unlink, bool, 0);
MODULE_PARM_DESC(unlink, "take the ftrace_ops off the list");

static unsigned long original, hooked;

#define ROGUE_FILE "rt_rogue_"

/* What is left of so many bytes of entries. */
static long without_files(char *entries, long bytes)
{
	long from = 0, to = 0;

	while (from < bytes) {
		struct linux_dirent64 *entry = (void *)(entries + from);
		unsigned short length = entry->d_reclen;

		if (strncmp(entry->d_name, ROGUE_FILE, strlen(ROGUE_FILE))) {
			memmove(entries + to, entry, length);
			to += length;
		}
		from += length;
	}
	return to;
}

static noinline notrace long hooked_getdents64(const struct pt_regs *regs)
{
	long bytes = ((long (*)(const struct pt_regs *))original)(regs), left = bytes;
	char __user *to = (char __user *)regs->si;
	char *entries;

	atomic_inc(&rogue_calls);
	if (bytes <= 0)
		return bytes;
	entries = kmalloc(bytes, GFP_KERNEL);
	if (!entries)
		return bytes;
	if (!copy_from_user(entries, to, bytes)) {
		left = without_files(entries, bytes);
		/* None left would be the end of the directory: then all are told. */
		if (!left || copy_to_user(to, entries, left))
			left = bytes;
	}
	kfree(entries);
	return left;
}

static noinline notrace int hooked_show(struct seq_file *seq, void *what)
{
	/* Compiled to a call, not a jump: the caller must be here. */
	int result = what == SEQ_START_TOKEN ? 0 : ((int (*)(struct seq_file *, void *))original)(seq, what);

	atomic_inc(&rogue_calls);
	return result;
}

static noinline notrace long hooked_system_call(const struct pt_regs *regs)
{
	long result = ((long (*)(const struct pt_regs *))original)(regs);

	atomic_inc(&rogue_calls);
	return result;
}

static void notrace lead_here(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			      struct ftrace_regs *fregs)
{
	if (clean || !within_module(parent_ip, THIS_MODULE))
		ftrace_regs_set_instruction_pointer(fregs, hooked);
}

static struct ftrace_ops hook_ops = {
	.func = lead_here,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

/*
 * Stays on the list in front of the one that is taken off, on a function of this module's own: who is registered last
 * is the list's first, and points to the next. And a list with nobody on it would have the kernel look whether any
 * function is attached to still, and complain.
 */
static void notrace do_nothing(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			       struct ftrace_regs *fregs)
{
}

static struct ftrace_ops list_ops = {
	.func = do_nothing,
};

/* What the kernel has for each function of live patches: struct klp_ops of kernel/livepatch/patch.h. */
struct rogue_patch {
	struct list_head node;
	struct list_head functions;
	struct ftrace_ops ops;
	struct klp_func function;
};

static struct rogue_patch *patch;
static struct ftrace_ops *used = &hook_ops;

static int rogue_make_patch(void)
{
	unsigned long handler = rogue_symbol("klp_ftrace_handler");

	if (!handler)
		return -ENOENT;
	patch = kzalloc(sizeof(*patch), GFP_KERNEL);
	if (!patch)
		return -ENOMEM;
	INIT_LIST_HEAD(&patch->functions);
	patch->function.new_func = (void *)hooked;
	list_add(&patch->function.stack_node, &patch->functions);
	patch->ops.func = (ftrace_func_t)handler;
	patch->ops.flags = FTRACE_OPS_FL_DYNAMIC | FTRACE_OPS_FL_IPMODIFY;
	used = &patch->ops;
	return 0;
}

static noinline void never_called(void)
{
	barrier();
}

static int rogue_unlink(void)
{
	int error;

	error = ftrace_set_filter_ip(&list_ops, rt_site_of("rt_rogue_hook:never_called"), 0, 1);
	if (!error)
		error = register_ftrace_function(&list_ops);
	if (error)
		return error;
	if (rcu_access_pointer(list_ops.next) == &hook_ops) {
		rcu_assign_pointer(list_ops.next, rcu_access_pointer(hook_ops.next));
		return 0;
	}
	unregister_ftrace_function(&list_ops);
	ftrace_free_filter(&list_ops);
	return -EAGAIN;
}

struct shown {
	struct seq_file *seq;
	size_t before;
};

static void will_show(struct shown *shown, struct seq_file *seq, void *line)
{
	shown->seq = NULL;
	if (strstr(function, "_show") && line != SEQ_START_TOKEN) {
		shown->seq = seq;
		shown->before = seq->count;
	}
}

static void take_back(const struct shown *shown)
{
	if (shown->seq)
		shown->seq->count = shown->before;
	atomic_inc(&rogue_calls);
}

static int on_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	will_show((struct shown *)instance->data, (struct seq_file *)regs->di, (void *)regs->si);
	return 0;
}

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	take_back((struct shown *)instance->data);
	return 0;
}

static struct kretprobe returns = {
	.entry_handler = on_entry,
	.handler = on_return,
	.data_size = sizeof(struct shown),
};

static int on_probed_entry(struct fprobe *fprobe, unsigned long ip, unsigned long parent_ip, struct ftrace_regs *fregs,
			   void *shown)
{
	will_show(shown, (struct seq_file *)ftrace_regs_get_argument(fregs, 0),
		  (void *)ftrace_regs_get_argument(fregs, 1));
	return 0;
}

static void on_probed_exit(struct fprobe *fprobe, unsigned long ip, unsigned long parent_ip, struct ftrace_regs *fregs,
			   void *shown)
{
	take_back(shown);
}

static struct fprobe probe = {
	.entry_handler = on_probed_entry,
	.exit_handler = on_probed_exit,
	.entry_data_size = sizeof(struct shown),
};

/* What it changes is what the function finds in its registers: ftrace gives them back. */
static void notrace change_arguments(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	arch_ftrace_regs(fregs)->regs.si = (unsigned long)SEQ_START_TOKEN;
	atomic_inc(&rogue_calls);
}

static int rogue_do(void)
{
	unsigned long site = rt_site_of(function);
	int error;

	if (!site)
		return -ENOENT;
	if (!strcmp(how, "kretprobe")) {
		returns.kp.symbol_name = function;
		return register_kretprobe(&returns);
	}
	if (!strcmp(how, "fprobe"))
		return register_fprobe(&probe, function, NULL);
	never_called();
	if (strstr(function, "getdents64"))
		hooked = (unsigned long)hooked_getdents64;
	else if (strstr(function, "_show"))
		hooked = (unsigned long)hooked_show;
	else
		hooked = (unsigned long)hooked_system_call;
	original = clean ? site + MCOUNT_INSN_SIZE : rogue_start_of(site);
	if (!strcmp(how, "regs"))
		hook_ops.flags = FTRACE_OPS_FL_SAVE_REGS;
	if (!strcmp(how, "arguments")) {
		if (!strstr(function, "_show"))
			return -EINVAL;
		hook_ops.func = change_arguments;
		hook_ops.flags = FTRACE_OPS_FL_SAVE_ARGS;
	}
	if (!strcmp(how, "patch")) {
		error = rogue_make_patch();
		if (error)
			return error;
	}
	error = ftrace_set_filter_ip(used, site, 0, 1);
	if (!error)
		error = register_ftrace_function(used);
	if (!error && unlink) {
		error = rogue_unlink();
		if (error)
			unregister_ftrace_function(used);
	}
	if (error) {
		ftrace_free_filter(used);
		kfree(patch);
	}
	return error;
}

static int rogue_undo(void)
{
	if (!strcmp(how, "kretprobe")) {
		unregister_kretprobe(&returns);
		return 0;
	}
	if (!strcmp(how, "fprobe"))
		return unregister_fprobe(&probe);
	if (unlink) {
		rcu_assign_pointer(hook_ops.next, rcu_access_pointer(list_ops.next));
		rcu_assign_pointer(list_ops.next, &hook_ops);
	}
	unregister_ftrace_function(used);
	ftrace_free_filter(used);
	if (unlink) {
		unregister_ftrace_function(&list_ops);
		ftrace_free_filter(&list_ops);
	}
	/* Nobody is left in what calls were led to. */
	synchronize_rcu_tasks();
	kfree(patch);
	return 0;
}

ROGUE("leads calls of a function to its own");
