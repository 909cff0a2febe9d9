/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault ends its clause, not the others. */
#pragma D option quiet

BEGIN { printf("lost\n"); x = *(int *)0; printf("never\n"); }
BEGIN { printf("next\n"); exit(0); }
