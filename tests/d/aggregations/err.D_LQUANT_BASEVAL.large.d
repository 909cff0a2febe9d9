/* SPDX-License-Identifier: GPL-2.0-only */
/* The lower bound fits 32 bits. */

BEGIN
{
	@a = lquantize(1, 0x80000000, 0x80000010, 1);
	exit(0);
}
