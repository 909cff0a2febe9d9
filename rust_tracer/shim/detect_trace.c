// SPDX-License-Identifier: GPL-2.0
/*
 * For the views (see detect.c): who is called where. ftrace's list and its
 * records, what the kernel patches by itself, kprobes, tracepoints.
 */
#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/trace_events.h>
#include <linux/tracepoint.h>

#include "../../include/uapi/rust_tracer.h"
#include "../arch/stub.h"
#include "shim.h"
#include "detect_at.h"

/* ---- ftrace ---------------------------------------------------------------------- */

void rtrace_walk_ops(void (*tell)(const struct ftrace_ops *ops, rtrace_each each, void *data),
		     rtrace_each each, void *data)
{
	const struct ftrace_ops *at = *(struct ftrace_ops **)rtrace_at.ops;
	unsigned int steps = 0;

	while (at && (unsigned long)at != rtrace_at.ops_end && steps++ < RTRACE_LIST_MAX) {
		tell(at, each, data);
		if (!rtrace_get(at, &at->next))
			break;
	}
}

/* What struct ftrace_hash of kernel/trace/trace.h begins with. */
struct rtrace_ftrace_hash {
	unsigned long size_bits;
	struct hlist_head *buckets;
	unsigned long count;
};

static void rtrace_tell_ops(const struct ftrace_ops *ops, rtrace_each each, void *data)
{
	struct rtrace_ops_fact fact = { .ops = (unsigned long)ops };
	const struct ftrace_ops_hash *hashes;
	const struct rtrace_ftrace_hash *filter;
	unsigned long flags = 0, func = 0, saved = 0, direct = 0, trampoline = 0, count;

	(void)(rtrace_get(flags, &ops->flags) && rtrace_get(func, (unsigned long *)&ops->func) &&
	       rtrace_get(saved, (unsigned long *)&ops->saved_func) &&
	       rtrace_get(trampoline, &ops->trampoline));
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS
	if (flags & FTRACE_OPS_FL_DIRECT && !rtrace_get(direct, &ops->direct_call))
		direct = 0;
#endif
	fact.flags = flags;
	fact.func = func;
	fact.saved_func = saved;
	fact.direct = direct;
	fact.trampoline = ftrace_jmp_get(trampoline);
	if (rtrace_get(hashes, &ops->func_hash) &&
	    rtrace_get(filter, (struct rtrace_ftrace_hash **)&hashes->filter_hash) &&
	    rtrace_get(count, &filter->count))
		fact.functions = count;
	each(data, &fact);
}

int rtrace_each_ops(rtrace_each each, void *data)
{
	int error = rtrace_at.ops && rtrace_at.ops_end ? rtrace_lock(rtrace_at.ftrace_lock) :
							 -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_walk_ops(rtrace_tell_ops, each, data);
	rtrace_unlock(rtrace_at.ftrace_lock);
	return 0;
}

/* More than any filter has: 2^20 chains. */
#define RTRACE_FILTER_BITS_MAX 20

static void rtrace_tell_hooks(const struct ftrace_ops *ops, rtrace_each each, void *data)
{
	struct rtrace_hook_fact fact = { .ops = (unsigned long)ops };
	const struct ftrace_ops_hash *hashes;
	const struct rtrace_ftrace_hash *filter;
	struct rtrace_ftrace_hash hash;
	unsigned int steps = 0;
	unsigned long i;

	if (!rtrace_get(hashes, &ops->func_hash) ||
	    !rtrace_get(filter, (struct rtrace_ftrace_hash **)&hashes->filter_hash) ||
	    !rtrace_get(hash, filter) || hash.size_bits > RTRACE_FILTER_BITS_MAX)
		return;
	if (!hash.count)
		each(data, &fact);
	for (i = 0; hash.count && i < 1ul << hash.size_bits; i++) {
		const struct hlist_node *at;

		cond_resched();
		if (!rtrace_get(at, &hash.buckets[i].first))
			break;
		while (at && steps++ < RTRACE_STEPS_MAX) {
			struct ftrace_func_entry entry;

			if (!rtrace_get(entry, hlist_entry(at, struct ftrace_func_entry, hlist)))
				break;
			fact.site = entry.ip;
			fact.direct = entry.direct;
			each(data, &fact);
			at = entry.hlist.next;
		}
	}
}

