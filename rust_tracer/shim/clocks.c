// SPDX-License-Identifier: GPL-2.0
/*
 * Firing probes of the module's own: at once, and by the kernel's timers.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>

#include <asm/irq_regs.h>

#include "shim.h"
#include "moment.h"

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
