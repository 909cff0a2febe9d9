/* SPDX-License-Identifier: GPL-2.0-only */
/* A cleared average is 0. */
#pragma D option quiet

BEGIN
{
	@ = avg(10);
	clear(@);
	printa("%@d\n", @);
	exit(0);
}
