/* SPDX-License-Identifier: GPL-2.0-only */
/* A predicate that is false keeps the clause from running. */
#pragma D option quiet

BEGIN /0/ { printf("never\n"); }
BEGIN /1/ { printf("always\n"); }
BEGIN /1 == 2 || 3 > 2/ { printf("also\n"); exit(0); }
