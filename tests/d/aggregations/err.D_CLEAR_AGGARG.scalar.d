/* SPDX-License-Identifier: GPL-2.0-only */
/* clear() takes an aggregation. */

BEGIN
{
	x = 1;
	clear(x);
	exit(0);
}
