/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of the highest magnitude fits a number with a sign: 10 to the power of 19 does not. */

BEGIN
{
	@a = llquantize(1, 10, 0, 18, 10);
	exit(0);
}