int rtrace_each_hook(rtrace_each each, void *data)
{
	int error = rtrace_at.ops && rtrace_at.ops_end ? rtrace_lock(rtrace_at.ftrace_lock) :
							 -EOPNOTSUPP;

	if (error)
		return error;
	rtrace_walk_ops(rtrace_tell_hooks, each, data);
	rtrace_unlock(rtrace_at.ftrace_lock);
	return 0;
}

bool rtrace_is_own_ops(u64 ops)
{
	return ops == (unsigned long)rtrace_ops_of_entries() ||
	       ops == (unsigned long)rtrace_ops_of_stub() || rtrace_is_slot_ops(ops);
}

u64 rtrace_ops_direct_flag(void)
{
	return FTRACE_OPS_FL_DIRECT;
}

/* struct ftrace_page of kernel/trace/ftrace.c. */
struct rtrace_ftrace_page {
	struct rtrace_ftrace_page *next;
	struct dyn_ftrace *records;
	int index;
	int order;
};

static u32 rtrace_record(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		u32 bit;
	} bits[] = {
		{ FTRACE_FL_ENABLED, RTRACE_REC_ENABLED },
		{ FTRACE_FL_REGS_EN, RTRACE_REC_REGS },
		{ FTRACE_FL_IPMODIFY, RTRACE_REC_IPMODIFY },
		{ FTRACE_FL_DIRECT_EN, RTRACE_REC_DIRECT },
		{ FTRACE_FL_TRAMP_EN, RTRACE_REC_TRAMPOLINE },
		{ FTRACE_FL_CALL_OPS_EN, RTRACE_REC_OPS },
		{ FTRACE_FL_DISABLED, RTRACE_REC_DISABLED },
	};
	u32 record = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (flags & bits[i].flag)
			record |= bits[i].bit;
	return record;
}

int rtrace_each_site(rtrace_each each, void *data)
{
	const struct rtrace_ftrace_page *page;
	unsigned int steps = 0;
	int i, error = rtrace_at.ftrace_pages ? rtrace_lock(rtrace_at.ftrace_lock) : -EOPNOTSUPP;

	if (error)
		return error;
	page = *(struct rtrace_ftrace_page **)rtrace_at.ftrace_pages;
	for (; page && steps < RTRACE_STEPS_MAX; page = page->next) {
		for (i = 0; i < page->index && steps++ < RTRACE_STEPS_MAX; i++) {
			struct rtrace_site_fact fact = {
				.site = page->records[i].ip,
				.record = rtrace_record(page->records[i].flags),
				.users = ftrace_rec_count(&page->records[i]),
			};

			if (fact.site)
				each(data, &fact);
		}
		cond_resched();
	}
	rtrace_unlock(rtrace_at.ftrace_lock);
	return 0;
}

void rtrace_each_site_of(const struct module *module, rtrace_each each, void *data)
{
	unsigned int i;

	for (i = 0; i < module->num_ftrace_callsites; i++) {
		struct rtrace_site_fact fact = { .site = module->ftrace_callsites[i] };

		/* 0: of a function that the linker did not take. */
		if (within_module(fact.site, module))
			each(data, &fact);
	}
}

static int rtrace_none_reserved(void *start, void *end)
{
	return 0;
}

static void rtrace_no_lock(void)
{
}

/* As for rtrace_symbols in inlines.c. */
DEFINE_STATIC_CALL(rtrace_jumps_reserved, rtrace_none_reserved);
DEFINE_STATIC_CALL(rtrace_jumps_lock, rtrace_no_lock);
DEFINE_STATIC_CALL(rtrace_jumps_unlock, rtrace_no_lock);
DEFINE_STATIC_CALL(rtrace_calls_reserved, rtrace_none_reserved);

void rtrace_patches_are_told_by(const struct rtrace_landmarks *at)
{
	if (at->jumps_told_by && at->jumps_lock && at->jumps_unlock) {
		static_call_update(rtrace_jumps_lock, (typeof(&rtrace_no_lock))at->jumps_lock);
		static_call_update(rtrace_jumps_unlock, (typeof(&rtrace_no_lock))at->jumps_unlock);
		static_call_update(rtrace_jumps_reserved,
				   (typeof(&rtrace_none_reserved))at->jumps_told_by);
	}
	if (at->calls_told_by)
		static_call_update(rtrace_calls_reserved,
				   (typeof(&rtrace_none_reserved))at->calls_told_by);
}

