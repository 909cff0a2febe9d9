/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of the highest magnitude fits 64 bits: 10 to the power of 20 does not. */

BEGIN
{
	@a = llquantize(1, 10, 0, 19, 10);
	exit(0);
}
