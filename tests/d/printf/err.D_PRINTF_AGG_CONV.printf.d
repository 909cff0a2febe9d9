/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation's value is for printa(). */

BEGIN
{
	printf("%@d\n", 1);
	exit(0);
}
