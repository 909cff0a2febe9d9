/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations grow from firing to firing. */
#pragma D option quiet

BEGIN { n = 0; }
tick-1ms { n++; @ = sum(n); }
tick-1ms /n == 10/ { printa("%@d\n", @); exit(0); }