bool rtrace_is_patched_by_kernel(u64 address)
{
	void *at = (void *)(unsigned long)address;
	bool jumps;

	/* Who asks holds jump_label_mutex: an instruction that is being patched has no length, which is a BUG() there. */
	static_call(rtrace_jumps_lock)();
	jumps = static_call(rtrace_jumps_reserved)(at, at);
	static_call(rtrace_jumps_unlock)();
	return jumps || static_call(rtrace_calls_reserved)(at, at);
}

static void rtrace_tell_patched(const struct jump_entry *jump, const struct jump_entry *jumps_end,
				const struct static_call_site *call,
				const struct static_call_site *calls_end,
				rtrace_each each, void *data)
{
	for (; jump < jumps_end; jump++) {
		struct rtrace_patched_fact fact = { .address = jump_entry_code(jump) };

		each(data, &fact);
	}
	for (; call < calls_end; call++) {
		struct rtrace_patched_fact fact = {
			.address = (long)call->addr + (long)&call->addr,
			.call = 1,
		};

		each(data, &fact);
	}
}

int rtrace_each_patched(bool own, rtrace_each each, void *data)
{
	const struct module *module = THIS_MODULE;
	unsigned int slot;

	if (own) {
		/* Each slot's static call has a place of its own besides where it is called. */
		for (slot = 0; slot < RTRACE_SLOT_STUBS; slot++) {
			struct rtrace_patched_fact fact = {
				.address = rtrace_slot_trampoline(slot),
				.call = 1,
			};

			each(data, &fact);
		}
		rtrace_tell_patched(module->jump_entries,
				    module->jump_entries + module->num_jump_entries,
				    module->static_call_sites,
				    module->static_call_sites + module->num_static_call_sites,
				    each, data);
		return 0;
	}
	if (!rtrace_at.jumps || !rtrace_at.jumps_end || !rtrace_at.calls || !rtrace_at.calls_end)
		return -EOPNOTSUPP;
	rtrace_tell_patched((struct jump_entry *)rtrace_at.jumps,
			    (struct jump_entry *)rtrace_at.jumps_end,
			    (struct static_call_site *)rtrace_at.calls,
			    (struct static_call_site *)rtrace_at.calls_end, each, data);
	return 0;
}

u32 rtrace_ftrace_enabled(void)
{
	/* Where there is no such word nothing can have turned it off. */
	return rtrace_at.ftrace_enabled ? READ_ONCE(*(int *)rtrace_at.ftrace_enabled) != 0 : 1;
}

/* ---- kprobes ------------------------------------------------------------------------ */

static void rtrace_tell_kprobe(const struct kprobe *probe, const struct kprobe *at, bool several,
			       rtrace_each each, void *data)
{
	struct rtrace_kprobe_fact fact = {
		.probe = (unsigned long)probe,
		.aggregate = several,
	};
	unsigned long before = 0, after = 0, handler, address;
	const char *symbol = NULL;
	u32 flags = 0, armed;

	if (!rtrace_get(address, (unsigned long *)&at->addr) ||
	    !rtrace_get(fact.opcode, &at->opcode) || !rtrace_get(armed, &at->flags))
		return;
	fact.address = address;
	(void)(rtrace_get(before, (unsigned long *)&probe->pre_handler) &&
	       rtrace_get(after, (unsigned long *)&probe->post_handler) &&
	       rtrace_get(symbol, &probe->symbol_name) && rtrace_get(flags, &probe->flags));
	fact.flags = flags | armed;
	fact.handler = before ?: after;
	if (before && before == rtrace_at.kprobe_return) {
		const struct kretprobe *ret = container_of(probe, struct kretprobe, kp);

		/* The kernel's own handler leads to the one that was asked for. */
		if ((rtrace_get(handler, (unsigned long *)&ret->handler) && handler) ||
		    (rtrace_get(handler, (unsigned long *)&ret->entry_handler) && handler))
			fact.handler = handler;
	}
	if (symbol)
		rtrace_name(fact.symbol, sizeof(fact.symbol), symbol);
#ifdef CONFIG_OPTPROBES
	if (armed & KPROBE_FLAG_OPTIMIZED) {
		const struct optimized_kprobe *optimized =
			container_of(at, struct optimized_kprobe, kp);

		static_assert(sizeof(fact.copied) == sizeof(optimized->optinsn.copied_insn));
		fact.optimized = rtrace_copy_kernel(fact.copied,
						    (unsigned long)optimized->optinsn.copied_insn,
						    sizeof(fact.copied));
	}
#endif
	each(data, &fact);
}

