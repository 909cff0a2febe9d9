/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault in a predicate. */
/* @stderr: invalid address (0x20) in predicate */
#pragma D option quiet

BEGIN / *(int *)0x20/ { printf("never\n"); }
BEGIN { printf("on\n"); exit(0); }
