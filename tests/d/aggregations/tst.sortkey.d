/* SPDX-License-Identifier: GPL-2.0-only */
/* aggsortkey sorts by key. */
#pragma D option quiet

#pragma D option aggsortkey
BEGIN
{
	@["b"] = sum(1);
	@["a"] = sum(2);
	@["c"] = sum(0);
	printa("%s %@d\n", @);
	exit(0);
}
