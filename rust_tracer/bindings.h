/* SPDX-License-Identifier: GPL-2.0 */
/* What bindgen reads: the ABI, and the shim. */
#include "../include/uapi/rust_tracer.h"
#include "arch/stub.h"
#include "shim/shim.h"
#include "shim/detect.h"

/* Parts of the preemption count. */
#include <linux/preempt.h>

enum {
	RTRACE_SOFTIRQ_OFFSET = SOFTIRQ_OFFSET,
	RTRACE_HARDIRQ_MASK = HARDIRQ_MASK,
	RTRACE_NMI_MASK = NMI_MASK,
};
