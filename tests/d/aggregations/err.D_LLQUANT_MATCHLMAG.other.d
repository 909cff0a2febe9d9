/* SPDX-License-Identifier: GPL-2.0-only */
/* All of an aggregation have the same low magnitude. */

BEGIN
{
	@a = llquantize(1, 10, 0, 3, 10);
	@a = llquantize(1, 10, 1, 3, 10);
	exit(0);
}
