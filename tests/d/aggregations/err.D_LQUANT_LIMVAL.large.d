/* SPDX-License-Identifier: GPL-2.0-only */
/* The upper bound fits 32 bits. */

BEGIN
{
	@a = lquantize(1, 0, 0x80000000, 1);
	exit(0);
}
