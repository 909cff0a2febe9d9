/* SPDX-License-Identifier: GPL-2.0-only */
/* All of an aggregation have the same factor. */

BEGIN
{
	@a = llquantize(1, 10, 0, 3, 20);
	@a = llquantize(1, 20, 0, 3, 20);
	exit(0);
}