/* Those at one address: one, or several by one that stands for all of them. */
static void rtrace_tell_kprobes(const struct kprobe *at, rtrace_each each, void *data)
{
	const struct list_head *probe;
	unsigned long handler;

	if (!rtrace_get(handler, (unsigned long *)&at->pre_handler))
		return;
	if (handler != rtrace_at.kprobe_several) {
		rtrace_tell_kprobe(at, at, false, each, data);
		return;
	}
	rtrace_for_each(probe, &at->list)
		rtrace_tell_kprobe(list_entry(probe, struct kprobe, list), at,
				   !list_is_singular(&at->list), each, data);
}

/* KPROBE_TABLE_SIZE of kernel/kprobes.c. */
#define RTRACE_KPROBE_CHAINS 64

int rtrace_each_kprobe(rtrace_each each, void *data)
{
	const struct hlist_head *table = (const struct hlist_head *)rtrace_at.kprobes;
	unsigned int i;
	int error = table && rtrace_at.kprobe_several ? rtrace_lock(rtrace_at.kprobe_mutex) :
							-EOPNOTSUPP;

	if (error)
		return error;
	for (i = 0; i < RTRACE_KPROBE_CHAINS; i++) {
		const struct hlist_node *node;
		unsigned int steps = 0;

		if (!rtrace_get(node, &table[i].first))
			break;
		while (node && steps++ < RTRACE_LIST_MAX) {
			rtrace_tell_kprobes(hlist_entry(node, struct kprobe, hlist), each, data);
			if (!rtrace_get(node, &node->next))
				break;
		}
	}
	rtrace_unlock(rtrace_at.kprobe_mutex);
	return 0;
}

/* ---- tracepoints ----------------------------------------------------------------------------- */

struct rtrace_telling {
	rtrace_each each;
	void *data;
};

/* tracepoints_mutex is held: its array is not replaced, but by whoever does not ask for it. */
static void rtrace_tell_tracepoint(struct tracepoint *point, void *data)
{
	const struct rtrace_telling *telling = data;
	const struct tracepoint_func *at = rcu_dereference_raw(point->funcs);
	unsigned int steps;

	for (steps = 0; at && steps < RTRACE_LIST_MAX; at++, steps++) {
		struct rtrace_tracepoint_fact fact = {};
		struct tracepoint_func func;

		if (!rtrace_get(func, at) || !func.func)
			break;
		fact.func = (unsigned long)func.func;
		fact.data = (unsigned long)func.data;

		rtrace_name(fact.name, sizeof(fact.name), point->name);
		telling->each(telling->data, &fact);
	}
}

#ifdef CONFIG_MODULES
/* It takes itself off the list before it goes. */
static void rtrace_tell_tracepoints_of(const struct tp_module *module, struct rtrace_telling *telling)
{
	tracepoint_ptr_t *at = module->mod->tracepoints_ptrs;
	tracepoint_ptr_t *end = at + module->mod->num_tracepoints;

	for (; at < end; at++)
		rtrace_tell_tracepoint(tracepoint_ptr_deref(at), telling);
}
#endif

int rtrace_each_tracepoint(rtrace_each each, void *data)
{
	struct rtrace_telling telling = { .each = each, .data = data };
	const struct list_head *head = (const struct list_head *)rtrace_at.tracepoint_modules;
	int error = rtrace_lock(rtrace_at.tracepoints_mutex);

	if (error)
		return error;
	for_each_kernel_tracepoint(rtrace_tell_tracepoint, &telling);
	rtrace_unlock(rtrace_at.tracepoints_mutex);
#ifdef CONFIG_MODULES
	/* The mutex of modules is the outer one. */
	error = head ? rtrace_lock(rtrace_at.tracepoint_modules_mutex) : 0;
	if (head && !error) {
		const struct list_head *node;

		error = rtrace_lock(rtrace_at.tracepoints_mutex);
		if (!error) {
			rtrace_for_each(node, head)
				rtrace_tell_tracepoints_of(list_entry(node, struct tp_module, list),
							   &telling);
			rtrace_unlock(rtrace_at.tracepoints_mutex);
		}
		rtrace_unlock(rtrace_at.tracepoint_modules_mutex);
	}
#endif
	return error;
}

