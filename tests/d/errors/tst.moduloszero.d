/* SPDX-License-Identifier: GPL-2.0-only */
/* The remainder of a division by zero. */
#pragma D option quiet

BEGIN { x = 0; }
BEGIN { printf("%d\n", 1 % x); }
ERROR { printf("%d\n", arg4); exit(0); }
