// SPDX-License-Identifier: GPL-2.0
/*
 * What a followed call costs on this machine: the module's own assembly (arch/stub.S,
 * arch/slot.S) in user space, with second halves that do in C what fire/stub/exit.rs does
 * for `return { @ = quantize(elapsed); }`. A line for each: `native ID ns VALUE`.
 *
 * A busy machine makes every figure worse and none better: so the best of many short
 * rounds counts, and the kinds take turns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <x86intrin.h>

#include "stub_offsets.h"

#define CALLS 2000
#define ROUNDS 20000

/* As in arch/stub.h. */
enum { SPREAD = 4, CALL_BYTES = 5, WHAT_FOLLOW = 2, SLOTS = 16, SLOT_BYTES = 64 };

typedef void function(void);
extern function untraced, shared, slot, called;
extern function untraced_deep, shared_deep, slot_deep, called_deep;
extern char shared_site[], slot_site[], called_site[];

/* ---- the kernel's and the module's own words ----------------------------------- */

uint64_t __preempt_count = 0x80000000, rtrace_frames;
int32_t rtrace_turn;
char task[RTRACE_TASK_STACK + 8];
char *current_task = task;
/* rtrace_slot_stubs[], as stub_offsets.h says. */
char rtrace_slot_stubs[16 * RTRACE_SLOT_STUB_BYTES] __attribute__((aligned(64)));

static struct {
	char *slots;
	uint64_t mask;
} table;
void *rtrace_stubbed = &table;
static _Alignas(64) char slots[SLOTS * SLOT_BYTES];
static _Alignas(64) char hot[64];
static _Alignas(64) uint64_t blocks[32], histogram[128];
/* The clock's: ns = cycles * multiplier >> 32. */
static uint64_t multiplier = (1ull << 32) / 2;

#define AT(type, base, offset) (*(type *)((char *)(base) + (offset)))

static char *slot_of(uint64_t site)
{
	return table.slots + (site * SPREAD & table.mask);
}

static void probe(const char *site)
{
	char *place = slot_of((uint64_t)site);

	if (AT(uint64_t, place, RTRACE_SLOT_SITE))
		abort(); /* two of them on one place: link them otherwise */
	AT(uint64_t, place, RTRACE_SLOT_SITE) = (uint64_t)site;
	AT(void *, place, RTRACE_SLOT_HOT) = hot;
	AT(uint8_t, place, RTRACE_SLOT_WHAT) = WHAT_FOLLOW;
}

static void serve(int number, char *site)
{
	char *stub = rtrace_slot_stubs + number * RTRACE_SLOT_STUB_BYTES;

	AT(char *, stub, RTRACE_SLOT_STUB_SLOT) = slot_of((uint64_t)site);
	AT(char *, stub, RTRACE_SLOT_STUB_IP) = site + CALL_BYTES;
}

/* ---- the second half's handler --------------------------------------------------- */

_Bool rtrace_on_stub_exit(char *frame, uint64_t value)
{
	uint64_t site = AT(uint64_t, frame, RTRACE_FRAME_IP) - CALL_BYTES, cycles;
	char *place = slot_of(site), *line;

	(void)value;
	if (AT(uint64_t, place, RTRACE_SLOT_SITE) != site)
		abort();
	line = AT(char *, place, RTRACE_SLOT_HOT);
	if (AT(uint64_t, line, RTRACE_HOT_TOKEN) != AT(uint64_t, frame, RTRACE_FRAME_TOKEN))
		abort();
	cycles = __rdtsc() - AT(uint64_t, frame, RTRACE_FRAME_TIME);
	cycles = (unsigned __int128)cycles * multiplier >> 32;
	histogram[0] = 1;
	histogram[63 - __builtin_clzll(cycles | 1)]++;
	blocks[16]++;
	AT(uint64_t, line, RTRACE_HOT_FIRED)++;
	rtrace_frames--;
	__preempt_count--;
	return 0;
}

/* What must not be asked for here. */
#define NEVER(name) void name(void) { abort(); }
NEVER(rtrace_on_stub) NEVER(rtrace_on_stub_at) NEVER(rtrace_stub_enter_long)
NEVER(rtrace_stub_exit_long) NEVER(rtrace_schedule) NEVER(rtrace_on_call_site)

/* ---- timing ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	function *flat, *deep;
} kinds[] = {
	{ "untraced", untraced, untraced_deep },
	{ "shared", shared, shared_deep },
	{ "slot", slot, slot_deep },
	{ "slot-called", called, called_deep },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static double once(function *callee)
{
	double begin;

	rtrace_turn = INT32_MAX;
	begin = now();
	for (int i = 0; i < CALLS; i++)
		callee();
	return (now() - begin) / CALLS;
}

static void measure(void)
{
	double best[KINDS][2];

	for (unsigned int kind = 0; kind < KINDS; kind++)
		best[kind][0] = best[kind][1] = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		unsigned int kind = round % KINDS;
		double flat = once(kinds[kind].flat), deep = once(kinds[kind].deep);

		if (flat < best[kind][0])
			best[kind][0] = flat;
		if (deep < best[kind][1])
			best[kind][1] = deep;
	}
	if (rtrace_frames)
		abort();
	for (unsigned int kind = 0; kind < KINDS; kind++) {
		printf("native stub-%s ns %.1f\n", kinds[kind].name, best[kind][0]);
		printf("native stub-%s-deep ns %.1f\n", kinds[kind].name, best[kind][1]);
	}
}

int main(void)
{
	static ucontext_t here, there;
	void *stack = aligned_alloc(RTRACE_ROOM, RTRACE_ROOM);

	if (!stack)
		return 1;
	table.slots = slots;
	table.mask = sizeof(slots) - SLOT_BYTES;
	AT(uint64_t, hot, RTRACE_HOT_TOKEN) = 1;
	AT(void *, hot, RTRACE_HOT_COUNTERS) = blocks;
	probe(shared_site);
	probe(slot_site);
	probe(called_site);
	serve(0, slot_site);
	serve(1, called_site);
	/* The stub looks whether there is room on the task's stack. */
	AT(void *, task, RTRACE_TASK_STACK) = stack;
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = RTRACE_ROOM;
	there.uc_link = &here;
	makecontext(&there, measure, 0);
	return swapcontext(&here, &there);
}
