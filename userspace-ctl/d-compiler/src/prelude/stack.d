/* SPDX-License-Identifier: GPL-2.0-only */
/* The value of stack() and ustack(): struct rtrace_stack. */

typedef struct dt_stack {
	uint32_t depth;
	uint32_t is_user;
	pid_t pid;
	uint32_t strsz;
	uint64_t addrs[127];
} dt_stack_t;
