// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own structures, for the views: where they are, modules, and text that
 * is nobody's function. Further files: detect_trace.c, _calls.c, _events.c,
 * _machine.c, _tasks.c.
 *
 * What is walked may have been changed by whoever wishes to hide in it. So walks end
 * after a number of steps, and what is not the kernel's by construction is read as
 * memory that may be anything. The kernel's locks are taken by their addresses, which
 * its symbols tell: a walk under the lock of what it walks needs no other argument.
 *
 * Built without ftrace sites of its own, as inlines.c.
 */
#include <linux/filter.h>
#include <linux/ftrace.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rbtree_latch.h>
#include <linux/siphash.h>
#include <linux/static_call.h>
#include <asm/hypervisor.h>
#include <asm/realmode.h>

#include "../../include/uapi/rust_tracer.h"
#include "../arch/stub.h"
#include "shim.h"
#include "detect_at.h"

static_assert(sizeof(struct rtrace_owner) == 88);
static_assert(sizeof(struct rtrace_owners) == 24);
static_assert(sizeof(struct rtrace_view) == 64);
static_assert(sizeof(struct rtrace_text) == 32);
static_assert(sizeof(struct rtrace_view_module) == 120);
static_assert(sizeof(struct rtrace_view_ops) == 296);
static_assert(sizeof(struct rtrace_view_site) == 168);
static_assert(sizeof(struct rtrace_view_kprobe) == 264);
static_assert(sizeof(struct rtrace_view_text) == 120);
static_assert(sizeof(struct rtrace_view_cpu) == 472);
static_assert(sizeof(struct rtrace_view_tracepoint) == 168);
static_assert(sizeof(struct rtrace_view_task) == 40);
static_assert(sizeof(struct rtrace_view_self) == 88);
static_assert(sizeof(struct rtrace_view_pointer) == 120);
static_assert(sizeof(struct rtrace_view_text_of) == 128);
static_assert(sizeof(struct rtrace_view_hook) == 104);
static_assert(sizeof(struct rtrace_view_callback) == 168);

static_assert(RTRACE_MODULE_RANGES == MOD_MEM_NUM_TYPES);
static_assert(RTRACE_MODULE_TEXT == MOD_TEXT);
static_assert(RTRACE_MODULE_INIT_TEXT == MOD_INIT_TEXT);

struct rtrace_landmarks rtrace_at;
static siphash_key_t rtrace_key;

static struct module *rtrace_no_module(unsigned long address)
{
	return NULL;
}

/* As for rtrace_symbols in inlines.c. */
DEFINE_STATIC_CALL(rtrace_module_at, rtrace_no_module);

void rtrace_landmarks_are(const struct rtrace_landmarks *landmarks)
{
	unsigned long *at = (unsigned long *)&rtrace_at;
	unsigned int i;

	rtrace_at = *landmarks;
	for (i = 0; i < sizeof(rtrace_at) / sizeof(*at); i++)
		if (at[i] == RTRACE_SEVERAL)
			at[i] = 0;
	get_random_bytes(&rtrace_key, sizeof(rtrace_key));
	if (rtrace_at.module_of_address)
		static_call_update(rtrace_module_at,
				   (typeof(&rtrace_no_module))rtrace_at.module_of_address);
	rtrace_patches_are_told_by(&rtrace_at);
	rtrace_instructions_are_told_by(rtrace_at.decode);
}

bool rtrace_copy_kernel(void *to, u64 from, u32 bytes)
{
	return !copy_from_kernel_nofault(to, (const void *)(unsigned long)from, bytes);
}

u64 rtrace_hash(const void *from, size_t bytes)
{
	return siphash(from, bytes, &rtrace_key);
}

void rtrace_name(u8 *to, size_t room, const char *name)
{
	s64 length = rtrace_read_kernel_text(to, (unsigned long)name, room - 1);

	memset(to + max(length, 0), 0, room - max(length, 0));
}

/* ---- modules ------------------------------------------------------------------ */

u64 rtrace_own_module(void)
{
	return (unsigned long)THIS_MODULE;
}

