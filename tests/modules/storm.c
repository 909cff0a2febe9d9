// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads on all CPUs calling traced functions at once, preempted and
 * moved inside and outside of them.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/refcount.h>
#include <linux/sched.h>

#include "target.h"

/* One run: all threads wait for `go`, the last one to finish completes `done`. */
struct storm {
	struct completion go, done;
	refcount_t running;
	u64 count;
};

/* Lets others run, and perhaps comes back elsewhere. */
RT_TRACED u64 rt_yield(u64 x)
{
	yield();
	return x + 4;
}

static int storm_thread(void *data)
{
	struct storm *storm = data;
	u64 i;

	wait_for_completion(&storm->go);
	for (i = 0; i < storm->count; i++) {
		rt_plain_nth(i);
		if (i % 16 == 0)
			rt_yield(i);
		cond_resched();
	}
	if (refcount_dec_and_test(&storm->running))
		complete(&storm->done);
	return 0;
}

/*
 * Each of `threads` threads calls rt_plain_nth(0..count), and rt_yield at every
 * sixteenth.
 */
int rt_run_storm(u64 threads, u64 count)
{
	struct storm storm = {
		.running = REFCOUNT_INIT(1),
		.count = count,
	};
	int error = 0;
	u64 i;

	init_completion(&storm.go);
	init_completion(&storm.done);
	for (i = 0; !error && i < threads; i++) {
		struct task_struct *task;

		refcount_inc(&storm.running);
		task = kthread_run(storm_thread, &storm, "rt_storm/%llu", i);
		if (IS_ERR(task)) {
			refcount_dec(&storm.running);
			error = PTR_ERR(task);
		}
	}
	complete_all(&storm.go);
	if (!refcount_dec_and_test(&storm.running))
		wait_for_completion(&storm.done);
	return error;
}
