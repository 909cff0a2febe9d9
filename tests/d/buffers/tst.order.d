/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of one CPU keep their order. */
#pragma D option quiet

BEGIN { n = 0; }
tick-1ms { printf("%d ", n++); }
tick-1ms /n == 10/ { printf("\n"); exit(0); }
