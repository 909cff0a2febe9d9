// SPDX-License-Identifier: GPL-2.0
/*
 * What a user may have and what a session may cost, as the admin sets it: module
 * parameters, read whenever they are needed. docs/access.md tells of each.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/time64.h>

#include "../../include/uapi/rust_tracer.h"
#include "shim.h"

static uint sessions_per_uid = 64;
module_param(sessions_per_uid, uint, 0644);
MODULE_PARM_DESC(sessions_per_uid, "open sessions of one user, 0: no limit");

static uint probes_per_uid = 4 * RTRACE_PROBES_MAX;
module_param(probes_per_uid, uint, 0644);
MODULE_PARM_DESC(probes_per_uid, "probes in all sessions of one user, 0: no limit");

static uint patterns_per_uid = 1024;
module_param(patterns_per_uid, uint, 0644);
MODULE_PARM_DESC(patterns_per_uid, "patterns for modules to come in all sessions of one user, 0: no limit");

static uint clock_hz_per_uid = 20000;
module_param(clock_hz_per_uid, uint, 0644);
MODULE_PARM_DESC(clock_hz_per_uid, "firings a second of all clocks of one user, 0: no limit");

static uint clock_percent_per_uid = 50;
module_param(clock_percent_per_uid, uint, 0644);
MODULE_PARM_DESC(clock_percent_per_uid, "share of a CPU that clauses of all clocks of one user may take, 0: no limit");

static uint memory_mb_per_uid;
module_param(memory_mb_per_uid, uint, 0644);
MODULE_PARM_DESC(memory_mb_per_uid, "MiB in all sessions of one user, 0: a quarter of the machine's");

static ulong events_per_uid;
module_param(events_per_uid, ulong, 0644);
MODULE_PARM_DESC(events_per_uid, "firings a second in all sessions of one user, 0: no limit");

static uint deadman_seconds = 30;
module_param(deadman_seconds, uint, 0644);
MODULE_PARM_DESC(deadman_seconds, "a session ends whose reader is silent for so long, 0: never");

static uint burden_percent = 90;
module_param(burden_percent, uint, 0644);
MODULE_PARM_DESC(burden_percent, "share of a CPU that handlers may take for burden_seconds, 0: all");

static uint burden_seconds = 10;
module_param(burden_seconds, uint, 0644);
MODULE_PARM_DESC(burden_seconds, "how long handlers may take more than burden_percent of a CPU");

void rtrace_limits(struct rtrace_limits *limits)
{
	u64 memory = (u64)READ_ONCE(memory_mb_per_uid) << 20;

	limits->sessions = READ_ONCE(sessions_per_uid);
	limits->probes = READ_ONCE(probes_per_uid);
	limits->patterns = READ_ONCE(patterns_per_uid);
	limits->clock_hz = READ_ONCE(clock_hz_per_uid);
	limits->clock_time = (u64)READ_ONCE(clock_percent_per_uid) * (NSEC_PER_SEC / 100);
	limits->memory = memory ?: (u64)totalram_pages() << PAGE_SHIFT >> 2;
	limits->events = READ_ONCE(events_per_uid);
	limits->silence = (u64)READ_ONCE(deadman_seconds) * NSEC_PER_SEC;
	limits->burden_percent = READ_ONCE(burden_percent);
	limits->burden_time = (u64)READ_ONCE(burden_seconds) * NSEC_PER_SEC;
}
