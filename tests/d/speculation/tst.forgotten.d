/* SPDX-License-Identifier: GPL-2.0-only */
/* What is neither is not printed. */
#pragma D option quiet

BEGIN { self->s = speculation(); }
BEGIN { speculate(self->s); printf("speculative\n"); }
BEGIN { exit(0); }
