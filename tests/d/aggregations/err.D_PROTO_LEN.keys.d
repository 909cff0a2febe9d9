/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation has the keys that it began with. */

BEGIN
{
	@a[1] = count();
	@a[1, 2] = count();
	exit(0);
}
