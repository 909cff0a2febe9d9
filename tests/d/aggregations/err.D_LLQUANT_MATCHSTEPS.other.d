/* SPDX-License-Identifier: GPL-2.0-only */
/* All of an aggregation have as many steps. */

BEGIN
{
	@a = llquantize(1, 10, 0, 3, 10);
	@a = llquantize(1, 10, 0, 3, 20);
	exit(0);
}
