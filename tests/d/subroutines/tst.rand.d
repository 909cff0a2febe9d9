/* SPDX-License-Identifier: GPL-2.0-only */
/* rand() is not negative. */
#pragma D option quiet

BEGIN { n = 0; bad = 0; }
tick-1ms { bad += rand() < 0; n++; }
tick-1ms /n == 20/ { printf("%d\n", bad); exit(0); }
