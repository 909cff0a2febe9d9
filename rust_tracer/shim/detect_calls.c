// SPDX-License-Identifier: GPL-2.0
/*
 * For the views (see detect.c): what the kernel calls by pointers that no table
 * of files or of ftrace has, and where its text leads out of itself.
 */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/static_call.h>
#include <asm/insn.h>

#include "../../include/uapi/rust_tracer.h"
#include "shim.h"
#include "detect_at.h"

void rtrace_tell_callback(u32 kind, const char *name, u64 at, u64 func, rtrace_each each,
			  void *data)
{
	struct rtrace_callback_fact fact = {
		.at = at,
		.func = func,
		.kind = kind,
	};

	bool is_kernels = func >= rtrace_at.text && func < rtrace_at.text_end;

	/* Of what is mostly the kernel's own, and much, only the rest is of interest. */
	if (!func || (is_kernels && kind != RTRACE_CALLBACK_NOTIFIER &&
		      kind != RTRACE_CALLBACK_FPROBE && kind != RTRACE_CALLBACK_TRACEPOINT))
		return;
	strscpy((char *)fact.name, name, sizeof(fact.name));
	each(data, &fact);
}

/* ---- chains of notifiers ----------------------------------------------------------- */

/*
 * Without the chain's lock: it is held while notifiers are called, ours among them,
 * which take ours. Who goes meanwhile is memory that may be anything.
 */
static void rtrace_tell_chain(const char *name, unsigned long at, rtrace_each each, void *data)
{
	const struct notifier_block *block;
	unsigned int steps;

	if (!rtrace_get(block, (struct notifier_block **)at))
		return;
	for (steps = 0; block && steps < RTRACE_LIST_MAX; steps++) {
		unsigned long func;

		if (!rtrace_get(func, (unsigned long *)&block->notifier_call))
			return;
		rtrace_tell_callback(RTRACE_CALLBACK_NOTIFIER, name, (unsigned long)block, func,
				     each, data);
		if (!rtrace_get(block, &block->next))
			return;
	}
}

static void rtrace_tell_notifiers(rtrace_each each, void *data)
{
#define RTRACE_CHAIN(name, type)                                                               \
	if (rtrace_at.name)                                                                    \
	rtrace_tell_chain(#name, rtrace_at.name + offsetof(struct type##_notifier_head, head), \
			  each, data)

	RTRACE_CHAIN(die_chain, atomic);
	RTRACE_CHAIN(panic_notifier_list, atomic);
	RTRACE_CHAIN(restart_handler_list, atomic);
	RTRACE_CHAIN(keyboard_notifier_list, atomic);
	RTRACE_CHAIN(vt_notifier_list, atomic);
	RTRACE_CHAIN(netevent_notif_chain, atomic);
	RTRACE_CHAIN(inet6addr_chain, atomic);
	RTRACE_CHAIN(module_notify_list, blocking);
	RTRACE_CHAIN(tracepoint_notify_list, blocking);
	RTRACE_CHAIN(reboot_notifier_list, blocking);
	RTRACE_CHAIN(pm_chain_head, blocking);
	RTRACE_CHAIN(oom_notify_list, blocking);
	RTRACE_CHAIN(inetaddr_chain, blocking);
	RTRACE_CHAIN(netdev_chain, raw);
#undef RTRACE_CHAIN
}

/* ---- fprobe and function_graph ------------------------------------------------------ */

/* FPROBE_TABLE_SIZE of kernel/trace/fprobe.c. */
#define RTRACE_FPROBE_CHAINS 64

/* Functions that an fprobe is on, if its handler is another module's. */
static void rtrace_tell_probed(const struct fprobe_hlist *list, unsigned long handler,
			       rtrace_each each, void *data)
{
	unsigned long site;
	int size, i;

	if (within_module(handler, THIS_MODULE) || !rtrace_get(size, &list->size))
		return;
	for (i = 0; i < size && i < RTRACE_LIST_MAX && rtrace_get(site, &list->array[i].addr); i++)
		rtrace_tell_callback(RTRACE_CALLBACK_PROBED, "", site, handler, each, data);
}

