/* SPDX-License-Identifier: GPL-2.0-only */
/* A timer fires on one CPU. */
#pragma D option quiet

BEGIN { n = 0; }
tick-10ms { n++; }
tick-10ms /n == 3/ { printf("three\n"); exit(0); }
