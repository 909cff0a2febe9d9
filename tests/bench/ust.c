// SPDX-License-Identifier: GPL-2.0
/* What a tracepoint of LTTng-UST costs on this machine, in ns: the best of many rounds. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "ust_record.h"

#include <stdio.h>
#include <time.h>

#define ROUNDS 50
#define RECORDS 20000

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(void)
{
	double best = 1e18;

	if (!lttng_ust_tracepoint_enabled(rt_bench, entry))
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		double begun = now(), took;

		for (uint64_t i = 0; i < RECORDS; i++) {
			uint64_t args[6] = { i, i, i, i, i, i };

			lttng_ust_tracepoint(rt_bench, entry, 0, 0, 1, 1, args);
		}
		took = (now() - begun) / RECORDS;
		if (took < best)
			best = took;
	}
	printf("native lttng-ust ns %.1f\n", best);
	return 0;
}
