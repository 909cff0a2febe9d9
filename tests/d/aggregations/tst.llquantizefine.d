/* SPDX-License-Identifier: GPL-2.0-only */
/* Distributions of many fine levels. */
#pragma D option quiet

BEGIN
{
	@a = llquantize(55, 10, 0, 6, 100);
	@b = llquantize(-55, 10, 0, 5, 100);
	printa("%@d", @a);
	printa("%@d", @b);
	exit(0);
}