static void rtrace_tell_fprobe(const struct fprobe_hlist *list, rtrace_each each, void *data)
{
	const struct fprobe *probe;
	unsigned long entry, exit;

	if (!rtrace_get(probe, &list->fp) ||
	    !rtrace_get(entry, (unsigned long *)&probe->entry_handler) ||
	    !rtrace_get(exit, (unsigned long *)&probe->exit_handler))
		return;
	rtrace_tell_callback(RTRACE_CALLBACK_FPROBE, "entry", (unsigned long)probe, entry, each,
			     data);
	rtrace_tell_callback(RTRACE_CALLBACK_FPROBE, "exit", (unsigned long)probe, exit, each,
			     data);
	rtrace_tell_probed(list, exit ?: entry, each, data);
}

static int rtrace_walk_fprobes(void (*tell)(const struct fprobe_hlist *list, rtrace_each each,
					    void *data),
			       rtrace_each each, void *data)
{
	const struct hlist_head *table = (const struct hlist_head *)rtrace_at.fprobes;
	int error = table ? rtrace_lock(rtrace_at.fprobe_mutex) : -EOPNOTSUPP;
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < RTRACE_FPROBE_CHAINS; i++) {
		const struct hlist_node *node;
		unsigned int steps = 0;

		if (!rtrace_get(node, &table[i].first))
			break;
		while (node && steps++ < RTRACE_LIST_MAX) {
			tell(hlist_entry(node, struct fprobe_hlist, hlist), each, data);
			if (!rtrace_get(node, &node->next))
				break;
		}
	}
	rtrace_unlock(rtrace_at.fprobe_mutex);
	return 0;
}

static void rtrace_count_own_fprobe(const struct fprobe_hlist *list, rtrace_each each, void *data)
{
	const struct fprobe *probe;
	struct fprobe copy;

	if (rtrace_get(probe, &list->fp) && rtrace_get(copy, probe) &&
	    rtrace_is_own_fprobe(&copy) && !fprobe_disabled(&copy))
		++*(int *)data;
}

int rtrace_own_fprobes(void)
{
	int count = 0;

	return rtrace_walk_fprobes(rtrace_count_own_fprobe, NULL, &count) ?: count;
}

/* FGRAPH_ARRAY_SIZE of kernel/trace/fgraph.c. */
#define RTRACE_GRAPH_USERS 16

static int rtrace_each_graph_user(rtrace_each each, void *data)
{
	const struct fgraph_ops **users = (const struct fgraph_ops **)rtrace_at.graph_users;
	int error = users ? rtrace_lock(rtrace_at.ftrace_lock) : -EOPNOTSUPP;
	unsigned int i;

	if (error)
		return error;
	for (i = 0; i < RTRACE_GRAPH_USERS; i++) {
		const struct fgraph_ops *user;
		unsigned long func;

		if (!rtrace_get(user, &users[i]) || !user)
			continue;
		if (rtrace_get(func, (unsigned long *)&user->entryfunc))
			rtrace_tell_callback(RTRACE_CALLBACK_GRAPH, "entry", (unsigned long)user,
					     func, each, data);
		if (rtrace_get(func, (unsigned long *)&user->retfunc))
			rtrace_tell_callback(RTRACE_CALLBACK_GRAPH, "return", (unsigned long)user,
					     func, each, data);
	}
	rtrace_unlock(rtrace_at.ftrace_lock);
	return 0;
}

/* ---- static calls ------------------------------------------------------------------- */

/* Those that the kernel's own text has: their table is sorted by what they are of. */
static void rtrace_tell_static_calls(rtrace_each each, void *data)
{
#ifdef CONFIG_HAVE_STATIC_CALL_INLINE
	const struct static_call_site *call = (const struct static_call_site *)rtrace_at.calls;
	const struct static_call_site *end = (const struct static_call_site *)rtrace_at.calls_end;
	unsigned long last = 0;

	for (; call && call < end; call++) {
		unsigned long key = ((long)call->key + (long)&call->key) & ~STATIC_CALL_SITE_FLAGS;
		unsigned long func;

		if (key == last || !rtrace_get(func, (unsigned long *)key))
			continue;
		last = key;
		rtrace_tell_callback(RTRACE_CALLBACK_STATIC_CALL, "", key, func, each, data);
	}
#endif
}

/* ---- threads of the kernel's, and stacks ----------------------------------------------- */

bool rtrace_in_image(u64 address)
{
	return address >= rtrace_at.text && address < PAGE_ALIGN(rtrace_at.image_end);
}

/* Words of a stack that are copied at once. */
#define RTRACE_STACK_WORDS 64

/*
 * Words of a stack, from where its task left off, that lead into executable memory which
 * is not the kernel's image. The stack may go, or its task run on: it is memory that may
 * be anything.
 */
