/* SPDX-License-Identifier: GPL-2.0-only */
/* printa() takes an aggregation. */

BEGIN
{
	x = 1;
	printa(x);
	exit(0);
}
