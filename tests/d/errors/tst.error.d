/* SPDX-License-Identifier: GPL-2.0-only */
/* ERROR fires where a clause could not go on. */
#pragma D option quiet

BEGIN { x = *(int *)0; }
ERROR { printf("caught\n"); exit(0); }
