/* SPDX-License-Identifier: GPL-2.0 */
/* A tracepoint of LTTng-UST with the fields of struct rtrace_record_entry; LTTng's headers read this file several times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER rt_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./ust_record.h"

#if !defined(UST_RECORD_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define UST_RECORD_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(rt_bench, entry,
	LTTNG_UST_TP_ARGS(uint32_t, probe, uint32_t, cpu, uint32_t, pid, uint32_t, tid, const uint64_t *, args),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, probe, probe)
		lttng_ust_field_integer(uint32_t, cpu, cpu)
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_integer(uint64_t, arg0, args[0])
		lttng_ust_field_integer(uint64_t, arg1, args[1])
		lttng_ust_field_integer(uint64_t, arg2, args[2])
		lttng_ust_field_integer(uint64_t, arg3, args[3])
		lttng_ust_field_integer(uint64_t, arg4, args[4])
		lttng_ust_field_integer(uint64_t, arg5, args[5])
	)
)

#endif

#include <lttng/tracepoint-event.h>
