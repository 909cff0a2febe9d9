/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault of ERROR's own clause fires nothing, and is but counted. */
/* @stderr: 1 error in ERROR probe enabling */
#pragma D option quiet

BEGIN { x = *(int *)0; }
ERROR { n++; y = *(int *)8; }
tick-1ms { printf("%d\n", n); exit(0); }
