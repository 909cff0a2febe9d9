/* SPDX-License-Identifier: GPL-2.0-only */
/* What is at a user address that is none is a fault. */
/* @stderr: invalid address (0x10) */
#pragma D option quiet

BEGIN { printf("%s\n", copyinstr(0x10)); }
BEGIN { printf("on\n"); exit(0); }
