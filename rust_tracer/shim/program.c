// SPDX-License-Identifier: GPL-2.0
/*
 * The shim's half that programs need: what they read of the moment at which they
 * run, memory, stacks, and the clocks that fire probes. As inlines.c, without ftrace
 * sites of its own. All but the clocks' making may be called in any context, with
 * preemption off.
 *
 * What is called here can be traced itself. Then its probe fires inside our own
 * handler, and is to be dropped as such: see rtrace_shield().
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs_struct.h>
#include <linux/ftrace.h>
#include <linux/hrtimer.h>
#include <linux/mount.h>
#include <linux/nospec.h>
#include <linux/path.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/exec_state.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include <asm/irq_regs.h>
#include <asm/unwind.h>
#include <asm/vsyscall.h>

#include "../../include/uapi/rust_tracer.h"
#include "../arch/stub.h"
#include "shim.h"
#include "moment.h"

/* ---- memory ---------------------------------------------------------------- */

/* Whether all of it is the kernel's, as copy_from_kernel_nofault() has it. */
static __always_inline bool rtrace_is_kernel(u64 address, u32 bytes)
{
	u64 last = address + bytes - 1;

	return bytes && last >= address && address >= TASK_SIZE_MAX + PAGE_SIZE &&
	       __is_canonical_address(address, boot_cpu_data.x86_virt_bits) &&
	       __is_canonical_address(last, boot_cpu_data.x86_virt_bits) &&
	       (address & PAGE_MASK) != VSYSCALL_ADDR &&
	       (last & PAGE_MASK) != VSYSCALL_ADDR;
}

#define rtrace_read_as(type)                                                   \
	for (; bytes >= sizeof(type); bytes -= sizeof(type)) {                     \
		type value;                                                        \
                                                                           \
		__get_kernel_nofault(&value, from, type, fault);                   \
		memcpy(to, &value, sizeof(type));                                  \
		to += sizeof(type);                                                \
		from += sizeof(type);                                              \
	}

bool rtrace_read_kernel(void *to, u64 address, u32 bytes)
{
	const void *from = (const void *)address;

	if (!bytes)
		return true;
	if (!rtrace_is_kernel(address, bytes))
		return false;
	rtrace_read_as(u64);
	rtrace_read_as(u32);
	rtrace_read_as(u16);
	rtrace_read_as(u8);
	return true;
fault:
	return false;
}

s64 rtrace_read_kernel_text(void *to, u64 address, u32 room)
{
	u8 *text = to;
	u32 length;

	for (length = 0; length < room; length++) {
		if (!rtrace_read_kernel(text + length, address + length, 1))
			return -EFAULT;
		if (!text[length])
			break;
	}
	return length;
}

/* Whether the current task has memory of its own, which it can be looked at. */
static __always_inline bool rtrace_has_user_memory(void)
{
	return current->mm && !(current->flags & (PF_KTHREAD | PF_EXITING));
}

static bool rtrace_copy_user(void *to, u64 address, u32 bytes)
{
	return !copy_from_user_nofault(to, (const void __user *)address, bytes);
}

bool rtrace_read_user(void *to, u64 address, u32 bytes)
{
	u8 busy;
	bool read;

	if (!bytes)
		return true;
	if (!rtrace_has_user_memory())
		return false;
	busy = rtrace_shield();
	read = rtrace_copy_user(to, address, bytes);
	rtrace_unshield(busy);
	return read;
}

s64 rtrace_read_user_text(void *to, u64 address, u32 room)
{
	u32 length = 0;
	u8 busy;

	if (!rtrace_has_user_memory())
		return -EFAULT;
	busy = rtrace_shield();
	while (length < room) {
		u64 at = address + length;
		/* Up to the end of a line of the cache: never into another page. */
		u32 part = min_t(u32, room - length, 64 - at % 64);
		const void *end;

		if (!rtrace_copy_user(to + length, at, part)) {
			rtrace_unshield(busy);
			return -EFAULT;
		}
		end = memchr(to + length, 0, part);
		if (end) {
			length = end - to;
			break;
		}
		length += part;
	}
	rtrace_unshield(busy);
	return length;
}

/* ---- who and when ------------------------------------------------------------ */

u64 rtrace_current(void)
{
	return (unsigned long)current;
}

u32 rtrace_parent(void)
{
	/* Preemption is off, which RCU readers may rely on. */
	const struct task_struct *parent = rcu_dereference_raw(current->real_parent);

	return parent->tgid;
}

u32 rtrace_gid(void)
{
	return __kgid_val(current_real_cred()->gid);
}

bool rtrace_descends_from(u32 process)
{
	const struct task_struct *task = current;
	u32 steps;

	for (steps = 0; steps < 4096 && task->pid; steps++) {
		if (task->tgid == process)
			return true;
		task = rcu_dereference_raw(task->real_parent);
	}
	return task->tgid == process;
}

