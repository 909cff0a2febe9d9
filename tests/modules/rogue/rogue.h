/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all toys have: they refuse to load but in a guest of the lab, they can hide, and they can undo what they did.
 *
 * A toy is one file with rogue_do() and rogue_undo(), and ROGUE() at its end. Loading it does what it is for. While it
 * is loaded there is /proc/NAME: reading it tells "calls N", what the toy wants to add, and "done 0" or "done 1";
 * writing `hide` to it hides the module in the ways that the parameter `hide` names, `undo` undoes all and shows the
 * module again, and other words are the toy's own. Then it can be unloaded as any other.
 *
 * hide=list,kset,state,going,coming,tree,symbols,early
 *   list     off the list of modules: not in /proc/modules
 *   kset     its object removed: not in /sys/module
 *   state    its state set to one that the kernel passes over
 *   going    its state set to that of one that is being unloaded, though nobody does so
 *   coming   its state set to that of one that is being initialised
 *   tree     out of the tree by which the kernel finds whose an address is
 *   symbols  it has no symbols any more
 *   early    list and kset as soon as its initialiser runs, without being told; no others with it
 *
 * Whoever else loads and unloads modules at the very moment at which one hides or shows itself is in danger: the lock
 * for that is not to be had. The tests do not.
 */
#ifndef ROGUE_H
#define ROGUE_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/rbtree_latch.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/ibt.h>
#include <asm/pgtable.h>
#include <asm/sync_core.h>

#include "site.h"

/* ---- the lab ---------------------------------------------------------------- */

/* What scripts/vm puts into each guest, and nobody has elsewhere. */
#define ROGUE_LAB "/lab/agent"

static bool rogue_is_in_lab(void)
{
	struct file *file;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	file = filp_open(ROGUE_LAB, O_RDONLY, 0);
	if (IS_ERR(file))
		return false;
	filp_close(file, NULL);
	return true;
}

/* ---- symbols and text ---------------------------------------------------------- */

/* Any symbol, by the function that finds them all, which a kprobe finds. 0: there is none. */
static __maybe_unused unsigned long rogue_symbol(const char *name)
{
	unsigned long site = rt_site_of("kallsyms_lookup_name");
	unsigned long (*lookup)(const char *name) = (void *)site;

	return site ? lookup(name) : 0;
}

/* Where a function begins: its site may lie behind what marks where jumps may lead. */
static __maybe_unused unsigned long rogue_start_of(unsigned long site)
{
	u32 before = *(u32 *)(site - ENDBR_INSN_SIZE);

	return __is_endbr(before) ? site - ENDBR_INSN_SIZE : site;
}

struct rogue_write {
	void *to;
	const void *from;
	size_t bytes;
	atomic_t first;
	bool written;
};

static int rogue_write_stopped(void *data)
{
	struct rogue_write *write = data;

	if (!atomic_xchg(&write->first, 1)) {
		memcpy(write->to, write->from, write->bytes);
		smp_store_release(&write->written, true);
	} else {
		while (!smp_load_acquire(&write->written))
			cpu_relax();
	}
	sync_core();
	return 0;
}

/*
 * Writes what is read-only, text or not, while no CPU does anything else: through another mapping of its pages, so
 * that neither CR0.WP nor the protection of the first mapping is touched.
 */
static __maybe_unused int rogue_write(unsigned long at, const void *bytes, size_t count)
{
	struct page *pages[2];
	unsigned int number = ((at & ~PAGE_MASK) + count + PAGE_SIZE - 1) >> PAGE_SHIFT, i;
	struct rogue_write write = { .from = bytes, .bytes = count };
	void *again;
	int error;

	if (number > ARRAY_SIZE(pages))
		return -EINVAL;
	for (i = 0; i < number; i++)
		pages[i] = pfn_to_page(slow_virt_to_phys((void *)((at & PAGE_MASK) + i * PAGE_SIZE)) >> PAGE_SHIFT);
	again = vmap(pages, number, VM_MAP, PAGE_KERNEL);
	if (!again)
		return -ENOMEM;
	write.to = again + (at & ~PAGE_MASK);
	error = stop_machine(rogue_write_stopped, &write, cpu_online_mask);
	vunmap(again);
	return error;
}

/* Runs on each CPU, which may still know of a page as it was. */
static __maybe_unused void rogue_flush(void *page)
{
	asm volatile("invlpg (%0)" : : "r" (page) : "memory");
}