static void rtrace_tell_stack(const struct task_struct *task, rtrace_each each, void *data)
{
	unsigned long base = (unsigned long)READ_ONCE(task->stack), at, end = base + THREAD_SIZE;
	u64 words[RTRACE_STACK_WORDS];
	unsigned int i;

	at = READ_ONCE(task->thread.sp);
	if (!base || !rtrace_at.image_end)
		return;
	if (at < base || at >= end)
		at = base;
	for (at &= ~7ul; at < end; at += sizeof(words)) {
		size_t bytes = min_t(size_t, sizeof(words), end - at);

		if (!rtrace_copy_kernel(words, at, bytes))
			return;
		for (i = 0; i < bytes / sizeof(*words); i++) {
			/* What is in user space, and in the image, is of no interest. */
			if ((s64)words[i] >= 0 || rtrace_in_image(words[i]) ||
			    !(rtrace_page_is(words[i]) & RTRACE_PAGE_EXECUTABLE))
				continue;
			rtrace_tell_callback(RTRACE_CALLBACK_STACK, task->comm, (unsigned long)task,
					     words[i], each, data);
		}
	}
}

static void rtrace_tell_thread(struct task_struct *task, rtrace_each each, void *data)
{
	if (task->flags & PF_KTHREAD)
		rtrace_tell_callback(RTRACE_CALLBACK_THREAD, task->comm, (unsigned long)task,
				     (unsigned long)kthread_func(task), each, data);
	/* Our own has what this very walk left there. */
	if (task != current)
		rtrace_tell_stack(task, each, data);
}

/* The next task by its number, held; and whether the list of processes leads to it. */
static struct task_struct *rtrace_next_task(int *number)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	while (!task && (pid = find_ge_pid(*number, &init_pid_ns))) {
		*number = pid_nr(pid) + 1;
		task = pid_task(pid, PIDTYPE_PID);
	}
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static void rtrace_tell_tasks(rtrace_each each, void *data)
{
	struct task_struct *process, *task;
	unsigned int steps = 0;
	int number = 1;

	while ((task = rtrace_next_task(&number))) {
		rtrace_tell_thread(task, each, data);
		put_task_struct(task);
		cond_resched();
	}
	/* Who is on the list, and whose number does not lead to him. */
	rcu_read_lock();
	for_each_process(process) {
		if (steps++ >= PID_MAX_LIMIT)
			break;
		if (pid_task(find_pid_ns(process->pid, &init_pid_ns), PIDTYPE_PID) != process)
			rtrace_tell_thread(process, each, data);
	}
	rcu_read_unlock();
}

/* ---- read-only data --------------------------------------------------------------------- */

/*
 * Tables of functions are constants, or are written while the kernel boots and not any
 * more: before there are modules. So no word of these leads to text outside the image.
 */
static int rtrace_each_constant(rtrace_each each, void *data)
{
	u64 at = rtrace_at.rodata, end = rtrace_at.rodata_end;
	u64 *words;
	unsigned int i;

	if (!at || !end || !rtrace_at.image_end)
		return -EOPNOTSUPP;
	words = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	for (at &= PAGE_MASK; at < end; at += PAGE_SIZE) {
		if (!rtrace_copy_kernel(words, at, PAGE_SIZE))
			continue;
		for (i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
			/*
			 * Behind the modules there is no text, but small numbers below 0. And
			 * where pages begin, regions of memory do (execmem_info tells those of
			 * modules), and behind what pads them functions.
			 */
			if ((s64)words[i] >= 0 || words[i] >= MODULES_END ||
			    PAGE_ALIGNED(words[i]) || rtrace_in_image(words[i]) ||
			    !(rtrace_page_is(words[i]) & RTRACE_PAGE_EXECUTABLE))
				continue;
			rtrace_tell_callback(RTRACE_CALLBACK_CONSTANT, "",
					     at + i * sizeof(*words), words[i], each, data);
		}
		cond_resched();
	}
	kfree(words);
	return 0;
}

int rtrace_each_callback(rtrace_each each, void *data)
{
	int error = rtrace_walk_fprobes(rtrace_tell_fprobe, each, data);

	if (error && error != -EOPNOTSUPP)
		return error;
	error = rtrace_each_graph_user(each, data);
	if (error && error != -EOPNOTSUPP)
		return error;
	error = rtrace_each_odd_tracepoint(each, data);
	if (error && error != -EOPNOTSUPP)
		return error;
	error = rtrace_each_constant(each, data);
	if (error && error != -EOPNOTSUPP)
		return error;
	rtrace_tell_notifiers(each, data);
	rtrace_tell_static_calls(each, data);
	rtrace_tell_tasks(each, data);
	rtrace_tell_events(each, data);
	return 0;
}

