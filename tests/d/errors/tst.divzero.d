/* SPDX-License-Identifier: GPL-2.0-only */
/* A division by zero. */
/* @stderr: divide-by-zero in action #1 */
#pragma D option quiet

BEGIN { x = 0; }
BEGIN { printf("%d\n", 1 / x); }
ERROR { printf("%d\n", arg4 == DTRACEFLT_DIVZERO); exit(0); }
