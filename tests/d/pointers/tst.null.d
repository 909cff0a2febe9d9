/* SPDX-License-Identifier: GPL-2.0-only */
/* What is at address 0 is a fault. */
/* @stderr: invalid address (0x0) in action #1 */
#pragma D option quiet

BEGIN { printf("%d\n", *(int *)0); }
BEGIN { printf("on\n"); exit(0); }
