/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation without an entry prints nothing. */
#pragma D option quiet

BEGIN /0/ { @["x"] = count(); }
BEGIN { printa("%s %@d\n", @); printf("done\n"); exit(0); }
