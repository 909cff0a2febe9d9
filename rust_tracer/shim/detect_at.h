/* SPDX-License-Identifier: GPL-2.0 */
/* What the files behind detect.h have in common. */
#ifndef RUST_TRACER_SHIM_DETECT_AT_H
#define RUST_TRACER_SHIM_DETECT_AT_H

#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "detect.h"

/*
 * More than there are of whatever is walked: what has more leads in a circle. Of
 * entries in tables of functions, and of entries in other lists.
 */
#define RTRACE_STEPS_MAX 1000000u
#define RTRACE_LIST_MAX 65536u

struct ftrace_ops;

extern struct rtrace_landmarks rtrace_at;

/* One field of what may be anything. */
#define rtrace_get(to, from) (!copy_from_kernel_nofault(&(to), (from), sizeof(to)))

/* The entry behind one in a list, or NULL. */
static inline const struct list_head *rtrace_next(const struct list_head *at)
{
	const struct list_head *next;

	return rtrace_get(next, &at->next) ? next : NULL;
}

/* Entries of a list that may have been changed by whoever wishes to. */
#define rtrace_for_each(at, head)                                              \
	for (unsigned int rtrace_steps = ((at) = rtrace_next(head), 0);        \
	     (at) && (at) != (head) && rtrace_steps < RTRACE_LIST_MAX;         \
	     (at) = rtrace_next(at), rtrace_steps++)

/* One of the kernel's own mutexes, by its address; 0: it is not known. */
static inline int rtrace_lock(unsigned long mutex)
{
	return mutex ? mutex_lock_killable((struct mutex *)mutex) : -EOPNOTSUPP;
}

static inline void rtrace_unlock(unsigned long mutex)
{
	mutex_unlock((struct mutex *)mutex);
}

/* As much of a string as fits, and zeroes. */
void rtrace_name(u8 *to, size_t room, const char *name);
/* Tells of what the kernel calls; of most kinds only what is not its own text. */
void rtrace_tell_callback(u32 kind, const char *name, u64 at, u64 func, rtrace_each each,
			  void *data);
/* What it calls when something comes about: detect_events.c. */
void rtrace_tell_events(rtrace_each each, void *data);
/* Tracepoints that call others than those who are registered; tracepoints_mutex: detect_trace.c. */
int rtrace_each_odd_tracepoint(rtrace_each each, void *data);
/* Whether an address is in the kernel's image. */
bool rtrace_in_image(u64 address);
/* Calls `tell` for all that are on ftrace's list, whose lock is held. */
void rtrace_walk_ops(void (*tell)(const struct ftrace_ops *ops, rtrace_each each, void *data),
		     rtrace_each each, void *data);

#endif /* RUST_TRACER_SHIM_DETECT_AT_H */
