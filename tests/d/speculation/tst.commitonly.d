/* SPDX-License-Identifier: GPL-2.0-only */
/* A clause that only commits prints nothing itself. */
#pragma D option quiet

BEGIN { s = speculation(); }
BEGIN { commit(s); }
BEGIN { printf("done\n"); exit(0); }
