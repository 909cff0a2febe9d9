/* SPDX-License-Identifier: GPL-2.0-only */
/* Speculation 0 records nothing. */
#pragma D option quiet

BEGIN { speculate(0); printf("never\n"); }
BEGIN { printf("done\n"); exit(0); }
