/* SPDX-License-Identifier: GPL-2.0-only */
/* A number that was discarded is free again. */
#pragma D option quiet

BEGIN { a = speculation(); }
BEGIN { discard(a); }
BEGIN { b = speculation(); printf("%d %d\n", a, b); exit(0); }
