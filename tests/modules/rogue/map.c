// SPDX-License-Identifier: GPL-2.0
/*
 * rt_rogue_map: a page of text that no loader made and nobody owns.
 *
 *   area=vmalloc  an ordinary page, mapped, and made executable in the page table
 *   area=modules  the same among the modules
 *   area=rest     the rest of the last page of text that the module `of` has, which is nobody's
 *   area=lent     as vmalloc, and that module says that it is its text for its initialisation. It must stay meanwhile
 *   run=1         a thread of this module calls it all the time, and it calls the kernel
 *
 * Writing `call` to /proc/rt_rogue_map calls it once. It allocates a little by the kernel's function, which the caller
 * frees.
 */
#include <linux/kthread.h>

#define ROGUE_TOLD(word) rogue_told(word)
#include "rogue.h"

static char *area = "vmalloc";
module_param(area, charp, 0);
MODULE_PARM_DESC(area, "vmalloc, modules, rest or lent");

static char *of = "rt_target";
module_param(of, charp, 0);
MODULE_PARM_DESC(of, "whose text has room, or has more");

static bool run;
module_param(run, bool, 0);
MODULE_PARM_DESC(run, "have a thread that calls it");

static struct module_memory *lent;
static struct page *page;
static u8 *text;
static struct task_struct *rogue_thread;

static void call_text(void)
{
	void *memory = ((void *(*)(void))text)();

	if (!ZERO_OR_NULL_PTR(memory)) {
		kfree(memory);
		atomic_inc(&rogue_calls);
	}
}

static int rogue_work(void *unused)
{
	while (!kthread_should_stop()) {
		call_text();
		schedule_timeout_interruptible(msecs_to_jiffies(20));
	}
	return 0;
}

static void write_text(u8 *to)
{
	static const u8 begin[] = {
		0xf3, 0x0f, 0x1e, 0xfa,	      /* endbr64 */
		0x55,			      /* push %rbp */
		0x48, 0x89, 0xe5,	      /* mov %rsp, %rbp */
		0xbf, 0x28, 0x00, 0x00, 0x00, /* mov $40, %edi */
		0xbe,			      /* mov $GFP_KERNEL, %esi */
	};
	static const u8 load[] = { 0x48, 0xb8 };				   /* mov $__kmalloc, %rax */
	static const u8 end[] = { 0xff, 0xd0, 0x5d, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc }; /* call *%rax; pop %rbp; ret */
	void *(*function)(size_t, gfp_t) = __kmalloc_noprof;
	u32 flags = (__force u32)GFP_KERNEL;

	memset(to, 0xcc, PAGE_SIZE);
	memcpy(to, begin, sizeof(begin));
	to += sizeof(begin);
	memcpy(to, &flags, sizeof(flags));
	to += sizeof(flags);
	memcpy(to, load, sizeof(load));
	to += sizeof(load);
	memcpy(to, &function, sizeof(function));
	to += sizeof(function);
	memcpy(to, end, sizeof(end));
}

#define REST 64
static bool is_rest;
static u8 rest_before[REST];

static struct module_memory *memory_of(enum mod_mem_type type)
{
	struct module *module;

	list_for_each_entry(module, &THIS_MODULE->list, list)
		if (&module->list != rogue_modules && !strcmp(module->name, of))
			return &module->mem[type];
	return NULL;
}

/* Room behind a module's last function: it is filled with one byte over and over. */
static int rogue_do_rest(void)
{
	struct module_memory *memory = memory_of(MOD_TEXT);
	u8 *code;
	int error;

	if (!memory)
		return -ENOENT;
	text = (u8 *)memory->base + memory->size - REST;
	if (memchr_inv(text, *text, REST))
		return -ENOSPC;
	memcpy(rest_before, text, REST);
	code = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!code)
		return -ENOMEM;
	write_text(code);
	error = rogue_write((unsigned long)text, code, REST);
	kfree(code);
	is_rest = !error;
	return error;
}

typedef void *(*allocate_t)(unsigned long, unsigned long, unsigned long, unsigned long, gfp_t, pgprot_t, unsigned long,
			    int, const void *);

static int rogue_do(void)
{
	unsigned int level;
	pte_t *pte;

	if (!strcmp(area, "rest"))
		return rogue_do_rest();
	if (!strcmp(area, "lent")) {
		lent = memory_of(MOD_INIT_TEXT);
		if (!lent || lent->size)
			return -ENOENT;
	}
	if (!strcmp(area, "modules")) {
		unsigned long site = rt_site_of("__vmalloc_node_range_noprof");
		allocate_t allocate = (allocate_t)(site ? rogue_start_of(site) : 0);

		text = allocate ? allocate(PAGE_SIZE, PAGE_SIZE, MODULES_VADDR, MODULES_END, GFP_KERNEL, PAGE_KERNEL, 0,
					   NUMA_NO_NODE, __builtin_return_address(0)) : NULL;
	} else {
		page = alloc_page(GFP_KERNEL);
		text = page ? vmap(&page, 1, VM_MAP, PAGE_KERNEL) : NULL;
	}
	if (!text)
		goto out;
	write_text(text);
	pte = lookup_address((unsigned long)text, &level);
	if (!pte || level != PG_LEVEL_4K)
		goto out;
	set_pte(pte, pte_wrprotect(pte_mkexec(*pte)));
	on_each_cpu(rogue_flush, text, 1);
	if (lent) {
		lent->base = text;
		lent->size = PAGE_SIZE;
	}
	if (run) {
		rogue_thread = kthread_run(rogue_work, NULL, "rt_rogue_map");
		if (IS_ERR(rogue_thread))
			goto out;
	}
	return 0;
out:
	if (text)
		vfree(text);
	if (page)
		__free_page(page);
	return -ENOMEM;
}

static int rogue_undo(void)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)text, &level);

	if (is_rest)
		return rogue_write((unsigned long)text, rest_before, REST);
	if (lent) {
		lent->size = 0;
		lent->base = NULL;
	}
	if (run)
		kthread_stop(rogue_thread);
	set_pte(pte, pte_set_flags(pte_mkwrite_novma(*pte), _PAGE_NX));
	on_each_cpu(rogue_flush, text, 1);
	if (page) {
		vunmap(text);
		__free_page(page);
	} else {
		vfree(text);
	}
	return 0;
}

static int rogue_told(const char *word)
{
	if (strcmp(word, "call") || !rogue_done)
		return -EINVAL;
	call_text();
	return 0;
}

ROGUE("a page of text that nobody owns");
