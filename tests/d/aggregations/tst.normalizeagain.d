/* SPDX-License-Identifier: GPL-2.0-only */
/* The last factor counts. */
#pragma D option quiet

BEGIN
{
	@ = sum(1200);
	normalize(@, 10);
	normalize(@, 100);
	printa("%@d\n", @);
	exit(0);
}