/*
 * The scheduler's sum is brought up to date by ticks and switches; since then the
 * task has run on. Its clock is local_clock() where it leaves nothing out; else
 * the sum alone is told.
 */
u64 rtrace_virtual_time(void)
{
	u64 sum = READ_ONCE(current->se.sum_exec_runtime);
#if !defined(CONFIG_IRQ_TIME_ACCOUNTING) && !defined(CONFIG_PARAVIRT_TIME_ACCOUNTING)
	u64 since = READ_ONCE(current->se.exec_start);
	s64 more;
	u8 busy = rtrace_shield();

	more = local_clock() - since;
	rtrace_unshield(busy);
	/* Not an idle task's, nor while the sum is being changed. */
	if (more > 0 && current->pid && READ_ONCE(current->se.sum_exec_runtime) == sum)
		sum += more;
#endif
	return sum;
}

u64 rtrace_wall_time(void)
{
	return ktime_get_real_fast_ns();
}

u64 rtrace_random(void)
{
	return get_random_u64();
}

/* ---- arguments ------------------------------------------------------------------ */

bool rtrace_system_call_arguments(const void *regs, u64 *arguments)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	const struct pt_regs *user = task_pt_regs(current);

	if (ftrace_regs_get_argument(fregs, 0) != (unsigned long)user)
		return false;
	arguments[0] = user->di;
	arguments[1] = user->si;
	arguments[2] = user->dx;
	arguments[3] = user->r10;
	arguments[4] = user->r8;
	arguments[5] = user->r9;
	return true;
}

u64 rtrace_stack_argument(const void *regs, u32 number)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	u64 value = 0;

	/* The return address lies before them. */
	rtrace_read_kernel(&value, ftrace_regs_get_stack_pointer(fregs) + 8 * (1 + number), 8);
	return value;
}

bool rtrace_passed_registers(const void *regs, u64 *arguments)
{
	struct ftrace_regs *fregs = (struct ftrace_regs *)regs;
	struct pt_regs passed;

	if (!rtrace_read_kernel(&passed, ftrace_regs_get_argument(fregs, 0), sizeof(passed)))
		return false;
	arguments[0] = passed.di;
	arguments[1] = passed.si;
	arguments[2] = passed.dx;
	arguments[3] = passed.r10;
	arguments[4] = passed.r8;
	arguments[5] = passed.r9;
	return true;
}

/* ---- stacks ----------------------------------------------------------------------- */

u32 rtrace_kernel_stack(const struct rtrace_place *place, u64 *frames, u32 room)
{
	struct pt_regs start = { .cs = __KERNEL_CS };
	struct unwind_state state;
	bool is_return = place->kind == RTRACE_PLACE_RETURN;
	u32 count = 0;
	u8 busy;

	if (!room)
		return 0;
	switch (place->kind) {
	case RTRACE_PLACE_ENTRY:
	case RTRACE_PLACE_STUB:
	case RTRACE_PLACE_RETURN: {
		struct ftrace_regs *fregs = (struct ftrace_regs *)place->regs;
		const struct pt_regs *regs = &arch_ftrace_regs(fregs)->regs;

		/* Others are not saved here. */
		start.ip = is_return ? place->to : regs->ip;
		start.sp = regs->sp;
		start.bp = regs->bp;
		/* As a call from there is seen by others, at either end. */
		frames[count++] = place->site + MCOUNT_INSN_SIZE;
		break;
	}
	case RTRACE_PLACE_CLOCK:
		if (!place->regs || user_mode((struct pt_regs *)place->regs))
			return 0;
		start = *(const struct pt_regs *)place->regs;
		frames[count++] = start.ip;
		break;
	default:
		return 0;
	}
	/* What the unwinder leaves out: where it begins. */
	if (is_return && count < room)
		frames[count++] = start.ip;
	busy = rtrace_shield();
	for (unwind_start(&state, current, &start, NULL);
	     count < room && !unwind_done(&state); unwind_next_frame(&state)) {
		unsigned long address = unwind_get_return_address(&state);

		if (!address) {
			/*
			 * Where the function below returns to is known, only whose text that is is not: what hides
			 * must not hide its callers as well. From there on the unwinder would guess.
			 */
			if (!state.error && state.ip >= TASK_SIZE_MAX)
				frames[count++] = state.ip;
			break;
		}
		/* Between a function and its caller there is none. */
		if (!rtrace_is_stub_exit(address))
			frames[count++] = address;
	}
	rtrace_unshield(busy);
	return count;
}

