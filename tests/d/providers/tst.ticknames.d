/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers' units. */
#pragma D option quiet

BEGIN { a = b = c = 0; }
tick-5ms { a = 1; }
tick-100hz { b = 1; }
tick-5000us { c = 1; }
tick-20ms /a && b && c/ { printf("all\n"); exit(0); }
