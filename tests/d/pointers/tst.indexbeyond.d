/* SPDX-License-Identifier: GPL-2.0-only */
/* An index that is known only when the clause runs is checked as well. */
/* @stderr: index out of bounds (8) in action #2 */
#pragma D option quiet

int a[5];

BEGIN { a[4] = 7; i = 8; a[3] = 9; }
BEGIN { trace(1); a[i] = 1; }
BEGIN { i = -1; }
BEGIN { trace(a[i]); }
BEGIN { i = 4; }
BEGIN { printf("%d\n", a[i] + a[i - 1]); exit(0); }
ERROR { printf("%d %d\n", arg4, arg5); }
