/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates have units. */
#pragma D option quiet

#pragma D option switchrate=10hz
#pragma D option aggrate=100ms
BEGIN { printf("x\n"); exit(0); }