/* An instruction of five bytes, a call (0xe8) or a jump (0xe9), at `at` to `to`. */
static __maybe_unused void rogue_branch(u8 code[5], u8 opcode, unsigned long at, unsigned long to)
{
	s32 distance = to - (at + 5);

	code[0] = opcode;
	memcpy(code + 1, &distance, sizeof(distance));
}

/* Where such an instruction leads. */
static __maybe_unused unsigned long rogue_branch_target(unsigned long at)
{
	return at + 5 + *(s32 *)(at + 1);
}

/* ---- hiding ----------------------------------------------------------------------- */

static char *hide = "";
module_param(hide, charp, 0);
MODULE_PARM_DESC(hide, "how to hide when told: list,kset,state,going,coming,tree,symbols,early");

static bool rogue_hides(const char *how)
{
	return strstr(hide, how);
}

static struct list_head *rogue_modules; /* the list of modules: who loads is put behind its head */
static bool rogue_unlisted, rogue_unset, rogue_feigns, rogue_uprooted, rogue_unnamed;
static struct latch_tree_root *rogue_tree;
static unsigned int rogue_symbols;

static bool rogue_less(struct latch_tree_node *a, struct latch_tree_node *b)
{
	return container_of(a, struct module_memory, mtn.node)->base <
	       container_of(b, struct module_memory, mtn.node)->base;
}

/* `comp` is for looking up, which is not done here. */
static const struct latch_tree_ops rogue_tree_ops = {
	.less = rogue_less,
};

static void rogue_unlist(void)
{
	list_del_rcu(&THIS_MODULE->list);
	rogue_unlisted = true;
}

static void rogue_unset_object(void)
{
	/* What lies below it first: it would be forgotten there that it was removed. */
	kobject_del(THIS_MODULE->holders_dir);
	kobject_del(&THIS_MODULE->mkobj.kobj);
	rogue_unset = true;
}

static int rogue_uproot(void)
{
	/* Behind the root there is the range of all addresses, which only grows. */
	rogue_tree = (void *)rogue_symbol("mod_tree");
	if (!rogue_tree)
		return -ENOENT;
	for_each_mod_mem_type(type)
		if (THIS_MODULE->mem[type].size)
			latch_tree_erase(&THIS_MODULE->mem[type].mtn.node, rogue_tree, &rogue_tree_ops);
	rogue_uprooted = true;
	return 0;
}

static void rogue_say(enum module_state state)
{
	WRITE_ONCE(THIS_MODULE->state, state);
	rogue_feigns = true;
}

static int rogue_hide(void)
{
	struct mod_kallsyms *symbols = rcu_dereference_raw(THIS_MODULE->kallsyms);

	if (rogue_hides("tree") && !rogue_uprooted && rogue_uproot())
		return -ENOENT;
	if (rogue_hides("symbols") && !rogue_unnamed) {
		rogue_symbols = symbols->num_symtab;
		WRITE_ONCE(symbols->num_symtab, 1);
		rogue_unnamed = true;
	}
	if (rogue_hides("kset") && !rogue_unset)
		rogue_unset_object();
	if (rogue_hides("list") && !rogue_unlisted)
		rogue_unlist();
	if (rogue_hides("state"))
		rogue_say(MODULE_STATE_UNFORMED);
	if (rogue_hides("going"))
		rogue_say(MODULE_STATE_GOING);
	if (rogue_hides("coming"))
		rogue_say(MODULE_STATE_COMING);
	synchronize_rcu();
	return 0;
}

/* With what the kernel removes when the module goes, and complains of if it is not there. */
static int rogue_set_object(void)
{
	struct kobject *object = &THIS_MODULE->mkobj.kobj;
	struct module_attribute *attribute;
	int error = kobject_add(object, NULL, "%s", THIS_MODULE->name);

	if (!error)
		error = kobject_add(THIS_MODULE->holders_dir, object, "holders");
	/* Both structures, which are nobody's business, begin with their group. */
	if (!error && THIS_MODULE->sect_attrs)
		error = sysfs_create_group(object, (struct attribute_group *)THIS_MODULE->sect_attrs);
	if (!error && THIS_MODULE->notes_attrs)
		error = sysfs_create_group(object, (struct attribute_group *)THIS_MODULE->notes_attrs);
	for (attribute = THIS_MODULE->modinfo_attrs; !error && attribute->attr.name; attribute++)
		error = sysfs_create_file(object, &attribute->attr);
	if (!error)
		rogue_unset = false;
	return error;
}

