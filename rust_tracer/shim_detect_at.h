/* SPDX-License-Identifier: GPL-2.0 */
/* What the files behind shim_detect.h have in common. */
#ifndef RUST_TRACER_SHIM_DETECT_AT_H
#define RUST_TRACER_SHIM_DETECT_AT_H

#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "shim_detect.h"

/* More than any of the kernel's lists has: one that is longer leads in a circle. */
#define RTRACE_STEPS_MAX 1000000u

struct ftrace_ops;

extern struct rtrace_landmarks rtrace_at;

/* One field of what may be anything. */
#define rtrace_get(to, from) (!copy_from_kernel_nofault(&(to), (from), sizeof(to)))

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
/* Calls `tell` for all that are on ftrace's list, whose lock is held. */
void rtrace_walk_ops(void (*tell)(const struct ftrace_ops *ops, rtrace_each each, void *data),
		     rtrace_each each, void *data);

#endif /* RUST_TRACER_SHIM_DETECT_AT_H */
