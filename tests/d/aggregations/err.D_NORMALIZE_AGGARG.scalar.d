/* SPDX-License-Identifier: GPL-2.0-only */
/* normalize() takes an aggregation. */

BEGIN
{
	x = 1;
	normalize(x, 2);
	exit(0);
}
