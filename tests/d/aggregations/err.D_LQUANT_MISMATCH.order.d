/* SPDX-License-Identifier: GPL-2.0-only */
/* The lower bound is below the upper. */

BEGIN
{
	@a = lquantize(1, 10, 0, 1);
	exit(0);
}
