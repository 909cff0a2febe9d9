/* SPDX-License-Identifier: GPL-2.0-only */
/* Dynamic variables have room as asked. */
#pragma D option quiet

#pragma D option dynvarsize=64k
BEGIN { a["x"] = 1; printf("%d\n", a["x"]); exit(0); }
