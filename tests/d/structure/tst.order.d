/* SPDX-License-Identifier: GPL-2.0-only */
/* Clauses of one probe run in the program's order. */
#pragma D option quiet

BEGIN { printf("1 "); }
BEGIN { printf("2 "); }
BEGIN { printf("3\n"); exit(0); }
