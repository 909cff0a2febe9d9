/* SPDX-License-Identifier: GPL-2.0-only */
/* trunc() with a negative number keeps the smallest. */
#pragma D option quiet

BEGIN
{
	@["a"] = sum(1);
	@["b"] = sum(2);
	@["c"] = sum(3);
	@["d"] = sum(4);
	trunc(@, -2);
	printa("%s %@d\n", @);
	exit(0);
}
