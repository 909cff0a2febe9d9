/* SPDX-License-Identifier: GPL-2.0-only */
/* With ring the last records are printed at the end. */
#pragma D option quiet

#pragma D option bufpolicy=ring
#pragma D option bufsize=1m
BEGIN { printf("one\n"); }
BEGIN { printf("two\n"); exit(0); }
