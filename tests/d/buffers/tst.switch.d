/* SPDX-License-Identifier: GPL-2.0-only */
/* The ordinary policy. */
#pragma D option quiet

#pragma D option bufpolicy=switch
#pragma D option bufsize=1m
BEGIN { printf("x\n"); exit(0); }