u32 rtrace_user_stack(u64 *frames, u32 room)
{
	struct pt_regs *regs;
	u32 count = 0;
	u64 frame;
	bool wide;

	if (!room || !rtrace_has_user_memory())
		return 0;
	regs = task_pt_regs(current);
	if (!user_mode(regs)) /* still in exec */
		return 0;
	wide = user_64bit_mode(regs);
	frames[count++] = regs->ip;
	frame = regs->bp;
	while (count < room) {
		u64 next, address;

		if (wide) {
			u64 pair[2];

			if (frame % 8 || !rtrace_read_user(pair, frame, sizeof(pair)))
				break;
			next = pair[0];
			address = pair[1];
		} else {
			u32 pair[2];

			if (frame % 4 || !rtrace_read_user(pair, (u32)frame, sizeof(pair)))
				break;
			next = pair[0];
			address = pair[1];
		}
		/* Stacks grow downwards. */
		if (!address || address >= TASK_SIZE_MAX)
			break;
		frames[count++] = address;
		if (next <= frame)
			break;
		frame = next;
	}
	return count;
}

void rtrace_counters(const struct rtrace_place *place, u64 *kernel, u64 *user)
{
	const struct pt_regs *regs = place->kind == RTRACE_PLACE_CLOCK ? place->regs : NULL;

	*kernel = regs && !user_mode((struct pt_regs *)regs) ? regs->ip : 0;
	*user = regs && user_mode((struct pt_regs *)regs) ? regs->ip : 0;
}

/* ---- registers of user space ------------------------------------------------------- */

#define RTRACE_UREG_OF(field) (offsetof(struct pt_regs, field) / sizeof(unsigned long))

/* DTrace's numbers are those of struct pt_regs, as far as it goes. */
static_assert(RTRACE_UREG_OF(r15) == RTRACE_UREG_R15);
static_assert(RTRACE_UREG_OF(ax) == RTRACE_UREG_RAX);
static_assert(RTRACE_UREG_OF(orig_ax) == RTRACE_UREG_ERR);
static_assert(RTRACE_UREG_OF(ip) == RTRACE_UREG_RIP);
static_assert(RTRACE_UREG_OF(sp) == RTRACE_UREG_RSP);
static_assert(RTRACE_UREG_OF(ss) == RTRACE_UREG_SS);

u64 rtrace_user_register(u32 number)
{
	const struct thread_struct *thread = &current->thread;
	struct pt_regs *regs = task_pt_regs(current);

	if ((current->flags & PF_KTHREAD) || !user_mode(regs))
		return 0;
	switch (number) {
	case RTRACE_UREG_CS: /* beside which FRED keeps more, as beside the next */
		return regs->cs;
	case RTRACE_UREG_SS:
		return regs->ss;
	case RTRACE_UREG_DS:
		return thread->ds;
	case RTRACE_UREG_ES:
		return thread->es;
	case RTRACE_UREG_FS:
		return thread->fsbase;
	case RTRACE_UREG_GS:
		return thread->gsbase;
	case RTRACE_UREG_TRAPNO:
		return thread->trap_nr;
	}
	if (number > RTRACE_UREG_SS)
		return 0;
	number = array_index_nospec(number, RTRACE_UREG_SS + 1);
	return regs_get_register(regs, number * sizeof(unsigned long));
}

/* ---- paths -------------------------------------------------------------------------- */

/*
 * What lies before a struct vfsmount in its struct mount, which the kernel keeps to
 * itself. Read as all else is here, and believed only where something is mounted.
 */
struct rtrace_mount {
	u64 parent;
	u64 mountpoint;
	struct vfsmount mnt;
};

struct rtrace_at {
	u64 mnt;
	u64 dentry;
};

static bool rtrace_read_word(u64 *to, const void *from)
{
	return rtrace_read_kernel(to, (unsigned long)from, sizeof(*to));
}

/* The place at which what is mounted is seen; false at the top. */
static bool rtrace_below(struct rtrace_at *at)
{
	const struct rtrace_mount *mount =
		container_of((struct vfsmount *)at->mnt, struct rtrace_mount, mnt);
	const struct dentry *mountpoint;
	u64 parent, seen;
	u32 flags;

	if (!rtrace_read_word(&parent, &mount->parent) ||
	    !rtrace_read_word(&seen, &mount->mountpoint) ||
	    parent == (unsigned long)mount)
		return false;
	mountpoint = (const struct dentry *)seen;
	if (!rtrace_read_kernel(&flags, (unsigned long)&mountpoint->d_flags, sizeof(flags)) ||
	    !(flags & DCACHE_MOUNTED))
		return false;
	at->mnt = (unsigned long)&((const struct rtrace_mount *)parent)->mnt;
	at->dentry = seen;
	return true;
}