static int rogue_show(void)
{
	struct mod_kallsyms *symbols = rcu_dereference_raw(THIS_MODULE->kallsyms);

	if (rogue_feigns)
		WRITE_ONCE(THIS_MODULE->state, MODULE_STATE_LIVE);
	rogue_feigns = false;
	if (rogue_unlisted)
		list_add_rcu(&THIS_MODULE->list, rogue_modules);
	rogue_unlisted = false;
	if (rogue_unnamed)
		WRITE_ONCE(symbols->num_symtab, rogue_symbols);
	rogue_unnamed = false;
	if (rogue_uprooted)
		for_each_mod_mem_type(type)
			if (THIS_MODULE->mem[type].size)
				latch_tree_insert(&THIS_MODULE->mem[type].mtn.node, rogue_tree, &rogue_tree_ops);
	rogue_uprooted = false;
	return rogue_unset ? rogue_set_object() : 0;
}

/* ---- the toy ------------------------------------------------------------------------ */

/* The toy's own: does what it is for; undoes it. Before it includes this it may say what else it is told (ROGUE_TOLD),
 * and what it adds to what it tells (ROGUE_TELLS). */
static int rogue_do(void);
static int rogue_undo(void);
#ifdef ROGUE_TOLD
static int rogue_told(const char *word);
#endif
#ifdef ROGUE_TELLS
static void rogue_tells(struct seq_file *seq);
#endif

/* How often what the toy put into others' way was called. */
static atomic_t rogue_calls = ATOMIC_INIT(0);
static bool rogue_done;
static DEFINE_MUTEX(rogue_mutex);

static int rogue_end(void)
{
	int error = rogue_show();

	if (!error && rogue_done)
		error = rogue_undo();
	if (!error)
		rogue_done = false;
	return error;
}

#ifndef ROGUE_TOLD
#define ROGUE_TOLD(word) (-EINVAL)
#endif
#ifndef ROGUE_TELLS
#define ROGUE_TELLS(seq) do { } while (0)
#endif

static int rogue_proc_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "calls %d\n", atomic_read(&rogue_calls));
	ROGUE_TELLS(seq);
	seq_printf(seq, "done %d\n", rogue_done);
	return 0;
}

static int rogue_proc_open(struct inode *inode, struct file *file)
{
	return single_open(file, rogue_proc_show, NULL);
}

static ssize_t rogue_proc_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	char word[32];
	int error;

	if (count >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, from, count))
		return -EFAULT;
	word[count] = 0;
	mutex_lock(&rogue_mutex);
	if (sysfs_streq(word, "hide"))
		error = rogue_hide();
	else if (sysfs_streq(word, "undo"))
		error = rogue_end();
	else
		error = ROGUE_TOLD(strim(word));
	mutex_unlock(&rogue_mutex);
	return error ?: count;
}

static const struct proc_ops rogue_proc_ops = {
	.proc_open = rogue_proc_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = rogue_proc_write,
};

static int __init rogue_init(void)
{
	int error;

	if (!rogue_is_in_lab()) {
		pr_err("%s: only for the guests of rust_tracer's lab\n", THIS_MODULE->name);
		return -EPERM;
	}
	rogue_modules = THIS_MODULE->list.prev;
	/* A lock that is first taken by a module that nobody knows is one of nobody's. */
	mutex_lock(&rogue_mutex);
	error = rogue_do();
	rogue_done = !error;
	if (!error && !proc_create(THIS_MODULE->name, 0600, NULL, &rogue_proc_ops))
		error = -ENOMEM;
	if (error && rogue_done)
		rogue_undo();
	if (!error && rogue_hides("early")) {
		rogue_unset_object();
		rogue_unlist();
	}
	mutex_unlock(&rogue_mutex);
	return error;
}

static void __exit rogue_exit(void)
{
	remove_proc_entry(THIS_MODULE->name, NULL);
	rogue_end();
}

#define ROGUE(what)                                                                                                    \
	module_init(rogue_init);                                                                                       \
	module_exit(rogue_exit);                                                                                       \
	MODULE_DESCRIPTION("A toy for rust_tracer's guest tests: " what);                                              \
	MODULE_LICENSE("GPL")

#endif /* ROGUE_H */
