/* SPDX-License-Identifier: GPL-2.0-only */
/* aggsortpos chooses the aggregation. */
#pragma D option quiet

#pragma D option aggsortpos=1
BEGIN
{
	@a["x"] = sum(1); @b["x"] = sum(9);
	@a["y"] = sum(2); @b["y"] = sum(8);
	printa("%s %@d %@d\n", @a, @b);
	exit(0);
}
