/* SPDX-License-Identifier: GPL-2.0-only */
/* Several aggregations side by side, in the order of the first. */
#pragma D option quiet

BEGIN
{
	@a["x"] = sum(1);
	@b["x"] = sum(10);
	@a["y"] = sum(2);
	@b["y"] = sum(5);
	@b["z"] = sum(99);
	printa("%s %@d %@d\n", @a, @b);
	exit(0);
}
