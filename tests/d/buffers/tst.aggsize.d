/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations have a buffer of their own. */
#pragma D option quiet

#pragma D option aggsize=512k
BEGIN { @["x"] = count(); printa("%s %@d\n", @); exit(0); }
