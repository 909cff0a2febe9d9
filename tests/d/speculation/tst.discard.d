/* SPDX-License-Identifier: GPL-2.0-only */
/* What is discarded is not. */
#pragma D option quiet

BEGIN { self->s = speculation(); }
BEGIN { speculate(self->s); printf("speculative\n"); }
BEGIN { discard(self->s); }
BEGIN { printf("done\n"); exit(0); }
