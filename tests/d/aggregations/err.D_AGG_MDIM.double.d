/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation has one list of keys. */

BEGIN
{
	@a[1][2] = count();
	exit(0);
}
