/* SPDX-License-Identifier: GPL-2.0-only */
/* What is committed is printed. */
#pragma D option quiet

BEGIN { self->s = speculation(); }
BEGIN { speculate(self->s); printf("speculative\n"); }
BEGIN { printf("first\n"); }
BEGIN { commit(self->s); }
BEGIN { exit(0); }