/*
 * The event for which something is registered at a tracepoint: perf gives itself as the
 * function's data, tracefs a file of it. NULL: for none.
 */
static const struct trace_event_call *rtrace_event_of(const struct tracepoint *point,
						      const void *data)
{
	const struct trace_event_call *event = data;
	const struct trace_event_file *file = data;
	const struct tracepoint *of;

	if (rtrace_get(of, &event->tp) && of == point)
		return event;
	if (rtrace_get(event, &file->event_call) && rtrace_get(of, &event->tp) && of == point)
		return event;
	return NULL;
}

/* Whether a function is not the one that the event has it call, nor the kernel's at all. */
static bool rtrace_is_anothers(const struct tracepoint *point, const struct tracepoint_func *func)
{
	const struct trace_event_call *event = rtrace_event_of(point, func->data);
	const struct trace_event_class *class;
	void *own;

	if (!event || rtrace_in_image((unsigned long)func->func) || !rtrace_get(class, &event->class) ||
	    !rtrace_get(own, &class->probe) || own == func->func)
		return false;
#ifdef CONFIG_PERF_EVENTS
	if (!rtrace_get(own, &class->perf_probe) || own == func->func)
		return false;
#endif
	return true;
}

/*
 * Those in a tracepoint's list who are not whom the kernel has put there. It allocates the
 * list, and so it lies neither in its image nor among modules.
 */
static void rtrace_tell_changed_funcs(const struct tracepoint *point, const char *name,
				      const struct tracepoint_func *funcs,
				      const struct rtrace_telling *telling)
{
	unsigned long at = (unsigned long)funcs;
	bool is_static = rtrace_in_image(at) || (at >= MODULES_VADDR && at < MODULES_END);
	struct tracepoint_func func;
	unsigned int steps;

	for (steps = 0; funcs && steps < RTRACE_LIST_MAX; funcs++, steps++) {
		if (!rtrace_get(func, funcs) || !func.func)
			return;
		if (is_static || rtrace_is_anothers(point, &func))
			rtrace_tell_callback(RTRACE_CALLBACK_TRACEPOINT, name, (unsigned long)funcs,
					     (unsigned long)func.func, telling->each, telling->data);
	}
}

/*
 * A tracepoint calls the only function that is registered or, of none or of several, its
 * iterator, and is switched on while there is any. The mutex is held, as above: who
 * registers changes all three under it.
 */
static void rtrace_tell_odd_tracepoint(struct tracepoint *point, void *data)
{
	const struct rtrace_telling *telling = data;
	const struct tracepoint_func *funcs = rcu_dereference_raw(point->funcs);
	unsigned long first = 0, second = 0, called, right = (unsigned long)point->iterator;
	char name[RTRACE_OWNER_NAME];

	if (!point->static_call_key ||
	    !rtrace_get(called, (unsigned long *)&point->static_call_key->func))
		return;
	if (funcs && (!rtrace_get(first, (unsigned long *)&funcs[0].func) ||
		      (first && !rtrace_get(second, (unsigned long *)&funcs[1].func))))
		return;
	if (first && !second)
		right = first;
	rtrace_name((u8 *)name, sizeof(name), point->name);
	rtrace_tell_changed_funcs(point, name, funcs, telling);
	if (called != right)
		rtrace_tell_callback(RTRACE_CALLBACK_TRACEPOINT, name,
				     (unsigned long)point->static_call_key, called, telling->each,
				     telling->data);
	else if (first && !static_key_enabled(&point->key))
		rtrace_tell_callback(RTRACE_CALLBACK_TRACEPOINT, name, (unsigned long)&point->key,
				     first, telling->each, telling->data);
}

int rtrace_each_odd_tracepoint(rtrace_each each, void *data)
{
	struct rtrace_telling telling = { .each = each, .data = data };
	int error = rtrace_lock(rtrace_at.tracepoints_mutex);

	if (error)
		return error;
	for_each_kernel_tracepoint(rtrace_tell_odd_tracepoint, &telling);
	rtrace_unlock(rtrace_at.tracepoints_mutex);
	return 0;
}
