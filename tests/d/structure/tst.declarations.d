/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations stand between clauses. */
#pragma D option quiet

int before;
BEGIN { before = 1; after = 2; }
int between;
BEGIN { between = before + after; printf("%d\n", between); exit(0); }
