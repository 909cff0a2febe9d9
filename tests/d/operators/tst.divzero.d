/* SPDX-License-Identifier: GPL-2.0-only */
/* A division by zero ends the clause. */
/* @stderr: divide-by-zero */
#pragma D option quiet

BEGIN { x = 0; }
BEGIN { printf("%d\n", 10 / x); }
BEGIN { printf("on\n"); exit(0); }
