/* SPDX-License-Identifier: GPL-2.0-only */
/* ERROR runs at the fault, before the clauses behind it. */
/* @stderr: invalid address (0x0) in */
#pragma D option quiet

int faults;

BEGIN { printf("first\n"); }
BEGIN { n = *(int *)0; }
BEGIN { printf("third %d\n", faults); exit(0); }
ERROR { faults++; printf("fault\n"); }
