/* SPDX-License-Identifier: GPL-2.0-only */
/* Aggregations that are printed together have keys of the same types. */

BEGIN
{
	@a[1] = count();
	@b["one"] = count();
	printa(@a, @b);
	exit(0);
}
