/* SPDX-License-Identifier: GPL-2.0-only */
/* All of an aggregation have the same lower bound. */

BEGIN
{
	@a = lquantize(1, 0, 10, 1);
	@a = lquantize(1, 1, 10, 1);
	exit(0);
}
