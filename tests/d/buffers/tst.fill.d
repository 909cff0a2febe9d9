/* SPDX-License-Identifier: GPL-2.0-only */
/* With fill everything is printed at the end. */
#pragma D option quiet

#pragma D option bufpolicy=fill
#pragma D option bufsize=1m
BEGIN { printf("one\n"); }
BEGIN { printf("two\n"); exit(0); }
