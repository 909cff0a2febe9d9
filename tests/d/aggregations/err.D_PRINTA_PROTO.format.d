/* SPDX-License-Identifier: GPL-2.0-only */
/* printa() takes an aggregation behind its format. */

BEGIN
{
	printa("%d\n");
	exit(0);
}
