/* SPDX-License-Identifier: GPL-2.0-only */
/* An aggregation has one function. */

BEGIN
{
	@a = count();
	@a = sum(1);
	exit(0);
}
