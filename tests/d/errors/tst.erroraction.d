/* SPDX-License-Identifier: GPL-2.0-only */
/* ERROR's arg2 and the message have the same number of the action. */
/* @stderr: in action #3 at */
#pragma D option quiet

BEGIN { x = 1; y = 2; z = *(int *)0; }
ERROR { printf("%d\n", arg2); exit(0); }
