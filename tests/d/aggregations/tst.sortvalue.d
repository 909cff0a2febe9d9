/* SPDX-License-Identifier: GPL-2.0-only */
/* By value, then by key. */
#pragma D option quiet

BEGIN
{
	@["b"] = sum(1);
	@["a"] = sum(1);
	@["c"] = sum(0);
	printa("%s %@d\n", @);
	exit(0);
}
