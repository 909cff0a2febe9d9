/* SPDX-License-Identifier: GPL-2.0-only */
/* The value of stack() and ustack(): struct rtrace_stack. */

typedef struct dt_stack {
	uint32_t depth;
	uint32_t is_user;
	uint64_t pid;
	uint64_t pcs[127];
} dt_stack_t;
