/* SPDX-License-Identifier: GPL-2.0-only */
/* A predicate sees what earlier clauses assigned. */
#pragma D option quiet

BEGIN { x = 3; }
BEGIN /x == 3/ { printf("three\n"); x = 4; }
BEGIN /x == 3/ { printf("wrong\n"); }
BEGIN /x == 4/ { printf("four\n"); exit(0); }