/* ---- where the kernel's text leads out of it ----------------------------------------------- */

static int rtrace_no_decode(struct insn *insn, const void *text, int room, enum insn_mode mode)
{
	return -EOPNOTSUPP;
}

/* As for rtrace_symbols in inlines.c. */
DEFINE_STATIC_CALL(rtrace_decode, rtrace_no_decode);

void rtrace_instructions_are_told_by(unsigned long decode)
{
	if (decode)
		static_call_update(rtrace_decode, (typeof(&rtrace_no_decode))decode);
}

u32 rtrace_instruction_bytes(const u8 *text, u32 room)
{
	struct insn insn;

	if (static_call(rtrace_decode)(&insn, text, min_t(u32, room, MAX_INSN_SIZE), INSN_MODE_64))
		return 0;
	return insn.length;
}

/* Bytes that are needed to tell where an instruction leads. */
#define RTRACE_LEAD_BYTES 16

static s64 rtrace_signed(const u8 *text)
{
	s32 value;

	memcpy(&value, text, sizeof(value));
	return value;
}

/*
 * Whether what follows goes where a register leads: jmp *%reg, call *%reg, or push %reg
 * and ret. An address alone may be a bound of some area's.
 */
static bool rtrace_goes_by(const u8 *text, u8 reg, bool is_high)
{
	if (is_high && *text++ != 0x41)
		return false;
	return (text[0] == 0xff && (text[1] == (0xe0 | reg) || text[1] == (0xd0 | reg))) ||
	       (text[0] == (0x50 | reg) && text[1] == 0xc3);
}

/* Where what may be an instruction leads; 0: nowhere. */
static u64 rtrace_leads_to(const u8 *text, u64 address)
{
	u64 target;

	switch (text[0]) {
	case 0xe8: /* call, jmp */
	case 0xe9:
		return address + 5 + rtrace_signed(text + 1);
	case 0x0f: /* jcc */
		return (text[1] & 0xf0) == 0x80 ? address + 6 + rtrace_signed(text + 2) : 0;
	case 0xff: /* call *there, jmp *there */
		if ((text[1] == 0x15 || text[1] == 0x25) &&
		    rtrace_copy_kernel(&target, address + 6 + rtrace_signed(text + 2),
				       sizeof(target)))
			return target;
		return 0;
	case 0x68: /* push $there; ret */
		return text[5] == 0xc3 ? rtrace_signed(text + 1) : 0;
	case 0x48: /* mov $there, %reg */
	case 0x49:
		if ((text[1] & 0xf8) == 0xb8 &&
		    rtrace_goes_by(text + 10, text[1] & 7, text[0] == 0x49)) {
			memcpy(&target, text + 2, sizeof(target));
			return target;
		}
		return text[1] == 0xc7 && (text[2] & 0xf8) == 0xc0 &&
			       rtrace_goes_by(text + 7, text[2] & 7, text[0] == 0x49) ?
			       rtrace_signed(text + 3) : 0;
	default:
		return 0;
	}
}

int rtrace_each_lead(rtrace_each each, void *data)
{
	u64 at = rtrace_at.text, end = rtrace_at.text_end;
	u8 *text;

	if (!at || !end)
		return -EOPNOTSUPP;
	text = kmalloc(PAGE_SIZE + RTRACE_LEAD_BYTES, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	for (; at < end; at += PAGE_SIZE) {
		u32 bytes = min_t(u64, PAGE_SIZE, end - at), i;

		memset(text + bytes, 0, RTRACE_LEAD_BYTES);
		if (!rtrace_copy_kernel(text, at, min_t(u64, bytes + RTRACE_LEAD_BYTES, end - at)))
			continue;
		for (i = 0; i < bytes; i++) {
			struct rtrace_lead_fact fact = {
				.at = at + i,
				.target = rtrace_leads_to(text + i, at + i),
			};

			/* Only the kernel's half is worth asking about. */
			if ((s64)fact.target < 0 && !rtrace_in_image(fact.target))
				each(data, &fact);
		}
		cond_resched();
	}
	kfree(text);
	return 0;
}
