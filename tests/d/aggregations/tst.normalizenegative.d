/* SPDX-License-Identifier: GPL-2.0-only */
/* Negative values are divided as what they are, by normalize() and for the mean. */
#pragma D option quiet

BEGIN
{
	@sum = sum(-100);
	@avg = avg(-10);
	@avg = avg(-20);
	normalize(@sum, 10);
	printa("%@d\n", @sum);
	printa("%@d\n", @avg);
	normalize(@avg, 5);
	printa("%@d\n", @avg);
	printa(@sum);
	printa(@avg);
	exit(0);
}
