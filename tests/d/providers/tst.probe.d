/* SPDX-License-Identifier: GPL-2.0-only */
/* A timer's name. */
#pragma D option quiet

tick-1ms { printf("%s:%s:%s:%s\n", probeprov, probemod, probefunc, probename); exit(0); }
