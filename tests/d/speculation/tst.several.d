/* SPDX-License-Identifier: GPL-2.0-only */
/* Several records of one speculation keep their order. */
#pragma D option quiet

BEGIN { s = speculation(); }
BEGIN { speculate(s); printf("1 "); }
BEGIN { speculate(s); printf("2 "); }
BEGIN { speculate(s); printf("3\n"); }
BEGIN { commit(s); }
BEGIN { exit(0); }
