/* SPDX-License-Identifier: GPL-2.0-only */
/* All of an aggregation have the same step. */

BEGIN
{
	@a = lquantize(1, 0, 10, 1);
	@a = lquantize(1, 0, 10, 2);
	exit(0);
}
