/* SPDX-License-Identifier: GPL-2.0-only */
/* To end a speculation that is not active does nothing; one that there cannot be is a fault. */
#pragma D option quiet
#pragma D option nspec=2

BEGIN { commit(0); }
BEGIN { commit(1); }
BEGIN { discard(0); discard(2); }
BEGIN { commit(3); }
BEGIN { discard(-1); }
BEGIN { speculate(3); printf("never\n"); }
ERROR { printf("%d\n", arg4 == DTRACEFLT_ILLOP); }
BEGIN { exit(0); }
