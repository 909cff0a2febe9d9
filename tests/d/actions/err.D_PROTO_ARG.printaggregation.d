/* SPDX-License-Identifier: GPL-2.0-only */
/* print() takes no aggregation. */

BEGIN
{
	@a[1] = count();
	print(@a[1]);
	exit(0);
}
