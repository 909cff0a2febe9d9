/* SPDX-License-Identifier: GPL-2.0-only */
/* aggsortrev turns the order. */
#pragma D option quiet

#pragma D option aggsortrev
BEGIN
{
	@["b"] = sum(1);
	@["a"] = sum(2);
	@["c"] = sum(0);
	printa("%s %@d\n", @);
	exit(0);
}
