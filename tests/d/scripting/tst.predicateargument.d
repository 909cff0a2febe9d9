/* SPDX-License-Identifier: GPL-2.0-only */
/* An argument in a predicate. */
/* @arguments: 3 */
#pragma D option quiet

BEGIN { n = 0; }
tick-1ms { n++; }
tick-1ms /n == $1/ { printf("%d\n", n); exit(0); }