/* Fills `buf` from its end; the length, or 0 if it cannot be told. */
static s64 rtrace_path(struct rtrace_at at, char *buf, u32 room)
{
	const struct fs_struct *fs = READ_ONCE(current->fs);
	struct rtrace_at root = {};
	u32 left = room, steps;
	bool deleted = false;

	if (fs) {
		root.mnt = (unsigned long)fs->root.mnt;
		root.dentry = (unsigned long)fs->root.dentry;
	}
	for (steps = 0; steps < 256; steps++) {
		const struct dentry *dentry = (const struct dentry *)at.dentry;
		u64 top, parent, name, hash_len;
		u32 length;

		if (at.mnt == root.mnt && at.dentry == root.dentry)
			break;
		if (!rtrace_read_word(&top, &((const struct vfsmount *)at.mnt)->mnt_root))
			return -EFAULT;
		if (at.dentry == top) {
			if (!rtrace_below(&at))
				break;
			continue;
		}
		if (!rtrace_read_word(&parent, &dentry->d_parent) ||
		    !rtrace_read_word(&name, &dentry->d_name.name) ||
		    !rtrace_read_word(&hash_len, &dentry->d_name.hash_len))
			return -EFAULT;
		if (parent == at.dentry) /* of a file system that is nowhere */
			break;
		length = hashlen_len(hash_len);
		/* What does not fit is cut at its beginning. */
		if (length > NAME_MAX || length + 1 > left) {
			deleted = true;
			break;
		}
		left -= length;
		if (!rtrace_read_kernel(buf + left, name, length))
			return -EFAULT;
		buf[--left] = '/';
		at.dentry = parent;
	}
	if (left == room && !deleted && room)
		buf[--left] = '/';
	memmove(buf, buf + left, room - left);
	return room - left;
}

s64 rtrace_path_of(u64 path, char *buf, u32 room)
{
	const struct path *from = (const struct path *)path;
	struct rtrace_at at;

	if (!rtrace_read_word(&at.mnt, &from->mnt) ||
	    !rtrace_read_word(&at.dentry, &from->dentry))
		return -EFAULT;
	return rtrace_path(at, buf, room);
}

s64 rtrace_cwd(char *buf, u32 room)
{
	const struct fs_struct *fs = READ_ONCE(current->fs);

	return fs ? rtrace_path_of((unsigned long)&fs->pwd, buf, room) : 0;
}

/* ---- firing by ourselves ------------------------------------------------------------- */

void rtrace_fire_own(u64 owner, u32 probe)
{
	const struct rtrace_place place = { .kind = RTRACE_PLACE_OWN };
	struct rtrace_moment moment;
	u8 busy;

	preempt_disable_notrace();
	busy = rtrace_moment_begin(&moment, rtrace_sample());
	rtrace_on_own(owner, probe, &moment, &place);
	rtrace_moment_end(&moment, busy);
	preempt_enable_notrace();
}

struct rtrace_clock {
	struct hrtimer timer;
	u64 owner;
	u64 period;
	u32 probe;
	s32 cpu; /* -1: any */
};

static enum hrtimer_restart rtrace_clock_fires(struct hrtimer *timer)
{
	struct rtrace_clock *clock = container_of(timer, struct rtrace_clock, timer);
	const struct rtrace_place place = {
		.kind = RTRACE_PLACE_CLOCK,
		.regs = get_irq_regs(),
	};
	struct rtrace_moment moment;
	bool more;
	u8 busy;

	/* Its own CPU has gone, and it was given to another one. */
	if (clock->cpu >= 0 && clock->cpu != raw_smp_processor_id())
		return HRTIMER_NORESTART;
	busy = rtrace_moment_begin(&moment, rtrace_sample());
	more = rtrace_on_clock(clock->owner, clock->probe, &moment, &place);
	rtrace_moment_end(&moment, busy);
	if (!more)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(clock->period));
	return HRTIMER_RESTART;
}

#define RTRACE_CLOCK_MODE(cpu) \
	((cpu) < 0 ? HRTIMER_MODE_REL_HARD : HRTIMER_MODE_REL_PINNED_HARD)

struct rtrace_clock *rtrace_clock_new(u64 owner, u32 probe, u64 period, s32 cpu)
{
	struct rtrace_clock *clock = kzalloc(sizeof(*clock), GFP_KERNEL_ACCOUNT);

	if (!clock)
		return NULL;
	clock->owner = owner;
	clock->period = period;
	clock->probe = probe;
	clock->cpu = cpu;
	hrtimer_setup(&clock->timer, rtrace_clock_fires, CLOCK_MONOTONIC,
		      RTRACE_CLOCK_MODE(cpu));
	return clock;
}

void rtrace_clock_start(struct rtrace_clock *clock)
{
	hrtimer_start(&clock->timer, ns_to_ktime(clock->period),
		      RTRACE_CLOCK_MODE(clock->cpu));
}

void rtrace_clock_stop(struct rtrace_clock *clock)
{
	hrtimer_cancel(&clock->timer);
}

void rtrace_clock_free(struct rtrace_clock *clock)
{
	hrtimer_cancel(&clock->timer);
	kfree(clock);
}