bool rtrace_module_fact(u64 structure, struct rtrace_module_fact *fact)
{
	const struct module *module = (const struct module *)(unsigned long)structure;
	enum module_state state;
	unsigned long taints;
	unsigned int i;

	memset(fact, 0, sizeof(*fact));
	fact->structure = structure;
	if (!rtrace_get(state, &module->state) || !rtrace_get(taints, &module->taints))
		return false;
	fact->state = state;
	fact->taints = taints;
#ifdef CONFIG_MODULE_UNLOAD
	if (!rtrace_get(fact->held, &module->refcnt.counter))
		return false;
#endif
	fact->initialised = state == MODULE_STATE_LIVE;
#ifdef CONFIG_KALLSYMS
	const struct mod_kallsyms *symbols;

	/* It is live before what it has begun asynchronously is done, which may take long. */
	if (!rtrace_get(symbols, &module->kallsyms))
		return false;
	fact->initialised &= symbols == &module->core_kallsyms;
#endif
	for (i = 0; i < RTRACE_MODULE_RANGES; i++) {
		void *base;
		unsigned int size;

		if (!rtrace_get(base, &module->mem[i].base) ||
		    !rtrace_get(size, &module->mem[i].size))
			return false;
		fact->base[i] = size ? (unsigned long)base : 0;
		fact->bytes[i] = size;
	}
	static_assert(sizeof(fact->name) > sizeof(module->name));
	return rtrace_copy_kernel(fact->name, (unsigned long)module->name, sizeof(module->name));
}

static void rtrace_tell_module(const struct module *module, rtrace_each each, void *data)
{
	struct rtrace_module_fact fact;

	if (rtrace_module_fact((unsigned long)module, &fact))
		each(data, &fact);
}

int rtrace_modules_by_list(rtrace_each each, void *data)
{
	const struct list_head *head = (const struct list_head *)rtrace_at.modules, *at;
	int error = head ? rtrace_lock(rtrace_at.module_mutex) : -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_for_each(at, head)
		rtrace_tell_module(list_entry(at, struct module, list), each, data);
	rtrace_unlock(rtrace_at.module_mutex);
	return 0;
}

int rtrace_modules_by_kset(rtrace_each each, void *data)
{
	struct kset *kset;
	const struct list_head *at;

	if (!rtrace_at.module_kset)
		return -EOPNOTSUPP;
	kset = *(struct kset **)rtrace_at.module_kset;
	/* What an object is in must not be freed before it has left the kset. */
	spin_lock(&kset->list_lock);
	rtrace_for_each(at, &kset->list) {
		const struct kobject *object = list_entry(at, struct kobject, entry);
		struct module *module;

		/* What is built in has an object, too, and no module. */
		if (rtrace_get(module, &container_of(object, struct module_kobject, kobj)->mod) &&
		    module)
			rtrace_tell_module(module, each, data);
	}
	spin_unlock(&kset->list_lock);
	return 0;
}

#ifdef CONFIG_MODULES_TREE_LOOKUP
/* Higher than a balanced tree of as many entries as a list may have. */
#define RTRACE_TREE_HEIGHT 40

static void rtrace_tell_tree_node(const struct rb_node *at, rtrace_each each, void *data)
{
	const struct latch_tree_node *node = container_of(at, struct latch_tree_node, node[0]);
	struct module *module;

	if (rtrace_get(module, &container_of(node, struct mod_tree_node, node)->mod))
		rtrace_tell_module(module, each, data);
}

static void rtrace_walk_tree(const struct rb_node *at, rtrace_each each, void *data)
{
	const struct rb_node *above[RTRACE_TREE_HEIGHT];
	unsigned int height = 0, steps;

	for (steps = 0; steps < RTRACE_LIST_MAX; steps++) {
		while (at && height < RTRACE_TREE_HEIGHT) {
			above[height++] = at;
			if (!rtrace_get(at, &at->rb_left))
				at = NULL;
		}
		if (!height)
			return;
		at = above[--height];
		rtrace_tell_tree_node(at, each, data);
		if (!rtrace_get(at, &at->rb_right))
			at = NULL;
	}
}
#endif

