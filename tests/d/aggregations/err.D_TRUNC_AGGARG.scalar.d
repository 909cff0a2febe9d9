/* SPDX-License-Identifier: GPL-2.0-only */
/* trunc() takes an aggregation. */

BEGIN
{
	x = 1;
	trunc(x);
	exit(0);
}
