/* SPDX-License-Identifier: GPL-2.0-only */
/* A global variable lives on. */
#pragma D option quiet

BEGIN { n = 0; }
tick-1ms { n++; }
tick-1ms /n == 5/ { printf("%d\n", n); exit(0); }