int rtrace_modules_by_tree(rtrace_each each, void *data)
{
#ifdef CONFIG_MODULES_TREE_LOOKUP
	/* The first field of struct mod_tree_root. */
	struct latch_tree_root *tree = (struct latch_tree_root *)rtrace_at.module_tree;
	int error = tree ? rtrace_lock(rtrace_at.module_mutex) : -EOPNOTSUPP;

	if (error)
		return error;
	/* Who changes the tree has the mutex, and changes both of its copies. */
	rtrace_walk_tree(tree->tree[0].rb_node, each, data);
	rtrace_unlock(rtrace_at.module_mutex);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

u64 rtrace_module_of(u64 address)
{
	unsigned long found;

	/* But compared, never followed. */
	rcu_read_lock();
	found = (unsigned long)static_call(rtrace_module_at)(address);
	rcu_read_unlock();
	return found;
}

/* ---- ranges of text that are nobody's functions ----------------------------------- */

static void rtrace_tell_range(u64 start, u64 bytes, u32 kind, const char *name,
			      rtrace_each each, void *data)
{
	struct rtrace_range_fact fact = {
		.start = start,
		.bytes = bytes,
		.kind = kind,
	};

	if (!start || !bytes)
		return;
	rtrace_name(fact.name, sizeof(fact.name), name);
	each(data, &fact);
}

static void rtrace_tell_trampoline(const struct ftrace_ops *ops, rtrace_each each, void *data)
{
	unsigned long flags, start, bytes;

	if (rtrace_get(flags, &ops->flags) && flags & FTRACE_OPS_FL_ALLOC_TRAMP &&
	    rtrace_get(start, &ops->trampoline) && rtrace_get(bytes, &ops->trampoline_size))
		rtrace_tell_range(start, bytes, RTRACE_OWNER_FTRACE, "ftrace_trampoline", each,
				  data);
}

static int rtrace_each_trampoline(rtrace_each each, void *data)
{
	const struct list_head *head = (const struct list_head *)rtrace_at.ftrace_trampolines, *at;
	int error = rtrace_at.ops ? rtrace_lock(rtrace_at.ftrace_lock) : -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_walk_ops(rtrace_tell_trampoline, each, data);
	/* Those that an ops keeps when it is unregistered. */
	if (head)
		rtrace_for_each(at, head)
			rtrace_tell_trampoline(list_entry(at, struct ftrace_ops, list), each, data);
	rtrace_unlock(rtrace_at.ftrace_lock);
	return 0;
}

/* What struct kprobe_insn_page of kernel/kprobes.c begins with. */
struct rtrace_slots_page {
	struct list_head list;
	kprobe_opcode_t *slots;
};

static int rtrace_each_slots_page(unsigned long cache_at, rtrace_each each, void *data)
{
	struct kprobe_insn_cache *cache = (struct kprobe_insn_cache *)cache_at;
	const struct list_head *at;
	kprobe_opcode_t *slots;
	int error = cache ? mutex_lock_killable(&cache->mutex) : -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_for_each(at, &cache->pages)
		if (rtrace_get(slots, &list_entry(at, struct rtrace_slots_page, list)->slots))
			rtrace_tell_range((unsigned long)slots, PAGE_SIZE, RTRACE_OWNER_KPROBE,
					  cache->sym, each, data);
	mutex_unlock(&cache->mutex);
	return 0;
}

/* What struct bpf_prog_pack of kernel/bpf/core.c begins with. */
struct rtrace_bpf_pack {
	struct list_head list;
	void *ptr;
};

static int rtrace_each_bpf(rtrace_each each, void *data)
{
	const struct list_head *packs = (const struct list_head *)rtrace_at.bpf_packs;
	const struct list_head *at;
	void *pack;
	int error;

#ifdef CONFIG_BPF_JIT
	const struct list_head *symbols = (const struct list_head *)rtrace_at.bpf_symbols;

	/* Entries are freed after a grace period. */
	rcu_read_lock();
	if (symbols)
		rtrace_for_each(at, symbols) {
			const struct bpf_ksym *symbol = list_entry(at, struct bpf_ksym, lnode);
			unsigned long start, end;

			if (rtrace_get(start, &symbol->start) && rtrace_get(end, &symbol->end))
				rtrace_tell_range(start, end - start, RTRACE_OWNER_BPF,
						  symbol->name, each, data);
		}
	rcu_read_unlock();
#endif
	error = packs ? rtrace_lock(rtrace_at.bpf_packs_mutex) : -EOPNOTSUPP;
	if (error)
		return error;
	/* Classic filters have no symbols. */
	rtrace_for_each(at, packs)
		if (rtrace_get(pack, &list_entry(at, struct rtrace_bpf_pack, list)->ptr))
			rtrace_tell_range((unsigned long)pack, SZ_2M * num_possible_nodes(),
					  RTRACE_OWNER_BPF, "bpf_prog_pack", each, data);
	rtrace_unlock(rtrace_at.bpf_packs_mutex);
	return 0;
}

/* More than the text of any module calls for. */
#define RTRACE_THUNK_PAGES_MAX 4096u

static int rtrace_each_thunk_page(rtrace_each each, void *data)
{
#ifdef CONFIG_MITIGATION_ITS
	const struct list_head *head = (const struct list_head *)rtrace_at.modules, *at;
	int error = head ? rtrace_lock(rtrace_at.module_mutex) : -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_for_each(at, head) {
		const struct module *module = list_entry(at, struct module, list);
		struct its_array thunks;
		enum module_state state;
		unsigned int i;
		void *page;

		/* Of one that is not formed they are being made, or freed. */
		if (!rtrace_get(state, &module->state) || state == MODULE_STATE_UNFORMED ||
		    !rtrace_get(thunks, &module->arch.its_pages))
			continue;
		for (i = 0; i < min_t(unsigned int, thunks.num, RTRACE_THUNK_PAGES_MAX); i++)
			if (rtrace_get(page, &thunks.pages[i]))
				rtrace_tell_range((unsigned long)page, PAGE_SIZE,
						  RTRACE_OWNER_THUNK, module->name, each, data);
	}
	rtrace_unlock(rtrace_at.module_mutex);
#endif
	return 0;
}

/* What real and protected mode run when a CPU is started; below 1 MiB. */
static void rtrace_tell_real_mode(rtrace_each each, void *data)
{
	const struct real_mode_header *header;
	u32 start, end;

	if (rtrace_at.real_mode &&
	    rtrace_get(header, (struct real_mode_header **)rtrace_at.real_mode) &&
	    rtrace_get(start, &header->text_start) && rtrace_get(end, &header->ro_end))
		rtrace_tell_range((unsigned long)__va(start), PAGE_ALIGN(end) - start,
				  RTRACE_OWNER_INIT, "real_mode", each, data);
}

/* Bytes by which the copy is known: they are code, of a page that has data further on. */
#define RTRACE_KEXEC_TEXT_BYTES 256

/* The copy of the kernel's own code that is to enter another kernel: a page for each that is loaded. */
static void rtrace_tell_kexec(rtrace_each each, void *data)
{
#ifdef CONFIG_KEXEC_CORE
	const unsigned long images[] = { rtrace_at.kexec_image, rtrace_at.kexec_crash_image };
	u8 text[RTRACE_KEXEC_TEXT_BYTES], copy[RTRACE_KEXEC_TEXT_BYTES];
	struct kimage *image;
	struct page *page;
	unsigned int i;

	if (!rtrace_at.kexec_text ||
	    copy_from_kernel_nofault(text, (void *)rtrace_at.kexec_text, sizeof(text)))
		return;
	for (i = 0; i < ARRAY_SIZE(images); i++)
		if (images[i] && rtrace_get(image, (struct kimage **)images[i]) && image &&
		    rtrace_get(page, &image->control_code_page) && page &&
		    !copy_from_kernel_nofault(copy, page_address(page), sizeof(copy)) &&
		    !memcmp(copy, text, sizeof(copy)))
			rtrace_tell_range((unsigned long)page_address(page), PAGE_SIZE,
					  RTRACE_OWNER_INIT, "kexec", each, data);
#endif
}

/* The page that Hyper-V fills with what calls it: the one that the hypervisor itself was told of. */
static void rtrace_tell_hypercalls(rtrace_each each, void *data)
{
#ifdef CONFIG_HYPERV
	const u32 msr = 0x40000001; /* HV_X64_MSR_HYPERCALL: its page, and in bit 0 that there is one */
	u64 told;
	void *page;

	if (rtrace_at.hypercall_page && hypervisor_is_type(X86_HYPER_MS_HYPERV) &&
	    rtrace_get(page, (void **)rtrace_at.hypercall_page) && page &&
	    is_vmalloc_or_module_addr(page) && !rdmsrq_safe(msr, &told) && told & 1 &&
	    told >> PAGE_SHIFT == vmalloc_to_pfn(page))
		rtrace_tell_range((unsigned long)page, PAGE_SIZE, RTRACE_OWNER_THUNK, "hv_hypercall",
				  each, data);
#endif
}

int rtrace_each_range(rtrace_each each, void *data)
{
	int (*const parts[])(rtrace_each, void *) = {
		rtrace_each_trampoline,
		rtrace_each_bpf,
		rtrace_each_thunk_page,
	};
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		error = parts[i](each, data);
		if (error && error != -EOPNOTSUPP)
			return error;
	}
	error = rtrace_each_slots_page(rtrace_at.kprobe_slots, each, data);
	if (error && error != -EOPNOTSUPP)
		return error;
	error = rtrace_each_slots_page(rtrace_at.kprobe_detours, each, data);
	if (error && error != -EOPNOTSUPP)
		return error;
	rtrace_tell_real_mode(each, data);
	rtrace_tell_kexec(each, data);
	rtrace_tell_hypercalls(each, data);
	return 0;
}

/* ---- taints ------------------------------------------------------------------------------------------- */

u64 rtrace_taints_told(void)
{
	u64 taints = 0;
	unsigned int flag;

	for (flag = 0; flag < TAINT_FLAGS_COUNT; flag++)
		if (test_taint(flag))
			taints |= 1ull << flag;
	return taints;
}

u64 rtrace_taints(void)
{
	return rtrace_at.taints ? READ_ONCE(*(unsigned long *)rtrace_at.taints) :
				  rtrace_taints_told();
}
