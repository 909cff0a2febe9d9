/* SPDX-License-Identifier: GPL-2.0-only */
/* printa() with a format goes through the entries by value. */
#pragma D option quiet

BEGIN
{
	@["c"] = sum(3);
	@["a"] = sum(30);
	@["b"] = sum(7);
	printa("%s is %@d\n", @);
	exit(0);
}
