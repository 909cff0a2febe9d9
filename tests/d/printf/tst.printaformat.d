/* SPDX-License-Identifier: GPL-2.0-only */
/* Conversions of an aggregation's value. */
#pragma D option quiet

BEGIN
{
	@["k"] = sum(255);
	printa("%s %@d %@x %@o %@8d|\n", @);
	exit(0);
}
